//! Numbers in state files that no clock and no counter ever made: nothing panics, nothing is lost.

use std::fs;
use std::time::Duration;

use crate::support::{Outcome, SEND, failed, for_each, keep, refusal, set_up, texts, waiting};

/// What stands where a number should.
const VALUES: [&str; 13] = [
    "0",
    "-1",
    "1",
    "253402300800000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e300",
    "-0.5",
    "\"1\"",
    "null",
    "[]",
];

/// Holds that a run has ended by an exit code of the table, in words, and not by a fault of ours.
#[track_caller]
fn is_no_fault(outcome: &Outcome, what: &str) {
    let code = outcome.code.unwrap_or(70);
    assert!([0, 65, 69, 75, 77].contains(&code), "{what}: {outcome:?}");
}

#[test]
fn whatever_stands_beside_entries_they_are_listed_shown_and_delivered() {
    for_each(VALUES, |value| {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [refusal(81013)]);
        sandbox.send("given up").exits(69);
        let (gone, kept) = (
            failed(&sandbox).remove(0),
            keep(&standin, &sandbox, "send kept"),
        );
        let why = format!(
            "{{\"at\":{value},\"exit_code\":{value},\"errcode\":{value},\"errmsg\":{value},\"error\":\"the reason\"}}"
        );
        sandbox.write(&format!("outbox/failed/{gone}.why"), why);
        let tries = |sent: &str| {
            format!(
                "{{\"sent\":{sent},\"tries\":{value},\"doubt\":{{\"since\":{value},\"marks\":\"\"}},\"media\":{{\"media_id\":\"m\",\"uploaded_at\":{value}}},\"not_before\":{value},\"error\":\"stays\"}}"
            )
        };
        for record in [
            tries(value),
            tries("0"),
            format!("{{\"not_before\":{value}}}"),
        ] {
            sandbox.write(&format!("outbox/{kept}.try"), &record);
            sandbox.write(&format!("outbox/failed/{gone}.try"), &record);
            for words in ["outbox list", "outbox list --json"] {
                let listed = sandbox.wxpush(words).exits(0);
                assert!(listed.stdout.contains("the reason"), "{value}: {listed:?}");
                assert!(listed.stdout.contains(&kept), "{value}: {listed:?}");
            }
            for id in [&gone, &kept] {
                sandbox.wxpush("outbox show").arg(id).exits(0);
                sandbox.wxpush("outbox show --json").arg(id).exits(0);
            }
            is_no_fault(&sandbox.wxpush("check").run(), value);
        }
        sandbox.wxpush("outbox retry --all").exits(0);
        is_no_fault(&sandbox.wxpush("outbox flush --timeout 5s").run(), value);
        assert!(waiting(&sandbox).is_empty(), "{value}");
        assert_eq!(texts(&standin, "lisi").len(), 2, "{value}");
    });
}

#[test]
fn whatever_the_files_of_runs_and_uploads_count_reports_and_files_go() {
    for_each(VALUES, |value| {
        let (_standin, sandbox) = set_up();
        let run = |command: &str| {
            let run = sandbox.wxpush("run --on change -t job --");
            run.arg(command).run()
        };
        run("false").exits(1);
        let line = sandbox.read("runs");
        let key = line.split(' ').nth(1).unwrap();
        for line in [
            format!("{value} {key} {value} {value} 1\n"),
            format!("1764000000 {key} {value} {value} 1\n"),
        ] {
            sandbox.write("runs", line);
            run("false").exits(1);
            run("true").exits(0);
        }
        sandbox.write("a.txt", "a file");
        let upload = || {
            sandbox
                .wxpush("send --file")
                .arg(sandbox.path("a.txt"))
                .run()
        };
        upload().exits(0);
        let line = sandbox.read("uploads");
        let rest = line.split_once(' ').unwrap().1;
        sandbox.write("uploads", format!("{value} {rest}"));
        upload().exits(0);
    });
}

#[test]
fn files_with_holes_are_larger_than_any_sum_and_no_fault() {
    let (standin, sandbox) = set_up();
    keep(&standin, &sandbox, "send kept");
    sandbox.write("a.txt", "a file");
    let id = waiting(&sandbox).remove(0);
    for number in 0..3 {
        let path = sandbox.path(&format!("outbox/{}{number}", &id[..id.len() - 1]));
        // As large as the file system has them.
        let file = fs::File::create(path).unwrap();
        let fits = (30..63)
            .rev()
            .find(|bits| file.set_len((1 << bits) - 4096).is_ok());
        assert!(fits.is_some());
    }
    let send = sandbox
        .wxpush("send --file")
        .arg(sandbox.path("a.txt"))
        .run();
    assert!(send.time < Duration::from_secs(30));
    send.exits(0).says("is full");
    fs::remove_dir_all(sandbox.path("outbox")).unwrap();
}
