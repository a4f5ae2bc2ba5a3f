//! Mail of users who may not read the config: left in a directory that only root reads, and taken by
//! root's flush.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a sweep, shown with --nocapture"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::standin::Standin;
use crate::support::crash::{each, hold_missed, killed, landed, processors};
use crate::support::maildrop::{MAIL, by_other, dropped, flush, leave, maildrop, with_maildrop};
use crate::support::tracer::{Act, trace};
use crate::support::{
    OTHER, Sandbox, UPLOAD, at_once, bodies, emptied, fence_in, obstruct, script, set_mode, texts,
};

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn each_part_of_a_user_s_mail_and_each_file_says_whose_it_is() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let lines = "ROOT: the disk has failed, call 555-0100\n".repeat(150);
    let mail = format!(
        "Subject: long\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{lines}\n--b\n\
         Content-Type: application/pdf\nContent-Disposition: attachment; filename=alert.pdf\n\n\
         %PDF-1.4 a file\n--b--\n"
    );
    by_other(&sandbox, "exec \"$0\" sendmail -i root")
        .stdin(mail)
        .is_silent();
    flush(&sandbox).exits(0);
    let bodies = bodies(&standin);
    let parts: Vec<&str> = bodies
        .iter()
        .filter_map(|body| body["text"]["content"].as_str())
        .collect();
    assert!(parts.len() > 2 && bodies.len() == parts.len() + 1);
    for part in &parts {
        let (_, text) = part.split_once('\n').unwrap();
        assert!(text.starts_with("from user nobody"), "{part}");
        assert!(part.len() <= 2048, "{}", part.len());
    }
    let uploads = standin.requests();
    let upload = uploads.iter().find(|it| it.endpoint() == UPLOAD).unwrap();
    assert!(String::from_utf8_lossy(&upload.body).contains("\"(nobody) alert.pdf\""));
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn the_mail_of_who_may_not_read_the_config_goes_out_with_roots_flush() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    sandbox.append("\n[mail]\n\"boss@*\" = { touser = \"lisi\" }\n");
    by_other(&sandbox, "exec \"$0\" sendmail -i root")
        .stdin(MAIL)
        .is_silent();
    by_other(&sandbox, "exec \"$0\" sendmail -t")
        .stdin("To: boss@corp.cn\n\nfor the boss")
        .is_silent();
    assert_eq!(bodies(&standin).len(), 0, "nothing goes out yet");
    let waiting = dropped(&sandbox);
    assert_eq!(waiting.len(), 2);
    for name in waiting {
        let meta = fs::metadata(maildrop(&sandbox).join(name)).unwrap();
        assert_eq!((meta.uid(), meta.mode() & 0o7777), (OTHER, 0o600));
    }
    assert!(
        sandbox
            .wxpush("check")
            .run()
            .stdout
            .contains("mails of other users: 2")
    );
    flush(&sandbox).is_silent();
    assert_eq!(
        texts(&standin, "zhangsan"),
        ["from user nobody: Job\nit failed"]
    );
    assert_eq!(texts(&standin, "lisi"), ["from user nobody\nfor the boss"]);
    assert!(dropped(&sandbox).is_empty());
    assert_eq!(emptied(&sandbox), ["failed", "once"]);
    flush(&sandbox).is_silent();
    assert_eq!(bodies(&standin).len(), 2, "once each");
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn an_attachment_of_a_user_arrives_byte_for_byte() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let mail = "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Disposition: attachment; filename=a.csv\nContent-Transfer-Encoding: base64\n\n1tDOxCwxDQo=\n--b--\n";
    by_other(&sandbox, "exec \"$0\" sendmail root")
        .stdin(mail)
        .is_silent();
    flush(&sandbox).is_silent();
    let company = standin.company();
    let upload = &company.media.uploads[0];
    assert_eq!(
        (&*upload.filename, &upload.bytes[..]),
        ("(nobody) a.csv", &b"\xd6\xd0\xce\xc4,1\r\n"[..])
    );
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn without_a_maildrop_that_is_safe_a_user_is_told_at_once() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let send = || by_other(&sandbox, "exec \"$0\" sendmail root").stdin(MAIL);
    // Root's mail and a broken config aren't for the maildrop.
    sandbox
        .wxpush("-c /nowhere/config.toml sendmail root")
        .stdin(MAIL)
        .exits(78);
    for (mode, code, words) in [
        (0o777, 75, "1733"),
        (0o1777, 75, "1733"),
        (0o1700, 75, "1733"),
    ] {
        set_mode(&maildrop(&sandbox), mode);
        send().exits(code).says(words);
    }
    set_mode(&maildrop(&sandbox), 0o1733);
    for (mail, code) in [("", 65), ("Subject: s\n\nb", 0)] {
        let run = by_other(&sandbox, "exec \"$0\" sendmail root");
        run.stdin(mail).exits(code);
    }
    let run = by_other(&sandbox, "exec \"$0\" sendmail -t");
    run.stdin("Subject: s\n\nb").exits(65);
    assert_eq!(dropped(&sandbox).len(), 1);
    fs::remove_dir_all(maildrop(&sandbox)).unwrap();
    send().exits(78).says("config.toml");
    assert_eq!(flush(&sandbox).exits(0).stderr, "");
}

/// What a user may put there, by name: what must neither be sent nor stop the mails of others.
const HOSTILE: [&str; 13] = [
    "symlink",
    "dangling",
    "hard link",
    "fifo",
    "directory",
    "full directory",
    "junk",
    "empty",
    "sparse",
    "other format",
    "renamed",
    "cut",
    "not private",
];

/// Puts one of these there.
fn plant(sandbox: &Sandbox, kind: &str) -> PathBuf {
    let secret = sandbox.path("secret");
    fs::write(&secret, "of another user\n").unwrap();
    set_mode(&secret, 0o600);
    let path = maildrop(sandbox).join("20260101T000000.000Z-00000000");
    let text = match kind {
        "full directory" => {
            fs::create_dir_all(path.join("sub")).unwrap();
            return path;
        }
        "sparse" => {
            let file = fs::File::create(&path).unwrap();
            file.set_len(1 << 40).unwrap();
            String::new()
        }
        "junk" => {
            let path = maildrop(sandbox).join("junk");
            fs::write(&path, "junk").unwrap();
            return path;
        }
        "empty" => String::new(),
        // A file of another user that was renamed there is no mail of that user.
        "other format" => "Subject: forged\n\nof another user\n".to_owned(),
        "renamed" => format!(
            "wxpush mail 1 {:032}\n{{\"addresses\":[\"root\"],\"by_head\":false,\"cut\":false}}\nforged\n",
            0
        ),
        // What others could write to, or its owner has not put there.
        "cut" | "not private" => {
            by_other(sandbox, "exec \"$0\" sendmail root")
                .stdin(MAIL)
                .is_silent();
            let name = dropped(sandbox).remove(0);
            let whole = fs::read(maildrop(sandbox).join(&name)).unwrap();
            fs::remove_file(maildrop(sandbox).join(name)).unwrap();
            let end = whole.len() - if kind == "cut" { 3 } else { 0 };
            String::from_utf8(whole[..end].to_vec()).unwrap()
        }
        kind => {
            obstruct(kind, &path, &secret);
            return path;
        }
    };
    if kind != "sparse" {
        fs::write(&path, text).unwrap();
    }
    set_mode(&path, if kind == "not private" { 0o644 } else { 0o600 });
    chown(&path, Some(OTHER), Some(OTHER)).unwrap();
    path
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn what_a_hostile_user_puts_there_is_never_sent_and_stops_nobody() {
    for kind in HOSTILE {
        let standin = Standin::start();
        let sandbox = with_maildrop(&standin);
        let path = plant(&sandbox, kind);
        by_other(&sandbox, "exec \"$0\" sendmail root")
            .stdin(MAIL)
            .is_silent();
        assert_eq!(flush(&sandbox).exits(0).stderr, "", "{kind}");
        let landed = texts(&standin, "zhangsan");
        assert_eq!(landed, ["from user nobody: Job\nit failed"], "{kind}");
        assert_eq!(
            path.symlink_metadata().is_ok(),
            kind == "full directory",
            "{kind}"
        );
        assert_eq!(sandbox.read("secret"), "of another user\n", "{kind}");
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn nobody_but_root_sees_removes_or_replaces_the_mail_of_others() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 1);
    let name = dropped(&sandbox).remove(0);
    let path = maildrop(&sandbox).join(name);
    let attacks = [
        "ls \"$D\"",
        "cat \"$F\"",
        "rm -f \"$F\"",
        "mv \"$F\" \"$F.x\"",
        ": >\"$F\"",
        "ln \"$F\" \"$F.x\"",
    ];
    for attack in attacks {
        let user = [
            "setpriv",
            "--reuid=65533",
            "--regid=65533",
            "--clear-groups",
        ];
        let run = script(&sandbox, &user, attack);
        let run = run.env("D", maildrop(&sandbox)).env("F", &path);
        assert_ne!(run.run().code, Some(0), "{attack}");
    }
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn five_flushes_at_once_take_each_mail_once() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 20);
    for outcome in at_once(5, |_| flush(&sandbox)) {
        assert!(
            [Some(0), Some(75)].contains(&outcome.code),
            "{}",
            outcome.stderr
        );
    }
    sandbox.wxpush("outbox flush --wait").is_silent();
    let mut read = texts(&standin, "zhangsan");
    read.sort();
    let all = (1..=20).map(|number| format!("from user nobody: {OTHER} {number:03}\nb"));
    assert_eq!(read, all.collect::<Vec<_>>());
    assert!(dropped(&sandbox).is_empty());
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_mail_that_is_being_written_waits_and_a_leftover_goes() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let path = maildrop(&sandbox).join("tmp.20260101T000000.000Z-00000000");
    fs::write(&path, "wxpush mail 1 half").unwrap();
    flush(&sandbox).is_silent();
    assert!(path.exists());
    let old = SystemTime::now() - Duration::from_hours(2);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    flush(&sandbox).is_silent();
    assert!(!path.exists());
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_full_disk_is_told_and_nothing_stays() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let line = "mount -t tmpfs -o size=64k,mode=1733 tmpfs \"$1/maildrop\" && \
        head -c 200000 /dev/urandom | base64 | setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" sendmail root; \
        code=$?; ls \"$1/maildrop\"; exit $code";
    let run = script(&sandbox, &["unshare", "-m"], line);
    let outcome = run.env("WXPUSH_MAILDROP", maildrop(&sandbox)).exits(75);
    assert_eq!(outcome.stdout, "");
    outcome.says("space");
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn what_stops_roots_flush_keeps_the_mails() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 1);
    let config = sandbox.read("config.toml");
    let lines = config
        .lines()
        .filter(|line| !line.starts_with("corpsecret"));
    sandbox.write("config.toml", lines.collect::<Vec<_>>().join("\n"));
    flush(&sandbox).run();
    assert_eq!(dropped(&sandbox).len(), 1);
    sandbox.write(
        "config.toml",
        format!("{config}\n[outbox]\nenabled = false\n"),
    );
    assert!(flush(&sandbox).run().stderr.contains("maildrop"));
    assert_eq!(dropped(&sandbox).len(), 1);
    sandbox.write("config.toml", config);
    set_mode(&maildrop(&sandbox), 0o1777);
    assert!(flush(&sandbox).run().stderr.contains("1733"));
    assert!(sandbox.wxpush("check").exits(73).stdout.contains("1733"));
    assert_eq!(dropped(&sandbox).len(), 1);
    set_mode(&maildrop(&sandbox), 0o1733);
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root and leave to trace"]
fn killed_at_any_call_a_flush_neither_loses_nor_doubles_a_mail() {
    fence_in();
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let mail = |sandbox: &Sandbox, text: &str| {
        let run = by_other(sandbox, "exec \"$0\" sendmail root");
        run.stdin(format!("Subject: s\n\n{text}")).is_silent();
    };
    mail(&sandbox, "clean");
    let clean = trace(&sandbox, &["outbox", "flush"], Act::Watch);
    assert_eq!((clean.code, &*clean.stderr), (Some(0), ""));
    let (twice, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tried = each(&clean.calls, processors(), |standin, call| {
        standin.company().phones.match_unflagged = true;
        let point = call.point;
        let text = format!("{}: {point:?}", standin.base());
        let sandbox = with_maildrop(standin);
        mail(&sandbox, &text);
        if killed(&sandbox, &["outbox", "flush"], point).is_none() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        sandbox.wxpush("outbox flush --wait").run();
        let count = landed(standin, &text).len();
        assert!(count >= 1, "lost at {point:?}");
        twice.fetch_add(usize::from(count > 1), Ordering::Relaxed);
        assert!(dropped(&sandbox).is_empty(), "{point:?}");
    });
    let killed = hold_missed(&missed, tried);
    println!(
        "maildrop: killed at {killed} calls, {} twice",
        twice.load(Ordering::Relaxed)
    );
    assert_eq!(twice.into_inner(), 0);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_user_who_is_killed_while_leaving_a_mail_leaves_none_or_a_whole_one() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let mut accepted = Vec::new();
    for wait in 0..20 {
        let run = by_other(&sandbox, "exec \"$0\" sendmail root");
        let text = format!("{wait:02} {}", "x".repeat(1500));
        let started = run.stdin(format!("Subject: s\n\n{text}")).start();
        std::thread::sleep(Duration::from_millis(wait));
        let _ = kill_process(Pid::from_child(&started.child), Signal::KILL);
        if started.wait().code == Some(0) {
            accepted.push(text);
        }
    }
    sandbox.wxpush("outbox flush --wait").is_silent();
    let read = texts(&standin, "zhangsan");
    let read: Vec<&str> = read.iter().filter_map(|text| text.lines().last()).collect();
    assert!(read.iter().all(|text| text.len() == 1503), "{read:?}");
    assert!(accepted.iter().all(|text| read.contains(&text.as_str())));
    assert!(accepted.len() < 20, "none was killed");
}
