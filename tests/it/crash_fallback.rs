//! kill -9 at the system calls of a send that falls back on a robot: what is kept is read, by the one
//! road or the other, and by the robot twice at most.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::standin::Standin;
use crate::support::Sandbox;
use crate::support::crash::{each, entries, hold_missed, killed, landed, processors, recover};
use crate::support::fallback::{group, trust, unlimited, with_fallback_on};
use crate::support::tracer::{Act, trace};

/// A sandbox whose app was trusted until now.
fn distrusted(standin: &Standin) -> Sandbox {
    unlimited(standin);
    trust(standin, true);
    let sandbox = with_fallback_on(standin);
    sandbox.send("makes all files").is_silent();
    trust(standin, false);
    sandbox
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_what_is_kept_is_read_by_one_of_the_two() {
    let standin = Standin::start();
    let clean = trace(&distrusted(&standin), &["send", "clean"], Act::Watch);
    assert_eq!(
        (clean.code, group(&standin).len()),
        (Some(0), 1),
        "{}",
        clean.stderr
    );
    let all = std::env::var_os("WXPUSH_CRASH").is_some_and(|it| it == "all");
    let calls: Vec<_> = clean
        .calls
        .into_iter()
        .step_by(if all { 1 } else { 4 })
        .collect();
    let [missed, lost, twice] = [const { AtomicUsize::new(0) }; 3];
    let tried = each(&calls, processors(), |standin, call| {
        let point = call.point;
        let sandbox = distrusted(standin);
        let message = format!("{}: {point:?}", standin.base());
        if killed(&sandbox, &["send", &message], point).is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        let was_kept = entries(&sandbox) > 0;
        trust(standin, true);
        recover(&sandbox);
        let by_app = landed(standin, &message).len();
        let by_robot = group(standin).concat().matches(&message).count();
        let counts = (by_app, by_robot);
        assert!(
            matches!(counts, (0, 0..=2) | (1, 0)),
            "{counts:?} at {point:?}"
        );
        assert!(counts != (0, 0) || !was_kept, "{point:?}");
        lost.fetch_add(usize::from(counts == (0, 0)), Ordering::Relaxed);
        twice.fetch_add(usize::from(by_robot > 1), Ordering::Relaxed);
    });
    let killed = hold_missed(&missed, tried);
    let (unkept, twice) = (lost.into_inner(), twice.into_inner());
    println!("fallback: killed at {killed} calls: {unkept} before it was kept, {twice} twice");
    assert!(calls.len() > 60);
}
