//! The file's text: a line a slot, and pure.
//!
//! ```text
//! 1764000000000@1a2b3c4d:86400000 + <app> n 1764000000000:5f3a9c01 zhangsan|lisi
//! ```
//!
//! The moment by both clocks; then `+`, or `-` where the line cancels one equal line before it; the
//! app; `n` for a new message or `b` for the backlog; when the message was accepted and a digest of
//! it; the members, or `*` for everyone. `+60000` instead of `+` is a slot that may be used for so
//! many milliseconds more, since WeCom may take the message that late. What cannot be read as such a
//! line is ignored.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::times::{HOUR, Times};
use super::{Fingerprint, Receivers, Share, ms};
use crate::clock::Stamp;

/// A slot this much later than now, in ms, shows that the clock was set back across a reboot. Less is
/// what two looks at one clock may differ by.
const SKEW: u64 = 2_000;

/// What two looks at two clocks may differ by, in ms: messages this close have no order.
const APART_MIN: u64 = 2;

/// Longest time that a slot is held for an answer that was lost, in ms.
pub(super) const HOLD_MAX: u64 = 600_000;

/// One slot that still counts for some app.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    /// When it was taken, in ms on a time line that ends at `Lines::now`.
    at: u64,
    /// How long after that it may have been used, in ms.
    hold: u64,
    stamp: &'a str,
    sign: &'a str,
    /// What stands behind the sign.
    slot: &'a str,
    from_future: bool,
}

/// The lines of a text that still count, in their order.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    standing: Vec<Line<'a>>,
    /// How many bytes of the text they take.
    pub(super) bytes: usize,
    /// Whether some are later than now.
    pub(super) in_future: bool,
    now: Stamp,
}

/// What other messages say of one that is about to go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Others {
    /// By how much the newest message was accepted later that went to one of its receivers before it.
    pub(crate) overtaken_by: Option<Duration>,
    /// How long ago the last equal message went.
    pub(crate) equal: Option<Duration>,
}

impl<'a> Lines<'a> {
    /// Reads from the end: what cancels stands behind what it cancels.
    pub(super) fn read(text: &'a str, now: Stamp) -> Self {
        let mut lines = Self {
            standing: Vec::new(),
            bytes: 0,
            in_future: false,
            now,
        };
        let mut cancelled: HashMap<(&str, &str), u32> = HashMap::new();
        for text in text.rsplit('\n') {
            let Some(line) = lines.parse(text) else {
                continue;
            };
            if line.at.saturating_add(line.hold).saturating_add(HOUR) <= now.wall {
                continue;
            }
            if line.sign == "-" {
                *cancelled.entry((line.stamp, line.slot)).or_default() += 1;
                continue;
            }
            if !cancelled.is_empty()
                && let Some(count @ 1..) = cancelled.get_mut(&(line.stamp, line.slot))
            {
                *count -= 1;
                continue;
            }
            lines.in_future |= line.from_future;
            lines.bytes += text.len() + 1;
            lines.standing.push(line);
        }
        lines.standing.reverse();
        lines
    }

    /// Reads a line; none if it is none.
    fn parse(&self, line: &'a str) -> Option<Line<'a>> {
        let (stamp, rest) = line.split_once(' ')?;
        let (sign, slot) = rest.split_once(' ')?;
        let hold = match sign {
            "+" | "-" => 0,
            sign => sign
                .strip_prefix('+')?
                .parse()
                .ok()
                .filter(|hold| *hold <= HOLD_MAX)?,
        };
        // What is torn before its receivers counts for nobody.
        slot.split_once(' ')?;
        let at = Stamp::parse(stamp)?;
        let age = at.age(&self.now);
        let ahead = at.wall.saturating_sub(self.now.wall);
        Some(Line {
            at: self.now.wall.saturating_sub(age.map_or(0, ms)),
            hold,
            stamp,
            sign,
            slot,
            from_future: age.is_none() && ahead > SKEW,
        })
    }

    /// Adds one app's slots, none later than now.
    pub(super) fn add_to(&self, times: &mut Times, app: &str) {
        for line in &self.standing {
            let Some((share, _, names)) = line.of(app) else {
                continue;
            };
            let until = line.at.saturating_add(line.hold);
            if names == "*" {
                times.add_everyone(share, line.at, until);
            } else {
                for name in names.split('|').filter(|name| !name.is_empty()) {
                    times.add(name, share, line.at, until);
                }
            }
        }
    }

    /// Looks what other messages of the app say of one to these receivers.
    pub(super) fn others(&self, app: &str, receivers: &Receivers, own: &Fingerprint) -> Others {
        let mut others = Others::default();
        let own_age = own.accepted.age(&self.now).map_or(0, ms);
        let own_accepted = self.now.wall.saturating_sub(own_age);
        for line in self.standing.iter().rev() {
            let Some((_, Some(other), names)) = line.of(app) else {
                continue;
            };
            if other.accepted.wall == own.accepted.wall {
                continue;
            }
            // Both as of now, so that a step of the wall clock between them changes nothing.
            let Some(taken) = Stamp::parse(line.stamp) else {
                continue;
            };
            // Set back between its acceptance and its slot: nothing is known.
            let waited = taken.wall.checked_sub(other.accepted.wall);
            let newer_by = waited.map_or(0, |waited| {
                line.at.saturating_sub(waited).saturating_sub(own_accepted)
            });
            if newer_by > APART_MIN && receivers.meet(names) {
                let newer_by = Some(Duration::from_millis(newer_by));
                others.overtaken_by = others.overtaken_by.max(newer_by);
            }
            if others.equal.is_none() && other.digest == own.digest {
                let ago = self.now.wall.saturating_sub(line.at);
                others.equal = Some(Duration::from_millis(ago));
            }
        }
        others
    }

    /// A text of these lines alone; where the clock was set back, as of now.
    pub(super) fn rewritten(&self) -> String {
        let mut text = String::with_capacity(self.bytes + 128);
        for line in &self.standing {
            let Line {
                stamp, sign, slot, ..
            } = line;
            // Writing into a String cannot fail.
            let _ = if line.from_future {
                writeln!(text, "{} {sign} {slot}", self.now)
            } else {
                writeln!(text, "{stamp} {sign} {slot}")
            };
        }
        text
    }
}

impl<'a> Line<'a> {
    /// Whose share it takes, of which message, and for whom; none if it is another app's.
    fn of(&self, app: &str) -> Option<(Share, Option<Fingerprint>, &'a str)> {
        let slot = self.slot.strip_prefix(app)?;
        let (share, rest) = match (slot.strip_prefix(" n "), slot.strip_prefix(" b ")) {
            (Some(rest), _) => (Share::New, rest),
            (_, Some(rest)) => (Share::Backlog, rest),
            _ => return None,
        };
        match rest.split_once(' ') {
            Some((message, names)) => Some((share, Fingerprint::parse(message), names)),
            None => Some((share, None, rest)),
        }
    }
}

/// A slot as it stands behind the sign.
pub(super) fn slot(
    app: &str,
    share: Share,
    message: Option<&Fingerprint>,
    receivers: &Receivers,
) -> String {
    let share = match share {
        Share::New => 'n',
        Share::Backlog => 'b',
    };
    let mut slot = format!("{app} {share} ");
    if let Some(Fingerprint { accepted, digest }) = message {
        // Writing into a String cannot fail.
        let _ = write!(slot, "{}:{digest:08x} ", accepted.wall);
    }
    match receivers {
        Receivers::Everyone => slot.push('*'),
        Receivers::Members(names) => {
            for (at, name) in names.iter().enumerate() {
                let gap = if at == 0 { "" } else { "|" };
                let _ = write!(slot, "{gap}{name}");
            }
        }
    }
    slot
}

/// The line that takes a slot.
pub(super) fn taken(at: impl Display, slot: &str) -> String {
    format!("{at} + {slot}\n")
}

/// The line that takes a slot which may be used for so many milliseconds more.
pub(super) fn held(at: impl Display, hold: u64, slot: &str) -> String {
    format!("{at} +{hold} {slot}\n")
}

/// The line that gives it back.
pub(super) fn given_back(at: impl Display, slot: &str) -> String {
    format!("{at} - {slot}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Limits;
    use proptest::prelude::*;

    const NOW: u64 = 1_764_000_000_000;

    fn now() -> Stamp {
        Stamp::of_wall(NOW)
    }

    /// What still counts of a text, as a text.
    fn standing(text: &str) -> String {
        Lines::read(text, now()).rewritten()
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
        let lines = Lines::read(&soon, now());
        assert!(!lines.in_future);
        assert_eq!(lines.rewritten(), soon, "its holder can still give it back");
        let later = taken(NOW + SKEW + 1, "x n a") + &taken(u64::MAX, "y b *");
        let lines = Lines::read(&later, now());
        assert!(lines.in_future);
        assert_eq!(
            lines.rewritten(),
            taken(NOW, "x n a") + &taken(NOW, "y b *")
        );
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_no_slot_of_this_boot() {
        let at = |ms: u64| format!("{NOW}@00000001:{ms}");
        let text = taken(at(50_000), "x n a") + &held(at(50_000), 60_000, "x n b");
        let now = |wall: u64| Stamp::parse(&format!("{wall}@00000001:60000")).unwrap();
        for wall in [0, NOW, NOW + 70_000, NOW + 100 * HOUR] {
            let lines = Lines::read(&text, now(wall.max(20_000)));
            assert!(!lines.in_future, "{wall}");
            let mut times = Times::of_all(Limits {
                per_minute: 1,
                per_hour: 5,
            });
            lines.add_to(&mut times, "x");
            let base = wall.max(20_000);
            for (name, left) in [("a", 51_000), ("b", 111_000)] {
                let to = Receivers::of(Some(name), false);
                assert_eq!(
                    times.earliest(&to, Share::New, base),
                    base + left,
                    "{wall} {name}"
                );
            }
        }
    }

    #[test]
    fn a_message_learns_of_newer_ones_and_of_equal_ones() {
        let message = |ago, digest| Fingerprint {
            accepted: Stamp::of_wall(NOW - ago),
            digest,
        };
        let line = |at, ago, digest, name: &str| {
            let to = Receivers::of(Some(name), false);
            taken(at, &slot("x", Share::New, Some(&message(ago, digest)), &to))
        };
        let text = line(NOW - 5000, 6000, 1, "a") + &line(NOW - 3000, 4000, 2, "b|c");
        let lines = Lines::read(&text, now());
        let others = |name, ago, digest| {
            let to = Receivers::of(Some(name), false);
            let others = lines.others("x", &to, &message(ago, digest));
            (
                others.overtaken_by.map(|by| by.as_secs()),
                others.equal.map(|age| age.as_secs()),
            )
        };
        assert_eq!(others("a", 7000, 9), (Some(1), None));
        assert_eq!(others("a", 5000, 9), (None, None));
        assert_eq!(others("C", 7000, 1), (Some(3), Some(5)));
        assert_eq!(others("@all", 5000, 2), (Some(1), Some(3)));
        assert_eq!(others("d", 9000, 9), (None, None));
        assert_eq!(
            others("a", 6000, 1),
            (None, None),
            "it is the message itself"
        );
    }

    #[test]
    fn a_step_of_the_wall_clock_makes_no_message_newer() {
        let stamp = |wall: u64, ms: u64| Stamp::parse(&format!("{wall}@00000001:{ms}")).unwrap();
        let message = |accepted| Fingerprint {
            accepted,
            digest: 1,
        };
        let to = Receivers::of(Some("a"), false);
        // An hour ahead when it was sent; right again, 5 s later.
        let ahead = stamp(NOW + HOUR, 10_000);
        let text = taken(ahead, &slot("x", Share::New, Some(&message(ahead)), &to));
        let now = stamp(NOW + 5000, 15_000);
        let lines = Lines::read(&text, now);
        let own = message(now);
        assert_eq!(lines.others("x", &to, &own).overtaken_by, None);
        let older = message(stamp(NOW - 1000, 9000));
        let others = lines.others("x", &to, &older);
        assert_eq!(others.overtaken_by, Some(Duration::from_secs(1)));
    }

    fn text() -> impl Strategy<Value = String> {
        let line = (
            prop_oneof![NOW - 9_000_000..NOW + 9_000_000, any::<u64>()],
            "([+-]|\\+[0-9]{1,8})",
            "x [nb] (\\*|[ab|]{0,4})",
        );
        let line = line.prop_map(|(at, sign, slot)| format!("{at} {sign} {slot}\n"));
        prop::collection::vec(prop_oneof![9 => line, 1 => any::<String>()], 0..60)
            .prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn whatever_stands_in_it_nobody_waits_much_longer_than_an_hour(text in text(), is_new in any::<bool>()) {
            let share = if is_new { Share::New } else { Share::Backlog };
            let mut times = Times::of_all(Limits { per_minute: 2, per_hour: 5 });
            Lines::read(&text, now()).add_to(&mut times, "x");
            prop_assert!(times.earliest(&Receivers::Everyone, share, NOW) <= NOW + HOUR + HOLD_MAX);
        }

        #[test]
        fn what_is_kept_counts_as_before(text in text()) {
            let kept = standing(&text);
            prop_assert_eq!(&standing(&kept), &kept);
            prop_assert_eq!(Lines::read(&kept, now()).bytes, kept.len());
            let mut both = [&text, &kept].map(|text| {
                let mut times = Times::of_all(Limits { per_minute: 2, per_hour: 5 });
                Lines::read(text, now()).add_to(&mut times, "x");
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
