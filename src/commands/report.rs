//! The result of a send: for a script as JSON, for a person in words.

use serde::Serialize;

use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::Id;
use crate::output::{self, Output};
use crate::wecom::{Sent, Unreached};

/// How a send ended, in the contract's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// Accepted by WeCom for all.
    Sent,
    /// Accepted, but not for all.
    Partial,
    /// Not accepted by WeCom, or not all parts were, or not yet asked to; kept in the outbox.
    Queued,
    /// Not accepted, or not all parts were.
    Failed,
    /// Its key has been sent before.
    Duplicate,
    /// There was nothing to send.
    Empty,
    /// Nothing was sent because only the requests were wanted.
    DryRun,
}

/// What became of all parts of a message.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    status: Status,
    /// One for each part that WeCom accepted.
    msgids: Vec<String>,
    /// WeCom's last word, if it had one.
    errcode: Option<i64>,
    errmsg: Option<String>,
    parts: usize,
    #[serde(flatten)]
    unreached: Unreached,
    /// The entry in the outbox, or among its failed ones, if there is one.
    outbox_id: Option<String>,
    /// The requests of a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requests: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip)]
    failure: Option<Failure>,
}

impl Report {
    /// A report of so many parts, of which nothing is known yet.
    pub(super) fn new(status: Status, parts: usize) -> Self {
        Self {
            status,
            msgids: Vec::new(),
            errcode: None,
            errmsg: None,
            parts,
            unreached: Unreached::default(),
            outbox_id: None,
            requests: Vec::new(),
            error: None,
            exit_code: None,
            failure: None,
        }
    }

    /// A report of a send that ended before anything went out.
    pub(super) fn failed(failure: Failure) -> Self {
        let mut report = Self::new(Status::Failed, 0);
        report.fail(failure);
        report
    }

    /// A report of a dry run.
    pub(super) fn dry_run(parts: usize, requests: Vec<serde_json::Value>) -> Self {
        Self {
            requests,
            ..Self::new(Status::DryRun, parts)
        }
    }

    /// Takes in WeCom's yes to a part.
    pub(super) fn add(&mut self, sent: &Sent) {
        self.errcode = Some(0);
        self.errmsg = Some("ok".to_owned());
        self.msgids.push(sent.msgid.clone());
        self.unreached.merge(&sent.unreached);
    }

    /// Takes in that those to whom a part was to go are not there, while others are.
    pub(super) fn absent(&mut self, unreached: &Unreached) {
        self.unreached.merge(unreached);
    }

    /// Takes in WeCom's no.
    pub(super) fn refused(&mut self, errcode: i64, errmsg: &str) {
        self.errcode = Some(errcode);
        self.errmsg = Some(errmsg.to_owned());
    }

    /// Takes in why not everything went out.
    pub(super) fn fail(&mut self, failure: Failure) {
        self.status = Status::Failed;
        self.failure = Some(failure);
    }

    /// Takes in that the message lies in the outbox, or among its failed ones.
    pub(super) fn kept(&mut self, id: &Id, status: Status) {
        self.status = status;
        self.outbox_id = Some(id.to_string());
    }

    /// Whether the message has arrived somewhere, or will.
    pub(super) fn is_safe(&self) -> bool {
        matches!(
            self.status,
            Status::Sent | Status::Partial | Status::Queued | Status::Duplicate
        )
    }

    /// Whether it lies in the outbox, and goes out by itself.
    pub(super) fn is_queued(&self) -> bool {
        self.status == Status::Queued
    }

    /// Counts it as done if it is kept. Why it was not sent is told all the same.
    pub(super) fn kept_is_done(mut self) -> Self {
        if self.is_queued()
            && let Some(failure) = &mut self.failure
        {
            failure.exit = Exit::Sent;
        }
        self
    }

    /// Settles whether everybody was reached; after the last part.
    pub(super) fn finish(mut self) -> Self {
        if self.failure.is_none() && !self.unreached.is_empty() {
            self.status = Status::Partial;
            let whom = self.unreached.describe();
            let what = say!(
                "已发送，但企业微信无法送达：{whom}",
                "sent, but WeCom could not reach: {whom}"
            );
            let hint = spoken().of(
                "检查这些 ID 有没有拼错，是否在应用的可见范围内（应用管理 → 该应用 → 可见范围）；不要给其他人重发",
                "look for misspelt ids, and whether they are within the app's 可见范围 (应用管理 → the app); do not resend to the others",
            );
            self.failure = Some(Failure::new(Exit::Partial, what).hint(hint));
        }
        self
    }

    /// Its one line, or why it did not end well.
    ///
    /// # Errors
    /// Why not everything went out.
    pub(super) fn outcome(self) -> Result<String, Failure> {
        let line = self.sent();
        self.failure.map_or(Ok(line), Err)
    }

    /// The one line for a person; a duplicate that WeCom swallowed has no msgid.
    fn sent(&self) -> String {
        let msgids = self.msgids.iter().filter(|msgid| !msgid.is_empty());
        let msgids: Vec<&str> = msgids.map(String::as_str).collect();
        if msgids.is_empty() {
            return say!("已发送", "sent");
        }
        let msgids = msgids.join(", ");
        say!("已发送：msgid {msgids}", "sent: msgid {msgids}")
    }

    /// The one line of what was kept without a try.
    fn queued(&self) -> String {
        let id = self.outbox_id.as_deref().unwrap_or_default();
        say!("已存入发件箱：{id}", "kept in the outbox: {id}")
    }

    /// Shows the result where somebody wants it, and hands on why it did not end well, if so.
    ///
    /// That it cannot be shown no longer changes the message's fate.
    pub(super) fn show(mut self, output: Output) -> Option<Failure> {
        if let Some(failure) = &self.failure {
            self.error = Some(failure.what.clone());
            self.exit_code = Some(failure.exit.code());
        }
        let shown = if output.json {
            output::object(&self)
        } else {
            match self.status {
                Status::Sent if output.is_talkative() => output::result(&self.sent()),
                Status::Duplicate if output.is_talkative() => {
                    output::result(spoken().of("已经发过，没有再发", "sent before, and not again"))
                }
                Status::Queued if self.failure.is_none() && output.is_talkative() => {
                    output::result(&self.queued())
                }
                _ => Ok(()),
            }
        };
        if let Err(failure) = shown {
            let what = failure.what;
            output.note(&say!(
                "{what}；消息不受影响",
                "{what}; of the message this changes nothing"
            ));
        }
        self.failure
    }
}
