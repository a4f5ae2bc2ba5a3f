//! The text format of the ledger: a slot per line. No I/O.
//!
//! ```text
//! 1764000000000@1a2b3c4d:86400000 + <app> n 1764000000000:5f3a9c01 zhangsan|lisi
//! ```
//!
//! A line has the time by both clocks; then `+`, or `-` if the line cancels one equal line before
//! it; the app; `n` for a new message or `b` for the backlog; the message's time of acceptance and
//! its digest; the members, or `*` for everyone. `+60000` instead of `+` is a slot that may be used
//! for this many milliseconds more, since WeCom may accept the message that late. Other lines are
//! ignored.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use super::audience::{Audience, Fingerprint, Share};
use super::times::{HOUR, Taken, Times};
use crate::clock::{Stamp, millis};

/// A slot more than this far ahead of now, in ms, shows that the clock was set back across a
/// reboot. Two readings of one clock may differ by less.
const SKEW: u64 = 2_000;

/// Most that two readings of two clocks may differ, in ms: messages this close have no order.
const APART_MIN: u64 = 2;

/// Longest time that a slot is held after a lost answer, in ms.
pub(super) const HOLD_MAX: u64 = 600_000;

/// A line that still counts for some app.
#[derive(Debug, Clone, Copy)]
struct SlotLine<'a> {
    /// The time of the slot, in ms on a time line that ends at `SlotLines::now`.
    at: u64,
    /// How long after that the slot may have been used, in ms.
    hold: u64,
    stamp: &'a str,
    sign: &'a str,
    /// The text after the sign.
    slot: &'a str,
    from_future: bool,
}

/// The lines that still count, in order.
#[derive(Debug)]
pub(super) struct SlotLines<'a> {
    standing: Vec<SlotLine<'a>>,
    /// Their size in bytes.
    pub(super) bytes: usize,
    /// Whether some of them are in the future.
    pub(super) in_future: bool,
    now: Stamp,
}

/// The ledger's facts about a message that is about to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Others {
    /// How much later the newest message already sent to one of its recipients was accepted.
    pub(crate) overtaken_by: Option<Duration>,
    /// How long ago the last equal message was sent.
    pub(crate) equal: Option<Duration>,
}

impl<'a> SlotLines<'a> {
    /// Reads the text from its end, since a line is cancelled by a later one.
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

    /// Parses a line; `None` if it is damaged.
    fn parse(&self, line: &'a str) -> Option<SlotLine<'a>> {
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
        // A line torn before its recipients counts for no member.
        slot.split_once(' ')?;
        let at = Stamp::parse(stamp)?;
        let age = at.age(&self.now);
        let ahead = at.wall.saturating_sub(self.now.wall);
        Some(SlotLine {
            at: self.now.wall.saturating_sub(age.map_or(0, millis)),
            hold,
            stamp,
            sign,
            slot,
            from_future: age.is_none() && ahead > SKEW,
        })
    }

    /// Adds one app's slots; slots in the future count from now.
    pub(super) fn add_to(&self, times: &mut Times, app: &str) {
        for line in &self.standing {
            let Some((share, _, names)) = line.of(app) else {
                continue;
            };
            let taken = Taken {
                share,
                at: line.at,
                until: line.at.saturating_add(line.hold),
            };
            if names == "*" {
                times.add_everyone(taken);
            } else {
                let names = names.split('|').filter(|name| !name.is_empty());
                names.for_each(|name| times.add(name, taken));
            }
        }
    }

    /// Returns the ledger's facts about a message of the app to these recipients.
    pub(super) fn others(&self, app: &str, audience: &Audience, own: &Fingerprint) -> Others {
        let mut others = Others::default();
        let own_age = own.accepted.age(&self.now).map_or(0, millis);
        let own_accepted = self.now.wall.saturating_sub(own_age);
        for line in self.standing.iter().rev() {
            let Some((_, Some(other), names)) = line.of(app) else {
                continue;
            };
            if other.accepted.wall == own.accepted.wall {
                continue;
            }
            // Both relative to now, so that a step of the wall clock between them changes nothing.
            let Some(taken) = Stamp::parse(line.stamp) else {
                continue;
            };
            // If the clock was set back between its acceptance and its slot, nothing is known.
            let waited = taken.wall.checked_sub(other.accepted.wall);
            let newer_by = waited.map_or(0, |waited| {
                line.at.saturating_sub(waited).saturating_sub(own_accepted)
            });
            if newer_by > APART_MIN && audience.meet(names) {
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

    /// Returns the text of only these lines. Future times, after a clock was set back, become now.
    pub(super) fn rewritten(&self) -> String {
        let mut text = String::with_capacity(self.bytes + 128);
        let now = self.now.to_string();
        for line in &self.standing {
            let stamp = if line.from_future { &now } else { line.stamp };
            text.extend([stamp, " ", line.sign, " ", line.slot, "\n"]);
        }
        text
    }
}

impl<'a> SlotLine<'a> {
    /// Returns its share, message and recipients; `None` if it is another app's.
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

/// Returns the text of a slot, after the sign.
pub(super) fn slot(
    app: &str,
    share: Share,
    message: Option<&Fingerprint>,
    audience: &Audience,
) -> String {
    let share = match share {
        Share::New => 'n',
        Share::Backlog => 'b',
    };
    let message = message.map_or_else(String::new, |Fingerprint { accepted, digest }| {
        format!("{}:{digest:08x} ", accepted.wall)
    });
    let names = match audience {
        Audience::Everyone => "*".to_owned(),
        Audience::Members(names) => names.join("|"),
    };
    format!("{app} {share} {message}{names}")
}

/// Returns the line that takes a slot.
pub(super) fn taken(at: impl Display, slot: &str) -> String {
    format!("{at} + {slot}\n")
}

/// Returns the line that takes a slot which may be used for `hold` milliseconds more.
pub(super) fn held(at: impl Display, hold: u64, slot: &str) -> String {
    format!("{at} +{hold} {slot}\n")
}

/// Returns the line that gives a slot back.
pub(super) fn given_back(at: impl Display, slot: &str) -> String {
    format!("{at} - {slot}\n")
}

#[cfg(test)]
mod tests;
