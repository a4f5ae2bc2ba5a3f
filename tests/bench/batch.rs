//! A thousand messages, by a flush and by `batch`, and a large file, beside curl.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use crate::Result;
use crate::bars::Bars;
use crate::race::{Racer, find, median};
use crate::stage::{MEMBERS, Stage, member};
use crate::standin::{AGENTID, CORPID};

/// How many messages.
const MESSAGES: usize = 1000;

/// The size of the file: the largest that WeCom takes.
const FILE: usize = 20 << 20;

/// Runs of each, of which the median counts.
const RUNS: usize = 5;

/// Memory that is a directory, if it is there.
const MEMORY: &str = "/dev/shm";

/// Runs both, and returns what is to be shown.
///
/// # Errors
/// Whatever cannot be written or run.
pub(crate) fn run(stage: &mut Stage, bars: &mut Bars) -> Result<String> {
    let mut builds = vec![("wxpush", stage.path("wxpush"))];
    let is_static = stage.path("wxpush-static");
    if is_static.is_file() {
        builds.insert(0, ("static wxpush", is_static));
    }
    let mut text = format!("\n{:58}{:>10}\n", "", "ms");
    let mut line = |name: &str, ms: f64| {
        // A String takes whatever is written.
        let _ = writeln!(text, "{name:58}{ms:10.1}");
    };
    let curl = find("curl").map(|_| stage.path("curl"));
    let theirs = curl
        .as_deref()
        .map(|curl| parallel(stage, curl))
        .transpose()?;
    if let Some(theirs) = theirs {
        line(
            &format!("curl --parallel-max 8, {MESSAGES} messages"),
            theirs,
        );
    }
    for (name, program) in &builds {
        for (place, dir, least) in [
            ("disk", stage.path("flush"), 0.5),
            ("memory", in_memory(), 0.8),
        ] {
            let ours = flush(stage, program, &dir)?;
            let _ = fs::remove_dir_all(&dir);
            line(&format!("{name} outbox flush of {MESSAGES}, {place}"), ours);
            let rate = theirs.map(|theirs| theirs / ours);
            bars.at_least(format!("{name} flush: rate / curl's, {place}"), rate, least);
        }
        let ours = stream(stage, program)?;
        line(&format!("{name} batch of {MESSAGES}, disk"), ours);
        let rate = theirs.map(|theirs| theirs / ours);
        bars.at_least(format!("{name} batch: rate / curl's, disk"), rate, 0.5);
    }
    fs::write(stage.path("large.bin"), vec![b'x'; FILE])?;
    let theirs = curl
        .as_deref()
        .map(|curl| upload_by(stage, curl))
        .transpose()?;
    if let Some(theirs) = theirs {
        line("curl -F of 20 MiB", theirs);
    }
    for (name, program) in &builds {
        let file = stage.path("large.bin").into_os_string();
        let args = ["send".into(), "--no-outbox".into(), "--file".into(), file];
        // What is known to be uploaded is not uploaded again.
        let known = ["ledger", "uploads"].map(|name| stage.path(name));
        let racer = Racer::new(*name, program, args).forgetting(known);
        let ours = repeat(stage, || racer.run().map(|time| time.wall))?;
        line(&format!("{name} send --no-outbox of 20 MiB"), ours);
        let ratio = theirs.map(|theirs| ours / theirs);
        bars.at_most(format!("{name} 20 MiB: wall / curl"), ratio, 1.3);
    }
    Ok(text)
}

fn in_memory() -> PathBuf {
    Path::new(MEMORY).join(format!("wxpush-bench-{}", std::process::id()))
}

/// The median of some runs, the server as at its start before each.
fn repeat(stage: &mut Stage, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        stage.forget()?;
        times.push(run()?);
    }
    Ok(median(times))
}

/// The request for a message of the batch.
fn body(number: usize) -> String {
    let to = member(number % MEMBERS);
    json!({"touser": to, "msgtype": "markdown", "markdown": {"content": number.to_string()}})
        .to_string()
}

/// How long wxpush takes for what waits in this directory, in ms.
fn flush(stage: &mut Stage, program: &Path, dir: &Path) -> Result<f64> {
    let base = stage.base().to_owned();
    let words = ["outbox", "flush", "--wait"].map(Into::into);
    emptied(stage, program, dir, words.into(), || fill(dir, &base))
}

/// How long wxpush takes to accept and send as many lines, in ms.
fn stream(stage: &mut Stage, program: &Path) -> Result<f64> {
    let lines = stage.path("messages.jsonl");
    let mut out = BufWriter::new(File::create(&lines)?);
    for number in 0..MESSAGES {
        let to = member(number % MEMBERS);
        writeln!(out, "{}", json!({"to": to, "markdown": number.to_string()}))?;
    }
    out.into_inner()?.sync_all()?;
    let dir = stage.path("batch");
    let words = vec!["batch".into(), "--quiet".into(), lines.into_os_string()];
    emptied(stage, program, &dir, words, || {
        fs::create_dir_all(&dir)?;
        fs::set_permissions(&dir, Permissions::from_mode(0o700))?;
        let _ = fs::remove_file(dir.join("ledger"));
        Ok(())
    })
}

/// How long a run of wxpush takes that leaves nothing in the outbox of this directory, which `fill`
/// prepares, in ms.
fn emptied(
    stage: &mut Stage,
    program: &Path,
    dir: &Path,
    words: Vec<OsString>,
    fill: impl Fn() -> Result<()>,
) -> Result<f64> {
    let config = stage.config("emptied.toml", stage.base(), dir)?;
    let config = ["--config".into(), config.into_os_string()];
    let all = config.clone().into_iter().chain(words);
    let racer = Racer::new("wxpush", program, all);
    let token = ["token", "refresh", "--quiet"].map(Into::into);
    let token = Racer::new("token", program, config.into_iter().chain(token));
    let mut is_first = true;
    repeat(stage, || {
        fill()?;
        if std::mem::take(&mut is_first) {
            token.run()?;
        }
        let time = racer.run()?.wall;
        let left = fs::read_dir(dir.join("outbox"))?.flatten();
        let left = left.filter(|entry| entry.file_name().to_string_lossy().contains("Z-"));
        match left.count() {
            0 => Ok(time),
            left => Err(format!("{left} messages are still in the outbox").into()),
        }
    })
}

/// Puts the messages into the outbox, as wxpush writes them.
fn fill(dir: &Path, base: &str) -> Result<()> {
    let outbox = dir.join("outbox");
    fs::create_dir_all(outbox.join("failed"))?;
    for dir in [dir, &outbox, &outbox.join("failed")] {
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    }
    let _ = fs::remove_file(dir.join("ledger"));
    let accepted = DateTime::<Utc>::from(SystemTime::now());
    for number in 0..MESSAGES {
        let body = body(number);
        let time = accepted.to_rfc3339_opts(SecondsFormat::Millis, true);
        let text = format!(
            "wxpush outbox 1\naccepted: {time}\ncorpid: {CORPID}\napi_base: {base}\nrequests: 1\n\n\
             POST message/send {}\n{body}\n",
            body.len()
        );
        let sum = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let sum = sum
            .as_ref()
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let name = format!("{}-{number:08x}", accepted.format("%Y%m%dT%H%M%S%.3fZ"));
        let path = outbox.join(name);
        fs::write(&path, format!("{text}END {sum}\n"))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The parts of a curl config that every request has.
fn request(stage: &Stage, call: &str) -> Result<String> {
    let token = fs::read_to_string(stage.path("token"))?;
    Ok(format!(
        "url = \"{}/cgi-bin/{call}access_token={token}\"\ncacert = \"{}\"\noutput = \"/dev/null\"\n",
        stage.base(),
        stage.path("ca.pem").display()
    ))
}

/// How long curl takes for as many messages, eight at once, in ms.
fn parallel(stage: &mut Stage, curl: &Path) -> Result<f64> {
    let list = stage.path("messages.curl");
    let mut out = BufWriter::new(File::create(&list)?);
    let request = request(stage, "message/send?")?;
    for number in 0..MESSAGES {
        // What wxpush adds to the entry when it sends it.
        let body = body(number).replacen('{', &format!("{{\"agentid\":{AGENTID},"), 1);
        let body = body.replace('"', "\\\"");
        writeln!(
            out,
            "{request}header = \"content-type: application/json\"\ndata = \"{body}\""
        )?;
        if number + 1 < MESSAGES {
            writeln!(out, "next")?;
        }
    }
    out.into_inner()?.sync_all()?;
    let options = [
        "-q",
        "-sS",
        "--fail",
        "--parallel",
        "--parallel-max",
        "8",
        "-K",
    ];
    let args = options
        .map(Into::into)
        .into_iter()
        .chain([list.into_os_string()]);
    let racer = Racer::new("curl", curl, args);
    repeat(stage, || racer.run().map(|time| time.wall))
}

/// How long curl takes to upload the file, in ms.
fn upload_by(stage: &mut Stage, curl: &Path) -> Result<f64> {
    let list = stage.path("upload.curl");
    let request = request(stage, "media/upload?type=file&")?;
    let file = stage.path("large.bin");
    let form = format!("form = \"media=@{}\"\n", file.display());
    fs::write(&list, request + &form)?;
    let args = [
        "-q".into(),
        "-sS".into(),
        "--fail".into(),
        "-K".into(),
        list.into_os_string(),
    ];
    let racer = Racer::new("curl", curl, args);
    repeat(stage, || racer.run().map(|time| time.wall))
}
