//! Fuzz target: any text read as a config becomes settings, or an error without the secret.

use std::path::Path;

use super::input::SecretFrom;
use super::keys::Layer;
use super::{Account, Config, ConfigError, file};
use crate::error::{Exit, Failure};
use crate::secret::fuzz::{SECRET, shows_secret};

/// Reads a config in which `$` is replaced by the secret, so that it is always complete.
pub(crate) fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if shows_secret(text) {
        return;
    }
    let path = Path::new("/etc/wxpush/config.toml");
    let text = text.replace('$', SECRET);
    let config = match parsed(path, &text) {
        Ok(config) => config,
        Err(error) => return check(error),
    };
    if !config.file.profiles.contains_key("another") {
        let error = config.settings_of(Some("another"));
        check(error.expect_err("there is none"));
    }
    settings(&config, None);
    for profile in config.profiles() {
        settings(&config, Some(profile));
    }
}

/// Reads a config that the user has named, in an empty environment.
pub(super) fn parsed(path: &Path, text: &str) -> Result<Config, ConfigError> {
    Ok(Config {
        file: file::parse(path, text)?,
        source: Some(path.to_owned()),
        named: true,
        environment: Layer::default(),
        qinglong: Layer::default(),
        in_force: None,
    })
}

fn settings(config: &Config, profile: Option<&str>) {
    let names_a_file = |layer: &Layer| {
        let from = layer.secret.as_ref().map(|secret| &secret.value);
        matches!(from, Some(SecretFrom::File(_)))
    };
    // The fuzzer must not read files.
    let layers = profile.map(|name| &config.file.profiles[name]);
    if layers
        .into_iter()
        .chain([&config.file.top])
        .any(names_a_file)
    {
        return;
    }
    let settings = match config.settings_of(profile) {
        Ok(settings) => settings,
        Err(error) => return check(error),
    };
    if let Account::App(app) = &settings.account
        && let Err(error) = settings.agentid(app)
    {
        check(error);
    }
    let base = settings.network.api_base;
    let url = reqwest::Url::parse(&format!("{}/cgi-bin/gettoken", base.expose()));
    assert!(url.is_ok_and(|url| url.path().ends_with("/cgi-bin/gettoken")));
    let shown = reqwest::Url::parse(base.shown()).expect("what is shown is a URL");
    assert!(shown.username().is_empty() && shown.password().is_none());
    let unclean = |c: char| c.is_control() && c != '\t';
    assert!(!settings.prefix.contains(unclean), "{:?}", settings.prefix);
}

fn check(error: ConfigError) {
    let debug = format!("{error:?}");
    assert!(!shows_secret(&debug), "{debug}");
    let failure = Failure::from(error);
    assert_eq!(failure.exit, Exit::Config);
    assert!(!failure.what.is_empty());
    assert!(!shows_secret(&failure.what), "{}", failure.what);
    let hint = failure.hint.as_deref().unwrap_or_default();
    assert!(!shows_secret(hint), "{hint}");
}
