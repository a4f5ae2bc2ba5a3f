//! The Chinese help of options, by command and id: the English one stands beside each in `cli`.

/// The help of an option, or of a value of it (`id=value`), or of a command (no id). The command is
/// empty if several have the option.
const OPTIONS: &[(&str, &str, &str)] = &[
    ("", "config", "读这个配置文件，不再查找"),
    ("", "profile", "使用配置中 [profiles.NAME] 下的设置"),
    ("", "quiet", "只显示错误"),
    ("", "verbose", "在 stderr 上显示过程；写两次更详细"),
    ("", "json", "结果以一个 JSON 对象写到 stdout"),
    ("", "color", "何时用颜色"),
    ("", "color=auto", "在终端用，除非设置了 NO_COLOR"),
    ("", "color=always", "总是"),
    ("", "color=never", "从不"),
    ("", "help", "显示帮助"),
    ("", "version", "显示版本"),
    (
        "",
        "user",
        "发给这些成员，写 userid（可重复，或用逗号分隔）；@all 是应用可见范围内的所有人",
    ),
    ("", "party", "发给这些部门的成员，写部门 ID"),
    ("", "tag", "发给有这些标签的成员，写标签 ID"),
    ("", "chat", "发到应用的这个群聊"),
    ("", "robot", "用配置里的这个群机器人，发到它的群"),
    (
        "",
        "mention",
        "提醒群里的这位成员，写 userid；@all 是所有人",
    ),
    ("", "mention_mobile", "提醒这个手机号的成员"),
    ("", "timeout", "最多用多少时间"),
    (
        "send",
        "message",
        "消息，各个词以空格连接；不写或写 - 则读 stdin",
    ),
    (
        "send",
        "escapes",
        "把 MESSAGE 里的 \\n、\\t 和 \\\\ 按转义处理",
    ),
    (
        "send",
        "encoding",
        "消息和非 UTF-8 的选项用这种编码，而不是 UTF-8：gbk、gb18030、big5 等（名称同网页）",
    ),
    (
        "send",
        "title",
        "文本的第一行、markdown 的标题、卡片或视频的标题",
    ),
    ("send", "skip_empty", "正文为空时什么也不发，并算成功"),
    ("send", "long", "超过企业微信 2048 字节的文本怎样发"),
    ("send", "long=auto", "最多分 5 段；再长就作为文件发"),
    ("send", "long=split", "分成最多 99 段，标上 (1/3)"),
    ("send", "long=file", "第一段，全文另附 .txt"),
    (
        "send",
        "long=article",
        "发成一篇文章，点开阅读，标题、列表、表格都在",
    ),
    ("send", "long=truncate", "第一段，标明已截断"),
    ("send", "long=reject", "什么也不发"),
    ("send", "safe", "保密消息：不能转发，显示水印"),
    ("send", "id_trans", "把文本里的 userid 和部门 ID 显示成名字"),
    (
        "send",
        "dedupe",
        "这段时间内的相同消息由企业微信去掉（最长 4h）",
    ),
    (
        "send",
        "once",
        "同一个 KEY 的消息 24 小时内只发一次，不管调用几次",
    ),
    ("send", "urgent", "马上发，安静时段里也发"),
    (
        "batch",
        "file",
        "消息所在的文件，每行一个 JSON 对象；不写或写 - 则读 stdin",
    ),
    (
        "batch",
        "accept_only",
        "只存下消息，什么也不发：由下次补发送出",
    ),
    ("batch", "window", "没有答复的行少于这么多时才读下一行"),
    ("batch", "no_outbox", "现在发不出去的就拒绝，不保留"),
    (
        "batch",
        "timeout",
        "每条消息的时间，含重试 [默认：30s，发文件时更长]",
    ),
    ("run", "urgent", "马上报告，安静时段里也报"),
    ("send", "queue", "存下消息就返回：现在不发，由下次补发送出"),
    ("send", "kept_ok", "现在发不出去、但已存下时也算成功"),
    ("send", "no_outbox", "发不出去就失败，不留到以后"),
    ("send", "dry_run", "只显示请求，不发送，不改动任何东西"),
    (
        "send",
        "splay",
        "先随机等待，最长这段时间，免得许多主机同时发",
    ),
    (
        "send",
        "timeout",
        "投递的时间，含重试，从读完输入算起 [默认：30s，发文件时更长]",
    ),
    (
        "send",
        "markdown",
        "发企业微信的 markdown（微信里显示不了）",
    ),
    (
        "send",
        "markdown_v2",
        "发功能更多的 markdown，有表格和列表；只能用群机器人",
    ),
    (
        "send",
        "image",
        "发图片（JPG、PNG），MESSAGE 在前：路径、-（stdin）或 media_id:ID；可重复",
    ),
    ("send", "voice", "发语音（AMR，最长 60 秒）"),
    ("send", "video", "发视频（MP4），MESSAGE 在下方"),
    (
        "send",
        "file",
        "发文件，最大 20 MB，MESSAGE 在前；可重复，也可用通配符：--file *.log",
    ),
    (
        "send",
        "card",
        "发卡片：-t 是标题，MESSAGE 是正文，--url 是点开的网页",
    ),
    (
        "send",
        "news",
        "发图文：-t 是标题，MESSAGE 在下方，--url 是点开的网页",
    ),
    (
        "send",
        "raw",
        "发这个文件里的消息对象，用企业微信自己的 JSON，msgtype 不限；- 是 stdin",
    ),
    ("send", "name", "收件人看到的文件名"),
    ("send", "url", "卡片或图文点开的网页"),
    ("send", "picture", "图文的图片"),
    ("send", "button", "卡片按钮上的字，最多 4 个"),
    ("run", "command", "命令及其参数"),
    ("run", "on", "何时报告"),
    ("run", "on=always", "每次"),
    ("run", "on=failure", "命令失败时"),
    ("run", "on=success", "命令成功时"),
    ("run", "on=output", "有输出时，和 cron 一样"),
    ("run", "on=change", "首次失败、换一种方式失败、然后是恢复"),
    ("run", "after", "连续失败到第 N 次才报告"),
    (
        "run",
        "title",
        "报告里的名称，失败次数也按它计 [默认：命令的名称]",
    ),
    (
        "run",
        "encoding",
        "输出和非 UTF-8 的标题用这种编码，不去猜：gbk、gb18030、big5 等（名称同网页）",
    ),
    ("run", "tail", "报告里最多有多少行输出"),
    (
        "run",
        "limit",
        "超过这段时间就终止命令：SIGTERM，10 秒后 SIGKILL",
    ),
    ("run", "only_errors", "失败时才打印命令的输出"),
    (
        "run",
        "stderr_fails",
        "stderr 有输出就算失败，set -x 的除外；退出码不变",
    ),
    (
        "run",
        "every",
        "从这次开始算，这段时间内应再次运行；没有运行时由 outbox flush 报告",
    ),
    (
        "run",
        "grace",
        "到期后再过多久才报警 [默认：--every 的十分之一，1m 到 1h]",
    ),
    (
        "run",
        "remind",
        "一直失败或没有运行时，过这段时间再报告一次",
    ),
    ("runs list", "", "列出这些任务（默认）"),
    ("runs forget", "", "不再监视一个任务，直到它再次运行"),
    ("runs forget", "name", "它的名称，同列表中的"),
    ("run", "no_output", "报告里没有输出"),
    ("run", "timeout", "命令结束后，投递报告的时间"),
    ("sendmail", "words", "sendmail 的选项，以及地址"),
    ("outbox list", "", "列出等待的，以及最近 30 天内失败的"),
    ("outbox show", "", "显示一条消息"),
    ("outbox show", "id", "它的 ID，或只有它含有的一部分"),
    ("outbox flush", "", "补发等待的，先存的先发"),
    ("outbox flush", "wait", "一直补发到全部发完"),
    ("outbox flush", "timeout", "最多用多少时间 [默认：30s]"),
    ("outbox drop", "", "删除消息，不再发送"),
    (
        "outbox retry",
        "",
        "把失败的放回去，等待的可以马上再试；只管配置里的应用",
    ),
    ("", "ids", "它们的 ID，或只有一条消息含有的一部分"),
    ("", "all", "全部；drop 只删等待的，不删失败的"),
    ("upload", "file", "路径，- 是 stdin"),
    ("upload", "kind", "素材类型 [默认：按文件格式判断]"),
    ("upload", "kind=image", "图片，在会话里直接显示"),
    ("upload", "kind=voice", "语音"),
    ("upload", "kind=video", "视频"),
    ("upload", "kind=file", "任意文件"),
    ("upload", "name", "收件人看到的文件名"),
    ("upload", "robot", "只供这个群机器人的消息使用"),
    (
        "upload",
        "timeout",
        "最多用多少时间 [默认：30s，大文件更长]",
    ),
    ("recall", "msgid", "`wxpush send --json` 显示过的 msgid"),
    ("token status", "", "缓存的 token 还能用多久（默认）"),
    ("token refresh", "", "重新获取一个，不管缓存"),
    ("token clear", "", "删除缓存的"),
    ("token print", "", "输出可用的 token：只有这个命令会显示它"),
    ("api", "method", "调用方法"),
    ("api", "path", "/cgi-bin/ 之后的路径，含查询参数"),
    ("api", "data", "POST 的 JSON：文本、@文件，或 -（stdin）"),
    ("api", "field", "表单的一个字段：NAME=VALUE，或 NAME=@文件"),
    ("check", "send", "最后给这位成员发一条测试消息"),
    (
        "check",
        "timeout",
        "网络检查最多用多少时间，--send 另有同样多",
    ),
    (
        "init",
        "force",
        "替换已有的配置；原文件保存为 config.toml.old",
    ),
    ("init", "offline", "不联网：不测试这些值"),
    ("callback", "listen", "在哪里监听"),
    ("callback", "time", "等待企业微信验证多久"),
    ("http", "timeout", "一个请求的时限，包括投递消息"),
    ("explain", "errcodes", "一个或几个错误码，例如 60020"),
    (
        "crontab",
        "when",
        "时间的五个字段，作为一个词；或 @daily 这样的简称",
    ),
    ("crontab", "args", "wxpush 的命令行，不写程序名"),
    ("completions", "shell", "哪种 shell"),
    ("man", "dir", "把 wxpush.1 和每个命令的一页写进这个目录"),
];

/// What clap itself says in a help, and in Chinese.
pub(crate) const ENGLISH_MARKS: [(&str, &str); 14] = [
    ("Usage: ", "用法："),
    ("[default: ", "[默认："),
    ("[possible values: ", "[可选："),
    ("Possible values:", "可选值："),
    ("[OPTIONS]", "[选项]"),
    ("\nCommands:\n", "\n命令：\n"),
    ("\nArguments:\n", "\n参数：\n"),
    ("\nOptions:\n", "\n选项：\n"),
    ("\nKind:\n", "\n消息类型：\n"),
    ("\nTo:\n", "\n收件人：\n"),
    ("Print help (see more with '--help')", "显示帮助"),
    ("Print help (see a summary with '-h')", "显示帮助"),
    ("Print help", "显示帮助"),
    ("Print version", "显示版本"),
];

/// Returns the Chinese help of an option, of a value, or of a command.
pub(crate) fn chinese_option(command: &str, id: &str) -> Option<&'static str> {
    let of = |command: &str| {
        let mut rows = OPTIONS.iter();
        let row = rows.find(|row| row.0 == command && row.1 == id)?;
        Some(row.2)
    };
    of(command).or_else(|| of(""))
}

#[cfg(test)]
mod tests {
    use super::OPTIONS;

    #[test]
    fn no_option_has_two_helps() {
        let mut keys: Vec<_> = OPTIONS.iter().map(|row| (row.0, row.1)).collect();
        keys.sort_unstable();
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
