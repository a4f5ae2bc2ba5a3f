//! The second road: what an app cannot send goes by the group robot that its `fallback` names.
//!
//! What the set-up forbids goes at once, all else once the app has failed to send it for some time.
//! The robot's message is an entry that carries the app's, as a merged message carries texts: it is
//! written just before its first byte leaves, and its delivery removes the other. So it is sent by
//! one of the two, and a kill leaves the same as with any message of a robot. If the robot refuses
//! it, it is removed, and the app's entry waits as before.
//!
//! What may have arrived by the app stays with it: only WeCom's duplicate check, which robots don't
//! have, can settle that. An exception is a request that a gateway answered, which was probably not
//! passed on.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::flush::{give_up, keep_new};
use super::outcome::{End, Outcome, Parts};
use super::reason::Obstacle;
use super::submit::Submission;
use super::{Banner, Delivery, NotDelivered, Reason, Sender, Senders};
use crate::clock::Stamp;
use crate::config::Settings;
use crate::error::Failure;
use crate::message::Message;
use crate::notice::{self, Notice};
use crate::outbox::{
    Attempts, ClaimedEntry, Deferred, Doubt, Entry, FailureRecord, MergedText, SenderAccount,
    SenderName, Spooled,
};
use crate::rate_limit::Share;
use crate::wecom::{Class, Scope};

/// How long an app fails to send a message before the robot does. Source: the contract with users.
const OUTAGE: Duration = Duration::from_mins(5);

/// Why a message goes by the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppTrouble {
    /// The set-up is at fault: with the errcode, if WeCom refused it.
    Setup(Option<i64>),
    /// The app could not send it for `OUTAGE`.
    Outage,
}

impl Reason {
    /// Returns the trouble of the whole app's set-up, if that is the reason.
    pub(super) fn setup(&self) -> Option<AppTrouble> {
        let is_setup = self.scope() == Scope::App && self.is_of(Class::Setup);
        is_setup.then(|| AppTrouble::Setup(self.refusal().map(|refusal| refusal.errcode)))
    }
}

/// Returns why the robot sends an entry now that the app cannot; `None` if it doesn't. `setup` is
/// the trouble of the app's set-up, if there is one.
pub(super) fn due(
    entry: &Entry,
    attempts: &Attempts,
    setup: Option<AppTrouble>,
    now: &Stamp,
) -> Option<AppTrouble> {
    let may_be_there =
        attempts.is_in_the_dark() || entry.once.is_some() && attempts.doubt.is_some();
    if may_be_there || attempts.not_by_robot || entry.is_instead() {
        return None;
    }
    let is_stuck = attempts.stuck_since.and_then(|since| since.age(now));
    setup.or_else(|| (is_stuck? >= OUTAGE).then_some(AppTrouble::Outage))
}

/// Returns the name of the robot of an app, as a sender.
pub(super) fn robot_of(app: &SenderName, settings: &Settings) -> Option<SenderName> {
    Some(SenderName {
        account: SenderAccount::Robot(settings.fallback.clone()?),
        ..app.clone()
    })
}

/// Returns the robot's message for what is left of an entry, below the line that says why; `None` if
/// a robot cannot say it.
pub(super) fn instead_of(
    entry: &Entry,
    sent: usize,
    robot: SenderName,
    mark: &str,
) -> Option<Entry> {
    // The other recipients get the same messages: the group reads those of the last ones.
    let last = entry.messages.last()?;
    let (mut messages, mut instead) = (Vec::new(), Vec::new());
    for part in sent..entry.messages.len() {
        let message = &entry.messages[part];
        if message.to != last.to {
            continue;
        }
        for message in message.for_robot(entry.attachment(part))? {
            messages.push(message);
            instead.push(part + 1);
        }
    }
    let first = messages.first_mut()?;
    if let Some(marked) = first.marked(mark) {
        *first = marked;
    } else {
        let note = first.note(mark.to_owned());
        messages.insert(0, note);
        instead.insert(0, sent);
    }
    Entry::excess(&messages).is_none().then(|| Entry {
        merged: Vec::new(),
        instead,
        sender: robot,
        messages,
        ..entry.clone()
    })
}

/// Returns the robot's message for merged texts, whose head says why.
pub(super) fn instead_of_many(entry: Entry, robot: SenderName) -> Option<Entry> {
    let messages = entry.messages.iter().map(|text| text.for_robot(None));
    let messages: Vec<Message> = messages.collect::<Option<Vec<_>>>()?.concat();
    Some(Entry {
        instead: (1..=messages.len()).collect(),
        sender: robot,
        messages,
        ..entry
    })
}

/// Returns the robot's entry that carries those of an app, as yet unwritten.
pub(super) fn carrying(mut entry: Entry, originals: Vec<Arc<ClaimedEntry>>) -> Option<Deferred> {
    let first = originals.first()?;
    if entry.merged.is_empty() {
        entry.merged.push(MergedText {
            id: first.id().clone(),
            part: entry.messages.len() - 1,
        });
    }
    let (dir, id) = (Arc::clone(first.dir()), first.id().before());
    Some(Deferred::new(&dir, id, entry, originals))
}

/// Notes beside an app's entry what the robot has sent of it, before the robot's entry is removed.
pub(super) fn give_back(carrier: &ClaimedEntry, original: &ClaimedEntry, is_refused: bool) {
    let entry = carrier.entry();
    if entry.carries_many() {
        return;
    }
    let sent = carrier.attempts().sent;
    original.note(|attempts| {
        if let Some(parts) = sent.checked_sub(1).and_then(|last| entry.instead.get(last)) {
            attempts.sent = attempts.sent.max(*parts);
        }
        attempts.not_by_robot |= is_refused;
    });
}

/// Notes beside an app's entry that it may have arrived by the robot.
pub(super) fn note_doubt(original: &ClaimedEntry) {
    let doubt = Doubt::new(Stamp::now(), String::new());
    original.note(|attempts| attempts.doubt = Some(doubt));
}

impl Submission<'_> {
    /// Sends what is left of an entry by the robot, if that is due; returns what came of it, or
    /// `None` if the entry waits for the app as without a robot. `held` is the entry, if it is kept.
    pub(super) fn fall_back(
        &self,
        entry: &Entry,
        held: Option<&Arc<ClaimedEntry>>,
        reason: &Reason,
        outcome: &mut Outcome,
    ) -> Option<End> {
        let now = Stamp::now();
        let attempts = held.map_or_else(
            || Attempts {
                doubt: reason
                    .outcome_unknown
                    .then(|| Doubt::new(now, String::new())),
                ..Attempts::default()
            },
            |held| held.attempts(),
        );
        let name = robot_of(&entry.sender, &self.sender.settings)?;
        let trouble = due(entry, &attempts, reason.setup(), &now)?;
        let lang = self.sender.settings.phone_lang;
        let mark = (self.wording.instead)(lang, trouble);
        let robot = match self.robot(&name) {
            Some(Ok(robot)) => robot,
            Some(Err(failure)) => {
                self.robot_failed(&failure);
                return None;
            }
            None => return None,
        };
        let made = instead_of(entry, outcome.parts.sent, name, &mark)?;
        let carrier = held.and_then(|held| carrying(made.clone(), vec![Arc::clone(held)]));
        let carrier = carrier.map(Arc::new);
        let kept = carrier.as_ref().map_or(Spooled::Nowhere, |carrier| {
            Spooled::Deferred(Arc::clone(carrier))
        });
        let delivery = Delivery {
            sender: &robot,
            deadline: self.deadline,
            share: Share::New,
            patience: self.patience,
            resends: true,
            watching: None,
        };
        let banner = Banner::of_new(entry.accepted, 0, lang, self.wording);
        let done = delivery.deliver_parts(&made, banner, &kept, || (), |it| outcome.add(it));
        let Err(undelivered) = done else {
            let Parts { all, .. } = outcome.parts;
            outcome.parts = Parts { sent: all, all };
            outcome.refusal = None;
            tracing::info!(robot = robot_name(&made), "sent by the fallback");
            return Some(End::Instead {
                robot: robot_name(&made).to_owned(),
                reason: reason.clone(),
            });
        };
        let written = carrier.and_then(|carrier| carrier.written());
        let end = self.not_by_robot(held, written.as_ref(), undelivered);
        let sent = held.map_or(0, |held| held.attempts().sent);
        outcome.parts.sent = outcome.parts.sent.max(sent);
        end
    }

    /// Decides on a message that the robot could not send either.
    fn not_by_robot(
        &self,
        held: Option<&Arc<ClaimedEntry>>,
        carrier: Option<&Arc<ClaimedEntry>>,
        undelivered: NotDelivered,
    ) -> Option<End> {
        let (reason, is_refused) = match undelivered {
            NotDelivered::Deferred(reason) => (reason, false),
            NotDelivered::Rejected(reason) => (reason, true),
        };
        let failure = (self.wording.reason)(&reason);
        let (Some(held), Some(carrier)) = (held, carrier) else {
            if reason.outcome_unknown {
                return Some(End::NotNow(reason));
            }
            self.robot_failed(&failure);
            return None;
        };
        if matches!(reason.error, Obstacle::Unsettled) {
            note_doubt(held);
            let id = held.id().clone();
            let done = give_up(held, &FailureRecord::of(&reason, &failure));
            taken_away(carrier.remove());
            return done.then_some(End::Failed { id, reason });
        }
        if carrier.attempts().is_in_the_dark() {
            keep_new(carrier, &reason, self.wording);
            let id = carrier.id().clone();
            return Some(End::Spooled { id, reason });
        }
        self.robot_failed(&failure);
        give_back(carrier, held, is_refused);
        taken_away(carrier.dissolve());
        None
    }

    /// Returns the sender of the robot.
    fn robot(&self, name: &SenderName) -> Option<Result<Rc<Sender>, Failure>> {
        if let Ok(state) = &self.state {
            return Senders::of(self.config, state).get(name);
        }
        let robot = self.sender.settings.fallback.as_deref()?;
        let settings = self.config.robot_of(name.profile.as_deref(), robot);
        let made = settings
            .map_err(anyhow::Error::from)
            .and_then(|settings| Sender::new(settings, None));
        Some(made.map(Rc::new).map_err(Failure::of))
    }

    fn robot_failed(&self, failure: &Failure) {
        let robot = self.sender.settings.fallback.as_deref().unwrap_or_default();
        let why = &failure.what;
        notice::notify(&Notice::FallbackFailed { robot, why });
    }
}

/// Returns the name of the robot that sends an entry.
pub(super) fn robot_name(entry: &Entry) -> &str {
    match &entry.sender.account {
        SenderAccount::Robot(name) => name,
        SenderAccount::App(_) => "",
    }
}

fn taken_away(done: io::Result<()>) {
    if let Err(error) = done {
        tracing::info!(%error, "the entry of the fallback cannot be removed");
    }
}
