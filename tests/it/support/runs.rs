//! Runs of the program: how they begin, what they come to.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use serde_json::Value;

use crate::support::{Sandbox, leaks};

/// No run takes longer, whatever goes wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A run that is being described: the root as working directory, an environment with nothing but
/// what makes other programs show their secrets, and English at the terminal.
pub(crate) struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Run {
    /// Any program, in the same bare surroundings.
    pub(crate) fn new(mut command: Command) -> Self {
        command
            .env_clear()
            .env("LANG", "en_US.UTF-8")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .env("SSLKEYLOGFILE", leaks::key_log())
            .current_dir("/");
        Self {
            command,
            stdin: None,
        }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    pub(crate) fn pipe(&mut self) {
        let stdin = if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        self.command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    /// The command, its outputs on pipes, and its input too if it is to have any.
    pub(crate) fn command(mut self) -> Command {
        self.pipe();
        self.command
    }

    /// Starts it, to be waited for later.
    pub(crate) fn start(mut self) -> Started {
        self.pipe();
        let words: Vec<_> = self
            .command
            .get_args()
            .map(|it| it.to_string_lossy())
            .collect();
        let prints_token = words.join(" ").contains("token print");
        let begun = Instant::now();
        let mut child = self.command.spawn().expect("the program can be started");
        if let (Some(bytes), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            // The reader may leave early: that is its right.
            std::thread::spawn(move || pipe.write_all(&bytes));
        }
        Started {
            child,
            begun,
            patience: PATIENCE,
            prints_token,
        }
    }

    /// Starts what takes so long.
    pub(crate) fn start_patiently(self, time: Duration) -> Started {
        Started {
            patience: PATIENCE + time,
            ..self.start()
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.start().wait()
    }

    /// Runs it, and holds that it ends with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        self.run().exits(code)
    }

    /// Runs it, and holds that it succeeds without a word, as cron wants it.
    #[track_caller]
    pub(crate) fn is_silent(self) -> Outcome {
        self.run().is_silent()
    }
}

/// A run that is under way.
pub(crate) struct Started {
    pub(crate) child: Child,
    begun: Instant,
    patience: Duration,
    /// Whether it is the one command that may.
    prints_token: bool,
}

impl Started {
    pub(crate) fn wait(mut self) -> Outcome {
        let collect = |pipe: Option<Box<dyn Read + Send>>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                pipe.map(|mut pipe| pipe.read_to_end(&mut bytes))
                    .transpose()
                    .expect("a pipe can be read");
                String::from_utf8(bytes).expect("output is UTF-8")
            })
        };
        let stdout = collect(self.child.stdout.take().map(|pipe| Box::new(pipe) as _));
        let stderr = collect(self.child.stderr.take().map(|pipe| Box::new(pipe) as _));
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            if self.begun.elapsed() > self.patience {
                let _ = self.child.kill();
                panic!("wxpush hangs");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let time = self.begun.elapsed();
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        leaks::hold("stdout", stdout.as_bytes(), self.prints_token);
        leaks::hold("stderr", stderr.as_bytes(), false);
        Outcome {
            code: status.code(),
            stdout,
            stderr,
            time,
        }
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// None if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) time: Duration,
}

impl Outcome {
    /// Holds that it ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Holds that it succeeded without a word, as cron wants it.
    #[track_caller]
    pub(crate) fn is_silent(self) -> Self {
        let outcome = self.exits(0);
        assert_eq!((&*outcome.stdout, &*outcome.stderr), ("", ""));
        outcome
    }

    /// Holds that stderr has these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.stderr.contains(words),
            "no {words:?} in {}",
            self.stderr
        );
        self
    }

    /// The JSON result.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("stdout is one JSON object")
    }
}

/// Starts as many runs at once, and waits for all.
pub(crate) fn at_once(count: usize, run: impl Fn(usize) -> Run) -> Vec<Outcome> {
    let started: Vec<Started> = (0..count).map(|number| run(number).start()).collect();
    started.into_iter().map(Started::wait).collect()
}

/// Tries every row of a table, all at once: most of what they do is wait.
pub(crate) fn for_each<T: Send>(table: impl IntoIterator<Item = T>, row: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for item in table {
            scope.spawn(|| row(item));
        }
    });
}

/// The sandbox's program in a shell, so redirected; its exit code is the shell's.
pub(crate) fn redirected(sandbox: &Sandbox, args: &str, redirection: &str) -> Run {
    let mut shell = Command::new("bash");
    // The reader of the pipe is gone before anything is written.
    let line = match redirection.split_once('|') {
        Some((before, reader)) => {
            format!("set -o pipefail; {{ sleep 0.2; exec \"$0\" {args} {before}; }} | {reader}")
        }
        None => format!("exec \"$0\" {args} {redirection}"),
    };
    shell.args(["-c", &line]).arg(sandbox.path("wxpush"));
    Run::new(shell).env("PATH", "/usr/bin:/bin")
}

/// The most memory that a run had, in KiB, which ended with this code.
pub(crate) fn peak(started: Started, code: i32) -> u64 {
    measured(started, code).0
}

/// The most memory that a run had, in KiB, looked at until its end with this code; and what it said.
pub(crate) fn measured(started: Started, code: i32) -> (u64, Outcome) {
    let status = format!("/proc/{}/status", started.child.id());
    let looks = std::thread::spawn(move || {
        let mut peak = 0;
        loop {
            let text = fs::read_to_string(&status).unwrap_or_default();
            // What has ended and has not been waited for is there without memory.
            let Some((_, size)) = text.split_once("VmHWM:") else {
                return peak;
            };
            // For a moment after its start it is still its parent.
            if text.starts_with("Name:\twxpush\n") {
                let size = size.split_whitespace().next().unwrap();
                peak = peak.max(size.parse().unwrap());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let outcome = started.wait().exits(code);
    (looks.join().unwrap(), outcome)
}

/// Waits until a process that strace started has opened a file, and is thus stopped.
pub(crate) fn stopped_at(path: &Path, strace: u32) -> Pid {
    let begun = Instant::now();
    loop {
        let children = format!("/proc/{strace}/task/{strace}/children");
        let children = fs::read_to_string(children).unwrap_or_default();
        for child in children.split_whitespace() {
            let open = fs::read_dir(format!("/proc/{child}/fd"));
            let mut open = open.into_iter().flatten().flatten();
            if open.any(|entry| fs::read_link(entry.path()).is_ok_and(|it| it == *path)) {
                return Pid::from_raw(child.parse().unwrap()).unwrap();
            }
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it never opens it"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs words of a shell at a terminal, and hands on its exit code.
pub(crate) fn at_a_terminal(sandbox: &Sandbox, args: &str) -> Outcome {
    let mut command = Command::new("script");
    let program = sandbox.path("wxpush");
    let line = format!("exec {} {args}", program.display());
    command.args(["-qec", &line, "/dev/null"]);
    Run::new(command).env("PATH", "/usr/bin:/bin").run()
}

/// Holds that the message went out, with these words in the only line on stderr.
#[track_caller]
pub(crate) fn warns_once(outcome: Outcome, words: &str) {
    let outcome = outcome.exits(0).says(words).says("wxpush: warning: ");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

/// `wxpush run` with these options of a command for the shell.
pub(crate) fn sh(sandbox: &Sandbox, options: &str, script: &str) -> Run {
    sandbox
        .wxpush(&format!("run {options}"))
        .args(&["--", "sh", "-c", script])
        .env("PATH", "/usr/bin:/bin")
}
