//! What a message says before its own text: that it is late, and what never arrived.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};

use crate::lang::Lang;

/// From this age on a message is late. Source: the contract with users.
const LATE: Duration = Duration::from_mins(10);

/// What there may be to say before a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    /// When it was accepted.
    pub(crate) accepted: SystemTime,
    /// How many messages to its receivers have expired, untold.
    pub(crate) expired: u32,
    /// The language of the phone.
    pub(crate) lang: Lang,
}

impl Marks {
    /// The lines, as of now; empty if there is nothing to say.
    pub(super) fn lines(&self, now: SystemTime) -> String {
        let mut lines = Vec::new();
        let age = now.duration_since(self.accepted).unwrap_or_default();
        if age > LATE {
            let accepted = DateTime::<Local>::from(self.accepted).format("%Y-%m-%d %H:%M:%S %:z");
            lines.push(match self.lang {
                Lang::Zh => format!("[迟到] 这条消息发于 {accepted}"),
                Lang::En => format!("[late] accepted {accepted}"),
            });
        }
        if self.expired > 0 {
            let count = self.expired;
            lines.push(match self.lang {
                Lang::Zh => format!("[过期] 另有 {count} 条消息因过期未送达"),
                Lang::En if count == 1 => "[expired] 1 message expired undelivered".to_owned(),
                Lang::En => format!("[expired] {count} messages expired undelivered"),
            });
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_its_age_and_its_forerunners_demand() {
        let now = SystemTime::now();
        let marks = |seconds, expired, lang| {
            let accepted = now - Duration::from_secs(seconds);
            Marks {
                accepted,
                expired,
                lang,
            }
            .lines(now)
        };
        assert_eq!(marks(600, 0, Lang::Zh), "");
        assert!(marks(601, 0, Lang::Zh).starts_with("[迟到] "));
        assert!(marks(601, 0, Lang::En).starts_with("[late] accepted 20"));
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
            assert_eq!(marks(0, expired, Lang::Zh), zh);
            assert_eq!(marks(0, expired, Lang::En), en);
        }
        assert_eq!(marks(601, 2, Lang::Zh).lines().count(), 2);
    }
}
