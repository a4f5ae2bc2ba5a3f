//! Quiet hours: what is held, until when, what isn't, and how it goes out at their end.

use chrono::{Local, TimeDelta};
use serde_json::Value;

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{
    Sandbox, Time, at_once, flush, read_by, set_up, sh, stepped, texts, waiting, with_robot,
};

/// A window from so many minutes after now to so many.
fn window(from: i64, to: i64) -> String {
    let at = |minutes| Local::now() + TimeDelta::minutes(minutes);
    format!("{}-{}", at(from).format("%H:%M"), at(to).format("%H:%M"))
}

/// A sandbox in the middle of quiet hours.
fn hushed() -> (Standin, Sandbox) {
    let (standin, sandbox) = set_up();
    sandbox.configure(&format!("quiet = \"{}\"", window(-60, 60)));
    (standin, sandbox)
}

/// Ends the quiet hours.
fn wake(sandbox: &Sandbox) {
    let config = sandbox.read("config.toml");
    let rest = config.split_once('\n').unwrap().1;
    sandbox.write(
        "config.toml",
        format!("quiet = \"{}\"\n{rest}", window(120, 180)),
    );
}

#[test]
fn what_is_held_says_until_when_and_goes_out_at_the_end_together_and_in_order() {
    let (standin, sandbox) = hushed();
    for number in 0..4 {
        let sent = sandbox
            .wxpush(&format!("send --json --to lisi number-{number}"))
            .exits(0);
        let sent = sent.json();
        assert_eq!(sent["status"], "queued");
        let until = chrono::DateTime::parse_from_rfc3339(sent["until"].as_str().unwrap()).unwrap();
        let minutes = (until.to_utc() - chrono::Utc::now()).num_minutes();
        assert!((55..=60).contains(&minutes), "{minutes}");
    }
    flush(&sandbox).exits(0);
    assert_eq!(texts(&standin, "lisi"), [""; 0]);
    let list = sandbox.wxpush("outbox list --json").exits(0).stdout;
    let rows = list
        .lines()
        .map(|row| serde_json::from_str::<Value>(row).unwrap());
    assert!(
        rows.into_iter()
            .all(|row| row["waits_for"] == "quiet" && row["due"].is_string())
    );
    wake(&sandbox);
    flush(&sandbox).exits(0);
    let read = read_by(&standin, "lisi");
    let places = (0..4).map(|number| read.find(&format!("number-{number}")).unwrap());
    assert!(places.is_sorted(), "{read}");
    assert_eq!(
        (texts(&standin, "lisi").len(), waiting(&sandbox).len()),
        (1, 0)
    );
}

#[test]
fn what_is_urgent_goes_out_at_once_and_past_what_is_held() {
    let (standin, sandbox) = hushed();
    sandbox.wxpush("send --to lisi held").exits(0);
    sandbox.wxpush("send --to lisi --urgent fire").exits(0);
    sandbox
        .wxpush("send --to lisi --urgent --queue water")
        .exits(0);
    flush(&sandbox).exits(0);
    assert_eq!(texts(&standin, "lisi"), ["fire", "water"]);
    sh(&sandbox, "--to lisi --on failure", "exit 3").exits(3);
    sh(&sandbox, "--to lisi --on failure --urgent", "exit 4").exits(4);
    let read = texts(&standin, "lisi");
    assert!(read.len() == 3 && read[2].contains("退出码 4"), "{read:?}");
    assert_eq!(waiting(&sandbox).len(), 2);
    wake(&sandbox);
    flush(&sandbox).exits(0);
    let read = read_by(&standin, "lisi");
    assert!(read.contains("held") && read.contains("退出码 3"), "{read}");
}

#[test]
fn a_profile_has_hours_of_its_own_and_a_robot_has_those_of_the_config() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.configure(&format!("quiet = \"{}\"", window(-60, 60)));
    sandbox.append("\n[profiles.loud]\nquiet = \"\"\n");
    sandbox.wxpush("send --robot ops held").exits(0);
    sandbox.wxpush("send -p loud --robot ops loud").exits(0);
    flush(&sandbox).exits(0);
    let group = |standin: &Standin| standin.company().group(ROBOT_KEY).len();
    assert_eq!((group(&standin), waiting(&sandbox).len()), (1, 1));
    wake(&sandbox);
    flush(&sandbox).exits(0);
    assert_eq!(group(&standin), 2);
}

#[test]
fn without_an_outbox_nothing_can_be_held_so_it_goes_out() {
    let (standin, sandbox) = hushed();
    sandbox.wxpush("send --to lisi --no-outbox now").exits(0);
    assert_eq!(texts(&standin, "lisi"), ["now"]);
}

#[test]
fn a_key_is_held_once() {
    let (standin, sandbox) = hushed();
    let runs = at_once(5, |_| {
        sandbox.wxpush("send --json --to lisi --once key one")
    });
    let kept = waiting(&sandbox);
    assert_eq!(kept.len(), 1);
    for run in runs {
        // None is a duplicate: nothing has been sent yet.
        let answer = run.exits(0).json();
        assert_eq!(answer["status"], "queued");
        assert_eq!(answer["outbox_id"], kept[0]);
    }
    flush(&sandbox).exits(0);
    assert_eq!(
        (texts(&standin, "lisi").len(), waiting(&sandbox).len()),
        (0, 1)
    );
    wake(&sandbox);
    flush(&sandbox).exits(0);
    sandbox.wxpush("send --to lisi --once key one").exits(0);
    assert_eq!(texts(&standin, "lisi"), ["one"]);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn three_nights_hold_what_comes_and_each_morning_delivers_it() {
    let (standin, sandbox) = set_up();
    sandbox.configure(&format!("quiet = \"{}\"", window(120, 600)));
    let time = Time::new(&standin, &sandbox);
    let mut sent = 0;
    for half_hour in 0..3 * 48 {
        time.pass(1800);
        let before = texts(&standin, "lisi").len();
        time.wxpush(&format!("send --to lisi at-{half_hour}-"))
            .exits(0);
        sent += 1;
        time.wxpush("outbox flush").exits(0);
        let minute = (half_hour + 1) * 30 % 1440;
        let landed = texts(&standin, "lisi").len() - before;
        let is_night = (120..600).contains(&minute);
        assert_eq!(landed > 0, !is_night, "minute {minute}: {landed}");
    }
    let read = read_by(&standin, "lisi");
    for number in 0..sent {
        assert_eq!(
            read.matches(&format!("at-{number}-")).count(),
            1,
            "{number}"
        );
    }
    assert_eq!(waiting(&sandbox).len(), 0);
}

#[test]
#[ignore = "needs faketime"]
fn when_the_clock_is_put_forward_or_back_the_hours_go_by_what_it_shows() {
    for (quiet, now, until) in [
        // 02:00 becomes 03:00, so that there is no 02:30.
        (
            "01:00-02:30",
            "@2027-03-28 01:30:00",
            Some("2027-03-28T03:00:00+02:00"),
        ),
        (
            "23:00-07:30",
            "@2027-03-27 23:30:00",
            Some("2027-03-28T07:30:00+02:00"),
        ),
        // 03:00 becomes 02:00.
        (
            "01:00-02:30",
            "@2027-10-31 01:30:00",
            Some("2027-10-31T02:30:00+02:00"),
        ),
        (
            "23:00-07:30",
            "@2027-10-30 23:30:00",
            Some("2027-10-31T07:30:00+01:00"),
        ),
        ("23:00-07:30", "@2027-10-31 07:30:00", None),
    ] {
        let (_standin, sandbox) = set_up();
        sandbox.configure(&format!("quiet = \"{quiet}\""));
        let send = stepped(&sandbox, now, "send --json --to lisi held");
        let sent = send.env("TZ", "Europe/Berlin").exits(0).json();
        assert_eq!(sent["until"].as_str(), until, "{now}");
    }
}

#[test]
fn other_hours_are_refused_with_an_example() {
    let (_standin, sandbox) = set_up();
    sandbox.configure("quiet = \"23-7\"");
    sandbox.wxpush("send hello").exits(78).says("23:00-07:30");
}
