//! kill -9 at every system call of `send` and of `outbox flush`: what was accepted arrives, once
//! or at the most twice, and nobody has to lend a hand.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::standin::Standin;
use crate::support::crash::{
    ARRIVAL, count, each, entries, hold_missed, killed, landed, place, processors, recover,
    watched, with_backlog,
};
use crate::support::tracer::{Act, Call, MAIN, Point, Traced, trace};
use crate::support::{SEND, Sandbox};

/// The calls of a clean send, and how many of which have been made when something has happened.
struct Send {
    calls: Vec<Call>,
    /// Syncs of the thread that accepts; after the last the name of the entry is safe.
    syncs: usize,
    /// Writes to the network up to the one with the message.
    writes: usize,
}

impl Send {
    fn new(calls: Vec<Call>) -> Self {
        let gone = place(&calls, false, |point| {
            point.thread == MAIN && point.name() == "unlinkat"
        });
        Self {
            syncs: count(&calls, false, "fsync"),
            writes: count(&calls[..gone], true, "writev"),
            calls,
        }
    }

    /// Whether the message was accepted, has left, and is gone from the outbox, when a run was
    /// killed at the last of these calls. Its own calls tell: how often one waits is chance.
    fn came_to(&self, killed: &[Call]) -> [bool; 3] {
        let made = &killed[..killed.len().saturating_sub(1)];
        [
            count(made, false, "fsync") >= self.syncs,
            count(made, true, "writev") >= self.writes,
            count(made, true, "unlinkat") > 0,
        ]
    }
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_a_send_loses_nothing_and_sends_at_most_twice() {
    let send = Send::new(watched(&["send", "clean"]));
    for match_unflagged in [false, true] {
        let (twice, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let points: Vec<usize> = (0..send.calls.len()).collect();
        let tried = each(&points, processors(), |standin, at| {
            standin.company().phones.match_unflagged = match_unflagged;
            let Some(count) = send_killed(standin, &send, *at) else {
                missed.fetch_add(1, Ordering::Relaxed);
                return;
            };
            twice.fetch_add(usize::from(count == 2), Ordering::Relaxed);
            assert!(count < 2 || !match_unflagged);
        });
        let twice = twice.into_inner();
        let killed = hold_missed(&missed, tried);
        println!(
            "send: killed at {killed} calls, match_unflagged {match_unflagged}: {twice} twice"
        );
        assert!(points.len() > 200);
        assert_eq!(twice > 0, !match_unflagged, "or the sweep has missed it");
    }
}

/// How often a message arrives whose send is killed at this call.
fn send_killed(standin: &Standin, send: &Send, at: usize) -> Option<usize> {
    let point = send.calls[at].point;
    let sandbox = Sandbox::of(standin);
    let message = format!("message {at}, {}: {point:?}", standin.base());
    let before = standin.count(SEND);
    let traced = killed(&sandbox, &["send", &message], point)?;
    let [accepted, left, gone] = send.came_to(&traced.calls);
    if point.thread == MAIN {
        // It arrives, unless the server sees that nobody waits for the answer any more.
        let begun = Instant::now();
        while left && standin.count(SEND) == before && begun.elapsed() < ARRIVAL {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(left || standin.count(SEND) == before, "{point:?}");
        assert_eq!(entries(&sandbox), usize::from(accepted && !gone));
    }
    let kept = entries(&sandbox);
    assert!(kept == 1 || !accepted || !landed(standin, &message).is_empty());
    recover(&sandbox);
    let landed = landed(standin, &message);
    assert!(landed.iter().all(|text| *text == message), "{landed:?}");
    let count = landed.len();
    assert!(
        count <= 2 && (count > 0) == (kept > 0 || accepted),
        "{count} at {point:?}"
    );
    let in_doubt = point.thread == MAIN && left && !gone;
    assert!(count < 2 || in_doubt, "twice at {point:?}");
    Some(count)
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_a_flush_loses_nothing_and_sends_at_most_twice() {
    let standin = Standin::start();
    let sandbox = with_backlog(&standin, "clean");
    let clean = trace(&sandbox, &["outbox", "flush"], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    let (twice, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tried = each(&clean.calls, processors(), |standin, call| {
        let point = call.point;
        let message = format!("{}: {point:?}", standin.base());
        let sandbox = with_backlog(standin, &message);
        if killed(&sandbox, &["outbox", "flush"], point).is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        recover(&sandbox);
        let landed = landed(standin, &message);
        let mut once = landed.clone();
        once.dedup();
        assert_eq!(
            once,
            ["first", "second"].map(|it| format!("{it} {message}"))
        );
        assert!(landed.len() <= 3, "{landed:?}");
        twice.fetch_add(landed.len() - once.len(), Ordering::Relaxed);
    });
    let twice = twice.into_inner();
    let killed = hold_missed(&missed, tried);
    println!("flush: killed at {killed} calls: {twice} twice");
    assert!(clean.calls.len() > 200 && twice > 0);
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_between_the_parts_of_a_message_none_is_lost_and_all_keep_their_order() {
    // No part is that of another run, which WeCom's check would take it for.
    let text = |mark: &str| format!("{mark:>10} ").repeat(400);
    let calls = watched(&["send", &text("clean")]);
    let main = |name| move |point: &Point| point.thread == MAIN && point.name() == name;
    let first = place(&calls, false, main("pwrite64"));
    let points: Vec<usize> = (first..calls.len()).collect();
    let (twice, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tried = each(&points, processors(), |standin, at| {
        let point = calls[*at].point;
        let sandbox = Sandbox::of(standin);
        let before = standin.company().phone("zhangsan").len();
        let traced = killed(&sandbox, &["send", &text(&at.to_string())], point);
        // Or killed before there was anything to send.
        let begun = |traced: &Traced| count(&traced.calls, true, "pwrite64") > 0;
        if !traced.as_ref().is_some_and(begun) {
            missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        recover(&sandbox);
        let phone = standin.company().phone("zhangsan").split_off(before);
        let parts: Vec<String> = phone.into_iter().map(|landed| landed.text).collect();
        let mut once = parts.clone();
        once.dedup();
        let shown: Vec<&str> = once.iter().filter_map(|part| part.get(..9)).collect();
        assert_eq!(once.len(), 3, "{point:?}: {shown:?}");
        for (number, part) in once.iter().enumerate() {
            assert!(part.contains(&format!("({}/3)", number + 1)), "{shown:?}");
        }
        assert!(
            parts.len() <= 4,
            "one part twice at the most: {}",
            parts.len()
        );
        twice.fetch_add(parts.len() - 3, Ordering::Relaxed);
    });
    let twice = twice.into_inner();
    let killed = hold_missed(&missed, tried);
    println!("split: killed at {killed} calls: {twice} twice");
    assert!(points.len() > 60 && twice > 0);
}
