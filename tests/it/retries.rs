//! How often WeCom is asked while it does not answer well: spread, few, and by one for all.

use std::time::{Duration, SystemTime};

use crate::standin::{Fault, Standin};
use crate::support::{
    FLOOR, GETTOKEN, Outcome, SEND, Sandbox, at_once, config, failed, for_each, hire, set_up,
    waiting,
};

/// The processes of one minute of cron.
const CROWD: usize = 60;

/// When the requests of a path came, after the first.
fn times(standin: &Standin, path: &str) -> Vec<Duration> {
    let requests = standin.requests();
    let times: Vec<SystemTime> = requests
        .iter()
        .filter(|request| request.endpoint() == path)
        .map(|request| request.at)
        .collect();
    let first = times.iter().min().copied();
    let first = first.unwrap_or(SystemTime::UNIX_EPOCH);
    let since = |at: &SystemTime| at.duration_since(first).unwrap();
    times.iter().map(since).collect()
}

/// So many sends at once, each to a member of its own.
fn crowd(standin: &Standin, sandbox: &Sandbox, timeout: &str) -> Vec<Outcome> {
    let _floor = FLOOR.lock();
    let names = hire(standin, CROWD);
    at_once(CROWD, |number| {
        let run = sandbox.send(&format!("crowd {number}."));
        run.args(&["--to", &names[number], "--timeout", timeout])
    })
}

/// How many of the crowd's messages are on a phone.
fn arrived(standin: &Standin) -> usize {
    let company = standin.company();
    company.phones.all().count()
}

#[test]
fn one_send_makes_six_tries_at_most_in_half_a_minute() {
    let faults = [
        Fault::html(502),
        Fault::html(503),
        Fault::CutBefore,
        Fault::Errcode(45033, String::new()),
        Fault::Errcode(6000, String::new()),
        Fault::Errcode(81026, String::new()),
    ];
    let table = faults
        .into_iter()
        .flat_map(|fault| [(GETTOKEN, fault.clone()), (SEND, fault)]);
    for_each(table, |(at, fault)| {
        let (standin, sandbox) = set_up();
        standin.always(at, fault.clone());
        let outcome = sandbox.wxpush("send --to lisi --timeout 30s x").run();
        outcome.exits(75);
        let tries = times(&standin, at);
        assert!(
            (2..=6).contains(&tries.len()),
            "{fault:?} at {at}: {tries:?}"
        );
        assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (1, 0));
    });
}

#[test]
fn the_tries_of_a_cron_minute_are_spread_and_no_crowd_comes_at_its_end() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("token refresh").exits(0);
    standin.always(SEND, Fault::html(502));
    let outcomes = crowd(&standin, &sandbox, "30s");
    assert!(
        outcomes.iter().all(|it| it.code == Some(75)),
        "{outcomes:?}"
    );
    let times = times(&standin, SEND);
    assert!(times.len() <= 6 * CROWD, "{} requests", times.len());
    let end = times.iter().max().unwrap();
    let last = times
        .iter()
        .filter(|at| **at + Duration::from_secs(1) >= *end);
    let last = last.count();
    // A tenth of them; with slack, since the end is itself by chance.
    assert!(
        last * 100 <= times.len() * 12,
        "{last} of {} in the last second",
        times.len()
    );
    assert_eq!(waiting(&sandbox).len(), CROWD);
    standin.mend();
    sandbox.wxpush("outbox flush --wait").exits(0);
    assert_eq!(arrived(&standin), CROWD);
}

#[test]
fn one_process_asks_for_a_token_and_its_failure_is_every_ones() {
    for_each([Fault::html(502), Fault::CutBefore], |fault| {
        let (standin, sandbox) = set_up();
        standin.always(GETTOKEN, fault.clone());
        let outcomes = crowd(&standin, &sandbox, "8s");
        assert!(outcomes.iter().all(|it| it.code == Some(75)), "{fault:?}");
        let calls = standin.count(GETTOKEN);
        assert!(calls <= 15, "{fault:?}: {calls} calls of gettoken");
        assert_eq!(standin.count(SEND), 0);
        assert_eq!(waiting(&sandbox).len(), CROWD);
        // A failure that is shared is forgotten soon.
        standin.mend();
        sandbox.wxpush("outbox flush --wait").exits(0);
        assert_eq!(arrived(&standin), CROWD, "{fault:?}");
    });
}

#[test]
fn a_token_that_comes_in_time_is_every_ones() {
    let (standin, sandbox) = set_up();
    standin.script(GETTOKEN, vec![Fault::html(502); 2]);
    let outcomes = crowd(&standin, &sandbox, "30s");
    let sent = outcomes.iter().filter(|it| it.code == Some(0)).count();
    assert_eq!(sent, CROWD, "two failures cost nobody his message");
    assert!(standin.count(GETTOKEN) <= 3, "{}", standin.count(GETTOKEN));
    assert_eq!(arrived(&standin), CROWD);
}

#[test]
fn a_slow_gettoken_that_fails_is_waited_for_by_all_and_asked_for_by_one() {
    let (standin, sandbox) = set_up();
    standin.always(GETTOKEN, Fault::Hang);
    let outcomes = crowd(&standin, &sandbox, "8s");
    assert!(
        outcomes.iter().all(|it| it.code == Some(75)),
        "{outcomes:?}"
    );
    assert!(standin.count(GETTOKEN) <= 15, "{}", standin.count(GETTOKEN));
    assert_eq!(waiting(&sandbox).len(), CROWD);
}

#[test]
fn a_minute_of_cron_without_a_network_leaves_a_process_in_time() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    let outcomes = at_once(20, |number| {
        sandbox.wxpush(&format!("send --to lisi --timeout 3s number {number}"))
    });
    for outcome in outcomes {
        let time = outcome.time;
        outcome.exits(75);
        assert!(time < Duration::from_secs(10), "{time:?}");
    }
    assert_eq!(waiting(&sandbox).len(), 20);
}
