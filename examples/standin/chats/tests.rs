//! Chats made, changed and written to; and what they are not.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::company::{AGENTID, Company};
use super::super::trial::{PNG, START, send_text, upload, with_token};
use super::*;

fn post(company: &mut Company, call: &str, body: &Value) -> Value {
    with_token(company, &format!("appchat/{call}"), START, body)
}

fn get(company: &mut Company, chatid: &str) -> Value {
    let path = format!("appchat/get?chatid={chatid}");
    with_token(company, &path, START, &Value::Null)
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
    assert_eq!(answer["errcode"], 0);
    assert_eq!(answer["chatid"], made["chatid"]);
    let changes = json!({"chatid": "Night7", "name": "日", "owner": "zhangsan", "add_user_list": ["zhangsan"], "del_user_list": ["lisi"]});
    assert_eq!(post(&mut company, "update", &changes)["errcode"], 0);
    let shown = get(&mut company, "Night7");
    assert_eq!(
        shown["chat_info"],
        json!({"chatid": "Night7", "name": "日", "owner": "zhangsan", "userlist": ["wangwu", "zhangsan"], "chat_type": 0})
    );
    let two = json!({"userlist": ["lisi", "wangwu"], "name": "夜".repeat(51)});
    let unnamed = post(&mut company, "create", &two);
    let chatid = unnamed["chatid"].as_str().unwrap();
    assert_eq!(chatid.len(), 32);
    assert_eq!(company.chats[chatid].name, "夜".repeat(50));
}

/// A call, what it gets, where CHAT is the company's chat and two are members, and its errcode.
const CALLS: &str = r#"
create | {"userlist": ["lisi"]} | 86006
create | {} | 86006
create | {"userlist": "lisi|wangwu"} | 40058
create | {"userlist": ["lisi", "nobody"]} | 86216
create | {"userlist": TWO, "owner": "nobody"} | 86005
create | {"userlist": TWO, "owner": "zhangsan"} | 86207
create | {"userlist": TWO, "chatid": "x32"} | 0
create | {"userlist": TWO, "chatid": "x33"} | 86001
create | {"userlist": TWO, "chatid": "night-7"} | 86001
create | {"userlist": TWO, "chatid": "CHAT"} | 86215
update | {"name": "x"} | 86003
update | {"chatid": "none"} | 40050
update | {"chatid": "CHAT", "del_user_list": TWO} | 86006
update | {"chatid": "CHAT", "del_user_list": ["nobody"]} | 86216
update | {"chatid": "CHAT", "add_user_list": ["nobody"]} | 86216
update | {"chatid": "CHAT", "owner": "member01"} | 86207
send   | {"chatid": "", "msgtype": "text", "text": {"content": "x"}} | 86003
send   | {"chatid": "none", "msgtype": "text", "text": {"content": "x"}} | 40050
send   | {"chatid": "CHAT", "msgtype": "text", "text": {"content": "x"}} | 0
send   | {"chatid": "CHAT", "msgtype": "text", "text": {"content": "x"}, "safe": 2} | 40059
send   | {"chatid": "CHAT", "msgtype": "text", "text": {}} | 44004
send   | {"chatid": "CHAT", "msgtype": "template_card", "template_card": {}} | 40008
send   | {"chatid": "CHAT", "msgtype": "miniprogram_notice"} | 40008
send   | {"chatid": "CHAT", "msgtype": "markdown_v2"} | 40008
"#;

#[test]
fn what_is_wrong_with_a_chat_is_refused_by_its_code() {
    for row in CALLS.trim().lines() {
        let (call, row) = row.split_once('|').unwrap();
        let (body, code) = row.rsplit_once('|').unwrap();
        let body = body
            .replace("CHAT", CHATID)
            .replace("TWO", r#"["lisi", "wangwu"]"#);
        let body = ["x32", "x33"]
            .into_iter()
            .zip(32..)
            .fold(body, |body, (mark, size)| {
                body.replace(mark, &"x".repeat(size))
            });
        let body = serde_json::from_str(&body).unwrap();
        let answer = post(&mut Company::default(), call.trim(), &body);
        assert_eq!(
            answer["errcode"].to_string(),
            code.trim(),
            "{row}: {answer}"
        );
    }
}

#[test]
fn a_chat_is_its_apps_own_and_the_app_must_see_all() {
    let mut company = Company::default();
    give_away(&mut company);
    assert_eq!(post(&mut company, "send", &text(CHATID))["errcode"], 86008);
    assert_eq!(get(&mut company, CHATID)["errcode"], 86008);
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
        assert_eq!((landed.safe, &*landed.msgid), (1, ""));
        assert_eq!(landed.media[0].bytes, PNG);
    }
    assert!(company.phone("member01").is_empty());
}

#[test]
fn past_two_hundred_a_minute_it_is_dropped_in_silence_apart_from_other_messages() {
    let mut company = Company::default();
    for _ in 0..201 {
        assert_eq!(post(&mut company, "send", &text(CHATID))["errcode"], 0);
    }
    assert_eq!(company.phone("lisi").len(), 200);
    assert_eq!(company.phones.dropped, 3);
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
    let (two, chat) = (
        json!({"userlist": ["lisi", "wangwu"]}),
        json!({"chatid": CHATID}),
    );
    for (call, body, hours, code) in [
        ("create", &two, 0, 45009),
        ("update", &chat, 0, 45009),
        ("update", &chat, 1, 0),
        ("create", &two, 24, 0),
    ] {
        let path = format!("appchat/{call}");
        let answer = with_token(&mut company, &path, START + hours * HOUR, body);
        assert_eq!(answer["errcode"], code, "{call} in {hours} h");
    }
}
