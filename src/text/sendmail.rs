//! Words of `sendmail`.

failures! {
    no_mail() => Usage,
        "没有邮件：stdin 是终端", "no mail: stdin is a terminal",
        "把邮件用管道接给它，或写成 wxpush send \"text\"",
        "pipe a mail into it, or write wxpush send \"text\"";
}

phone_texts! {
    attachment_left_out(name, size) =
        "（附件未发送：{name}，{size} 字节）", "(not sent: {name}, {size} bytes)";
}
