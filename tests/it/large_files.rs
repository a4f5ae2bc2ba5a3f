//! Files and texts as large as WeCom takes, and larger: memory, room in the outbox, what is cut; and
//! files that change under our hands.

#![expect(clippy::print_stdout, reason = "figures, shown with --nocapture")]

use std::fs;
use std::fs::File;
use std::time::Duration;

use crate::standin::{CHATID, Fault, Landed, ROBOT_KEY, Standin};
use crate::support::{
    GETTOKEN, Sandbox, Started, UPLOAD, Words, await_count, files, here, holds_files, measured,
    set_up, waiting, with_robot,
};

/// WeCom's largest file, in bytes.
const FILE_MAX: usize = 20 << 20;

/// The most memory that a run may take beyond that of a short text, in KiB: for a file that is there,
/// and for what is on stdin, which is held once.
const BESIDE: u64 = 1 << 10;
const BESIDE_STDIN: u64 = 28 << 10;

/// Bytes that nothing else has, so many.
fn bytes(count: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(count).collect()
}

#[test]
fn the_largest_file_takes_little_memory_to_send_to_keep_and_to_flush() {
    let (standin, sandbox) = set_up();
    let _memory = sandbox.state_in_memory();
    sandbox.write("a.bin", bytes(FILE_MAX));
    let (alone, _) = measured(sandbox.wxpush("send --to wangwu words").start(), 0);
    let (sent, outcome) = measured(here(&sandbox, "send --to lisi --file a.bin").start(), 0);
    outcome.is_silent();
    let (again, _) = measured(here(&sandbox, "send --to lisi --file a.bin").start(), 0);
    let (upload, _) = measured(here(&sandbox, "upload --name b.bin a.bin").start(), 0);
    let send = here(
        &sandbox,
        "send --no-outbox --to lisi --name c.bin --file a.bin",
    )
    .start();
    let (directly, _) = measured(send, 0);
    let stdin = here(&sandbox, "send --to lisi --name d.bin --file -").stdin(bytes(FILE_MAX));
    let (from_stdin, _) = measured(stdin.start(), 0);
    standin.always(GETTOKEN, Fault::html(503));
    sandbox.wxpush("token clear").exits(0);
    here(
        &sandbox,
        "send --to wangwu --timeout 2s --name e.bin --file a.bin",
    )
    .exits(75);
    let listed = sandbox.wxpush("outbox list --json").exits(0);
    assert_eq!(listed.stdout.lines().count(), 1);
    standin.mend();
    let (flushed, _) = measured(sandbox.wxpush("outbox flush").start(), 0);
    let peaks = [sent, again, upload, directly, flushed];
    println!(
        "peak KiB: a text {alone}; 20 MiB sent, again, uploaded, directly, flushed {peaks:?}, from stdin {from_stdin}"
    );
    assert!(peaks.iter().all(|peak| *peak < alone + BESIDE), "{peaks:?}");
    assert!(from_stdin < alone + BESIDE_STDIN, "{from_stdin}");
    let files = files(&standin, "lisi");
    assert_eq!((files.len(), standin.count(UPLOAD)), (4, 5));
    assert!(files.iter().all(|file| file.bytes == bytes(FILE_MAX)));
    holds_files(&standin, "wangwu", &[("e.bin", &bytes(FILE_MAX))]);
    sandbox.write("a.bin", bytes(FILE_MAX + 1));
    let outcome = here(&sandbox, "send --file a.bin").exits(65);
    outcome.says("20 MB");
    let stdin = here(&sandbox, "send --name d.bin --file -").stdin(bytes(100 << 20));
    stdin.exits(65).says("20 MB");
}

#[test]
fn of_a_hundred_megabytes_the_first_part_and_the_first_twenty_as_a_file_go_out() {
    let standin = Standin::start();
    // Characters of three bytes: the limit is within one.
    let line = "一二三四五六七八九十\n".repeat(1 << 10);
    let text = line.repeat((100 << 20) / line.len() + 1);
    for long in ["--long file", "", "--long auto -t 标题"] {
        let sandbox = Sandbox::of(&standin);
        let _memory = sandbox.state_in_memory();
        let (alone, _) = measured(sandbox.wxpush("send --to wangwu words").start(), 0);
        let before = standin.company().phone("lisi").len();
        let send = sandbox
            .wxpush(&format!("send --to lisi {long}"))
            .stdin(&*text);
        let (peak, outcome) = measured(send.start(), 0);
        outcome.says("warning: ").says("longer than 20 MiB");
        println!("peak KiB: a text {alone}; 100 MB on stdin, {long:?}: {peak}");
        assert!(peak < alone + BESIDE_STDIN, "{long}: {peak}");
        let phone = standin.company().phone("lisi").split_off(before);
        let [first, second] = &*phone else {
            panic!("{} messages", phone.len())
        };
        let title = if long.contains("-t") { "标题\n" } else { "" };
        first.text.begins(&format!("{title}一二三四五六七八九十\n"));
        assert!(first.text.contains("已截断") && first.text.len() <= 2048);
        let file = &second.media[0];
        let name = if title.is_empty() {
            "message.txt"
        } else {
            "标题.txt"
        };
        assert_eq!(file.filename, name);
        let written = std::str::from_utf8(&file.bytes).expect("whole characters");
        assert!(written.len() > FILE_MAX - 3 && written.len() <= FILE_MAX);
        let whole = [title, &text].concat();
        let same = whole
            .bytes()
            .zip(written.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        assert_eq!(
            same,
            written.len(),
            "it is its beginning, up to {:?}",
            &written[written.len() - 30..]
        );
    }
}

/// The last two messages of a conversation.
fn last(landed: &[Landed]) -> (String, String, Vec<u8>) {
    let [first, second] = &landed[landed.len() - 2..] else {
        panic!("two messages")
    };
    let file = &second.media[0];
    (
        first.text.clone(),
        file.filename.clone(),
        file.bytes.to_vec(),
    )
}

#[test]
fn a_long_text_is_a_file_by_every_road_and_whole_in_it() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let body = "行 line\n".repeat(3000);
    let body = body.trim_end();
    for (title, name) in [
        ("每日 报告", "每日 报告.txt"),
        ("a/b\\c \"d\": e", "a-b-c -d-- e.txt"),
        ("..", "...txt"),
        ("", "message.txt"),
    ] {
        for to in [&["--to", "lisi"], &["--chat", CHATID], &["--robot", "ops"]] {
            let send = sandbox.wxpush("send --long file").args(to);
            send.args(&["-t", title, "--", body]).is_silent();
            let company = standin.company();
            let (text, filename, bytes) = if to[0] == "--robot" {
                last(company.group(ROBOT_KEY))
            } else {
                last(&company.phone("lisi"))
            };
            assert_eq!(filename, name, "{to:?}");
            let head = if title.is_empty() {
                String::new()
            } else {
                format!("{title}\n")
            };
            assert!(bytes == format!("{head}{body}").into_bytes(), "{to:?}");
            assert!(text.starts_with(&head) && text.len() <= 2048);
            text.shows(&format!("全文 {} 字节，见附件", bytes.len()));
        }
    }
}

#[test]
fn an_outbox_with_a_gigabyte_takes_no_more_files_and_says_so() {
    let (standin, sandbox) = set_up();
    sandbox.send("so that there is an outbox").is_silent();
    sandbox.write("small", bytes(2000));
    sandbox.write("large", bytes(2001));
    let fill = sandbox.path("outbox/fill");
    let failed = fs::metadata(sandbox.path("outbox/failed")).unwrap().len();
    let room = |bytes: u64| {
        let file = File::create(&fill).unwrap();
        file.set_len((1 << 30) - bytes).unwrap();
    };
    let send = |base: &str, name: &str| {
        let send = format!("send --to lisi --timeout 1s --file {name}");
        here(&sandbox, &send).env("WXPUSH_API_BASE", base).run()
    };
    room(2000 + failed);
    let (up, down) = (standin.base(), Standin::refuse());
    let outcome = send(&up, "large").exits(0);
    let full = "is full: with this file there would be more than 1024 MiB";
    outcome
        .says("the outbox cannot be used, the message was sent without it: ")
        .says(full);
    holds_files(&standin, "lisi", &[("large", &bytes(2001))]);
    let lost = send(&down, "large").exits(73);
    lost.says("LOST").says(full);
    assert!(waiting(&sandbox).is_empty());
    // What fits is kept, and a text always is.
    send(&down, "small").exits(75).says("is kept in the outbox");
    let text = sandbox.wxpush("send --to lisi --timeout 1s words");
    text.env("WXPUSH_API_BASE", &down).exits(75);
    assert_eq!(waiting(&sandbox).len(), 2);
    // Nobody need look for secrets in it.
    fs::remove_file(fill).unwrap();
}

/// Sends a file that is kept nowhere.
const SEND: &str = "send --no-outbox --to lisi --file a.bin";

/// Leaves so many bytes of the file.
fn cut(sandbox: &Sandbox, left: u64) {
    let file = File::options().write(true).open(sandbox.path("a.bin"));
    file.unwrap().set_len(left).unwrap();
}

/// Begins to send a file, and changes it once it has been read and before it goes.
fn changed(sandbox: &Sandbox, standin: &Standin, args: &str, change: impl FnOnce()) -> Started {
    let asked = standin.count(GETTOKEN);
    // As long as this is held WeCom grants no token.
    let company = standin.company();
    let started = here(sandbox, args).start();
    await_count(standin, GETTOKEN, asked + 1);
    change();
    drop(company);
    started
}

#[test]
fn a_file_that_shrinks_on_its_way_is_an_error_in_words() {
    for left in [0, 100, 300_000] {
        let (standin, sandbox) = set_up();
        sandbox.write("a.bin", bytes(400_000));
        let started = changed(&sandbox, &standin, SEND, || cut(&sandbox, left));
        let outcome = started.wait().exits(75);
        let outcome = outcome
            .says("a.bin can no longer be read: ")
            .says("is not kept");
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        assert_eq!(standin.count(UPLOAD), 0, "{left}: it never was whole");
        // To wait does not make it whole.
        let log = sandbox.read("wxpush.log");
        assert!(!log.contains("trying again"), "{log}");
        assert!(files(&standin, "lisi").is_empty());
        // Of an upload by hand it is known that it was not done.
        sandbox.write("a.bin", bytes(400_000));
        sandbox.wxpush("token clear").exits(0);
        let started = changed(&sandbox, &standin, "upload a.bin", || cut(&sandbox, left));
        let outcome = started.wait().exits(75);
        outcome.says("the upload was not done: a.bin can no longer be read: ");
    }
}

#[test]
fn a_file_that_is_written_over_on_its_way_is_not_taken_for_what_it_was() {
    let (standin, sandbox) = set_up();
    sandbox.write("a.bin", "it was this");
    let started = changed(&sandbox, &standin, SEND, || {
        sandbox.write("a.bin", "now it is..");
    });
    started.wait().is_silent();
    sandbox.write("a.bin", "it was this");
    here(&sandbox, "send --to lisi --file a.bin").is_silent();
    let expected: [(&str, &[u8]); 2] = [("a.bin", b"now it is.."), ("a.bin", b"it was this")];
    holds_files(&standin, "lisi", &expected);
    // Nor is one that grows: as much goes as there was.
    sandbox.wxpush("token clear").exits(0);
    sandbox.write("a.bin", "eleven here");
    let started = changed(&sandbox, &standin, SEND, || {
        sandbox.write("a.bin", "eleven here and more");
    });
    started.wait().is_silent();
    assert_eq!(files(&standin, "lisi").pop().unwrap().bytes, "eleven here");
}

#[test]
fn a_file_that_was_accepted_goes_as_it_was_whatever_becomes_of_it_meanwhile() {
    for left in [0, 300_000] {
        let (standin, sandbox) = set_up();
        sandbox.write("a.bin", bytes(400_000));
        let send = "send --to lisi --file a.bin";
        let started = changed(&sandbox, &standin, send, || {
            // The token is asked for while the file is taken in.
            while waiting(&sandbox).is_empty() {
                std::thread::sleep(Duration::from_millis(2));
            }
            cut(&sandbox, left);
        });
        started.wait().is_silent();
        holds_files(&standin, "lisi", &[("a.bin", &bytes(400_000))]);
    }
}
