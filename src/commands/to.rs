//! To whom: the options that the commands which send have in common.

use crate::cli::To;
use crate::config::{Account, Config, Settings, value};
use crate::error::{Exit, Failure};
use crate::lang::spoken;
use crate::message::{Channel, Envelope};

/// By which road the message goes.
pub(super) fn channel(to: &To) -> Channel {
    match (&to.robot, &to.chat) {
        (Some(_), _) => Channel::Robot,
        (_, Some(_)) => Channel::Chat,
        _ => Channel::App,
    }
}

/// The receivers that the options name; none if they name nobody.
///
/// # Errors
/// `Exit::Usage`: a name cannot be one.
pub(super) fn receivers(to: &To) -> Result<Option<Envelope>, Failure> {
    let bad = |why: String| Failure::new(Exit::Usage, value::shown(&why));
    if let Some(chatid) = &to.chat {
        return Envelope::chat(chatid).map(Some).map_err(bad);
    }
    let [touser, toparty, totag] =
        [&to.user, &to.party, &to.tag].map(|list| list.iter().map(String::as_str));
    let envelope = Envelope::parse(touser, toparty, totag).map_err(bad)?;
    let named = !to.user.is_empty() || !to.party.is_empty() || !to.tag.is_empty();
    if named && envelope.is_empty() {
        let what = spoken().of(
            "--to、--party、--tag 没有指定任何人",
            "--to, --party and --tag name nobody",
        );
        let hint = spoken().of(
            "写上 userid，或去掉该选项，发给配置文件里的收件人",
            "give a userid, or leave the option out to send to the config's recipients",
        );
        return Err(Failure::new(Exit::Usage, what).hint(hint));
    }
    Ok(named.then_some(envelope))
}

/// The settings of who sends: the app to these receivers, or the robot.
///
/// # Errors
/// `Exit::Config`, with file, line and key, or what is missing.
pub(super) fn settings(
    to: &To,
    receivers: Option<Envelope>,
    config: &Config,
) -> Result<Settings, Failure> {
    complete(match &to.robot {
        Some(name) => config.robot(name)?,
        None => config.settings(receivers)?,
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
