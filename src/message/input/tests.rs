use super::terminal::TerminalLine;
use super::*;
use crate::message::fuzz::Torn;
use proptest::prelude::*;

fn clean(bytes: &[u8]) -> String {
    Input::from_bytes(bytes).text
}

/// Returns the lines of an output as a terminal shows them.
fn at_terminal(output: &[u8], piece: usize) -> (String, TerminalLine) {
    let (mut line, mut lines) = (TerminalLine::new(1000), Vec::new());
    for piece in output.chunks(piece) {
        line.take(piece, &mut |ended| {
            lines.extend_from_slice(ended);
            lines.push(b'\n');
        });
    }
    lines.extend(line.shown());
    (String::from_utf8_lossy(&lines).into_owned(), line)
}

#[test]
fn of_an_overwritten_line_the_last_state_stays() {
    for (output, expected) in [
        ("a\r\nb\r\r\n", "a\nb\n"),
        (" 9%\r10%\r\nerror", "10%\nerror"),
        ("a\r\x1b[0m\nb\r \nc\r\x1b[m\r\r\n", "a\nb\nc\n"),
        ("a\r\x1b[0;1m\x1b[K\nb\r\x1b[2J\r", "\n"),
        ("a\r\x1b]0;K\x07\r\u{a0}", "a"),
        ("a\r\x1b[1mb", "b"),
        (" \t\n\x1b[m\u{3164}\u{a0}\n", "\n\n"),
        ("1\r2\r3", "3"),
        // As ora, npm and tqdm do it.
        ("one\x1b[2K\x1b[1Gtwo\x1b[3D  !\n", "  !\n"),
        ("the one\x1b[3Dtwo!\x1b[K\n", "the two!\n"),
        // As nroff, mke2fs, fsck and 7z do it.
        ("N\x08NA\x08AM\x08M _\x08é_\x08中\n", "NAM é中\n"),
        (
            "inodes: 1/8\x08\x08\x082/8\x08\x08\x08done\n",
            "inodes: done\n",
        ),
        (
            "文 1%\x08\x08\x08é2%\x08\x08\x08\x08  \x08\x08end\n",
            "end\n",
        ),
        ("ERROR\x08\x08\x08\x08\x08     \n", "ERROR\n"),
        ("\x08\x08a\x08\n", "a\n"),
        ("a\x1b]0;open\nb\x1b[31\nc\0\x07\x7f", "a\x1b]0;open\nb\nc"),
        ("", ""),
    ] {
        for piece in [1, 3, 100] {
            assert_eq!(at_terminal(output.as_bytes(), piece).0, expected);
        }
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
fn a_line_of_any_length_takes_little_memory() {
    for (piece, shown) in [
        (" ", "start"),
        ("\0", "start"),
        ("\u{a0}", "start"),
        ("\x1b[2K\x1b[1G", ""),
        ("\x1b]0;title\x07", "start"),
        ("\x08|\x08/\x08-", "star-"),
    ] {
        let output = "start".to_owned() + &piece.repeat(1 << 20);
        let (text, line) = at_terminal(output.as_bytes(), 4096);
        assert_eq!(text.trim_end(), shown, "{piece:?}");
        assert!(!line.cut, "{piece:?}");
    }
    // Within a character that never ends, or a sequence.
    let within = "中".repeat(667);
    let within = [
        within.as_bytes(),
        &b"\xe4\x08\x08"[..],
        &b"a\x08".repeat(1000),
    ]
    .concat();
    assert!(at_terminal(&within, 4096).0.len() <= 2000);
    let open = "\x1b[".to_owned() + &"0".repeat(1 << 20);
    assert_eq!(Input::at_terminal((open + "Dend").as_bytes()).text, "end");
    let (text, line) = at_terminal(&vec![b'x'; 1 << 20], 4096);
    assert!(line.cut && (1000..=2000).contains(&text.len()));
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
    fn an_output_is_shown_the_same_however_it_is_torn(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\x1b[]2KGD\x08\r\n a".to_vec())], 0..200),
        size in 1usize..9,
    ) {
        prop_assert_eq!(at_terminal(&bytes, size).0, at_terminal(&bytes, 1000).0);
    }

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
