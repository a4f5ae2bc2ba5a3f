//! Answers that are lost: what may have arrived, arrives once more at most, and hides no other.

use std::process::Command;
use std::time::Duration;

use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::support::{
    APPCHAT, Run, SEND, Sandbox, Time, WEBHOOK, await_count, bodies, failed, files, flush,
    for_each, keep, set_up, texts, waiting, with_robot,
};

/// A page of a portal that wants a login, in place of WeCom; it hands nothing on.
fn portal() -> Fault {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Fault::Status(200, headers, "<html>please log in</html>".to_owned())
}

#[test]
fn of_two_equal_alerts_the_second_lands_though_its_first_try_went_wrong() {
    let faults = [
        Fault::html(502),
        Fault::html(500),
        Fault::html(504),
        portal(),
        Fault::CutBefore,
        // The same, and the answer is all that was lost: the resend is the one to be swallowed.
        Fault::CutAfter,
        Fault::StatusAfter(502, Vec::new(), String::new()),
        Fault::Truncated,
    ];
    for_each(faults, |fault| {
        for between in [3, 8] {
            let (standin, sandbox) = set_up();
            standin.company().phones.match_unflagged = true;
            sandbox.wxpush("send --to lisi disk full").is_silent();
            std::thread::sleep(Duration::from_secs(between));
            standin.script(SEND, [fault.clone()]);
            sandbox.wxpush("send --to lisi disk full").is_silent();
            assert_eq!(
                texts(&standin, "lisi"),
                ["disk full"; 2],
                "{fault:?} after {between} s"
            );
            assert!(waiting(&sandbox).is_empty(), "{fault:?}");
        }
    });
}

#[test]
fn a_file_before_it_is_no_equal_message() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    for name in ["one.txt", "two.txt"] {
        sandbox.write(name, name);
    }
    let send = |name: &str| format!("send --to lisi --file {}", sandbox.path(name).display());
    sandbox.wxpush(&send("one.txt")).is_silent();
    lose(&standin, &sandbox, &send("two.txt"), true);
    std::thread::sleep(Duration::from_secs(3));
    flush(&sandbox).is_silent();
    let names = files(&standin, "lisi").into_iter().map(|it| it.filename);
    assert_eq!(names.collect::<Vec<_>>(), ["one.txt", "two.txt"]);
    assert!(waiting(&sandbox).is_empty());
}

/// Loses the answer to a message, in the outbox from then on; whether WeCom has taken it.
fn lose(standin: &Standin, sandbox: &Sandbox, args: &str, taken: bool) {
    let before = standin.count(SEND);
    let fault = if taken {
        Fault::HangProcessed
    } else {
        Fault::Hang
    };
    standin.script(SEND, [fault]);
    let mut started = sandbox.wxpush(args).start();
    await_count(standin, SEND, before + 1);
    // The company acts on it a moment after it has come.
    std::thread::sleep(Duration::from_millis(300));
    started.child.kill().unwrap();
    started.wait();
    assert_eq!(waiting(sandbox).len(), 1);
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_doubt_that_is_hours_old_reaches_back_to_its_own_message_and_no_further() {
    let table = [0, 60, 3600, 3 * 3600].into_iter();
    let table = table.flat_map(|hours| [(hours, true), (hours, false)]);
    for_each(table, |(seconds, taken)| {
        let (standin, sandbox) = set_up();
        standin.company().phones.match_unflagged = true;
        let time = Time::new(&standin, &sandbox);
        sandbox.wxpush("send --to lisi disk full").is_silent();
        std::thread::sleep(Duration::from_secs(8));
        lose(&standin, &sandbox, "send --to lisi disk full", taken);
        time.pass(seconds);
        // Twice, should it have to wait for a minute.
        time.wxpush("outbox flush").run();
        time.pass(120);
        time.wxpush("outbox flush").exits(0);
        let landed = texts(&standin, "lisi");
        assert_eq!(landed.len(), 2, "{seconds} s, taken: {taken}: {landed:?}");
    });
}

#[test]
#[ignore = "needs faketime, and root: a time namespace"]
fn a_day_of_lost_answers_makes_one_copy_or_two_if_wecom_compares_bytes() {
    for_each([(true, 2), (false, 3)], |(matches, most)| {
        let (standin, sandbox) = set_up();
        standin.company().phones.match_unflagged = matches;
        let time = Time::new(&standin, &sandbox);
        standin.always(SEND, Fault::CutAfter);
        sandbox.wxpush("send --to lisi --timeout 2s x").run();
        for _ in 0..96 {
            time.pass(900);
            time.wxpush("outbox flush").run();
        }
        let landed = texts(&standin, "lisi").len();
        assert!((1..=most).contains(&landed), "{matches}: {landed} copies");
        standin.mend();
        time.pass(3700);
        time.wxpush("outbox flush").run();
        let landed = texts(&standin, "lisi").len();
        assert!((1..=most).contains(&landed), "{matches}: {landed} copies");
        assert_eq!(waiting(&sandbox), [""; 0]);
    });
}

/// The messages of a group or chat that say this.
fn shown(standin: &Standin, at: &str) -> usize {
    let company = standin.company();
    if at == WEBHOOK {
        company.group(ROBOT_KEY).len()
    } else {
        company.phone("lisi").len()
    }
}

#[test]
fn what_nobody_compares_goes_out_twice_at_most() {
    let faults = [
        Fault::CutAfter,
        Fault::Truncated,
        Fault::HangProcessed,
        Fault::CutBefore,
    ];
    let calls = [(WEBHOOK, "--robot ops"), (APPCHAT, "--chat ops")];
    let table = faults
        .into_iter()
        .flat_map(|fault| calls.map(|call| (fault.clone(), call)));
    for_each(table, |(fault, (at, to))| {
        let standin = Standin::start();
        let sandbox = with_robot(&standin);
        standin.always(at, fault.clone());
        sandbox.wxpush(&format!("send {to} --timeout 3s x")).run();
        for _ in 0..4 {
            sandbox.wxpush("outbox flush --timeout 2s").run();
        }
        assert!(
            standin.count(at) <= 2,
            "{fault:?} at {at}: {}",
            standin.count(at)
        );
        standin.mend();
        for _ in 0..2 {
            flush(&sandbox);
        }
        assert!(
            standin.count(at) <= 2,
            "{fault:?} at {at}: {}",
            standin.count(at)
        );
        let most = if matches!(fault, Fault::CutBefore) {
            1
        } else {
            2
        };
        assert!(shown(&standin, at) <= most, "{fault:?} at {at}");
        // Once it has gone out twice it is done with; what went out once may still wait.
        if standin.count(at) == 2 {
            assert_eq!(waiting(&sandbox), [""; 0], "{fault:?} at {at}");
            flush(&sandbox).is_silent();
        }
    });
}

#[test]
fn what_nobody_compares_lands_once_where_its_first_try_was_cut_off_before_it_arrived() {
    for_each(
        [(WEBHOOK, "--robot ops"), (APPCHAT, "--chat ops")],
        |(at, to)| {
            let standin = Standin::start();
            let sandbox = with_robot(&standin);
            standin.script(at, [Fault::CutBefore]);
            sandbox.wxpush(&format!("send {to} x")).exits(0);
            assert_eq!((standin.count(at), shown(&standin, at)), (2, 1), "{at}");
            assert!(waiting(&sandbox).is_empty());
        },
    );
}

#[test]
fn a_killed_sender_to_a_group_or_chat_leaves_one_resend() {
    for_each(
        [(WEBHOOK, "--robot ops"), (APPCHAT, "--chat ops")],
        |(at, to)| {
            let standin = Standin::start();
            let sandbox = with_robot(&standin);
            standin.script(at, [Fault::HangProcessed]);
            standin.always(at, Fault::CutAfter);
            let mut started = sandbox.wxpush(&format!("send {to} x")).start();
            await_count(&standin, at, 1);
            started.child.kill().unwrap();
            started.wait();
            for _ in 0..3 {
                flush(&sandbox);
            }
            standin.mend();
            flush(&sandbox);
            assert!(standin.count(at) <= 2, "{at}: {}", standin.count(at));
            assert!((1..=2).contains(&shown(&standin, at)), "{at}");
        },
    );
}

#[test]
fn a_killed_sender_to_members_leaves_a_resend_that_is_swallowed() {
    let (standin, sandbox) = set_up();
    standin.company().phones.match_unflagged = true;
    for taken in [true, false] {
        lose(
            &standin,
            &sandbox,
            &format!("send --to lisi {taken}"),
            taken,
        );
        flush(&sandbox).is_silent();
        assert_eq!(standin.company().phones.swallowed, 1);
    }
    assert_eq!(texts(&standin, "lisi"), ["true", "false"]);
    let flagged = bodies(&standin);
    let flagged: Vec<bool> = flagged
        .iter()
        .map(|body| body.get("enable_duplicate_check").is_some())
        .collect();
    assert_eq!(flagged, [false, true, false, true]);
}

#[test]
fn no_changed_digit_beside_an_entry_loses_a_message() {
    let (standin, sandbox) = set_up();
    let beside = |id: &str| format!("outbox/{id}.try");
    let first = keep(&standin, &sandbox, "send --to member01 x");
    let length = sandbox.read(&beside(&first)).trim_end().len();
    flush(&sandbox).is_silent();
    let mut changed = 0;
    for at in 0..length + 8 {
        let member = format!("member{:02}", at % 10 + 1);
        let text = format!("text at {at}");
        // Not by whom has had her share of the minute.
        standin.company().phones.per_minute = usize::MAX;
        let _ = std::fs::remove_file(sandbox.path("ledger"));
        let id = keep(&standin, &sandbox, &format!("send --to {member} {text}"));
        let mut bytes = sandbox.read(&beside(&id)).into_bytes();
        if let Some(digit) = bytes.get_mut(at).filter(|it| it.is_ascii_digit()) {
            *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
            changed += 1;
            std::fs::write(sandbox.path(&beside(&id)), bytes).unwrap();
        }
        flush(&sandbox).exits(0);
        let landed = texts(&standin, &member).pop().unwrap_or_default();
        assert!(landed.ends_with(&text), "byte {at} beside {id}: {landed}");
        assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
    }
    assert!(changed > 0, "nothing stands beside it");
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_slow_disk_makes_no_second_copy() {
    for_each(["outbox", "", "outbox/failed"], |slow| {
        for timeout in ["1s", "2s", "3s", "4s"] {
            let (standin, sandbox) = set_up();
            sandbox.wxpush("send first").exits(0);
            let mut command = Command::new("strace");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
            command.arg("inject=fsync,fdatasync:delay_exit=1500000");
            if !slow.is_empty() {
                // Nothing but the directory itself.
                command.arg("-P").arg(sandbox.path(slow));
            }
            command.arg(sandbox.path("wxpush"));
            let args = ["send", "--to", "lisi", "--timeout", timeout, "x"];
            let run = Run::new(command).env("PATH", "/usr/bin:/bin").args(&args);
            let outcome = run.run();
            assert!(matches!(outcome.code, Some(0 | 75)), "{outcome:?}");
            flush(&sandbox).exits(0);
            flush(&sandbox).is_silent();
            let landed = texts(&standin, "lisi").split_off(1);
            assert_eq!(landed, ["x"], "{slow:?} with {timeout}");
        }
    });
}

#[test]
fn a_person_who_has_looked_at_the_phone_can_have_it_sent_again() {
    for_each(["--robot ops", "--chat ops"], |to| {
        let standin = Standin::start();
        let sandbox = with_robot(&standin);
        let at = if to == "--chat ops" { APPCHAT } else { WEBHOOK };
        standin.always(at, Fault::CutBefore);
        let send = sandbox.wxpush(&format!("send {to} --timeout 15s x"));
        send.exits(75).says("may or may not have arrived");
        let id = failed(&sandbox).remove(0);
        standin.mend();
        let retry = sandbox.wxpush("outbox retry").arg(&id).run();
        retry.is_silent();
        flush(&sandbox).is_silent();
        assert_eq!(shown(&standin, at), 1, "{to}");
        assert_eq!((waiting(&sandbox), failed(&sandbox)), (vec![], vec![]));
    });
}
