//! Words for files, locks and logs.

texts! {
    no_state(place) =
        "没有可用的状态目录，不使用 access_token 缓存、发件箱和日志，继续运行：{place}",
        "no usable state directory, going on without token cache, outbox and log: {place}";
}
