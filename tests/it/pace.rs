//! Backlogs at the pace that WeCom delivers: nothing discarded, nothing overtaken, what is new first.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use crate::standin::Standin;
use crate::support::{MEMBERS, at_once, flush, one_by_one, plant, texts, waiting};

const MINUTE: Duration = Duration::from_mins(1);

/// When a member's messages landed.
fn landed(standin: &Standin, member: &str) -> Vec<SystemTime> {
    let phone = standin.company().phone(member);
    phone.iter().map(|one| one.at).collect()
}

/// The most that landed within any minute.
fn most_a_minute(times: &[SystemTime]) -> usize {
    let within = |from: &SystemTime| {
        let in_minute = |at: &&SystemTime| at.duration_since(*from).is_ok_and(|it| it < MINUTE);
        times.iter().filter(in_minute).count()
    };
    times.iter().map(within).max().unwrap_or_default()
}

fn numbers(texts: &[String]) -> Vec<u64> {
    // After ten minutes a line before it says that it is late.
    let last = texts.iter().filter_map(|text| text.lines().last());
    let numbers = last.filter_map(|text| text.strip_prefix("number "));
    numbers.map(|number| number.parse().unwrap()).collect()
}

/// Two minutes of real time for fifty, `WXPUSH_PACE=500` takes 25: WeCom's own clock cannot be
/// hurried on our side.
#[test]
#[ignore = "takes two minutes"]
fn a_long_backlog_to_one_member_all_arrives_and_a_new_message_at_once() {
    let count = std::env::var("WXPUSH_PACE").map_or(50, |count| count.parse().unwrap());
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), count, &["lisi"]);
    let minutes = u32::try_from(count / 10 + 1).unwrap();
    let flushes = sandbox.wxpush("outbox flush --wait");
    let flushes = flushes.start_patiently(minutes * MINUTE);
    while landed(&standin, "lisi").len() < 20 {
        std::thread::sleep(Duration::from_millis(50));
    }
    // The backlog has taken its share; what is new has its own.
    sandbox
        .wxpush("send --to lisi --timeout 5s urgent")
        .is_silent();
    let phone = texts(&standin, "lisi");
    assert_eq!(phone.last().unwrap(), "urgent");
    assert!(phone.len() < 45, "before the backlog ends");
    flushes.wait().is_silent();
    let phone = texts(&standin, "lisi");
    // All, in their order.
    assert_eq!(numbers(&phone), (0..count).collect::<Vec<_>>());
    assert_eq!(standin.company().phones.dropped, 0);
    let times = landed(&standin, "lisi");
    assert!(most_a_minute(&times) <= 30, "{}", most_a_minute(&times));
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn a_backlog_takes_two_thirds_of_a_minute_and_says_when_the_rest_is_due() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), 45, &["lisi"]);
    let begun = Instant::now();
    let outcome = sandbox.wxpush("outbox flush --timeout 3s").exits(75);
    assert_eq!(outcome.stderr, "", "cron has nothing to mail");
    assert_eq!(
        numbers(&texts(&standin, "lisi")),
        (0..20).collect::<Vec<_>>()
    );
    let listed = sandbox.wxpush("outbox list --json").exits(0).stdout;
    let due: Vec<i64> = listed
        .lines()
        .map(|line| {
            let shown: serde_json::Value = serde_json::from_str(line).unwrap();
            let due = chrono::DateTime::parse_from_rfc3339(shown["due"].as_str().unwrap());
            (due.unwrap().to_utc() - chrono::Utc::now()).num_seconds()
        })
        .collect();
    assert_eq!(due.len(), 25);
    // Twenty in a minute, five in another: less what the test has taken.
    let taken = i64::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    let about = |minute: i64| (minute - taken)..=(minute + 2);
    assert!(
        due[..20].iter().all(|due| about(61).contains(due)),
        "{due:?}"
    );
    assert!(
        due[20..].iter().all(|due| about(122).contains(due)),
        "{due:?}"
    );
}

#[test]
fn nothing_overtakes_what_waits_for_the_same_member_and_others_are_not_held_up() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    // To lisi more than her share, then to both, then to each.
    let mut members = vec!["lisi"; 21];
    members.extend(["lisi|wangwu", "wangwu", "zhangsan"]);
    plant(&sandbox, &standin.base(), 24, &members);
    sandbox.wxpush("outbox flush --timeout 2s").exits(75);
    assert_eq!(texts(&standin, "lisi").len(), 20);
    // Number 21 is before number 22.
    assert_eq!(texts(&standin, "wangwu"), [""; 0]);
    assert_eq!(texts(&standin, "zhangsan"), ["number 23"]);
    assert_eq!(waiting(&sandbox).len(), 3);
}

#[test]
fn a_message_to_everybody_counts_for_each() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), 20, &["@all"]);
    flush(&sandbox).is_silent();
    for _ in 0..5 {
        sandbox.wxpush("send --party 2 new").is_silent();
        sandbox.wxpush("send --to lisi new").is_silent();
    }
    // Thirty for lisi; for a member of no party there is room.
    sandbox.wxpush("send --to lisi --timeout 1s x").exits(75);
    sandbox.wxpush("send --tag 1 --timeout 1s x").exits(75);
    sandbox
        .wxpush("send --to member01 --timeout 1s x")
        .is_silent();
    assert_eq!(standin.company().phones.dropped, 0);
}

#[test]
fn the_limits_of_the_config_hold_for_all_processes_together() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    sandbox.write(
        "config.toml",
        sandbox.read("config.toml") + "[limits]\nper_minute = 7\n",
    );
    let outcomes = at_once(20, |_| sandbox.wxpush("send --to lisi --timeout 1s x"));
    let sent = outcomes
        .iter()
        .filter(|outcome| outcome.code == Some(0))
        .count();
    let kept = outcomes
        .iter()
        .filter(|outcome| outcome.code == Some(75))
        .count();
    assert_eq!((sent, kept), (7, 13));
    assert_eq!(texts(&standin, "lisi").len(), 7);
    assert_eq!(waiting(&sandbox).len(), 13);
}

#[test]
fn ten_thousand_that_wait_hold_up_nothing_new() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    // The member has had her share, so that none of them can go.
    plant(&sandbox, &standin.base(), 20, &["lisi"]);
    flush(&sandbox).is_silent();
    let time = |_| {
        let begun = Instant::now();
        sandbox.wxpush("send --to zhangsan new").is_silent();
        begun.elapsed()
    };
    let before = (0..3).map(time).min().unwrap();
    plant(&sandbox, &standin.base(), 10_000, &["lisi"]);
    let begun = SystemTime::now();
    let after = (0..3).map(time).min().unwrap();
    let delay = landed(&standin, "zhangsan")[3]
        .duration_since(begun)
        .unwrap();
    // Generous: a test knows no time. Some 20 ms are usual, of 10,000 names to look through.
    let figures =
        format!("alone {before:?}, beside 10,000 {after:?}, on the phone after {delay:?}");
    assert!(delay < Duration::from_secs(10), "{figures}");
    assert_eq!(waiting(&sandbox).len(), 10_000);
}

#[test]
fn a_full_outbox_takes_no_more_and_loses_none_of_what_it_has() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    let first = plant(&sandbox, &standin.base(), 1, &["lisi"]);
    // Only their names count, and a link is made sooner than a file.
    for number in 0..99_999 {
        let name = format!("outbox/20250101T000000.000Z-{number:08x}");
        std::os::unix::fs::symlink("nowhere", sandbox.path(&name)).unwrap();
    }
    sandbox
        .wxpush("send --to zhangsan x")
        .exits(0)
        .says("is full: 100000 messages wait there");
    assert_eq!(texts(&standin, "zhangsan"), ["x"]);
    let dead = Standin::refuse();
    let lost = sandbox
        .wxpush("send --timeout 1s y")
        .env("WXPUSH_API_BASE", dead)
        .run();
    lost.exits(73).says("LOST").says("is full");
    assert_eq!(waiting(&sandbox).len(), 100_000);
    assert!(sandbox.path(&format!("outbox/{}", first[0])).exists());
    // Sooner than by the search for secrets.
    fs::remove_dir_all(sandbox.path("outbox")).unwrap();
}

#[test]
fn a_hundred_messages_to_all_members_go_in_one_flush() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    plant(&sandbox, &standin.base(), 130, &MEMBERS);
    flush(&sandbox).is_silent();
    for member in MEMBERS {
        let numbers = numbers(&texts(&standin, member));
        assert_eq!(numbers.len(), 10, "{member}");
        assert!(numbers.is_sorted(), "{member}: {numbers:?}");
    }
    // As many as may be under way at once.
    assert_eq!(standin.connections(), 3);
}
