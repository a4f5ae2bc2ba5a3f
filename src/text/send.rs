//! The messages of `send`.

texts! {
    still_trying(until, then) =
        "还在尝试，最晚到 {until}；按 ^C 可以中断：{then}",
        "still trying, until {until}; ^C ends that: {then}";
    if_interrupted_kept(id) =
        "消息已在发件箱里（{id}），下次运行 wxpush 时会自动发出",
        "the message is kept in the outbox ({id}), and goes out when wxpush next runs";
    if_interrupted_in_doubt() =
        "消息不会保留，可能已送达，也可能没有",
        "the message is not kept, and may or may not have arrived";
    if_interrupted_lost() =
        "消息不会发送，也不会保留", "the message is neither sent nor kept";
    if_interrupted_unknown() =
        "消息可能来不及存入发件箱，磁盘还没有响应",
        "the message may not be kept, the disk has not answered yet";
    interrupted() = "被 ^C 中断", "interrupted by ^C";
    interrupted_kept(drop_command, id) =
        "下次运行 wxpush 时会自动发出；不想发了：{drop_command} {id}",
        "it goes out when wxpush next runs; to prevent that: {drop_command} {id}";
    interrupted_in_doubt() =
        "重发之前，先看看手机上有没有收到", "look at the phone before you send it again";
    interrupted_unknown() =
        "磁盘没有响应；wxpush outbox list 会显示有没有存下",
        "the disk does not answer; wxpush outbox list shows whether it is kept";
}

texts! {
    sent() = "已发送", "sent";
    sent_in(count) = "已发送，共 {count} 条", "sent, in {count} messages";
    sent_as(msgids) = "已发送：msgid {msgids}", "sent: msgid {msgids}";
    sent_before() = "已经发过，没有再发", "sent before, and not again";
    queued_until(until, id) =
        "安静时段，{until} 后发出：{id}", "quiet hours, goes out after {until}: {id}";
    queued(id) = "已存入发件箱：{id}", "kept in the outbox: {id}";
    result_not_shown(why) = "{why}；消息不受影响", "{why} (this doesn't affect the message)";
    could_be_article() =
        "长消息也可以发成一篇文章，点开阅读：--long article",
        "a long message can also be one article that a tap opens: --long article";
    input_cut(mib) =
        "输入超过 {mib} MiB：其余部分没有读取",
        "the input is longer than {mib} MiB: the rest was not read";
}

failures! {
    no_message() => Usage,
        "没有消息：stdin 是终端", "no message: stdin is a terminal",
        "写成 wxpush send \"text\"，或把命令的输出用管道接给 wxpush send",
        "write wxpush send \"text\", or pipe a command's output into wxpush send";
    empty() => Data,
        "消息是空的", "the message is empty",
        "写上正文或标题；加 --skip-empty 则空消息也算成功",
        "give a text or a title; --skip-empty makes an empty message a success";
    card_without_text() => Data,
        "卡片没有正文", "the card has no text",
        "把正文写成 MESSAGE，例如 wxpush send --card -t 标题 --url https://… \"正文\"",
        "give it as MESSAGE, such as wxpush send --card -t Title --url https://… \"text\"";
    stdin_unreadable(error) => Io,
        "无法从 stdin 读取消息：{error}", "cannot read the message from stdin: {error}";
    file_without_name() => Usage,
        "stdin 或管道来的文件没有名字", "a file from stdin or a pipe has no name",
        "用 --name 起一个：手机按扩展名识别文件类型",
        "give it one with --name: phones recognise a file by its extension";
    message_unreadable(error) => Io, "无法读取消息：{error}", "the message cannot be read: {error}";
    raw_no_json(error, example) => Data,
        "消息不是 JSON（{error}）", "the message is not JSON: {error}",
        "按企业微信文档的格式写：{example}", "write it as WeCom documents it: {example}";
    raw_no_object(example) => Data,
        "消息不是 JSON 对象", "the message is not a JSON object",
        "按企业微信文档的格式写：{example}", "write it as WeCom documents it: {example}";
    raw_no_msgtype(example) => Data,
        "消息里没有 msgtype", "the message has no msgtype",
        "按企业微信文档的格式写：{example}", "write it as WeCom documents it: {example}";
}

// Options that do not go together.
failures! {
    not_a_media_id() => Usage,
        "media_id: 之后的不可能是 media_id", "the text behind media_id: cannot be one",
        "wxpush upload 会打印出 media_id", "wxpush upload prints one";
    safe_of_robot() => Usage,
        "--safe 对群机器人的消息不起作用", "--safe does nothing in a robot's message",
        "去掉它", "leave it out";
    article_of_robot() => Usage,
        "群机器人发不了文章（--long article）", "robots send no articles (--long article)",
        "改用 --long split 或 file，或由应用发送",
        "use --long split or file, or send it by the app";
    safe_of_markdown() => Usage,
        "--safe 保护不了 markdown 消息", "--safe cannot protect a markdown message",
        "去掉 --markdown，作为文本发送", "leave out --markdown to send it as a text";
    safe_useless(msgtype) => Usage,
        "--safe 保护不了 {msgtype} 消息", "--safe cannot protect a {msgtype} message",
        "去掉它，或改发文本、图片、视频或文件",
        "leave it out, or send a text, an image, a video or a file";
    id_trans_useless(msgtype) => Usage,
        "--id-trans 只对应用的文本、卡片和图文起作用，对 {msgtype} 不起作用",
        "--id-trans works in texts, cards and news of an app only, not in {msgtype}",
        "去掉 --{msgtype} 或 --id-trans", "leave out --{msgtype} or --id-trans";
    id_trans_of_other_channel(msgtype) => Usage,
        "--id-trans 只对应用的文本、卡片和图文起作用，对 {msgtype} 不起作用",
        "--id-trans works in texts, cards and news of an app only, not in {msgtype}",
        "去掉 --id-trans", "leave out --id-trans";
    mention_in_markdown(msgtype) => Usage,
        "--mention 只在文本里提醒成员，{msgtype} 不行",
        "--mention calls members in a text only, not in {msgtype}",
        "在 markdown 里要提醒的地方写 <@userid>",
        "in markdown write <@userid> where the name is to stand";
    mention_useless(msgtype) => Usage,
        "--mention 只在文本里提醒成员，{msgtype} 不行",
        "--mention calls members in a text only, not in {msgtype}",
        "去掉 --mention，另发一条文本来提醒", "leave out --mention, and call them by a text of its own";
    name_without_file() => Usage,
        "--name 是给文件起名，而这里没有文件", "--name names a file, and there is none",
        "加上 --file、--image、--voice 或 --video", "add --file, --image, --voice or --video";
    name_of_many_files() => Usage,
        "--name 只能给一个文件起名", "--name names one file, and there are more",
        "去掉 --name，或分开发送", "leave it out, or send them one by one";
    url_without_card() => Usage,
        "--url 只用于卡片或图文", "--url belongs to a card or a headline",
        "加上 --card 或 --news", "add --card or --news";
    raw_with_text() => Usage,
        "--raw 就是整条消息：不能再加 MESSAGE 和 --title",
        "--raw is the whole message: MESSAGE and --title cannot be added to it",
        "把它们写进 JSON", "write them into the JSON";
    stdin_twice() => Usage,
        "stdin 不能既是文件又是消息", "stdin cannot be both the file and the message",
        "写上文件名，或把消息写成参数", "name a file, or write the message as words";
    title_missing(msgtype) => Usage,
        "{msgtype} 需要标题", "a {msgtype} needs a title", "用 -t 写上", "give it with -t";
    video_of_robot() => Usage,
        "群机器人不能发视频", "a robot takes no video", "用 --file 发送", "send it with --file";
    image_of_robot_by_id() => Usage,
        "群机器人的图片不能用 media_id", "a robot takes no image by its media_id",
        "给出图片的路径", "give the image's path";
    options_name_nobody() => Usage,
        "--to、--party、--tag 没有指定任何人", "--to, --party and --tag name nobody",
        "写上 userid，或去掉该选项，发给配置文件里的收件人",
        "give a userid, or leave the option out to send to the config's recipients";
    dedupe_not_app() => Usage,
        "--dedupe 只用于发给成员的消息", "--dedupe works for messages to members only",
        "发给群聊和群机器人的消息，企业微信不做比较：去掉它",
        "WeCom compares no messages to chats and groups: leave it out";
    dedupe_too_long() => Usage,
        "--dedupe 最多往前比较 4h", "--dedupe reaches back 4h at the most",
        "更早的企业微信不比较；写 --dedupe 4h", "WeCom compares no further; write --dedupe 4h";
}

// Files to be sent.
failures! {
    no_file() => Usage,
        "没有文件：stdin 是终端", "no file: stdin is a terminal",
        "写上文件名，或把命令的输出用管道接给 wxpush",
        "name a file, or pipe a command's output into wxpush";
    no_such_file(name, error) => NoInput,
        "无法读取 {name}：{error}", "{name} cannot be read: {error}",
        "检查路径和读取权限", "check the path and its permissions";
    file_too_large(name, max) => Data,
        "{name} 超过企业微信允许的 {max} MB", "{name} has more than the {max} MB that WeCom takes",
        "压缩它，或只发一部分", "compress it, or send a part of it";
}

texts! {
    may_be_foreign() = "它可能是别的用户放在那里的，或者是别的用户用链接引到这里的：先把它复制到自己的目录", "another user could have put it there, or leads there with a link: copy it to a directory of yours first";
    file_unreadable(name, error) = "无法读取 {name}：{error}", "{name} cannot be read: {error}";
}
