//! What waits to be delivered, whether anything will, and how much room WeCom's limits leave.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::Local;

use super::super::schedule::{self, Flush};
use super::files::no_outbox;
use super::history::{self, flushes_of_last_hour};
use super::report::Report;
use crate::config::{Account, Config, State};
use crate::delivery::{Sender, Senders};
use crate::disk::{self, Dir};
use crate::error::Exit;
use crate::lang::{say, spoken};
use crate::ledger::Receivers;
use crate::message::Channel;
use crate::outbox::{self, Id, Outbox};
use crate::token::seconds;

/// Largest log that is searched, in bytes: past its cap it is set aside.
const LOG_MAX: u64 = 64 << 20;

/// How many flushes of the last hour in the log count as a habit: one may be a person's.
const HABIT: usize = 2;

/// With a flush every minute, what has waited for longer has a reason, in seconds.
const LONG: u64 = 600;

/// Most entries whose sender is looked at.
const LOOKS: usize = 200;

/// Every outbox of the config, and whether it is delivered.
pub(super) fn outboxes(config: &Config, state: Option<&State>, report: &mut Report) {
    let mut waits = false;
    let mut is_any = false;
    for place in config.states().into_iter().flatten() {
        is_any = true;
        match Outbox::of(&place).open() {
            Ok(None) => {
                let path = place.file("outbox");
                let path = path.display();
                report.fine(
                    "outbox",
                    say!("发件箱：{path}，空的", "outbox: {path}, empty"),
                );
            }
            Ok(Some(dir)) => waits |= outbox(config, &place, &dir, report),
            // The one in force has been told already.
            Err(error) if state.is_none_or(|state| !state.is(&place)) => {
                no_outbox(&place.file("outbox"), &error, report);
            }
            Err(_) => {}
        }
    }
    if is_any {
        flush(config, state, waits, report);
    }
}

/// How many of the oldest entries are of apps or robots that the config of the day does not have.
fn strangers(config: &Config, place: &State, dir: &Dir, waiting: &BTreeSet<Id>) -> usize {
    let senders = Senders::of(config, place);
    let entries = waiting.iter().take(LOOKS).filter_map(|id| {
        let (entry, _) = outbox::peek(dir, id).ok()??.ok()?;
        Some(entry.sender)
    });
    entries.filter(|name| senders.get(name).is_none()).count()
}

/// One outbox; whether anything waits in it.
fn outbox(config: &Config, place: &State, dir: &Arc<Dir>, report: &mut Report) -> bool {
    let path = dir.path().display();
    let count = |dir: &Dir| outbox::oldest(dir, None, usize::MAX).unwrap_or_default();
    let waiting = count(dir);
    let failed = outbox::failed(dir).ok().flatten();
    let failed = failed.map_or(0, |failed| count(&failed).len());
    let (now, waits) = (SystemTime::now(), waiting.len());
    let since = |id: &Id| now.duration_since(id.accepted()?).ok();
    let oldest = waiting
        .first()
        .and_then(since)
        .unwrap_or_default()
        .as_secs();
    let age = seconds(oldest);
    let mut what = match waits {
        0 => say!(
            "发件箱：{path}，没有待发的消息",
            "outbox: {path}, nothing waits"
        ),
        _ => say!(
            "发件箱：{path}，{waits} 条待发，最早的已等 {age}",
            "outbox: {path}, {waits} waiting, the oldest for {age}"
        ),
    };
    if failed > 0 {
        what += &say!("，{failed} 条已放弃", ", {failed} given up");
    }
    let strange = strangers(config, place, dir, &waiting);
    if strange > 0 {
        what += &say!(
            "，{strange} 条属于别的应用，不会发出",
            ", {strange} of other apps, which do not go out"
        );
    }
    if oldest < LONG && failed == 0 && strange == 0 {
        report.fine("outbox", what);
    } else {
        let tried = waiting
            .first()
            .and_then(|id| outbox::peek(dir, id).ok()??.ok());
        let why = tried.and_then(|(_, attempts)| attempts.error);
        let why = why.map_or(String::new(), |why| format!("{why}\n"));
        let hint = say!(
            "{why}看原因：wxpush outbox list；放弃的和别的应用的，用 wxpush outbox retry 重发",
            "{why}see why: wxpush outbox list; what was given up, or is of another app, goes out by wxpush outbox retry"
        );
        report.doubt("outbox", what, hint);
    }
    waits > 0
}

/// How the last delivery ended, as the log has it.
fn last(log: &str, report: &mut Report) {
    let Some(last) = history::last(log, Local::now()) else {
        return;
    };
    let (command, age, exit) = (last.command, seconds(last.age), last.exit);
    let what = say!(
        "最近一次投递：{age}前的 {command}，退出码 {exit}",
        "last delivery: {command}, {age} ago, exit code {exit}"
    );
    match last.error {
        Some(error) if exit != 0 => report.doubt("last_delivery", what, error),
        _ => report.fine("last_delivery", what),
    }
}

/// Whether anything delivers by itself.
fn flush(config: &Config, state: Option<&State>, waits: bool, report: &mut Report) {
    let log = state.and_then(|state| {
        let (path, _) = crate::log::seen(&config.base(), Some(state))?;
        disk::read(&path, LOG_MAX, state.owner()).ok()?
    });
    let log = String::from_utf8_lossy(log.as_deref().unwrap_or_default()).into_owned();
    last(&log, report);
    let line = config.flush_command();
    let line = format!("* * * * * {line}");
    let found = schedule::flush();
    let habit = flushes_of_last_hour(&log, Local::now());
    let what = match &found {
        Some(Flush::Cron(place)) if schedule::has_cron() == Some(false) => {
            let what = say!(
                "定时投递：{place} 里有 outbox flush，但没有看到 cron 在运行",
                "flush: {place} has outbox flush, but no cron is seen to run"
            );
            let hint = spoken().of(
                "启动 cron：systemctl enable --now cron（或 crond）；容器里要自己启动它",
                "start it: systemctl enable --now cron (or crond); in a container it must be started by hand",
            );
            return report.doubt("flush", what, hint);
        }
        Some(Flush::Cron(place)) => say!(
            "定时投递：{place} 里有 outbox flush",
            "flush: {place} has outbox flush"
        ),
        Some(Flush::Timer(timer)) => say!(
            "定时投递：systemd 的 {timer}",
            "flush: by systemd's {timer}"
        ),
        None if habit >= HABIT => say!(
            "定时投递：日志里最近一小时有 {habit} 次 outbox flush",
            "flush: {habit} times in the last hour, by the log"
        ),
        None if waits => {
            let what = say!(
                "定时投递：没有，待发的消息要等下一次 send 才会发出",
                "flush: none in sight, what waits goes out only with the next send"
            );
            let hint = say!(
                "在 crontab -e 里加一行：{line}",
                "add this line by crontab -e: {line}"
            );
            return report.cross("flush", Exit::NotNow, what, hint);
        }
        None => {
            let what = say!(
                "定时投递：没有，断网时留下的消息要等下一次 send 才会发出",
                "flush: none in sight, what is kept would go out only with the next send"
            );
            let hint = say!(
                "建议在 crontab -e 里加一行：{line}",
                "better add this line by crontab -e: {line}"
            );
            return report.doubt("flush", what, hint);
        }
    };
    report.fine("flush", what);
}

/// How much the receivers of the config have been sent, beside the limits.
pub(super) fn ledger(config: &Config, state: Option<&State>, report: &mut Report) {
    let Ok(settings) = config.settings(None) else {
        return;
    };
    if state.is_none() || !matches!(settings.account, Account::App(_)) {
        return;
    }
    let (to, limits) = (settings.to.clone(), settings.limits);
    let Ok(sender) = Sender::new(settings, state) else {
        return;
    };
    let users = to.touser.join("|");
    let has_others = !to.toparty.is_empty() || !to.totag.is_empty();
    let receivers = Receivers::of(Some(&users), has_others);
    // A file that cannot be read has been told.
    let Some(forecast) = sender.forecast(Channel::App) else {
        return;
    };
    let [minute, hour] = forecast.taken(&receivers);
    let (per_minute, per_hour) = (limits.per_minute, limits.per_hour);
    let what = say!(
        "频率：每人最近一分钟 {minute} 条（上限 {per_minute}），最近一小时 {hour} 条（上限 {per_hour}）",
        "limits: to one member {minute} of {per_minute} in the last minute, {hour} of {per_hour} in the last hour"
    );
    let is_full = |taken: usize, limit: u32| taken as u64 >= u64::from(limit);
    if is_full(minute, per_minute) || is_full(hour, per_hour) {
        let hint = spoken().of(
            "下一条要等有空位时才发，wxpush 会自己等",
            "the next one waits for its slot; wxpush sees to that",
        );
        report.doubt("ledger", what, hint);
    } else {
        report.fine("ledger", what);
    }
}
