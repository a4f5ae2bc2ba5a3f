//! kill -9, and a failure, at every system call of `outbox retry`: at any moment the message lies in
//! one place, and it arrives once. And a flush that tidies beside a send that stands still.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::fs;
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use crate::standin::{Fault, Standin};
use crate::support::crash::{
    age, each, failures, hold_missed, holds, is_clean, killed, landed, outbox, points, processors,
    watched,
};
use crate::support::tracer::{Act, trace};
use crate::support::{SEND, Sandbox, failed, refusal, waiting};

/// A sandbox with a message of three parts among the failed, whose first was sent.
fn given_up(standin: &Standin, mark: &str) -> (Sandbox, String) {
    let sandbox = Sandbox::of(standin);
    standin.script(SEND, [Fault::Delay(Duration::ZERO), refusal(81013)]);
    sandbox.send(&text(mark)).exits(69);
    let id = failed(&sandbox).remove(0);
    (sandbox, id)
}

fn text(mark: &str) -> String {
    format!("{mark:>60} ").repeat(70)
}

/// Puts it back if it is among the failed still, delivers it, and holds that each part came once.
fn comes_once(standin: &Standin, sandbox: &Sandbox, id: &str, mark: &str) {
    let places = [waiting(sandbox), failed(sandbox)];
    assert_eq!(places.concat(), [id], "in one place: {places:?} {mark}");
    sandbox.wxpush("outbox flush").exits(0);
    if !failed(sandbox).is_empty() {
        sandbox.wxpush("outbox retry").arg(id).exits(0);
    }
    // What a killed process left is removed by the next flush.
    age(sandbox);
    for entry in fs::read_dir(sandbox.path("outbox/failed")).unwrap() {
        let file = File::open(entry.unwrap().path()).unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
    }
    for _ in 0..2 {
        sandbox.wxpush("outbox flush").exits(0);
    }
    is_clean(sandbox);
    let parts = landed(standin, mark);
    let numbers: Vec<usize> = (1..4)
        .map(|part| {
            let number = format!("({part}/3)");
            parts.iter().filter(|text| text.contains(&number)).count()
        })
        .collect();
    assert_eq!((numbers, parts.len()), (vec![1, 1, 1], 3), "{mark}");
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_a_retry_leaves_the_message_in_one_place_and_it_arrives_once() {
    let standin = Standin::start();
    let (sandbox, id) = given_up(&standin, "clean");
    let clean = trace(&sandbox, &["outbox", "retry", &id], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    comes_once(&standin, &sandbox, &id, "clean");
    let missed = AtomicUsize::new(0);
    let tried = each(&clean.calls, processors(), |standin, call| {
        let mark = format!("{}: {:?}", standin.base(), call.point);
        let (sandbox, id) = given_up(standin, &mark);
        if killed(&sandbox, &["outbox", "retry", &id], call.point).is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        comes_once(standin, &sandbox, &id, &mark);
    });
    let killed = hold_missed(&missed, tried);
    println!("retry: killed at {killed} calls");
    assert!(killed > 60);
}

#[test]
#[ignore = "needs leave to trace"]
fn whatever_call_of_a_retry_fails_the_message_lies_in_one_place_and_arrives_once() {
    let standin = Standin::start();
    let (sandbox, id) = given_up(&standin, "clean");
    let clean = trace(&sandbox, &["outbox", "retry", &id], Act::Watch);
    let failures = failures(&points(&clean.calls));
    let (begun, acted) = (AtomicUsize::new(0), AtomicUsize::new(0));
    each(&failures, processors(), |standin, (point, errno, lasts)| {
        let what = format!("{errno} at {point:?}, lasts: {lasts}");
        let mark = format!("failure {}", begun.fetch_add(1, Ordering::Relaxed));
        let (sandbox, id) = given_up(standin, &mark);
        let act = Act::Fail(*point, *errno as i32, *lasts);
        let traced = trace(&sandbox, &["outbox", "retry", &id], act);
        acted.fetch_add(usize::from(traced.acted), Ordering::Relaxed);
        holds(&traced, &what);
        comes_once(standin, &sandbox, &id, &mark);
    });
    println!("retry: {} calls failed", acted.into_inner());
}

#[test]
#[ignore = "needs leave to trace"]
fn a_send_that_stands_still_keeps_what_it_writes_whatever_the_clock_says() {
    let calls = watched(&["send", "clean"]);
    let syncs = calls.iter().filter(|call| call.point.name() == "fsync");
    let points: Vec<_> = syncs.map(|call| call.point).collect();
    let looked = AtomicUsize::new(0);
    each(&points, processors(), |standin, point| {
        let sandbox = Sandbox::of(standin);
        let mark = format!("{}: {point:?}", standin.base());
        let meanwhile = || {
            for name in outbox(&sandbox)
                .iter()
                .filter(|name| name.starts_with("tmp."))
            {
                let path = sandbox.path("outbox").join(name);
                let file = File::options().write(true).open(&path).unwrap();
                file.set_modified(UNIX_EPOCH).unwrap();
                sandbox.wxpush("outbox flush").exits(0);
                assert!(path.exists(), "its writer lives");
                looked.fetch_add(1, Ordering::Relaxed);
            }
        };
        let traced = trace(&sandbox, &["send", &mark], Act::Pause(*point, &meanwhile));
        assert_eq!((traced.code, &*traced.stderr), (Some(0), ""), "{point:?}");
        assert_eq!(landed(standin, &mark).len(), 1);
    });
    assert!(looked.into_inner() > 0, "none was being written");
}
