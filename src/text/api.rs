//! The messages of `api`, `upload`, `recall`, `token`, `explain` and the pages.

// Calls of the API.
texts! {
    /// The name of an operation in the messages below, as are the next two.
    the_call() = "调用", "the call";
    the_upload() = "上传", "the upload";
    the_recall() = "撤回", "the recall";
    not_done(operation, why) = "{operation}未执行：{why}", "{operation} was not done: {why}";
    outcome_unknown(operation, why) =
        "不知道{operation}是否已执行，没收到企业微信的答复：{why}",
        "whether {operation} was done is not known, WeCom's answer was lost: {why}";
    check_before_repeating() =
        "wxpush 不会自动重做：先查看是否已执行，需要时再做一次",
        "it is not repeated automatically: check whether it was done, and if not, do it again";
    no_token_cache(place) =
        "没有可用的目录来缓存 access_token，不缓存，继续运行：{place}",
        "no usable directory for the token cache, going on without it: {place}";
}

// `api`.
failures! {
    path_is_url() => Usage,
        "这里要的是 PATH，不是 URL：主机由配置文件决定",
        "PATH must not be a URL: the host comes from the config",
        "写 /cgi-bin/ 之后的部分，如 user/get?userid=zhangsan",
        "write the part behind /cgi-bin/, such as user/get?userid=zhangsan";
    no_api_path(path) => Usage,
        "{path} 不是接口路径", "{path} is not a path of the API",
        "写 /cgi-bin/ 之后的部分，如 user/get?userid=zhangsan",
        "write the part behind /cgi-bin/, such as user/get?userid=zhangsan";
    path_holds_secret() => Usage,
        "路径里有 access_token、corpsecret 或 key", "the path contains a token, a secret or a key",
        "去掉它：wxpush 会自己加上 access_token，而命令行里的密钥别人看得到",
        "leave it out: wxpush adds the token itself, and others can see a secret on a command line";
    body_of_get() => Usage,
        "GET 不带请求体：-d 和 -F 只用于 POST", "a GET has no body: -d and -F are for POST",
        "把参数写进路径：PATH?name=value，或改用 POST",
        "put parameters into the path: PATH?name=value, or use POST";
    data_unreadable(error) => Io,
        "无法读取数据：{error}", "the data cannot be read: {error}";
    data_is_not_json(error) => Data,
        "-d 给出的不是 JSON（{error}）", "the data of -d is not JSON: {error}",
        "-d 可以是 JSON 文本、@FILE，或 - 表示 stdin",
        "-d takes JSON, @FILE, or - for stdin";
    no_form_field() => Usage,
        "-F 要写成 NAME=VALUE 或 NAME=@FILE", "-F takes NAME=VALUE, or NAME=@FILE",
        "例如 -F media=@plot.png", "for example -F media=@plot.png";
    answer_is_file(size) => Usage,
        "答复是一个 {size} 字节的文件", "the answer is a file of {size} bytes",
        "把它重定向到文件：wxpush api … > FILE", "redirect it to a file: wxpush api … > FILE";
}

// `upload`.
failures! {
    robot_takes_no(kind) => Usage,
        "群机器人只能上传文件和语音，不能是 {kind} 类型",
        "a robot can upload files and voices, not type {kind}",
        "加上 --type file；wxpush send --robot NAME --image FILE 不需要先上传",
        "add --type file; wxpush send --robot NAME --image FILE needs no upload";
}

// `recall`.
failures! {
    no_msgid() => Usage,
        "这不可能是 msgid", "this cannot be a msgid",
        "wxpush send --json 的 msgids 里有它；发到群聊的和群机器人的消息没有",
        "wxpush send --json shows it among msgids; messages to chats and of robots have none";
}

texts! {
    recalled(limits) = "已撤回；{limits}", "recalled; {limits}";
    /// The limits of a recall.
    /// Source: developer.work.weixin.qq.com/document/path/94867.
    recall_limits() =
        "微信里（微信插件）已显示的撤不回",
        "messages that ordinary WeChat (微信插件) already shows stay there";
}

// `token`.
failures! {
    token_of_robot() => Bug, "只有应用有 access_token", "only apps have tokens";
    no_place_for_token(place) => State,
        "没有可用的目录来缓存 access_token：{place}",
        "no usable directory for the token cache: {place}",
        "把 state_dir 设为只有你可写的目录",
        "set state_dir to a directory that only you can write to";
    cannot_clear(path, error) => State,
        "无法修改 {path}：{error}", "{path} cannot be changed: {error}",
        "腾出磁盘空间，或手工删除该文件", "free some disk space, or remove the file by hand";
}

texts! {
    no_token() =
        "没有缓存的 access_token：下次发送时会去获取",
        "no token is cached: the next send fetches one";
    token_used_up(obtained) =
        "{obtained} 获取的 access_token 已用完：下次发送时会重新获取",
        "the token of {obtained} is used up: the next send fetches one";
    token_usable(obtained, left) =
        "access_token 获取于 {obtained}，还能用 {left}",
        "token fetched {obtained}, used for another {left}";
    token_refused(ago, errcode, corpid) =
        "{ago} 前企业微信拒绝发放 access_token：errcode {errcode}（wxpush explain {errcode}）；corpid {corpid}",
        "WeCom refused a token {ago} ago: errcode {errcode} (wxpush explain {errcode}); corpid {corpid}";
}

// `explain`.
failures! {
    unknown_errcode(errcode) => Data,
        "未收录 errcode {errcode}", "errcode {errcode} is not in the table",
        "到这里查：https://open.work.weixin.qq.com/devtool/query?e={errcode}",
        "look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}";
}

texts! {
    advice(advice) = "怎么办：{advice}", "what to do: {advice}";
    action(action, code) =
        "wxpush 的处理：{action}；退出码 {code}", "wxpush: {action}; exit code {code}";
    action_at_gettoken(action, code) =
        "wxpush 的处理（gettoken 时）：{action}；退出码 {code}",
        "wxpush (at gettoken): {action}; exit code {code}";
}

// `man`.
failures! {
    pages_unwritable(dir, error) => Io,
        "手册页无法写入 {dir}：{error}", "the pages cannot be written to {dir}: {error}",
        "换一个可写的目录", "choose a directory that you can write to";
}
