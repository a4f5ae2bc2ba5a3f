//! Signals for the program that we run, which come to us.

use std::fs;
use std::io::{self, IsTerminal, PipeReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::process::Signal;
use signal_hook::{consts, flag, low_level};

use super::poll::poll_one;

/// Signals that are forwarded.
const FORWARDED: [Signal; 6] = [
    Signal::TERM,
    Signal::INT,
    Signal::QUIT,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
];

/// Signals that are forwarded too, unless a terminal sends them to the program itself.
const OF_A_JOB: [Signal; 2] = [Signal::TSTP, Signal::CONT];

/// Signals that are caught, until the program has ended.
pub(super) struct Signals {
    /// Each with whether it has come.
    caught: Vec<(Signal, Arc<AtomicBool>)>,
    /// Has a byte for each that has come, and when the program has ended.
    bell: PipeReader,
    /// Whether a signal ends us again.
    over: Arc<AtomicBool>,
    shares_group: bool,
}

impl Signals {
    /// Catches them, but for the ignored ones: the program must ignore them, too.
    ///
    /// # Errors
    /// Where there are no descriptors left.
    pub(super) fn catch(shares_group: bool) -> io::Result<Self> {
        let (bell, ringer) = io::pipe()?;
        let over = Arc::new(AtomicBool::new(false));
        let mut caught = Vec::new();
        let ignored = ignored();
        let of_a_job = OF_A_JOB.iter().filter(|_| !shares_group);
        for &signal in FORWARDED.iter().chain(of_a_job) {
            let number = signal.as_raw();
            if ignored & bit(number) != 0 {
                continue;
            }
            let seen = Arc::new(AtomicBool::new(false));
            flag::register(number, Arc::clone(&seen))?;
            low_level::pipe::register(number, ringer.try_clone()?)?;
            flag::register_conditional_default(number, Arc::clone(&over))?;
            caught.push((signal, seen));
        }
        // If it were ignored, the exit status could not be known.
        low_level::pipe::register(consts::SIGCHLD, ringer)?;
        Ok(Self {
            caught,
            bell,
            over,
            shares_group,
        })
    }

    /// Waits for a signal, for the program's end, or until then.
    ///
    /// # Errors
    /// None are expected.
    pub(super) fn wait(&mut self, until: Option<Instant>) -> io::Result<()> {
        if poll_one(&self.bell, PollFlags::IN, until)? {
            let mut rings = [0; 64];
            let _ = self.bell.read(&mut rings)?;
        }
        Ok(())
    }

    /// Returns a signal that has come and that the program has not got already.
    pub(super) fn next(&self) -> Option<Signal> {
        let taken = |(_, seen): &&(Signal, Arc<AtomicBool>)| seen.swap(false, Ordering::Relaxed);
        let is_new = |signal: &Signal| !self.is_from_terminal(*signal);
        let mut come = self.caught.iter().filter(taken).map(|(signal, _)| *signal);
        come.find(is_new)
    }

    /// Whether it was typed at the terminal, which sends it to all of the group.
    ///
    /// Its sender cannot be known without `unsafe`; but if our group is in the foreground, it is
    /// hardly anybody else.
    fn is_from_terminal(&self, signal: Signal) -> bool {
        let typed = signal == Signal::INT || signal == Signal::QUIT;
        let stdin = io::stdin();
        self.shares_group
            && typed
            && stdin.is_terminal()
            && rustix::termios::tcgetpgrp(&stdin)
                .is_ok_and(|group| group == rustix::process::getpgrp())
    }

    /// Lets signals end us again.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Stops us, as the terminal's ^Z would.
pub(super) fn stop() {
    // If it can't be done, we wait for the program as before.
    let _ = low_level::raise(consts::SIGSTOP);
}

/// Returns a signal's name, such as `SIGTERM`, if it has one.
pub(crate) fn name_of(signal: i32) -> Option<&'static str> {
    low_level::signal_name(signal)
}

/// Whether a signal was ignored when we were started, or is since.
pub(crate) fn is_ignored(signal: i32) -> bool {
    ignored() & bit(signal) != 0
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Reads the ignored signals as bits, from /proc: `sigaction` would take `unsafe`.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
