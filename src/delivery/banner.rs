//! The lines before a message's own text: when it was accepted, and how many messages expired.

use std::time::Duration;

use chrono::{DateTime, Local};

use super::Wording;
use crate::clock::Stamp;
use crate::lang::Lang;

/// Age from which a message is late. Source: the contract with users.
pub(super) const LATE: Duration = Duration::from_mins(10);

/// The facts from which the lines before a message are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Banner {
    /// The time of acceptance.
    pub(crate) accepted: Stamp,
    /// Whether a newer message has been delivered to one of its recipients, so that the last
    /// message on the phone is not the latest.
    pub(crate) overtaken: bool,
    /// Whether an earlier part has already carried these lines to its recipients.
    pub(crate) is_said: bool,
    /// The number of expired messages that its recipients have not been notified of.
    pub(crate) expired: u32,
    /// The language of the lines.
    pub(crate) lang: Lang,
    pub(crate) wording: Wording,
}

impl Banner {
    /// Returns those of a message that was accepted just now, with this many expired ones.
    pub(super) fn of_new(accepted: Stamp, expired: u32, lang: Lang, wording: Wording) -> Self {
        Self {
            accepted,
            overtaken: false,
            is_said: false,
            expired,
            lang,
            wording,
        }
    }

    /// Returns the lines as of `now`; empty if there is nothing to say.
    pub(super) fn lines(&self, now: &Stamp) -> String {
        let mut lines = Vec::new();
        if !self.is_said && (self.overtaken || self.accepted.age_or_zero(now) > LATE) {
            let accepted = DateTime::<Local>::from(self.accepted.time());
            let accepted = accepted.format("%Y-%m-%d %H:%M:%S %:z").to_string();
            lines.push((self.wording.late)(self.lang, &accepted));
        }
        if self.expired > 0 {
            lines.push((self.wording.missed)(self.lang, self.expired));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_overtaken_and_expired_messages_add_their_lines() {
        let now = Stamp::of_wall(1_764_000_000_000);
        let banner = |seconds: u64, overtaken, expired, lang| {
            let accepted = Stamp::of_wall(now.wall - seconds * 1000);
            Banner {
                accepted,
                overtaken,
                is_said: false,
                expired,
                lang,
                wording: crate::text::delivery::WORDING,
            }
            .lines(&now)
        };
        assert_eq!(banner(600, false, 0, Lang::Zh), "");
        assert!(banner(601, false, 0, Lang::Zh).starts_with("[迟到] "));
        assert!(banner(601, false, 0, Lang::En).starts_with("[late] accepted 20"));
        assert!(banner(1, true, 0, Lang::En).starts_with("[late] accepted 20"));
        for (expired, zh, en) in [
            (
                1,
                "[过期] 另有 1 条消息因过期未送达",
                "[expired] 1 message expired undelivered",
            ),
            (
                2,
                "[过期] 另有 2 条消息因过期未送达",
                "[expired] 2 messages expired undelivered",
            ),
        ] {
            assert_eq!(banner(0, false, expired, Lang::Zh), zh);
            assert_eq!(banner(0, false, expired, Lang::En), en);
        }
        assert_eq!(banner(601, true, 2, Lang::Zh).lines().count(), 2);
    }
}
