//! The messages of `init`: the dialogue, its failures, and the comments in the config that it
//! writes.

use crate::commands::init::setting::Setting;
use crate::wecom::Agent;

/// Returns the question for a value, with the place to find it; proposes `only` as the recipient.
pub(crate) fn question(setting: Setting, agent: Option<&Agent>, only: Option<&str>) -> String {
    match setting {
        Setting::Corpid => ask_corpid(),
        Setting::Corpsecret => ask_corpsecret(),
        Setting::Agentid => ask_agentid(),
        _ => {
            let everyone = agent.map_or_else(everyone, |agent| {
                everyone_counted(agent.users.len(), agent.parties.len(), agent.tags.len())
            });
            let enter = only.map(enter_takes).unwrap_or_default();
            ask_touser(everyone, enter)
        }
    }
}

// The comment above a key in a new config.
displays! { AboutSetting {
    Self(Setting::Corpid) =>
        "企业ID：管理后台 → 我的企业，页面底部。",
        "Company ID (企业ID): admin console, My Company (我的企业), bottom of the page.";
    Self(Setting::Corpsecret) =>
        "应用的 Secret：应用管理 → 该应用 → Secret。只会发送给企业微信。",
        "Secret of the app: App Management (应用管理) → the app → Secret. It is sent to WeCom only.";
    Self(Setting::CorpsecretFile) =>
        "只含应用 Secret 的文件。",
        "A file that holds the app's Secret and nothing else.";
    Self(Setting::Agentid) =>
        "同一应用的 AgentId：应用管理 → 该应用。",
        "AgentId of the same app: App Management (应用管理) → the app.";
    Self(Setting::Touser) =>
        "默认收件人：成员的 userid（通讯录 → 成员 → 账号），用逗号分隔；\"@all\" 是应用可见范围内的所有人。",
        "Default recipients: userids, separated by commas: Contacts (通讯录) → the member → Account (账号).\n\"@all\" is everyone among the app's Allowed users (可见范围).";
    Self(Setting::StateDir) =>
        "access_token 缓存、发件箱和日志所在的目录。",
        "Directory of token cache, outbox and log.";
    Self(Setting::Lang) =>
        "手机上的消息和终端提示的语言：zh 或 en。",
        "Language on the phone and in the terminal: zh or en.";
    Self(Setting::ApiBase) =>
        "企业微信，或自己的中转。Secret 会发给它。",
        "WeCom, or your own relay. The secret is sent to it.";
    Self(Setting::Proxy) =>
        "http、https、socks5 或 socks5h。",
        "http, https, socks5 or socks5h.";
}}

/// A key of the config, displayed as the comment above its line.
struct AboutSetting(Setting);

/// Returns the comment above a key's line.
pub(crate) fn about(setting: Setting) -> String {
    AboutSetting(setting).to_string()
}

texts! {
    header() =
        "wxpush 的配置文件，由 `wxpush init` 写成；全部可用的键见 config.example.toml。",
        "wxpush's config, written by `wxpush init`; config.example.toml shows every key.";

    welcome(path) =
        "把设置写入 {path}。\n输入有误会重新询问；按 Ctrl+C 退出，不会写入任何内容。\n这些值在企业微信管理后台：https://work.weixin.qq.com/wework_admin/frame",
        "This writes {path}.\nInvalid answers are asked again. Ctrl-C quits without writing anything.\nThe values are in WeCom's admin console:\n  https://work.weixin.qq.com/wework_admin/frame";
    hidden(first, path) =
        "注意：{first} 排在前面，会先被读取；{path} 要用 -c 指定才生效，或删除前者",
        "note: {first} comes first and is read instead of {path}: remove it, or name yours with -c";
    replace(path) =
        "{path} 已经存在。要替换吗？原文件保存为 {path}.old",
        "{path} already exists. Replace it? It is kept as {path}.old";
    proxy_taken() =
        "代理：环境变量里的代理会写入配置文件，因为 cron 里没有这些变量",
        "proxy: the one of the environment goes into the config, since cron does not have it";
    from_variable(name, variable) = "{name}：来自 {variable}", "{name}: from {variable}";

    ask_corpid() =
        "corpid：企业ID\n  我的企业，页面底部",
        "corpid: the Company ID (企业ID)\n  My Company (我的企业), at the bottom of the page";
    ask_corpsecret() =
        "corpsecret：应用的 Secret（输入时不显示）\n  应用管理 → 该应用 → Secret，发送到企业微信客户端里查看",
        "corpsecret: the app's Secret (what you type is not shown)\n  App Management (应用管理) → the app → Secret; it is sent to your WeCom client";
    ask_agentid() =
        "agentid：应用的 AgentId，例如 1000002\n  应用管理 → 该应用",
        "agentid: the app's AgentId, such as 1000002\n  App Management (应用管理) → the app";
    ask_touser(everyone, enter) =
        "touser：默认收件人，写您自己的 userid；多个用逗号分隔\n  userid：通讯录 → 成员 → 账号\n  @all：{everyone}{enter}",
        "touser: the default recipients, such as your own userid; commas between several\n  userid: Contacts (通讯录) → the member → Account (账号)\n  @all: {everyone}{enter}";
    everyone() = "应用可见范围内的所有人", "everyone among the app's Allowed users (可见范围)";
    everyone_counted(users, parties, tags) =
        "应用可见范围内的所有人（成员 {users} 个，部门 {parties} 个，标签 {tags} 个）",
        "the app's Allowed users (可见范围): members {users}, departments {parties}, tags {tags}";
    enter_takes(only) = "\n  回车：{only}", "\n  Enter: {only}";
    touser_empty() =
        "是空的：写您自己的 userid，或 @all",
        "is empty: give your own userid, or @all";
    type_again(users) =
        "有人不在应用可见范围内：{users}。请改正；确认无误的话，再输入一次即可",
        "includes someone who is not among the app's Allowed users (可见范围): {users}. Correct it, or type the same again to confirm";

    token_granted() = "企业ID 和 Secret 验证通过", "WeCom accepts the company ID and the Secret";
    app_found(name) = "应用：{name}", "the app is {name}";
    again() =
        "回车：改好后再试\nn：不测试，继续",
        "Enter: try again once that is fixed\nn: go on untested";
    again_or_callback() =
        "回车：填好可信IP、等一分钟后再试\nc：后台要求先设置接收消息服务器URL，而本机有公网 IP：在这里应答验证（wxpush callback）\nn：不测试，继续\n没有公网 IP：用有固定 IP 的中转或代理，或群机器人（docs/zh/trusted-ip.md）",
        "Enter: try again, a minute after the trusted IP is entered\nc: the console first wants a URL for receiving messages (接收消息服务器URL), and this\n   host has a public IP: answer the console's check here (wxpush callback)\nn: go on untested\nNo public IP? Use a relay or proxy with a fixed one, or a group robot\n(docs/en/trusted-ip.md)";
    again_or_proxy() =
        "回车：再试一次\nn：不测试，继续\n要用代理：输入 http://主机:端口 或 socks5://主机:端口\n要用中转：退出后运行 WXPUSH_API_BASE=https://… wxpush init",
        "Enter: try again\nn: go on untested\nIf this host needs a proxy, type http://host:port or socks5://host:port\nFor a relay, quit and run: WXPUSH_API_BASE=https://… wxpush init";
    enter_c_or_n() = "只能是回车、c 或 n", "must be Enter, c or n";
    enter_or_n() = "只能是回车或 n", "must be Enter or n";
    nothing_written(what) = "{what}；没有写入任何内容", "{what}; nothing was written";

    written(path, mode) = "已写入 {path}，权限 {mode}", "{path} is written, mode {mode}";
    unchanged(path) =
        "{path} 已有同样的设置，没有改动", "{path} has these values already, and was not changed";
    kept_as(old) = "原文件保存为 {old}", "the previous one is kept as {old}";
    maildrop_made(path) =
        "{path} 已建立：读不了配置的用户从这里发邮件",
        "{path} is made: users who may not read the config send mail through it";
    no_state(place) = "没有地方保存状态：{place}", "no place for state: {place}";
    does_not_work(path, what) =
        "{path} 已写入，但还用不了：{what}", "{path} is written, but does not work yet: {what}";
    to_everyone() =
        "没有设置 WXPUSH_TOUSER：消息默认发给应用可见范围内的所有人（@all）",
        "WXPUSH_TOUSER is not set: messages go to everyone (@all) among the app's Allowed users (可见范围)";
    out_of_reach(users) =
        "不在应用可见范围内：{users}；到应用管理 → 该应用 → 可见范围加入",
        "not among the app's Allowed users (可见范围): {users}; add them at App Management (应用管理) → the app → Allowed users (可见范围)";

    crontab_has_it() = "crontab 里已有补发发件箱的一行", "your crontab already delivers the outbox";
    delivered_by(place) = "{place} 已在补发发件箱", "{place} already delivers the outbox";
    offer(line) =
        "暂时发不出去的消息会留在发件箱。\n要在您的 crontab 里加一行，每分钟补发一次吗？\n  {line}",
        "What can't be sent at once is kept in the outbox.\nAdd a line to your crontab that sends it every minute?\n  {line}";
    crontab_added() = "已加入 crontab", "added to your crontab";
    crontab_by_hand(line) =
        "暂时发不出去的消息会留在发件箱。要每分钟补发一次，在 crontab 里加上这一行：\n  {line}",
        "What can't be sent at once is kept in the outbox. To send it every minute, add\nthis line to your crontab:\n  {line}";
    waits_for_cron(place) =
        "暂时发不出去的消息会留在发件箱。\ncron 运行起来之后，由 {place} 每分钟补发一次。",
        "What can't be sent at once is kept in the outbox.\nOnce a cron runs, {place} sends it every minute.";
    offer_timer(path) =
        "暂时发不出去的消息会留在发件箱。\n这台机器没有 cron。要安装一个 systemd 定时器，每分钟补发一次吗？\n  {path}",
        "What can't be sent at once is kept in the outbox.\nThis host has no cron. Install a systemd timer that sends it every minute?\n  {path}";
    timer_enabled(path) = "已启用 {path}", "{path} is enabled";
    timer_ends_at_logout() =
        "您退出登录后，它就不再运行。要让它一直运行：\n  loginctl enable-linger",
        "It stops when you log out. To keep it running:\n  loginctl enable-linger";
    timer_by_hand(path, command, enable) =
        "手工设置：{path} 和同名的 .service（见 examples/），其中 ExecStart 是\n  {command}\n然后运行\n  {enable}",
        "By hand: {path} and the .service of that name, as in examples/, with this ExecStart\n  {command}\nthen run\n  {enable}";
    next(program) =
        "接下来：\n  {program} send \"hello\"\n  {program} check",
        "Next:\n  {program} send \"hello\"\n  {program} check";
}

failures! {
    no_profile() => Usage,
        "init 不写 [profiles]", "init writes no profile",
        "去掉 -p；profile 用编辑器写进配置文件", "leave out -p, and write the profile into the config with an editor";
    no_place() => State,
        "没有放配置文件的地方：不能与程序同一目录，又没有 $HOME",
        "there is no place for the config: not in the directory of the program, and $HOME is not set",
        "用 --config 指定一个", "name one with --config";
    stays(path) => State,
        "{path} 已经存在，没有改动", "{path} already exists, and was not changed",
        "要替换它就加 --force（原文件保存为 .old），或用 --config 写到别处",
        "replace it with --force (it is kept as .old), or write elsewhere with --config";
    cannot_write(path, error) => State,
        "{path} 写不了：{error}", "{path} cannot be written: {error}",
        "用 --config 指定另一个文件，其目录要已存在且可写",
        "name another file with --config, in an existing directory that you can write to";
    wrong_answers(tries, name, wrong) => Config,
        "{name} {tries} 次都不对：{name} {wrong}；没有写入任何内容",
        "{tries} answers for {name} were wrong: {name} {wrong}; nothing was written",
        "查好后再运行 wxpush init", "look it up, and run wxpush init again";
    input_ended() => Usage,
        "输入结束，没有写入任何内容", "the input has ended: nothing was written",
        "没有人回答问题时，用 WXPUSH_* 环境变量：见 wxpush init --help",
        "without a person to answer, set the WXPUSH_* variables: see wxpush init --help";
    terminal_unreadable(error) => Io,
        "终端读不了：{error}；没有写入任何内容", "the terminal cannot be read: {error}; nothing was written";
    not_set(variables) => Config,
        "没有设置 {variables}，这里又没有终端可以提问", "{variables}: not set, and there is no terminal to ask at",
        "设置这些环境变量（Secret 也可用 WXPUSH_CORPSECRET_FILE），或在终端运行 wxpush init",
        "set them (or WXPUSH_CORPSECRET_FILE for the secret), or run wxpush init at a terminal";
    app_is_off() => Setup,
        "该应用已停用", "the app is switched off",
        "请管理员到应用管理 → 该应用，重新启用", "ask the administrator to switch it on: App Management (应用管理) → the app";
    not_an_app() => Bug, "只有应用才有 access_token", "only apps have tokens";
}
