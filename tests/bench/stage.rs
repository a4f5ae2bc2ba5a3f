//! What the race needs: a server in a process of its own, files, and the programs.

use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::Result;
use crate::race::{Racer, find};
use crate::standin::tls::Kind;
use crate::standin::{AGENTID, CORPID, SECRET, Standin};

/// What everybody sends.
const MESSAGE: &str = "hello";

/// Whose phone is looked at.
const MEMBER: &str = "zhangsan";

const SEND: &str = "/cgi-bin/message/send";

/// The server's process: says where it listens, then at each line what it has seen, until there are no more.
pub(crate) fn serve(ca_file: &Path) -> Result<()> {
    let standin = Standin::start_tls(Kind::Good);
    {
        let mut company = standin.company();
        // Nothing is to be dropped for the rate.
        company.phones.per_minute = usize::MAX;
        company.phones.per_hour = usize::MAX;
    }
    fs::write(ca_file, standin.ca_pem())?;
    let mut out = io::stdout();
    writeln!(out, "{}", standin.base())?;
    for line in io::stdin().lines() {
        line?;
        let requests = standin.requests();
        let last = requests.last().ok_or("nothing has arrived")?;
        let seen = json!({
            "target": last.target,
            "body": String::from_utf8_lossy(&last.body),
            "token": last.query.get("access_token"),
            "sends": standin.count(SEND),
            "landed": standin.company().phone(MEMBER).len(),
        });
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
        fs::hard_link(program, stage.path("wxpush"))?;
        let config = format!(
            "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\nstate_dir = \"{}\"\n\n\
             [network]\napi_base = \"{}\"\nca_file = \"{}\"\n",
            stage.dir.display(),
            stage.base,
            stage.path("ca.pem").display()
        );
        let path = stage.path("config.toml");
        fs::write(&path, config)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(stage)
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
    fn seen(&mut self) -> Result<Value> {
        writeln!(self.questions)?;
        Ok(serde_json::from_str(&self.answer()?)?)
    }

    /// Everybody who races here, first wxpush; each has sent once, and so has its token and its files.
    ///
    /// # Errors
    /// Whatever cannot be built, written or run.
    pub(crate) fn racers(&mut self) -> Result<Vec<Racer>> {
        let wxpush = self.path("wxpush");
        let with = |name, arg: &str| Racer::new(name, wxpush.clone(), [arg.into()]);
        let send = |name, args: &[&str]| {
            Racer::new(name, wxpush.clone(), args.iter().map(OsString::from))
                .forgetting(self.path("ledger"))
        };
        let kept = send("wxpush send", &["send", MESSAGE]);
        let bare = send("  --no-outbox", &["send", "--no-outbox", MESSAGE]);
        kept.run()?;
        let request = self.seen()?;
        let part = |name: &str| request[name].as_str().ok_or("the server saw no send");
        let (target, body, token) = (part("target")?, part("body")?, part("token")?);
        fs::write(self.path("token"), token)?;
        fs::write(self.path("body"), body)?;
        let end = SystemTime::now() + Duration::from_hours(2);
        let end = end.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let token = json!({"access_token": token, "expires_at": end});
        fs::write(self.path("token.json"), token.to_string())?;

        let mut racers = vec![kept, bare];
        racers.push(self.limit(body)?);
        racers.extend(self.curl(target)?);
        racers.extend(self.python()?);
        racers.push(with("wxpush --version", "--version"));
        racers.push(with("wxpush --help", "--help"));
        racers.push(Racer::new("/bin/true", "/bin/true".into(), []));
        for racer in &racers {
            racer.run()?;
        }
        Ok(racers)
    }

    /// The least program, built as wxpush is.
    fn limit(&self, body: &str) -> Result<Racer> {
        let program = build(["--example", "limit"], "examples/limit")?;
        let address = self.base.trim_start_matches("https://").into();
        let files = ["ca.pem", "token"].map(|name| self.path(name).into_os_string());
        let args = [address].into_iter().chain(files).chain([body.into()]);
        Ok(Racer::new("limit", program, args))
    }

    /// curl, if it is there and is answered as wxpush is.
    fn curl(&self, target: &str) -> Result<Option<Racer>> {
        let Some(curl) = find("curl") else {
            return Ok(None);
        };
        let file = |name: &str| self.path(name).display().to_string();
        let (ca_file, body) = (file("ca.pem"), format!("@{}", file("body")));
        let (url, json) = (
            format!("{}{target}", self.base),
            "content-type: application/json",
        );
        let line = |output: &str| {
            let to = [
                "-q", "-sS", "--fail", "--cacert", &ca_file, "--output", output,
            ];
            let what = ["--header", json, "--data-binary", &body, &url];
            to.into_iter()
                .chain(what)
                .map(OsString::from)
                .collect::<Vec<_>>()
        };
        Racer::new("curl", curl.clone(), line(&file("answer"))).run()?;
        let answer: Value = serde_json::from_slice(&fs::read(self.path("answer"))?)?;
        if answer["errcode"] != 0 {
            return Err(format!("curl is refused: {answer}").into());
        }
        Ok(Some(Racer::new("curl", curl, line("/dev/null"))))
    }

    /// The usual script, if there is a Python with requests.
    fn python(&self) -> Result<Option<Racer>> {
        let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        // The program itself: what is in the path may be a script that looks for it each time.
        let output = Command::new(python)
            .args(["-c", "import requests, sys; print(sys.executable)"])
            .stderr(Stdio::null())
            .output();
        let Some(output) = output.ok().filter(|output| output.status.success()) else {
            return Ok(None);
        };
        let program = String::from_utf8(output.stdout)?.trim_end().into();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/sender.py");
        let args = [
            script.into(),
            OsString::from(&self.base),
            self.path("ca.pem").into(),
            self.path("token.json").into(),
            MESSAGE.into(),
        ];
        Ok(Some(Racer::new("Python script", program, args)))
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
fn build(what: [&str; 2], name: &str) -> Result<PathBuf> {
    let profile = Path::new(env!("CARGO_BIN_EXE_wxpush")).parent();
    let profile = profile.ok_or("wxpush lies nowhere")?;
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--release", "--target-dir"])
        .arg(profile.parent().ok_or("wxpush lies nowhere")?)
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
        Ok(profile.join(name))
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
