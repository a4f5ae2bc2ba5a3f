//! How long a message that does not pass waits, hours and days at a time.

use std::sync::atomic::Ordering;

use crate::standin::Fault;
use crate::support::{
    APPCHAT, MEMBERS, SEND, Time, UNKNOWN, failed, flush, for_each, keep_poison, leaves_some,
    poison, queue, refusal, set_up, texts, waiting,
};

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_does_not_pass_is_asked_less_and_less_up_to_once_an_hour() {
    for_each([Fault::html(403), refusal(-1), refusal(60011)], |fault| {
        let (standin, sandbox) = set_up();
        let time = Time::new(&standin, &sandbox);
        keep_poison(&standin, &sandbox, "send --to lisi poison", SEND);
        let asked = poison(&standin, SEND, fault.clone());
        let (mut when, mut told) = (Vec::new(), Vec::new());
        for minute in 0..240 {
            let before = asked.load(Ordering::SeqCst);
            let outcome = time.wxpush("outbox flush").run();
            leaves_some(&outcome);
            let asked = asked.load(Ordering::SeqCst) - before;
            assert!(asked <= 1, "{fault:?}: {asked} in minute {minute}");
            when.extend((asked == 1).then_some(minute));
            told.extend((!outcome.stderr.is_empty()).then_some(minute));
            time.pass(60);
        }
        let gaps: Vec<i32> = when.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((6..=14).contains(&when.len()), "{fault:?}: {when:?}");
        assert!(
            gaps[0] <= 3 && gaps.iter().all(|gap| *gap <= 62),
            "{gaps:?}"
        );
        assert!(gaps.iter().any(|gap| *gap >= 30), "{fault:?}: {gaps:?}");
        // Cron mails it once.
        assert!(told.len() == 1 && told[0] >= 60, "{fault:?}: {told:?}");
        standin.mend();
        time.pass(3700);
        time.wxpush("outbox flush").exits(0);
        let landed = texts(&standin, "lisi");
        assert!(
            landed.len() == 1 && landed[0].ends_with("poison"),
            "{landed:?}"
        );
    });
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_code_nobody_knows_is_tried_once_more_after_an_hour() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    keep_poison(&standin, &sandbox, "send --to lisi poison", SEND);
    let id = waiting(&sandbox);
    let asked = poison(&standin, SEND, refusal(UNKNOWN));
    for (minutes, tries, gone) in [(0, 1, false), (50, 1, false), (65, 2, true), (80, 2, true)] {
        let passed = time.wxpush("outbox flush").run();
        assert_eq!(asked.load(Ordering::SeqCst), tries, "{minutes}: {passed:?}");
        assert_eq!(failed(&sandbox).is_empty(), !gone, "{minutes}");
        time.pass(if minutes == 0 { 3000 } else { 900 });
    }
    assert_eq!(failed(&sandbox), id);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn what_expires_says_the_reason_of_its_own() {
    let (standin, sandbox) = set_up();
    let time = Time::new(&standin, &sandbox);
    keep_poison(&standin, &sandbox, "send --chat ops poison", APPCHAT);
    poison(&standin, APPCHAT, refusal(48002));
    leaves_some(&flush(&sandbox));
    queue(&sandbox, &standin, 0..5, &MEMBERS);
    time.pass(2 * 86_400);
    leaves_some(&time.wxpush("outbox flush").run());
    time.pass(86_400 + 3600);
    let last = time.wxpush("outbox flush").run();
    assert!(last.stderr.contains("48002"), "{}", last.stderr);
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 1));
}
