//! The limits on messages to one recipient.

/// The maximum messages to one member, group or chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) per_minute: u32,
    pub(crate) per_hour: u32,
}

impl Limits {
    /// One app, to one member: WeCom silently discards the excess.
    pub(crate) const WECOM: Self = Self {
        per_minute: 30,
        per_hour: 1000,
    };

    /// One robot, in its group: WeCom answers 45009 to the excess. There is no limit per hour.
    /// Source: developer.work.weixin.qq.com/document/path/91770.
    pub(crate) const ROBOT: Self = Self {
        per_minute: 20,
        per_hour: 20 * 60,
    };

    /// One app, to one member by chats: WeCom silently discards the excess. It counts 10,000 a day,
    /// of which wxpush remembers only the last hour.
    /// Source: developer.work.weixin.qq.com/document/path/90248.
    pub(crate) const CHAT: Self = Self {
        per_minute: 200,
        per_hour: 10_000,
    };
}
