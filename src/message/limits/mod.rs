//! Limits of messages: content of `send` that WeCom cuts silently, drops without an errcode, or
//! refuses.
//!
//! Fields that only `--raw` reaches, and that WeCom refuses with an errcode, are left to WeCom:
//! `explain` knows the errcodes. Files and recipients are checked elsewhere.
//!
//! Sources: path 90236 for apps, 90248 for group chats, 91770 for robots, each below
//! developer.work.weixin.qq.com/document/path/.

use serde_json::Value;

use super::article;
use super::channel::Channel;
use super::content::{MARKDOWN_MAX, ROBOT_MARKDOWN_MAX, TEXT_MAX};
use Rule::{Cut, MaybeCut, Picture, Refused, Required, Web};
use Unit::{Bytes, Characters};

/// The result of a check.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Reasons not to send the message.
    pub(crate) violations: Vec<Violation>,
    /// Effects that the sender may not expect.
    pub(crate) caveats: Vec<Caveat>,
}

/// A reason not to send a message: WeCom would refuse it, or lose a part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// The channel does not accept the kind.
    NotTaken { channel: Channel, msgtype: String },
    /// A field is missing or empty.
    Missing { field: String },
    /// An address does not begin with http:// or https://.
    NotWeb { field: String },
    /// WeCom cuts the rest of a field silently.
    Cut(Excess),
    /// WeCom refuses a field of this length.
    TooLong(Excess),
    /// WeCom ignores mentions outside a text.
    MentionsNobody { field: String },
}

/// An effect that the sender may not expect, though the message can be sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Caveat {
    /// WeCom's pages disagree on whether this limit counts bytes or characters.
    MaybeCut(Excess),
    /// The address of a picture is not one that clients load.
    NoPicture { field: String },
    /// An option has no effect in this kind of message on this channel.
    Useless {
        option: &'static str,
        channel: Channel,
        msgtype: String,
    },
}

/// A field longer than its limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) field: String,
    pub(crate) size: usize,
    pub(crate) max: usize,
    pub(crate) unit: Unit,
}

/// The unit of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Characters,
}

impl Unit {
    fn of(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Characters => text.chars().count(),
        }
    }
}

/// A rule for a string field.
#[derive(Clone, Copy)]
enum Rule {
    /// The field must exist and not be empty.
    Required,
    /// The field is the address that a tap opens; a mini program may replace it.
    Web,
    /// The field is the address of a picture.
    Picture,
    /// WeCom cuts a longer field silently.
    Cut(usize, Unit),
    /// WeCom may cut a longer field.
    MaybeCut(usize, Unit),
    /// WeCom refuses a longer field.
    Refused(usize, Unit),
}

type Rules = &'static [(&'static str, Rule)];

const TEXT: Rules = &[("content", Required), ("content", Cut(TEXT_MAX, Bytes))];

const ROBOT_TEXT: Rules = &[("content", Required), ("content", Refused(TEXT_MAX, Bytes))];

/// The treatment of more is not documented. Source of the limit: wechatpy.
const MARKDOWN: Rules = &[
    ("content", Required),
    ("content", Refused(MARKDOWN_MAX, Bytes)),
];

const ROBOT_MARKDOWN: Rules = &[
    ("content", Required),
    ("content", Refused(ROBOT_MARKDOWN_MAX, Bytes)),
];

const VIDEO: Rules = &[("title", Cut(128, Bytes)), ("description", Cut(512, Bytes))];

/// The page of February 2026 counts characters for an app, the older ones bytes.
const TEXTCARD: Rules = &[
    ("title", Required),
    ("title", Cut(128, Characters)),
    ("title", MaybeCut(128, Bytes)),
    ("description", Required),
    ("description", Cut(512, Characters)),
    ("description", MaybeCut(512, Bytes)),
    ("url", Web),
    ("url", Refused(2048, Bytes)),
    ("btntxt", Cut(4, Characters)),
];

/// Path 90248 counts bytes.
const CHAT_TEXTCARD: Rules = &[
    ("title", Required),
    ("title", Cut(128, Bytes)),
    ("description", Required),
    ("description", Cut(512, Bytes)),
    ("url", Web),
    ("url", Refused(2048, Bytes)),
    ("btntxt", Cut(4, Characters)),
];

const NEWS: Rules = &[
    ("title", Required),
    ("title", Cut(128, Bytes)),
    ("description", Cut(512, Bytes)),
    ("url", Web),
    ("url", Refused(2048, Bytes)),
    ("picurl", Picture),
    ("picurl", Refused(2048, Bytes)),
];

const MPNEWS: Rules = &[
    ("title", Cut(article::TITLE_MAX, Bytes)),
    ("digest", Cut(article::DIGEST_MAX, Bytes)),
];

/// A kind of message: the rules for its object, or for each of its articles, by channel (`None` if
/// the channel doesn't take the kind), and the options that have an effect in it.
struct KindRow {
    msgtype: &'static str,
    app: Option<Rules>,
    chat: Option<Rules>,
    robot: Option<Rules>,
    /// Whether `safe` protects it from being forwarded.
    safe: bool,
    /// Whether `enable_id_trans` shows ids as names.
    id_trans: bool,
}

const fn kind(
    msgtype: &'static str,
    [app, chat, robot]: [Option<Rules>; 3],
    safe: bool,
    id_trans: bool,
) -> KindRow {
    KindRow {
        msgtype,
        app,
        chat,
        robot,
        safe,
        id_trans,
    }
}

/// A kind without rules.
const ANY: Option<Rules> = Some(&[]);

/// msgtype; from an app to members, into its group chats, from a robot; `safe`; `enable_id_trans`.
#[rustfmt::skip]
const KINDS: [KindRow; 12] = [
    kind("text", [Some(TEXT), Some(TEXT), Some(ROBOT_TEXT)], true, true),
    kind("markdown", [Some(MARKDOWN), Some(MARKDOWN), Some(ROBOT_MARKDOWN)], false, false),
    kind("markdown_v2", [None, None, Some(ROBOT_MARKDOWN)], false, false),
    kind("image", [ANY, ANY, ANY], true, false),
    kind("voice", [ANY, ANY, ANY], false, false),
    kind("video", [Some(VIDEO), Some(VIDEO), None], true, false),
    kind("file", [ANY, ANY, ANY], true, false),
    kind("textcard", [Some(TEXTCARD), Some(CHAT_TEXTCARD), None], false, true),
    kind("news", [Some(NEWS), Some(NEWS), Some(NEWS)], false, true),
    kind("mpnews", [Some(MPNEWS), Some(MPNEWS), None], true, true),
    kind("miniprogram_notice", [ANY, None, None], false, true),
    kind("template_card", [ANY, None, ANY], false, true),
];

impl KindRow {
    /// Returns the row of a `msgtype`; `None` if it is newer than the table.
    fn of(msgtype: &str) -> Option<&'static Self> {
        KINDS.iter().find(|row| row.msgtype == msgtype)
    }

    fn rules(&self, channel: Channel) -> Option<Rules> {
        match channel {
            Channel::App => self.app,
            Channel::Chat => self.chat,
            Channel::Robot => self.robot,
        }
    }
}

/// Returns the kinds that a channel accepts according to the documentation.
pub(crate) fn kinds(channel: Channel) -> Vec<&'static str> {
    let accepted = KINDS.iter().filter(|row| row.rules(channel).is_some());
    accepted.map(|row| row.msgtype).collect()
}

/// Whether `safe` protects a message of this kind from being forwarded; an unknown kind may be
/// protected.
pub(crate) fn takes_safe(msgtype: &str) -> bool {
    KindRow::of(msgtype).is_none_or(|row| row.safe)
}

/// Whether `enable_id_trans` has an effect in a message of this kind; it may have in an unknown one.
pub(crate) fn takes_id_trans(msgtype: &str) -> bool {
    KindRow::of(msgtype).is_none_or(|row| row.id_trans)
}

/// Checks a message against WeCom's limits. `body` is the JSON object that WeCom reads.
pub(crate) fn check(channel: Channel, msgtype: &str, body: &Value) -> Findings {
    let mut findings = Findings::default();
    // WeCom may have kinds that are newer than this list.
    let Some(row) = KindRow::of(msgtype) else {
        return findings;
    };
    let Some(rules) = row.rules(channel) else {
        let msgtype = msgtype.to_owned();
        let violation = Violation::NotTaken { channel, msgtype };
        findings.violations.push(violation);
        return findings;
    };
    let content = &body[msgtype];
    match content["articles"].as_array() {
        Some(articles) => {
            for (at, article) in articles.iter().enumerate() {
                let path = format!("{msgtype}.articles[{at}]");
                findings.apply(rules, &path, article);
            }
        }
        None => findings.apply(rules, msgtype, content),
    }
    if msgtype != "text" {
        for field in ["mentioned_list", "mentioned_mobile_list"] {
            if content.get(field).is_some() {
                let field = format!("{msgtype}.{field}");
                findings
                    .violations
                    .push(Violation::MentionsNobody { field });
            }
        }
    }
    findings.check_options(channel, msgtype, body);
    findings
}

impl Findings {
    /// Applies rules to the object at `path`.
    fn apply(&mut self, rules: Rules, path: &str, object: &Value) {
        let mut cut = "";
        for (name, rule) in rules {
            let text = match &object[*name] {
                Value::Null => "",
                Value::String(text) => text,
                // WeCom refuses other types.
                _ => continue,
            };
            let field = || format!("{path}.{name}");
            let excess = |max, unit: Unit| Excess {
                field: field(),
                size: unit.of(text),
                max,
                unit,
            };
            let exceeds = |max, unit: Unit| unit.of(text) > max && cut != *name;
            match *rule {
                Required if text.is_empty() => {
                    self.violations.push(Violation::Missing { field: field() });
                }
                Web if text.is_empty() && object["appid"].is_null() => {
                    self.violations.push(Violation::Missing { field: field() });
                }
                Web if !text.is_empty() && !is_web(text) => {
                    self.violations.push(Violation::NotWeb { field: field() });
                }
                Picture if !text.is_empty() && !is_web(text) => {
                    self.caveats.push(Caveat::NoPicture { field: field() });
                }
                Cut(max, unit) if exceeds(max, unit) => {
                    self.violations.push(Violation::Cut(excess(max, unit)));
                    cut = name;
                }
                Refused(max, unit) if exceeds(max, unit) => {
                    self.violations.push(Violation::TooLong(excess(max, unit)));
                }
                MaybeCut(max, unit) if exceeds(max, unit) => {
                    self.caveats.push(Caveat::MaybeCut(excess(max, unit)));
                }
                _ => {}
            }
        }
    }

    /// Finds options without effect in this kind of message.
    fn check_options(&mut self, channel: Channel, msgtype: &str, body: &Value) {
        let app = channel == Channel::App;
        // WeCom itself refuses safe news: errcode 40074.
        let is_safe = takes_safe(msgtype) || msgtype == "news";
        let works = [
            ("safe", channel != Channel::Robot && is_safe),
            ("enable_id_trans", app && takes_id_trans(msgtype)),
            ("enable_duplicate_check", app),
        ];
        for (option, works) in works {
            if !works && body[option].as_i64().unwrap_or(0) != 0 {
                self.caveats.push(Caveat::Useless {
                    option,
                    channel,
                    msgtype: msgtype.to_owned(),
                });
            }
        }
    }
}

fn is_web(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests;
