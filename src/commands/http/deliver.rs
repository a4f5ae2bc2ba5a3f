//! The way of a request's message: composed and submitted as `send` does, and answered by what became
//! of it.

use std::time::Duration;

use super::super::begin_or_without;
use super::super::report::Report;
use super::super::submit::{Submitting, composed, guard};
use super::connection::Connection;
use super::service::{Service, ServiceReply};
use super::{AcceptedRequest, Exchange, words};
use crate::compose::Composed;
use crate::config::{Settings, State};
use crate::cron;
use crate::delivery::{End, Outcome, Patience};
use crate::error::{Exit, Failure};
use crate::message::{Channel, Message};
use crate::output::Output;
use crate::secret::{Redactor, digest};

/// How long a message that is kept is delivered before it is answered: clients that give up send it
/// again. Source: apprise gives up after 4 s.
const KEPT: Duration = Duration::from_secs(3);

/// The same for a group's, which is not sent again once its answer is late. Source: `curl -m 10`, the
/// usual time of scripts.
const KEPT_FOR_GROUP: Duration = Duration::from_secs(8);

/// What became of a message.
struct Submitted {
    report: Report,
    /// What it is known by.
    receipt: String,
    /// Whether it may have arrived, and nothing sends it again.
    in_doubt: bool,
}

impl Exchange {
    /// Delivers a message or keeps it; returns the answer, and a failure of our own.
    pub(super) fn deliver(
        &self,
        asked: AcceptedRequest<'_>,
        output: Output,
    ) -> (ServiceReply, Option<Failure>) {
        let state = begin_or_without(&asked.settings.base, output);
        let state = state.as_ref().map_err(Clone::clone);
        let guard = guard(asked.config, &asked.settings, state.as_ref().ok().copied());
        let guard = guard.for_strangers();
        match self.submitted(asked, state, &guard) {
            Ok(submitted) => self.answer_to(submitted, &guard, output),
            Err(failure) => self.not_sent(failure, false, &guard),
        }
    }

    /// Composes and submits a message.
    fn submitted(
        &self,
        asked: AcceptedRequest<'_>,
        state: Result<&State, String>,
        guard: &Redactor,
    ) -> Result<Submitted, Failure> {
        let AcceptedRequest {
            config,
            settings,
            channel,
            note,
        } = asked;
        let (keep, urgent) = (settings.outbox.enabled, note.is_urgent);
        let draft = note.draft(channel, keep);
        let draft = draft.map_err(|words| Failure::new(Exit::Data, words))?;
        let Composed { messages, text, .. } = composed(draft, &settings, guard)?;
        self.log(&settings, &messages, &text);
        let is_kept = keep && state.is_ok();
        let left = self.connection.left();
        let time = match channel {
            _ if !is_kept => left,
            Channel::App => left.min(KEPT),
            Channel::Chat | Channel::Robot => left.min(KEPT_FOR_GROUP),
        };
        let submitting = Submitting {
            config,
            settings,
            state,
            time,
            keep,
            kept_ok: true,
            urgent,
            output: None,
        };
        let outcome = submitting.submit(|mut submission| {
            if is_kept {
                // A slot of the recipients may take a minute: the flush waits for it.
                submission.patience = Patience::Errors;
            }
            submission.send(messages)
        })?;
        let in_doubt = is_in_doubt(&outcome);
        let msgid = outcome.msgids.first().cloned().unwrap_or_default();
        let report = Report::of(outcome, || cron::flush_command(config));
        let receipt = report.outbox_id().map_or(msgid, str::to_owned);
        Ok(Submitted {
            report,
            receipt,
            in_doubt,
        })
    }

    /// Returns the answer to a message that was submitted.
    fn answer_to(
        &self,
        submitted: Submitted,
        guard: &Redactor,
        output: Output,
    ) -> (ServiceReply, Option<Failure>) {
        let Submitted {
            report,
            receipt,
            in_doubt,
        } = submitted;
        // One that may have arrived and lies in `failed/` is in a person's hands: sent again, it
        // would arrive twice.
        let is_kept = report.is_queued() || in_doubt && report.outbox_id().is_some();
        match report.result() {
            Err(failure) if !is_kept && failure.exit != Exit::Partial => {
                return self.not_sent(failure, in_doubt, guard);
            }
            Err(mut failure) => {
                guard.hide(&mut failure.what);
                output.note(&failure.what);
            }
            Ok(_) => {}
        }
        let reply = ServiceReply {
            receipt,
            ..ServiceReply::new(200, String::new())
        };
        (reply, None)
    }

    /// Returns the answer for a message that is neither delivered nor kept. What is wrong with the
    /// message is the client's affair, all else is ours.
    fn not_sent(
        &self,
        mut failure: Failure,
        in_doubt: bool,
        guard: &Redactor,
    ) -> (ServiceReply, Option<Failure>) {
        // It may name a file as the client does.
        guard.hide(&mut failure.what);
        let (status, is_ours) = match failure.exit {
            Exit::Usage | Exit::Data | Exit::Refused => (400, false),
            Exit::Config | Exit::Setup | Exit::Bug => (500, true),
            _ => (503, true),
        };
        let words = match status {
            400 => failure.what.clone(),
            500 => words::not_set_up(),
            _ if in_doubt => words::in_doubt(),
            _ => words::not_kept(),
        };
        tracing::info!(
            command = "http",
            service = self.service.map(Service::name),
            key = self.key,
            from = Connection::peer(),
            status,
            why = failure.what,
            "not sent"
        );
        (
            ServiceReply::new(status, words),
            Some(failure).filter(|_| is_ours),
        )
    }

    /// Logs that a message begins its way.
    fn log(&self, settings: &Settings, messages: &[Message], text: &str) {
        let files: u64 = messages.iter().map(Message::bytes_of_file).sum();
        tracing::info!(
            command = "http",
            service = self.service.map(Service::name),
            key = self.key,
            from = Connection::peer(),
            to = settings.receivers(),
            bytes = text.len() as u64 + files,
            digest = &digest(&[text])[..16],
            parts = messages.len(),
            "start"
        );
        tracing::debug!(text, "message");
    }
}

/// Whether a message may have arrived although it counts as not sent, and nothing sends it again.
fn is_in_doubt(outcome: &Outcome) -> bool {
    match &outcome.end {
        End::NotNow(reason)
        | End::Refused(reason)
        | End::Lost { reason, .. }
        | End::Failed { reason, .. } => reason.outcome_unknown,
        _ => false,
    }
}
