//! The messages of `runs`, and of the step of `check` about the same jobs.

use serde::Serialize;

/// How a watched job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum JobStatus {
    /// Its last run succeeded.
    Fine,
    Running,
    /// Its last run failed.
    Failing,
    /// Its last run was killed together with wxpush.
    Killed,
    /// It did not begin again in time.
    Overdue,
}

impl JobStatus {
    /// Returns it for a person.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Fine => fine(),
            Self::Running => running(),
            Self::Failing => failing(),
            Self::Killed => killed(),
            Self::Overdue => overdue(),
        }
    }
}

texts! {
    none_watched() =
        "没有监视的任务：用 wxpush run --every 1d -- 命令 开始监视",
        "no job is watched: begin with wxpush run --every 1d -- CMD";
    fine() = "正常", "fine";
    running() = "运行中", "running";
    failing() = "失败", "failing";
    killed() = "被强制终止", "killed";
    overdue() = "没有按时运行", "overdue";
    begun(time) = "{time} 开始", "began {time}";
    ended(time, code, length) =
        "上次 {time}，退出码 {code}，历时 {length}", "last {time}, exit code {code} after {length}";
    failures(count) = "连续失败 {count} 次", "{count} failures in a row";
    due(time) = "应在 {time} 前再次开始", "due again by {time}";
    forgotten(name) = "不再监视 {name}", "{name} is watched no longer";
}

failures! {
    unreadable(path, error) => State,
        "{path} 不可用：{error}", "{path} cannot be used: {error}",
        "它必须是运行 wxpush 的用户自己的目录",
        "it must be a directory that belongs to the user who runs wxpush";
    no_such_job(name) => Data,
        "没有监视名为 {name} 的任务", "no watched job is named {name}",
        "wxpush runs 列出所有任务", "wxpush runs shows the jobs";
    broken(line) => NotNow,
        "{line}", "{line}",
        "看看它为什么没有成功运行；不再需要就用 wxpush runs forget 删掉",
        "find out why it did not run, or failed; wxpush runs forget removes one that is no longer needed";
}
