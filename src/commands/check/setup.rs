//! What was meant: the program, the config and where it was looked for, the settings in force.

use super::report::Report;
use crate::cli::Global;
use crate::config::{self, Account, Config, Network, Settings, ShowIn};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::Envelope;
use crate::wecom::Probe;

/// The program itself.
pub(super) fn program(report: &mut Report) {
    let (path, version) = (config::program(), env!("CARGO_PKG_VERSION"));
    let path = path.display();
    report.fine(
        "program",
        say!("程序：{path}（{version}）", "program: {path} ({version})"),
    );
}

/// A config that cannot be read, and what follows from it.
pub(super) fn unread(failure: Failure, global: &Global, report: &mut Report) {
    report.wrong("config", failure);
    variables(report);
    let left = spoken().of(
        "因为配置没有读成，未检查",
        "not tried, since the config cannot be read",
    );
    let names = [
        "settings",
        "state_dir",
        "token",
        "agent",
        "recipient",
        "outbox",
    ];
    report.left_all(&names, left);
    if global.config.is_none() && !config::variables().contains(&"WXPUSH_CONFIG") {
        passed_over(report);
    }
}

/// Which config was read, and who else can read it.
pub(super) fn config(config: &Config, report: &mut Report) {
    let base = config.base();
    match &base.source {
        Some(path) => {
            let shown = path.display();
            let mode = config.mode().unwrap_or_default();
            let why = if config.is_named(path) {
                spoken()
                    .of(
                        "由 --config 或 WXPUSH_CONFIG 指定",
                        "named by --config or WXPUSH_CONFIG",
                    )
                    .to_owned()
            } else {
                before(path)
            };
            report.fine(
                "config",
                say!(
                    "配置文件：{shown}（权限 {mode:04o}；{why}）",
                    "config: {shown} (mode {mode:04o}; {why})"
                ),
            );
            if base.open_secret {
                report.cross(
                    "config_mode",
                    Exit::Config,
                    say!(
                        "{shown} 里有密钥，而别的用户能读它",
                        "{shown} holds a secret and others can read it"
                    ),
                    format!("chmod 600 {shown}"),
                );
            }
            if let Some(uid) = base.foreign {
                report.doubt(
                    "config_owner",
                    say!(
                        "{shown} 属于用户 {uid}，他能改动 root 所发的内容",
                        "{shown} belongs to user {uid}, who can change what root sends"
                    ),
                    say!(
                        "用该用户运行 wxpush，或执行 chown root {shown}",
                        "run wxpush as that user, or chown root {shown}"
                    ),
                );
            }
        }
        None => report.fine(
            "config",
            say!(
                "配置文件：没有（找过 {}）",
                "config: none (looked for {})",
                places()
            ),
        ),
    }
    for path in config.open_secret_files() {
        let path = path.display();
        report.cross(
            "secret_mode",
            Exit::Config,
            say!(
                "{path} 是密钥文件，而别的用户能读它",
                "{path} is a secret's file and others can read it"
            ),
            format!("chmod 600 {path}"),
        );
    }
    passed_over(report);
    variables(report);
}

/// The places that come before a config, in which there is none.
fn before(path: &std::path::Path) -> String {
    let places = config::config_places();
    let earlier = places.iter().take_while(|place| *place != path);
    let earlier: Vec<String> = earlier.map(|place| place.display().to_string()).collect();
    if earlier.is_empty() {
        return spoken()
            .of("第一个要找的位置", "the first place looked at")
            .to_owned();
    }
    let earlier = earlier.join(", ");
    say!("先找过 {earlier}，没有", "none at {earlier}")
}

fn places() -> String {
    let places = config::config_places().into_iter();
    let places: Vec<String> = places.map(|place| place.display().to_string()).collect();
    places.join(", ")
}

/// A config beside the program that is not read.
fn passed_over(report: &mut Report) {
    let Some((path, why)) = Config::passed_over() else {
        return;
    };
    let (path, dir) = (path.display(), path.parent().unwrap_or(&path).display());
    report.doubt(
        "config_passed_over",
        say!("{path} 不会被读取：{dir} {why}", "{path} is not read, since {dir} {why}"),
        say!("把它移到 /etc/wxpush/config.toml 或 ~/.config/wxpush/config.toml，或用 --config 指定", "move it to /etc/wxpush/config.toml or ~/.config/wxpush/config.toml, or name it by --config"),
    );
}

/// Variables of ours: they are stronger than the file, and cron does not have them.
fn variables(report: &mut Report) {
    let names = config::variables().join(", ");
    if !names.is_empty() {
        report.doubt(
            "environment",
            say!(
                "环境变量 {names} 已设置，优先于配置文件",
                "set in the environment, and stronger than the config: {names}"
            ),
            say!(
                "cron 和 systemd 里没有这些变量，除非也在那里设置",
                "cron and systemd don't have them, unless they are set there, too"
            ),
        );
    }
}

/// The settings in force; none where there are none, or no app.
pub(super) fn settings(config: &Config, report: &mut Report) -> Option<Settings> {
    if config.is_for_robots() {
        let what = say!(
            "应用：没有设置，只有群机器人",
            "app: none is set, there are robots only"
        );
        report.left("account", what);
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
    // Who has swapped the two shows neither.
    let corpid = config::value::shown(&app.corpid);
    let spot = config
        .secret_spot()
        .map_or(String::new(), |spot| spot.to_string());
    let profile = match &settings.profile {
        Some(name) => say!("（profile {name}）", " (profile {name})"),
        None => String::new(),
    };
    match settings.agentid(app) {
        Ok(agentid) => report.fine(
            "account",
            say!(
                "应用{profile}：corpid {corpid}，agentid {agentid}，密钥来自 {spot}",
                "app{profile}: corpid {corpid}, agentid {agentid}, secret from {spot}"
            ),
        ),
        Err(error) => report.wrong("account", error.into()),
    }
    report.fine("settings", in_force(config, &settings));
    Some(settings)
}

/// How messages go out, in a line.
fn in_force(config: &Config, settings: &Settings) -> String {
    let mut words = Vec::new();
    let to = settings.to.describe();
    words.push(if config.names_receivers() {
        say!("发给 {to}", "to {to}")
    } else {
        say!(
            "发给 {to}（默认，没有设置收件人）",
            "to {to} (the default: no receivers are set)"
        )
    });
    if !settings.prefix.is_empty() {
        let prefix = settings.prefix.trim();
        words.push(say!("前缀 {prefix}", "prefix {prefix}"));
    }
    let lang = settings.phone_lang.of("zh", "en");
    words.push(say!("手机上的语言 {lang}", "lang on the phone {lang}"));
    let show_in = match settings.show_in {
        ShowIn::WeCom => "wecom",
        ShowIn::WeChat => "wechat",
    };
    words.push(format!("show_in {show_in}"));
    if settings.safe {
        words.push("safe".to_owned());
    }
    let (minute, hour) = (settings.limits.per_minute, settings.limits.per_hour);
    words.push(say!(
        "每人每分钟 {minute} 条、每小时 {hour} 条",
        "limits {minute}/min, {hour}/h to one member"
    ));
    let age = crate::token::seconds(settings.outbox.max_age.as_secs());
    words.push(if settings.outbox.enabled {
        say!("发件箱保留 {age}", "outbox keeps for {age}")
    } else {
        say!("发件箱已关闭", "outbox off")
    });
    let words = words.join(spoken().of("，", ", "));
    say!("设置：{words}", "settings: {words}")
}

/// Where WeCom is reached.
pub(super) fn network(network: &Network, is_read: bool, report: &mut Report) {
    let mut words = vec![network.api_base.shown().to_owned()];
    if !is_read {
        let why = spoken().of(
            "配置没有读成，先按这个检查",
            "for want of a config that can be read",
        );
        words.push(why.to_owned());
    }
    if let Some(path) = &network.ca_file {
        words.push(format!("ca_file {}", path.display()));
    }
    if let Some(address) = network.local_address {
        words.push(format!("local_address {address}"));
    }
    let words = words.join(spoken().of("，", ", "));
    report.fine("api_base", say!("接口地址：{words}", "api_base: {words}"));
}

/// The proxy in force, and who names it; never its password.
pub(super) fn proxy(config: &Config, network: &Network, report: &mut Report) {
    let Some(origin) = config.proxy_origin(network) else {
        report.fine("proxy", say!("代理：不用", "proxy: none"));
        return;
    };
    let shown = Probe::of(network).map_or(String::new(), |probe| probe.place());
    report.fine(
        "proxy",
        say!(
            "代理：{shown}（来自 {origin}）",
            "proxy: {shown} (by {origin})"
        ),
    );
}

/// The robots: whether each has a key that could be one.
pub(super) fn robots(config: &Config, report: &mut Report) {
    for name in config.robots() {
        match config.robot(name) {
            Ok(_) => report.fine(
                "robot",
                say!(
                    "群机器人 {name}：key 的格式没有问题（不发消息就无法进一步检查）",
                    "robot {name}: its key is well-formed (only a message would show more)"
                ),
            ),
            Err(error) => report.wrong("robot", error.into()),
        }
    }
}

/// A list of names that stays readable.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let mut shown = names
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST {
        shown.push_str(", …");
    }
    shown
}

/// Whether somebody is everyone.
pub(super) fn is_everyone(to: &Envelope) -> bool {
    *to == Envelope::all()
}
