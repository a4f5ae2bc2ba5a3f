//! The kinds of messages, and the fields of each.
//!
//! Sources: path 90236 for apps, 90248 for group chats, 91770 for robots, 90313 for errcodes, each
//! below developer.work.weixin.qq.com/document/path/; where another one counts, it stands there.

use super::card;
use super::rows::Form::{Link, Picture, Plain, Web};
use super::rows::Limit::{self, Cut, Least, Most, Unsure};
use super::rows::Need::{May, Must, Unless, With};
use super::rows::Rule::{Flag, Object, OneOf, Strings, Text, UpTo};
use super::rows::Unit::{Bytes, Chars};
use super::rows::Unsure::{BytesOrCharacters, MayRefuse};
use super::rows::{List, NO_CODE, Row, Rows, Rule};
use crate::message::DUPLICATE_CHECK_MAX;
use crate::message::channel::Channel;
use crate::message::content::{MARKDOWN_MAX, ROBOT_MARKDOWN_MAX, TEXT_MAX};

/// What `safe` does for a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Safe {
    /// 1 keeps it from being forwarded.
    Works,
    /// So it does, and 2 keeps it within the company.
    Inside,
    /// The page doesn't list it.
    Useless,
    /// WeCom refuses the message.
    Refused,
}

/// A kind of message.
pub(super) struct Kind {
    /// WeCom's name for it.
    pub(super) msgtype: &'static str,
    /// Its object from an app, if an app can send it.
    app: Option<Rule>,
    /// Whether an app can send the same into its group chats.
    chat: bool,
    /// Its object from a robot, if a robot can send it.
    robot: Option<Rule>,
    /// What `safe` does.
    pub(super) safe: Safe,
    /// Whether `enable_id_trans` does something.
    pub(super) id_trans: bool,
}

impl Kind {
    /// The kind of a `msgtype`; none if it is tomorrow's.
    pub(super) fn of(msgtype: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.msgtype == msgtype)
    }

    /// What its object holds; none if the channel doesn't take it.
    pub(super) fn rule(&self, channel: Channel) -> Option<Rule> {
        match channel {
            Channel::App => self.app,
            Channel::Chat => self.app.filter(|_| self.chat),
            Channel::Robot => self.robot,
        }
    }
}

/// The kinds that a channel takes.
pub(super) fn taken(channel: Channel) -> impl Iterator<Item = &'static str> {
    let taken = KINDS
        .iter()
        .filter(move |kind| kind.rule(channel).is_some());
    taken.map(|kind| kind.msgtype)
}

/// The fields beside the kind's object.
pub(super) fn around(channel: Channel) -> Rows {
    match channel {
        Channel::App => APP,
        Channel::Chat => CHAT,
        Channel::Robot => &[],
    }
}

const fn kind(
    msgtype: &'static str,
    (app, chat): (Option<Rule>, bool),
    robot: Option<Rule>,
    safe: Safe,
    id_trans: bool,
) -> Kind {
    Kind {
        msgtype,
        app,
        chat,
        robot,
        safe,
        id_trans,
    }
}

/// msgtype, from an app and into its chats, from a robot, `safe`, `enable_id_trans`.
#[rustfmt::skip]
pub(super) static KINDS: &[Kind] = &[
    kind("text", (Some(Object(TEXT)), true), Some(Object(ROBOT_TEXT)), Safe::Works, true),
    kind("markdown", (Some(Object(MARKDOWN)), true), Some(Object(ROBOT_MARKDOWN)), Safe::Useless, false),
    kind("markdown_v2", (None, false), Some(Object(ROBOT_MARKDOWN)), Safe::Useless, false),
    kind("image", (Some(Object(MEDIA)), true), Some(Object(ROBOT_IMAGE)), Safe::Works, false),
    kind("voice", (Some(Object(MEDIA)), true), Some(Object(MEDIA)), Safe::Useless, false),
    kind("video", (Some(Object(VIDEO)), true), None, Safe::Works, false),
    kind("file", (Some(Object(MEDIA)), true), Some(Object(MEDIA)), Safe::Works, false),
    kind("textcard", (Some(Object(TEXTCARD)), true), None, Safe::Useless, true),
    kind("news", (Some(Object(NEWS)), true), Some(Object(ROBOT_NEWS)), Safe::Refused, true),
    kind("mpnews", (Some(Object(MPNEWS)), true), None, Safe::Inside, true),
    kind("miniprogram_notice", (Some(Object(NOTICE)), false), None, Safe::Useless, true),
    kind("template_card", (Some(card::CARD), false), Some(card::ROBOT_CARD), Safe::Useless, true),
];

const ANY: Rule = Text(Plain, &[]);

/// 40059: a flag that is neither 0 nor 1. `safe` has values of its own for each kind.
const APP: Rows = &[
    Row("touser", May, ANY),
    Row("toparty", May, ANY),
    Row("totag", May, ANY),
    Row("safe", May, OneOf(&[0, 1, 2], 40059)),
    Row("enable_id_trans", May, OneOf(&[0, 1], 40059)),
    Row("enable_duplicate_check", May, OneOf(&[0, 1], 40059)),
    Row(
        "duplicate_check_interval",
        May,
        UpTo(DUPLICATE_CHECK_MAX.cast_signed()),
    ),
];

const CHAT: Rows = &[
    Row("chatid", May, ANY),
    Row("safe", May, OneOf(&[0, 1, 2], 40059)),
];

/// 44004: an empty text.
const TEXT: Rows = &[Row(
    "content",
    Must(44004),
    Text(Plain, &[Cut(TEXT_MAX, Bytes)]),
)];

/// What is longer is not documented to be cut: 45002. Source of the limit: wechatpy.
const MARKDOWN: Rows = &[Row(
    "content",
    Must(NO_CODE),
    Text(Plain, &[Most(MARKDOWN_MAX, Bytes, 45002)]),
)];

const MEDIA: Rows = &[Row("media_id", Must(41006), ANY)];

const VIDEO: Rows = &[
    Row("media_id", Must(41006), ANY),
    Row("title", May, Text(Plain, &[Cut(128, Bytes)])),
    Row("description", May, Text(Plain, &[Cut(512, Bytes)])),
];

/// An errcode speaks of a shorter limit than the pages.
const LONG_URL: Limit = Unsure(1024, Bytes, MayRefuse(40039));

/// As the pages have it.
const URL: &[Limit] = &[Most(2048, Bytes, 40039), LONG_URL];

/// Today's page counts characters, the older ones bytes. 41016 and 41033: no title, no description; 41010: no url; 45034: without scheme.
const TEXTCARD: Rows = &[
    Row(
        "title",
        Must(41016),
        Text(
            Plain,
            &[Cut(128, Chars), Unsure(128, Bytes, BytesOrCharacters)],
        ),
    ),
    Row(
        "description",
        Must(41033),
        Text(
            Plain,
            &[Cut(512, Chars), Unsure(512, Bytes, BytesOrCharacters)],
        ),
    ),
    Row("url", Must(41010), Text(Web(45034), URL)),
    Row("btntxt", May, Text(Plain, &[Cut(4, Chars)])),
];

const fn articles(rows: Rows) -> Rule {
    Rule::List(List {
        min: 1,
        max: 8,
        code: 45008,
        unique: None,
        rows,
    })
}

const NEWS: Rows = &[Row("articles", Must(NO_CODE), articles(ARTICLE))];

const TITLE: Row = Row("title", Must(41016), Text(Plain, &[Cut(128, Bytes)]));
const DESCRIPTION: Row = Row("description", May, Text(Plain, &[Cut(512, Bytes)]));
const PICTURE: Row = Row("picurl", May, Text(Picture, URL));

/// A mini program's page takes the place of the url.
const ARTICLE: Rows = &[
    TITLE,
    DESCRIPTION,
    Row("url", Unless("appid", 41010), Text(Web(45034), URL)),
    PICTURE,
    Row("appid", With("pagepath", NO_CODE), ANY),
    Row(
        "pagepath",
        With("appid", NO_CODE),
        Text(Plain, &[Most(128, Bytes, NO_CODE)]),
    ),
];

const MPNEWS: Rows = &[Row("articles", Must(NO_CODE), articles(MPARTICLE))];

/// 45002: the content, 45032: the author. The page says 666 K, as the SDKs that copy it do.
const MPARTICLE: Rows = &[
    TITLE,
    Row("thumb_media_id", Must(41006), ANY),
    Row(
        "content",
        Must(NO_CODE),
        Text(
            Plain,
            &[
                Most(666 * 1024, Bytes, 45002),
                Unsure(666_000, Bytes, MayRefuse(45002)),
            ],
        ),
    ),
    Row("author", May, Text(Plain, &[Most(64, Bytes, 45032)])),
    Row("content_source_url", May, Text(Link(40094), &[LONG_URL])),
    Row("digest", May, Text(Plain, &[Cut(512, Bytes)])),
];

/// 90201 to 90204: the items, a key, a value, the page. Source: SDKs that copy 90236.
const NOTICE: Rows = &[
    Row("appid", Must(NO_CODE), ANY),
    Row(
        "title",
        Must(NO_CODE),
        Text(Plain, &[Most(12, Chars, NO_CODE), Least(4, Chars)]),
    ),
    Row("page", May, Text(Plain, &[Most(1024, Bytes, 90204)])),
    Row(
        "description",
        May,
        Text(Plain, &[Most(12, Chars, NO_CODE), Least(4, Chars)]),
    ),
    Row("emphasis_first_item", May, Flag),
    Row(
        "content_item",
        May,
        Rule::List(List {
            min: 0,
            max: 10,
            code: 90201,
            unique: None,
            rows: &[
                Row("key", Must(90202), Text(Plain, &[Most(10, Chars, 90202)])),
                Row("value", Must(90203), Text(Plain, &[Most(30, Chars, 90203)])),
            ],
        }),
    ),
];

/// A robot refuses what an app's message loses: 40058.
const ROBOT_TEXT: Rows = &[
    Row(
        "content",
        Must(44004),
        Text(Plain, &[Most(TEXT_MAX, Bytes, 40058)]),
    ),
    Row("mentioned_list", May, Strings),
    Row("mentioned_mobile_list", May, Strings),
];

const ROBOT_MARKDOWN: Rows = &[Row(
    "content",
    Must(40058),
    Text(Plain, &[Most(ROBOT_MARKDOWN_MAX, Bytes, 40058)]),
)];

/// The picture itself is looked at before it becomes base64.
const ROBOT_IMAGE: Rows = &[
    Row("base64", Must(40058), ANY),
    Row("md5", Must(301_019), ANY),
];

const ROBOT_NEWS: Rows = &[Row(
    "articles",
    Must(NO_CODE),
    articles(&[
        TITLE,
        DESCRIPTION,
        Row("url", Must(41010), Text(Web(45034), URL)),
        PICTURE,
    ]),
)];
