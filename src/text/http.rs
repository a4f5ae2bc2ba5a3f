//! The messages of `http`: its answers, and the messages that it makes of webhooks.

failures! {
    terminal() => Usage,
        "stdin 是终端，没有请求", "stdin is a terminal, there is no request",
        "由 systemd 的 socket 或 inetd 来启动，见 docs/zh/http.md",
        "have a systemd socket or inetd start it: see docs/en/http.md";
    no_keys() => Config,
        "配置里没有 [http.keys.NAME]，谁也不能发", "the config has no [http.keys.NAME]: nobody may send",
        "写上 [http.keys.NAME] 和它的 key_file，见 docs/zh/http.md",
        "write [http.keys.NAME] and its key_file: see docs/en/http.md";
}

// What is answered.
texts! {
    malformed() = "不是完整的 HTTP 请求", "this is no complete HTTP request";
    too_slow() = "请求没有及时到齐", "the request did not come in time";
    too_large(mib, file_mib) =
        "请求太大：正文最多 {mib} MiB，文件最多 {file_mib} MiB",
        "the request is too large: {mib} MiB at the most, {file_mib} MiB for a file";
    head_too_large(kib) = "请求头太大：最多 {kib} KiB", "the head is too large: {kib} KiB at the most";
    unsupported() = "不支持这种传输编码或 Expect", "this transfer coding or expectation is not supported";
    encoded() =
        "正文经过压缩（Content-Encoding），请不压缩直接发送",
        "the body is compressed (Content-Encoding): send it as it is";
    gone() = "客户端已断开", "the client has gone";
    unknown_path() = "没有这个接口", "there is nothing here";
    wrong_key() = "key 不对", "the key is wrong";
    not_set_up() = "服务器的设置有误，消息没有发出", "the server is not set up: the message was not sent";
    not_kept() =
        "消息没有送达，也没有保留，请稍后再发", "the message was neither delivered nor kept: send it again later";
    in_doubt() =
        "不能确定消息是否送达，也没有保留，重发前请看一下手机",
        "the message may have been delivered, and is not kept: look at the phone before you send it again";
    empty() = "消息是空的", "the message is empty";
    no_json() = "正文不是这里需要的 JSON", "the body is not the JSON that is expected here";
    lacks(name) = "缺少 {name}", "{name} is missing";
    no_delay() =
        "不支持定时发送（delay），消息没有发出", "scheduled delivery (delay) is not supported: nothing was sent";
    /// As PushPlus says it.
    pushplus_done() = "请求成功", "OK";
}

// What the phone shows of webhooks.
phone_texts! {
    firing(name) = "🔥 告警：{name}", "🔥 Firing: {name}";
    resolved(name) = "✅ 已恢复：{name}", "✅ Resolved: {name}";
    many_firing(count, name) = "🔥 {count} 条告警：{name}", "🔥 {count} firing: {name}";
    many_resolved(count, name) = "✅ {count} 条已恢复：{name}", "✅ {count} resolved: {name}";
    firing_and_resolved(firing, resolved, name) =
        "🔥 {firing} 条告警，{resolved} 条已恢复：{name}",
        "🔥 {firing} firing, {resolved} resolved: {name}";
    more_alerts(count) = "（另有 {count} 条未列出）", "({count} more)";
    since(time) = "开始：{time}", "Since: {time}";
    until(time) = "恢复：{time}", "Until: {time}";
    no_base64(name) = "（附件未发送：{name} 不是正确的 base64）", "(not sent: {name} is not valid base64)";
    tags(tags) = "标签：{tags}", "Tags: {tags}";
    down(name) = "🔴 {name} 无法访问", "🔴 {name} is down";
    up(name) = "✅ {name} 已恢复", "✅ {name} is up";
    pending(name) = "🟠 {name} 重试中", "🟠 {name} is pending";
    maintenance(name) = "🔧 {name} 维护中", "🔧 {name} is under maintenance";
}
