//! The sections of a manual page that no option makes, and their names.

helps! {
    files = "文件", "FILES";
    files_text =
        "config.toml
配置：程序旁边的；~/.config/wxpush/config.toml；/etc/wxpush/config.toml。用第一个找到的；-c 指定别的。

state/
access_token、发件箱、日志和限额账本：在程序旁边；否则 /var/lib/wxpush（root）或
~/.local/state/wxpush。配置里的 state_dir 指定别的。

/var/spool/wxpush
读不了配置的用户的邮件，等 root 下次补发。",
        "config.toml
The config: the one beside the program, ~/.config/wxpush/config.toml or /etc/wxpush/config.toml,
the first that is there; -c names another.

state/
Token, outbox, log and the ledger of limits: beside the program, else in /var/lib/wxpush (root) or
~/.local/state/wxpush; state_dir in the config names another.

/var/spool/wxpush
The mail of users who may not read the config, until root's next flush.";
    environment = "环境变量", "ENVIRONMENT";
    environment_text =
        "WXPUSH_CONFIG、WXPUSH_PROFILE
配置文件和 profile，相当于 -c 和 -p。

WXPUSH_CORPID、WXPUSH_CORPSECRET、WXPUSH_CORPSECRET_FILE、WXPUSH_AGENTID、WXPUSH_TOUSER、
WXPUSH_API_BASE、WXPUSH_STATE_DIR、WXPUSH_LANG
优先于配置里的同名设置。

WXPUSH_CALLBACK_TOKEN、WXPUSH_CALLBACK_AESKEY
wxpush callback 使用的值。

QYWX_AM、QYWX_KEY、QYWX_ORIGIN
青龙面板的设置，在没有别的设置时使用。

LC_ALL、LC_MESSAGES、LANG
没有设置 lang 时的语言：C、POSIX、C.UTF-8 和中文以外的语言是英文，都没有设置是中文。

https_proxy、all_proxy、no_proxy
没有设置 [network] proxy 时的代理。",
        "WXPUSH_CONFIG, WXPUSH_PROFILE
The config and the profile, as -c and -p name them.

WXPUSH_CORPID, WXPUSH_CORPSECRET, WXPUSH_CORPSECRET_FILE, WXPUSH_AGENTID, WXPUSH_TOUSER,
WXPUSH_API_BASE, WXPUSH_STATE_DIR, WXPUSH_LANG
Stronger than the keys of the same names in the config.

WXPUSH_CALLBACK_TOKEN, WXPUSH_CALLBACK_AESKEY
The values of wxpush callback.

QYWX_AM, QYWX_KEY, QYWX_ORIGIN
The settings of Qinglong, where nothing else is set.

LC_ALL, LC_MESSAGES, LANG
The language where lang is not set: C, POSIX, C.UTF-8 and all but Chinese mean English, none of them
means Chinese.

https_proxy, all_proxy, no_proxy
The proxy where [network] proxy is not set.";
    examples = "示例", "EXAMPLES";
    exit_status = "退出状态", "EXIT STATUS";
    keys = "配置的键", "KEYS OF THE CONFIG";
    notes = "说明", "NOTES";
    see_main_page = "见 wxpush(1)。", "See wxpush(1).";
    examples_begin = "示例：", "Examples:";
    exit_begins = "退出码", "Exit codes";
}

/// The names that clap gives to the other sections, and the Chinese ones.
pub(crate) const SECTIONS: [(&str, &str); 7] = [
    ("NAME", "名称"),
    ("SYNOPSIS", "概要"),
    ("DESCRIPTION", "描述"),
    ("OPTIONS", "选项"),
    ("SUBCOMMANDS", "命令"),
    ("KIND", "消息类型"),
    ("TO", "收件人"),
];
