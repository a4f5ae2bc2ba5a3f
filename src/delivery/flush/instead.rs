//! What an app cannot send goes by its fallback: when, and what follows if that fails as well.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::reason::Obstacle;
use super::super::{Reason, Sender, fallback};
use super::Flush;
use super::dispatch::Dispatch;
use super::merging::take_apart;
use super::outcome::keep;
use crate::clock::Stamp;
use crate::disk::Dir;
use crate::message::Channel;
use crate::outbox::{ClaimedEntry, Id, Spooled};
use crate::rate_limit::Audience;

impl Flush<'_> {
    /// Sends an entry that its app cannot send by the robot, if that is due, together with those
    /// behind it that can be merged; returns whether it left the outbox.
    pub(super) fn fall_back(
        &mut self,
        dir: &Arc<Dir>,
        held: &Arc<ClaimedEntry>,
        sender: &Rc<Sender>,
        behind: &[Id],
    ) -> bool {
        let entry = held.entry();
        let Some(name) = fallback::robot_of(&entry.sender, &sender.settings) else {
            return false;
        };
        let (now, attempts) = (Stamp::now(), held.attempts());
        if held.is_carried() {
            return false;
        }
        if attempts.stuck_since.is_none() {
            held.note(|attempts| attempts.stuck_since = Some(now));
        }
        let setup = self.turn(&entry.sender).setup();
        let Some(trouble) = fallback::due(entry, &attempts, setup, &now) else {
            return false;
        };
        if !entry.merged.is_empty() {
            self.leave_originals(dir, held);
            return false;
        }
        let waits = self.is_behind(&name, Channel::Robot, &Audience::Everyone);
        let robot = match self.senders.get(&name) {
            Some(Ok(robot)) => robot,
            Some(Err(failure)) => {
                self.summary.held_up.get_or_insert(failure);
                return false;
            }
            None => return false,
        };
        if waits || self.turn(&name).is_stopped() {
            return false;
        }
        let mark = (self.wording.instead)(sender.settings.phone_lang, trouble);
        let Some(message) = self.instead(dir, held, sender, behind, robot, &mark) else {
            return false;
        };
        while self.land(dir, &name) {}
        let before = self.summary.delivered;
        self.deliver(dir, &message);
        let is_sent = self.summary.delivered > before;
        if is_sent {
            let turn = self.turn(&entry.sender);
            message
                .originals
                .iter()
                .for_each(|it| turn.sent_instead(it));
            let robot = fallback::robot_name(&message.entry).to_owned();
            tracing::info!(id = message.id(), robot, "sent by the fallback");
            self.summary.instead.insert(robot, trouble);
        }
        is_sent
    }

    /// Returns the robot's message for an entry, together with those behind it that can be merged;
    /// `None` if a robot cannot say it.
    fn instead(
        &mut self,
        dir: &Arc<Dir>,
        held: &Arc<ClaimedEntry>,
        sender: &Rc<Sender>,
        behind: &[Id],
        robot: Rc<Sender>,
        mark: &str,
    ) -> Option<Dispatch> {
        let name = robot.name();
        let (made, originals) = match self.merged(dir, held, sender, behind, mark) {
            Some(merged) => (
                fallback::instead_of_many(merged.entry, name),
                merged.originals,
            ),
            None => (
                fallback::instead_of(held.entry(), held.attempts().sent, name, mark),
                vec![Arc::clone(held)],
            ),
        };
        let carrier = fallback::carrying(made?, originals.clone())?;
        Some(Dispatch {
            entry: carrier.entry().clone(),
            kept: Spooled::Deferred(Arc::new(carrier)),
            originals,
            sender: robot,
            to: Audience::Everyone,
            is_old: false,
        })
    }

    /// Takes a merged message apart that the app was refused, so that the robot can send the texts;
    /// returns whether that is so.
    pub(super) fn leaves_to_robot(
        &mut self,
        message: &Dispatch,
        held: &Arc<ClaimedEntry>,
        reason: &Reason,
    ) -> bool {
        let has_robot = message.sender.settings.fallback.is_some();
        let due = fallback::due(
            &message.entry,
            &held.attempts(),
            reason.setup(),
            &Stamp::now(),
        );
        let is_left =
            has_robot && due.is_some() && !message.entry.merged.is_empty() && take_apart(held);
        if is_left {
            for merged in &message.entry.merged {
                self.carried.remove(&merged.id);
                self.in_vain.insert(merged.id.clone());
            }
            for original in &message.originals {
                keep(original, reason, None, self.wording);
            }
            self.next(Duration::ZERO);
        }
        is_left
    }

    /// Takes apart a merged message that has waited for the app, so that the robot can send the
    /// texts in the next pass.
    fn leave_originals(&mut self, dir: &Arc<Dir>, held: &Arc<ClaimedEntry>) {
        let since = held.attempts().stuck_since;
        for merged in &held.entry().merged {
            if let Some(original) = self.original(dir, &[], &merged.id) {
                original.note(|attempts| attempts.stuck_since = attempts.stuck_since.or(since));
            }
        }
        if take_apart(held) {
            self.next(Duration::ZERO);
        }
    }

    /// Handles a message that the robot could not send in place of the app.
    pub(super) fn not_by_robot(
        &mut self,
        dir: &Arc<Dir>,
        message: &Dispatch,
        reason: &Reason,
        is_refused: bool,
    ) {
        let name = &message.entry.sender;
        let why = (self.wording.reason)(reason).what;
        tracing::info!(id = message.id(), why, "not sent by the fallback");
        if let Some(held) = message.held() {
            if matches!(reason.error, Obstacle::Unsettled) {
                return self.fail_merged(dir, message, reason);
            }
            if held.attempts().is_in_the_dark() {
                keep(&held, reason, None, self.wording);
            } else {
                self.return_to_app(dir, &held, &message.originals, is_refused);
            }
        } else if reason.is_of_disk() {
            self.turn(name).stop(false, None);
        }
        self.trouble(name, None, reason);
    }

    /// Removes a robot's entry, so that those of the app that it carries wait for the app again.
    pub(super) fn return_to_app(
        &mut self,
        dir: &Arc<Dir>,
        held: &Arc<ClaimedEntry>,
        originals: &[Arc<ClaimedEntry>],
        is_refused: bool,
    ) {
        for merged in &held.entry().merged {
            if let Some(original) = self.original(dir, originals, &merged.id) {
                fallback::give_back(held, &original, is_refused);
            }
        }
        self.dissolve(held);
    }
}
