//! Runs at another time: as if hours had passed, or under a clock that somebody has set wrong.

use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

use crate::standin::Standin;
use crate::support::{Run, Sandbox, set_up};

/// What gives a program another clock on the wall.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// The lines of `env` before a program whose clock on the wall shows this, in libfaketime's words.
fn wall(shows: &str) -> [String; 4] {
    [
        format!("LD_PRELOAD={FAKETIME}"),
        format!("FAKETIME={shows}"),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "DONT_FAKE_MONOTONIC=1".to_owned(),
    ]
}

/// The program under a clock on the wall that was stepped: `+2h`, `-5d`, `@1970-01-01 00:05:00`.
///
/// The clock of the boot goes on as it was.
pub(crate) fn stepped(sandbox: &Sandbox, shows: &str, args: &str) -> Run {
    let mut command = Command::new("/usr/bin/env");
    command.args(wall(shows));
    command.arg(sandbox.path("wxpush"));
    command.args(args.split_whitespace());
    Run::new(command)
}

/// Time that passes for the program and for WeCom, and takes the test none.
pub(crate) struct Time<'a> {
    standin: &'a Standin,
    sandbox: &'a Sandbox,
    passed: Cell<u64>,
    boots: Cell<u32>,
}

impl<'a> Time<'a> {
    /// Time of which none has passed yet.
    pub(crate) fn new(standin: &'a Standin, sandbox: &'a Sandbox) -> Self {
        let passed = Cell::new(0);
        Self {
            standin,
            sandbox,
            passed,
            boots: Cell::new(0),
        }
    }

    /// Lets so many seconds pass.
    pub(crate) fn pass(&self, seconds: u64) {
        self.passed.set(self.passed.get() + seconds);
        self.standin.advance(Duration::from_secs(seconds));
    }

    /// The seconds that have passed.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.get()
    }

    /// Has the machine start anew: what runs from now on finds another boot.
    pub(crate) fn reboot(&self) {
        self.boots.set(self.boots.get() + 1);
        let id = format!("{:08x}-0000-4000-8000-000000000000\n", self.boots.get());
        self.sandbox.write("boot_id", id);
    }

    /// The program at the time that it is by now, on every clock of its machine.
    pub(crate) fn wxpush(&self, args: &str) -> Run {
        self.stepped(0, args)
    }

    /// The same with the clock on the wall so many seconds ahead, or behind.
    pub(crate) fn stepped(&self, ahead: i64, args: &str) -> Run {
        let passed = self.passed.get();
        let shows = format!("{:+}s", passed.cast_signed() + ahead);
        let passed = passed.to_string();
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--time", "--mount", "--fork", "--kill-child"]);
        command.args(["--boottime", &passed, "--monotonic", &passed]);
        if self.boots.get() > 0 {
            let script =
                "mount --bind \"$1\" /proc/sys/kernel/random/boot_id && shift && exec \"$@\"";
            command.args(["/bin/sh", "-c", script, "reboot"]);
            command.arg(self.sandbox.path("boot_id"));
        }
        command.arg("/usr/bin/env").args(wall(&shows));
        command.arg(self.sandbox.path("wxpush"));
        command.args(args.split_whitespace());
        Run::new(command)
    }
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn another_time_is_told_by_every_clock_and_a_step_by_one() {
    let (standin, sandbox) = set_up();
    sandbox.send("now").is_silent();
    let age = |run: Run| {
        let log = sandbox.read("wxpush.log").len();
        run.is_silent();
        let log = sandbox.read("wxpush.log").split_off(log);
        let at = log.split_whitespace().next().unwrap().to_owned();
        let at = chrono::DateTime::parse_from_rfc3339(&at).unwrap();
        (at.to_utc() - chrono::Utc::now()).num_minutes()
    };
    let hours = age(stepped(&sandbox, "-5h", "send stepped"));
    assert!((-301..=-299).contains(&hours), "{hours}");
    let time = Time::new(&standin, &sandbox);
    time.pass(7200);
    let hours = age(time.wxpush("send passed"));
    assert!((119..=121).contains(&hours), "{hours}");
}
