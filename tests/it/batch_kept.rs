//! `wxpush batch`: what is kept, keys, kills, signals, and how far it reads ahead.

#![expect(
    clippy::print_stdout,
    reason = "the figures and the seed, shown with --nocapture"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::standin::Fault;
use crate::support::dice::{Dice, count};
use crate::support::{
    GETTOKEN, MEMBERS, Run, SEND, Sandbox, answers, await_count, batch, flush, for_each,
    json_lines, keyed, measured, numbered, peak, redirected, refusal, set_up, statuses, texts,
    waiting, whole_lines,
};

/// The default of `--window`.
const WINDOW: usize = 100;

#[test]
fn accept_only_keeps_in_order_what_a_flush_then_delivers() {
    let (standin, sandbox) = set_up();
    sandbox.configure("outbox.merge = false");
    let outcome = batch(&sandbox, "--accept-only", numbered(250, &MEMBERS)).exits(0);
    assert_eq!(statuses(&outcome), vec!["queued"; 250]);
    assert_eq!(standin.requests().len(), 0);
    let ids: Vec<String> = answers(&outcome)
        .iter()
        .map(|answer| answer["outbox_id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.is_sorted(), "names sort in the order of the lines");
    assert_eq!(waiting(&sandbox), ids);
    flush(&sandbox).is_silent();
    for (at, member) in MEMBERS.iter().enumerate() {
        let numbers = (at..250).step_by(MEMBERS.len());
        let numbers: Vec<String> = numbers.map(|it| format!("number {it:03}")).collect();
        assert_eq!(texts(&standin, member), numbers, "{member}");
    }
    // One line among others may ask for the same.
    let input = [
        json!({"to": "lisi", "text": "now"}),
        json!({"to": "wangwu", "text": "later", "queue": true}),
    ];
    let outcome = batch(&sandbox, "", json_lines(input)).exits(0);
    assert_eq!(statuses(&outcome), ["sent", "queued"]);
}

#[test]
fn what_cannot_be_sent_is_kept_and_nothing_overtakes_it() {
    let faults = [
        refusal(60020),
        refusal(45009),
        Fault::html(502),
        Fault::CutBefore,
    ];
    for_each(faults, |fault| {
        let (standin, sandbox) = set_up();
        sandbox.configure("outbox.merge = false");
        let given = fault.clone();
        standin.judge(move |request| (request.endpoint() == SEND).then(|| given.clone()));
        let input = numbered(60, &MEMBERS[..4]);
        let outcome = batch(&sandbox, "--timeout 1s", input.clone()).exits(0);
        assert_eq!(statuses(&outcome), vec!["queued"; 60], "{fault:?}");
        assert!(
            answers(&outcome)
                .iter()
                .all(|answer| answer["exit_code"] == 0)
        );
        assert!(
            answers(&outcome)[0]["error"].is_string(),
            "{}",
            outcome.stdout
        );
        assert_eq!(waiting(&sandbox).len(), 60);
        assert!(
            standin.count(SEND) < 20,
            "{fault:?}: {}",
            standin.count(SEND)
        );
        standin.mend();
        sandbox.wxpush("outbox flush --wait").exits(0);
        for (at, member) in MEMBERS[..4].iter().enumerate() {
            let numbers: Vec<String> = (at..60)
                .step_by(4)
                .map(|it| format!("number {it:03}"))
                .collect();
            assert_eq!(texts(&standin, member), numbers, "{member} {fault:?}");
        }
        // With nowhere to keep them, they are refused.
        standin.always(SEND, fault.clone());
        let outcome = batch(&sandbox, "--timeout 1s --no-outbox", numbered(20, &MEMBERS));
        assert_eq!(statuses(&outcome), vec!["refused"; 20], "{fault:?}");
        assert!(matches!(outcome.code, Some(75 | 77)), "{outcome:?}");
    });
}

#[test]
fn past_the_rate_limit_lines_are_kept_and_others_are_not_held_up() {
    let (standin, sandbox) = set_up();
    let input = json_lines((0..100).map(|number| {
        let to = if number % 2 == 0 {
            "lisi"
        } else {
            MEMBERS[3 + number % 10]
        };
        json!({"to": to, "text": format!("{number:03}")})
    }));
    let outcome = batch(&sandbox, "", input).exits(0);
    let answers = answers(&outcome);
    let queued = answers.iter().filter(|answer| answer["status"] == "queued");
    assert_eq!(queued.count(), 20, "of fifty to lisi thirty go out");
    assert!(outcome.time < Duration::from_secs(25), "{outcome:?}");
    let read = texts(&standin, "lisi");
    assert_eq!(read.len(), 30);
    assert!(read.is_sorted(), "{read:?}");
}

#[test]
fn a_key_is_sent_once_within_a_batch_and_across_batches() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    let line = |text: &str| json!({"to": "lisi", "once": "the key", "text": text});
    let input = json_lines([line("x"), line("x"), line("y")]);
    let outcome = batch(&sandbox, "", input.clone()).exits(0);
    assert_eq!(statuses(&outcome), ["sent", "duplicate", "duplicate"]);
    let outcome = batch(&sandbox, "", input.clone()).exits(0);
    assert_eq!(statuses(&outcome), ["duplicate"; 3]);
    let outcome = batch(&sandbox, "--accept-only", input).exits(0);
    assert_eq!(statuses(&outcome), ["duplicate"; 3]);
    sandbox
        .wxpush("send --once")
        .args(&["the key", "--to", "lisi", "z"])
        .is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x"]);
    let kept = batch(&sandbox, "--accept-only", keyed(40, &MEMBERS)).exits(0);
    assert_eq!(statuses(&kept), vec!["queued"; 40]);
    // What is only kept is sent when it is asked for again, and not twice.
    let sent = batch(&sandbox, "", keyed(40, &MEMBERS)).exits(0);
    assert_eq!(statuses(&sent), vec!["sent"; 40]);
    assert!(waiting(&sandbox).is_empty());
    assert_eq!(standin.count(SEND), 41);
}

#[test]
fn quiet_hours_hold_lines_that_are_not_urgent() {
    let (standin, sandbox) = set_up();
    sandbox.configure("quiet = \"00:00-23:59\"");
    let line = |text: &str, urgent: bool| json!({"to": "lisi", "text": text, "urgent": urgent});
    let input = json_lines([line("quiet", false), line("urgent", true)]);
    let outcome = batch(&sandbox, "", input).exits(0);
    let minute = chrono::Local::now().format("%H:%M").to_string();
    if minute != "23:59" {
        assert_eq!(statuses(&outcome)[0], "queued");
        assert!(answers(&outcome)[0]["until"].is_string());
        assert_eq!(texts(&standin, "lisi").last().unwrap(), "urgent");
    }
}

/// A batch whose input stays open.
fn open(sandbox: &Sandbox, args: &str) -> std::process::Child {
    let mut command = sandbox.wxpush(&format!("batch {args}")).command();
    command.stdin(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn it_reads_on_only_while_fewer_lines_than_the_window_have_no_answer() {
    let (standin, sandbox) = set_up();
    standin.judge(|request| (request.endpoint() == SEND).then_some(Fault::Hang));
    let mut child = open(&sandbox, "--window 5");
    let mut stdin = child.stdin.take().unwrap();
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    // Each line is as long as a pipe is large.
    let text = "x".repeat(64 << 10);
    let writes = thread::spawn(move || {
        for number in 0..100 {
            let line = json!({"to": MEMBERS[number % 10], "text": "x", "title": "", "long": "truncate", "name": Value::Null, "id": text});
            if stdin.write_all(format!("{line}\n").as_bytes()).is_err() {
                return;
            }
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    await_count(&standin, SEND, 1);
    thread::sleep(Duration::from_millis(500));
    // What is on its way, in the pipe and in memory, is a few lines more.
    let read = written.load(Ordering::SeqCst);
    assert!((5..25).contains(&read), "{read}");
    standin.mend();
    child.kill().unwrap();
    child.wait().unwrap();
    writes.join().unwrap();
}

#[test]
fn an_answer_comes_while_the_input_is_still_open() {
    let (_standin, sandbox) = set_up();
    let mut child = open(&sandbox, "");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(
            stdin,
            "{}",
            json!({"id": number, "to": "lisi", "text": "x"})
        )
        .unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&answer["id"], &answer["status"]),
            (&json!(number), &json!("sent"))
        );
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_signal_ends_the_reading_and_each_line_that_was_read_is_answered() {
    for_each([Signal::TERM, Signal::INT], |signal| {
        let (standin, sandbox) = set_up();
        standin.judge(|request| {
            (request.endpoint() == SEND).then_some(Fault::Delay(Duration::from_millis(300)))
        });
        let mut child = open(&sandbox, "");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(numbered(6, &MEMBERS).as_bytes()).unwrap();
        await_count(&standin, SEND, 2);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> = stdout.lines().map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success(), "{signal:?}");
        drop(stdin);
        let answers = whole_lines(&(lines.join("\n") + "\n"));
        assert!(
            answers.iter().all(|answer| answer["status"] == "sent"),
            "{lines:?}"
        );
        assert_eq!(answers.len(), standin.count(SEND), "{signal:?}");
        assert!(waiting(&sandbox).is_empty());
    });
}

#[test]
fn when_nobody_reads_the_answers_it_reads_no_further_and_loses_nothing() {
    let (standin, sandbox) = set_up();
    sandbox.write("messages", numbered(300, &MEMBERS));
    let path = sandbox.path("messages").display().to_string();
    let args = format!("batch --window 10 {path}");
    let outcome = redirected(&sandbox, &args, "| head -n 3").run();
    assert_eq!(outcome.code, Some(74), "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 3);
    let sent: usize = MEMBERS
        .iter()
        .map(|member| texts(&standin, member).len())
        .sum();
    assert!((3..=200).contains(&sent), "{sent}");
    assert_eq!((sent, waiting(&sandbox).len()), (standin.count(SEND), 0));
    let full = redirected(&sandbox, &format!("batch {path}"), "> /dev/full").run();
    assert_eq!(full.code, Some(74), "{full:?}");
}

/// Runs batches of keyed messages that are killed again and again, feeding each time what has no
/// answer; returns how many kills it took.
fn killed_until_answered(sandbox: &Sandbox, args: &str, messages: usize, dice: &Dice) -> usize {
    let input = keyed(messages, &MEMBERS);
    let mut left: Vec<&str> = input.lines().collect();
    for kills in 0.. {
        let started = sandbox.wxpush(&format!("batch {args}"));
        let mut started = started.stdin(left.join("\n") + "\n").start();
        let is_last = kills >= 8;
        if !is_last {
            thread::sleep(Duration::from_millis(dice.roll(250)));
            let _ = started.child.kill();
        }
        let outcome = started.wait();
        let done: Vec<Value> = whole_lines(&outcome.stdout)
            .into_iter()
            .map(|answer| {
                assert_eq!(answer["exit_code"], 0, "{answer}");
                answer["id"].clone()
            })
            .collect();
        left.retain(|line| {
            let id = &serde_json::from_str::<Value>(line).unwrap()["id"];
            !done.contains(id)
        });
        if is_last || left.is_empty() {
            assert_eq!(left, [""; 0], "{}", outcome.stderr);
            return kills;
        }
    }
    unreachable!("it ends")
}

#[test]
fn killed_at_any_time_and_asked_again_each_key_arrives_once() {
    let messages = count("WXPUSH_ONCE", 60);
    for_each(["", "--accept-only"], |args| {
        let dice = Dice::new("batch");
        let (standin, sandbox) = set_up();
        standin.company().phones.match_unflagged = true;
        sandbox.configure("outbox.merge = false");
        let kills = killed_until_answered(&sandbox, args, messages, &dice);
        sandbox.wxpush("outbox flush --wait").exits(0);
        let mut read: Vec<String> = MEMBERS.iter().flat_map(|it| texts(&standin, it)).collect();
        read.sort();
        let expected: Vec<String> = (0..messages).map(|it| format!("number {it:03}")).collect();
        assert_eq!(read, expected, "lost or twice after {kills} kills");
        println!("{args:?}: {kills} kills, {messages} messages, lost 0, twice 0");
    });
}

#[test]
fn what_was_answered_as_kept_is_in_the_outbox_after_a_kill() {
    let (_standin, sandbox) = set_up();
    let mut child = open(&sandbox, "--accept-only");
    let mut stdin = child.stdin.take().unwrap();
    let feed = thread::spawn(move || {
        for _ in 0..200 {
            if stdin.write_all(numbered(100, &MEMBERS).as_bytes()).is_err() {
                return;
            }
        }
    });
    thread::sleep(Duration::from_millis(400));
    child.kill().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
    child.wait().unwrap();
    feed.join().unwrap();
    let answered = whole_lines(&text);
    assert!(!answered.is_empty());
    let kept = waiting(&sandbox);
    for answer in &answered {
        let id = answer["outbox_id"].as_str().unwrap().to_owned();
        assert!(kept.binary_search(&id).is_ok(), "{answer}");
    }
}

#[test]
fn memory_is_the_same_for_a_few_lines_and_for_many() {
    let (_standin, sandbox) = set_up();
    let [few, many] = [1_000, 40_000].map(|count| {
        let path = sandbox.path("many");
        let mut file = File::create(&path).unwrap();
        for number in 0..count {
            // Most of them cost nothing but an answer.
            let field = if number % 100 == 0 { "text" } else { "texd" };
            writeln!(file, "{{\"to\":\"lisi\",\"{field}\":\"number {number}\"}}").unwrap();
        }
        drop(file);
        peak(sandbox.wxpush("batch --accept-only").arg(&path).start(), 65)
    });
    println!("{few} KiB, {many} KiB");
    assert!(many < few + 2048, "{few} KiB, {many} KiB");
    // A line without an end is not kept in memory.
    let endless = "head -c 300M /dev/zero | tr '\\0' x";
    let line = format!("{endless} | exec \"$0\" batch");
    let mut shell = Command::new("bash");
    shell.args(["-c", &line]).arg(sandbox.path("wxpush"));
    let (memory, outcome) = measured(Run::new(shell).env("PATH", "/usr/bin:/bin").start(), 65);
    assert_eq!(statuses(&outcome), ["invalid"]);
    println!("a line of 300 MB: {memory} KiB");
}

/// How many syncs a run makes.
fn syncs(sandbox: &Sandbox, input: &Path) -> usize {
    let trace = sandbox.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync,syncfs,sync", "-o"]);
    command.arg(&trace).arg(sandbox.path("wxpush"));
    let run = Run::new(command).env("PATH", "/usr/bin:/bin");
    let outcome = run
        .args(&["batch", "--accept-only"])
        .arg(input)
        .run()
        .exits(0);
    assert!(statuses(&outcome).iter().all(|status| status == "queued"));
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines().filter(|line| line.contains("sync")).count()
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn many_lines_are_synced_together() {
    let (_standin, sandbox) = set_up();
    sandbox.write("plain", numbered(1000, &MEMBERS));
    sandbox.write("keyed", keyed(1000, &MEMBERS));
    for (name, most) in [("plain", 200), ("keyed", 300)] {
        let syncs = syncs(&sandbox, &sandbox.path(name));
        println!("{name}: {syncs} syncs for 1000 lines");
        assert!(syncs <= most, "{name}: {syncs}");
    }
}

#[test]
fn a_batch_asks_for_one_token_whatever_it_keeps() {
    let (standin, sandbox) = set_up();
    let outcome = batch(&sandbox, "", numbered(3 * WINDOW, &MEMBERS)).exits(0);
    assert_eq!(statuses(&outcome).len(), 3 * WINDOW);
    assert_eq!(standin.count(GETTOKEN), 1);
    assert!(standin.connections() <= 3);
}
