//! Decodes input in encodings other than UTF-8, by their WHATWG names or by a guess.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8, WINDOWS_1252};

/// The most bytes that are decoded at once.
const CHUNK: usize = 8 << 10;

/// The bytes that decide between two charsets: both forms of a long text would take much memory.
const SAMPLE: usize = 1 << 20;

/// Bytes of ASCII, and Chinese characters of UTF-8, in a row that no text in UTF-16 has.
const ASCII_MIN: usize = 32;
const CHINESE_MIN: usize = 3;

/// The bytes of UTF-16's mark.
const MARK_SIZE: usize = 2;

/// A WHATWG encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Returns the encoding of a label, ignoring case.
    pub(crate) fn for_label(label: &str) -> Option<Self> {
        let known = encoding_rs::Encoding::for_label(label.as_bytes());
        // The replacement encoding decodes everything to nothing.
        known.filter(|it| *it != encoding_rs::REPLACEMENT).map(Self)
    }

    /// Returns UTF-16 if the byte order mark of it is at the start of bytes.
    pub(crate) fn of_mark(bytes: &[u8]) -> Option<Self> {
        let marked = encoding_rs::Encoding::for_bom(bytes);
        marked.map(|(it, _)| Self(it)).filter(|it| it.0 != UTF_8)
    }

    pub(crate) fn decoder(self) -> Decoder {
        self.0.new_decoder_with_bom_removal()
    }

    /// Returns a reader of the same text in UTF-8, without a byte order mark.
    pub(crate) fn reader<R: Read>(self, inner: R) -> Decoded<R> {
        Decoded {
            inner,
            decoder: self.decoder(),
            input: vec![0; CHUNK],
            filled: 0,
            output: Vec::new(),
            at: 0,
            is_read: false,
            is_over: false,
            replaced: 0,
        }
    }
}

/// Returns where a text begins whose characters are no pairs of bytes, for sure: in UTF-16, characters of
/// ASCII have a NUL, and seldom do others look like so much ASCII or UTF-8 in a row.
pub(crate) fn bytes_begin(bytes: &[u8]) -> Option<usize> {
    let mut begin = 0;
    for chunk in bytes.utf8_chunks() {
        let is_text = |it: char| !it.is_control() || matches!(it, '\t' | '\n' | '\r');
        for text in chunk.valid().split_inclusive(|it| !is_text(it)) {
            let (mut ascii, mut chinese) = (0, 0);
            for character in text.chars() {
                ascii = if character.is_ascii() { ascii + 1 } else { 0 };
                chinese = if character.len_utf8() == 3 {
                    chinese + 1
                } else {
                    0
                };
                if ascii >= ASCII_MIN || chinese >= CHINESE_MIN {
                    return Some(begin);
                }
            }
            begin += text.len();
        }
        begin += chunk.invalid().len();
    }
    None
}

/// Decodes bytes of an unknown charset. Where most bytes above 127 are single, the text is a Western
/// one, else UTF-8 or GB18030, whichever has fewer errors.
pub(crate) fn guessed(bytes: &[u8]) -> String {
    match Encoding::of_mark(bytes) {
        Some(_) if bytes_begin(bytes).is_some() => guessed_unmarked(&bytes[MARK_SIZE..]),
        Some(marked) => marked.0.decode(bytes).0.into_owned(),
        None => guessed_unmarked(bytes),
    }
}

fn guessed_unmarked(bytes: &[u8]) -> String {
    if let Some(text) = certain(bytes) {
        return text.into_owned();
    }
    if is_western(bytes) {
        let (western, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        return western.into_owned();
    }
    let utf8 = |bytes| String::from_utf8_lossy(bytes);
    let gb18030 = |bytes| GB18030.decode_without_bom_handling(bytes).0;
    let errors = |text: Cow<'_, str>| text.matches(char::REPLACEMENT_CHARACTER).count();
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let is_gb18030 = errors(gb18030(sample)) < errors(utf8(sample));
    if is_gb18030 {
        gb18030(bytes)
    } else {
        utf8(bytes)
    }
    .into_owned()
}

/// Decodes bytes that can hardly be anything but UTF-8, or GB18030, which is common among WeCom's
/// users.
pub(super) fn certain(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some(text) = utf8(bytes) {
        return Some(text.into());
    }
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    text.filter(|_| !is_western(bytes))
}

/// Whether more bytes above 127 are single than in pairs, as those of Chinese characters are.
fn is_western(bytes: &[u8]) -> bool {
    let runs = bytes.split(u8::is_ascii).map(<[u8]>::len);
    let (single, pairs) = runs.fold((0, 0), |(single, pairs), run| {
        (single + run % 2, pairs + run / 2)
    });
    single > pairs
}

/// Returns bytes as UTF-8. A character that is cut off at the end is left out.
pub(super) fn utf8(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            let text = std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?;
            // Two bytes after ASCII may as well be a character of GB18030.
            Some(text).filter(|text| !text.is_ascii())
        }
        Err(_) => None,
    }
}

/// Decodes an output as `guessed` does, each line for itself: programs of several charsets may write
/// to it. A mark decides nothing: UTF-16 has other line ends. `cut` if it may begin within a character.
pub(crate) fn guessed_output(bytes: &[u8], cut: bool) -> String {
    let (first, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => bytes.split_at(end),
        None => (bytes, &[][..]),
    };
    let first = if cut {
        guessed_end(first)
    } else {
        guessed_unmarked(first)
    };
    let rest: Vec<String> = rest
        .split(|byte| *byte == b'\n')
        .map(guessed_unmarked)
        .collect();
    first + &rest.join("\n")
}

/// Decodes the end of a line that may begin within a character.
fn guessed_end(line: &[u8]) -> String {
    // A character of UTF-8 has up to three bytes behind its first.
    let text = (0..4).find_map(|skip| utf8(line.get(skip..)?));
    text.map_or_else(
        || {
            // Below '0', the smallest of any second byte in GB18030, a character is whole.
            let end = line.iter().position(|byte| *byte < b'0');
            guessed_unmarked(&line[end.map_or(0, |end| end + 1)..])
        },
        str::to_owned,
    )
}

/// A reader that decodes to UTF-8.
pub(crate) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    /// The number of bytes in `input` to be decoded.
    filled: usize,
    output: Vec<u8>,
    /// The number of bytes of `output` already read.
    at: usize,
    /// Whether the end of the input has been reached.
    is_read: bool,
    is_over: bool,
    replaced: usize,
}

impl<R: Read> Decoded<R> {
    /// Returns the number of invalid characters that were replaced by U+FFFD.
    pub(crate) fn replaced(&self) -> usize {
        self.replaced
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.filled < CHUNK {
            let read = self.inner.read(&mut self.input[self.filled..])?;
            self.filled += read;
            self.is_read = read == 0;
        }
        let input = &self.input[..self.filled];
        let room = self.decoder.max_utf8_buffer_length(input.len());
        self.output.resize(room.unwrap_or(4 * CHUNK), 0);
        let decoder = &mut self.decoder;
        let (result, used, written) =
            decoder.decode_to_utf8_without_replacement(input, &mut self.output, self.is_read);
        self.output.truncate(written);
        self.at = 0;
        // Counted here, since the input may itself contain U+FFFD.
        if matches!(result, DecoderResult::Malformed(..)) {
            self.output.extend("\u{fffd}".bytes());
            self.replaced += 1;
        }
        self.input.copy_within(used..self.filled, 0);
        self.filled -= used;
        self.is_over = self.is_read && result == DecoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.output.len() && !self.is_over {
            self.refill()?;
        }
        let rest = &self.output[self.at..];
        let size = rest.len().min(buffer.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        self.at += size;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::fuzz::Torn;

    fn decoded(label: &str, bytes: &[u8], size: usize) -> (String, usize) {
        let mut reader = Encoding::for_label(label)
            .unwrap()
            .reader(Torn(bytes, size));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        (text, reader.replaced())
    }

    #[test]
    fn each_encoding_is_read_however_it_is_torn() {
        for (label, bytes, text, replaced) in [
            ("gbk", &b"\xd6\xd0\xce\xc4 ok"[..], "中文 ok", 0),
            ("GB2312", b"\xd6\xd0", "中", 0),
            ("gb18030", b"\x81\x30\x81\x30", "\u{80}", 0),
            ("big5", b"\xa4\xa4", "中", 0),
            ("utf-16le", b"\xff\xfe\x2d\x4e", "中", 0),
            ("latin1", b"caf\xe9", "café", 0),
            ("utf-8", b"\xef\xbb\xbfbom", "bom", 0),
            ("gbk", b"a\xd6", "a\u{fffd}", 1),
            ("gbk", b"", "", 0),
        ] {
            for size in [1, 3, 100] {
                let expected = (text.to_owned(), replaced);
                assert_eq!(decoded(label, bytes, size), expected, "{label} {size}");
            }
        }
    }

    #[test]
    fn each_line_of_an_output_is_guessed_for_itself() {
        let gbk = b"\xb4\xc5\xc5\xcc".repeat(40);
        let odd = [&gbk[1..], b" \xd6\xd0"].concat();
        let utf8 = "磁盘".repeat(40);
        for (bytes, cut, text) in [
            (&b"\xb4\xc5\xc5\xcc\n"[..], false, "磁盘\n"),
            ("中\n".as_bytes(), false, "中\n"),
            (
                b"\xe4\xb8\xad\n\xd6\xd0\n\xff\xff",
                false,
                "中\n中\n\u{fffd}\u{fffd}",
            ),
            (b"a\n\xff\xfe ERROR", false, "a\n\u{fffd}\u{fffd} ERROR"),
            (b"\xad\n\xd6\xd0\n", true, "\n中\n"),
            (&odd, true, "中"),
            (&utf8.as_bytes()[1..], true, &utf8[3..]),
            (&utf8.as_bytes()[2..], true, &utf8[3..]),
            (
                &utf8.as_bytes()[..utf8.len() - 1],
                false,
                &utf8[..utf8.len() - 3],
            ),
            (b"", true, ""),
        ] {
            assert_eq!(guessed_output(bytes, cut), text, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_unknown_label_is_refused() {
        for bad in ["", "gbkk", "replacement", "iso-2022-kr"] {
            assert!(Encoding::for_label(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_the_same_text_however_they_are_torn(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            size in 1usize..9,
            label in prop::sample::select(vec!["gbk", "big5", "shift_jis", "utf-16be", "iso-2022-jp"]),
        ) {
            prop_assert_eq!(decoded(label, &bytes, size), decoded(label, &bytes, 1000));
        }
    }
}
