//! The slots of a ledger on a real file.

mod file;
mod wecom;

use std::fs;
use std::path::PathBuf;
use std::process::id;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::times::{HOUR, MINUTE};
use super::*;

const NOW: u64 = 1_764_000_000_000;
const APP: &str = "0123456789abcdef";
const OTHER: &str = "fedcba9876543210";

/// A directory that is removed at the end of the test.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "wxpush-ledger-{}-{}",
            id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).expect("a directory");
        Self(dir)
    }

    fn ledger(&self, per_minute: u32, per_hour: u32) -> RateLimiter {
        RateLimiter {
            dir: Dir::open(&self.0, None).expect("the directory").into(),
            app: APP.to_owned(),
            limits: Limits {
                per_minute: crate::config::Rate::whole(per_minute),
                per_hour,
            },
            view: RefCell::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.0.join("ledger")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).expect("the file is written");
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).expect("the file is read")
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn to(names: &str) -> Audience {
    Audience::of(Some(names), false)
}

impl RateLimiter {
    fn new_at(&self, names: &str, now: u64) -> Result<Slot, Duration> {
        self.reserve_at(&to(names), Share::New, None, PATIENCE, || {
            Stamp::of_wall(now)
        })
        .expect("the file can be used")
    }

    fn wait(&self, names: &str, now: u64) -> u64 {
        let wait = self.new_at(names, now).expect_err("no slot is free");
        u64::try_from(wait.as_millis()).expect("a short time")
    }
}

#[test]
fn recipients_are_members_in_lower_case_or_everyone() {
    assert_eq!(
        to("Li|zhang|LI| |zh\nang"),
        Audience::Members(vec!["li".into(), "zhang".into()])
    );
    for (touser, others) in [
        (Some("@all"), false),
        (Some("a|@ALL"), false),
        (Some("a"), true),
        (None, true),
        (None, false),
        (Some("|"), false),
    ] {
        assert_eq!(
            Audience::of(touser, others),
            Audience::Everyone,
            "{touser:?}"
        );
    }
}

#[test]
fn the_wait_ends_when_the_oldest_slot_of_the_window_expires() {
    let dir = TempDir::new();
    let ledger = dir.ledger(2, 3);
    assert!(ledger.new_at("a", NOW).is_ok());
    assert!(ledger.new_at("a", NOW + 10).is_ok());
    assert_eq!(ledger.wait("A|b", NOW + 20), MINUTE - 20);
    assert_eq!(ledger.wait("a", NOW + MINUTE - 1), 1);
    assert!(ledger.new_at("a", NOW + MINUTE).is_ok());
    assert_eq!(ledger.wait("a", NOW + 2 * MINUTE), HOUR - 2 * MINUTE);
    assert!(ledger.new_at("b", NOW + 20).is_ok());
}

#[test]
fn the_real_clock_is_in_milliseconds() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1000);
    let slot = ledger
        .reserve(&to("a"), Share::New, None, PATIENCE)
        .expect("the file can be used");
    assert!(slot.is_ok_and(|slot| slot.at.age(&Stamp::now()).is_some()));
    let wait = ledger
        .reserve(&to("a"), Share::New, None, PATIENCE)
        .expect("the file can be used")
        .expect_err("none is free");
    assert!(wait <= Duration::from_millis(MINUTE));
}

#[test]
fn threads_with_separate_opens_never_take_a_slot_twice() {
    let dir = TempDir::new();
    let got = |audience: Audience, share, now| {
        let taken = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let ledger = dir.ledger(30, 1000);
                    for _ in 0..40 {
                        let slot = ledger
                            .reserve_at(&audience, share, None, PATIENCE, || Stamp::of_wall(now));
                        let is_free = slot.expect("the file can be used").is_ok();
                        taken.fetch_add(usize::from(is_free), Ordering::Relaxed);
                    }
                });
            }
        });
        taken.into_inner()
    };
    assert_eq!(got(to("a"), Share::Backlog, NOW), 20);
    assert_eq!(got(to("a"), Share::New, NOW), 10);
    assert_eq!(got(Audience::Everyone, Share::New, NOW), 0);
    assert_eq!(got(to("b"), Share::New, NOW), 30);
    assert_eq!(got(Audience::Everyone, Share::New, NOW + MINUTE), 30);
    assert_eq!(got(to("c"), Share::New, NOW + MINUTE), 0);
}

#[test]
fn a_slot_given_back_is_free_and_settling_a_fast_request_writes_nothing() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1000);
    let slot = ledger.new_at("a", NOW).expect("a slot");
    ledger.give_back(slot);
    let slot = ledger.new_at("a", NOW).expect("it is free again");
    let before = dir.text();
    ledger.settle(slot);
    assert_eq!(dir.text(), before);
    assert_eq!(ledger.wait("a", NOW), MINUTE);
}

#[test]
fn the_slot_of_a_long_request_counts_from_its_end() {
    let dir = TempDir::new();
    let ledger = dir.ledger(2, 1000);
    let mut slot = ledger.new_at("a", NOW).expect("a slot");
    slot.taken -= ON_ITS_WAY;
    ledger.settle_at(slot, || Stamp::of_wall(NOW + 9000));
    assert!(ledger.new_at("a", NOW + 9001).is_ok(), "it counts once");
    assert_eq!(ledger.wait("a", NOW + MINUTE), 9000);
}

#[test]
fn after_the_clock_is_set_back_nothing_waits_longer_than_the_window() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1000);
    let _slot = ledger.new_at("a", NOW).expect("a slot");
    let back = NOW - 24 * HOUR;
    let mut forecast = ledger
        .forecast_at(Stamp::of_wall(back))
        .expect("the file is read");
    let next = unix_ms(forecast.next(&to("a"), Share::New, std::time::UNIX_EPOCH));
    assert_eq!(next, back + MINUTE);
    assert_eq!(ledger.wait("a", back), MINUTE);
    assert_eq!(
        ledger.wait("a", back + 1000),
        MINUTE - 1000,
        "as of the first look"
    );
    assert!(ledger.new_at("a", back + MINUTE).is_ok());
}

#[test]
fn the_forecast_comes_true() {
    let dir = TempDir::new();
    let ledger = dir.ledger(4, 20);
    let queue: Vec<_> = ["a", "b|a", "A", "@all", "c", "b", "a", "c|b|a", "a"]
        .iter()
        .cycle()
        .take(60)
        .collect();
    let at = |ms| std::time::UNIX_EPOCH + Duration::from_millis(ms);
    for now in [NOW - MINUTE / 2, NOW - 5, NOW - 5, NOW - 4] {
        let _slot = ledger.new_at("a", now);
        let _slot = ledger.reserve_at(&Audience::Everyone, Share::Backlog, None, PATIENCE, || {
            Stamp::of_wall(now)
        });
    }
    let mut forecast = ledger
        .forecast_at(Stamp::of_wall(NOW))
        .expect("the file is read");
    let mut now = NOW;
    for (count, names) in queue.into_iter().enumerate() {
        let share = if count % 3 == 0 {
            Share::New
        } else {
            Share::Backlog
        };
        let foreseen = forecast.next(&to(names), share, at(now));
        while let Err(wait) = ledger
            .reserve_at(&to(names), share, None, PATIENCE, || Stamp::of_wall(now))
            .expect("the file can be used")
        {
            now += u64::try_from(wait.as_millis()).expect("a short time");
        }
        assert_eq!(foreseen, at(now), "{count}: {names}");
    }
    assert!(now > NOW + HOUR, "both limits were met");
    let first = ledger
        .forecast_at(Stamp::of_wall(now))
        .expect("the file is read")
        .next(&to("z"), Share::New, at(now + HOUR));
    assert_eq!(first, at(now + HOUR), "not before it may");
}
