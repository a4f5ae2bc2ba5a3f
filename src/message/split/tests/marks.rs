//! Cuts in markup: what is open is closed and opened again, what is whole stays whole.

use proptest::prelude::*;

use super::super::TextKind::{Markdown, MarkdownV2, Text};
use super::super::*;
use super::{NOTES, split_all};

/// Checks the cuts of the text that `parts` join to. What is added in each stands in brackets.
fn is_cut(kind: TextKind, limit: usize, parts: &[&str]) {
    let own = |mut part: &str| {
        let mut own = String::new();
        while let Some((before, rest)) = part.split_once('⟦') {
            own.push_str(before);
            part = rest.split_once('⟧').unwrap().1;
        }
        own + part
    };
    let text: String = parts.iter().map(|part| own(part)).collect();
    let parts: Vec<String> = parts.iter().map(|it| it.replace(['⟦', '⟧'], "")).collect();
    assert_eq!(split_all(kind, &text, limit), parts);
}

#[test]
fn a_table_goes_on_under_its_header_and_no_row_is_cut() {
    let table = [
        "| k | v |\n|---|---|\n| a | one two |\n| b | two |\n",
        "⟦| k | v |\n|---|---|\n⟧| c | three |\n| d | four |\nend\n",
    ];
    is_cut(MarkdownV2, 60, &table);
    let quoted = [
        "> |k|v|\n> |-|-|\n> |one|two|\n> |three|four|\n",
        "⟦> |k|v|\n> |-|-|\n⟧> |five|six|\n|k|",
    ];
    is_cut(MarkdownV2, 48, &quoted);
    // A row larger than half a part.
    is_cut(
        Markdown,
        48,
        &[
            "|k|v|\n|-|-|\n|one|two|\n",
            "⟦|k|v|\n|-|-|\n⟧|one two|three and four and five|\n",
            "⟦|k|v|\n|-|-|\n⟧|six|seven|\n",
        ],
    );
    // A row larger than a part.
    is_cut(
        Markdown,
        36,
        &[
            "|k|v|\n|-|-|\n|one|two and three and ",
            "⟦|k|v|\n|-|-|\n⟧four and five|\nend",
        ],
    );
    // A header larger than a third of a part.
    is_cut(
        Markdown,
        33,
        &["|k|v|\n|-|-|\n|one|two|\n", "|three|four|\n|five|six|"],
    );
    // None begins without a row.
    is_cut(
        Markdown,
        42,
        &["several words on a line\n", "|k|v|\n|-|-|\n|one|two|\n"],
    );
    // Bars alone make no table, nor does what is in code.
    is_cut(
        Markdown,
        24,
        &["|k|v|\n|one|two|\n", "|three|four|\n|five|six|"],
    );
    is_cut(
        Text,
        24,
        &["|k|v|\n|-|-|\n|one|two|\n", "|three|four|\n|five|six|"],
    );
}

#[test]
fn a_fence_is_closed_and_opened_again_and_a_quote_goes_on() {
    is_cut(
        Markdown,
        42,
        &[
            "```sh\none **two\nthree` four and\n⟦```⟧",
            "⟦```sh\n⟧several more lines\n```\n",
            "end and more of it\n| and | end",
        ],
    );
    is_cut(
        MarkdownV2,
        66,
        &[
            "> ~~~~\n> one\n> ~~~\n> three four five six seven eight nine ⟦\n> ~~~~⟧",
            "⟦> ~~~~\n> ⟧ten\n> ~~~~\nend and end",
        ],
    );
    // The end of a quote ends what is in it.
    is_cut(
        MarkdownV2,
        48,
        &[
            "> ```\n> one\nsome words and some words and some ",
            "words and two",
        ],
    );
    // None begins without a line.
    is_cut(
        Markdown,
        42,
        &["several words on a line\n", "```sh\nanother line\n```\n"],
    );
    is_cut(Markdown, 18, &["> one two three ", "⟦> ⟧four\nfive"]);
    is_cut(Text, 18, &["> one two three ", "four\n```five"]);
}

#[test]
fn what_is_open_within_a_line_is_closed_and_opened_again() {
    is_cut(
        Markdown,
        90,
        &[
            "<font color=\"info\">one\ntwo three four five and some more, and yet more words, and⟦</font>⟧ ",
            "⟦<font color=\"info\">⟧more and more</font> six and seven and more of it",
        ],
    );
    is_cut(
        Markdown,
        120,
        &[
            "<font color=\"info\">\n```\ntwo three four five\n and some more, and yet more words, and more\n⟦```\n</font>⟧",
            "⟦<font color=\"info\">\n```\n⟧and the last of them\n```\n</font> six and seven",
        ],
    );
    is_cut(
        Text,
        90,
        &[
            "see <A href=\"https://x.y/\">one two three four five and some more, and yet more words⟦</a>⟧ ",
            "⟦<A href=\"https://x.y/\">⟧and more</a> six and <font> ** ` seven",
        ],
    );
    is_cut(
        Markdown,
        30,
        &[
            "**some bold text and more⟦**⟧ ",
            "⟦**⟧of it** `code that is long⟦`⟧ ",
            "⟦`⟧and more`",
        ],
    );
    // What WeCom does not obey: a link without its end, and the marks of other kinds.
    is_cut(Text, 30, &["**some bold text and more of ", "it** end"]);
    is_cut(
        Text,
        42,
        &[
            "<font> <a href=\"https://x.y/\">one two ",
            "three four</font>",
        ],
    );
    is_cut(
        MarkdownV2,
        30,
        &["<font color=\"info\">one two ", "three</font>"],
    );
}

#[test]
fn links_and_mentions_are_never_cut() {
    is_cut(
        Markdown,
        40,
        &[
            "some words and a ",
            "[a link](https://x.y/z?a=(b)) **and ",
            "https://x.y/very-long-address?and=query ",
            "<@somebody>",
        ],
    );
    is_cut(
        Text,
        40,
        &[
            "some words(",
            "https://x.y/very-long-address?and=query ",
            "<@somebody_with_a_long_name> and words ",
        ],
    );
    is_cut(Text, 20, &["https://x.y/longer-t", "han-a-part and words"]);
}

/// A long link or a bar is no reason for parts that are nearly empty.
#[test]
fn what_is_larger_than_a_part_is_cut_and_fills_its_parts() {
    for (kind, text) in [
        (Text, format!("see https://x.y/{}", "a".repeat(1000))),
        (Text, format!("see <a href=\"{}\">x</a>", "a".repeat(1000))),
        (
            Markdown,
            format!("see [x](https://x.y/{})", "a".repeat(1000)),
        ),
        (
            Markdown,
            format!("see\n|k|v|\n|-|-|\n|{}|", "a".repeat(1000)),
        ),
        (Markdown, format!("|k|{}|\n|-|-|\n|x|", "v".repeat(1000))),
        (Markdown, format!("```{}\nx\n```", "v".repeat(1000))),
    ] {
        let parts = split_all(kind, &text, 100);
        let full = parts.iter().filter(|part| part.len() > 50).count();
        assert!(
            (10..=11).contains(&full) && full + 1 >= parts.len(),
            "{parts:?}"
        );
    }
}

#[test]
fn a_first_part_closes_what_it_opens() {
    let long = "some words\n".repeat(500);
    for (kind, start, end) in [
        (Markdown, "```sh\n", "some words\n```\n…cut"),
        (
            Markdown,
            "<font color=\"info\">",
            "some words</font>\n\n…cut",
        ),
        (Text, "<a href=\"https://x.y/\">", "some words</a>\n\n…cut"),
    ] {
        let text = format!("{start}{long}</font></a>");
        for incomplete in [false, true] {
            let fitted = fit(kind, 2048, &text, incomplete, Long::Truncate, &NOTES).unwrap();
            let part = &fitted.parts[0];
            assert!(part.len() <= 2048 && part.ends_with(end), "{part}");
        }
    }
    let fitted = fit(Markdown, 2048, "```\nx", true, Long::File, &NOTES).unwrap();
    assert_eq!(fitted.parts, ["```\nx\n```\n…attached"]);
}

/// A reading in quadratic time would not end here, nor one that nests calls.
#[test]
fn many_marks_take_linear_time() {
    for pattern in [
        "<font color=\"info\">",
        "<font color=\"info\">x</font>",
        "<font>",
        "</font>",
        "<font",
        "<a href=\"u\">",
        "<a href",
        "<",
        "<@u>",
        "```\n",
        "> ```\nx\n",
        "````\n```\n",
        "`",
        "`a``",
        "`a`",
        "**",
        "**a",
        "**a**",
        "[",
        "[a](",
        "[a](u)",
        "![a](b(",
        "http://",
        "http://**",
        "h",
        "> ",
        ">\n",
        "|",
        "|-|\n",
        "|a|\n|-|\n",
        "|a|\n|-|\n|b|\n\n",
        "**<font>x** ",
        " ",
        "\r",
        "e\u{301}",
        "\u{301}",
        "🇨🇳",
    ] {
        let text = pattern.repeat((1 << 15) / pattern.len());
        let header = format!("|{text}|\n|-|\n");
        let closed = format!("{text}{}", "</font>".repeat(1 << 12));
        for text in [&text, &header, &closed] {
            for kind in [Text, Markdown] {
                let parts = split_all(kind, text, 2040);
                assert!(parts.iter().all(|part| part.len() <= 2040));
                assert!(parts.len() <= 4 + 3 * text.len() / 2040, "{pattern}");
            }
        }
    }
}

/// Returns well-formed markdown or text: a block a line of the list, each of its pieces only once.
fn document(kind: TextKind) -> impl Strategy<Value = String> {
    let words = "[a-z中]{1,9}( [a-z]{1,9}){0,9}";
    prop::collection::vec((0..9u8, words, 1..12usize), 0..30).prop_map(move |blocks| {
        let mut text = String::new();
        for (at, (shape, words, times)) in blocks.into_iter().enumerate() {
            let lines = |before: &str, after: &str| -> String {
                let line = |line| format!("{before}{words} {at}.{line}{after}\n");
                (0..times).map(line).collect()
            };
            let block = match shape {
                0 => lines("", " https://x.y/bare"),
                _ if kind == Text => format!("<a href=\"https://x.y/{at}\">{}</a>", lines("", "")),
                1 => lines("[label](https://x.y/link ", ")")
                    .replace("link ", "link/")
                    .replace(' ', "-"),
                2 => lines("> ", ""),
                3 => format!("```sh\n{}```\n", lines("| <font> ** ` ", "")),
                4 => format!("> ```\n{}> ```\n", lines("> ", "")),
                5 => format!(
                    "\n| key {at} | value |\n|---|---|\n{}\n",
                    lines("| row ", " |")
                ),
                6 => lines("**", "**").replace('\n', " ") + "\n",
                7 => format!("<font color=\"info\">{}</font>\n", lines("", "")),
                _ => lines("<font color=\"info\">", "</font> `code`"),
            };
            text.push_str(&block);
        }
        text
    })
}

/// Whether all that is opened in a part is closed in it, read without what the program knows.
fn is_balanced(kind: TextKind, part: &str) -> bool {
    let mut fence = false;
    let mut depth = 0;
    for line in part.lines() {
        if kind != Text && line.trim_start_matches("> ").starts_with("```") {
            fence = !fence;
        } else if !fence && kind != MarkdownV2 {
            let (open, close) = if kind == Text {
                ("<a ", "</a>")
            } else {
                ("<font ", "</font>")
            };
            depth += line.matches(open).count();
            let Some(left) = depth.checked_sub(line.matches(close).count()) else {
                return false;
            };
            depth = left;
        }
    }
    let bold = part
        .lines()
        .all(|line| line.starts_with('|') || line.matches("**").count() % 2 == 0);
    !fence && depth == 0 && bold
}

proptest! {
    #[test]
    fn parts_are_well_formed_and_full(
        (kind, text) in prop::sample::select(vec![Text, Markdown, MarkdownV2])
            .prop_flat_map(|kind| (Just(kind), document(kind))),
        limit in 300usize..900,
    ) {
        let parts = split_all(kind, &text, limit);
        for (at, part) in parts.iter().enumerate() {
            prop_assert!(part.len() <= limit);
            prop_assert!(at + 1 == parts.len() || part.len() > limit / 3, "{}", part);
            prop_assert!(is_balanced(kind, part), "{}", part);
        }
        for mark in ["https://x.y/bare", "<a href=\"https://x.y/", "[label](https://x.y/link/"] {
            for (at, _) in text.match_indices(mark) {
                let whole = text[at..].split(['\n', '>']).next().unwrap();
                prop_assert!(parts.iter().any(|part| part.contains(whole)), "{}", whole);
            }
        }
        let mut header = "";
        for line in text.split_inclusive('\n').filter(|_| kind != Text) {
            if line.starts_with("| key") {
                header = line;
            } else if line.starts_with("| row") {
                let part = parts.iter().find(|part| part.contains(line));
                prop_assert!(part.is_some_and(|part| part.contains(header)), "{}", line);
            }
        }
    }

    #[test]
    fn any_marks_are_cut_within_the_limit(
        kind in prop::sample::select(vec![Text, Markdown, MarkdownV2]),
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<font>", "<font color=\"info\">", "</font>", "<a href=\"u\">", "</a>", "<@u>", "<", ">",
            "**", "`", "```", "```\n", "\n```sh\n", "~~~\n", "\n> ", "> ", "\n|a|b|\n|-|-|\n", "|", "\n",
            "\n|-|\n", "[a](u)", "[", "](", "https://x.y/z", "word ", "中文", " ", "e\u{301}", "\r\n", "👩‍👩‍👧",
        ]), 0..80),
        limit in 12usize..90,
    ) {
        let text = pieces.concat();
        for part in split_all(kind, &text, limit) {
            prop_assert!(!part.is_empty() && part.len() <= limit, "{}", part);
        }
    }
}
