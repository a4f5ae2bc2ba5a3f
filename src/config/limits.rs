//! The limits on messages to one recipient.

use std::fmt;

/// The maximum messages to one member, group or chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) per_minute: Rate,
    pub(crate) per_hour: u32,
}

/// Messages per minute, in thousandths: hosts that share a limit may each have a fraction of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(u32);

impl Rate {
    /// The least rate, in thousandths: a message in 50 minutes. The ledger remembers an hour.
    pub(crate) const MIN: Self = Self(20);

    /// Returns a whole number of messages per minute.
    pub(crate) const fn whole(count: u32) -> Self {
        Self(count * 1000)
    }

    /// Parses a decimal number; `None` if it is not from `MIN` to `max`.
    pub(super) fn parse(text: &str, max: Self) -> Option<Self> {
        let thousandths = text.parse::<f64>().ok()? * 1000.0;
        let is_fit = thousandths >= f64::from(Self::MIN.0) && thousandths <= f64::from(max.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the limits"
        )]
        is_fit.then(|| Self(thousandths.round() as u32))
    }

    /// Returns the most messages in its window.
    pub(crate) fn count(self) -> u32 {
        self.0.div_ceil(1000)
    }

    /// Returns its window, for what is a minute of whole numbers: 80 s for 0.75 a minute.
    pub(crate) fn window(self, minute: u64) -> u64 {
        minute * u64::from(self.count()) * 1000 / u64::from(self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

impl Limits {
    /// One app, to one member: WeCom silently discards the excess.
    pub(crate) const WECOM: Self = Self {
        per_minute: Rate::whole(30),
        per_hour: 1000,
    };

    /// One robot, in its group: WeCom answers 45009 to the excess. There is no limit per hour.
    /// Source: developer.work.weixin.qq.com/document/path/91770.
    pub(crate) const ROBOT: Self = Self {
        per_minute: Rate::whole(20),
        per_hour: 20 * 60,
    };

    /// One app, to one member by chats: WeCom silently discards the excess. It counts 10,000 a day,
    /// of which wxpush remembers only the last hour.
    /// Source: developer.work.weixin.qq.com/document/path/90248.
    pub(crate) const CHAT: Self = Self {
        per_minute: Rate::whole(200),
        per_hour: 10_000,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_fewer_messages_in_a_longer_time() {
        let max = Rate::whole(30);
        for (text, count, window) in [
            ("30", 30, 60),
            ("1", 1, 60),
            ("0.75", 1, 80),
            ("1.5", 2, 80),
            ("0.02", 1, 3000),
        ] {
            let rate = Rate::parse(text, max).unwrap();
            assert_eq!((rate.count(), rate.window(60)), (count, window), "{text}");
            assert_eq!(rate.to_string(), text);
        }
        for bad in ["31", "0", "0.01", "-1", "nan", "inf", "x"] {
            assert_eq!(Rate::parse(bad, max), None, "{bad}");
        }
    }
}
