//! kill -9 at every system call of a `send` with a caption and a file: both arrive, or neither does.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::standin::{Landed, Standin};
use crate::support::Sandbox;
use crate::support::crash::{count, each, entries, hold_missed, killed, processors, recover};
use crate::support::tracer::{Act, Call, MAIN, trace};

/// More than is written, or leaves, in one go.
fn bytes() -> Vec<u8> {
    (0..=250).cycle().take(150_000).collect()
}

/// A sandbox with a file, and the command that sends it with a caption.
fn prepared(standin: &Standin, caption: &str) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::of(standin);
    sandbox.write("a.bin", bytes());
    let path = sandbox.path("a.bin").display().to_string();
    let args = ["send", "--file", &path, caption].map(str::to_owned);
    (sandbox, args.to_vec())
}

/// The calls of a clean send.
fn watched() -> Vec<Call> {
    let standin = Standin::start();
    let (sandbox, args) = prepared(&standin, "clean");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let traced = trace(&sandbox, &args, Act::Watch);
    assert_eq!((traced.code, &*traced.stderr), (Some(0), ""));
    traced.calls
}

#[test]
#[ignore = "needs leave to trace"]
fn killed_at_any_call_a_send_loses_neither_the_caption_nor_the_file() {
    let calls = watched();
    // Of the thread that accepts; after the last the name of the entry is safe.
    let syncs = count(&calls, false, "fsync");
    let [twice, missed, kept] = [const { AtomicUsize::new(0) }; 3];
    let tried = each(&calls, processors(), |standin, call| {
        let point = call.point;
        let caption = format!("{}: {point:?}", standin.base());
        let (sandbox, args) = prepared(standin, &caption);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let before = standin.company().phone("zhangsan").len();
        let Some(traced) = killed(&sandbox, &args, point) else {
            missed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        // The call that it was killed at was not made.
        let made = &traced.calls[..traced.calls.len() - 1];
        let accepted = count(made, false, "fsync") >= syncs;
        let waits = entries(&sandbox) > 0;
        std::fs::remove_file(sandbox.path("a.bin")).unwrap();
        recover(&sandbox);
        let landed = standin.company().phone("zhangsan").split_off(before);
        let parts = landed.iter().map(|it| &*it.msgtype).collect::<Vec<_>>();
        let arrives = accepted || waits || !parts.is_empty();
        let right = match &*parts {
            [] => !arrives,
            ["text", "file"] | ["text", "text" | "file", "file"] => arrives,
            _ => false,
        };
        assert!(right, "{parts:?} at {point:?}, accepted: {accepted}");
        assert!(
            landed.iter().all(|part| is_right(part, &caption)),
            "{point:?}"
        );
        let in_doubt = point.thread == MAIN && parts.len() > 2;
        assert!(in_doubt || parts.len() <= 2, "twice at {point:?}");
        twice.fetch_add(usize::from(in_doubt), Ordering::Relaxed);
        kept.fetch_add(usize::from(waits), Ordering::Relaxed);
    });
    let (twice, kept) = (twice.into_inner(), kept.into_inner());
    let killed = hold_missed(&missed, tried);
    println!("file: killed at {killed} calls, kept {kept} times: {twice} twice");
    // Or the sweep has missed it.
    assert!(calls.len() > 250 && kept > 20 && twice > 0);
}

/// Whether what arrived is what was sent.
fn is_right(part: &Landed, caption: &str) -> bool {
    match &*part.msgtype {
        "text" => part.text == caption,
        _ => part.media.len() == 1 && part.media[0].bytes == bytes(),
    }
}
