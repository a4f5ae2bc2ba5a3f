//! Lines for a crontab: whatever is typed reaches wxpush through cron and a shell as it was.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Run, Sandbox};

/// What cron hands to its shell: `\%` is `%`, and a bare `%` ends the command; for Debian's, `\\` is
/// `\`, too.
fn by_cron(line: &[u8], is_debian: bool) -> Vec<u8> {
    let fields = line.splitn(6, |byte| *byte == b' ');
    let command = fields.last().expect("five fields and a command");
    let mut handed = Vec::new();
    let mut bytes = command.iter().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'%')) => handed.extend(bytes.next()),
            (b'\\', Some(b'\\')) if is_debian => handed.extend(bytes.next()),
            (b'%', _) => break,
            (byte, _) => handed.push(*byte),
        }
    }
    handed
}

/// The words that a real `sh` makes of a command, without the first.
fn by_sh(command: &[u8], program: &str) -> Vec<Vec<u8>> {
    let rest = command.strip_prefix(program.as_bytes());
    let rest = rest.expect("the absolute path is first");
    let script = [b"printf '%s\\0'", rest].concat();
    let output = Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(&script))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", script.escape_ascii());
    let words = output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let mut words: Vec<_> = words.collect();
    words.pop();
    words
}

/// What arrives of words that are to be a message.
fn arrives(sandbox: &Sandbox, words: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut command = Command::new(sandbox.path("wxpush"));
    command.args(["-q", "crontab", "7 3 * * *", "--", "send", "--"]);
    for word in words {
        command.arg(std::ffi::OsString::from_vec(word.clone()));
    }
    let output = command.env_clear().current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", output.stderr.escape_ascii());
    let line = output.stdout.strip_suffix(b"\n").expect("one line");
    assert!(!line.contains(&b'\n'));
    let program = sandbox.path("wxpush").display().to_string();
    let [mut words, others] =
        [true, false].map(|is_debian| by_sh(&by_cron(line, is_debian), &program));
    assert_eq!(words, others, "{}", line.escape_ascii());
    assert_eq!(
        words.drain(..2).collect::<Vec<_>>(),
        [b"send".to_vec(), b"--".to_vec()]
    );
    words
}

#[test]
fn whatever_is_typed_arrives_through_cron_and_a_shell() {
    let sandbox = Sandbox::empty();
    let byte = prop_oneof![
        3 => prop::sample::select(b"%'\\\"$`!#&;|<>()*?[]~ -=".to_vec()),
        2 => any::<u8>().prop_filter("no argument, or no line, has it", |it| ![0, b'\n'].contains(it)),
    ];
    let word = prop::collection::vec(byte, 0..12);
    let words = prop::collection::vec(word, 1..5);
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    let held = runner.run(&words, |words| {
        prop_assert_eq!(arrives(&sandbox, &words), words);
        Ok(())
    });
    held.unwrap();
}

#[test]
fn a_line_is_as_the_contract_shows_it() {
    let sandbox = Sandbox::empty();
    let program = sandbox.path("wxpush").display().to_string();
    for (args, line) in [
        ("send|50% full", r"WX send -- '50'\%' full'"),
        (
            "send|don't panic|--to|lisi",
            r"WX send --to lisi -- 'don'\''t panic'",
        ),
        ("outbox|flush", "WX outbox flush"),
        (r"send|\\server\share", r"WX send -- '\''\server\share'"),
        ("-c|/etc/a b.toml|send|x", "WX -c '/etc/a b.toml' send -- x"),
    ] {
        let mut run = sandbox.wxpush("crontab").arg("7 3 * * *").arg("--");
        for arg in args.split('|') {
            run = run.arg(arg);
        }
        let outcome = run.exits(0);
        let line = line.replace("WX", &program);
        assert_eq!(outcome.stdout, format!("7 3 * * * {line}\n"));
        assert_eq!(outcome.stderr, "");
    }
    let outcome = sandbox.wxpush("crontab").arg("0 3 * * *");
    let outcome = outcome.args(&["--", "send", "x"]).exits(0);
    // It is as it was asked for.
    assert!(outcome.stdout.starts_with("0 3 * * * "));
    outcome.says("better '7 3 * * *'");
}

#[test]
fn what_cron_could_not_do_is_refused() {
    let sandbox = Sandbox::empty();
    let run = |when: &str, args: &[&str]| -> Run {
        sandbox.wxpush("crontab").arg(when).arg("--").args(args)
    };
    run("7 3 * * *", &["send", "two\nlines"])
        .exits(64)
        .says("-e");
    for when in ["7 3 * *", "60 * * * *", "H 3 * * *", "1-5/0 * * * *"] {
        run(when, &["send", "x"]).exits(64).says("7 3 * * *");
    }
    run("7 3 * * *", &["sned", "x"]).exits(64).says("sned");
    run("7 3 * * *", &[]).exits(64);
}
