//! Few descriptors, little memory, input without end: an exit code of the table, no panic, and
//! nothing that was accepted is lost.

#![expect(
    clippy::print_stdout,
    reason = "the figures of memory, shown with --nocapture"
)]

use std::process::Command;

use crate::support::{
    Outcome, Run, Sandbox, flush, for_each, keep, peak, script, set_up, texts, waiting,
};

/// Descriptors that a run may have, from the fewest with which it starts at all to enough: root
/// looks at two directories at a time on its way to the config, and keeps a handle of each that it
/// has walked to.
const DESCRIPTORS: std::ops::Range<u32> = 7..19;

/// With how many descriptors everything must go.
const ENOUGH: u32 = 16;

/// Addresses that a run may have, in MiB: some 24 are taken by what is loaded of a debug build.
const MEMORY: [u32; 8] = [8, 12, 16, 18, 20, 24, 32, 64];

/// With how many of them everything must go.
const PLENTY: u32 = 32;

/// Most memory that an endless input takes beyond what any send does, in KiB: it is held once, as
/// much of it as makes WeCom's largest file, 20 MiB. The room beside it is for the program's own
/// pages, which count as soon as the kernel has them at hand; a second copy would not fit in it.
const HELD_MAX: u64 = 28 << 10;

/// The program with these words under a limit.
fn limited(sandbox: &Sandbox, limit: &str, words: &str) -> Run {
    script(
        sandbox,
        &["prlimit", limit],
        &format!("exec \"$0\" {words}"),
    )
}

/// Holds that a run has ended by an exit code of the table, in words.
#[track_caller]
fn is_clean(outcome: &Outcome, codes: &[i32], limit: &str) {
    let code = outcome.code.unwrap_or(-1);
    assert!(codes.contains(&code), "{limit}: {outcome:?}");
    let lines = outcome.stderr.lines();
    let known = |line: &str| line.starts_with("wxpush: ") || line.starts_with("  hint: ");
    assert!(lines.clone().all(known), "{limit}: {}", outcome.stderr);
    assert!(!outcome.stderr.contains("TLS"), "{limit}: a limit of ours");
}

#[test]
fn with_few_descriptors_it_says_truly_what_became_of_a_message() {
    for_each(DESCRIPTORS, |count| {
        let limit = format!("--nofile={count}");
        let (standin, sandbox) = set_up();
        // Who cannot connect tries until the time is up.
        let time = if count < ENOUGH { "2s" } else { "30s" };
        let words = format!("send --timeout {time} --to lisi x");
        let sent = limited(&sandbox, &limit, &words).run();
        is_clean(&sent, &[0, 73, 74, 75], &limit);
        assert!(sent.code == Some(0) || count < ENOUGH, "{limit}: {sent:?}");
        if sent.code != Some(0) {
            assert!(sent.stderr.contains("ulimit -n"), "{limit}: {sent:?}");
        }
        let arrived = usize::from(sent.code == Some(0));
        let kept = usize::from(sent.code == Some(75));
        assert_eq!(texts(&standin, "lisi").len(), arrived, "{limit}: {sent:?}");
        assert_eq!(waiting(&sandbox).len(), kept, "{limit}: {sent:?}");
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi").len(), arrived + kept, "{limit}");
    });
}

/// What waits, flushed under a limit, goes or stays, and without it arrives in order, once.
fn flushed_under(limit: &str, codes: &[Option<i32>]) -> bool {
    let (standin, sandbox) = set_up();
    for text in ["one", "two"] {
        keep(&standin, &sandbox, &format!("send --to lisi {text}"));
    }
    let flushed = limited(&sandbox, limit, "outbox flush").run();
    assert!(codes.contains(&flushed.code), "{limit}: {flushed:?}");
    let landed = texts(&standin, "lisi").len();
    assert_eq!(waiting(&sandbox).len() + landed, 2, "{limit}: {flushed:?}");
    // The last look may find no descriptor after all has gone.
    assert!(
        flushed.code != Some(0) || landed == 2,
        "{limit}: {flushed:?}"
    );
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["one", "two"], "{limit}");
    landed == 2
}

#[test]
fn with_few_descriptors_what_waits_goes_or_stays() {
    for_each(DESCRIPTORS, |count| {
        let codes = [0, 73, 74, 75].map(Some);
        let went = flushed_under(&format!("--nofile={count}"), &codes);
        assert!(went || count < ENOUGH, "{count}");
    });
}

#[test]
fn with_little_memory_it_does_its_work_or_does_not_begin() {
    for_each(MEMORY, |mib| {
        let limit = format!("--as={}", mib << 20);
        // The loader's code, or its end by a signal: the program had no say yet.
        let not_begun: &[_] = if mib < PLENTY {
            &[Some(127), None]
        } else {
            &[]
        };
        let codes = [&[Some(0)], not_begun].concat();
        let went = flushed_under(&limit, &codes);
        assert!(went || mib < PLENTY, "{mib}");
        let (standin, sandbox) = set_up();
        let sent = limited(&sandbox, &limit, "send --to lisi x").run();
        assert!(codes.contains(&sent.code), "{limit}: {sent:?}");
        let arrived = usize::from(sent.code == Some(0));
        assert_eq!(texts(&standin, "lisi").len(), arrived, "{limit}: {sent:?}");
    });
}

#[test]
fn an_input_that_memory_cannot_hold_is_an_error_in_words() {
    let text = "0123456789abcdefgh\n".repeat(1 << 20);
    for_each(
        [32, 34, 36, 40, 41, 42, 43, 44, 46, 48, 52, 56, 96],
        |mib| {
            let (standin, sandbox) = set_up();
            let limit = format!("--as={}", mib << 20);
            let run = limited(&sandbox, &limit, "send --to lisi").stdin(&*text);
            let sent = run.run();
            is_clean(&sent, &[0, 74], &limit);
            let landed = texts(&standin, "lisi").len();
            if sent.code == Some(0) {
                assert_eq!(landed, 2, "{limit}: the first part, and the file");
            } else {
                let sent = sent.says("cannot read the message from stdin: out of memory");
                assert_eq!(sent.stderr.lines().count(), 1, "{}", sent.stderr);
                assert_eq!((landed, waiting(&sandbox).len()), (0, 0), "{limit}");
            }
            assert!((landed == 0 || mib > 24) && (landed > 0 || mib < 96));
        },
    );
}

#[test]
fn an_endless_input_takes_no_more_memory_than_the_largest_file() {
    let (_standin, sandbox) = set_up();
    let alone = peak(sandbox.send("x").start(), 0);
    for (input, how, code) in [
        ("head -c 100M /dev/zero | tr '\\0' x", "truncate", 0),
        ("yes", "reject", 65),
        ("yes", "auto", 0),
        ("yes", "file", 0),
    ] {
        // The program keeps the number of the shell, so that its memory can be looked at.
        let line = format!("exec \"$0\" send --long {how} < <({input})");
        let mut command = Command::new("bash");
        command.args(["-c", &line]).arg(sandbox.path("wxpush"));
        let run = Run::new(command).env("PATH", "/usr/bin:/bin");
        let peak = peak(run.start(), code);
        println!("peak KiB: {input} to --long {how}: {peak}, alone {alone}");
        assert!(peak < alone + HELD_MAX, "{how}: {peak} beside {alone}");
        assert!(peak > alone + (16 << 10), "{how}: was it read? {peak}");
    }
}
