//! Every rule of a kind: at its limit and past it.

use serde_json::{Value, json};

use super::super::company::{AGENTID, Company, HOUR};
use super::super::trial::{MP4, PNG, START, send_kind, send_text, upload, voice};

/// A company with an upload of each kind, by the kind's name.
fn stocked() -> (Company, impl Fn(&str) -> Value) {
    let mut company = Company::default();
    let files = [
        ("image", "plot.png", PNG.to_vec()),
        ("voice", "note.amr", voice(10)),
        ("video", "film.mp4", MP4.to_vec()),
        ("file", "报告.PDF", b"%PDF-1.7".to_vec()),
    ];
    let ids = files.map(|(kind, name, bytes)| {
        let answer = upload(&mut company, kind, name, &bytes);
        (kind, answer["media_id"].clone())
    });
    let id = move |kind: &str| {
        let found = ids.iter().find(|(known, _)| *known == kind);
        found.map_or(Value::Null, |(_, id)| id.clone())
    };
    (company, id)
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}

fn try_all(company: &mut Company, cases: Vec<(&str, Value, i64)>) {
    // Of each case as many as there are.
    company.phones.per_minute = usize::MAX;
    for (msgtype, inner, code) in cases {
        let answer = send_kind(company, msgtype, &inner);
        let shown: String = inner.to_string().chars().take(200).collect();
        assert_eq!(answer["errcode"], code, "{msgtype} {shown}: {answer}");
    }
}

/// An object of one article.
fn one(article: &Value) -> Value {
    json!({"articles": [article]})
}

#[test]
fn texts_and_files_must_be_there_and_of_their_kind() {
    let (mut company, id) = stocked();
    try_all(
        &mut company,
        vec![
            ("text", json!({}), 44004),
            ("text", json!({"content": 1}), 40058),
            ("markdown", json!({"content": ""}), 44004),
            ("markdown_v2", json!({"content": "x"}), 40008),
            ("image", json!({}), 41006),
            ("image", json!({"media_id": "unknown"}), 40007),
            ("image", json!({"media_id": id("file")}), 40007),
            ("image", json!({"media_id": id("image")}), 0),
            ("voice", json!({"media_id": id("image")}), 40007),
            ("voice", json!({"media_id": id("voice")}), 0),
            ("video", json!({"media_id": id("image")}), 40007),
            ("video", json!({"media_id": id("video")}), 0),
            ("file", json!({"media_id": id("image")}), 40007),
            ("file", json!({"media_id": id("file")}), 0),
            ("miniprogram_notice", json!({"appid": "wx1"}), 41016),
            (
                "miniprogram_notice",
                json!({"appid": "wx1", "title": "t"}),
                0,
            ),
        ],
    );
}

#[test]
fn a_textcard_must_be_whole() {
    let mut company = Company::default();
    let card = json!({"title": "t", "description": "d", "url": "https://x.example"});
    let long_url = format!("https://x.example/{}", "x".repeat(2048 - 18));
    try_all(
        &mut company,
        vec![
            ("textcard", json!({}), 40063),
            ("textcard", json!("text"), 40058),
            ("textcard", card.clone(), 0),
            ("textcard", with(card.clone(), "title", json!("")), 41016),
            (
                "textcard",
                with(card.clone(), "description", Value::Null),
                41033,
            ),
            ("textcard", with(card.clone(), "url", json!("")), 41010),
            (
                "textcard",
                with(card.clone(), "url", json!("x.example")),
                45034,
            ),
            (
                "textcard",
                with(card.clone(), "url", json!("ftp://x.example")),
                45034,
            ),
            ("textcard", with(card.clone(), "url", json!(long_url)), 0),
            ("textcard", with(card, "url", json!(long_url + "x")), 40039),
        ],
    );
}

#[test]
fn news_are_one_to_eight_articles_that_lead_somewhere() {
    let mut company = Company::default();
    let article = json!({"title": "t", "url": "http://x.example"});
    try_all(
        &mut company,
        vec![
            ("news", json!({"articles": []}), 45008),
            ("news", json!({"articles": vec![&article; 8]}), 0),
            ("news", json!({"articles": vec![&article; 9]}), 45008),
            ("news", json!({"articles": [1]}), 40058),
            (
                "news",
                one(&with(article.clone(), "title", json!(""))),
                41016,
            ),
            ("news", one(&with(article.clone(), "url", json!(""))), 41010),
            (
                "news",
                one(&with(article.clone(), "url", json!("x"))),
                45034,
            ),
            (
                "news",
                one(&with(article.clone(), "picurl", json!("x"))),
                45034,
            ),
            (
                "news",
                one(&json!({"title": "t", "appid": "wx1", "pagepath": "p".repeat(128)})),
                0,
            ),
            (
                "news",
                one(&json!({"title": "t", "appid": "wx1", "pagepath": "p".repeat(129)})),
                40058,
            ),
            ("news", one(&json!({"title": "t", "appid": "wx1"})), 41010),
        ],
    );
}

#[test]
fn mpnews_are_one_to_eight_articles_of_their_own() {
    let (mut company, id) = stocked();
    let essay = json!({"title": "t", "thumb_media_id": id("image"), "content": "<p>c</p>"});
    try_all(
        &mut company,
        vec![
            ("mpnews", json!({"articles": vec![&essay; 8]}), 0),
            ("mpnews", json!({"articles": vec![&essay; 9]}), 45008),
            (
                "mpnews",
                one(&with(essay.clone(), "title", json!(""))),
                41016,
            ),
            (
                "mpnews",
                one(&with(essay.clone(), "thumb_media_id", json!(""))),
                41006,
            ),
            (
                "mpnews",
                one(&with(essay.clone(), "thumb_media_id", id("file"))),
                40007,
            ),
            (
                "mpnews",
                one(&with(essay.clone(), "content", json!(""))),
                44004,
            ),
        ],
    );
}

#[test]
fn what_is_beyond_its_limit_is_cut_in_silence() {
    let (mut company, id) = stocked();
    let long = "好".repeat(200);
    let (at_128, at_512) = ("好".repeat(42) + "\u{fffd}", "好".repeat(170) + "\u{fffd}");
    let card = json!({"title": &long, "description": &long, "url": "https://x.example", "btntxt": "看看这个吧"});
    for (msgtype, inner, text) in [
        (
            "text",
            json!({"content": "x".repeat(2049)}),
            "x".repeat(2048),
        ),
        (
            "markdown",
            json!({"content": "x".repeat(2049)}),
            "x".repeat(2048),
        ),
        (
            "video",
            json!({"media_id": id("video"), "title": &long, "description": &long}),
            format!("[视频]\n{at_128}\n{at_512}"),
        ),
        (
            "file",
            json!({"media_id": id("file")}),
            "[文件] 报告.PDF".to_owned(),
        ),
        (
            "image",
            json!({"media_id": id("image")}),
            "[图片]".to_owned(),
        ),
        (
            "voice",
            json!({"media_id": id("voice")}),
            "[语音]".to_owned(),
        ),
        (
            "textcard",
            card.clone(),
            format!("{at_128}\n{at_512}\n看看这个: https://x.example"),
        ),
        (
            "news",
            json!({"articles": [{"title": &long, "description": &long, "url": "https://x.example"}]}),
            format!("{at_128}\n{at_512}\nhttps://x.example"),
        ),
        (
            "mpnews",
            json!({"articles": [{"title": &long, "digest": &long, "content": "c", "thumb_media_id": id("image")}]}),
            format!("{at_128}\n{at_512}"),
        ),
    ] {
        let answer = send_kind(&mut company, msgtype, &inner);
        assert_eq!(answer["errcode"], 0, "{msgtype}: {answer}");
        assert_eq!(
            company.phone("zhangsan").pop().unwrap().text,
            text,
            "{msgtype}"
        );
    }
    company.count_characters = true;
    send_kind(&mut company, "textcard", &card);
    let landed = company.phone("zhangsan").pop().unwrap();
    assert!(
        landed.text.starts_with(&("好".repeat(128) + "\n好")),
        "{landed:?}"
    );
}

#[test]
fn a_file_lands_with_its_bytes_and_its_name() {
    let (mut company, id) = stocked();
    send_kind(&mut company, "file", &json!({"media_id": id("file")}));
    let landed = company.phone("zhangsan").pop().unwrap();
    assert_eq!(landed.media[0].filename, "报告.PDF");
    assert_eq!(landed.media[0].bytes, b"%PDF-1.7"[..]);
}

#[test]
fn safe_protects_where_it_can_and_is_refused_where_it_must() {
    let (mut company, id) = stocked();
    let zip = upload(&mut company, "file", "logs.zip", b"PK\x03\x04...")["media_id"].clone();
    let essay =
        json!({"articles": [{"title": "t", "thumb_media_id": id("image"), "content": "c"}]});
    let news = json!({"articles": [{"title": "t", "url": "http://x.example"}]});
    for (msgtype, inner, safe, code, landed) in [
        ("text", json!({"content": "x"}), 1, 0, 1),
        ("text", json!({"content": "x"}), 2, 40059, 0),
        ("markdown", json!({"content": "x"}), 1, 0, 0),
        ("voice", json!({"media_id": id("voice")}), 1, 0, 0),
        ("image", json!({"media_id": id("image")}), 1, 0, 1),
        ("file", json!({"media_id": id("file")}), 1, 0, 1),
        ("file", json!({"media_id": zip.clone()}), 1, 40004, 0),
        ("file", json!({"media_id": zip}), 0, 0, 0),
        ("news", news.clone(), 1, 40074, 0),
        ("news", news, 0, 0, 0),
        ("mpnews", essay.clone(), 2, 0, 2),
        ("mpnews", essay, 3, 40059, 0),
    ] {
        let changes = json!({"msgtype": msgtype, msgtype: inner, "safe": safe});
        let answer = send_text(&mut company, START, &changes);
        assert_eq!(answer["errcode"], code, "{changes}: {answer}");
        if code == 0 {
            assert_eq!(
                company.phone("zhangsan").pop().unwrap().safe,
                landed,
                "{changes}"
            );
        }
    }
}

#[test]
fn an_upload_is_forgotten_after_three_days_or_when_told() {
    let (mut company, id) = stocked();
    let image = json!({"msgtype": "image", "image": {"media_id": id("image")}});
    let last = START + 72 * HOUR - std::time::Duration::from_secs(1);
    assert_eq!(send_text(&mut company, last, &image)["errcode"], 0);
    let late = send_text(&mut company, START + 72 * HOUR, &image);
    assert_eq!(late["errcode"], 40007);
    company.media.forget(id("image").as_str().unwrap());
    assert_eq!(send_text(&mut company, START, &image)["errcode"], 40007);
}

#[test]
fn a_template_card_has_a_type_a_title_and_an_action() {
    let mut company = Company::default();
    let title = json!({"title": "t"});
    let action = json!({"type": 1, "url": "https://x.example"});
    let card = |kind: &str| json!({"card_type": kind, "main_title": title, "card_action": action, "task_id": "a"});
    try_all(
        &mut company,
        vec![
            ("template_card", card("text_notice"), 0),
            ("template_card", card("poem"), 42031),
            (
                "template_card",
                with(card("news_notice"), "main_title", Value::Null),
                42033,
            ),
            (
                "template_card",
                with(card("text_notice"), "card_action", Value::Null),
                42045,
            ),
            (
                "template_card",
                with(card("vote_interaction"), "task_id", json!("")),
                42014,
            ),
            ("template_card", card("vote_interaction"), 43012),
        ],
    );
    company.callbacks.insert(AGENTID);
    try_all(
        &mut company,
        vec![("template_card", card("vote_interaction"), 0)],
    );
}
