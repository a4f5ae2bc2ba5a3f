//! `wxpush send`: turns words, stdin and files into messages, and sends them one by one.

mod options;

use std::time::Duration;

use serde_json::json;

use super::report::{Report, Status};
use super::submit::{Submitting, composed, guard, time_for};
use super::{begin, begin_or_without, load, recipients};
use crate::backoff::random;
use crate::cli::{Global, Send};
use crate::compose::Composed;
use crate::config::{Account, Settings};
use crate::cron;
use crate::error::{Exit, Failure};
use crate::log;
use crate::message::{Long, Message};
use crate::output::{self, Output};
use crate::secret::digest;
use crate::text::send as words;
use crate::wecom::shown_url;

/// Runs `send`, and reports the result in every case.
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
    let recipients = recipients::named(&args.to)?;
    let intent = options::intent(args)?;
    let config = load(global)?;
    let settings = recipients::settings(&args.to, recipients, &config)?;
    let state = if args.dry_run {
        log::to_stderr(super::stderr(output));
        Err(String::new())
    } else if args.queue || args.once.is_some() {
        // Both options need state.
        begin(&settings.base, output).map_err(|place| place.to_string())
    } else {
        begin_or_without(&settings.base, output)
    };
    let text = options::text(args, &intent)?;
    let kind = intent.kind.name();
    let could_be_article = intent.long == Long::Auto && intent.may_be_article();
    let keep = settings.outbox.enabled && !args.no_outbox;
    let Some(draft) = intent.draft(text, keep)? else {
        return Ok(Report::new(Status::Empty, 0));
    };
    let Composed { messages, text, .. } = {
        let guard = guard(&config, &settings, state.as_ref().ok());
        composed(draft, &settings, &guard)?
    };
    let is_divided = messages.len() > settings.to.split().len();
    if is_divided && could_be_article {
        tracing::info!("{}", words::could_be_article());
    }
    if args.dry_run {
        return dry_run(&settings, &messages, output);
    }
    if let Some(splay) = args.splay {
        splayed(splay);
    }
    let files: u64 = messages.iter().map(Message::bytes_of_file).sum();
    tracing::info!(
        command = "send",
        kind,
        to = recipients_of(&settings, &messages),
        bytes = text.len() as u64 + files,
        digest = &digest(&[&text])[..16],
        parts = messages.len(),
        "start"
    );
    tracing::debug!(text, "message");
    drop(text);
    let submitting = Submitting {
        config: &config,
        settings,
        state: state.as_ref().map_err(Clone::clone),
        time: args.timeout.unwrap_or_else(|| time_for(&messages)),
        keep,
        kept_ok: args.kept_ok,
        urgent: args.urgent,
        output: Some(output),
    };
    let outcome = submitting.submit(|submission| match &args.once {
        Some(key) => submission.send_once(messages, key),
        None if args.queue => submission.queue(messages),
        None => submission.send(messages),
    })?;
    let report = Report::of(outcome, || cron::flush_command(&config));
    Ok(if args.kept_ok {
        report.kept_is_done()
    } else {
        report
    })
}

/// Waits for a random part of this time.
fn splayed(splay: Duration) {
    let wait = random(splay);
    tracing::info!(wait_ms = wait.as_millis(), "waiting, by --splay");
    std::thread::sleep(wait);
}

/// Returns the recipients for a log.
fn recipients_of(settings: &Settings, messages: &[Message]) -> String {
    match (&settings.account, messages) {
        (Account::Robot(robot), _) => format!("robot {}", robot.name),
        (Account::App(_), [message]) => message.to.describe(),
        (Account::App(_), _) => settings.to.describe(),
    }
}

fn dry_run(settings: &Settings, messages: &[Message], output: Output) -> anyhow::Result<Report> {
    let (pass, agentid) = match &settings.account {
        Account::App(app) => ("access_token", settings.agentid(app)?),
        Account::Robot(_) => ("key", 0),
    };
    let base = &settings.network.api_base;
    let mut shown = Vec::new();
    let mut media_id = String::new();
    for message in messages {
        if let Some(file) = &message.attachment {
            let call = message.channel.upload_call();
            let call = format!("{call}?type={}", file.kind.name());
            let url = shown_url(base, &call, pass);
            let (name, bytes) = (&file.name, file.bytes.len());
            media_id = format!("<media_id of {name}>");
            if !output.json {
                output::json(&format!(
                    "POST {url}\n(form: media, filename {}, {bytes} bytes)",
                    json!(name)
                ))?;
            }
            shown.push(
                json!({"method": "POST", "url": url, "file": {"name": name, "bytes": bytes}}),
            );
        }
        let url = shown_url(base, message.channel.call(), pass);
        let body = if message.needs_media() {
            message.with_media(&media_id).to_wire(agentid, None)
        } else {
            message.to_wire(agentid, None)
        };
        let body = String::from_utf8(body)?;
        if !output.json {
            output::json(&format!("POST {url}\n{body}"))?;
        }
        shown.push(json!({"method": "POST", "url": url, "body": body}));
    }
    Ok(Report::dry_run(messages.len(), shown))
}
