//! Decodes input in encodings other than UTF-8, by their WHATWG names.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult};

/// The most bytes that are decoded at once.
const CHUNK: usize = 8 << 10;

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

    /// Returns a reader of the same text in UTF-8, without a byte order mark.
    pub(crate) fn reader<R: Read>(self, inner: R) -> Decoded<R> {
        Decoded {
            inner,
            decoder: self.0.new_decoder_with_bom_removal(),
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
