//! One message that does not pass, among others that do: it waits by itself, the others arrive.

use std::sync::atomic::Ordering;

use crate::standin::{Fault, Standin};
use crate::support::{
    APPCHAT, GETTOKEN, MEMBERS, Poison, SEND, UNKNOWN, UPLOAD, all_texts, entry_of, failed, flush,
    for_each, here, keep_poison, leaves_some, now, other, pdf, poison, put, queue, read_by, reads,
    refusal, set_up, text_to, texts, waiting,
};

/// The messages beside the one that does not pass.
const OTHERS: u64 = 50;

/// How many of the others are on a phone, each of them once.
#[track_caller]
fn arrived(standin: &Standin) -> usize {
    let all = all_texts(standin).concat();
    let copies = (0..200).map(|number| all.matches(&other(number)).count());
    let copies: Vec<usize> = copies.collect();
    assert!(copies.iter().all(|copies| *copies <= 1), "twice: {all}");
    copies.iter().sum()
}

/// The seven kinds of what held up a whole backlog.
fn kinds() -> Vec<Poison> {
    let member = "send --to lisi poison";
    let file = "send --to lisi --file poison.pdf";
    let mut kinds = vec![
        ("send --chat ops poison", APPCHAT, refusal(48002)),
        (member, SEND, refusal(-1)),
        (member, SEND, refusal(UNKNOWN)),
        (member, SEND, Fault::html(403)),
        (member, SEND, Fault::html(500)),
    ];
    for code in [60011, 60021, 50002, 92000, 43004, 43009] {
        kinds.push((member, SEND, refusal(code)));
    }
    for status in [413, 404, 502] {
        kinds.push((file, UPLOAD, Fault::html(status)));
    }
    kinds
}

fn the_others_arrive_past(poisoned: Poison, before: u64) {
    let (args, at, fault) = poisoned;
    let what = format!("{args} gets {fault:?} behind {before}");
    let (standin, sandbox) = set_up();
    let members: Vec<&str> = MEMBERS.into_iter().filter(|it| *it != "lisi").collect();
    keep_poison(&standin, &sandbox, args, at);
    let poison_id = waiting(&sandbox);
    for (number, member) in (0..before).zip(members.iter().cycle()) {
        let body = text_to(member, &other(OTHERS + number));
        let at = (now() - 60) * 1000 + number;
        let (name, bytes) = entry_of(at, &standin.base(), 100 + number, &body);
        put(&sandbox, &name, bytes);
    }
    queue(&sandbox, &standin, 0..OTHERS - before, &members);
    let asked = poison(&standin, at, fault);
    let first = flush(&sandbox);
    assert_eq!(arrived(&standin), 50, "{what}: {}", first.stderr);
    assert!(asked.load(Ordering::SeqCst) <= 1, "{what}: {asked:?}");
    assert_eq!([waiting(&sandbox), failed(&sandbox)].concat(), poison_id);
    if failed(&sandbox).is_empty() {
        leaves_some(&first);
    }
    // It waits for a minute, or has been given up.
    for _ in 0..2 {
        flush(&sandbox);
    }
    assert!(asked.load(Ordering::SeqCst) <= 1, "{what}: {asked:?}");
    assert_eq!(arrived(&standin), 50, "{what}");
}

#[test]
fn fifty_others_arrive_in_one_flush_past_what_comes_first_and_does_not_pass() {
    for_each(kinds(), |kind| the_others_arrive_past(kind, 0));
}

#[test]
fn fifty_others_arrive_in_one_flush_past_what_is_among_them_and_does_not_pass() {
    for_each(kinds(), |kind| the_others_arrive_past(kind, 19));
}

#[test]
fn what_is_for_the_same_member_goes_ahead_of_what_does_not_pass() {
    for_each([403, 500, 413], |status| {
        let (standin, sandbox) = set_up();
        keep_poison(&standin, &sandbox, "send --to lisi poison", SEND);
        queue(&sandbox, &standin, 0..2, &["lisi"]);
        poison(&standin, SEND, Fault::html(status));
        leaves_some(&flush(&sandbox));
        reads(&standin, "lisi", &[other(0), other(1)]);
        assert!(!read_by(&standin, "lisi").contains("poison"), "{status}");
        assert_eq!(waiting(&sandbox).len(), 1, "{status}");
    });
}

#[test]
fn what_stops_everything_is_asked_once_a_flush() {
    let faults = [
        (SEND, refusal(60020)),
        (SEND, refusal(45009)),
        (SEND, refusal(50003)),
        (GETTOKEN, refusal(60020)),
        (GETTOKEN, refusal(45009)),
        (GETTOKEN, refusal(40001)),
        (GETTOKEN, Fault::html(403)),
    ];
    for_each(faults, |(at, fault)| {
        let (standin, sandbox) = set_up();
        queue(&sandbox, &standin, 0..12, &MEMBERS);
        standin.always(at, fault.clone());
        leaves_some(&flush(&sandbox));
        assert_eq!(standin.count(at), 1, "{fault:?} at {at}");
        let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
        assert_eq!(kept, (12, 0), "{fault:?} at {at}");
    });
}

#[test]
fn a_call_that_is_forbidden_or_not_forwarded_leaves_other_calls_going() {
    let file = "send --to lisi --file poison.pdf";
    for_each(
        [
            ("send --chat ops poison", APPCHAT, refusal(48002), 1),
            ("send --chat ops poison", APPCHAT, Fault::html(404), 3),
            (file, UPLOAD, Fault::html(404), 3),
            (file, UPLOAD, Fault::html(502), 3),
        ],
        |(args, at, fault, most)| {
            let (standin, sandbox) = set_up();
            sandbox.write("poison.pdf", pdf());
            for _ in 0..5 {
                standin.script(at, [refusal(60020)]);
                here(&sandbox, args).exits(77);
            }
            queue(&sandbox, &standin, 0..20, &MEMBERS[2..]);
            standin.always(at, fault.clone());
            let before = standin.count(at);
            let mut landed = 0;
            // Where nothing shows which, three in a row end the turn: then the next flush goes on.
            for _ in 0..3 {
                let before = standin.count(at);
                leaves_some(&flush(&sandbox));
                assert!(standin.count(at) - before <= most, "{fault:?} at {at}");
                landed = arrived(&standin);
                if landed == 20 {
                    break;
                }
            }
            assert_eq!(landed, 20, "{fault:?} at {at}");
            assert!(standin.count(at) - before <= 5, "{fault:?} at {at}");
            let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
            assert_eq!(kept, (5, 0), "{fault:?} at {at}");
        },
    );
}

#[test]
fn three_that_do_not_pass_in_a_row_end_the_turn_and_the_next_flush_goes_on_behind_them() {
    let faults = [
        refusal(UNKNOWN),
        refusal(-1),
        Fault::html(500),
        Fault::html(403),
        Fault::CutBefore,
    ];
    for_each(faults, |fault| {
        let (standin, sandbox) = set_up();
        let (bad, good) = MEMBERS.split_at(7);
        queue(&sandbox, &standin, 0..7, bad);
        queue(&sandbox, &standin, 7..13, good);
        let to_bad = fault.clone();
        standin.judge(move |request| {
            let to = request.json()["touser"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            MEMBERS[..7].contains(&&*to).then(|| to_bad.clone())
        });
        // The oldest is tried each time, since it may have been the app's trouble.
        for flushes in 1..=4 {
            let before = standin.count(SEND);
            leaves_some(&flush(&sandbox));
            let asked = standin.count(SEND) - before;
            let most = if flushes < 4 { 3 } else { 1 + 6 + 3 };
            assert!(asked <= most, "{fault:?}: {asked} in flush {flushes}");
            assert_eq!(failed(&sandbox), [""; 0], "{fault:?}");
        }
        assert_eq!(arrived(&standin), 6, "{fault:?}");
        assert_eq!(waiting(&sandbox).len(), 7, "{fault:?}");
    });
}

#[test]
fn a_code_nobody_knows_that_every_message_gets_buries_none() {
    for_each([UNKNOWN, 500, -7], |code| {
        let (standin, sandbox) = set_up();
        queue(&sandbox, &standin, 0..13, &MEMBERS);
        standin.always(SEND, refusal(code));
        for _ in 0..4 {
            let before = standin.count(SEND);
            leaves_some(&flush(&sandbox));
            assert!(standin.count(SEND) - before <= 3, "{code}");
            let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
            assert_eq!(kept, (13, 0), "{code}");
        }
        // A fresh message is kept as well.
        let outcome = sandbox.send("fresh").run();
        leaves_some(&outcome);
        assert_eq!(waiting(&sandbox).len(), 14, "{code}");
    });
}

#[test]
fn whatever_gettoken_says_no_message_is_given_up_for_it() {
    let codes = [99999, 41013, 40058, 40003, 44004, 81013, 40008, 48002, 500];
    let faults = codes.map(refusal).into_iter();
    let faults = faults.chain([400, 403, 404, 413, 500].map(Fault::html));
    for_each(faults, |fault| {
        let (standin, sandbox) = set_up();
        queue(&sandbox, &standin, 0..13, &MEMBERS);
        standin.always(GETTOKEN, fault.clone());
        for _ in 0..2 {
            leaves_some(&flush(&sandbox));
        }
        leaves_some(&sandbox.wxpush("send --timeout 2s --to lisi fresh").run());
        assert_eq!(standin.count(SEND), 0, "{fault:?}");
        let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
        assert_eq!(kept, (14, 0), "{fault:?}");
        standin.mend();
        // By a person: nobody else asks at once after a refusal.
        sandbox.wxpush("token refresh").exits(0);
        flush(&sandbox).exits(0);
        assert_eq!(arrived(&standin), 13, "{fault:?}");
        assert!(
            texts(&standin, "lisi").concat().contains("fresh"),
            "{fault:?}"
        );
    });
}

#[test]
fn what_passes_is_not_given_up() {
    let codes = [81026, 45035, 45036, 2_000_111, 2_000_141, 2_090_726];
    for_each(codes, |code| {
        let (standin, sandbox) = set_up();
        standin.always(SEND, refusal(code));
        let send = sandbox.wxpush("send --to lisi --timeout 1s x");
        send.exits(75);
        leaves_some(&flush(&sandbox));
        let kept = (waiting(&sandbox).len(), failed(&sandbox).len());
        assert_eq!(kept, (1, 0), "{code}");
        // And within the time of a send it is tried again.
        let (standin, sandbox) = set_up();
        standin.script(SEND, [refusal(code)]);
        sandbox.wxpush("send --to lisi y").is_silent();
        assert_eq!(texts(&standin, "lisi"), ["y"], "{code}");
    });
}

#[test]
fn a_message_that_is_to_wait_for_an_hour_lets_the_others_go_on() {
    for_each([429, 503], |status| {
        let (standin, sandbox) = set_up();
        keep_poison(&standin, &sandbox, "send --to lisi poison", SEND);
        queue(&sandbox, &standin, 0..24, &MEMBERS[2..]);
        let asked = poison(&standin, SEND, Fault::retry_after(status, "3600"));
        for _ in 0..3 {
            leaves_some(&flush(&sandbox));
            assert_eq!(arrived(&standin), 24, "{status}");
            assert_eq!(asked.load(Ordering::SeqCst), 1, "{status}");
        }
        // Every message gets it: three are asked to find out, and then nobody.
        let (standin, sandbox) = set_up();
        queue(&sandbox, &standin, 0..13, &MEMBERS);
        standin.always(SEND, Fault::retry_after(status, "3600"));
        leaves_some(&flush(&sandbox));
        assert!(standin.count(SEND) <= 3, "{status}");
        assert_eq!(waiting(&sandbox).len(), 13, "{status}");
    });
}

#[test]
fn what_a_gateway_asks_of_the_message_that_meets_it_ends_when_another_goes_out() {
    for_each([403, 429, 503, 511], |status| {
        let (standin, sandbox) = set_up();
        standin.script(SEND, [Fault::retry_after(status, "86400")]);
        sandbox.wxpush("send --to lisi older").run();
        assert_eq!(waiting(&sandbox).len(), 1, "{status}");
        flush(&sandbox);
        let asked = standin.count(SEND);
        sandbox.send("newer").exits(0);
        flush(&sandbox);
        assert_eq!(standin.count(SEND), asked + 2, "{status}");
        assert_eq!(waiting(&sandbox), [""; 0], "{status}");
    });
}

#[test]
fn what_a_server_asks_of_the_app_ends_when_a_message_goes_out() {
    for_each([429, 503], |status| {
        let (standin, sandbox) = set_up();
        standin.always(GETTOKEN, Fault::retry_after(status, "3600"));
        for number in 0..12 {
            let send = sandbox.wxpush("send --to").args(&["lisi"]);
            send.arg(other(number)).exits(75);
        }
        standin.mend();
        let asked = standin.requests().len();
        leaves_some(&flush(&sandbox));
        assert_eq!(standin.requests().len(), asked, "{status}");
        sandbox.wxpush("token refresh").exits(0);
        sandbox.send("new").exits(0);
        flush(&sandbox).is_silent();
        assert_eq!(arrived(&standin), 12, "{status}");
    });
}
