//! An outbox with something in it that nobody put there in good faith: the rest flows.

use std::fs;
use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::standin::Standin;
use crate::support::{
    MEMBERS, Run, Sandbox, Words, all_texts, at_once, config, end, entry, failed, flush, for_each,
    one_by_one, plant, put, set_up, text_to, texts, waiting,
};

/// What is done to one entry of a hundred, and where it is afterwards.
type Harm = (&'static str, fn(&str) -> Option<String>, Fate);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Failed,
    LeftAlone,
    /// Refused by WeCom, so that it has failed.
    Refused,
}

#[test]
fn one_bad_entry_of_a_hundred_stalls_none_of_the_others() {
    let harms: Vec<Harm> = vec![
        ("empty", |_| Some(String::new()), Fate::Failed),
        (
            "cut",
            |text| Some(text[..text.len() / 2].to_owned()),
            Fate::Failed,
        ),
        (
            "without its last byte",
            |text| Some(text[..text.len() - 1].to_owned()),
            Fate::Failed,
        ),
        (
            "one bit",
            |text| Some(text.replacen("number", "oumber", 1)),
            Fate::Failed,
        ),
        (
            "more behind it",
            |text| Some(format!("{text}x")),
            Fate::Failed,
        ),
        (
            "another end",
            |text| Some(text[..text.len() - 3].to_owned() + "00\n"),
            Fate::Failed,
        ),
        (
            "nothing of ours",
            |_| Some("{\"a\": 1}".repeat(1000)),
            Fate::Failed,
        ),
        (
            "newer",
            |text| Some(text.replacen("outbox 1", "outbox 3", 1)),
            Fate::LeftAlone,
        ),
        ("a list", |text| made_by_hand(text, "[1]"), Fate::Refused),
        ("no object", |text| made_by_hand(text, "x"), Fate::Refused),
        (
            "text of numbers",
            |text| made_by_hand(text, "{\"msgtype\":\"text\",\"text\":[7]}"),
            Fate::Refused,
        ),
    ];
    for_each(harms, |(what, harm, fate)| {
        let standin = Standin::start();
        let sandbox = one_by_one(&standin);
        let ids = plant(&sandbox, &standin.base(), 100, &MEMBERS);
        let bad = &ids[7];
        let text = sandbox.read(&format!("outbox/{bad}"));
        put(&sandbox, bad, harm(&text).unwrap());
        let outcome = flush(&sandbox);
        let code = if fate == Fate::LeftAlone { 75 } else { 0 };
        assert_eq!(outcome.code, Some(code), "{what}: {}", outcome.stderr);
        assert_eq!(all_texts(&standin).len(), 99, "{what}");
        assert!(
            outcome.stderr.contains(bad.as_str()),
            "{what}: {}",
            outcome.stderr
        );
        let left = (waiting(&sandbox), failed(&sandbox));
        let one = vec![bad.clone()];
        let expected = match fate {
            Fate::LeftAlone => (one, vec![]),
            Fate::Failed | Fate::Refused => (vec![], one),
        };
        assert_eq!(left, expected, "{what}");
    });
}

/// The body of a hand, under a right end.
fn made_by_hand(text: &str, body: &str) -> Option<String> {
    let (head, _) = text.split_once("\n\n")?;
    let text = format!("{head}\n\nPOST message/send {}\n{body}\n", body.len());
    let end = end(&text);
    Some(text + &end)
}

#[test]
fn what_is_no_entry_of_ours_is_neither_followed_nor_sent() {
    let (standin, sandbox) = set_up();
    let ids = plant(&sandbox, &standin.base(), 20, &MEMBERS);
    let (name, bytes) = entry(&standin.base(), 900, &text_to("lisi", "from outside"));
    sandbox.write("victim", bytes);
    let path = |name: &str| sandbox.path(&format!("outbox/{name}"));
    // Named once: the clock goes on.
    let names: Vec<String> = (901..905)
        .map(|number| entry(&standin.base(), number, "").0)
        .collect();
    let number = |number: usize| names[number - 901].clone();
    symlink(sandbox.path("victim"), path(&name)).unwrap();
    fs::hard_link(sandbox.path("victim"), path(&number(901))).unwrap();
    fs::create_dir(path(&number(902))).unwrap();
    let fifo = Command::new("mkfifo").arg(path(&number(903))).status();
    assert!(fifo.unwrap().success());
    File::create(path(&number(904)))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    for junk in ["notes.txt", ".hidden", "20261124", "core"] {
        put(&sandbox, junk, "junk");
    }
    // Beside good entries: what cannot be believed of their tries.
    put(&sandbox, &format!("{}.try", ids[0]), "{\"sent\": -1");
    put(&sandbox, &format!("{}.try", ids[1]), vec![b'x'; 1 << 20]);
    symlink(sandbox.path("victim"), path(&format!("{}.try", ids[2]))).unwrap();
    put(&sandbox, "expired-0123456789abcdef", "[]");
    let before = fs::metadata(sandbox.path("victim")).unwrap();
    let outcome = flush(&sandbox).exits(75);
    assert_eq!(all_texts(&standin).len(), 20);
    for strange in [
        &*name,
        &number(901),
        &number(902),
        &number(903),
        "notes.txt",
    ] {
        outcome.stderr.shows(strange);
        assert!(path(strange).symlink_metadata().is_ok(), "{strange}");
    }
    let after = fs::metadata(sandbox.path("victim")).unwrap();
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
    assert_eq!(failed(&sandbox), [number(904)], "a gigabyte of nothing");
    // Nobody need look for secrets in it.
    fs::remove_file(path(&format!("failed/{}", number(904)))).unwrap();
    sandbox.send("and on it goes").exits(0);
}

#[test]
#[ignore = "needs root: an entry of another user"]
fn the_entry_of_another_user_is_left_alone() {
    let (standin, sandbox) = set_up();
    let ids = plant(&sandbox, &standin.base(), 3, &MEMBERS);
    std::os::unix::fs::chown(
        sandbox.path(&format!("outbox/{}", ids[1])),
        Some(1234),
        None,
    )
    .unwrap();
    flush(&sandbox).exits(75).says("belongs to another user");
    assert_eq!(all_texts(&standin).len(), 2);
    assert_eq!(waiting(&sandbox), [ids[1].clone()]);
}

#[test]
fn fifty_flushers_deliver_each_of_a_hundred_messages_once() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), 100, &MEMBERS);
    let outcomes = at_once(50, |_| sandbox.wxpush("outbox flush"));
    for outcome in outcomes {
        // What another had in hand was left.
        let code = outcome.code.unwrap();
        assert!(
            [0, 75].contains(&code) && outcome.stderr.is_empty(),
            "{outcome:?}"
        );
    }
    // What all have found in another's hands waits for the next flush.
    let left = waiting(&sandbox).len();
    assert!(left < 50, "{left} left");
    flush(&sandbox).is_silent();
    let mut expected: Vec<String> = (0..100).map(|number| format!("number {number}")).collect();
    expected.sort();
    assert_eq!(all_texts(&standin), expected);
    assert!(waiting(&sandbox).is_empty());
}

/// Where the outbox cannot be used: how, and what stderr says of it.
const NO_OUTBOX: [(&str, &str, &str); 3] = [
    (
        "a full disk",
        "mount -t tmpfs -o size=16k,mode=700 tmpfs state && { cat /dev/zero > state/fill 2> /dev/null; true; }",
        "No space left on device",
    ),
    (
        "no inodes",
        "mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs state",
        "No space left on device",
    ),
    (
        "read-only",
        "mount --bind state state && mount -o remount,bind,ro state",
        "Read-only file system",
    ),
];

#[test]
#[ignore = "needs root: mounts in a namespace of their own"]
fn where_nothing_can_be_kept_the_message_goes_out_all_the_same_or_is_said_to_be_lost() {
    for_each(NO_OUTBOX, |(what, mount, why)| {
        let (standin, sandbox) = set_up();
        fs::create_dir(sandbox.path("state")).unwrap();
        fs::set_permissions(sandbox.path("state"), Permissions::from_mode(0o700)).unwrap();
        let run = |base: &str| {
            let script = format!("cd \"$1\" && {mount} && \"$0\" send --timeout 2s x");
            let mut command = Command::new("unshare");
            command.args(["-m", "sh", "-c", &script]);
            command.arg(sandbox.path("wxpush")).arg(sandbox.path(""));
            Run::new(command)
                .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
                .env("WXPUSH_STATE_DIR", sandbox.path("state"))
                .env("WXPUSH_API_BASE", base)
                .run()
        };
        let sent = run(&standin.base());
        assert_eq!(sent.code, Some(0), "{what}: {}", sent.stderr);
        assert!(
            sent.stderr.contains("outbox") && sent.stderr.contains(why),
            "{what}: {}",
            sent.stderr
        );
        assert_eq!(texts(&standin, "lisi"), ["x"], "{what}");
        let lost = run(&Standin::refuse());
        assert_eq!(lost.code, Some(73), "{what}: {}", lost.stderr);
        for words in ["LOST", why, "refuses the connection"] {
            lost.stderr.shows(words);
        }
    });
}

#[test]
fn what_is_kept_is_private_whatever_the_umask() {
    for umask in ["000", "022", "077", "0777"] {
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config(&Standin::refuse()));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("umask {umask}; exec \"$0\" send --timeout 1s x"),
        ]);
        command.arg(sandbox.path("wxpush"));
        Run::new(command).exits(75);
        let id = waiting(&sandbox).remove(0);
        let mode = |name: &str| {
            let path: PathBuf = sandbox.path(name);
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        };
        assert_eq!(mode("outbox"), 0o700, "{umask}");
        assert_eq!(mode("outbox/failed"), 0o700, "{umask}");
        for name in [
            format!("outbox/{id}"),
            format!("outbox/{id}.try"),
            "ledger".to_owned(),
        ] {
            if sandbox.path(&name).exists() {
                assert_eq!(mode(&name), 0o600, "{umask} {name}");
            }
        }
    }
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn an_entry_whose_temporary_file_was_taken_for_a_leftover_is_written_once_more() {
    for args in [&["send", "--queue", "x"][..], &["batch", "--accept-only"]] {
        let (_standin, sandbox) = set_up();
        sandbox.send("makes all files").is_silent();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "trace=renameat2", "-o", "/dev/null"]);
        command.args(["-e", "inject=renameat2:error=ENOENT:when=1"]);
        command.arg(sandbox.path("wxpush"));
        let run = Run::new(command).env("PATH", "/usr/bin:/bin").args(args);
        run.stdin("{\"text\":\"x\"}\n").exits(0);
        assert_eq!(waiting(&sandbox).len(), 1, "{args:?}");
    }
}
