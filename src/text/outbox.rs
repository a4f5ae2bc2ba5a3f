//! The messages of `outbox`.

use crate::config::value::shown;
use crate::delivery::{AppTrouble, Strange};
use crate::outbox::{SenderAccount, SenderName};

failures! {
    no_place(place) => State,
        "没有可用的目录来存放发件箱：{place}", "no usable directory for the outbox: {place}",
        "把 state_dir 设为只有你可写的目录",
        "set state_dir to a directory that only you can write to";
    outbox_unusable(path, error) => State,
        "发件箱 {path} 不可用：{error}", "the outbox {path} cannot be used: {error}",
        "它必须是运行 wxpush 的用户自己的目录，不能属于别人",
        "it must be a directory that belongs to the user who runs wxpush";
    no_such_id(text) => Data,
        "发件箱里没有 ID 含 {text} 的消息", "no message in the outbox has an ID that contains {text}",
        "wxpush outbox list 列出所有 ID", "wxpush outbox list shows the IDs";
    ambiguous_id(count, text) => Data,
        "有 {count} 条消息的 ID 含 {text}", "{count} messages have an ID that contains {text}",
        "wxpush outbox list 列出所有 ID", "wxpush outbox list shows the IDs";
    left_while_shown(id) => Data,
        "{id} 刚刚离开了发件箱", "{id} has just left the outbox";
}

texts! {
    mails_of_users(count, path) =
        "其他用户的邮件：{count}，在 {path}，下次 flush 时取走",
        "mails of other users: {count}, in {path}, taken by the next flush";
    place_skipped(place) =
        "有一个发件箱没有处理：{place}", "one of the outboxes is skipped: {place}";
}

// Rows of `list` and `show`.
texts! {
    nothing_listed() =
        "没有等待的消息，也没有失败的", "no messages are waiting, and none have failed";
    not_ours(path) =
        "{path} 不是 wxpush 的，不处理", "{path} does not belong to wxpush and is left alone";
    waiting() = "等待", "waiting";
    failed() = "失败", "failed";
    other_app() = "其他应用", "other-app";
    unreadable() = "无法读取", "unreadable";
    waits_for_app() = "等应用恢复", "waits for the app";
    waits_for_call() = "等该接口恢复", "waits for its call";
    waits_for_retry() = "自己退避中", "paused";
    waits_for_slot() = "等发送名额", "waits for a slot";
    waits_for_morning() = "安静时段", "quiet hours";
    due(time) = "预计 {time}", "due {time}";
    merged_into(id) = "并入 {id}", "merged into {id}";
    to(recipients) = "发给 {recipients}", "to {recipients}";
    robot(name) = "群机器人 {name}", "robot {name}";
    part(number, count) = "第 {number} 段，共 {count} 段", "part {number} of {count}";
    tries(count) = "已试 {count} 次", "tries {count}";
    may_have_arrived() = "可能已送达", "may have arrived";
    may_have_arrived_but(error) = "可能已送达：{error}", "may have arrived: {error}";
    newer() = "由更新版本的 wxpush 写入", "a newer wxpush wrote it";
    damaged() = "已损坏", "it is damaged";
    accepted_at(time) = "存入时间：{time}", "accepted: {time}";
    profile(name) = "profile：{name}", "profile: {name}";
    corpid(corpid) = "corpid：{corpid}", "corpid: {corpid}";
    robot_name(name) = "群机器人：{name}", "robot: {name}";
    api_base(url) = "api_base：{url}", "api_base: {url}";
    failed_at(time) = "失败时间：{time}", "failed: {time}";
    to_do(hint) = "怎么办：{hint}", "to do: {hint}";
    part_head(number, count) = "--- 第 {number} 段，共 {count} 段", "--- part {number} of {count}";
    part_head_sent(number, count) =
        "--- 第 {number} 段，共 {count} 段，已发送", "--- part {number} of {count}, sent";
    file(name, kind, size) = "{name}（{kind}，{size} 字节）", "{name} ({kind}, {size} bytes)";
}

// `drop` and `retry`.
texts! {
    dropped(id) = "{id} 已移除", "{id} dropped";
    will_be_retried(id) = "{id} 将重新发送", "{id} to be tried again";
    gone(id) = "{id} 已不在发件箱", "{id} gone";
    left_before(id) =
        "{id} 刚刚离开了发件箱：已发送，或已被移除",
        "{id} has just left the outbox: another wxpush delivered or dropped it";
    some_unchanged(unchanged, count) =
        "{count} 条里有 {unchanged} 条没有改动", "{unchanged} of {count} were not changed";
}

failures! {
    busy(id) => NotNow,
        "另一个 wxpush 正在发送 {id}", "{id} is being sent by another wxpush right now",
        "稍后再试", "try again in a moment";
    merged(id, carrier) => NotNow,
        "{id} 已合并到 {carrier}，可能已送达，不能单独删除",
        "{id} is merged into {carrier}, which may have arrived, and cannot be dropped alone",
        "先用 wxpush outbox drop {carrier} 拆开：其余的会单独重发，可能重复",
        "take it apart first with wxpush outbox drop {carrier}: the others are then sent again, and may arrive twice";
    undecodable(id) => Data,
        "无法读取 {id}：它已损坏，或由更新版本的 wxpush 写入",
        "{id} cannot be read: it is damaged, or a newer wxpush wrote it",
        "用 wxpush outbox drop 移除它", "wxpush outbox drop removes it";
    cannot_change(id, dir, error) => State,
        "无法修改 {dir} 里的 {id}：{error}", "{id} in {dir} cannot be changed: {error}",
        "腾出磁盘空间，或看看它属于谁", "free some disk space, or check who owns it";
    waits_already(id) => Data,
        "{id} 已在等待发送，失败的那一份保持不动",
        "{id} is already in the outbox, so its copy in failed/ stays there",
        "先发出等待的那一份（wxpush outbox flush），再用 wxpush outbox drop {id} 移除失败的",
        "send the waiting one first (wxpush outbox flush), then remove the other with wxpush outbox drop {id}";
}

// `flush`.
texts! {
    summary(delivered, left, given_up) =
        "已发送 {delivered} 条，剩余 {left} 条，放弃 {given_up} 条",
        "{delivered} delivered, {left} left, {given_up} given up";
    left_alone(name) = "发件箱里有未处理的内容：{name}", "left alone in the outbox: {name}";
    left_alone_because(name, why) =
        "发件箱里有未处理的内容：{name}：{why}", "left alone in the outbox: {name}: {why}";
    robot_sends(robot, why) =
        "应用发不出的消息由群机器人 {robot} 代发：{why}；wxpush check 说明怎么办",
        "robot {robot} sends what the app cannot: {why}; wxpush check says what to do";
    app_refused(errcode) = "应用被企业微信拒绝（errcode {errcode}）", "WeCom refuses the app (errcode {errcode})";
    app_misconfigured() = "应用的设置有误", "the app's settings are wrong";
    app_out() = "应用已经 5 分钟发不出", "the app has failed for 5 minutes";
    of_newer_wxpush() = "由更新版本的 wxpush 写入", "it was written by a newer wxpush";
    outbox_elsewhere(dir) =
        "{dir}/outbox 里也有消息，而当前配置不用它：用 WXPUSH_STATE_DIR={dir} 补发它们",
        "there are messages in {dir}/outbox too, which this config does not use: flush them with WXPUSH_STATE_DIR={dir}";
    stay(left, why) = "{left} 条留在发件箱：{why}", "{left} stay in the outbox: {why}";
    of_other_account(count, account, base, profile) =
        "发件箱里有 {count} 条不会发送：它们属于 {base} 的 {account}{profile}，当前配置里没有；wxpush outbox retry ID（或 --all）可改由当前配置发送",
        "{count} in the outbox stay unsent: they are for {account}{profile} at {base}, which this config does not have; wxpush outbox retry ID, or --all, readdresses them";
    of_profile(name) = "（profile {name}）", " (profile {name})";
}

failures! {
    held_up(left, why) => NotNow,
        "{left} 条留在发件箱，之后重试，其他消息不受影响：{why}",
        "{left} stay in the outbox and are tried again later, while others go: {why}",
        "wxpush outbox list 列出每条的原因和下次时间",
        "wxpush outbox list says why for each, and when it is tried again";
    queued(left) => NotNow,
        "{left} 条留在发件箱，排队等待发送", "{left} stay in the outbox and wait for their turn",
        "企业微信限制每个成员每分钟收到的条数；wxpush outbox list 列出每条的预计时间",
        "WeCom limits the messages per minute to one member; wxpush outbox list says when each is due";
    unsent(left) => NotNow,
        "{left} 条留在发件箱：另一个 wxpush 正在发送，或属于别的应用，或不可读",
        "{left} stay in the outbox: another wxpush is sending them, they are for other apps, or cannot be read",
        "wxpush outbox list 列出每条的情况", "wxpush outbox list says which is which";
}

/// Describes entries of a sender that the config does not have.
pub(crate) fn of_other_sender(sender: &SenderName, count: usize) -> String {
    let account = match &sender.account {
        SenderAccount::App(id) => format!("corpid {id}"),
        SenderAccount::Robot(name) => robot(shown(name)),
    };
    let profile = sender.profile.as_deref().map(shown).map(of_profile);
    of_other_account(
        count,
        account,
        &sender.api_base,
        profile.unwrap_or_default(),
    )
}

/// Says that a robot sends what its app cannot; the same words as long as the reason is the same.
pub(crate) fn goes_by_robot(robot: &str, trouble: AppTrouble) -> String {
    let why = match trouble {
        AppTrouble::Setup(Some(errcode)) => app_refused(errcode),
        AppTrouble::Setup(None) => app_misconfigured(),
        AppTrouble::Outage => app_out(),
    };
    robot_sends(robot, why)
}

/// Describes why a flush has skipped a file.
pub(crate) fn strange(name: &str, why: &Strange) -> String {
    match why {
        Strange::Junk => left_alone(name),
        Strange::Newer => left_alone_because(name, of_newer_wxpush()),
        Strange::Foreign(error) | Strange::Unusable(error) => left_alone_because(name, error),
    }
}
