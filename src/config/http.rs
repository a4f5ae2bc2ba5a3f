//! `[http.keys]`: who may send by `wxpush http`, and to whom.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::account;
use super::document::{Document, items};
use super::error::{ConfigError, Invalid};
use super::input::{At, SecretFrom};
use super::keys::Layer;
use super::redact::shown;
use super::settings::Settings;
use super::{Config, value};
use crate::message::Recipients;
use crate::secret::Secret;

/// The keys by their names.
pub(super) type HttpKeys = BTreeMap<String, HttpKey>;

/// A key that a request names, and where its messages go.
#[derive(Debug, Default)]
pub(crate) struct HttpKey {
    pub(super) secret: Option<At<SecretFrom>>,
    pub(super) profile: Option<String>,
    /// The recipients, if they are not those of the profile or of the config.
    pub(super) to: Option<Recipients>,
    pub(super) robot: Option<String>,
}

impl HttpKey {
    /// Whether its messages go to a group chat.
    pub(crate) fn is_for_chat(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to.chatid.is_some())
    }

    /// Returns the key itself; `name` is its name, for an error.
    fn reveal(&self, name: &str, config: &Config) -> Result<Secret, ConfigError> {
        let Some(secret) = &self.secret else {
            return Err(ConfigError::NoHttpKey {
                name: shown(name),
                path: config.source.clone(),
            });
        };
        account::reveal(secret, value::http_key)
    }
}

/// What a key of a request is.
#[derive(Debug)]
pub(crate) enum FoundKey<'a> {
    /// The key of this name.
    Known(&'a str, &'a HttpKey),
    /// None that can be read; and why another cannot.
    Unknown(Option<ConfigError>),
}

/// The keys of a `[http.keys.NAME]`.
const HTTP_KEY: [&str; 8] = [
    "key", "key_file", "profile", "touser", "toparty", "totag", "chat", "robot",
];

impl Document<'_> {
    /// Reads the tables of `[http.keys]`.
    pub(super) fn http_keys(&self, top: &DeTable<'_>) -> Result<HttpKeys, ConfigError> {
        let mut keys = HttpKeys::new();
        for item in items(top, "").filter(|item| item.name() == "http") {
            let table = self.table(&item)?;
            if let Some(other) = items(table, "http.").find(|it| it.name() != "keys") {
                return Err(self.unknown(&other, vec!["keys"]));
            }
            keys = self.collection(table, "http.", "keys", Self::http_key)?;
        }
        Ok(keys)
    }

    fn http_key(&self, table: &DeTable<'_>, place: &str) -> Result<HttpKey, ConfigError> {
        let (mut key, mut layer) = (HttpKey::default(), Layer::default());
        // Members, departments and tags are one kind of recipients.
        let mut kind: Option<&str> = None;
        for item in items(table, place) {
            let name = item.name();
            match name {
                "key" | "key_file" => {
                    let twin = key.secret.take();
                    key.secret = Some(self.key_itself(&item, twin, value::http_key)?);
                    continue;
                }
                "profile" => {
                    key.profile = Some(self.read(&item, |it| it.text().map(str::to_owned))?);
                    continue;
                }
                "robot" => {
                    key.robot = Some(self.read(&item, |it| it.text().map(str::to_owned))?);
                }
                "chat" => {
                    key.to = Some(self.read(&item, |it| it.parse(value::chat))?);
                }
                _ if HTTP_KEY.contains(&name) => self.key(&mut layer, "", &item)?,
                _ => return Err(self.unknown(&item, HTTP_KEY.to_vec())),
            }
            let this = ["chat", "robot"].into_iter().find(|it| *it == name);
            let this = this.unwrap_or_default();
            if kind.is_some_and(|kind| kind != this) {
                return Err(self.invalid(&item, Invalid::KindsOfRecipients));
            }
            kind = Some(this);
        }
        key.to = key.to.or(layer.to);
        Ok(key)
    }
}

impl Config {
    /// Returns the key that a request gives, in the same time whichever it is.
    ///
    /// # Errors
    /// If no key can be read, or if two are this one.
    pub(crate) fn http_key(&self, given: &str) -> Result<FoundKey<'_>, ConfigError> {
        let (mut found, mut fault, mut others) = (None, None, 0);
        for (name, key) in &self.file.http_keys {
            match key.reveal(name, self) {
                Ok(secret) if secret.is(given) => {
                    if let Some((twin, _)) = found.replace((name, key)) {
                        return Err(self.same_key(twin, name));
                    }
                }
                Ok(_) => others += 1,
                Err(error) => fault = Some(error),
            }
        }
        match (found, fault) {
            (Some((name, key)), _) => Ok(FoundKey::Known(name, key)),
            (None, Some(fault)) if others == 0 => Err(fault),
            (None, fault) => Ok(FoundKey::Unknown(fault)),
        }
    }

    fn same_key(&self, one: &str, other: &str) -> ConfigError {
        ConfigError::SameHttpKey {
            names: [one, other].map(shown),
            path: self.source.clone(),
        }
    }

    /// Whether there are any keys.
    pub(crate) fn has_http_keys(&self) -> bool {
        !self.file.http_keys.is_empty()
    }

    /// Returns the settings for the messages of a key.
    ///
    /// # Errors
    /// If they are incomplete, or name a profile or a robot that is not there.
    pub(crate) fn http_settings(&self, key: &HttpKey) -> Result<Settings, ConfigError> {
        let option = Layer {
            to: key.to.clone(),
            ..Layer::default()
        };
        let profile = key.profile.as_deref();
        let mut levels = match profile {
            Some(_) => self.levels_of(profile)?,
            None => self.levels_in_force(),
        };
        levels.0.insert(0, &option);
        let profile = profile.or(self.profile_in_force());
        self.settings_by(&levels, profile, key.robot.as_deref())
    }

    /// Returns the name of each key, with its settings or why it cannot be used.
    pub(crate) fn http_keys(&self) -> impl Iterator<Item = (&str, Result<Settings, ConfigError>)> {
        self.file.http_keys.iter().map(|(name, key)| {
            let known = key.reveal(name, self);
            let known = known.and_then(|secret| self.http_key(secret.expose()));
            (name.as_str(), known.and_then(|_| self.http_settings(key)))
        })
    }
}
