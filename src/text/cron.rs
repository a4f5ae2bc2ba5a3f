//! The messages about crontab lines.

use crate::cron::{FlushSource, TimerError, ToolError};

/// Names the place where a flush is set up.
pub(crate) fn place(source: &FlushSource) -> String {
    match source {
        FlushSource::Own => "crontab -l".to_owned(),
        FlushSource::Crontab(path) => path.display().to_string(),
        FlushSource::Timer(name) => name.clone(),
    }
}

/// Describes why a crontab cannot be read or changed.
pub(crate) fn trouble(error: &ToolError) -> String {
    match error {
        ToolError::NotInstalled => no_cron(),
        error => tool("crontab", error),
    }
}

/// Describes why a timer is not set up.
pub(crate) fn timer_trouble(error: &TimerError) -> String {
    match error {
        TimerError::Unwritable(path, error) => timer_unwritable(path.display(), error),
        TimerError::Taken(path) => timer_taken(path.display()),
        TimerError::NotEnabled(error) => tool("systemctl", error),
    }
}

fn tool(program: &str, error: &ToolError) -> String {
    match error {
        ToolError::NotInstalled => not_installed(program),
        ToolError::Io(error) => format!("{program}: {error}"),
        ToolError::Refused(said) => format!("{program}: {said}"),
    }
}

texts! {
    no_cron() =
        "没有安装 cron：先安装（Debian：apt install cron）",
        "no cron is installed: install it (Debian: apt install cron)";
    not_installed(program) = "没有安装 {program}", "{program} is not installed";
    timer_unwritable(path, error) = "{path} 写不了：{error}", "{path} cannot be written: {error}";
    timer_taken(path) =
        "{path} 已经存在，运行的是别的命令，没有改动",
        "{path} already exists and runs something else; it was not changed";
    late_minute(calmer) =
        "0 分和 30 分大家都在发消息，企业微信也说明这时会有延迟：建议改为 '{calmer}'",
        "at minutes 0 and 30 everybody sends, and WeCom is late then by its own account: better '{calmer}'";
}

failures! {
    bad_schedule(when) => Usage,
        "cron 读不懂这个时间：{when}", "not a valid cron schedule: {when}",
        "把分、时、日、月、星期写成一个参数：'7 3 * * *'",
        "give minute, hour, day of the month, month and day of the week as one argument: '7 3 * * *'";
    newline() => Usage,
        "crontab 的一行里不能有换行", "a crontab line cannot hold a newline",
        "把换行写成 \\n 并加 -e：wxpush crontab … -- send -e 'two\\nlines'",
        "write it as \\n and add -e: wxpush crontab … -- send -e 'two\\nlines'";
    bad_command(why) => Usage,
        "不是 wxpush 的命令行（{why}）", "not a valid wxpush command line: {why}",
        "-- 之后要写 wxpush 的一条命令；wxpush --help 列出所有命令",
        "after -- comes a wxpush command; wxpush --help lists them";
}
