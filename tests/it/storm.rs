//! Many texts that wait for the same receivers go out together: whole, in order, each with its time.

use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::standin::{Fault, Request, Standin};
use crate::support::{
    Run, SEND, Sandbox, Time, await_count, failed, for_each, has, leaves_some, markdown_to,
    plant_bodies, read_by, reads, refusal, set_up, text_to, texts, waiting,
};

/// A text of 60 bytes that is in no other, without anything that could be taken for a time.
fn drop_of(number: usize) -> String {
    let text = format!("<{number:04}> 磁盘快满了，请看一下 ");
    let rest = 60 - text.len() - 1;
    text + &"x".repeat(rest) + "."
}

/// Delivers what is kept, in a place where it is UTC.
fn flush(sandbox: &Sandbox) -> Run {
    sandbox.wxpush("outbox flush").env("TZ", "UTC")
}

/// When an entry was accepted, by its name: to the minute.
fn minute(id: &str) -> String {
    let at = chrono::NaiveDateTime::parse_from_str(&id[..15], "%Y%m%dT%H%M%S").unwrap();
    at.format("%H:%M").to_string()
}

/// The last time of day in a text, to the minute.
fn last_time(text: &str) -> Option<&str> {
    let is_time = |at: &usize| {
        let shape = text.as_bytes()[*at..].first_chunk::<5>();
        shape.is_some_and(|shape| {
            let digits = [0, 1, 3, 4].iter().all(|at| shape[*at].is_ascii_digit());
            digits && shape[2] == b':'
        })
    };
    // Neither the seconds nor a zone's offset, which have that shape as well.
    let begins = |at: &usize| {
        let before = at.checked_sub(1).map(|at| text.as_bytes()[at]);
        before.is_none_or(|byte| !b":+-".contains(&byte))
    };
    let mut starts = (0..text.len()).filter(is_time).filter(begins);
    starts.next_back().map(|at| &text[at..at + 5])
}

#[test]
fn a_thousand_texts_of_a_storm_are_read_within_a_minute() {
    let (standin, sandbox) = set_up();
    let drops: Vec<String> = (0..1000).map(drop_of).collect();
    assert!(drops.iter().all(|text| text.len() == 60));
    let texts_to_lisi = drops.iter().map(|text| text_to("lisi", text));
    let ids = plant_bodies(&sandbox, &standin.base(), texts_to_lisi);
    // The outage, of which this is the end.
    standin.always(SEND, refusal(60020));
    leaves_some(&flush(&sandbox).run());
    standin.mend();
    let (begun, end) = (Instant::now(), SystemTime::now());
    while !waiting(&sandbox).is_empty() && begun.elapsed() < Duration::from_mins(1) {
        flush(&sandbox).run();
        std::thread::sleep(Duration::from_millis(500));
    }
    let company = standin.company();
    let landed = company.phone("lisi");
    assert_eq!(company.phones.dropped, 0);
    drop(company);
    let last = landed.last().unwrap().at.duration_since(end).unwrap();
    assert!(landed.len() <= 30, "{} messages", landed.len());
    assert!(last <= Duration::from_mins(1), "the last after {last:?}");
    reads(&standin, "lisi", &drops);
    let all = read_by(&standin, "lisi");
    for (text, id) in drops.iter().zip(&ids) {
        let before = &all[..all.find(text.as_str()).unwrap()];
        let shown = last_time(before);
        assert_eq!(shown, Some(&*minute(id)), "the time before {text}");
    }
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
}

#[test]
fn three_for_the_same_receivers_go_together_and_two_do_not() {
    for_each([1, 2, 3, 4, 10], |count| {
        let (standin, sandbox) = set_up();
        let drops: Vec<String> = (0..count).map(drop_of).collect();
        let bodies = drops.iter().map(|text| text_to("lisi", text));
        plant_bodies(&sandbox, &standin.base(), bodies);
        flush(&sandbox).is_silent();
        if count < 3 {
            assert_eq!(texts(&standin, "lisi"), drops);
        } else {
            assert_eq!(standin.count(SEND), 1, "{count}");
            reads(&standin, "lisi", &drops);
        }
        assert!(waiting(&sandbox).is_empty(), "{count}");
    });
}

#[test]
fn who_wants_each_by_itself_gets_each_by_itself() {
    let (standin, sandbox) = set_up();
    sandbox.append("[outbox]\nmerge = false\n");
    let drops: Vec<String> = (0..8).map(drop_of).collect();
    let bodies = drops.iter().map(|text| text_to("lisi", text));
    plant_bodies(&sandbox, &standin.base(), bodies);
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), drops);
}

#[test]
fn what_is_for_others_or_differs_stays_apart_and_in_its_order() {
    let (standin, sandbox) = set_up();
    let safe = |text: &str| {
        json!({"touser": "lisi", "msgtype": "text", "safe": 1, "text": {"content": text}})
            .to_string()
    };
    let drops: Vec<String> = (0..20).map(drop_of).collect();
    let bodies = drops.iter().enumerate().map(|(number, text)| match number {
        // Two each of what is for others.
        0 | 7 => text_to("wangwu", text),
        1 | 9 => text_to("lisi|wangwu", text),
        5 | 12 => markdown_to("lisi", text),
        15..=17 => safe(text),
        _ => text_to("lisi", text),
    });
    plant_bodies(&sandbox, &standin.base(), bodies);
    flush(&sandbox).is_silent();
    let to = |wanted: fn(usize) -> bool| -> Vec<String> {
        let numbers = (0..20).filter(|number| wanted(*number));
        numbers.map(|number| drops[number].clone()).collect()
    };
    reads(&standin, "lisi", &to(|number| number != 0 && number != 7));
    reads(
        &standin,
        "wangwu",
        &to(|number| [0, 1, 7, 9].contains(&number)),
    );
    for landed in standin.company().phone("lisi") {
        let safes = (15..=17).filter(|number| landed.text.contains(&drops[*number]));
        assert!(safes.count() == 0 || landed.safe == 1, "{landed:?}");
        let both = landed.raw["touser"] == "lisi|wangwu";
        let alone = [1, 9]
            .into_iter()
            .all(|number| !landed.text.contains(&drops[number]));
        assert!(
            both || alone,
            "what both get stands among her own: {landed:?}"
        );
    }
    assert_eq!(texts(&standin, "wangwu").len(), 4, "two are not merged");
}

#[test]
fn a_long_text_among_short_ones_is_whole_in_what_is_read() {
    let (standin, sandbox) = set_up();
    let long = |number: usize| format!("<{number:04}> {}.", "长".repeat(600));
    let drops: Vec<String> = (0..12)
        .map(|number| {
            if number % 4 == 1 {
                long(number)
            } else {
                drop_of(number)
            }
        })
        .collect();
    let bodies = drops.iter().map(|text| text_to("lisi", text));
    plant_bodies(&sandbox, &standin.base(), bodies);
    flush(&sandbox).is_silent();
    reads(&standin, "lisi", &drops);
    assert!(texts(&standin, "lisi").len() <= 5);
}

#[test]
fn an_entry_is_done_when_its_last_byte_is_accepted() {
    let (standin, sandbox) = set_up();
    let drops: Vec<String> = (0..100).map(drop_of).collect();
    let bodies = drops.iter().map(|text| text_to("lisi", text));
    plant_bodies(&sandbox, &standin.base(), bodies);
    standin.script(SEND, [Fault::Delay(Duration::ZERO), refusal(60020)]);
    leaves_some(&flush(&sandbox).run());
    let first = read_by(&standin, "lisi");
    let done = drops.iter().filter(|text| first.contains(text.as_str()));
    let done = done.count();
    assert!(done >= 20, "{done}");
    // And the entry that carries them.
    assert_eq!(waiting(&sandbox).len(), 100 - done + 1);
    // What began in the first is continued in the next, and nothing comes twice.
    flush(&sandbox).is_silent();
    reads(&standin, "lisi", &drops);
}

/// A merged message of many, as it went out.
fn sends(standin: &Standin) -> Vec<Request> {
    let requests = standin.requests().into_iter();
    requests.filter(|it| it.endpoint() == SEND).collect()
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_resend_of_what_was_merged_is_the_same_to_the_byte() {
    for_each([Fault::CutAfter, Fault::CutBefore], |fault| {
        let (standin, sandbox) = set_up();
        let time = Time::new(&standin, &sandbox);
        standin.company().phones.match_unflagged = true;
        let drops: Vec<String> = (0..11).map(drop_of).collect();
        let first = drops[..10].iter().map(|text| text_to("lisi", text));
        plant_bodies(&sandbox, &standin.base(), first);
        standin.script(SEND, [fault.clone()]);
        flush(&sandbox).run();
        // Another one comes meanwhile, and the next answers are lost.
        standin.judge(|request| has(request, "<0010>").then(|| refusal(60020)));
        sandbox.wxpush("send --to lisi").arg(&drops[10]).run();
        standin.always(SEND, Fault::CutAfter);
        for _ in 0..2 {
            time.pass(200);
            time.wxpush("outbox flush").run();
        }
        standin.mend();
        time.pass(900);
        time.wxpush("outbox flush").exits(0);
        let mut resent = sends(&standin);
        resent.retain(|it| has(it, "<0000>"));
        assert!(resent.len() >= 3, "{fault:?}: {}", resent.len());
        for again in &resent[1..] {
            assert!(again.body == resent[1].body, "{fault:?}");
            assert!(!has(again, "<0010>"), "{fault:?}");
        }
        reads(&standin, "lisi", &drops[..10]);
        assert!(read_by(&standin, "lisi").contains(&drops[10]), "{fault:?}");
    });
}

#[test]
fn a_kill_amid_a_merged_flush_loses_nothing_and_copies_one_message_at_most() {
    let faults = [
        Fault::Hang,
        Fault::HangProcessed,
        Fault::Late(Duration::from_millis(200)),
    ];
    let table = faults
        .into_iter()
        .flat_map(|fault| [true, false].map(|it| (fault.clone(), it)));
    for_each(table, |(fault, matches)| {
        for at in 0..4 {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = matches;
            let drops: Vec<String> = (0..120).map(drop_of).collect();
            let bodies = drops.iter().map(|text| text_to("lisi", text));
            plant_bodies(&sandbox, &standin.base(), bodies);
            let well = vec![Fault::Delay(Duration::ZERO); at];
            standin.script(SEND, well.into_iter().chain([fault.clone()]));
            let mut flushes = flush(&sandbox).start();
            await_count(&standin, SEND, at + 1);
            std::thread::sleep(Duration::from_millis(50));
            flushes.child.kill().unwrap();
            flushes.wait();
            std::thread::sleep(Duration::from_millis(300));
            flush(&sandbox).exits(0);
            let all = read_by(&standin, "lisi");
            let most = if matches { 1 } else { 2 };
            for text in &drops {
                let copies = all.matches(text.as_str()).count();
                // A piece of it may have been the end of the message that came twice.
                assert!(
                    copies >= 1,
                    "{text} is lost: {fault:?} at {at}: {all:.3000}"
                );
                assert!(copies <= most, "{text}: {copies} by {fault:?} at {at}");
            }
            assert!(waiting(&sandbox).is_empty());
        }
    });
}

#[test]
fn what_is_refused_in_one_message_goes_in_its_own() {
    for_each(
        [Fault::html(403), refusal(40033), Fault::html(413)],
        |fault| {
            let (standin, sandbox) = set_up();
            let drops: Vec<String> = (0..10).map(drop_of).collect();
            let bodies = drops.iter().map(|text| text_to("lisi", text));
            let ids = plant_bodies(&sandbox, &standin.base(), bodies);
            let gets = fault.clone();
            standin.judge(move |request| has(request, "<0004>").then(|| gets.clone()));
            // The next flush at the latest: which of them it was has to be found out.
            flush(&sandbox).run();
            flush(&sandbox).run();
            let others: Vec<String> = [&drops[..4], &drops[5..]].concat();
            let mut found: Vec<&String> = others.iter().collect();
            let all = read_by(&standin, "lisi");
            found.retain(|text| all.matches(text.as_str()).count() == 1);
            assert_eq!(found.len(), 9, "{fault:?}: {all}");
            let left = [waiting(&sandbox), failed(&sandbox)].concat();
            assert_eq!(left, [ids[4].clone()], "{fault:?}");
        },
    );
}

#[test]
fn the_last_time_of_a_text_is_its_minutes() {
    let at: DateTime<Utc> = DateTime::UNIX_EPOCH;
    assert_eq!(
        minute(&at.format("%Y%m%dT%H%M%S.000Z-00000000").to_string()),
        "00:00"
    );
    assert_eq!(last_time("a 12:34:56 b"), Some("12:34"));
    assert_eq!(last_time("07:08 a\n09:10"), Some("09:10"));
    assert_eq!(last_time("07:41:23 +08:00 none 1:2"), Some("07:41"));
    assert_eq!(last_time("none"), None);
}

#[test]
fn a_text_that_may_have_arrived_with_others_is_dropped_with_them_or_not_at_all() {
    let (standin, sandbox) = set_up();
    let drops: Vec<String> = (0..4).map(drop_of).collect();
    let bodies = drops.iter().map(|text| text_to("lisi", text));
    plant_bodies(&sandbox, &standin.base(), bodies);
    standin.always(SEND, Fault::CutBefore);
    leaves_some(&flush(&sandbox).run());
    let kept = waiting(&sandbox);
    assert_eq!(kept.len(), 5);
    let drop = |id: &str| sandbox.wxpush("outbox drop").arg(id).run();
    drop(&kept[2]).exits(75).says(&kept[0]);
    assert_eq!(waiting(&sandbox), kept);
    // Taken apart they are free again.
    drop(&kept[0]).is_silent();
    drop(&kept[2]).is_silent();
    standin.mend();
    flush(&sandbox).is_silent();
    let left = [0, 2, 3].map(|number: usize| drops[number].clone());
    reads(&standin, "lisi", &left);
    assert!(!read_by(&standin, "lisi").contains(&drops[1]));
}
