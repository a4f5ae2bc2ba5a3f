//! A config that is about to be written: by the rules of one that is read.

use std::fmt::Write as _;
use std::path::Path;

use super::file::{self, ConfigFile};
use super::layer::{At, Layer, SecretFrom};
use super::target::Target;
use super::{Config, Settings, environment, value};
use crate::error::Failure;
use crate::lang::spoken;
use crate::message::Envelope;

/// What a person is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Corpid,
    Corpsecret,
    Agentid,
    Touser,
    Proxy,
}

impl Key {
    /// Its name in the config.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Corpid => "corpid",
            Self::Corpsecret => "corpsecret",
            Self::Agentid => "agentid",
            Self::Touser => "touser",
            Self::Proxy => "proxy",
        }
    }

    /// The variable that says the same.
    pub(crate) fn variable(self) -> String {
        format!("WXPUSH_{}", self.name().to_uppercase())
    }
}

/// What will stand in the config.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft(Layer);

impl Draft {
    /// What the `WXPUSH_*` variables say.
    ///
    /// # Errors
    /// `Exit::Config`, with the variable that is wrong.
    pub(crate) fn of_environment() -> Result<Self, Failure> {
        environment::layer().map(Self)
    }

    /// The keys that it takes at the least and that are not set.
    pub(crate) fn missing(&self) -> impl Iterator<Item = Key> {
        let keys = [Key::Corpid, Key::Corpsecret, Key::Agentid];
        keys.into_iter().filter(|key| !self.has(*key))
    }

    /// Whether the key has a value.
    pub(crate) fn has(&self, key: Key) -> bool {
        let layer = &self.0;
        match key {
            Key::Corpid => layer.corpid.is_some(),
            Key::Corpsecret => layer.secret.is_some(),
            Key::Agentid => layer.agentid.is_some(),
            Key::Touser => layer.to.is_some(),
            Key::Proxy => layer.proxy.is_some(),
        }
    }

    /// Takes a key's value as a person types it.
    ///
    /// # Errors
    /// In words that fit behind the key.
    pub(crate) fn set(&mut self, key: Key, text: &str) -> Result<(), String> {
        let layer = &mut self.0;
        match key {
            Key::Corpid => layer.corpid = Some(typed(key, value::corpid(text)?)),
            Key::Corpsecret => {
                let secret = SecretFrom::Text(value::secret(text)?);
                layer.secret = Some(typed(key, secret));
            }
            Key::Agentid => layer.agentid = Some(value::agentid(text)?),
            Key::Touser => {
                let lists = [vec![text.to_owned()], Vec::new(), Vec::new()];
                layer.to = value::receivers(&lists)?;
            }
            Key::Proxy => layer.proxy = Some(value::proxy(text)?),
        }
        Ok(())
    }

    /// The app's id, if it is set.
    pub(crate) fn agentid(&self) -> Option<u32> {
        self.0.agentid
    }

    /// Who gets a message, if that is set.
    pub(crate) fn to(&self) -> Option<&Envelope> {
        self.0.to.as_ref()
    }

    /// Writes down the proxy that the environment has, which cron would not know of; tells whether
    /// there is one.
    pub(crate) fn take_proxy(&mut self, settings: &Settings) -> bool {
        self.0.proxy.clone_from(&settings.network.proxy);
        self.0.proxy.is_some()
    }

    /// The settings that it comes to.
    ///
    /// # Errors
    /// `Exit::Config`, with what is wrong, such as a secret's file that cannot be read.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let config = Config {
            file: ConfigFile::default(),
            source: None,
            named: false,
            environment: self.0.clone(),
            in_force: None,
        };
        config.settings(None)
    }

    /// The config that it is once it stands there.
    ///
    /// # Errors
    /// None that could be expected: its values have been read before.
    pub(crate) fn config(&self, target: &Target) -> Result<Config, Failure> {
        let mut file = file::parse(&target.path, &self.text())?;
        // It is written for nobody else to read.
        file.open_secret = false;
        Ok(Config {
            file,
            source: Some(target.path.clone()),
            named: target.named,
            environment: Layer::default(),
            in_force: None,
        })
    }

    /// It as TOML, with what each key is.
    pub(crate) fn text(&self) -> String {
        let layer = &self.0;
        let mut text = Text(String::new());
        text.say(
            "wxpush 的配置文件，由 `wxpush init` 写成；全部可用的键见 config.example.toml。",
            "wxpush's config, written by `wxpush init`; config.example.toml shows every key.",
        );
        text.gap();
        if let Some(corpid) = &layer.corpid {
            text.say(
                "企业ID：管理后台 → 我的企业，页面底部。",
                "Company ID (企业ID): admin console, 我的企业, bottom of the page.",
            );
            text.key("corpid", &corpid.value);
        }
        match layer.secret.as_ref().map(|at| &at.value) {
            Some(SecretFrom::Text(secret)) => {
                text.say(
                    "应用的 Secret：应用管理 → 该应用 → Secret。只会告诉企业微信。",
                    "Secret of the app: 应用管理 → the app → Secret. Only WeCom itself is ever told it.",
                );
                text.key("corpsecret", secret.expose());
            }
            Some(SecretFrom::File(path)) => {
                text.say(
                    "只含应用 Secret 的文件。",
                    "A file that holds the app's Secret and nothing else.",
                );
                text.path("corpsecret_file", path);
            }
            None => {}
        }
        if let Some(agentid) = layer.agentid {
            text.say(
                "同一应用的 AgentId：应用管理 → 该应用。",
                "AgentId of the same app: 应用管理 → the app.",
            );
            text.line(&format!("agentid = {agentid}"));
        }
        text.gap();
        text.say(
            "默认收件人：成员的 userid（通讯录 → 成员 → 账号），用逗号分隔；\"@all\" 是应用可见范围内的所有人。",
            "Who gets a message by default: userids (通讯录 → the member → 账号) divided by commas;\n# \"@all\" is everyone in the app's visible range (可见范围).",
        );
        match &layer.to {
            Some(to) => text.key("touser", &to.touser.join(",")),
            None => text.line("#touser = \"@all\""),
        }
        self.rest(&mut text);
        text.0
    }

    /// What most configs have no need of.
    fn rest(&self, text: &mut Text) {
        let layer = &self.0;
        if layer.state_dir.is_some() || layer.lang.is_some() {
            text.gap();
        }
        if let Some(dir) = &layer.state_dir {
            text.say(
                "access_token 缓存、发件箱和日志所在的目录。",
                "Directory of token cache, outbox and log.",
            );
            text.path("state_dir", dir);
        }
        if let Some(lang) = layer.lang {
            text.say("zh 或 en。", "zh or en.");
            text.key("lang", lang.of("zh", "en"));
        }
        if layer.api_base.is_some() || layer.proxy.is_some() {
            text.gap();
            text.line("[network]");
        }
        if let Some(base) = &layer.api_base {
            text.say(
                "企业微信，或自己的中转。Secret 会发给它。",
                "WeCom, or a relay of yours. It is told the secret.",
            );
            text.key("api_base", base.value.expose());
        }
        if let Some(proxy) = &layer.proxy {
            text.say(
                "http、https、socks5 或 socks5h。",
                "http, https, socks5 or socks5h.",
            );
            text.key("proxy", proxy.expose());
        }
    }
}

/// A value, and that it was typed.
fn typed<T>(key: Key, value: T) -> At<T> {
    At {
        value,
        spot: key.name().to_owned(),
    }
}

/// A config that grows.
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn say(&mut self, zh: &str, en: &str) {
        self.line(&format!("# {}", spoken().of(zh, en)));
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {}", quoted(value)));
    }

    fn path(&mut self, key: &str, path: &Path) {
        // Of the environment, which is read as UTF-8.
        self.key(key, &path.to_string_lossy());
    }
}

/// A text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut string = String::with_capacity(text.len() + 2);
    string.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => string.extend(['\\', character]),
            character if character.is_control() => {
                // Writing into a String cannot fail.
                let _ = write!(string, "\\u{:04X}", u32::from(character));
            }
            character => string.push(character),
        }
    }
    string.push('"');
    string
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::super::api_base::ApiBase;
    use super::super::{Account, Config};
    use super::*;
    use crate::lang::Lang;

    /// What a config says that a draft can say.
    fn said(config: &Config) -> (Settings, Option<Envelope>) {
        let settings = config.settings(None).unwrap();
        let to = config.file.top.to.clone();
        (settings, to)
    }

    fn target() -> Target {
        Target::test(Path::new("/etc/wxpush/config.toml"))
    }

    proptest! {
        #[test]
        fn whatever_is_valid_reads_back_the_same(
            corpid in "[!-~]{1,40}",
            secret in "[!-~]{1,60}",
            agentid in 1..=i32::MAX,
            users in prop::collection::vec("[a-zA-Z0-9_.@-]{1,20}", 0..4),
            dir in "/[^\0]{0,30}",
            lang in prop::option::of(prop_oneof![Just(Lang::Zh), Just(Lang::En)]),
            password in "[!-~&&[^/?#@:]]{0,20}",
        ) {
            let mut draft = Draft::default();
            prop_assume!(draft.set(Key::Corpid, &corpid).is_ok());
            prop_assume!(draft.set(Key::Corpsecret, &secret).is_ok());
            draft.set(Key::Agentid, &agentid.to_string()).unwrap();
            prop_assume!(draft.set(Key::Touser, &users.join(",")).is_ok());
            prop_assume!(draft.set(Key::Proxy, &format!("http://u:{password}@192.0.2.7:3128")).is_ok());
            draft.0.state_dir = Some(PathBuf::from(&dir));
            draft.0.lang = lang;
            let base = ApiBase::parse("https://r.example/a");
            draft.0.api_base = Some(At { value: base.unwrap(), spot: String::new() });
            let (settings, to) = said(&draft.config(&target()).unwrap());
            let Account::App(app) = &settings.account else { panic!() };
            prop_assert_eq!(&app.corpid, &corpid);
            prop_assert_eq!(app.corpsecret.expose(), secret);
            prop_assert_eq!(i64::from(settings.agentid(app).unwrap()), i64::from(agentid));
            prop_assert_eq!(to, draft.0.to.clone());
            prop_assert_eq!(settings.network.proxy, draft.0.proxy.clone());
            prop_assert_eq!(settings.network.api_base.shown(), "https://r.example/a");
            let config = draft.config(&target()).unwrap();
            prop_assert_eq!(&config.file.top.state_dir, &draft.0.state_dir);
            prop_assert_eq!(config.file.top.lang, lang);
        }

        #[test]
        fn any_text_is_a_string_of_toml(text in any::<String>()) {
            let line = format!("prefix = {}", quoted(&text));
            let table = toml::de::DeTable::parse(&line).unwrap();
            let value = table.get_ref().values().next().unwrap();
            prop_assert_eq!(value.get_ref().as_str(), Some(&*text));
        }
    }

    #[test]
    fn a_secret_of_a_file_stays_in_its_file() {
        let mut draft = Draft::default();
        draft.set(Key::Corpid, "ww1").unwrap();
        draft.set(Key::Agentid, "7").unwrap();
        draft.0.secret = Some(typed(
            Key::Corpsecret,
            SecretFrom::File("/run/se\"cret".into()),
        ));
        assert_eq!(draft.missing().count(), 0);
        let text = draft.text();
        assert!(
            text.contains("corpsecret_file = \"/run/se\\\"cret\"\n"),
            "{text}"
        );
        assert!(text.contains("#touser = \"@all\"\n") && !text.contains("[network]"));
        let config = draft.config(&target()).unwrap();
        let secret = config.file.top.secret.unwrap().value;
        assert!(matches!(secret, SecretFrom::File(path) if path == Path::new("/run/se\"cret")));
    }
}
