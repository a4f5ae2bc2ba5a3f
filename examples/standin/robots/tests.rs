//! What a robot takes, from whom, and how often.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::company::HOUR;
use super::super::digest::md5_hex;
use super::super::trial::{FORM, PNG, START, ask, form, json_call, json_of, upload, voice};
use super::*;

/// PNG in base64.
const PICTURE: &str = "iVBORw0KGgogYSBwbG90";

fn send(company: &mut Company, body: &Value) -> Value {
    // Of each case as many as there are.
    company.robots.get_mut(ROBOT_KEY).unwrap().per_minute = usize::MAX;
    let path = format!("/cgi-bin/webhook/send?key={ROBOT_KEY}");
    json_call(company, &path, START, body)
}

/// Gives it another robot.
fn second(company: &mut Company) {
    let other = Robot::new("other");
    company.robots.insert("other".to_owned(), other);
}

fn text() -> Value {
    json!({"msgtype": "text", "text": {"content": "x"}})
}

fn upload_to(company: &mut Company, key: &str, kind: &str, bytes: &[u8]) -> Value {
    let path = format!("/cgi-bin/webhook/upload_media?key={key}&type={kind}");
    let body = form(r#"name="media"; filename="报告.txt""#, bytes);
    json_of(ask(company, START, &path, FORM, Some(&body)))
}

#[test]
fn every_kind_has_its_own_limits() {
    let mut company = Company::default();
    let of_app = upload(&mut company, "file", "f", b"123456")["media_id"].clone();
    let of_robot = upload_to(&mut company, ROBOT_KEY, "file", b"123456");
    assert_eq!(of_robot["errmsg"], "ok");
    let file = of_robot["media_id"].clone();
    let note = upload_to(&mut company, ROBOT_KEY, "voice", &voice(9))["media_id"].clone();
    second(&mut company);
    let of_other = upload_to(&mut company, "other", "file", b"123456")["media_id"].clone();
    let content = |size: usize| json!({"content": "x".repeat(size)});
    let image = |base64: &str, md5: &str| json!({"base64": base64, "md5": md5});
    let md5 = md5_hex(PNG);
    let both = json!({"content": "x", "mentioned_list": ["@all"], "mentioned_mobile_list": ["1"]});
    let no_list = json!({"content": "x", "mentioned_list": "@all"});
    let large = "AAAA".repeat((2 << 20) / 3 + 1);
    let article = json!({"title": "t", "url": "http://x.example"});
    let program = json!({"title": "t", "appid": "a", "pagepath": "p"});
    for (msgtype, inner, code) in [
        ("text", content(0), 44004),
        ("text", content(2048), 0),
        ("text", content(2049), 40058),
        ("text", both, 0),
        ("text", no_list, 40058),
        ("markdown", content(4096), 0),
        ("markdown", content(4097), 40058),
        ("markdown_v2", content(4096), 0),
        ("markdown_v2", content(4097), 40058),
        ("image", image(PICTURE, &md5), 0),
        ("image", image(PICTURE, &md5.to_uppercase()), 301_019),
        ("image", image(PICTURE, ""), 40058),
        ("image", image("", &md5), 40058),
        ("image", image(&format!("{PICTURE}\n"), &md5), 40123),
        ("image", image("Zm9vYmFy", &md5_hex(b"foobar")), 40123),
        ("image", image(&large, "md5"), 40009),
        ("image", json!({"media_id": file}), 40058),
        ("news", json!({"articles": vec![&article; 8]}), 0),
        ("news", json!({"articles": vec![&article; 9]}), 45008),
        ("news", json!({"articles": [program]}), 41010),
        ("news", json!({"articles": [{"url": "http://x"}]}), 41016),
        ("file", json!({"media_id": &file}), 0),
        ("file", json!({"media_id": of_app}), 40007),
        ("file", json!({"media_id": of_other}), 40007),
        ("file", json!({"media_id": &note}), 40007),
        ("voice", json!({"media_id": &note}), 0),
        ("video", json!({"media_id": &note}), 40008),
        ("textcard", json!({}), 40008),
        ("mpnews", json!({}), 40008),
    ] {
        let answer = send(&mut company, &json!({"msgtype": msgtype, msgtype: inner}));
        let shown: String = inner.to_string().chars().take(200).collect();
        assert_eq!(answer["errcode"], code, "{msgtype} {shown}: {answer}");
    }
    let to_app = json!({"msgtype": "file", "file": {"media_id": file}});
    let answer = super::super::trial::send_text(&mut company, START, &to_app);
    assert_eq!(answer["errcode"], 40007);
}

#[test]
fn what_is_too_long_is_refused_in_wecoms_words() {
    let mut company = Company::default();
    for (msgtype, most) in [("text", 2048), ("markdown", 4096), ("markdown_v2", 4096)] {
        let body = json!({"msgtype": msgtype, msgtype: {"content": "x".repeat(most + 1)}});
        let answer = send(&mut company, &body);
        let begins = format!("{msgtype}.content exceed max length {most}. invalid Request");
        assert!(answer["errmsg"].as_str().unwrap().starts_with(&begins));
    }
    assert!(company.group(ROBOT_KEY).is_empty());
    company.robots.get_mut(ROBOT_KEY).unwrap().text_most = 5120;
    let body = json!({"msgtype": "text", "text": {"content": "x".repeat(5120)}});
    assert_eq!(send(&mut company, &body)["errcode"], 0);
    assert_eq!(company.group(ROBOT_KEY)[0].text.len(), 5120);
}

#[test]
fn a_picture_and_a_file_land_with_their_bytes() {
    let mut company = Company::default();
    let media_id = upload_to(&mut company, ROBOT_KEY, "file", b"123456")["media_id"].clone();
    let image = json!({"base64": PICTURE, "md5": md5_hex(PNG)});
    send(&mut company, &json!({"msgtype": "image", "image": image}));
    let file = json!({"media_id": media_id});
    send(&mut company, &json!({"msgtype": "file", "file": file}));
    let landed = company.group(ROBOT_KEY).iter();
    let landed: Vec<_> = landed.map(|it| (&*it.text, &*it.media[0].bytes)).collect();
    assert_eq!(landed, [("[图片]", PNG), ("[文件] 报告.txt", b"123456")]);
}

#[test]
fn a_robot_takes_files_and_voices_alone() {
    for (kind, bytes, code) in [
        ("file", b"123456".to_vec(), 0),
        ("file", b"12345".to_vec(), 40006),
        ("voice", b"123456".to_vec(), 301_017),
        ("image", PNG.to_vec(), 40005),
        ("video", b"123456".to_vec(), 40005),
    ] {
        let answer = upload_to(&mut Company::default(), ROBOT_KEY, kind, &bytes);
        assert_eq!(answer["errcode"], code, "{kind}: {answer}");
    }
}

#[test]
fn the_key_is_all_it_asks_for() {
    let mut company = Company {
        trusted_ips: Some(vec![IpAddr::from([192, 0, 2, 1])]),
        ..Company::default()
    };
    assert_eq!(send(&mut company, &text())["errcode"], 0);
    for query in ["key=", "key=wrong", "other=x"] {
        let path = format!("/cgi-bin/webhook/send?{query}");
        let answer = json_call(&mut company, &path, START, &text());
        assert_eq!(answer["errcode"], 93000, "{query}");
    }
    let upload = upload_to(&mut company, "wrong", "file", b"123456");
    assert_eq!(upload["errcode"], 93000);
    company.robots.get_mut(ROBOT_KEY).unwrap().enabled = false;
    assert_eq!(send(&mut company, &text())["errcode"], 93004);
    let upload = upload_to(&mut company, ROBOT_KEY, "file", b"123456");
    assert_eq!(upload["errcode"], 93004);
}

#[test]
fn twenty_a_minute_are_taken_and_failed_ones_count() {
    let mut company = Company::default();
    second(&mut company);
    let path = format!("/cgi-bin/webhook/send?key={ROBOT_KEY}");
    let mut at = |seconds, body: &Value| {
        let now = START + Duration::from_secs(seconds);
        json_call(&mut company, &path, now, body)["errcode"].clone()
    };
    for _ in 0..10 {
        assert_eq!(at(0, &text()), 0);
        assert_eq!(at(0, &json!({"msgtype": "smoke"})), 40008);
    }
    assert_eq!(at(0, &text()), 45009);
    assert_eq!(at(59, &text()), 45009);
    assert_eq!(at(60, &text()), 0);
    let path = "/cgi-bin/webhook/send?key=other";
    let other = json_call(&mut company, path, START, &text());
    assert_eq!(other["errcode"], 0);
    assert_eq!(company.group(ROBOT_KEY).len(), 11);
    assert_eq!(company.group("other").len(), 1);
}

#[test]
fn a_robots_upload_lives_three_days() {
    let mut company = Company::default();
    let media_id = upload_to(&mut company, ROBOT_KEY, "file", b"123456")["media_id"].clone();
    let body = json!({"msgtype": "file", "file": {"media_id": media_id}});
    let path = format!("/cgi-bin/webhook/send?key={ROBOT_KEY}");
    for (hours, code) in [(71, 0), (72, 40007)] {
        let answer = json_call(&mut company, &path, START + hours * HOUR, &body);
        assert_eq!(answer["errcode"], code, "{hours} h");
    }
}
