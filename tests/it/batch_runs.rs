//! `wxpush batch`: how far it reads ahead, signals, readers that go away, kills, memory, syncs.

#![expect(
    clippy::print_stdout,
    reason = "the figures and the seed, shown with --nocapture"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write};
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
    MEMBERS, Run, SEND, Sandbox, await_count, for_each, keyed, measured, numbered, peak,
    redirected, set_up, statuses, texts, waiting, whole_lines,
};

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
            // The first one before it has begun, later ones amid it.
            thread::sleep(Duration::from_millis(dice.roll(10 + 15 * kills as u64)));
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
        assert!(kills > 0, "nothing was killed");
        println!("{args:?}: {kills} kills, {messages} messages, lost 0, twice 0");
    });
}

#[test]
fn of_lines_without_an_answer_a_kill_leaves_nothing_to_send() {
    let (standin, sandbox) = set_up();
    standin.judge(|request| {
        (request.endpoint() == SEND).then_some(Fault::Delay(Duration::from_millis(300)))
    });
    let input = numbered(20, &MEMBERS);
    let mut started = sandbox.wxpush("batch").stdin(input).start();
    // The first goes alone, then several at once.
    await_count(&standin, SEND, 3);
    started.child.kill().unwrap();
    let outcome = started.wait();
    assert!(whole_lines(&outcome.stdout).len() < 20, "{outcome:?}");
    assert!(waiting(&sandbox).is_empty());
    standin.mend();
    sandbox.wxpush("outbox flush --wait").exits(0);
    // Who feeds it has them still: sent by a flush as well, they would come twice.
    assert!(standin.count(SEND) < 20);
}

#[test]
fn what_may_have_arrived_is_never_in_the_outbox_without_that_doubt() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    let lost = AtomicUsize::new(0);
    standin.judge(move |request| {
        let is_lost = String::from_utf8_lossy(&request.body).contains("lost");
        let is_lost = request.endpoint() == SEND && is_lost;
        // The answers to the first three are lost at once; what is tried again gets none.
        is_lost.then(|| match lost.fetch_add(1, Ordering::SeqCst) {
            0..3 => Fault::CutAfter,
            _ => Fault::Hang,
        })
    });
    let texts_of = |member: &&str| texts(&standin, member);
    let line = |to: &str, text: &str| format!("{}\n", json!({"to": to, "text": text}));
    let mut input = line(MEMBERS[0], "first");
    input.extend(
        MEMBERS[..3]
            .iter()
            .map(|to| line(to, &format!("lost {to}"))),
    );
    let mut started = sandbox.wxpush("batch").stdin(input).start();
    while waiting(&sandbox).len() < 3 {
        assert!(started.child.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(1));
    }
    started.child.kill().unwrap();
    let _ = started.wait();
    for id in waiting(&sandbox) {
        let record = sandbox.read(&format!("outbox/{id}.try"));
        assert!(record.contains("\"doubt\":{"), "{id}: {record}");
    }
    standin.mend();
    sandbox.wxpush("outbox flush --wait").exits(0);
    let all: Vec<String> = MEMBERS[..3].iter().flat_map(texts_of).collect();
    let lost = all.iter().filter(|text| text.contains("lost"));
    assert_eq!(lost.count(), 3, "{all:?}");
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
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut text).unwrap();
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

/// How many syncs a run makes, on a disk that takes 20 ms for each: so lines wait for each other
/// however slow the machine is.
fn syncs(sandbox: &Sandbox, args: &[&str], status: &str, input: &Path) -> usize {
    let trace = sandbox.path("trace");
    let mut command = Command::new("strace");
    let syncs = "fsync,fdatasync,syncfs";
    command.args(["-f", "-qq", "--seccomp-bpf"]);
    command.args(["-e", &format!("trace={syncs}")]);
    command.args(["-e", &format!("inject={syncs}:delay_enter=20000"), "-o"]);
    command.arg(&trace).arg(sandbox.path("wxpush"));
    let run = Run::new(command).env("PATH", "/usr/bin:/bin");
    let outcome = run.args(args).arg(input).run().exits(0);
    assert!(statuses(&outcome).iter().all(|it| it == status));
    let text = std::fs::read_to_string(trace).unwrap();
    text.lines()
        .filter(|line| line.contains("sync(") || line.contains("syncfs("))
        .count()
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn many_lines_are_synced_together() {
    let (_standin, sandbox) = set_up();
    sandbox.write("plain", numbered(1000, &MEMBERS));
    sandbox.write("keyed", keyed(1000, &MEMBERS));
    for (name, most) in [("plain", 200), ("keyed", 300)] {
        let args = ["batch", "--accept-only"];
        let syncs = syncs(&sandbox, &args, "queued", &sandbox.path(name));
        println!("{name}: {syncs} syncs for 1000 lines");
        assert!(syncs <= most, "{name}: {syncs}");
    }
    sandbox.write("sent", numbered(200, &MEMBERS));
    let syncs = syncs(&sandbox, &["batch"], "sent", &sandbox.path("sent"));
    println!("{syncs} syncs for 200 lines that are sent");
    // The first one alone is kept before it is tried.
    assert!(syncs <= 8, "{syncs}");
}
