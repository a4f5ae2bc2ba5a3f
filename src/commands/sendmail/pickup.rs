//! Takes the mails that users have left in the maildrop into the outbox.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::mailer::{Mailer, Mailing};
use crate::config::Config;
use crate::delivery::Submission;
use crate::disk::euid;
use crate::error::Failure;
use crate::maildrop::{Maildrop, user_name};
use crate::outbox::Id;
use crate::output::Output;
use crate::text::sendmail as words;

/// The most mails of one user that are taken in one flush, which runs every minute. Source: the
/// contract.
const MAILS_MAX: usize = 20;

/// Takes all mails, oldest first, until a time; returns what a person should know.
///
/// Only root does: the maildrop is root's.
pub(in crate::commands) fn pick_up(
    config: &Config,
    until: Instant,
    output: Output,
) -> BTreeSet<String> {
    let mut notes = BTreeSet::new();
    if euid() != 0 {
        return notes;
    }
    let path = config.base().maildrop;
    match Maildrop::open(&path, until) {
        Ok(None) => {}
        Ok(Some(maildrop)) => {
            let greedy = maildrop.greedy.iter();
            notes.extend(greedy.map(|uid| words::too_many_mails(user_name(*uid))));
            if !maildrop.mails.is_empty()
                && let Err(failure) = take(&maildrop, config, until, output, &mut notes)
            {
                notes.insert(words::mails_stay(path.display(), failure.what));
            }
        }
        Err(error) => {
            notes.insert(words::maildrop_unusable(path.display(), error));
        }
    }
    notes
}

/// Takes the mails, and notes whose were refused; returns the failure that holds up the rest.
fn take(
    maildrop: &Maildrop,
    config: &Config,
    until: Instant,
    output: Output,
    notes: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let settings = config.settings(None)?;
    let mailer = Mailer::new(config, &settings, output);
    let mut taken = HashMap::<u32, usize>::new();
    for (id, uid) in &maildrop.mails {
        if Instant::now() >= until {
            break;
        }
        let taken = taken.entry(*uid).or_default();
        *taken += 1;
        if *taken > MAILS_MAX {
            continue;
        }
        let Some(mail) = maildrop.read(id) else {
            continue;
        };
        let user = user_name(mail.uid);
        match mailer.mailing(&mail.envelope, &mail.bytes, Some(&user)) {
            Ok(mailing) => {
                if !mailing.unknown.is_empty() {
                    let addresses = mailing.unknown.join(", ");
                    tracing::info!(user, addresses, "nobody is known by these addresses");
                    notes.insert(words::mail_to_unknown(user));
                }
                keep(&mailer, id, mailing)?;
            }
            Err(failure) => {
                notes.insert(words::mail_refused(user, failure.what));
            }
        }
        maildrop.remove(id);
    }
    Ok(())
}

/// Keeps the messages of a mail in the outbox, once each, whatever ends this flush.
fn keep(mailer: &Mailer<'_>, id: &Id, mailing: Mailing) -> Result<(), Failure> {
    for (settings, messages) in mailing.all {
        let key = format!("maildrop {id} {}", settings.to.describe());
        let how = |it: Submission<'_>, messages| it.queue_once(messages, &key);
        let report = mailer.submit(settings, messages, &mailing.letter, None, how)?;
        report.result()?;
    }
    Ok(())
}
