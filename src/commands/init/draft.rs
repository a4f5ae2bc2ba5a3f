//! The config that `init` writes: its values, checked by the rules for reading, and its text.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::setting::Setting::{
    self, Agentid, Corpid, Corpsecret, CorpsecretFile, Lang, Proxy, StateDir, Touser,
};
use crate::config::{self, ApiBase, Config, Invalid, Settings, value};
use crate::error::Failure;
use crate::secret::Secret;
use crate::text;

/// The keys in the order of the file, those of `[network]` last; an empty line between the groups.
const GROUPS: [&[Setting]; 4] = [
    &[Corpid, Corpsecret, CorpsecretFile, Agentid],
    &[Touser],
    &[StateDir, Lang],
    &NETWORK,
];
const NETWORK: [Setting; 2] = [Setting::ApiBase, Proxy];

/// The values of a config to be written.
#[derive(Debug, Clone, Default)]
pub(super) struct ConfigDraft(BTreeMap<Setting, Secret>);

impl ConfigDraft {
    /// Adopts the values of the `WXPUSH_*` variables.
    ///
    /// # Errors
    /// `Exit::Config`, with the invalid variable.
    pub(super) fn of_environment() -> Result<Self, Failure> {
        // Reports each error with its variable, including one that appears only in the network
        // settings.
        Config::of_environment()?.network()?;
        let mut draft = Self::default();
        for &setting in GROUPS.iter().copied().flatten().filter(|it| **it != Proxy) {
            let Some(value) = config::variable_named(&setting.variable())? else {
                continue;
            };
            // Already validated, except for blank recipients.
            let _ = draft.set(setting, &value);
        }
        Ok(draft)
    }

    /// Sets a key to a typed value.
    ///
    /// # Errors
    /// The reason why the value is invalid, worded to follow the key.
    pub(super) fn set(&mut self, setting: Setting, typed: &str) -> Result<(), String> {
        let value = Secret::new(checked(setting, typed)?);
        if setting == Corpsecret {
            self.0.remove(&CorpsecretFile);
        }
        self.0.insert(setting, value);
        Ok(())
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, setting: Setting) -> Option<&str> {
        self.0.get(&setting).map(Secret::expose)
    }

    /// Returns the key that sets this one or replaces it, if any.
    pub(super) fn set_by(&self, setting: Setting) -> Option<Setting> {
        let others: &[Setting] = match setting {
            Corpsecret => &[Corpsecret, CorpsecretFile],
            _ => &[setting],
        };
        let mut others = others.iter().copied();
        others.find(|setting| self.0.contains_key(setting))
    }

    /// Lists the required keys that are not set.
    pub(super) fn missing(&self) -> impl Iterator<Item = Setting> {
        let required = [Corpid, Corpsecret, Agentid].into_iter();
        required.filter(|setting| self.set_by(*setting).is_none())
    }

    /// Returns the id of the app, if it is set.
    pub(super) fn agentid(&self) -> Option<u32> {
        self.get(Agentid)?.parse().ok()
    }

    /// Lists the default recipients; empty if they are not set.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &str> {
        let users = self.get(Touser).unwrap_or_default().split(',');
        users.filter(|user| !user.is_empty())
    }

    /// Returns the settings that the written config will have.
    ///
    /// # Errors
    /// `Exit::Config` with the reason, such as an unreadable secret file.
    pub(super) fn settings(&self, path: &Path, is_named: bool) -> Result<Settings, Failure> {
        Ok(self.config(path, is_named)?.settings(None)?)
    }

    /// Returns the config as it will be read.
    ///
    /// # Errors
    /// Not expected: its values have been checked.
    pub(super) fn config(&self, path: &Path, is_named: bool) -> Result<Config, Failure> {
        Ok(Config::of_text(path, &self.text(), is_named)?)
    }

    /// Whether the text of a config already sets all of these values.
    pub(super) fn is_in(&self, config: &str) -> bool {
        let Ok(table) = DeTable::parse(config) else {
            return false;
        };
        let table = table.get_ref();
        let network = table.get("network").and_then(|it| it.get_ref().as_table());
        self.0.iter().all(|(setting, value)| {
            let table = if NETWORK.contains(setting) {
                network
            } else {
                Some(table)
            };
            let there = table.and_then(|table| table.get(setting.name()));
            there.is_some_and(|there| match there.get_ref() {
                DeValue::Integer(number) => number.as_str() == value.expose(),
                there => there.as_str() == Some(value.expose()),
            })
        })
    }

    /// Returns the config as TOML, with a comment for each key.
    pub(super) fn text(&self) -> String {
        let mut text = comment(&text::init::header());
        for group in GROUPS {
            let lines: String = group.iter().filter_map(|it| self.line(*it)).collect();
            if !lines.is_empty() {
                text.push('\n');
            }
            if !lines.is_empty() && group == NETWORK {
                text.push_str("[network]\n");
            }
            text.push_str(&lines);
        }
        text
    }

    /// Returns a key's comment and line; without recipients, their default commented out.
    fn line(&self, setting: Setting) -> Option<String> {
        let name = setting.name();
        let line = match (setting, self.get(setting)) {
            (Agentid, Some(value)) => format!("{name} = {value}\n"),
            (_, Some(value)) => format!("{name} = {}\n", quoted(value)),
            (Touser, None) => format!("#{name} = \"@all\"\n"),
            (_, None) => return None,
        };
        Some(comment(&text::init::about(setting)) + &line)
    }
}

/// Checks a value; returns it as the config contains it.
fn checked(setting: Setting, typed: &str) -> Result<String, String> {
    if setting == Touser {
        let lists = [vec![typed.to_owned()], Vec::new(), Vec::new()];
        let to = value::recipients(&lists).map_err(|why| why.to_string())?;
        return Ok(to.ok_or_else(text::init::touser_empty)?.touser.join(","));
    }
    read(setting, typed).map_err(|why| why.to_string())
}

fn read(setting: Setting, typed: &str) -> Result<String, Invalid> {
    Ok(match setting {
        Corpid => value::corpid(typed)?,
        Corpsecret => value::secret(typed)?.expose().to_owned(),
        Agentid => value::agentid(typed)?.to_string(),
        Lang => value::lang(typed)?.of("zh", "en").to_owned(),
        Setting::ApiBase => ApiBase::parse(typed)?.expose().to_owned(),
        Proxy => value::proxy(typed)?.expose().to_owned(),
        Touser | CorpsecretFile | StateDir => typed.to_owned(),
    })
}

fn comment(text: &str) -> String {
    format!("# {}\n", text.replace('\n', "\n# "))
}

/// Returns a text as a basic string of TOML, which supports all escapes of JSON.
fn quoted(text: &str) -> String {
    let text = serde_json::Value::from(text).to_string();
    text.replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Account;

    fn path() -> &'static Path {
        Path::new("/etc/wxpush/config.toml")
    }

    fn draft(values: &[(Setting, &str)]) -> ConfigDraft {
        let mut draft = ConfigDraft::default();
        for (setting, value) in values {
            draft.set(*setting, value).unwrap();
        }
        draft
    }

    proptest! {
        #[test]
        fn any_valid_values_read_back_the_same(
            corpid in "[!-~]{1,40}",
            secret in "[!-~]{1,60}",
            agentid in 1..=i32::MAX,
            users in prop::collection::vec("[a-zA-Z0-9_.@-]{1,20}", 1..4),
            dir in "/[^\0]{0,30}",
            lang in prop_oneof![Just("zh"), Just("en")],
            password in "[!-~&&[^/?#@:]]{0,20}",
        ) {
            let mut draft = ConfigDraft::default();
            prop_assume!(draft.set(Corpid, &corpid).is_ok());
            prop_assume!(draft.set(Corpsecret, &secret).is_ok());
            draft.set(Agentid, &agentid.to_string()).unwrap();
            prop_assume!(draft.set(Touser, &users.join(",")).is_ok());
            let proxy = format!("http://u:{password}@192.0.2.7:3128");
            prop_assume!(draft.set(Proxy, &proxy).is_ok());
            draft.set(StateDir, &dir).unwrap();
            draft.set(Lang, lang).unwrap();
            draft.set(Setting::ApiBase, "https://r.example/a").unwrap();
            let settings = draft.settings(path(), false).unwrap();
            let Account::App(app) = &settings.account else { panic!() };
            prop_assert_eq!(&app.corpid, &corpid);
            prop_assert_eq!(app.corpsecret.expose(), secret);
            prop_assert_eq!(i64::from(settings.agentid(app).unwrap()), i64::from(agentid));
            prop_assert_eq!(settings.to.touser.join(","), draft.get(Touser).unwrap());
            prop_assert_eq!(settings.network.proxy.as_ref().unwrap().expose(), proxy);
            prop_assert_eq!(settings.network.api_base.shown(), "https://r.example/a");
            prop_assert_eq!(settings.phone_lang.of("zh", "en"), lang);
            prop_assert!(draft.is_in(&draft.text()));
        }

        #[test]
        fn any_text_is_a_string_of_toml(text in any::<String>()) {
            let line = format!("prefix = {}", quoted(&text));
            let table = DeTable::parse(&line).unwrap();
            let value = table.get_ref().values().next().unwrap();
            prop_assert_eq!(value.get_ref().as_str(), Some(&*text));
        }
    }

    #[test]
    fn a_secret_in_a_file_stays_there_unless_another_is_typed() {
        let mut draft = draft(&[
            (Corpid, "ww1"),
            (Agentid, "7"),
            (CorpsecretFile, "/run/se\"cret"),
        ]);
        assert_eq!(draft.missing().count(), 0);
        assert_eq!(draft.set_by(Corpsecret), Some(CorpsecretFile));
        let text = draft.text();
        assert!(
            text.contains("corpsecret_file = \"/run/se\\\"cret\"\n"),
            "{text}"
        );
        assert!(text.contains("#touser = \"@all\"\n") && !text.contains("[network]"));
        assert!(draft.config(path(), false).is_ok());
        draft.set(Corpsecret, "typed").unwrap();
        assert!(!draft.text().contains("corpsecret_file"));
    }

    #[test]
    fn a_config_has_the_same_values_if_it_sets_each_of_them() {
        let proxy = "http://192.0.2.7:3128";
        let draft = draft(&[(Corpid, "ww1"), (Agentid, "7"), (Proxy, proxy)]);
        let same = format!("# mine\nagentid = 7\ncorpid = 'ww1'\nnetwork.proxy = \"{proxy}\"\n");
        for (text, is_in) in [
            (draft.text(), true),
            (same.clone(), true),
            (same.replace("agentid = 7", "agentid = \"7\""), true),
            (
                format!("prefix = \"x\"\n{same}[profiles.ops]\nagentid = 8\n"),
                true,
            ),
            (same.replace("ww1", "ww2"), false),
            (same.replace("network.", ""), false),
            (same.replace("agentid = 7", ""), false),
            (format!("{same}corpid"), false),
            (String::new(), false),
        ] {
            assert_eq!(draft.is_in(&text), is_in, "{text}");
        }
    }
}
