//! A sandbox with a maildrop, and users who leave mail there.

use std::fs;
use std::path::PathBuf;

use crate::standin::Standin;
use crate::support::tracer::{Act, Call, MAIN, Point, trace};
use crate::support::{AS_OTHER, Run, Sandbox, names_in, script, set_mode};

pub(crate) const MAIL: &str = "From: x\nTo: root\nSubject: Job\n\nit failed\n";

/// A sandbox with a maildrop. Mail to no address in particular goes to zhangsan.
pub(crate) fn with_maildrop(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    let line = format!(
        "touser = \"zhangsan\"\nlang = \"en\"\nmaildrop = \"{}\"",
        maildrop(&sandbox).display()
    );
    sandbox.configure(&line);
    fs::create_dir(maildrop(&sandbox)).unwrap();
    set_mode(&maildrop(&sandbox), 0o1733);
    sandbox
}

pub(crate) fn maildrop(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("maildrop")
}

/// The names of what waits there.
pub(crate) fn dropped(sandbox: &Sandbox) -> Vec<String> {
    names_in(&maildrop(sandbox))
}

/// `sendmail` as another user; `$0` stands for the program.
pub(crate) fn by_other(sandbox: &Sandbox, line: &str) -> Run {
    script(sandbox, &AS_OTHER, line).env("WXPUSH_MAILDROP", maildrop(sandbox))
}

pub(crate) fn flush(sandbox: &Sandbox) -> Run {
    sandbox.wxpush("outbox flush")
}

/// A flush by root on a machine where these user ids have accounts, as user65533.
pub(crate) fn flush_knowing(sandbox: &Sandbox, uids: impl IntoIterator<Item = u32>) -> Run {
    let account = |uid: u32| format!("user{uid}:x:{uid}:{uid}::/:/bin/sh\n");
    sandbox.write("passwd", uids.into_iter().map(account).collect::<String>());
    let line = "mount --bind \"$1/passwd\" /etc/passwd && exec \"$0\" outbox flush";
    script(sandbox, &["unshare", "-m"], line)
}

/// Leaves mails to root in the name of a user.
pub(crate) fn leave(sandbox: &Sandbox, uid: u32, count: usize) {
    leave_to(sandbox, "root", uid, count);
}

/// Leaves mails to an address in the name of a user.
pub(crate) fn leave_to(sandbox: &Sandbox, to: &str, uid: u32, count: usize) {
    let mails = (1..=count)
        .map(|number| format!("printf 'Subject: {uid} {number:03}\\n\\nb' | \"$0\" sendmail {to}"));
    let lines = mails.collect::<Vec<_>>().join(" && ");
    let user = [
        "setpriv",
        &format!("--reuid={uid}"),
        "--regid=65534",
        "--clear-groups",
    ];
    script(sandbox, &user, &lines)
        .env("WXPUSH_MAILDROP", maildrop(sandbox))
        .is_silent();
}

/// The first call of this number on the maildrop in a flush, which the state allows to be repeated.
pub(crate) fn call_on_maildrop(sandbox: &Sandbox, call: i64) -> Point {
    let call = call.cast_unsigned();
    let clean = trace(sandbox, &["outbox", "flush"], Act::Watch);
    let mut calls = clean.calls.into_iter();
    let is_it = |it: &Call| {
        it.point.call == call && it.file == maildrop(sandbox) && it.point.thread == MAIN
    };
    calls.find(is_it).unwrap().point
}
