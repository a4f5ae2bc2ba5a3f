//! The messages about waiting entries and their flush.

use std::path::PathBuf;
use std::time::Duration;

use super::list;
use crate::cron::FlushSource;
use crate::duration::show;
use crate::error::{Exit, Failure};
use crate::text::cron::place;

/// The contents of an outbox.
#[derive(Debug)]
pub(crate) struct Backlog {
    pub(crate) path: PathBuf,
    pub(crate) count: usize,
    /// The time that the oldest entry has waited.
    pub(crate) oldest: Duration,
    /// The reason why its last try failed.
    pub(crate) why: Option<String>,
    /// The number of failed entries.
    pub(crate) failed: usize,
    /// The number of oldest entries whose app or robot is not in the config.
    pub(crate) strange: usize,
}

/// The evidence that something flushes the outbox.
#[derive(Debug)]
pub(crate) enum FlushSeen {
    /// A flush ran this long ago.
    Recently(Duration),
    /// A flush is set up.
    SetUp(FlushSource),
    /// A flush is set up for a cron that is not running.
    NoCron(FlushSource),
    /// None is set up; `timer` if there is no cron, but a systemd timer could be set up.
    Nothing { timer: bool },
}

/// Returns the message about an outbox, with a hint to the reasons.
pub(crate) fn outbox(backlog: &Backlog) -> Failure {
    let path = backlog.path.display();
    let mut words = vec![match backlog.count {
        0 => nothing_waits(path),
        count => waiting(path, count, show(backlog.oldest)),
    }];
    if backlog.failed > 0 {
        words.push(given_up(backlog.failed));
    }
    if backlog.strange > 0 {
        words.push(of_other_apps(backlog.strange));
    }
    let why = backlog.why.iter().map(|why| format!("{why}\n"));
    Failure::new(Exit::NotNow, list(&words)).hint(why.collect::<String>() + &see_list())
}

/// Returns the message about the flush; proposes `command` if there is none.
pub(crate) fn flush(seen: &FlushSeen, command: &str) -> Failure {
    match seen {
        FlushSeen::Recently(age) => Failure::new(Exit::Sent, ran(show(*age))),
        FlushSeen::SetUp(source) => Failure::new(Exit::Sent, set_up(place(source))),
        FlushSeen::NoCron(source) => no_cron(place(source)),
        FlushSeen::Nothing { timer: false } => no_flush(command),
        FlushSeen::Nothing { timer: true } => no_timer(),
    }
}

texts! {
    no_messages(path) = "{path}，空的", "{path}, empty";
    nothing_waits(path) = "{path}，没有待发的消息", "{path}, nothing waits";
    waiting(path, count, age) = "{path}，{count} 条待发，最早的已等 {age}", "{path}, {count} waiting, the oldest for {age}";
    given_up(count) = "{count} 条已放弃", "{count} given up";
    of_other_apps(count) = "{count} 条属于别的应用，不会发出", "{count} of other apps, which do not go out";
    see_list() = "看原因：wxpush outbox list；放弃的和别的应用的，用 wxpush outbox retry 重发", "see why: wxpush outbox list; to send what was given up, or is of another app: wxpush outbox retry";
    ran(age) = "{age}前运行过 outbox flush", "the last outbox flush ran {age} ago";
    set_up(place) = "{place} 里有 outbox flush", "{place} has outbox flush";
}

failures! {
    no_outbox(path, error) => State,
        "{path} 不能用：{error}", "{path} cannot be used: {error}",
        "它必须是运行 wxpush 的用户自己的目录", "it must be a directory of the user who runs wxpush, and of nobody else";
    no_cron(place) => NotNow,
        "{place} 里有 outbox flush，但没有看到 cron 在运行", "{place} has outbox flush, but no cron is seen to run",
        "启动 cron：systemctl enable --now cron（或 crond）；容器里要自己启动它",
        "start it: systemctl enable --now cron (or crond); in a container it must be started by hand";
    no_flush(command) => NotNow,
        "没有，留在发件箱的消息要等下一次 send 才会发出", "none found: what is kept goes out only with the next send",
        "在 crontab -e 里加一行：* * * * * {command}", "add this line by crontab -e: * * * * * {command}";
    no_timer() => NotNow,
        "没有，留在发件箱的消息要等下一次 send 才会发出", "none found: what is kept goes out only with the next send",
        "这台机器没有 cron：再运行一次 wxpush init，填同样的值，它会设置一个 systemd 定时器",
        "this host has no cron: run wxpush init again with the same answers, and it sets up a systemd timer";
    limits(minute, per_minute, hour, per_hour) => NotNow,
        "每人最近一分钟 {minute} 条（上限 {per_minute}），最近一小时 {hour} 条（上限 {per_hour}）",
        "to one member {minute} of {per_minute} in the last minute, {hour} of {per_hour} in the last hour",
        "下一条要等有空位时才发，wxpush 会自己等", "the next one waits for its slot, by itself";
}
