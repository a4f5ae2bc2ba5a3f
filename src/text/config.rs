//! The messages about errors in a config, and in the places of config and state.

use std::borrow::Borrow;
use std::fmt::{self, Display};
use std::path::PathBuf;

use crate::config::{
    Advice, ConfigError, ConfigWarning, Expected, FileFault, Invalid, NoPlace, Rate, SecretFile,
    Spot, Syntax, Unknown, Unusable,
};
use crate::disk::FileError;
use crate::error::{Exit, Failure};
use crate::lang::spoken;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::NoFile {
                path: Some(path),
                origin,
            } => no_file(path.display(), origin),
            ConfigError::NoFile { path: None, origin } => no_file_of_that_name(origin),
            ConfigError::Unreadable { error, .. } if FileError::is_untrusted(&error) => {
                Failure::new(Exit::Config, error.to_string())
            }
            ConfigError::Unreadable { path, error } => unreadable(path.display(), error),
            ConfigError::NotUtf8 { path, line } => not_utf8_at(path.display(), line),
            ConfigError::Syntax(error) => syntax(&error),
            ConfigError::UnknownKey { spot, advice } => unknown_key(spot).hint(advice.to_string()),
            ConfigError::Invalid { spot, reason } => invalid(&spot, &reason),
            ConfigError::PlainHttp(spot) => plain_http(spot),
            ConfigError::SecretFile(error) => secret_file(&error),
            ConfigError::Unset { keys, path } => {
                unset_in(unset(&keys), path.display(), variables(&keys))
            }
            ConfigError::UnsetWithoutConfig {
                keys,
                searched,
                passed_over,
            } => {
                let searched: Vec<String> =
                    searched.iter().map(|it| it.display().to_string()).collect();
                let passed_over = passed_over.map_or(String::new(), |(path, why)| {
                    let directory = path.parent().unwrap_or(&path);
                    not_read_since(path.display(), directory.display(), why)
                });
                unset_anywhere(
                    unset(&keys),
                    listed(&searched),
                    passed_over,
                    variables(&keys),
                )
            }
            ConfigError::NoProfile(it) => no_profile(place(it.path.as_ref()), &it.name)
                .hint(alternatives(&it, write_profile(&it.name), known_profiles)),
            ConfigError::NoRobot(it) => no_robot(place(it.path.as_ref()), &it.name)
                .hint(alternatives(&it, write_robot(&it.name), known_robots)),
            ConfigError::NoRobotKey { name, path } => {
                no_robot_key(place(path.as_ref()), &name).hint(write_robot(&name))
            }
            ConfigError::NoHttpKey { name, path } => no_http_key(place(path.as_ref()), &name),
            ConfigError::SameHttpKey {
                names: [one, other],
                path,
            } => same_http_key(place(path.as_ref()), &one, &other),
        }
    }
}

/// Preserves the exit code through `?` into `anyhow::Error`: `ConfigError` itself has no text.
impl From<ConfigError> for anyhow::Error {
    fn from(error: ConfigError) -> Self {
        Failure::from(error).into()
    }
}

fn syntax(error: &Syntax) -> Failure {
    let path = error.path.display();
    let key = error.key.as_ref();
    let key = key.map_or(String::new(), |key| format!(" {key}:"));
    let what = no_toml(path, error.line, key, &error.message);
    Failure::new(Exit::Config, what).hint(match error.meant {
        _ if error.message == "duplicate key" => key_twice(),
        _ if error.has_curly_quotes => straight_quotes(),
        Some(meant) => write_value_of(did_you_mean(meant)),
        None => write_value(),
    })
}

fn invalid(spot: &Spot, reason: &Invalid) -> Failure {
    let failure = Failure::new(Exit::Config, format!("{spot} {reason}"));
    match reason {
        Invalid::Twins => failure.hint(keep_one(spot)),
        Invalid::ZeroDuration | Invalid::LongerThan { .. } => failure.hint(keep_none()),
        _ => failure,
    }
}

/// Names both conflicting keys, or variables: one names a secret and the other its file.
fn keep_one(spot: &Spot) -> String {
    let (name, suffix) = match spot {
        Spot::Variable(name) => (*name, "_FILE"),
        Spot::Line { key, .. } => (key.rsplit('.').next().unwrap_or(key), "_file"),
        Spot::Credential => ("corpsecret", "_file"),
    };
    let name = name.strip_suffix(suffix).unwrap_or(name);
    keep_one_of(name, format!("{name}{suffix}"))
}

fn secret_file(error: &SecretFile) -> Failure {
    let path = error.path.as_ref();
    let path = path.map_or_else(the_file_named, |path| path.display().to_string());
    let spot = &error.spot;
    let why = match &error.fault {
        FileFault::Unreadable(error) => not_read(error),
        FileFault::Invalid(reason) => secret_in_it(reason),
    };
    Failure::new(Exit::Config, format!("{spot}: {path}: {why}")).hint(secret_alone())
}

fn unset(keys: &[&str]) -> String {
    match keys {
        [key] => unset_key(key),
        keys => unset_keys(listed(keys)),
    }
}

/// Returns the variables that are equivalent to these keys.
fn variables(keys: &[&str]) -> String {
    let name = |key: &&str| format!("WXPUSH_{}", key.to_uppercase());
    let names: Vec<String> = keys.iter().map(name).collect();
    listed(&names)
}

/// Suggests the names that could have been meant; if there are no names, `how` to add one.
fn alternatives(unknown: &Unknown, how: String, all: fn(String) -> String) -> String {
    match &unknown.meant {
        Some(meant) => did_you_mean(meant),
        None if unknown.known.is_empty() => how,
        None => all(listed(&unknown.known)),
    }
}

/// Returns the path of the config that was read, as the start of a message.
fn place(path: Option<&PathBuf>) -> String {
    path.map_or_else(no_config, |path| format!("{}: ", path.display()))
}

fn listed(names: &[impl Borrow<str>]) -> String {
    names.join(spoken().of("、", ", "))
}

/// For clap, which parses durations of options.
impl std::error::Error for Invalid {}

impl Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |(path, why): &(PathBuf, Unusable)| format!("{}: {why}", path.display());
        let places: Vec<String> = self.0.iter().map(place).collect();
        f.write_str(&places.join(spoken().of("；", "; ")))
    }
}

// Texts that follow the name of a key.
displays! { Invalid {
    Self::Not(Expected::Duration) =>
        "不是一段时间：写成 90s、10m、5h、3d 或 1h30m", "is not a duration: write 90s, 10m, 5h, 3d or 1h30m";
    Self::Not(expected) => "必须是{expected}", "must be {expected}";
    Self::WrongType { expected, found } =>
        "必须是{expected}，而不是 {found} 类型的值", "must be {expected}, not a value of type {found}";
    Self::Empty => "是空的", "is empty";
    Self::NotUtf8 => "不是 UTF-8", "is not UTF-8";
    Self::Quoted => "带着引号：去掉两边的引号", "has quotes around it: leave them out";
    Self::Placeholder => "还是占位符：换成真正的值", "is still a placeholder: put the real value there";
    Self::Unprintable =>
        "里有空格、换行，或不可能属于它的字符", "holds a space, a line break or a character that cannot be part of it";
    Self::PasswordSplit =>
        "里的用户名和密码没有编码：@ 写成 %40，# 写成 %23，/ 写成 %2F，? 写成 %3F，\\ 写成 %5C",
        "has a user or password that is not encoded: write @ as %40, # as %23, / as %2F, ? as %3F, \\ as %5C";
    Self::NotRobotKey =>
        "不是群机器人的 key：只写它的 Webhook 地址里 key= 后面的部分",
        "is not a robot's key: write only what follows key= in its webhook URL";
    Self::ZeroDuration => "必须大于零", "must be longer than zero";
    Self::LongerThan { days } => "最多 {days}d", "must be {days}d at the most";
    Self::NotOneOf { words, meant: None } => "只能是其中之一：{words}", "must be one of {words}", words = listed(words);
    Self::NotOneOf { words, meant: Some(meant) } =>
        "只能是其中之一：{words}；是不是 {meant}？", "must be one of {words}; did you mean {meant}?", words = listed(words);
    Self::Recipient(why) => "不对：{why}", "is not right: {why}";
    Self::HiddenRecipient =>
        "不对：其中有不可能是收件人的内容", "is not right: it names something that cannot be a recipient";
    Self::NoRecipients => "不对：一个收件人也没写", "is not right: it names nobody";
    Self::Twins => "和另一个键设置的是同一项", "sets the same as another key";
    Self::KindsOfRecipients =>
        "和另一个键冲突：成员（touser、toparty、totag）、chat、robot 只能写一种",
        "is one recipient too many: name members (touser, toparty, totag), a chat or a robot";
}}

displays! { Expected {
    Self::Text => "带引号的文字", "a text in quotes";
    Self::TextOrList => "带引号的文字，或由它们组成的列表", "a text in quotes, or a list of them";
    Self::Agentid => "应用的 AgentId，一个整数，例如 1000002", "the app's AgentId, a whole number such as 1000002";
    Self::Switch => " true 或 false", "true or false";
    Self::Count(max) => "从 1 到 {max} 的整数", "a whole number from 1 to {max}";
    Self::AtLeast(min) => "不小于 {min} 的整数", "a whole number, at least {min}";
    Self::Rate(max) => "从 {min} 到 {max} 的数", "a number from {min} to {max}", min = Rate::MIN;
    Self::Table(name) => "一个表，写成 [{name}]", "a table, written [{name}]";
    Self::Duration => "一段时间", "a duration";
    Self::Quiet =>
        "一段或几段时间，例如 23:00-07:30 或 12:30-13:30,23:00-07:30",
        "hours such as 23:00-07:30 or 12:30-13:30,23:00-07:30";
    Self::Fallback => "robots. 加群机器人的名字，例如 robots.ops", "robots. and the name of a robot, such as robots.ops";
    Self::Path => "一个路径", "a path";
    Self::AbsolutePath => "绝对路径", "an absolute path";
    Self::Address => "本机的一个 IP 地址，例如 192.0.2.7", "an IP address of this host, such as 192.0.2.7";
    Self::ProxyUrl =>
        "代理的地址，例如 http://192.0.2.7:3128 或 socks5://192.0.2.7:1080",
        "a proxy such as http://192.0.2.7:3128 or socks5://192.0.2.7:1080";
    Self::Uid => "用户的编号，例如 1000（id -u 会显示）", "the number of a user, such as 1000 (id -u shows it)";
    Self::ApiUrl =>
        " URL，例如 https://qyapi.weixin.qq.com 或 https://relay.example.com/wecom",
        "a URL such as https://qyapi.weixin.qq.com or https://relay.example.com/wecom";
    Self::Errcode => "数字，例如 60020", "a number such as 60020";
    Self::Listen => " IP:端口，例如 0.0.0.0:8080 或 [::]:8080", "IP:PORT, such as 0.0.0.0:8080 or [::]:8080";
    Self::CallbackToken => "最多 32 个字母和数字", "at most 32 letters and digits";
    Self::QinglongApp => " corpid,corpsecret,touser,agentid", "corpid,corpsecret,touser,agentid";
    Self::CallbackKey => " 43 个字母和数字", "43 letters and digits";
    Self::HttpKey =>
        " 12 到 128 个字母、数字、- 和 _；openssl rand -hex 16 可以生成一个",
        "12 to 128 letters, digits, - and _; openssl rand -hex 16 makes one";
}}

// Texts that follow a path.
displays! { Unusable {
    Self::Io(error) => "{error}", "{error}";
    Self::Unreadable => "读不了", "cannot be read";
    Self::Unset => "没有设置", "is not set";
    Self::OfPrograms => "是放程序的目录", "is a directory of programs";
    Self::ForeignLink => "是别的用户的符号链接", "is a symbolic link of another user";
    Self::NotDirectory => "不是目录", "is not a directory";
    Self::OthersWrite => "其他用户能写它（chmod o-w）", "others can write to it (chmod o-w)";
    Self::GroupWrites => "它的属组能写它（chmod g-w）", "its group can write to it (chmod g-w)";
    Self::Untrusted(error) => "不归 root 使用：{error}", "is not for root: {error}";
    Self::ForeignOwner => "属于别的用户", "belongs to another user";
    Self::NotWritable(error) => "写不进去：{error}", "cannot be written to: {error}";
}}

displays! { Spot {
    Self::Line { path, line, key } => "{path}:{line}: {key}", "{path}:{line}: {key}", path = path.display();
    Self::Variable(name) => "环境变量 {name}", "{name} (environment)";
    Self::Credential => "$CREDENTIALS_DIRECTORY/corpsecret", "$CREDENTIALS_DIRECTORY/corpsecret";
}}

displays! { Advice {
    Self::NameFirst => "写成 NAME = \"value\"，等号前面是键名", "write NAME = \"value\", with the name before the =";
    Self::MoveBelow { key, table } => "{key} 要写在 [{table}] 下面", "{key} belongs below [{table}]";
    Self::MoveToTop(key) =>
        "{key} 要写在文件开头，第一个 [表] 之前", "{key} belongs at the top of the file, before the first [table]";
    Self::Meant { key, table: None } => "是不是 {key}？", "did you mean {key}?";
    Self::Meant { key, table: Some(table) } => "是不是 [{table}] 下面的 {key}？", "did you mean {key}, below [{table}]?";
    Self::Known(keys) => "这里可用的有：{keys}", "known here: {keys}", keys = listed(keys);
}}

displays! { ConfigWarning<'_> {
    Self::OpenSecret(path) =>
        "{path} 里有 Secret，而别的用户能读它：chmod 600 {path}",
        "{path} holds a secret and others can read it: chmod 600 {path}", path = path.display();
}}

failures! {
    no_file(path, origin) => Config,
        "{path}: 没有这个配置文件", "{path}: there is no such config",
        "{origin} 要指定一个配置文件；可以从 config.example.toml 改起",
        "{origin} must name a config file; start from config.example.toml";
    no_file_of_that_name(origin) => Config,
        "{origin} 指定的配置文件不存在", "the config that {origin} names does not exist",
        "{origin} 要指定一个配置文件；可以从 config.example.toml 改起",
        "{origin} must name a config file; start from config.example.toml";
    unreadable(path, error) => Config,
        "{path}: 读不了：{error}", "{path}: cannot be read: {error}",
        "要指定一个普通文件，而且运行 wxpush 的用户能读它",
        "name a regular file that the user who runs wxpush may read";
    not_utf8_at(path, line) => Config,
        "{path}:{line}: 不是 UTF-8", "{path}:{line}: is not UTF-8",
        "把文件另存为 UTF-8", "save the file as UTF-8";
    plain_http(spot) => Config,
        "{spot} 是通往别的主机的明文 http：Secret 和消息在路上会被看到",
        "{spot} is plain http to another host: secret and messages could be read on the way",
        "改用 https；如果路上每一跳都可信，在 [network] 下写 allow_plain_http = true",
        "use https, or set allow_plain_http = true below [network] if you trust every hop";
    unknown_key(spot) => Config, "{spot} 不是 wxpush 认识的键", "{spot} is not a key that wxpush knows";
    no_profile(place, name) => Config, "{place}没有 [profiles.{name}]", "{place}there is no [profiles.{name}]";
    no_robot(place, name) => Config, "{place}没有 [robots.{name}]", "{place}there is no [robots.{name}]";
    no_robot_key(place, name) => Config,
        "{place}[robots.{name}] 既没有 key 也没有 key_file", "{place}[robots.{name}] has neither key nor key_file";
    no_http_key(place, name) => Config,
        "{place}[http.keys.{name}] 既没有 key 也没有 key_file", "{place}[http.keys.{name}] has neither key nor key_file",
        "在它下面写 key_file = \"…\"，openssl rand -hex 16 可以生成一个 key",
        "write key_file = \"…\" below it; openssl rand -hex 16 makes a key";
    same_http_key(place, one, other) => Config,
        "{place}[http.keys.{one}] 和 [http.keys.{other}] 是同一个 key",
        "{place}[http.keys.{one}] and [http.keys.{other}] are the same key",
        "给其中一个换新的 key，openssl rand -hex 16 可以生成",
        "give one of them a new key; openssl rand -hex 16 makes one";
    unset_in(keys, path, variables) => Config,
        "{path} 里没有设置 {keys}", "{keys} not set in {path}",
        "运行 wxpush init；或照 config.example.toml 写进去，或设置环境变量 {variables}",
        "run wxpush init; or write them there as config.example.toml shows, or set {variables}";
    unset_anywhere(keys, places, passed_over, variables) => Config,
        "没有设置 {keys}，也没有找到配置文件：找过 {places}{passed_over}",
        "{keys} not set; no config was found: looked for {places}{passed_over}",
        "运行 wxpush init；或把 config.example.toml 复制到其中一处并填好，或设置环境变量 {variables}",
        "run wxpush init; or copy config.example.toml to one of these places and fill in the values, or set {variables}";
}

texts! {
    no_toml(path, line, key, why) = "{path}:{line}:{key} 不是正确的 TOML（{why}）", "{path}:{line}:{key} {why}";
    key_twice() = "同一个键写了两次，只留一个", "the key is set twice: keep one";
    straight_quotes() = "引号要用英文半角的 \"，不能用 “ ”", "use straight quotes, \" and not “ ”";
    write_value() =
        "写成 NAME = \"value\"，文字要带引号；config.example.toml 里有每一个键",
        "write NAME = \"value\", texts in quotes; config.example.toml shows every key";
    write_value_of(meant) = "写成 NAME = \"value\"；{meant}", "write NAME = \"value\"; {meant}";
    did_you_mean(word) = "是不是 {word}？", "did you mean {word}?";
    keep_none() =
        "消息存得更久就放弃；一条也不想存，写 enabled = false",
        "older messages are given up; to keep none write enabled = false";
    keep_one_of(one, other) = "{one} 和 {other} 只留一个", "keep one of {one} and {other}";
    the_file_named() = "它指定的文件", "the file that it names";
    not_read(error) = "读不了：{error}", "cannot be read: {error}";
    secret_in_it(reason) = "里面的 Secret {reason}", "the secret in it {reason}";
    secret_alone() =
        "文件里只能有 Secret 本身，而且运行 wxpush 的用户要能读它",
        "the file must hold the secret and nothing else, and be readable by the user who runs wxpush";
    unset_key(key) = "{key}", "{key} is";
    unset_keys(keys) = "{keys}", "{keys} are";
    not_read_since(config, dir, why) = "；没有读 {config}，因为 {dir} {why}", "; {config} is not read, since {dir} {why}";
    no_config() = "没有找到配置文件：", "no config was found: ";
    write_profile(name) =
        "写上 [profiles.{name}]，不同的键写在它下面", "write [profiles.{name}] and the keys that differ below it";
    known_profiles(names) = "现有的 profile：{names}", "known profiles: {names}";
    write_robot(name) =
        "写上 [robots.{name}]，下面写 key = \"…\"，即群机器人 Webhook 地址里 key= 后面的部分",
        "write [robots.{name}] and below it key = \"…\", the part that follows key= in the webhook URL of the robot";
    known_robots(names) = "现有的群机器人：{names}", "known robots: {names}";
}
