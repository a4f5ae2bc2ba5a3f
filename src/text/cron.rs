//! The messages about crontab lines.

use crate::cron::{CrontabError, FlushSource};

/// Names the place where a flush is set up.
pub(crate) fn place(source: &FlushSource) -> String {
    match source {
        FlushSource::Own => "crontab -l".to_owned(),
        FlushSource::Crontab(path) => path.display().to_string(),
        FlushSource::Timer(name) => name.clone(),
    }
}

/// Describes why a crontab cannot be read or changed.
pub(crate) fn trouble(error: &CrontabError) -> String {
    match error {
        CrontabError::NotInstalled => no_cron(),
        CrontabError::Io(error) => format!("crontab: {error}"),
        CrontabError::Refused(said) => format!("crontab: {said}"),
    }
}

texts! {
    no_cron() =
        "没有安装 cron：先安装（Debian：apt install cron），或用 systemd 定时器",
        "no cron is installed: install it (Debian: apt install cron), or use a systemd timer";
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
