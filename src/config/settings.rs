//! The settings in force: `Settings`, and `Base`, which needs no app.

use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::{Account, App};
use super::api_base::ApiBase;
use super::environment;
use super::error::ConfigError;
use super::keys::MergedKeys;
use super::limits::Limits;
use super::paths::{self, NoPlace, State};
use super::quiet::Quiet;
use super::value::{Rotation, ShowIn};
use crate::lang::Lang;
use crate::message::{Recipients, input::one_line};
use crate::secret::Secret;

/// The checked settings of a command that sends.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) base: Base,
    /// The name of the profile in force.
    pub(crate) profile: Option<String>,
    pub(crate) account: Account,
    /// The recipients; empty for a robot.
    pub(crate) to: Recipients,
    pub(crate) safe: bool,
    /// The text before each title or text, with the host's name filled in.
    pub(crate) prefix: String,
    /// The language on the phone.
    pub(crate) phone_lang: Lang,
    pub(crate) show_in: ShowIn,
    /// The hours in which messages are held.
    pub(crate) quiet: Quiet,
    /// The name of the robot that sends what the app cannot.
    pub(crate) fallback: Option<String>,
    pub(crate) network: Network,
    pub(crate) outbox: OutboxSettings,
    pub(crate) limits: Limits,
}

/// The settings that need no app, for commands that send nothing.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) log: Log,
    pub(super) state_dir: Option<PathBuf>,
    /// Where the mail of users who may not read the config waits.
    pub(crate) maildrop: PathBuf,
    /// The config that was read, if any.
    pub(crate) source: Option<PathBuf>,
    /// Whether the config contains a secret that others can read.
    pub(crate) open_secret: bool,
}

/// A risk in the config's permissions.
#[derive(Debug)]
pub(crate) enum ConfigWarning<'a> {
    /// Others can read a secret in it.
    OpenSecret(&'a Path),
}

/// The network settings for WeCom.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) api_base: ApiBase,
    /// The proxy in force, from the config or the environment.
    pub(crate) proxy: Option<Secret>,
    pub(crate) local_address: Option<IpAddr>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// The settings of the log.
#[derive(Debug)]
pub(crate) struct Log {
    /// Its path, if it is not in the state directory.
    pub(crate) file: Option<PathBuf>,
    /// The lowest level that is written; `None` for `off`.
    pub(crate) level: Option<tracing::Level>,
    pub(crate) rotation: Rotation,
    /// The number of daily files that are kept.
    pub(crate) keep: u32,
}

/// The settings of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxSettings {
    /// Whether messages are kept until they can be delivered.
    pub(crate) enabled: bool,
    /// The age at which a message is given up.
    pub(crate) max_age: Duration,
    /// Whether texts for the same recipients are sent together.
    pub(crate) merge: bool,
}

impl Settings {
    pub(super) fn new(
        merged: MergedKeys,
        base: Base,
        profile: Option<&str>,
        account: Account,
    ) -> Result<Self, ConfigError> {
        let to = match account {
            Account::App(_) => merged.to.clone().unwrap_or_else(Recipients::all),
            Account::Robot(_) => Recipients::default(),
        };
        let fallback = match account {
            Account::App(_) => Some(merged.fallback.clone()).filter(|name| !name.is_empty()),
            Account::Robot(_) => None,
        };
        Ok(Self {
            base,
            profile: profile.map(str::to_owned),
            account,
            to,
            safe: merged.safe,
            prefix: with_hostname(&merged.prefix),
            phone_lang: merged.lang.unwrap_or(Lang::Zh),
            show_in: merged.show_in,
            quiet: merged.quiet.clone(),
            fallback,
            outbox: OutboxSettings {
                enabled: merged.keeps,
                max_age: merged.max_age,
                merge: merged.merges,
            },
            limits: Limits {
                per_minute: merged.per_minute,
                per_hour: merged.per_hour,
            },
            network: Network::new(merged)?,
        })
    }

    /// Returns the recipients, or the robot, for a log or a person.
    pub(crate) fn receivers(&self) -> String {
        match &self.account {
            Account::App(_) => self.to.describe(),
            Account::Robot(robot) => format!("robot {}", robot.name),
        }
    }

    /// Returns the id of the sending app.
    ///
    /// # Errors
    /// If it is not set.
    pub(crate) fn agentid(&self, app: &App) -> Result<u32, ConfigError> {
        app.agentid
            .ok_or_else(|| ConfigError::unset(vec!["agentid"], self.base.source.as_deref()))
    }
}

impl Base {
    /// Returns the uid of the owner of the directory for state, if that is there.
    pub(crate) fn owner_of_state(&self) -> Option<u32> {
        let state = paths::state_if_there(self.state_dir.as_deref())?.ok()?;
        Some(state.dir().metadata().uid())
    }

    /// Finds the directory for state, creating it if needed.
    ///
    /// # Errors
    /// All places that were tried, with reasons, if all are unusable.
    pub(crate) fn state(&self) -> Result<State, NoPlace> {
        paths::state(self.state_dir.as_deref())
    }

    /// Returns the risks in the config's permissions.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = ConfigWarning<'_>> {
        let path = self.source.as_deref();
        let open = path
            .filter(|_| self.open_secret)
            .map(ConfigWarning::OpenSecret);
        open.into_iter()
    }
}

impl Log {
    pub(super) fn new(merged: &MergedKeys) -> Self {
        Self {
            file: merged.log_file.clone(),
            level: merged.log_level.0,
            rotation: merged.log_rotation,
            keep: merged.log_keep,
        }
    }
}

impl Network {
    pub(super) fn new(merged: MergedKeys) -> Result<Self, ConfigError> {
        let api_base = match merged.api_base {
            Some(base) if base.value.is_exposed() && !merged.allow_plain_http => {
                return Err(ConfigError::PlainHttp(base.spot));
            }
            Some(base) => base.value,
            None => ApiBase::wecom(),
        };
        let proxy = match merged.proxy {
            // Nothing may intercept the traffic of this host with itself.
            _ if api_base.is_plain_loopback() => None,
            Some(proxy) => Some(proxy),
            None => environment::proxy(&api_base)?,
        };
        Ok(Self {
            api_base,
            proxy,
            local_address: merged.local_address,
            ca_file: merged.ca_file,
        })
    }
}

fn with_hostname(prefix: &str) -> String {
    if !prefix.contains("{hostname}") {
        return one_line(prefix);
    }
    one_line(&prefix.replace("{hostname}", &hostname()))
}

/// Returns the name of this host.
pub(crate) fn hostname() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}
