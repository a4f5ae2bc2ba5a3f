//! Where a secret could get out: the log at trace, `/proc`, a core dump, an option.
//!
//! That it is in no output and no file is held by `leaks`, here as in every other test.

use std::fs;
use std::io::Read;
use std::os::unix::fs::chown;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::standin::tls::Kind;
use crate::standin::{Fault, SECRET, Standin};
use crate::support::chinese::in_both;
use crate::support::leaks::{base64_of, conceal, found};
use crate::support::log::logging;
use crate::support::{
    AS_OTHER, GETTOKEN, Run, SEND, Sandbox, Started, await_count, bodies, config, for_each,
    is_root, script, set_up, token,
};

/// A send that is under way: the secret and the token are in memory, and on the wire.
fn in_mid_send(standin: &Standin, run: Run) -> Started {
    standin.always(SEND, Fault::Hang);
    let before = standin.count(SEND);
    let started = run.start();
    await_count(standin, SEND, before + 1);
    started
}

/// What a server, or a relay in front of it, may say of what it was sent.
fn echoes(secret: &str, token: &str) -> Vec<String> {
    let percent = |text: &str| text.replace('-', "%2D").replace('_', "%5f");
    let base64 = base64_of(&format!("?corpsecret={secret}&access_token={token}"));
    vec![
        format!("bad {token} of {secret}"),
        format!("/cgi-bin/x?corpsecret={secret}&access_token={token}%26{token}"),
        format!("{} {}", &secret[7..20], &token[token.len() / 3..]),
        format!("{} {}", percent(secret), percent(token)),
        base64.replace('+', "-").replace('/', "_"),
        base64,
    ]
}

/// A sandbox that logs all there is to log, with a token in its cache.
fn tracing(standin: &Standin) -> Sandbox {
    let sandbox = logging(standin, "level = \"trace\"");
    sandbox.send("one").is_silent();
    sandbox
}

#[test]
fn what_a_server_echoes_of_the_secret_or_the_token_is_not_repeated() {
    for_each(0..6, |at| {
        let standin = Standin::start();
        let sandbox = tracing(&standin);
        let run = |args: &str| sandbox.wxpush(args).run();
        let echo = || echoes(SECRET, &token(&sandbox)).swap_remove(at);
        sandbox.age_token(100);
        standin.script(SEND, [Fault::Errcode(40014, echo())]);
        run("send -vvv two").exits(0);
        // Of the token that is in force by now.
        let echo = echo();
        let yes = |field: &str| format!("{{\"errcode\": 0, \"{field}\": \"{echo}\"}}");
        let no = |field: &str| format!("{{\"errcode\": 99999, \"{field}\": \"{echo}\"}}");
        // To one each: what is tried again takes slots, and the ledger has thirty a minute.
        for args in [
            "send --to lisi -vvv three",
            "send --to zhangsan --json three",
        ] {
            for (body, code) in [
                (yes("errmsg"), 0),
                (yes("msgid"), 0),
                (yes("invaliduser"), 67),
                (yes("invalidparty"), 67),
                (yes("unlicenseduser"), 67),
                (no("errmsg"), 75),
                (no("invaliduser"), 75),
                (format!("{{\"access_token\": \"{echo}\"}}"), 75),
                (echo.clone(), 75),
            ] {
                standin.always(SEND, Fault::Body(body));
                run(&format!("{args} --timeout 1s")).exits(code);
            }
        }
        // The token of before is not known to who asks for a new one.
        let echo = echoes(SECRET, "another").swap_remove(at);
        standin.script(GETTOKEN, [Fault::Errcode(40001, echo)]);
        run("token refresh -vvv").exits(77);
        for args in ["send -vvv four", "send --json four"] {
            run(args).exits(77);
        }
        for args in ["token -vvv", "token --json", "token refresh --json -vvv"] {
            run(args).exits(0);
        }
        assert!(sandbox.read("wxpush.log").contains("[hidden]"));
    });
}

#[test]
fn what_a_server_was_told_before_is_hidden_too() {
    let password = "pZ8kW3vN6tYq";
    conceal(password);
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let base = standin
        .base()
        .replace("://", &format!("://user:{password}@"));
    sandbox.write("config.toml", config(&base));
    sandbox.send("so that there is a token").is_silent();
    sandbox.age_token(100);
    let old = token(&sandbox);
    let basic = base64_of(&format!("user:{password}"));
    let echo = format!("you came with {old} and authorization: Basic {basic}");
    standin.script(SEND, [Fault::Errcode(42001, "expired".into())]);
    standin.script(GETTOKEN, [Fault::Errcode(40001, echo.clone())]);
    sandbox.send("x").exits(77).says("you came with [hidden]");
    sandbox.wxpush("token refresh").exits(0);
    sandbox.age_token(100);
    let echo = format!("first {}, then another", token(&sandbox));
    let faults = [(42001, "expired".to_owned()), (99999, echo)];
    standin.script(SEND, faults.map(|(code, text)| Fault::Errcode(code, text)));
    let outcome = sandbox.send("y").exits(75);
    outcome.says("first [hidden], then another");
}

#[test]
fn no_fault_brings_a_secret_into_a_log_at_trace_or_onto_stderr() {
    let standin = Standin::start();
    let sandbox = tracing(&standin);
    let run = |args: &str| sandbox.wxpush(args).run();
    let to = format!("/elsewhere?access_token={}", token(&sandbox));
    for fault in [
        Fault::html(500),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Truncated,
        Fault::Raw(b"\x00\xff not HTTP".to_vec()),
        Fault::redirect(302, &to),
        Fault::retry_after(429, "1"),
    ] {
        for path in [SEND, GETTOKEN] {
            run("token clear").is_silent();
            standin.script(path, [fault.clone()]);
            run("send -vvv --timeout 2s two");
        }
    }
    for args in ["--dry-run", "--dry-run --json -vvv", "--party x"] {
        run(&format!("send {args} three"));
    }
    let log = sandbox.read("wxpush.log");
    assert!(log.contains("token fetched") && log.contains("text=two"));
}

#[test]
fn no_network_fault_shows_the_secret_or_a_password_in_a_url() {
    let password = "pW7hX2tR9qLm4sZd";
    conceal(password);
    let plain = Standin::start();
    let tls = |kind| Standin::start_tls(kind);
    let secure = [tls(Kind::Good), tls(Kind::Expired), tls(Kind::WrongName)];
    let with_password = |url: String| url.replace("://", &format!("://user:{password}@"));
    let refused = with_password(Standin::refuse());
    let trusted = |url: String, standin: &Standin| {
        let sandbox = Sandbox::empty();
        sandbox.write("ca.pem", standin.ca_pem());
        sandbox.write("config.toml", config(&url) + "ca_file = \"ca.pem\"\n");
        sandbox
    };
    let mut sandboxes: Vec<Sandbox> = secure
        .iter()
        .map(|standin| trusted(with_password(standin.base()), standin))
        .collect();
    let good = secure[0].base();
    for proxy in [
        refused.clone(),
        with_password(plain.base()),
        with_password(plain.base()).replace("http", "socks5"),
        format!("http://user:{password}@host.invalid:1"),
        format!("htp://user:{password}@127.0.0.1:1"),
    ] {
        let sandbox = trusted(good.clone(), &secure[0]);
        sandbox.append(&format!("proxy = \"{proxy}\"\n"));
        sandboxes.push(sandbox);
    }
    for base in [
        refused,
        format!("http://u:{password}@host.invalid"),
        format!("ftp://u:{password}@x"),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config(&base));
        sandboxes.push(sandbox);
    }
    for (at, sandbox) in sandboxes.iter().enumerate() {
        sandbox.append("[log]\nlevel = \"trace\"\n");
        for args in ["send -vvv", "send --json", "send --dry-run"] {
            let outcome = sandbox.wxpush(args).args(&["--timeout", "1s", "x"]).run();
            let sent = args.ends_with("dry-run") || at == 0;
            assert!(!sent || at > 3 || outcome.code == Some(0), "{outcome:?}");
        }
    }
}

#[test]
fn a_process_shows_no_secret_in_proc() {
    let (standin, sandbox) = set_up();
    let run = sandbox.send("x").cwd(sandbox.path(""));
    let started = in_mid_send(&standin, run);
    let proc = format!("/proc/{}", started.child.id());
    let mut shown = 0;
    let files = "cmdline environ comm status stat maps mountinfo wchan limits";
    for file in files.split(' ') {
        // What is for root alone shows nothing to anybody else.
        let bytes = fs::read(format!("{proc}/{file}")).unwrap_or_default();
        assert_eq!(found(&bytes, false), None, "{file}");
        shown += usize::from(!bytes.is_empty());
    }
    assert!(shown >= if is_root() { 8 } else { 3 }, "{shown}");
    for link in fs::read_dir(format!("{proc}/fd")).into_iter().flatten() {
        let target = fs::read_link(link.unwrap().path()).unwrap();
        assert_eq!(found(target.to_string_lossy().as_bytes(), false), None);
    }
    for name in sandbox.names() {
        assert_eq!(found(name.as_bytes(), false), None);
    }
    dumps(started, Signal::KILL);
}

#[test]
fn no_option_takes_a_secret_or_repeats_one() {
    let (standin, sandbox) = set_up();
    for (args, code) in [
        ("send --corpsecret SECRET x", 64),
        ("send --corpsecret=SECRET x", 64),
        ("send --token SECRET x", 64),
        ("--secret=SECRET send x", 64),
        ("send -s SECRET x", 64),
        ("send -sSECRET x", 64),
        ("send --json --key=SECRET x", 64),
        ("SECRET", 64),
        ("token SECRET", 64),
        ("token status SECRET --json", 64),
        ("explain SECRET", 64),
        ("send --long SECRET x", 64),
        ("send --timeout SECRET x", 64),
        ("send --dedupe=SECRET x", 64),
        ("--color SECRET send x", 64),
        ("send --party SECRET x", 64),
        ("send --json --tag SECRET x", 64),
        ("send --to @SECRET x", 64),
        ("send --to SECRET=x x", 64),
        ("send --to SECRET x", 64),
        ("send --to lisi,SECRET -vvv x", 64),
        ("send --mention SECRET x --to SECRET", 64),
        ("-p SECRET send x", 78),
        ("-c SECRET send --json x", 78),
    ] {
        let run = sandbox.wxpush(&args.replace("SECRET", SECRET));
        run.exits(code).says("error: ");
    }
    // What is no secret is repeated: it is how one finds the mistake.
    for (args, words) in [
        ("bogus", "bogus"),
        ("send --party ops x", "\"ops\""),
        ("-p nobody send x", "nobody"),
        ("-c nowhere.toml send x", "nowhere.toml"),
    ] {
        assert!(sandbox.wxpush(args).run().stderr.contains(words), "{args}");
    }
    for option in ["--corpsecret", "--secret=x", "--access-token", "--password"] {
        let outcome = in_both(64, || sandbox.wxpush("send").arg(option).arg("x"));
        let outcome = outcome.says("no option takes a secret");
        outcome.says("WXPUSH_CORPSECRET_FILE");
    }
    assert_eq!(standin.requests().len(), 0);
}

/// A program in a shell that lets it dump its core into the sandbox.
fn dumping(sandbox: &Sandbox, program: &str, args: &[&str]) -> Run {
    let mut shell = Command::new("sh");
    let script = "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"";
    shell.args(["-c", script, "sh", program]).args(args);
    Run::new(shell)
        .env("PATH", "/usr/bin:/bin")
        .cwd(sandbox.path(""))
}

/// Ends a run by a signal that makes a process dump its core; says whether it did.
fn dumps(mut started: Started, signal: Signal) -> bool {
    kill_process(Pid::from_child(&started.child), signal).unwrap();
    let status = started.child.wait().unwrap();
    assert_eq!(status.signal(), Some(signal.as_raw()));
    status.core_dumped()
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a reader should know what was not tried"
)]
fn no_signal_makes_it_dump_its_core() {
    let (standin, sandbox) = set_up();
    let program = sandbox.path("wxpush").display().to_string();
    for signal in [Signal::ABORT, Signal::QUIT, Signal::TRAP] {
        let run = dumping(&sandbox, &program, &["send", "x"]);
        assert!(!dumps(in_mid_send(&standin, run), signal), "{signal:?}");
    }
    assert!(!sandbox.names().iter().any(|name| name.starts_with("core")));
    // Any other program does, in the same surroundings, once the shell has become it.
    let other = Sandbox::empty();
    let mut sleep = dumping(&other, "sh", &["-c", "echo ready; exec sleep 60"]).start();
    let mut ready = [0; 6];
    let stdout = sleep.child.stdout.as_mut().unwrap();
    stdout.read_exact(&mut ready).unwrap();
    if !dumps(sleep, Signal::ABORT) {
        eprintln!("SKIP: on this machine nothing dumps its core");
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn no_process_of_the_same_user_looks_into_its_memory() {
    let (standin, sandbox) = set_up();
    for name in ["", "config.toml"] {
        chown(sandbox.path(name), Some(65534), Some(65534)).unwrap();
    }
    let run = |command: &str| script(&sandbox, &AS_OTHER, command);
    let sleep = run("echo ready; exec sleep 60").start();
    let send = in_mid_send(&standin, run("exec \"$0\" send x"));
    let looks_into = |started: &Started, file: &str| {
        let pid = started.child.id();
        let outcome = run(&format!("head -c 1 </proc/{pid}/{file} >&2")).run();
        !outcome.stderr.contains("denied")
    };
    for file in ["environ", "maps", "mem", "auxv"] {
        assert!(looks_into(&sleep, file), "{file}: any other program's");
        assert!(!looks_into(&send, file), "{file}");
    }
    for started in [sleep, send] {
        dumps(started, Signal::KILL);
    }
}

#[test]
fn a_password_of_one_character_changes_no_id() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    // Each media_id begins with it.
    let base = standin.base().replace("http://", "http://u:3@");
    sandbox.write("config.toml", config(&base));
    sandbox.write("a.txt", "a file");
    let run = sandbox.wxpush("send text --file");
    run.arg(sandbox.path("a.txt")).is_silent();
    let uploads = standin.company().media.uploads.len();
    assert_eq!((uploads, bodies(&standin).len()), (1, 2));
}
