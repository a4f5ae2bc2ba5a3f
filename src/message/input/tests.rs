use super::terminal::as_at_terminal;
use super::*;
use crate::message::fuzz::Torn;
use proptest::prelude::*;

fn clean(bytes: &[u8]) -> String {
    Input::from_bytes(bytes).text
}

#[test]
fn of_an_overwritten_line_the_last_state_stays() {
    for (output, expected) in [
        ("a\r\nb\r\r\n", "a\nb\n"),
        (" 9%\r10%\r\nerror", "10%\nerror"),
        ("a\r\x1b[0m\nb\r \nc\r\x1b[m\r\r\n", "a\nb\nc\n"),
        (
            "a\r\x1b[0;1m\x1b[K\nb\r\x1b[2J\r",
            "\x1b[0;1m\x1b[K\n\x1b[2J",
        ),
        ("a\r\x1b]0;K\x07\r\u{a0}", "a"),
        ("a\r\x1b[1mb", "\x1b[1mb"),
        (" \n\x1b[m\n", " \n\x1b[m\n"),
        ("1\r2\r3", "3"),
        ("\r", ""),
        ("", ""),
    ] {
        assert_eq!(as_at_terminal(output.as_bytes()), expected.as_bytes());
    }
}

#[test]
fn an_output_of_which_all_was_erased_is_shown_as_it_was() {
    for (output, text) in [
        ("ERROR gone\r\x1b[K", "ERROR gone"),
        ("a\nERROR\r\x1b[K", "a"),
        ("\r \r", "\n "),
    ] {
        assert_eq!(Input::at_terminal(output.as_bytes()).text, text);
    }
}

#[test]
fn everything_but_text_is_dropped() {
    let table: &[(&[u8], &str)] = &[
        (b"plain", "plain"),
        (b"one newline goes\n", "one newline goes"),
        (b"of two one stays\n\n", "of two one stays\n"),
        (b"tab\tstays", "tab\tstays"),
        (b"  spaces stay  ", "  spaces stay  "),
        (b"dos\r\nlines\r\n", "dos\nlines"),
        (b"lone\rcr", "lone\ncr"),
        (b"two\r\rcr", "two\n\ncr"),
        (b"end\r", "end"),
        (b"nul\0bel\x07del\x7f", "nulbeldel"),
        (b"\xc2\x85c1\xc2\x80", "c1"),
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b[?25lcursor\x1b[K", "cursor"),
        (b"\xc2\x9b31mred", "red"),
        (b"\x1b]0;title\x07text", "text"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1bPdevice\x1b\\text", "text"),
        (b"\x1b(Bcharset", "charset"),
        (b"\x1b7save", "save"),
        (b"escape at the end\x1b", "escape at the end"),
        (b"\x1b\x1b[1mtwice", "twice"),
        (b"\x1b]unended\nkeeps its text", "unended\nkeeps its text"),
        (b"\x1b]unended", "unended"),
        (b"\x1b[31\nbroken", "\nbroken"),
        (b"\xef\xbb\xbfbom", "bom"),
        (b"in\xef\xbb\xbfside", "in\u{feff}side"),
        ("中文 émoji 👩‍👩‍👧".as_bytes(), "中文 émoji 👩‍👩‍👧"),
        (b"bad \xff byte", "bad \u{fffd} byte"),
        (b"cut \xe4\xb8", "cut \u{fffd}"),
        (b"cut \xe4\xb8, and more", "cut \u{fffd}, and more"),
        (b"\x1b]a\x1bb\x1b\\text", "text"),
        (b"\x1b]a\x1b", "a"),
        // There is no other text.
        (b" \x1b]0;title\x07\x1b]a\x1b\\\n", " \ntitle\na"),
    ];
    for (input, output) in table {
        assert_eq!(clean(input), *output, "{}", input.escape_ascii());
    }
}

#[test]
fn invalid_sequences_are_counted() {
    assert_eq!(Input::from_bytes("fine".as_bytes()).replaced, 0);
    assert_eq!(Input::from_bytes(b"\xff and \xfe").replaced, 2);
}

#[test]
fn an_endless_input_is_cut_at_the_limit() {
    let input = Input::from_reader(io::repeat(b'x')).unwrap();
    assert!(input.cut);
    assert_eq!(input.text.len(), INPUT_MAX);
    // If a character has no room, a smaller one after it does not take its place.
    let text = "中x".repeat(INPUT_MAX / 4) + "中";
    let text = &text[3..];
    let input = Input::from_bytes(text.as_bytes());
    assert!(!input.cut && input.text == text);
    let text = format!("xx{text}y");
    let input = Input::from_bytes(text.as_bytes());
    assert!(input.cut && text.starts_with(&input.text));
    assert_eq!(input.text.len(), INPUT_MAX - 1);
}

#[test]
fn invisible_text_is_blank() {
    for (text, blank) in [
        ("", true),
        (" \t\n\u{3000}", true),
        ("\x1b[0m", true),
        (".", false),
    ] {
        assert_eq!(Input::from_bytes(text.as_bytes()).is_blank(), blank);
    }
}

#[test]
fn only_three_escapes_are_interpreted() {
    for (typed, meant) in [
        (r"a\nb", "a\nb"),
        (r"a\tb", "a\tb"),
        (r"a\\nb", r"a\nb"),
        (r"a\xb\", r"a\xb\"),
        (r"\\\n", "\\\n"),
    ] {
        assert_eq!(unescape(typed.as_bytes()), meant.as_bytes(), "{typed}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_clean_text_however_they_are_torn(
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b']'), Just(b'\r'), Just(b'\n')],
            0..200,
        ),
        size in 1usize..9,
    ) {
        let whole = Input::from_bytes(&bytes);
        prop_assert!(whole.text.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()));
        prop_assert_eq!(Input::from_reader(Torn(&bytes, size)).unwrap(), whole);
    }

    #[test]
    fn text_without_control_characters_is_kept_to_the_byte(text in "[^\\p{Cc}\u{feff}]{0,200}") {
        prop_assert_eq!(clean(text.as_bytes()), text);
    }
}
