//! Tells of watched jobs that did not run in time, and reminds of those that stay broken.

use std::io;

use super::super::recipients;
use super::super::report::Report;
use super::super::submit::{Submitting, TIME, composed, guard};
use super::report;
use crate::clock::{Stamp, local_minute, time_of};
use crate::config::{self, Config, Settings, State};
use crate::cron;
use crate::error::Failure;
use crate::jobs::{Job, Jobs, Missed};
use crate::message::Channel;
use crate::streaks::Streaks;
use crate::text::{outbox::outbox_unusable, run as words};

/// Tells of the jobs of a state directory, and returns what a person should know.
pub(in crate::commands) fn tell_overdue(config: &Config, state: &State) -> Vec<String> {
    let looked = Jobs::open(state).and_then(|jobs| {
        let Some(jobs) = jobs else {
            return Ok(Vec::new());
        };
        let watched = jobs.look()?;
        let teller = Teller {
            config,
            state,
            jobs: &jobs,
        };
        let all = jobs.all()?.into_iter();
        Ok(all
            .filter_map(|(key, _)| teller.tell(&key, &watched))
            .collect())
    });
    looked.unwrap_or_else(|error| vec![words::jobs_unreadable(error)])
}

struct Teller<'a> {
    config: &'a Config,
    state: &'a State,
    jobs: &'a Jobs,
}

impl Teller<'_> {
    /// Tells of a job if that is due; returns why it could not.
    fn tell(&self, key: &str, watched: &Stamp) -> Option<String> {
        let told = self.jobs.change(key, |job| {
            let job = job.as_mut()?;
            let why = self.tell_of(key, job, watched).err()?;
            Some(words::job_untold(&job.name, why.what))
        });
        told.unwrap_or_else(|error| Some(words::jobs_unreadable(error)))
    }

    /// Tells of a job, under the lock of its file: its next run begins after that.
    fn tell_of(&self, key: &str, job: &mut Job, watched: &Stamp) -> Result<(), Failure> {
        let now = Stamp::now();
        let Some(due) = job.due().filter(|_| job.is_overdue(&now, watched)) else {
            return match (job.missed, job.plan.remind) {
                (None, Some(_)) => self.remind_of_failures(key, job),
                _ => Ok(()),
            };
        };
        let count = match &job.missed {
            None => 0,
            Some(missed) => {
                let silent = missed.told.age_or_zero(&now);
                if job.plan.remind.is_none_or(|after| silent < after) {
                    return Ok(());
                }
                missed.count
            }
        };
        let is_running = self.jobs.is_running(key);
        let alarm = |settings: &Settings| {
            let (lang, name, host) = (settings.phone_lang, &job.name, config::hostname());
            let (started, due) = (local_minute(job.started.time()), local_minute(due.time()));
            let text = if is_running {
                words::still_running(lang, name, host, started, due)
            } else {
                words::not_run(lang, name, host, started, due)
            };
            match count {
                0 => text,
                _ => format!("{text}\n{}", words::forget_it(lang, name)),
            }
        };
        self.send(
            job,
            &format!("overdue {key} {} {count}", job.started),
            alarm,
        )?;
        tracing::info!(name = job.name, count, "overdue");
        job.missed = Some(Missed {
            due,
            told: now,
            count: count + 1,
        });
        Ok(())
    }

    fn remind_of_failures(&self, key: &str, job: &Job) -> Result<(), Failure> {
        let streaks = Streaks::of(self.state, key.to_owned());
        let unusable = |error: io::Error| outbox_unusable(self.state.dir().path().display(), error);
        let streak = streaks.current().map_err(unusable)?;
        let is_due = |after| streak.is_some_and(|streak| streak.wants_reminder(after));
        let Some(streak) = streak.filter(|_| job.plan.remind.is_some_and(is_due)) else {
            return Ok(());
        };
        let reminder = |settings: &Settings| {
            let since = local_minute(time_of(streak.since.saturating_mul(1000)));
            let (lang, host) = (settings.phone_lang, config::hostname());
            words::still_failing(lang, &job.name, host, streak.failures, since)
        };
        let told = streak.told.unwrap_or_default();
        self.send(
            job,
            &format!("failing {key} {} {told}", streak.since),
            reminder,
        )?;
        tracing::info!(name = job.name, "keeps failing");
        streaks.reminded().map_err(unusable)
    }

    /// Keeps a message to those whom the job's reports go to, once for a key; sends it if nothing is
    /// kept.
    fn send(
        &self,
        job: &Job,
        key: &str,
        text: impl FnOnce(&Settings) -> String,
    ) -> Result<(), Failure> {
        let settings = self.settings(job)?;
        let channel = match (&job.plan.robot, &settings.to.chatid) {
            (Some(_), _) => Channel::Robot,
            (_, Some(_)) => Channel::Chat,
            _ => Channel::App,
        };
        let guard = guard(self.config, &settings, Some(self.state));
        let draft = report(channel, Default::default(), &settings, text(&settings));
        let messages = composed(draft, &settings, &guard)?.messages;
        let keep = settings.outbox.enabled;
        let submitting = Submitting {
            config: self.config,
            settings,
            state: Ok(self.state),
            time: TIME,
            keep,
            kept_ok: true,
            urgent: job.plan.urgent,
            output: None,
        };
        let outcome = submitting.submit(|it| {
            if keep {
                it.queue_once(messages, key)
            } else {
                it.send(messages)
            }
        })?;
        if outcome.is_safe() {
            return Ok(());
        }
        let report = Report::of(outcome, || cron::flush_command(self.config));
        report.result().map(drop)
    }

    fn settings(&self, job: &Job) -> Result<Settings, Failure> {
        let profile = job.plan.profile.as_deref();
        let mut settings = match &job.plan.robot {
            Some(name) => self.config.robot_of(profile, name)?,
            None => self.config.settings_of(profile)?,
        };
        if let Some(to) = &job.plan.to {
            settings.to = to.clone();
        }
        recipients::complete(settings)
    }
}
