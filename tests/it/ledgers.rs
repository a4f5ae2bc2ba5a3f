//! Never more than WeCom delivers to one member, whatever has become of the ledger that counts it.

use std::collections::BTreeSet;
use std::fs;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::{
    Outcome, Run, SEND, Sandbox, Time, at_once, await_count, failed, for_each, markdown_to,
    plant_bodies, set_up, texts, waiting,
};

/// The messages that one member gets at once; WeCom delivers thirty of them.
const CROWD: usize = 45;

/// Holds that WeCom has dropped nothing, and that what isn't on the phone waits.
#[track_caller]
fn none_is_lost(standin: &Standin, sandbox: &Sandbox, accepted: usize, what: &str) {
    let dropped = standin.company().phones.dropped;
    let landed = texts(standin, "lisi").len();
    assert_eq!(dropped, 0, "{what}: {landed} landed");
    assert!(landed <= 30, "{what}: {landed} landed within a minute");
    assert_eq!(landed + waiting(sandbox).len(), accepted, "{what}");
    assert_eq!(failed(sandbox), [""; 0], "{what}");
}

/// Sends them all at once, of a kind that is never sent together with others; each is delivered, or kept.
fn crowd(run: impl Fn(usize) -> Run) -> Vec<Outcome> {
    let outcomes = at_once(CROWD, |number| {
        run(number).args(&["--markdown", "--to", "lisi", "--timeout", "3s"])
    });
    for outcome in &outcomes {
        assert!(matches!(outcome.code, Some(0 | 75)), "{outcome:?}");
    }
    outcomes
}

#[test]
fn without_the_lock_of_the_ledger_nobody_gets_too_much() {
    let (standin, sandbox) = set_up();
    sandbox.wxpush("send --to lisi first").is_silent();
    let ledger = File::open(sandbox.path("ledger")).unwrap();
    ledger.lock().unwrap();
    crowd(|number| sandbox.send(&format!("number {number}")));
    none_is_lost(&standin, &sandbox, CROWD + 1, "held");
    let bodies = (0..40).map(|number| markdown_to("lisi", &format!("old {number}")));
    plant_bodies(&sandbox, &standin.base(), bodies);
    sandbox.wxpush("outbox flush --timeout 5s").run();
    none_is_lost(&standin, &sandbox, CROWD + 41, "held while it flushes");
    // A script that wants nothing kept is told that nothing went.
    let alone = at_once(35, |number| {
        let send = format!("send --no-outbox --to lisi --timeout 3s alone {number}");
        sandbox.wxpush(&send)
    });
    let went = alone.iter().filter(|it| it.code == Some(0)).count();
    none_is_lost(
        &standin,
        &sandbox,
        CROWD + 41 + went,
        "held, and nothing kept",
    );
    drop(ledger);
    sandbox.wxpush("outbox flush").run();
    none_is_lost(&standin, &sandbox, CROWD + 41 + went, "let go");
    assert!(texts(&standin, "lisi").len() > 1, "then it goes on");
}

/// What is done to the state that a ledger lies in.
type Harm = (&'static str, fn(&Sandbox));

#[test]
fn a_ledger_in_strange_surroundings_counts_all_the_same_or_lets_nothing_pass() {
    let harms: [Harm; 6] = [
        ("linked", |sandbox| {
            fs::hard_link(sandbox.path("ledger"), sandbox.path("ledger.backup")).unwrap();
        }),
        ("backed up by links", |sandbox| {
            let mut copy = Command::new("cp");
            copy.arg("-al")
                .args(["outbox", "ledger", "token_cache.json"]);
            fs::create_dir(sandbox.path("backup")).unwrap();
            let status = copy.arg("backup").current_dir(sandbox.path("")).status();
            assert!(status.unwrap().success());
        }),
        ("in place of a directory", |sandbox| {
            fs::remove_file(sandbox.path("ledger")).unwrap();
            fs::create_dir(sandbox.path("ledger")).unwrap();
        }),
        ("behind a link", |sandbox| {
            fs::rename(sandbox.path("ledger"), sandbox.path("elsewhere")).unwrap();
            std::os::unix::fs::symlink("elsewhere", sandbox.path("ledger")).unwrap();
        }),
        ("of junk", |sandbox| {
            sandbox.write("ledger", [b'x', 0xff, 0, b'\n'].repeat(1000));
        }),
        ("deleted", |sandbox| {
            fs::remove_file(sandbox.path("ledger")).unwrap();
        }),
    ];
    for_each(harms, |(what, harm)| {
        let (standin, sandbox) = set_up();
        // Of another member's: what is forgotten with it concerns nobody here.
        sandbox.wxpush("send --to wangwu first").is_silent();
        harm(&sandbox);
        crowd(|number| sandbox.send(&format!("number {number}")));
        none_is_lost(&standin, &sandbox, CROWD, what);
    });
}

#[test]
fn one_app_has_one_ledger_however_its_address_is_spelled() {
    let (standin, sandbox) = set_up();
    let base = standin.base();
    let named = base.replace("127.0.0.1", "localhost");
    let spellings = [
        base.clone(),
        format!("{base}/"),
        base.replace("http", "HTTP"),
        named.replace("localhost", "LOCALHOST"),
        named,
    ];
    for spelling in &spellings {
        let run = sandbox.send(spelling).args(&["--to", "wangwu"]);
        run.env("WXPUSH_API_BASE", spelling).exits(0);
    }
    crowd(|number| {
        let spelling = &spellings[number % spellings.len()];
        let run = sandbox.send(&format!("number {number}"));
        run.env("WXPUSH_API_BASE", spelling)
    });
    none_is_lost(&standin, &sandbox, CROWD, "five spellings");
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_wecom_takes_after_we_gave_up_counts_from_then() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    standin.company().phones.match_unflagged = true;
    sandbox.wxpush("token refresh").exits(0);
    let late = Duration::from_secs(12);
    // More than one: so many slots are freed too early by a process that counts from the start.
    for _ in 0..5 {
        standin.script(SEND, [Fault::Late(late)]);
    }
    let outcomes = at_once(5, |number| {
        let send = format!("send --to lisi --timeout 5s --no-outbox late {number}");
        sandbox.wxpush(&send)
    });
    assert!(
        outcomes.iter().all(|it| it.code == Some(75)),
        "{outcomes:?}"
    );
    await_count(&standin, SEND, 5);
    while texts(&standin, "lisi").len() < 5 {
        std::thread::sleep(Duration::from_millis(50));
    }
    for number in 0..25 {
        let send = format!("send --to lisi --timeout 2s --no-outbox number {number}");
        sandbox.wxpush(&send).run();
    }
    let landed = texts(&standin, "lisi").len();
    // Some 65 s after the first of them left, and 50 after it was taken.
    for passed in [50, 3, 3] {
        time.pass(passed);
        for number in 0..10 {
            let send = format!("send --to lisi --timeout 1s --no-outbox then {passed} {number}");
            time.wxpush(&send).run();
        }
        assert_eq!(standin.company().phones.dropped, 0, "after {passed} s");
    }
    assert!(
        landed >= 25,
        "{landed}: the slots of doubt are held, and no others"
    );
    time.pass(70);
    time.wxpush("send --to lisi again").is_silent();
    let all = texts(&standin, "lisi");
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(all.len(), different.len(), "none twice: {all:?}");
}
