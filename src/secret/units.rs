//! Finding secrets in a text that was taken for UTF-16, and says them in Chinese characters.

use super::PIECE;
use super::decode::{DecodedStream, Exposure, mark};
use super::needles::Needles;

/// The fewest characters of UTF-16 that hold a piece.
const UNITS_MIN: usize = PIECE / 2 - 1;

/// The most characters that are looked at together.
const RUN_MAX: usize = 4096;

/// Finds the secrets in the two bytes that each character has in UTF-16: a text that was taken for UTF-16
/// says them in Chinese characters.
pub(super) fn find_in_units(needles: &Needles, bytes: &[u8], found: &mut Vec<Exposure>) {
    let mut run: Vec<(usize, [u8; 2])> = Vec::new();
    // These are looked at again with the next.
    let kept = (needles.longest() / 2 + 1).min(RUN_MAX / 2);
    let mut begin = 0;
    for chunk in bytes.utf8_chunks() {
        for (at, character) in chunk.valid().char_indices() {
            let unit = u16::try_from(u32::from(character)).unwrap_or_default();
            let unit = unit.to_be_bytes();
            if unit.iter().all(u8::is_ascii_graphic) {
                if run.len() == RUN_MAX {
                    find_in_run(needles, &run, begin + at, found);
                    run.drain(..RUN_MAX - kept);
                }
                run.push((begin + at, unit));
                continue;
            }
            find_in_run(needles, &run, begin + at, found);
            run.clear();
        }
        begin += chunk.valid().len();
        find_in_run(needles, &run, begin, found);
        run.clear();
        begin += chunk.invalid().len();
    }
}

/// Finds them in such characters, each with its begin; the last ends at `end`.
fn find_in_run(needles: &Needles, run: &[(usize, [u8; 2])], end: usize, found: &mut Vec<Exposure>) {
    if run.len() < UNITS_MIN {
        return;
    }
    let ends = run.iter().map(|(begin, _)| *begin).skip(1).chain([end]);
    for order in [[0, 1], [1, 0]] {
        let mut stream = DecodedStream::<8>::of(needles);
        let mut wholes = needles.wholes();
        for ((begin, unit), end) in run.iter().zip(ends.clone()) {
            for byte in order.map(|at| unit[at]) {
                let piece = stream.push(byte, *begin).map(|(_, from)| from);
                let whole = wholes.as_mut().and_then(|it| it.push(byte, *begin));
                for from in piece.into_iter().chain(whole) {
                    mark(found, from, end, false);
                }
            }
        }
    }
}
