//! Forwards signals to the program that we run.

use std::fs;
use std::io::{self, IsTerminal, PipeReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::process::Signal;
use signal_hook::{consts, flag, low_level};

use super::poll::poll_one;

/// The signals that are forwarded.
const FORWARDED: [Signal; 6] = [
    Signal::TERM,
    Signal::INT,
    Signal::QUIT,
    Signal::HUP,
    Signal::USR1,
    Signal::USR2,
];

/// Forwarded as well, unless the terminal sends them to the program itself.
const OF_A_JOB: [Signal; 2] = [Signal::TSTP, Signal::CONT];

/// The signals that are caught until the program has ended.
pub(super) struct Signals {
    /// The signals, each with whether it has arrived.
    caught: Vec<(Signal, Arc<AtomicBool>)>,
    /// Gets a byte for each signal, and when the program has ended.
    bell: PipeReader,
    /// Whether signals have their default action again.
    over: Arc<AtomicBool>,
    shares_group: bool,
}

impl Signals {
    /// Catches all but the ignored signals: the program must ignore those, too.
    ///
    /// # Errors
    /// If there are no descriptors left.
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
        // If SIGCHLD were ignored, the exit status could not be known.
        low_level::pipe::register(consts::SIGCHLD, ringer)?;
        Ok(Self {
            caught,
            bell,
            over,
            shares_group,
        })
    }

    /// Waits for a signal, for the end of the program, or until the time.
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

    /// Returns a signal that has arrived and that the program has not already received.
    pub(super) fn next(&self) -> Option<Signal> {
        let taken = |(_, seen): &&(Signal, Arc<AtomicBool>)| seen.swap(false, Ordering::Relaxed);
        let is_new = |signal: &Signal| !self.is_from_terminal(*signal);
        let mut come = self.caught.iter().filter(taken).map(|(signal, _)| *signal);
        come.find(is_new)
    }

    /// Whether a signal was typed at the terminal, which sends it to the whole group.
    ///
    /// Its sender cannot be known without `unsafe`. If our group is in the foreground, it is almost
    /// certainly the terminal.
    fn is_from_terminal(&self, signal: Signal) -> bool {
        let typed = signal == Signal::INT || signal == Signal::QUIT;
        let stdin = io::stdin();
        self.shares_group
            && typed
            && stdin.is_terminal()
            && rustix::termios::tcgetpgrp(&stdin)
                .is_ok_and(|group| group == rustix::process::getpgrp())
    }

    /// Restores the default action of signals.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Stops us, as ^Z at the terminal would.
pub(super) fn stop() {
    // If that fails, we go on waiting for the program.
    let _ = low_level::raise(consts::SIGSTOP);
}

/// Returns the name of a signal, such as `SIGTERM`, if it has one.
pub(crate) fn name_of(signal: i32) -> Option<&'static str> {
    low_level::signal_name(signal)
}

/// Whether a signal was ignored when we were started, or has been since.
pub(crate) fn is_ignored(signal: i32) -> bool {
    ignored() & bit(signal) != 0
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Reads the ignored signals as a bit mask from /proc: `sigaction` would need `unsafe`.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
