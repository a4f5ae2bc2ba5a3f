//! What can be taken back, and what that costs.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::company::{AGENTID, Company, HOUR};
use super::super::trial::{START, send_text, with_token};

#[test]
fn a_message_is_recalled_within_a_day_by_its_app_alone() {
    let mut company = Company::default();
    let msgid =
        send_text(&mut company, START, &json!({"touser": "zhangsan|lisi"}))["msgid"].clone();
    let kept = send_text(&mut company, START, &json!({}))["msgid"].clone();
    let recall = |company: &mut Company, now, msgid: &Value| {
        with_token(company, "message/recall", now, &json!({"msgid": msgid}))["errcode"].clone()
    };
    assert_eq!(recall(&mut company, START, &json!("unknown")), 40058);
    assert_eq!(recall(&mut company, START, &json!("")), 40058);
    assert_eq!(recall(&mut company, START + 24 * HOUR, &msgid), 42052);
    let mut app = company.apps.remove(&AGENTID).unwrap();
    company.apps.insert(7, app);
    assert_eq!(recall(&mut company, START, &msgid), 40058);
    app = company.apps.remove(&7).unwrap();
    company.apps.insert(AGENTID, app);
    assert_eq!(company.phone("lisi").len(), 1);
    let last = START + 24 * HOUR - Duration::from_secs(1);
    assert_eq!(recall(&mut company, last, &msgid), 0);
    assert_eq!(company.phone("lisi").len(), 0);
    let left = company.phone("zhangsan");
    assert_eq!(
        left.iter().map(|one| &one.msgid).collect::<Vec<_>>(),
        [kept.as_str().unwrap()]
    );
}

#[test]
fn what_was_recalled_counts_against_the_rate_all_the_same() {
    let mut company = Company::default();
    company.phones.per_minute = 1;
    let msgid = send_text(&mut company, START, &json!({}))["msgid"].clone();
    with_token(
        &mut company,
        "message/recall",
        START,
        &json!({"msgid": msgid}),
    );
    send_text(&mut company, START, &json!({}));
    assert_eq!(company.phone("zhangsan").len(), 0);
    assert_eq!(company.phones.dropped, 1);
}
