use proptest::prelude::*;
use serde_json::json;

use super::*;
use Channel::{App, Chat, Robot};

/// Checks a message of this kind; returns the findings in short form, with `!` before a violation.
fn found(channel: Channel, msgtype: &str, content: Value) -> Vec<String> {
    let body = json!({"msgtype": msgtype, msgtype: content});
    in_short(&check(channel, msgtype, &body))
}

fn in_short(findings: &Findings) -> Vec<String> {
    let excess = |it: &Excess| format!("{} {} > {} {:?}", it.field, it.size, it.max, it.unit);
    let violations = findings.violations.iter().map(|it| match it {
        Violation::NotTaken { channel, msgtype } => format!("!{channel:?} {msgtype}"),
        Violation::Missing { field } => format!("!missing {field}"),
        Violation::NotWeb { field } => format!("!web {field}"),
        Violation::Cut(it) => format!("!cut {}", excess(it)),
        Violation::TooLong(it) => format!("!refused {}", excess(it)),
        Violation::MentionsNobody { field } => format!("!nobody {field}"),
    });
    let caveats = findings.caveats.iter().map(|it| match it {
        Caveat::MaybeCut(it) => format!("cut? {}", excess(it)),
        Caveat::NoPicture { field } => format!("picture {field}"),
        Caveat::Useless { option, .. } => format!("useless {option}"),
    });
    violations.chain(caveats).collect()
}

/// The documented limits: `!cut` silently, or `!refused`.
const LIMITS: &str = "
    App text content 2048 Bytes !cut
    Chat text content 2048 Bytes !cut
    Robot text content 2048 Bytes !refused
    App markdown content 2048 Bytes !refused
    Robot markdown content 4096 Bytes !refused
    Robot markdown_v2 content 4096 Bytes !refused
    App video title 128 Bytes !cut
    App video description 512 Bytes !cut
    App textcard title 128 Characters !cut
    App textcard description 512 Characters !cut
    Chat textcard title 128 Bytes !cut
    Chat textcard description 512 Bytes !cut
    App textcard url 2048 Bytes !refused
    App textcard btntxt 4 Characters !cut";

#[test]
fn each_documented_limit_is_exceeded_one_past_it_and_not_at_it() {
    for line in LIMITS.trim().lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [channel, msgtype, field, max, unit, finding] = cells[..] else {
            panic!("six cells: {line}");
        };
        let channel = match channel {
            "App" => App,
            "Chat" => Chat,
            _ => Robot,
        };
        let max: usize = max.parse().unwrap();
        let with = |size: usize| {
            let mut content = match msgtype {
                "textcard" => json!({"title": "t", "description": "d", "url": "https://x"}),
                _ => json!({}),
            };
            let start = if field == "url" { "https://" } else { "" };
            content[field] = json!(format!("{start}{}", "x".repeat(size - start.len())));
            found(channel, msgtype, content)
        };
        assert_eq!(with(max), [""; 0], "{line}");
        let size = max + 1;
        let expected = format!("{finding} {msgtype}.{field} {size} > {max} {unit}");
        assert_eq!(with(size), [expected]);
    }
    let card = |title: &str| json!({"title": title, "description": "d", "url": "https://x"});
    assert_eq!(found(App, "textcard", card(&"一".repeat(42))), [""; 0]);
    let unsure = found(App, "textcard", card(&"一".repeat(43)));
    assert_eq!(unsure, ["cut? textcard.title 129 > 128 Bytes"]);
}

#[test]
fn each_article_is_checked() {
    let good = json!({"title": "t", "url": "https://x"});
    let articles = |articles: Value| json!({ "articles": articles });
    for (msgtype, article, expected) in [
        (
            "news",
            json!({"title": "x".repeat(129), "url": "https://x"}),
            "!cut news.articles[1].title 129 > 128 Bytes",
        ),
        (
            "news",
            json!({"title": "t", "url": "x"}),
            "!web news.articles[1].url",
        ),
        (
            "news",
            json!({"title": "t"}),
            "!missing news.articles[1].url",
        ),
        (
            "news",
            json!({"title": "t", "url": "https://x", "picurl": "x"}),
            "picture news.articles[1].picurl",
        ),
        (
            "mpnews",
            json!({"digest": "x".repeat(513)}),
            "!cut mpnews.articles[1].digest 513 > 512 Bytes",
        ),
    ] {
        assert_eq!(
            found(App, msgtype, articles(json!([good, article]))),
            [expected]
        );
    }
    let program = json!([{"title": "t", "appid": "a", "pagepath": "p"}]);
    assert_eq!(found(App, "news", articles(program)), [""; 0]);
}

#[test]
fn missing_fields_are_named_and_wecoms_own_refusals_are_left_to_it() {
    for (channel, msgtype, content, expected) in [
        (
            App,
            "text",
            json!({"content": ""}),
            &["!missing text.content"][..],
        ),
        (App, "text", Value::Null, &["!missing text.content"]),
        (App, "text", json!({"content": 7}), &[]),
        (
            App,
            "textcard",
            json!({}),
            &[
                "!missing textcard.title",
                "!missing textcard.description",
                "!missing textcard.url",
            ],
        ),
        (Chat, "template_card", json!({}), &["!Chat template_card"]),
        (Robot, "textcard", json!({}), &["!Robot textcard"]),
        (
            Robot,
            "markdown",
            json!({"content": "x", "mentioned_list": ["a"]}),
            &["!nobody markdown.mentioned_list"],
        ),
        (Robot, "hologram", json!({}), &[]),
        (App, "template_card", json!({}), &[]),
    ] {
        assert_eq!(found(channel, msgtype, content), expected);
    }
}

#[test]
fn options_that_do_nothing_are_found() {
    let options = json!({"safe": 1, "enable_id_trans": 1, "enable_duplicate_check": 1});
    for (channel, msgtype, useless) in [
        (App, "text", &[][..]),
        (App, "voice", &["useless safe", "useless enable_id_trans"]),
        (App, "textcard", &["useless safe"]),
        (App, "file", &["useless enable_id_trans"]),
        (
            Chat,
            "image",
            &["useless enable_id_trans", "useless enable_duplicate_check"],
        ),
        (
            Robot,
            "image",
            &[
                "useless safe",
                "useless enable_id_trans",
                "useless enable_duplicate_check",
            ],
        ),
        (App, "hologram", &[]),
    ] {
        let mut body = options.clone();
        body[msgtype] =
            json!({"content": "x", "title": "t", "description": "d", "url": "https://x"});
        assert_eq!(
            in_short(&check(channel, msgtype, &body)),
            useless,
            "{channel:?} {msgtype}"
        );
    }
    assert!(takes_safe("mpnews") && takes_safe("hologram") && !takes_safe("markdown"));
}

proptest! {
    #[test]
    fn no_json_breaks_the_check(body in "[\\[\\]{}:,0-9a-z\" ]{0,30}", kind in 0..KINDS.len()) {
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        for channel in Channel::ALL {
            check(channel, KINDS[kind].msgtype, &body);
            check(channel, KINDS[kind].msgtype, &json!({KINDS[kind].msgtype: body.clone()}));
        }
    }
}
