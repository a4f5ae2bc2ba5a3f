//! Signals to `wxpush run`, and what its command inherits of signals, descriptors and limits.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::Standin;
use crate::support::{Pty, Run, Sandbox, for_each, set_up, sh, texts};

/// Waits until a file of the sandbox has these words.
fn await_words(sandbox: &Sandbox, name: &str, words: &str) {
    let begun = Instant::now();
    while !sandbox.read(name).contains(words) {
        assert!(begun.elapsed() < Duration::from_mins(1), "no {words}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_signal_reaches_the_command_once_and_is_reported() {
    let signals = [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGHUP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ];
    for_each(signals, |signal| {
        let (standin, sandbox) = set_up();
        let log = sandbox.path("log").display().to_string();
        let name = &signal.as_str()[3..];
        let script = format!(
            "trap 'echo got >> {log}' {name}; echo ready >> {log}; while [ ! -e {log}.end ]; do sleep 0.05; done; exit 9"
        );
        let started = sh(&sandbox, "--to lisi", &script).start();
        await_words(&sandbox, "log", "ready");
        let wrapper = Pid::from_raw(started.child.id().cast_signed());
        kill(wrapper, signal).unwrap();
        await_words(&sandbox, "log", "got");
        fs::write(sandbox.path("log.end"), "").unwrap();
        started.wait().exits(9);
        assert_eq!(sandbox.read("log"), "ready\ngot\n");
        // One that is deadly to the command, as most are.
        fs::remove_file(sandbox.path("log")).unwrap();
        let script = format!("ulimit -c 0; echo ready >> {log}; exec sleep 300");
        let started = sh(&sandbox, "--to lisi", &script).start();
        await_words(&sandbox, "log", "ready");
        kill(Pid::from_raw(started.child.id().cast_signed()), signal).unwrap();
        started.wait().exits(128 + signal as i32);
        let report = texts(&standin, "lisi").pop().unwrap();
        assert!(report.contains(signal.as_str()), "{report}");
    });
}

/// The state of a process, such as `T` for one that is stopped.
fn state_of(id: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    rest.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn await_state(id: &str, state: &str) {
    let begun = Instant::now();
    while !state.contains(&state_of(id)) {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{id} is {}",
            state_of(id)
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_stop_stops_both_and_both_go_on() {
    let sandbox = Sandbox::empty();
    let log = sandbox.path("log").display().to_string();
    let script = format!("echo $$. >> {log}; exec sleep 300");
    let started = sh(&sandbox, "-c /nowhere", &script).start();
    await_words(&sandbox, "log", ".");
    let command = sandbox.read("log").trim().trim_end_matches('.').to_owned();
    let wrapper = started.child.id().to_string();
    let id = Pid::from_raw(started.child.id().cast_signed());
    kill(id, Signal::SIGTSTP).unwrap();
    await_state(&wrapper, "T");
    await_state(&command, "T");
    kill(id, Signal::SIGCONT).unwrap();
    await_state(&wrapper, "SR");
    await_state(&command, "SR");
    kill(id, Signal::SIGTERM).unwrap();
    started.wait().exits(143);
}

#[test]
#[ignore = "needs script, of util-linux"]
fn what_is_typed_at_a_terminal_reaches_the_command_once() {
    let sandbox = Sandbox::empty();
    let log = sandbox.path("log").display().to_string();
    let program = sandbox.path("wxpush").display().to_string();
    for (key, signal) in [(3, "INT"), (28, "QUIT")] {
        let script = format!(
            "trap \"echo got >> {log}\" {signal}; echo ready >> {log}; until [ -e {log}.end ]; do sleep 0.05; done; exit 9"
        );
        let line = format!("exec {program} -c /nowhere run -- sh -c '{script}'");
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]);
        let mut command = Run::new(command).env("PATH", "/usr/bin:/bin").command();
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut keys = child.stdin.take().unwrap();
        await_words(&sandbox, "log", "ready");
        keys.write_all(&[key]).unwrap();
        await_words(&sandbox, "log", "got");
        // Time for a second one, were there one.
        std::thread::sleep(Duration::from_millis(300));
        fs::write(sandbox.path("log.end"), "").unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(9));
        assert_eq!(sandbox.read("log"), "ready\ngot\n", "{signal}");
        fs::remove_file(sandbox.path("log")).unwrap();
        fs::remove_file(sandbox.path("log.end")).unwrap();
    }
}

#[test]
fn a_limit_at_a_terminal_ends_the_command_alone() {
    let (standin, sandbox) = set_up();
    let script = "sleep 60 & echo other $! end; exec sleep 60";
    let run = sh(&sandbox, "--limit 1s --to lisi", script);
    let mut pty = Pty::start(run);
    pty.shows("other ").shows(" end");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(124), "{shown}");
    let (_, rest) = shown.split_once("other ").unwrap();
    let id = rest.split(' ').next().unwrap().parse().unwrap();
    // It shares our group with the terminal's: what else is in there is not the command.
    kill(Pid::from_raw(id), Signal::SIGKILL).expect("it is there still");
    let reports = texts(&standin, "lisi");
    assert!(reports[0].starts_with("⏱ sleep @ "), "{reports:?}");
}

#[test]
fn the_command_inherits_what_it_would_without_us() {
    let (_standin, sandbox) = set_up();
    let program = sandbox.path("wxpush").display().to_string();
    // stdout is a pipe for both; SIGPIPE is at its default below wxpush alone.
    let look = "grep -E '^(Umask|SigBlk|SigIgn|SigCgt|NoNewPrivs|CoreDumping)' /proc/self/status; \
        ulimit -a; pwd; env | sort; cat; for fd in /proc/self/fd/*; do echo ${fd##*/}; done";
    let script = format!(
        "trap '' HUP USR2 XFSZ; umask 0027; ulimit -n 77; ulimit -c 0; cd /tmp; echo words | $0 sh -c \"{}\"",
        look.replace('$', "\\$")
    );
    let run = |before: &str| {
        let mut shell = Command::new("sh");
        let line = script.replace("$0", before);
        shell.args(["-c", &line]);
        let run = Run::new(shell)
            .env("PATH", "/usr/bin:/bin")
            .env("VAR", "a value");
        run.env("WXPUSH_LANG", "en").exits(0).stdout
    };
    let with = run(&format!("{program} run --to lisi --"));
    // What starts programs, in libc, may ignore two signals of its own: 32 and 33.
    let own = |text: &str| {
        let lines = text.lines().map(|line| match line.split_once("SigIgn:\t") {
            Some((_, mask)) => format!("{:x}", u64::from_str_radix(mask, 16).unwrap() & !(3 << 31)),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(own(&with), own(&run("")));
    assert!(with.contains("words\n") && with.contains("0027") && with.contains("77"));
}

#[test]
fn the_command_does_not_get_the_secret() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let outcome = sh(&sandbox, "--to lisi", "env")
        .env("WXPUSH_CORPID", crate::standin::CORPID)
        .env("WXPUSH_CORPSECRET", crate::standin::SECRET)
        .env("WXPUSH_AGENTID", crate::standin::AGENTID.to_string())
        .env("WXPUSH_API_BASE", standin.base())
        .exits(0);
    assert!(outcome.stdout.contains("WXPUSH_CORPID") && !outcome.stdout.contains("CORPSECRET"));
    assert_eq!(texts(&standin, "lisi").len(), 1);
}
