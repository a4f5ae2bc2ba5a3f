//! The help of the commands that set wxpush up.

helps! {
    check =
        "逐项检查设置，每个问题都说明怎么办",
        "Tests the set-up step by step, with what to do for each failure";
    check_below =
        "示例：
  wxpush check                    # 逐项检查，不通过的说明怎么办
  wxpush check --send zhangsan    # 另给这位成员发一条测试消息
  wxpush -p ops check             # 检查 [profiles.ops] 的设置
  wxpush -q check || echo broken  # 只显示问题；供监控使用
  wxpush check --json             # 一个 JSON 对象：ok、exit_code、checks

✓ 正常，✗ 有误，! 需要留意或无法确定，- 没有检查。没有 ✗ 时退出码是 0，否则以第一个 ✗
为准：78 配置，73 状态，75 网络，77 设置，67 收件人。",
        "Examples:
  wxpush check                    # every step, and what to do if it fails
  wxpush check --send zhangsan    # and one test message to that member
  wxpush -p ops check             # the set-up of [profiles.ops]
  wxpush -q check || echo broken  # only what is wrong; for a monitor
  wxpush check --json             # one object: ok, exit_code, checks

✓ is fine, ✗ is wrong, ! needs a look or is not known, - was not tried. The
exit code is 0 without a ✗, else that of the first: 78 config, 73 state, 75
network, 77 set-up, 67 recipients.";
    init =
        "写配置文件：在终端逐项提问，否则取 WXPUSH_* 环境变量",
        "Writes the config: by questions, or from the WXPUSH_* variables";
    init_below =
        "在终端会提问：corpid、corpsecret、agentid、收件人，以及是否让 cron（没有 cron 时用 systemd
定时器）补发暂时发不出去的消息；每个回答当场测试。没有终端时取 WXPUSH_CORPID、WXPUSH_CORPSECRET 或
WXPUSH_CORPSECRET_FILE、WXPUSH_AGENTID；另有 WXPUSH_TOUSER、WXPUSH_API_BASE、
WXPUSH_STATE_DIR 和 WXPUSH_LANG，设置了就用。

配置写到 --config 指定的文件；否则写在程序所在的目录；再否则 root 写到 /etc/wxpush/config.toml，
其他用户写到 ~/.config/wxpush/config.toml。被替换的配置保存为 config.toml.old；值相同则不改动。

示例：
  wxpush init
  wxpush init --config /srv/app/wxpush.toml
  WXPUSH_CORPID=ww0123456789abcdef \\
    WXPUSH_CORPSECRET_FILE=/run/secrets/wecom WXPUSH_AGENTID=1000002 \\
    WXPUSH_TOUSER=zhangsan wxpush init < /dev/null   # cloud-init、Ansible 等

退出码：0 已写入并测试通过；73 没有写入，因为已有另一份配置（--force 可替换）或位置写不了；
78 没有写入，因为缺少某个值或值有误。没有终端时，企业微信拒绝（77）或连不上（75）也会写入。",
        "At a terminal it asks: corpid, corpsecret, agentid, recipients, and whether cron
(without cron, a systemd timer) is to send what could not go out at once. Each
answer is tested as it is given.
Elsewhere it takes WXPUSH_CORPID, WXPUSH_CORPSECRET or WXPUSH_CORPSECRET_FILE,
WXPUSH_AGENTID, and if they are set WXPUSH_TOUSER, WXPUSH_API_BASE,
WXPUSH_STATE_DIR and WXPUSH_LANG.

The config goes to --config; else into the program's directory; else to
/etc/wxpush/config.toml for root, and to ~/.config/wxpush/config.toml for
others. What it replaces is kept beside it as config.toml.old; one with the same
values is left as it is.

Examples:
  wxpush init
  wxpush init --config /srv/app/wxpush.toml
  WXPUSH_CORPID=ww0123456789abcdef \\
    WXPUSH_CORPSECRET_FILE=/run/secrets/wecom WXPUSH_AGENTID=1000002 \\
    WXPUSH_TOUSER=zhangsan wxpush init < /dev/null   # cloud-init, Ansible ...

Exit codes: 0 written and tested; 73 not written, since another config is there
(--force) or the place can't be written to; 78 not written, since a value is
missing or wrong. Without a terminal the config is written, too, if WeCom then
refuses it (77) or can't be reached (75).";
    callback =
        "应答企业微信对接收消息URL的验证，之后才能填可信IP",
        "Answers WeCom's check of a message URL, so that trusted IPs can be entered";
    callback_below =
        "应用要先有接收消息的 URL，企业微信才让填可信IP。这个命令临时充当这个 URL：显示要在管理后台
填写的值，应答企业微信的验证，然后说明下一步。端口要能从公网访问，地址要是 IPv4。

示例：
  wxpush callback
  wxpush callback --listen 0.0.0.0:80 --for 1h
  WXPUSH_CALLBACK_TOKEN=... WXPUSH_CALLBACK_AESKEY=... \\
    wxpush callback    # 后台里已经填好的值

退出码：0 已应答验证；74 端口用不了；75 在 --for 的时间内没有验证；78 没有 corpid。",
        "WeCom takes a trusted IP only for an app that has a URL for receiving messages.
This command is that URL for as long as WeCom checks it: it shows what to enter
in the admin console, answers the check, and says what to do next. The port must
be reachable from the internet, at an IPv4 address.

Examples:
  wxpush callback
  wxpush callback --listen 0.0.0.0:80 --for 1h
  WXPUSH_CALLBACK_TOKEN=... WXPUSH_CALLBACK_AESKEY=... \\
    wxpush callback    # the values that the console has already

Exit codes: 0 WeCom's check was answered; 74 the port can't be used; 75 no check
came within --for; 78 no corpid.";
    http =
        "应答 stdin 上的一个 HTTP 请求：供 systemd 的 socket 或 inetd 使用",
        "Answers one HTTP request on stdin: for a systemd socket or inetd";
    http_below =
        "从 stdin 读取一个请求，把消息发出去或存入发件箱，在 stdout 应答，然后退出；两次请求之间没有
常驻进程。脚本里原来发给 Server酱、ntfy、gotify、PushPlus 的请求，以及 Alertmanager、Grafana、
Uptime Kuma 的 webhook，换一个地址就能用。谁能发、发给谁，写在配置文件的 [http.keys.NAME] 下。
怎样设置，见 docs/zh/http.md。

示例：
  systemctl enable --now wxpush-http.socket    # 文件在 examples/
  # inetd.conf 的一行：
  127.0.0.1:8088 stream tcp nowait.6000 root /usr/bin/wxpush wxpush http

退出码：0 已应答；64 stdin 是终端；74 应答写不出去；75 消息既没有送达，也没有保留；
77 同上，因为设置被拒绝；78 配置有误。",
        "Reads one request from stdin, delivers or keeps its message, answers on stdout
and ends: nothing runs between two requests. Scripts that send to Server酱,
ntfy, gotify or PushPlus work unchanged but for the address, and so do the
webhooks of Alertmanager, Grafana and Uptime Kuma. Who may send, and to whom, is
below [http.keys.NAME] in the config. docs/en/http.md says how to set it up.

Examples:
  systemctl enable --now wxpush-http.socket    # the files are in examples/
  # in inetd.conf:
  127.0.0.1:8088 stream tcp nowait.6000 root /usr/bin/wxpush wxpush http

Exit codes: 0 answered; 64 stdin is a terminal; 74 the answer can't be written;
75 the message was neither delivered nor kept; 77 the same, since the set-up was
refused; 78 configuration.";
    explain =
        "解释企业微信的错误码：含义和办法，不用联网",
        "Tells what WeCom errcodes mean and what to do, offline";
}
