//! Every exit code of the contract, each by a case that leads to it.

use serde_json::json;

use crate::standin::Fault;
use crate::support::{Fields, Run, SEND, Sandbox, Words, await_count, set_up};

#[test]
fn every_code_of_the_table_is_reached_and_no_other() {
    let (standin, sandbox) = set_up();
    let refused = |code: i64| Fault::Errcode(code, "no".to_owned());
    for (args, fault, code) in [
        ("send hello", None, 0),
        ("--version", None, 0),
        ("--help", None, 0),
        ("send --help", None, 0),
        ("explain 60020", None, 0),
        ("explain -1", None, 0),
        ("token", None, 0),
        ("", None, 64),
        ("bogus", None, 64),
        ("send --bogus x", None, 64),
        ("send", None, 65),
        ("explain 12345", None, 65),
        ("send x", Some(refused(45002)), 65),
        ("send --to zhangsan,ghost x", None, 67),
        ("send --to ghost x", None, 69),
        ("send x", Some(refused(98765)), 75),
        ("send --no-outbox x", Some(refused(98765)), 69),
        ("send --timeout 1s x", Some(refused(45009)), 75),
        ("send x", Some(refused(60020)), 77),
        ("-c /nonexistent/config.toml send x", None, 78),
        ("-p nobody send x", None, 78),
    ] {
        standin.script(SEND, fault);
        sandbox.wxpush(args).exits(code);
    }
}

#[test]
fn no_arguments_is_help_on_stderr_and_help_is_on_stdout() {
    let sandbox = Sandbox::empty();
    let outcome = sandbox.wxpush("").exits(64);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("Examples:"));
    let outcome = sandbox.wxpush("--help").exits(0);
    assert!(outcome.stderr.is_empty() && outcome.stdout.contains("Examples:"));
}

#[test]
fn a_command_that_needs_state_and_has_no_place_for_it_exits_73() {
    let (_standin, sandbox) = set_up();
    sandbox.write("in-the-way", "");
    sandbox.configure(&format!(
        "state_dir = {:?}",
        sandbox.path("in-the-way/state")
    ));
    for action in ["status", "refresh", "clear"] {
        let outcome = sandbox.wxpush("token").arg(action).exits(73);
        outcome.stderr.shows("in-the-way/state");
    }
    sandbox.wxpush("token print").exits(0);
}

#[test]
fn an_input_that_cannot_be_read_exits_74() {
    let (_standin, sandbox) = set_up();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "exec \"$0\" send </"])
        .arg(sandbox.path("wxpush"));
    Run::new(shell)
        .exits(74)
        .says("cannot read the message from stdin");
}

#[test]
fn a_signal_ends_it_as_it_ends_anything_else() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, Fault::Hang);
    for signal in ["TERM", "INT", "HUP"] {
        let before = standin.count(SEND);
        let mut started = sandbox.send("hello").start();
        await_count(&standin, SEND, before + 1);
        let pid = started.child.id().to_string();
        let status = std::process::Command::new("sh")
            .args(["-c", &format!("kill -{signal} {pid}")])
            .status();
        assert!(status.unwrap().success());
        assert!(started.child.wait().unwrap().code().is_none(), "{signal}");
    }
    standin.mend();
    // Not silent where a busy disk makes it go without the outbox.
    sandbox.send("and no lock is left").exits(0);
}

#[test]
fn explain_speaks_the_language_of_the_locale() {
    let sandbox = Sandbox::empty();
    for (name, value, words) in [
        ("LANG", "", "怎么办"),
        ("LANG", "en_US.UTF-8", "what to do"),
        ("LC_ALL", "zh_CN.UTF-8", "怎么办"),
        ("WXPUSH_LANG", "en", "what to do"),
    ] {
        let outcome = sandbox.wxpush("explain 60020").env(name, value).exits(0);
        outcome.stdout.shows(words);
        outcome.stdout.shows("77");
    }
    let result = sandbox.wxpush("explain --json 81013").exits(0).json();
    result.has(json!({"errcode": 81013, "exit_code": 69}));
}

#[test]
fn a_wish_for_backtraces_changes_no_end() {
    let (_standin, sandbox) = set_up();
    for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        for (args, code) in [("send --file missing", 66), ("-c missing send x", 78)] {
            let run = sandbox.wxpush(args).env(variable, "1");
            let outcome = run.exits(code);
            assert!(outcome.stderr.lines().count() <= 2, "{}", outcome.stderr);
        }
    }
}
