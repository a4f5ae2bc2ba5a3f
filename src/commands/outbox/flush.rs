//! `outbox flush`: for a crontab, silent when there is nothing new to say.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use super::{Outboxes, unreadable};
use crate::clock::Stamp;
use crate::config;
use crate::delivery::{Bounds, Flush, Senders, Tally};
use crate::disk::Dir;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::log;
use crate::outbox::{self, Account, Clocks, Outbox};
use crate::output::{self, Output};

/// Pauses between the tries of `--wait` grow from the first to the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// How often a flush looks for what has come, or has left another's hands, meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Flushes every outbox, for `time`, or without it until all are empty.
pub(super) fn run(
    outboxes: &Outboxes<'_>,
    time: Option<Duration>,
    output: Output,
) -> anyhow::Result<Exit> {
    let deadline = time.map(|time| Instant::now() + time);
    allow_descriptors();
    tracing::info!(command = "outbox flush", wait = time.is_none(), "start");
    let mut whole = Tally::default();
    let mut unread = None;
    for state in &outboxes.places {
        let outbox = Outbox::of(state);
        let senders = Senders::of(outboxes.config, state);
        let bounds = Bounds {
            deadline,
            tries: usize::MAX,
            looks: usize::MAX,
            files: true,
        };
        let clocks = match outbox.open() {
            Ok(Some(dir)) => outbox::look_at_clocks(&dir, &Stamp::now()),
            _ => Clocks::default(),
        };
        let mut flush = Flush::new(&senders, &outbox, bounds).at(clocks);
        if let Err(error) = until_done(&mut flush, deadline) {
            unread.get_or_insert(unreadable(&outbox, &error));
            continue;
        }
        if let Ok(Some(dir)) = outbox.open() {
            outbox::tidy(&dir, &Stamp::now(), clocks.steady);
            let strange = outbox::junk(&dir).unwrap_or_default();
            flush.tally.strange.extend(strange);
            tell_of(&flush.tally, &dir, output);
        }
        whole.add(flush.tally);
        for dir in config::elsewhere(state) {
            let is_served = outboxes.places.iter().any(|place| place.is_at(&dir));
            if !is_served && has_entries(&dir) {
                let dir = dir.display();
                let line = say!(
                    "{dir}/outbox 里也有消息，而当前配置不用它：用 WXPUSH_STATE_DIR={dir} 补发它们",
                    "messages lie in {dir}/outbox too, which this config does not use: flush them with WXPUSH_STATE_DIR={dir}"
                );
                tell(&line, output.verbose > 0);
            }
        }
    }
    let exit = report(&whole, output)?;
    unread.map_or(Ok(exit), |failure| Err(failure.into()))
}

/// Takes as many descriptors as there may be: each text of a message that carries many is locked.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it stays as it is, fewer texts go together.
    let _ = setrlimit(Resource::Nofile, most);
}

/// Passes through the outbox until its time is up, or nothing is left that could go in it.
fn until_done(flush: &mut Flush<'_>, deadline: Option<Instant>) -> std::io::Result<()> {
    let mut pause = PAUSE_FIRST;
    loop {
        let before = flush.tally.delivered;
        flush.pass()?;
        let wait = deadline.is_none();
        // What is of other apps, or unreadable, no waiting delivers.
        if flush.tally.left == 0 && (!wait || flush.tally.busy == 0) {
            return Ok(());
        }
        if flush.tally.delivered > before {
            pause = PAUSE_FIRST;
        }
        let next = flush.next_in();
        let time = match (next, deadline) {
            (Some(next), Some(deadline)) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if next >= left {
                    return Ok(());
                }
                next
            }
            (None, Some(_)) => return Ok(()),
            (next, None) => {
                let mut time = next.unwrap_or(pause);
                if flush.tally.stopped.is_some() {
                    time = time.min(pause);
                    pause = (pause * 2).min(PAUSE_MAX);
                } else {
                    time = time.min(LOOK_AGAIN);
                    if flush.tally.busy > 0 {
                        time = time.min(PAUSE_FIRST);
                    }
                }
                flush.forgive();
                time
            }
        };
        std::thread::sleep(time.max(Duration::from_millis(20)));
    }
}

fn has_entries(dir: &std::path::Path) -> bool {
    let names = Dir::names_at(&dir.join("outbox")).unwrap_or_default();
    names.iter().any(|name| outbox::Id::parse(name).is_some())
}

/// Tells what no flush will ever deliver: to a person each time, to cron's mail once a day and when
/// it has changed.
fn tell_of(tally: &Tally, dir: &Dir, output: Output) {
    let others = tally.others.iter().map(|(sender, count)| {
        let profile = sender.profile.as_ref().map_or(String::new(), |profile| {
            let profile = config::value::shown(profile);
            say!("（profile {profile}）", " (profile {profile})")
        });
        let account = match &sender.account {
            Account::App(corpid) => format!("corpid {corpid}"),
            Account::Robot(name) => {
                let name = config::value::shown(name);
                say!("群机器人 {name}", "robot {name}")
            }
        };
        let base = &sender.api_base;
        say!(
            "发件箱里有 {count} 条不会发送：它们属于 {base} 的 {account}{profile}，当前配置里没有；wxpush outbox retry ID（或 --all）可改由当前配置发送",
            "{count} in the outbox stay unsent: they are for {account}{profile} at {base}, which this config does not have; wxpush outbox retry ID, or --all, readdresses them"
        )
    });
    let strange = tally.strange.iter().map(|name| {
        say!(
            "发件箱里有未处理的内容：{name}",
            "left alone in the outbox: {name}"
        )
    });
    let lines: Vec<String> = others.chain(strange).collect();
    let is_news = outbox::is_news(dir, &lines.join("\n"));
    let told = is_news || output.verbose > 0;
    for line in lines {
        tell(&line, told);
    }
}

/// Warns in the log, and on stderr where a person reads it, or in any case.
fn tell(line: &str, in_any_case: bool) {
    if in_any_case {
        tracing::warn!("{line}");
    } else {
        tracing::warn!(target: log::AT_TERMINAL, "{line}");
    }
}

fn report(tally: &Tally, output: Output) -> anyhow::Result<Exit> {
    let failure = failure(tally);
    if output.json {
        let others: usize = tally.others.values().sum();
        output::object(&json!({
            "delivered": tally.delivered, "failed": tally.failed, "expired": tally.expired,
            "left": tally.left, "busy": tally.busy, "others": others, "strange": tally.strange.len(),
            "error": failure.as_ref().map(|failure| &failure.what),
            "exit_code": failure.as_ref().map_or(0, |failure| failure.exit.code()),
        }))?;
    } else if output.is_talkative() {
        let Tally {
            delivered,
            failed,
            expired,
            left,
            ..
        } = tally;
        let lost = failed + expired;
        output::result(&say!(
            "已发送 {delivered} 条，剩余 {left} 条，放弃 {lost} 条",
            "{delivered} delivered, {left} left, {lost} given up"
        ))?;
    }
    let Some(failure) = failure else {
        return Ok(Exit::Sent);
    };
    // What goes on as before was told by the send: cron need not mail it every minute.
    if !output.json && (output::stderr_is_terminal() || output.verbose > 0) {
        return Err(failure.into());
    }
    tracing::info!(reason = failure.what, "messages stay");
    Ok(failure.exit)
}

/// Why messages are left; none if none is.
fn failure(tally: &Tally) -> Option<Failure> {
    let others: usize = tally.others.values().sum();
    let left = tally.left + tally.busy + others + tally.strange.len();
    if left == 0 {
        // What was given up has been told; the trouble is there still.
        return tally.stopped.clone();
    }
    if let Some(stopped) = &tally.stopped {
        let why = &stopped.what;
        let what = say!(
            "{left} 条留在发件箱：{why}",
            "{left} stay in the outbox: {why}"
        );
        return Some(Failure {
            what,
            ..stopped.clone()
        });
    }
    let (what, hint) = if let Some(held_up) = &tally.held_up {
        let why = &held_up.what;
        let what = say!(
            "{left} 条留在发件箱，之后重试，其他消息不受影响：{why}",
            "{left} stay in the outbox and are tried again later, while others go: {why}"
        );
        let hint = spoken().of(
            "wxpush outbox list 列出每条的原因和下次时间",
            "wxpush outbox list says why for each, and when it is tried again",
        );
        (what, hint)
    } else if tally.left > 0 {
        let what = say!(
            "{left} 条留在发件箱，排队等待发送",
            "{left} stay in the outbox and wait for their turn"
        );
        let hint = spoken().of(
            "企业微信限制每个成员每分钟收到的条数；wxpush outbox list 列出每条的预计时间",
            "WeCom limits the messages a minute to one member; wxpush outbox list says when each is due",
        );
        (what, hint)
    } else {
        let what = say!(
            "{left} 条留在发件箱：另一个 wxpush 正在发送，或属于别的应用，或不可读",
            "{left} stay in the outbox: another wxpush is sending them, they are for other apps, or cannot be read"
        );
        let hint = spoken().of(
            "wxpush outbox list 列出每条的情况",
            "wxpush outbox list says which is which",
        );
        (what, hint)
    };
    Some(Failure::new(Exit::NotNow, what).hint(hint))
}
