//! The result of a send: JSON for a script, a line for a person.

use chrono::SecondsFormat;
use serde::Serialize;

use crate::delivery::{End, Outcome};
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::text;
use crate::wecom::Unreached;

/// The result of a send, in the terms of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// Accepted by WeCom for all recipients.
    Sent,
    /// Accepted, but not for all recipients.
    Partial,
    /// Kept in the outbox: not accepted by WeCom, only partly, or not submitted yet.
    Queued,
    /// Not accepted, or not all parts were.
    Failed,
    /// Already sent under the same `--once` key.
    Duplicate,
    /// There was nothing to send.
    Empty,
    /// Nothing was sent: only the requests were wanted.
    DryRun,
    /// Neither delivered nor kept: of a line of a batch.
    Refused,
    /// The line of a batch is wrong.
    Invalid,
}

/// The robot that sent a message, and why the app could not.
#[derive(Debug, Serialize)]
struct Fallback {
    robot: String,
    errcode: Option<i64>,
    error: String,
}

/// The result of sending a message.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    status: Status,
    /// The msgids of the parts that WeCom accepted.
    msgids: Vec<String>,
    /// The errcode of WeCom's last answer, if any.
    errcode: Option<i64>,
    errmsg: Option<String>,
    parts: usize,
    #[serde(flatten)]
    unreached: Unreached,
    /// The entry in the outbox, or among its failed ones, if any.
    outbox_id: Option<String>,
    /// The end of the quiet hours that hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// The robot that sent it in place of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<Fallback>,
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

/// The answer to a line of a batch.
#[derive(Debug, Serialize)]
pub(super) struct BatchAnswer {
    /// The id of the line, as it was given.
    pub(super) id: serde_json::Value,
    /// The number of the line, from 1 on.
    pub(super) line: u64,
    #[serde(flatten)]
    pub(super) report: Report,
}

impl Report {
    /// Reports the outcome of a submitted message; `flush_command` is the command that retries.
    pub(super) fn of(outcome: Outcome, flush_command: impl FnOnce() -> String) -> Self {
        let failure = text::delivery::failure(&outcome, flush_command);
        let until = match &outcome.end {
            End::Quiet { until, .. } => Some(until.to_rfc3339_opts(SecondsFormat::Secs, false)),
            _ => None,
        };
        let fallback = match &outcome.end {
            End::Instead { robot, reason } => Some(Fallback {
                robot: robot.clone(),
                errcode: reason.refusal().map(|refusal| refusal.errcode),
                error: text::delivery::reason(reason).what,
            }),
            _ => None,
        };
        let (status, id) = match outcome.end {
            End::Instead { .. } => (Status::Sent, None),
            End::Sent if outcome.unreached.is_empty() => (Status::Sent, None),
            End::Sent => (Status::Partial, None),
            End::Queued { id }
            | End::Quiet { id, .. }
            | End::Spooled { id, .. }
            | End::Undecided { id: Some(id) } => (Status::Queued, Some(id)),
            End::Failed { id, .. } | End::GivenUp { id } => (Status::Failed, Some(id)),
            End::Duplicate => (Status::Duplicate, None),
            End::NotQueued(_)
            | End::NotNow(_)
            | End::Lost { .. }
            | End::Refused(_)
            | End::Undecided { id: None }
            | End::Newer { .. }
            | End::NoRecord(_) => (Status::Failed, None),
        };
        let (errcode, errmsg) = match outcome.refusal {
            Some(refusal) => (Some(refusal.errcode), Some(refusal.errmsg)),
            None if outcome.msgids.is_empty() => (None, None),
            None => (Some(0), Some("ok".to_owned())),
        };
        Self {
            msgids: outcome.msgids,
            errcode,
            errmsg,
            unreached: outcome.unreached,
            outbox_id: id.map(|id| id.to_string()),
            until,
            fallback,
            failure,
            ..Self::new(status, outcome.parts.all)
        }
    }

    /// Returns a report of this many parts, with no part sent.
    pub(super) fn new(status: Status, parts: usize) -> Self {
        Self {
            status,
            msgids: Vec::new(),
            errcode: None,
            errmsg: None,
            parts,
            unreached: Unreached::default(),
            outbox_id: None,
            until: None,
            fallback: None,
            requests: Vec::new(),
            error: None,
            exit_code: None,
            failure: None,
        }
    }

    /// Returns a report of a send that failed before anything was sent.
    pub(super) fn failed(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::new(Status::Failed, 0)
        }
    }

    /// Returns a report of a dry run.
    pub(super) fn dry_run(parts: usize, requests: Vec<serde_json::Value>) -> Self {
        Self {
            requests,
            ..Self::new(Status::DryRun, parts)
        }
    }

    /// Returns the report of a line of a batch that fails before it is submitted.
    pub(super) fn of_wrong_line(mut failure: Failure) -> Self {
        // What is wrong is not the command line.
        if failure.exit == Exit::Usage {
            failure.exit = Exit::Data;
        }
        let is_of_line = matches!(failure.exit, Exit::Data | Exit::NoInput);
        let status = if is_of_line {
            Status::Invalid
        } else {
            Status::Refused
        };
        Self {
            failure: Some(failure),
            ..Self::new(status, 0)
        }
        .of_line()
    }

    /// Returns it in the terms of a batch, complete.
    pub(super) fn of_line(mut self) -> Self {
        if self.status == Status::Failed {
            self.status = Status::Refused;
            // In `failed/` it may have arrived: to deliver it again would change nothing.
            if self.outbox_id.is_some()
                && let Some(failure) = &mut self.failure
                && failure.exit == Exit::NotNow
            {
                failure.exit = Exit::Refused;
            }
        }
        self.error = self.failure.as_ref().map(|failure| failure.what.clone());
        self.exit_code = Some(self.exit().code());
        self
    }

    /// Returns the exit code of its failure, or that of a success.
    pub(super) fn exit(&self) -> Exit {
        self.failure.as_ref().map_or(Exit::Sent, |it| it.exit)
    }

    /// Returns the entry in the outbox, if any.
    pub(super) fn outbox_id(&self) -> Option<&str> {
        self.outbox_id.as_deref()
    }

    /// Whether the message is in the outbox, to be sent later without the user.
    pub(super) fn is_queued(&self) -> bool {
        self.status == Status::Queued
    }

    /// Counts a kept message as a success. The reason for keeping it is still reported.
    pub(super) fn kept_is_done(mut self) -> Self {
        if self.is_queued()
            && let Some(failure) = &mut self.failure
        {
            failure.exit = Exit::Sent;
        }
        self
    }

    /// Returns the line for a person, or the failure.
    ///
    /// # Errors
    /// The reason why not everything was sent.
    pub(super) fn result(self) -> Result<String, Failure> {
        let line = self.line(true).unwrap_or_default();
        self.failure.map_or(Ok(line), Err)
    }

    /// Returns the line for a person, if there is anything to report; msgids only if `verbose`.
    fn line(&self, verbose: bool) -> Option<String> {
        Some(match self.status {
            Status::Sent => {
                // WeCom returns no msgid for a duplicate that it dropped.
                let msgids = self.msgids.iter().filter(|msgid| !msgid.is_empty());
                let msgids: Vec<&str> = msgids.map(String::as_str).collect();
                match self.parts {
                    _ if verbose && !msgids.is_empty() => text::send::sent_as(msgids.join(", ")),
                    parts @ 2.. => text::send::sent_in(parts),
                    _ => text::send::sent(),
                }
            }
            Status::Duplicate => text::send::sent_before(),
            Status::Queued if self.failure.is_none() => {
                let id = self.outbox_id.as_deref().unwrap_or_default();
                match &self.until {
                    Some(until) => text::send::queued_until(until, id),
                    None => text::send::queued(id),
                }
            }
            _ => return None,
        })
    }

    /// Shows the result on request; returns the failure, if any.
    ///
    /// An error in showing it has no effect on the message.
    pub(super) fn show(mut self, output: Output) -> Option<Failure> {
        if let Some(failure) = &self.failure {
            self.error = Some(failure.what.clone());
            self.exit_code = Some(failure.exit.code());
        }
        let shown = if output.json {
            output::object(&self)
        } else {
            match self
                .line(output.verbose > 0)
                .filter(|_| output.is_talkative())
            {
                Some(line) => output::result(&line),
                None => Ok(()),
            }
        };
        if let Err(failure) = shown {
            output.note(&text::send::result_not_shown(failure.what));
        }
        self.failure
    }
}
