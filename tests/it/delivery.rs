//! Retries, refusals, partial delivery, lost answers.

use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::{
    Fields, GETTOKEN, SEND, Sandbox, Words, bodies as tries, config, for_each, set_up, waiting,
};

fn errcode(code: i64) -> Fault {
    Fault::Errcode(code, "what WeCom says".to_owned())
}

fn body(text: &str) -> Fault {
    Fault::Body(text.to_owned())
}

#[test]
fn what_passes_by_itself_is_tried_again_until_it_arrives() {
    let faults = [
        errcode(-1),
        errcode(6000),
        errcode(45033),
        Fault::html(500),
        Fault::html(502),
        Fault::html(503),
        Fault::html(504),
        Fault::html(408),
        Fault::html(429),
        Fault::retry_after(429, "1"),
        Fault::redirect(302, "http://127.0.0.1:1/"),
        Fault::redirect(307, "http://127.0.0.1:1/"),
        Fault::CutBefore,
        Fault::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
        Fault::Raw(b"not http at all\r\n\r\n".to_vec()),
        Fault::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{\"errcode\":0".to_vec()),
    ];
    for_each(faults, |fault| {
        for path in [GETTOKEN, SEND] {
            let (standin, sandbox) = set_up();
            let name = format!("{fault:?} at {path}");
            standin.script(path, [fault.clone()]);
            sandbox.wxpush("send --to lisi hello").is_silent();
            assert_eq!(standin.count(path), 2, "{name}");
            assert_eq!(standin.company().phone("lisi").len(), 1, "{name}");
        }
    });
}

#[test]
fn what_does_not_pass_in_time_is_not_now_and_says_so() {
    let table = [
        (errcode(45033), "45033"),
        (errcode(45009), "45009"),
        (Fault::html(502), "HTTP status 502"),
        (Fault::retry_after(503, "3600"), "HTTP status 503"),
        (
            Fault::redirect(301, "http://127.0.0.1:1/"),
            "HTTP status 301",
        ),
        (Fault::CutBefore, "broke"),
        (Fault::Hang, "in time"),
        (body("<html>login</html>"), "a web page"),
        (body(""), "it is empty"),
        (body("{}"), "errcode"),
        (body("[]"), "errcode"),
        (body("{\"errcode\":\"none\"}"), "errcode"),
        (body("{\"errcode\":0.5}"), "errcode"),
        (body("{\"errcode\":0,\"errcode\":1}"), "errcode"),
        (body("\u{feff}{\"errcode\":0"), "not JSON"),
        (Fault::Giant(1 << 20), "longer than 128 KiB"),
        (Fault::Truncated, "broke"),
    ];
    for_each(table, |(fault, words)| {
        for path in [GETTOKEN, SEND] {
            let (standin, sandbox) = set_up();
            standin.always(path, fault.clone());
            let outcome = sandbox.wxpush("send --timeout 1s hello").exits(75);
            outcome.stderr.shows(words);
            assert!(outcome.stderr.contains("hint:"), "{}", outcome.stderr);
            assert!(
                outcome.time < Duration::from_secs(10),
                "{fault:?}: {:?}",
                outcome.time
            );
        }
    });
}

#[test]
fn a_network_that_is_down_is_not_now() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    for (option, fate) in [
        ("--no-outbox", " and is not kept: "),
        ("--quiet", ", and is kept in the outbox ("),
    ] {
        let run = sandbox.wxpush("send --timeout 1s hello").arg(option);
        let outcome = run.exits(75);
        let outcome = outcome.says(&format!("the message was not sent{fate}"));
        let outcome = outcome.says(": 127.0.0.1");
        let lines = outcome.stderr.lines().count();
        assert_eq!(lines, 2, "two lines for a person and cron's mail");
    }
}

#[test]
fn a_busy_wecom_is_asked_three_times_and_no_more() {
    for path in [GETTOKEN, SEND] {
        let (standin, sandbox) = set_up();
        standin.always(path, errcode(-1));
        sandbox.send("hello").exits(75).says("errcode -1");
        assert_eq!(standin.count(path), 3);
    }
}

#[test]
fn a_rate_limit_is_not_tried_again_within_a_minute() {
    for path in [GETTOKEN, SEND] {
        let (standin, sandbox) = set_up();
        standin.always(path, errcode(45009));
        sandbox.send("hello").exits(75);
        assert_eq!(standin.count(path), 1);
    }
}

#[test]
fn a_refusal_is_final_and_has_the_exit_code_of_its_class() {
    for (code, exit, words) in [
        (60020, 77, "企业可信IP"),
        (40013, 77, "corpid"),
        (40056, 77, "agentid"),
        (48002, 77, "Secret"),
        (301_002, 77, "agentid"),
        (44004, 65, "--skip-empty"),
        (45002, 65, "--long split"),
        (40033, 65, "JSON"),
        (81013, 69, "--to"),
        (40003, 69, "userid"),
        (40008, 69, "errmsg"),
    ] {
        let (standin, sandbox) = set_up();
        standin.always(SEND, errcode(code));
        let outcome = sandbox.send("hello").exits(exit);
        let line = outcome.stderr.lines().next().unwrap();
        line.shows(&format!("errcode {code}"));
        line.shows("what WeCom says");
        assert!(outcome.stderr.contains(words), "{code}: {}", outcome.stderr);
        assert_eq!(standin.count(SEND), 1, "{code} is not tried again");
    }
    for status in [400, 401, 403, 404, 413] {
        let (standin, sandbox) = set_up();
        standin.always(SEND, Fault::html(status));
        let outcome = sandbox.send("hello").exits(77);
        outcome.says(&format!("HTTP status {status}"));
        assert_eq!(standin.count(SEND), 1);
    }
}

#[test]
fn a_code_that_nobody_knows_keeps_the_message_and_it_rests() {
    for (option, exit, kept) in [("--quiet", 75, 1), ("--no-outbox", 69, 0)] {
        let (standin, sandbox) = set_up();
        standin.always(SEND, errcode(98765));
        let outcome = sandbox.send("hello").arg(option).exits(exit);
        let outcome = outcome.says("errcode 98765").says("what WeCom says");
        outcome.says("devtool/query?e=98765");
        assert_eq!(waiting(&sandbox).len(), kept, "{option}");
        // Not again within the hour.
        let run = sandbox.wxpush("outbox flush").run();
        assert_eq!(run.exits(if kept == 1 { 75 } else { 0 }).stderr, "");
        assert_eq!(standin.count(SEND), 1, "{option}");
    }
}

#[test]
fn an_untrusted_ip_is_named_with_where_to_enter_it() {
    let (standin, sandbox) = set_up();
    standin.company().trusted_ips = Some(Vec::new());
    let outcome = sandbox.send("hello").exits(77);
    let hint = outcome.stderr.lines().nth(1).unwrap();
    for words in ["127.0.0.1", "应用管理", "企业可信IP", "可信域名"] {
        hint.shows(words);
    }
    hint.shows("接收消息服务器URL");
    // In the locale's language.
    hint.shows("wxpush callback");
    hint.shows("it takes effect after about a minute");
    let chinese = sandbox.send("hello").in_chinese().exits(77);
    chinese.stderr.shows("那里要求先设置");
}

#[test]
fn who_was_not_reached_is_listed_and_nobody_gets_it_twice() {
    let (standin, sandbox) = set_up();
    standin
        .company()
        .members
        .get_mut("wangwu")
        .unwrap()
        .unlicensed = true;
    let run =
        || sandbox.wxpush("--json send --to zhangsan,ghost,wangwu --party 1,99 --tag 98 hello");
    let outcome = run().exits(67);
    let result = outcome.json();
    result.has(json!({"status": "partial", "exit_code": 67}));
    result.has(json!({"invaliduser": ["ghost"], "invalidparty": ["99"], "invalidtag": ["98"]}));
    outcome.stderr.shows("invaliduser ghost");
    assert_eq!(standin.company().phone("zhangsan").len(), 1);
    assert_eq!(standin.count(SEND), 1);
}

#[test]
fn after_a_lost_answer_the_same_bytes_go_out_flagged() {
    let faults = [
        Fault::CutAfter,
        Fault::Truncated,
        Fault::StatusAfter(502, Vec::new(), String::new()),
        body("{}"),
    ];
    for_each(faults, |fault| {
        for matches in [true, false] {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = matches;
            standin.script(SEND, [fault.clone(), fault.clone()]);
            sandbox.wxpush("send --to lisi hello").is_silent();
            let tries = tries(&standin);
            assert_eq!(tries.len(), 3, "{fault:?}");
            // The first is never flagged.
            assert_eq!(tries[0].get("enable_duplicate_check"), None);
            assert_eq!(tries[1]["enable_duplicate_check"], 1);
            assert_eq!(tries[1], tries[2], "every resend is the same");
            let landed = standin.company().phone("lisi").len();
            assert_eq!(
                landed,
                if matches { 1 } else { 2 },
                "{fault:?}: at most one duplicate"
            );
        }
    });
}

#[test]
fn what_surely_was_not_processed_goes_out_again_unflagged() {
    for fault in [
        errcode(-1),
        errcode(45033),
        errcode(40014),
        Fault::retry_after(429, "0"),
        Fault::redirect(302, "/"),
    ] {
        let (standin, sandbox) = set_up();
        sandbox.send("first").is_silent();
        sandbox.age_token(1000);
        standin.script(SEND, [fault.clone()]);
        sandbox.send("hello").is_silent();
        assert!(
            tries(&standin)
                .iter()
                .all(|body| body.get("enable_duplicate_check").is_none()),
            "{fault:?}"
        );
    }
}

#[test]
fn two_intended_equal_alerts_both_arrive_unless_dedupe_is_asked_for() {
    let (standin, sandbox) = set_up();
    for _ in 0..2 {
        sandbox.wxpush("send --to lisi disk full").is_silent();
    }
    assert_eq!(standin.company().phone("lisi").len(), 2);
    let again = "send --to wangwu --dedupe 1h disk full";
    for _ in 0..2 {
        sandbox.wxpush(again).is_silent();
    }
    assert_eq!(standin.company().phone("wangwu").len(), 1);
    // WeCom gives what it swallows no msgid.
    let run = sandbox.wxpush("send -v --to wangwu --dedupe 1h disk full");
    assert_eq!(run.exits(0).stdout, "sent\n");
}

#[test]
fn a_gettoken_that_fails_while_a_refused_token_is_replaced_is_tried_again() {
    let (standin, sandbox) = set_up();
    sandbox.send("first").is_silent();
    sandbox.age_token(1000);
    standin.company().tokens.revoke_all();
    standin.script(GETTOKEN, [Fault::html(502), Fault::CutBefore]);
    sandbox.send("second").is_silent();
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (4, 3));
}

#[test]
fn the_token_and_the_message_share_one_connection() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("send").stdin("x".repeat(5000)).is_silent();
    assert_eq!(standin.count(GETTOKEN), 1);
    assert_eq!(standin.count(SEND), 3);
    assert_eq!(standin.connections(), 1);
}
