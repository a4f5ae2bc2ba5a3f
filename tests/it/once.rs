//! `send --once`: one message for one key, however often it is asked for, and with any process killed.
//!
//! Forty messages by default; `WXPUSH_ONCE=400` for all, and `WXPUSH_SEED` as in `chaos.rs`.

#![expect(
    clippy::print_stdout,
    reason = "the figures and the seed, shown with --nocapture"
)]

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::standin::Fault;
use crate::support::dice::{Dice, count};
use crate::support::leaks::reversed;
use crate::support::{
    Outcome, Run, SEND, Sandbox, Time, at_once, await_count, flush, for_each, has, hire, refusal,
    second_app, set_up, texts, waiting,
};

/// A key that is in no other text.
const KEY: &str = "order-4711-of-the-day";

/// One call for this key, its answer as JSON.
fn once(sandbox: &Sandbox, key: &str, text: &str) -> Run {
    let run = sandbox.wxpush("send --json --to lisi --once").arg(key);
    run.arg(text)
}

/// Holds how a call ended.
#[track_caller]
fn says(outcome: &Outcome, status: &str) {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.json()["status"], status, "{outcome:?}");
}

#[test]
fn a_second_call_sends_nothing_and_says_so() {
    let (standin, sandbox) = set_up();
    says(&once(&sandbox, KEY, "x").run(), "sent");
    for text in ["x", "x", "another text"] {
        says(&once(&sandbox, KEY, text).run(), "duplicate");
    }
    assert_eq!(standin.count(SEND), 1);
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    let silent = sandbox.wxpush("send --to lisi x --once").arg(KEY).run();
    silent.is_silent();
    // Without a key it is a message as any other.
    sandbox.wxpush("send --to lisi x").is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x", "x"]);
}

#[test]
fn different_keys_and_different_apps_are_different_messages() {
    for matches in [true, false] {
        let (standin, sandbox) = set_up();
        standin.company().phones.match_unflagged = matches;
        second_app(&standin);
        let secret = reversed();
        let profile = format!("[profiles.p]\nagentid = 7\ncorpsecret = \"{secret}\"\n");
        sandbox.write("config.toml", sandbox.read("config.toml") + &profile);
        for key in ["one", "two", "One", "o.ne"] {
            says(&once(&sandbox, key, "the same").run(), "sent");
        }
        says(
            &once(&sandbox, "one", "the same").args(&["-p", "p"]).run(),
            "sent",
        );
        assert_eq!(texts(&standin, "lisi"), ["the same"; 5], "{matches}");
    }
}

#[test]
fn a_call_during_the_first_waits_for_it() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Delay(Duration::from_secs(2))]);
    let first = once(&sandbox, KEY, "x").start();
    await_count(&standin, SEND, 1);
    let second = once(&sandbox, KEY, "x").run();
    says(&second, "duplicate");
    assert_eq!(texts(&standin, "lisi"), ["x"], "it has waited for that");
    says(&first.wait(), "sent");
    assert_eq!(standin.count(SEND), 1);
    // Not for longer than it was given.
    standin.script(SEND, [Fault::Delay(Duration::from_secs(8))]);
    let first = once(&sandbox, "another", "y").start();
    await_count(&standin, SEND, 2);
    let second = once(&sandbox, "another", "y")
        .args(&["--timeout", "1s"])
        .run();
    assert!(second.time < Duration::from_secs(6), "{second:?}");
    says(&first.wait(), "sent");
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x", "y"]);
    assert_eq!(standin.count(SEND), 2);
}

#[test]
fn of_twenty_calls_at_once_one_sends() {
    let (standin, sandbox) = set_up();
    let outcomes = at_once(20, |_| once(&sandbox, KEY, "x"));
    let sent = outcomes.iter().filter(|it| it.json()["status"] == "sent");
    assert_eq!(sent.count(), 1);
    let others = outcomes
        .iter()
        .filter(|it| it.json()["status"] == "duplicate");
    assert_eq!(others.count(), 19);
    assert!(outcomes.iter().all(|it| it.code == Some(0)));
    assert_eq!((standin.count(SEND), texts(&standin, "lisi").len()), (1, 1));
}

#[test]
fn what_keeps_nothing_cannot_promise_it() {
    let (standin, sandbox) = set_up();
    let run = sandbox
        .wxpush("send --no-outbox --to lisi x --once")
        .arg(KEY);
    run.exits(64);
    sandbox.wxpush("send --to lisi x --once").exits(64);
    assert_eq!(standin.requests().len(), 0);
}

/// The files below a directory that have these bytes in them.
fn files_with(dir: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, words));
        } else if path.file_name().unwrap() != "wxpush" {
            let bytes = fs::read(&path).unwrap();
            let name = path.display().to_string();
            let has = bytes
                .windows(words.len())
                .any(|part| part == words.as_bytes());
            found.extend((has || name.contains(words)).then_some(name));
        }
    }
    found
}

#[test]
fn the_key_is_written_down_nowhere() {
    let (standin, sandbox) = set_up();
    sandbox.write(
        "config.toml",
        sandbox.read("config.toml") + "[log]\nlevel = \"debug\"\n",
    );
    says(&once(&sandbox, KEY, "sent").run(), "sent");
    standin.script(SEND, [refusal(60020)]);
    let kept = "another-4711-of-the-day";
    let outcome = once(&sandbox, kept, "kept").exits(77);
    assert_eq!(outcome.json()["status"], "queued");
    for key in [KEY, kept] {
        assert_eq!(files_with(&sandbox.path(""), key), [""; 0]);
        let sent = standin.requests().into_iter();
        let sent = sent.filter(|it| has(it, key));
        assert_eq!(sent.count(), 0, "nor does WeCom read it");
    }
}

#[test]
fn what_the_first_call_could_not_deliver_is_delivered_once() {
    let faults = [refusal(60020), refusal(45009), Fault::html(502)];
    let both = |fault: Fault| [(fault.clone(), "flush"), (fault, "call")];
    for_each(faults.into_iter().flat_map(both), |(fault, seconds)| {
        let (standin, sandbox) = set_up();
        standin.company().phones.match_unflagged = true;
        standin.always(SEND, fault.clone());
        let call = || once(&sandbox, KEY, "x").args(&["--timeout", "2s"]);
        let first = call().run();
        assert!(matches!(first.code, Some(75 | 77)), "{fault:?}: {first:?}");
        // Asked for again while it waits: it isn't kept twice.
        call().run();
        assert_eq!(waiting(&sandbox).len(), 1, "{fault:?}");
        standin.mend();
        if seconds == "call" {
            call().run();
        }
        sandbox.wxpush("outbox flush --wait").exits(0);
        says(&call().run(), "duplicate");
        assert_eq!(texts(&standin, "lisi"), ["x"], "{fault:?} and a {seconds}");
    });
}

#[test]
fn a_first_call_that_was_killed_is_finished_by_the_second() {
    for_each(
        [(Fault::Hang, false), (Fault::HangProcessed, true)],
        |(fault, taken)| {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = true;
            standin.script(SEND, [fault]);
            let mut first = once(&sandbox, KEY, "x").start();
            await_count(&standin, SEND, 1);
            std::thread::sleep(Duration::from_millis(300));
            first.child.kill().unwrap();
            first.wait();
            for _ in 0..2 {
                once(&sandbox, KEY, "x").exits(0);
            }
            flush(&sandbox).is_silent();
            assert_eq!(texts(&standin, "lisi"), ["x"], "taken: {taken}");
            says(&once(&sandbox, KEY, "x").run(), "duplicate");
        },
    );
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_day_later_the_key_is_another_one() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    let call = || time.wxpush("send --json --to lisi x --once").arg(KEY).run();
    for (hours, status) in [
        (0, "sent"),
        (1, "duplicate"),
        (22, "duplicate"),
        (2, "sent"),
    ] {
        time.pass(hours * 3600);
        says(&call(), status);
    }
    assert_eq!(texts(&standin, "lisi"), ["x", "x"]);
}

/// A caller that may be killed alone, and then its `wxpush` goes on without it, or with it.
fn caller(sandbox: &Sandbox, number: usize, name: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    let line = r#""$0" "$@"; exit $?"#;
    shell.arg("-c").arg(line).arg(sandbox.path("wxpush"));
    let mut command = Run::new(shell)
        .args(&["send", "--timeout", "20s", "--to", name, "--once"])
        .arg(format!("key {number}"))
        .arg(format!("no-{number:04}."))
        .command();
    command
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Starts a caller, kills it or all of it perhaps, and says how it ended.
fn asked(
    sandbox: &Sandbox,
    number: usize,
    name: &str,
    dice: &Dice,
    kills: &AtomicUsize,
) -> Option<i32> {
    let mut child = caller(sandbox, number, name).spawn().unwrap();
    if dice.roll(4) == 0 {
        std::thread::sleep(Duration::from_millis(dice.roll(120)));
        // Not waited for yet, so that the number is its own.
        let id = nix::unistd::Pid::from_raw(child.id().cast_signed());
        let signal = nix::sys::signal::Signal::SIGKILL;
        if dice.roll(2) == 0 {
            let _ = nix::sys::signal::killpg(id, signal);
        } else {
            let _ = nix::sys::signal::kill(id, signal);
        }
    }
    let code = child.wait().unwrap().code();
    kills.fetch_add(usize::from(code.is_none()), Ordering::SeqCst);
    code
}

#[test]
#[ignore = "takes long: WXPUSH_ONCE=400 for all of it"]
fn under_kills_each_key_is_delivered_once() {
    let count = count("WXPUSH_ONCE", 80);
    let dice = std::sync::Arc::new(Dice::new("once"));
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    let names = hire(&standin, count.div_ceil(10));
    let rolled = std::sync::Arc::clone(&dice);
    standin.judge(move |request| match rolled.roll(12) {
        _ if request.endpoint() != SEND => None,
        0 => Some(Fault::CutAfter),
        1 => Some(Fault::html(502)),
        2 => Some(Fault::StatusAfter(502, Vec::new(), String::new())),
        _ => Some(Fault::Delay(Duration::from_millis(20))),
    });
    let (next, kills) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (done, codes) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    while let number = next.fetch_add(1, Ordering::SeqCst)
                        && number < count
                    {
                        let name = &names[number % names.len()];
                        let ask = || asked(&sandbox, number, name, &dice, &kills);
                        // Twice in any case, and by a caller that comes back until it has the answer.
                        let mut code = ask();
                        code = ask().or(code);
                        for _ in 0..20 {
                            if !matches!(code, Some(0 | 75)) {
                                code = ask();
                            }
                        }
                        codes.lock().unwrap().push(code);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                sandbox.wxpush("outbox flush --timeout 1s").run();
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        for caller in callers {
            caller.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    standin.mend();
    sandbox.wxpush("outbox flush --wait").exits(0);
    let company = standin.company();
    let all: Vec<String> = company
        .phones
        .all()
        .map(|(_, it)| it.text.clone())
        .collect();
    let all = all.concat();
    let times = (0..count).map(|number| all.matches(&format!("no-{number:04}.")).count());
    let times: Vec<usize> = times.collect();
    let lost = times.iter().filter(|times| **times == 0).count();
    let twice = times.iter().filter(|times| **times > 1).count();
    let kills = kills.into_inner();
    println!(
        "once: {count} messages, each asked for twice, {kills} kills: lost {lost}, twice {twice}"
    );
    let told = codes.into_inner().unwrap();
    let told = told.iter().filter(|code| matches!(code, Some(0 | 75)));
    assert_eq!(told.count(), count, "each caller is told in the end");
    assert_eq!((lost, twice), (0, 0));
    assert!(kills >= count / 20, "{kills} kills");
    assert_eq!(company.phones.dropped, 0);
}
