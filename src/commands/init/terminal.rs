//! Reads lines typed at a terminal; a secret without echo.
//!
//! `rpassword` reads the terminal raw: a SIGTERM or SIGHUP from elsewhere would leave it without
//! echo and without ^C. Here the kernel edits the line, and each signal that ends or stops the
//! process restores the terminal first.

use std::io::{self, BufRead, IsTerminal, Read, Stdin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::{consts, flag, low_level};

use crate::child::is_ignored;
use crate::output;

/// The signals that end or stop the process.
const SIGNALS: [i32; 5] = [
    consts::SIGINT,
    consts::SIGTERM,
    consts::SIGHUP,
    consts::SIGQUIT,
    consts::SIGTSTP,
];

/// The modes to be restored while the terminal does not echo.
static HIDING: Mutex<Option<Termios>> = Mutex::new(None);

fn hiding() -> MutexGuard<'static, Option<Termios>> {
    HIDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A terminal with a person who reads stderr.
#[derive(Debug)]
pub(super) struct Terminal {
    stdin: Stdin,
    is_watched: bool,
}

impl Terminal {
    /// Returns the terminal, if both stdin and stderr are terminals.
    pub(super) fn here() -> Option<Self> {
        let stdin = io::stdin();
        let is_there = stdin.is_terminal() && output::stderr_is_terminal();
        is_there.then_some(Self {
            stdin,
            is_watched: false,
        })
    }

    /// Prompts, and reads a line; returns `None` at the end of the input.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn read(&self, prompt: &str) -> io::Result<Option<String>> {
        output::question(prompt);
        let mut line = Vec::new();
        self.stdin.lock().read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\n");
        Ok(line.map(|line| String::from_utf8_lossy(line).into_owned()))
    }

    /// Prompts, and reads a line without echo.
    ///
    /// # Errors
    /// As `read`, or if the echo cannot be switched off.
    pub(super) fn read_hidden(&mut self, prompt: &'static str) -> io::Result<Option<String>> {
        if !self.is_watched {
            watch(prompt)?;
            self.is_watched = true;
        }
        let modes = tcgetattr(&self.stdin)?;
        {
            let mut hiding = hiding();
            hide(&modes)?;
            *hiding = Some(modes);
        }
        let line = self.read(prompt);
        if let Some(modes) = hiding().take() {
            restore(&modes);
        }
        line
    }
}

fn hide(modes: &Termios) -> io::Result<()> {
    let mut hidden = modes.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    // The newline is echoed, so that the next question starts on a new line.
    hidden.local_modes.insert(LocalModes::ECHONL);
    // Typed-ahead input is kept: it may be the answer.
    Ok(tcsetattr(io::stdin(), OptionalActions::Drain, &hidden)?)
}

fn restore(modes: &Termios) {
    // If the terminal is gone, there is nothing to restore.
    let _ = tcsetattr(io::stdin(), OptionalActions::Drain, modes);
}

/// Starts a thread that restores the terminal before a signal takes effect, and hides and prompts
/// again after a stop.
fn watch(prompt: &'static str) -> io::Result<()> {
    let (mut bell, ringer) = io::pipe()?;
    let caught = Arc::new(AtomicUsize::new(0));
    for (at, signal) in SIGNALS.into_iter().enumerate() {
        if !is_ignored(signal) {
            flag::register_usize(signal, Arc::clone(&caught), at)?;
            low_level::pipe::register(signal, ringer.try_clone()?)?;
        }
    }
    let act = move || {
        while bell.read_exact(&mut [0]).is_ok() {
            let hiding = hiding();
            if let Some(modes) = &*hiding {
                restore(modes);
                output::end_line();
            }
            let signal = SIGNALS[caught.load(Ordering::SeqCst)];
            let _ = low_level::emulate_default_handler(signal);
            if let Some(modes) = &*hiding {
                let _ = hide(modes);
                output::question(prompt);
            }
        }
    };
    thread::Builder::new().spawn(act)?;
    Ok(())
}
