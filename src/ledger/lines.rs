//! The file's text: a line a slot, `1764000000000 + <app> n zhangsan|lisi`, and pure.
//!
//! The time is in Unix ms; then `+`, or `-` where it cancels one equal line before it; the app;
//! `n` for a new message or `b` for the backlog; the members, or `*` for everyone. What cannot be
//! read as such a line is as good as absent.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::times::{HOUR, Times};
use super::{Receivers, Share};

/// A slot this much later than now, in ms, shows that the clock was set back. Less is what two
/// looks at one clock may differ by.
const SKEW: u64 = 2_000;

/// One slot that still counts for some app.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    at: u64,
    /// What stands behind the sign.
    slot: &'a str,
}

/// The lines of a text that still count, in their order.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    standing: Vec<Line<'a>>,
    /// How many bytes of the text they take.
    pub(super) bytes: usize,
    /// Whether some are later than now.
    pub(super) in_future: bool,
    now: u64,
}

impl<'a> Lines<'a> {
    /// Reads from the end: what cancels stands behind what it cancels.
    pub(super) fn read(text: &'a str, now: u64) -> Self {
        let mut lines = Self {
            standing: Vec::new(),
            bytes: 0,
            in_future: false,
            now,
        };
        let mut cancelled: HashMap<(u64, &str), u32> = HashMap::new();
        for line in text.rsplit('\n') {
            let Some((at, is_taken, slot)) = parse(line) else {
                continue;
            };
            if at.saturating_add(HOUR) <= now {
                continue;
            }
            if !is_taken {
                *cancelled.entry((at, slot)).or_default() += 1;
                continue;
            }
            if !cancelled.is_empty()
                && let Some(count @ 1..) = cancelled.get_mut(&(at, slot))
            {
                *count -= 1;
                continue;
            }
            lines.in_future |= at > now.saturating_add(SKEW);
            lines.bytes += line.len() + 1;
            lines.standing.push(Line { at, slot });
        }
        lines.standing.reverse();
        lines
    }

    /// Adds one app's slots, none later than now.
    pub(super) fn add_to(&self, times: &mut Times, app: &str) {
        for line in &self.standing {
            let Some(slot) = line.slot.strip_prefix(app) else {
                continue;
            };
            let (share, names) = match (slot.strip_prefix(" n "), slot.strip_prefix(" b ")) {
                (Some(names), _) => (Share::New, names),
                (_, Some(names)) => (Share::Backlog, names),
                _ => continue,
            };
            let at = line.at.min(self.now);
            if names == "*" {
                times.add_everyone(share, at);
            } else {
                for name in names.split('|').filter(|name| !name.is_empty()) {
                    times.add(name, share, at);
                }
            }
        }
    }

    /// A text of these lines alone; where the clock was set back, as of now.
    pub(super) fn rewritten(&self) -> String {
        let mut text = String::with_capacity(self.bytes + 128);
        for Line { at, slot } in &self.standing {
            let from_future = *at > self.now.saturating_add(SKEW);
            text += &taken(if from_future { self.now } else { *at }, slot);
        }
        text
    }
}

/// A line's time, whether it takes a slot or gives it back, and the slot.
fn parse(line: &str) -> Option<(u64, bool, &str)> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (at, rest) = line.split_at(digits);
    let (is_taken, slot) = match rest.strip_prefix(" + ") {
        Some(slot) => (true, slot),
        None => (false, rest.strip_prefix(" - ")?),
    };
    // What is torn before its receivers counts for nobody.
    let is_whole = slot.bytes().any(|byte| byte == b' ');
    is_whole.then_some((at.parse().ok()?, is_taken, slot))
}

/// A slot as it stands behind the sign.
pub(super) fn slot(app: &str, share: Share, receivers: &Receivers) -> String {
    let share = match share {
        Share::New => 'n',
        Share::Backlog => 'b',
    };
    let mut slot = format!("{app} {share} ");
    match receivers {
        Receivers::Everyone => slot.push('*'),
        Receivers::Members(names) => {
            for (at, name) in names.iter().enumerate() {
                let gap = if at == 0 { "" } else { "|" };
                // Writing into a String cannot fail.
                let _ = write!(slot, "{gap}{name}");
            }
        }
    }
    slot
}

/// The line that takes a slot.
pub(super) fn taken(at: u64, slot: &str) -> String {
    format!("{at} + {slot}\n")
}

/// The line that gives it back.
pub(super) fn given_back(at: u64, slot: &str) -> String {
    format!("{at} - {slot}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Limits;
    use proptest::prelude::*;

    const NOW: u64 = 1_764_000_000_000;

    /// What still counts of a text, as a text.
    fn standing(text: &str) -> String {
        Lines::read(text, NOW).rewritten()
    }

    #[test]
    fn a_cancelled_slot_counts_no_longer_and_its_equals_do() {
        let (a, b) = ("x n a", "x n b");
        let text = [
            taken(NOW, a),
            taken(NOW, a),
            given_back(NOW, a),
            taken(NOW, b),
            given_back(NOW, "x b b"),
            given_back(NOW - 1, b),
            given_back(NOW, b),
            taken(NOW, b),
        ];
        let left = taken(NOW, a) + &taken(NOW, b);
        assert_eq!(standing(&text.concat()), left);
    }

    #[test]
    fn what_is_older_than_an_hour_or_no_line_is_gone() {
        let old = taken(NOW - HOUR, "x n a");
        let young = taken(NOW - HOUR + 1, "y ? of another version");
        for junk in [
            "",
            "\n\n",
            "1764",
            "1764000000000 + ",
            " + x n a",
            "x + x n a",
            "NaN",
            "# note\n",
            "-1 + x n a\n",
            "1764000000000 * x n a\n",
            "99999999999999999999999 + x n a\n",
            "\0\0\0",
        ] {
            assert_eq!(
                standing(&format!("{old}{junk}\n{young}")).trim_end(),
                young.trim_end()
            );
        }
    }

    #[test]
    fn slots_of_a_clock_set_back_are_as_of_now() {
        let soon = taken(NOW + SKEW, "x n a");
        let lines = Lines::read(&soon, NOW);
        assert!(!lines.in_future);
        assert_eq!(lines.rewritten(), soon, "its holder can still give it back");
        let later = taken(NOW + SKEW + 1, "x n a") + &taken(u64::MAX, "y b *");
        let lines = Lines::read(&later, NOW);
        assert!(lines.in_future);
        assert_eq!(
            lines.rewritten(),
            taken(NOW, "x n a") + &taken(NOW, "y b *")
        );
    }

    fn text() -> impl Strategy<Value = String> {
        let line = (
            prop_oneof![NOW - 9_000_000..NOW + 9_000_000, any::<u64>()],
            "[+-]",
            "x [nb] (\\*|[ab|]{0,4})",
        );
        let line = line.prop_map(|(at, sign, slot)| format!("{at} {sign} {slot}\n"));
        prop::collection::vec(prop_oneof![9 => line, 1 => any::<String>()], 0..60)
            .prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn whatever_stands_in_it_nobody_waits_longer_than_an_hour(text in text(), is_new in any::<bool>()) {
            let share = if is_new { Share::New } else { Share::Backlog };
            let mut times = Times::of_all(Limits { per_minute: 2, per_hour: 5 });
            Lines::read(&text, NOW).add_to(&mut times, "x");
            prop_assert!(times.earliest(&Receivers::Everyone, share, NOW) <= NOW + HOUR);
        }

        #[test]
        fn what_is_kept_counts_as_before(text in text()) {
            let kept = standing(&text);
            prop_assert_eq!(&standing(&kept), &kept);
            prop_assert_eq!(Lines::read(&kept, NOW).bytes, kept.len());
            let mut both = [&text, &kept].map(|text| {
                let mut times = Times::of_all(Limits { per_minute: 2, per_hour: 5 });
                Lines::read(text, NOW).add_to(&mut times, "x");
                times
            });
            for name in ["a", "b", "c"] {
                let [was, is] = &mut both;
                let to = Receivers::of(Some(name), false);
                let at = was.earliest(&to, Share::New, NOW);
                prop_assert_eq!(at, is.earliest(&to, Share::New, NOW));
            }
        }
    }
}
