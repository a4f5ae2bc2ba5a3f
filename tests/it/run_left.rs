//! `wxpush run`: what the command leaves behind, and what becomes of it all if wxpush is killed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::Fault;
use crate::support::{Run, SEND, Sandbox, flush, for_each, set_up, sh, texts, waiting};

/// Waits until it is so.
#[track_caller]
fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there, and no zombie.
fn lives(id: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default();
    !state.is_empty() && !state.starts_with(" Z")
}

/// The processes that have this pipe as their stdin.
fn readers(pipe: &Path) -> Vec<i32> {
    let ids = fs::read_dir("/proc").unwrap().filter_map(|it| {
        let name = it.unwrap().file_name();
        name.to_str()?.parse().ok()
    });
    let reads = |id: &i32| fs::read_link(format!("/proc/{id}/fd/0")).is_ok_and(|it| it == pipe);
    ids.filter(reads).collect()
}

/// The number that a file of the sandbox has, if there is one.
fn number_in(sandbox: &Sandbox, name: &str) -> Option<i32> {
    let text = fs::read_to_string(sandbox.path(name)).ok()?;
    text.trim().parse().ok()
}

#[test]
fn a_daemon_lives_on_and_writes_and_nothing_of_ours_is_in_its_way() {
    let place = |word: &str| {
        format!("while :; do printf %04000d 7 {word}; i=$((i+1)); echo $i > count; done")
    };
    for_each(["", "--only-errors", "--stderr-fails"], |options| {
        for to in ["", ">&2"] {
            let (standin, sandbox) = set_up();
            let script = format!(
                "p=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo \"$p\" > pipes; ({}) & echo $! > id; echo $!",
                place(to)
            );
            let run = sh(&sandbox, &format!("--to lisi {options}"), &script);
            // Its end is that of our own outputs, too: the daemon does not hold them.
            let outcome = run.cwd(sandbox.path("")).exits(0);
            assert!(outcome.time < Duration::from_secs(30));
            assert_eq!(texts(&standin, "lisi").len(), 1);
            let id = number_in(&sandbox, "id").unwrap();
            let count = || number_in(&sandbox, "count").unwrap_or_default();
            let before = count();
            // More than a pipe holds.
            await_that("it writes on", || count() > before + 40);
            assert!(lives(id));
            let pipes = sandbox.read("pipes");
            let pipe = pipes.lines().nth(usize::from(!to.is_empty())).unwrap();
            let drains = readers(Path::new(pipe));
            assert_eq!(drains.len(), 1);
            kill(Pid::from_raw(id), Signal::SIGKILL).unwrap();
            await_that("who drains it ends with it", || !lives(drains[0]));
        }
    });
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn where_nothing_is_left_behind_no_process_is_started() {
    let (standin, sandbox) = set_up();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=execve", "-o", "calls"]);
    command.arg(sandbox.path("wxpush"));
    command.args(["run", "--to", "lisi", "--", "/bin/echo", "out"]);
    let run = Run::new(command).env("PATH", "/usr/bin:/bin");
    run.cwd(sandbox.path("")).exits(0);
    assert_eq!(sandbox.read("calls").matches(" = 0").count(), 2);
    assert_eq!(texts(&standin, "lisi").len(), 1);
}

/// `timeout` with these options before a command that takes no notice of SIGTERM.
fn timed_out(sandbox: &Sandbox, options: &str, script: &str) -> Run {
    let mut command = Command::new("timeout");
    command.args(options.split(' ')).arg(sandbox.path("wxpush"));
    command.args(["run", "--to", "lisi", "-t", "job", "--on", "change", "--"]);
    command.args(["sh", "-c", script]);
    Run::new(command)
        .env("PATH", "/usr/bin:/bin")
        .cwd(sandbox.path(""))
}

#[test]
fn killed_after_a_term_the_command_goes_too_and_its_report_is_kept() {
    for_each(["-k 3 1", "-k 3 -s INT 1"], |options| {
        let (standin, sandbox) = set_up();
        let script = "trap '' TERM INT; echo $$ > id; echo words; while :; do sleep 1; done";
        timed_out(&sandbox, options, script).run();
        let id = number_in(&sandbox, "id").unwrap();
        await_that("the command ends", || !lives(id));
        assert_eq!(waiting(&sandbox).len(), 1);
        flush(&sandbox).exits(0);
        let report = texts(&standin, "lisi").pop().unwrap();
        let signal = if options.contains("INT") {
            "SIGINT"
        } else {
            "SIGTERM"
        };
        assert!(
            report.contains("💥 job") && report.contains(signal),
            "{report}"
        );
        assert!(report.contains("words"), "{report}");
        // It counts: the recovery is one.
        timed_out(&sandbox, "60", "true").exits(0);
        let report = texts(&standin, "lisi").pop().unwrap();
        assert!(report.contains("恢复：失败 1 次"), "{report}");
    });
}

#[test]
fn who_ends_late_but_by_himself_is_reported_once_as_what_he_is() {
    for_each([("exit 9", 9), ("exit 0", 0)], |(end, code)| {
        let (standin, sandbox) = set_up();
        let script =
            format!("trap 'sleep 2; {end}' TERM; echo $$ > id; while :; do sleep 0.1; done");
        let options = "--to lisi -t job --on change";
        let run = sh(&sandbox, options, &script).cwd(sandbox.path(""));
        let started = run.start();
        await_that("it runs", || number_in(&sandbox, "id").is_some());
        kill(
            Pid::from_raw(started.child.id().cast_signed()),
            Signal::SIGTERM,
        )
        .unwrap();
        await_that("a report is kept, in case", || waiting(&sandbox).len() == 1);
        // Not while we live.
        flush(&sandbox);
        started.wait().exits(code);
        assert!(waiting(&sandbox).is_empty());
        let reports = texts(&standin, "lisi");
        assert_eq!(reports.len(), usize::from(code > 0), "{reports:?}");
        assert!(
            reports
                .iter()
                .all(|it| it.contains("退出码 9") && !it.contains("连续"))
        );
    });
}

#[test]
fn a_reserved_report_holds_up_no_message_and_gives_way_to_the_true_one_before_it_is_sent() {
    let (standin, sandbox) = set_up();
    let script = "trap 'until [ -e go ]; do sleep 0.1; done; exit 9' TERM; \
                  echo $$ > id; while :; do sleep 0.1; done";
    let run = sh(&sandbox, "--to lisi -t job --on change", script);
    let mut started = run.cwd(sandbox.path("")).start();
    await_that("it runs", || number_in(&sandbox, "id").is_some());
    let id = Pid::from_raw(started.child.id().cast_signed());
    kill(id, Signal::SIGTERM).unwrap();
    await_that("a report is kept, in case", || waiting(&sandbox).len() == 1);
    let reserved = waiting(&sandbox);
    let record = || sandbox.path(&format!("outbox/{}.try", reserved[0]));
    await_that("it is marked", || record().exists());
    sandbox.wxpush("send --queue --to lisi later").exits(0);
    flush(&sandbox);
    assert_eq!(texts(&standin, "lisi").len(), 1);
    assert_eq!(waiting(&sandbox), reserved);
    let before = standin.count(SEND);
    standin.always(SEND, Fault::Hang);
    sandbox.write("go", "");
    await_that("the true one is tried", || standin.count(SEND) > before);
    let left = waiting(&sandbox);
    started.child.kill().unwrap();
    started.child.wait().unwrap();
    assert!(left.len() == 1 && left != reserved, "{left:?}");
}

#[test]
fn whatever_name_it_is_run_by_it_works() {
    let sandbox = Sandbox::empty();
    let mut command = Command::new(sandbox.path("wxpush"));
    command.arg0(OsStr::from_bytes(b"wx\xff")).arg("--version");
    Run::new(command).exits(0);
}

#[test]
fn without_an_outbox_the_command_ends_with_us_all_the_same() {
    let (standin, sandbox) = set_up();
    sandbox.configure("outbox.enabled = false");
    let script = "trap '' TERM; echo $$ > id; while :; do sleep 1; done";
    timed_out(&sandbox, "-k 3 1", script).run();
    let id = number_in(&sandbox, "id").unwrap();
    await_that("the command ends", || !lives(id));
    assert!(texts(&standin, "lisi").is_empty());
}
