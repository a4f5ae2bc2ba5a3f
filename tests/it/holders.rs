//! Locks on entries and on the ledger: held for ever, lost, or not to be had at all.

use std::fs;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::standin::{Fault, Standin};
use crate::support::{
    MEMBERS, Run, SEND, Sandbox, Started, at_once, await_count, bodies, emptied, entry, flush,
    for_each, one_by_one, plant, set_up, stopped_at, text_to, texts, waiting,
};

fn signal(started: &Started, signal: Signal) {
    kill_process(Pid::from_child(&started.child), signal).expect("it runs");
}

/// How many messages are on the members' phones.
fn landed(standin: &Standin) -> usize {
    MEMBERS
        .iter()
        .map(|member| texts(standin, member).len())
        .sum()
}

#[test]
fn what_a_stopped_process_holds_is_passed_by_and_goes_once_it_is_killed() {
    for_each(["send --to lisi held", "outbox flush"], |holder| {
        let (standin, sandbox) = set_up();
        let flushes = holder == "outbox flush";
        if flushes {
            // Accepted after all that is planted: older messages to lisi go.
            let (name, bytes) = entry(&standin.base(), 59_000, &text_to("lisi", "held"));
            plant(&sandbox, &standin.base(), 0, &[]);
            sandbox.write(&format!("outbox/{name}"), bytes);
        }
        standin.script(SEND, [Fault::Hang]);
        let holder = sandbox.wxpush(holder).start();
        await_count(&standin, SEND, 1);
        signal(&holder, Signal::STOP);
        let held = waiting(&sandbox);
        assert_eq!(held.len(), 1);
        plant(&sandbox, &standin.base(), 26, &MEMBERS);
        for outcome in at_once(5, |_| sandbox.wxpush("outbox flush")) {
            assert_eq!(outcome.exits(75).stderr, "", "one is left");
        }
        sandbox.send("new").is_silent();
        assert_eq!(waiting(&sandbox), held, "flushes: {flushes}");
        assert_eq!(standin.count(SEND), 1 + 26 + 1, "nobody else has sent it");
        // Who waits for all waits for it too.
        let patient = sandbox.wxpush("outbox flush --wait").start();
        signal(&holder, Signal::KILL);
        assert_eq!(holder.wait().code, None);
        patient.wait().is_silent();
        assert_eq!(emptied(&sandbox), ["failed"]);
        assert_eq!(texts(&standin, "lisi").last().unwrap(), "held");
        let last = bodies(&standin).pop().unwrap();
        assert_eq!(last["enable_duplicate_check"], 1, "it may have arrived");
    });
}

#[test]
fn an_entry_that_is_deleted_or_replaced_while_it_is_held_does_no_harm() {
    for_each(["deleted", "replaced", "moved"], |what| {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [Fault::Delay(Duration::from_secs(2))]);
        let holder = sandbox.send("held").start();
        await_count(&standin, SEND, 1);
        let id = waiting(&sandbox).remove(0);
        let path = sandbox.path(&format!("outbox/{id}"));
        match what {
            "deleted" => {
                fs::remove_file(&path).unwrap();
                fs::remove_file(path.with_added_extension("try")).unwrap();
            }
            // As a backup is played back.
            "replaced" => {
                let other = format!("outbox/tmp.{id}");
                sandbox.write(&other, fs::read(&path).unwrap());
                fs::rename(sandbox.path(&other), &path).unwrap();
            }
            _ => fs::rename(&path, sandbox.path(&format!("outbox/failed/{id}"))).unwrap(),
        }
        flush(&sandbox).is_silent();
        holder.wait().is_silent();
        flush(&sandbox).is_silent();
        assert!(waiting(&sandbox).is_empty(), "{what}");
        // The lock was on the file that is gone, so another may have sent what came in its place.
        let times = texts(&standin, "lisi").len();
        assert!(times == 1 || what == "replaced" && times == 2, "{times}");
        sandbox.send("afterwards").is_silent();
    });
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn who_comes_by_the_lock_when_it_is_delivered_sends_nothing() {
    let (standin, sandbox) = set_up();
    let ids = plant(&sandbox, &standin.base(), 1, &["lisi"]);
    let path = sandbox.path(&format!("outbox/{}", ids[0]));
    let mut command = Command::new("strace");
    // Stopped between the look at the entry that it has opened and the lock on it.
    let stop = "inject=statx,fstat,newfstatat:signal=STOP:when=1";
    command.args(["-qq", "-o", "/dev/null", "-e", stop, "-P"]);
    let late = Run::new(command)
        .env("PATH", "/usr/bin:/bin")
        .arg(&path)
        .arg(sandbox.path("wxpush"));
    let late = late.args(&["outbox", "flush"]).start();
    let child = stopped_at(&path, late.child.id());
    flush(&sandbox).is_silent();
    assert!(waiting(&sandbox).is_empty(), "it was free");
    kill_process(child, Signal::CONT).unwrap();
    late.wait().is_silent();
    assert_eq!(texts(&standin, "lisi"), ["number 0"]);
}

#[test]
fn who_holds_the_ledger_for_ever_keeps_messages_waiting_and_loses_none() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    sandbox.send("makes a ledger").is_silent();
    let ledger = File::open(sandbox.path("ledger")).unwrap();
    ledger.lock().unwrap();
    let size = ledger.metadata().unwrap().len();
    for outcome in at_once(3, |_| sandbox.send("x").args(&["--timeout", "4s"])) {
        outcome.exits(75);
    }
    plant(&sandbox, &standin.base(), 1, &["lisi"]);
    sandbox.wxpush("outbox flush --timeout 4s").exits(75);
    assert_eq!(ledger.metadata().unwrap().len(), size, "nobody has written");
    assert_eq!(texts(&standin, "lisi").len(), 1, "without a slot no send");
    assert_eq!(waiting(&sandbox).len(), 4);
    // Deleted while it is held: the next one is nobody's.
    fs::remove_file(sandbox.path("ledger")).unwrap();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi").len(), 1 + 3 + 1);
    assert!(waiting(&sandbox).is_empty());
}

/// What is done to a ledger.
type Harm = (&'static str, fn(&Sandbox));

#[test]
fn a_ledger_that_is_none_costs_no_message() {
    let harms: [Harm; 5] = [
        ("junk", |sandbox| {
            sandbox.write("ledger", [b'x', 0xff, 0, b'\n'].repeat(1000));
        }),
        ("of the future", |sandbox| {
            // It counts as of now, so that a clock set back lets nobody have too much.
            let text = format!("9{}", sandbox.read("ledger"));
            sandbox.write("ledger", text.repeat(10));
        }),
        ("a gigabyte", |sandbox| {
            let file = File::create(sandbox.path("ledger")).unwrap();
            file.set_len(1 << 30).unwrap();
        }),
        ("a directory", |sandbox| {
            fs::remove_file(sandbox.path("ledger")).unwrap();
            fs::create_dir(sandbox.path("ledger")).unwrap();
        }),
        ("a link", |sandbox| {
            fs::remove_file(sandbox.path("ledger")).unwrap();
            std::os::unix::fs::symlink("config.toml", sandbox.path("ledger")).unwrap();
        }),
    ];
    for_each(harms, |(what, harm)| {
        let (standin, sandbox) = set_up();
        sandbox.send("makes a ledger").is_silent();
        let config = sandbox.read("config.toml");
        harm(&sandbox);
        let outcome = sandbox.wxpush("send x --timeout 20s").run();
        // Where nothing can be counted it waits: `ledgers.rs` has what happens to many.
        let kept = waiting(&sandbox).len();
        let nowhere = ["a directory", "a link"].contains(&what);
        let code = if nowhere && kept == 1 { 75 } else { 0 };
        outcome.exits(code);
        assert_eq!(texts(&standin, "lisi").len() + kept, 2, "{what}");
        assert!(nowhere || kept == 0, "{what}");
        assert_eq!(sandbox.read("config.toml"), config, "{what}");
        // Nobody need look for secrets in it.
        let _ = fs::remove_file(sandbox.path("ledger"));
    });
}

/// The program on a file system whose locks fail with this error.
fn without_locks(sandbox: &Sandbox, error: &str, args: &[&str]) -> Run {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
    command.arg(format!("inject=flock:error={error}"));
    command.arg(sandbox.path("wxpush")).args(args);
    Run::new(command).env("PATH", "/usr/bin:/bin")
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn where_a_file_system_has_no_locks_the_message_goes_and_says_so() {
    for_each(
        [
            ("ENOLCK", "No locks available"),
            ("ENOSYS", "Function not implemented"),
        ],
        |(error, words)| {
            let (standin, sandbox) = set_up();
            let sent = without_locks(&sandbox, error, &["send", "x"]).run();
            let sent = sent.exits(0).says(words);
            let about_outbox = |line: &&str| line.contains("the outbox cannot be used");
            assert_eq!(
                sent.stderr.lines().filter(about_outbox).count(),
                1,
                "{}",
                sent.stderr
            );
            assert_eq!(texts(&standin, "lisi"), ["x"]);
            assert_eq!(emptied(&sandbox), ["failed"]);
            let lost = without_locks(&sandbox, error, &["send", "y", "--timeout", "2s"])
                .env("WXPUSH_API_BASE", Standin::refuse())
                .run();
            lost.exits(73).says("LOST").says(words);
            // What has come there otherwise is nobody's to send, since two could.
            plant(&sandbox, &standin.base(), 2, &["lisi"]);
            let left = without_locks(&sandbox, error, &["outbox", "flush"]).run();
            left.exits(75).says(words);
            assert_eq!(waiting(&sandbox).len(), 2, "{error}");
            assert_eq!(standin.count(SEND), 1, "{error}");
            flush(&sandbox).exits(0);
            assert_eq!(landed(&standin), 1 + 12 + 2, "{error}");
        },
    );
}
