//! One test message, and what to look at when a message is sent and no phone shows it.

use std::time::Duration;

use super::report::Report;
use crate::commands;
use crate::commands::submit::{Submitting, composed};
use crate::compose::{Body, Composed, Draft};
use crate::config::{self, Config, State};
use crate::error::Failure;
use crate::lang::{say, spoken};
use crate::message::{Channel, Envelope, Long, TextKind};

/// Sends a message to one member by the ordinary road; it is a test, and never kept.
pub(super) fn send(
    config: &Config,
    state: Option<&State>,
    to: Envelope,
    time: Duration,
    report: &mut Report,
) {
    let user = to.describe();
    match sent(config, state, to, time) {
        Ok(msgid) => report.fine(
            "send",
            say!(
                "测试消息已发给 {user}（{msgid}），请看手机",
                "a test message to {user}: {msgid}; look at the phone"
            ),
        ),
        Err(failure) => report.wrong("send", failure),
    }
}

/// Says that no test message went out.
pub(super) fn left(report: &mut Report) {
    report.left(
        "send",
        say!(
            "测试消息：前面的步骤没有成功，未发送",
            "test message: not sent, since a step before failed"
        ),
    );
}

fn sent(
    config: &Config,
    state: Option<&State>,
    to: Envelope,
    time: Duration,
) -> Result<String, Failure> {
    let settings = config.settings(Some(to))?;
    let host = config::hostname();
    let text = settings.phone_lang.of(
        format!("wxpush 测试消息，来自 {host}"),
        format!("A test message of wxpush on {host}"),
    );
    let draft = Draft {
        channel: Channel::App,
        body: Body::Text {
            kind: TextKind::Text,
            title: None,
            text,
            incomplete: false,
            mentions: Default::default(),
            files: Vec::new(),
            name: "test",
        },
        safe: false,
        id_trans: false,
        dedupe: None,
        long: Long::Truncate,
        keep: false,
    };
    let Composed { messages, .. } = composed(draft, &settings)?;
    let submitting = Submitting {
        config,
        settings,
        state: state.ok_or_else(String::new),
        time,
        keep: false,
        kept_ok: false,
        output: None,
    };
    let outcome = submitting.submit(|submission| submission.send(messages))?;
    commands::report::Report::of(outcome, &config.flush_command()).result()
}

/// What to look at when WeCom took a message, and no phone shows it. Sources:
/// developer.work.weixin.qq.com/document/path/90236, and what users report.
pub(super) fn seen_nowhere(report: &mut Report) {
    let title = spoken().of(
        "发出去了，手机上却看不到？逐条核对：",
        "Sent, but no phone shows it? Look at these:",
    );
    let zh = [
        "要在普通微信里看：管理后台 我的企业 → 微信插件，成员扫码关注，并勾选“允许成员在微信插件中接收和回复聊天消息”",
        "企业微信 App：我 → 设置 → 新消息通知，关闭“仅在企业微信中接收消息”",
        "应用开了“在微工作台中始终进入主页”时，微信里只收到文字，而且截到 20 字节",
        "普通微信不显示 markdown、template_card 和小程序通知：设 show_in = \"wechat\"，markdown 会转成文字",
        "群机器人的消息只在企业微信的群里，不进普通微信",
        "手机上：该应用的消息免打扰，以及系统的通知权限",
    ];
    let en = [
        "in ordinary WeChat: admin console, 我的企业 → 微信插件: each member scans the code once; 允许成员在微信插件中接收和回复聊天消息 is ticked",
        "in the WeCom app: 我 → 设置 → 新消息通知: 仅在企业微信中接收消息 is off",
        "where the app has 在微工作台中始终进入主页 on, WeChat gets text only, cut to 20 bytes",
        "ordinary WeChat shows no markdown, template_card or miniprogram_notice: show_in = \"wechat\" sends markdown as text",
        "a group robot's messages are in the group in WeCom, and never in ordinary WeChat",
        "on the phone: the app's messages are not muted (消息免打扰), and notifications are allowed",
    ];
    let notes = spoken().of(zh, en).map(str::to_owned);
    report.notes(title, notes.into());
}
