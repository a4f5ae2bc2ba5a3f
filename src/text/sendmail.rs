//! The messages of `sendmail`.

failures! {
    no_mail() => Usage,
        "没有邮件：stdin 是终端", "no mail: stdin is a terminal",
        "把邮件用管道接给它，或写成 wxpush send \"text\"",
        "pipe a mail into it, or write wxpush send \"text\"";
    empty() => Data,
        "邮件是空的", "the mail is empty",
        "它没有主题，没有正文，也没有附件", "it has neither a subject nor a text nor a file";
    unreadable(error) => Io,
        "无法读取邮件：{error}", "cannot read the mail: {error}";
    without_end() => Data,
        "输入结束了，邮件却没有结束：没有发送", "the input ended within a mail: it is not sent",
        "正文后面单独写一行“.”，换行方式和前面的命令一致",
        "write a line of a single dot below the mail, with the line end that the commands have";
    nobody_known(names, first) => Partial,
        "不知道 {names} 是谁：没有发给这些地址", "nobody is known by {names}: nothing was sent there",
        "在配置文件的 [mail] 下为该地址写一行：{first} = {{ touser = \"zhangsan\" }}",
        "write a line for the address below [mail] of the config: {first} = {{ touser = \"zhangsan\" }}";
    no_recipient_in_head() => Data,
        "邮件没有写收件人", "the mail names no receiver",
        "在邮件头写 To: root，或把地址写在命令行上",
        "write To: root into its head, or the address on the command line";
    no_address() => Usage,
        "没有地址", "no address",
        "写成 wxpush sendmail root，或用 -t 取邮件头里的收件人",
        "write wxpush sendmail root, or -t for those in the mail's head";
    no_maildrop_yet(what, path) => Config,
        "{what}", "{what}",
        "root 可以为读不了配置的用户代发邮件：install -d -m 1733 {path}",
        "root can deliver the mail of users who may not read it: install -d -m 1733 {path}";
    no_maildrop(path, error) => NotNow,
        "邮件没有存下：{path}：{error}", "the mail was not kept: {path}: {error}",
        "你读不了配置，邮件要放进 root 的这个目录；请 root 运行 install -d -m 1733 {path}",
        "you may not read the config, so the mail goes there: root makes it by install -d -m 1733 {path}";
    not_dropped(path, error) => NotNow,
        "邮件放不进 {path}：{error}", "the mail cannot be left in {path}: {error}",
        "你读不了配置，邮件由 root 代发；空间不足就腾出空间，再发一次",
        "you may not read the config, so root delivers from there: make room, and send it again";
    unknown_letter(letter) => Usage,
        "sendmail 没有 -{letter} 选项", "sendmail has no option -{letter}",
        "wxpush sendmail --help 列出它有的选项", "wxpush sendmail --help lists its options";
    value_missing(letter) => Usage,
        "-{letter} 缺少它的值", "-{letter} needs a value", "把值写在它后面", "write the value after it";
    queue_of(value) => Usage,
        "wxpush 做不了 sendmail -q{value} 的事", "wxpush cannot do sendmail -q{value}",
        "单独的 -q 补发发件箱里的消息；定时补发用 crontab：wxpush outbox flush",
        "-q alone delivers what is in the outbox; at intervals a crontab does: wxpush outbox flush";
    mode_unknown(value) => Usage,
        "wxpush 做不了 sendmail -b{value} 的事", "wxpush cannot do sendmail -b{value}",
        "它从 stdin 读取一封邮件并投递：-bm", "it reads one mail on stdin and delivers it: -bm";
}

texts! {
    mail_longer(mib) =
        "邮件超过 {mib} MiB：其余部分不发送",
        "the mail is longer than {mib} MiB: the rest is left out";
    unreadable_characters() =
        "邮件中有些字符无法识别，已替换为 U+FFFD",
        "some characters of the mail could not be read and were replaced by U+FFFD";
    dropped() =
        "已存下：root 下一次 wxpush outbox flush 时发出",
        "kept: root's next wxpush outbox flush delivers it";
    maildrop_unusable(path, error) =
        "没有取走其他用户的邮件：{path}：{error}",
        "the mails of other users were not taken: {path}: {error}";
    maildrop_crowded(path) =
        "{path} 里的文件太多，没能看完：看看是谁放的（ls -ln {path}）",
        "there are too many files in {path} to look at: see whose they are (ls -ln {path})";
    users_outbox_full(path) =
        "发件箱里其他用户的消息已满 60 条，{path} 里的邮件大多暂时不取：运行 wxpush outbox list 查看为什么没有发出",
        "60 messages of other users wait in the outbox, so most of their mails stay in {path}: wxpush outbox list says why";
    mails_stay(path, what) =
        "{path} 中其他用户的邮件暂时取不走：{what}",
        "the mails of other users stay in {path}: {what}";
    without_account() = "（本机没有账号）", "with no account here";
    too_many_mails(user) =
        "用户 {user} 的邮件太多，最新的已丢弃：每人最多 100 封、104 MiB 等待发送",
        "user {user} has too many mails waiting, and the newest were thrown away: 100 and 104 MiB may wait";
    mail_to_unknown(user) =
        "用户 {user} 发给陌生地址的邮件没有送达，也没有保留：地址见日志，在 [mail] 下为它们写一行",
        "mail of user {user} to unknown addresses was neither delivered nor kept: the log names them; write a line for each below [mail]";
    mail_refused(user) =
        "用户 {user} 有邮件没有送达：原因见日志", "a mail of user {user} was not delivered: the log says why";
    attachment_not_sent(why) = "没有随邮件发送：{why}", "not sent with the mail: {why}";
    attachments_not_sent(count, why) =
        "有 {count} 个文件没有随邮件发送，第一个：{why}",
        "{count} files were not sent with the mail, the first of them: {why}";
    too_many_files(name, max) =
        "{name}：一封邮件最多发送 {max} 个文件",
        "{name}: of a mail {max} files are sent at the most";
}

phone_texts! {
    from_user(user) = "来自用户 {user}", "from user {user}";
    titled(from, title) = "{from}：{title}", "{from}: {title}";
    mail_cut() = "（邮件过长，已截断）", "(the mail was too long and is cut)";
    attachment_left_out(name, size) =
        "（附件未发送：{name}，{size} 字节）", "(not sent: {name}, {size} bytes)";
    small_attachment(name, text) = "附件 {name}：{text}", "{name}: {text}";
    attachments_left_out(count) =
        "（另有 {count} 个附件未发送）", "({count} more files not sent)";
    from(sender) = "发件人：{sender}", "From: {sender}";
    reply_to(address) = "回复至：{address}", "Reply to: {address}";
}
