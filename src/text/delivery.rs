//! The messages about the result of a delivery.

use std::fmt;

use crate::delivery::{AppTrouble, End, Obstacle, Outcome, Parts, Reason, Wording};
use crate::error::{Exit, Failure};
use crate::lang::{Lang, spoken};
use crate::outbox::NotKept;

/// The texts that delivery writes on phones and into entries.
pub(crate) const WORDING: Wording = Wording {
    reason,
    unusable: |id, error| unusable(id, error),
    expired: |max_age, last| {
        let max_age = crate::duration::show(max_age);
        match last {
            Some(last) => expired_because(max_age, last),
            None => expired(max_age),
        }
    },
    late: |lang, accepted| late(lang, accepted),
    missed: |lang, count| match count {
        1 => missed_one(lang),
        _ => missed(lang, count),
    },
    instead: |lang, trouble| match trouble {
        AppTrouble::Setup(Some(errcode)) => instead_refused(lang, errcode),
        AppTrouble::Setup(None) => instead_misconfigured(lang),
        AppTrouble::Outage => instead_late(lang),
    },
    merged: |lang, count| merged(lang, count),
};

phone_texts! {
    late(accepted) = "[迟到] 这条消息发于 {accepted}", "[late] accepted {accepted}";
    missed_one() = "[过期] 另有 1 条消息因过期未送达", "[expired] 1 message expired undelivered";
    missed(count) =
        "[过期] 另有 {count} 条消息因过期未送达", "[expired] {count} messages expired undelivered";
    instead_refused(errcode) =
        "[代发] 应用被拒绝（errcode {errcode}），由群机器人代发",
        "[fallback] sent by this robot: the app is refused (errcode {errcode})";
    instead_misconfigured() =
        "[代发] 应用的设置有误，由群机器人代发",
        "[fallback] sent by this robot: the app's settings are wrong";
    instead_late() =
        "[代发] 应用 5 分钟没能发出，由群机器人代发",
        "[fallback] sent by this robot: the app could not send it for 5 minutes";
    merged(count) = "[合并] {count} 条", "[merged] {count} messages";
}

/// Returns the message for the reason of a failed delivery.
pub(crate) fn reason(reason: &Reason) -> Failure {
    match &reason.error {
        Obstacle::Call(error) => error.failure(),
        Obstacle::TokenTrouble { refusal, wait } => {
            let seconds = wait.map_or(60, |wait| wait.as_secs() + 1);
            match refusal {
                Some(refusal) => {
                    fresh_token_refused_with(seconds, refusal.errcode, &refusal.errmsg)
                }
                None => fresh_token_refused(seconds),
            }
        }
        Obstacle::NoSlot(wait) => no_slot(wait.as_secs() + 1),
        Obstacle::NoLedger(error) => no_ledger(error),
        Obstacle::Unsettled => unsettled(),
    }
}

failures! {
    fresh_token_refused(seconds) => NotNow,
        "企业微信拒绝了它刚发的 access_token",
        "WeCom refuses an access_token that it has only just granted",
        "{seconds} 秒后再试：在那之前 wxpush 不会再要新的 access_token，以免企业微信封 IP",
        "try again in {seconds} s: until then wxpush asks for no other token, or WeCom bars this IP";
    fresh_token_refused_with(seconds, errcode, errmsg) => NotNow,
        "企业微信拒绝了它刚发的 access_token：errcode {errcode}：{errmsg}",
        "WeCom refuses an access_token that it has only just granted: errcode {errcode}: {errmsg}",
        "{seconds} 秒后再试：在那之前 wxpush 不会再要新的 access_token，以免企业微信封 IP",
        "try again in {seconds} s: until then wxpush asks for no other token, or WeCom bars this IP";
    no_slot(seconds) => NotNow,
        "收件人收到的消息已达企业微信的频率上限，{seconds} 秒后才能再发",
        "WeCom's rate limit for these recipients is reached: the next message can be sent in {seconds} s";
    no_ledger(error) => NotNow,
        "频率账本 ledger 不可用，发出去可能被企业微信悄悄丢弃：{error}",
        "the ledger of sent messages cannot be used, and WeCom drops the excess in silence: {error}",
        "看看状态目录里的 ledger 是不是别的东西，或被哪个程序占着；实在不行就删掉它",
        "look at ledger in the state directory: whether it is a file, and which program holds it; if need be, remove it";
    unsettled() => NotNow,
        "没收到企业微信的答复，再发只会重复",
        "WeCom's answers were lost, and sending it again could only repeat it",
        "在手机上看看；没收到就用 wxpush outbox retry（没有保留的就用 send）重发",
        "look at the phone; if it is not there, wxpush outbox retry sends it again, or send if it is not kept";
    unusable(id, error) => NotNow, "{id}：{error}", "{id}: {error}";
    no_record(why) => State,
        "没有发送：记不下这个 KEY，就无法保证只发一次：{why}",
        "nothing was sent: without a record of KEY it could be sent twice: {why}",
        "--once 需要可用的发件箱：腾出磁盘空间，或设置 state_dir",
        "--once needs a usable outbox: free some disk space, or set state_dir";
    newer(id) => NotNow, "{id} 由更新版本的 wxpush 写入", "{id} was written by a newer wxpush";
    not_queued(why) => State,
        "消息没有存入发件箱，也没有发送：{why}",
        "the message is not kept, and was not sent: {why}",
        "腾出空间，设置 state_dir，或启用 [outbox]；不用 --queue 则立即发送",
        "free some space, set state_dir, or enable [outbox]; without --queue it is sent at once";
    undecided_kept(id) => NotNow,
        "这个 KEY 的消息还没有结果，它在发件箱里（{id}），不会发第二次",
        "the message of KEY is not settled yet: it is in the outbox ({id}), and will not be sent twice",
        "稍后再用同一个 KEY 查问，或用 --timeout 多给些时间",
        "ask again later by the same KEY, or give it more time with --timeout";
    undecided() => NotNow,
        "这个 KEY 的消息还没有结果：另一个 wxpush 正在发送",
        "the message of KEY is not settled yet: another wxpush is sending it",
        "稍后再用同一个 KEY 查问，或用 --timeout 多给些时间",
        "ask again later by the same KEY, or give it more time with --timeout";
    given_up(id) => NotNow,
        "这个 KEY 的消息可能已送达，也可能没有，不会再发；它在 outbox/failed（{id}）",
        "the message of KEY may or may not have arrived, is not sent again, and is in outbox/failed ({id})",
        "在手机上看看；没收到就用 wxpush outbox retry 重发",
        "look at the phone; if it is not there, wxpush outbox retry sends it again";
    partial(unreached) => Partial,
        "已发送，但企业微信无法送达：{unreached}",
        "sent, but WeCom could not reach: {unreached}",
        "检查这些 ID 有没有拼错，是否在应用的可见范围内（应用管理 → 该应用 → 可见范围）；不要给其他人重发",
        "check their spelling, and whether they are among the app's Allowed users (可见范围): App Management (应用管理) → the app; do not resend to the others";
}

texts! {
    expired(max_age) =
        "在 {max_age}（max_age）内未能送达", "it could not be delivered within {max_age} (max_age)";
    expired_because(max_age, last) =
        "在 {max_age}（max_age）内未能送达：{last}",
        "it could not be delivered within {max_age} (max_age): {last}";
    sent_unkept(why) =
        "发件箱不可用，消息没有存入就发送了：{why}",
        "the outbox cannot be used, the message was sent without it: {why}";
    sent_instead(robot, why) =
        "应用没能发出，已由群机器人 {robot} 代发：{why}",
        "sent by robot {robot}, since the app could not send it: {why}";
    switched_off() =
        "发件箱已停用（[outbox] enabled = false）",
        "the outbox is switched off ([outbox] enabled = false)";
    full(path, entries) =
        "{path} 已满：有 {entries} 条消息在等待", "{path} is full: {entries} messages wait there";
    full_of_files(path, mib) =
        "{path} 已满：加上这个文件会超过 {mib} MiB",
        "{path} is full: with this file there would be more than {mib} MiB";
    disk(path, error) = "{path}：{error}", "{path}: {error}";
    disk_silent(path) = "{path}：磁盘没有响应", "{path}: the disk does not answer";
    key_taken() =
        "另一个 wxpush 正在发送这个 KEY 的消息", "another wxpush is sending the message of this KEY";
    retry_later() =
        "稍后重发，或用 --timeout 多给些时间",
        "send it again later, or give it more time with --timeout";
    sent_later(line) =
        "不必重发，下次运行 wxpush 时会自动发出；加上这行 crontab 则每分钟补发：* * * * * {line}",
        "no need to resend, it goes out when wxpush next runs; this crontab line retries each minute: * * * * * {line}";
    sent_after_setup(line) =
        "不必重发，改好设置后，下次运行 wxpush 时会自动发出；加上这行 crontab 则每分钟补发：* * * * * {line}",
        "no need to resend, it goes out when that is corrected and wxpush next runs; this crontab line retries each minute: * * * * * {line}";
    joined(advice, next) = "{advice}；{next}", "{advice}; {next}";
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::SwitchedOff => switched_off(),
            Self::NoState(why) => why.clone(),
            Self::Full { path, entries } => full(path.display(), entries),
            Self::FullOfFiles { path, bytes_max } => full_of_files(path.display(), bytes_max >> 20),
            Self::Disk { path, error } => disk(path.display(), error),
            Self::DiskSilent { path } => disk_silent(path.display()),
            Self::KeyTaken => key_taken(),
        })
    }
}

/// Returns the failure for an outcome, unless it is a plain success; `flush_command` is the command
/// that retries.
pub(crate) fn failure(
    outcome: &Outcome,
    flush_command: impl FnOnce() -> String,
) -> Option<Failure> {
    let parts = outcome.parts;
    let said = |why: &Reason, place: EntryPlace<'_>| {
        let failure = reason(why);
        let what = parts.words(why.outcome_unknown, Some(place), &failure.what);
        Failure { what, ..failure }
    };
    Some(match &outcome.end {
        End::Sent if outcome.unreached.is_empty() => return None,
        End::Instead { .. } => return None,
        End::Sent => partial(outcome.unreached.describe()),
        End::Queued { .. } | End::Quiet { .. } | End::Duplicate => return None,
        End::NotQueued(why) => not_queued(why),
        End::Spooled { id, reason } => {
            let mut failure = said(reason, EntryPlace::Outbox(id.as_str()));
            let next = if failure.exit == Exit::Setup {
                sent_after_setup(flush_command())
            } else {
                failure.exit = Exit::NotNow;
                sent_later(flush_command())
            };
            let advice = failure.hint.as_deref();
            let advice = advice.map(|hint| joined(hint.trim_end_matches(['。', '.']), &next));
            failure.hint = Some(advice.unwrap_or(next));
            failure
        }
        End::NotNow(reason) => {
            let failure = said(reason, EntryPlace::Nowhere);
            let hint = failure.hint.clone().unwrap_or_else(retry_later);
            failure.hint(hint)
        }
        End::Lost { reason, why } => Failure {
            exit: Exit::State,
            ..said(reason, EntryPlace::Lost(&why.to_string()))
        },
        End::Failed { id, reason } => said(reason, EntryPlace::Failed(id.as_str())),
        End::Refused(why) => {
            let failure = reason(why);
            let what = parts.words(why.outcome_unknown, None, &failure.what);
            Failure { what, ..failure }
        }
        End::Undecided { id: Some(id) } => undecided_kept(id),
        End::Undecided { id: None } => undecided(),
        End::GivenUp { id } => given_up(id),
        End::Newer { id } => newer(id),
        End::NoRecord(why) => no_record(why),
    })
}

/// The place of an undelivered message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EntryPlace<'a> {
    /// Nowhere, as intended.
    Nowhere,
    /// Nowhere, for this reason.
    Lost(&'a str),
    /// In the outbox, under this ID.
    Outbox(&'a str),
    /// In `failed/`, under this ID.
    Failed(&'a str),
}

impl Parts {
    /// Describes which parts were sent, where the others are, and why.
    pub(crate) fn words(self, in_doubt: bool, place: Option<EntryPlace<'_>>, why: &str) -> String {
        match spoken() {
            Lang::Zh => {
                let place = place.map(|it| it.in_chinese(in_doubt)).unwrap_or_default();
                format!("{}{place}：{why}", self.in_chinese(in_doubt))
            }
            Lang::En => {
                let are = self.sent > 0 && self.all - self.sent > 1;
                let place = place
                    .map(|it| it.in_english(are, in_doubt))
                    .unwrap_or_default();
                format!("{}{place}: {why}", self.in_english(in_doubt))
            }
        }
    }

    fn in_chinese(self, in_doubt: bool) -> String {
        let Self { sent, all } = self;
        let (left, next) = (all - sent, sent + 1);
        let subject = match left {
            _ if all == 1 => "消息".to_owned(),
            1 => format!("第 {all} 段（共 {all} 段）"),
            _ if sent == 0 => format!("消息（共 {all} 段）"),
            _ => format!("第 {next} 至 {all} 段（共 {all} 段）"),
        };
        let happened = match (in_doubt, left) {
            (false, _) => format!("{subject}未发送"),
            (true, 1) => format!("{subject}可能已送达，也可能没有（没收到答复）"),
            (true, _) => format!("{subject}未发送，其中第 {next} 段可能已送达（没收到答复）"),
        };
        match sent {
            0 => happened,
            1 => happened + "（第 1 段已发送）",
            _ => format!("{happened}（第 1 至 {sent} 段已发送）"),
        }
    }

    fn in_english(self, in_doubt: bool) -> String {
        let Self { sent, all } = self;
        let (left, next) = (all - sent, sent + 1);
        let (subject, was) = match left {
            _ if all == 1 => ("the message".to_owned(), "was"),
            1 => (format!("part {all} of {all}"), "was"),
            _ if sent == 0 => (format!("the message of {all} parts"), "was"),
            _ => (format!("parts {next} to {all} of {all}"), "were"),
        };
        let happened = match (in_doubt, left) {
            (false, _) => format!("{subject} {was} not sent"),
            (true, 1) => format!("{subject} may or may not have arrived (no answer came)"),
            (true, _) => {
                format!("{subject} {was} not sent, part {next} may have been (no answer came)")
            }
        };
        match sent {
            0 => happened,
            1 => happened + " (part 1 was)",
            _ => format!("{happened} (parts 1 to {sent} were)"),
        }
    }
}

impl EntryPlace<'_> {
    /// Describes the place. If `in_doubt`, the message may have arrived, so it cannot be called
    /// lost.
    fn in_chinese(self, in_doubt: bool) -> String {
        match self {
            Self::Nowhere => "，也没有保留".to_owned(),
            Self::Lost(why) if in_doubt => format!("，也没能存入发件箱（{why}）"),
            Self::Lost(why) => format!("，而且已丢失，因为也无法保存（{why}）"),
            Self::Outbox(id) => format!("，已存入发件箱（{id}）"),
            Self::Failed(id) => format!("，已移入 outbox/failed（{id}）"),
        }
    }

    /// Describes the place; `are` selects the plural.
    fn in_english(self, are: bool, in_doubt: bool) -> String {
        let is = if are { "are" } else { "is" };
        match self {
            Self::Nowhere => format!(" and {is} not kept"),
            Self::Lost(why) if in_doubt => {
                format!(" and {is} not kept, since nothing can be kept ({why})")
            }
            Self::Lost(why) => format!(" and {is} LOST, since nothing can be kept either ({why})"),
            Self::Outbox(id) => format!(", and {is} kept in the outbox ({id})"),
            Self::Failed(id) => format!(" and {is} in outbox/failed ({id})"),
        }
    }
}
