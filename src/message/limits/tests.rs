mod cards;
mod listed;
mod tables;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn found(channel: Channel, body: &Value) -> Findings {
    check(channel, body["msgtype"].as_str().unwrap_or("text"), body)
}

#[test]
fn each_finding_names_field_limit_and_value() {
    use Channel::{App, Chat, Robot};
    let article = |title: &str| json!({"title": title, "url": "https://a.b"});
    let articles = |n: usize| vec![article("t"); n];
    for (channel, body, errors, warnings) in [
        (
            App,
            json!({"msgtype": "news", "news": {"articles": [
                article("t"), article("t"), article(&"x".repeat(131))]}}),
            &["news.articles[2].title has 131 bytes, WeCom cuts it at 128"][..],
            &[][..],
        ),
        (
            App,
            json!({"msgtype": "news", "news": {"articles": articles(9)}, "safe": 1}),
            &[
                "news.articles has 9 items, WeCom takes 1 to 8 (errcode 45008)",
                "a news cannot be safe, an mpnews can (errcode 40074)",
            ],
            &[],
        ),
        (
            App,
            json!({"msgtype": "textcard", "textcard": {
                "title": "一".repeat(43), "description": "", "url": "a.b", "btntxt": "look here"}}),
            &[
                "textcard.description is empty (errcode 41033)",
                "textcard.url does not begin with http:// or https:// (errcode 45034)",
                "textcard.btntxt has 9 characters, WeCom cuts it at 4",
            ],
            &[
                "textcard.title has 129 bytes, more than 128: WeCom's pages differ on whether it cuts bytes or characters",
            ],
        ),
        (
            App,
            json!({"msgtype": "text", "text": {"content": 7}, "safe": 2}),
            &[
                "text.content is a number, WeCom takes a string",
                "safe is 2, which only an mpnews can be: WeCom takes 0 or 1 for a text",
            ],
            &[],
        ),
        (
            Chat,
            json!({"msgtype": "template_card", "template_card": {}}),
            &[
                "appchat/send takes no template_card, only text, markdown, image, voice, video, file, textcard, news, mpnews (errcode 40008)",
            ],
            &[],
        ),
        (
            Robot,
            json!({"msgtype": "tomorrow", "tomorrow": {}}),
            &[
                "webhook/send takes no \"tomorrow\", only text, markdown, markdown_v2, image, voice, file, news, template_card (errcode 40008)",
            ],
            &[],
        ),
        (
            Robot,
            json!({"msgtype": "markdown", "markdown": {"content": "x", "mentioned_list": ["a"]}}),
            &["markdown.mentioned_list mentions nobody: WeCom reads it in a text only"],
            &[],
        ),
        (
            Robot,
            json!({"msgtype": "text", "text": {"content": "x", "mentioned_list": ["a", 1]}}),
            &["text.mentioned_list[1] is a number, WeCom takes a string"],
            &[],
        ),
        (App, json!({"msgtype": "video"}), &["video is missing"], &[]),
        (App, json!([1]), &["the message is no JSON object"], &[]),
    ] {
        let findings = found(channel, &body);
        assert_eq!(findings.errors, errors, "{body}");
        assert_eq!(findings.warnings, warnings, "{body}");
    }
}

#[test]
fn of_tomorrows_kinds_only_the_object_is_looked_for() {
    for channel in [Channel::App, Channel::Chat] {
        let body = json!({"msgtype": "hologram", "hologram": {"x": ""}, "safe": 9});
        assert_eq!(found(channel, &body), Findings::default());
        let findings = found(channel, &json!({"msgtype": "hologram"}));
        assert_eq!(findings.errors, [""; 0]);
        assert_eq!(
            findings.warnings,
            ["the message has no object \"hologram\", as its msgtype says"]
        );
    }
    let long = "\u{1b}[2J".repeat(1000);
    let warning = &check(Channel::App, &long, &json!({})).warnings[0];
    assert!(
        !warning.contains('\u{1b}') && warning.len() < 300,
        "{warning}"
    );
}

#[test]
fn unknown_fields_and_empty_ones_that_may_be_missing_are_let_through() {
    let body = json!({"msgtype": "video", "new": 1, "toparty": null,
        "video": {"media_id": "-", "title": "", "description": null, "newer": {}}});
    assert_eq!(found(Channel::App, &body), Findings::default());
}

/// What `safe` does, by channel and kind: 0 is always fine.
#[test]
fn safe_is_what_each_kind_makes_of_it() {
    use Channel::{App, Chat, Robot};
    for (channel, msgtype, safe, errors, warnings) in [
        (App, "text", 1, 0, 0),
        (App, "text", 2, 1, 0),
        (App, "text", 3, 1, 0),
        (Chat, "text", 1, 0, 0),
        (Robot, "text", 1, 0, 1),
        (App, "image", 1, 0, 0),
        (App, "video", 1, 0, 0),
        (App, "file", 1, 0, 0),
        (App, "mpnews", 1, 0, 0),
        (App, "mpnews", 2, 0, 0),
        (App, "mpnews", 3, 1, 0),
        (App, "voice", 1, 0, 1),
        (App, "textcard", 1, 0, 1),
        (App, "markdown", 1, 0, 1),
        (App, "miniprogram_notice", 1, 0, 1),
        (App, "template_card", 1, 0, 1),
        (App, "news", 1, 1, 0),
        (Chat, "news", 1, 1, 0),
    ] {
        let case = tables::case(channel, msgtype);
        for (safe, errors, warnings) in [(0, 0, 0), (safe, errors, warnings)] {
            let mut body = case.clone();
            body["safe"] = json!(safe);
            let findings = check(channel, msgtype, &body);
            let counts = (findings.errors.len(), findings.warnings.len());
            assert_eq!(counts, (errors, warnings), "{msgtype} {safe} {findings:?}");
        }
    }
}

/// `enable_id_trans` and `enable_duplicate_check`: where they do nothing, that is told.
#[test]
fn switches_that_do_nothing_are_told_of() {
    for channel in Channel::ALL {
        for msgtype in kinds::taken(channel) {
            let mut body = tables::case(channel, msgtype);
            body["enable_duplicate_check"] = json!(1);
            let findings = check(channel, msgtype, &body);
            let app = channel == Channel::App;
            assert_eq!(findings.warnings.is_empty(), app, "{findings:?}");

            let mut body = tables::case(channel, msgtype);
            body["enable_id_trans"] = json!(1);
            let findings = check(channel, msgtype, &body);
            let works = [
                "text",
                "textcard",
                "news",
                "mpnews",
                "miniprogram_notice",
                "template_card",
            ];
            let works = app && works.contains(&msgtype);
            assert_eq!(findings.warnings.is_empty(), works, "{findings:?}");
        }
    }
}

#[test]
fn a_mini_programs_notice_is_for_members_by_name() {
    let mut body = tables::case(Channel::App, "miniprogram_notice");
    body["touser"] = json!("a|b");
    assert_eq!(found(Channel::App, &body), Findings::default());
    body["touser"] = json!("@all");
    assert_eq!(found(Channel::App, &body).errors.len(), 1);
}

/// Any JSON, often with WeCom's names and the kinds of values that break a reader.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        "\\PC{0,9}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "https://",
            "http",
            "text_notice",
            "vote_interaction"
        ])
        .prop_map(Value::from),
        Just(Value::from("é".repeat(1100))),
    ];
    let names = prop::sample::select(tables::names());
    leaf.prop_recursive(6, 60, 9, move |inner| {
        let object = prop::collection::hash_map(names.clone(), inner.clone(), 0..9);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..9).prop_map(Value::from),
            3 => object.prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_breaks_the_check(body in any_json(), kind in 0..kinds::KINDS.len()) {
        let msgtype = kinds::KINDS[kind].msgtype;
        for channel in Channel::ALL {
            check(channel, msgtype, &body);
            check(channel, msgtype, &json!({msgtype: body.clone()}));
            check(channel, "tomorrow", &body);
        }
    }

    /// One field of a good message becomes anything.
    #[test]
    fn no_field_breaks_the_check(value in any_json(), pick in any::<prop::sample::Index>()) {
        let cases = tables::cases();
        let fields: Vec<_> = cases.iter().flat_map(|case| case.fields().into_iter()
            .map(move |field| (case, field))).collect();
        let (case, field) = &fields[pick.index(fields.len())];
        case.found(&case.with(&field.at, value));
    }
}
