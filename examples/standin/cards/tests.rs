//! Every rule of a card: at its limit and past it.

use serde_json::{Value, json};

use super::super::company::{AGENTID, Company};
use super::super::trial::{START, card, json_call, send_kind, upload};

/// The errcode of a card with these changes; `null` takes a field away.
fn code(company: &mut Company, card_type: &str, changes: &Value) -> i64 {
    let mut card = card(card_type);
    let fields = card.as_object_mut().unwrap();
    fields.extend(changes.as_object().unwrap().clone());
    company.phones.per_minute = usize::MAX;
    let answer = send_kind(company, "template_card", &card);
    answer["errcode"].as_i64().unwrap()
}

#[test]
fn each_type_has_its_required_parts() {
    let mut company = company();
    for (card_type, part, missing) in [
        ("text_notice", "card_type", 42031),
        ("text_notice", "main_title", 42033),
        ("text_notice", "card_action", 42045),
        ("news_notice", "main_title", 42033),
        ("news_notice", "card_action", 42045),
        ("news_notice", "card_image", 42044),
        ("button_interaction", "task_id", 42014),
        ("button_interaction", "main_title", 42033),
        ("button_interaction", "button_list", 40058),
        ("button_interaction", "card_action", 0),
        ("vote_interaction", "task_id", 42014),
        ("vote_interaction", "main_title", 42033),
        ("vote_interaction", "checkbox", 42043),
        ("vote_interaction", "submit_button", 42046),
        ("multiple_interaction", "task_id", 42014),
        ("multiple_interaction", "main_title", 42033),
        ("multiple_interaction", "select_list", 42047),
        ("multiple_interaction", "submit_button", 42046),
    ] {
        assert_eq!(code(&mut company, card_type, &json!({})), 0, "{card_type}");
        let without = code(&mut company, card_type, &json!({part: null}));
        assert_eq!(without, missing, "{card_type} without {part}");
    }
}

/// A company whose app can be called.
fn company() -> Company {
    Company {
        callbacks: [AGENTID].into(),
        ..Company::default()
    }
}

fn try_all(company: &mut Company, cases: Vec<(&str, Value, i64)>) {
    for (card_type, changes, expected) in cases {
        let got = code(company, card_type, &changes);
        assert_eq!(got, expected, "{card_type} {changes}");
    }
}

#[test]
fn rows_and_ids_are_looked_at() {
    let mut company = company();
    let file = upload(&mut company, "file", "f.txt", b"123456")["media_id"].clone();
    let row = json!({"keyname": "k", "value": "v"});
    let rows = |row: Value| json!({"horizontal_content_list": [row]});
    try_all(
        &mut company,
        vec![
            ("text_notice", json!({"task_id": "a b"}), 42014),
            ("text_notice", json!({"task_id": "x".repeat(128)}), 0),
            ("text_notice", json!({"task_id": "x".repeat(129)}), 42014),
            (
                "text_notice",
                json!({"main_title": null, "sub_title_text": "s"}),
                0,
            ),
            ("text_notice", json!({"main_title": "t"}), 40058),
            (
                "text_notice",
                json!({"horizontal_content_list": vec![&row; 6]}),
                0,
            ),
            (
                "text_notice",
                json!({"horizontal_content_list": vec![&row; 7]}),
                42035,
            ),
            ("text_notice", rows(json!({"value": "v"})), 42027),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 1})),
                42028,
            ),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 2})),
                42029,
            ),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 2, "media_id": "x"})),
                40007,
            ),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 2, "media_id": file})),
                0,
            ),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 3})),
                42050,
            ),
            (
                "text_notice",
                rows(json!({"keyname": "k", "type": 4})),
                40058,
            ),
        ],
    );
}

#[test]
fn what_a_touch_leads_to_is_looked_at() {
    let mut company = company();
    let jump = json!({"title": "t", "type": 1, "url": "https://x.example"});
    let jumps = |jump: Value| json!({"jump_list": [jump]});
    try_all(
        &mut company,
        vec![
            ("text_notice", json!({"jump_list": vec![&jump; 3]}), 0),
            ("text_notice", json!({"jump_list": vec![&jump; 4]}), 42042),
            ("text_notice", jumps(json!({"type": 0})), 42033),
            (
                "text_notice",
                jumps(json!({"title": "t", "type": 1})),
                42028,
            ),
            (
                "text_notice",
                jumps(json!({"title": "t", "type": 2})),
                42030,
            ),
            ("text_notice", json!({"card_action": {"type": 0}}), 42045),
            ("text_notice", json!({"card_action": {"type": 1}}), 42028),
            (
                "text_notice",
                json!({"card_action": {"type": 1, "url": "x"}}),
                45034,
            ),
            ("text_notice", json!({"card_action": {"type": 2}}), 42030),
            ("text_notice", json!({"quote_area": {"type": 1}}), 42028),
        ],
    );
}

#[test]
fn menus_have_keys_that_differ() {
    let mut company = company();
    let menu = |actions: Value| json!({"action_menu": {"desc": "d", "action_list": actions}});
    let action = json!({"text": "t", "key": "k"});
    try_all(
        &mut company,
        vec![
            (
                "text_notice",
                menu(json!([action, {"text": "t", "key": "l"}])),
                0,
            ),
            ("text_notice", menu(json!([action, action])), 42051),
            ("text_notice", menu(json!([])), 40058),
        ],
    );
}

#[test]
fn pictures_and_what_stands_below_are_looked_at() {
    let mut company = company();
    try_all(
        &mut company,
        vec![
            (
                "news_notice",
                json!({"vertical_content_list": vec![json!({"title": "t"}); 4]}),
                0,
            ),
            (
                "news_notice",
                json!({"vertical_content_list": vec![json!({"title": "t"}); 5]}),
                42036,
            ),
            (
                "news_notice",
                json!({"vertical_content_list": [{"desc": "d"}]}),
                42033,
            ),
            ("news_notice", json!({"card_image": {}}), 42044),
            (
                "news_notice",
                json!({"card_image": {"url": "https://x.example", "aspect_ratio": 2.24}}),
                0,
            ),
            (
                "news_notice",
                json!({"card_image": {"url": "https://x.example", "aspect_ratio": 2.25}}),
                40058,
            ),
            (
                "news_notice",
                json!({"card_image": null, "image_text_area": {"image_url": "https://x.example"}}),
                0,
            ),
            (
                "news_notice",
                json!({"card_image": null, "image_text_area": {"title": "t"}}),
                42028,
            ),
        ],
    );
}

#[test]
fn buttons_are_looked_at() {
    let mut company = company();
    let buttons = |count: usize| {
        let button = |key| json!({"text": "t", "key": key});
        json!({"button_list": (0..count).map(|key| button(key.to_string())).collect::<Vec<_>>()})
    };
    let button = |button: Value| json!({"button_list": [button]});
    let options = |count: usize| vec![json!({"id": "1", "text": "一"}); count];
    try_all(
        &mut company,
        vec![
            ("button_interaction", buttons(6), 0),
            ("button_interaction", buttons(7), 40058),
            ("button_interaction", button(json!({"key": "k"})), 42038),
            ("button_interaction", button(json!({"text": "t"})), 42039),
            (
                "button_interaction",
                button(json!({"text": "t", "key": "k".repeat(1025)})),
                42039,
            ),
            (
                "button_interaction",
                button(json!({"text": "t", "type": 1})),
                42028,
            ),
            ("button_interaction", json!({"card_action": {"type": 0}}), 0),
            (
                "button_interaction",
                json!({"button_selection": {"option_list": options(1)}}),
                42043,
            ),
            (
                "button_interaction",
                json!({"button_selection": {"question_key": "q", "option_list": options(11)}}),
                42037,
            ),
        ],
    );
}

#[test]
fn questions_are_looked_at() {
    let mut company = company();
    let options = |count: usize| vec![json!({"id": "1", "text": "一"}); count];
    let checkbox =
        |options: Vec<Value>| json!({"checkbox": {"question_key": "q", "option_list": options}});
    let select = |options: Vec<Value>| json!({"question_key": "q", "option_list": options});
    try_all(
        &mut company,
        vec![
            ("vote_interaction", checkbox(options(20)), 0),
            ("vote_interaction", checkbox(options(21)), 42037),
            ("vote_interaction", checkbox(options(0)), 42037),
            (
                "vote_interaction",
                checkbox(vec![json!({"text": "t"})]),
                42040,
            ),
            (
                "vote_interaction",
                checkbox(vec![json!({"id": "i".repeat(129), "text": "t"})]),
                42040,
            ),
            (
                "vote_interaction",
                checkbox(vec![json!({"id": "1"})]),
                42041,
            ),
            (
                "vote_interaction",
                json!({"submit_button": {"text": "t"}}),
                42046,
            ),
            (
                "multiple_interaction",
                json!({"select_list": vec![select(options(10)); 3]}),
                0,
            ),
            (
                "multiple_interaction",
                json!({"select_list": vec![select(options(1)); 4]}),
                42047,
            ),
            (
                "multiple_interaction",
                json!({"select_list": [select(options(11))]}),
                42037,
            ),
        ],
    );
}

#[test]
fn cards_that_call_back_need_an_app_that_can_be_called() {
    let menu = json!({"action_menu": {"action_list": [{"text": "t", "key": "k"}]}});
    for (card_type, changes, calls) in [
        ("text_notice", json!({}), false),
        ("news_notice", json!({}), false),
        ("text_notice", menu.clone(), true),
        ("news_notice", menu, true),
        ("button_interaction", json!({}), true),
        ("vote_interaction", json!({}), true),
        ("multiple_interaction", json!({}), true),
    ] {
        let mut company = Company::default();
        let refused = if calls { 43012 } else { 0 };
        assert_eq!(
            code(&mut company, card_type, &changes),
            refused,
            "{card_type}"
        );
        company.callbacks.insert(AGENTID);
        let mut card = card(card_type);
        let fields = card.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        let answer = send_kind(&mut company, "template_card", &card);
        assert_eq!(answer["response_code"].is_string(), calls, "{answer}");
    }
}

#[test]
fn a_card_shows_its_texts() {
    let mut company = Company::default();
    let more = json!({"sub_title_text": "正文", "horizontal_content_list": [{"keyname": "主机", "value": "db1"}]});
    assert_eq!(code(&mut company, "text_notice", &more), 0);
    assert_eq!(
        company.phone("zhangsan")[0].text,
        "题目\n说明\n正文\n主机: db1"
    );
}

#[test]
fn a_robot_takes_the_two_plain_types_alone() {
    let mut company = Company::default();
    let path = format!("/cgi-bin/webhook/send?key={}", super::super::ROBOT_KEY);
    let menu = json!({"action_list": [{"text": "t", "key": "k"}]});
    for (card_type, part, value, expected) in [
        ("text_notice", "source", json!({}), 0),
        ("news_notice", "source", json!({}), 0),
        ("button_interaction", "source", json!({}), 42031),
        ("vote_interaction", "source", json!({}), 42031),
        ("multiple_interaction", "source", json!({}), 42031),
        ("text_notice", "action_menu", menu, 40058),
        ("text_notice", "main_title", Value::Null, 42033),
        ("text_notice", "card_action", Value::Null, 42045),
        ("news_notice", "card_image", Value::Null, 42044),
    ] {
        let mut card = card(card_type);
        card[part] = value;
        let body = json!({"msgtype": "template_card", "template_card": card});
        let answer = json_call(&mut company, &path, START, &body);
        assert_eq!(answer["errcode"], expected, "{body}: {answer}");
    }
    let mut sub = card("text_notice");
    sub["main_title"] = Value::Null;
    sub["sub_title_text"] = json!("s");
    let body = json!({"msgtype": "template_card", "template_card": sub});
    assert_eq!(
        json_call(&mut company, &path, START, &body)["errcode"],
        42033
    );
    let mut news = card("news_notice");
    news["card_image"] = Value::Null;
    news["image_text_area"] = json!({"image_url": "https://x.example"});
    let body = json!({"msgtype": "template_card", "template_card": news});
    assert_eq!(
        json_call(&mut company, &path, START, &body)["errcode"],
        42044
    );
}
