//! A WeCom that does all it can wrong, kills, and clocks that jump: afterwards all is on its phone.
//!
//! A small form by default; `WXPUSH_CHAOS=400` is the whole, and `WXPUSH_SEED` repeats one of those
//! that were printed, as far as the order of processes allows.

#![expect(
    clippy::print_stdout,
    reason = "the figures and the seed, shown with --nocapture"
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::standin::{CHATID, Fault, Landed, Request, Standin};
use crate::support::dice::{Dice, count};
use crate::support::{
    APPCHAT, GETTOKEN, SEND, Sandbox, Time, UNKNOWN, UPLOAD, failed, has, hire, is_marked, refusal,
    set_up, stepped, unmarked, waiting,
};

const PROCESSES: usize = 8;

/// One process is killed for so many messages: more than a tenth of them.
const MESSAGES_PER_KILL: usize = 8;

/// What the clock shows to each quarter of the messages: three steps, and the way back.
const CLOCKS: [&str; 5] = ["+0", "+2h", "-5d", "+70s", "+0"];

/// Processes that run, to be killed by their number; each has an owner who waits for it.
#[derive(Default)]
struct Running(Mutex<HashSet<u32>>);

impl Running {
    /// Waits for a child that may be killed; its exit code, none if it was.
    fn wait(&self, mut child: Child) -> Option<i32> {
        let id = child.id();
        self.0.lock().unwrap().insert(id);
        let status = child.wait().unwrap();
        self.0.lock().unwrap().remove(&id);
        // Those of whom was killed stay behind.
        for name in [
            format!("faketime_shm_{id}"),
            format!("sem.faketime_sem_{id}"),
        ] {
            let _ = fs::remove_file(format!("/dev/shm/{name}"));
        }
        status.code()
    }

    /// Kills one of them; whether there was one.
    fn kill(&self, dice: &Dice) -> bool {
        // Held, so that its owner cannot have waited for it, and the number be another's.
        let running = self.0.lock().unwrap();
        let mut ids: Vec<u32> = running.iter().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return false;
        }
        let which = dice.roll(ids.len() as u64);
        let id = ids[usize::try_from(which).unwrap()];
        let id = nix::unistd::Pid::from_raw(id.cast_signed());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).is_ok()
    }
}

/// How a message is known on a phone, in a group and in the outbox.
fn mark(number: usize) -> String {
    format!("no-{number:04}.")
}

/// The numbers of the messages that stand in a text, in its order.
fn numbers_in(text: &str) -> Vec<usize> {
    let found = text.split("no-").skip(1);
    let number = |rest: &str| {
        let (number, _) = rest.split_once('.')?;
        (number.len() == 4).then(|| number.parse().ok())?
    };
    found.filter_map(number).collect()
}

/// What each kind of message gets, whatever the rest gets.
fn fate(request: &Request) -> Option<Fault> {
    match request.endpoint() {
        APPCHAT if has(request, &format!("\"{CHATID}\"")) => Some(refusal(48002)),
        UPLOAD if has(request, "too large for a relay") => Some(Fault::html(413)),
        SEND if has(request, "nobody knows") => Some(refusal(UNKNOWN)),
        _ => None,
    }
}

/// What goes wrong with one request in three.
fn trouble(dice: &Dice, request: &Request) -> Option<Fault> {
    let codes = [-1, 6000, 45009, 45033, 81026, 40014, 42001, 60020];
    let portal = vec![("content-type".to_owned(), "text/html".to_owned())];
    let one_in = if request.endpoint() == GETTOKEN {
        60
    } else {
        27
    };
    let one_of = |count: usize| usize::try_from(dice.roll(count as u64)).unwrap();
    Some(match dice.roll(one_in) {
        0 | 1 => refusal(codes[one_of(codes.len())]),
        2 => Fault::Hang,
        3 => Fault::CutBefore,
        4 => Fault::CutAfter,
        5 => Fault::html([500, 502, 503, 504][one_of(4)]),
        6 => Fault::StatusAfter(502, Vec::new(), String::new()),
        7 => Fault::Status(200, portal, "<html>please log in</html>".to_owned()),
        8 => Fault::Truncated,
        _ => return None,
    })
}

/// What a process types for a message: most are texts, to a member of its own.
fn typed(number: usize, member: &str, sandbox: &Sandbox) -> String {
    let mark = mark(number);
    match number % 40 {
        7 => format!("--chat {CHATID} {mark}"),
        17 => format!("--chat night {mark}"),
        23 => {
            let name = format!("{mark}txt");
            sandbox.write(&name, format!("file of {mark}"));
            let path = sandbox.path(&name).display().to_string();
            format!("--to {member} --file {path}")
        }
        29 if number == 29 => {
            let name = format!("{mark}txt");
            sandbox.write(&name, "too large for a relay");
            let path = sandbox.path(&name).display().to_string();
            format!("--to {member} --file {path}")
        }
        33 if number == 33 => format!("--to {member} nobody knows {mark}"),
        _ => format!("--to {member} {mark}"),
    }
}

/// What came of the storm: how each send ended, whose entries were seen, and the kills.
struct Ends {
    codes: HashMap<usize, Option<i32>>,
    seen: HashSet<usize>,
    kills: usize,
}

fn rage(standin: &Standin, sandbox: &Sandbox, count: usize, dice: &Dice) -> Ends {
    let names = hire(standin, PROCESSES);
    let running = Running::default();
    let (done, kills) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (codes, seen) = (Mutex::default(), Mutex::default());
    std::thread::scope(|scope| {
        let senders = names.iter().enumerate().map(|(which, name)| {
            let (running, codes) = (&running, &codes);
            scope.spawn(move || {
                for number in (which..count).step_by(PROCESSES) {
                    let clock = CLOCKS[number * CLOCKS.len() / count];
                    let args = format!("send --timeout 3s {}", typed(number, name, sandbox));
                    let child = stepped(sandbox, clock, &args).command().spawn();
                    let code = running.wait(child.unwrap());
                    let codes: &Mutex<HashMap<usize, Option<i32>>> = codes;
                    codes.lock().unwrap().insert(number, code);
                }
            })
        });
        let senders: Vec<_> = senders.collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let begun = codes.lock().unwrap().len();
                let clock = CLOCKS[(begun * CLOCKS.len() / count).min(CLOCKS.len() - 1)];
                let flush = stepped(sandbox, clock, "outbox flush --timeout 2s");
                running.wait(flush.command().spawn().unwrap());
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                // By what has been done, not by the clock: a fast machine is killed on as often.
                let due = codes.lock().unwrap().len() / MESSAGES_PER_KILL;
                std::thread::sleep(Duration::from_millis(dice.roll(100)));
                if kills.load(Ordering::SeqCst) < due && running.kill(dice) {
                    kills.fetch_add(1, Ordering::SeqCst);
                }
                let seen: &Mutex<HashSet<usize>> = &seen;
                seen.lock().unwrap().extend(published(sandbox));
            }
        });
        for sender in senders {
            sender.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    Ends {
        codes: codes.into_inner().unwrap(),
        seen: seen.into_inner().unwrap(),
        kills: kills.into_inner(),
    }
}

/// The messages whose entries lie in the outbox now.
fn published(sandbox: &Sandbox) -> Vec<usize> {
    let ids = waiting(sandbox).into_iter();
    ids.flat_map(|id| numbers_of(sandbox, &id)).collect()
}

/// The messages in an entry; none if it was delivered meanwhile.
fn numbers_of(sandbox: &Sandbox, entry: &str) -> Vec<usize> {
    let text = fs::read(sandbox.path(&format!("outbox/{entry}"))).unwrap_or_default();
    numbers_in(&String::from_utf8_lossy(&text))
}

/// How often each message is read by the one who reads it most often.
fn copies(standin: &Standin) -> HashMap<usize, usize> {
    let company = standin.company();
    let mut by_phone: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for (member, landed) in company.phones.all() {
        for number in numbers_in(&landed.text) {
            *by_phone.entry((member, number)).or_default() += 1;
        }
    }
    let mut most = HashMap::new();
    for ((_, number), times) in by_phone {
        let known = most.entry(number).or_insert(0);
        *known = times.max(*known);
    }
    most
}

/// What a member read after something newer, without a word about its time.
///
/// What went again because its answer was lost must be the same as before, and says nothing.
fn late_without_a_word(standin: &Standin, member: &str) -> Vec<usize> {
    let phone = standin.company().phone(member);
    let flagged = |it: &Landed| it.raw.get("enable_duplicate_check").is_some();
    let mut read: Vec<(String, Vec<usize>)> = Vec::new();
    let mut late = Vec::new();
    for (at, landed) in phone.iter().enumerate() {
        let numbers = numbers_in(&landed.text);
        // What landed in the same moment was under way already.
        let before = |it: &&Landed| it.at + Duration::from_secs(2) < landed.at;
        read.clear();
        let earlier = phone[..at].iter().filter(before);
        read.extend(earlier.map(|it| ("[late]".to_owned(), numbers_in(&it.text))));
        read.push((landed.text.clone(), numbers));
        // Where a text has no room, or there is none, the message before shows it.
        let told = |it: &Landed| is_marked(&it.text) && numbers_in(&it.text).is_empty();
        let told = at > 0 && told(&phone[at - 1]);
        if !told && !flagged(landed) {
            late.extend(unmarked(&read));
        }
    }
    late
}

#[test]
#[ignore = "needs faketime, and root: a time namespace; WXPUSH_CHAOS=400 takes minutes"]
fn after_the_chaos_all_is_on_its_phone() {
    let count = count("WXPUSH_CHAOS", 80);
    let dice = Arc::new(Dice::new("chaos"));
    let (standin, sandbox) = set_up();
    {
        let mut company = standin.company();
        company.phones.match_unflagged = true;
        let night = company.chats[CHATID].clone();
        company.chats.insert("night".to_owned(), night);
    }
    let denied: Arc<Mutex<HashMap<usize, usize>>> = Arc::default();
    let (rolled, noted) = (Arc::clone(&dice), Arc::clone(&denied));
    standin.judge(move |request| {
        let fault = fate(request).or_else(|| trouble(&rolled, request));
        if request.endpoint() == APPCHAT && matches!(fault, Some(Fault::StatusAfter(..))) {
            for number in numbers_in(&String::from_utf8_lossy(&request.body)) {
                *noted.lock().unwrap().entry(number).or_default() += 1;
            }
        }
        fault
    });
    let ends = rage(&standin, &sandbox, count, &dice);
    standin.mend();
    let (kept, begun) = (waiting(&sandbox).len(), copies(&standin).len());
    let time = Time::new(&standin, &sandbox);
    for _ in 0..3 {
        time.pass(3700);
        time.wxpush("outbox flush").run();
    }
    let copies = copies(&standin);
    let accepted = |number: &usize| {
        matches!(ends.codes[number], Some(0 | 67 | 75 | 77)) || ends.seen.contains(number)
    };
    let lost = (0..count).filter(|it| accepted(it) && !copies.contains_key(it));
    let lost: Vec<usize> = lost.collect();
    let buried = failed(&sandbox).into_iter();
    let buried = buried.flat_map(|id| numbers_of(&sandbox, &format!("failed/{id}")));
    let buried: Vec<usize> = buried.collect();
    let extra: usize = copies.values().map(|times| times - 1).sum();
    let late: Vec<usize> = (0..PROCESSES)
        .flat_map(|which| late_without_a_word(&standin, &format!("hired{which:03}")))
        .collect();
    let phones = &standin.company().phones;
    let (dropped, swallowed) = (phones.dropped, phones.swallowed);
    let killed = ends.codes.values().filter(|code| code.is_none()).count();
    println!(
        "chaos: {count} messages, {} kills ({killed} of senders), {begun} at once, {kept} kept: lost {}, copies {extra}, dropped {dropped}, swallowed {swallowed}, late without a word {}, in failed/ {}",
        ends.kills,
        lost.len(),
        late.len(),
        buried.len(),
    );
    for (number, code) in &ends.codes {
        let told = matches!(code, None | Some(0 | 67 | 69 | 75 | 77));
        assert!(told, "{number} ended with {code:?}");
    }
    // A code that nobody knows may have come twice with an hour between, by the clock; and to a
    // chat nothing is sent a third time, since nobody there compares.
    let asked = |number: usize| {
        let requests = standin.requests().into_iter();
        let requests = requests.filter(|it| it.endpoint() == APPCHAT && has(it, &mark(number)));
        requests.count()
    };
    let may_end = |number: &usize| *number == 33 || asked(*number) >= 2;
    let unseen: Vec<usize> = lost.into_iter().filter(|it| !may_end(it)).collect();
    assert_eq!(unseen, [0; 0], "accepted, and never seen");
    let buried: Vec<usize> = buried.into_iter().filter(|it| !may_end(it)).collect();
    assert_eq!(buried, [0; 0], "in failed/");
    // To a chat, what a gateway answers counts as not passed on, though it was.
    let most = |number: &usize| 2 + denied.lock().unwrap().get(number).copied().unwrap_or(0);
    let many = copies
        .iter()
        .filter(|(number, times)| **times > most(number));
    let many: Vec<_> = many.collect();
    assert_eq!(many, [], "more than one copy");
    assert_eq!(dropped, 0);
    assert_eq!(late, [0; 0], "older, later, and not a word of it");
    assert_eq!(waiting(&sandbox), [""; 0]);
    assert!(ends.kills >= count / 10, "{} kills", ends.kills);
}
