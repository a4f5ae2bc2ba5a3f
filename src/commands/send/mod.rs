//! `wxpush send`: words, stdin and files become messages, and go out one after the other.

pub(super) mod contents;
pub(super) mod long;
mod raw;
pub(super) mod requests;
mod wanted;

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::post::Way;
use super::report::{Report, Status};
use super::{begin, begin_or_without, load, to};
use crate::backoff::random;
use crate::cli::{Global, Send};
use crate::config::{Account, Settings};
use crate::delivery::{Sender, upload_time};
use crate::error::{Exit, Failure};
use crate::log;
use crate::message::Post;
use crate::output::{self, Output};
use crate::secret::digest;
use crate::wecom::shown_url;
use contents::{Contents, Making};
use requests::{guard, keepable, posts};
use wanted::Wanted;

/// The time for delivery where `--timeout` doesn't say it. Source: the contract.
pub(super) const TIME: Duration = Duration::from_secs(30);

/// Runs `send`, and reports how it ended, whichever way it did.
pub(super) fn run(args: &Send, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let report = match send(args, global, output) {
        Ok(report) => report,
        Err(error) => Report::failed(error.downcast::<Failure>()?),
    };
    match report.show(output) {
        Some(failure) if failure.exit == Exit::Sent => {
            output.failure(&failure);
            Ok(Exit::Sent)
        }
        Some(failure) => Err(failure.into()),
        None => Ok(Exit::Sent),
    }
}

fn send(args: &Send, global: &Global, output: Output) -> anyhow::Result<Report> {
    let receivers = to::receivers(&args.to)?;
    let wanted = Wanted::of(args)?;
    let config = load(global)?;
    let settings = to::settings(&args.to, receivers, &config)?;
    let state = if args.dry_run {
        log::to_stderr(super::stderr(output));
        Err(String::new())
    } else if args.queue || args.once.is_some() {
        // Without state there is no going on.
        begin(&settings.base, output).map_err(|place| place.to_string())
    } else {
        begin_or_without(&settings.base, output)
    };
    let making = Making {
        args,
        wanted,
        settings: &settings,
    };
    let Some(Contents { pieces, text }) = making.contents()? else {
        return Ok(Report::new(Status::Empty, 0));
    };
    let posts = posts(args, wanted, &settings, pieces)?;
    guard(&settings, &text, &posts)?;
    let keep = settings.outbox.enabled && !args.no_outbox;
    if keep {
        keepable(&posts)?;
    }
    if let Some(splay) = args.splay.filter(|_| !args.dry_run) {
        let wait = random(splay);
        tracing::info!(wait_ms = wait.as_millis(), "waiting, by --splay");
        std::thread::sleep(wait);
    }
    let files: u64 = posts.iter().map(Post::bytes_of_file).sum();
    let time = args.timeout.unwrap_or_else(|| TIME + upload_time(files));
    let deadline = Instant::now() + time;
    if args.dry_run {
        return dry_run(&settings, &posts, output);
    }
    tracing::info!(
        command = "send",
        kind = wanted.name(),
        to = to_whom(&settings, &posts),
        bytes = text.len() as u64 + files,
        digest = &digest(&[&text])[..16],
        parts = posts.len(),
        "start"
    );
    tracing::debug!(text, "message");
    drop(text);
    let way = Way {
        config: &config,
        keep,
        kept_ok: args.kept_ok,
        sender: Rc::new(Sender::new(settings, state.as_ref().ok())?),
        state: state.as_ref().map_err(Clone::clone),
        deadline,
        person: output.has_reader().then_some(output),
        watching: output::watching(output),
    };
    let report = match &args.once {
        Some(key) => way.send_once(posts, key),
        None if args.queue => way.queue(posts),
        None => way.send(posts),
    };
    Ok(if args.kept_ok {
        report.kept_is_done()
    } else {
        report
    })
}

/// The receivers for a log.
fn to_whom(settings: &Settings, posts: &[Post]) -> String {
    match (&settings.account, posts) {
        (Account::Robot(robot), _) => format!("robot {}", robot.name),
        (Account::App(_), [post]) => post.envelope().describe(),
        (Account::App(_), _) => settings.to.describe(),
    }
}

fn dry_run(settings: &Settings, posts: &[Post], output: Output) -> anyhow::Result<Report> {
    let (pass, agentid) = match &settings.account {
        Account::App(app) => ("access_token", settings.agentid(app)?),
        Account::Robot(_) => ("key", 0),
    };
    let base = &settings.network.api_base;
    let mut shown = Vec::new();
    let mut media_id = String::new();
    for post in posts {
        if let (Some(file), Some(channel)) = (&post.attachment, post.channel()) {
            let call = format!("{}?type={}", channel.upload_call(), file.kind);
            let url = shown_url(base, &call, pass);
            let (name, bytes) = (&file.name, file.bytes.len());
            media_id = format!("<media_id of {name}>");
            if !output.json {
                output::raw(&format!(
                    "POST {url}\n(form: media, filename \"{name}\", {bytes} bytes)"
                ))?;
            }
            shown.push(
                json!({"method": "POST", "url": url, "file": {"name": name, "bytes": bytes}}),
            );
        }
        let url = shown_url(base, &post.call, pass);
        let body = if post.needs_media() {
            post.with_media(&media_id).wire(agentid, None)
        } else {
            post.wire(agentid, None)
        };
        let body = String::from_utf8(body)?;
        if !output.json {
            output::raw(&format!("POST {url}\n{body}"))?;
        }
        shown.push(json!({"method": "POST", "url": url, "body": body}));
    }
    Ok(Report::dry_run(posts.len(), shown))
}
