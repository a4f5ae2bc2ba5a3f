//! The messages of the command line, and of our own bugs.

use crate::error::Failure;

impl Failure {
    /// Returns the failure in the chain of an error; an error without one is a bug.
    pub(crate) fn of(error: anyhow::Error) -> Self {
        error
            .downcast()
            .unwrap_or_else(|error| bug(format!("{error:#}")))
    }

    /// Returns the same failure, with the hint to report a bug.
    pub(crate) fn hint_to_report(self) -> Self {
        self.hint(report_it())
    }
}

texts! {
    report_it() =
        "请反馈给我们，并附上 wxpush --version 的输出",
        "please report it, with what wxpush --version prints";
}

failures! {
    option_takes_no_secret(option) => Usage,
        "没有 {option} 这个选项：任何选项都不接受 Secret",
        "there is no {option}: no option takes a secret",
        "把 corpsecret 写进配置文件，或写进一个文件并把路径放进 WXPUSH_CORPSECRET_FILE：命令行谁都看得到",
        "put corpsecret into the config, or into a file and its path into WXPUSH_CORPSECRET_FILE: everybody can see a command line";
    bug(error) => Bug,
        "wxpush 自身的错误：{error}", "a fault of wxpush: {error}",
        "请反馈给我们，并附上 wxpush --version 的输出",
        "please report it, with what wxpush --version prints";
    own_fault(place) => Bug,
        "wxpush 自身的错误，位置 {place}", "a fault of wxpush at {place}";
}
