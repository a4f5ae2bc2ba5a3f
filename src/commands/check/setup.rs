//! Checks the set-up: the program, the config and its search path, the settings in force.

use std::path::Path;

use super::report::Steps;
use crate::cli::Global;
use crate::config::{self, Account, Config, Network, Settings, value};
use crate::error::Failure;
use crate::text;
use crate::wecom;

/// Reports the program itself.
pub(super) fn program(report: &mut Steps) {
    let (path, version) = (config::program(), env!("CARGO_PKG_VERSION"));
    report.fine("program", format!("{} ({version})", path.display()));
}

/// Reports a config that cannot be read, and its consequences.
pub(super) fn unread(failure: Failure, global: &Global, report: &mut Steps) {
    report.wrong("config", failure);
    variables(report);
    let names = [
        "settings",
        "state_dir",
        "token",
        "agent",
        "recipient",
        "outbox",
    ];
    report.left(&names, text::check::config_unread());
    if global.config.is_none() && !config::variables().contains(&"WXPUSH_CONFIG") {
        passed_over(report);
    }
}

/// Reports the config that was read, and who else can read it.
pub(super) fn config(config: &Config, report: &mut Steps) {
    let base = config.base();
    if let Some(path) = &base.source {
        let shown = &path.display();
        let mode = format!("{:04o}", config.mode().unwrap_or_default());
        report.fine(
            "config",
            text::check::config(shown, mode, why(config, path)),
        );
        if base.open_secret {
            report.wrong("config_mode", text::check::secret_open(shown));
        }
    } else {
        let places = listed(config::config_places().iter());
        report.fine("config", text::check::no_config(places));
    }
    for path in config.open_secret_files() {
        report.wrong("secret_mode", text::check::secret_open(path.display()));
    }
    passed_over(report);
    variables(report);
}

/// Returns why this config was read: it was named, or is the first one found.
fn why(config: &Config, path: &Path) -> String {
    if config.is_named(path) {
        return text::check::config_named();
    }
    let places = config::config_places();
    let earlier = listed(places.iter().take_while(|place| *place != path));
    if earlier.is_empty() {
        text::check::config_first()
    } else {
        text::check::config_after(earlier)
    }
}

fn listed<'a>(paths: impl Iterator<Item = &'a std::path::PathBuf>) -> String {
    let paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// Reports a config in the program's directory that is not read.
fn passed_over(report: &mut Steps) {
    if let Some((path, why)) = Config::passed_over() {
        let dir = path.parent().unwrap_or(&path).display();
        let doubt = text::check::config_passed_over(path.display(), dir, why);
        report.doubt("config_passed_over", doubt);
    }
}

/// Reports our variables: they override the file, and are not set under cron.
fn variables(report: &mut Steps) {
    let names = config::variables().join(", ");
    if !names.is_empty() {
        report.doubt("environment", text::check::variables(names));
    }
}

/// Returns the settings in force; `None` if there are none, or no app.
pub(super) fn settings(config: &Config, report: &mut Steps) -> Option<Settings> {
    if config.is_for_robots() {
        report.left(&["account"], text::check::robots_only());
        return None;
    }
    let settings = match config.settings(None) {
        Ok(settings) => settings,
        Err(error) => {
            report.wrong("account", error.into());
            return None;
        }
    };
    let Account::App(app) = &settings.account else {
        return None;
    };
    report.hide(&app.corpsecret);
    // Secret and corpid may have been swapped: neither is shown then.
    let corpid = value::shown(&app.corpid);
    let spot = config.secret_spot();
    let spot = spot.map_or(String::new(), |spot| spot.to_string());
    match settings.agentid(app) {
        Ok(agentid) => {
            let what = text::check::account(&settings, &corpid, agentid, &spot);
            report.fine("account", what);
        }
        Err(error) => report.wrong("account", error.into()),
    }
    let what = text::check::settings(&settings, config.names_recipients());
    report.fine("settings", what);
    Some(settings)
}

/// Reports the route to WeCom.
pub(super) fn network(network: &Network, is_read: bool, report: &mut Steps) {
    let mut words = vec![network.api_base.shown().to_owned()];
    if !is_read {
        words.push(text::check::provisional());
    }
    if let Some(path) = &network.ca_file {
        words.push(format!("ca_file {}", path.display()));
    }
    if let Some(address) = network.local_address {
        words.push(format!("local_address {address}"));
    }
    report.fine("api_base", text::check::list(&words));
}

/// Reports the proxy in force and its source; never its password.
pub(super) fn proxy(config: &Config, network: &Network, report: &mut Steps) {
    let what = match (config.proxy_origin(network), &network.proxy) {
        (Some(origin), Some(proxy)) => {
            text::check::proxy(wecom::shown_proxy(proxy).unwrap_or_default(), origin)
        }
        _ => text::check::no_proxy(),
    };
    report.fine("proxy", what);
}

/// Reports whether each robot has a plausible key, and each key of `wxpush http` a receiver.
pub(super) fn robots(config: &Config, report: &mut Steps) {
    for name in config.robots() {
        match config.robot(name) {
            Ok(_) => report.fine("robot", text::check::robot(name)),
            Err(error) => report.wrong("robot", error.into()),
        }
    }
    for (name, settings) in config.http_keys() {
        match settings {
            Ok(settings) => {
                report.fine(
                    "http_key",
                    text::check::http_key(name, settings.receivers()),
                );
            }
            Err(error) => report.wrong("http_key", error.into()),
        }
    }
}
