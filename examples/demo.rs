//! The main job, shown without an account: a WeCom on loopback, and the real program sending through it.
//!
//! `cargo run -q --example demo -- "backup done"` sends one message and shows what came of it;
//! with `--stay` the WeCom stays up, for any `wxpush` command to be tried against it.

#[path = "standin/mod.rs"]
mod standin;

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs::{self, Permissions};
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use standin::{AGENTID, CORPID, Landed, SECRET, Standin};

/// Where the WeCom of `--stay` is found, at each start the same.
const ADDRESS: &str = "127.0.0.1:18020";

/// Whose phone is shown.
const MEMBER: &str = "zhangsan";

const HELP: &str = "\
cargo run -q --example demo -- [--stay] [MESSAGE]...

Starts a stand-in for WeCom on this machine, sends MESSAGE through it with the real wxpush,
and shows the phone, the token cache and the log. With --stay the stand-in stays up until ^C.";

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let mut stay = false;
    let mut words = Vec::new();
    let mut options = true;
    let args = env::args_os().skip(1);
    for word in args.map(|word| word.to_string_lossy().into_owned()) {
        match word.as_str() {
            "--" if options => options = false,
            "--stay" if options => stay = true,
            "-h" | "--help" if options => {
                return end(writeln!(io::stdout(), "{HELP}").map_err(Into::into));
            }
            _ => words.push(word),
        }
    }
    let message = words.join(" ");
    end(if stay {
        stay_up(&message)
    } else {
        show_once(if words.is_empty() {
            "backup done"
        } else {
            &message
        })
    })
}

/// The exit status, after the error if there is one, in a line.
fn end(result: Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let kind = error.downcast_ref().map(io::Error::kind);
    if kind == Some(io::ErrorKind::BrokenPipe) {
        // The reader has seen enough.
        return ExitCode::SUCCESS;
    }
    // If even that cannot be printed, nothing can be.
    let _ = writeln!(io::stderr(), "demo: {error}");
    ExitCode::FAILURE
}

/// Sends one message, and shows all that came of it.
fn show_once(message: &str) -> Result<()> {
    let standin = Standin::start();
    let stage = Stage::set("demo", &standin.base())?;
    let mut out = io::stdout();
    stage.send(message)?;
    for landed in standin.company().phone(MEMBER) {
        show_phone(&landed)?;
    }
    stage.show_files()?;
    let asks = standin.count("/cgi-bin/gettoken");
    writeln!(
        out,
        "\nNothing left this machine: WeCom was a stand-in at {}, asked for a token {}.\n\
         Try it yourself:   cargo run -q --example demo -- --stay\n\
         The real thing:    README.md, \"The real thing\"",
        standin.base(),
        if asks == 1 {
            "once".to_owned()
        } else {
            format!("{asks} times")
        },
    )?;
    Ok(())
}

/// Keeps a WeCom up, and shows each message as it lands, until the process is ended.
fn stay_up(message: &str) -> Result<()> {
    let standin = Standin::start_at(ADDRESS)
        .map_err(|error| format!("no WeCom at {ADDRESS} ({error}): is another demo still up?"))?;
    let stage = Stage::set("demo-stay", &standin.base())?;
    let mut out = io::stdout();
    writeln!(
        out,
        "A WeCom of your own is up at {}, until ^C. Paste into another terminal:\n",
        standin.base()
    )?;
    if env::vars().any(|(name, _)| ["http_proxy", "all_proxy"].contains(&&*name.to_lowercase())) {
        writeln!(
            out,
            "  export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1   # a proxy cannot reach it"
        )?;
    }
    let program = quoted(&stage.program());
    for (line, what) in [
        (
            &*format!("alias wxpush={program}"),
            "its config.toml lies beside it",
        ),
        ("wxpush send \"backup done\"", "lands here"),
        (
            "seq 1000 | wxpush send -t \"a long one\"",
            "lands whole, in parts",
        ),
        ("wxpush send --json hello", "the result for a script"),
        (
            "wxpush send --to zhangsan,lisy hello; echo $?",
            "no such member: 67, and who it was",
        ),
        ("wxpush token", "one token for all of these"),
    ] {
        let gap = " ".repeat(46usize.saturating_sub(line.len()));
        writeln!(out, "  {line}{gap}  # {what}")?;
    }
    writeln!(out)?;
    if !message.is_empty() {
        stage.send(message)?;
    }
    watch(&standin)
}

/// Shows what lands, once for all the phones it lands on.
fn watch(standin: &Standin) -> Result<()> {
    let mut seen = HashSet::new();
    let mut dropped = 0;
    loop {
        let mut news: BTreeMap<_, (Landed, Vec<String>)> = BTreeMap::new();
        let now_dropped = {
            let company = standin.company();
            for (userid, landed) in company.phones.all() {
                // What lands in a chat has no msgid.
                let key = (landed.at, landed.msgid.clone());
                if !seen.contains(&key) {
                    let entry = news.entry(key).or_insert_with(|| (landed.clone(), vec![]));
                    entry.1.push(userid.to_owned());
                }
            }
            company.phones.dropped
        };
        for (key, (landed, userids)) in news {
            show_message(&landed, &userids)?;
            seen.insert(key);
        }
        if now_dropped > dropped {
            dropped = now_dropped;
            writeln!(
                io::stdout(),
                "\n(over 30 a minute to one member: discarded without a word, as WeCom does)"
            )?;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A directory with the program and its config.
struct Stage {
    dir: PathBuf,
}

impl Stage {
    /// Builds the program, and puts it into a directory with a config that leads to the stand-in.
    fn set(name: &str, base: &str) -> Result<Self> {
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
            "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\n\n[network]\napi_base = \"{base}\"\n"
        );
        in_dir("write", &config, fs::write(&config, text))?;
        in_dir(
            "protect",
            &config,
            fs::set_permissions(&config, Permissions::from_mode(0o600)),
        )?;
        Ok(stage)
    }

    fn program(&self) -> PathBuf {
        self.dir.join("wxpush")
    }

    /// Sends as a crontab line would: nothing in the environment, and another working directory.
    fn send(&self, message: &str) -> Result<()> {
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
    fn show_files(&self) -> Result<()> {
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

/// Shows a message as the member sees it.
fn show_phone(landed: &Landed) -> Result<()> {
    show_message(landed, &[MEMBER.to_owned()])
}

fn show_message(landed: &Landed, userids: &[String]) -> Result<()> {
    let mut out = io::stdout();
    let whose = if let [one] = userids {
        format!("{one}'s phone")
    } else {
        let first = userids.iter().find(|userid| *userid == MEMBER);
        let first = first.or(userids.first()).map_or("nobody", String::as_str);
        format!("{first}'s phone, and {} more", userids.len() - 1)
    };
    let kind = match landed.msgtype.as_str() {
        "text" => String::new(),
        other => format!(", {other}"),
    };
    writeln!(out, "\n{}{kind}", strong(&whose))?;
    let lines: Vec<&str> = landed.text.lines().collect();
    let (first, rest) = lines.split_at(lines.len().min(5));
    let (hidden, last) = rest.split_at(rest.len().saturating_sub(2));
    for line in first {
        writeln!(out, "  │ {line}")?;
    }
    if let [only] = hidden {
        writeln!(out, "  │ {only}")?;
    } else if !hidden.is_empty() {
        let bytes = landed.text.len();
        writeln!(out, "  ┆ {} more lines, {bytes} bytes in all", hidden.len())?;
    }
    for line in last {
        writeln!(out, "  │ {line}")?;
    }
    Ok(())
}

/// Bold at a terminal.
fn strong(text: &str) -> String {
    let plain = !io::stdout().is_terminal()
        || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain {
        text.to_owned()
    } else {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    }
}

/// A text as a shell takes it for one word.
fn quoted(text: &Path) -> String {
    let text = text.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
