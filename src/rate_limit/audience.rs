//! The recipients of a message, its share of the limits, and its fingerprint.

use crate::clock::Stamp;

/// Whose slots a message takes: the backlog leaves a third of each limit to what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    New,
    Backlog,
}

/// The members for whom a message counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    /// Each member there is: who belongs to a party or tag is not known here.
    Everyone,
    /// Userids in lower case, each once: WeCom does not distinguish their case.
    Members(Vec<String>),
}

impl Audience {
    /// Reads a request's `touser`; `others` says whether it names parties or tags, too.
    pub(crate) fn of(touser: Option<&str>, others: bool) -> Self {
        // Nothing that could be taken for the end of a line, or of a word in it.
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

    /// Whether one of these names, joined by `|`, is among them; `*` is everyone.
    pub(super) fn meet(&self, names: &str) -> bool {
        match self {
            Self::Everyone => true,
            Self::Members(members) => {
                names == "*"
                    || names
                        .split('|')
                        .any(|name| members.iter().any(|member| member == name))
            }
        }
    }
}

/// The identity of a message among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// When it was accepted; the ledger keeps the wall clock's time alone.
    pub(crate) accepted: Stamp,
    /// The same for equal requests.
    pub(crate) digest: u32,
}

impl Fingerprint {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (accepted, digest) = text.split_once(':')?;
        Some(Self {
            accepted: Stamp::of_wall(accepted.parse().ok()?),
            digest: u32::from_str_radix(digest, 16).ok()?,
        })
    }
}
