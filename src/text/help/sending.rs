//! The help of the commands that send.

helps! {
    send = "发送消息：不加选项就是文本", "Sends a message: a text unless an option says otherwise";
    send_below =
        "示例：
  wxpush send \"备份完成\"
  wxpush send -e '磁盘满了\\n请处理'            # -e：\\n、\\t、\\\\ 按转义处理
  make 2>&1 | wxpush send -t \"编译\" --skip-empty
  wxpush send --party 2 --tag 5 \"发给部门和标签\"
  wxpush send --markdown -t 日报 '> 全部 **正常**'
  wxpush send --image plot.png \"本周\"         # 本地图片，一条命令
  wxpush send --file /var/log/nginx/*.log        # 每个文件都发
  pg_dump db | wxpush send --file - --name db.sql
  wxpush send --card -t \"构建 7\" --url https://ci.example/7 \"通过\"
  wxpush send --robot ops --mention zhangsan \"磁盘满了\"    # 群机器人
  wxpush send --chat ops \"发到应用的群聊\"
  journalctl -n 500 | wxpush send --long split   # 最多分成 99 段
  wxpush send --markdown --long article <a.md    # 一篇文章，点开阅读
  wxpush send --json hello | jq -r .msgids[0]
  wxpush send --urgent 阵列降级                  # 安静时段里也发
  wxpush send --queue hello                      # 先存下，下次补发时发出
  wxpush send -- -5 度                           # 以 - 开头的消息",
        "Examples:
  wxpush send \"backup done\"
  wxpush send -e 'disk full\\nplease look'       # \\n, \\t and \\\\ as such with -e
  make 2>&1 | wxpush send -t \"build\" --skip-empty
  wxpush send --party 2 --tag 5 \"to a party and a tag\"
  wxpush send --markdown -t Report '> all **green**'
  wxpush send --image plot.png \"this week\"     # a local file in one command
  wxpush send --file /var/log/nginx/*.log       # each of them
  pg_dump db | wxpush send --file - --name db.sql
  wxpush send --card -t \"Build 7\" --url https://ci.example/7 \"all green\"
  wxpush send --robot ops --mention zhangsan \"disk full\"    # a group's robot
  wxpush send --chat ops \"to a group chat of the app\"
  journalctl -n 500 | wxpush send --long split  # up to 99 numbered parts
  wxpush send --markdown --long article <a.md   # a page that a tap opens
  wxpush send --json hello | jq -r .msgids[0]
  wxpush send --urgent raid degraded            # in quiet hours, too
  wxpush send --queue hello                     # kept, sent by the next flush
  wxpush send -- -5 degrees                     # a message that begins with -";
    batch =
        "发送许多消息：每行一个 JSON 对象，每行一个答复",
        "Sends many messages: one JSON object a line in, one answer a line out";
    batch_below =
        "字段就是 send 的长选项，另有 text（正文）和 id（原样写进答复）。answer 的 status：
  sent、duplicate     已发送；同一个 once 已发过
  partial             已发送，有收件人无法送达
  queued              已存入发件箱并落盘：不必再管，下次补发时发出
  refused             没有发送，也没有保留：原因见 error、exit_code
  invalid             这一行有误，其余的照发

示例：
  printf '%s\n' '{\"id\":\"1\",\"to\":\"zhangsan\",\"text\":\"磁盘满了\"}' | wxpush batch
  wxpush batch messages.jsonl | jq -r 'select(.exit_code != 0) | .id'
  wxpush batch --accept-only < messages.jsonl    # 只存下，由补发送出

发给同一成员的消息保持先后。达到频率上限或暂时发不出去的存入发件箱。收到 SIGTERM 后不再读，答复
完已读的各行再结束。每一行都已发送或存下时退出码是 0，否则是第一个没有的那一行的。",
        "Fields are the long options of send, and text, and id, which the answer
repeats. The status of an answer:
  sent, duplicate     sent; or sent before by the same once
  partial             sent, but some recipients could not be reached
  queued              safe in the outbox, synced: the next flush delivers it
  refused             neither sent nor kept: see error and exit_code
  invalid             the line is wrong, the others go on

Examples:
  printf '%s\n' '{\"id\":\"1\",\"to\":\"zhangsan\",\"text\":\"full\"}' | wxpush batch
  wxpush batch messages.jsonl | jq -r 'select(.exit_code != 0) | .id'
  wxpush batch --accept-only < messages.jsonl    # for the next flush

Messages to one member stay in order. What is over the rate limit or cannot be
sent now is kept in the outbox. After SIGTERM it reads no further, answers the
lines that it has read, and ends. The exit code is 0 when each line was sent or
kept, else that of the first that was not.";
    run = "运行一个命令，如实报告结果", "Runs a command transparently, and reports how it went";
    run_below =
        "示例：
  wxpush run -- /usr/local/bin/backup --all       # 每次都报告
  wxpush run --on failure -- make test            # 失败才报告
  wxpush run --on change --title 磁盘 -- ./check-disk   # 首次失败，然后是恢复
  wxpush run --on change --after 3 -- ping -c1 gw # 连续失败三次才报告
  wxpush run --limit 2h -- rsync -a /a /b         # 超过两小时就终止：退出码 124
  wxpush run --every 1d --title dump -- ./dump    # 一天没有运行也会报警
  wxpush run --on change --remind 1d -- ./check   # 一直失败，每天再报一次
  wxpush run --only-errors -- apt-get -y upgrade  # 成功时不输出；适合 cron
  wxpush run --only-errors --stderr-fails -- ./job    # stderr 有输出也算失败
  wxpush run --no-output --to zhangsan -- ./secret.sh # 报告里没有输出
  wxpush run -- sh -c 'make && make install'      # 不止一个命令

退出码就是命令的退出码：被信号 N 终止是 128+N，超过 --limit 是 124，没有这个命令是 127，
不能运行是 126。报告发送成功与否都不影响它。",
        "Examples:
  wxpush run -- /usr/local/bin/backup --all       # always a report
  wxpush run --on failure -- make test            # only if it fails
  wxpush run --on change --title disk -- ./check-disk # failure, then recovery
  wxpush run --on change --after 3 -- ping -c1 gw # after three in a row
  wxpush run --limit 2h -- rsync -a /a /b         # ended then: exit code 124
  wxpush run --every 1d --title dump -- ./dump    # tells if it did not run
  wxpush run --on change --remind 1d -- ./check   # each day while it fails
  wxpush run --only-errors -- apt-get -y upgrade  # silent unless it fails
  wxpush run --only-errors --stderr-fails -- ./job    # ... or complains
  wxpush run --no-output --to zhangsan -- ./secret.sh # no output in it
  wxpush run -- sh -c 'make && make install'      # more than one command

The exit code is the command's: 128+N if signal N ended it, 124 past --limit,
127 if there is no such command, 126 if it cannot be run. Whatever becomes of
the report changes nothing of that.";
    sendmail =
        "从 stdin 读一封邮件并投递，用法同 sendmail；以这个名字被调用时也是",
        "Delivers a mail from stdin, as sendmail does; also when called by that name";
    sendmail_below =
        "选项可以分开写或连写，放在地址前后都行：
  -t           也投递给 To、Cc 和 Bcc 里的地址（有 Resent-To 等时用它们）
  -i, -oi      单独一个点的行不结束邮件
  -odq, -odb   先存下邮件，立即返回，下次补发时发出（-odi：马上发，默认）
  -bs          在 stdin 和 stdout 上用 SMTP 收邮件
  -bp, -q      列出发件箱；补发其中的消息（-bi 什么也不做）
  -v           显示过程
  -f、-F、-B、-N、-h、-o、-e、-G 等没有影响

示例：
  printf 'Subject: disk\\n\\n91%% full\\n' | wxpush sendmail root
  wxpush sendmail -t -i < mail.eml
  ln -s /opt/wxpush/wxpush /usr/sbin/sendmail   # 供 cron、smartd、mdadm 等使用

配置里的 [mail] 说明哪个地址对应哪些收件人。其他本地地址发给默认收件人；外部地址拒收（67）。
读不了配置的用户，其邮件存入 /var/spool/wxpush（权限 1733，要有这个目录），等 root 下次补发。
wxpush 自己的选项写在 sendmail 这个词之前。邮件存入发件箱时退出码是 0。",
        "Options, together or apart, before, between or behind the addresses:
  -t           to the addresses of To, Cc and Bcc, too (or of Resent-To etc.)
  -i, -oi      a line of one dot does not end the mail
  -odq, -odb   keeps the mail for the next flush, and returns at once
  -odi         sends it at once, as without the option
  -bs          takes mails by SMTP on stdin and stdout
  -bp, -q      lists the outbox; delivers what is in it (-bi does nothing)
  -v           shows what is done
  -f, -F, -B, -N, -h, -o, -e, -G and the like change nothing

Examples:
  printf 'Subject: disk\\n\\n91%% full\\n' | wxpush sendmail root
  wxpush sendmail -t -i < mail.eml
  ln -s /opt/wxpush/wxpush /usr/sbin/sendmail   # for cron, smartd, mdadm ...

[mail] in the config maps addresses to recipients. Other local addresses go to
the config's recipients; all others are refused (67). The mail of users who may
not read the config waits in /var/spool/wxpush (mode 1733), if there is such a
directory, for root's next outbox flush. Options of wxpush go before the word
sendmail. The exit code is 0 for a mail that is kept in the outbox.";
    upload =
        "上传临时素材，输出 media_id", "Uploads temporary media, and prints their media_id";
    recall =
        "撤回 24 小时内的消息；微信里已显示的不会消失",
        "Takes back a message of the last 24 hours (WeChat keeps what it shows)";
    api =
        "调用企业微信的任意 API，token 由 wxpush 管理",
        "Makes any call of WeCom's API with the managed token";
    api_below =
        "示例：
  wxpush api GET 'user/get?userid=zhangsan'
  wxpush api POST appchat/create \\
    -d '{\"name\":\"ops\",\"userlist\":[\"zhangsan\",\"lisi\"],\"chatid\":\"ops\"}'
  wxpush api POST message/update_template_card -d @card.json
  wxpush api POST media/uploadimg -F media=@plot.png
  wxpush api GET 'media/get?media_id=...' > plot.png

退出码由 errcode 决定，与 send 相同。没收到答复的 POST 不会重复调用。",
        "Examples:
  wxpush api GET 'user/get?userid=zhangsan'
  wxpush api POST appchat/create \\
    -d '{\"name\":\"ops\",\"userlist\":[\"zhangsan\",\"lisi\"],\"chatid\":\"ops\"}'
  wxpush api POST message/update_template_card -d @card.json
  wxpush api POST media/uploadimg -F media=@plot.png
  wxpush api GET 'media/get?media_id=...' > plot.png

The exit code follows the errcode, as that of send does. A POST whose answer is
lost is not repeated.";
    nothing_below = "", "";
}
