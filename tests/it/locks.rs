//! Locks that are held or lost, and paths with something else in the way.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::standin::{Fault, Standin};
use crate::support::{
    GETTOKEN, Run, SEND, Sandbox, Started, at_once, await_count, cache_key, is_sound, last_lines,
    obstruct, set_up, texts, token_cache,
};

/// A cache of other apps' records, so large that reading it takes longer than writing it.
fn large_cache(sandbox: &Sandbox) -> Value {
    let refused = json!({"refused_at": 7, "errcode": 40001, "errmsg": "x".repeat(3000)});
    let record = |number: u32| (format!("{number:064}"), refused.clone());
    let cache: Value = (0..255).map(record).collect();
    sandbox.write("token_cache.json", cache.to_string());
    cache
}

/// Holds that these other apps' records are in the cache still, with ours or without.
fn keeps(sandbox: &Sandbox, others: &Value, ours: usize) {
    let now = token_cache(sandbox);
    let (now, others) = (now.as_object().unwrap(), others.as_object().unwrap());
    assert!(others.iter().all(|(key, record)| now[key] == *record));
    assert_eq!(now.len(), others.len() + ours);
}

#[test]
fn who_read_the_cache_before_the_lock_was_free_reads_it_again() {
    let (standin, sandbox) = set_up();
    let others = large_cache(&sandbox);
    standin.script(GETTOKEN, [Fault::Delay(Duration::from_millis(300))]);
    let outcomes = at_once(25, |number| sandbox.send(&format!("message {number}")));
    for outcome in outcomes {
        outcome.is_silent();
    }
    assert_eq!(standin.count(GETTOKEN), 1);
    assert_eq!(standin.company().phone("zhangsan").len(), 25);
    keeps(&sandbox, &others, 1);
}

/// The program where no file can get larger than this, in blocks of 512 bytes.
fn limited(sandbox: &Sandbox, blocks: u32) -> Run {
    let mut command = Command::new("/bin/sh");
    let script = format!("ulimit -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "sh"]);
    Run::new(command).arg(sandbox.path("wxpush"))
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_process_that_dies_while_it_writes_the_cache_spoils_nothing() {
    let (standin, sandbox) = set_up();
    let others = large_cache(&sandbox);
    // Its first write ends at the limit, some way through the cache; the second one kills it.
    let mut command = Command::new("/bin/sh");
    let strace = "exec strace -qq -o /dev/null -e inject=write:signal=KILL:when=2";
    let script = format!("ulimit -f 200; {strace} -P \"$1.new\" \"$2\" send x");
    command.env_clear().args(["-c", &script, "sh"]);
    command
        .arg(sandbox.path("token_cache.json"))
        .arg(sandbox.path("wxpush"));
    let run = Run::new(command).env("PATH", "/usr/bin:/bin");
    assert_eq!(run.run().code, None, "it was killed");
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (1, 0));
    let half = sandbox.path("token_cache.json.new").metadata().unwrap();
    assert!(half.len() > 100_000, "it was within the writing");
    keeps(&sandbox, &others, 0);
    sandbox.send("y").is_silent();
    keeps(&sandbox, &others, 1);
    assert!(!sandbox.path("token_cache.json.new").exists());
}

#[test]
fn a_limit_on_file_sizes_costs_a_warning_and_no_message() {
    let standin = Standin::start();
    for file in ["token_cache.json", "wxpush.log"] {
        let sandbox = Sandbox::of(&standin);
        let others = large_cache(&sandbox);
        let blocks = if file == "wxpush.log" {
            // The cache fits, the log has no byte left.
            sandbox.write(file, "x".repeat(2000 * 512));
            2000
        } else {
            200
        };
        let message = format!("with a full {file}");
        let outcome = limited(&sandbox, blocks).args(&["send", &message]).run();
        let outcome = outcome.exits(0).says(file).says("File too large");
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        let phone = standin.company().phone("lisi");
        assert!(phone.iter().any(|landed| landed.text == message), "{file}");
        keeps(&sandbox, &others, usize::from(file == "wxpush.log"));
        assert!(!sandbox.path("token_cache.json.new").exists());
    }
}

fn signal(started: &Started, signal: Signal) {
    kill_process(Pid::from_child(&started.child), signal).expect("it runs");
}

#[test]
fn a_lock_dies_with_its_holder_and_the_others_go_on() {
    let (standin, sandbox) = set_up();
    standin.script(GETTOKEN, [Fault::Hang]);
    let holder = sandbox.send("holder").start();
    await_count(&standin, GETTOKEN, 1);
    let waiters: Vec<Started> = (0..5)
        .map(|number| sandbox.send(&format!("waiter {number}")).start())
        .collect();
    signal(&holder, Signal::KILL);
    assert_eq!(holder.wait().code, None);
    for waiter in waiters {
        let outcome = waiter.wait().is_silent();
        // The holder would have waited for ten seconds.
        assert!(outcome.time < Duration::from_secs(8), "{:?}", outcome.time);
    }
    assert_eq!(standin.count(GETTOKEN), 2);
    let mut landed = last_lines(texts(&standin, "zhangsan"));
    landed.sort();
    // The others have delivered what it left, if it was accepted.
    let left = landed.iter().take_while(|text| *text == "holder").count();
    assert!(left <= 1, "{landed:?}");
    let waiters = (0..5).map(|number| format!("waiter {number}"));
    assert!(waiters.eq(landed.split_off(left)));
}

#[test]
fn a_holder_that_is_stopped_holds_up_the_others_no_longer_than_their_timeout() {
    let (standin, sandbox) = set_up();
    standin.script(GETTOKEN, [Fault::Hang]);
    let holder = sandbox.send("holder").start();
    await_count(&standin, GETTOKEN, 1);
    signal(&holder, Signal::STOP);
    let outcomes = at_once(5, |_| sandbox.send("waiter").args(&["--timeout", "2s"]));
    for outcome in outcomes {
        let outcome = outcome.exits(75).says("another wxpush has been asking");
        assert!(outcome.time < Duration::from_secs(4), "{:?}", outcome.time);
    }
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (1, 0));
    signal(&holder, Signal::KILL);
    holder.wait();
    sandbox.send("afterwards").is_silent();
}

#[test]
fn a_lock_file_that_is_deleted_while_held_does_no_harm() {
    let (standin, sandbox) = set_up();
    standin.script(GETTOKEN, [Fault::Delay(Duration::from_secs(1))]);
    let holder = sandbox.send("holder").start();
    await_count(&standin, GETTOKEN, 1);
    fs::remove_file(sandbox.path("token_cache.lock")).unwrap();
    for outcome in at_once(20, |number| sandbox.send(&format!("other {number}"))) {
        outcome.is_silent();
    }
    holder.wait().is_silent();
    is_sound(&standin, &sandbox, &cache_key(&sandbox));
    sandbox.send("afterwards").is_silent();
    assert_eq!(standin.count(GETTOKEN), 2, "the holder's and one more");
    assert!(!sandbox.path("token_cache.json.new").exists());
}

#[test]
fn what_stands_in_the_way_of_the_cache_costs_a_warning_and_no_message() {
    for name in [
        "token_cache.json",
        "token_cache.lock",
        "token_cache.json.new",
    ] {
        for kind in [
            "symlink",
            "dangling",
            "device",
            "hard link",
            "directory",
            "fifo",
        ] {
            let (standin, sandbox) = set_up();
            sandbox.write("victim", "{}");
            let victim = sandbox.path("victim");
            let before = victim.metadata().unwrap();
            obstruct(kind, &sandbox.path(name), &victim);
            // In three parts: the token that cannot be kept serves all of them.
            let long = "0123456789 ".repeat(400);
            let outcome = sandbox.send(&long).exits(0);
            assert_eq!(standin.count(GETTOKEN), 1, "{kind} at {name}");
            assert_eq!(standin.company().phone("zhangsan").len(), 3);
            if name.ends_with(".new") && kind != "directory" {
                // What a killed process may have left is taken away; what it leads to is not.
                assert_eq!(outcome.stderr, "", "{kind} at {name}");
                is_sound(&standin, &sandbox, &cache_key(&sandbox));
            } else {
                assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
                outcome
                    .says("warning: the token cache ")
                    .says("going on without it");
                let run = sandbox.wxpush("token refresh").in_chinese();
                let outcome = run.exits(0).is_chinese();
                outcome.says("wxpush: 警告：token 缓存 ");
                let meta = sandbox.path(name).symlink_metadata().unwrap();
                assert_eq!(meta.is_file(), kind == "hard link", "it is still there");
            }
            let after = victim.metadata().unwrap();
            assert_eq!(sandbox.read("victim"), "{}", "{kind} at {name}");
            assert_eq!(before.mtime_nsec(), after.mtime_nsec(), "{kind} at {name}");
            assert_eq!(before.mode(), after.mode(), "{kind} at {name}");
            assert!(!sandbox.path("token_cache.nowhere").exists());
        }
    }
}
