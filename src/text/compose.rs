//! The messages about the composition of a message.

use crate::compose::{ComposeError, Warning};
use crate::error::Failure;
use crate::lang::{Lang, spoken};
use crate::message::media::SAFE_FILES;
use crate::message::split::{PARTS_MAX, TooLong};

phone_texts! {
    cut() = "（已截断）", "(cut)";
    cut_and_attached() = "（已截断，附件为开头部分）", "(cut, its beginning is attached)";
    cut_of(bytes) = "（已截断，全文 {bytes} 字节）", "(cut, {bytes} bytes in all)";
    attached(bytes) = "（全文 {bytes} 字节，见附件）", "(all {bytes} bytes are attached)";
}

/// Returns the notes at the end of an incomplete text: of a cut one, and of one that is attached in
/// full.
pub(crate) fn cut_notes(lang: Lang, bytes: usize, incomplete: bool) -> [String; 2] {
    let gap = lang.of("", " ");
    let notes = if incomplete {
        [cut(lang), cut_and_attached(lang)]
    } else {
        [cut_of(lang, bytes), attached(lang, bytes)]
    };
    notes.map(|note| format!("{gap}{note}"))
}

/// Describes how a composed message differs from the user's intent.
pub(crate) fn warning(warning: &Warning) -> String {
    match warning {
        Warning::Cut { bytes, incomplete } => first_part_only(size(*bytes, *incomplete), PARTS_MAX),
        Warning::SecretHidden => secret_hidden(),
        Warning::NotProtected { msgtype } => not_protected(msgtype),
        Warning::FileNotProtected { name } => file_not_protected(name, safe_files()),
        Warning::NotInWeChat { msgtype } => match &**msgtype {
            "markdown" => no_markdown_in_wechat(),
            "template_card" => no_template_card_in_wechat(),
            _ => not_in_wechat(msgtype),
        },
        Warning::Caveat(caveat) => super::message::caveat(caveat),
    }
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::TooLong {
                bytes,
                incomplete,
                bytes_max,
                why,
            } => match why {
                TooLong::Rejected => too_long(size(bytes, incomplete), bytes_max),
                TooLong::Parts => too_many_parts(size(bytes, incomplete), bytes_max, PARTS_MAX),
            },
            ComposeError::Unfit(violations) => super::message::unfit(&violations),
            ComposeError::OtherAgentid { message, config } => other_agentid(message, config),
            ComposeError::NoAgentid(error) => error.into(),
            ComposeError::CannotProtectFile { name } => cannot_protect_file(name, safe_files()),
            ComposeError::SecretInRecipients => secret_in_recipients(),
            ComposeError::TooLargeToKeep { bytes, bytes_max } => {
                too_large_to_keep(bytes.div_ceil(1 << 20), bytes_max >> 20)
            }
        }
    }
}

/// Describes a size in bytes; a minimum if the text is incomplete.
fn size(bytes: usize, incomplete: bool) -> String {
    if incomplete {
        more_than(bytes)
    } else {
        spoken().of(format!(" {bytes}"), bytes.to_string())
    }
}

fn safe_files() -> String {
    SAFE_FILES.join(spoken().of("、", " "))
}

texts! {
    secret_hidden() =
        "消息里有 Secret 或 token，已替换为 [hidden]：找出是什么把它打印出来的",
        "the message holds a secret or a token, which was replaced by [hidden]: find what prints it";
    more_than(bytes) = "超过 {bytes}", "more than {bytes}";
    first_part_only(size, parts) =
        "消息有{size} 字节：只发送开头部分，并注明已截断（--long split 最多发 {parts} 段，--long file 发送全文）",
        "the message has {size} bytes: only its first part is sent, marked as cut (--long split sends up to {parts} parts, --long file all of it)";
    not_protected(msgtype) =
        "配置里的 safe = true 保护不了 {msgtype} 消息：它可以被转发",
        "safe = true in the config cannot protect a {msgtype} message: it can be forwarded";
    file_not_protected(name, files) =
        "配置里的 safe = true 保护不了 {name}：企业微信只保护 {files}；它可以被转发",
        "safe = true in the config cannot protect {name}: WeCom protects only {files}; it can be forwarded";
    no_markdown_in_wechat() =
        "微信里显示不了 markdown，只会提示去企业微信查看：请改发普通文本",
        "ordinary WeChat does not show markdown, it asks its readers to open WeCom: send a text instead";
    no_template_card_in_wechat() =
        "微信里显示不了 template_card，只会提示去企业微信查看：请改发普通文本，或用 --card、--news",
        "ordinary WeChat does not show a template_card, it asks its readers to open WeCom: send a text instead, or --card or --news";
    not_in_wechat(msgtype) =
        "微信里显示不了 {msgtype}，只会提示去企业微信查看：请改发带链接的文本，或用 --card",
        "ordinary WeChat does not show a {msgtype}, it asks its readers to open WeCom: send --card instead, or a text with a link";
}

failures! {
    too_long(size, max) => Data,
        "消息有{size} 字节，企业微信最多接受 {max}：按 --long reject 一点也不发送",
        "the message has {size} bytes, WeCom takes {max}: --long reject sends none of it",
        "去掉该选项则分段发送，或缩短消息", "leave it out to split the message, or shorten it";
    too_many_parts(size, max, parts) => Data,
        "消息有{size} 字节，企业微信最多接受 {max}：需要分成 {parts} 段以上",
        "the message has {size} bytes, WeCom takes {max}: it makes more than {parts} parts",
        "用 --long file、article 或 truncate，或少发一些",
        "use --long file, article or truncate, or send less";
    other_agentid(message, config) => Data,
        "消息的 agentid 是 {message}，配置里的是 {config}",
        "the message is for agentid {message}, and the config for {config}",
        "去掉 JSON 里的 agentid，或用 -p 选那个应用的 profile",
        "leave agentid out of the JSON, or choose the other app's profile with -p";
    cannot_protect_file(name, files) => Data,
        "--safe 保护不了 {name}：企业微信只保护 {files}",
        "--safe cannot protect {name}: WeCom protects only {files}",
        "去掉它，或换成其中一种格式", "leave it out, or send the file as one of these";
    secret_in_recipients() => Usage,
        "收件人里有 Secret：什么都没有发送", "a secret is among the recipients: nothing was sent",
        "它只该放在配置文件里，或配置文件指定的文件里",
        "it belongs into the config, or a file that the config names, and nowhere else";
    too_large_to_keep(mib, max) => Data,
        "消息和它的收件人共约 {mib} MiB，发件箱里的一条最多 {max} MiB：什么都没有发送",
        "with its recipients the message takes about {mib} MiB; the outbox takes at most {max} MiB for one: nothing was sent",
        "一次发给少一些的收件人，或用 --long file 把长文作为文件发送",
        "send it to fewer recipients at once, or the long text as a file: --long file";
}
