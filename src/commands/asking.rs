//! What the commands have in common that ask WeCom something and send no message.

use std::time::Instant;

use super::{begin, to};
use crate::config::Settings;
use crate::delivery::{Delivery, Sender, Undelivered};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::ledger::Share;
use crate::output::{self, Output};

/// A sender that is about to be asked with.
pub(super) struct Asking {
    sender: Sender,
    output: Output,
}

impl Asking {
    /// Makes ready; `command` is the name for the log.
    ///
    /// # Errors
    /// `Exit::Config`: no agentid, or a network setting that cannot be used.
    pub(super) fn new(settings: Settings, command: &str, output: Output) -> anyhow::Result<Self> {
        let settings = to::complete(settings)?;
        let state = begin(&settings.base, output)
            .inspect_err(|place| {
                let text = say!(
                    "没有可用的目录来缓存 access_token，不缓存，继续运行：{place}",
                    "no place for the token, going on without: {place}"
                );
                tracing::warn!("{text}");
            })
            .ok();
        tracing::info!(command, "start");
        let sender = Sender::new(settings, state.as_ref())?;
        Ok(Self { sender, output })
    }

    /// The way to WeCom, until a deadline.
    pub(super) fn delivery(&self, deadline: Instant) -> Delivery<'_> {
        Delivery {
            sender: &self.sender,
            deadline,
            share: Share::New,
            once: false,
            resends: false,
            watching: output::watching(self.output),
        }
    }
}

/// Why WeCom has not said yes to something; where its answer is lost, that is said.
pub(super) fn unanswered(undelivered: Undelivered, what: &str) -> Failure {
    let (Undelivered::NotNow(reason) | Undelivered::Refused(reason)) = undelivered;
    let mut failure = reason.failure();
    if reason.outcome_unknown {
        let why = failure.what;
        failure.what = say!(
            "不知道{what}是否已执行，没收到企业微信的答复：{why}",
            "whether {what} was done is not known, WeCom's answer was lost: {why}"
        );
        let hint = spoken().of(
            "wxpush 不会自动重做：先查看是否已执行，需要时再做一次",
            "it is not repeated by itself: look whether it was done, then do it again if need be",
        );
        failure.hint = Some(hint.to_owned());
    } else if failure.exit == Exit::NotNow {
        let why = failure.what;
        failure.what = say!("{what}未执行：{why}", "{what} was not done: {why}");
    }
    failure
}
