//! `outbox list`, `show`, `retry` and `drop` with very many entries, and with some that cannot be
//! changed: the others are.

use std::fs;
use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::standin::{Fault, Standin};
use crate::support::chinese::in_both;
use crate::support::{
    MEMBERS, Outcome, Run, SEND, emptied, failed, flush, keep, names_in, one_by_one, plant,
    plant_failed, refusal, script, set_up, texts, waiting,
};

/// What a run has reported of each, by their IDs.
fn told(outcome: &Outcome) -> Vec<(String, String)> {
    let lines = outcome.stdout.lines();
    let objects = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |object: &Value, key: &str| object[key].as_str().unwrap().to_owned();
    // The last one is what it came to, where not all went well.
    let told = objects.filter(|object| object.get("id").is_some());
    let told = told.map(|object| (word(&object, "id"), word(&object, "status")));
    told.collect()
}

#[test]
fn however_many_have_failed_few_descriptors_do() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    let ids = plant_failed(&sandbox, &standin.base(), 1500);
    let few = |words: &str| -> Run {
        let line = format!("ulimit -n 64; exec \"$0\" outbox {words}");
        script(&sandbox, &[], &line)
    };
    let listed = few("list --json").exits(0);
    assert_eq!(listed.stdout.lines().count(), 1500);
    few(&format!("show {}", ids[700])).exits(0);
    few(&format!("retry {} {}", ids[0], ids[1])).is_silent();
    assert_eq!(waiting(&sandbox), ids[..2]);
    few(&format!("drop {} {}", ids[2], ids[3])).is_silent();
    assert_eq!(failed(&sandbox), ids[4..]);
    few("drop --all").is_silent();
    assert!(waiting(&sandbox).is_empty());
    for id in &ids[34..] {
        for name in [id.clone(), format!("{id}.why")] {
            fs::remove_file(sandbox.path(&format!("outbox/failed/{name}"))).unwrap();
        }
    }
    few("retry --all").is_silent();
    flush(&sandbox).exits(0);
    let landed = MEMBERS.iter().map(|it| texts(&standin, it).len());
    assert_eq!(landed.sum::<usize>(), 30);
    assert_eq!(names_in(&sandbox.path("outbox/failed")), [""; 0]);
}

#[test]
fn what_has_failed_is_bounded_and_the_oldest_go_first() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    let ids = plant_failed(&sandbox, &standin.base(), 10_003);
    flush(&sandbox).exits(0);
    assert_eq!(failed(&sandbox), ids[3..]);
    assert_eq!(names_in(&sandbox.path("outbox/failed")).len(), 20_000);
    let sandbox = one_by_one(&standin);
    let ids = plant_failed(&sandbox, &standin.base(), 5);
    for id in &ids[1..] {
        let path = sandbox.path(&format!("outbox/failed/{id}"));
        let file = File::options().write(true).open(path).unwrap();
        file.set_len(300 << 20).unwrap();
    }
    flush(&sandbox).exits(0);
    assert_eq!(failed(&sandbox), ids[2..]);
}

#[test]
fn those_that_cannot_be_changed_hold_up_none_of_the_others() {
    for command in ["retry", "drop"] {
        let standin = Standin::start();
        let sandbox = one_by_one(&standin);
        let given_up = plant_failed(&sandbox, &standin.base(), 3);
        let kept: Vec<String> = (0..4)
            .map(|number| keep(&standin, &sandbox, &format!("send --to lisi kept{number}")))
            .collect();
        // Damaged, one of each; and one in another's hands.
        for name in [
            format!("outbox/{}", kept[0]),
            format!("outbox/failed/{}", given_up[0]),
        ] {
            sandbox.write(&name, sandbox.read(&name).replace("content", "contend"));
        }
        let holder = File::open(sandbox.path(&format!("outbox/{}", kept[1]))).unwrap();
        holder.lock().unwrap();
        let all = if command == "retry" {
            sandbox.wxpush("outbox retry --json --all")
        } else {
            let run = sandbox.wxpush("outbox drop --json nosuch");
            let ids = kept.iter().chain(&given_up).map(String::as_str);
            run.args(&ids.collect::<Vec<_>>())
        };
        let outcome = all.run();
        let done: Vec<String> = told(&outcome).into_iter().map(|(id, _)| id).collect();
        let lines = |id: &str| {
            outcome
                .stderr
                .lines()
                .filter(|line| line.contains(id))
                .count()
        };
        if command == "retry" {
            let expected = [&kept[2], &kept[3], &given_up[1], &given_up[2]];
            assert_eq!(done.iter().collect::<Vec<_>>(), expected);
            for id in [&kept[0], &kept[1], &given_up[0]] {
                assert_eq!(lines(id), 1, "{}", outcome.stderr);
            }
            drop(holder);
            assert_eq!(
                failed(&sandbox),
                [&given_up[0], &kept[0]].map(String::clone)
            );
            let outcome = outcome.exits(65);
            assert_eq!(outcome.stderr.lines().count(), 5, "{}", outcome.stderr);
            flush(&sandbox).exits(0);
            assert_eq!(texts(&standin, "lisi").len(), 4);
        } else {
            // Damage is no hindrance to a removal.
            assert_eq!(done.len(), 6);
            assert!(
                lines("nosuch") == 1 && lines(&kept[1]) == 1,
                "{}",
                outcome.stderr
            );
            outcome.exits(65);
            drop(holder);
            assert_eq!(waiting(&sandbox), vec![kept[1].clone()]);
            assert_eq!(failed(&sandbox), [""; 0]);
        }
    }
}

#[test]
fn the_exit_code_is_that_of_the_first_trouble_in_both_languages() {
    let (standin, sandbox) = set_up();
    let ids: Vec<String> = (0..3)
        .map(|number| keep(&standin, &sandbox, &format!("send number{number}")))
        .collect();
    let holder = File::open(sandbox.path(&format!("outbox/{}", ids[1]))).unwrap();
    holder.lock().unwrap();
    let outcome = in_both(75, || sandbox.wxpush("outbox retry --all"));
    // One line for it, then what it comes to and what to do.
    assert_eq!(outcome.stderr.lines().count(), 3, "{}", outcome.stderr);
    let outcome = in_both(75, || sandbox.wxpush("outbox retry").arg(&ids[1]));
    assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
    in_both(65, || sandbox.wxpush("outbox drop nosuch").arg(&ids[1]));
    in_both(75, || {
        sandbox.wxpush("outbox drop").args(&[&ids[1], "nosuch"])
    });
}

#[test]
fn of_one_that_waits_and_has_failed_as_well_neither_is_lost_nor_sent_twice() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [refusal(81013)]);
    sandbox.send("once").exits(69);
    let id = failed(&sandbox).remove(0);
    let path = |dir: &str| sandbox.path(&format!("{dir}/{id}"));
    // As a wxpush of before left it that was killed while it put the message back.
    fs::copy(path("outbox/failed"), path("outbox")).unwrap();
    sandbox.wxpush("outbox show").arg(&id).exits(0);
    in_both(65, || sandbox.wxpush("outbox retry").arg(&id));
    assert!(path("outbox").exists() && path("outbox/failed").exists());
    let outcome = sandbox.wxpush("outbox retry --json --all").exits(65);
    let waits = (id.clone(), "to be tried again".to_owned());
    assert_eq!(told(&outcome), [waits]);
    flush(&sandbox).exits(0);
    assert_eq!(texts(&standin, "lisi"), ["once"]);
    assert_eq!(failed(&sandbox).len(), 1);
    fs::copy(path("outbox/failed"), path("outbox")).unwrap();
    sandbox.wxpush("outbox drop").arg(&id).is_silent();
    assert_eq!((waiting(&sandbox), failed(&sandbox)), (vec![], vec![]));
}

#[test]
fn what_is_known_of_the_tries_comes_back_with_the_entry_wherever_a_crash_left_it() {
    for lies_in in ["outbox/failed", "outbox"] {
        let (standin, sandbox) = set_up();
        let text = "a long one ".repeat(400);
        standin.script(SEND, [Fault::Delay(Duration::ZERO), refusal(81013)]);
        sandbox.send(&text).exits(69);
        let id = failed(&sandbox).remove(0);
        let from = sandbox.path(&format!("outbox/failed/{id}.try"));
        let to = sandbox.path(&format!("{lies_in}/{id}.try"));
        if from != to {
            fs::rename(from, &to).unwrap();
            let file = File::options().write(true).open(to).unwrap();
            file.set_modified(UNIX_EPOCH).unwrap();
            flush(&sandbox).is_silent();
        }
        sandbox.wxpush("outbox retry").arg(&id).is_silent();
        let before = texts(&standin, "lisi").len();
        flush(&sandbox).is_silent();
        let parts = texts(&standin, "lisi");
        assert_eq!(before, 1, "{lies_in}: the first was sent");
        assert_eq!(parts.len(), 3, "{lies_in}: the first was sent");
        assert!(parts[1].contains("(2/3)"), "{lies_in}");
        assert_eq!(emptied(&sandbox), ["failed"]);
    }
}

#[test]
fn what_a_writer_has_in_hand_is_not_tidied_away_whatever_the_clock_says() {
    let (standin, sandbox) = set_up();
    plant(&sandbox, &standin.base(), 0, &[]);
    let name = "tmp.20261124T074123.123Z-9f3a1c77";
    let places = [format!("outbox/{name}"), format!("outbox/failed/{name}")];
    let hold = |path: &String| {
        sandbox.write(path, "begun");
        let file = File::options()
            .write(true)
            .open(sandbox.path(path))
            .unwrap();
        file.set_modified(UNIX_EPOCH).unwrap();
        file.lock().unwrap();
        file
    };
    let writers: Vec<File> = places.iter().map(hold).collect();
    flush(&sandbox).is_silent();
    assert!(places.iter().all(|path| sandbox.path(path).exists()));
    drop(writers);
    flush(&sandbox).is_silent();
    assert!(!places.iter().any(|path| sandbox.path(path).exists()));
}
