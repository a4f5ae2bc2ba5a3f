//! What the tables of limits find, reported in Chinese: a row for each thing that they can find.

use crate::standin::Standin;
use crate::support::{for_each, with_robot};

/// By which road; the exit code; what the message is but for the next, or that it is the next; that;
/// what is said.
const FOUND: &str = r#"
app   | 65 | whole | {"msgtype":"text","text":{"content":""}} | 缺少 text.content
app   | 65 | news  | "picurl":"https://LONG" | 有 2058 字节，企业微信最多接受 2048
app   |  0 | news  | "picurl":"x" | 不是以 http:// 或 https:// 开头：可能不显示图片
app   |  0 | whole | {"msgtype":"voice","safe":1,"enable_id_trans":1,"voice":{"media_id":"m"}} | safe 对 message/send 的 voice 不起作用
app   |  0 | whole | {"msgtype":"voice","enable_id_trans":1,"voice":{"media_id":"m"}} | enable_id_trans 对 message/send 的 voice 不起作用
robot | 65 | whole | {"msgtype":"markdown","markdown":{"content":"x","mentioned_list":["a"]}} | markdown.mentioned_list 提醒不到任何人
robot | 65 | whole | {"msgtype":"video","video":{}} | webhook/send 不接受 video，只接受 text、markdown、
chat  |  0 | text  | "enable_duplicate_check":1 | enable_duplicate_check 对 appchat/send 的 text 不起作用
"#;

/// A message that is all right but for this.
fn message(base: &str, part: &str) -> String {
    let (head, tail) = match base {
        "text" => (r#"{"msgtype":"text","text":{"content":"x"},"#, "}"),
        "news" => (
            r#"{"msgtype":"news","news":{"articles":[{"title":"t","url":"https://x","#,
            "}]}}",
        ),
        _ => ("", ""),
    };
    let part = part.replace("LONG", &"x".repeat(2050));
    format!("{head}{part}{tail}")
}

#[test]
fn what_wecom_does_not_take_is_told_in_chinese() {
    for_each(FOUND.trim().lines(), |line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [way, code, base, part, words] = cells[..] else {
            panic!("five cells: {line}");
        };
        let to = match way {
            "robot" => "--robot ops",
            "chat" => "--chat ops",
            _ => "",
        };
        let standin = Standin::start();
        let sandbox = with_robot(&standin);
        let run = sandbox.wxpush(&format!("send --dry-run {to} --raw -"));
        let run = run.stdin(message(base, part)).in_chinese();
        let outcome = run.exits(code.parse().unwrap());
        outcome.says(words).is_chinese();
    });
}
