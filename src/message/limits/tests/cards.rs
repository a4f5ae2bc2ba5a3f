//! The types of cards by hand, as WeCom's pages have them.

use serde_json::{Value, json};

use super::super::Channel;
use super::{found, tables};

/// By hand: what each type of card must have, and needs.
#[test]
fn each_card_type_asks_for_its_parts() {
    use Channel::{App, Robot};
    let parts = json!({
        "task_id": "t-1", "sub_title_text": "s", "main_title": {"title": "t"},
        "card_action": {"type": 1, "url": "https://a.b"},
        "card_image": {"url": "https://a.b"}, "image_text_area": {"image_url": "https://a.b"},
        "button_list": [{"text": "b", "key": "k"}],
        "checkbox": {"question_key": "q", "option_list": [{"id": "1", "text": "t"}]},
        "select_list": [{"question_key": "q", "option_list": [{"id": "1", "text": "t"}]}],
        "submit_button": {"key": "k"},
    });
    // A word with | is one of two; what is required, and whether a callback is.
    for (channel, card_type, required, callback) in [
        (
            App,
            "text_notice",
            "card_action main_title|sub_title_text",
            false,
        ),
        (
            App,
            "news_notice",
            "main_title card_action card_image|image_text_area",
            false,
        ),
        (
            App,
            "button_interaction",
            "task_id main_title button_list",
            true,
        ),
        (
            App,
            "vote_interaction",
            "task_id main_title checkbox submit_button",
            true,
        ),
        (
            App,
            "multiple_interaction",
            "task_id main_title select_list submit_button",
            true,
        ),
        (Robot, "text_notice", "main_title card_action", false),
        (
            Robot,
            "news_notice",
            "main_title card_image card_action",
            false,
        ),
    ] {
        let body = |left_out: &str| {
            let mut card = json!({"card_type": card_type});
            for part in required
                .split([' ', '|'])
                .filter(|part| !left_out.split('|').any(|it| it == *part))
            {
                card[part] = parts[part].clone();
            }
            json!({"msgtype": "template_card", "template_card": card})
        };
        let whole = found(channel, &body(""));
        assert_eq!(whole.errors, [""; 0], "{card_type}");
        assert_eq!(whole.warnings.len(), usize::from(callback), "{card_type}");
        assert!(whole.warnings.iter().all(|it| it.contains("43012")));
        for part in required.split(' ') {
            let findings = found(channel, &body(part));
            assert!(!findings.errors.is_empty(), "{card_type} without {part}");
            for one in part.split('|').filter(|one| one.len() < part.len()) {
                let findings = found(channel, &body(one));
                assert_eq!(findings.errors, [""; 0], "{card_type} without {one}");
            }
        }
    }
}

#[test]
fn a_card_has_no_parts_of_another_and_a_robots_no_menu() {
    let card = |card_type: &str, part: &str, value: Value| {
        json!({"msgtype": "template_card", "template_card": {
            "card_type": card_type, "main_title": {"title": "t"}, "task_id": "t",
            "card_action": {"type": 1, "url": "https://a.b"}, part: value}})
    };
    let menu = json!({"action_list": [{"text": "a", "key": "k"}]});
    let app = found(
        Channel::App,
        &card("text_notice", "action_menu", menu.clone()),
    );
    assert_eq!(app.errors, [""; 0]);
    assert_eq!(
        app.warnings,
        [
            "template_card.action_menu needs an app with a callback URL, WeCom refuses it otherwise (errcode 43012)"
        ]
    );
    let robot = found(Channel::Robot, &card("text_notice", "action_menu", menu));
    assert_eq!(
        robot.errors,
        ["template_card.action_menu cannot come from a robot, which has no callback URL"]
    );
    let rows = found(
        Channel::App,
        &card("text_notice", "vertical_content_list", json!([])),
    );
    assert_eq!(
        rows.warnings,
        ["template_card.vertical_content_list is no part of a text_notice: WeCom may leave it out"]
    );
    let buttons = card("text_notice", "button_list", json!([]));
    for channel in [Channel::App, Channel::Robot] {
        let warning =
            "template_card.button_list is no part of a text_notice: WeCom may leave it out";
        let warnings = found(channel, &buttons).warnings;
        assert!(warnings.iter().any(|it| it == warning), "{warnings:?}");
    }
    for (channel, card_type, names) in [
        (
            Channel::App,
            "poster",
            "text_notice, news_notice, button_interaction, vote_interaction or multiple_interaction",
        ),
        (
            Channel::Robot,
            "vote_interaction",
            "text_notice or news_notice",
        ),
    ] {
        assert_eq!(
            found(channel, &card(card_type, "x", json!(1))).errors,
            [format!(
                "template_card.card_type must be {names} (errcode 42031)"
            )]
        );
    }
}

/// By hand: the parts that each type of card can have.
#[test]
fn each_card_type_has_its_parts() {
    const NOTICE: &str =
        "source main_title quote_area horizontal_content_list jump_list card_action action_menu";
    const QUESTION: &str = "source task_id main_title submit_button";
    let listed = [
        (
            "message/send text_notice",
            NOTICE,
            "task_id emphasis_content sub_title_text",
        ),
        (
            "message/send news_notice",
            NOTICE,
            "task_id card_image image_text_area vertical_content_list",
        ),
        (
            "message/send button_interaction",
            "source action_menu task_id main_title quote_area sub_title_text",
            "horizontal_content_list button_selection button_list card_action",
        ),
        ("message/send vote_interaction", QUESTION, "checkbox"),
        ("message/send multiple_interaction", QUESTION, "select_list"),
        (
            "webhook/send text_notice",
            NOTICE,
            "emphasis_content sub_title_text",
        ),
        (
            "webhook/send news_notice",
            NOTICE,
            "card_image image_text_area vertical_content_list",
        ),
    ];
    let cases = tables::cases();
    let cards: Vec<_> = cases
        .iter()
        .filter(|case| case.msgtype == "template_card")
        .collect();
    assert_eq!(cards.len(), listed.len());
    for (case, (name, some, more)) in cards.iter().zip(listed) {
        assert_eq!(case.name.replace("template_card ", ""), name);
        let mut parts: Vec<_> = case.rows.iter().map(|row| row.0).collect();
        let mut listed: Vec<_> = some.split(' ').chain(more.split(' ')).collect();
        parts.sort_unstable();
        listed.sort_unstable();
        assert_eq!(parts, listed, "{name}");
    }
}
