//! The slots of the ledger that a message takes: reserved before it is sent, settled after.

use std::time::Instant;

use super::doubt::Form;
use super::reason::Obstacle;
use super::request::is_doubt;
use super::retry::Tries;
use super::sender::SenderCredential;
use super::{Delivery, Part, audience, fingerprint};
use crate::message::Message;
use crate::rate_limit::{RateLimiter, Slot};
use crate::wecom::{Error, Sent};

impl Delivery<'_> {
    /// Reserves one of the slots that WeCom allows for the recipients; `None` if there is no
    /// ledger. Without a slot nothing is sent: WeCom drops the excess silently.
    pub(super) fn reserve_slot(
        &self,
        message: &Message,
        part: &Part<'_>,
        tries: &mut Tries,
    ) -> Result<Option<Slot>, Obstacle> {
        let Some(ledger) = self.sender.ledger(message.channel) else {
            return Ok(None);
        };
        if let Some(slot) = tries.slot.take() {
            ledger.give_back(slot);
        }
        let (to, own) = (audience(message), fingerprint(part.accepted, message));
        let patience = self.deadline.saturating_duration_since(Instant::now());
        match ledger.reserve(&to, self.share, Some(&own), patience) {
            Ok(Ok(slot)) => Ok(Some(slot)),
            Ok(Err(wait)) => Err(Obstacle::NoSlot(wait)),
            // Alerts must get out when the disk is full, unless they wait in the outbox.
            Err(error) if RateLimiter::is_disk_trouble(&error) && !part.kept.is_safe() => {
                tracing::info!(%error, "the ledger cannot be written, going on without it");
                Ok(None)
            }
            Err(error) => Err(Obstacle::NoLedger(error.to_string())),
        }
    }

    /// Gives back an unused slot.
    pub(super) fn give_back(&self, message: &Message, slot: Option<Slot>) {
        if let (Some(ledger), Some(slot)) = (self.sender.ledger(message.channel), slot) {
            ledger.give_back(slot);
        }
    }

    /// Records the outcome of a request in the ledger.
    pub(super) fn settle(
        &self,
        message: &Message,
        slot: Option<Slot>,
        form: Form,
        result: &Result<Sent, Error>,
        tries: &mut Tries,
    ) {
        let (Some(ledger), Some(slot)) = (self.sender.ledger(message.channel), slot) else {
            return;
        };
        // According to users, a robot's refused messages count, too.
        let unused = match self.sender.pass {
            SenderCredential::App { .. } => Error::was_not_counted,
            SenderCredential::Robot(_) => Error::never_left,
        };
        match result {
            Err(error) if unused(error) => ledger.give_back(slot),
            Err(error) if is_doubt(message, error) => {
                let held = ledger.doubt(slot);
                tries.slot = Some(held).filter(|_| form != Form::Plain);
            }
            _ => ledger.settle(slot),
        }
    }
}
