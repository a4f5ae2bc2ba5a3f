//! The power fails at every step of a send and of a flush: a file system of its own is shut down
//! as by a cut, and mounted again.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::crash::{each, hold_missed, landed, processors};
use crate::support::tracer::{Act, Call, MAIN, Point, trace};
use crate::support::{SEND, Sandbox, failed, make, texts, waiting};

/// What survives a cut: the journal, but not the data behind it; or neither.
/// Source: `EXT4_IOC_SHUTDOWN` of the kernel's ext4.h.
const FLAGS: [u32; 2] = [1, 2];

/// Asks the kernel for it; there is no other way to it without `unsafe`.
const SHUT_DOWN: &str =
    r#"open(F, "<", $ARGV[0]) or die; ioctl(F, 0x8004587D, pack("L", $ARGV[1])) or die $!"#;

/// An ext4 of a few megabytes, mounted where the sandbox keeps its state.
struct Disk {
    /// A loop device of its own, from first to last: one that is made anew may still be another's.
    device: String,
    image: PathBuf,
    mount: PathBuf,
}

fn done(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Disk {
    /// None where this machine can't.
    fn new(sandbox: &Sandbox) -> Option<Self> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let (image, mount) = (sandbox.path("image"), sandbox.path("state"));
        fs::create_dir(&mount).unwrap();
        File::create(&image).unwrap().set_len(8 << 20).unwrap();
        let attached = {
            let _turn = ONE_AT_A_TIME.lock();
            let mut losetup = Command::new("losetup");
            losetup
                .args(["--find", "--show"])
                .arg(&image)
                .output()
                .ok()?
        };
        let device = String::from_utf8(attached.stdout).ok()?.trim().to_owned();
        let disk = (!device.is_empty()).then_some(Self {
            device,
            image,
            mount,
        })?;
        let made = done(Command::new("mkfs.ext4").arg("-qF").arg(&disk.device));
        (made && disk.mounted()).then(|| {
            fs::set_permissions(&disk.mount, Permissions::from_mode(0o700)).unwrap();
            // The empty file system itself is to survive.
            done(Command::new("sync").arg("-f").arg(&disk.mount));
            disk
        })
    }

    fn mounted(&self) -> bool {
        let mut mount = Command::new("mount");
        done(mount.arg(&self.device).arg(&self.mount))
    }

    fn cut(&self, flag: u32) {
        let mut perl = Command::new("perl");
        perl.args(["-e", SHUT_DOWN]).arg(&self.mount);
        assert!(done(perl.arg(flag.to_string())), "the power cannot be cut");
    }

    fn unmount(&self) -> bool {
        done(Command::new("umount").arg(&self.mount))
    }

    /// The power is back.
    fn come_back(&self) {
        assert!(
            self.unmount() && self.mounted(),
            "it cannot be mounted again"
        );
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
        done(Command::new("losetup").arg("-d").arg(&self.device));
        // The search for secrets need not look through a disk.
        let _ = fs::remove_file(&self.image);
    }
}

/// A sandbox whose state lies on a disk of its own.
fn on_disk(standin: &Standin) -> Option<(Sandbox, Disk)> {
    let sandbox = Sandbox::of(standin);
    sandbox.configure("state_dir = \"state\"\n[log]\nfile = \"wxpush.log\"");
    let config = sandbox.read("config.toml");
    // The log has its own place; tables come after what belongs to none.
    let (log, rest) = config.split_once("\n[log]\nfile = \"wxpush.log\"").unwrap();
    sandbox.write(
        "config.toml",
        format!("{log}{rest}\n[log]\nfile = \"wxpush.log\"\n"),
    );
    let disk = Disk::new(&sandbox)?;
    Some((sandbox, disk))
}

fn in_state(sandbox: &Sandbox, of: fn(&Sandbox) -> Vec<String>) -> usize {
    // The helpers look beside the program.
    let link = sandbox.path("outbox");
    let _ = fs::remove_file(&link);
    std::os::unix::fs::symlink(sandbox.path("state/outbox"), link).unwrap();
    of(sandbox).len()
}

/// The steps from this one on that leave something on a disk or on the line, or could.
fn steps(calls: &[Call], begins: impl Fn(&Point) -> bool) -> Vec<Point> {
    let begun = calls.iter().position(|call| begins(&call.point));
    let begun = begun.expect("it is called");
    let names = [
        "openat",
        "write",
        "pwrite64",
        "fsync",
        "fdatasync",
        "renameat2",
        "rename",
        "unlinkat",
        "mkdir",
        "flock",
        "close",
        "writev",
        "exit_group",
    ];
    let points = calls[begun..].iter().map(|call| call.point);
    points.filter(|it| names.contains(&it.name())).collect()
}

/// Each of these steps with each kind of cut.
fn cuts(steps: &[Point]) -> Vec<(Point, u32)> {
    let each = |flag: &u32| {
        let flag = *flag;
        steps.iter().map(move |step| (*step, flag))
    };
    FLAGS.iter().flat_map(each).collect()
}

/// How many syncs of the accepting thread a run has made whole when it is cut at its last call.
fn syncs(calls: &[Call]) -> usize {
    let made = calls.iter().rev().skip(1);
    made.filter(|call| call.point.thread != MAIN && call.point.name() == "fsync")
        .count()
}

#[test]
#[ignore = "needs root: a file system of its own, and leave to trace"]
fn a_power_cut_at_any_step_of_a_send_takes_nothing_that_was_accepted() {
    let standin = Standin::start();
    let Some((sandbox, disk)) = on_disk(&standin) else {
        println!("SKIP: no ext4 can be mounted here: 0 power cuts");
        return;
    };
    let clean = trace(&sandbox, &["send", "clean"], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    drop(disk);
    // With the one that tells of the outbox itself: it is made in this run.
    let all = clean.calls.iter().map(|call| call.point);
    let all = all
        .filter(|it| it.thread != MAIN && it.name() == "fsync")
        .count();
    assert_eq!(all, 3, "the entry, its name, the outbox's name");
    let cuts = cuts(&steps(&clean.calls, |it| it.thread != MAIN));
    let [accepted, twice, missed] = [const { AtomicUsize::new(0) }; 3];
    let tried = each(&cuts, processors(), |standin, (step, flag)| {
        let what = format!("{step:?}, flag {flag}");
        let (sandbox, disk) = on_disk(standin).expect("it could be done before");
        let message = format!("at {}: {what}", standin.base());
        let act = Act::Kill(*step, &|| disk.cut(*flag));
        let traced = trace(&sandbox, &["send", &message], act);
        if !traced.acted {
            // How often one waits is chance.
            missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_accepted = syncs(&traced.calls) == all;
        disk.come_back();
        let before = landed(standin, &message).len();
        assert!(
            before == 0 || is_accepted,
            "it left before it was accepted: {what}"
        );
        let kept = in_state(&sandbox, waiting);
        assert!(!is_accepted || kept + before > 0, "lost: {what}");
        sandbox.wxpush("outbox flush").is_silent();
        assert_eq!(
            in_state(&sandbox, waiting) + in_state(&sandbox, failed),
            0,
            "{what}"
        );
        let count = landed(standin, &message).len();
        assert!(count <= 2 && (count > 0 || !is_accepted), "{count}: {what}");
        accepted.fetch_add(usize::from(is_accepted), Ordering::Relaxed);
        twice.fetch_add(usize::from(count == 2), Ordering::Relaxed);
    });
    let made = hold_missed(&missed, tried);
    println!(
        "power: {made} cuts, {} of them after acceptance, {} messages came twice",
        accepted.load(Ordering::Relaxed),
        twice.load(Ordering::Relaxed)
    );
    assert!(cuts.len() > 60 && accepted.into_inner() > 20);
}

#[test]
#[ignore = "needs root: a file system of its own"]
fn what_was_said_to_be_kept_is_there_after_a_power_cut() {
    for flag in FLAGS {
        let standin = Standin::start();
        let Some((sandbox, disk)) = on_disk(&standin) else {
            println!("SKIP: no ext4 can be mounted here: 0 power cuts");
            return;
        };
        standin.always("/cgi-bin/gettoken", Fault::html(502));
        for text in ["one", "two"] {
            sandbox.wxpush("send --timeout 1s").arg(text).exits(75);
        }
        disk.cut(flag);
        disk.come_back();
        assert_eq!(in_state(&sandbox, waiting), 2, "flag {flag}");
        standin.mend();
        sandbox.wxpush("outbox flush").is_silent();
        assert_eq!(texts(&standin, "lisi"), ["one", "two"]);
    }
}

/// A sandbox whose disk holds two messages, which may go now.
fn with_backlog(standin: &Standin, message: &str) -> Option<(Sandbox, Disk)> {
    let (sandbox, disk) = on_disk(standin)?;
    for it in ["first", "second"] {
        standin.script(SEND, [Fault::Errcode(60020, "not allow".into())]);
        sandbox.send(&format!("{it} {message}")).exits(77);
    }
    Some((sandbox, disk))
}

#[test]
#[ignore = "needs root: a file system of its own, and leave to trace"]
fn a_power_cut_at_any_step_of_a_flush_loses_nothing_and_sends_at_most_twice() {
    let standin = Standin::start();
    let Some((sandbox, disk)) = with_backlog(&standin, "clean") else {
        println!("SKIP: no ext4 can be mounted here: 0 power cuts");
        return;
    };
    let clean = trace(&sandbox, &["outbox", "flush"], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    drop(disk);
    // From the first message on that it takes in hand.
    let cuts = cuts(&steps(&clean.calls, |it| it.name() == "flock"));
    let [left, twice, missed] = [const { AtomicUsize::new(0) }; 3];
    let tried = each(&cuts, processors(), |standin, (step, flag)| {
        let what = format!("{}: {step:?}, flag {flag}", standin.base());
        let (sandbox, disk) = with_backlog(standin, &what).expect("it could be done before");
        let act = Act::Kill(*step, &|| disk.cut(*flag));
        let traced = trace(&sandbox, &["outbox", "flush"], act);
        if !traced.acted {
            // How often one waits is chance.
            missed.fetch_add(1, Ordering::Relaxed);
        }
        disk.come_back();
        let kept = in_state(&sandbox, waiting);
        left.fetch_add(kept, Ordering::Relaxed);
        assert!(kept + landed(standin, &what).len() >= 2, "lost: {what}");
        sandbox.wxpush("outbox flush").is_silent();
        let rest = in_state(&sandbox, waiting) + in_state(&sandbox, failed);
        assert_eq!(rest, 0, "{what}");
        let landed = landed(standin, &what);
        let mut once = landed.clone();
        once.dedup();
        let wanted = ["first", "second"].map(|it| format!("{it} {what}"));
        assert_eq!(once, wanted, "each in its turn");
        assert!(landed.len() <= 3, "{landed:?}");
        twice.fetch_add(landed.len() - 2, Ordering::Relaxed);
    });
    let made = hold_missed(&missed, tried);
    let (left, twice) = (left.into_inner(), twice.into_inner());
    println!("power: {made} cuts of a flush, {left} messages stayed, {twice} came twice");
    assert!(cuts.len() > 60 && left > tried / 2 && twice > 0);
}

/// The directories that a run has synced, in their order, before it had a connection.
fn synced_first<'a>(calls: &'a [Call], below: &Path) -> Vec<&'a Path> {
    let connects = |call: &Call| call.point.thread == MAIN && call.point.name() == "connect";
    let begun = calls.iter().position(connects).expect("it connects");
    let syncs = calls[..begun].iter().filter(|call| {
        call.point.thread == MAIN && call.point.name() == "fsync" && call.file.starts_with(below)
    });
    syncs.map(|call| &*call.file).collect()
}

/// No cut shows it: the journal of an ext4 saves a directory with what is synced in it. Other file
/// systems promise nothing.
#[test]
#[ignore = "needs leave to trace"]
fn what_is_made_above_the_outbox_is_synced_before_anything_is_accepted_in_it() {
    let standin = Standin::start();
    for (there, parents) in [
        ("", &["", "a", "a/b"][..]),
        ("a", &["a", "a/b"]),
        ("a/b/c", &[]),
    ] {
        let sandbox = Sandbox::of(&standin);
        sandbox.configure("state_dir = \"a/b/c\"");
        if !there.is_empty() {
            make(&sandbox.path(there));
        }
        let top = fs::canonicalize(sandbox.path(".")).unwrap();
        let wanted: Vec<PathBuf> = parents.iter().map(|it| top.join(it)).collect();
        let first = trace(&sandbox, &["send", "first"], Act::Watch);
        assert_eq!((first.code, &*first.stderr), (Some(0), ""));
        let mut synced = synced_first(&first.calls, &top);
        synced.sort();
        assert_eq!(synced, wanted, "where {there:?} is there");
        let second = trace(&sandbox, &["send", "second"], Act::Watch);
        assert_eq!((second.code, &*second.stderr), (Some(0), ""));
        assert!(synced_first(&second.calls, &top).is_empty());
    }
}

#[test]
#[ignore = "needs root: an ext4 of its own"]
fn what_went_nowhere_while_the_disk_did_not_answer_is_kept_once_it_does() {
    let standin = Standin::start();
    let Some((sandbox, _disk)) = on_disk(&standin) else {
        println!("SKIP: no ext4 can be mounted here");
        return;
    };
    sandbox.send("so that all is there").is_silent();
    let freeze = |how: &str| {
        assert!(done(
            Command::new("fsfreeze").arg(how).arg(sandbox.path("state"))
        ));
    };
    freeze("-f");
    let send = sandbox.wxpush("send --timeout 1s late");
    let send = send.env("WXPUSH_API_BASE", Standin::refuse()).start();
    // Past the half of its time that it gives a disk.
    std::thread::sleep(Duration::from_millis(1500));
    freeze("-u");
    send.wait().exits(75).says("is kept in the outbox");
    assert_eq!(in_state(&sandbox, waiting), 1);
}
