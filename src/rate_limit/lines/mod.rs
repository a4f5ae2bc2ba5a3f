//! The text format of the ledger: a slot per line. No I/O.
//!
//! ```text
//! 1764000000000@1a2b3c4d:86400000 + <app> n 1764000000000@1a2b3c4d:86400000:5f3a9c01 zhangsan|lisi
//! ```
//!
//! A line has the time by both clocks; then `+`, or `-` if the line cancels one equal line before
//! it; the app; `n` for a new message, `b` for the backlog, `u` for users' mail, with the user's id if there
//! is an account; the message's time of acceptance by both clocks and its digest; the members, or `*` for everyone. `+60000` instead of `+` is a slot
//! that may be used for this many milliseconds more, since WeCom may accept the message that late.
//! Other lines are ignored.

use std::collections::HashMap;
use std::fmt::Display;

use super::audience::{Audience, Fingerprint, Share};
use super::times::{HOUR, Taken};
use crate::clock::{Stamp, millis};

/// A slot more than this far ahead of now, in ms, shows that the clock was set back across a
/// reboot. Two readings of one clock may differ by less.
const SKEW: u64 = 2_000;

/// Longest time that a slot is held after a lost answer, in ms.
pub(super) const HOLD_MAX: u64 = 600_000;

/// A line that still counts for some app.
#[derive(Debug, Clone, Copy)]
struct SlotLine<'a> {
    /// The time of the slot, in ms on a time line that ends at `SlotLines::now`.
    at: u64,
    /// How long after that the slot may have been used, in ms.
    hold: u64,
    /// The time of the slot by the wall clock, as it was written.
    wall: u64,
    stamp: &'a str,
    sign: &'a str,
    /// The text after the sign.
    slot: &'a str,
    from_future: bool,
    /// Whether it is of this boot.
    is_certain: bool,
}

/// The lines that still count, in order.
#[derive(Debug)]
pub(super) struct SlotLines<'a> {
    standing: Vec<SlotLine<'a>>,
    /// Their size in bytes.
    pub(super) bytes: usize,
    /// Whether some of them are in the future.
    pub(super) in_future: bool,
    /// Whether a line cancels one before this text.
    pub(super) cancels_earlier: bool,
    pub(super) now: Stamp,
}

/// A line of one app.
pub(super) struct AppLine<'a> {
    pub(super) taken: Taken,
    pub(super) message: Option<SentMessage>,
    /// The members, joined by `|`, or `*`.
    pub(super) names: &'a str,
}

/// A message that was sent in a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentMessage {
    pub(super) digest: u32,
    /// Its time of acceptance by the wall clock, as it was written.
    pub(super) accepted: u64,
    /// The same on the time line of the slots; zero if it is of an earlier boot, and the clock was
    /// set back before it was sent: then nothing is known.
    pub(super) accepted_at: u64,
    pub(super) taken: Taken,
}

impl<'a> SlotLines<'a> {
    /// Reads the text from its end, since a line is cancelled by a later one.
    pub(super) fn read(text: &'a str, now: Stamp) -> Self {
        let mut lines = Self {
            standing: Vec::new(),
            bytes: 0,
            in_future: false,
            cancels_earlier: false,
            now,
        };
        let mut cancelled: HashMap<(&str, &str), u32> = HashMap::new();
        for text in text.rsplit('\n') {
            let Some(line) = lines.parse(text) else {
                continue;
            };
            if line.at.saturating_add(line.hold).saturating_add(HOUR) <= now.wall {
                // Of this boot its age is certain, and no line before it is younger.
                if line.is_certain && line.at.saturating_add(HOLD_MAX + HOUR) <= now.wall {
                    break;
                }
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
        lines.cancels_earlier = cancelled.values().any(|count| *count > 0);
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
            wall: at.wall,
            stamp,
            sign,
            slot,
            from_future: age.is_none() && ahead > SKEW,
            is_certain: at.is_same_boot(&self.now),
        })
    }

    /// Returns one app's lines; slots in the future count from now.
    pub(super) fn of(&self, app: &str) -> impl Iterator<Item = AppLine<'a>> {
        let now = self.now;
        self.standing
            .iter()
            .filter_map(move |line| line.of(app, &now))
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
    /// Returns the line as one of this app; `None` if it is another's.
    fn of(&self, app: &str, now: &Stamp) -> Option<AppLine<'a>> {
        let slot = self.slot.strip_prefix(app)?.strip_prefix(' ')?;
        let (share, rest) = slot.split_once(' ')?;
        let taken = Taken {
            share: Share::parse(share)?,
            at: self.at,
            until: self.at.saturating_add(self.hold),
        };
        let (message, names) = match rest.split_once(' ') {
            Some((message, names)) => (Fingerprint::parse(message), names),
            None => (None, rest),
        };
        let message = message.map(|Fingerprint { accepted, digest }| {
            // Both relative to now, so that a step of the wall clock between them changes nothing.
            let accepted_at = if accepted.is_same_boot(now) {
                now.wall.saturating_sub(millis(accepted.age_or_zero(now)))
            } else {
                let waited = self.wall.checked_sub(accepted.wall);
                waited.map_or(0, |waited| self.at.saturating_sub(waited))
            };
            SentMessage {
                digest,
                accepted: accepted.wall,
                accepted_at,
                taken,
            }
        });
        Some(AppLine {
            taken,
            message,
            names,
        })
    }
}

/// Returns the text of a slot, after the sign.
pub(super) fn slot(
    app: &str,
    share: Share,
    message: Option<&Fingerprint>,
    audience: &Audience,
) -> String {
    let message = message.map_or_else(String::new, |Fingerprint { accepted, digest }| {
        format!("{accepted}:{digest:08x} ")
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
