//! `outbox list` and `outbox show`: what lies there, for a person and for a script.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, SecondsFormat};
use serde::Serialize;
use serde_json::json;

use super::{Outboxes, Place};
use crate::clock::Stamp;
use crate::config::State;
use crate::delivery::{Senders, receivers};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::ledger::{Forecast, Share};
use crate::message::Channel;
use crate::outbox::{self, Account, Attempts, Entry, Id, On, SenderName, Unread, Verdict};
use crate::output::{self, Output};

/// A message that is due sooner waits for nothing but the next flush.
const SOON: Duration = Duration::from_secs(2);

/// One message as a script sees it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    /// `waiting`, `failed`, `other-app`, or `unreadable`.
    status: &'static str,
    accepted: Option<String>,
    profile: Option<String>,
    corpid: Option<String>,
    robot: Option<String>,
    api_base: Option<String>,
    to: Option<String>,
    /// The same for a person.
    #[serde(skip)]
    whom: Option<String>,
    msgtype: Option<String>,
    text: Option<String>,
    parts: usize,
    /// Parts that WeCom has accepted.
    sent: usize,
    tries: u32,
    /// When it will be sent, if a flush runs then.
    due: Option<String>,
    /// What it waits for: `app`, `entry` (its own back-off), `slot`, or nothing.
    waits_for: Option<&'static str>,
    /// The entry that carries its text, with others.
    merged_into: Option<String>,
    /// Whether it may have arrived already.
    in_doubt: bool,
    error: Option<String>,
    hint: Option<String>,
    errcode: Option<i64>,
    failed_at: Option<String>,
}

/// Lists everything: a message a line.
pub(super) fn list(outboxes: &Outboxes<'_>, output: Output) -> anyhow::Result<Exit> {
    let (waiting, failed) = outboxes.all()?;
    let mut due = Due::new(outboxes);
    for place in waiting.iter().chain(&failed) {
        let Some((shown, _)) = look(place, &mut due) else {
            continue;
        };
        if output.json {
            output::object(&shown)?;
        } else {
            line(&shown)?;
        }
    }
    let is_empty = waiting.is_empty() && failed.is_empty();
    if is_empty && output.is_talkative() {
        output::result(spoken().of(
            "没有等待的消息，也没有失败的",
            "nothing waits, and nothing has failed",
        ))?;
    }
    for (_, dir) in outboxes.opened()? {
        for name in outbox::junk(&dir).unwrap_or_default() {
            let path = dir.path().join(name);
            let path = path.display();
            output.note(&say!(
                "{path} 不是 wxpush 的，不处理",
                "{path} does not belong to wxpush and is left alone"
            ));
        }
    }
    Ok(Exit::Sent)
}

/// Shows one message with its whole text.
pub(super) fn show(outboxes: &Outboxes<'_>, id: &str, output: Output) -> anyhow::Result<Exit> {
    let place = outboxes.named(id)?;
    let mut due = Due::new(outboxes);
    let id = &place.id;
    let gone = || {
        let what = say!("{id} 刚刚离开了发件箱", "{id} has just left the outbox");
        Failure::new(Exit::Data, what)
    };
    let (shown, entry) = look(&place, &mut due).ok_or_else(gone)?;
    let posts = entry.map_or(Vec::new(), |entry| entry.posts);
    if output.json {
        let mut object = serde_json::to_value(&shown)?;
        let requests = posts.iter().map(|post| {
            let file = post.attachment.as_ref();
            let file = file.map(
                |file| json!({"type": file.kind, "name": file.name, "bytes": file.bytes.len()}),
            );
            json!({"call": post.call, "body": post.value(), "file": file})
        });
        object["requests"] = requests.collect();
        output::object(&object)?;
        return Ok(Exit::Sent);
    }
    line(&shown)?;
    for (zh, en, value) in [
        ("存入时间", "accepted", &shown.accepted),
        ("profile", "profile", &shown.profile),
        ("corpid", "corpid", &shown.corpid),
        ("群机器人", "robot", &shown.robot),
        ("api_base", "api_base", &shown.api_base),
        ("失败时间", "failed", &shown.failed_at),
        ("怎么办", "to do", &shown.hint),
    ] {
        if let Some(value) = value {
            output::result(&say!("    {zh}：{value}", "    {en}: {value}"))?;
        }
    }
    for (at, post) in posts.iter().enumerate() {
        let sent = if at < shown.sent {
            spoken().of("，已发送", ", sent")
        } else {
            ""
        };
        let (part, parts) = (at + 1, shown.parts);
        output::result(&say!(
            "--- 第 {part} 段，共 {parts} 段{sent}",
            "--- part {part} of {parts}{sent}"
        ))?;
        let text = match &post.attachment {
            Some(file) => {
                let (name, kind, size) = (&file.name, &file.kind, file.bytes.len());
                say!(
                    "{name}（{kind}，{size} 字节）",
                    "{name} ({kind}, {size} bytes)"
                )
            }
            None => post.text().unwrap_or_default(),
        };
        for line in text.lines() {
            output::result(line)?;
        }
    }
    Ok(Exit::Sent)
}

/// A line for a person, and one below it for what went wrong.
fn line(shown: &Shown) -> Result<(), Failure> {
    let status = match shown.status {
        "waiting" => spoken().of("等待", "waiting"),
        "failed" => spoken().of("失败", "failed"),
        "other-app" => spoken().of("其他应用", "other-app"),
        _ => spoken().of("无法读取", "unreadable"),
    };
    let mut words = vec![shown.id.clone(), status.to_owned()];
    if let Some(due) = &shown.due {
        words.push(say!("预计 {due}", "due {due}"));
    }
    if let Some(what) = &shown.waits_for {
        words.push(waits(what));
    }
    if let Some(id) = &shown.merged_into {
        words.push(say!("并入 {id}", "merged into {id}"));
    }
    if let Some(whom) = &shown.whom {
        words.push(say!("发给 {whom}", "to {whom}"));
    }
    if shown.parts > 1 {
        let (part, parts) = ((shown.sent + 1).min(shown.parts), shown.parts);
        words.push(say!(
            "第 {part} 段，共 {parts} 段",
            "part {part} of {parts}"
        ));
    }
    if shown.tries > 0 {
        let tries = shown.tries;
        words.push(say!("已试 {tries} 次", "tries {tries}"));
    }
    if let Some(text) = &shown.text {
        let first = text.lines().next().unwrap_or_default();
        words.push(first.chars().take(60).collect());
    }
    output::result(&words.join("  "))?;
    let doubt = shown
        .in_doubt
        .then(|| spoken().of("可能已送达", "may have arrived"));
    match (doubt, &shown.error) {
        (Some(doubt), Some(error)) => {
            output::result(&say!("    {doubt}：{error}", "    {doubt}: {error}"))?;
        }
        (Some(line), None) => output::result(&format!("    {line}"))?,
        (None, Some(line)) => output::result(&format!("    {line}"))?,
        (None, None) => {}
    }
    Ok(())
}

fn look(place: &Place<'_>, due: &mut Due<'_>) -> Option<(Shown, Option<Entry>)> {
    let dir = place.failed.as_ref().unwrap_or(&place.dir);
    let verdict = place
        .failed
        .as_ref()
        .map(|failed| outbox::verdict(failed, &place.id));
    match outbox::peek(dir, &place.id) {
        Ok(None) => None,
        Ok(Some(Ok((entry, attempts)))) => {
            let merged = entry.merged.iter();
            due.merged
                .extend(merged.map(|it| (it.id.clone(), place.id.clone())));
            let shown = shown(place, &entry, attempts, verdict, due);
            Some((shown, Some(entry)))
        }
        Ok(Some(Err(Unread::Newer))) => {
            let why = spoken().of("由更新版本的 wxpush 写入", "a newer wxpush wrote it");
            Some((strange(place, why), None))
        }
        Ok(Some(Err(Unread::Damaged))) => {
            let why = spoken().of("已损坏", "it is damaged");
            Some((strange(place, why), None))
        }
        Err(error) => Some((strange(place, &error.to_string()), None)),
    }
}

fn shown(
    place: &Place<'_>,
    entry: &Entry,
    attempts: Attempts,
    verdict: Option<Verdict>,
    due: &mut Due<'_>,
) -> Shown {
    let next = entry.posts.get(attempts.sent).unwrap_or(&entry.posts[0]);
    let mut unusable = None;
    let (status, at) = match &verdict {
        Some(_) => ("failed", None),
        None => match due.of(place.state, entry, &attempts) {
            Ok(Some(at)) => ("waiting", Some(at)),
            Ok(None) => ("other-app", None),
            // Its profile cannot be used; the others are of interest all the same.
            Err(failure) => {
                unusable = Some(failure.what);
                ("waiting", None)
            }
        },
    };
    let (corpid, robot) = match entry.sender.account.clone() {
        Account::App(corpid) => (Some(corpid), None),
        Account::Robot(name) => (None, Some(name)),
    };
    let verdict = verdict.unwrap_or_default();
    let whom = match &robot {
        Some(name) => say!("群机器人 {name}", "robot {name}"),
        None => next.envelope().said(spoken()),
    };
    let error = Some(verdict.error).filter(|error| !error.is_empty());
    Shown {
        id: place.id.to_string(),
        status,
        accepted: Some(time(entry.accepted.time())),
        profile: entry.sender.profile.clone(),
        corpid,
        robot: robot.clone(),
        api_base: Some(entry.sender.api_base.clone()),
        whom: Some(whom),
        to: Some(robot.map_or(next.envelope().describe(), |name| format!("robot {name}"))),
        msgtype: Some(next.msgtype()),
        text: next.text(),
        parts: entry.posts.len(),
        sent: attempts.sent,
        tries: attempts.tries,
        waits_for: waits_for(&attempts, at),
        merged_into: due.merged.get(&place.id).map(Id::to_string),
        due: at.map(time),
        in_doubt: attempts.doubt.is_some(),
        error: error.or(unusable).or(attempts.error),
        hint: verdict.hint,
        errcode: verdict.errcode,
        failed_at: verdict.at.map(|at| time(at.time())),
    }
}

/// What keeps a message from going now: its own back-off, a call, the app, or a slot.
fn waits_for(attempts: &Attempts, due: Option<SystemTime>) -> Option<&'static str> {
    let due = due?;
    let held = attempts.hold.map(|hold| hold.on);
    match held.or(attempts.blocked_by) {
        Some(On::App) => Some("app"),
        Some(On::Call) => Some("call"),
        Some(On::Entry) => Some("entry"),
        None => (due > SystemTime::now() + SOON).then_some("slot"),
    }
}

/// The same for a person.
fn waits(what: &str) -> String {
    let (zh, en) = match what {
        "app" => ("等应用恢复", "waits for the app"),
        "call" => ("等该接口恢复", "waits for its call"),
        "entry" => ("自己退避中", "paused"),
        _ => ("等发送名额", "waits for a slot"),
    };
    spoken().of(zh, en).to_owned()
}

fn strange(place: &Place<'_>, why: &str) -> Shown {
    Shown {
        id: place.id.to_string(),
        status: "unreadable",
        accepted: None,
        profile: None,
        corpid: None,
        robot: None,
        api_base: None,
        to: None,
        whom: None,
        msgtype: None,
        text: None,
        parts: 0,
        sent: 0,
        tries: 0,
        due: None,
        waits_for: None,
        merged_into: None,
        in_doubt: false,
        error: Some(why.to_owned()),
        hint: None,
        errcode: None,
        failed_at: None,
    }
}

/// A moment for people and scripts: local time with its offset.
fn time(at: SystemTime) -> String {
    DateTime::<Local>::from(at).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// When each message of the backlog will be sent, as the ledger foresees it.
struct Due<'a> {
    senders: Vec<(&'a State, Senders<'a>)>,
    forecasts: BTreeMap<(SenderName, Option<Channel>), Option<Forecast>>,
    /// Entries by those whose texts they carry.
    merged: BTreeMap<Id, Id>,
}

impl<'a> Due<'a> {
    fn new(outboxes: &'a Outboxes<'a>) -> Self {
        let senders = outboxes
            .places
            .iter()
            .map(|state| (state, Senders::of(outboxes.config, state)));
        Self {
            senders: senders.collect(),
            forecasts: BTreeMap::new(),
            merged: BTreeMap::new(),
        }
    }

    /// None if the config of the day does not have its sender.
    fn of(
        &mut self,
        state: &State,
        entry: &Entry,
        attempts: &Attempts,
    ) -> Result<Option<SystemTime>, Failure> {
        let senders = self.senders.iter().find(|(place, _)| place.is(state));
        let Some(sender) = senders.and_then(|(_, senders)| senders.get(&entry.sender)) else {
            return Ok(None);
        };
        let sender = sender?;
        let channel = entry.posts[0].channel();
        let forecast = self
            .forecasts
            .entry((entry.sender.clone(), channel))
            .or_insert_with(|| sender.forecast(channel));
        let left = attempts.hold.and_then(|hold| hold.left(&Stamp::now()));
        let from = SystemTime::now() + left.unwrap_or_default();
        let Some(forecast) = forecast else {
            return Ok(Some(from));
        };
        let mut last = from;
        for post in entry.posts.iter().skip(attempts.sent) {
            last = forecast.next(&receivers(post), Share::Backlog, last);
        }
        Ok(Some(last))
    }
}
