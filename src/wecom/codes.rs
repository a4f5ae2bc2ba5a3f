//! WeCom's errcodes: what each means, what the user does, and what wxpush does.
//!
//! `errcodes.tsv` holds one row a code, and nothing else in the program knows a number:
//! retries, exit codes, error texts and `wxpush explain` all read that row.

use crate::config::Key;
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

/// What a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The setting `corpid`.
    Corpid,
    /// The setting `corpsecret`.
    Corpsecret,
    /// The setting `agentid`.
    Agentid,
    /// The address of this host.
    Ip,
    /// Everything that the app sends.
    App,
    /// One call of the API.
    Call,
    /// The receivers of one message.
    Receiver,
    /// One message.
    Message,
    /// Nothing that a sender meets.
    Nothing,
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

    /// The exit status of a message that ends so.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Ok => Exit::Sent,
            Self::Token | Self::Busy | Self::Transient | Self::Limited | Self::Unknown => {
                Exit::NotNow
            }
            Self::Setup => Exit::Setup,
            Self::Message | Self::Media => Exit::Data,
            Self::Recipients | Self::Refused => Exit::Refused,
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

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) errcode: i64,
    at_gettoken: Class,
    elsewhere: Class,
    texts: [&'static str; 4],
}

impl Row {
    /// What follows when the call was, or was not, `gettoken`.
    pub(crate) fn class(&self, gettoken: bool) -> Class {
        if gettoken {
            self.at_gettoken
        } else {
            self.elsewhere
        }
    }

    /// What the refusal concerns.
    pub(crate) fn about(&self) -> About {
        match (self.errcode, self.elsewhere) {
            (40013 | 41002 | 2_000_002, _) => About::Corpid,
            (40001 | 40091 | 41004, _) => About::Corpsecret,
            (40056 | 41011 | 301_002, _) => About::Agentid,
            (60020 | 90308 | 301_042, _) => About::Ip,
            (48001 | 48002 | 43012, _) => About::Call,
            (50002 | 60011 | 60021 | 92000 | 43004 | 43009, _) => About::Receiver,
            (_, Class::Setup) => About::App,
            _ => About::Message,
        }
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
        let cells: Vec<&str> = line.split('\t').collect();
        let [errcode, class, texts @ ..] = cells.as_slice() else {
            return None;
        };
        let (at_gettoken, elsewhere) = class.split_once('|').unwrap_or((class, class));
        Some(Self {
            errcode: errcode.parse().ok()?,
            at_gettoken: Class::named(at_gettoken)?,
            elsewhere: Class::named(elsewhere)?,
            texts: texts.try_into().ok()?,
        })
    }
}

/// The setting that a refusal is about, if it is one of the three that an app has.
pub(crate) fn setting(errcode: i64) -> Option<Key> {
    match errcode {
        40013 | 41002 | 2_000_002 => Some(Key::Corpid),
        40001 | 40091 | 41004 => Some(Key::Corpsecret),
        40056 | 41011 | 301_002 => Some(Key::Agentid),
        _ => None,
    }
}

/// Whether a refusal says that a member is not there, or not where the app may look.
pub(crate) fn is_out_of_reach(errcode: i64) -> bool {
    matches!(errcode, 46004 | 60011 | 60021 | 60111 | 301_021)
}

/// The row of a code; none for a code that nobody knows.
pub(crate) fn row(errcode: i64) -> Option<Row> {
    rows().find(|row| row.errcode == errcode)
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter_map(Row::read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_row_or_a_comment_and_the_codes_ascend() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        let codes: Vec<i64> = rows().map(|row| row.errcode).collect();
        assert_eq!(codes.len(), lines);
        assert!(codes.is_sorted_by(|a, b| a < b));
        for row in rows() {
            assert!(
                row.texts.iter().all(|text| !text.trim().is_empty()),
                "{}",
                row.errcode
            );
        }
    }

    #[test]
    fn the_codes_that_decide_most_are_in_their_class() {
        for (errcode, at_gettoken, elsewhere) in [
            (-1, Class::Busy, Class::Busy),
            (0, Class::Ok, Class::Ok),
            (6000, Class::Transient, Class::Transient),
            (40001, Class::Setup, Class::Token),
            (40013, Class::Setup, Class::Setup),
            (40014, Class::Token, Class::Token),
            (41001, Class::Token, Class::Token),
            (42001, Class::Token, Class::Token),
            (44004, Class::Message, Class::Message),
            (45009, Class::Limited, Class::Limited),
            (45033, Class::Transient, Class::Transient),
            (60020, Class::Setup, Class::Setup),
            (301_002, Class::Setup, Class::Setup),
            (81013, Class::Recipients, Class::Recipients),
        ] {
            let row = row(errcode).unwrap();
            assert_eq!(
                (row.class(true), row.class(false)),
                (at_gettoken, elsewhere),
                "{errcode}"
            );
        }
        assert!(row(12345).is_none());
    }
}
