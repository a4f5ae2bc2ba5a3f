//! The rules of tokens, of receivers and of what lands, tried without a server.

use serde_json::Value;

use super::super::trial::{
    START, ask, json_call as call, json_of, send_text as send, token, with_token,
};
use super::*;

#[test]
fn refusals_have_wecoms_codes() {
    let cases = [
        (json!({"agentid": "1000002"}), 40056),
        (json!({"agentid": 7}), 40056),
        (json!({"msgtype": "smoke"}), 40008),
        (json!({"touser": ""}), 82001),
        (json!({"touser": "a|".repeat(1001)}), 40032),
        (json!({"toparty": "1|".repeat(101)}), 82002),
        (json!({"totag": "1|".repeat(101)}), 82003),
        (json!({"touser": ["zhangsan"]}), 40058),
        (json!({"text": {"content": ""}}), 44004),
        (json!({"text": {"content": "\u{1b}"}}), 40033),
        (json!({"text": {"content": "\\u001b"}}), 0),
        (json!({"touser": "nobody", "toparty": "9"}), 81013),
    ];
    for (changes, code) in cases {
        let answer = send(&mut Company::default(), START, &changes);
        assert_eq!(answer["errcode"], code, "{changes}: {answer}");
    }
}

#[test]
fn a_partial_delivery_names_whom_it_missed() {
    let mut company = Company::default();
    company.members.get_mut("lisi").unwrap().unlicensed = true;
    let to = json!({"touser": "ZhangSan|LiSi|Nobody", "toparty": "9|2", "totag": "x"});
    let answer = send(&mut company, START, &to);
    assert_eq!(answer["errcode"], 0);
    assert_eq!(answer["invaliduser"], "nobody");
    assert_eq!(answer["invalidparty"], "9");
    assert_eq!(answer["invalidtag"], "x");
    assert_eq!(answer["unlicenseduser"], "lisi");
    let reached: Vec<_> = company
        .phones
        .all()
        .map(|(userid, _)| userid.to_owned())
        .collect();
    assert_eq!(reached, ["wangwu", "zhangsan"]);
}

#[test]
fn long_content_is_cut_between_bytes_in_silence() {
    let mut company = Company::default();
    let answer = send(
        &mut company,
        START,
        &json!({"text": {"content": "好".repeat(700)}}),
    );
    assert_eq!(answer["errcode"], 0);
    assert_eq!(
        company.phone("zhangsan")[0].text,
        "好".repeat(682) + "\u{fffd}"
    );
}

#[test]
fn the_thirty_first_message_in_a_minute_is_dropped_in_silence() {
    let mut company = Company::default();
    for _ in 0..31 {
        assert_eq!(send(&mut company, START, &json!({}))["errcode"], 0);
    }
    assert_eq!(company.phone("zhangsan").len(), 30);
    assert_eq!(company.phones.dropped, 1);
    send(&mut company, START + Duration::from_mins(1), &json!({}));
    assert_eq!(company.phone("zhangsan").len(), 31);
}

#[test]
fn a_flagged_repeat_is_swallowed_and_an_unflagged_first_is_a_switch() {
    for (match_unflagged, first, landed) in [(false, 1, 1), (false, 0, 2), (true, 0, 1)] {
        let mut company = Company::default();
        company.phones.match_unflagged = match_unflagged;
        send(
            &mut company,
            START,
            &json!({"enable_duplicate_check": first}),
        );
        send(&mut company, START, &json!({"enable_duplicate_check": 1}));
        assert_eq!(company.phone("zhangsan").len(), landed);
        send(
            &mut company,
            START + HOUR,
            &json!({"enable_duplicate_check": 1}),
        );
        assert_eq!(company.phone("zhangsan").len(), landed + 1);
    }
}

#[test]
fn tokens_die_early_and_in_time_and_those_who_insist_are_barred() {
    let mut company = Company::default();
    company.tokens.failing_calls = 2;
    let old = token(&mut company);
    assert_ne!(old, token(&mut company));
    let agent = format!("/cgi-bin/agent/get?agentid={AGENTID}&access_token={old}");
    assert_eq!(call(&mut company, &agent, START, &Value::Null)["close"], 0);
    assert_eq!(
        call(&mut company, &agent, START + 2 * HOUR, &Value::Null)["errcode"],
        42001
    );
    company.tokens.revoke_all();
    assert_eq!(
        call(&mut company, &agent, START, &Value::Null)["errcode"],
        40014
    );
    let wrong = format!("/cgi-bin/gettoken?corpid={CORPID}&corpsecret=wrong");
    for (minute, code) in [(0, 40001), (1, 40001), (2, 45009), (60, 45009), (61, 40001)] {
        let now = START + Duration::from_mins(minute);
        assert_eq!(
            call(&mut company, &wrong, now, &Value::Null)["errcode"],
            code
        );
    }
}

#[test]
fn the_directory_is_that_of_the_members() {
    let mut company = Company::default();
    let mut get = |path: &str| with_token(&mut company, path, START, &Value::Null);
    assert_eq!(get("user/get?userid=ZhangSan")["department"], json!([1, 2]));
    assert_eq!(get("user/get?userid=nobody")["errcode"], 60111);
    let root = json!({"id": 1, "parentid": 0, "order": 100_001});
    assert_eq!(get("department/simplelist")["department_id"][0], root);
    assert_eq!(get("tag/list")["taglist"][1]["tagid"], 2);
    assert_eq!(get("tag/get?tagid=1")["userlist"][1]["userid"], "zhangsan");
    assert_eq!(get("tag/get?tagid=9")["errcode"], 40068);
    assert_eq!(get("user/get?userid=lisi")["status"], 1);
    let addresses = get("get_api_domain_ip");
    assert!(addresses["ip_list"].is_array() && addresses["errcode"].is_null());
    let app = company.apps.get_mut(&AGENTID).unwrap();
    app.parties = BTreeSet::from([2]);
    let unseen = with_token(
        &mut company,
        "user/get?userid=member01",
        START,
        &Value::Null,
    );
    assert_eq!(unseen["errcode"], 60011);
    company.members.get_mut("lisi").unwrap().unjoined = true;
    let mut get = |path: &str| with_token(&mut company, path, START, &Value::Null);
    assert_eq!(get("user/get?userid=lisi")["status"], 4);
    let ids = get("department/simplelist")["department_id"].clone();
    assert_eq!(ids[0]["id"], 2);
    assert_eq!(ids[1], Value::Null);
}

#[test]
fn another_method_is_refused() {
    for (path, method, _) in ENDPOINTS {
        let mut company = Company::default();
        let path = format!("/cgi-bin/{path}?x=y");
        let body = (method == "GET").then_some(&b"{}"[..]);
        let answer = json_of(ask(&mut company, START, &path, "application/json", body));
        assert_eq!(answer["errcode"], 40058, "{path}");
    }
}
