use serde_json::json;

use super::*;

#[test]
fn a_title_stands_where_its_kind_puts_it() {
    for (kind, prefix, title, body, whole) in [
        (Kind::Text, "", None, "b", "b"),
        (Kind::Text, "[h] ", None, "b", "[h] b"),
        (Kind::Text, "[h] ", Some("T"), "b", "[h] T\nb"),
        (Kind::Text, "", Some("T"), "", "T"),
        (Kind::Markdown, "[h] ", Some("T"), "b", "# [h] T\nb"),
        (Kind::Markdown, "[h] ", None, "b", "[h] b"),
    ] {
        assert_eq!(kind.compose(prefix, title, body.to_owned()), whole);
    }
}

fn json(channel: Channel, envelope: &Envelope, content: &Content) -> String {
    let request = Request {
        channel,
        envelope,
        safe: false,
        id_trans: false,
        duplicate_check: None,
    };
    String::from_utf8(request.post(content, None).body).unwrap()
}

#[test]
fn each_kind_is_what_wecom_reads() {
    let card = Card {
        title: "t".to_owned(),
        description: "d".to_owned(),
        url: "https://x".to_owned(),
        btntxt: None,
    };
    let article = Article {
        title: "t".to_owned(),
        description: String::new(),
        url: "https://x".to_owned(),
        picurl: Some("https://y".to_owned()),
    };
    let media = |kind| Content::media(kind, "m".to_owned());
    for (content, expected) in [
        (
            Kind::Text.content("你好 <a> \"q\"\n".to_owned()),
            r#""msgtype":"text","text":{"content":"你好 <a> \"q\"\n"}"#,
        ),
        (
            Kind::Markdown.content("# h".to_owned()),
            r##""msgtype":"markdown","markdown":{"content":"# h"}"##,
        ),
        (
            Kind::MarkdownV2.content("x".to_owned()),
            r#""msgtype":"markdown_v2","markdown_v2":{"content":"x"}"#,
        ),
        (
            media(MediaKind::Image),
            r#""msgtype":"image","image":{"media_id":"m"}"#,
        ),
        (
            media(MediaKind::Voice),
            r#""msgtype":"voice","voice":{"media_id":"m"}"#,
        ),
        (
            media(MediaKind::Video),
            r#""msgtype":"video","video":{"media_id":"m"}"#,
        ),
        (
            media(MediaKind::File),
            r#""msgtype":"file","file":{"media_id":"m"}"#,
        ),
        (
            Content::inline(b"abc"),
            r#""msgtype":"image","image":{"base64":"YWJj","md5":"900150983cd24fb0d6963f7d28e17f72"}"#,
        ),
        (
            Content::Textcard(card),
            r#""msgtype":"textcard","textcard":{"title":"t","description":"d","url":"https://x"}"#,
        ),
        (
            Content::News {
                articles: [article],
            },
            r#""msgtype":"news","news":{"articles":[{"title":"t","url":"https://x","picurl":"https://y"}]}"#,
        ),
    ] {
        let robot = json(Channel::Robot, &Envelope::default(), &content);
        assert_eq!(robot, format!("{{{expected}}}"));
        let app = json(Channel::App, &Envelope::all(), &content);
        assert_eq!(app, format!("{{\"touser\":\"@all\",{expected}}}"));
        let chat = json(Channel::Chat, &Envelope::chat("c").unwrap(), &content);
        assert_eq!(chat, format!("{{\"chatid\":\"c\",{expected}}}"));
    }
}

#[test]
fn options_appear_only_where_they_are_set() {
    let envelope = Envelope::parse(["a,b"], ["1"], ["2,3"]).unwrap();
    let all = Request {
        channel: Channel::App,
        envelope: &envelope,
        safe: true,
        id_trans: true,
        duplicate_check: Some(60),
    };
    let post = all.post(&Kind::Text.content("x".to_owned()), None);
    assert_eq!(
        String::from_utf8(post.body).unwrap(),
        r#"{"touser":"a|b","toparty":"1","totag":"2|3","msgtype":"text","text":{"content":"x"},"safe":1,"enable_id_trans":1,"enable_duplicate_check":1,"duplicate_check_interval":60}"#
    );
}

#[test]
fn a_message_in_wecoms_own_json_keeps_what_it_says_and_gets_what_it_leaves_out() {
    let envelope = Envelope::parse(["a"], [""], [""]).unwrap();
    let request = Request {
        channel: Channel::App,
        envelope: &envelope,
        safe: true,
        id_trans: false,
        duplicate_check: None,
    };
    for (message, expected) in [
        (
            json!({"msgtype": "x", "x": {}}),
            json!({"msgtype": "x", "x": {}, "touser": "a", "safe": 1}),
        ),
        (
            json!({"msgtype": "x", "toparty": "2", "safe": 0}),
            json!({"msgtype": "x", "toparty": "2", "safe": 0}),
        ),
    ] {
        let message = message.as_object().unwrap().clone();
        let body: Value = serde_json::from_slice(&request.raw(message).body).unwrap();
        assert_eq!(body, expected);
    }
}
