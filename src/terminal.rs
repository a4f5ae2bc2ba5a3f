//! What a person types: a line at a time, a secret unseen.
//!
//! The kernel edits the lines, as the person knows it from elsewhere. While it echoes nothing, what
//! would end or stop us gives the terminal back first.

use std::io::{self, IsTerminal, PipeReader, Read, Stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{consts, flag, low_level};

use crate::child::is_ignored;
use crate::output;

/// What ends or stops us while a secret is typed.
const SIGNALS: [i32; 5] = [
    consts::SIGINT,
    consts::SIGTERM,
    consts::SIGHUP,
    consts::SIGQUIT,
    consts::SIGTSTP,
];

/// A terminal with a person before it, who reads what stderr says.
#[derive(Debug)]
pub(crate) struct Terminal {
    stdin: Stdin,
    /// What was typed ahead.
    pending: Vec<u8>,
    watch: Option<Watch>,
}

impl Terminal {
    /// The terminal, if there is one to ask at.
    pub(crate) fn here() -> Option<Self> {
        let stdin = io::stdin();
        let is_there = stdin.is_terminal() && output::stderr_is_terminal();
        is_there.then(|| Self {
            stdin,
            pending: Vec::new(),
            watch: None,
        })
    }

    /// The next line, without its end; none where the person has ended the input.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn line(&mut self) -> io::Result<Option<String>> {
        self.typed(|_| Ok(()))
    }

    /// The same, while nothing of it is seen: `ask` is called once that is so, and after each stop.
    ///
    /// # Errors
    /// As `line`, or nothing can be hidden here.
    pub(crate) fn unseen_line(&mut self, ask: impl Fn()) -> io::Result<Option<String>> {
        let mut watch = match self.watch.take() {
            Some(watch) => watch,
            None => Watch::begin()?,
        };
        watch.set(true);
        let hidden = Hidden::new()?;
        ask();
        let line = self.typed(|stdin| watch.await_input(stdin, &hidden, &ask));
        drop(hidden);
        watch.set(false);
        // One that came at the very end.
        watch.obey();
        self.watch = Some(watch);
        line
    }

    fn typed(
        &mut self,
        mut ready: impl FnMut(&Stdin) -> io::Result<()>,
    ) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| b"\r\n".contains(byte)) {
                let line: Vec<u8> = self.pending.drain(..=end).take(end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            ready(&self.stdin)?;
            let mut bytes = [0; 4096];
            let count = retry_on_intr(|| rustix::io::read(&self.stdin, &mut bytes))?;
            if count == 0 {
                self.pending.clear();
                return Ok(None);
            }
            self.pending.extend_from_slice(&bytes[..count]);
        }
    }
}

/// A terminal that shows nothing of what is typed, until the value goes.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let hidden = Self { before };
        hidden.hide()?;
        Ok(hidden)
    }

    fn hide(&self) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        // The end of the line is seen, so that the next question stands on its own.
        modes.local_modes.insert(LocalModes::ECHONL);
        // What was typed ahead stays: it may be the answer.
        Ok(tcsetattr(io::stdin(), OptionalActions::Drain, &modes)?)
    }

    fn show(&self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.show();
    }
}

/// Signals that wait until the terminal is as it was.
#[derive(Debug)]
struct Watch {
    /// Each with whether it has come.
    caught: Vec<(i32, Arc<AtomicBool>)>,
    bell: PipeReader,
    /// Whether they act at once, as they do everywhere else.
    at_once: Arc<AtomicBool>,
}

impl Watch {
    fn begin() -> io::Result<Self> {
        let (bell, ringer) = io::pipe()?;
        let at_once = Arc::new(AtomicBool::new(true));
        let mut caught = Vec::new();
        for signal in SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)) {
            let seen = Arc::new(AtomicBool::new(false));
            flag::register_conditional_default(signal, Arc::clone(&at_once))?;
            flag::register(signal, Arc::clone(&seen))?;
            low_level::pipe::register(signal, ringer.try_clone()?)?;
            caught.push((signal, seen));
        }
        Ok(Self {
            caught,
            bell,
            at_once,
        })
    }

    fn set(&self, waits: bool) {
        if waits {
            // What has acted at once, and was gone on from.
            for (_, seen) in &self.caught {
                seen.store(false, Ordering::SeqCst);
            }
        }
        self.at_once.store(!waits, Ordering::SeqCst);
    }

    /// Waits for something typed; a signal takes effect, and a stop is gone on from.
    fn await_input(&mut self, stdin: &Stdin, hidden: &Hidden, ask: &impl Fn()) -> io::Result<()> {
        loop {
            let mut both = [
                PollFd::new(stdin, PollFlags::IN),
                PollFd::new(&self.bell, PollFlags::IN),
            ];
            retry_on_intr(|| poll(&mut both, None))?;
            if both[1].revents().is_empty() {
                return Ok(());
            }
            let mut rings = [0; 64];
            let _ = self.bell.read(&mut rings)?;
            if !self.has_news() {
                continue;
            }
            hidden.show();
            self.obey();
            hidden.hide()?;
            ask();
        }
    }

    fn has_news(&self) -> bool {
        let mut caught = self.caught.iter();
        caught.any(|(_, seen)| seen.load(Ordering::SeqCst))
    }

    /// Does what the signals that have come do by themselves; none but a stop comes back from it.
    fn obey(&self) {
        for (signal, seen) in &self.caught {
            if seen.swap(false, Ordering::SeqCst) {
                output::end_line();
                let _ = low_level::emulate_default_handler(*signal);
            }
        }
    }
}
