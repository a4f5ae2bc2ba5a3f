//! The end of an output, as a terminal shows it, in bounded memory.

use encoding_rs::Decoder;

use crate::message::input::is_incomplete;
use crate::message::input::terminal::TerminalLine;
use crate::message::{Encoding, encoding};

/// The bytes that are kept: many times the size of a message.
const KEPT: usize = 64 << 10;

/// The bytes of UTF-8 by which a marked stream is no longer in UTF-16: at its end, and anywhere.
const HELD_MIN: usize = 16;
const HELD_MAX: usize = 64;

/// The last lines of up to two streams, in the order in which they ended.
pub(super) struct Tail {
    kept: KeptLines,
    /// The encoding of both streams, if it is known.
    encoding: Option<Encoding>,
    streams: [OutputStream; 2],
}

struct OutputStream {
    begun: bool,
    /// Decodes an encoding that is known, or that has control characters of two bytes.
    decoder: Option<Decoder>,
    /// What may not be in the encoding of the mark at the beginning.
    doubt: Option<MarkDoubt>,
    line: TerminalLine,
}

/// The end of a marked stream, if it is text in UTF-8: a file in UTF-16 may be followed by other output.
#[derive(Default)]
struct MarkDoubt {
    held: Vec<u8>,
    /// Whether half of a code unit of UTF-16 is before it.
    is_within: bool,
}

#[derive(Default, Clone)]
struct KeptLines {
    /// Up to twice as many as are kept, so that they are seldom moved.
    bytes: Vec<u8>,
    /// Whether invisible lines follow, of which one is kept if more follows.
    gap: bool,
    cut: bool,
}

/// The end of an output.
#[derive(Debug, Default)]
pub(crate) struct LastOutput {
    /// Lines, each with its end. In UTF-8 if the encoding was known.
    pub(crate) bytes: Vec<u8>,
    /// Whether earlier output was dropped.
    pub(crate) cut: bool,
}

impl Tail {
    pub(super) fn new(encoding: Option<Encoding>) -> Self {
        let stream = || OutputStream {
            begun: false,
            decoder: None,
            doubt: None,
            line: TerminalLine::new(KEPT),
        };
        Self {
            kept: KeptLines::default(),
            encoding,
            streams: [stream(), stream()],
        }
    }

    /// Adds the output of a stream.
    pub(super) fn add(&mut self, stream: usize, bytes: &[u8]) {
        let stream = &mut self.streams[stream];
        if !std::mem::replace(&mut stream.begun, true) {
            let marked = Encoding::of_mark(bytes).filter(|_| self.encoding.is_none());
            stream.doubt = marked.map(|_| MarkDoubt::default());
            stream.decoder = self.encoding.or(marked).map(Encoding::decoder);
        }
        let Some(doubt) = &mut stream.doubt else {
            return stream.decode(bytes, &mut self.kept);
        };
        let (sure, is_settled) = doubt.add(bytes);
        stream.decode(&sure, &mut self.kept);
        if is_settled {
            stream.settle(&mut self.kept);
        }
    }

    /// Returns the end of the output so far, unfinished lines last.
    pub(super) fn last(&mut self) -> LastOutput {
        for stream in &mut self.streams {
            stream.settle(&mut self.kept);
        }
        let mut kept = self.kept.clone();
        for stream in &self.streams {
            let shown = stream.line.shown();
            if !shown.is_empty() {
                kept.add(&shown);
            }
            kept.cut |= stream.line.cut;
        }
        if kept.bytes.is_empty() {
            let mut hidden = self.streams.iter().map(|it| &it.line.hidden);
            hidden
                .find(|it| !it.is_empty())
                .into_iter()
                .for_each(|it| kept.add(it));
        }
        kept.shrink();
        LastOutput {
            bytes: kept.bytes,
            cut: kept.cut,
        }
    }
}

impl OutputStream {
    fn decode(&mut self, bytes: &[u8], kept: &mut KeptLines) {
        let mut text = String::new();
        let mut bytes = bytes;
        if let Some(decoder) = &mut self.decoder {
            text.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(0));
            let _ = decoder.decode_to_string(bytes, &mut text, false);
            bytes = text.as_bytes();
        }
        self.line.take(bytes, &mut |line| kept.add(line));
    }

    /// Decides what the end of a marked stream is.
    fn settle(&mut self, kept: &mut KeptLines) {
        let Some(MarkDoubt { held, is_within }) = self.doubt.take() else {
            return;
        };
        let (half, rest) = held.split_at(usize::from(is_within).min(held.len()));
        self.decode(half, kept);
        let is_sure = encoding::bytes_begin(rest) == Some(0);
        if is_sure || rest.len() >= HELD_MIN || rest.ends_with(b"\n") {
            self.decoder = None;
        }
        self.decode(rest, kept);
    }
}

impl MarkDoubt {
    /// Adds output; returns what is in UTF-16 for sure, and whether nothing behind it is. What is held has
    /// no NUL, as UTF-16 has in its line ends, and is valid in UTF-8, as Chinese characters in UTF-16
    /// seldom are.
    fn add(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.held.extend_from_slice(bytes);
        if let Some(begin) = encoding::bytes_begin(&self.held) {
            return (self.without_first(begin), true);
        }
        let nul = self.held.iter().rposition(|byte| *byte == 0);
        let mut sure = nul.map_or(0, |at| at + 1);
        let mut at = sure;
        for chunk in self.held[sure..].utf8_chunks() {
            at += chunk.valid().len() + chunk.invalid().len();
            let is_begun = at == self.held.len() && is_incomplete(chunk.invalid());
            if !chunk.invalid().is_empty() && !is_begun {
                sure = at;
            }
        }
        let sure = self.without_first(sure);
        let is_settled = self.held.len() > HELD_MAX;
        (sure, is_settled)
    }

    /// Takes off what is held first.
    fn without_first(&mut self, count: usize) -> Vec<u8> {
        let held = self.held.split_off(count);
        self.is_within ^= count % 2 == 1;
        std::mem::replace(&mut self.held, held)
    }
}

impl KeptLines {
    fn add(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.gap = !self.bytes.is_empty();
            return;
        }
        if std::mem::take(&mut self.gap) {
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        if self.bytes.len() > 2 * KEPT {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        let over = self.bytes.len().saturating_sub(KEPT);
        self.cut |= over > 0;
        self.bytes.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the end of an output that comes in pieces.
    fn last(output: &[u8], piece: usize) -> LastOutput {
        let mut tail = Tail::new(None);
        output.chunks(piece).for_each(|piece| tail.add(0, piece));
        tail.last()
    }

    #[test]
    fn what_nobody_sees_pushes_nothing_out() {
        let bars = (0..9999).map(|at| format!("\r {at:9} done"));
        for (behind, end) in [
            (bars.collect(), "      9998 done\n"),
            ("\x08|\x08/\x08-\x08\\".repeat(20_000), "\\\n"),
            ("\r|\r/\r-\r\\".repeat(20_000), "\\\n"),
            ("\n".repeat(100_000), ""),
            (" \t\u{a0}\u{200b}\u{3164}\n".repeat(10_000), ""),
            ("\x1b[0m\n".repeat(100_000), ""),
            ("\0".repeat(200_000), ""),
            ("\x1b[2K\x1b[1G".repeat(20_000), ""),
            (" \n".repeat(100_000) + "more", "\nmore\n"),
        ] {
            for piece in [7, 1000, 100_000] {
                let last = last(format!("failed\n{behind}").as_bytes(), piece);
                assert_eq!(
                    String::from_utf8(last.bytes).unwrap(),
                    format!("failed\n{end}")
                );
                assert!(!last.cut);
            }
        }
    }

    #[test]
    fn of_an_output_that_shows_nothing_in_the_end_what_was_last_erased_is_kept() {
        for (output, kept) in [
            ("ERROR gone\r\x1b[K", "ERROR gone\n"),
            ("a\nERROR\r\x1b[K", "a\n"),
            ("\r \r", ""),
            ("\x1b]0;ERROR\x07 \n", "\x1b]0;ERROR\x07\n"),
        ] {
            assert_eq!(last(output.as_bytes(), 9).bytes, kept.as_bytes());
        }
    }

    #[test]
    fn an_encoding_that_is_known_or_marked_is_decoded() {
        let utf16: Vec<u8> = "\u{feff}盘 full\nDisk"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let text = "盘 full\nDisk\n";
        for piece in [2, 3, 100] {
            assert_eq!(last(&utf16, piece).bytes, text.as_bytes());
        }
        let mut tail = Tail::new(Encoding::for_label("utf-16le"));
        utf16[2..].chunks(1).for_each(|piece| tail.add(1, piece));
        assert_eq!(tail.last().bytes, text.as_bytes());
    }

    #[test]
    fn a_mark_decides_for_no_more_than_what_is_in_its_encoding() {
        let le =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        let be =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
        let long = "磁盘已满\n".repeat(40);
        for (file, shown) in [
            ("", ""),
            ("a\n", "a\n"),
            ("上\n磁盘", "上\n磁盘"),
            ("no end", "no end"),
            (&long, &long),
        ] {
            let marked = format!("\u{feff}{file}");
            for file in [le(&marked), be(&marked)] {
                for then in [
                    "",
                    "ERROR disk full\n",
                    "错误：磁盘已满，无法写入\nline",
                    &long,
                ] {
                    let mut text = format!("{shown}{then}");
                    text.extend((!text.is_empty() && !text.ends_with('\n')).then_some('\n'));
                    let output = [&file, then.as_bytes()].concat();
                    for piece in [2, 3, 1000] {
                        let bytes = last(&output, piece).bytes;
                        assert_eq!(String::from_utf8_lossy(&bytes), text, "{piece}");
                    }
                }
            }
        }
    }

    #[test]
    fn lines_of_two_streams_are_not_torn() {
        let mut tail = Tail::new(None);
        for (stream, bytes) in [
            (0, "one"),
            (1, "err"),
            (0, " and\ntwo\nthr"),
            (1, "or\n"),
            (0, "ee"),
            (1, "open"),
        ] {
            tail.add(stream, bytes.as_bytes());
        }
        let last = tail.last();
        let text = String::from_utf8(last.bytes).unwrap();
        assert_eq!(text, "one and\ntwo\nerror\nthree\nopen\n");
        assert!(!last.cut);
    }

    #[test]
    fn memory_is_bounded_and_the_end_is_kept() {
        for piece in [&b"x"[..], b"a line\n", &vec![b'y'; 100_000]] {
            let mut tail = Tail::new(None);
            let mut whole: Vec<u8> = Vec::new();
            while whole.len() < 5 * KEPT {
                tail.add(0, piece);
                whole.extend(piece);
                let line = tail.streams[0].line.shown();
                assert!(tail.kept.bytes.len() <= 2 * KEPT && line.len() <= 2 * KEPT);
            }
            let last = tail.last();
            whole.extend((!whole.ends_with(b"\n")).then_some(b'\n'));
            assert_eq!(last.bytes, whole[whole.len() - KEPT..]);
            assert!(last.cut);
        }
    }
}
