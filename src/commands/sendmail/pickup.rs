//! Takes the mails that users have left in the maildrop into the outbox.

use std::collections::BTreeSet;
use std::time::Instant;

use super::super::recipients;
use super::mailer::{Mailer, Mailing};
use crate::config::Config;
use crate::delivery::Submission;
use crate::disk::euid;
use crate::error::{Exit, Failure};
use crate::maildrop::{Maildrop, QueuedMails};
use crate::outbox::{Id, Outbox};
use crate::output::Output;
use crate::text::{self, sendmail as words};

/// Takes mails until a time, one of each user in turn; returns whether it took some. `notes` are what a
/// person should know.
///
/// Only root does: the maildrop is root's.
pub(in crate::commands) fn pick_up(
    config: &Config,
    until: Instant,
    output: Output,
    notes: &mut BTreeSet<String>,
) -> bool {
    if euid() != 0 {
        return false;
    }
    let path = config.base().maildrop;
    let left = until.saturating_duration_since(Instant::now());
    match Maildrop::open(&path, Instant::now() + left / 2) {
        Ok(None) => {}
        Ok(Some(maildrop)) => {
            if maildrop.is_crowded {
                notes.insert(words::maildrop_crowded(path.display()));
            }
            let greedy = maildrop.greedy.iter();
            notes.extend(greedy.map(|uid| words::too_many_mails(known(&maildrop, *uid))));
            match take(&maildrop, config, until, output, notes) {
                Ok(has_taken) => return has_taken,
                Err(failure) => {
                    notes.insert(words::mails_stay(path.display(), failure.what));
                }
            }
        }
        Err(error) => {
            notes.insert(words::maildrop_unusable(path.display(), error));
        }
    }
    false
}

/// Takes the mails, and notes whose were refused and what holds up others; returns whether it took some.
fn take(
    maildrop: &Maildrop,
    config: &Config,
    until: Instant,
    output: Output,
    notes: &mut BTreeSet<String>,
) -> Result<bool, Failure> {
    let mails = maildrop.in_turn();
    if mails.is_empty() {
        return Ok(false);
    }
    let settings = recipients::complete(config.settings(None)?)?;
    let mailer = Mailer::new(config, &settings, output).for_strangers();
    let Ok(state) = &mailer.state else {
        // The warning has been shown.
        return Ok(false);
    };
    let unusable = |error| text::outbox::outbox_unusable(state.dir().path().display(), error);
    let outbox = Outbox::of(state);
    let locked = QueuedMails::lock(state.dir(), outbox, maildrop).map_err(unusable)?;
    let Some(mut queued) = locked else {
        // Another flush takes them.
        return Ok(false);
    };
    let path = config.base().maildrop;
    if queued.is_full() {
        notes.insert(words::users_outbox_full(path.display()));
    }
    let mut pickup = Pickup {
        maildrop,
        mailer: &mailer,
        queued: &mut queued,
        until,
        has_taken: false,
        notes,
    };
    let mut trouble = None;
    for (uid, id) in mails {
        if Instant::now() >= until {
            break;
        }
        if !pickup.queued.has_room(uid) {
            continue;
        }
        let taken = pickup.take(id, uid);
        pickup.queued.done();
        if let Err(failure) = taken {
            // A smaller mail may fit.
            trouble.get_or_insert(failure);
        }
    }
    if let Some(failure) = trouble {
        let what = failure.what;
        pickup.notes.insert(words::mails_stay(path.display(), what));
    }
    let has_taken = pickup.has_taken;
    queued.end().map_err(unusable)?;
    Ok(has_taken)
}

/// The taking of mails, one by one.
struct Pickup<'a, 'q> {
    maildrop: &'a Maildrop,
    mailer: &'a Mailer<'a>,
    queued: &'a mut QueuedMails<'q>,
    until: Instant,
    has_taken: bool,
    notes: &'a mut BTreeSet<String>,
}

impl Pickup<'_, '_> {
    /// Takes a mail, or as much of it as there is room for; returns a failure that isn't the mail's.
    fn take(&mut self, id: &Id, uid: u32) -> Result<(), Failure> {
        let Some(most) = self.queued.begin(id) else {
            self.refuse(uid, "reading it has ended flushes");
            self.remove(id);
            return Ok(());
        };
        let mail = self.maildrop.read(id, most).map_err(words::unreadable)?;
        let Some(mail) = mail else {
            return Ok(());
        };
        let (uid, user) = (mail.uid, named(self.maildrop, mail.uid));
        let mailing = self
            .mailer
            .mailing(&mail.envelope, &mail.bytes, Some(&user));
        let mailing = match mailing {
            Err(failure) if is_of_mail(&failure) => {
                self.refuse(uid, &failure.what);
                self.remove(id);
                return Ok(());
            }
            mailing => mailing?,
        };
        drop(mail.bytes);
        let (count, addresses) = (mailing.unknown.len(), mailing.unknown.join(", "));
        if !self.keep(id, uid, mailing)? {
            return Ok(());
        }
        if count > 0
            && self
                .notes
                .insert(words::mail_to_unknown(known(self.maildrop, uid)))
        {
            tracing::info!(user, count, addresses, "nobody is known by these addresses");
        }
        self.remove(id);
        Ok(())
    }

    /// Keeps the messages of a mail in the outbox, once for each of its recipients, whatever ends this
    /// flush; returns whether none is left for another flush.
    fn keep(&mut self, id: &Id, uid: u32, mailing: Mailing) -> Result<bool, Failure> {
        let mut refused = None;
        let mut is_late = false;
        for settings in mailing.to {
            let to = settings.to.describe();
            if self.queued.is_kept(id, &to) {
                continue;
            }
            // However long it took to read, one more is kept by each flush.
            if is_late || !self.queued.has_room(uid) {
                return Ok(false);
            }
            let messages = match self.mailer.messages(&mailing.letter, &settings) {
                Err(failure) if is_of_mail(&failure) => {
                    refused.get_or_insert(failure);
                    continue;
                }
                messages => messages?,
            };
            let key = format!("maildrop {id} {to}");
            let count = messages.len();
            let how = |it: Submission<'_>, messages| it.queue_mail(messages, &key, uid);
            let mailer = self.mailer;
            let report = mailer.submit(settings, messages, &mailing.letter, None, how)?;
            if let Some(id) = report.outbox_id().and_then(Id::parse)
                && let Err(error) = self.queued.add(id, uid, count)
            {
                tracing::info!(%error, "a mail in the outbox does not count for its user");
            }
            report.result()?;
            self.has_taken = true;
            if let Err(error) = self.queued.set_kept(id, &to) {
                tracing::info!(%error, "only its key keeps a mail from going out twice");
            }
            is_late = Instant::now() >= self.until;
        }
        if let Some(failure) = refused {
            self.refuse(uid, &failure.what);
        }
        Ok(true)
    }

    /// Notes whose mail can't be delivered.
    fn refuse(&mut self, uid: u32, why: &str) {
        // Once a flush: a user can't fill the log.
        if self
            .notes
            .insert(words::mail_refused(known(self.maildrop, uid)))
        {
            let user = named(self.maildrop, uid);
            tracing::info!(user, why, "a mail is refused");
        }
    }

    fn remove(&mut self, id: &Id) {
        self.maildrop.remove(id);
        self.queued.forget(id);
    }
}

/// Returns the name of a user, or else the id.
fn named(maildrop: &Maildrop, uid: u32) -> String {
    let name = maildrop.accounts.name(uid);
    name.map_or_else(|| format!("uid {uid}"), str::to_owned)
}

/// Returns the name of a user in a notice: the same for all without an account, since one person may
/// have thousands of ids.
fn known(maildrop: &Maildrop, uid: u32) -> String {
    let name = maildrop.accounts.name(uid).map(str::to_owned);
    name.unwrap_or_else(words::without_account)
}

/// Whether a mail is refused for what is in it.
fn is_of_mail(failure: &Failure) -> bool {
    matches!(failure.exit, Exit::Usage | Exit::Data | Exit::Refused)
}
