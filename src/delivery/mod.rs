//! The delivery policy: credential, file, slot, request, one new token, and retries until the
//! deadline.
//!
//! It decides by the class and the scope of each error, and knows no command-line options.

mod ask;
mod audiences;
mod banner;
mod batch;
mod conclude;
mod doubt;
mod fallback;
mod file;
mod flights;
mod flush;
mod merge;
mod once;
mod outcome;
mod reason;
mod request;
mod retry;
mod sender;
mod slots;
mod submit;
mod summary;
mod turn;
mod wording;

pub(crate) use banner::Banner;
pub(crate) use batch::{BatchDelivery, BatchOrder, BatchStep, SenderNumber};
pub(crate) use fallback::AppTrouble;
pub(crate) use flush::{Bounds, Flush};
pub(crate) use outcome::{End, Outcome, Parts};
pub(crate) use reason::{NotDelivered, Obstacle, Reason};
pub(crate) use retry::retry;
pub(crate) use sender::{Sender, Senders};
pub(crate) use submit::{Delivering, Submission, Watcher};
pub(crate) use summary::{FlushSummary, Strange};
pub(crate) use wording::Wording;

use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::file_slice::Watching;
use crate::message::{Attachment, Channel, Message, Recipients};
use crate::outbox::{Entry, Spooled, Syncing};
use crate::rate_limit::{Audience, Fingerprint, Share};
use crate::secret::digest;
use crate::wecom::{Class, SPEED, Sent, Unreached};
use retry::Tries;

/// The time for a message, retries included, if none is set. Source: the contract.
pub(crate) const TIME: Duration = Duration::from_secs(30);

/// A delivery of one sender's messages over one connection.
pub(crate) struct Delivery<'a> {
    pub(crate) sender: &'a Sender,
    pub(crate) deadline: Instant,
    /// The share of the ledger's slots that the messages may take.
    pub(crate) share: Share,
    pub(crate) patience: Patience,
    /// Whether to resend a request that may have been processed; messages are resent, flagged.
    pub(crate) resends: bool,
    /// The progress of file uploads.
    pub(crate) watching: Option<Watching>,
}

/// What a delivery waits for before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Nothing: the first error ends it.
    Nothing,
    /// Errors that pass, but no slot of the recipients.
    Errors,
    /// Errors that pass, and a slot of the recipients.
    Slots,
}

/// One message of an entry, with the facts needed to send it.
struct Part<'a> {
    message: &'a Message,
    /// The file to upload first, unless WeCom has it.
    file: Option<&'a Attachment>,
    /// Its place in the entry.
    number: usize,
    /// The lines before its text.
    banner: Option<Banner>,
    kept: &'a Spooled,
    accepted: Stamp,
    /// Whether it must never arrive twice.
    once: bool,
}

impl<'a> Part<'a> {
    /// Returns the only message of an entry, which needs no file.
    fn alone(entry: &'a Entry, kept: &'a Spooled, banner: Option<Banner>) -> Self {
        Self {
            message: &entry.messages[0],
            file: None,
            number: 0,
            banner,
            kept,
            accepted: entry.accepted,
            once: entry.once.is_some(),
        }
    }
}

impl Delivery<'_> {
    /// Delivers the remaining messages of an entry in order, each after WeCom accepted the one
    /// before, and removes the entry from the outbox after the last.
    /// Calls `on_notice` once the notice of expired messages was delivered. Calls `sent` for each
    /// message that was accepted, or skipped because its recipients do not exist while others do.
    ///
    /// # Errors
    /// Why the next message was not delivered; the messages after it were not tried.
    pub(crate) fn deliver_parts(
        &self,
        entry: &Entry,
        mut banner: Banner,
        kept: &Spooled,
        mut on_notice: impl FnMut(),
        mut sent: impl FnMut(Result<Sent, Unreached>),
    ) -> Result<(), NotDelivered> {
        let first = kept.attempts().sent;
        let mut reached = first > 0;
        // Messages whose recipients do not exist, held back until one succeeds.
        let mut passed = Vec::new();
        for part in first..entry.messages.len() {
            let message = &entry.messages[part];
            if part > first {
                // The lines have been sent, unless these are other recipients.
                let is_same = entry.messages[part - 1].to == message.to;
                banner = Banner {
                    is_said: is_same,
                    expired: 0,
                    ..banner
                };
            }
            let next = Part {
                message,
                file: entry.attachment(part),
                number: part,
                banner: None,
                kept,
                accepted: entry.accepted,
                once: entry.once.is_some(),
            };
            match self.deliver_part(next, banner, &mut on_notice) {
                Ok(yes) => {
                    reached = true;
                    passed.push(Ok(yes));
                }
                Err(NotDelivered::Rejected(reason))
                    if reason.is_of(Class::Recipients)
                        && (reached || part + 1 < entry.messages.len())
                        && entry.messages.iter().any(|other| other.to != message.to) =>
                {
                    passed.push(Err(all_of(&message.to)));
                }
                Err(undelivered) => return Err(undelivered),
            }
            if !reached {
                continue;
            }
            if let Some(held) = kept.held() {
                held.delivered(passed.len(), Syncing::Now);
            }
            passed.drain(..).for_each(&mut sent);
        }
        Ok(())
    }

    /// Delivers one message with the lines before its text; the lines go as a separate message if
    /// the text has no room for them.
    fn deliver_part(
        &self,
        mut part: Part<'_>,
        banner: Banner,
        on_notice: &mut impl FnMut(),
    ) -> Result<Sent, NotDelivered> {
        let attempts = part.kept.attempts();
        let lines = banner.lines(&Stamp::now());
        // A message in doubt is resent unchanged, and lines already sent are not repeated.
        let mut in_text = attempts.doubt.is_none() && !attempts.noted;
        let mut tries = self.tries(attempts.doubt);
        if in_text && !lines.is_empty() && part.message.marked(&lines).is_none() {
            in_text = false;
            // Its file first: if that is refused, the lines would stand before another message.
            tries.media = self.retry(self.tries(None), |tries| {
                self.with_media(&part, tries)?;
                Ok(tries.media.take())
            })?;
            let note = Part {
                message: &part.message.note(lines),
                file: None,
                number: part.number,
                banner: None,
                kept: &Spooled::Nowhere,
                accepted: part.accepted,
                once: false,
            };
            self.send_with_retry(&note, self.tries(None))?;
            if let Some(held) = part.kept.held() {
                held.note(|attempts| attempts.noted = true);
            }
            if banner.expired > 0 {
                on_notice();
            }
        }
        part.banner = in_text.then_some(banner);
        let sent = self.send_with_retry(&part, tries)?;
        if in_text && banner.expired > 0 {
            on_notice();
        }
        Ok(sent)
    }

    /// Sends one message, retrying while that may help.
    fn send_with_retry(&self, part: &Part<'_>, tries: Tries) -> Result<Sent, NotDelivered> {
        self.retry(tries, |tries| self.send(part, tries))
    }

    /// Uploads the message's file if necessary and sends the message; repeats both once if WeCom
    /// has forgotten the file.
    fn send(&self, part: &Part<'_>, tries: &mut Tries) -> Result<Sent, Obstacle> {
        let message = self.with_media(part, tries)?;
        let mut token = tries.token.take();
        let result = self.send_once(&message, part, &mut token, tries);
        tries.token = token;
        match result {
            Err(Obstacle::Call(error))
                if error.class == Class::Media && self.renews(part, tries) =>
            {
                self.send(part, tries)
            }
            result => result,
        }
    }
}

/// Returns all given recipients as unreached.
fn all_of(to: &Recipients) -> Unreached {
    Unreached {
        invaliduser: to.touser.clone(),
        invalidparty: to.toparty.clone(),
        invalidtag: to.totag.clone(),
        unlicenseduser: Vec::new(),
    }
}

/// Returns the fingerprint that identifies a message in its app's ledger. A file counts by its
/// `media_id`, as it does for WeCom's duplicate check.
fn fingerprint(accepted: Stamp, message: &Message) -> Fingerprint {
    let body = message.to_json();
    let sum = digest(&[message.channel.call(), &String::from_utf8_lossy(&body)]);
    Fingerprint {
        accepted,
        digest: u32::from_str_radix(&sum[..8], 16).unwrap_or_default(),
    }
}

/// Returns the upload time of this many bytes on a slow network.
pub(crate) fn upload_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SPEED)
}

/// Returns the members that a message counts for; the members of a chat or a group are not known.
pub(crate) fn audience(message: &Message) -> Audience {
    if message.channel != Channel::App {
        return Audience::Everyone;
    }
    let to = &message.to;
    let others = !to.toparty.is_empty() || !to.totag.is_empty();
    Audience::of(Some(&to.touser.join("|")), others)
}
