//! Splits a long text into parts within WeCom's limit.
//!
//! A part ends after a line, else after a word, else between graphemes. The joined parts are the
//! text.

use unicode_segmentation::GraphemeCursor;

/// The most parts of one message.
pub(crate) const PARTS_MAX: usize = 99;

/// The most parts of one message with `--long auto`. A longer text becomes a file.
const AUTO_PARTS_MAX: usize = 5;

/// The bytes reserved in each part for its mark: at most `(99/99)` and a newline.
const MARK_MAX: usize = 8;

/// The treatment of a text past WeCom's limit (`--long`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Long {
    /// Split up to 5 parts; beyond, as file.
    Auto,
    /// Split into up to 99 parts, marked (1/3).
    Split,
    /// The first part, and the whole as an attached .txt.
    File,
    /// The first part, marked as cut.
    Truncate,
    /// Send nothing.
    Reject,
}

/// The reason why a text cannot be sent as `--long` demands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TooLong {
    /// It is past the limit, and `--long` is `reject`.
    Rejected,
    /// It needs more than `PARTS_MAX` parts.
    Parts,
}

/// A text divided into messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fitted {
    /// The messages, each within the limit.
    pub(crate) parts: Vec<String>,
    /// The rest of the text, which is in none of the messages.
    pub(crate) rest: Rest,
}

/// The treatment of the rest of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There is no rest.
    Nothing,
    /// The whole text is sent as a file.
    File,
    /// It is left out.
    Cut,
}

/// The notes at the end of a first part that is not the whole text.
pub(crate) struct Notes<'a> {
    /// The rest is left out.
    pub(crate) cut: &'a str,
    /// The whole text is attached.
    pub(crate) file: &'a str,
}

/// Splits `text` into messages of at most `max` bytes. `incomplete`: the input was longer than
/// `text`.
///
/// # Errors
/// If `long` allows no way to send it.
pub(crate) fn fit(
    max: usize,
    text: &str,
    incomplete: bool,
    long: Long,
    notes: &Notes<'_>,
) -> Result<Fitted, TooLong> {
    if text.len() <= max && !incomplete {
        return Ok(Fitted {
            parts: vec![text.to_owned()],
            rest: Rest::Nothing,
        });
    }
    let first = |note: &str, rest| {
        let (first, _) = cut(text, max - note.len());
        Fitted {
            parts: vec![format!("{first}{note}")],
            rest,
        }
    };
    let file = || first(notes.file, Rest::File);
    let split = |most| {
        if incomplete {
            return None;
        }
        let parts = split(text, max - MARK_MAX, most)?;
        let count = parts.len();
        let marked = |(at, part): (usize, &&str)| format!("({}/{count})\n{part}", at + 1);
        Some(Fitted {
            parts: parts.iter().enumerate().map(marked).collect(),
            rest: Rest::Nothing,
        })
    };
    match long {
        Long::Reject => Err(TooLong::Rejected),
        Long::File => Ok(file()),
        Long::Truncate => Ok(first(notes.cut, Rest::Cut)),
        Long::Split => split(PARTS_MAX).ok_or(TooLong::Parts),
        Long::Auto => Ok(split(AUTO_PARTS_MAX).unwrap_or_else(file)),
    }
}

/// Splits `text` into parts of at most `limit` bytes. Returns `None` if that takes more than `most`
/// parts.
pub(super) fn split(mut text: &str, limit: usize, most: usize) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        if parts.len() == most {
            return None;
        }
        let (part, rest) = cut(text, limit);
        parts.push(part);
        text = rest;
    }
    Some(parts)
}

/// Cuts `text` at the best place within its first `limit` bytes.
fn cut(text: &str, limit: usize) -> (&str, &str) {
    if text.len() <= limit {
        return text.split_at(text.len());
    }
    let window = &text[..text.floor_char_boundary(limit)];
    // A line or word that ends in the first half would leave the part half empty.
    let ends_in = |end: usize| end > window.len() / 2;
    let whole = |end: &usize| is_grapheme_boundary(text, *end);
    let line = window
        .rfind('\n')
        .map(|at| at + 1)
        .filter(|&end| ends_in(end));
    let word = || {
        window
            .char_indices()
            .rev()
            .filter(|(_, character)| character.is_whitespace())
            .map(|(at, character)| at + character.len_utf8())
            .take_while(|&end| ends_in(end))
            .find(whole)
    };
    let grapheme = || {
        let mut cursor = GraphemeCursor::new(window.len(), text.len(), true);
        if cursor.is_boundary(text, 0) == Ok(true) {
            return Some(window.len());
        }
        let end = cursor.prev_boundary(text, 0).ok().flatten();
        end.filter(|&end| end > 0)
    };
    let end = line.or_else(word).or_else(grapheme);
    // A grapheme that is longer than the limit is cut between its characters.
    text.split_at(end.unwrap_or(window.len()))
}

fn is_grapheme_boundary(text: &str, at: usize) -> bool {
    GraphemeCursor::new(at, text.len(), true).is_boundary(text, 0) == Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    const NOTES: Notes<'_> = Notes {
        cut: "\n…cut",
        file: "\n…attached",
    };

    fn split_all(text: &str, limit: usize) -> Vec<&str> {
        split(text, limit, usize::MAX).unwrap()
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
            assert_eq!(split_all(text, limit), parts, "{text}");
        }
    }

    #[test]
    fn a_grapheme_past_the_limit_is_cut_between_characters() {
        let heap = format!("e{}", "\u{301}".repeat(20));
        let parts = split_all(&heap, 8);
        assert_eq!(parts.concat(), heap);
        assert!(parts.iter().all(|part| part.len() <= 8));
    }

    #[test]
    fn the_limit_itself_still_fits_in_one() {
        let fits = "x".repeat(2048);
        let fitted = fit(2048, &fits, false, Long::Reject, &NOTES).unwrap();
        assert_eq!((fitted.parts, fitted.rest), (vec![fits], Rest::Nothing));
        let over = "x".repeat(2049);
        assert_eq!(
            fit(2048, &over, false, Long::Reject, &NOTES),
            Err(TooLong::Rejected)
        );
    }

    #[test]
    fn each_mode_for_long_texts_does_as_named() {
        let fitted = |size: usize, long| fit(2048, &"x".repeat(size), false, long, &NOTES);
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
        let fitted = |long| fit(2048, "short", true, long, &NOTES).map(|f| (f.parts, f.rest));
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
            let parts = split_all(&text, limit);
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
}
