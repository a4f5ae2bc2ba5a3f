//! Root reaches files of its own by handles alone: each call that opens, makes, renames, removes or
//! changes anything by its name is traced.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::standin::Standin;
use crate::support::{AS_OTHER, Run, Sandbox, make, names_in, script, set_mode};

/// What is not ours: root's own system, which another user can't change.
const SYSTEM: [&str; 9] = [
    "/proc/",
    "/sys/",
    "/dev/",
    "/etc/",
    "/lib",
    "/usr/",
    "/run/",
    // Where `init` and `check` look for the flush.
    "/var/spool/cron",
    "/root/.config/systemd",
];

/// The calls that open or change something by its name.
const CALLS: [&str; 22] = [
    "open",
    "openat",
    "openat2",
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmodat",
    "chown",
    "lchown",
    "fchownat",
    "truncate",
];

/// A name in a call of a trace: what it is relative to, and the name.
fn names_of(arguments: &str) -> Vec<(bool, &str)> {
    let mut pieces = arguments.split('"');
    let mut names = Vec::new();
    while let (Some(before), Some(name)) = (pieces.next(), pieces.next()) {
        // `5</a/directory>, "name"` or `AT_FDCWD</>, "name"` or `"name"`.
        let by_handle = before.contains('<') && !before.contains("AT_FDCWD");
        names.push((by_handle, name));
    }
    names
}

/// Whether a call leads to something of ours past the handles.
fn is_by_path(call: &str, arguments: &str) -> bool {
    let walks = arguments.contains("O_PATH");
    // Without links and mounts; what is on the way is looked at from the handle.
    let is_straight = call == "openat2"
        && ["O_PATH", "RESOLVE_NO_XDEV", "RESOLVE_NO_SYMLINKS"]
            .iter()
            .all(|it| arguments.contains(it));
    // A nameless file, of which there is only the handle.
    let is_nameless = arguments.contains("O_TMPFILE");
    CALLS.contains(&call)
        && names_of(arguments).into_iter().any(|(by_handle, name)| {
            let is_one = !name.trim_matches('/').contains('/');
            let is_system = SYSTEM.iter().any(|it| name.starts_with(it));
            let is_fine =
                by_handle && !name.contains('/') || walks && is_one || is_straight || is_nameless;
            !is_fine && !is_system
        })
}

#[test]
fn what_goes_past_the_handles_is_found() {
    for (line, by_path) in [
        ("openat(AT_FDCWD</>, \"/a/b\", O_RDONLY|O_CLOEXEC", true),
        ("openat(AT_FDCWD</>, \"b\", O_RDONLY", true),
        ("openat(5</a>, \"b/c\", O_RDONLY", true),
        ("openat(5</a>, \"b\", O_RDONLY", false),
        ("openat(AT_FDCWD</>, \"/\", O_RDONLY|O_PATH", false),
        ("openat(AT_FDCWD</>, \"/a/b\", O_RDONLY|O_PATH", true),
        (
            "openat2(AT_FDCWD</>, \"/a/b\", {flags=O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_SYMLINKS}, 24",
            false,
        ),
        (
            "openat2(AT_FDCWD</>, \"/a/b\", {flags=O_PATH, resolve=0}, 24",
            true,
        ),
        ("openat(AT_FDCWD</>, \"/etc/localtime\", O_RDONLY", false),
        (
            "openat(AT_FDCWD</>, \"/tmp\", O_RDWR|O_TMPFILE, 0600",
            false,
        ),
        ("unlink(\"/a/b\"", true),
        (
            "renameat2(5</a>, \"b\", 5</a>, \"c\", RENAME_NOREPLACE",
            false,
        ),
        ("renameat2(5</a>, \"b\", AT_FDCWD</>, \"/c\", 0", true),
        ("statx(AT_FDCWD</>, \"/a/b\", 0", false),
    ] {
        let (call, arguments) = line.split_once('(').unwrap();
        assert_eq!(is_by_path(call, arguments), by_path, "{line}");
    }
}

/// Runs a command under strace, and holds that it has gone by handles alone.
fn traced(sandbox: &Sandbox, args: &[&str], stdin: &str) {
    let trace = sandbox.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file", "-o"]);
    command.arg(&trace).arg(sandbox.path("wxpush"));
    let run = Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let outcome = run.args(args).stdin(stdin).run();
    assert!(
        outcome.code.is_some_and(|code| code != 78),
        "{args:?}: {}",
        outcome.stderr
    );
    let calls = fs::read_to_string(&trace).unwrap();
    let mut seen = 0;
    for line in calls.lines() {
        let Some((call, arguments)) = line.split_once('(') else {
            continue;
        };
        let call = call.rsplit(' ').next().unwrap();
        // Without the result, which has a path, too.
        let arguments = arguments.rsplit_once(" = ").map_or(arguments, |(it, _)| it);
        assert!(!is_by_path(call, arguments), "{args:?}: {line}");
        seen += usize::from(CALLS.contains(&call));
    }
    assert!(seen > 10, "{args:?}");
    fs::remove_file(trace).unwrap();
}

#[test]
#[ignore = "needs root, and strace with leave to trace"]
fn root_opens_and_changes_nothing_of_its_own_by_a_path() {
    for rotation in ["never", "daily"] {
        for place in ["state", "beside", "log"] {
            let standin = Standin::start();
            let sandbox = Sandbox::of(&standin);
            let maildrop = sandbox.path("maildrop");
            make(&maildrop);
            set_mode(&maildrop, 0o1733);
            make(&sandbox.path("logs"));
            let place = match place {
                "state" => "state_dir = \"made/state\"",
                "log" => "log.file = \"logs/my.log\"",
                _ => "",
            };
            sandbox.configure(&format!(
                "touser = \"zhangsan\"\nmaildrop = \"{}\"\nlog.rotation = \"{rotation}\"\nlog.keep = 1\n{place}",
                maildrop.display()
            ));
            for day in ["2026-01-01", "2026-01-02"] {
                sandbox.write(&format!("logs/my.log.{day}"), "");
            }
            sandbox.write("a.csv", "1,2\n");
            let mail = "Subject: s\n\nbody\n";
            let traced = |args: &[&str], stdin: &str| traced(&sandbox, args, stdin);
            traced(&["send", "x"], "");
            traced(&["send", "--once", "key", "x"], "");
            traced(&["send", "--queue", "later"], "");
            traced(&["outbox", "list"], "");
            leave(&sandbox, &maildrop, mail);
            traced(&["outbox", "flush"], "");
            assert!(names_in(&maildrop).is_empty());
            traced(&["run", "--", "false"], "");
            traced(&["sendmail", "-i", "root"], mail);
            traced(&["token"], "");
            traced(&["token", "clear"], "");
            traced(&["api", "GET", "agent/get?agentid=1000002"], "");
            traced(&["check"], "");
        }
    }
}

/// Leaves a mail as another user does.
fn leave(sandbox: &Sandbox, maildrop: &Path, mail: &str) {
    script(sandbox, &AS_OTHER, "exec \"$0\" sendmail -i root")
        .env("WXPUSH_MAILDROP", maildrop)
        .stdin(mail)
        .is_silent();
}
