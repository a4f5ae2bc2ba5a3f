//! kill -9 at every system call of a flush that sends texts together, and of `send --once`: nothing is
//! lost, and what WeCom compares is on the phone once.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::standin::Standin;
use crate::support::Sandbox;
use crate::support::crash::{
    each, entries, hold_missed, killed, landed, processors, recover, watched,
};
use crate::support::tracer::{Act, trace};

const TEXTS: [&str; 4] = ["first", "second", "third", "fourth"];

/// A sandbox with four texts in its outbox that go together.
fn with_texts(standin: &Standin, message: &str) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    for text in TEXTS {
        let send = sandbox
            .wxpush("send --queue")
            .arg(format!("{text} {message}"));
        send.is_silent();
    }
    assert_eq!(entries(&sandbox), TEXTS.len());
    sandbox
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_a_merged_flush_loses_no_text_and_sends_it_at_most_twice() {
    let standin = Standin::start();
    let sandbox = with_texts(&standin, "clean");
    let clean = trace(&sandbox, &["outbox", "flush"], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    assert_eq!(landed(&standin, "clean").len(), 1, "they go together");
    for match_unflagged in [false, true] {
        let (twice, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let tried = each(&clean.calls, processors(), |standin, call| {
            standin.company().phones.match_unflagged = match_unflagged;
            let point = call.point;
            let message = format!("{}: {point:?}", standin.base());
            let sandbox = with_texts(standin, &message);
            if killed(&sandbox, &["outbox", "flush"], point).is_none() {
                missed.fetch_add(1, Ordering::Relaxed);
            }
            recover(&sandbox);
            let read = landed(standin, &message).concat();
            let counts = TEXTS.map(|it| read.matches(&format!("{it} {message}")).count());
            assert!(counts.iter().all(|it| (1..=2).contains(it)), "{counts:?}");
            let places = TEXTS.map(|it| read.find(&format!("{it} {message}")));
            assert!(places.is_sorted(), "{read}");
            let copies = counts.iter().sum::<usize>() - TEXTS.len();
            assert!(copies == 0 || !match_unflagged, "{counts:?} at {point:?}");
            twice.fetch_add(usize::from(copies > 0), Ordering::Relaxed);
        });
        let twice = twice.into_inner();
        let killed = hold_missed(&missed, tried);
        println!(
            "merged flush: killed at {killed} calls, match_unflagged {match_unflagged}: {twice} twice"
        );
        assert_eq!(twice > 0, !match_unflagged, "or the sweep has missed it");
    }
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_what_is_sent_once_arrives_once_when_it_is_asked_for_again() {
    let calls = watched(&["send", "--once", "key", "clean"]);
    let missed = AtomicUsize::new(0);
    let tried = each(&calls, processors(), |standin, call| {
        let point = call.point;
        let sandbox = Sandbox::of(standin);
        let message = format!("{}: {point:?}", standin.base());
        let args = ["send", "--once", "key", &message];
        if killed(&sandbox, &args, point).is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        sandbox.wxpush("").args(&args).exits(0);
        assert_eq!(landed(standin, &message).len(), 1, "{point:?}");
        // A flush removes what the killed one could not.
        recover(&sandbox);
        sandbox.wxpush("").args(&args).exits(0);
        assert_eq!(landed(standin, &message).len(), 1, "{point:?}");
    });
    let killed = hold_missed(&missed, tried);
    println!("once: killed at {killed} calls: 0 lost, 0 twice");
    assert!(calls.len() > 200);
}
