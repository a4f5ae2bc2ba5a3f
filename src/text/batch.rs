//! The messages of `batch`. Those about a line stand alone in its answer, so each says what to do.

failures! {
    not_json(error) => Data, "这一行不是 JSON：{error}", "the line is not JSON: {error}";
    no_object() => Data,
        "这一行不是 JSON 对象：每行写一个 {{\"to\":…,\"text\":…}}",
        "the line is not a JSON object: write one {{\"to\":…,\"text\":…}} a line";
    long_line(mib) => Data,
        "这一行超过 {mib} MiB：文本发不了这么长，改用 file 发送文件",
        "the line has more than {mib} MiB: no text is that long, send a file with the field file";
    twice(name) => Data, "{name} 写了两次：只留一个", "{name} is there twice: leave one";
    unknown(name) => Data,
        "没有 {name} 这个字段：字段就是 wxpush send 的长选项，加上 id 和 text",
        "there is no field {name}: fields are the long options of wxpush send, and id and text";
    meant(name, meant) => Data,
        "没有 {name} 这个字段：是不是 {meant}？", "there is no field {name}: did you mean {meant}?";
    not_text(name) => Data, "{name} 要写成字符串", "{name} must be a string";
    not_switch(name) => Data, "{name} 要写成 true 或 false", "{name} must be true or false";
    raw_recipients() => Data,
        "raw 里已有收件人：收件人只写在一处", "raw names recipients, too: name them in one place only";
    not_id() => Data,
        "id 要写成字符串，或 64 位以内的整数", "id must be a string, or a whole number of at most 64 bits";
    once_unkept() => Usage,
        "once 需要发件箱：去掉 --no-outbox（或配置里的 [outbox] enabled = false），或去掉 once",
        "once needs the outbox: leave out --no-outbox (or [outbox] enabled = false in the config), or once";
    not_names(name) => Data,
        "{name} 要写成字符串，或字符串的数组", "{name} must be a string, or an array of strings";
    not_object_or_file(name) => Data,
        "{name} 要写成 JSON 对象，或文件的路径", "{name} must be a JSON object, or the path of a file";
    not_duration(name) => Data,
        "{name} 要写成时长，如 \"10m\"，或秒数", "{name} must be a duration, such as \"10m\", or seconds";
    not_one_of(name, known) => Data,
        "{name} 只能是其中之一：{known}", "{name} must be one of {known}";
    empty_field(name) => Data, "{name} 是空的：写上内容，或去掉它", "{name} is empty: give it, or leave it out";
    apart(one, other) => Data,
        "{one} 和 {other} 不能同时用：分成两行", "{one} and {other} do not go together: make two lines of it";
    needs(one, other) => Data, "{one} 需要 {other}", "{one} needs {other}";
    no_file(path) => Data,
        "{path} 不是普通文件：写上文件的路径", "{path} is not a regular file: give the path of one";
    no_input(name, error) => NoInput,
        "无法读取 {name}：{error}", "{name} cannot be read: {error}",
        "检查路径和读取权限", "check the path and its permissions";
    unreadable(error) => Io,
        "输入读到一半失败：{error}", "the input could not be read to its end: {error}",
        "已读的各行都有答复；从没有答复的行起重来", "each line that was read has its answer: begin again with those that have none";
    no_resources(error) => Io,
        "无法开始读取：{error}", "reading cannot begin: {error}",
        "提高文件描述符或进程数的上限（ulimit -n、-u）", "raise the limit of descriptors or processes (ulimit -n, -u)";
}
