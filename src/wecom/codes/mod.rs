//! WeCom's errcodes: the meaning, scope and consequence of each.
//!
//! `errcodes.tsv` has a row for each code, and no other file contains their numbers: retries, exit
//! codes, errors, `init`, `check` and `wxpush explain` read that row.

use std::ops::RangeInclusive;

const TABLE: &str = include_str!("../errcodes.tsv");

/// The consequence of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Success.
    Ok,
    /// The `access_token` is invalid or expired: fetch another one, once.
    Token,
    /// WeCom is busy: at most three tries.
    Busy,
    /// Temporary: retry within the time limit.
    Transient,
    /// Too many calls: pause for a minute.
    Limited,
    /// The settings must be corrected first.
    Setup,
    /// WeCom does not know the file, or no longer: upload it again, once.
    Media,
    /// The recipients are wrong.
    Recipients,
    /// The message itself is bad.
    Message,
    /// Refused for another reason.
    Refused,
    /// Not in the table. It may be temporary, so the call is retried once later.
    Unknown,
}

impl Class {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ok" => Self::Ok,
            "token" => Self::Token,
            "busy" => Self::Busy,
            "transient" => Self::Transient,
            "limited" => Self::Limited,
            "setup" => Self::Setup,
            "media" => Self::Media,
            "recipients" => Self::Recipients,
            "message" => Self::Message,
            "refused" => Self::Refused,
            _ => return None,
        })
    }

    /// Whether it may be over after a while, so that a retry is worth it.
    pub(crate) fn passes(self) -> bool {
        match self {
            Self::Busy | Self::Transient | Self::Limited => true,
            Self::Ok
            | Self::Token
            | Self::Setup
            | Self::Media
            | Self::Recipients
            | Self::Message
            | Self::Refused
            | Self::Unknown => false,
        }
    }

    /// Whether WeCom may have counted the refused message among those it delivers.
    pub(super) fn may_be_counted(self) -> bool {
        match self {
            Self::Ok | Self::Busy | Self::Transient | Self::Unknown => true,
            Self::Token
            | Self::Limited
            | Self::Setup
            | Self::Media
            | Self::Recipients
            | Self::Message
            | Self::Refused => false,
        }
    }

    /// Returns the class of the same code at `gettoken`, which never refuses a message.
    fn at_gettoken(self) -> Self {
        match self {
            // gettoken carries no token that could be invalid: the answer is not from WeCom itself.
            Self::Token => Self::Transient,
            Self::Media | Self::Recipients | Self::Message | Self::Refused => Self::Setup,
            class => class,
        }
    }
}

/// The subject of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The setting `corpid` is wrong.
    Corpid,
    /// The setting `corpsecret` is wrong.
    Corpsecret,
    /// The setting `agentid` is wrong.
    Agentid,
    /// WeCom does not trust the address of this host.
    Ip,
    /// Everything that this app or robot sends.
    App,
    /// Only this API call.
    Call,
    /// The recipients of one message.
    Receiver,
    /// One request: its content, file or card.
    Message,
    /// Not a refusal.
    Nothing,
}

impl About {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "corpid" => Self::Corpid,
            "corpsecret" => Self::Corpsecret,
            "agentid" => Self::Agentid,
            "ip" => Self::Ip,
            "app" => Self::App,
            "call" => Self::Call,
            "receiver" => Self::Receiver,
            "message" => Self::Message,
            "-" => Self::Nothing,
            _ => return None,
        })
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrcodeRow {
    at_gettoken: Option<Class>,
    elsewhere: Class,
    about: About,
    /// The fault in the recipients, unless it is a member that the app does not see.
    of_receivers: Option<&'static str>,
    /// The meaning of the code, in Chinese and in English.
    pub(crate) meaning: [&'static str; 2],
    /// The user's next step, in Chinese and in English.
    pub(crate) advice: [&'static str; 2],
}

impl ErrcodeRow {
    /// Returns the class of the code at `gettoken`, or at any other call.
    pub(crate) fn class(&self, at_gettoken: bool) -> Class {
        if at_gettoken {
            self.at_gettoken.unwrap_or(self.elsewhere).at_gettoken()
        } else {
            self.elsewhere
        }
    }

    /// Returns the class at `gettoken`, if the code means something else there.
    pub(crate) fn other_at_gettoken(&self) -> Option<Class> {
        self.at_gettoken
    }

    /// Returns the subject of a refusal by this code.
    pub(crate) fn about(&self) -> About {
        self.about
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut row = cells(line)?;
        let of_most = cells(TABLE.lines().find(|line| line.starts_with("*\t"))?)?;
        for (column, cell) in row.iter_mut().enumerate() {
            if cell.is_empty() {
                *cell = of_most[column];
            }
            if let Some(errcode) = cell.strip_prefix('=') {
                *cell = cells(line_of(errcode.parse().ok()?)?)?[column];
            }
        }
        let [
            _,
            class,
            about,
            meaning_zh,
            advice_zh,
            meaning_en,
            advice_en,
        ] = row;
        let (at_gettoken, elsewhere) = match class.split_once('|') {
            Some((at_gettoken, elsewhere)) => (Some(Class::named(at_gettoken)?), elsewhere),
            None => (None, class),
        };
        let (about, of_receivers) = match about.split_once(':') {
            Some((about, of)) => (about, Some(of)),
            None => (about, None),
        };
        Some(Self {
            at_gettoken,
            elsewhere: Class::named(elsewhere)?,
            about: About::named(about)?,
            of_receivers,
            meaning: [meaning_zh, meaning_en],
            advice: [advice_zh, advice_en],
        })
    }
}

/// Returns the row of a code, if it is in the table.
pub(crate) fn row(errcode: i64) -> Option<ErrcodeRow> {
    ErrcodeRow::read(line_of(errcode)?)
}

/// Whether a refusal means that a member does not exist, or is not in the app's 可见范围.
pub(crate) fn is_out_of_reach(errcode: i64) -> bool {
    row(errcode).is_some_and(|row| row.about == About::Receiver && row.of_receivers.is_none())
}

/// Whether a refusal means that there is no such tag.
pub(crate) fn is_unknown_tag(errcode: i64) -> bool {
    row(errcode).is_some_and(|row| row.of_receivers == Some("tag"))
}

/// Finds the line of a code. Searches line by line: refusals are rare, and lines share codes.
fn line_of(errcode: i64) -> Option<&'static str> {
    let mut lines = TABLE.lines();
    lines.find(|line| codes(line).any(|codes| codes.contains(&errcode)))
}

/// Parses the codes of a line: `1-3,5` is 1 to 3, and 5. Returns no codes for a comment.
fn codes(line: &str) -> impl Iterator<Item = RangeInclusive<i64>> {
    let (cell, _) = line.split_once('\t').unwrap_or_default();
    cell.split(',').filter_map(|codes| {
        if let Ok(errcode) = codes.parse() {
            return Some(errcode..=errcode);
        }
        let (first, last) = codes.split_once('-')?;
        Some(first.parse().ok()?..=last.parse().ok()?)
    })
}

fn cells(line: &'static str) -> Option<[&'static str; 7]> {
    line.split('\t').collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests;
