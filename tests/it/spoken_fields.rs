//! What the tables of limits find, told in Chinese: a row for each thing that they can find.

use crate::samples::with_robot;
use crate::sandbox::for_each;
use crate::standin::Standin;

/// By which road; the exit code; what the message is but for the next, or that it is the next; that;
/// what is said.
const FOUND: &str = r#"
app   | 65 | text  | "safe":5 | safe 是 5，企业微信只接受 0、1 或 2（errcode 40059）
app   | 65 | text  | "safe":2 | safe 是 2，只有 mpnews 可以
app   | 65 | text  | "safe":"x" | safe 是字符串，企业微信只接受数字
app   | 65 | text  | "duplicate_check_interval":99999 | 企业微信只接受 0 到 14400
app   | 65 | whole | {"msgtype":"text","text":{"content":""}} | text.content 是空的（errcode 44004）
app   | 65 | whole | {"msgtype":"text","text":{}} | 缺少 text.content（errcode 44004）
app   | 65 | whole | {"msgtype":"text","text":[]} | text 是列表，企业微信只接受对象
app   |  0 | whole | {"msgtype":"new","x":{}} | 消息的 msgtype 是 "new"，里面却没有这个对象
app   |  0 | news  | "picurl":"x" | 不是以 http:// 或 https:// 开头：可能不显示图片
app   |  0 | news  | "picurl":"https://LONG" | 有 1208 字节，超过 1024：企业微信可能会拒绝（errcode 40039）
app   | 65 | news  | "appid":"a" | 缺少 news.articles[0].pagepath，而有 appid 就必须有它
app   | 65 | whole | {"msgtype":"news","safe":1,"news":{"articles":[]}} | news.articles 有 0 项，企业微信只接受 1 到 8 项（errcode 45008）；news 不能保密（safe）
app   |  0 | whole | {"msgtype":"voice","safe":1,"enable_id_trans":1,"voice":{"media_id":"m"}} | safe 对 message/send 的 voice 不起作用
app   |  0 | whole | {"msgtype":"voice","enable_id_trans":1,"voice":{"media_id":"m"}} | enable_id_trans 在 message/send 的 voice 里不起作用
app   | 65 | whole | {"msgtype":"miniprogram_notice","touser":"@all","miniprogram_notice":{"appid":"a","title":"abc"}} | 有 3 字符，企业微信要求至少 4；miniprogram_notice 不能发给 @all
app   | 65 | card  | "task_id":"a b" | 含有数字、字母、_ - 和 @ 以外的字符（errcode 42014）
app   | 65 | card  | "action_menu":{"action_list":[{"text":"t","key":"k"},{"text":"t","key":"k"}]} | action_list[1].key 与前面某一项的相同（errcode 42051）
app   |  0 | card  | "emphasis_content":{"title":"一二三四五六七八九十一二三四五"} | 有 15 字符，企业微信建议不超过 14：超出的部分可能不显示
app   |  0 | card  | "checkbox":{} | template_card.checkbox 不属于 text_notice：企业微信可能不显示它
app   | 65 | card  | "quote_area":{"type":1} | 缺少 template_card.quote_area.url，而 type 为 1 时必须有它（errcode 42028）
app   | 65 | card  | "quote_area":{"type":1,"url":"x"} | 没有协议头，例如 https://
app   | 65 | card  | "jump_list":[{"title":"t"},{"title":"t"},{"title":"t"},{"title":"t"}] | 有 4 项，企业微信最多接受 3 项
app   | 65 | whole | {"msgtype":"template_card","template_card":{}} | template_card.card_type 必须是 text_notice、news_notice、
app   | 65 | whole | {"msgtype":"template_card","template_card":{"card_type":"news_notice","main_title":{"title":"t"},"card_action":{"type":1,"url":"https://x"}}} | 缺少 template_card.card_image，也没有 template_card.image_text_area
app   | 65 | whole | {"msgtype":"template_card","template_card":{"card_type":"news_notice","main_title":{"title":"t"},"card_action":{"type":1,"url":"https://x"},"card_image":{"url":"https://x","aspect_ratio":3}}} | 是 3，企业微信只接受 1.3 到 2.25（不含 2.25）
robot | 65 | card  | "action_menu":{} | template_card.action_menu 不能由群机器人发送
robot | 65 | whole | {"msgtype":"markdown","markdown":{"content":"x","mentioned_list":["a"]}} | markdown.mentioned_list 提醒不到任何人
robot | 65 | whole | {"msgtype":"text","text":{"content":"x","mentioned_list":[1]}} | text.mentioned_list[0] 是数字，企业微信只接受字符串
robot | 65 | whole | {"msgtype":"new","new":{}} | webhook/send 不接受 "new"，只接受 text、markdown、
chat  |  0 | text  | "enable_duplicate_check":1 | enable_duplicate_check 在 appchat/send 里不起作用
"#;

/// A message that is all right but for this.
fn message(base: &str, part: &str) -> String {
    let (head, tail) = match base {
        "text" => (r#"{"msgtype":"text","text":{"content":"x"},"#, "}"),
        "news" => (
            r#"{"msgtype":"news","news":{"articles":[{"title":"t","url":"https://x","#,
            "}]}}",
        ),
        "card" => (
            r#"{"msgtype":"template_card","template_card":{"card_type":"text_notice","main_title":{"title":"t"},"card_action":{"type":1,"url":"https://x"},"#,
            "}}",
        ),
        _ => ("", ""),
    };
    let part = part.replace("LONG", &"x".repeat(1200));
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
        let outcome = run.run().exits(code.parse().unwrap());
        outcome.says(words).is_chinese();
    });
}
