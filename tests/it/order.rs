//! The order in which a member reads, several processes or not, and what a flush says of the rest.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::{
    SEND, Sandbox, Time, UPLOAD, WEBHOOK, at_once, await_count, bodies, entry, failed, flush,
    for_each, is_marked, keep, markdown_to, plant, plant_bodies, put, reads, refusal, robot,
    set_up, text_to, texts, unmarked, waiting,
};

#[test]
fn what_came_late_is_found_unless_it_says_so() {
    let one = |text: &str, number| (text.to_owned(), vec![number]);
    let right = [
        one("a", 0),
        one("c", 2),
        one("[迟到] at 07:41\nb", 1),
        one("d", 3),
    ];
    assert_eq!(unmarked(&right), [0; 0]);
    let wrong = [one("c", 2), one("b", 1), one("[late] accepted 07:41\na", 0)];
    assert_eq!(unmarked(&wrong), [1]);
}

#[test]
fn what_one_flush_holds_for_a_member_keeps_the_next_ones_waiting() {
    let (standin, sandbox) = set_up();
    let numbers: Vec<String> = (0..6).map(|number| format!("number {number}")).collect();
    let to_lisi = numbers.iter().map(|text| markdown_to("lisi", text));
    plant_bodies(
        &sandbox,
        &standin.base(),
        to_lisi.chain([text_to("wangwu", "other")]),
    );
    standin.script(SEND, [Fault::Delay(Duration::from_secs(3))]);
    let first = sandbox.wxpush("outbox flush").start();
    await_count(&standin, SEND, 1);
    for outcome in at_once(3, |_| sandbox.wxpush("outbox flush --timeout 1s")) {
        assert_eq!(outcome.exits(75).stderr, "", "cron has nothing to mail");
    }
    // Others are not held up.
    assert_eq!(texts(&standin, "wangwu"), ["other"]);
    first.wait();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), numbers);
}

#[test]
fn flushes_and_sends_at_once_keep_the_order_of_what_waits() {
    for round in 0..3 {
        let (standin, sandbox) = set_up();
        let numbers: Vec<String> = (0..18).map(|number| format!("<{number:02}>")).collect();
        let bodies = numbers.iter().enumerate();
        let bodies = bodies
            .map(|(number, text)| markdown_to(["lisi", "wangwu", "lisi|wangwu"][number % 3], text));
        plant_bodies(&sandbox, &standin.base(), bodies);
        standin.judge(|_| Some(Fault::Delay(Duration::from_millis(15))));
        at_once(6, |which| match which {
            0..=2 => sandbox.wxpush("outbox flush"),
            _ => sandbox.wxpush("send --to member01 new"),
        });
        flush(&sandbox).exits(0);
        for member in ["lisi", "wangwu"] {
            let landed = texts(&standin, member).into_iter().map(|text| {
                let (_, number) = text.rsplit_once('<').unwrap();
                let number = number[..2].parse().unwrap();
                (text, vec![number])
            });
            let landed: Vec<_> = landed.collect();
            assert_eq!(
                unmarked(&landed),
                [0; 0],
                "{member} in round {round}: {landed:?}"
            );
            assert_eq!(landed.len(), 12, "each once: {landed:?}");
        }
    }
}

#[test]
fn who_was_overtaken_says_when_it_was_accepted() {
    for (newer, marked) in [
        ("send --to lisi newer", true),
        ("send --to wangwu,LiSi newer", true),
        ("send --to @all newer", true),
        ("send --to wangwu newer", false),
        ("send --chat ops newer", false),
    ] {
        for lang in ["zh", "en"] {
            let (standin, sandbox) = set_up();
            sandbox.configure(&format!("lang = \"{lang}\""));
            keep(&standin, &sandbox, "send --to lisi older");
            sandbox.wxpush(newer).exits(0);
            flush(&sandbox).exits(0);
            let landed = texts(&standin, "lisi").pop().unwrap();
            assert!(landed.ends_with("older"), "{newer}: {landed}");
            let mark = if lang == "zh" { "[迟到]" } else { "[late]" };
            assert_eq!(landed.starts_with(mark), marked, "{newer}: {landed}");
            assert_eq!(landed.lines().count(), 1 + usize::from(marked), "{landed}");
        }
    }
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn the_time_of_a_file_that_was_overtaken_stands_right_before_it() {
    let (standin, sandbox) = set_up();
    sandbox.write("old.txt", "old report");
    let path = sandbox.path("old.txt").display().to_string();
    standin.always(UPLOAD, Fault::html(413));
    let send = format!("send --to lisi --file {path}");
    sandbox.wxpush(&send).exits(77);
    assert_eq!(waiting(&sandbox).len(), 1);
    sandbox.wxpush("send --to lisi newer").exits(0);
    let time = Time::new(&standin, &sandbox);
    time.pass(70);
    time.wxpush("outbox flush").run();
    time.wxpush("send --to lisi newest").exits(0);
    assert_eq!(texts(&standin, "lisi"), ["newer", "newest"]);
    standin.mend();
    time.pass(300);
    time.wxpush("outbox flush").exits(0);
    let landed = texts(&standin, "lisi").split_off(2);
    assert_eq!(landed.len(), 2, "{landed:?}");
    assert!(is_marked(&landed[0]), "{landed:?}");
    assert!(landed[1].ends_with("old.txt"), "{landed:?}");
}

#[test]
fn who_was_overtaken_while_in_doubt_goes_as_it_was() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    standin.script(SEND, [Fault::HangProcessed]);
    let mut started = sandbox.wxpush("send --to lisi older").start();
    await_count(&standin, SEND, 1);
    started.child.kill().unwrap();
    started.wait();
    sandbox.wxpush("send --to lisi newer").exits(0);
    flush(&sandbox).exits(0);
    let resent = bodies(&standin);
    let older = resent.iter().filter(|it| it["text"]["content"] == "older");
    assert_eq!(older.count(), 2, "the same, so that WeCom swallows it");
    assert_eq!(texts(&standin, "lisi").len(), 2);
}

/// What leaves something in the outbox that this flush can't deliver.
type Rest = (&'static str, fn(&Standin, &Sandbox));

#[test]
fn a_flush_says_done_only_where_nothing_is_left() {
    let rests: [Rest; 5] = [
        ("of another address", |_, sandbox| {
            plant(sandbox, "http://127.0.0.1:9", 1, &["lisi"]);
        }),
        ("of another company", |standin, sandbox| {
            let (name, bytes) = entry(&standin.base(), 7, &text_to("lisi", "x"));
            let bytes = bytes.replace(crate::standin::CORPID, "ww9999999999999999");
            put(sandbox, &name, ended(&bytes));
        }),
        ("of a newer version", |standin, sandbox| {
            let (name, bytes) = entry(&standin.base(), 7, &text_to("lisi", "x"));
            put(
                sandbox,
                &name,
                ended(&bytes.replacen("outbox 1", "outbox 99", 1)),
            );
        }),
        ("linked", |standin, sandbox| {
            let ids = plant(sandbox, &standin.base(), 1, &["lisi"]);
            let path = sandbox.path(&format!("outbox/{}", ids[0]));
            fs::hard_link(path, sandbox.path("backup")).unwrap();
        }),
        ("of a robot that is gone", |standin, sandbox| {
            let config = sandbox.read("config.toml");
            let robot = robot();
            sandbox.write("config.toml", format!("{config}{robot}"));
            standin.script(WEBHOOK, [refusal(45009)]);
            sandbox.wxpush("send --robot ops x").exits(75);
            sandbox.write("config.toml", config);
        }),
    ];
    for_each(rests, |(what, leave)| {
        let (standin, sandbox) = set_up();
        plant(&sandbox, &standin.base(), 0, &[]);
        leave(&standin, &sandbox);
        let (name, bytes) = entry(&standin.base(), 900, &text_to("wangwu", "mine"));
        put(&sandbox, &name, bytes);
        let outcome = flush(&sandbox);
        assert_eq!(outcome.code, Some(75), "{what}: {}", outcome.stderr);
        assert_eq!(texts(&standin, "wangwu"), ["mine"], "{what}");
        assert_eq!(waiting(&sandbox).len(), 1, "{what}");
        assert_eq!(failed(&sandbox).len(), 0, "{what}");
        // Nobody waits for ever for what is not his.
        let patient = sandbox.wxpush("outbox flush --wait").run();
        assert_eq!(patient.code, Some(75), "{what}: {}", patient.stderr);
        assert_eq!(waiting(&sandbox).len(), 1, "{what}");
    });
}

/// An entry with a right end.
fn ended(text: &str) -> String {
    let text = &text[..text.rfind("END ").unwrap()];
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("{text}END {}\n", hash.collect::<String>())
}

#[test]
fn a_flush_beside_one_that_is_busy_says_nothing_and_not_done() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Delay(Duration::from_secs(3))]);
    let holder = sandbox.wxpush("send --to lisi held").start();
    await_count(&standin, SEND, 1);
    let outcome = sandbox.wxpush("outbox flush --timeout 1s").run();
    assert_eq!(outcome.exits(75).stderr, "", "cron has nothing to mail");
    holder.wait().is_silent();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["held"]);
}

#[test]
fn who_says_that_it_is_kept_has_kept_it() {
    for_each(["all", "entries", "moved"], |what| {
        for fault in [Fault::Hang, Fault::html(502)] {
            let (standin, sandbox) = set_up();
            standin.always(SEND, fault.clone());
            let send = "send --json --to lisi --timeout 3s x";
            let started = sandbox.wxpush(send).start();
            await_count(&standin, SEND, 1);
            let outbox = sandbox.path("outbox");
            match what {
                "all" => fs::remove_dir_all(&outbox).unwrap(),
                "entries" => {
                    for id in waiting(&sandbox) {
                        fs::remove_file(outbox.join(id)).unwrap();
                    }
                }
                _ => fs::rename(&outbox, sandbox.path("old")).unwrap(),
            }
            let outcome = started.wait();
            let result = outcome.json();
            let here = waiting(&sandbox);
            if result["status"] == "queued" {
                assert_eq!(
                    json!(here),
                    json!([result["outbox_id"]]),
                    "{what}: {fault:?}"
                );
                assert_eq!(outcome.code, Some(75), "{what}");
                standin.mend();
                sandbox.wxpush("outbox flush --wait").exits(0);
                assert!(!texts(&standin, "lisi").is_empty(), "{what}: {fault:?}");
            } else {
                assert_eq!(
                    outcome.code,
                    Some(73),
                    "{what}: {fault:?}: {}",
                    outcome.stderr
                );
                assert_eq!(result["outbox_id"], json!(null), "{what}: {fault:?}");
                assert_eq!(here, [""; 0], "{what}: {fault:?}");
            }
        }
    });
}

#[test]
fn what_is_kept_at_once_is_read_in_its_order() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, refusal(60020));
    let numbers: Vec<String> = (0..12).map(|number| format!("<{number:02}>")).collect();
    for text in &numbers {
        sandbox.wxpush("send --to lisi").arg(text).exits(77);
    }
    standin.mend();
    at_once(4, |_| sandbox.wxpush("outbox flush"));
    flush(&sandbox).exits(0);
    reads(&standin, "lisi", &numbers);
}
