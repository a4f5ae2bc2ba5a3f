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
        "无法从 stdin 读取邮件：{error}", "cannot read the mail from stdin: {error}";
    nobody_known(names) => Partial,
        "不知道 {names} 是谁：没有发给这些地址", "nobody is known by {names}: nothing was sent there",
        "在配置文件的 [mail] 下为该地址写一行：\"root@example.com\" = {{ touser = \"zhangsan\" }}",
        "write a line for the address below [mail] of the config: \"root@example.com\" = {{ touser = \"zhangsan\" }}";
    no_recipient_in_head() => Data,
        "邮件没有写收件人", "the mail names no receiver",
        "在邮件头写 To: root，或把地址写在命令行上",
        "write To: root into its head, or the address on the command line";
    no_address() => Usage,
        "没有地址", "no address",
        "写成 wxpush sendmail root，或用 -t 取邮件头里的收件人",
        "write wxpush sendmail root, or -t for those in the mail's head";
    unknown_letter(letter) => Usage,
        "sendmail 没有 -{letter} 选项", "sendmail has no option -{letter}",
        "wxpush sendmail --help 列出它有的选项", "wxpush sendmail --help lists its options";
    value_missing(letter) => Usage,
        "-{letter} 缺少它的值", "-{letter} needs a value", "把值写在它后面", "write it behind it";
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
        "邮件超过 {mib} MiB：其余部分没有读取",
        "the mail is longer than {mib} MiB: the rest was not read";
    unreadable_characters() =
        "邮件中有些字符无法识别，已替换为 U+FFFD",
        "some characters of the mail could not be read and were replaced by U+FFFD";
    attachment_not_sent(why) = "没有随邮件发送：{why}", "not sent with the mail: {why}";
}

phone_texts! {
    mail_cut() = "（邮件过长，已截断）", "(the mail was too long and is cut)";
    attachment_left_out(name, size) =
        "（附件未发送：{name}，{size} 字节）", "(not sent: {name}, {size} bytes)";
}
