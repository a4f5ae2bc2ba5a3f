//! What a config lacks: the file, keys, a profile; each with where it could be.

use std::path::Path;

use super::{places, value};
use crate::error::{Exit, Failure};
use crate::lang::say;

/// That these keys are set nowhere.
pub(super) fn keys(names: &[&str], source: Option<&Path>) -> Failure {
    let verb = if names.len() == 1 { "is" } else { "are" };
    let variables: Vec<String> = names
        .iter()
        .map(|name| format!("WXPUSH_{}", name.to_uppercase()))
        .collect();
    let (names, variables) = (value::listed(names), value::listed(&variables));
    if let Some(path) = source {
        let path = path.display();
        let what = say!(
            "{path} 里没有设置 {names}",
            "{names} {verb} not set in {path}"
        );
        return Failure::new(Exit::Config, what).hint(say!(
            "运行 wxpush init；或照 config.example.toml 写进去，或设置环境变量 {variables}",
            "run wxpush init; or write them there as config.example.toml shows, or set {variables}"
        ));
    }
    let places: Vec<String> = places::configs()
        .map(|path| path.display().to_string())
        .collect();
    let passed_over = places::passed_over().map_or(String::new(), |(config, why)| {
        let dir = config.parent().unwrap_or(&config).display();
        let config = config.display();
        say!(
            "；没有读 {config}，因为 {dir} {why}",
            "; {config} is not read, since {dir} {why}"
        )
    });
    let places = value::listed(&places);
    let what = say!(
        "没有设置 {names}，也没有找到配置文件：找过 {places}{passed_over}",
        "{names} {verb} not set; no config was found: looked for {places}{passed_over}"
    );
    Failure::new(Exit::Config, what).hint(say!(
        "运行 wxpush init；或把 config.example.toml 复制到其中一处并填好，或设置环境变量 {variables}",
        "run wxpush init; or copy config.example.toml to one of these places and fill in the values, or set {variables}"
    ))
}

/// That there is no profile of this name among those that are known.
pub(super) fn profile(name: &str, known: &[&str], source: Option<&Path>) -> Failure {
    let place = place(source);
    // `-p` is a password elsewhere.
    let name = &value::shown(name);
    let what = say!(
        "{place}没有 [profiles.{name}]",
        "{place}there is no [profiles.{name}]"
    );
    let hint = match value::nearest(name, known) {
        Some(meant) => value::did_you_mean(&value::shown(meant)),
        None if known.is_empty() => say!(
            "写上 [profiles.{name}]，不同的键写在它下面",
            "write [profiles.{name}] and the keys that differ below it"
        ),
        None => {
            let known = value::shown(&value::listed(known));
            say!("现有的 profile：{known}", "known profiles: {known}")
        }
    };
    Failure::new(Exit::Config, what).hint(hint)
}

/// That the config is not there which an option or a variable names.
pub(super) fn file(path: &Path, origin: &str) -> Failure {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let what = if value::could_be_secret(&name) {
        say!(
            "{origin} 指定的配置文件不存在",
            "there is no config of the name that {origin} gives"
        )
    } else {
        let path = path.display();
        say!(
            "{path}: 没有这个配置文件",
            "{path}: there is no such config"
        )
    };
    Failure::new(Exit::Config, what).hint(say!(
        "{origin} 要指定一个配置文件；可以从 config.example.toml 改起",
        "{origin} must name a config file; config.example.toml is one to start from"
    ))
}

/// The config that was read, as the place before what is missing in it.
pub(super) fn place(source: Option<&Path>) -> String {
    source.map_or_else(
        || say!("没有找到配置文件：", "no config was found: "),
        |path| format!("{}: ", path.display()),
    )
}
