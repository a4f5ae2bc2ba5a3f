//! The route of a mail: to the recipients of its addresses, or, where this user may not read the
//! config, into the maildrop.

use super::addresses;
use super::contents::Letter;
use super::mailer::Mailer;
use crate::cli::Global;
use crate::config::{self, Config, ConfigError, Settings};
use crate::disk::euid;
use crate::error::Failure;
use crate::lang::{self, spoken};
use crate::maildrop::{Envelope, MailSlot};
use crate::message::Mail;
use crate::output::Output;
use crate::text::sendmail as words;

/// What decides on the route.
pub(super) enum Loaded {
    /// The config, and the settings without other recipients.
    Config(Box<(Config, Settings)>),
    /// Root's maildrop.
    Slot(MailSlot),
}

impl Loaded {
    /// Reads the config, or finds the maildrop if there is none that this user may read.
    ///
    /// # Errors
    /// Those of the config, if it is wrong or there is no maildrop.
    pub(super) fn find(global: &Global) -> Result<Self, Failure> {
        let config = Config::load(global.config.as_deref(), global.profile.as_deref());
        let loaded = config.and_then(|config| Ok((config.settings(None)?, config)));
        match loaded {
            Ok((settings, config)) => {
                lang::speak(config.lang());
                Ok(Self::Config(Box::new((config, settings))))
            }
            Err(error) if error.is_denied() && euid() != 0 => slot(error).map(Self::Slot),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the route; with `queue` a mail is kept for a flush, without waiting for the network.
    pub(super) fn route(&self, queue: bool, output: Output) -> MailRoute<'_> {
        let way = match self {
            Self::Config(loaded) => {
                Way::Recipients(Box::new(Mailer::new(&loaded.0, &loaded.1, output)))
            }
            Self::Slot(slot) => Way::Maildrop(slot),
        };
        MailRoute { way, queue, output }
    }
}

/// Finds the maildrop, for a user who may read no config. Root's own mail needs one.
fn slot(denied: ConfigError) -> Result<MailSlot, Failure> {
    let path = config::maildrop_variable()?;
    let shown = path.display().to_string();
    let slot = MailSlot::find(path).map_err(|error| words::no_maildrop(&shown, error))?;
    slot.ok_or_else(|| words::no_maildrop_yet(Failure::from(denied).what, shown))
}

/// The route of mails.
pub(super) struct MailRoute<'a> {
    way: Way<'a>,
    queue: bool,
    output: Output,
}

enum Way<'a> {
    Recipients(Box<Mailer<'a>>),
    Maildrop(&'a MailSlot),
}

impl MailRoute<'_> {
    /// Whether mail to an address can be accepted.
    pub(super) fn accepts(&self, address: &str) -> bool {
        match &self.way {
            Way::Recipients(mailer) => mailer.knows(address),
            // Only root's config knows.
            Way::Maildrop(_) => true,
        }
    }

    /// Accepts a mail; returns the last failure, if any.
    pub(super) fn accept(
        &self,
        envelope: &Envelope,
        bytes: Vec<u8>,
    ) -> anyhow::Result<Option<Failure>> {
        match &self.way {
            Way::Recipients(mailer) => mailer.deliver(envelope, bytes, self.queue, self.output),
            Way::Maildrop(slot) => Ok(self.drop(slot, envelope, &bytes).err()),
        }
    }

    /// Leaves a mail in the maildrop, if it has an address and is not empty.
    fn drop(&self, slot: &MailSlot, envelope: &Envelope, bytes: &[u8]) -> Result<(), Failure> {
        let mail = Mail::parse(bytes);
        addresses::named(envelope, &mail.recipients)?;
        Letter::of(mail, envelope.cut, spoken(), &[])?;
        slot.put(envelope, bytes)
            .map_err(|error| words::not_dropped(slot.path.display(), error))?;
        if self.output.verbose > 0 {
            self.output.note(&words::dropped());
        }
        Ok(())
    }
}
