//! A pseudo-terminal to type at, and to read what stands on it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::support::{Run, leaks};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program at a terminal of its own.
pub(crate) struct Pty {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    child: Child,
    shown: String,
    /// How much of it has been looked at.
    seen: usize,
}

impl Pty {
    /// Starts a program with the terminal as its stdin, stdout and stderr.
    pub(crate) fn start(run: Run) -> Self {
        Self::start_with(run, None)
    }

    /// The same, with stdout elsewhere.
    pub(crate) fn start_with(run: Run, stdout: Option<Stdio>) -> Self {
        let pair = openpty(None, None).expect("there are terminals");
        let slave = || Stdio::from(pair.slave.try_clone().unwrap());
        let mut command = run.command();
        let stdout = stdout.unwrap_or_else(slave);
        command.stdin(slave()).stdout(stdout).stderr(slave());
        let child = command.spawn().expect("the program can be started");
        drop(command);
        drop(pair.slave);
        let keyboard = File::from(pair.master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        // It ends with the terminal: EIO once nobody has it open.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            keyboard,
            screen,
            child,
            shown: String::new(),
            seen: 0,
        }
    }

    /// Waits until these words stand there, behind what was waited for before.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) -> &mut Self {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.shown[self.seen..].find(words) {
                self.seen += at + words.len();
                return self;
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let Ok(bytes) = self.screen.recv_timeout(left) else {
                panic!("no {words:?} behind {:?}", self.shown);
            };
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        self.presses(&format!("{line}\n"))
    }

    /// Types these keys.
    pub(crate) fn presses(&mut self, keys: &str) -> &mut Self {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("it is open");
        self
    }

    /// Whether the terminal shows what is typed.
    pub(crate) fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).expect("it is a terminal");
        modes.local_flags.contains(LocalFlags::ECHO)
    }

    /// Waits until it shows what is typed, or no more.
    #[track_caller]
    pub(crate) fn await_echo(&self, echo: bool) {
        let begun = Instant::now();
        while self.echoes() != echo {
            assert!(begun.elapsed() < PATIENCE, "the echo is not {echo}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().cast_signed())
    }

    /// Waits for its end, and returns its exit code, none after a signal, and all that was shown.
    #[track_caller]
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it does not end: {}", self.shown);
            }
            thread::sleep(Duration::from_millis(2));
        };
        assert!(self.echoes(), "the terminal is as it was");
        // What it wrote before its end is there, though it may take a moment.
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_millis(100)) {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        leaks::hold("the terminal", self.shown.as_bytes(), false);
        (status.code(), self.shown)
    }
}
