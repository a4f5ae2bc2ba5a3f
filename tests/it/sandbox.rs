//! A directory of its own for each test: the program, its config, its state.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::leaks;
use crate::standin::{AGENTID, CORPID, SECRET, Standin};

/// No run takes longer, whatever goes wrong.
const PATIENCE: Duration = Duration::from_secs(90);

/// A directory that holds the program by hard link, so that state lands beside it.
///
/// When it goes, no file in it may hold a secret (`leaks`).
pub(crate) struct Sandbox {
    dir: PathBuf,
    /// What the test wrote itself, secrets and all.
    written: Mutex<HashSet<Vec<u8>>>,
}

impl Sandbox {
    /// A sandbox with nothing but the program.
    pub(crate) fn empty() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // Of a run that failed, long ago, and had the same process id.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("the target directory can be written");
        // With a umask of 0 it would not count as beside.
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let written = Mutex::default();
        let sandbox = Self { dir, written };
        // A copy could be "text file busy" while another test's child still has it open.
        fs::hard_link(env!("CARGO_BIN_EXE_wxpush"), sandbox.path("wxpush"))
            .expect("one file system");
        sandbox
    }

    /// A sandbox whose config leads to the stand-in.
    pub(crate) fn of(standin: &Standin) -> Self {
        let sandbox = Self::empty();
        sandbox.write("config.toml", config(&standin.base()));
        sandbox
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file in it, private as a config should be.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::write(&path, &text).expect("the sandbox can be written");
        self.written().insert(text.as_ref().to_vec());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }

    /// Puts lines before the config's own.
    pub(crate) fn configure(&self, lines: &str) {
        let config = self.read("config.toml");
        self.write("config.toml", format!("{lines}\n{config}"));
    }

    /// A file in it, as text; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8(bytes).expect("our files are UTF-8")
    }

    /// What the test wrote itself.
    pub(crate) fn written(&self) -> MutexGuard<'_, HashSet<Vec<u8>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.dir).expect("the sandbox is there");
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The one record of the token cache.
    pub(crate) fn record(&self) -> Value {
        let cache: BTreeMap<String, Value> =
            serde_json::from_str(&self.read("token_cache.json")).expect("a cache");
        assert_eq!(cache.len(), 1, "one app has one record");
        cache.into_values().next().unwrap()
    }

    /// Makes the cached token older by so many seconds.
    pub(crate) fn age_token(&self, seconds: u64) {
        let mut cache: Value =
            serde_json::from_str(&self.read("token_cache.json")).expect("a cache");
        for (_, record) in cache.as_object_mut().expect("a map") {
            record["obtained_at"] = (record["obtained_at"].as_u64().unwrap() - seconds).into();
        }
        self.write("token_cache.json", cache.to_string());
    }

    /// The program with these arguments, words divided by spaces.
    pub(crate) fn wxpush(&self, args: &str) -> Run {
        let mut command = Command::new(self.path("wxpush"));
        command.args(args.split_whitespace());
        Run::new(command)
    }

    /// `wxpush send`.
    pub(crate) fn send(&self, message: &str) -> Run {
        self.wxpush("send").arg(message)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(
                !leaks::key_log().exists(),
                "the keys of TLS are written down"
            );
            assert_eq!(leaks::found_below(&self.dir, &self.written()), None);
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A config for the stand-in's app.
pub(crate) fn config(base: &str) -> String {
    format!(
        "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\n[network]\napi_base = \"{base}\"\n"
    )
}

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

    fn pipe(&mut self) {
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

/// The bodies of all messages that arrived, refused ones too.
pub(crate) fn bodies(standin: &Standin) -> Vec<Value> {
    let requests = standin.requests();
    let sends = requests
        .iter()
        .filter(|request| request.endpoint() == "/cgi-bin/message/send");
    sends.map(crate::standin::Request::json).collect()
}

/// Takes on so many more members, each for 30 messages a minute, and names them.
pub(crate) fn hire(standin: &Standin, count: usize) -> Vec<String> {
    let mut company = standin.company();
    let plain = company.members["member01"].clone();
    let names: Vec<String> = (0..count)
        .map(|number| format!("hired{number:03}"))
        .collect();
    for name in &names {
        company.members.insert(name.clone(), plain.clone());
    }
    names
}

/// Waits until so many requests have come for a path.
#[track_caller]
pub(crate) fn await_count(standin: &Standin, path: &str, count: usize) {
    let begun = Instant::now();
    while standin.count(path) < count {
        assert!(begun.elapsed() < PATIENCE, "nobody asks for {path}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
