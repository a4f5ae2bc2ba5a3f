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

/// Takes mails until a time, one of each user in turn; returns what a person should know. After a mail
/// that has ended a flush, `own_first` delivers what waits; it returns until when mails are taken.
///
/// Only root does: the maildrop is root's.
pub(in crate::commands) fn pick_up(
    config: &Config,
    until: Instant,
    output: Output,
    own_first: &mut dyn FnMut() -> Instant,
) -> BTreeSet<String> {
    let mut notes = BTreeSet::new();
    if euid() != 0 {
        return notes;
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
            let taken = take(&maildrop, config, until, output, own_first, &mut notes);
            if let Err(failure) = taken {
                notes.insert(words::mails_stay(path.display(), failure.what));
            }
        }
        Err(error) => {
            notes.insert(words::maildrop_unusable(path.display(), error));
        }
    }
    notes
}

/// Takes the mails, and notes whose were refused; returns the failure that holds up others.
fn take(
    maildrop: &Maildrop,
    config: &Config,
    mut until: Instant,
    output: Output,
    own_first: &mut dyn FnMut() -> Instant,
    notes: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let mails = maildrop.in_turn();
    if mails.is_empty() {
        return Ok(());
    }
    let settings = recipients::complete(config.settings(None)?)?;
    let mailer = Mailer::new(config, &settings, output);
    let Ok(state) = &mailer.state else {
        // The warning has been shown.
        return Ok(());
    };
    let unusable = |error| text::outbox::outbox_unusable(state.dir().path().display(), error);
    let outbox = Outbox::of(state).open().map_err(unusable)?;
    let Some(mut queued) = QueuedMails::lock(state.dir(), outbox, &mails).map_err(unusable)? else {
        // Another flush takes them.
        return Ok(());
    };
    if queued.is_full() {
        let path = config.base().maildrop;
        notes.insert(words::users_outbox_full(path.display()));
    }
    if queued.has_fatal() {
        until = own_first();
    }
    let mut trouble = None;
    for (uid, id) in mails {
        if Instant::now() >= until {
            break;
        }
        if !queued.has_room(uid) {
            continue;
        }
        let Some(most) = queued.begin(id) else {
            refuse(maildrop, id, uid, "reading it has ended flushes", notes);
            continue;
        };
        let mail = match maildrop.read(id, most) {
            Ok(Some(mail)) => mail,
            Ok(None) => continue,
            Err(error) => {
                trouble.get_or_insert_with(|| words::unreadable(error));
                continue;
            }
        };
        let user = named(maildrop, mail.uid);
        let mailing = match mailer.mailing(&mail.envelope, &mail.bytes, Some(&user)) {
            Ok(mailing) => mailing,
            // The set-up is at fault, not the mail.
            Err(failure) if !is_of_mail(&failure) => {
                trouble.get_or_insert(failure);
                continue;
            }
            Err(failure) => {
                refuse(maildrop, id, mail.uid, &failure.what, notes);
                continue;
            }
        };
        if !mailing.unknown.is_empty() {
            let addresses = mailing.unknown.join(", ");
            let count = mailing.unknown.len();
            if notes.insert(words::mail_to_unknown(known(maildrop, mail.uid))) {
                tracing::info!(user, count, addresses, "nobody is known by these addresses");
            }
        }
        match keep(&mailer, id, mail.uid, mailing, &mut queued) {
            Ok(()) => maildrop.remove(id),
            // A smaller mail may fit.
            Err(failure) => {
                trouble.get_or_insert(failure);
            }
        }
    }
    queued.end().map_err(unusable)?;
    trouble.map_or(Ok(()), Err)
}

/// Removes a mail that can't be delivered, and notes whose it was.
fn refuse(maildrop: &Maildrop, id: &Id, uid: u32, why: &str, notes: &mut BTreeSet<String>) {
    // Once a flush: a user can't fill the log.
    if notes.insert(words::mail_refused(known(maildrop, uid))) {
        let user = named(maildrop, uid);
        tracing::info!(user, why, "a mail is refused");
    }
    maildrop.remove(id);
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

/// Keeps the messages of a mail in the outbox, once each, whatever ends this flush.
fn keep(
    mailer: &Mailer<'_>,
    id: &Id,
    uid: u32,
    mailing: Mailing,
    queued: &mut QueuedMails<'_>,
) -> Result<(), Failure> {
    for (settings, messages) in mailing.all {
        let key = format!("maildrop {id} {}", settings.to.describe());
        let count = messages.len();
        let how = |it: Submission<'_>, messages| it.queue_once(messages, &key);
        let report = mailer.submit(settings, messages, &mailing.letter, None, how)?;
        if let Some(id) = report.outbox_id().and_then(Id::parse)
            && let Err(error) = queued.add(id, uid, count)
        {
            tracing::info!(%error, "a mail in the outbox does not count for its user");
        }
        report.result()?;
    }
    Ok(())
}
