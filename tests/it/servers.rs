//! Servers that answer with rubbish, too slowly, too much or not at all: never a success, never a
//! hang past the deadline, never more memory than a message takes.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::chinese::tells_why_there_is_no_token;
use crate::support::{
    GETTOKEN, Outcome, Run, SEND, Sandbox, await_count, config, for_each, set_up,
};

/// Address space in bytes within which a whole send must do, in a debug build; a gigabyte it is not.
const ADDRESS_SPACE: &str = "--as=300000000";

/// Holds that a run of `--timeout 2s` ended by its deadline, with room for a busy machine.
fn in_time(run: Run) -> Outcome {
    let outcome = run.args(&["--timeout", "2s"]).exits(75);
    assert!(outcome.time < Duration::from_secs(4), "{:?}", outcome.time);
    outcome
}

fn raw(bytes: impl Into<Vec<u8>>) -> Fault {
    Fault::Raw(bytes.into())
}

#[test]
fn rubbish_is_never_a_success_and_never_a_hang() {
    let yes = r#"{"errcode":0,"errmsg":"ok","access_token":"t","msgid":"m"}"#;
    let head = "HTTP/1.1 200 OK\r\n";
    let many: String = (0..10_000).map(|at| format!("x-{at}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let length = |said: &str| raw(format!("{head}content-length: {said}\r\n\r\n{yes}"));
    let gzip = b"content-encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0";
    let switch = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    let table = [
        ("slow", Fault::Drip(Duration::from_secs(1))),
        ("endless", Fault::Endless(Duration::from_millis(1))),
        ("slow and endless", Fault::Endless(Duration::from_secs(1))),
        ("silent", Fault::Hang),
        ("reset", Fault::CutBefore),
        ("no HTTP", raw("SSH-2.0-OpenSSH_9.2p1\r\n")),
        ("no head", raw(yes)),
        ("nothing", raw("")),
        ("half a head", raw("HTTP/1.1 200")),
        (
            "no such version",
            raw(format!("HTTP/9.9 200 OK\r\n\r\n{yes}")),
        ),
        ("shorter than said", length("999")),
        ("two lengths", length("9\r\ncontent-length: 99")),
        ("a negative length", length("-1")),
        (
            "broken chunks",
            raw(format!("{chunked}zz\r\n{yes}\r\n0\r\n\r\n")),
        ),
        ("unfinished chunks", raw(format!("{chunked}5\r\n{{\"err"))),
        (
            "a huge chunk",
            raw(format!("{chunked}fffffffffffffffff\r\n{yes}")),
        ),
        ("headers without end", raw(format!("{head}{many}\r\n{yes}"))),
        (
            "a header without end",
            raw(format!("{head}{long}\r\n{yes}")),
        ),
        ("compressed", raw([head.as_bytes(), gzip].concat())),
        ("no content", raw("HTTP/1.1 204 No Content\r\n\r\n")),
        (
            "continue",
            raw("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)),
        ),
        ("another protocol", raw(switch)),
    ];
    for_each(table, |(what, fault)| {
        for path in [GETTOKEN, SEND] {
            let (standin, sandbox) = set_up();
            standin.always(path, fault.clone());
            let outcome = in_time(sandbox.send("x"));
            let lines = outcome.stderr.lines().count();
            assert_eq!(lines, 2, "{what} at {path}: {}", outcome.stderr);
            assert!(standin.count(path) > 0);
            // Of what has no end one is enough: it takes all the time of a try.
            if path == GETTOKEN && !["slow", "endless", "slow and endless"].contains(&what) {
                tells_why_there_is_no_token(75, sandbox.wxpush(""));
            }
        }
    });
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_left_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let sandbox = Sandbox::empty();
        let base = format!("{scheme}://{}", silent.local_addr().unwrap());
        sandbox.write("config.toml", config(&base));
        in_time(sandbox.send("x")).says("in time");
    }
}

#[test]
fn nobody_is_asked_for_a_compressed_answer() {
    let standin = Standin::start();
    Sandbox::of(&standin).send("x").is_silent();
    for request in standin.requests() {
        assert_eq!(request.header("accept-encoding"), None);
    }
}

#[test]
fn a_gigabyte_of_an_answer_is_not_taken_in() {
    for path in [GETTOKEN, SEND] {
        let (standin, sandbox) = set_up();
        let limited = || {
            let mut command = Command::new("prlimit");
            command.arg(ADDRESS_SPACE).arg(sandbox.path("wxpush"));
            Run::new(command).args(&["send", "x"])
        };
        limited().env("PATH", "/usr/bin:/bin").is_silent();
        sandbox.age_token(7200);
        standin.always(path, Fault::Giant(1 << 30));
        let outcome = in_time(limited().env("PATH", "/usr/bin:/bin"));
        outcome.says("longer than 128 KiB");
        if path == GETTOKEN {
            tells_why_there_is_no_token(75, sandbox.wxpush(""));
        }
    }
}

#[test]
fn a_process_that_was_suspended_past_its_deadline_ends_at_once() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, Fault::Hang);
    let started = sandbox.wxpush("send --timeout 2s x").start();
    await_count(&standin, SEND, 1);
    let signal = |name: &str| {
        let pid = started.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(3));
    signal("-CONT");
    let outcome = started.wait().exits(75).says("in time");
    assert!(outcome.time < Duration::from_secs(5), "{:?}", outcome.time);
    assert_eq!(standin.count(SEND), 1);
}
