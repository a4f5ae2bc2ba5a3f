//! Each system call of `send` and of `outbox flush` fails, once and for ever: no bug, no hang, an
//! exit code of the table, and nothing that was accepted is lost.
//!
//! By default each call fails once in the run of a test, with one error in turn;
//! `WXPUSH_CRASH=all cargo test crash -- --include-ignored` tries every error, both ways.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::standin::Standin;
use crate::support::crash::{
    each, entries, failures, holds, landed, points, processors, recover, watched, with_backlog,
};
use crate::support::tracer::{Act, Point, trace};
use crate::support::{Sandbox, edit_attempts, waiting};

#[test]
#[ignore = "needs leave to trace"]
fn whatever_call_of_a_send_fails_it_says_rightly_what_became_of_the_message() {
    let failures = failures(&points(&watched(&["send", "clean"])));
    let acted = AtomicUsize::new(0);
    let tried = each(&failures, processors(), |standin, (point, error, lasts)| {
        let what = format!("{point:?}: {error:?}, for ever {lasts}");
        let sandbox = Sandbox::of(standin);
        let message = format!("at {}: {what}", standin.base());
        let act = Act::Fail(*point, *error as i32, *lasts);
        let traced = trace(&sandbox, &["send", "--timeout", "2s", &message], act);
        acted.fetch_add(usize::from(traced.acted), Ordering::Relaxed);
        let code = holds(&traced, &what);
        let arrived = landed(standin, &message).len();
        let kept = entries(&sandbox) > 0;
        // Twice where the answer was lost: this WeCom does not match a resend to its first.
        assert!(
            code != 0 || (1..=2).contains(&arrived),
            "{what}: {}",
            traced.stderr
        );
        assert!(
            ![75, 77].contains(&code) || kept,
            "{what}: {}",
            traced.stderr
        );
        let told =
            traced.stderr.contains("nothing can be kept") || traced.stderr.contains("no place");
        assert!(code != 73 || told, "{what}: {}", traced.stderr);
        recover(&sandbox);
        let arrived = landed(standin, &message).len();
        assert!(arrived <= 2 && (arrived > 0 || !kept), "{what}: {arrived}");
    });
    let acted = acted.into_inner();
    println!("send: {tried} runs, the call was come to in {acted}");
    assert!(acted * 10 > tried * 8, "{acted} of {tried}");
}

#[test]
#[ignore = "needs leave to trace"]
fn whatever_call_of_a_queued_send_fails_or_ends_it_zero_means_kept_and_nothing_is_sent() {
    // What it cannot find out beside the program must not lead it elsewhere.
    let sandbox = |standin: &Standin| {
        let sandbox = Sandbox::of(standin);
        let dir = sandbox.path("").display().to_string();
        sandbox.configure(&format!("state_dir = \"{dir}\""));
        sandbox
    };
    let watching = sandbox(&Standin::start());
    let calls = trace(&watching, &["send", "--queue", "clean"], Act::Watch).calls;
    let kills = calls.iter().map(|call| (call.point, None));
    let failures = failures(&points(&calls));
    let failures = failures.iter().map(|it| (it.0, Some((it.1, it.2))));
    let acts: Vec<_> = kills.chain(failures).collect();
    each(&acts, processors(), |standin, (point, failure)| {
        let what = format!("{point:?}: {failure:?}");
        let sandbox = sandbox(standin);
        let message = format!("at {}: {what}", standin.base());
        let act = match failure {
            Some((error, lasts)) => Act::Fail(*point, *error as i32, *lasts),
            None => Act::Kill(*point, &|| {}),
        };
        let requests = standin.requests().len();
        let traced = trace(&sandbox, &["send", "--queue", &message], act);
        let kept = entries(&sandbox);
        if traced.signal.is_none() {
            let code = holds(&traced, &what);
            let told = format!("{what}: {code}, {kept} kept: {}", traced.stderr);
            assert_eq!(kept, usize::from(code == 0), "{told}");
        }
        assert_eq!(standin.requests().len(), requests, "{what}");
        recover(&sandbox);
        assert_eq!(landed(standin, &message).len(), kept, "{what}");
    });
    println!("send --queue: {} runs", acts.len());
}

#[test]
#[ignore = "needs leave to trace"]
fn whatever_call_of_a_flush_fails_the_messages_stay_or_arrive() {
    let standin = Standin::start();
    let sandbox = with_backlog(&standin, "clean");
    let args = ["outbox", "flush", "--timeout", "2s"];
    let clean = trace(&sandbox, &args, Act::Watch);
    assert_eq!(clean.code, Some(0));
    let failures = failures(&points(&clean.calls));
    each(&failures, processors(), |standin, (point, error, lasts)| {
        let what = format!("{point:?}: {error:?}, for ever {lasts}");
        let message = format!("{}: {what}", standin.base());
        let sandbox = with_backlog(standin, &message);
        let act = Act::Fail(*point, *error as i32, *lasts);
        let traced = trace(&sandbox, &args, act);
        holds(&traced, &what);
        // What failed while the other passed waits by itself: that time is over.
        for id in waiting(&sandbox) {
            if sandbox
                .read(&format!("outbox/{id}.try"))
                .contains("\"hold\":{")
            {
                edit_attempts(&sandbox, &id, |attempts| attempts["hold"] = json!(null));
            }
        }
        recover(&sandbox);
        let landed = landed(standin, &message);
        for it in ["first", "second"] {
            let text = format!("{it} {message}");
            // What the other has overtaken says when it was accepted.
            let count = landed.iter().filter(|it| it.ends_with(&text)).count();
            assert!(
                (1..=2).contains(&count),
                "{count} of {text}: {}",
                traced.stderr
            );
        }
    });
    println!("flush: {} runs", failures.len());
    assert!(failures.len() > 100);
}

#[test]
#[ignore = "needs leave to trace"]
fn short_reads_and_writes_are_gone_on_with() {
    let calls = watched(&["send", "clean"]);
    let halved: Vec<Point> = calls
        .iter()
        .filter(|call| ["read", "write", "pwrite64"].contains(&call.point.name()))
        // The loader reads headers of a fixed size, and of a pipe or an event there is no half.
        .filter(|call| call.size > 16 && !call.file.to_string_lossy().contains(".so"))
        .filter(|call| call.file.is_absolute() && !call.file.starts_with("/proc"))
        .map(|call| call.point)
        .collect();
    assert!(halved.len() > 5, "{halved:?}");
    each(&halved, processors(), |standin, point| {
        let sandbox = Sandbox::of(standin);
        let message = format!("at {}: {point:?}", standin.base());
        let traced = trace(&sandbox, &["send", &message], Act::Halve(*point));
        assert_eq!(
            (traced.code, traced.acted),
            (Some(0), true),
            "{point:?}: {}",
            traced.stderr
        );
        assert_eq!(landed(standin, &message).len(), 1, "{point:?}");
        recover(&sandbox);
    });
}
