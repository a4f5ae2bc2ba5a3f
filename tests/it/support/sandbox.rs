//! A directory of its own for each test: the program, its config, its state.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::{Run, leaks};

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
        fs::hard_link(program(), sandbox.path("wxpush")).expect("one file system");
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

    /// Puts tables behind the config's own.
    pub(crate) fn append(&self, lines: &str) {
        let config = self.read("config.toml");
        self.write("config.toml", config + lines);
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

/// The program under test: the one that was built with the tests, or `WXPUSH_PROGRAM`, which must
/// lie in the file system of the target directory.
fn program() -> PathBuf {
    let named = std::env::var_os("WXPUSH_PROGRAM").map(PathBuf::from);
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_wxpush").into())
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

/// A stand-in, and a sandbox whose config leads to it.
pub(crate) fn set_up() -> (Standin, Sandbox) {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    (standin, sandbox)
}

/// A config for the stand-in's app.
pub(crate) fn config(base: &str) -> String {
    format!(
        "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\n[network]\napi_base = \"{base}\"\n"
    )
}
