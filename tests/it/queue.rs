//! Keeping a message without trying it, and keeping as good as sending, for who can't wait.

use std::time::Duration;

use serde_json::json;

use crate::outbox::{failed, flush, refusal, waiting};
use crate::samples::{pdf, with_robot};
use crate::sandbox::{Sandbox, at_once, for_each};
use crate::send::texts;
use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::storm::{read_by, reads};
use crate::token::{GETTOKEN, SEND};
use crate::uploads::{files, here};

#[test]
fn what_is_queued_is_kept_without_a_request() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    // Whoever asked would wait for ever.
    standin.always(GETTOKEN, Fault::Hang);
    sandbox.write("a.pdf", pdf());
    for (number, args) in [
        "--to lisi one",
        "--to lisi --file a.pdf",
        "--chat ops two",
        "--robot ops three",
        "--to wangwu --markdown **four**",
    ]
    .into_iter()
    .enumerate()
    {
        let run = here(&sandbox, &format!("send --queue --json {args}"));
        let outcome = run.run().exits(0);
        let result = outcome.json();
        let kept = waiting(&sandbox);
        assert_eq!(kept.len(), number + 1, "{args}");
        assert!(kept.contains(&result["outbox_id"].as_str().unwrap().to_owned()));
        assert_eq!(result["status"], "queued", "{args}");
        assert_eq!(outcome.stderr, "", "{args}");
        assert!(
            outcome.time < Duration::from_secs(10),
            "{args}: {:?}",
            outcome.time
        );
    }
    sandbox
        .wxpush("send --queue --to zhangsan five")
        .run()
        .is_silent();
    assert_eq!(standin.connections(), 0);
    standin.mend();
    flush(&sandbox).exits(0);
    assert_eq!(files(&standin, "lisi").len(), 1);
    let read = read_by(&standin, "lisi");
    assert!(read.contains("one") && read.contains("two"), "{read}");
    assert_eq!(standin.company().group(ROBOT_KEY)[0].text, "three");
    assert_eq!(texts(&standin, "zhangsan").last().unwrap(), "five");
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
}

#[test]
fn what_is_queued_at_once_is_all_kept_and_read_once() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let texts: Vec<String> = (0..20)
        .map(|number| format!("number {number:02}."))
        .collect();
    for outcome in at_once(20, |number| {
        sandbox.wxpush("send --queue --to lisi").arg(&texts[number])
    }) {
        outcome.is_silent();
    }
    assert_eq!((waiting(&sandbox).len(), standin.requests().len()), (20, 0));
    flush(&sandbox).exits(0);
    let read = read_by(&standin, "lisi");
    for text in &texts {
        assert_eq!(read.matches(text.as_str()).count(), 1, "{text} in {read}");
    }
    for text in ["first", "second", "third"] {
        sandbox
            .wxpush("send --queue --to wangwu")
            .arg(text)
            .run()
            .is_silent();
    }
    flush(&sandbox).exits(0);
    reads(
        &standin,
        "wangwu",
        &["first", "second", "third"].map(str::to_owned),
    );
}

#[test]
fn what_cannot_be_queued_is_refused_as_it_is_typed() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.wxpush("send --queue --no-outbox x").run().exits(64);
    sandbox
        .wxpush("send --kept-ok --no-outbox x")
        .run()
        .exits(64);
    sandbox.wxpush("send --queue").arg("").run().exits(65);
    sandbox
        .wxpush("send --queue --file /nowhere")
        .run()
        .exits(66);
    assert_eq!((waiting(&sandbox).len(), standin.connections()), (0, 0));
}

#[test]
fn kept_is_good_enough_for_who_says_so() {
    for (fault, code, status) in [
        (refusal(60020), 0, "queued"),
        (refusal(45009), 0, "queued"),
        (Fault::CutBefore, 0, "queued"),
        (Fault::html(502), 0, "queued"),
        (refusal(44004), 65, "failed"),
        (refusal(81013), 69, "failed"),
        (Fault::Delay(Duration::ZERO), 0, "sent"),
    ] {
        let standin = Standin::start();
        let sandbox = Sandbox::of(&standin);
        standin.always(SEND, fault.clone());
        let send = "send --kept-ok --json --to lisi --timeout 1s x";
        let result = sandbox.wxpush(send).run().exits(code).json();
        assert_eq!(result["status"], status, "{fault:?}");
        let kept = waiting(&sandbox);
        let id = if status == "queued" {
            json!(kept[0])
        } else {
            json!(null)
        };
        assert!(status == "failed" || result["outbox_id"] == id, "{fault:?}");
        assert!(standin.count(SEND) > 0, "it has been tried");
    }
}

#[test]
fn mails_for_the_queue_are_taken_at_once() {
    for_each(
        ["-odq", "-odb", "-odq -oi -f root", "-i -odb -t"],
        |options| {
            let standin = Standin::start();
            let sandbox = Sandbox::of(&standin);
            standin.always(GETTOKEN, Fault::Hang);
            let to = if options.contains("-t") { "" } else { "root" };
            let run = sandbox.wxpush(&format!("sendmail {options} {to}"));
            let outcome = run.stdin("To: root\nSubject: Disk\n\n91% full\n").run();
            let time = outcome.time;
            outcome.is_silent();
            assert!(time < Duration::from_secs(10), "{options}: {time:?}");
            assert_eq!(
                (waiting(&sandbox).len(), standin.connections()),
                (1, 0),
                "{options}"
            );
            standin.mend();
            flush(&sandbox).exits(0);
            let read = read_by(&standin, "lisi");
            assert!(read.contains("Disk") && read.contains("91% full"), "{read}");
        },
    );
}
