//! Who races: wxpush, dynamic and static, and everybody whom it is compared with.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::Result;
use crate::race::{Racer, find};
use crate::stage::{Stage, build};

/// What everybody sends.
const MESSAGE: &str = "hello";

/// Ways to send with wxpush, each with its arguments before the message.
const SENDS: [(&str, &[&str]); 3] = [
    ("send", &["send"]),
    ("send --no-outbox", &["send", "--no-outbox"]),
    (
        "the same, by name",
        &["--config", "by-name.toml", "send", "--no-outbox"],
    ),
];

/// Everybody who races; each has sent once, and so has its token and its files.
///
/// # Errors
/// Whatever cannot be built, written or run.
pub(crate) fn racers(stage: &mut Stage) -> Result<Vec<Racer>> {
    let dynamic = stage.path("wxpush");
    let mut racers = wxpush(stage, "wxpush", &dynamic);
    racers[0].run()?;
    let request = stage.seen()?;
    let part = |name: &str| request[name].as_str().ok_or("the server saw no send");
    let (target, body, token) = (part("target")?, part("body")?, part("token")?);
    fs::write(stage.path("token"), token)?;
    fs::write(stage.path("body"), body)?;
    let end = SystemTime::now() + Duration::from_hours(2);
    let end = end.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let token = json!({"access_token": token, "expires_at": end});
    fs::write(stage.path("token.json"), token.to_string())?;

    if let Some(program) = stage.static_program()? {
        racers.extend(wxpush(stage, "static wxpush", &program));
    }
    racers.push(limit(stage, body)?);
    racers.extend(curl(stage, target)?);
    racers.extend(python(stage)?);
    let yes = stage.copy(Path::new("/bin/true"), "true")?;
    racers.push(Racer::new("true", &yes, [""; 0]));
    for racer in &racers {
        racer.run()?;
    }
    Ok(racers)
}

/// All that is measured of one build of wxpush.
fn wxpush(stage: &Stage, name: &str, program: &Path) -> Vec<Racer> {
    let mut racers = Vec::new();
    for (way, args) in SENDS {
        let args = args.iter().map(|arg| match *arg {
            "by-name.toml" => stage.path(arg).into_os_string(),
            arg => arg.into(),
        });
        let args = args.chain([MESSAGE.into()]);
        let racer = Racer::new(format!("{name} {way}"), program, args);
        racers.push(racer.forgetting([stage.path("ledger")]));
    }
    for option in ["--version", "--help"] {
        racers.push(Racer::new(format!("{name} {option}"), program, [option]));
    }
    racers
}

/// The least program, built as wxpush is.
fn limit(stage: &Stage, body: &str) -> Result<Racer> {
    let program = build(["--example", "limit"], "examples/limit")?;
    let program = stage.copy(&program, "limit")?;
    let address = stage.base().trim_start_matches("https://").into();
    let files = ["ca.pem", "token"].map(|name| stage.path(name).into_os_string());
    let args = [address].into_iter().chain(files).chain([body.into()]);
    Ok(Racer::new("limit", &program, args))
}

/// curl, if it is there and is answered as wxpush is.
fn curl(stage: &Stage, target: &str) -> Result<Option<Racer>> {
    let Some(curl) = find("curl") else {
        return Ok(None);
    };
    let curl = stage.copy(&curl, "curl")?;
    let file = |name: &str| stage.path(name).display().to_string();
    let (ca_file, body) = (file("ca.pem"), format!("@{}", file("body")));
    let (url, json) = (
        format!("{}{target}", stage.base()),
        "content-type: application/json",
    );
    let line = |output: &str| {
        let to = [
            "-q", "-sS", "--fail", "--cacert", &ca_file, "--output", output,
        ];
        let what = ["--header", json, "--data-binary", &body, &url];
        let line = to.into_iter().chain(what);
        line.map(OsString::from).collect::<Vec<_>>()
    };
    Racer::new("curl", &curl, line(&file("answer"))).run()?;
    let answer: Value = serde_json::from_slice(&fs::read(stage.path("answer"))?)?;
    if answer["errcode"] != 0 {
        return Err(format!("curl is refused: {answer}").into());
    }
    Ok(Some(Racer::new("curl", &curl, line("/dev/null"))))
}

/// The usual script, if there is a Python with requests.
fn python(stage: &Stage) -> Result<Option<Racer>> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    // The program itself: what is in the path may be a script that looks for it each time.
    let output = Command::new(python)
        .args(["-c", "import requests, sys; print(sys.executable)"])
        .stderr(Stdio::null())
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return Ok(None);
    };
    let program = String::from_utf8(output.stdout)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/sender.py");
    let args = [
        script.into(),
        OsString::from(stage.base()),
        stage.path("ca.pem").into(),
        stage.path("token.json").into(),
        MESSAGE.into(),
    ];
    Ok(Some(Racer::new(
        "Python script",
        Path::new(program.trim_end()),
        args,
    )))
}
