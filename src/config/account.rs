//! The senders: an app of a company, or the robot of a group.

use std::path::Path;

use super::document::Secrets;
use super::environment;
use super::error::{ConfigError, FileFault, Invalid, SecretFile, Unknown, unless_secret};
use super::input::{At, SecretFrom};
use super::keys::MergedKeys;
use super::redact::shown;
use super::value;
use crate::disk;
use crate::secret::Secret;

/// The largest file of a secret, in bytes.
const SECRET_FILE_MAX: u64 = 4096;

/// The sender.
#[derive(Debug)]
pub(crate) enum Account {
    App(App),
    Robot(Robot),
}

/// An app of a company.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) corpid: String,
    pub(crate) corpsecret: Secret,
    /// `None` if it is not set: a token needs no agentid.
    pub(super) agentid: Option<u32>,
}

/// A robot of one group.
#[derive(Debug)]
pub(crate) struct Robot {
    /// The robot's name in the config.
    pub(crate) name: String,
    pub(crate) key: Secret,
}

impl Account {
    /// Returns the secret of the sender.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::App(app) => &app.corpsecret,
            Self::Robot(robot) => &robot.key,
        }
    }

    /// Returns the app; `path` is the config that was read.
    pub(super) fn app(merged: &MergedKeys, path: Option<&Path>) -> Result<Self, ConfigError> {
        let secret = merged.secret.clone().or_else(environment::credential);
        let (Some(corpid), Some(secret)) = (&merged.corpid, &secret) else {
            let keys = [
                ("corpid", merged.corpid.is_some()),
                ("corpsecret", secret.is_some()),
                ("agentid", merged.agentid.is_some()),
            ];
            let unset = keys.iter().filter(|(_, is_set)| !is_set);
            let unset = unset.map(|(key, _)| *key).collect();
            return Err(ConfigError::unset(unset, path));
        };
        Ok(Self::App(App {
            corpid: corpid.clone(),
            corpsecret: reveal(secret, value::secret)?,
            agentid: merged.agentid,
        }))
    }

    /// Returns the robot of this name; `path` is the config that was read.
    pub(super) fn robot(
        robots: &Secrets,
        path: Option<&Path>,
        name: &str,
    ) -> Result<Self, ConfigError> {
        let Some(key) = robots.get(name) else {
            let unknown = Unknown::new(name, robots.keys(), path);
            return Err(ConfigError::NoRobot(unknown));
        };
        let Some(key) = key else {
            let path = path.map(Path::to_owned);
            let name = shown(name);
            return Err(ConfigError::NoRobotKey { name, path });
        };
        Ok(Self::Robot(Robot {
            name: name.to_owned(),
            key: reveal(key, value::robot_key)?,
        }))
    }
}

/// Returns the secret itself; reads its file and trims the white space around the content.
pub(super) fn reveal(
    secret: &At<SecretFrom>,
    read: impl Fn(&str) -> Result<Secret, Invalid>,
) -> Result<Secret, ConfigError> {
    let path = match &secret.value {
        SecretFrom::Text(secret) => return Ok(secret.clone()),
        SecretFrom::File(path) => path,
    };
    let content = disk::read_named(path, SECRET_FILE_MAX).map_err(FileFault::Unreadable);
    let secret_in = |(bytes, _): (Vec<u8>, _)| {
        let text = str::from_utf8(&bytes).map_err(|_| Invalid::NotUtf8);
        text.and_then(|text| read(text.trim()))
            .map_err(FileFault::Invalid)
    };
    content.and_then(secret_in).map_err(|fault| {
        ConfigError::SecretFile(Box::new(SecretFile {
            spot: secret.spot.clone(),
            path: unless_secret(path),
            fault,
        }))
    })
}
