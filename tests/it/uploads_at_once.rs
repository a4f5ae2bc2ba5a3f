//! The same file sent by many at once: one uploads it, the others wait for what comes of it, whatever
//! becomes of the one.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::standin::{Fault, Standin};
use crate::support::{
    BYTES, Sandbox, Started, UPLOAD, at_once, await_count, for_each, here, holds_files, send_file,
    with_file,
};

/// How long an upload takes that others are to wait for.
const SLOW: Fault = Fault::Delay(Duration::from_millis(700));

fn signal(started: &Started, signal: Signal) {
    kill_process(Pid::from_child(&started.child), signal).expect("it runs");
}

/// The locks of uploads in a sandbox.
fn locks(sandbox: &Sandbox) -> Vec<String> {
    let mut names = sandbox.names();
    names.retain(|name| name.ends_with(".lock") && name.starts_with("uploads."));
    names
}

#[test]
fn twelve_at_once_make_one_upload_and_what_they_note_is_whole() {
    for first in [
        SLOW,
        Fault::Delay(Duration::ZERO),
        Fault::html(502),
        Fault::CutBefore,
    ] {
        let standin = Standin::start();
        let sandbox = with_file(&standin, BYTES);
        let fails = !matches!(first, Fault::Delay(_));
        standin.script(UPLOAD, [first]);
        for outcome in at_once(12, |_| send_file(&sandbox)) {
            outcome.is_silent();
        }
        assert_eq!(standin.count(UPLOAD), 1 + usize::from(fails));
        holds_files(&standin, "lisi", &[("a.txt", BYTES); 12]);
        assert!(locks(&sandbox).is_empty());
        let text = sandbox.read("uploads");
        assert_eq!(text.lines().count(), 1);
        let words: Vec<&str> = text.trim_end().split(' ').collect();
        assert_eq!((words.len(), words[1].len(), words[2].len()), (3, 32, 65));
    }
}

#[test]
fn when_the_one_that_uploads_is_killed_another_takes_over() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    standin.script(UPLOAD, [Fault::Hang]);
    let first = send_file(&sandbox).start();
    await_count(&standin, UPLOAD, 1);
    let others: Vec<Started> = (0..4).map(|_| send_file(&sandbox).start()).collect();
    std::thread::sleep(Duration::from_millis(300));
    signal(&first, Signal::KILL);
    for other in others {
        other.wait().is_silent();
    }
    assert_eq!((first.wait().code, standin.count(UPLOAD)), (None, 2));
    sandbox.wxpush("outbox flush").is_silent();
    holds_files(&standin, "lisi", &[("a.txt", BYTES); 5]);
    assert!(locks(&sandbox).is_empty());
}

#[test]
fn one_that_stands_still_holds_up_none_of_the_others() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    standin.script(UPLOAD, [Fault::Hang]);
    let first = send_file(&sandbox).start();
    await_count(&standin, UPLOAD, 1);
    signal(&first, Signal::STOP);
    let outcomes = at_once(3, |_| send_file(&sandbox).args(&["--timeout", "6s"]));
    for outcome in outcomes {
        assert!(outcome.time < Duration::from_secs(6), "{:?}", outcome.time);
        outcome.is_silent();
    }
    signal(&first, Signal::KILL);
    first.wait();
    // What is left of it goes with the next upload, of whatever.
    assert_eq!(locks(&sandbox).len(), 1);
    sandbox.write("b.txt", "another");
    here(&sandbox, "send --file b.txt").is_silent();
    assert!(locks(&sandbox).is_empty());
}

#[test]
fn different_files_go_side_by_side_whichever_command_uploads_them() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    standin.always(UPLOAD, Fault::Delay(Duration::from_secs(2)));
    for number in 0..4 {
        sandbox.write(&format!("{number}.txt"), format!("file {number}"));
    }
    let outcomes = at_once(8, |number| {
        let name = format!("{}.txt", number % 4);
        let words = if number < 4 { "send --file" } else { "upload" };
        here(&sandbox, words).arg(name)
    });
    for outcome in outcomes {
        assert!(outcome.time < Duration::from_secs(6), "{:?}", outcome.time);
        outcome.exits(0);
    }
    assert_eq!(standin.count(UPLOAD), 4);
}

#[test]
fn where_nothing_can_be_locked_each_uploads_for_itself() {
    for_each([true, false], |is_link| {
        let standin = Standin::start();
        let sandbox = with_file(&standin, BYTES);
        send_file(&sandbox).is_silent();
        let line = sandbox.read("uploads");
        let key = line.split(' ').nth(1).unwrap();
        let lock = sandbox.path(&format!("uploads.{}.lock", &key[..16]));
        sandbox.write("victim", "mine");
        if is_link {
            std::os::unix::fs::symlink("victim", &lock).unwrap();
        } else {
            std::fs::create_dir(&lock).unwrap();
        }
        sandbox.write("uploads", "");
        for outcome in at_once(3, |_| send_file(&sandbox)) {
            outcome.is_silent();
        }
        holds_files(&standin, "lisi", &[("a.txt", BYTES); 4]);
        assert!(lock.symlink_metadata().is_ok());
        assert_eq!(sandbox.read("victim"), "mine");
    });
}
