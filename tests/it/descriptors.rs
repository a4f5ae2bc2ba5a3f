//! Stdin, stdout and stderr that are closed, full or left by their reader: the message arrives, and
//! what would have been printed lands in no file.

use serde_json::Value;

use crate::standin::Fault;
use crate::support::log::lines;
use crate::support::{SEND, Sandbox, Words, at_a_terminal, redirected, set_up};

/// Every way to be without stdin, stdout or stderr, and outputs that take nothing.
const REDIRECTIONS: [&str; 15] = [
    "<&-",
    ">&-",
    "2>&-",
    "<&- >&-",
    "<&- 2>&-",
    ">&- 2>&-",
    "<&- >&- 2>&-",
    ">/dev/full",
    "2>/dev/full",
    ">/dev/full 2>/dev/full",
    "| true",
    "2>&1 >/dev/null | true",
    "2>&1 | true",
    "</dev/full",
    "</",
];

/// Holds that the cache is one, and the log nothing but lines of ours.
fn is_intact(sandbox: &Sandbox, context: &str) {
    let cache: Value = serde_json::from_str(&sandbox.read("token_cache.json")).expect(context);
    assert_eq!(cache.as_object().unwrap().len(), 1, "{context}");
    let log = sandbox.read("wxpush.log");
    assert!(!lines(&log).is_empty(), "{context}");
    assert!(!log.contains("wxpush: ") && !log.contains('{'), "{log}");
    assert_eq!(sandbox.read("token_cache.lock"), "", "{context}");
}

#[test]
fn without_descriptors_messages_arrive_and_files_stay_whole() {
    for redirection in REDIRECTIONS {
        let (standin, sandbox) = set_up();
        // First with the token still to be fetched, so that the cache is written.
        for number in 1..=2 {
            let run = redirected(&sandbox, "-vvv --json send words", redirection);
            run.exits(0);
            let landed = standin.company().phone("zhangsan");
            assert_eq!(landed.len(), number, "{redirection}");
            is_intact(&sandbox, redirection);
        }
    }
}

#[test]
fn without_descriptors_failures_keep_their_exit_code() {
    for redirection in REDIRECTIONS {
        let (standin, sandbox) = set_up();
        sandbox.send("x").is_silent();
        standin.always(SEND, Fault::Errcode(60020, "not allow".into()));
        for (args, code) in [
            ("-vvv --json send words", 77),
            ("send words", 77),
            ("send --bogus --json", 64),
            ("", 64),
            ("--config /none send words", 78),
        ] {
            redirected(&sandbox, args, redirection).exits(code);
            is_intact(&sandbox, redirection);
        }
    }
}

#[test]
fn stdin_that_is_closed_or_cannot_be_read_is_no_message() {
    let (standin, sandbox) = set_up();
    for (redirection, code) in [
        ("<&-", 65),
        ("<&- >&-", 65),
        ("<&- 2>&-", 65),
        ("<&- >&- 2>&-", 65),
        ("</", 74),
    ] {
        redirected(&sandbox, "send", redirection).exits(code);
    }
    assert_eq!(standin.count(SEND), 0);
}

#[test]
fn a_result_that_cannot_be_written_fails_the_command_that_is_for_it() {
    let (_standin, sandbox) = set_up();
    sandbox.send("x").is_silent();
    for (redirection, code) in [(">/dev/full", 74), ("| true", 0), (">&-", 0)] {
        for args in ["explain 60020", "token", "token print", "send --dry-run x"] {
            let outcome = redirected(&sandbox, args, redirection).exits(code);
            let says = outcome.stderr.contains("cannot write the result");
            assert_eq!(says, code == 74, "{args} {redirection}: {}", outcome.stderr);
        }
    }
}

#[test]
#[ignore = "needs script, of util-linux"]
fn without_words_at_a_terminal_nothing_is_waited_for() {
    let (standin, sandbox) = set_up();
    for args in [
        "send",
        "send -",
        "send -t title",
        "send --json",
        "send --skip-empty",
        "send --markdown",
        "send --file - --name x",
        "send --raw -",
        "upload -",
        "api POST message/send -d -",
    ] {
        let outcome = at_a_terminal(&sandbox, args).exits(64);
        outcome.stdout.shows("stdin is a terminal");
        outcome.stdout.shows("hint:");
    }
    // Without any stdin there is nothing to read, and nothing to wait for either.
    for (words, code) in [("", 65), ("-t title", 0), ("--skip-empty", 0)] {
        let args = format!("send {words} <&-");
        at_a_terminal(&sandbox, &args).exits(code);
    }
    assert_eq!(standin.company().phone("zhangsan").len(), 1, "the title");
}
