//! The messages for notices of the rooms below.

use super::sendmail::without_account;
use crate::log::AT_TERMINAL;
use crate::notice::Notice;

/// Logs a warning for a notice of a room below.
pub(crate) fn warn(notice: &Notice<'_>) {
    let text = match notice {
        Notice::LogUnusable { path, error } => log_unusable(path.display(), error),
        Notice::LogFull { path, error } => {
            // Not under cron: each message would cause a mail until somebody reacts.
            let text = log_full(path.display(), error);
            tracing::warn!(target: AT_TERMINAL, "{text}");
            return;
        }
        Notice::OutputNotHeld { dir: None, error } => output_not_held(error),
        Notice::OutputNotHeld {
            dir: Some(dir),
            error,
        } => format!("{}: {}", dir.display(), output_not_held(error)),
        Notice::OutputMissing { bytes } => output_missing(bytes),
        Notice::HeldOutputUnshown { error } => held_output_unshown(error),
        Notice::OutputNotPassedOn { stream, error } => output_not_passed_on(stream, error),
        Notice::OutputUnread { error } => output_unread(error),
        Notice::TokenCacheUnusable { path, error } => token_cache_unusable(path.display(), error),
        Notice::EntryDamaged { id } => entry_damaged(id),
        Notice::DeliveredEntryStays { id, error } => delivered_entry_stays(id, error),
        Notice::EntryStays { id, error } => entry_stays(id, error),
        Notice::NotReached { id, unreached } => not_reached(id, unreached),
        Notice::HeldUp { id, why } => held_up(id, why),
        Notice::GivenUp {
            id,
            in_doubt: true,
            why,
        } => given_up_in_doubt(id, why),
        Notice::GivenUp {
            id,
            in_doubt: false,
            why,
        } => refused(id, why),
        Notice::MailGivenUp { user, why } => {
            let user = user.map_or_else(without_account, str::to_owned);
            mail_given_up(user, why)
        }
        Notice::Expired { id, why } => expired(id, why),
        Notice::FallbackFailed { robot, why } => fallback_failed(robot, why),
        Notice::CannotFail { id, error } => cannot_fail(id, error),
    };
    tracing::warn!("{text}");
}

texts! {
    log_unusable(path, error) =
        "日志 {path} 写不了，不写日志，继续运行：{error}",
        "the log {path} cannot be written, going on without it: {error}";
    log_full(path, error) =
        "日志 {path} 已满，改不了名，只好继续变大：{error}",
        "the log {path} is full and cannot be set aside, so it keeps growing: {error}";
    output_not_held(error) =
        "命令的输出没法先留住，只好直接显示：{error}",
        "the command's output cannot be held back, so it is shown at once: {error}";
    output_missing(bytes) =
        "命令的输出太长，只留开头和结尾，中间少了 {bytes} 字节",
        "the command's output was too long: begin and end were kept, without {bytes} bytes between them";
    held_output_unshown(error) =
        "命令的输出显示不了：{error}",
        "the command's output cannot be shown: {error}";
    output_unread(error) =
        "命令留在后台的进程，输出没有人读了，再写会被 SIGPIPE 终止：{error}",
        "nobody reads the output of what the command left behind, whose next write ends it by SIGPIPE: {error}";
    output_not_passed_on(stream, error) =
        "命令的输出转不到 {stream}：{error}",
        "the command's output cannot be passed on to {stream}: {error}";
    token_cache_unusable(path, error) =
        "token 缓存 {path} 用不了，不用缓存，继续运行：{error}",
        "the token cache {path} cannot be used, going on without it: {error}";
    entry_damaged(id) =
        "{id} 已损坏：没有发送，已移入 failed/",
        "{id} is damaged: it was not sent, and is in failed/ now";
    delivered_entry_stays(id, error) =
        "{id} 已发送，但无法从发件箱移除：{error}",
        "{id} is delivered, but cannot be removed from the outbox: {error}";
    entry_stays(id, error) =
        "{id} 无法从发件箱移除：{error}",
        "{id} cannot be removed from the outbox: {error}";
    not_reached(id, unreached) =
        "{id} 已发送，但企业微信无法送达：{unreached}",
        "{id} was delivered, but WeCom could not reach: {unreached}";
    held_up(id, why) =
        "{id} 已被挡住一小时以上，会继续重试，其他消息不受影响：{why}",
        "{id} has been held up for over an hour and is retried; other messages are not affected: {why}";
    refused(id, why) =
        "{id} 被拒绝，已移入 failed/：{why}",
        "{id} was refused, and is in failed/ now: {why}";
    given_up_in_doubt(id, why) =
        "{id} 可能已送达，也可能没有，不再重发，已移入 failed/：{why}",
        "{id} may or may not have arrived, is not sent again, and is in failed/ now: {why}";
    mail_given_up(user, why) =
        "用户 {user} 有邮件不再发送，也没有保留：{why}",
        "a mail of user {user} was given up and is not kept: {why}";
    expired(id, why) =
        "{id} 已过期，已移入 failed/：{why}",
        "{id} has expired, and is in failed/ now: {why}";
    fallback_failed(robot, why) =
        "群机器人 {robot} 也没能代发：{why}",
        "robot {robot} could not send it instead either: {why}";
    cannot_fail(id, error) =
        "{id} 无法移入 failed/：{error}",
        "{id} cannot be moved to failed/: {error}";
}
