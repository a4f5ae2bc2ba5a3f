//! Delivers a mail to the recipients of its addresses.

use serde_json::Value;

use super::super::report::Report;
use super::super::submit::{Submitting, composed, guard, time_for};
use super::super::{begin_or_without, recipients};
use super::addresses;
use super::contents::Letter;
use super::hosts;
use crate::compose::Draft;
use crate::config::{Config, MailTo, Settings, State};
use crate::cron;
use crate::delivery::{Outcome, Submission};
use crate::error::{Exit, Failure};
use crate::lang::{Lang, spoken};
use crate::maildrop::Envelope;
use crate::message::{Channel, Long, Mail, Message};
use crate::output::Output;
use crate::secret::{Redactor, digest};
use crate::text::sendmail as words;

/// Delivers mails by a config.
pub(super) struct Mailer<'a> {
    config: &'a Config,
    pub(super) state: Result<State, String>,
    /// The language on the phone.
    lang: Lang,
    /// The names of this host.
    hosts: Vec<String>,
    /// What hides secrets in a mail.
    guard: Redactor,
}

/// A mail and its recipients.
pub(super) struct Mailing {
    pub(super) letter: Letter,
    /// The settings for its recipients: the messages are composed for one after the other, since all of
    /// a large mail would not fit into memory.
    pub(super) to: Vec<Settings>,
    /// The addresses without recipients.
    pub(super) unknown: Vec<String>,
}

impl<'a> Mailer<'a> {
    /// Starts logging. `settings` are those of the config without other recipients.
    pub(super) fn new(config: &'a Config, settings: &Settings, output: Output) -> Self {
        let state = begin_or_without(&settings.base, output);
        Self {
            config,
            guard: guard(config, settings, state.as_ref().ok()),
            state,
            lang: settings.phone_lang,
            hosts: hosts::names(),
        }
    }

    /// Delivers mails of users who may not read the config.
    pub(super) fn for_strangers(self) -> Self {
        let guard = self.guard.for_strangers();
        Self { guard, ..self }
    }

    /// Whether an address has recipients.
    pub(super) fn knows(&self, address: &str) -> bool {
        addresses::recipients(address, self.config, &self.hosts).is_some()
    }

    /// Reads a mail, and finds its recipients. `user` has left it in the maildrop.
    ///
    /// # Errors
    /// `Exit::Usage` or `Exit::Data` if it has no addresses or is empty.
    pub(super) fn mailing(
        &self,
        envelope: &Envelope,
        bytes: &[u8],
        user: Option<&str>,
    ) -> Result<Mailing, Failure> {
        let mail = Mail::parse_of(bytes, &|bytes| self.guard.shows_own(bytes));
        let named = addresses::named(envelope, &mail.recipients)?;
        let found = addresses::find(&named, self.config, &self.hosts);
        let mut letter = Letter::of(mail, envelope.cut, self.lang, &self.hosts)?;
        if let Some(user) = user {
            letter.is_of(user, self.lang);
        }
        letter.hide(&self.guard);
        let mut unknown = found.unknown;
        for address in &mut unknown {
            self.guard.hide(address);
        }
        let mut all = Vec::<Settings>::new();
        for to in found.to {
            let to = match to {
                MailTo::These(recipients) => Some(recipients),
                MailTo::Own => None,
            };
            let settings = recipients::complete(self.config.settings(to)?)?;
            if all.iter().all(|other| other.to != settings.to) {
                all.push(settings);
            }
        }
        Ok(Mailing {
            letter,
            to: all,
            unknown,
        })
    }

    /// Delivers a mail, or keeps it for a flush if `queue`; returns the last failure, if any.
    pub(super) fn deliver(
        &self,
        envelope: &Envelope,
        bytes: Vec<u8>,
        queue: bool,
        output: Output,
    ) -> anyhow::Result<Option<Failure>> {
        let Mailing {
            letter,
            to,
            unknown,
        } = self.mailing(envelope, &bytes, None)?;
        // Messages of a large mail take memory, too.
        drop(bytes);
        for warning in &letter.warnings {
            tracing::warn!("{warning}");
        }
        let mut failures = Vec::new();
        for settings in to {
            let messages = match self.messages(&letter, &settings) {
                Ok(messages) => messages,
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let time = time_for(&messages);
            let report =
                self.submit(settings, messages, &letter, Some(output), |it, messages| {
                    if queue {
                        it.queue_or_send(messages, time)
                    } else {
                        it.send(messages)
                    }
                })?;
            failures.extend(reported(report, output));
        }
        if let Some(first) = unknown.first() {
            let names = unknown.join(spoken().of("、", ", "));
            // A string of JSON is one of TOML.
            failures.push(words::nobody_known(names, Value::from(&**first)));
        }
        // The caller sends it again if that may help anybody.
        let is_final = |failure: &Failure| match failure.exit {
            Exit::Partial => 2,
            Exit::Usage | Exit::Data | Exit::Refused => 1,
            _ => 0,
        };
        failures.sort_by_key(is_final);
        let mut failures = failures.into_iter();
        let first = failures.next();
        failures.for_each(|failure| output.failure(&failure));
        Ok(first)
    }

    /// Composes the messages for some recipients.
    ///
    /// # Errors
    /// If they can't be sent to these.
    pub(super) fn messages(
        &self,
        letter: &Letter,
        settings: &Settings,
    ) -> Result<Vec<Message>, Failure> {
        let draft = Draft {
            channel: Channel::App,
            body: letter.body(),
            safe: false,
            id_trans: false,
            dedupe: None,
            long: Long::Auto,
            keep: settings.outbox.enabled,
        };
        Ok(composed(draft, settings, &self.guard)?.messages)
    }

    /// Submits the messages for some recipients; `output`, if a person may be waiting.
    pub(super) fn submit(
        &self,
        settings: Settings,
        messages: Vec<Message>,
        letter: &Letter,
        output: Option<Output>,
        how: impl FnOnce(Submission<'_>, Vec<Message>) -> Outcome,
    ) -> Result<Report, Failure> {
        let files: u64 = messages.iter().map(Message::bytes_of_file).sum();
        tracing::info!(
            command = "sendmail",
            to = settings.to.describe(),
            bytes = letter.text().len() as u64 + files,
            digest = &digest(&[letter.text()])[..16],
            parts = messages.len(),
            "start"
        );
        tracing::debug!(text = letter.text(), "message");
        let submitting = Submitting {
            config: self.config,
            keep: settings.outbox.enabled,
            settings,
            state: self.state.as_ref().map_err(Clone::clone),
            time: time_for(&messages),
            kept_ok: false,
            urgent: false,
            output,
        };
        let outcome = submitting.submit(|submission| how(submission, messages))?;
        Ok(Report::of(outcome, || cron::flush_command(self.config)))
    }
}

/// Shows a report as callers of sendmail expect: a kept mail is a success.
fn reported(report: Report, output: Output) -> Option<Failure> {
    let is_kept = report.is_queued();
    let failure = report.show(output)?;
    if is_kept {
        output.note(&failure.what);
        return None;
    }
    let exit = match failure.exit {
        Exit::State => Exit::NotNow,
        exit => exit,
    };
    Some(Failure { exit, ..failure })
}
