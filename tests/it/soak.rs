//! Everything at once, and a kill every 50 ms: all that was accepted arrives, and nothing else.
//!
//! A few hundred messages by default; `WXPUSH_SOAK=10000 cargo test soak -- --include-ignored` is
//! the long one.

#![expect(
    clippy::print_stdout,
    reason = "the figures of a soak, shown with --nocapture"
)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::standin::{Member, Standin};
use crate::support::{Sandbox, failed, waiting};

const SENDERS: usize = 20;
const FLUSHERS: usize = 5;
const MEMBERS: usize = 400;
const A_KILL_EVERY: Duration = Duration::from_millis(50);

/// The processes that run, to be killed at random; what is killed is still waited for by its owner.
type Running = Mutex<HashSet<u32>>;

fn ended(running: &Running, mut child: Child) -> Option<i32> {
    running.lock().unwrap().insert(child.id());
    let status = child.wait().unwrap();
    running.lock().unwrap().remove(&child.id());
    status.code()
}

/// Kills one of those that run; whether there was one.
fn kill_one(running: &Running) -> bool {
    // Held, so that its owner cannot have waited for it, and the number be another's.
    let running = running.lock().unwrap();
    // A hash set's order is random.
    running.iter().next().is_some_and(|id| {
        let id = nix::unistd::Pid::from_raw(id.cast_signed());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).is_ok()
    })
}

/// The numbers of the messages whose entries lie in the outbox now.
fn published(sandbox: &Sandbox) -> Vec<usize> {
    let texts = waiting(sandbox).into_iter().filter_map(|id| {
        // Delivered meanwhile, perhaps.
        fs::read_to_string(sandbox.path(&format!("outbox/{id}"))).ok()
    });
    let number = |text: String| {
        let (_, rest) = text.split_once("\"message ")?;
        rest.split_once(' ')?.0.parse().ok()
    };
    texts.filter_map(number).collect()
}

#[test]
#[ignore = "takes long: WXPUSH_SOAK=10000 for all of it"]
fn under_kills_every_accepted_message_arrives_and_no_other() {
    let count = std::env::var("WXPUSH_SOAK").map_or(500, |count| count.parse().unwrap());
    let standin = Standin::start();
    {
        let mut company = standin.company();
        let plain = company.members["member01"].clone();
        for number in 0..MEMBERS {
            let member: Member = plain.clone();
            company.members.insert(format!("soak{number}"), member);
        }
    }
    let sandbox = Sandbox::of(&standin);
    sandbox.wxpush("token refresh").exits(0);
    let (next, done, kills) = (
        AtomicUsize::new(0),
        AtomicBool::new(false),
        AtomicUsize::new(0),
    );
    let running = Running::default();
    let ends: Mutex<HashMap<usize, Option<i32>>> = Mutex::default();
    let seen: Mutex<HashSet<usize>> = Mutex::default();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= count {
                            return;
                        }
                        let run = sandbox
                            .wxpush("send --timeout 5s --to")
                            .arg(format!("soak{}", number % MEMBERS))
                            .arg(format!("message {number} of the soak"));
                        let code = ended(&running, run.command().spawn().unwrap());
                        ends.lock().unwrap().insert(number, code);
                    }
                })
            })
            .collect();
        for _ in 0..FLUSHERS {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let run = sandbox.wxpush("outbox flush --timeout 1s");
                    ended(&running, run.command().spawn().unwrap());
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                std::thread::sleep(A_KILL_EVERY);
                kills.fetch_add(usize::from(kill_one(&running)), Ordering::SeqCst);
                seen.lock().unwrap().extend(published(&sandbox));
            }
        });
        for sender in senders {
            sender.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let begun = Instant::now();
    sandbox
        .wxpush("outbox flush --wait")
        .start_patiently(Duration::from_mins(15))
        .wait()
        .exits(0);
    let flushed = begun.elapsed();
    assert!(waiting(&sandbox).is_empty() && failed(&sandbox).is_empty());
    let mut landed = numbers_on_phones(&standin);
    let ends = ends.into_inner().unwrap();
    let seen = seen.into_inner().unwrap();
    let (mut lost, mut twice, mut dead) = (0, 0, 0);
    for number in 0..count {
        let times = landed.remove(&number);
        // Who was killed may not have come to accept it.
        let accepted = matches!(ends[&number], Some(0 | 75 | 77)) || seen.contains(&number);
        lost += usize::from(accepted && times.is_none());
        twice += times.unwrap_or_default().saturating_sub(1);
        dead += usize::from(ends[&number].is_none());
        assert!(times.is_none_or(|times| times <= 3), "{number}: {times:?}");
        assert!(
            matches!(ends[&number], None | Some(0 | 75 | 77)),
            "{:?}",
            ends[&number]
        );
    }
    let kills = kills.into_inner();
    println!(
        "soak: {count} messages, {kills} kills ({dead} of senders, {} seen in the outbox): {lost} lost, {twice} twice, the rest flushed in {flushed:?}",
        seen.len()
    );
    assert_eq!(lost, 0, "accepted, and never seen");
    assert!(landed.is_empty(), "invented: {landed:?}");
    assert!(twice <= kills, "{twice} twice by {kills} kills");
    assert_eq!(standin.company().phones.dropped, 0);
    sandbox.send("and a fresh one").exits(0);
}

/// How often each message is on a phone: by itself, behind the line of a late one, or among merged ones,
/// where a text may go on in the next message.
fn numbers_on_phones(standin: &Standin) -> HashMap<usize, usize> {
    let mut texts: HashMap<String, String> = HashMap::new();
    for (member, one) in standin.company().phones.all() {
        *texts.entry(member.to_owned()).or_default() += &one.text;
    }
    let mut landed = HashMap::new();
    for text in texts.values() {
        for rest in text.split("message ").skip(1) {
            let (number, _) = rest.split_once(" of the soak").unwrap();
            *landed.entry(number.parse().unwrap()).or_default() += 1;
        }
    }
    landed
}
