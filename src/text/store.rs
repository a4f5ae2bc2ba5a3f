//! The messages about files, locks and logs.

use std::fmt;

use crate::disk::FileError;

/// The text of an `io::Error` of `disk`, wherever it appears in a message.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Symlink => symlink(),
            Self::NotRegular => not_regular(),
            Self::NotDirectory => not_directory(),
            Self::HardLinked => hard_linked(),
            Self::OtherOwner => other_owner(),
            Self::Foreign { path, uid } => foreign(path.display(), uid),
            Self::OthersWrite { path } => others_write(path.display()),
            Self::TooLarge { max } => too_large(max),
            Self::Locked => locked(),
            Self::BeingWritten => being_written(),
            Self::CannotLock(error) => cannot_lock(error),
            Self::SharedDirectory => shared_directory(),
            Self::NotDropDir => not_drop_dir(),
            Self::NotAFilePath => not_a_file_path(),
            Self::RecordTooLong => record_too_long(),
            Self::At { path, error } => format!("{}: {error}", path.display()),
        })
    }
}

impl std::error::Error for FileError {}

texts! {
    no_state(place) =
        "没有可用的状态目录，不使用 access_token 缓存、发件箱和日志，继续运行：{place}",
        "no usable state directory, going on without token cache, outbox and log: {place}";
    warning(text) = "wxpush: 警告：{text}", "wxpush: warning: {text}";
    error_label() = "wxpush: 错误：", "wxpush: error: ";
    hint_label() = "  提示：", "  hint: ";
    upload_bar(bar, percent, at, whole) =
        "\r上传 [{bar:<25}] {percent:>3}%  {at} / {whole} MiB",
        "\rupload [{bar:<25}] {percent:>3}%  {at} of {whole} MiB";
    symlink() = "是符号链接", "is a symbolic link";
    not_regular() = "不是普通文件", "is not a regular file";
    not_directory() = "不是目录，或者是符号链接", "is not a directory, or a symbolic link";
    hard_linked() = "还有另一个名字（硬链接）", "has a second name (hard link)";
    other_owner() = "属于别的用户", "belongs to another user";
    foreign(path, uid) =
        "{path} 属于用户 {uid}，root 不用它；chown root {path}，或设 WXPUSH_TRUST_OWNER={uid}",
        "{path} belongs to user {uid}, and root does not use it: chown root {path}, or set WXPUSH_TRUST_OWNER={uid}";
    others_write(path) =
        "其他用户能写 {path}，root 不用它；chmod go-w {path}",
        "others can write to {path}, and root does not use it: chmod go-w {path}";
    too_large(max) = "大于 {max} 字节", "is larger than {max} bytes";
    locked() = "另一个 wxpush 占着它的锁", "another wxpush holds its lock";
    being_written() = "另一个 wxpush 正在写它", "another wxpush is writing it";
    cannot_lock(error) = "加不了锁：{error}", "cannot be locked: {error}";
    shared_directory() = "其他用户能写它所在的目录", "others can write to its directory";
    not_drop_dir() =
        "权限不是 1733：别的用户能列出或删除其中的邮件",
        "its mode is not 1733: others could list or remove the mails in it";
    not_a_file_path() = "不是文件路径", "is not the path of a file";
    record_too_long() = "记录太长", "the record is too long";
}

failures! {
    cannot_write_result(error) => Io,
        "结果写不到 stdout：{error}", "cannot write the result to stdout: {error}";
    serialization(error) => Bug, "JSON 写不出来：{error}", "cannot write JSON: {error}";
}
