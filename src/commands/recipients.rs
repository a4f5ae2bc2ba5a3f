//! The recipients named by the options of the sending commands.

use crate::cli::To;
use crate::config::{Account, Config, Settings, value};
use crate::error::{Exit, Failure};
use crate::message::{Channel, RecipientError, Recipients};
use crate::text;

/// Returns the channel of the message.
pub(super) fn channel(to: &To) -> Channel {
    match (&to.robot, &to.chat) {
        (Some(_), _) => Channel::Robot,
        (_, Some(_)) => Channel::Chat,
        _ => Channel::App,
    }
}

/// Returns the recipients named by options; `None` without such options.
///
/// # Errors
/// `Exit::Usage` for an invalid name.
pub(super) fn named(to: &To) -> Result<Option<Recipients>, Failure> {
    let bad = |why: RecipientError| Failure::new(Exit::Usage, value::shown(&why.to_string()));
    if let Some(chatid) = &to.chat {
        return Recipients::chat(chatid).map(Some).map_err(bad);
    }
    let [touser, toparty, totag] =
        [&to.user, &to.party, &to.tag].map(|list| list.iter().map(String::as_str));
    let recipients = Recipients::parse(touser, toparty, totag).map_err(bad)?;
    let named = !to.user.is_empty() || !to.party.is_empty() || !to.tag.is_empty();
    if named && recipients.is_empty() {
        return Err(text::send::options_name_nobody());
    }
    Ok(named.then_some(recipients))
}

/// Returns the settings of the sender: the app with these recipients, or the robot.
///
/// # Errors
/// `Exit::Config`, with file, line and key, or with the missing keys.
pub(super) fn settings(
    to: &To,
    recipients: Option<Recipients>,
    config: &Config,
) -> Result<Settings, Failure> {
    complete(match &to.robot {
        Some(name) => config.robot(name)?,
        None => config.settings(recipients)?,
    })
}

/// Returns the same settings if they are complete for sending. Called before any input is read or
/// any command run, so that an error is reported at once.
///
/// # Errors
/// `Exit::Config` with the missing keys.
pub(super) fn complete(settings: Settings) -> Result<Settings, Failure> {
    if let Account::App(app) = &settings.account {
        settings.agentid(app)?;
    }
    Ok(settings)
}
