mod marks;

use super::TextKind::Text;
use super::*;
use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

const NOTES: Notes<'_> = Notes {
    cut: "\n…cut",
    file: "\n…attached",
};

fn split_all(kind: TextKind, text: &str, limit: usize) -> Vec<String> {
    let parts = split(kind, text, limit, usize::MAX).unwrap();
    assert_eq!(parts.iter().map(|part| part.text).collect::<String>(), text);
    parts.iter().map(ToString::to_string).collect()
}

#[test]
fn a_part_ends_at_a_line_then_a_word_then_a_grapheme() {
    for (text, limit, parts) in [
        ("short", 10, vec!["short"]),
        ("one line\ntwo line\n", 12, vec!["one line\n", "two line\n"]),
        ("some words here", 12, vec!["some words ", "here"]),
        ("a\nlonger words", 11, vec!["a\nlonger ", "words"]),
        ("nobreakatall", 5, vec!["nobre", "akata", "ll"]),
        ("中文字", 4, vec!["中", "文", "字"]),
        ("ae\u{301}b", 3, vec!["a", "e\u{301}", "b"]),
        ("xx \u{301}y", 4, vec!["xx", " \u{301}y"]),
        ("🇨🇳🇨🇳", 12, vec!["🇨🇳", "🇨🇳"]),
    ] {
        assert_eq!(split_all(Text, text, limit), parts, "{text}");
    }
}

#[test]
fn a_grapheme_past_the_limit_is_cut_between_characters() {
    let heap = format!("e{}", "\u{301}".repeat(20));
    let parts = split_all(Text, &heap, 8);
    assert_eq!(parts.concat(), heap);
    assert!(parts.iter().all(|part| part.len() <= 8));
}

#[test]
fn the_limit_itself_still_fits_in_one() {
    let fits = "x".repeat(2048);
    let fitted = fit(Text, 2048, &fits, false, Long::Reject, &NOTES).unwrap();
    assert_eq!((fitted.parts, fitted.rest), (vec![fits], Rest::Nothing));
    let over = "x".repeat(2049);
    assert_eq!(
        fit(Text, 2048, &over, false, Long::Reject, &NOTES),
        Err(TooLong::Rejected)
    );
}

#[test]
fn each_mode_for_long_texts_does_as_named() {
    let fitted = |size: usize, long| fit(Text, 2048, &"x".repeat(size), false, long, &NOTES);
    let shape = |size, long| fitted(size, long).map(|f| (f.parts.len(), f.rest));
    assert_eq!(shape(5000, Long::Auto), Ok((3, Rest::Nothing)));
    assert_eq!(shape(5 * 2040, Long::Auto), Ok((5, Rest::Nothing)));
    assert_eq!(shape(5 * 2040 + 1, Long::Auto), Ok((1, Rest::File)));
    assert_eq!(shape(5 * 2040 + 1, Long::Split), Ok((6, Rest::Nothing)));
    assert_eq!(shape(99 * 2040, Long::Split), Ok((99, Rest::Nothing)));
    assert_eq!(shape(99 * 2040 + 1, Long::Split), Err(TooLong::Parts));
    assert_eq!(shape(5000, Long::Truncate), Ok((1, Rest::Cut)));
    assert_eq!(shape(5000, Long::File), Ok((1, Rest::File)));
    assert_eq!(shape(2048, Long::File), Ok((1, Rest::Nothing)));
    for (long, note) in [(Long::Truncate, NOTES.cut), (Long::File, NOTES.file)] {
        let part = &fitted(5000, long).unwrap().parts[0];
        assert_eq!(part.len(), 2048);
        assert!(part.ends_with(note));
    }
    let parts = fitted(5000, Long::Split).unwrap().parts;
    assert!(parts[0].starts_with("(1/3)\nxx") && parts[2].starts_with("(3/3)\nxx"));
    assert_eq!(
        parts[0].len(),
        2048 - 2,
        "the mark is shorter than its room"
    );
}

#[test]
fn an_incomplete_input_is_never_sent_as_if_it_were_whole() {
    let fitted = |long| fit(Text, 2048, "short", true, long, &NOTES).map(|f| (f.parts, f.rest));
    let first = vec![format!("short{}", NOTES.file)];
    assert_eq!(fitted(Long::Auto), Ok((first, Rest::File)));
    assert_eq!(fitted(Long::Split), Err(TooLong::Parts));
    assert_eq!(fitted(Long::Reject), Err(TooLong::Rejected));
}

/// Generates texts that break splitters: long lines, wide characters, joined graphemes.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,30}",
        2 => "[\u{4e00}-\u{4eff}]{0,20}",
        1 => Just("\n".to_owned()),
        1 => Just("👩‍👩‍👧‍👦🏳️‍🌈🇨🇳".to_owned()),
        1 => Just("e\u{301}\u{302} \u{301}".to_owned()),
        1 => "\\PC{0,10}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parts_join_to_the_input_and_cut_no_grapheme(text in text(), limit in 4usize..200) {
        let parts = split_all(Text, &text, limit);
        prop_assert_eq!(parts.concat(), &text[..]);
        let boundaries: std::collections::HashSet<usize> =
            text.grapheme_indices(true).map(|(at, _)| at).collect();
        let mut at = 0;
        for part in &parts {
            prop_assert!(!part.is_empty() && part.len() <= limit);
            let alone = text.grapheme_indices(true)
                .any(|(start, it)| start < at && at < start + it.len() && it.len() > limit);
            prop_assert!(boundaries.contains(&at) || alone, "grapheme cut at {}", at);
            at += part.len();
        }
    }
}
