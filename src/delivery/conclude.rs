//! What becomes of a message after its delivery: its entry goes, stays, or is moved to `failed/`.

use std::sync::Arc;
use std::time::Instant;

use super::flush::{give_up, keep_new};
use super::outcome::{End, Outcome, Parts};
use super::submit::{DISK_TIME, Submission};
use super::{NotDelivered, Reason};
use crate::error::Exit;
use crate::notice::{self, Notice};
use crate::outbox::{ClaimedEntry, Entry, FailureRecord, NotKept, Spooled};

impl Submission<'_> {
    /// Records the end of a delivery, and completes its outcome.
    pub(super) fn conclude(
        &self,
        entry: &Entry,
        kept: &Spooled,
        why_not: Option<NotKept>,
        mut outcome: Outcome,
        end: Result<(), NotDelivered>,
    ) -> Outcome {
        match end {
            Ok(()) => outcome.unkept = self.settle_entry(kept, why_not),
            Err(NotDelivered::Deferred(reason)) => {
                outcome.refusal = reason.refusal().cloned();
                outcome.end = self.keep(entry, kept, why_not, reason, &mut outcome);
            }
            Err(NotDelivered::Rejected(reason)) => {
                outcome.refusal = reason.refusal().cloned();
                outcome.end = self.fail(kept, why_not, outcome.parts, reason);
            }
        }
        outcome
    }

    /// Makes sure that no entry of a delivered message stays; returns why it was not kept
    /// meanwhile, although it should have been.
    fn settle_entry(&self, kept: &Spooled, why_not: Option<NotKept>) -> Option<NotKept> {
        if let Spooled::Begun(accepting) = kept {
            accepting.abandon();
        }
        // A missing state directory has been reported already.
        not_kept(kept, why_not).filter(|_| self.state.is_ok())
    }

    /// Keeps a message whose trouble passes or can be fixed, unless the fallback sends it; for a
    /// set-up error, only if `keep_for_setup` is set or the message is in doubt.
    fn keep(
        &self,
        entry: &Entry,
        kept: &Spooled,
        why_not: Option<NotKept>,
        reason: Reason,
        outcome: &mut Outcome,
    ) -> End {
        let place = self.entry_still(kept, why_not, outcome.parts, reason.outcome_unknown);
        let held = place.as_ref().ok().and_then(Option::as_ref);
        if let Some(end) = self.fall_back(entry, held, &reason, outcome) {
            return end;
        }
        match place {
            Ok(Some(held)) => {
                let is_setup = (self.wording.reason)(&reason).exit == Exit::Setup;
                if is_setup && !self.keep_for_setup && !reason.outcome_unknown {
                    if let Err(error) = held.remove() {
                        let (id, error) = (held.id(), &error);
                        notice::notify(&Notice::EntryStays { id, error });
                    }
                    return End::NotNow(reason);
                }
                keep_new(&held, &reason, self.wording);
                let id = held.id().clone();
                End::Spooled { id, reason }
            }
            Ok(None) => End::NotNow(reason),
            Err(why) => End::Lost { reason, why },
        }
    }

    /// Moves a message that WeCom will never accept to `failed/`.
    fn fail(&self, kept: &Spooled, why_not: Option<NotKept>, parts: Parts, reason: Reason) -> End {
        let held = kept.at_last(parts.sent, reason.outcome_unknown);
        let failure = (self.wording.reason)(&reason);
        let verdict = FailureRecord::of(&reason, &failure);
        let failed = held.ok().flatten();
        match failed.filter(|held| give_up(held, &verdict)) {
            Some(held) => {
                let id = held.id().clone();
                End::Failed { id, reason }
            }
            None => match not_kept(kept, why_not) {
                Some(why) if failure.exit == Exit::NotNow => End::Lost { reason, why },
                _ => End::Refused(reason),
            },
        }
    }

    /// Returns the entry of an undelivered message, written again if it was removed meanwhile;
    /// `None` if nothing is to be kept.
    ///
    /// # Errors
    /// Why there is no entry, although there should be one.
    fn entry_still(
        &self,
        kept: &Spooled,
        why_not: Option<NotKept>,
        parts: Parts,
        in_doubt: bool,
    ) -> Result<Option<Arc<ClaimedEntry>>, NotKept> {
        let held = kept.at_last(parts.sent, in_doubt);
        let (Some(held), Some(outbox)) = (held.ok().flatten(), self.outbox()) else {
            return not_kept(kept, why_not).map_or(Ok(None), Err);
        };
        if outbox.has(&held) {
            return Ok(Some(held));
        }
        let anew = self.hold(held.entry(), Instant::now() + DISK_TIME)?;
        anew.note(|attempts| *attempts = held.attempts());
        tracing::info!(id = %held.id(), anew = %anew.id(), "the entry was gone from the outbox, and is kept anew");
        // If the whole outbox was moved away, the message must not be sent from there as well.
        let _ = held.remove();
        Ok(Some(anew))
    }
}

/// Returns why a message is not kept, although it should be.
fn not_kept(kept: &Spooled, why_not: Option<NotKept>) -> Option<NotKept> {
    match kept {
        Spooled::Nowhere => why_not,
        Spooled::Unkept | Spooled::Held(_) | Spooled::Deferred(_) => None,
        Spooled::Begun(accepting) => accepting.held().err(),
    }
}
