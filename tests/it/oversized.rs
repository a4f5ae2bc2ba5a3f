//! A message to so many that no entry of the outbox could hold it: refused before anything is sent.

use crate::standin::Standin;
use crate::support::chinese::in_both;
use crate::support::{Sandbox, Words, bodies, emptied, hire, waiting};

/// A sandbox whose config sends to so many members, each with the longest name that one can have.
fn to_many(standin: &Standin, count: usize) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    let names: Vec<String> = (0..count)
        .map(|number| format!("\"{number:064}\""))
        .collect();
    sandbox.configure(&format!("touser = [{}]", names.join(",")));
    sandbox
}

/// A text of some ninety parts.
fn text() -> String {
    (0..16_000)
        .map(|number| format!("line {number:05}\n"))
        .collect()
}

#[test]
fn what_no_entry_could_hold_is_refused_before_anything_is_sent() {
    let standin = Standin::start();
    let sandbox = to_many(&standin, 12_000);
    for words in ["send --long split", "send --long split --dry-run"] {
        let outcome = in_both(65, || sandbox.wxpush(words).stdin(text()));
        assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
        outcome.says("64 MiB").says("--long file");
    }
    assert!(standin.requests().is_empty(), "nothing has left");
    assert!(waiting(&sandbox).is_empty());
    assert!(!sandbox.path("outbox").exists() || emptied(&sandbox) == ["failed"]);
}

#[test]
fn the_same_goes_as_a_file_or_to_fewer_and_what_is_kept_can_be_read() {
    let standin = Standin::start();
    let sandbox = to_many(&standin, 12_000);
    let base = Standin::refuse();
    let kept = sandbox
        .wxpush("send --long file --timeout 1s")
        .stdin(text());
    kept.env("WXPUSH_API_BASE", &base).exits(75);
    let fewer = hire(&standin, 10).join(",");
    let run = sandbox
        .wxpush("send --long split --timeout 1s --to")
        .arg(fewer);
    run.env("WXPUSH_API_BASE", &base).stdin(text()).exits(75);
    let shown = sandbox.wxpush("outbox list --json").exits(0);
    assert_eq!(shown.stdout.lines().count(), 2);
    assert!(!shown.stdout.contains("unreadable"), "{}", shown.stdout);
    assert!(bodies(&standin).is_empty());
}

#[test]
fn a_mail_whose_files_no_entry_could_hold_goes_without_the_largest() {
    let standin = Standin::start();
    let sandbox = to_many(&standin, 12_000);
    let part = |name: &str, size: usize| {
        let head = format!("Content-Disposition: attachment; filename={name}");
        format!("--b\n{head}\n\n{}\n", "x".repeat(size))
    };
    let (small, large) = (part("small.bin", 3 << 20), part("large.bin", 4 << 20));
    let head = "Subject: fire\nContent-Type: multipart/mixed; boundary=b\n";
    let mail = format!("{head}\n--b\n\nin the hall\n{large}{small}--b--\n");
    let run = sandbox.wxpush("sendmail -odq -i root").stdin(mail);
    run.env("WXPUSH_API_BASE", Standin::refuse()).exits(0);
    let ids = waiting(&sandbox);
    let shown = sandbox.wxpush("outbox show").arg(&ids[0]).exits(0).stdout;
    shown.shows("in the hall");
    shown.shows("附件未发送：large.bin");
    shown.shows("small.bin");
}
