//! A flush that has several requests under way: order, refusals, kills, and what each message costs.

use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::{
    MEMBERS, SEND, Sandbox, await_count, bodies, failed, flush, for_each, leaves_some, markdown_to,
    plant_bodies, refusal, set_up, texts, waiting,
};

/// Most requests under way at once.
const LANES: usize = 3;

/// Puts so many messages into the outbox, to these members in turn.
fn plant(standin: &Standin, sandbox: &Sandbox, count: usize, members: &[&str]) {
    let members = members.iter().cycle();
    let bodies = (0..count).zip(members);
    let bodies = bodies.map(|(number, member)| markdown_to(member, &format!("number {number:03}")));
    plant_bodies(sandbox, &standin.base(), bodies);
}

#[test]
fn however_slow_one_answer_is_each_member_reads_in_order_and_others_go_ahead() {
    let (standin, sandbox) = set_up();
    let members = &MEMBERS[..6];
    plant(&standin, &sandbox, 36, members);
    standin.judge(|request| {
        let is_slow = request.json()["touser"] == "lisi";
        is_slow.then_some(Fault::Delay(Duration::from_millis(300)))
    });
    flush(&sandbox).is_silent();
    for (at, member) in members.iter().enumerate() {
        let numbers = (at..36).step_by(members.len());
        let numbers: Vec<String> = numbers.map(|it| format!("number {it:03}")).collect();
        assert_eq!(texts(&standin, member), numbers, "{member}");
    }
    assert_eq!(standin.connections(), LANES);
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn what_is_for_one_member_or_for_all_is_never_under_way_together() {
    for_each(
        [
            ["lisi", "lisi"],
            ["lisi", "lisi|wangwu"],
            ["@all", "wangwu"],
        ],
        |to| {
            let (standin, sandbox) = set_up();
            plant(&standin, &sandbox, 8, &to);
            standin.judge(|_| Some(Fault::Delay(Duration::from_millis(50))));
            flush(&sandbox).is_silent();
            assert_eq!(standin.connections(), 1, "{to:?}");
        },
    );
}

#[test]
fn a_refusal_among_several_requests_ends_them_and_buries_none() {
    let faults = [
        refusal(45009),
        refusal(60020),
        refusal(-1),
        Fault::html(502),
        Fault::CutBefore,
    ];
    for_each(faults, |fault| {
        let (standin, sandbox) = set_up();
        plant(&standin, &sandbox, MEMBERS.len(), &MEMBERS);
        let given = fault.clone();
        standin.judge(move |request| {
            let to = request.json()["touser"].clone();
            let passes = MEMBERS[..5].iter().any(|member| to == *member);
            (request.endpoint() == SEND && !passes).then(|| given.clone())
        });
        leaves_some(&flush(&sandbox));
        // One that passes among them begins a new row of refusals.
        let asked = standin.count(SEND);
        assert!(asked <= 5 + 2 * LANES, "{fault:?}: {asked}");
        let landed = MEMBERS.iter().filter(|it| !texts(&standin, it).is_empty());
        assert_eq!(landed.count(), 5, "{fault:?}");
        let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
        assert_eq!(kept, (MEMBERS.len() - 5, 0), "{fault:?}");
    });
}

#[test]
fn requests_whose_token_is_refused_are_made_again_in_order() {
    let (standin, sandbox) = set_up();
    plant(&standin, &sandbox, 24, &MEMBERS[..4]);
    // The probe passes, then all that are under way are refused.
    let ended = std::iter::repeat_n(refusal(42001), LANES);
    standin.script(
        SEND,
        [Fault::Delay(Duration::ZERO)].into_iter().chain(ended),
    );
    flush(&sandbox).is_silent();
    for (at, member) in MEMBERS[..4].iter().enumerate() {
        let numbers: Vec<String> = (at..24)
            .step_by(4)
            .map(|it| format!("number {it:03}"))
            .collect();
        assert_eq!(texts(&standin, member), numbers, "{member}");
    }
}

#[test]
fn killed_with_several_requests_under_way_a_flush_loses_none_and_doubles_none() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    plant(&standin, &sandbox, 8, &MEMBERS[..8]);
    standin.judge(|request| {
        let is_probe = request.json()["touser"] == MEMBERS[0];
        (request.endpoint() == SEND && !is_probe).then_some(Fault::HangProcessed)
    });
    let mut started = sandbox.wxpush("outbox flush").start();
    await_count(&standin, SEND, 1 + LANES);
    started.child.kill().unwrap();
    started.wait();
    assert_eq!(waiting(&sandbox).len(), 7, "the probe is delivered");
    standin.mend();
    flush(&sandbox).is_silent();
    for (at, member) in MEMBERS[..8].iter().enumerate() {
        assert_eq!(texts(&standin, member), [format!("number {at:03}")]);
    }
    let flagged = bodies(&standin);
    let flagged = flagged
        .iter()
        .filter(|it| it["enable_duplicate_check"] == 1);
    assert_eq!(flagged.count(), LANES, "those in doubt, and no others");
    assert!(waiting(&sandbox).is_empty() && failed(&sandbox).is_empty());
}

#[cfg(target_arch = "x86_64")]
#[test]
#[ignore = "needs leave to trace"]
fn what_a_message_costs_does_not_grow_with_how_many_wait_or_were_sent() {
    use crate::support::tracer::{Act, Call, trace};
    let costs = [40, 80, 160].map(|count| {
        let (standin, sandbox) = set_up();
        plant(&standin, &sandbox, count, &MEMBERS);
        let traced = trace(&sandbox, &["outbox", "flush"], Act::Watch);
        assert_eq!((traced.code, &*traced.stderr), (Some(0), ""));
        traced.calls
    });
    let [few, some, many] = costs.each_ref().map(Vec::len);
    // From 40 to 80, and from 80 to 160: twice as many, with what chance adds to waits.
    assert!(many - some <= (some - few) * 23 / 10, "{few} {some} {many}");
    assert!(many <= 160 * 60, "{many}");
    let syncs = |calls: &[Call]| calls.iter().filter(|it| it.point.name() == "fsync").count();
    let syncs = costs.each_ref().map(|calls| syncs(calls));
    assert!(syncs[2] <= 160 / 10, "{syncs:?}");
    let ledger = |calls: &[Call]| -> u64 {
        let calls = calls.iter().filter(|it| it.point.name() == "pread64");
        let of_ledger = calls.filter(|it| it.file.ends_with("ledger"));
        of_ledger.map(|it| it.size).sum()
    };
    let bytes = costs.each_ref().map(|calls| ledger(calls));
    assert!(bytes[2] <= 160 * 1024, "{bytes:?}");
}
