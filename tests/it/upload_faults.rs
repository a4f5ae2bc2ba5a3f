//! Messages whose file WeCom does not know any more, does not take, or does not answer for.

use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::{
    BYTES, GETTOKEN, SEND, UPLOAD, bodies, edit_attempts, failed, flush, for_each, holds_files,
    refusal, send_file, set_up, waiting, warmed, with_file,
};

#[test]
fn an_upload_that_wecom_has_forgotten_is_made_once_more_and_its_message_sent_again() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    send_file(&sandbox).is_silent();
    let first = standin.company().media.uploads[0].media_id.clone();
    standin.company().media.forget(&first);
    send_file(&sandbox).is_silent();
    assert_eq!((standin.count(UPLOAD), standin.count(SEND)), (2, 3));
    let second = standin.company().media.uploads[0].media_id.clone();
    let sent: Vec<_> = bodies(&standin)
        .iter()
        .map(|body| body["file"]["media_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent, [first.clone(), first, second.clone()]);
    holds_files(&standin, "lisi", &[("a.txt", BYTES); 2]);
    send_file(&sandbox).is_silent();
    assert_eq!(standin.count(UPLOAD), 2, "the new one is noted");
    assert_eq!(bodies(&standin)[3]["file"]["media_id"], *second);
}

#[test]
fn an_upload_that_wecom_will_not_know_ends_the_message_after_a_second_one() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    standin.always(SEND, refusal(40007));
    let outcome = send_file(&sandbox).exits(65).says("errcode 40007");
    outcome.says(&format!("is in outbox/failed ({})", failed(&sandbox)[0]));
    assert_eq!((standin.count(UPLOAD), standin.count(SEND)), (2, 2));
    assert!(waiting(&sandbox).is_empty());
    // One by hand is not ours to upload.
    let (standin, sandbox) = set_up();
    let by_hand = sandbox.wxpush("send --file media_id:3-of-long-ago").run();
    by_hand.exits(65).says("errcode 40007");
    assert_eq!((standin.count(UPLOAD), standin.count(SEND)), (0, 1));
    assert_eq!(failed(&sandbox).len(), 1);
}

#[test]
fn an_upload_that_goes_wrong_is_tried_again_before_anything_is_sent() {
    let mut faults = vec![
        ("a reset before", Fault::CutBefore),
        ("a reset behind", Fault::CutAfter),
        ("half an answer", Fault::Truncated),
        ("a gateway", Fault::html(502)),
        (
            "a gateway behind",
            Fault::StatusAfter(504, vec![], String::new()),
        ),
        ("too many", Fault::retry_after(429, "0")),
        ("busy", refusal(-1)),
        (
            "no id",
            Fault::Body("{\"errcode\":0,\"errmsg\":\"ok\"}".to_owned()),
        ),
        (
            "no answer of WeCom's",
            Fault::Body("<html>log in".to_owned()),
        ),
        ("slow", Fault::Drip(Duration::from_millis(3))),
    ];
    faults.push(("late", Fault::Delay(Duration::from_millis(300))));
    for_each(faults, |(what, fault)| {
        let standin = Standin::start();
        let sandbox = with_file(&standin, BYTES);
        standin.script(UPLOAD, [fault]);
        send_file(&sandbox).is_silent();
        holds_files(&standin, "lisi", &[("a.txt", BYTES)]);
        let uploads = if matches!(what, "slow" | "late") {
            1
        } else {
            2
        };
        assert_eq!(standin.count(UPLOAD), uploads, "{what}");
        assert_eq!(standin.count(SEND), 1, "{what}");
        // Whether it was uploaded has nothing to do with whether the message was sent.
        assert!(
            bodies(&standin)[0].get("enable_duplicate_check").is_none(),
            "{what}"
        );
        assert!(waiting(&sandbox).is_empty(), "{what}");
    });
}

#[test]
fn a_token_that_is_refused_for_an_upload_is_replaced_once() {
    let standin = Standin::start();
    let sandbox = warmed(&standin, 100);
    sandbox.write("a.txt", BYTES);
    standin.script(UPLOAD, [refusal(40014)]);
    send_file(&sandbox).is_silent();
    assert_eq!((standin.count(GETTOKEN), standin.count(UPLOAD)), (2, 2));
    let requests = standin.requests();
    let tokens: Vec<_> = requests
        .iter()
        .filter(|request| [UPLOAD, SEND].contains(&request.endpoint()))
        .map(|request| request.query["access_token"].clone())
        .collect();
    assert!(tokens.len() == 4 && tokens[0] == tokens[1] && tokens[2] == tokens[3]);
    assert_ne!(tokens[1], tokens[2]);
    holds_files(&standin, "lisi", &[("a.txt", BYTES)]);
}

#[test]
fn what_wecom_refuses_to_take_ends_the_message_or_keeps_it() {
    for (code, exit, is_kept) in [
        (45001, 65, false),
        (40004, 65, false),
        (60020, 77, true),
        (45009, 75, true),
    ] {
        let standin = Standin::start();
        let sandbox = with_file(&standin, BYTES);
        standin.always(UPLOAD, refusal(code));
        let outcome = send_file(&sandbox).run();
        outcome.exits(exit).says(&format!("errcode {code}"));
        assert_eq!(standin.count(UPLOAD), 1, "{code}");
        assert_eq!(standin.count(SEND), 0, "{code}");
        let lies = (waiting(&sandbox).len(), failed(&sandbox).len());
        assert_eq!(lies, if is_kept { (1, 0) } else { (0, 1) }, "{code}");
        if is_kept {
            standin.mend();
            edit_attempts(&sandbox, &waiting(&sandbox)[0], |attempts| {
                attempts["hold"] = serde_json::Value::Null;
            });
            flush(&sandbox).is_silent();
            holds_files(&standin, "lisi", &[("a.txt", BYTES)]);
        }
    }
}
