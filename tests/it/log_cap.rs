//! A log that has reached its cap: set aside once, with no line lost, whatever is in the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Signal, kill_process};

use crate::standin::Standin;
use crate::support::log::{Line, date_in, lines, logging};
use crate::support::{Run, Sandbox, at_once, chattr, make, obstruct, set_mode, set_up, stopped_at};

/// The size in bytes from which on a log is set aside.
const CAP: u64 = 32 << 20;

/// Makes a log of so many bytes: a hole that ends a line.
fn grow(path: &Path, size: u64) {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .unwrap();
    file.write_all_at(b"\n", size - 1).unwrap();
    set_mode(path, 0o640);
}

/// The lines of a log behind its hole.
fn told(sandbox: &Sandbox, name: &str) -> Vec<Line> {
    let text = sandbox.read(name);
    let text = text.rsplit_once('\0').map_or(&*text, |(_, text)| text);
    lines(text.strip_prefix('\n').unwrap_or(text))
}

fn logs_in(sandbox: &Sandbox) -> Vec<String> {
    let names = sandbox.names().into_iter();
    names.filter(|name| name.contains("log")).collect()
}

fn size(path: &Path) -> u64 {
    path.metadata().unwrap().len()
}

#[test]
fn one_of_a_hundred_writers_sets_a_full_log_aside_and_no_line_is_lost() {
    let standin = Standin::start();
    standin.company().phones.per_minute = usize::MAX;
    let sandbox = logging(&standin, "level = \"debug\"");
    grow(&sandbox.path("wxpush.log"), CAP);
    sandbox.write("wxpush.log.old", "before\n");
    let text = "0123456789".repeat(200);
    let outcomes = at_once(100, |number| {
        let member = format!("member{:02}", number % 10 + 1);
        sandbox.send(&text).args(&["--to", &member])
    });
    for outcome in outcomes {
        outcome.is_silent();
    }
    let logs = logs_in(&sandbox);
    assert_eq!(logs, ["wxpush.log", "wxpush.log.old"]);
    assert!(size(&sandbox.path("wxpush.log.old")) >= CAP, "the old one");
    let mut writers: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
    for name in &logs {
        let begun = writers.len();
        let here = told(&sandbox, name);
        let pids: BTreeSet<u32> = here.iter().map(|line| line.pid).collect();
        for line in here {
            writers.entry(line.pid).or_default().push(line);
        }
        assert_eq!(writers.len(), begun + pids.len(), "each writes to one");
    }
    assert_eq!(writers.len(), 100);
    for lines in writers.values() {
        let told: Vec<&str> = lines.iter().map(|line| &*line.message).collect();
        assert_eq!((told[0], told[told.len() - 1]), ("start", "end"));
        let texts: Vec<&str> = lines.iter().map(|line| line.field("text")).collect();
        assert!(texts.contains(&&*text), "{told:?}");
    }
}

#[test]
fn a_log_stays_until_it_is_full_and_then_takes_the_place_of_the_last_one() {
    let (standin, sandbox) = set_up();
    let [log, aside] = ["wxpush.log", "wxpush.log.old"].map(|name| sandbox.path(name));
    for round in 1..=3 {
        grow(&log, CAP - 1);
        sandbox.send("fits").is_silent();
        assert_eq!(aside.exists(), round > 1, "one byte is free");
        assert!(size(&log) > CAP);
        sandbox.send("does not").is_silent();
        let (old, new) = (
            told(&sandbox, "wxpush.log.old"),
            told(&sandbox, "wxpush.log"),
        );
        assert_eq!(new.len(), 4);
        assert_eq!(old.len(), if round == 1 { 5 } else { 4 }, "{round}");
        fs::remove_file(&log).unwrap();
    }
    let daily = logging(&standin, "rotation = \"daily\"");
    let names = [0, 1].map(|days| format!("wxpush.log.{}", date_in(days)));
    for name in &names {
        grow(&daily.path(name), CAP);
    }
    daily.send("x").is_silent();
    assert_eq!(logs_in(&daily), names, "a day has one file");
}

#[test]
fn a_full_log_that_cannot_be_set_aside_goes_on() {
    let standin = Standin::start();
    for (kind, why) in [
        ("directory", "wxpush.log.old: is not a regular file"),
        ("symlink", "wxpush.log.old: is a symbolic link"),
        ("dangling", "wxpush.log.old: is a symbolic link"),
        ("hard link", "wxpush.log.old: has a second name"),
        ("fifo", "wxpush.log.old: is not a regular file"),
        ("shared", "others can write to its directory"),
        ("fixed", "not permitted"),
        ("a link for a lock", "wxpush.log.lock: is a symbolic link"),
        ("held", ""),
        ("locked by a reader", ""),
    ] {
        let sandbox = logging(&standin, "file = \"logs/wxpush.log\"");
        let dir = sandbox.path("logs");
        make(&dir);
        let log = dir.join("wxpush.log");
        let aside = dir.join("wxpush.log.old");
        grow(&log, CAP);
        sandbox.write("victim", "before\n");
        let reader = File::open(&log).unwrap();
        let lock = dir.join("wxpush.log.lock");
        let holder = (kind == "held").then(|| File::create(&lock).unwrap());
        match kind {
            "shared" => set_mode(&dir, 0o1777),
            "fixed" => {
                if !chattr("+i", std::slice::from_ref(&dir)) {
                    continue; // not root, or a file system that knows no such thing
                }
            }
            "a link for a lock" => obstruct("symlink", &lock, &sandbox.path("victim")),
            "held" => holder.as_ref().unwrap().lock().unwrap(),
            "locked by a reader" => reader.lock().unwrap(),
            _ => obstruct(kind, &aside, &sandbox.path("victim")),
        }
        let message = format!("past {kind}");
        let outcome = sandbox.send(&message).run();
        if kind == "fixed" {
            // What was fixed can be freed.
            assert!(chattr("-i", std::slice::from_ref(&dir)));
        }
        outcome.is_silent();
        let lines = told(&sandbox, "logs/wxpush.log");
        let warnings: Vec<&Line> = lines.iter().filter(|line| line.level == "WARN").collect();
        assert_eq!(warnings.len(), usize::from(!why.is_empty()), "{kind}");
        for warning in warnings {
            assert!(warning.message.contains("cannot be set aside"), "{kind}");
            assert!(warning.message.contains(why), "{kind}: {warning:?}");
        }
        assert_eq!(lines.last().unwrap().message, "end", "{kind}");
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let without = ["shared", "fixed", "held", "a link for a lock"];
        assert_eq!(is_there(&aside), !without.contains(&kind), "{kind}");
        assert_eq!(
            is_there(&lock),
            ["held", "a link for a lock"].contains(&kind)
        );
        assert_eq!(sandbox.read("victim"), "before\n", "{kind}");
        let phone = standin.company().phone("lisi");
        assert!(phone.iter().any(|landed| landed.text == message), "{kind}");
    }
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn who_comes_by_the_lock_late_sets_no_new_log_aside() {
    let (_standin, sandbox) = set_up();
    let log = sandbox.path("wxpush.log");
    grow(&log, CAP);
    // As a kill leaves it, so that the first look finds it.
    let lock = sandbox.path("wxpush.log.lock");
    sandbox.write("wxpush.log.lock", "");
    let mut command = Command::new("strace");
    // Stopped between its look at the full log and the lock.
    let stop = "inject=openat:signal=STOP:when=1";
    command.args([
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        stop,
        "-P",
        "wxpush.log.lock",
    ]);
    let late = Run::new(command)
        .env("PATH", "/usr/bin:/bin")
        .arg(sandbox.path("wxpush"));
    let late = late.args(&["send", "late"]).start();
    let child = stopped_at(&lock, late.child.id());
    sandbox.send("in time").is_silent();
    let aside = sandbox.path("wxpush.log.old");
    assert!(size(&aside) >= CAP, "one has set it aside");
    kill_process(child, Signal::CONT).unwrap();
    late.wait().is_silent();
    assert!(size(&aside) >= CAP, "it is still the old one");
    let lines = told(&sandbox, "wxpush.log");
    let starts = lines.iter().filter(|line| line.message == "start");
    assert_eq!(starts.count(), 2);
    assert!(!lock.exists());
}
