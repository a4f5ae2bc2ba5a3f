//! What killed programs, other users and bad disks leave in an outbox, in every place that it has.

#![expect(
    clippy::print_stdout,
    reason = "the figures of memory, shown with --nocapture"
)]

use std::fs;
use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::standin::Standin;
use crate::support::{
    MEMBERS, Run, Sandbox, config, entry, failed, flush, for_each, is_root, make, one_by_one, peak,
    plant, script, set_mode, set_up, text_to, texts, waiting,
};

/// More memory than any run may take, in KiB: four times of what one takes.
const PEAK_MAX: u64 = 64 << 10;

fn landed(standin: &Standin) -> usize {
    MEMBERS
        .iter()
        .map(|member| texts(standin, member).len())
        .sum()
}

/// Removes what nobody need look for secrets in: a gigabyte of nothing.
fn sweep(sandbox: &Sandbox) {
    fs::remove_dir_all(sandbox.path("outbox")).unwrap();
}

#[test]
fn an_entry_cut_anywhere_is_never_sent_and_stalls_none_of_the_others() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), 100, &MEMBERS);
    let mut cut = Vec::new();
    let (_, whole) = entry(&standin.base(), 0, &text_to("lisi", "never to be sent"));
    for length in (0..whole.len()).step_by(3) {
        let (name, text) = entry(
            &standin.base(),
            500 + length as u64,
            &text_to("lisi", "never to be sent"),
        );
        sandbox.write(&format!("outbox/{name}"), &text[..length]);
        cut.push(name);
    }
    let outcome = flush(&sandbox).exits(0);
    assert_eq!(outcome.stderr.matches(" is damaged: ").count(), cut.len());
    assert_eq!(landed(&standin), 100);
    assert!(!texts(&standin, "lisi").contains(&"never to be sent".to_owned()));
    cut.sort();
    assert_eq!(failed(&sandbox), cut);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn whatever_stands_beside_an_entry_it_goes_once_and_leads_nowhere() {
    type Plant = fn(&Path, &Path);
    let kinds: [(&str, Plant); 7] = [
        ("a link", |path, victim| symlink(victim, path).unwrap()),
        ("a second name", |path, victim| {
            fs::hard_link(victim, path).unwrap();
        }),
        ("a directory", |path, _| fs::create_dir(path).unwrap()),
        ("a gigabyte", |path, _| {
            File::create(path).unwrap().set_len(1 << 30).unwrap();
        }),
        ("half a record", |path, _| {
            fs::write(path, "{\"sent\":1,\"tri").unwrap();
        }),
        ("another's record", |path, _| {
            fs::write(path, "{\"sent\":7,\"tries\":4294967295,\"doubt\":{\"since\":18446744073709551615,\"marks\":\"\"},\"not_before\":18446744073709551615}").unwrap();
        }),
        ("a FIFO", |path, _| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    for_each(kinds, |(kind, put)| {
        let (standin, sandbox) = set_up();
        sandbox.write("victim", "before");
        let victim = sandbox.path("victim");
        let ids = plant(&sandbox, &standin.base(), 3, &["lisi"]);
        put(&sandbox.path(&format!("outbox/{}.try", ids[1])), &victim);
        put(&sandbox.path("outbox/expired-0123456789abcdef"), &victim);
        put(
            &sandbox.path("outbox/tmp.20261124T074123.123Z-9f3a1c77"),
            &victim,
        );
        let peak = peak(sandbox.wxpush("outbox flush").start(), 0);
        assert!(peak < PEAK_MAX, "{kind}: {peak} KiB");
        // A record that says that all of it has been sent is believed.
        let expected = 2 + usize::from(kind != "another's record");
        assert_eq!(texts(&standin, "lisi").len(), expected, "{kind}");
        assert!(waiting(&sandbox).is_empty(), "{kind}");
        sandbox.send("new").exits(0);
        assert_eq!(texts(&standin, "lisi").len(), expected + 1, "{kind}");
        assert_eq!(sandbox.read("victim"), "before", "{kind}");
        sweep(&sandbox);
    });
}

#[test]
#[ignore = "needs root: devices, and files of another user"]
fn devices_and_files_of_others_are_left_alone_and_named() {
    assert!(is_root());
    let (standin, sandbox) = set_up();
    plant(&sandbox, &standin.base(), 10, &MEMBERS);
    let (device, _) = entry(&standin.base(), 700, "");
    let path = sandbox.path(&format!("outbox/{device}"));
    let mut mknod = Command::new("mknod");
    // Containers may forbid it even to root.
    let made = mknod.arg(&path).args(["c", "1", "5"]).output().unwrap();
    let has_device = made.status.success();
    let (theirs, bytes) = entry(&standin.base(), 701, &text_to("lisi", "theirs"));
    sandbox.write(&format!("outbox/{theirs}"), bytes);
    let path = sandbox.path(&format!("outbox/{theirs}"));
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    let outcome = flush(&sandbox).exits(75).says(&format!("{theirs}: "));
    assert_eq!(outcome.stderr.contains(&device), has_device);
    assert_eq!(landed(&standin), 10);
    assert!(path.exists() && failed(&sandbox).is_empty());
}

#[test]
fn memory_stays_flat_beside_ten_thousand_that_wait() {
    let (_standin, sandbox) = set_up();
    let send = || peak(sandbox.wxpush("send --to zhangsan new").start(), 0);
    let alone = send();
    // For an app of another day: they are read, and none can go.
    plant(&sandbox, "http://127.0.0.1:1", 10_000, &["lisi"]);
    let beside = send();
    let flushing = peak(sandbox.wxpush("outbox flush").start(), 75);
    println!("peak KiB: send alone {alone}, beside 10,000 {beside}, flush of 10,000 {flushing}");
    assert!(beside.max(flushing) < PEAK_MAX, "{beside} {flushing}");
    assert_eq!(waiting(&sandbox).len(), 10_000);
    sweep(&sandbox);
}

#[test]
#[ignore = "needs script, of util-linux"]
fn messages_in_another_place_of_ours_are_named_to_a_person() {
    let (standin, sandbox) = set_up();
    let other = sandbox.path("xdg/wxpush");
    make(&other.join("outbox"));
    set_mode(&other.join("outbox"), 0o700);
    let (name, bytes) = entry(&standin.base(), 0, &text_to("lisi", "elsewhere"));
    sandbox.write(&format!("xdg/wxpush/outbox/{name}"), bytes);
    let words = format!("WXPUSH_STATE_DIR={}", other.display());
    let flush = |args: &str| {
        let run = sandbox.wxpush(&format!("outbox flush {args}"));
        run.env("XDG_STATE_HOME", sandbox.path("xdg")).run()
    };
    flush("").is_silent();
    flush("-v").exits(0).says(&words);
    let mut command = Command::new("script");
    let line = format!("exec {} outbox flush", sandbox.path("wxpush").display());
    command.args(["-qec", &line, "/dev/null"]);
    let seen = Run::new(command)
        .env("PATH", "/usr/bin:/bin")
        .env("XDG_STATE_HOME", sandbox.path("xdg"))
        .exits(0);
    assert!(seen.stdout.contains(&words), "{}", seen.stdout);
    assert!(texts(&standin, "lisi").is_empty(), "named, not sent");
    // As it says.
    sandbox
        .wxpush("outbox flush")
        .env("WXPUSH_STATE_DIR", &other)
        .is_silent();
    assert_eq!(texts(&standin, "lisi"), ["elsewhere"]);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_user_without_a_home_is_told_that_nothing_can_be_kept() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&standin.base()));
    set_mode(&sandbox.path("config.toml"), 0o644);
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let run = |words: &str| script(&sandbox, &nobody, &format!("exec \"$0\" {words}"));
    let sent = run("send x").exits(0).says("warning: ");
    assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
    let dead = Standin::refuse();
    run("send --timeout 1s y")
        .env("WXPUSH_API_BASE", dead)
        .exits(73)
        .says("LOST");
    run("outbox flush").exits(73).says("state_dir");
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    // With a home, or a place of its own, all is as ever.
    make(&sandbox.path("home"));
    std::os::unix::fs::chown(sandbox.path("home"), Some(65534), Some(65534)).unwrap();
    let home = sandbox.path("home");
    run("send --timeout 1s kept")
        .env("HOME", &home)
        .env("WXPUSH_API_BASE", Standin::refuse())
        .exits(75);
    assert!(home.join(".local/state/wxpush/outbox").is_dir());
}
