//! Whether stderr says more than the commands that a shell traces (`set -x`), as cronic has it.

/// The place within a line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum TracePlace {
    #[default]
    Start,
    /// Behind one `+` for each level of the trace.
    Pluses,
    Trace,
}

/// Looks at stderr piece by piece.
#[derive(Debug, Default)]
pub(super) struct TraceFilter(TracePlace);

impl TraceFilter {
    /// Whether a piece has anything else than traced commands.
    pub(super) fn has_more(&mut self, piece: &[u8]) -> bool {
        piece.iter().any(|byte| {
            self.0 = match (self.0, byte) {
                (TracePlace::Start | TracePlace::Pluses, b'+') => TracePlace::Pluses,
                (TracePlace::Pluses, b' ') => TracePlace::Trace,
                (TracePlace::Trace, b'\n') => TracePlace::Start,
                (TracePlace::Trace, _) => TracePlace::Trace,
                _ => return true,
            };
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_no_complaint_however_it_is_torn() {
        for (text, expected) in [
            ("", false),
            ("+ make all\n++ date\n+ :", false),
            ("+ make\noh", true),
            ("+1\n", true),
            ("\n", true),
        ] {
            for size in [1, 2, 100] {
                let mut filter = TraceFilter::default();
                let mut pieces = text.as_bytes().chunks(size);
                assert_eq!(pieces.any(|it| filter.has_more(it)), expected, "{text}");
            }
        }
    }
}
