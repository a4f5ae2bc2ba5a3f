//! Runs the program call by call, to end it or to fail it at any one of its system calls.
//!
//! What strace can do, but exactly: its `when=K` counts per thread, so that it never gets to the
//! calls of a second thread that the first one has made as often already. Here a point is a call
//! of one thread, and which thread runs first is ours to say. Tracing is between this thread and
//! its child: many runs go on side by side.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::ptrace;
use nix::sys::ptrace::Options;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::support::calls::name;
use crate::support::{Run, Sandbox, leaks};

/// A run that takes longer hangs: the tests give it two seconds.
const HANGS: Duration = Duration::from_secs(10);

/// The first thread of the program, by its number.
pub(crate) const MAIN: usize = 0;

/// A call, by what it is the how many-th of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Point {
    /// `MAIN`, or the number of a thread in the order in which they were made.
    pub(crate) thread: usize,
    pub(crate) call: u64,
    /// From 1.
    pub(crate) nth: usize,
}

impl Point {
    pub(crate) fn name(&self) -> &'static str {
        name(self.call)
    }
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { thread, call, nth } = self;
        write!(f, "{} ({call}) #{nth} of thread {thread}", self.name())
    }
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) point: Point,
    /// What its first argument leads to, if that is an open file.
    pub(crate) file: PathBuf,
    /// Its third argument: mostly a size.
    pub(crate) size: u64,
}

/// What is done to the call at a point, which has not begun.
pub(crate) enum Act<'a> {
    Watch,
    /// The process is killed, after this.
    Kill(Point, &'a dyn Fn()),
    /// As `Kill`, once the first thread waits for the one that is held there, or ends.
    KillLate(Point, &'a dyn Fn()),
    /// This call fails, with all like it from then on if the last is true.
    Fail(Point, i32, bool),
    /// It reads or writes no more than half of what it should.
    Halve(Point),
    /// The process stands still while this is done.
    Pause(Point, &'a dyn Fn()),
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) calls: Vec<Call>,
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Which.
    pub(crate) signal: Option<Signal>,
    /// Whether it came to the point.
    pub(crate) acted: bool,
    pub(crate) stderr: String,
    pub(crate) time: Duration,
}

impl Traced {
    pub(crate) fn hangs(&self) -> bool {
        self.time >= HANGS
    }
}

struct Thread {
    number: usize,
    inside: bool,
    counts: HashMap<u64, usize>,
    /// What its call will be made to return.
    fails: Option<i32>,
    waits: bool,
}

struct Tracer<'a> {
    main: Pid,
    act: Act<'a>,
    threads: HashMap<Pid, Thread>,
    calls: Vec<Call>,
    acted: bool,
    /// Whether the shell has become the program.
    begun: bool,
    /// The first thread stands still until another has ended.
    main_is_held: bool,
    /// A thread that stands at the point until the first one waits.
    held: Option<Pid>,
}

/// Runs the program, with these arguments, to its end. Threads that it makes run to their own end
/// before it goes on.
#[expect(
    clippy::zombie_processes,
    reason = "the tracer waits for it, by its number"
)]
pub(crate) fn trace(sandbox: &Sandbox, args: &[&str], act: Act<'_>) -> Traced {
    let mut command = Command::new("/bin/sh");
    // It is in our hands before it becomes the program.
    command.args(["-c", "read go; exec \"$@\" </dev/null", "sh"]);
    let run = Run::new(command).arg(sandbox.path("wxpush")).args(args);
    let mut child = run.stdin([]).command().spawn().expect("there is a shell");
    let main = Pid::from_raw(child.id().cast_signed());
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(main, options).expect("we may trace");
    let begun = Instant::now();
    let (over, ends) = mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if ends.recv_timeout(HANGS).is_err() {
            let _ = kill(main, Signal::SIGKILL);
        }
    });
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut tracer = Tracer {
        main,
        act,
        threads: HashMap::new(),
        calls: Vec::new(),
        acted: false,
        begun: false,
        main_is_held: false,
        held: None,
    };
    let (code, signal) = tracer.follow();
    let time = begun.elapsed();
    let _ = over.send(());
    watch.join().unwrap();
    let mut stderr = String::new();
    let mut pipe = child.stderr.take().unwrap();
    pipe.read_to_string(&mut stderr).expect("output is UTF-8");
    leaks::hold("stderr", stderr.as_bytes(), false);
    Traced {
        calls: tracer.calls,
        code,
        signal,
        acted: tracer.acted,
        stderr,
        time,
    }
}

impl Tracer<'_> {
    /// Goes from stop to stop.
    fn follow(&mut self) -> (Option<i32>, Option<Signal>) {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)).expect("there is a child") {
                WaitStatus::Exited(pid, code) if pid == self.main => return (Some(code), None),
                WaitStatus::Signaled(pid, signal, _) if pid == self.main => {
                    return (None, Some(signal));
                }
                WaitStatus::Exited(..) | WaitStatus::Signaled(..)
                    if std::mem::take(&mut self.main_is_held) =>
                {
                    resume(self.main, None);
                }
                WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => {
                    // The shell's own beginning may be seen, or not.
                    let program = fs::read_link(format!("/proc/{pid}/exe"));
                    self.begun = program.is_ok_and(|path| path.ends_with("wxpush"));
                    // Within the call that made it the program.
                    self.thread(pid).inside = true;
                    resume(pid, None);
                }
                WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_CLONE) => {
                    let made = ptrace::getevent(pid).unwrap_or_default();
                    self.thread(Pid::from_raw(made.try_into().unwrap()));
                    self.main_is_held = !matches!(self.act, Act::KillLate(..));
                    if !self.main_is_held {
                        resume(pid, None);
                    }
                }
                WaitStatus::PtraceEvent(pid, ..) => {
                    self.thread(pid);
                    resume(pid, None);
                }
                WaitStatus::PtraceSyscall(pid) => self.stop(pid),
                WaitStatus::Stopped(pid, signal) => resume(pid, signal),
                _ => {}
            }
        }
    }

    fn thread(&mut self, pid: Pid) -> &mut Thread {
        let number = self.threads.len();
        self.threads.entry(pid).or_insert_with(|| Thread {
            number,
            inside: false,
            counts: HashMap::new(),
            fails: None,
            waits: false,
        })
    }

    /// A call begins, or ends.
    fn stop(&mut self, pid: Pid) {
        if !self.begun {
            // How many of the shell's calls come to be seen is chance.
            resume(pid, None);
            return;
        }
        let thread = self.thread(pid);
        thread.inside = !thread.inside;
        if !thread.inside {
            thread.waits = false;
            if let Some(errno) = thread.fails.take()
                && let Ok(mut regs) = ptrace::getregs(pid)
            {
                regs.rax = i64::from(-errno).cast_unsigned();
                let _ = ptrace::setregs(pid, regs);
            }
            resume(pid, None);
            return;
        }
        // It may have been killed meanwhile.
        let Ok(regs) = ptrace::getregs(pid) else {
            return;
        };
        let call = regs.orig_rax;
        let nth = thread.counts.entry(call).or_default();
        *nth += 1;
        let point = Point {
            thread: thread.number,
            call,
            nth: *nth,
        };
        let waits = match name(call) {
            "exit_group" => true,
            // FUTEX_WAIT and FUTEX_WAIT_BITSET.
            "futex" => matches!(regs.rsi & 127, 0 | 9),
            _ => false,
        };
        thread.waits = waits;
        let fd = regs.rdi;
        let file = fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap_or_default();
        let is_of_threads = file.to_string_lossy().contains("[eventfd]");
        self.calls.push(Call {
            point,
            file,
            size: regs.rdx,
        });
        if waits && point.thread == MAIN && self.held.is_some() {
            self.kill();
        } else if is_of_threads && matches!(self.act, Act::Fail(..)) {
            // How threads wake each other has nothing to do with a disk.
            resume(pid, None);
        } else {
            self.act(pid, point);
        }
    }

    fn act(&mut self, pid: Pid, point: Point) {
        let mut regs = None;
        match &self.act {
            Act::Kill(at, _) if *at == point => {
                if let Ok(mut regs) = ptrace::getregs(pid) {
                    // No such call: it dies before, not in it.
                    regs.orig_rax = u64::MAX;
                    let _ = ptrace::setregs(pid, regs);
                }
                return self.kill();
            }
            Act::KillLate(at, _) if *at == point => {
                self.held = Some(pid);
                let main = self.main;
                if self.thread(main).waits {
                    self.kill();
                }
                return;
            }
            Act::Fail(at, errno, for_ever)
                if *at == point || (*for_ever && self.acted && at.call == point.call) =>
            {
                let errno = *errno;
                self.acted = true;
                self.thread(pid).fails = Some(errno);
                regs = ptrace::getregs(pid).ok();
                // No such call: nothing is done.
                if let Some(regs) = &mut regs {
                    regs.orig_rax = u64::MAX;
                }
            }
            Act::Pause(at, meanwhile) if *at == point => {
                meanwhile();
                self.acted = true;
            }
            Act::Halve(at) if *at == point => {
                self.acted = true;
                regs = ptrace::getregs(pid).ok();
                if let Some(regs) = &mut regs {
                    regs.rdx /= 2;
                }
            }
            _ => {}
        }
        if let Some(regs) = regs {
            let _ = ptrace::setregs(pid, regs);
        }
        resume(pid, None);
    }

    fn kill(&mut self) {
        if let Act::Kill(_, before) | Act::KillLate(_, before) = &self.act {
            before();
        }
        self.acted = true;
        self.held = None;
        kill(self.main, Signal::SIGKILL).expect("it is ours");
    }
}

fn resume(pid: Pid, signal: impl Into<Option<Signal>>) {
    // It may have been killed meanwhile.
    let _ = ptrace::syscall(pid, signal);
}
