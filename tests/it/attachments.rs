//! Messages with files: what was accepted arrives, byte for byte, whatever becomes of the files.

use std::fs;
use std::fs::File;
use std::io::Write;
use std::process::Command;

use serde_json::{Value, json};

use crate::standin::{CHATID, Fault, ROBOT_KEY, Standin};
use crate::support::{
    GETTOKEN, ROBOT_UPLOAD, Run, SEND, Sandbox, UPLOAD, age, bodies, edit_attempts, emptied,
    failed, files, flush, for_each, here, hire, holds_files, keep, png, refusal, script, set_mode,
    set_up, texts, waiting, with_robot,
};

/// Bytes of every value, more than are read in one go.
fn all_bytes() -> Vec<u8> {
    let numbers = 0..300_007_u32;
    let bytes =
        numbers.flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[2..].to_vec());
    bytes.collect()
}

/// What is done to a file whose message waits.
type Change = (&'static str, fn(&std::path::Path));

#[test]
fn what_was_accepted_arrives_to_the_byte_whatever_becomes_of_the_file() {
    let changes: [Change; 4] = [
        ("written over", |path| {
            let mut file = File::options().write(true).open(path).unwrap();
            file.write_all(&b"x".repeat(100_000)).unwrap();
        }),
        ("cut", |path| {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(7)
                .unwrap();
        }),
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("in place of a directory", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    // An address for each: no other test is given the port meanwhile.
    for_each(changes.iter().zip(12..), |((what, change), host)| {
        let standin = Standin::start_at(&format!("127.0.9.{host}:0")).unwrap();
        let (base, sandbox) = (standin.base(), Sandbox::of(&standin));
        drop(standin);
        let bytes = all_bytes();
        sandbox.write("报告 1.bin", &bytes);
        let send = here(&sandbox, "send --to lisi --timeout 1s --file");
        let outcome = send.args(&["报告 1.bin", "the caption"]).exits(75);
        let id = waiting(&sandbox).remove(0);
        outcome.says(&format!(
            "the message of 2 parts was not sent, and is kept in the outbox ({id})"
        ));
        change(&sandbox.path("报告 1.bin"));
        let entry = fs::read(sandbox.path(&format!("outbox/{id}"))).unwrap();
        let head = b"wxpush outbox 2\naccepted: ";
        // A wxpush of before leaves it alone.
        assert!(entry.starts_with(head));
        let file = format!("FILE file {} \"报告 1.bin\"\n", bytes.len());
        assert!(
            entry
                .windows(file.len())
                .any(|part| part == file.as_bytes())
        );
        let standin = Standin::start_at(&base.replace("http://", "")).unwrap();
        flush(&sandbox).is_silent();
        holds_files(&standin, "lisi", &[("报告 1.bin", &bytes)]);
        assert_eq!(texts(&standin, "lisi")[0], "the caption", "{what}");
        assert_eq!(emptied(&sandbox), ["failed"], "{what}");
        if sandbox.path("报告 1.bin").is_dir() {
            fs::remove_dir(sandbox.path("报告 1.bin")).unwrap();
        }
    });
}

#[test]
fn a_text_alone_is_still_an_entry_of_the_first_version() {
    let (standin, sandbox) = set_up();
    for args in [
        "send words",
        "send --file media_id:3-of-somebody",
        "send --card --url http://x -t t d",
    ] {
        let id = keep(&standin, &sandbox, args);
        let entry = sandbox.read(&format!("outbox/{id}"));
        assert!(entry.starts_with("wxpush outbox 1\n"), "{args}");
    }
}

#[test]
fn messages_with_files_are_listed_and_shown_by_name_kind_and_size() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let png = png();
    sandbox.write("plot.png", &png);
    sandbox.write("a\u{1b}[31m.txt", vec![b'x'; 123_456]);
    standin.always(GETTOKEN, Fault::html(503));
    standin.always(ROBOT_UPLOAD, Fault::html(503));
    let kept = |args: &[&str]| {
        let before = waiting(&sandbox);
        let send = here(&sandbox, "send --timeout 1s").args(args);
        send.exits(75);
        let id = waiting(&sandbox)
            .into_iter()
            .find(|id| !before.contains(id));
        id.unwrap()
    };
    let picture = kept(&["--to", "lisi", "--image", "plot.png", "the caption"]);
    let file = kept(&["--chat", CHATID, "--file", "a\u{1b}[31m.txt"]);
    let robots = kept(&["--robot", "ops", "--file", "plot.png"]);
    let list = sandbox.wxpush("outbox list").exits(0).stdout;
    let line = |id: &str| {
        list.lines()
            .find(|line| line.starts_with(id))
            .unwrap()
            .to_owned()
    };
    assert!(line(&picture).ends_with("the caption"), "{list}");
    assert!(line(&file).contains(&format!("to chat {CHATID}")), "{list}");
    assert!(
        line(&file).contains("[31m.txt") && !list.contains('\u{1b}'),
        "{list}"
    );
    assert!(
        line(&robots).contains("to robot ops") && line(&robots).contains("plot.png"),
        "{list}"
    );
    let show = |id: &str| sandbox.wxpush(&format!("outbox show {id}")).exits(0).stdout;
    let shown = show(&picture);
    for words in [
        "--- part 1 of 2\nthe caption\n",
        &format!("--- part 2 of 2\nplot.png (image, {} bytes)\n", png.len()),
    ] {
        assert!(shown.contains(words), "no {words} in {shown}");
    }
    assert!(
        show(&file).contains("[31m.txt (file, 123456 bytes)\n"),
        "{}",
        show(&file)
    );
    let object = |id: &str| {
        sandbox
            .wxpush(&format!("--json outbox show {id}"))
            .exits(0)
            .json()
    };
    let shown = object(&picture);
    assert_eq!(shown["parts"], 2);
    assert_eq!(shown["requests"][0]["file"], Value::Null);
    let (name, size) = ("plot.png", png.len());
    assert_eq!(
        shown["requests"][1]["file"],
        json!({"name": name, "type": "image", "bytes": size})
    );
    assert_eq!(shown["requests"][1]["body"]["image"]["media_id"], "");
    let of_robot = object(&robots);
    assert_eq!(of_robot["requests"][0]["file"]["type"], "file");
    assert_eq!(of_robot["robot"], "ops");
    standin.mend();
    flush(&sandbox).is_silent();
    // One to her, one in the chat.
    assert_eq!(files(&standin, "lisi").len(), 2);
    assert_eq!(standin.company().group(ROBOT_KEY)[0].media[0].bytes, png);
}

#[test]
fn what_was_uploaded_is_remembered_beside_the_entry_until_it_is_too_old() {
    for (age, uploads) in [(71 * 3600 - 60, 1), (71 * 3600, 2)] {
        let (standin, sandbox) = set_up();
        sandbox.write("a.txt", "some bytes");
        standin.script(SEND, [refusal(45009)]);
        here(&sandbox, "send --to lisi --file a.txt").exits(75);
        assert_eq!(standin.count(UPLOAD), 1);
        // The record of all is lost: the entry has its own.
        fs::remove_file(sandbox.path("uploads")).unwrap();
        edit_attempts(&sandbox, &waiting(&sandbox)[0], |attempts| {
            attempts["hold"] = serde_json::Value::Null;
            let media = &mut attempts["media"];
            assert!(media["media_id"].is_string());
            media["uploaded_at"] = (media["uploaded_at"].as_u64().unwrap() - age).into();
        });
        flush(&sandbox).is_silent();
        assert_eq!(standin.count(UPLOAD), uploads, "{age}");
        assert_eq!(standin.count(SEND), 2, "{age}");
        holds_files(&standin, "lisi", &[("a.txt", b"some bytes")]);
    }
}

#[test]
fn what_wecom_has_forgotten_since_is_uploaded_anew_by_a_flush() {
    let (standin, sandbox) = set_up();
    sandbox.write("a.txt", "some bytes");
    let id = {
        standin.script(SEND, [refusal(60020)]);
        here(&sandbox, "send --to lisi --file a.txt").exits(77);
        waiting(&sandbox).remove(0)
    };
    fs::remove_file(sandbox.path("a.txt")).unwrap();
    let first = standin.company().media.uploads[0].media_id.clone();
    standin.company().media.forget(&first);
    age(&sandbox, &id, 5);
    flush(&sandbox).is_silent();
    assert_eq!((standin.count(UPLOAD), standin.count(SEND)), (2, 3));
    holds_files(&standin, "lisi", &[("a.txt", b"some bytes")]);
    // And where it will not know it at all, nothing is stuck for ever.
    sandbox.write("b.txt", "other bytes");
    standin.always(SEND, refusal(60020));
    here(&sandbox, "send --to lisi --file b.txt").exits(77);
    standin.always(SEND, refusal(40007));
    flush(&sandbox);
    assert_eq!(standin.count(UPLOAD), 4);
    assert!(waiting(&sandbox).is_empty());
    assert_eq!(failed(&sandbox).len(), 1);
    let retry = sandbox.wxpush("outbox retry --all").run();
    retry.exits(0);
    standin.mend();
    flush(&sandbox).exits(0);
    assert_eq!(files(&standin, "lisi").pop().unwrap().bytes, "other bytes");
}

#[test]
fn several_envelopes_share_one_upload() {
    let (standin, sandbox) = set_up();
    sandbox.write("a.txt", "some bytes");
    // The entry has its own record, for when there is no other.
    fs::create_dir(sandbox.path("uploads")).unwrap();
    let names = hire(&standin, 1200);
    let send = here(&sandbox, "send --file a.txt caption --to").arg(names.join(","));
    send.is_silent();
    assert_eq!((standin.count(UPLOAD), standin.count(SEND)), (1, 4));
    let ids: Vec<Value> = bodies(&standin)
        .iter()
        .map(|body| body["file"]["media_id"].clone())
        .collect();
    assert_eq!((&ids[1], &ids[0]), (&ids[3], &ids[2]));
    for name in [&names[0], &names[1199]] {
        holds_files(&standin, name, &[("a.txt", b"some bytes")]);
    }
}

#[test]
fn without_an_outbox_a_file_is_sent_and_nothing_of_it_kept() {
    let (standin, sandbox) = set_up();
    sandbox.write("a.txt", all_bytes());
    here(&sandbox, "send --no-outbox --to lisi --file a.txt").is_silent();
    holds_files(&standin, "lisi", &[("a.txt", &all_bytes())]);
    standin.always(SEND, refusal(45009));
    let outcome = here(&sandbox, "send --no-outbox --to lisi --file a.txt").run();
    outcome.exits(75).says("is not kept");
    assert!(!sandbox.path("outbox").exists());
}

/// Where the outbox is on a disk with this room.
fn on_a_disk(sandbox: &Sandbox, base: &str, options: &str, args: &str) -> Run {
    let script = format!(
        "cd \"$1\" && mount -t tmpfs -o {options},mode=700 tmpfs state && \"$0\" send {args} && ls -A state/outbox"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    command.arg(sandbox.path("wxpush")).arg(sandbox.path(""));
    Run::new(command)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("WXPUSH_STATE_DIR", sandbox.path("state"))
        .env("WXPUSH_API_BASE", base)
}

#[test]
#[ignore = "needs root: mounts in a namespace of their own"]
fn a_file_that_the_disk_has_no_room_for_goes_directly_and_that_is_said() {
    let (standin, sandbox) = set_up();
    fs::create_dir(sandbox.path("state")).unwrap();
    set_mode(&sandbox.path("state"), 0o700);
    sandbox.write("a.bin", all_bytes());
    let args = "--timeout 2s --to lisi --file a.bin caption";
    let sent = on_a_disk(&sandbox, &standin.base(), "size=256k", args).exits(0);
    // Of the file nothing is left behind: the room is needed.
    assert_eq!(sent.stdout, "failed\n");
    let sent = sent.says("the outbox cannot be used, the message was sent without it: ");
    sent.says("No space left on device");
    holds_files(&standin, "lisi", &[("a.bin", &all_bytes())]);
    assert_eq!(texts(&standin, "lisi")[0], "caption");
    let lost = on_a_disk(&sandbox, &Standin::refuse(), "size=256k", args).run();
    lost.exits(73).says("LOST").says("No space left on device");
}

#[test]
fn files_that_are_named_more_than_once_or_by_a_glob_arrive_in_order() {
    let (standin, sandbox) = set_up();
    for name in ["a.log", "b.log", "c.log"] {
        sandbox.write(name, format!("bytes of {name}"));
    }
    let sent = here(
        &sandbox,
        "send --json --to lisi --file a.log --file b.log these",
    )
    .exits(0);
    assert_eq!(sent.json()["msgids"].as_array().unwrap().len(), 3);
    assert_eq!(texts(&standin, "lisi")[0], "these");
    here(&sandbox, "send --to lisi --file a.log b.log c.log").exits(0);
    // A word that is no file, or follows two dashes, is a text.
    here(&sandbox, "send --to lisi --file a.log b.log nowhere.log").exits(0);
    here(&sandbox, "send --to lisi --file c.log -- b.log").exits(0);
    let names = [
        "a.log", "b.log", "a.log", "b.log", "c.log", "a.log", "c.log",
    ];
    let files = names.map(|name| (name, format!("bytes of {name}")));
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (*name, bytes.as_bytes()))
        .collect();
    holds_files(&standin, "lisi", &files);
    let texts = texts(&standin, "lisi").join("|");
    assert!(
        texts.contains("|b.log nowhere.log|") && texts.contains("|b.log|"),
        "{texts}"
    );
    here(&sandbox, "send --to lisi --file a.log b.log --name x.log").exits(64);
    here(&sandbox, "send --to lisi --file - --file -").exits(64);
}

#[test]
#[ignore = "needs root: a pipe of another user"]
fn root_waits_for_nothing_that_another_user_could_have_put_in_place_of_a_file() {
    let (standin, sandbox) = set_up();
    let line = "mkdir \"$1/theirs\" && mkfifo \"$1/theirs/pipe\" \"$1/own\" && ln -s /dev/ptmx \"$1/theirs/link\" \
        && chown -hR 65534 \"$1/theirs\"";
    script(&sandbox, &[], line).is_silent();
    let memory = std::path::PathBuf::from(format!("/dev/shm/wxpush-{}", std::process::id()));
    fs::create_dir(&memory).unwrap();
    let line = "mkfifo \"$M/pipe\" && chown -R 65534 \"$M\"";
    let run = script(&sandbox, &[], line).env("M", &memory);
    run.is_silent();
    let theirs = ["pipe", "link"].map(|name| sandbox.path("theirs").join(name));
    let commands = [
        "send --file ",
        "upload ",
        "api POST x -d @",
        "send --raw ",
        "batch ",
    ];
    for path in theirs.into_iter().chain([memory.join("pipe")]) {
        for command in commands {
            let line = format!("exec \"$0\" {command}\"$F\"");
            let run = script(&sandbox, &[], &line).env("F", &path);
            run.exits(66).says("another user");
        }
    }
    fs::remove_dir_all(&memory).unwrap();
    // One's own is waited for.
    let line = "(sleep 0.3; echo read from it) >\"$1/own\" & exec \"$0\" send --file \"$1/own\"";
    script(&sandbox, &[], line).is_silent();
    let media = standin.company().media.uploads.clone();
    assert_eq!(&*media[0].bytes, b"read from it\n");
}
