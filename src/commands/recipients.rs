//! The recipients that the options of the sending commands name.

use crate::cli::To;
use crate::config::{Account, Config, Settings, value};
use crate::error::{Exit, Failure};
use crate::message::{Channel, RecipientError, Recipients};
use crate::text;

/// By which road the message goes.
pub(super) fn channel(to: &To) -> Channel {
    match (&to.robot, &to.chat) {
        (Some(_), _) => Channel::Robot,
        (_, Some(_)) => Channel::Chat,
        _ => Channel::App,
    }
}

/// Returns the recipients that the options name; `None` if there are none of these options.
///
/// # Errors
/// `Exit::Usage`: a name cannot be one.
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

/// The settings of who sends: the app to these recipients, or the robot.
///
/// # Errors
/// `Exit::Config`, with file, line and key, or what is missing.
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

/// The same settings, once they have all that it takes to send: asked for before anything is read or
/// run, so that a mistake is told at once.
///
/// # Errors
/// `Exit::Config`: what is missing.
pub(super) fn complete(settings: Settings) -> Result<Settings, Failure> {
    if let Account::App(app) = &settings.account {
        settings.agentid(app)?;
    }
    Ok(settings)
}
