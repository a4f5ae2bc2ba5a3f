//! What the race needs: a server in a process of its own, files, and the programs, copied alike.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::Result;
use crate::race::command;
use crate::standin::tls::Kind;
use crate::standin::{AGENTID, CORPID, Member, SECRET, Standin};

/// Members of the company who get the messages of a batch.
pub(crate) const MEMBERS: usize = 100;

const SEND: &str = "/cgi-bin/message/send";

/// The name of a member who gets messages of a batch.
pub(crate) fn member(number: usize) -> String {
    format!("racer{number:03}")
}

/// The server's process: says where it listens, then at each line what it has seen, and forgets it if the
/// line says so; until there are no more.
pub(crate) fn serve(ca_file: &Path) -> Result<()> {
    let standin = Standin::start_tls(Kind::Good);
    {
        let mut company = standin.company();
        // Nothing is to be dropped for the rate.
        company.phones.per_minute = usize::MAX;
        company.phones.per_hour = usize::MAX;
        for number in 0..MEMBERS {
            let parties = BTreeSet::from([1]);
            let one = Member {
                parties,
                ..Member::default()
            };
            company.members.insert(member(number), one);
        }
    }
    fs::write(ca_file, standin.ca_pem())?;
    let mut out = io::stdout();
    writeln!(out, "{}", standin.base())?;
    let (mut sends, mut landed) = (0, 0);
    for line in io::stdin().lines() {
        let line = line?;
        let seen = {
            let requests = standin.requests();
            // A large file is nothing to tell.
            let last = requests.last().filter(|last| last.body.len() < 4096);
            let company = standin.company();
            let members = company.members.keys();
            let phones = members.map(|name| company.phones.of(name).len());
            json!({
                "target": last.map(|last| &last.target),
                "body": last.map(|last| String::from_utf8_lossy(&last.body).into_owned()),
                "token": last.and_then(|last| last.query.get("access_token")),
                "sends": sends + standin.count(SEND),
                "landed": landed + phones.sum::<usize>(),
            })
        };
        if line == "forget" {
            sends = usize::try_from(seen["sends"].as_u64().unwrap_or_default())?;
            landed = usize::try_from(seen["landed"].as_u64().unwrap_or_default())?;
            standin.forget();
        }
        writeln!(out, "{seen}")?;
    }
    Ok(())
}

/// A directory of wxpush's own, and the server beside it.
pub(crate) struct Stage {
    dir: PathBuf,
    base: String,
    server: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Stage {
    /// Clears the directory, starts the server, and sets wxpush up for it.
    ///
    /// # Errors
    /// Whatever cannot be written or started.
    pub(crate) fn set() -> Result<Self> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        // Where others may write, wxpush keeps no token.
        fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
        let mut server = Command::new(env::current_exe()?)
            .arg("serve")
            .arg(dir.join("ca.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (questions, answers) = (server.stdin.take(), server.stdout.take());
        let mut stage = Self {
            dir,
            base: String::new(),
            server,
            questions: questions.ok_or("no pipe to the server")?,
            answers: BufReader::new(answers.ok_or("no pipe from the server")?),
        };
        stage.base = stage.answer()?;
        // The one for the bench has features that the stand-in wants of tokio; this is what is installed.
        let program = build(["--bin", "wxpush"], "wxpush")?;
        stage.copy(&program, "wxpush")?;
        let by_name = stage.base.replace("127.0.0.1", "localhost");
        let base = stage.base.clone();
        stage.config("config.toml", &base, &stage.dir)?;
        stage.config("by-name.toml", &by_name, &stage.dir)?;
        Ok(stage)
    }

    /// Writes a config for this address and this directory of state.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn config(&self, name: &str, base: &str, state: &Path) -> Result<PathBuf> {
        let config = format!(
            "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\ntouser = \"zhangsan\"\nstate_dir = \"{}\"\n\n\
             [network]\napi_base = \"{base}\"\nca_file = \"{}\"\n",
            state.display(),
            self.path("ca.pem").display()
        );
        let path = self.path(name);
        fs::write(&path, config)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(path)
    }

    /// Copies a program here: all are alike then for the page cache.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub(crate) fn copy(&self, program: &Path, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::copy(program, &path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// The static program, if one was built.
    ///
    /// # Errors
    /// If it is there and cannot be copied.
    pub(crate) fn static_program(&self) -> Result<Option<PathBuf>> {
        let below = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/static");
        let built = fs::read_dir(below).into_iter().flatten().flatten();
        let built = built.map(|dir| dir.path().join("wxpush"));
        let named = env::var_os("WXPUSH_STATIC").map(PathBuf::from);
        // There may be some for other machines.
        let runs = |path: &PathBuf| {
            let line: [OsString; 2] = [path.into(), "--version".into()];
            path.is_file() && command(&line).status().is_ok_and(|status| status.success())
        };
        let found = named.into_iter().chain(built).find(runs);
        found
            .map(|path| self.copy(&path, "wxpush-static"))
            .transpose()
    }

    /// The server's address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Where a file of this name lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// What the server has seen so far.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn seen(&mut self) -> Result<Value> {
        writeln!(self.questions)?;
        Ok(serde_json::from_str(&self.answer()?)?)
    }

    /// Has the server forget what it has seen: it is as fast as at its start then.
    ///
    /// # Errors
    /// If it is gone.
    pub(crate) fn forget(&mut self) -> Result<()> {
        writeln!(self.questions, "forget")?;
        self.answer().map(drop)
    }

    /// Holds that every send has landed.
    ///
    /// # Errors
    /// Where one has not, so that the figures are of something else.
    pub(crate) fn check(&mut self) -> Result<()> {
        let seen = self.seen()?;
        if seen["sends"] == seen["landed"] {
            Ok(())
        } else {
            Err(format!("of {} sends {} landed", seen["sends"], seen["landed"]).into())
        }
    }
}

/// Builds a program of this package for release, and returns where it lies.
///
/// # Errors
/// Where cargo fails.
pub(crate) fn build(what: [&str; 2], name: &str) -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let target = target.ok_or("there is no target directory")?;
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--release", "--locked", "--target-dir"])
        .arg(target)
        .args(what)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What `cargo bench` tells us of ourselves would make this cargo build ring anew.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if ours.iter().any(|ours| text.starts_with(ours)) {
            command.env_remove(&name);
        }
    }
    if command.status()?.success() {
        Ok(target.join("release").join(name))
    } else {
        Err(format!("{} could not be built: cargo says why above", what[1]).into())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Our own child, and nobody waits for it.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}
