//! The messages of `check`.

pub(crate) mod backlog;
pub(crate) mod recipients;

use crate::config::value::shown;
use crate::config::{Quiet, Settings, ShowIn};
use crate::duration::show;
use crate::lang::spoken;

/// Returns the label of a step's line; `None` if the message itself names its subject.
pub(crate) fn label(step: &str) -> Option<&'static str> {
    let (zh, en) = match step {
        "program" => ("程序", "program"),
        "config" => ("配置文件", "config"),
        "account" | "agent" => ("应用", "app"),
        "settings" => ("设置", "settings"),
        "state_dir" => ("状态目录", "state"),
        "log" => ("日志", "log"),
        "maildrop" => ("邮件投递目录", "maildrop"),
        "token_cache" => ("access_token 缓存", "token cache"),
        "api_base" => ("接口地址", "api_base"),
        "proxy" => ("代理", "proxy"),
        "network" => ("网络", "network"),
        "dns" => ("DNS", "DNS"),
        "tcp" => ("TCP", "TCP"),
        "tls" => ("TLS", "TLS"),
        "http" => ("HTTP", "HTTP"),
        "clock" => ("时钟", "clock"),
        "token" => ("access_token", "access_token"),
        "trusted_ip" => ("企业可信IP", "trusted IP"),
        "scope" => ("可见范围", "scope (可见范围)"),
        "robot" => ("群机器人", "robot"),
        "http_key" => ("HTTP 的 key", "http key"),
        "outbox" => ("发件箱", "outbox"),
        "flush" => ("定时补发", "flush"),
        "ledger" => ("频率", "limits"),
        "send" => ("测试消息", "test message"),
        _ => return None,
    };
    Some(spoken().of(zh, en))
}

/// Joins words as a list.
pub(crate) fn list(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    words.join(spoken().of("，", ", "))
}

/// Formats a number of bytes.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
pub(crate) fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let unit = units.into_iter().find(|(power, _)| bytes >> power > 0);
    match unit {
        Some((power, name)) => format!("{:.1} {name}", bytes as f64 / f64::from(1_u32 << power)),
        None => format!("{bytes} B"),
    }
}

/// Describes the account in force.
pub(crate) fn account(settings: &Settings, corpid: &str, agentid: u32, spot: &str) -> String {
    let mut words = vec![format!("corpid {corpid}"), format!("agentid {agentid}")];
    if let Some(name) = &settings.profile {
        words.insert(0, format!("profile {name}"));
    }
    words.push(secret_from(spot));
    list(&words)
}

/// Describes how messages are sent.
pub(crate) fn settings(settings: &Settings, names_recipients: bool) -> String {
    let to = settings.to.describe();
    let mut words = vec![if names_recipients {
        sent_to(to)
    } else {
        sent_to_default(to)
    }];
    if !settings.prefix.is_empty() {
        words.push(prefix(settings.prefix.trim()));
    }
    words.push(phone_lang(settings.phone_lang.of("zh", "en")));
    let show_in = match settings.show_in {
        ShowIn::WeCom => "wecom",
        ShowIn::WeChat => "wechat",
    };
    words.push(format!("show_in {show_in}"));
    if settings.quiet != Quiet::default() {
        words.push(format!("quiet {}", settings.quiet));
    }
    if let Some(robot) = &settings.fallback {
        words.push(format!("fallback robots.{}", shown(robot)));
    }
    if settings.safe {
        words.push("safe".to_owned());
    }
    words.push(pace(settings.limits.per_minute, settings.limits.per_hour));
    words.push(if settings.outbox.enabled {
        kept_for(show(settings.outbox.max_age))
    } else {
        outbox_off()
    });
    list(&words)
}

texts! {
    labelled(label, what) = "{label}：{what}", "{label}: {what}";
    many_members() = "--send 只给一个成员发测试消息", "--send sends its test message to one member";
    passed() = "正常", "works";
    not_checked() = "未检查，因为有一步没有成功", "not checked, since another step failed";

    config(path, mode, why) = "{path}（权限 {mode}；{why}）", "{path} (mode {mode}; {why})";
    config_named() = "由 --config 或 WXPUSH_CONFIG 指定", "named by --config or WXPUSH_CONFIG";
    config_first() = "按查找顺序的第一个位置", "the first place searched";
    config_after(places) = "{places} 没有", "none at {places}";
    no_config(places) = "没有（找过 {places}）", "none (searched {places})";
    config_unread() = "配置没有读成，未检查", "not checked, since the config cannot be read";
    robots_only() = "没有设置，只有群机器人", "none is set, there are robots only";
    secret_from(spot) = "Secret 来自 {spot}", "secret from {spot}";
    sent_to(to) = "发给 {to}", "to {to}";
    sent_to_default(to) = "发给 {to}（默认，没有设置收件人）", "to {to} (the default: no recipients are set)";
    prefix(prefix) = "前缀 {prefix}", "prefix {prefix}";
    phone_lang(lang) = "手机上的语言 {lang}", "lang on the phone {lang}";
    pace(minute, hour) = "每人每分钟 {minute} 条、每小时 {hour} 条", "limits {minute}/min, {hour}/h to one member";
    kept_for(age) = "发件箱保留 {age}", "outbox keeps for {age}";
    outbox_off() = "发件箱已关闭", "outbox off";
    http_key(name, to) = "{name} 发给 {to}", "{name} sends to {to}";
    robot(name) = "{name} 的 key 格式正确（不发消息就无法进一步检查）", "{name} has a well-formed key (only a message would show more)";

    beside() = "与程序同一目录", "in the program's directory";
    not_beside(dir, why) = "不在程序的目录：{dir} {why}", "not in the program's directory: {dir} {why}";
    state(dir, why, free) = "{dir}（{why}），可写，剩余 {free}", "{dir} ({why}), writable, {free} free";
    maildrop(path, count) =
        "{path}，其他用户等待发送的邮件：{count}", "{path}, waiting mails of other users: {count}";
    log_off() = "已关闭（level = \"off\"）", "off (level = \"off\")";
    log_nowhere() = "没有状态目录，无处可写", "no place, without a state directory";
    cache(path) = "{path}（0600）", "{path} (0600)";
    no_cache(path) = "{path}（还没有，第一次发送时建立）", "{path} (none yet, the first send makes it)";

    provisional() = "配置没有读成，先按这个检查", "provisionally, since the config cannot be read";
    no_proxy() = "不用", "none";
    proxy(url, origin) = "{url}（来自 {origin}）", "{url} (by {origin})";
    no_tls() = "没有，api_base 是 http://", "none, api_base is http://";
    answers(ms) = "企业微信有应答，{ms} 毫秒", "WeCom answers, after {ms} ms";
    clock(seconds) = "与服务器相差 {seconds} 秒", "{seconds} s off the server's";
    ahead_by(time) = "比服务器快 {time}", "{time} ahead of";
    behind_by(time) = "比服务器慢 {time}", "{time} behind";
    token() = "刚向企业微信取到，corpid 和 corpsecret 有效", "just granted, corpid and corpsecret are right";
    trusted_ip() = "本机的地址可以调用", "WeCom lets this host in";
    app_open(name, agentid) = "{name}（agentid {agentid}），已启用", "{name} (agentid {agentid}), switched on";

    sent(user, msgid) = "已发给 {user}（{msgid}），请看手机", "sent to {user} ({msgid}); look at the phone";
    not_sent() = "前面的步骤没有成功，未发送", "not sent, since another step failed";
    unseen_title() = "发出去了，手机上却看不到？逐条核对：", "Sent, but no phone shows it? Look at these:";
}

phone_texts! {
    trial(host) = "wxpush 测试消息，来自 {host}", "A test message of wxpush on {host}";
}

failures! {
    bad_member(why) => Usage,
        "{why}", "{why}",
        "--send 后面写一个成员的账号（userid），例如 --send zhangsan",
        "--send takes the userid of one member, such as --send zhangsan";
    secret_open(path) => Config,
        "{path} 里有 Secret，而别的用户能读它", "{path} holds a secret and others can read it",
        "chmod 600 {path}", "chmod 600 {path}";
    config_passed_over(path, dir, why) => Config,
        "{path} 不会被读取：{dir} {why}", "{path} is not read, since {dir} {why}",
        "把它移到 /etc/wxpush/config.toml 或 ~/.config/wxpush/config.toml，或用 --config 指定",
        "move it to /etc/wxpush/config.toml or ~/.config/wxpush/config.toml, or name it by --config";
    variables(names) => Config,
        "环境变量 {names} 已设置，优先于配置文件", "set in the environment, and stronger than the config: {names}",
        "cron 和 systemd 里没有这些变量，除非也在那里设置", "cron and systemd don't have them, unless they are set there, too";

    no_state(tried) => State,
        "没有能用的位置：{tried}", "there is no place for it: {tried}",
        "建一个只有自己能写的目录，写进 state_dir；否则消息照发，但不留发件箱、缓存和日志",
        "make a directory that only you can write to, and name it in state_dir; until then messages go out without outbox, token cache and log";
    no_room(dir, why, error) => State,
        "{dir}（{why}）写不进去：{error}", "{dir} ({why}) cannot be written to: {error}",
        "腾出空间，或把 state_dir 指到别的磁盘；在此之前消息没有发件箱兜底",
        "make room, or set state_dir to another disk; until then nothing is kept that cannot be sent";
    little_room(dir, why, free) => State,
        "{dir}（{why}），可写，剩余 {free}", "{dir} ({why}), writable, {free} free",
        "磁盘快满了：腾出空间", "the disk is nearly full: make room";
    log_unwritable(path, error) => State,
        "{path} 写不进去：{error}", "{path} cannot be written: {error}",
        "检查 [log] file 的目录和文件的属主、权限", "check the directory in [log] file, and the owner and mode of the file";
    no_maildrop(path) => State,
        "没有 {path}：读不了配置的用户发不出邮件", "there is no {path}: users who may not read the config cannot send mail",
        "install -d -m 1733 {path}", "install -d -m 1733 {path}";
    bad_maildrop(path, error) => State,
        "{path} 不能用：{error}", "{path} cannot be used: {error}",
        "chown root {path} && chmod 1733 {path}", "chown root {path} && chmod 1733 {path}";
    file_open(path) => State,
        "别的用户能读写 {path}", "others can get at {path}",
        "chmod 600 {path}", "chmod 600 {path}";
    file_unusable(path, error) => State,
        "{path} 不能用：{error}", "{path} cannot be used: {error}",
        "把它移走，wxpush 会新建：mv {path} {path}.bad", "move it away, wxpush makes a new one: mv {path} {path}.bad";

    clock_wrong(off) => Setup,
        "本机{off}", "{off} the server's",
        "校准时钟：timedatectl set-ntp true，再用 timedatectl 查看；证书、access_token 和消息的时效都按它计算",
        "set it: timedatectl set-ntp true, then look with timedatectl; certificates, the token and the age of messages are judged by it";
    not_forwarded(status) => Setup,
        "不知道，中转没有转发 agent/get（HTTP 状态 {status}）", "not known, the relay does not forward agent/get (HTTP status {status})",
        "让中转转发整个 /cgi-bin/，才能检查可信IP、应用和收件人", "let it forward all of /cgi-bin/, so that trusted IP, app and recipients can be checked";
    app_closed(name, agentid) => Setup,
        "{name}（agentid {agentid}）已停用", "{name} (agentid {agentid}) is switched off",
        "到应用管理 → 该应用，把它启用", "switch it on: App Management (应用管理) → the app";
    scope_empty() => Setup,
        "空的，谁也收不到", "empty, nobody can be reached",
        "到应用管理 → 该应用 → 可见范围，加入成员或部门", "add members or departments: App Management (应用管理) → the app → Allowed users (可见范围)";
}

/// Returns the checks for a message that WeCom accepted but no phone shows. Sources:
/// developer.work.weixin.qq.com/document/path/90236, and reports by users.
pub(crate) fn unseen() -> Vec<String> {
    let zh = [
        "要在普通微信里看：管理后台 我的企业 → 微信插件，成员扫码关注，并勾选“允许成员在微信插件中接收和回复聊天消息”",
        "企业微信 App：我 → 设置 → 新消息通知，关闭“仅在企业微信中接收消息”",
        "应用开了“在微工作台中始终进入主页”时，微信里只收到文字，而且截到 20 字节",
        "普通微信不显示 markdown、template_card 和小程序通知：设 show_in = \"wechat\"，markdown 会转成文字",
        "群机器人的消息只在企业微信的群里，不进普通微信",
        "手机上：该应用的消息免打扰，以及系统的通知权限",
    ];
    let en = [
        "in ordinary WeChat: admin console, My Company (我的企业) → WeChat plugin (微信插件): each member scans the code once; the box for receiving and answering messages in the plugin (允许成员在微信插件中接收和回复聊天消息) is ticked",
        "in the WeCom app: Me (我) → Settings (设置) → Notifications (新消息通知): the switch for messages in WeCom only (仅在企业微信中接收消息) is off",
        "if the app always opens its home page (在微工作台中始终进入主页), WeChat gets text only, cut to 20 bytes",
        "ordinary WeChat shows no markdown, template_card or miniprogram_notice: show_in = \"wechat\" sends markdown as text",
        "a group robot's messages are in the group in WeCom, and never in ordinary WeChat",
        "on the phone: the app's messages are not muted (消息免打扰), and notifications are allowed",
    ];
    spoken().of(zh, en).map(str::to_owned).into()
}
