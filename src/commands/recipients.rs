//! The recipients named by the options of the sending commands.

use crate::cli::To;
use crate::config::{Account, Config, Settings, value};
use crate::error::{Exit, Failure};
use crate::message::{Channel, RecipientError, Recipients};
use crate::text;

/// Returns the channel of the message.
pub(super) fn channel(to: &To) -> Channel {
    channel_of(to.robot.as_deref(), to.chat.as_deref())
}

/// Returns the channel of a message by a robot, to a chat, or to members.
pub(super) fn channel_of(robot: Option<&str>, chat: Option<&str>) -> Channel {
    match (robot, chat) {
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
    to_these([&to.user, &to.party, &to.tag], to.chat.as_deref())
}

/// Returns the recipients in lists of members, parties and tags, or the chat; `None` if there are
/// none.
///
/// # Errors
/// `Exit::Usage` for an invalid name.
pub(super) fn to_these(
    lists: [&[String]; 3],
    chat: Option<&str>,
) -> Result<Option<Recipients>, Failure> {
    let bad = |why: RecipientError| Failure::new(Exit::Usage, value::shown(&why.to_string()));
    if let Some(chatid) = chat {
        return Recipients::chat(chatid).map(Some).map_err(bad);
    }
    let is_named = lists.iter().any(|list| !list.is_empty());
    let [touser, toparty, totag] = lists.map(|list| list.iter().map(String::as_str));
    let recipients = Recipients::parse(touser, toparty, totag).map_err(bad)?;
    if is_named && recipients.is_empty() {
        return Err(text::send::options_name_nobody());
    }
    Ok(is_named.then_some(recipients))
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
