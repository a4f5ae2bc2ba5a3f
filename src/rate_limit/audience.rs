//! The recipients of a message, its share of the limits, and its fingerprint.

use std::fmt;

use crate::clock::Stamp;

/// The share of the slots for a message: the backlog leaves a third of each limit to new messages, and
/// the mails of users, who may send as many as they like, take a quarter of an hour's at the most, each user
/// half of what the others leave of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    New,
    Backlog,
    /// Of the backlog, what this user left in the maildrop; `None` are all without an account.
    User(Option<u32>),
}

impl Share {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "n" => Self::New,
            "b" => Self::Backlog,
            "u" => Self::User(None),
            text => Self::User(Some(text.strip_prefix('u')?.parse().ok()?)),
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("n"),
            Self::Backlog => f.write_str("b"),
            Self::User(None) => f.write_str("u"),
            Self::User(Some(uid)) => write!(f, "u{uid}"),
        }
    }
}

/// The members that a message counts for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    /// Every member: the members of parties and tags are not known here.
    Everyone,
    /// Userids in lower case, each once: WeCom does not distinguish their case.
    Members(Vec<String>),
}

impl Audience {
    /// Parses a request's `touser`; `others` is set if the request also names parties or tags.
    pub(crate) fn of(touser: Option<&str>, others: bool) -> Self {
        // Drops characters that could be read as the end of a line or a word of it.
        let is_kept = |c: &char| !c.is_whitespace() && !c.is_control();
        let name = |name: &str| -> String {
            let kept = name.chars().filter(is_kept);
            kept.flat_map(char::to_lowercase).collect()
        };
        let names = touser.unwrap_or_default().split('|');
        let mut names: Vec<String> = names.map(name).filter(|name| !name.is_empty()).collect();
        if others || names.is_empty() || names.iter().any(|name| name == "@all") {
            return Self::Everyone;
        }
        names.sort_unstable();
        names.dedup();
        Self::Members(names)
    }
}

/// The identity of a message in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The time of acceptance.
    pub(crate) accepted: Stamp,
    /// Equal for equal requests.
    pub(crate) digest: u32,
}

impl Fingerprint {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (accepted, digest) = text.rsplit_once(':')?;
        Some(Self {
            accepted: Stamp::parse(accepted)?,
            digest: u32::from_str_radix(digest, 16).ok()?,
        })
    }
}
