//! The log under fire: many writers, hostile texts, and what stands in its way.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use rustix::system::sethostname;

use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::support::log::{BIDI, Line, date_in, lines, logging};
use crate::support::{
    FLOOR, GETTOKEN, Run, SEND, Sandbox, at_once, await_count, chattr, hire, obstruct, set_up,
    texts,
};

/// Texts that a log, or its reader, could be fooled by.
const HOSTILE: [&str; 10] = [
    "one\ntwo\r\nthree\rfour",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "x\n2026-11-24T08:00:00.000+08:00 INFO  1 src/main.rs:1 end exit=0 ms=1",
    "gnp\u{202e}exe.\u{2066}x\u{200f}",
    "\u{85}\u{2028}\u{2029}\u{b}\u{c}",
    "a=\"b\" exit=0 \\\" end\" c=d",
    "\\",
    "back\\slash \\n \\\\",
    "\u{0}\u{1}\u{7f}\u{9b}31m",
    "\t tabs \t",
];

#[test]
fn two_hundred_writers_never_tear_a_line() {
    let standin = Standin::start();
    let members = hire(&standin, 200);
    let sandbox = logging(&standin, "level = \"debug\"");
    // A dozen parts, so that each process has some twenty-five lines to write.
    let text = HOSTILE.join(" \n").repeat(140);
    let _floor = FLOOR.lock();
    let outcomes = at_once(200, |number| {
        sandbox
            .wxpush("send --long split --timeout 80s -")
            .args(&["--to", &members[number]])
            .stdin(text.clone())
    });
    for outcome in outcomes {
        outcome.is_silent();
    }
    let log = sandbox.read("wxpush.log");
    let mut writers: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
    for line in lines(&log) {
        writers.entry(line.pid).or_default().push(line);
    }
    assert_eq!(writers.len(), 200);
    let count = log.lines().count();
    assert!(count >= 5_000, "{count} lines");
    for lines in writers.values() {
        assert_eq!(lines[0].message, "start");
        assert!(lines[1].field("text").len() > 4096, "longer than a page");
        assert_eq!(lines.last().unwrap().message, "end");
    }
}

#[test]
fn no_hostile_text_adds_a_line_or_a_control_character() {
    for text in HOSTILE {
        let standin = Standin::start();
        let sandbox = logging(&standin, "level = \"debug\"");
        let title = text.replace('\0', "");
        for fault in [None, Some(Fault::Errcode(99999, text.to_owned()))] {
            let exit = if fault.is_some() { 75 } else { 0 };
            standin.script(SEND, fault);
            let titled = sandbox.wxpush("send -vvv --title").arg(&title).arg("x");
            let piped = sandbox.wxpush("send -vvv -").stdin(format!("x{text}"));
            for (run, exit) in [(titled, exit), (piped, 0)] {
                let shown = run.exits(exit).stderr;
                let odd = |it: char| (it.is_control() && it != '\n') || BIDI.contains(&it);
                assert!(!shown.contains(odd), "{shown:?}");
            }
        }
        // First with the token fetched, then reused; each run with the text itself, and one with
        // where its message is kept.
        let lines = lines(&sandbox.read("wxpush.log"));
        assert_eq!(lines.len(), 6 + 5 + 6 + 5, "{text:?}");
        assert!(lines.iter().all(|line| line.pid != 1), "one is forged");
        let error = lines.iter().find(|line| line.level == "ERROR").unwrap();
        assert_eq!(error.field("exit"), "75", "{error:?}");
    }
}

/// Holds that what a terminal would heed is neither on stderr nor in the log, and that the log tells
/// of the end of so many runs.
fn hold_clean(sandbox: &Sandbox, stderr: &str, runs: usize, context: &str) {
    let odd = |it: char| (it.is_control() && it != '\n') || BIDI.contains(&it);
    assert!(!stderr.contains(odd), "{context:?}: {stderr:?}");
    let log = sandbox.read("wxpush.log");
    assert!(!log.contains(odd), "{context:?}: {log:?}");
    let lines = lines(&log);
    let ends = lines.iter().filter(|it| it.message == "end").count();
    assert_eq!(ends, runs, "{context:?}: {log}");
    assert!(lines.iter().all(|line| line.pid != 1), "one is forged");
}

#[test]
#[ignore = "needs root: a host name of its own"]
fn no_hostile_host_name_reaches_a_phone_or_a_log_as_it_is() {
    let hosts: [(&[u8], &str); 8] = [
        (b"web01", "[web01] x"),
        (b"one\ntwo", "[one two] x"),
        (b"one\r\ntwo\r", "[one two ] x"),
        (b"\x1b[2Ja\x1b]0;title\x07b", "[ab] x"),
        (b"\x7f\x01\x08", "[] x"),
        (b"\xff\xfe", "[\u{fffd}\u{fffd}] x"),
        (
            b"x\n2026-11-24T08:00:00.000+08:00 INFO  1 src/main.rs:1 end exit=0",
            "[x 2026-11-24T08:00:00.000+08:00 INFO  1 src/main.rs:1 end exit=0] x",
        ),
        ("a\u{202e}b\u{2028}".as_bytes(), "[a\u{202e}b\u{2028}] x"),
    ];
    for (host, wanted) in hosts {
        let standin = Standin::start();
        let sandbox = logging(&standin, "level = \"trace\"");
        sandbox.configure("prefix = \"[{hostname}] \"");
        // The name is of this thread, and of what it starts. The kernel takes 64 bytes.
        let stderr = std::thread::scope(|scope| {
            let send = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWUTS).expect("root may have a name of its own");
                sethostname(&host[..host.len().min(64)]).unwrap();
                sandbox.wxpush("send -vvv --to lisi x").exits(0).stderr
            });
            send.join().unwrap()
        });
        assert_eq!(texts(&standin, "lisi"), [wanted]);
        hold_clean(&sandbox, &stderr, 1, wanted);
    }
}

/// A name in TOML, whatever is in it.
fn quoted(name: &str) -> String {
    let escaped = name.chars().map(|it| format!("\\U{:08x}", u32::from(it)));
    format!("\"{}\"", escaped.collect::<String>())
}

#[test]
fn no_hostile_name_of_a_profile_robot_or_file_forges_a_line() {
    for text in HOSTILE {
        let standin = Standin::start();
        let sandbox = logging(&standin, "level = \"trace\"");
        // An argument or a file's name cannot hold these.
        let name = text.replace(['\0', '/'], "");
        let quoted = quoted(&name);
        let config = sandbox.read("config.toml");
        sandbox.write(
            "config.toml",
            format!("{config}[profiles.{quoted}]\ntouser = \"lisi\"\n[robots.{quoted}]\nkey = \"{ROBOT_KEY}\"\n"),
        );
        sandbox.write(&name, "what is in it");
        let file = sandbox.path(&name);
        let mut stderr = String::new();
        for (words, name, code) in [
            ("send x -vvv --profile", name.as_ref(), 0),
            ("send x -vvv --robot", name.as_ref(), 0),
            ("send -vvv --file", file.as_os_str(), 0),
            (
                "send x -vvv --profile",
                OsStr::new(&format!("no{name}")),
                78,
            ),
            ("send x -vvv --robot", OsStr::new(&format!("no{name}")), 78),
            ("send -vvv --file", OsStr::new(&format!("/no{name}")), 66),
        ] {
            stderr += &sandbox.wxpush(words).arg(name).exits(code).stderr;
        }
        // A config that does not do does not say where the log is.
        hold_clean(&sandbox, &stderr, 4, text);
    }
}

#[test]
fn a_log_that_cannot_be_written_costs_a_warning_and_no_message() {
    for kind in [
        "directory",
        "fifo",
        "device",
        "symlink",
        "dangling",
        "hard link",
        "nowhere",
        "fixed",
    ] {
        for rotation in ["never", "daily"] {
            let standin = Standin::start();
            let file = if kind == "nowhere" {
                "no/such/wxpush.log"
            } else {
                "wxpush.log"
            };
            let lines = format!("file = \"{file}\"\nrotation = \"{rotation}\"");
            let sandbox = logging(&standin, &lines);
            sandbox.write("victim", "before\n");
            let victim = sandbox.path("victim");
            // Midnight may come in between.
            let names = match rotation {
                "daily" => [0, 1].map(|days| format!("wxpush.log.{}", date_in(days))),
                _ => ["wxpush.log", "unused"].map(str::to_owned),
            };
            let paths = names.map(|name| sandbox.path(&name));
            match kind {
                "nowhere" => {}
                "fixed" => {
                    for path in &paths {
                        fs::write(path, "").unwrap();
                    }
                    if !chattr("+i", &paths) {
                        continue; // not root, or a file system that knows no such thing
                    }
                }
                _ => paths.iter().for_each(|path| obstruct(kind, path, &victim)),
            }
            let outcome = sandbox.send("x").exits(0);
            let quiet = sandbox.wxpush("send --quiet y").run();
            if kind == "fixed" {
                assert!(chattr("-i", &paths), "what was fixed can be freed");
            }
            assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
            outcome.says("warning: the log ").says("cannot be written");
            if kind != "fixed" {
                let run = sandbox.wxpush("token refresh").in_chinese();
                run.exits(0).is_chinese().says("wxpush: 警告：日志 ");
            }
            quiet.is_silent();
            assert_eq!(standin.company().phone("zhangsan").len(), 2);
            assert_eq!(sandbox.read("victim"), "before\n", "{kind} {rotation}");
            assert!(!sandbox.path("no").exists());
        }
    }
}

#[test]
fn a_log_that_is_removed_or_has_lost_its_mode_is_no_trouble() {
    let (standin, sandbox) = set_up();
    let path = sandbox.path("wxpush.log");
    standin.script(GETTOKEN, [Fault::Delay(Duration::from_millis(500))]);
    let started = sandbox.send("x").start();
    await_count(&standin, GETTOKEN, 1);
    fs::remove_file(&path).unwrap();
    started.wait().is_silent();
    sandbox.send("y").is_silent();
    assert_eq!(lines(&sandbox.read("wxpush.log")).len(), 4);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    sandbox.send("z").is_silent();
    assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
}

#[test]
#[ignore = "needs root and a mount namespace"]
fn a_full_disk_under_the_log_costs_a_warning_and_no_message() {
    let standin = Standin::start();
    let sandbox = logging(&standin, "file = \"full/wxpush.log\"\nlevel = \"debug\"");
    fs::create_dir(sandbox.path("full")).unwrap();
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=64k,mode=700 none \"$1\" && { cat /dev/zero >\"$1/filler\" 2>&-; \
                  shift; exec \"$@\"; }";
    command.args(["-m", "sh", "-c", script, "sh"]);
    command
        .arg(sandbox.path("full"))
        .arg(sandbox.path("wxpush"));
    let outcome = Run::new(command)
        .args(&["send", "x"])
        .env("PATH", "/usr/bin:/bin");
    let outcome = outcome.exits(0);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    outcome.says("No space left on device");
    assert_eq!(standin.company().phone("zhangsan").len(), 1);
}
