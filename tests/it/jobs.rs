//! Jobs that `run` watches: the one that did not run is told of once, and its return, too.

use std::process::Command;

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{
    Outcome, Run, SEND, Sandbox, Time, at_once, flush, refusal, set_up, sh, texts, waiting,
    with_robot,
};

/// Within which a look at the jobs counts as one of a host that is awake.
const HOUR: u64 = 3500;

/// A run that says nothing, of a job that is expected each day.
const DAILY: &str = "run --to lisi --on failure --title dump --every 1d";

fn alarms(standin: &Standin) -> Vec<String> {
    texts(standin, "lisi")
}

/// Lets hours pass, with a flush at the end of each.
fn hours(time: &Time<'_>, count: u64) {
    for _ in 0..count {
        time.pass(HOUR);
        time.wxpush("outbox flush").is_silent();
    }
}

fn job(time: &Time<'_>, options: &str, script: &str) -> Run {
    let run = time.wxpush(&format!("{DAILY} {options} -- sh -c"));
    run.arg(script).env("PATH", "/usr/bin:/bin")
}

/// The rows of `runs`, for a script.
fn rows(outcome: &Outcome) -> Vec<serde_json::Value> {
    let rows = outcome.stdout.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().expect("JSON")
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_job_that_did_not_run_is_told_of_once_and_its_return_too() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    job(&time, "", "true").exits(0);
    hours(&time, 25);
    assert_eq!(alarms(&standin), [""; 0], "its grace is not over");
    hours(&time, 30);
    let told = alarms(&standin);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("dump") && told[0].contains("没有按时运行"));
    // It succeeds, of which nobody would be told otherwise.
    job(&time, "", "true").exits(0);
    let told = alarms(&standin);
    assert!(told.len() == 2 && told[1].contains("恢复运行"), "{told:?}");
    job(&time, "", "true").exits(0);
    hours(&time, 20);
    assert_eq!(alarms(&standin).len(), 2);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn while_it_does_not_run_reminders_come_in_their_time_and_end_with_it() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    job(&time, "--remind 12h", "true").exits(0);
    hours(&time, 27);
    assert_eq!(alarms(&standin).len(), 1);
    hours(&time, 26);
    let told = alarms(&standin);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].contains("wxpush runs forget 'dump'"), "{told:?}");
    time.wxpush("runs forget dump").exits(0);
    hours(&time, 26);
    assert_eq!(alarms(&standin).len(), 3);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_keeps_failing_is_reminded_of_and_its_recovery_ends_that() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    let run = |script| {
        let run = time.wxpush("run --to lisi --on change --title raid --remind 6h -- sh -c");
        run.arg(script).env("PATH", "/usr/bin:/bin").run()
    };
    run("exit 1").exits(1);
    time.pass(HOUR);
    run("exit 1").exits(1);
    assert_eq!(alarms(&standin).len(), 1);
    hours(&time, 6);
    let told = alarms(&standin);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("连续 2 次"), "{told:?}");
    // A run that fails is a reminder, too, if it is time for one.
    time.pass(7 * 3600);
    run("exit 1").exits(1);
    assert_eq!(alarms(&standin).len(), 3);
    run("exit 2").exits(2);
    assert_eq!(alarms(&standin).len(), 4, "another failure is a change");
    run("exit 0").exits(0);
    hours(&time, 8);
    let told = alarms(&standin);
    assert!(told.len() == 5 && told[4].contains("恢复"), "{told:?}");
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_host_that_was_off_is_given_the_time_to_run_its_jobs() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    job(&time, "", "true").exits(0);
    hours(&time, 1);
    time.pass(10 * 86400);
    time.wxpush("outbox flush").is_silent();
    time.pass(60);
    time.wxpush("outbox flush").is_silent();
    assert_eq!(alarms(&standin), [""; 0]);
    // A clock that is stepped makes no day of an hour.
    time.stepped(3 * 86400, "outbox flush").is_silent();
    assert_eq!(alarms(&standin), [""; 0]);
    hours(&time, 3);
    assert_eq!(alarms(&standin).len(), 1);
}

#[test]
fn a_job_that_still_runs_when_it_is_due_is_told_of_as_such() {
    let (standin, sandbox) = set_up();
    let options = "--to lisi --on failure --title slow --every 1s --grace 1s";
    let mut slow = sh(&sandbox, options, "read line; true").command();
    let mut slow = slow.stdin(std::process::Stdio::piped()).spawn().unwrap();
    until_told(&standin, &sandbox, 1);
    let told = alarms(&standin);
    assert!(told[0].contains("还没有结束"), "{told:?}");
    let rows = rows(&sandbox.wxpush("runs --json").exits(0));
    assert_eq!(
        (&rows[0]["status"], &rows[0]["exit_code"]),
        (&"overdue".into(), &().into())
    );
    drop(slow.stdin.take());
    slow.wait().unwrap();
    flush(&sandbox).exits(0);
    assert_eq!(alarms(&standin).len(), 1);
}

/// Flushes until so many alarms have come.
fn until_told(standin: &Standin, sandbox: &Sandbox, count: usize) {
    for _ in 0..600 {
        flush(sandbox).exits(0);
        if alarms(standin).len() >= count {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no alarm comes");
}

#[test]
fn thirty_flushes_at_once_send_one_alarm() {
    let (standin, sandbox) = set_up();
    let options = "--to lisi --on failure --title dump --every 1s --grace 1s";
    sh(&sandbox, options, "true").exits(0);
    flush(&sandbox).exits(0);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    at_once(30, |_| sandbox.wxpush("outbox flush"));
    flush(&sandbox).exits(0);
    assert_eq!(alarms(&standin).len(), 1);
    assert_eq!(waiting(&sandbox).len(), 0);
}

#[test]
fn an_alarm_that_cannot_go_out_is_kept_and_goes_out_once() {
    let (standin, sandbox) = set_up();
    let options = "--to lisi --on failure --title dump --every 1s --grace 1s";
    sh(&sandbox, options, "true").exits(0);
    flush(&sandbox).exits(0);
    standin.always(SEND, refusal(60020));
    std::thread::sleep(std::time::Duration::from_millis(2100));
    for _ in 0..3 {
        flush(&sandbox);
    }
    assert_eq!(waiting(&sandbox).len(), 1);
    standin.mend();
    sandbox.wxpush("outbox retry --all").exits(0);
    flush(&sandbox).exits(0);
    assert_eq!(alarms(&standin).len(), 1);
}

#[test]
fn alarms_go_where_the_reports_go() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let options = "--robot ops --on failure --title dump --every 1s --grace 1s";
    sh(&sandbox, options, "true").exits(0);
    flush(&sandbox).exits(0);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    flush(&sandbox).exits(0);
    let company = standin.company();
    let told = company.group(ROBOT_KEY);
    assert!(told.len() == 1 && told[0].text.contains("dump"), "{told:?}");
}

#[test]
fn the_jobs_are_listed_checked_and_forgotten() {
    let (_standin, sandbox) = set_up();
    let watch = |name: &str, script: &str| {
        let options = format!("--to lisi --on success --every 1d --title {name}");
        sh(&sandbox, &options, script).run()
    };
    sandbox.wxpush("runs").exits(0);
    watch("good", "exit 0").exits(0);
    watch("bad", "exit 3").exits(3);
    // wxpush and the job are killed together.
    let mut killed = Command::new("sh");
    let line = format!(
        "exec {} run --title killed --every 1d -- sh -c 'kill -9 $PPID'",
        sandbox.path("wxpush").display()
    );
    Run::new({
        killed.args(["-c", &line]);
        killed
    })
    .env("PATH", "/usr/bin:/bin")
    .run();
    let rows = rows(&sandbox.wxpush("runs list --json").exits(0));
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["name"].as_str().unwrap(),
                row["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [("bad", "failing"), ("good", "fine"), ("killed", "killed")]
    );
    assert_eq!(
        (
            rows[0]["exit_code"].as_u64(),
            rows[0]["every"].as_u64(),
            rows[0]["grace"].as_u64()
        ),
        (Some(3), Some(86400), Some(3600))
    );
    let list = sandbox.wxpush("runs").exits(0);
    assert_eq!(list.stdout.lines().count(), 3);
    let check = sandbox.wxpush("check --json").run();
    let checks = check.json()["checks"].clone();
    let of_runs = checks
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["name"] == "runs");
    let statuses: Vec<_> = of_runs.map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["warning", "ok", "warning"]);
    sandbox.wxpush("runs forget bad").exits(0);
    sandbox
        .wxpush("runs forget bad")
        .exits(65)
        .says("no watched job");
    assert_eq!(sandbox.wxpush("runs").exits(0).stdout.lines().count(), 2);
}

#[test]
fn what_is_not_watched_leaves_nothing_behind_and_an_option_needs_its_other() {
    let (_standin, sandbox) = set_up();
    sh(&sandbox, "--to lisi", "true").exits(0);
    assert!(!sandbox.path("jobs").exists());
    sh(&sandbox, "--grace 1m", "true").exits(64).says("--every");
    sh(&sandbox, "--every 0s", "true").exits(64);
}

#[test]
fn a_job_runs_though_it_cannot_be_watched() {
    let (standin, sandbox) = set_up();
    sandbox.write("jobs", "in the way");
    let run = sh(&sandbox, "--to lisi --every 1d", "exit 4").exits(4);
    assert!(
        run.stderr.contains("a missing one is not reported"),
        "{}",
        run.stderr
    );
    assert_eq!(alarms(&standin).len(), 1);
    let flush = flush(&sandbox).exits(0);
    assert!(flush.stderr.contains("cannot be read"), "{}", flush.stderr);
}

#[test]
fn no_file_of_a_home_keeps_a_job_from_its_start() {
    let (_standin, sandbox) = set_up();
    let units = sandbox.path("home/.config/systemd/user");
    let wants = units.join("timers.target.wants");
    std::fs::create_dir_all(&wants).unwrap();
    let fifo = Command::new("mkfifo").arg(units.join("x.service")).status();
    assert!(fifo.unwrap().success());
    std::os::unix::fs::symlink("../x.timer", wants.join("x.timer")).unwrap();
    let home = sandbox.path("home").display().to_string();
    let run = sandbox.wxpush(&format!("{DAILY} -- sh -c"));
    let run = run.arg("echo started").env("HOME", &home);
    let run = run.env("XDG_CONFIG_HOME", format!("{home}/.config"));
    assert_eq!(run.exits(0).stdout, "started\n");
}
