//! Reads the input line by line, on a thread of its own: a read may take for ever.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The longest line, in bytes. Source: the contract with users.
pub(super) const LINE_MAX: usize = 1 << 20;

/// How much is read at once, in bytes.
const BUFFER: usize = 16 << 10;

/// Most lines that are read ahead.
const AHEAD: usize = 8;

/// A line of the input.
pub(super) struct InputLine {
    /// Its number, from 1 on.
    pub(super) number: u64,
    /// Its bytes without the line end; `None` if it is longer than `LINE_MAX`.
    pub(super) bytes: Option<Vec<u8>>,
}

/// Starts to read lines. Blank ones are left out; the last message may be an error.
///
/// # Errors
/// If no thread can be started.
pub(super) fn start(
    input: impl Read + Send + 'static,
) -> io::Result<Receiver<io::Result<InputLine>>> {
    let (to_main, lines) = channel(AHEAD);
    let reader = BufReader::with_capacity(BUFFER, input);
    std::thread::Builder::new().spawn(move || read(reader, &to_main))?;
    Ok(lines)
}

fn read(mut reader: impl BufRead, to_main: &Sender<io::Result<InputLine>>) {
    let mut number = 0;
    loop {
        number += 1;
        let line = match next(&mut reader) {
            Ok(Some(bytes)) => Ok(InputLine { number, bytes }),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let is_blank = |line: &InputLine| {
            let bytes = line.bytes.as_ref();
            bytes.is_some_and(|bytes| bytes.trim_ascii().is_empty())
        };
        if line.as_ref().is_ok_and(is_blank) {
            continue;
        }
        let is_last = line.is_err();
        if to_main.blocking_send(line).is_err() || is_last {
            return;
        }
    }
}

/// Reads a line, and forgets it on the way if it is too long; `None` at the end of the input.
#[expect(
    clippy::option_option,
    reason = "the end, a line that is too long, a line"
)]
fn next(reader: &mut impl BufRead) -> io::Result<Option<Option<Vec<u8>>>> {
    let mut line = Vec::new();
    let (mut is_long, mut begun) = (false, false);
    loop {
        let buffer = match reader.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        if buffer.is_empty() {
            return Ok(begun.then_some((!is_long).then_some(line)));
        }
        begun = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        is_long |= line.len() + part.len() > LINE_MAX;
        if is_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(Some((!is_long).then_some(line)));
        }
    }
}
