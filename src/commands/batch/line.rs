//! What a line of a batch means: the fields are the long options of `send`.

use std::ffi::OsString;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use super::fields::LineFields;
use crate::commands::intent::{Intent, IntentKind};
use crate::commands::recipients;
use crate::config::value::{self, shown};
use crate::error::Failure;
use crate::message::input::Input;
use crate::message::{Long, MediaKind, Recipients, TextKind};
use crate::text::batch as words;

/// The fields of a line.
const FIELDS: &[&str] = &[
    "id",
    "profile",
    "to",
    "party",
    "tag",
    "chat",
    "robot",
    "mention",
    "mention-mobile",
    "text",
    "title",
    "markdown",
    "markdown-v2",
    "image",
    "voice",
    "video",
    "file",
    "card",
    "news",
    "raw",
    "name",
    "url",
    "picture",
    "button",
    "long",
    "safe",
    "id-trans",
    "dedupe",
    "once",
    "urgent",
    "queue",
];

/// The fields that say of what kind a message is.
const KINDS: &[&str] = &[
    "markdown",
    "markdown-v2",
    "image",
    "voice",
    "video",
    "file",
    "card",
    "news",
    "raw",
];

/// The fields that exclude each other.
const APART: &[(&str, &str)] = &[
    ("chat", "to"),
    ("chat", "party"),
    ("chat", "tag"),
    ("robot", "to"),
    ("robot", "party"),
    ("robot", "tag"),
    ("robot", "chat"),
];

/// The fields that need another one.
const NEEDS: &[(&str, &str)] = &[
    ("mention", "robot"),
    ("mention-mobile", "robot"),
    ("markdown-v2", "robot"),
    ("card", "url"),
    ("news", "url"),
    ("picture", "news"),
    ("button", "card"),
];

/// A message as a line describes it.
pub(super) struct LineOrder {
    pub(super) profile: Option<String>,
    pub(super) robot: Option<String>,
    /// The recipients, if it names any.
    pub(super) to: Option<Recipients>,
    pub(super) intent: Intent,
    pub(super) text: Input,
    pub(super) once: Option<String>,
    pub(super) urgent: bool,
    pub(super) queue: bool,
}

/// Takes the id of a line: a string or a whole number, null if there is none.
///
/// # Errors
/// `Exit::Data` for all else, which the answer could not repeat as it was given.
pub(super) fn id(fields: &mut LineFields) -> Result<Value, Failure> {
    match fields.value("id") {
        None => Ok(Value::Null),
        Some(id) if id.is_string() || id.is_i64() || id.is_u64() => Ok(id),
        Some(_) => Err(words::not_id()),
    }
}

/// Returns the message of a line.
///
/// # Errors
/// `Exit::Data` or `Exit::Usage` if the fields are wrong or do not go together.
pub(super) fn order(mut fields: LineFields) -> Result<LineOrder, Failure> {
    fields.check(FIELDS)?;
    check_together(&fields)?;
    let robot = fields.text("robot")?;
    let chat = fields.text("chat")?;
    let lists = [
        fields.names("to")?,
        fields.names("party")?,
        fields.names("tag")?,
    ];
    let (kind, markdown) = kind(&mut fields)?;
    let text = match (fields.text("text")?, markdown) {
        (Some(_), Some(_)) => return Err(words::apart("text", kind.name())),
        (text, markdown) => text.or(markdown),
    };
    let intent = Intent {
        channel: recipients::channel_of(robot.as_deref(), chat.as_deref()),
        has_text: text.is_some(),
        kind,
        title: fields.text("title")?.map(OsString::from),
        mentions: [fields.names("mention")?, fields.names("mention-mobile")?],
        file_name: fields.text("name")?.map(OsString::from),
        url: fields.text("url")?,
        picture: fields.text("picture")?,
        button: fields.text("button")?.map(OsString::from),
        safe: fields.switch("safe")?,
        id_trans: fields.switch("id-trans")?,
        dedupe: dedupe(&mut fields)?,
        long: long(&mut fields)?,
        skip_empty: false,
        encoding: None,
    };
    intent.check()?;
    let once = fields.text("once")?;
    if once.as_deref() == Some("") {
        return Err(words::empty_field("once"));
    }
    let [user, party, tag] = &lists;
    Ok(LineOrder {
        profile: fields.text("profile")?,
        to: recipients::to_these([user, party, tag], chat.as_deref())?,
        robot,
        intent,
        text: Input::from_bytes(text.unwrap_or_default().as_bytes()),
        once,
        urgent: fields.switch("urgent")?,
        queue: fields.switch("queue")?,
    })
}

fn check_together(fields: &LineFields) -> Result<(), Failure> {
    let mut kinds = KINDS.iter().filter(|kind| fields.has(kind));
    if let (Some(one), Some(other)) = (kinds.next(), kinds.next()) {
        return Err(words::apart(one, other));
    }
    if let Some((one, other)) = APART
        .iter()
        .find(|(one, other)| fields.has(one) && fields.has(other))
    {
        return Err(words::apart(one, other));
    }
    match NEEDS
        .iter()
        .find(|(one, other)| fields.has(one) && !fields.has(other))
    {
        Some((one, other)) => Err(words::needs(one, other)),
        None => Ok(()),
    }
}

/// Takes the kind, and the text if it is in the same field.
fn kind(fields: &mut LineFields) -> Result<(IntentKind, Option<String>), Failure> {
    for (name, kind) in [
        ("image", MediaKind::Image),
        ("voice", MediaKind::Voice),
        ("video", MediaKind::Video),
        ("file", MediaKind::File),
    ] {
        let paths = fields.names(name)?;
        if !paths.is_empty() {
            let paths: Result<Vec<OsString>, Failure> = paths.into_iter().map(path).collect();
            return Ok((IntentKind::Media(kind, paths?), None));
        }
    }
    for (name, kind) in [
        ("markdown", TextKind::Markdown),
        ("markdown-v2", TextKind::MarkdownV2),
    ] {
        if fields.has(name) {
            let text = match fields.value(name) {
                Some(Value::String(text)) => Some(text),
                Some(Value::Bool(_)) => None,
                _ => return Err(words::not_text(name)),
            };
            return Ok((IntentKind::Text(kind), text));
        }
        fields.switch(name)?;
    }
    match fields.value("raw") {
        Some(Value::Object(message)) => return Ok((IntentKind::Raw(message), None)),
        Some(Value::String(file)) => return Ok((IntentKind::RawFile(path(file)?), None)),
        Some(_) => return Err(words::not_object_or_file("raw")),
        None => {}
    }
    let kind = match (fields.switch("card")?, fields.switch("news")?) {
        (true, _) => IntentKind::Textcard,
        (_, true) => IntentKind::News,
        _ => IntentKind::Text(TextKind::Text),
    };
    Ok((kind, None))
}

/// Checks that a path leads to a file: the input is the batch's own, and a pipe would hold up all
/// other lines.
fn path(path: String) -> Result<OsString, Failure> {
    let is_special = std::fs::metadata(&path).is_ok_and(|it| !it.is_file() && !it.is_dir());
    if path == "-" || is_special {
        return Err(words::no_file(shown(&path)));
    }
    Ok(path.into())
}

fn long(fields: &mut LineFields) -> Result<Long, Failure> {
    let Some(text) = fields.text("long")? else {
        return Ok(Long::Auto);
    };
    Long::from_str(&text, false).map_err(|_| {
        let known = Long::value_variants().iter();
        let known = known.filter_map(ValueEnum::to_possible_value);
        let known: Vec<String> = known.map(|it| it.get_name().to_owned()).collect();
        words::not_one_of("long", known.join(", "))
    })
}

fn dedupe(fields: &mut LineFields) -> Result<Option<Duration>, Failure> {
    match fields.value("dedupe") {
        None => Ok(None),
        Some(Value::Number(seconds)) if seconds.as_u64().is_some_and(|it| it > 0) => {
            Ok(seconds.as_u64().map(Duration::from_secs))
        }
        Some(Value::String(text)) => {
            let time = value::duration(&text);
            time.map(Some).map_err(|_| words::not_duration("dedupe"))
        }
        Some(_) => Err(words::not_duration("dedupe")),
    }
}
