//! The end of an output, in bounded memory.

/// The bytes that are kept: many times the size of a message, since colours and the like are
/// removed.
const KEPT: usize = 64 << 10;

/// The most bytes of an unfinished line that a progress bar writes over again and again: it must not
/// push out what stands above it.
const OVERWRITTEN: usize = 8 << 10;

/// The last bytes of up to two streams, line by line in the order in which the lines ended.
#[derive(Debug, Default, Clone)]
pub(super) struct Tail {
    /// Up to twice as many as are kept, so that they are seldom moved.
    bytes: Vec<u8>,
    /// The unfinished line of each stream.
    open: [Vec<u8>; 2],
    /// The stream of the last bytes.
    from: usize,
    cut: bool,
}

/// The end of an output.
#[derive(Debug, Default)]
pub(crate) struct LastOutput {
    pub(crate) bytes: Vec<u8>,
    /// Whether earlier output was dropped.
    pub(crate) cut: bool,
}

impl Tail {
    /// Adds the output of a stream.
    pub(super) fn add(&mut self, stream: usize, bytes: &[u8]) {
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let (lines, rest) = bytes.split_at(end.map_or(0, |end| end + 1));
        if !lines.is_empty() {
            let open = std::mem::take(&mut self.open[stream]);
            self.keep(stream, &open);
            self.keep(stream, lines);
        }
        let open = &mut self.open[stream];
        open.extend(rest);
        if open.len() > OVERWRITTEN {
            forget_first_states(open);
        }
        if open.len() > KEPT {
            let open = std::mem::take(open);
            self.keep(stream, &open);
        }
    }

    fn keep(&mut self, stream: usize, bytes: &[u8]) {
        // The line of the other stream is unfinished.
        if stream != self.from && self.bytes.last().is_some_and(|last| *last != b'\n') {
            self.bytes.push(b'\n');
        }
        self.from = stream;
        self.bytes.extend(bytes);
        if self.bytes.len() > 2 * KEPT {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        let over = self.bytes.len().saturating_sub(KEPT);
        self.cut |= over > 0;
        self.bytes.drain(..over);
    }

    /// Returns all kept bytes, unfinished lines last.
    pub(super) fn take(mut self) -> LastOutput {
        for (stream, open) in std::mem::take(&mut self.open).into_iter().enumerate() {
            if !open.is_empty() {
                self.keep(stream, &open);
            }
        }
        self.shrink();
        LastOutput {
            bytes: std::mem::take(&mut self.bytes),
            cut: self.cut,
        }
    }
}

/// Drops what was written over long ago: all but the last states of a line, each of which ends with
/// a carriage return.
fn forget_first_states(line: &mut Vec<u8>) {
    let from = line.len() - OVERWRITTEN / 2;
    let last = &line[from..];
    let end = last.iter().position(|byte| *byte == b'\r');
    // Only what is visible writes over what stands before it.
    let is_visible = |state: &[u8]| !state.starts_with(b"\x1b") && !state.trim_ascii().is_empty();
    let end = end.filter(|end| last[*end..].split(|it| *it == b'\r').any(is_visible));
    if let Some(end) = end {
        line.drain(..=from + end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_stays_whose_end_came_in_two_pieces() {
        for behind in [&b"\r"[..], b"\r\x1b[0m"] {
            let mut tail = Tail::default();
            tail.add(0, &[&[b'E'; 9000], behind].concat());
            tail.add(0, b"\nlast");
            let last = tail.take();
            assert!(last.bytes.starts_with(b"EEEE") && last.bytes.ends_with(b"last"));
        }
    }

    #[test]
    fn a_long_progress_bar_pushes_nothing_out() {
        for piece in [1, 7, 100_000] {
            let bars = (0..9999).map(|at| format!("\r {at:9} done"));
            let output = "failed\n".to_owned() + &bars.collect::<String>();
            let mut tail = Tail::default();
            for bytes in output.as_bytes().chunks(piece) {
                tail.add(0, bytes);
            }
            let last = tail.take();
            assert!(last.bytes.starts_with(b"failed\n") && last.bytes.ends_with(b"9998 done"));
            assert!(!last.cut, "{piece}");
        }
    }

    #[test]
    fn lines_of_two_streams_are_not_torn() {
        let mut tail = Tail::default();
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
        let last = tail.take();
        let text = String::from_utf8(last.bytes).unwrap();
        assert_eq!(text, "one and\ntwo\nerror\nthree\nopen");
        assert!(!last.cut);
    }

    #[test]
    fn memory_is_bounded_and_the_end_is_kept() {
        for piece in [&b"x"[..], b"a line\n", &vec![b'y'; 100_000], b"\n"] {
            let mut tail = Tail::default();
            let mut whole: Vec<u8> = Vec::new();
            while whole.len() < 5 * KEPT {
                tail.add(0, piece);
                whole.extend(piece);
                assert!(tail.bytes.len() <= 2 * KEPT && tail.open[0].len() <= KEPT);
            }
            let last = tail.take();
            assert_eq!(last.bytes, whole[whole.len() - KEPT..]);
            assert!(last.cut);
        }
    }
}
