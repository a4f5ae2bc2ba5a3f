//! A person at a terminal who waits for a message: what they see, and what ^C leaves behind.

use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::{Fault, Standin};
use crate::support::chinese::hold;
use crate::support::{
    Pty, Run, SEND, Sandbox, await_count, config, flush, for_each, set_up, texts, waiting,
};

/// Interrupts it, and returns what it said from its beginning on; a signal ended it.
#[track_caller]
fn interrupted(pty: Pty) -> String {
    kill(pty.pid(), Signal::SIGINT).unwrap();
    let begun = Instant::now();
    let (code, shown) = pty.end();
    assert_eq!(code, None, "{shown}");
    assert!(begun.elapsed() < Duration::from_secs(5), "it goes at once");
    shown
}

#[test]
fn without_a_network_it_is_told_to_go_on_and_what_is_broken_off_follows_by_itself() {
    for_each([false, true], |is_chinese| {
        // An address of its own: no other test is given the port meanwhile.
        let address = if is_chinese {
            "127.0.9.41:0"
        } else {
            "127.0.9.42:0"
        };
        let standin = Standin::start_at(address).unwrap();
        let (base, sandbox) = (standin.base(), Sandbox::of(&standin));
        drop(standin);
        let mut run = sandbox.wxpush("send --to lisi --timeout 10m x");
        if is_chinese {
            run = run.in_chinese();
        }
        let mut pty = Pty::start(run);
        pty.shows("^C");
        let ids = waiting(&sandbox);
        assert_eq!(ids.len(), 1);
        pty.shows(&ids[0]);
        let shown = interrupted(pty);
        let (first, last) = shown.split_once('\n').unwrap();
        assert!(first.contains(&ids[0]), "{shown}");
        assert!(last.contains(&format!("outbox drop {}", ids[0])), "{shown}");
        if is_chinese {
            let lines = shown.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.for_each(hold);
        }
        assert_eq!(waiting(&sandbox), ids);
        let standin = Standin::start_at(&base.replace("http://", "")).unwrap();
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"]);
    });
}

#[test]
fn what_is_broken_off_while_wecom_thinks_may_have_arrived_and_arrives_once() {
    for_each([Fault::Hang, Fault::HangProcessed], |fault| {
        let standin = Standin::start();
        standin.company().phones.match_unflagged = true;
        let sandbox = Sandbox::of(&standin);
        standin.script(SEND, [fault]);
        let pty = Pty::start(sandbox.wxpush("send --to lisi x"));
        await_count(&standin, SEND, 1);
        let shown = interrupted(pty);
        let id = waiting(&sandbox).remove(0);
        assert!(shown.contains("may or may not have arrived"), "{shown}");
        assert!(shown.contains(&format!("outbox drop {id}")), "{shown}");
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"]);
    });
}

#[test]
fn of_what_is_not_kept_it_is_said_whether_it_may_have_arrived() {
    let (standin, sandbox) = set_up();
    let run = || sandbox.wxpush("send --to lisi --no-outbox --timeout 10m x");
    let mut pty = Pty::start(run().env("WXPUSH_API_BASE", Standin::refuse()));
    pty.shows("neither sent nor kept");
    let shown = interrupted(pty);
    assert!(shown.contains("was not sent and is not kept"), "{shown}");
    standin.script(SEND, [Fault::HangProcessed]);
    let mut pty = Pty::start(run());
    pty.shows("may or may not have arrived");
    let shown = interrupted(pty);
    let (_, last) = shown.split_once('\n').unwrap();
    assert!(last.contains("may or may not have arrived"), "{shown}");
    assert!(last.contains("is not kept"), "{shown}");
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn what_somebody_removed_is_not_said_to_be_kept() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let mut pty = Pty::start(sandbox.wxpush("send --timeout 10m x"));
    pty.shows("^C ends that");
    std::fs::remove_dir_all(sandbox.path("outbox")).unwrap();
    let shown = interrupted(pty);
    assert!(shown.contains("is not kept"), "{shown}");
    assert!(!shown.contains("outbox drop"), "{shown}");
}

#[test]
fn of_several_parts_it_is_said_how_many_have_gone() {
    let (standin, sandbox) = set_up();
    let fine = Fault::Delay(Duration::ZERO);
    standin.script(SEND, [fine, Fault::Hang]);
    let long = "many words ".repeat(500);
    let pty = Pty::start(sandbox.wxpush("send --to lisi").arg(&long));
    await_count(&standin, SEND, 2);
    let shown = interrupted(pty);
    assert!(shown.contains("part 2 may have been"), "{shown}");
    assert_eq!(waiting(&sandbox).len(), 1);
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi").len(), 3);
}

#[test]
fn who_wants_no_words_gets_none_and_who_does_not_wait_neither() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Hang]);
    let pty = Pty::start(sandbox.wxpush("-q send --to lisi x"));
    await_count(&standin, SEND, 1);
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(interrupted(pty), "");
    assert_eq!(waiting(&sandbox).len(), 1);
    flush(&sandbox).is_silent();
    let (code, shown) = Pty::start(sandbox.wxpush("send --to lisi y")).end();
    assert_eq!((code, shown.lines().count()), (Some(0), 1), "{shown}");
    // What ends well after all says nothing of ^C at its end.
    standin.script(SEND, [Fault::Delay(Duration::from_secs(3))]);
    let mut pty = Pty::start(sandbox.wxpush("send --to lisi z"));
    pty.shows("^C ends that").shows("sent");
    assert_eq!(pty.end().0, Some(0));
    assert_eq!(texts(&standin, "lisi"), ["x", "y", "z"]);
}

#[test]
fn where_nobody_looks_nothing_is_caught_and_no_thread_waits() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Hang]);
    let mut started = sandbox.wxpush("send --no-outbox x").start();
    await_count(&standin, SEND, 1);
    let pid = started.child.id();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(field("Threads:"), "1");
    let caught = u64::from_str_radix(&field("SigCgt:"), 16).unwrap();
    assert_eq!(caught & (1 << (Signal::SIGINT as i32 - 1)), 0);
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGINT).unwrap();
    started.child.wait().unwrap();
}

#[test]
#[ignore = "needs setsid, of util-linux"]
fn the_key_itself_does_what_the_signal_does() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let mut command = Command::new("setsid");
    command.arg("-c").arg(sandbox.path("wxpush"));
    let run = Run::new(command).args(&["send", "--timeout", "10m", "x"]);
    let mut pty = Pty::start(run.env("PATH", "/usr/bin:/bin"));
    pty.shows("^C ends that").presses("\u{3}");
    let (code, shown) = pty.end();
    let id = waiting(&sandbox).remove(0);
    assert_eq!(code, None, "{shown}");
    assert!(shown.contains(&format!("outbox drop {id}")), "{shown}");
}
