//! The config: options, environment and file become a `Config`, which returns `Settings`.
//!
//! Each value comes from the strongest level that sets it: option, profile named by `-p`,
//! environment, profile, top of the file, default. No room below this one reads the environment,
//! the working directory or the executable's path.

mod account;
mod api_base;
mod document;
mod environment;
mod error;
mod executable;
mod file;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod http;
mod input;
mod invocation;
mod keys;
mod limits;
mod mail;
mod paths;
mod qinglong;
mod quiet;
mod redact;
mod settings;
mod states;
mod survey;
mod url;
pub(crate) mod value;

use std::path::{Path, PathBuf};

pub(crate) use account::{Account, App};
pub(crate) use api_base::ApiBase;
pub(crate) use environment::{
    SECRET_VARIABLE, callback_variables, language as environment_lang, temporary, trust_owner,
    variable_named,
};
pub(crate) use error::{
    Advice, ConfigError, Expected, FileFault, Invalid, SecretFile, Spot, Syntax, Unknown, nearest,
};
pub(crate) use executable::same_program;
pub(crate) use http::{FoundKey, HttpKey};
pub(crate) use invocation::{is_the_sendmail, maildrop_variable, program, state_dir_variable};
pub(crate) use limits::{Limits, Rate};
pub(crate) use mail::MailTo;
pub(crate) use paths::{NoPlace, State, Unusable, elsewhere, place_of_new, user_units};
pub(crate) use quiet::Quiet;
pub(crate) use settings::{Base, ConfigWarning, Network, Settings, hostname};
pub(crate) use survey::{config_places, keys, variables};
pub(crate) use value::{MAX_AGE, Rotation, ShowIn};

use crate::lang::Lang;
use crate::message::Recipients;
use environment::{CONFIG_VARIABLE, PROFILE_VARIABLE};
use file::ConfigFile;
use keys::{Layer, Levels, MergedKeys};
use settings::Log;

/// A config and the environment, read once; each of its profiles has its own settings.
#[derive(Debug)]
pub(crate) struct Config {
    file: ConfigFile,
    /// The path of the file, if there is one.
    source: Option<PathBuf>,
    /// Whether the user named it.
    named: bool,
    environment: Layer,
    /// What Qinglong has set, if nothing else sets an app.
    qinglong: Layer,
    in_force: Option<InForce>,
}

/// The profile that the user named.
#[derive(Debug)]
struct InForce {
    name: String,
    /// By `-p`, not by `WXPUSH_PROFILE`: it is then stronger than the environment.
    by_option: bool,
}

impl Config {
    /// Finds and reads the config, and reads the environment.
    ///
    /// `option` is `--config`, `profile` is `--profile`.
    pub(crate) fn load(option: Option<&Path>, profile: Option<&str>) -> Result<Self, ConfigError> {
        let (file, source, named) = find(option)?;
        let environment = environment::layer()?;
        let variable = environment::variable(PROFILE_VARIABLE)?;
        let in_force = match profile {
            Some(name) => Some((name.to_owned(), true)),
            None => variable.map(|name| (name, false)),
        };
        let mut config = Self {
            file,
            source,
            named,
            environment,
            qinglong: Layer::default(),
            in_force: in_force.map(|(name, by_option)| InForce { name, by_option }),
        };
        if let Some(InForce { name, .. }) = &config.in_force {
            config.profile(name)?;
        }
        if !config.has_app() {
            config.qinglong = qinglong::layer()?;
            if config.file.robots.is_empty() {
                config.file.robots = qinglong::robots()?;
            }
        }
        Ok(config)
    }

    /// Returns the settings of the profile in force; `to` are the recipients named by options.
    pub(crate) fn settings(&self, to: Option<Recipients>) -> Result<Settings, ConfigError> {
        let option = Layer {
            to,
            ..Layer::default()
        };
        let mut levels = self.levels_in_force();
        levels.0.insert(0, &option);
        self.settings_by(&levels, self.profile_in_force(), None)
    }

    /// Returns the settings of the profile in force for a robot, which needs no app.
    pub(crate) fn robot(&self, name: &str) -> Result<Settings, ConfigError> {
        self.settings_by(&self.levels_in_force(), self.profile_in_force(), Some(name))
    }

    /// Returns the settings as if `-p` named this profile, or no profile, whatever is in force.
    pub(crate) fn settings_of(&self, profile: Option<&str>) -> Result<Settings, ConfigError> {
        self.settings_by(&self.levels_of(profile)?, profile, None)
    }

    /// Returns the settings of a robot as if `-p` named this profile.
    pub(crate) fn robot_of(
        &self,
        profile: Option<&str>,
        name: &str,
    ) -> Result<Settings, ConfigError> {
        self.settings_by(&self.levels_of(profile)?, profile, Some(name))
    }

    /// Returns the recipients of mail to an address with these forms, if `[mail]` has any.
    pub(crate) fn mail_to(&self, forms: &[String]) -> Option<&MailTo> {
        self.file.mail.find(forms)
    }

    /// Whether there is a robot of this name.
    pub(crate) fn has_robot(&self, name: &str) -> bool {
        self.file.robots.contains_key(name)
    }

    /// Returns the language at a terminal.
    pub(crate) fn lang(&self) -> Lang {
        let lang = self.levels_in_force().pick(|layer| layer.lang.as_ref());
        lang.unwrap_or_else(environment::locale)
    }

    /// Returns the settings of the profile in force that need no app.
    pub(crate) fn base(&self) -> Base {
        self.base_of(&self.levels_in_force().merged())
    }

    /// Returns the names of the profiles.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.file.profiles.keys().map(String::as_str)
    }

    /// Returns the absolute path of the config, if `--config` or `WXPUSH_CONFIG` gives it.
    pub(crate) fn named(&self) -> Option<&Path> {
        self.source.as_deref().filter(|_| self.named)
    }

    fn settings_by(
        &self,
        levels: &Levels<'_>,
        profile: Option<&str>,
        robot: Option<&str>,
    ) -> Result<Settings, ConfigError> {
        let (merged, path) = (levels.merged(), self.source.as_deref());
        let account = match robot {
            Some(name) => Account::robot(&self.file.robots, path, name)?,
            None => Account::app(&merged, path)?,
        };
        let base = self.base_of(&merged);
        let settings = Settings::new(merged, base, profile, account)?;
        match &settings.fallback {
            Some(name) if !self.has_robot(name) => {
                let robots = self.file.robots.keys();
                Err(ConfigError::NoRobot(Unknown::new(name, robots, path)))
            }
            _ => Ok(settings),
        }
    }

    fn base_of(&self, merged: &MergedKeys) -> Base {
        Base {
            log: Log::new(merged),
            state_dir: merged.state_dir.clone(),
            maildrop: merged.maildrop.clone(),
            source: self.source.clone(),
            open_secret: self.file.open_secret,
        }
    }

    /// Returns the name of the profile in force.
    pub(crate) fn profile_in_force(&self) -> Option<&str> {
        self.in_force.as_ref().map(|it| it.name.as_str())
    }

    fn levels_in_force(&self) -> Levels<'_> {
        let in_force = self.in_force.as_ref();
        let profile = in_force.and_then(|it| self.file.profiles.get(&it.name));
        self.levels(profile, in_force.is_some_and(|it| it.by_option))
    }

    fn levels_of(&self, profile: Option<&str>) -> Result<Levels<'_>, ConfigError> {
        let layer = profile.map(|name| self.profile(name)).transpose()?;
        Ok(self.levels(layer, true))
    }

    fn levels<'a>(&'a self, profile: Option<&'a Layer>, by_option: bool) -> Levels<'a> {
        let environment = Some(&self.environment);
        let [first, second] = if by_option {
            [profile, environment]
        } else {
            [environment, profile]
        };
        let levels = [first, second, Some(&self.file.top), Some(&self.qinglong)];
        Levels(levels.into_iter().flatten().collect())
    }

    fn profile(&self, name: &str) -> Result<&Layer, ConfigError> {
        let (profiles, path) = (&self.file.profiles, self.source.as_deref());
        let profile = profiles.get(name);
        profile.ok_or_else(|| ConfigError::NoProfile(Unknown::new(name, profiles.keys(), path)))
    }
}

/// Finds and reads the config; returns its path, and whether the user named it.
fn find(option: Option<&Path>) -> Result<(ConfigFile, Option<PathBuf>, bool), ConfigError> {
    let variable = environment::variable(CONFIG_VARIABLE)?.map(PathBuf::from);
    if let Some(path) = option.or(variable.as_deref()) {
        // Relative to the working directory, unlike all paths that we find ourselves.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let origin = option.map_or(CONFIG_VARIABLE, |_| "--config");
        let config = file::read(&path)?.ok_or_else(|| ConfigError::no_file(&path, origin))?;
        return Ok((config, Some(path), true));
    }
    Ok(match file::first(paths::configs())? {
        Some((config, path)) => (config, Some(path), false),
        None => (ConfigFile::default(), None, false),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::fuzz::parsed;
    use super::settings::OutboxSettings;
    use super::*;

    /// Returns the agentid of settings with an app.
    fn agentid(settings: &Settings) -> u32 {
        let Account::App(app) = &settings.account else {
            panic!("no robot was asked for");
        };
        settings.agentid(app).unwrap()
    }

    /// Returns a config with an app, in which every profile has its own agentid.
    fn config(in_force: Option<(&str, bool)>) -> Config {
        let text = "corpid = \"ww1\"\ncorpsecret = \"abc\"\nagentid = 1\nsafe = true\n\
            [profiles.ops]\nagentid = 2\nsafe = false\n[profiles.web]\nagentid = 3\n";
        let mut config = parsed(Path::new("/etc/wxpush/config.toml"), text).unwrap();
        config.environment.agentid = Some(4);
        config.in_force = in_force.map(|(name, by_option)| InForce {
            name: name.to_owned(),
            by_option,
        });
        config
    }

    #[test]
    fn an_option_overrides_the_environment_which_overrides_a_profile_named_there() {
        for (in_force, agentid, safe) in [
            (None, 4, true),
            (Some(("ops", true)), 2, false),
            (Some(("ops", false)), 4, false),
        ] {
            let settings = config(in_force).settings(None).unwrap();
            assert_eq!(self::agentid(&settings), agentid, "{in_force:?}");
            assert_eq!(settings.safe, safe, "{in_force:?}");
            assert_eq!(settings.profile.as_deref(), in_force.map(|(name, _)| name));
        }
    }

    #[test]
    fn the_settings_of_a_profile_are_the_same_whatever_is_in_force() {
        for in_force in [None, Some(("ops", true)), Some(("ops", false))] {
            let config = config(in_force);
            for (profile, agentid, safe) in [
                (None, 4, true),
                (Some("ops"), 2, false),
                (Some("web"), 3, true),
            ] {
                let settings = config.settings_of(profile).unwrap();
                let found = self::agentid(&settings);
                assert_eq!(found, agentid, "{in_force:?} {profile:?}");
                assert_eq!(settings.safe, safe, "{in_force:?} {profile:?}");
                assert_eq!(settings.profile.as_deref(), profile);
            }
            let error = config.settings_of(Some("wob")).unwrap_err();
            let ConfigError::NoProfile(unknown) = error else {
                panic!("{error:?}");
            };
            assert_eq!(unknown.meant.as_deref(), Some("web"));
        }
    }

    #[test]
    fn each_key_of_the_outbox_and_of_the_limits_is_found_on_its_own() {
        let path = Path::new("/etc/wxpush/config.toml");
        let app = "corpid = \"ww1\"\ncorpsecret = \"abc\"\n";
        for (text, profile, enabled, days, per_minute, per_hour) in [
            ("", None, true, 3, 30, 1000),
            ("[limits]\n[outbox]\n", None, true, 3, 30, 1000),
            ("outbox.enabled = false", None, false, 3, 30, 1000),
            ("outbox.max_age = \"365d\"", None, true, 365, 30, 1000),
            ("limits.per_minute = 1", None, true, 3, 1, 1000),
            ("limits.per_hour = 1", None, true, 3, 30, 1),
            (
                "limits = { per_minute = 9, per_hour = 99 }\noutbox = { enabled = false, max_age = \"9d\" }\n\
                 profiles.ops.limits.per_hour = 7\nprofiles.ops.outbox.enabled = true",
                Some("ops"),
                true,
                9,
                9,
                7,
            ),
        ] {
            let config = parsed(path, &format!("{app}{text}\n")).unwrap();
            let settings = config.settings_of(profile).unwrap();
            let max_age = Duration::from_secs(days * 86400);
            let merge = true;
            assert_eq!(
                settings.outbox,
                OutboxSettings {
                    enabled,
                    max_age,
                    merge
                },
                "{text}"
            );
            let limits = Limits {
                per_minute: Rate::whole(per_minute),
                per_hour,
            };
            assert_eq!(settings.limits, limits, "{text}");
        }
    }

    #[test]
    fn base_settings_need_no_app() {
        let path = Path::new("/etc/wxpush/config.toml");
        let text = "lang = \"en\"\n[profiles.ops]\nlog.keep = 3\n";
        let mut config = parsed(path, text).unwrap();
        config.in_force = Some(InForce {
            name: "ops".to_owned(),
            by_option: false,
        });
        let base = config.base();
        assert_eq!((config.lang(), base.log.keep), (Lang::En, 3));
        assert_eq!(base.source.as_deref(), Some(path));
        assert_eq!(config.named(), Some(path));
        config.named = false;
        assert_eq!(config.named(), None);
    }
}
