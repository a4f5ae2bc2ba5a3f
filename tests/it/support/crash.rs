//! What the sweeps over all system calls share: side by side, killed, failed, recovered.

use std::collections::BTreeSet;
use std::fs;
use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use serde_json::Value;

use crate::standin::{Fault, Standin};
use crate::support::dice::Dice;
use crate::support::tracer::{Act, Call, MAIN, Point, Traced, trace};
use crate::support::{SEND, Sandbox, fence_in, set_up};

pub(crate) const ERRORS: [Errno; 6] = [
    Errno::EIO,
    Errno::ENOSPC,
    Errno::EINTR,
    Errno::EACCES,
    Errno::EMFILE,
    Errno::ENOMEM,
];

/// Calls that no program gets over, each with its reason.
pub(crate) const EXEMPT: &[(&str, &str)] = &[
    ("execve", "it is not the program yet"),
    ("brk", "memory"),
    ("mmap", "memory, and the libraries"),
    ("mprotect", "memory, and the libraries"),
    ("munmap", "memory"),
    ("madvise", "memory"),
    ("arch_prctl", "the C library's beginning"),
    ("set_tid_address", "the C library's beginning"),
    ("set_robust_list", "the C library's beginning"),
    ("rseq", "the C library's beginning"),
    ("prlimit64", "the C library's beginning"),
    ("access", "the dynamic loader's beginning"),
    (
        "poll",
        "Rust's beginning: it ends where it cannot look at 0, 1 and 2",
    ),
    ("rt_sigaction", "Rust's beginning"),
    ("sigaltstack", "Rust's beginning"),
    ("rt_sigprocmask", "the making of threads"),
    ("getrandom", "fails on no Linux with its device"),
    ("futex", "threads"),
    ("sched_getaffinity", "how many processors there are"),
    ("epoll_wait", "tokio's one wait: it fails by misuse alone"),
    ("clone3", "fails with EAGAIN alone, which network.rs has"),
    ("exit", "does not come back"),
    ("exit_group", "does not come back"),
    ("geteuid", "cannot fail"),
    ("getuid", "cannot fail"),
    ("getgid", "cannot fail"),
    ("getegid", "cannot fail"),
    ("getpid", "cannot fail"),
    ("gettid", "cannot fail"),
    ("umask", "cannot fail"),
    ("uname", "cannot fail"),
    ("?", "made by no thread of ours"),
];

/// What can be made to fail: behind the loader, whose failures are not ours.
pub(crate) fn points(calls: &[Call]) -> Vec<Point> {
    let begun = calls
        .iter()
        .position(|call| call.point.name() == "sigaltstack")
        .expect("Rust has begun");
    let of_threads = |call: &&Call| call.file.to_string_lossy().contains("[eventfd]");
    let calls = calls[begun..].iter().filter(|call| !of_threads(call));
    let points = calls.map(|call| call.point);
    let exempt = |point: &Point| EXEMPT.iter().any(|(name, _)| *name == point.name());
    points.filter(|point| !exempt(point)).collect()
}

/// Whether a sweep is made at full length.
fn at_length() -> bool {
    std::env::var_os("WXPUSH_CRASH").is_some_and(|it| it == "all")
}

/// Every point with an error, and whether it lasts.
pub(crate) fn failures(points: &[Point]) -> Vec<(Point, Errno, bool)> {
    let all = at_length();
    let mut failures = Vec::new();
    for (at, point) in points.iter().enumerate() {
        for (number, error) in ERRORS.into_iter().enumerate() {
            // For ever interrupted is a machine that stands still.
            let ways = if error == Errno::EINTR { 1 } else { 2 };
            for way in 0..ways {
                if all || (number, way) == (at % ERRORS.len(), (at / ERRORS.len()) % ways) {
                    failures.push((*point, error, way == 1));
                }
            }
        }
    }
    failures
}

/// Holds what holds whatever fails.
#[track_caller]
pub(crate) fn holds(traced: &Traced, what: &str) -> i32 {
    assert!(!traced.hangs(), "hangs: {what}");
    assert_eq!(traced.signal, None, "{what}: {}", traced.stderr);
    let code = traced.code.expect("no signal ended it");
    let table = [0, 65, 66, 67, 69, 73, 74, 75, 77, 78];
    assert!(table.contains(&code), "{code}: {what}: {}", traced.stderr);
    assert!(
        !traced.stderr.contains("a fault of wxpush"),
        "{what}: {}",
        traced.stderr
    );
    code
}

/// Longest time that a request takes on loopback.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(1);

/// More items than these are many.
const MANY: usize = 100;

/// Tries every item with a stand-in that drops nothing, as many side by side as there are
/// processors, and holds that none has failed. Of many, every second one, beginning by chance with
/// the first or the second, unless the sweep is made at full length. Returns how many it tried.
pub(crate) fn each<T: Sync>(
    items: &[T],
    workers: usize,
    work: impl Fn(&Standin, &T) + Sync,
) -> usize {
    let step = if at_length() || items.len() < MANY {
        1
    } else {
        2
    };
    let first = usize::from(Dice::new("sweep").roll(step as u64) == 1);
    let next = AtomicUsize::new(first);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                fence_in();
                let standin = Standin::start();
                standin.company().phones.per_minute = usize::MAX;
                standin.company().phones.per_hour = usize::MAX;
                while let Some(item) = items.get(next.fetch_add(step, Ordering::Relaxed)) {
                    work(&standin, item);
                }
            });
        }
    });
    (items.len() - first).div_ceil(step)
}

/// As many as there are processors.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// What is on a phone of the texts with this in them.
pub(crate) fn landed(standin: &Standin, part: &str) -> Vec<String> {
    let phone = standin.company().phone("zhangsan");
    let texts = phone.into_iter().map(|landed| landed.text);
    texts.filter(|text| text.contains(part)).collect()
}

/// The names in the outbox.
pub(crate) fn outbox(sandbox: &Sandbox) -> BTreeSet<String> {
    let names = fs::read_dir(sandbox.path("outbox")).into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// How many messages wait in the outbox.
pub(crate) fn entries(sandbox: &Sandbox) -> usize {
    let names = outbox(sandbox);
    let is_entry = |name: &&String| name.len() == 29 && name.as_bytes()[20] == b'-';
    names.iter().filter(is_entry).count()
}

/// Makes everything in the outbox two minutes older: what a killed process left is then removed.
pub(crate) fn age(sandbox: &Sandbox) {
    let then = SystemTime::now() - Duration::from_mins(2);
    for name in outbox(sandbox) {
        let file = File::open(sandbox.path("outbox").join(name)).unwrap();
        file.set_modified(then).unwrap();
    }
}

/// One flush, and all that must hold after it: nothing is left, nothing is damaged.
#[track_caller]
pub(crate) fn recover(sandbox: &Sandbox) {
    age(sandbox);
    sandbox.wxpush("outbox flush").is_silent();
    is_clean(sandbox);
}

/// Holds that nothing is left in the outbox, and that no file is damaged.
#[track_caller]
pub(crate) fn is_clean(sandbox: &Sandbox) {
    let mut left = outbox(sandbox);
    for record in ["failed", "told", "clock", "once", "looked"] {
        left.remove(record);
    }
    assert!(left.is_empty(), "{left:?}");
    let failed = fs::read_dir(sandbox.path("outbox/failed"));
    assert_eq!(failed.map_or(0, Iterator::count), 0, "nothing has failed");
    let cache = sandbox.read("token_cache.json");
    assert!(cache.is_empty() || serde_json::from_str::<Value>(&cache).is_ok());
    for file in ["wxpush.log", "ledger"] {
        let text = sandbox.read(file);
        assert!(text.is_empty() || text.ends_with('\n'), "{file}: {text}");
    }
}

/// The place in a list of calls of the first, or last, that does this.
pub(crate) fn place(calls: &[Call], last: bool, does: impl Fn(&Point) -> bool) -> usize {
    let mut places = (0..calls.len()).filter(|at| does(&calls[*at].point));
    let place = if last {
        places.next_back()
    } else {
        places.next()
    };
    place.expect("it is called")
}

/// How many of these calls the first thread has made, or the others have.
pub(crate) fn count(calls: &[Call], by_main: bool, name: &str) -> usize {
    let points = calls.iter().map(|call| call.point);
    let these = points.filter(|it| (it.thread == MAIN) == by_main && it.name() == name);
    these.count()
}

/// A clean run of these arguments in a fresh sandbox.
pub(crate) fn watched(args: &[&str]) -> Vec<Call> {
    let (_standin, sandbox) = set_up();
    let traced = trace(&sandbox, args, Act::Watch);
    assert_eq!((traced.code, &*traced.stderr), (Some(0), ""));
    traced.calls
}

/// Kills a run at this point; those of a second thread once the first one waits for it. None where it
/// did not come to it: how often one waits, or memory is given back, is chance.
pub(crate) fn killed(sandbox: &Sandbox, args: &[&str], point: Point) -> Option<Traced> {
    let act = if point.thread == MAIN {
        Act::Kill(point, &|| {})
    } else {
        Act::KillLate(point, &|| {})
    };
    let traced = trace(sandbox, args, act);
    assert_eq!(traced.code.is_none(), traced.acted, "{point:?}");
    traced.acted.then_some(traced)
}

/// Holds that hardly any of the points was missed.
pub(crate) fn hold_missed(missed: &AtomicUsize, points: usize) -> usize {
    let missed = missed.load(Ordering::Relaxed);
    assert!(
        missed * 20 <= points,
        "{missed} of {points} were not come to"
    );
    points - missed
}

/// A sandbox with two messages in its outbox, which may go now.
pub(crate) fn with_backlog(standin: &Standin, message: &str) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    for it in ["first", "second"] {
        standin.script(SEND, [Fault::Errcode(60020, "not allow".into())]);
        sandbox.send(&format!("{it} {message}")).exits(77);
    }
    assert_eq!(entries(&sandbox), 2);
    sandbox
}
