//! Chats made, changed and written to; and what they are not.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::company::{AGENTID, Company};
use super::super::trial::{PNG, START, send_text, upload, with_token};
use super::*;

fn post(company: &mut Company, call: &str, body: &Value) -> Value {
    with_token(company, &format!("appchat/{call}"), START, body)
}

fn text(chatid: &str) -> Value {
    json!({"chatid": chatid, "msgtype": "text", "text": {"content": "x"}})
}

/// Gives the company's one chat to another app.
fn give_away(company: &mut Company) {
    company.chats.get_mut(CHATID).unwrap().agentid = 7;
}

#[test]
fn a_chat_is_made_read_and_changed() {
    let mut company = Company::default();
    let made = json!({"chatid": "Night7", "name": "夜".repeat(51), "owner": "LiSi", "userlist": ["lisi", "wangwu"]});
    let answer = post(&mut company, "create", &made);
    assert_eq!(
        (&answer["errcode"], &answer["chatid"]),
        (&json!(0), &json!("Night7"))
    );
    let changes = json!({"chatid": "Night7", "name": "日", "owner": "zhangsan", "add_user_list": ["zhangsan"], "del_user_list": ["lisi"]});
    assert_eq!(post(&mut company, "update", &changes)["errcode"], 0);
    let shown = with_token(
        &mut company,
        "appchat/get?chatid=Night7",
        START,
        &Value::Null,
    );
    assert_eq!(
        shown["chat_info"],
        json!({"chatid": "Night7", "name": "日", "owner": "zhangsan", "userlist": ["wangwu", "zhangsan"], "chat_type": 0})
    );
    let unnamed = post(
        &mut company,
        "create",
        &json!({"userlist": ["lisi", "wangwu"], "name": "夜".repeat(51)}),
    );
    let chatid = unnamed["chatid"].as_str().unwrap();
    assert_eq!(
        (chatid.len(), &company.chats[chatid].name),
        (32, &"夜".repeat(50))
    );
}

#[test]
fn what_is_wrong_with_a_chat_is_refused_by_its_code() {
    let two = json!(["lisi", "wangwu"]);
    for (call, body, code) in [
        ("create", json!({"userlist": ["lisi"]}), 86006),
        ("create", json!({}), 86006),
        ("create", json!({"userlist": "lisi|wangwu"}), 40058),
        ("create", json!({"userlist": ["lisi", "nobody"]}), 86216),
        ("create", json!({"userlist": two, "owner": "nobody"}), 86005),
        (
            "create",
            json!({"userlist": two, "owner": "zhangsan"}),
            86207,
        ),
        (
            "create",
            json!({"userlist": two, "chatid": "x".repeat(32)}),
            0,
        ),
        (
            "create",
            json!({"userlist": two, "chatid": "x".repeat(33)}),
            86001,
        ),
        (
            "create",
            json!({"userlist": two, "chatid": "night-7"}),
            86001,
        ),
        ("create", json!({"userlist": two, "chatid": CHATID}), 86215),
        ("update", json!({"name": "x"}), 86003),
        ("update", json!({"chatid": "none"}), 40050),
        (
            "update",
            json!({"chatid": CHATID, "del_user_list": ["lisi", "wangwu"]}),
            86006,
        ),
        (
            "update",
            json!({"chatid": CHATID, "del_user_list": ["nobody"]}),
            86216,
        ),
        (
            "update",
            json!({"chatid": CHATID, "add_user_list": ["nobody"]}),
            86216,
        ),
        (
            "update",
            json!({"chatid": CHATID, "owner": "member01"}),
            86207,
        ),
        ("send", text(""), 86003),
        ("send", text("none"), 40050),
        ("send", text(CHATID), 0),
        (
            "send",
            json!({"chatid": CHATID, "msgtype": "text", "text": {}}),
            44004,
        ),
        (
            "send",
            json!({"chatid": CHATID, "msgtype": "template_card", "template_card": {}}),
            40008,
        ),
        (
            "send",
            json!({"chatid": CHATID, "msgtype": "miniprogram_notice"}),
            40008,
        ),
        (
            "send",
            json!({"chatid": CHATID, "msgtype": "markdown_v2"}),
            40008,
        ),
        (
            "send",
            json!({"chatid": CHATID, "msgtype": "text", "text": {"content": "x"}, "safe": 2}),
            40059,
        ),
    ] {
        let answer = post(&mut Company::default(), call, &body);
        assert_eq!(answer["errcode"], code, "{call} {body}: {answer}");
    }
}

#[test]
fn a_chat_is_its_apps_own_and_the_app_must_see_all() {
    let mut company = Company::default();
    give_away(&mut company);
    assert_eq!(post(&mut company, "send", &text(CHATID))["errcode"], 86008);
    let get = format!("appchat/get?chatid={CHATID}");
    assert_eq!(
        with_token(&mut company, &get, START, &Value::Null)["errcode"],
        86008
    );
    let app = company.apps.get_mut(&AGENTID).unwrap();
    app.parties = BTreeSet::from([2]);
    assert_eq!(post(&mut company, "send", &text(CHATID))["errcode"], 48002);
}

#[test]
fn a_message_lands_in_the_chat_of_each_member_and_cannot_be_recalled() {
    let mut company = Company::default();
    let media_id = upload(&mut company, "image", "p.png", PNG)["media_id"].clone();
    let body =
        json!({"chatid": CHATID, "msgtype": "image", "image": {"media_id": media_id}, "safe": 1});
    let answer = post(&mut company, "send", &body);
    assert_eq!(answer, json!({"errcode": 0, "errmsg": "ok"}));
    for userid in ["zhangsan", "lisi", "wangwu"] {
        let landed = company.phone(userid).pop().unwrap();
        assert_eq!(landed.chatid.as_deref(), Some(CHATID));
        assert_eq!(
            (landed.safe, &*landed.msgid, &*landed.media[0].bytes),
            (1, "", PNG)
        );
    }
    assert!(company.phone("member01").is_empty());
}

#[test]
fn past_two_hundred_a_minute_it_is_dropped_in_silence_apart_from_other_messages() {
    let mut company = Company::default();
    for _ in 0..201 {
        assert_eq!(post(&mut company, "send", &text(CHATID))["errcode"], 0);
    }
    assert_eq!(
        (company.phone("lisi").len(), company.phones.dropped),
        (200, 3)
    );
    send_text(&mut company, START, &json!({"touser": "lisi"}));
    assert_eq!(company.phone("lisi").len(), 201);
    let later = START + Duration::from_mins(1);
    with_token(&mut company, "appchat/send", later, &text(CHATID));
    assert_eq!(company.phone("lisi").len(), 202);
    company.phones.chat_per_day = 201;
    with_token(&mut company, "appchat/send", later, &text(CHATID));
    assert_eq!(company.phone("lisi").len(), 202);
}

#[test]
fn a_company_makes_a_thousand_chats_a_day() {
    let mut company = Company::default();
    company.chat_calls.made = vec![START; 1000];
    company.chat_calls.changed = vec![START; 1000];
    let two = json!({"userlist": ["lisi", "wangwu"]});
    assert_eq!(post(&mut company, "create", &two)["errcode"], 45009);
    assert_eq!(
        post(&mut company, "update", &json!({"chatid": CHATID}))["errcode"],
        45009
    );
    let later = START + HOUR;
    let update = with_token(
        &mut company,
        "appchat/update",
        later,
        &json!({"chatid": CHATID}),
    );
    assert_eq!(update["errcode"], 0);
    let tomorrow = START + 24 * HOUR;
    assert_eq!(
        with_token(&mut company, "appchat/create", tomorrow, &two)["errcode"],
        0
    );
}
