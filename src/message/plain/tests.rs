use super::*;
use proptest::prelude::*;

#[test]
fn wecoms_marks_become_text() {
    for (markdown, text) in [
        ("# Disk\n## Data\n### Why", "【Disk】\n【Data】\nWhy"),
        (
            "# 【告警】db1\n#tag\n####### 7",
            "【告警】db1\n#tag\n####### 7",
        ),
        (
            "**bold** and 共**100**元，**“引”**字",
            "bold and 共100元，“引”字",
        ),
        (
            "**[log](https://x.y)**: **open",
            "log (https://x.y): **open",
        ),
        ("`a*b*` ``x`` `open", "a*b* ``x`` `open"),
        (
            "```sh\nif **x**; [a](b)\n  # `c`\n```\nend",
            "if **x**; [a](b)\n  # `c`\nend",
        ),
        ("~~~\n```\n~~~\n**b**\n```\n**c**\n```", "```\nb\n**c**"),
        ("```one line``` of `code`", "```one line``` of code"),
        ("````\n```\n**b**\n````\n**c**", "```\n**b**\nc"),
        ("> a **b**\n>> c\n> # T", "> a b\n>> c\n> 【T】"),
        (
            "&lt;a&gt; &amp;amp; &quot;x&quot; &copy;&#8364;",
            "<a> &amp; \"x\" ©€",
        ),
        ("<@zhangsan>: hi<br>a<br/>b", "@zhangsan: hi\na\nb"),
        ("<font color=\"warning\">90%</font> used", "90% used"),
        ("```sh\n```\n", "```sh\n```\n"),
        ("<font color=info></font>", "<font color=info></font>"),
        ("<font color=\"info\">\r\nok\r\n</font>\r\nend", "ok\r\nend"),
    ] {
        assert_eq!(plain(markdown), text, "{markdown}");
    }
}

#[test]
fn links_show_their_address() {
    for (markdown, text) in [
        ("[log](https://x.y/a_b_c)", "log (https://x.y/a_b_c)"),
        ("[https://x.y](https://x.y)", "https://x.y"),
        ("[**https://x.y**](https://x.y)", "https://x.y"),
        ("![plot](https://x.y/p.png)", "plot (https://x.y/p.png)"),
        ("![plot](data:image/png;base64,AAAA)", "plot"),
        ("[](u) [a]()", "u a"),
        ("[a](b(c)d) [a](b c) [a](b", "a (b(c)d) [a](b c) [a](b"),
        ("[x] [y][z] [a [b](u)", "[x] [y][z] [a b (u)"),
        ("[a](u?x=1&amp;y=2&copy=3)", "a (u?x=1&y=2&copy=3)"),
        (
            "<https://x.y/_a_> [me@x.y](mailto:me@x.y)",
            "https://x.y/_a_ me@x.y",
        ),
    ] {
        assert_eq!(plain(markdown), text, "{markdown}");
    }
}

#[test]
fn everything_else_is_kept_to_the_byte() {
    for text in [
        "snake_case __init__ *it* ***both*** 2*3*4 2**10 + 3**4",
        "* * * * * /opt/wxpush outbox flush",
        "rm *.log *.tmp /a/* /b/*",
        "a ** b ** c",
        "password: ******** **** 1234",
        "****1234 and 5678****",
        "- a\n  * b\n1. c\n- [x] d\n---",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Bob <bob@x.y> wrote: cp <a> <b>; Vec<String>; a < b > c; <@> <font",
        "~~old~~ 100% C:\\dir \\*",
        "  indented\ttext  \n\n  more\r\n    code",
        "#1 fixed\nAT&T; a&b &nosuch; &#27; !",
        "\n\n",
        "",
    ] {
        assert_eq!(plain(text), text);
    }
}

/// A conversion in quadratic time would not end here.
#[test]
fn many_openings_take_linear_time() {
    for pattern in [
        "[",
        "![",
        "]",
        "*",
        "**",
        "**a ",
        "a**",
        "**a**",
        "> ",
        "`",
        "`a``",
        "<",
        "<font ",
        "<br>",
        "[](",
        "](",
        "[a](<b",
        "[ (](",
        "[](a(",
        "![a",
        "](u)",
        "&",
        "&lt;",
        "#",
        "# ",
        "```\n",
        "~~~",
        ">\n",
        "http://",
        "(",
        ")",
        " ",
        "\t",
        "\r",
        "[a](b)",
        "**[a](b) ",
    ] {
        let text = pattern.repeat((1 << 17) / pattern.len());
        for text in [text.clone(), text + "](u)**`>"] {
            assert!(plain(&text).len() <= 3 * text.len() + 8, "{pattern}");
        }
    }
}

/// Pieces of markup, whole and broken.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,3}",
        1 => "\\PC{0,4}",
        6 => prop::sample::select(vec![
            "*", "**", "`", "```", "~~~", "[", "](", ")", "](u)", "![", "<", ">", "> ", "<font>",
            "</font>", "<br>", "<@u>", "&lt;", "&", "\n", "\n", "# ", " ", "\t", "\r\n", "中",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn anything_becomes_text_at_most_three_times_as_long(text in markup()) {
        let plain = plain(&text);
        prop_assert!(plain.len() <= 3 * text.len() + 8);
        prop_assert!(!plain.contains(|it: char| it.is_control() && !text.contains(it) && it != '\n'));
    }

    #[test]
    fn no_letter_is_lost_or_moved(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "a", "a", "中", "1", "*", "**", "_", "`", "``", "[", "](", ")", "![", "#", "# ", ">", "- ",
                "|", "\\", "!", "\n", " ", "<b>", "<font>", "</font>", "~", "+", "(", "\t",
            ]),
            0..60,
        ),
    ) {
        // All letters differ, so that no label equals its address.
        let letter = |at: usize, base: u32| char::from_u32(base + u32::try_from(at).unwrap()).unwrap().to_string();
        let text: String = pieces.iter().enumerate().map(|(at, piece)| match *piece {
            "a" => letter(at, 0x100),
            "中" => letter(at, 0x4e00),
            piece => piece.to_owned(),
        }).collect();
        prop_assume!(!text.contains("```") && !text.contains("~~~"));
        let letters = |text: &str| text.chars().filter(|&c| c == '1' || c >= '\u{100}' && c.is_alphabetic()).collect::<String>();
        prop_assert_eq!(letters(&plain(&text)), letters(&text));
    }
}
