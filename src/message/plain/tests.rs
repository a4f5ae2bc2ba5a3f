use super::*;
use proptest::prelude::*;

#[test]
fn marks_become_text() {
    for (markdown, text) in [
        ("# Disk\n## Data\n### Why", "【Disk】\n【Data】\nWhy"),
        (
            "# 【告警】db1 #\n#tag\n####### 7",
            "【告警】db1\n#tag\n####### 7",
        ),
        ("## Closed ##", "【Closed】"),
        (
            "**bold** *it* ***both*** __very bold__ _it_",
            "bold it both very bold it",
        ),
        ("共**100**元，**“引”**字 **a *b***", "共100元，“引”字 a b"),
        ("`a*b*` ``x`y`` ` `` ` `open", "a*b* x`y `` `open"),
        (
            "```sh\nif *x*; [a](b)\n  # `c`\n```\nend",
            "if *x*; [a](b)\n  # `c`\nend",
        ),
        ("~~~\n```\n~~~\n> ```\n> *a*\n*b*", "```\n> *a*\nb"),
        ("```one line``` of *code*", "one line of code"),
        ("> a **b**\n>> c\n> # T", "> a b\n>> c\n> 【T】"),
        (
            "- a\n  * b\n+ c\n1. d\n- [ ] e\n- [x] f",
            "• a\n  • b\n+ c\n1. d\n☐ e\n☑ f",
        ),
        (
            "a\n---\n* * *\n-----------------",
            "a\n----------\n----------\n-----------------",
        ),
        (
            "| a | **b** |\n|:--|--:|\n| 1 | x\\|y |\n|  | 2\nend",
            "a | b\n1 | x|y\n | 2\nend",
        ),
        ("> a | b\n> --|--\n> 1 | 2", "> a | b\n> 1 | 2"),
        (r"\*a\* \_ C:\dir \\srv\x \", r"*a* _ C:\dir \srv\x \"),
        (
            "&lt;a&gt; &amp;amp; &quot;x&quot; &copy;",
            "<a> &amp; \"x\" &copy;",
        ),
        ("<@zhangsan>: hi", "@zhangsan: hi"),
    ] {
        assert_eq!(plain(markdown), text, "{markdown}");
    }
}

#[test]
fn links_show_where_they_lead() {
    for (markdown, text) in [
        ("[log](https://x.y/a_b_c)", "log (https://x.y/a_b_c)"),
        ("[https://x.y](https://x.y)", "https://x.y"),
        ("[**https://x.y**](https://x.y)", "https://x.y"),
        (
            "![plot](https://x.y/p.png \"title\")",
            "plot (https://x.y/p.png)",
        ),
        ("![plot](data:image/png;base64,AAAA)", "plot"),
        ("[![b](u)](v)", "b (u) (v)"),
        ("[a [b](u) c](v)", "[a b (u) c](v)"),
        ("[](u) [a]() [a](<b c>)", "u a a (b c)"),
        ("[a](b(c)d) [a](b c) [a](b", "a (b(c)d) [a](b c) [a](b"),
        ("[x] [y][z] [a [b] c](d)", "[x] [y][z] a [b] c (d)"),
        ("[a](u?x=1&amp;y=2\\))", "a (u?x=1&y=2))"),
        (
            "<https://x.y/_a_> [me](mailto:me@x.y)",
            "https://x.y/_a_ me (mailto:me@x.y)",
        ),
        ("[me@x.y](mailto:me@x.y)", "me@x.y"),
        (
            "see https://x.y/_a_?b=1&amp;c=_d_ **https://x.y**",
            "see https://x.y/_a_?b=1&c=_d_ https://x.y",
        ),
        (
            "<a href=\"https://x.y\">log</a> <A HREF=u>v",
            "log (https://x.y) v (u)",
        ),
        ("<img alt='p' src='u'/>", "p (u)"),
    ] {
        assert_eq!(plain(markdown), text, "{markdown}");
    }
}

#[test]
fn tags_go_and_placeholders_stay() {
    for (markdown, text) in [
        ("<font color=\"warning\">90%</font> used", "90% used"),
        ("<font color=\"info\">\nok\n</font>\nend", "ok\nend"),
        ("a<br>b<br/>c <!-- no -->d", "a\nb\nc d"),
        ("<b>x</b> <code>y</code> <del>1</del>", "x y ~~1~~"),
        (
            "cp <a> <b>; explain <code>; Vec<String>; a < b > c",
            "cp <a> <b>; explain <code>; Vec<String>; a < b > c",
        ),
        ("</b> </a> <p> <@> <font", "</b> </a> <p> <@> <font"),
        ("<li>x</li>", "• x"),
        ("<td>a</td><td>b</td>", "a b "),
    ] {
        assert_eq!(plain(markdown), text, "{markdown}");
    }
}

#[test]
fn what_only_looks_like_markup_stays_to_the_byte() {
    for text in [
        "snake_case __init__ __FILE__ 2*3*4 2**10 + 3**4",
        "* * * * * /opt/wxpush outbox flush",
        "*/5 * * * * x",
        "rm *.log *.tmp /a/* /b/*",
        "a * b * c",
        "password: ******** **** 1234",
        "****1234 and 5678****",
        "a | b\nc | d",
        "a | b\n---|---|---",
        "Bob <bob@x.y> wrote",
        "~~old~~ 100%",
        "  indented\ttext  \n\n  more\r\n    code",
        "#1 fixed\n-5 degrees\n+ added\n- ",
        "1) one\n2. two",
        "AT&T; a&b",
        "\n\n",
        "",
    ] {
        assert_eq!(plain(text), text);
    }
}

/// Patterns that take parsers of markdown quadratic time: one that did would not end here.
#[test]
fn a_long_row_of_openings_ends() {
    for pattern in [
        "[",
        "![",
        "]",
        "*",
        "**",
        "***a ",
        "a**",
        "*a ",
        "_a ",
        "__a ",
        "a_ ",
        "_ _",
        "> ",
        "`",
        "`a``",
        "\\`",
        "<",
        "<a ",
        "<b>",
        "</b>",
        "<a href=u>",
        "<!--",
        "[](",
        "](",
        "[a](<b",
        "[ (](",
        "[a](b \"",
        "[a](b '",
        "[](\\",
        "![](",
        "![a",
        "](u)",
        "[*_a",
        "&",
        "&lt;",
        "|",
        "a|",
        "| -",
        "- ",
        "* ",
        "#",
        "# ",
        "```\n",
        "~~~",
        "|\n-|\n",
        ">\n",
        "-|",
        "\\|",
        "http://",
        "https://&",
        "(",
        ")",
        "[](a(",
        " ",
        "\t",
        "<h1>",
        "\r",
        "*a*",
        "[a](b)",
        "_**_ ",
    ] {
        let text = pattern.repeat((1 << 17) / pattern.len());
        for text in [text.clone(), text + "](u)*_`>"] {
            let plain = plain(&text);
            assert!(plain.len() <= 3 * text.len() + 8, "{pattern}");
        }
    }
    for (left, right) in [
        ("[", "](u)"),
        ("![", "](u)"),
        ("*a ", " a*"),
        ("__a", " a__"),
        ("<b>", "</b>"),
    ] {
        let text = left.repeat(1 << 15) + &right.repeat(1 << 15);
        assert!(plain(&text).len() <= 3 * text.len());
    }
}

/// Pieces of markup, whole and broken.
fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-z]{1,3}",
        1 => "\\PC{0,4}",
        6 => prop::sample::select(vec![
            "*", "**", "_", "__", "`", "```", "~~~", "[", "](", ")", "](u)", "![", "<", ">", "> ",
            "<b>", "</b>", "<s>", "</s>", "<a href=u>", "</a>", "<br>", "<hr>", "<@u>", "&lt;", "&",
            "\\", "|", "|-|\n", "\n", "\n", "- ", "* ", "# ", "---\n", "***\n", " ", "\t", "\r\n",
            "https://x.y", "\"", "'", "中", "<img src=u alt=v>", "<!--x-->", "<td>", "</td>",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn anything_becomes_text_at_most_three_times_as_long(text in markup()) {
        prop_assert!(plain(&text).len() <= 3 * text.len() + 8);
    }

    #[test]
    fn text_without_marks_is_kept_to_the_byte(text in "([a-z0-9中。，é .,:;/()+=%$@^{}'\"?!~#-]{0,9}[a-z0-9中。 .,_*]?\n?){0,9}") {
        let text: Vec<&str> = text.split('\n').map(|line| line.trim_start_matches(['-', '#', '*', '_', ' ', '~'])).collect();
        // Marks that stand alone in their line are no emphasis.
        prop_assume!(text.iter().all(|line| line.matches(['*', '_']).count() < 2));
        let text = text.join("\n");
        prop_assert_eq!(plain(&text), text);
    }

    #[test]
    fn no_letter_is_lost_or_moved(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "a", "a", "中", "1", "*", "**", "_", "__", "`", "``", "[", "](", ")", "![", "#", "# ", ">", "-",
                "- ", "|", "|-|\n", "\\", "!", "\n", " ", "<b>", "<font>", "</font>", "~", "+", "(", "\t",
            ]),
            0..60,
        ),
    ) {
        // Every letter is another, so that no label is its address.
        let letter = |at: usize, base: u32| char::from_u32(base + u32::try_from(at).unwrap()).unwrap().to_string();
        let text: String = pieces.iter().enumerate().map(|(at, piece)| match *piece {
            "a" => letter(at, 0x100),
            "中" => letter(at, 0x4e00),
            piece => piece.to_owned(),
        }).collect();
        prop_assume!(!text.contains("```"));
        let letters = |text: &str| text.chars().filter(|&c| c == '1' || c >= '\u{100}' && c.is_alphabetic()).collect::<String>();
        prop_assert_eq!(letters(&plain(&text)), letters(&text));
    }

    #[test]
    fn fenced_code_is_kept_to_the_byte(code in "([a-z*_<>&#|\\[\\]() -]{0,20}\n){0,6}") {
        prop_assert_eq!(plain(&format!("*a*\n```x\n{code}```\n*b*")), format!("a\n{code}b"));
    }
}
