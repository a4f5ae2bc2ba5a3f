//! The words that delivery leaves behind: in a message on the phone, and beside an entry in the outbox.
//!
//! Delivery has none itself. It is handed these functions by the program.

use std::fmt;
use std::io;
use std::time::Duration;

use super::Reason;
use crate::error::Failure;
use crate::lang::Lang;
use crate::outbox::Id;

/// Functions that make words of what happened.
#[derive(Clone, Copy)]
pub(crate) struct Wording {
    /// Why a message was not delivered.
    pub(crate) reason: fn(&Reason) -> Failure,
    /// Why an entry cannot be opened now.
    pub(crate) unusable: fn(&Id, &io::Error) -> Failure,
    /// That a message was not delivered within its maximal age, and the last reason.
    pub(crate) expired: fn(Duration, Option<&str>) -> String,
    /// For the phone: when a late message was accepted.
    pub(crate) late: fn(Lang, &str) -> String,
    /// For the phone: how many messages expired undelivered.
    pub(crate) missed: fn(Lang, u32) -> String,
    /// For the phone: the head of so many merged texts.
    pub(crate) merged: fn(Lang, usize) -> String,
}

impl fmt::Debug for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wording")
    }
}
