//! A directory with the program and a config that leads to the stand-in.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::Result;
use crate::screen::strong;
use crate::standin::{AGENTID, CORPID, ROBOT_KEY, SECRET};

/// A directory with the program and its config.
pub(crate) struct Stage {
    dir: PathBuf,
}

impl Stage {
    /// Builds the program, and puts it into a directory with a config that leads to the stand-in.
    pub(crate) fn set(name: &str, base: &str) -> Result<Self> {
        let program = build()?;
        // Beside the build's own directories: the same file system, and cleaned by `cargo clean`.
        let target = program.ancestors().nth(2).unwrap_or(Path::new("/"));
        let dir = target.join(name);
        let in_dir = |what: &str, path: &Path, result: io::Result<()>| {
            result.map_err(|error| format!("cannot {what} {}: {error}", path.display()))
        };
        if dir.exists() {
            in_dir("clear", &dir, fs::remove_dir_all(&dir))?;
        }
        in_dir("make", &dir, fs::create_dir_all(&dir))?;
        in_dir(
            "protect",
            &dir,
            fs::set_permissions(&dir, Permissions::from_mode(0o700)),
        )?;
        let stage = Self { dir };
        in_dir(
            "link",
            &stage.program(),
            fs::hard_link(&program, stage.program()),
        )?;
        let config = stage.dir.join("config.toml");
        let text = format!(
            "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\n\n[robots.ops]\nkey = \"{ROBOT_KEY}\"\n\n[network]\napi_base = \"{base}\"\n"
        );
        in_dir("write", &config, fs::write(&config, text))?;
        in_dir(
            "protect",
            &config,
            fs::set_permissions(&config, Permissions::from_mode(0o600)),
        )?;
        Ok(stage)
    }

    /// The program.
    pub(crate) fn program(&self) -> PathBuf {
        self.dir.join("wxpush")
    }

    /// Sends as a crontab line would: nothing in the environment, and another working directory.
    pub(crate) fn send(&self, message: &str) -> Result<()> {
        let mut out = io::stdout();
        let program = self.program();
        let dashes = if message.starts_with('-') { "-- " } else { "" };
        let (shown, word) = (quoted(&program), quoted(Path::new(message)));
        writeln!(out, "{}", strong(&format!("$ {shown} send {dashes}{word}")))?;
        let begun = Instant::now();
        let mut command = Command::new(&program);
        command.args(["send", "--", message]);
        command.env_clear().current_dir("/").stdin(Stdio::null());
        command.envs(env::vars_os().filter(|(name, _)| name == "TZ" || name == "LANG"));
        let output = command
            .output()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let ms = begun.elapsed().as_millis();
        out.write_all(&output.stdout)?;
        out.write_all(&output.stderr)?;
        if !output.status.success() {
            return Err(format!("wxpush ended with {}", output.status).into());
        }
        let silent = output.stdout.is_empty() && output.stderr.is_empty();
        let words = if silent {
            ", not a word: cron mails whatever is printed"
        } else {
            ""
        };
        writeln!(out, "exit 0 after {ms} ms{words}")?;
        Ok(())
    }

    /// Shows the token cache and the log.
    pub(crate) fn show_files(&self) -> Result<()> {
        let mut out = io::stdout();
        let cache = self.head("token_cache.json")?;
        let mut cache: Value = serde_json::from_str(&cache)?;
        for (_, record) in cache.as_object_mut().into_iter().flatten() {
            for name in ["access_token", "check"] {
                if let Some(Value::String(text)) = record.get_mut(name) {
                    text.truncate(4);
                    text.push('…');
                }
            }
        }
        for (app, record) in cache.as_object().into_iter().flatten() {
            writeln!(out, "  {}…: {record}", app.get(..8).unwrap_or(app))?;
        }
        for line in self.head("wxpush.log")?.lines() {
            writeln!(out, "  {line}")?;
        }
        Ok(())
    }

    /// Writes a file's name and mode, and returns what is in it.
    fn head(&self, name: &str) -> Result<String> {
        let path = self.dir.join(name);
        let read = || Ok((fs::metadata(&path)?, fs::read_to_string(&path)?));
        let (meta, text) = read()
            .map_err(|error: io::Error| format!("cannot read {}: {error}", path.display()))?;
        let mode = meta.permissions().mode() & 0o777;
        writeln!(
            io::stdout(),
            "\n{}",
            strong(&format!("{name}, beside the program, mode {mode:04o}"))
        )?;
        Ok(text)
    }
}

/// Builds the program itself (cargo builds none for an example), and returns where it lies.
fn build() -> Result<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command
        // Named together they share every dependency; the program alone would have them built again.
        .args(["build", "--quiet", "--bin", "wxpush", "--example", "demo"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    // What `cargo run` tells us of ourselves would make this cargo build ring anew.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|ours| name.starts_with(ours))
        {
            command.env_remove(&*name);
        }
    }
    let output = command
        .output()
        .map_err(|error| format!("cannot run cargo ({}): {error}", env!("CARGO")))?;
    if !output.status.success() {
        return Err("wxpush could not be built: cargo says why above".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_program = message["target"]["name"] == "wxpush";
        let path = message["executable"].as_str().filter(|_| is_program)?;
        Some(PathBuf::from(path))
    });
    executables
        .next_back()
        .ok_or_else(|| "cargo built wxpush, but does not say where".into())
}

/// A text as a shell takes it for one word.
pub(crate) fn quoted(text: &Path) -> String {
    let text = text.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
