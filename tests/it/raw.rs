//! Messages in WeCom's own JSON: what they say is kept, what they leave out is filled in.

use serde_json::{Value, json};

use crate::standin::{AGENTID, CHATID, ROBOT_KEY, Standin};
use crate::support::{Run, Sandbox, bodies, furnished, hire, send_here, wire};

/// Sends a message of this JSON.
fn raw(sandbox: &Sandbox, args: &str, message: &Value) -> Run {
    send_here(sandbox, &format!("{args} --raw -")).stdin(message.to_string())
}

fn with(message: &Value, more: Value) -> Value {
    let mut message = message.clone();
    let more: serde_json::Map<_, _> = serde_json::from_value(more).unwrap();
    message.as_object_mut().unwrap().extend(more);
    message
}

fn text() -> Value {
    json!({"msgtype": "text", "text": {"content": "hello"}})
}

#[test]
fn every_kind_goes_as_it_is_with_receivers_and_agentid() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let upload = sandbox.wxpush("upload a.png").cwd(sandbox.path("")).run();
    let thumb = upload.exits(0).stdout.trim().to_owned();
    let notice = json!({"appid": "wx8bd80126147df384", "page": "pages/index?a=1", "title": "会议室预订",
        "description": "4月27日 16:16", "emphasis_first_item": true, "content_item": [{"key": "会议室", "value": "402"}]});
    let card = json!({"card_type": "text_notice", "main_title": {"title": "欢迎使用企业微信", "desc": "您的好友"},
        "emphasis_content": {"title": "100", "desc": "核心数据"}, "card_action": {"type": 1, "url": "https://x"}});
    let article =
        json!({"title": "t", "thumb_media_id": thumb, "content": "<p>内容</p>", "digest": "d"});
    for (msgtype, content) in [
        (
            "text",
            json!({"content": "hello <a href=\"https://x\">x</a>\n"}),
        ),
        ("mpnews", json!({"articles": [article]})),
        ("miniprogram_notice", notice),
        ("template_card", card.clone()),
    ] {
        let mut message = json!({ "msgtype": msgtype });
        message[msgtype] = content;
        raw(&sandbox, "--to lisi", &message).is_silent();
        let sent = bodies(&standin).pop().unwrap();
        assert_eq!(
            sent,
            with(&message, json!({"touser": "lisi", "agentid": AGENTID}))
        );
        let landed = standin.company().phone("lisi").last().unwrap().clone();
        assert_eq!(landed.msgtype, msgtype);
    }
    let message = json!({"msgtype": "template_card", "template_card": card});
    let before = standin.requests().len();
    raw(&sandbox, "--robot ops", &message).is_silent();
    assert_eq!(
        wire(&standin, before),
        [("webhook/send".to_owned(), message)]
    );
    raw(&sandbox, "--chat ops", &text()).is_silent();
    let before = wire(&standin, before).pop().unwrap();
    assert_eq!(before.1, with(&text(), json!({"chatid": CHATID})));
}

#[test]
fn what_the_message_says_itself_counts_and_what_it_leaves_open_is_filled_in() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.configure("touser = \"lisi\"");
    let lisi = json!({"touser": "lisi"});
    let nobody = json!({"touser": "", "toparty": "", "totag": ""});
    let two = json!({"touser": "wangwu", "toparty": "2"});
    let checked = json!({"enable_duplicate_check": 1, "duplicate_check_interval": 60});
    let tomorrow = json!({"tomorrow": [1, {"a": null}]});
    for (args, says, sent) in [
        ("", json!({}), lisi.clone()),
        ("", json!({"touser": "wangwu"}), json!({"touser": "wangwu"})),
        ("", json!({"toparty": "2"}), json!({"toparty": "2"})),
        ("", nobody, lisi.clone()),
        ("--to wangwu --party 2", json!({}), two),
        ("", json!({"agentid": AGENTID}), lisi.clone()),
        ("", json!({"agentid": AGENTID.to_string()}), lisi.clone()),
        ("--safe", json!({}), with(&lisi, json!({"safe": 1}))),
        (
            "--safe",
            json!({"safe": 0}),
            with(&lisi, json!({"safe": 0})),
        ),
        (
            "--id-trans",
            json!({}),
            with(&lisi, json!({"enable_id_trans": 1})),
        ),
        ("--dedupe 1m", json!({}), with(&lisi, checked)),
        ("", tomorrow.clone(), with(&lisi, tomorrow)),
    ] {
        let message = with(&text(), says);
        raw(&sandbox, args, &message).exits(0);
        let mut wanted = with(&text(), sent);
        wanted["agentid"] = json!(AGENTID);
        assert_eq!(bodies(&standin).pop().unwrap(), wanted, "{args} {message}");
    }
    let count = standin.requests().len();
    let message = with(&text(), json!({"agentid": 7}));
    let outcome = raw(&sandbox, "", &message).exits(65);
    outcome
        .says("for agentid 7")
        .says("choose the other app's profile with -p");
    assert_eq!(standin.requests().len(), count);
    // A chat's message that was written for members, and the other way round.
    raw(
        &sandbox,
        "--chat ops",
        &with(&text(), json!({"touser": "wangwu"})),
    )
    .exits(0);
    let landed = standin.company().phone("zhangsan");
    assert_eq!(landed.last().unwrap().chatid.as_deref(), Some(CHATID));
    raw(&sandbox, "", &with(&text(), json!({"chatid": CHATID}))).exits(0);
    let sent = bodies(&standin).pop().unwrap();
    assert_eq!(
        (&sent["touser"], &sent["chatid"]),
        (&"lisi".into(), &CHATID.into())
    );
}

#[test]
fn receivers_left_open_may_be_a_crowd_and_those_in_the_message_go_once() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let crowd = hire(&standin, 1500).join(",");
    for message in [text(), with(&text(), json!({"touser": ""}))] {
        let before = bodies(&standin).len();
        let run = raw(&sandbox, "--json", &message).arg("--to").arg(&crowd);
        assert_eq!(run.exits(0).json()["parts"], 2, "{message}");
        let sent = bodies(&standin).split_off(before);
        let lists = sent
            .iter()
            .map(|body| body["touser"].as_str().unwrap_or_default());
        let named: Vec<&str> = lists.flat_map(|list| list.split('|')).collect();
        assert_eq!(named.join(","), crowd);
    }
    let before = bodies(&standin).len();
    let run = raw(
        &sandbox,
        "--json",
        &with(&text(), json!({"touser": "lisi"})),
    );
    assert_eq!(run.arg("--to").arg(&crowd).exits(0).json()["parts"], 1);
    assert_eq!(bodies(&standin).len(), before + 1);
}

#[test]
fn a_msgtype_of_tomorrow_goes_out_and_wecom_decides() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let message = json!({"msgtype": "hologram", "hologram": {"depth": 3, "layers": ["一"]}});
    let outcome = raw(&sandbox, "--to lisi", &message).exits(69);
    outcome.says("40008");
    let sent = bodies(&standin).pop().unwrap();
    assert_eq!(
        sent,
        with(&message, json!({"touser": "lisi", "agentid": AGENTID}))
    );
}

#[test]
fn what_is_no_message_is_refused_before_anything_is_asked() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.write(
        "bom.json",
        [b"\xef\xbb\xbf", text().to_string().as_bytes()].concat(),
    );
    send_here(&sandbox, "--robot ops --raw bom.json").is_silent();
    assert_eq!(standin.company().group(ROBOT_KEY)[0].text, "hello");
    for (stdin, code, words) in [
        ("", 65, "the message is not JSON"),
        ("{\"msgtype\":", 65, "the message is not JSON"),
        ("[]", 65, "not a JSON object"),
        ("{}", 65, "the message has no msgtype"),
        ("{\"msgtype\":7}", 65, "the message has no msgtype"),
        ("{\"msgtype\":\"text\"}", 65, "text.content is missing"),
    ] {
        let run = send_here(&sandbox, "--to lisi --raw -").stdin(stdin);
        run.exits(code).says(words);
    }
    let outcome = send_here(&sandbox, "--raw missing.json").exits(66);
    outcome.says("missing.json cannot be read");
    assert_eq!(standin.requests().len(), 1);
}
