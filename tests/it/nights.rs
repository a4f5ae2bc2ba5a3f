//! Days and nights in full length: watched jobs over reboots, clock steps and overlapping runs, and
//! quiet hours with all that lands in them. With `--nocapture` it tells what landed when.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a scenario, shown with --nocapture"
)]

use std::process::{Child, Stdio};

use chrono::{DateTime, Local, TimeDelta, Utc};

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{Run, Sandbox, Time, set_up, texts, waiting, with_robot};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// What a scenario has seen, told as it goes.
struct Night<'a> {
    standin: &'a Standin,
    time: Time<'a>,
    begun: DateTime<Utc>,
}

impl<'a> Night<'a> {
    fn new(standin: &'a Standin, sandbox: &'a Sandbox) -> Self {
        Self {
            standin,
            time: Time::new(standin, sandbox),
            begun: Utc::now(),
        }
    }

    /// The time of the scenario.
    fn now(&self) -> DateTime<Utc> {
        self.begun + TimeDelta::seconds(self.time.passed().cast_signed())
    }

    /// Tells what has landed.
    fn tell(&self, landed: &str) {
        let minutes = self.time.passed() / MINUTE;
        let landed = landed.replace('\n', " | ");
        println!("  {:3}:{:02} h: {landed}", minutes / 60, minutes % 60);
    }

    /// The alarms so far, the last of them told with its time.
    fn alarms(&self) -> Vec<String> {
        texts(self.standin, "lisi")
    }

    /// Lets minutes pass, with a flush every so many, and returns after which of them something
    /// landed.
    fn watch(&self, minutes: u64, every: u64) -> Vec<u64> {
        let mut landed = Vec::new();
        for minute in (every..=minutes).step_by(usize::try_from(every).unwrap()) {
            let before = self.alarms().len();
            self.time.pass(every * MINUTE);
            self.time.wxpush("outbox flush").exits(0);
            for alarm in self.alarms().split_off(before) {
                self.tell(&alarm);
                landed.push(minute);
            }
        }
        landed
    }

    fn job(&self, options: &str, script: &str) -> Run {
        let run = format!("run --to lisi --on failure --title dump {options} -- sh -c");
        let run = self.time.wxpush(&run).arg(script);
        run.env("PATH", "/usr/bin:/bin")
    }

    fn begin(&self, options: &str) -> Child {
        let mut command = self.job(options, "read line; true").command();
        command.stdin(Stdio::piped()).spawn().unwrap()
    }
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn of_runs_that_overlap_the_last_start_counts_and_one_alarm_says_that_it_still_runs() {
    let (standin, sandbox) = set_up();
    let night = Night::new(&standin, &sandbox);
    println!("overlapping runs, --every 2h --grace 10m");
    let options = "--every 2h --grace 10m";
    let mut first = night.begin(options);
    while !sandbox.path("jobs").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(night.watch(60, 10), [0; 0]);
    night.job(options, "true").exits(0);
    // By its first start it would be overdue; then by its second.
    assert_eq!(night.watch(180, 10), [130]);
    assert!(
        night.alarms()[0].contains("还没有结束"),
        "{:?}",
        night.alarms()
    );
    drop(first.stdin.take());
    first.wait().unwrap();
    night.job(options, "true").exits(0);
    let told = night.alarms();
    assert!(
        told.len() == 2 && told[1].contains("恢复运行，晚了 1 小时"),
        "{told:?}"
    );
}

#[test]
#[ignore = "needs faketime, and root: a time namespace, and mounts"]
fn a_reboot_gives_a_job_its_grace_and_repeats_no_alarm() {
    let (standin, sandbox) = set_up();
    let night = Night::new(&standin, &sandbox);
    println!("reboots, --every 1d --remind 12h");
    let options = "--every 1d --remind 12h";
    night.job(options, "true").exits(0);
    assert_eq!(night.watch(5 * 60, 30), [0; 0]);
    // Off for 30 hours, in which it was due.
    night.time.pass(30 * HOUR);
    night.time.reboot();
    assert_eq!(
        night.watch(3 * 60, 30),
        [90],
        "an hour of grace, once it is awake"
    );
    night.time.reboot();
    assert_eq!(night.watch(10 * 60, 30), [0; 0]);
    assert_eq!(
        night.watch(4 * 60, 30).len(),
        1,
        "a reminder, 12 hours after the alarm"
    );
    night.job(options, "true").exits(0);
    let told = night.alarms();
    night.tell(&told[2]);
    assert!(
        told.len() == 3 && told[2].contains("恢复运行，晚了 1 天 4 小时"),
        "{told:?}"
    );
    assert_eq!(night.watch(20 * 60, 60), [0; 0]);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn steps_of_the_clock_make_no_job_late_and_none_early() {
    for days in [-400, -3, 3, 400_i64] {
        let (standin, sandbox) = set_up();
        let night = Night::new(&standin, &sandbox);
        println!("the clock {days} days off from the second hour to the fourth, --every 6h");
        night.job("--every 6h --grace 30m", "true").exits(0);
        for hour in 1..=4 {
            night.time.pass(HOUR - MINUTE);
            let ahead = if (2..4).contains(&hour) {
                days * 86_400
            } else {
                0
            };
            night.time.stepped(ahead, "outbox flush").exits(0);
        }
        assert_eq!(night.alarms(), [""; 0], "{days}");
        let landed = night.watch(4 * 60, 10);
        assert!(
            landed.len() == 1 && (150..=170).contains(&landed[0]),
            "{days}: {landed:?}"
        );
    }
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn an_alarm_of_the_night_waits_for_the_morning_unless_the_job_is_urgent() {
    for (urgent, hour) in [("", 10), ("--urgent", 3)] {
        let (standin, sandbox) = set_up();
        let at = |hours| {
            (Local::now() + TimeDelta::hours(hours))
                .format("%H:%M")
                .to_string()
        };
        sandbox.configure(&format!("quiet = \"{}-{}\"", at(1), at(10)));
        let night = Night::new(&standin, &sandbox);
        println!("quiet from the first hour to the tenth, --every 2h --grace 1h {urgent}");
        let options = format!("--every 2h --grace 1h {urgent}");
        night.job(&options, "true").exits(0);
        let landed = night.watch(12 * 60, 10);
        let first = landed.first().copied().unwrap_or_default();
        assert_eq!(landed.len(), 1, "{landed:?}");
        assert!((hour * 60..hour * 60 + 20).contains(&first), "{landed:?}");
    }
}

/// Sends into a night of Berlin that has a change of the clock, and says when things land, as the
/// clock on the wall has it.
fn berlin(evening: &str, changed: i64) {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.configure("quiet = \"23:00-07:30\"");
    sandbox.append("\n[profiles.loud]\nquiet = \"\"\n");
    let night = Night::new(&standin, &sandbox);
    let start = DateTime::parse_from_rfc3339(evening).unwrap();
    // A minute more: the morning must not hang on a second.
    let until = (start.to_utc() - night.now()).num_seconds() + 60;
    night.time.pass(u64::try_from(until).unwrap());
    println!("23:00-07:30 in Berlin, from {evening}");
    let wxpush = |args: &str| {
        let run = night.time.wxpush(args);
        run.env("TZ", "Europe/Berlin").exits(0)
    };
    for number in 0..3 {
        let held = wxpush(&format!("send --json --to lisi held-{number}")).json();
        let until = held["until"].as_str().unwrap();
        assert!(until.contains("T07:30:00"), "{until}");
    }
    wxpush("send --robot ops by-the-robot");
    wxpush("send --to lisi --urgent urgent");
    wxpush("send -p loud --to lisi loud");
    let list = wxpush("outbox list --json").stdout;
    assert_eq!(list.matches("\"waits_for\":\"quiet\"").count(), 4, "{list}");
    let mut landed = Vec::new();
    for half_hour in 1..=20 {
        let count = || {
            let group = standin.company().group(ROBOT_KEY).len();
            texts(&standin, "lisi").len() + group
        };
        let before = count();
        night.time.pass(30 * MINUTE);
        wxpush("outbox flush");
        if count() > before {
            landed.push(half_hour);
        }
    }
    // Eight hours, one more or one less.
    assert_eq!(landed, [16 + 2 * changed]);
    let read = texts(&standin, "lisi");
    println!("  after {} half hours: {read:?}", landed[0]);
    assert!(
        read.len() == 3 && read[2].starts_with("[合并] 3 条"),
        "{read:?}"
    );
    assert_eq!(standin.company().group(ROBOT_KEY).len(), 1);
    assert_eq!(waiting(&sandbox).len(), 0);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn the_nights_in_which_the_clock_is_changed_end_when_it_shows_the_end() {
    berlin("2027-03-27T23:30:00+01:00", -1);
    berlin("2027-10-30T23:30:00+02:00", 1);
    berlin("2027-01-15T23:30:00+01:00", 0);
}
