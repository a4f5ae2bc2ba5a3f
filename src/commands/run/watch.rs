//! Records the runs of a watched job.

use std::io;
use std::time::Duration;

use super::trigger::key;
use super::{Ready, recipients};
use crate::cli::Run;
use crate::clock::Stamp;
use crate::cron::{self, FlushJob};
use crate::jobs::{Jobs, WatchPlan, WatchedRun, default_grace};
use crate::message::Channel;
use crate::outbox::{self, Outbox};
use crate::text::run as words;

impl Ready {
    /// Records that the run begins, if the job is to be watched.
    pub(super) fn watch(&mut self, args: &Run, title: &str) {
        let Ok(state) = &self.state else {
            return;
        };
        if args.every.is_none() && args.remind.is_none() {
            return;
        }
        let robot = (recipients::channel(&args.to) == Channel::Robot).then_some(&args.to.robot);
        let plan = WatchPlan {
            every: args.every,
            grace: args
                .grace
                .or(args.every.map(default_grace))
                .unwrap_or_default(),
            remind: args.remind,
            urgent: args.urgent,
            profile: self.config.profile_in_force().map(str::to_owned),
            robot: robot.cloned().flatten(),
            to: self.recipients.clone(),
        };
        match Jobs::begin(state, key(args), title, plan) {
            Ok(watched) => self.watched = Some(watched),
            Err(error) => tracing::warn!("{}", words::not_watched(error)),
        }
        let dir = Outbox::of(state).open().ok().flatten();
        let age = dir.and_then(|dir| outbox::since_last_flush(&dir, &Stamp::now()));
        if age.is_none_or(|age| age > outbox::RECENT) && FlushJob::of(&self.config).find().is_none()
        {
            tracing::warn!("{}", words::nobody_looks(cron::flush_command(&self.config)));
        }
    }

    /// Returns how late the run began, if somebody was told that it was missed.
    pub(super) fn late(&self) -> Option<Duration> {
        self.watched.as_ref().and_then(WatchedRun::late)
    }

    /// Records something of the run, if the job is watched.
    pub(super) fn note(&self, note: impl FnOnce(&WatchedRun) -> io::Result<()>) {
        if let Some(Err(error)) = self.watched.as_ref().map(note) {
            tracing::warn!("{}", words::not_watched(error));
        }
    }
}
