//! WeCom's errcodes: what each means, what the user does, and what wxpush does.
//!
//! `errcodes.tsv` holds the row of a code, and nothing else in the program knows a number:
//! retries, exit codes, error texts, `init`, `check` and `wxpush explain` all read that row.

use std::ops::RangeInclusive;

use crate::error::Exit;
use crate::lang::Lang;

const TABLE: &str = include_str!("errcodes.tsv");

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Success.
    Ok,
    /// The `access_token` is invalid or expired: fetch anew, once.
    Token,
    /// WeCom is busy: at most three tries.
    Busy,
    /// Passes by itself: retry within the time limit.
    Transient,
    /// Too many calls: not again for a minute.
    Limited,
    /// The set-up must be mended first.
    Setup,
    /// A file that WeCom does not know, or any more: upload anew, once.
    Media,
    /// The receivers are wrong.
    Recipients,
    /// The message itself is bad.
    Message,
    /// Refused for any other reason.
    Refused,
    /// A code that the table does not have: it may pass, so it is tried once more later.
    Unknown,
}

impl Class {
    /// Every class with its name in the table.
    const NAMES: &[(&str, Self)] = &[
        ("ok", Self::Ok),
        ("token", Self::Token),
        ("busy", Self::Busy),
        ("transient", Self::Transient),
        ("limited", Self::Limited),
        ("setup", Self::Setup),
        ("media", Self::Media),
        ("recipients", Self::Recipients),
        ("message", Self::Message),
        ("refused", Self::Refused),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, class)| *class)
    }

    /// What it comes to when `gettoken` says it: never a fault of a message.
    fn at_gettoken(self) -> Self {
        match self {
            // gettoken carries no token that could be invalid: that is not WeCom's own answer.
            Self::Token => Self::Transient,
            Self::Media | Self::Recipients | Self::Message | Self::Refused => Self::Setup,
            class => class,
        }
    }

    /// The exit status of a message that ends so.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Sent,
            Self::Token | Self::Busy | Self::Transient | Self::Limited => Exit::NotNow,
            Self::Setup => Exit::Setup,
            Self::Message | Self::Media => Exit::Data,
            Self::Recipients | Self::Refused | Self::Unknown => Exit::Refused,
        }
    }

    /// What wxpush does about it, for people.
    pub(crate) fn action(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Ok => ("成功", "success"),
            Self::Token => (
                "换一个新的 access_token，再发一次",
                "fetches a new access_token and sends once more",
            ),
            Self::Busy => (
                "退避重试，最多 3 次，再不行就留在发件箱",
                "retries with back-off, at most 3 tries, then keeps the message",
            ),
            Self::Transient => (
                "在 --timeout 之内退避重试，再不行就留在发件箱",
                "retries with back-off within --timeout, then keeps the message",
            ),
            Self::Limited => (
                "留在发件箱，60 秒内不再试",
                "keeps the message, and does not try again for 60 s",
            ),
            Self::Setup => (
                "停下，消息留在发件箱：须先改好设置",
                "stops and keeps the message: the set-up must be mended first",
            ),
            Self::Media => (
                "重新上传文件，再发一次；media_id 是您给的就停下",
                "uploads the file anew and sends once more; stops where you gave the media_id",
            ),
            Self::Recipients => ("停下：收件人有误", "stops: the receivers are wrong"),
            Self::Message => ("停下：消息本身有误", "stops: the message itself is bad"),
            Self::Refused => ("停下：企业微信拒绝", "stops: WeCom refuses"),
            Self::Unknown => (
                "留在发件箱，一小时后再试一次，再不行就放弃",
                "keeps the message, tries once more after an hour, then gives it up",
            ),
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// What a refusal concerns.
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
    /// All that this app or robot sends.
    App,
    /// This call of the API alone.
    Call,
    /// The receivers of one message.
    Receiver,
    /// One request: its content, file or card.
    Message,
    /// Nothing is refused.
    Nothing,
}

impl About {
    /// Each with its name in the table.
    const NAMES: &[(&str, Self)] = &[
        ("corpid", Self::Corpid),
        ("corpsecret", Self::Corpsecret),
        ("agentid", Self::Agentid),
        ("ip", Self::Ip),
        ("app", Self::App),
        ("call", Self::Call),
        ("receiver", Self::Receiver),
        ("message", Self::Message),
        ("-", Self::Nothing),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, about)| *about)
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    at_gettoken: Option<Class>,
    elsewhere: Class,
    about: About,
    /// What of the receivers it concerns, if not whether a member can be seen.
    of_receivers: Option<&'static str>,
    texts: [&'static str; 4],
}

impl Row {
    /// What follows when the call was, or was not, `gettoken`.
    pub(crate) fn class(&self, gettoken: bool) -> Class {
        if gettoken {
            self.at_gettoken.unwrap_or(self.elsewhere).at_gettoken()
        } else {
            self.elsewhere
        }
    }

    /// What follows at `gettoken`, where the code means something else there.
    pub(crate) fn other_at_gettoken(&self) -> Option<Class> {
        self.at_gettoken
    }

    /// What a refusal by this code concerns.
    pub(crate) fn about(&self) -> About {
        self.about
    }

    /// What the code means.
    pub(crate) fn meaning(&self, lang: Lang) -> &'static str {
        self.texts[match lang {
            Lang::Zh => 0,
            Lang::En => 2,
        }]
    }

    /// What the user does next.
    pub(crate) fn advice(&self, lang: Lang) -> &'static str {
        self.texts[match lang {
            Lang::Zh => 1,
            Lang::En => 3,
        }]
    }

    fn read(line: &'static str) -> Option<Self> {
        let [_, class, about, mut texts @ ..] = cells(line)?;
        let [_, class_of_most, about_of_most, texts_of_most @ ..] = cells(defaults()?)?;
        let class = or(class, class_of_most);
        let about = or(about, about_of_most);
        for (column, text) in texts.iter_mut().enumerate() {
            *text = or(text, texts_of_most[column]);
            if let Some(errcode) = text.strip_prefix('=') {
                let [_, _, _, others @ ..] = cells(line_of(errcode.parse().ok()?)?)?;
                *text = others[column];
            }
        }
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
            texts,
        })
    }
}

/// The row of a code; none for a code that nobody knows.
pub(crate) fn row(errcode: i64) -> Option<Row> {
    Row::read(line_of(errcode)?)
}

/// Whether a refusal says that a member is not there, or not where the app may look.
pub(crate) fn is_out_of_reach(errcode: i64) -> bool {
    row(errcode).is_some_and(|row| row.about == About::Receiver && row.of_receivers.is_none())
}

/// Whether a refusal says that there is no such tag.
pub(crate) fn is_unknown_tag(errcode: i64) -> bool {
    row(errcode).is_some_and(|row| row.of_receivers == Some("tag"))
}

/// The line of a code. What is not a code's has no number before its first tab.
fn line_of(errcode: i64) -> Option<&'static str> {
    TABLE
        .lines()
        .find(|line| codes(line).any(|codes| codes.contains(&errcode)))
}

/// The line with what an empty cell means.
fn defaults() -> Option<&'static str> {
    TABLE.lines().find(|line| line.starts_with("*\t"))
}

/// The codes of a line: `1-3,5` is 1 to 3, and 5.
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
    let mut found = line.split('\t');
    let mut cells = [""; 7];
    for cell in &mut cells {
        *cell = found.next()?;
    }
    found.next().is_none().then_some(cells)
}

/// A cell, or what it means where it is empty.
fn or(cell: &'static str, default: &'static str) -> &'static str {
    if cell.is_empty() { default } else { cell }
}

#[cfg(test)]
mod tests;
