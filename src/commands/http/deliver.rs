//! The way of a request's message: composed and submitted as `send` does, and answered by what became
//! of it.

use super::super::begin_or_without;
use super::super::report::Report;
use super::super::submit::{Submitting, composed, guard};
use super::connection::Connection;
use super::service::{Reply, Service};
use super::{Asked, Exchange, words};
use crate::compose::Composed;
use crate::config::{Settings, State};
use crate::cron;
use crate::error::{Exit, Failure};
use crate::message::Message;
use crate::output::Output;
use crate::secret::{Redactor, digest};

impl Exchange {
    /// Delivers a message or keeps it; returns the answer, a failure of our own, and what hides
    /// secrets in the answer.
    pub(super) fn deliver(
        &self,
        asked: Asked<'_>,
        output: Output,
    ) -> (Reply, Option<Failure>, Redactor) {
        let state = begin_or_without(&asked.settings.base, output);
        let state = state.as_ref().map_err(Clone::clone);
        let guard = guard(asked.config, &asked.settings, state.as_ref().ok().copied());
        let (reply, failure) = match self.submitted(asked, state, &guard) {
            Ok((report, receipt)) => self.answer_to(report, receipt, output),
            Err(failure) => self.not_sent(failure),
        };
        (reply, failure, guard)
    }

    /// Composes and submits a message; returns what became of it, and what it is known by.
    fn submitted(
        &self,
        asked: Asked<'_>,
        state: Result<&State, String>,
        guard: &Redactor,
    ) -> Result<(Report, String), Failure> {
        let Asked {
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
        let submitting = Submitting {
            config,
            settings,
            state,
            time: self.connection.left(),
            keep,
            kept_ok: true,
            urgent,
            output: None,
        };
        let outcome = submitting.submit(|submission| submission.send(messages))?;
        let msgid = outcome.msgids.first().cloned().unwrap_or_default();
        let report = Report::of(outcome, || cron::flush_command(config));
        let receipt = report.outbox_id().map_or(msgid, str::to_owned);
        Ok((report, receipt))
    }

    /// Returns the answer to a message that was submitted.
    fn answer_to(
        &self,
        report: Report,
        receipt: String,
        output: Output,
    ) -> (Reply, Option<Failure>) {
        let is_kept = report.is_queued();
        match report.result() {
            Err(failure) if !is_kept && failure.exit != Exit::Partial => {
                return self.not_sent(failure);
            }
            Err(failure) => output.note(&failure.what),
            Ok(_) => {}
        }
        let reply = Reply {
            receipt,
            ..Reply::new(200, String::new())
        };
        (reply, None)
    }

    /// Returns the answer for a message that is neither delivered nor kept. What is wrong with the
    /// message is the client's affair, all else is ours.
    fn not_sent(&self, failure: Failure) -> (Reply, Option<Failure>) {
        let (status, is_ours) = match failure.exit {
            Exit::Usage | Exit::Data | Exit::Refused => (400, false),
            Exit::Config | Exit::Setup | Exit::Bug => (500, true),
            _ => (503, true),
        };
        let words = match status {
            400 => failure.what.clone(),
            500 => words::not_set_up(),
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
        (Reply::new(status, words), Some(failure).filter(|_| is_ours))
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
