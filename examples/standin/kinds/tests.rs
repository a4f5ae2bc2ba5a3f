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

/// An object but for one value.
fn with(object: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut object = object.clone();
    object[key] = value.into();
    object
}

fn try_all<const N: usize>(company: &mut Company, msgtype: &str, cases: [(Value, i64); N]) {
    // Of each case as many as there are.
    company.phones.per_minute = usize::MAX;
    for (inner, code) in cases {
        let answer = send_kind(company, msgtype, &inner);
        let shown: String = inner.to_string().chars().take(200).collect();
        assert_eq!(answer["errcode"], code, "{msgtype} {shown}: {answer}");
    }
}

/// An article but for one value, alone in its object.
fn one(article: &Value, key: &str, value: impl Into<Value>) -> Value {
    json!({"articles": [with(article, key, value)]})
}

#[test]
fn texts_and_files_must_be_there_and_of_their_kind() {
    let (mut company, id) = stocked();
    let company = &mut company;
    try_all(
        company,
        "text",
        [(json!({}), 44004), (json!({"content": 1}), 40058)],
    );
    try_all(company, "markdown", [(json!({"content": ""}), 44004)]);
    try_all(company, "markdown_v2", [(json!({"content": "x"}), 40008)]);
    let cases = [(json!({}), 41006), (json!({"media_id": "unknown"}), 40007)];
    try_all(company, "image", cases);
    for (kind, other) in [
        ("image", "file"),
        ("voice", "image"),
        ("video", "image"),
        ("file", "image"),
    ] {
        let [own, wrong] = [kind, other].map(|of| json!({"media_id": id(of)}));
        try_all(company, kind, [(wrong, 40007), (own, 0)]);
    }
    let notice = json!({"appid": "wx1", "title": "t"});
    let cases = [(json!({"appid": "wx1"}), 41016), (notice, 0)];
    try_all(company, "miniprogram_notice", cases);
}

#[test]
fn a_textcard_must_be_whole() {
    let card = json!({"title": "t", "description": "d", "url": "https://x.example"});
    let long_url = format!("https://x.example/{}", "x".repeat(2048 - 18));
    let cases = [
        (json!({}), 40063),
        (json!("text"), 40058),
        (card.clone(), 0),
        (with(&card, "title", ""), 41016),
        (with(&card, "description", Value::Null), 41033),
        (with(&card, "url", ""), 41010),
        (with(&card, "url", "x.example"), 45034),
        (with(&card, "url", "ftp://x.example"), 45034),
        (with(&card, "url", &*long_url), 0),
        (with(&card, "url", long_url.clone() + "x"), 40039),
    ];
    try_all(&mut Company::default(), "textcard", cases);
}

#[test]
fn news_are_one_to_eight_articles_that_lead_somewhere() {
    let article = json!({"title": "t", "url": "http://x.example"});
    let program = json!({"title": "t", "appid": "wx1"});
    let cases = [
        (json!({"articles": []}), 45008),
        (json!({"articles": vec![&article; 8]}), 0),
        (json!({"articles": vec![&article; 9]}), 45008),
        (json!({"articles": [1]}), 40058),
        (one(&article, "title", ""), 41016),
        (one(&article, "url", ""), 41010),
        (one(&article, "url", "x"), 45034),
        (one(&article, "picurl", "x"), 45034),
        (one(&program, "pagepath", "p".repeat(128)), 0),
        (one(&program, "pagepath", "p".repeat(129)), 40058),
        (json!({"articles": [program]}), 41010),
    ];
    try_all(&mut Company::default(), "news", cases);
}

#[test]
fn mpnews_are_one_to_eight_articles_of_their_own() {
    let (mut company, id) = stocked();
    let essay = json!({"title": "t", "thumb_media_id": id("image"), "content": "<p>c</p>"});
    let cases = [
        (json!({"articles": vec![&essay; 8]}), 0),
        (json!({"articles": vec![&essay; 9]}), 45008),
        (one(&essay, "title", ""), 41016),
        (one(&essay, "thumb_media_id", ""), 41006),
        (one(&essay, "thumb_media_id", id("file")), 40007),
        (one(&essay, "content", ""), 44004),
        (one(&essay, "content", "x".repeat(666 << 10)), 0),
        (one(&essay, "content", "x".repeat((666 << 10) + 1)), 45002),
        (one(&essay, "author", "x".repeat(65)), 45032),
    ];
    try_all(&mut company, "mpnews", cases);
}

#[test]
fn what_is_beyond_its_limit_is_cut_in_silence() {
    let (mut company, id) = stocked();
    let long = "好".repeat(200);
    let (at_128, at_512) = ("好".repeat(42) + "\u{fffd}", "好".repeat(170) + "\u{fffd}");
    let card = json!({"title": &long, "description": &long, "url": "https://x.example", "btntxt": "看看这个吧"});
    let cut = json!({"content": "x".repeat(2049)});
    let film = json!({"media_id": id("video"), "title": &long, "description": &long});
    let [file, image, voice] = ["file", "image", "voice"].map(|kind| json!({"media_id": id(kind)}));
    let article = json!({"title": &long, "description": &long, "url": "https://x.example"});
    let essay =
        json!({"title": &long, "digest": &long, "content": "c", "thumb_media_id": id("image")});
    let (two, shorter) = (format!("{at_128}\n{at_512}"), "x".repeat(2048));
    for (msgtype, inner, text) in [
        ("text", &cut, &*shorter),
        ("markdown", &cut, &shorter),
        ("video", &film, &format!("[视频]\n{two}")),
        ("file", &file, "[文件] 报告.PDF"),
        ("image", &image, "[图片]"),
        ("voice", &voice, "[语音]"),
        (
            "textcard",
            &card,
            &format!("{two}\n看看这个: https://x.example"),
        ),
        (
            "news",
            &json!({"articles": [article]}),
            &format!("{two}\nhttps://x.example"),
        ),
        ("mpnews", &json!({"articles": [essay]}), &two),
    ] {
        let answer = send_kind(&mut company, msgtype, inner);
        assert_eq!(answer["errcode"], 0, "{msgtype}: {answer}");
        let landed = company.phone("zhangsan").pop().unwrap();
        assert_eq!(landed.text, text, "{msgtype}");
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
    let cases = [
        (card("text_notice"), 0),
        (card("poem"), 42031),
        (with(&card("news_notice"), "main_title", Value::Null), 42033),
        (
            with(&card("text_notice"), "card_action", Value::Null),
            42045,
        ),
        (with(&card("vote_interaction"), "task_id", ""), 42014),
        (card("vote_interaction"), 43012),
    ];
    try_all(&mut company, "template_card", cases);
    company.callbacks.insert(AGENTID);
    let vote = [(card("vote_interaction"), 0)];
    try_all(&mut company, "template_card", vote);
}
