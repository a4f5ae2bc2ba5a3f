//! What a terminal shows of an output whose lines are written over.

use super::{Cleaner, Input};

impl Input {
    /// Cleans an output as a terminal shows it at the end; all of it if all was erased.
    pub(crate) fn at_terminal(output: &[u8]) -> Self {
        let shown = Self::from_bytes(&as_at_terminal(output));
        if shown.is_blank() {
            Self::from_bytes(output)
        } else {
            shown
        }
    }
}

/// Returns the lines of an output as a terminal shows them at the end: of each the last state that
/// shows or erases something. States end with a carriage return.
pub(super) fn as_at_terminal(output: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(output.len());
    for (at, line) in output.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            shown.push(b'\n');
        }
        let mut states = line.rsplit(|byte| *byte == b'\r');
        let state = if line.contains(&b'\r') {
            states.find(|state| !is_blank(state) || erases(state))
        } else {
            Some(line)
        };
        shown.extend_from_slice(state.unwrap_or_default());
    }
    shown
}

/// Whether nothing in an output is visible.
fn is_blank(output: &[u8]) -> bool {
    match output.trim_ascii_start().first() {
        None => true,
        Some(first) if first.is_ascii_graphic() => false,
        Some(_) => {
            let mut cleaner = Cleaner::default();
            cleaner.decode(output, true);
            cleaner.finish().is_blank()
        }
    }
}

/// Whether an output erases what stands in its line: `CSI K` or `CSI J`. Source: ECMA-48.
fn erases(output: &[u8]) -> bool {
    let sequences = output.split(|byte| *byte == 0x1b).skip(1);
    let mut controls = sequences.filter_map(|it| it.strip_prefix(b"["));
    controls.any(|control| {
        let end = control.iter().find(|byte| !(b' '..=b'?').contains(byte));
        end.is_some_and(|end| b"JK".contains(end))
    })
}
