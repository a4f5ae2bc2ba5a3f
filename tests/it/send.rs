//! Kinds, options, stdin, long messages, dry run, JSON.

use serde_json::{Value, json};

use crate::standin::AGENTID;
use crate::support::{Fields, Run, Sandbox, Words, bodies, config, set_up, texts};

#[test]
fn a_message_lands_on_the_phone_and_nothing_is_printed() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("send backup done").is_silent();
    assert_eq!(texts(&standin, "zhangsan"), ["backup done"]);
    let files = [
        "config.toml",
        "ledger",
        "outbox",
        "token_cache.json",
        "token_cache.lock",
        "wxpush",
        "wxpush.log",
    ];
    assert_eq!(sandbox.names(), files);
}

#[test]
fn each_command_line_becomes_exactly_this_request() {
    let (standin, sandbox) = set_up();
    sandbox.configure("prefix = \"[p] \"");
    let all = |text: &str| json!({"touser": "@all", "msgtype": "text", "agentid": AGENTID, "text": {"content": text}});
    let table: &[(&[&str], Value)] = &[
        (&["one", "two  three"], all("[p] one two  three")),
        (&["-t", "Title", "body"], all("[p] Title\nbody")),
        (&["-t", "Title", "--", ""], all("[p] Title")),
        (&["-t", "two\nlines", "b"], all("[p] two lines\nb")),
        (&["-e", r"a\nb\tc\\d\e"], all("[p] a\nb\tc\\d\\e")),
        (&[r"a\nb"], all(r"[p] a\nb")),
        (&["--", "-5", "degrees"], all("[p] -5 degrees")),
        (&["-", "words"], all("[p] - words")),
        (
            &["<a href=\"https://x\">\u{201c}链接\u{201d}</a> & \\ /"],
            all("[p] <a href=\"https://x\">\u{201c}链接\u{201d}</a> & \\ /"),
        ),
        (
            &["\u{1b}[31mred\u{1b}[0m\r\nnext\rlast\0"],
            all("[p] red\nnext\nlast"),
        ),
        (
            &["--markdown", "-t", "Report", "> **ok**"],
            json!({"touser": "@all", "msgtype": "markdown", "agentid": AGENTID, "markdown": {"content": "# [p] Report\n> **ok**"}}),
        ),
        (
            &["--to", "zhangsan,lisi", "--to=wangwu", "--party=2", "x"],
            json!({"touser": "zhangsan|lisi|wangwu", "toparty": "2", "msgtype": "text", "agentid": AGENTID, "text": {"content": "[p] x"}}),
        ),
        (
            &["--safe", "--id-trans", "--dedupe", "1h30m", "x"],
            json!({"touser": "@all", "msgtype": "text", "agentid": AGENTID, "text": {"content": "[p] x"},
                "safe": 1, "enable_id_trans": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 5400}),
        ),
    ];
    for (args, body) in table {
        if args.iter().any(|arg| arg.contains('\0')) {
            // No argument can hold a NUL; the same bytes come by stdin.
            sandbox.wxpush("send").stdin(args[0]).is_silent();
        } else {
            sandbox.wxpush("send").args(args).is_silent();
        }
        assert_eq!(bodies(&standin).last(), Some(body), "{args:?}");
    }
}

#[test]
fn stdin_is_the_message_only_when_no_words_are_given() {
    let (standin, sandbox) = set_up();
    let table: &[(&[&str], &str, &str)] = &[
        (&[], "from a pipe\n", "from a pipe"),
        (&["-"], "by its name\n\n", "by its name\n"),
        (&["-t", "Disk"], "/dev/sda 91%\n", "Disk\n/dev/sda 91%"),
        (&["-e"], r"no\nescapes in stdin", r"no\nescapes in stdin"),
        (&["-t", "alone"], " \n", "alone"),
    ];
    for (args, stdin, text) in table {
        let run = sandbox.wxpush("send --to lisi").args(args);
        run.stdin(*stdin).is_silent();
        assert_eq!(texts(&standin, "lisi").last().unwrap(), text);
    }
    // A pipe that nobody ever closes is not waited for.
    let mut hung = Run::new(std::process::Command::new("sleep"))
        .arg("60")
        .start();
    let pipe = hung.child.stdout.take().unwrap();
    let mut command = std::process::Command::new(sandbox.path("wxpush"));
    let status = command
        .args(["send", "--to", "lisi", "words"])
        .env_clear()
        .stdin(pipe)
        .status();
    hung.child.kill().unwrap();
    hung.child.wait().unwrap();
    assert!(status.unwrap().success());
    assert_eq!(texts(&standin, "lisi").last().unwrap(), "words");
}

#[test]
fn an_empty_message_is_an_error_or_nothing_as_the_user_says() {
    let (standin, sandbox) = set_up();
    for stdin in ["", "\n", " \t\n\u{3000}", "\u{1b}[0m\n"] {
        sandbox
            .wxpush("send")
            .stdin(stdin)
            .exits(65)
            .says("the message is empty");
        sandbox
            .wxpush("send --skip-empty -t title")
            .stdin(stdin)
            .is_silent();
    }
    // No stdin at all: cron, and a closed descriptor.
    sandbox.wxpush("send").exits(65);
    let mut closed = std::process::Command::new("sh");
    closed
        .args(["-c", "exec \"$0\" send <&-"])
        .arg(sandbox.path("wxpush"));
    Run::new(closed).exits(65);
    assert_eq!(standin.requests().len(), 0);
    let outcome = sandbox
        .wxpush("send --skip-empty --json")
        .stdin("")
        .exits(0);
    assert_eq!(outcome.json()["status"], "empty");
}

#[test]
fn what_is_not_utf8_is_delivered_with_a_warning() {
    let (standin, sandbox) = set_up();
    let outcome = sandbox
        .wxpush("send --to lisi")
        .stdin(b"\xef\xbb\xbfcaf\xe9 \xff".to_vec())
        .exits(0);
    outcome
        .stderr
        .shows("warning: 2 characters of the input are not UTF-8");
    assert_eq!(texts(&standin, "lisi"), ["caf\u{fffd} \u{fffd}"]);
}

#[test]
fn a_dry_run_shows_the_request_and_touches_nothing() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config("https://relay.example/wecom/"));
    let outcome = sandbox
        .wxpush("send --dry-run -t T --to lisi body")
        .exits(0);
    assert_eq!(outcome.stderr, "");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "POST https://relay.example/wecom/cgi-bin/message/send?access_token=REDACTED"
    );
    let body: Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(body["text"]["content"], "T\nbody");
    let outcome = sandbox
        .wxpush("send --dry-run --json")
        .stdin("x".repeat(3000))
        .exits(0);
    let result = outcome.json();
    result.has(json!({"status": "dry-run", "parts": 2}));
    assert_eq!(result["requests"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.names(), ["config.toml", "wxpush"]);
}

#[test]
fn a_success_as_json_has_every_field() {
    let (standin, sandbox) = set_up();
    let outcome = sandbox.wxpush("--json send hello").exits(0);
    assert_eq!(outcome.stderr, "");
    let mut result = outcome.json();
    let msgid = standin.company().phone("lisi")[0].msgid.clone();
    assert_eq!(result["msgids"].take(), json!([msgid]));
    let rest = json!({"status": "sent", "msgids": null, "errcode": 0, "errmsg": "ok", "parts": 1, "invaliduser": [],
        "invalidparty": [], "invalidtag": [], "unlicenseduser": [], "outbox_id": null});
    assert_eq!(result, rest);
}

#[test]
fn a_failure_as_json_has_the_error_and_the_code_wherever_it_happens() {
    let (_standin, sandbox) = set_up();
    for (args, code) in [
        ("send --json --bogus x", 64),
        ("send --json --to a|张 x", 64),
        ("send --json", 65),
        ("send --json -c /nonexistent x", 78),
        ("send --json --to nobody x", 69),
    ] {
        let result = sandbox.wxpush(args).exits(code).json();
        assert_eq!(result["status"], "failed", "{args}");
        assert_eq!(result["exit_code"], code, "{args}");
        assert!(!result["error"].as_str().unwrap().is_empty());
    }
}

#[test]
fn verbosity_goes_from_errors_only_to_every_step() {
    let (_standin, sandbox) = set_up();
    let stderr = |args: &str| {
        sandbox
            .wxpush(args)
            .stdin(b"caf\xe9".to_vec())
            .exits(0)
            .stderr
    };
    assert_eq!(stderr("send -q"), "");
    assert!(stderr("send").starts_with("wxpush: warning: "));
    let said = stderr("send -v");
    said.shows("token reused");
    said.shows("errcode=0");
    assert!(!said.contains("text="));
    assert!(stderr("send -vv").contains("message text=caf"));
    let outcome = sandbox.wxpush("send -q").exits(65);
    assert!(outcome.stderr.contains("empty"), "errors are never quiet");
}

#[test]
fn options_that_contradict_each_other_are_refused_with_a_way_out() {
    let sandbox = Sandbox::empty();
    for (args, words) in [
        ("send --markdown --safe x", "leave out --markdown"),
        ("send --markdown --id-trans x", "leave out"),
        ("send --dedupe 5h x", "--dedupe 4h"),
        ("send --dedupe 90 x", "write 90s"),
        ("send --timeout 0s x", "must be longer than zero"),
        ("send --to , x", "leave the option out"),
        ("send --to @ALL x", "@all"),
        ("send --party ops x", "it is a number"),
        ("send --long sideways x", "one of auto, split"),
        ("send -q -v x", "cannot be used with"),
    ] {
        let outcome = sandbox.wxpush(args).exits(64);
        assert!(outcome.stderr.contains(words), "{args}: {}", outcome.stderr);
    }
}

#[test]
fn safe_of_the_config_protects_texts_and_warns_of_markdown() {
    let (standin, sandbox) = set_up();
    sandbox.configure("safe = true");
    sandbox.send("x").is_silent();
    assert_eq!(bodies(&standin)[0]["safe"], 1);
    sandbox
        .wxpush("send --markdown x")
        .exits(0)
        .says("cannot protect a markdown message");
    assert_eq!(bodies(&standin)[1].get("safe"), None);
    let long = sandbox.wxpush("send --markdown").stdin("x".repeat(5000));
    // Once, not for each part.
    assert_eq!(long.exits(0).stderr.lines().count(), 1);
}

#[test]
fn a_text_of_nothing_but_marks_is_sent_as_it_is() {
    let (standin, sandbox) = set_up();
    sandbox.configure("show_in = \"wechat\"");
    for (args, text, landed) in [
        ("send", "\x1b]0;ALERT\x07", "ALERT"),
        ("send --markdown", "```\n```", "```\n```"),
        ("send --markdown", "<font></font>", "<font></font>"),
    ] {
        sandbox.wxpush(args).stdin(text).is_silent();
        let read = bodies(&standin).pop().unwrap();
        assert_eq!(read["text"]["content"], landed, "{args} {text:?}");
    }
}
