//! `wxpush run` when things go wrong: the command runs, its exit code counts, and the report is kept
//! or said to be lost.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::{Fault, SECRET};
use crate::support::{
    GETTOKEN, SEND, Sandbox, Words, config, flush, for_each, redirected, set_up, sh, texts, waiting,
};

#[test]
fn a_broken_config_costs_the_report_alone() {
    for (text, says) in [
        ("junk =", "config.toml"),
        ("corpid = \"x\"\nbogus = 1\n", "config.toml"),
        ("", "corpid"),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", text);
        let outcome = sh(&sandbox, "", "echo ran; exit 7").exits(7).says(says);
        assert_eq!(outcome.stdout, "ran\n");
        assert!(outcome.stderr.contains("there will be no report"));
    }
    let sandbox = Sandbox::empty();
    for options in ["--robot nobody", "-p nobody", "-c /nowhere"] {
        sh(&sandbox, options, "exit 7").exits(7).says("no report");
    }
}

#[test]
fn whatever_becomes_of_the_report_the_exit_code_is_the_commands() {
    for_each([0, 1, 75, 77, 255], |code| {
        let (standin, sandbox) = set_up();
        let script = format!("exit {code}");
        for (fault, kept) in [
            (Fault::Errcode(60020, "not allow".into()), true),
            (Fault::Errcode(40058, "bad".into()), false),
            (Fault::html(502), true),
        ] {
            standin.always(SEND, fault);
            let run = sh(&sandbox, "--to lisi --timeout 1s", &script);
            run.exits(code).says("wxpush: error: ");
            assert_eq!(waiting(&sandbox).len(), usize::from(kept));
            standin.mend();
            flush(&sandbox).is_silent();
        }
        assert_eq!(texts(&standin, "lisi").len(), 2);
        standin.always(GETTOKEN, Fault::Errcode(40001, "invalid".into()));
        fs::remove_file(sandbox.path("token_cache.json")).unwrap();
        sh(&sandbox, "--to lisi", &script)
            .exits(code)
            .says("wxpush: error: ");
    });
}

#[test]
fn without_a_network_the_report_is_kept_and_goes_later() {
    let (_standin, sandbox) = set_up();
    sandbox.write("config.toml", config("http://127.0.0.1:1"));
    let run = sh(&sandbox, "--to lisi --timeout 1s", "exit 3");
    run.exits(3).says("kept in the outbox");
    assert_eq!(waiting(&sandbox).len(), 1);
}

#[test]
fn a_report_that_is_lost_is_told_by_the_next_run() {
    let (standin, sandbox) = set_up();
    sandbox.configure("outbox.enabled = false");
    let run = |script| {
        sh(
            &sandbox,
            "--on change -t job --to lisi --timeout 1s",
            script,
        )
        .run()
    };
    let refuse = || standin.always(SEND, Fault::Errcode(60020, "not allow".into()));
    refuse();
    run("exit 1").exits(1).says("60020");
    standin.mend();
    run("exit 1").exits(1);
    assert!(texts(&standin, "lisi")[0].contains("连续失败 2 次"));
    refuse();
    run("exit 0").exits(0).says("60020");
    standin.mend();
    run("exit 0").exits(0);
    assert!(texts(&standin, "lisi")[1].contains("恢复：失败 2 次"));
    run("exit 0").exits(0);
    assert_eq!(texts(&standin, "lisi").len(), 2);
}

#[test]
fn where_nothing_can_be_counted_a_failure_is_reported() {
    let (standin, sandbox) = set_up();
    fs::create_dir(sandbox.path("runs")).unwrap();
    let options = "--on change --after 3 --to lisi";
    sh(&sandbox, options, "exit 1").exits(1).says("how often");
    sh(&sandbox, options, "exit 0").exits(0).says("how often");
    assert_eq!(texts(&standin, "lisi").len(), 1);
    // Nor does junk in it harm.
    fs::remove_dir(sandbox.path("runs")).unwrap();
    sandbox.write("runs", b"\xff\nk 1 2\n\0\n99999999999999999999 x 1 1 1\n");
    for count in [1, 2] {
        sh(&sandbox, "--on change --to lisi -t job", "exit 1").exits(1);
        assert_eq!(texts(&standin, "lisi").len(), 2, "{count}");
    }
}

#[test]
fn a_daemon_that_holds_the_pipe_holds_neither_us_nor_a_lock() {
    let (_standin, sandbox) = set_up();
    for script in ["sleep 300 & echo $!", "yes >&2 & echo $!"] {
        let mut command = sh(&sandbox, "--to lisi", script).command();
        let begun = Instant::now();
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap_or_default();
        let status = child.wait().unwrap();
        // Two seconds are the promise; a busy machine has more, and a hang none.
        assert!(status.success() && begun.elapsed() < Duration::from_secs(30));
        let id = stdout.trim();
        if let Ok(links) = fs::read_dir(format!("/proc/{id}/fd")) {
            let dir = sandbox.path("").display().to_string();
            for link in links {
                let to = fs::read_link(link.unwrap().path()).unwrap_or_default();
                assert!(
                    !to.display().to_string().starts_with(&dir),
                    "{}",
                    to.display()
                );
            }
        }
        let _ = kill(Pid::from_raw(id.parse().unwrap()), Signal::SIGKILL);
        sandbox.send("x").is_silent();
    }
}

#[test]
fn output_that_cannot_be_written_is_no_success() {
    let (standin, sandbox) = set_up();
    for (args, redirection, code) in [
        ("", ">/dev/full", 74),
        ("", "2>/dev/full", 74),
        ("--on failure", ">/dev/full 2>&1", 74),
        ("--only-errors", ">/dev/full", 0),
        ("--on failure", "| true", 0),
    ] {
        let before = texts(&standin, "lisi").len();
        let args = format!("run --to lisi {args} -- sh -c 'echo out; echo err >&2'");
        let redirected = redirected(&sandbox, &args, redirection);
        redirected.exits(code);
        let reports = texts(&standin, "lisi").split_off(before);
        let is_told = reports
            .iter()
            .any(|it| it.contains("输出写不出去") && it.contains("out"));
        assert_eq!(is_told, code == 74, "{args} {redirection}: {reports:?}");
    }
}

#[test]
fn outputs_that_are_closed_or_full_change_no_exit_code() {
    let (standin, sandbox) = set_up();
    for redirection in [
        "<&-",
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        ">/dev/full",
        "2>/dev/full",
        ">/dev/full 2>/dev/full",
    ] {
        let args = "run --to lisi -- sh -c 'echo out; echo err >&2; exit 6'";
        redirected(&sandbox, args, redirection).exits(6);
        let report = texts(&standin, "lisi").pop().unwrap();
        assert!(
            report.contains("退出码 6") && report.contains("out"),
            "{redirection}: {report}"
        );
    }
    // Whose reader is gone, gets its SIGPIPE, as without us.
    let args = "run --to lisi -- sh -c 'yes; exit 6'";
    redirected(&sandbox, args, "| true").exits(6);
    redirected(&sandbox, "run --to lisi -- yes", "| true").exits(141);
}

/// The most memory that a process has had, in KiB.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    words.and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[test]
fn much_output_takes_little_memory() {
    let (_standin, sandbox) = set_up();
    // At length: WXPUSH_RUN_GB=10.
    let gigabytes = std::env::var("WXPUSH_RUN_GB").map_or(1, |text| text.parse().unwrap());
    let size: u64 = gigabytes << 30;
    let script = format!("yes 0123456789 | head -c {size}");
    let mut child = sh(&sandbox, "--to lisi", &script)
        .command()
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (mut buffer, mut count, mut most) = (vec![0; 1 << 20], 0, 0);
    loop {
        let read = stdout.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        count += read as u64;
        most = most.max(peak(child.id()));
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(count, size);
    // The debug build alone has some 15 MiB in memory, most of it code.
    assert!((1..24 << 10).contains(&most), "{most} KiB");
}

#[test]
fn a_line_in_one_word_is_named_by_its_program_alone() {
    let (_standin, sandbox) = set_up();
    let line = format!("curl -s https://example.com/send?key={SECRET}");
    let outcome = sandbox
        .wxpush("run --")
        .arg(line)
        .exits(127)
        .says("one pair of quotes");
    assert!(
        outcome.stderr.contains("curl cannot be run"),
        "{}",
        outcome.stderr
    );
    sandbox.read("wxpush.log").lacks(SECRET);
}
