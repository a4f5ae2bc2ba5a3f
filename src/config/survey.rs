//! The facts that `check` shows of a config: where it is searched, where its values come from, and
//! who else can read it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::account;
use super::error::{ConfigError, Spot};
use super::file::{self, ConfigFile};
use super::input::SecretFrom;
use super::keys::{KEYS, Layer};
use super::paths::{self, Unusable};
use super::settings::Network;
use super::{Config, environment, value};
use crate::message::Recipients;
use crate::secret::{Secret, passwords};

/// Returns our variables that are set, by name.
pub(crate) fn variables() -> Vec<&'static str> {
    let is_set = |name: &&'static str| !matches!(environment::variable(name), Ok(None));
    environment::variables().filter(is_set).collect()
}

/// Returns the paths of all keys, such as `network.proxy`.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|key| key.path)
}

/// Returns the places that are searched for a config, in order, unless one is named.
pub(crate) fn config_places() -> Vec<PathBuf> {
    paths::configs().collect()
}

impl Config {
    /// Returns the config if its file cannot be read: the environment only, without a profile.
    ///
    /// # Errors
    /// `Exit::Config` if the environment is invalid, too.
    pub(crate) fn of_environment() -> Result<Self, ConfigError> {
        Ok(Self {
            file: ConfigFile::default(),
            source: None,
            named: false,
            environment: environment::layer()?,
            qinglong: Layer::default(),
            in_force: None,
        })
    }

    /// Returns the config of a text for this path, in an empty environment.
    ///
    /// # Errors
    /// `Exit::Config`, with line and key.
    pub(crate) fn of_text(path: &Path, text: &str, named: bool) -> Result<Self, ConfigError> {
        let file = file::parse(path, text)?;
        Ok(Self {
            // It will be written for nobody else to read.
            file: ConfigFile {
                open_secret: false,
                ..file
            },
            source: Some(path.to_owned()),
            named,
            environment: Layer::default(),
            qinglong: Layer::default(),
            in_force: None,
        })
    }

    /// Returns the network settings for WeCom; they need no app.
    ///
    /// # Errors
    /// `Exit::Config`, with file, line and key.
    pub(crate) fn network(&self) -> Result<Network, ConfigError> {
        Network::new(self.levels_in_force().merged())
    }

    /// Returns the id of the company.
    ///
    /// # Errors
    /// If it is not set.
    pub(crate) fn corpid(&self) -> Result<String, ConfigError> {
        let corpid = self.levels_in_force().pick(|layer| layer.corpid.as_ref());
        let unset = || ConfigError::unset(vec!["corpid"], self.source.as_deref());
        corpid.ok_or_else(unset)
    }

    /// Whether no part of an app is set, but there are robots.
    pub(crate) fn is_for_robots(&self) -> bool {
        !self.has_app() && !self.file.robots.is_empty()
    }

    /// Returns the names of the robots.
    pub(crate) fn robots(&self) -> impl Iterator<Item = &str> {
        self.file.robots.keys().map(String::as_str)
    }

    /// Returns the patterns of `[mail]` that have recipients of their own.
    pub(crate) fn mail_lines(&self) -> impl Iterator<Item = (&str, &Recipients)> {
        self.file.mail.recipient_sets()
    }

    /// Whether any level sets recipients.
    pub(crate) fn names_recipients(&self) -> bool {
        let to = self.levels_in_force().pick(|layer| layer.to.as_ref());
        to.is_some()
    }

    /// Returns the location of the app's secret, such as `config.toml:3: corpsecret`.
    pub(crate) fn secret_spot(&self) -> Option<Spot> {
        let secret = self.levels_in_force().pick(|layer| layer.secret.as_ref());
        let secret = secret.or_else(environment::credential)?;
        Some(secret.spot)
    }

    /// Returns the source of the proxy in force: the config, or a variable.
    pub(crate) fn proxy_origin(&self, network: &Network) -> Option<&'static str> {
        network.proxy.as_ref()?;
        let levels = self.levels_in_force();
        if levels.pick(|layer| layer.proxy.as_ref()).is_some() {
            return Some("[network] proxy");
        }
        let names = environment::proxy_variables(&network.api_base).iter();
        let mut set = names.filter(|name| matches!(environment::variable(name), Ok(Some(_))));
        set.next().copied()
    }

    /// Returns the mode of the config that was read.
    pub(crate) fn mode(&self) -> Option<u32> {
        let meta = fs::metadata(self.source.as_deref()?).ok()?;
        Some(meta.mode() & 0o7777)
    }

    /// Returns the files of a single secret that others can read.
    pub(crate) fn open_secret_files(&self) -> Vec<PathBuf> {
        let app = self.levels_in_force().pick(|layer| layer.secret.as_ref());
        let keys = self.file.keys().cloned();
        let paths = app.into_iter().chain(keys).filter_map(|it| match it.value {
            SecretFrom::File(path) => Some(path),
            SecretFrom::Text(_) => None,
        });
        let is_open =
            |path: &PathBuf| fs::metadata(path).is_ok_and(|meta| file::others_read(&meta, path));
        paths.filter(is_open).collect()
    }

    /// Returns all secrets of the config and of the environment, whichever is in force, and the
    /// passwords in its URLs: none belongs into a message. A file that cannot be read is left out.
    pub(crate) fn secrets(&self) -> [Vec<Secret>; 2] {
        let profiles = self.file.profiles.values();
        let layers = [&self.environment, &self.file.top, &self.qinglong]
            .into_iter()
            .chain(profiles);
        let layers: Vec<&Layer> = layers.collect();
        let apps = layers.iter().filter_map(|layer| layer.secret.clone());
        let apps = apps.filter_map(|secret| account::reveal(&secret, value::secret).ok());
        // Whatever is in a file of a key is hidden, also where it is no right key.
        let keys = self.file.keys();
        let keys = keys.filter_map(|key| account::reveal(key, value::secret).ok());
        let urls = layers.iter().flat_map(|layer| {
            let proxy = layer.proxy.as_ref().map(Secret::expose);
            let base = layer.api_base.as_ref().map(|at| at.value.expose());
            [proxy, base]
        });
        let passwords = urls.flatten().flat_map(passwords);
        [apps.chain(keys).collect(), passwords.collect()]
    }

    /// Whether any level sets `state_dir`.
    pub(crate) fn names_state_dir(&self) -> bool {
        let dir = self
            .levels_in_force()
            .pick(|layer| layer.state_dir.as_ref());
        dir.is_some()
    }

    /// Returns why state is not next to the program; `None` if it is or could be.
    pub(crate) fn not_beside() -> Option<(PathBuf, Unusable)> {
        paths::state_beside().err()
    }

    /// Returns the config next to the program that is not read, and the reason.
    pub(crate) fn passed_over() -> Option<(PathBuf, Unusable)> {
        paths::passed_over()
    }

    /// Whether the config was named, rather than found.
    pub(crate) fn is_named(&self, path: &Path) -> bool {
        self.named() == Some(path)
    }
}
