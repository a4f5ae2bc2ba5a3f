//! Signals: whatever wxpush is at, it goes at once, and what is accepted stays and can be sent.

#![expect(
    clippy::print_stdout,
    reason = "how fast it goes, shown with --nocapture"
)]

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::standin::{Fault, Standin};
use crate::support::{
    GETTOKEN, MEMBERS, Run, SEND, Sandbox, await_count, flush, for_each, plant, set_up, texts,
    waiting,
};

const SIGNALS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

/// Sends the signal once `ready`, and holds that it ends the run at once.
fn ends(run: Run, ready: impl Fn(), signal: Signal) {
    use std::os::unix::process::ExitStatusExt;
    let mut started = run.start();
    ready();
    let begun = Instant::now();
    kill(Pid::from_raw(started.child.id().cast_signed()), signal).unwrap();
    let status = started.child.wait().unwrap();
    assert_eq!(status.signal(), Some(signal as i32));
    let time = begun.elapsed();
    println!("{signal}: gone after {} ms", time.as_millis());
    // A second is the promise; a busy machine has more, and a hang none.
    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn a_signal_while_wecom_thinks_leaves_the_message_to_the_next_flush() {
    for_each(SIGNALS, |signal| {
        let standin = Standin::start();
        standin.company().phones.match_unflagged = true;
        let sandbox = Sandbox::of(&standin);
        for (at, fault) in [Fault::Hang, Fault::HangProcessed].into_iter().enumerate() {
            standin.script(SEND, [fault]);
            let ready = || await_count(&standin, SEND, 2 * at + 1);
            let text = format!("message {at}");
            ends(sandbox.wxpush("send").arg(&text), ready, signal);
            assert_eq!(waiting(&sandbox).len(), 1, "{signal}");
            flush(&sandbox).is_silent();
            assert_eq!(texts(&standin, "lisi").len(), at + 1, "{signal}: once");
        }
    });
}

#[test]
fn a_signal_while_the_token_is_fetched_leaves_message_and_lock_free() {
    for_each(SIGNALS, |signal| {
        let (standin, sandbox) = set_up();
        standin.script(GETTOKEN, [Fault::Hang]);
        let entry = || {
            await_count(&standin, GETTOKEN, 1);
            // Nothing of the message has left: it is accepted when it is there.
            let begun = Instant::now();
            while waiting(&sandbox).is_empty() {
                assert!(begun.elapsed() < Duration::from_mins(1), "never accepted");
            }
        };
        ends(sandbox.send("x"), entry, signal);
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["x"], "{signal}");
    });
}

#[test]
fn a_signal_amid_a_flush_stops_it_and_the_next_one_goes_on() {
    for_each(SIGNALS, |signal| {
        let (standin, sandbox) = set_up();
        plant(&sandbox, &standin.base(), 26, &MEMBERS);
        standin.always(SEND, Fault::Delay(Duration::from_millis(20)));
        let ready = || await_count(&standin, SEND, 10);
        ends(sandbox.wxpush("outbox flush --wait"), ready, signal);
        let left = waiting(&sandbox).len();
        // Three may be under way.
        assert!((1..=19).contains(&left), "{left}");
        standin.mend();
        flush(&sandbox).is_silent();
        assert!(waiting(&sandbox).is_empty(), "{signal}");
        let arrived: usize = MEMBERS.iter().map(|name| texts(&standin, name).len()).sum();
        assert!((26..=29).contains(&arrived), "{arrived}");
    });
}

#[test]
fn a_stopped_sender_holds_up_no_other_message_and_its_own_goes_when_it_is_gone() {
    let (standin, sandbox) = set_up();
    standin.script(SEND, [Fault::Hang]);
    let mut stopped = sandbox.send("stopped").start();
    await_count(&standin, SEND, 1);
    let id = Pid::from_raw(stopped.child.id().cast_signed());
    kill(id, Signal::SIGSTOP).unwrap();
    plant(&sandbox, &standin.base(), 5, &MEMBERS);
    assert_eq!(flush(&sandbox).exits(75).stderr, "", "one is left");
    sandbox.wxpush("send --to zhangsan").arg("new").is_silent();
    assert_eq!(waiting(&sandbox).len(), 1, "its own, in its hands");
    kill(id, Signal::SIGKILL).unwrap();
    stopped.child.wait().unwrap();
    flush(&sandbox).is_silent();
    assert!(texts(&standin, "lisi").contains(&"stopped".to_owned()));
    assert!(waiting(&sandbox).is_empty());
}
