//! The texts of the delivery: in messages on the phone, and in the records of entries.
//!
//! The delivery has no texts of its own; the program passes these functions in.

use std::fmt;
use std::io;
use std::time::Duration;

use super::{AppTrouble, Reason};
use crate::error::Failure;
use crate::lang::Lang;
use crate::outbox::Id;

/// Functions that turn results into text.
#[derive(Clone, Copy)]
pub(crate) struct Wording {
    /// Returns why a message was not delivered.
    pub(crate) reason: fn(&Reason) -> Failure,
    /// Returns why an entry cannot be opened now.
    pub(crate) unusable: fn(&Id, &io::Error) -> Failure,
    /// Returns that a message expired after this maximum age, with the last reason.
    pub(crate) expired: fn(Duration, Option<&str>) -> String,
    /// Returns, for the phone, when a late message was accepted.
    pub(crate) late: fn(Lang, &str) -> String,
    /// Returns, for the phone, how many messages expired undelivered.
    pub(crate) missed: fn(Lang, u32) -> String,
    /// Returns, for the phone, why a robot sends a message of an app.
    pub(crate) instead: fn(Lang, AppTrouble) -> String,
    /// Returns, for the phone, the heading of this many merged texts.
    pub(crate) merged: fn(Lang, usize) -> String,
}

impl fmt::Debug for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wording")
    }
}
