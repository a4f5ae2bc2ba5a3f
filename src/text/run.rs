//! The messages of `run`, including its report on the phone.

use std::time::Duration;

use crate::duration::parts;
use crate::error::{Exit, Failure};
use crate::lang::Lang;

/// Returns the failure that the command could not be run, by its exit code; the program may be a whole
/// line in one word.
pub(crate) fn not_started(
    program: &str,
    is_line: bool,
    error: &dyn std::fmt::Display,
    code: u8,
) -> Failure {
    let hint = match code {
        127 if is_line => part_words(),
        127 => look_at_path(),
        _ => make_executable(),
    };
    Failure::new(Exit::Command(code), cannot_run(program, error)).hint(hint)
}

/// Returns the message that the command was ended at its time limit.
pub(crate) fn ended_by_limit(program: &str, killed: bool) -> String {
    not_ended_within_limit(program, signal_of(killed))
}

/// Returns the signal that ended a command at its limit.
pub(crate) fn signal_of(killed: bool) -> &'static str {
    if killed { "SIGKILL" } else { "SIGTERM" }
}

/// Returns what is said of a recovery; how long the failure lasted, unless it was within a second.
pub(crate) fn recovery(lang: Lang, count: u64, time: Duration) -> String {
    let failures = match count {
        1 => one_failure(lang),
        _ => failures(lang, count),
    };
    if time < Duration::from_secs(1) {
        return recovered_at_once(lang, failures);
    }
    recovered(lang, length(lang, time), failures)
}

/// Returns a duration in words.
fn length(lang: Lang, time: Duration) -> String {
    let unit = |(count, unit)| match unit {
        'd' => days(lang, count),
        'h' => hours(lang, count),
        'm' => minutes(lang, count),
        _ => seconds(lang, count),
    };
    let time: Vec<String> = parts(time).into_iter().map(unit).collect();
    time.join(" ")
}

/// Returns what is said of a job that runs again.
pub(crate) fn runs_again(lang: Lang, late: Duration) -> String {
    back(lang, length(lang, late))
}

texts! {
    no_report() =
        "命令照常运行，但不会有报告", "the command runs all the same, but there will be no report";
    cannot_run(program, error) = "{program} 无法运行：{error}", "{program} cannot be run: {error}";
    look_at_path() =
        "写出它的路径，或检查 PATH：cron 的 PATH 很短",
        "give its path, or look at PATH: cron's is short";
    part_words() =
        "命令和参数要分开写，不要放在同一对引号里",
        "give the command and its arguments as words of their own, not in one pair of quotes";
    make_executable() =
        "确认它是程序，并且可执行：chmod +x",
        "check that it is a program, and executable: chmod +x";
    not_ended_within_limit(program, signal) =
        "{program} 没有在 --limit 内结束，已用 {signal} 终止",
        "{program} was ended by {signal}: it had not ended within --limit";
    not_watched(error) =
        "无法记下这次运行，漏跑了不会报警：{error}",
        "cannot record this run, so a missing one is not reported: {error}";
    nobody_looks(command) =
        "没有定时的 outbox flush，漏跑了没人发现：在 crontab -e 里加一行 * * * * * {command}",
        "nothing runs outbox flush, so a missing run goes unnoticed: add * * * * * {command} by crontab -e";
    job_untold(name, why) =
        "{name} 没有按时运行或一直失败，但报警发不出去：{why}",
        "{name} did not run in time or keeps failing, but its alarm cannot be sent: {why}";
    jobs_unreadable(error) =
        "无法读取 run --every 监视的任务：{error}",
        "the jobs that run --every watches cannot be read: {error}";
    streak_unknown(error) =
        "无法得知该命令之前失败过几次：{error}",
        "cannot read how often the command has failed before: {error}";
}

failures! {
    json_useless() => Usage,
        "run 自己没有结果：stdout 是命令的", "run has no result of its own: stdout is the command's",
        "去掉 --json", "leave out --json";
    after_without_failures() => Usage,
        "--after 数的是失败次数，而 --on success 不报告失败",
        "--after counts failures, and --on success reports none",
        "去掉其中一个", "leave one of them out";
}

phone_texts! {
    output_cut() = "…（前面的输出已省略）", "… (earlier output left out)";
    head(mark, title, host, status) =
        "{mark} {title} @ {host}\n{status}", "{mark} {title} on {host}\n{status}";
    head_after(mark, title, host, status, time) =
        "{mark} {title} @ {host}\n{status}，历时 {time}",
        "{mark} {title} on {host}\n{status} after {time}";
    succeeded() = "成功", "succeeded";
    failed(code) = "失败，退出码 {code}", "failed with exit code {code}";
    bracketed(name) = "（{name}）", " ({name})";
    killed(signal, name) = "被信号 {signal}{name}终止", "killed by signal {signal}{name}";
    killed_with_core(signal, name) =
        "被信号 {signal}{name}终止，有 core dump", "killed by signal {signal}{name}, core dumped,";
    past_limit(limit, signal) =
        "超过时限 {limit}，已用 {signal} 终止", "past its limit of {limit}, ended by {signal}";
    output_lost(error) =
        "输出写不出去（{error}）", "could not write its output ({error}),";
    complained() =
        "退出码 0，但 stderr 有输出", "exit code 0, but wrote to stderr,";
    lingered(signal) =
        "收到 {signal} 没有结束，wxpush 随后被强制终止",
        "had not ended on {signal} when wxpush was killed,";
    no_such_command() =
        "无法启动：找不到命令（127）", "could not start: no such command (127)";
    could_not_start(error, code) =
        "无法启动：{error}（{code}）", "could not start: {error} ({code})";
    failures_in_a_row(count) = "连续失败 {count} 次", "{count} failures in a row";
    failures_of_other_kind(count) =
        "连续失败 {count} 次，和上次汇报的情况不同",
        "{count} failures in a row, and not as last reported";
    not_run(title, host, started, due) =
        "⏰ {title} @ {host}\n没有按时运行：上次开始于 {started}，应在 {due} 前再次开始",
        "⏰ {title} on {host}\ndid not run: last started {started}, due again by {due}";
    still_running(title, host, started, due) =
        "⏰ {title} @ {host}\n还没有结束：{started} 开始，应在 {due} 前再次开始",
        "⏰ {title} on {host}\nis still running: started {started}, due again by {due}";
    still_failing(title, host, count, since) =
        "❌ {title} @ {host}\n一直失败：{since} 起连续 {count} 次",
        "❌ {title} on {host}\nkeeps failing: {count} times in a row since {since}";
    forget_it(title) =
        "不再需要它：wxpush runs forget '{title}'",
        "no longer needed: wxpush runs forget '{title}'";
    back(late) = "恢复运行，晚了 {late}", "runs again, {late} late";
    one_failure() = "失败 1 次", "1 failure";
    failures(count) = "失败 {count} 次", "{count} failures";
    recovered(time, failures) =
        "恢复：{failures}，历时 {time}", "recovered after {time}, {failures}";
    recovered_at_once(failures) = "恢复：{failures}", "recovered, {failures}";
    days(count) = "{count} 天", "{count} d";
    hours(count) = "{count} 小时", "{count} h";
    minutes(count) = "{count} 分钟", "{count} min";
    seconds(count) = "{count} 秒", "{count} s";
}
