//! `wxpush init`: at a terminal, and out of the environment.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::{Pty, Run, Sandbox};

/// `wxpush init` with all that it takes.
pub(crate) fn unattended(sandbox: &Sandbox, standin: &Standin, args: &str) -> Run {
    set(sandbox.wxpush(&format!("init {args}")), standin)
}

/// With the variables that it takes.
pub(crate) fn set(run: Run, standin: &Standin) -> Run {
    run.env("WXPUSH_CORPID", CORPID)
        .env("WXPUSH_CORPSECRET", SECRET)
        .env("WXPUSH_AGENTID", AGENTID.to_string())
        .env("WXPUSH_TOUSER", "lisi")
        .env("WXPUSH_API_BASE", standin.base())
}

/// What the first four questions ask for, word for word.
pub(crate) const ASKED: [&str; 4] = ["corpid: ", "corpsecret: ", "agentid: ", "touser: "];

/// `wxpush init` in a sandbox with a `crontab` of its own, which knows nothing.
pub(crate) fn init(sandbox: &Sandbox, standin: &Standin, args: &str) -> Run {
    with_crontab(sandbox, "echo 'no crontab for me' >&2; exit 1");
    bare(sandbox, standin, args)
}

/// The same with the `crontab` that is there.
pub(crate) fn bare(sandbox: &Sandbox, standin: &Standin, args: &str) -> Run {
    let path = format!("{}:/usr/bin:/bin", sandbox.path("programs").display());
    let run = sandbox.wxpush(&format!("init {args}")).env("PATH", path);
    run.env("WXPUSH_API_BASE", standin.base())
}

/// Puts a `crontab` into the sandbox whose `-l` does this, and whose `-` fills the file `installed`.
pub(crate) fn with_crontab(sandbox: &Sandbox, list: &str) {
    let dir = sandbox.path("programs");
    fs::create_dir_all(&dir).unwrap();
    let installed = sandbox.path("installed").display().to_string();
    let script = format!(
        "#!/bin/sh\n[ -z \"$WXPUSH_CORPSECRET\" ] || exit 9\ncase $1 in\n-l) {list} ;;\n-) cat > {installed} ;;\nesac\n"
    );
    sandbox.write("programs/crontab", script);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir.join("crontab"), mode).unwrap();
}

/// The config that was written: ours to read, and nobody else's.
pub(crate) fn written(sandbox: &Sandbox, name: &str) -> String {
    let meta = fs::symlink_metadata(sandbox.path(name)).unwrap();
    assert!(meta.is_file());
    assert_eq!(meta.permissions().mode() & 0o7777, 0o600, "{name}");
    let text = sandbox.read(name);
    sandbox.written().insert(text.clone().into_bytes());
    text
}

/// Answers the first questions.
pub(crate) fn answer(pty: &mut Pty, answers: &[&str]) {
    for (asked, answer) in ASKED.iter().zip(answers) {
        pty.shows(asked).shows("> ");
        if *asked == "corpsecret: " {
            assert!(!pty.echoes(), "it would be seen");
        }
        pty.types(answer);
    }
}

pub(crate) fn right() -> [String; 4] {
    [CORPID, SECRET, &AGENTID.to_string(), "lisi"].map(str::to_owned)
}

/// Answers so many of the first.
pub(crate) fn answer_rightly(pty: &mut Pty, count: usize) {
    let right = right();
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    answer(pty, &right[..count]);
}

/// Answers those behind the first.
pub(crate) fn answer_rightly_from(pty: &mut Pty, from: usize) {
    for (asked, answer) in ASKED.iter().zip(right()).skip(from) {
        pty.shows(asked).shows("> ").types(&answer);
    }
}
