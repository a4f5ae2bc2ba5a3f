//! Writing past WeCom's limit: parts, a file, or an end that says so.

use crate::error::{Exit, Failure};
use crate::lang::{Lang, say, spoken};
use crate::message::split::{Fitted, Notes, PARTS_MAX, Rest, TooLong, fit};
use crate::message::{Channel, Kind, Long};

/// Makes messages of a writing as `--long` says, and tells what is left out.
///
/// # Errors
/// `Exit::Data`: there is no way to send it as was asked for.
pub(in crate::commands) fn fitted(
    long: Long,
    kind: Kind,
    channel: Channel,
    text: &str,
    incomplete: bool,
    lang: Lang,
) -> Result<Fitted, Failure> {
    let size = text.len();
    let (cut, file) = match lang {
        Lang::Zh if incomplete => (
            "（已截断）".to_owned(),
            "（已截断，附件为开头部分）".to_owned(),
        ),
        Lang::Zh => (
            format!("（已截断，全文 {size} 字节）"),
            format!("（全文 {size} 字节，见附件）"),
        ),
        Lang::En if incomplete => (
            " (cut)".to_owned(),
            " (cut, its beginning is attached)".to_owned(),
        ),
        Lang::En => (
            format!(" (cut, {size} bytes in all)"),
            format!(" (all {size} bytes are attached)"),
        ),
    };
    let notes = Notes {
        cut: &format!("\n…{cut}"),
        file: &format!("\n…{file}"),
    };
    let max = kind.max(channel);
    let more = if incomplete {
        spoken().of("超过 ", "more than ")
    } else {
        spoken().of(" ", "")
    };
    let fitted = fit(max, text, incomplete, long, &notes).map_err(|why| {
        let what = say!(
            "消息有{more}{size} 字节，企业微信最多接受 {max}",
            "the message has {more}{size} bytes, WeCom takes {max}"
        );
        let (what, hint) = match why {
            TooLong::Rejected => (
                say!(
                    "{what}：按 --long reject 一点也不发送",
                    "{what}: --long reject sends none of it"
                ),
                spoken().of(
                    "去掉该选项则分段发送，或缩短消息",
                    "leave it out to split the message, or shorten it",
                ),
            ),
            TooLong::Parts => (
                say!(
                    "{what}：需要分成 {PARTS_MAX} 段以上",
                    "{what}: it makes more than {PARTS_MAX} parts"
                ),
                spoken().of(
                    "用 --long file 或 truncate，或少发一些",
                    "use --long file or truncate, or send less",
                ),
            ),
        };
        Failure::new(Exit::Data, what).hint(hint)
    })?;
    if fitted.rest == Rest::Cut {
        let text = say!(
            "消息有{more}{size} 字节：只发送开头部分，并注明已截断（--long split 最多发 {PARTS_MAX} 段，--long file 发送全文）",
            "the message has {more}{size} bytes: only its first part is sent, marked as cut (--long split sends up to {PARTS_MAX} parts, --long file all of it)"
        );
        tracing::warn!("{text}");
    }
    Ok(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_in_the_phones_language() {
        let text = "x".repeat(3000);
        for (long, incomplete, zh, en) in [
            (
                Long::File,
                false,
                "…（全文 3000 字节，见附件）",
                "… (all 3000 bytes are attached)",
            ),
            (
                Long::File,
                true,
                "…（已截断，附件为开头部分）",
                "… (cut, its beginning is attached)",
            ),
            (
                Long::Truncate,
                false,
                "…（已截断，全文 3000 字节）",
                "… (cut, 3000 bytes in all)",
            ),
            (Long::Truncate, true, "…（已截断）", "… (cut)"),
        ] {
            for (lang, note) in [(Lang::Zh, zh), (Lang::En, en)] {
                let fitted = fitted(long, Kind::Text, Channel::App, &text, incomplete, lang);
                let part = fitted.unwrap().parts.remove(0);
                assert!(part.ends_with(&format!("x\n{note}")), "{part}");
                assert!(part.len() <= Kind::Text.max(Channel::App));
            }
        }
    }
}
