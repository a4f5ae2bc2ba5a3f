//! What becomes of a message that WeCom has not accepted whole, and how that is told.

use std::sync::Arc;
use std::time::Instant;

use super::post::{DISK_TIME, Way};
use super::report::{Report, Status};
use crate::delivery::{Reason, give_up, keep_new};
use crate::error::{Exit, Failure};
use crate::lang::{Lang, say, spoken};
use crate::outbox::{Held, Kept, Outbox, Verdict};
use crate::output;

/// What is known when a message has been carried as far as it goes.
pub(super) struct Fate<'a> {
    pub(super) way: &'a Way<'a>,
    pub(super) kept: &'a Kept,
    /// Why it could not even be begun to be kept, though it should have been.
    pub(super) why_not: Option<String>,
    pub(super) parts: Parts,
}

/// How far a message has got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) sent: usize,
    pub(super) all: usize,
}

/// Where what was not sent is now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lies<'a> {
    /// Nowhere, as it is to be.
    NotKept,
    /// Nowhere, for this reason.
    Lost(&'a str),
    /// In the outbox.
    Waiting(&'a str),
    /// Among the failed ones.
    Buried(&'a str),
}

impl Fate<'_> {
    /// Why the message is kept nowhere, although it should be.
    fn not_kept(&self) -> Option<String> {
        match self.kept {
            Kept::Nowhere => self.why_not.clone(),
            Kept::Held(_) | Kept::Deferred(_) => None,
            Kept::Begun(accepting) => {
                let path = |why| match self.way.state {
                    Ok(state) => {
                        let outbox = Outbox::of(state);
                        let path = outbox.path().display();
                        say!("{path}：{why}", "{path}: {why}")
                    }
                    Err(_) => why,
                };
                accepting.held().err().map(path)
            }
        }
    }

    /// Says that a message went out without a net below it.
    pub(super) fn warn(&self) {
        if let Kept::Begun(accepting) = self.kept {
            accepting.abandon();
        }
        // Where there is no state at all, that has been said.
        if let (Some(why), Ok(_)) = (self.not_kept(), &self.way.state) {
            let text = say!(
                "发件箱不可用，消息没有存入就发送了：{why}",
                "the outbox cannot be used, the message was sent without it: {why}"
            );
            tracing::warn!("{text}");
        }
    }

    /// Keeps what passes or can be mended, unless its sender is there to mend it.
    pub(super) fn not_now(&self, reason: &Reason, report: &mut Report) {
        if let Some(refusal) = reason.refusal() {
            report.refused(refusal.errcode, &refusal.errmsg);
        }
        let mut failure = reason.failure();
        match self.kept_still(reason.outcome_unknown) {
            Ok(Some(held))
                if failure.exit == Exit::Setup
                    && !self.way.kept_ok
                    && !reason.outcome_unknown
                    && output::stderr_is_terminal() =>
            {
                if let Err(error) = held.remove() {
                    let id = held.id();
                    let text = say!(
                        "{id} 无法从发件箱移除：{error}",
                        "{id} cannot be removed from the outbox: {error}"
                    );
                    tracing::warn!("{text}");
                }
                failure.what = self.words(reason, Some(Lies::NotKept), &failure);
                report.fail(failure);
            }
            Ok(Some(held)) => {
                keep_new(&held, reason);
                report.fail(self.queued(&held, reason, failure));
                report.kept(held.id(), Status::Queued);
            }
            Ok(None) => {
                failure.what = self.words(reason, Some(Lies::NotKept), &failure);
                let hint = spoken().of(
                    "稍后重发，或用 --timeout 多给些时间",
                    "send it again later, or give it more time with --timeout",
                );
                failure.hint.get_or_insert_with(|| hint.to_owned());
                report.fail(failure);
            }
            Err(why) => {
                failure.exit = Exit::State;
                failure.what = self.words(reason, Some(Lies::Lost(&why)), &failure);
                report.fail(failure);
            }
        }
    }

    /// The entry of what has not gone out; anew where it has been removed under our hands. None
    /// where nothing is to be kept.
    ///
    /// # Errors
    /// Why there is none, though there should be one.
    fn kept_still(&self, in_doubt: bool) -> Result<Option<Arc<Held>>, String> {
        let held = self.kept.at_last(self.parts.sent, in_doubt);
        let (Some(held), Ok(state)) = (held.ok().flatten(), &self.way.state) else {
            return self.not_kept().map_or(Ok(None), Err);
        };
        if Outbox::of(state).has(&held) {
            return Ok(Some(held));
        }
        let anew = self.way.hold(held.entry(), Instant::now() + DISK_TIME)?;
        anew.note(|attempts| *attempts = held.attempts());
        tracing::info!(id = %held.id(), anew = %anew.id(), "it was gone from the outbox");
        // Where the whole outbox was moved away: it must not go out twice.
        let _ = held.remove();
        Ok(Some(anew))
    }

    fn queued(&self, held: &Held, reason: &Reason, mut failure: Failure) -> Failure {
        if failure.exit != Exit::Setup {
            failure.exit = Exit::NotNow;
        }
        failure.what = self.words(reason, Some(Lies::Waiting(held.id().as_str())), &failure);
        let when = if failure.exit == Exit::Setup {
            spoken().of(
                "改好设置后，下次运行 wxpush 时会自动发出",
                "when that is mended and wxpush next runs",
            )
        } else {
            spoken().of("下次运行 wxpush 时会自动发出", "when wxpush next runs")
        };
        let line = self.way.config.flush_command();
        let advice = failure.hint.take().map_or(String::new(), |hint| {
            let hint = hint.trim_end_matches(['。', '.']);
            say!("{hint}；", "{hint}; ")
        });
        failure.hint(say!(
            "{advice}不必重发，{when}；加上这行 crontab 则每分钟补发：* * * * * {line}",
            "{advice}it need not be sent again, it goes out {when}, by this crontab line each minute: * * * * * {line}"
        ))
    }

    /// Puts what WeCom will never take among the failed ones.
    pub(super) fn refused(&self, reason: &Reason, report: &mut Report) {
        if let Some(refusal) = reason.refusal() {
            report.refused(refusal.errcode, &refusal.errmsg);
        }
        let mut failure = reason.failure();
        let held = self.kept.at_last(self.parts.sent, reason.outcome_unknown);
        let buried = held
            .ok()
            .flatten()
            .filter(|held| give_up(held, &Verdict::of(reason, &failure)));
        let lost = match &buried {
            None if failure.exit == Exit::NotNow => self.not_kept(),
            _ => None,
        };
        let lies = match (&buried, &lost) {
            (Some(held), _) => Some(Lies::Buried(held.id().as_str())),
            (None, Some(why)) => {
                failure.exit = Exit::State;
                Some(Lies::Lost(why))
            }
            (None, None) => None,
        };
        failure.what = self.words(reason, lies, &failure);
        report.fail(failure);
        if let Some(held) = buried {
            report.kept(held.id(), Status::Failed);
        }
    }

    fn words(&self, reason: &Reason, lies: Option<Lies<'_>>, failure: &Failure) -> String {
        self.parts
            .words(reason.outcome_unknown, lies, &failure.what)
    }
}

impl Parts {
    /// What happened to which of them, and why; what became of the next one may be unknown.
    pub(super) fn words(self, unknown: bool, lies: Option<Lies<'_>>, what: &str) -> String {
        match spoken() {
            Lang::Zh => {
                let lies = lies.map_or(String::new(), |lies| lies.in_chinese(unknown));
                format!("{}{lies}：{what}", self.in_chinese(unknown))
            }
            Lang::En => {
                let are = self.sent > 0 && self.all - self.sent > 1;
                let lies = lies.map_or(String::new(), |lies| lies.in_english(are, unknown));
                format!("{}{lies}: {what}", self.in_english(unknown))
            }
        }
    }

    fn in_chinese(self, unknown: bool) -> String {
        let (at, parts) = (self.sent, self.all);
        let left = parts - at;
        let next = at + 1;
        let subject = match left {
            _ if parts == 1 => "消息".to_owned(),
            1 => format!("第 {parts} 段（共 {parts} 段）"),
            _ if at == 0 => format!("消息（共 {parts} 段）"),
            _ => format!("第 {next} 至 {parts} 段（共 {parts} 段）"),
        };
        let fate = if !unknown {
            format!("{subject}未发送")
        } else if left == 1 {
            format!("{subject}可能已送达，也可能没有（没收到答复）")
        } else {
            format!("{subject}未发送，其中第 {next} 段可能已送达（没收到答复）")
        };
        let sent = match at {
            0 => String::new(),
            1 => "（第 1 段已发送）".to_owned(),
            _ => format!("（第 1 至 {at} 段已发送）"),
        };
        fate + &sent
    }

    fn in_english(self, unknown: bool) -> String {
        let (at, parts) = (self.sent, self.all);
        let left = parts - at;
        let next = at + 1;
        let (subject, was) = match left {
            _ if parts == 1 => ("the message".to_owned(), "was"),
            1 => (format!("part {parts} of {parts}"), "was"),
            _ if at == 0 => (format!("the message of {parts} parts"), "was"),
            _ => (format!("parts {next} to {parts} of {parts}"), "were"),
        };
        let fate = if !unknown {
            format!("{subject} {was} not sent")
        } else if left == 1 {
            format!("{subject} may or may not have arrived (no answer came)")
        } else {
            format!("{subject} {was} not sent, part {next} may have been (no answer came)")
        };
        let sent = match at {
            0 => String::new(),
            1 => " (part 1 was)".to_owned(),
            _ => format!(" (parts 1 to {at} were)"),
        };
        fate + &sent
    }
}

impl Lies<'_> {
    /// `unknown`: what it is said of may have arrived, so it may not be lost.
    fn in_chinese(self, unknown: bool) -> String {
        match self {
            Self::Lost(why) if unknown => format!("，也没能存入发件箱（{why}）"),
            Self::NotKept => "，也没有保留".to_owned(),
            Self::Lost(why) => format!("，而且已丢失，因为也无法保存（{why}）"),
            Self::Waiting(id) => format!("，已存入发件箱（{id}）"),
            Self::Buried(id) => format!("，已移入 outbox/failed（{id}）"),
        }
    }

    /// `are`: it is said of several parts; `unknown` as in Chinese.
    fn in_english(self, are: bool, unknown: bool) -> String {
        let is = if are { "are" } else { "is" };
        match self {
            Self::Lost(why) if unknown => {
                format!(" and {is} not kept, since nothing can be kept ({why})")
            }
            Self::NotKept => format!(" and {is} not kept"),
            Self::Lost(why) => {
                format!(" and {is} LOST, since nothing can be kept either ({why})")
            }
            Self::Waiting(id) => format!(", and {is} kept in the outbox ({id})"),
            Self::Buried(id) => {
                let lies = if are { "lie" } else { "lies" };
                format!(" and {lies} in outbox/failed ({id})")
            }
        }
    }
}
