//! What must not be seen is looked for in all that any test leaves behind: output, logs, caches,
//! names of files. [`Sandbox`](crate::sandbox::Sandbox) asks here, so every test is a test of this.

use std::collections::HashSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{LazyLock, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::sandbox::{Run, Sandbox, await_count, config, for_each};
use crate::standin::tls::Kind;
use crate::standin::{CORPID, Fault, SECRET, Standin, issued};
use crate::token::{GETTOKEN, SEND, token};

/// So many bytes of a secret in a row are a leak.
const PIECE: usize = 8;

type Piece = [u8; PIECE];

/// Every piece of every form of what must not be seen.
struct Wanted {
    pieces: HashSet<Piece>,
    /// So many tokens are in it.
    tokens: usize,
}

static WANTED: LazyLock<RwLock<Wanted>> = LazyLock::new(|| {
    let mut wanted = Wanted {
        pieces: HashSet::new(),
        tokens: 0,
    };
    wanted.add(SECRET);
    RwLock::new(wanted)
});

impl Wanted {
    fn add(&mut self, secret: &str) {
        for form in forms(secret) {
            self.pieces.extend(pieces(&form));
        }
    }
}

/// A secret as it is, as URLs have it, and as Base64 has it at each of its three alignments.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let mut forms = vec![secret.to_owned(), percent.to_lowercase(), percent];
    for before in ["", "x", "xx"] {
        let text = format!("{before}{secret}");
        for code in [
            BASE64_STANDARD_NO_PAD.encode(&text),
            BASE64_URL_SAFE_NO_PAD.encode(&text),
        ] {
            // The ends mix with what stands beside them.
            forms.push(code[before.len().next_multiple_of(2)..code.len() - 2].to_owned());
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece> {
    bytes
        .windows(PIECE)
        .map(|piece| piece.try_into().expect("windows are of this size"))
}

/// Looks for a password of a test's own from now on.
pub(crate) fn guard(secret: &str) {
    WANTED.write().unwrap().add(secret);
}

/// The first piece of a secret, or of a token that any stand-in granted, in these bytes.
fn leak(bytes: &[u8]) -> Option<String> {
    let mut wanted = WANTED.write().unwrap();
    for token in issued(wanted.tokens) {
        wanted.add(&token);
        wanted.tokens += 1;
    }
    drop(wanted);
    let wanted = &WANTED.read().unwrap().pieces;
    pieces(bytes)
        .find(|piece| wanted.contains(piece))
        .map(|piece| String::from_utf8_lossy(&piece).into_owned())
}

/// Holds that nothing secret stands in an artefact.
#[track_caller]
pub(crate) fn none_in(name: &str, bytes: &[u8]) {
    if let Some(piece) = leak(bytes) {
        let text = String::from_utf8_lossy(bytes);
        panic!("a secret leaks into {name}, {piece:?} of it: {text:.2000}");
    }
}

/// Holds that nothing secret stands in a directory but in the files that the test itself wrote,
/// and in the token cache in the field for it.
#[track_caller]
pub(crate) fn none_below(dir: &Path, written: &HashSet<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = path.display().to_string();
        none_in("the name of a file", name.as_bytes());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            none_below(&path, written);
        }
        let is_program = entry.file_name() == "wxpush";
        if !kind.is_file() || is_program || written.contains(&path) {
            continue;
        }
        let mut bytes = fs::read(&path).unwrap_or_default();
        // A log of full size begins with a hole.
        let mut rest = &bytes[..];
        while let Some(tail) = rest.strip_prefix(&[0; 4096]) {
            rest = tail;
        }
        bytes = rest.to_vec();
        if entry.file_name() == "token_cache.json" {
            bytes = without_tokens(&bytes);
        }
        none_in(&name, &bytes);
    }
}

/// A token cache without what it is there for.
fn without_tokens(cache: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut records)) = serde_json::from_slice(cache) else {
        return cache.to_owned();
    };
    for record in records.values_mut().filter_map(Value::as_object_mut) {
        record.remove("access_token");
    }
    Value::Object(records).to_string().into_bytes()
}

#[test]
fn a_leak_is_found_in_every_form_and_place() {
    let secret = "Q7-fX_2m+pL9/xyzAB";
    guard(secret);
    for form in forms(secret) {
        for piece in [&form[..], &form[2..10], &form[form.len() - 8..]] {
            let text = [b"...", piece, b"..."].concat();
            assert!(leak(&text).is_some(), "{}", String::from_utf8_lossy(piece));
        }
        assert!(leak(&form[..7]).is_none());
    }
    for before in ["", "a", "ab", "abc", "wxpush:"] {
        let text = BASE64_STANDARD_NO_PAD.encode(format!("{before}{secret} and more"));
        assert!(leak(text.as_bytes()).is_some(), "{text}");
    }
    assert!(leak(&SECRET.as_bytes()[3..11]).is_some());
    assert!(leak(b"nothing but harmless words, 0123456789").is_none());

    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.send("x").run().is_silent();
    let token = token(&sandbox);
    assert!(leak(&token.as_bytes()[100..108]).is_some());
    let none = HashSet::new();
    let found = |path: &str, text: &str| {
        let (before, path) = (sandbox.read(path), sandbox.path(path));
        fs::write(&path, text).unwrap();
        let panics = std::panic::catch_unwind(|| none_below(path.parent().unwrap(), &none));
        fs::write(&path, before).unwrap();
        panics.is_err()
    };
    fs::remove_file(sandbox.path("config.toml")).unwrap();
    none_below(&sandbox.path(""), &none);
    assert!(found("wxpush.log", &token[20..40]));
    assert!(found(
        "token_cache.json",
        &format!("{{\"k\":{{\"note\":\"{token}\"}}}}")
    ));
    assert!(found("token_cache.json", &token));
    fs::create_dir(sandbox.path("deep")).unwrap();
    assert!(found(&format!("deep/{}", &token[..30]), ""));
    fs::remove_dir_all(sandbox.path("deep")).unwrap();
}

#[test]
fn whatever_fails_shows_nothing_at_the_highest_level() {
    let echo = |code, token: &str| {
        let text = format!("bad {token} of {SECRET} in ?corpsecret={SECRET}&access_token={token}");
        Fault::Errcode(code, text)
    };
    let faults = [
        |_: &str| Fault::html(500),
        |_: &str| Fault::html(403),
        |_: &str| Fault::retry_after(503, "9999"),
        |token: &str| Fault::redirect(302, &format!("/{token}?{SECRET}")),
        |token: &str| Fault::Status(407, Vec::new(), format!("{token} {SECRET}")),
        |token: &str| Fault::Raw(format!("HTTP/1.1 200 {token}\r\n{SECRET}\r\n").into_bytes()),
        |token: &str| Fault::Body(format!("{{\"errcode\":\"{token}\",\"x\":\"{SECRET}\"}}")),
        |token: &str| Fault::Body(format!("<html>{token} {SECRET}</html>")),
        |_: &str| Fault::CutBefore,
        |_: &str| Fault::Truncated,
        |_: &str| Fault::Hang,
    ];
    let refusals = [-1, 40001, 40013, 40014, 42001, 45009, 60020, 81013, 99999];
    for_each(0..faults.len() + refusals.len(), |at| {
        let standin = Standin::start_tls(Kind::Good);
        let sandbox = Sandbox::empty();
        sandbox.write("ca.pem", standin.ca_pem());
        let network = config(&standin.base()) + "ca_file = \"ca.pem\"\n";
        sandbox.write("config.toml", network + "[log]\nlevel = \"trace\"\n");
        sandbox.send("so that there is a token").run().is_silent();
        let known = token(&sandbox);
        for (path, args) in [
            (SEND, "send --timeout 1s -vvv x"),
            (SEND, "send --timeout 1s -vvv --json x"),
            (GETTOKEN, "token refresh -vvv"),
            (GETTOKEN, "token refresh --json -vvv"),
        ] {
            // A server can echo what it was told: gettoken is told no token.
            let told = if path == SEND { &known } else { "no token" };
            let fault = match faults.get(at) {
                Some(fault) => fault(told),
                None => echo(refusals[at - faults.len()], told),
            };
            standin.always(path, fault.clone());
            let outcome = sandbox.wxpush(args).run();
            assert_ne!(outcome.code, Some(0), "{fault:?}");
            standin.mend();
        }
        let log = sandbox.read("wxpush.log");
        assert!(log.contains("answer") && log.contains(" DEBUG "), "{log}");
    });
}

#[test]
fn a_running_process_shows_its_secrets_to_nobody() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    standin.always(SEND, Fault::Hang);
    let mut started = sandbox.send("x").start();
    await_count(&standin, SEND, 1);
    let proc = PathBuf::from(format!("/proc/{}", started.child.id()));
    for file in [
        "cmdline",
        "comm",
        "environ",
        "maps",
        "mountinfo",
        "status",
        "wchan",
    ] {
        none_in(file, &fs::read(proc.join(file)).unwrap());
    }
    for entry in fs::read_dir(proc.join("fd")).unwrap() {
        let target = fs::read_link(entry.unwrap().path()).unwrap();
        none_in("fd", target.as_os_str().as_encoded_bytes());
    }
    started.child.kill().unwrap();
    started.wait();
}

#[test]
fn no_core_is_dumped() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    standin.always(SEND, Fault::Hang);
    let dumps = |program: &Path, args: &[&str], ready: &dyn Fn()| {
        let mut command = Command::new("prlimit");
        command.arg("--core=unlimited").arg(program).args(args);
        command.current_dir(sandbox.path("")).env_clear();
        command.env("PATH", "/usr/bin:/bin");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        ready();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
        child.wait().unwrap().core_dumped()
    };
    let others = dumps(Path::new("sleep"), &["9"], &|| {
        std::thread::sleep(Duration::from_millis(500));
    });
    #[allow(clippy::print_stdout, reason = "a test says what it could not try")]
    if !others {
        println!("SKIP: this machine dumps nobody's core");
    }
    let ours = dumps(&sandbox.path("wxpush"), &["send", "x"], &|| {
        await_count(&standin, SEND, 1);
    });
    assert!(!ours);
}

#[test]
#[ignore = "needs root to become another user"]
fn another_process_of_the_user_reads_neither_memory_nor_environment() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    standin.always(SEND, Fault::Hang);
    let user = ["--reuid=4711", "--regid=4711", "--clear-groups"];
    let mut sender = Command::new("setpriv");
    sender.args(user).arg(sandbox.path("wxpush"));
    let mut started = Run::new(sender)
        .args(&["send", "--timeout", "60s", "x"])
        .env("PATH", "/usr/bin:/bin")
        .env("WXPUSH_CORPID", CORPID)
        .env("WXPUSH_AGENTID", "1000002")
        .env("WXPUSH_CORPSECRET", SECRET)
        .env("WXPUSH_API_BASE", standin.base())
        .start();
    await_count(&standin, SEND, 1);
    for file in ["environ", "mem", "maps"] {
        let path = format!("/proc/{}/{file}", started.child.id());
        let mut reader = Command::new("setpriv");
        let reader = reader
            .args(user)
            .args(["head", "-c1", &path])
            .output()
            .unwrap();
        assert!(!reader.status.success(), "{file}");
    }
    started.child.kill().unwrap();
    started.wait();
}
