//! `wxpush send`: words, stdin and files become messages, and go out one after the other.

mod contents;
mod long;
mod wanted;

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::post::Way;
use super::report::{Report, Status};
use super::{begin, load};
use crate::blob::Blob;
use crate::cli::{Global, Send};
use crate::config::{Account, Settings, ShowIn};
use crate::delivery::{Sender, upload_time};
use crate::error::{Exit, Failure};
use crate::log;
use crate::message::{Channel, Post, Request, limits};
use crate::output::{self, Output};
use crate::secret::{Secret, digest};
use crate::wecom::shown_url;
use contents::{Contents, Making, Piece};
use wanted::{Wanted, channel, receivers};

/// The time for delivery where `--timeout` doesn't say it. Source: the contract.
pub(super) const TIME: Duration = Duration::from_secs(30);

/// Runs `send`, and reports how it ended, whichever way it did.
pub(super) fn run(args: &Send, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let report = match send(args, global, output) {
        Ok(report) => report,
        Err(error) => Report::failed(error.downcast::<Failure>()?),
    };
    report
        .show(output)
        .map_or(Ok(Exit::Sent), |failure| Err(failure.into()))
}

fn send(args: &Send, global: &Global, output: Output) -> anyhow::Result<Report> {
    let to = receivers(args)?;
    let wanted = Wanted::of(args)?;
    let config = load(global)?;
    let settings = match &args.robot {
        Some(name) => config.robot(name)?,
        None => config.settings(to)?,
    };
    // Before the input is read, so that a mistake is told at once.
    if let Account::App(app) = &settings.account {
        settings.agentid(app)?;
    }
    let state = if args.dry_run {
        log::to_stderr(super::stderr(output));
        Err(String::new())
    } else {
        let state = begin(&settings.base, output);
        state
            .map_err(|place| place.to_string())
            .inspect_err(|place| {
                tracing::warn!(
                    "no place for state, going on without token cache, outbox and log: {place}"
                );
            })
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
    let files: u64 = posts.iter().map(Post::bytes_of_file).sum();
    let time = args.timeout.unwrap_or_else(|| TIME + upload_time(files));
    let deadline = Instant::now() + time;
    if args.dry_run {
        return dry_run(&settings, &posts, output);
    }
    tracing::info!(
        command = "send",
        kind = wanted.name(),
        to = to_whom(&settings),
        bytes = text.len() as u64 + files,
        digest = &digest(&[&text])[..16],
        parts = posts.len(),
        "start"
    );
    tracing::debug!(text, "message");
    drop(text);
    let way = Way {
        config: &config,
        keep: settings.outbox.enabled && !args.no_outbox,
        sender: Rc::new(Sender::new(settings, state.as_ref().ok())?),
        state: state.as_ref().map_err(Clone::clone),
        deadline,
        watching: output::watching(output),
    };
    Ok(way.send(posts))
}

/// The receivers for a log.
fn to_whom(settings: &Settings) -> String {
    match &settings.account {
        Account::App(_) => settings.to.describe(),
        Account::Robot(robot) => format!("robot {}", robot.name),
    }
}

/// The requests: every message to each of the envelopes that the receivers make.
fn posts(
    args: &Send,
    wanted: Wanted<'_>,
    settings: &Settings,
    pieces: Vec<Piece>,
) -> Result<Vec<Post>, Failure> {
    let envelopes = settings.to.split();
    let safe = is_safe(args, wanted, settings);
    let request = |envelope| Request {
        channel: channel(args),
        envelope,
        safe,
        id_trans: args.id_trans,
        duplicate_check: args.dedupe.map(|time| time.as_secs()),
    };
    let mut posts = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Raw(message) => {
                let message = without_agentid(message, settings)?;
                for envelope in &envelopes {
                    posts.push(vec![request(envelope).raw(message.clone())]);
                    if message_names_receivers(&message) {
                        break;
                    }
                }
            }
            Piece::Made(content, mut file) => {
                // It is uploaded before the first of them, and then it is there.
                let to = envelopes.iter();
                posts.push(
                    to.map(|to| request(to).post(&content, file.take()))
                        .collect(),
                );
            }
        }
    }
    for post in posts
        .iter()
        .filter_map(|of_piece: &Vec<Post>| of_piece.first())
    {
        examine(post, settings)?;
    }
    // All of one envelope, then all of the next.
    let count = posts.iter().map(Vec::len).max().unwrap_or_default();
    let mut lists: Vec<_> = posts.into_iter().map(Vec::into_iter).collect();
    let rounds = (0..count).flat_map(|_| {
        lists
            .iter_mut()
            .filter_map(Iterator::next)
            .collect::<Vec<_>>()
    });
    Ok(rounds.collect())
}

fn message_names_receivers(message: &serde_json::Map<String, serde_json::Value>) -> bool {
    ["touser", "toparty", "totag", "chatid"]
        .iter()
        .any(|key| message.contains_key(*key))
}

/// The app of the config is the only one that its token is for.
fn without_agentid(
    mut message: serde_json::Map<String, serde_json::Value>,
    settings: &Settings,
) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    let Some(named) = message.remove("agentid") else {
        return Ok(message);
    };
    let Account::App(app) = &settings.account else {
        return Ok(message);
    };
    let agentid = settings.agentid(app)?;
    let named = named
        .as_str()
        .map_or_else(|| named.to_string(), str::to_owned);
    if named == agentid.to_string() {
        return Ok(message);
    }
    let what = format!("the message is for agentid {named}, and the config for {agentid}");
    Err(Failure::new(Exit::Data, what)
        .hint("leave agentid out of the JSON, or choose the other app's profile with -p"))
}

/// Compares a message with WeCom's limits, before anything of it leaves.
fn examine(post: &Post, settings: &Settings) -> Result<(), Failure> {
    let channel = post.channel().unwrap_or(Channel::App);
    let body = if post.needs_media() {
        post.with_media("-").value()
    } else {
        post.value()
    };
    let msgtype = post.msgtype();
    let found = limits::check(channel, &msgtype, &body);
    for warning in found.warnings {
        tracing::warn!("{warning}");
    }
    if !found.errors.is_empty() {
        return Err(Failure::new(Exit::Data, found.errors.join("; "))
            .hint("nothing was sent: WeCom would refuse it, or cut it without a word"));
    }
    if channel == Channel::App && settings.show_in == ShowIn::WeChat {
        warn_of_wechat(&msgtype);
    }
    Ok(())
}

/// Tells of what ordinary WeChat does not show, and what it does.
fn warn_of_wechat(msgtype: &str) {
    let instead = match msgtype {
        "markdown" => "a text",
        "template_card" => "a text, or --card or --news",
        "miniprogram_notice" => "--card, or a text with a link",
        _ => return,
    };
    tracing::warn!(
        "ordinary WeChat does not show a {msgtype}, its readers are told to open WeCom: send {instead} instead"
    );
}

/// `safe` of the config holds for what it can protect.
fn is_safe(args: &Send, wanted: Wanted<'_>, settings: &Settings) -> bool {
    let can = wanted.takes_safe() && channel(args) != Channel::Robot;
    if settings.safe && !can && channel(args) != Channel::Robot {
        tracing::warn!(
            "safe = true of the config cannot protect a {} message: it can be forwarded",
            wanted.name()
        );
    }
    can && (args.safe || settings.safe)
}

/// Sees that the secret goes to nobody's phone, and into no log as a receiver's name.
fn guard(settings: &Settings, text: &str, posts: &[Post]) -> Result<(), Failure> {
    let secret = settings.account.secret();
    let name = match settings.account {
        Account::App(_) => "corpsecret",
        Account::Robot(_) => "robot's key",
    };
    let told = |post: &Post| {
        let in_file = post
            .attachment
            .as_ref()
            .is_some_and(|file| secret.is_in(&file.name) || is_in_file(secret, &file.bytes));
        in_file || secret.is_in(&String::from_utf8_lossy(&post.body))
    };
    let (exit, place) = if secret.is_in(&settings.to.describe()) {
        (Exit::Usage, "among the receivers")
    } else if secret.is_in(text) || posts.iter().any(told) {
        (Exit::Data, "in the message")
    } else {
        return Ok(());
    };
    Err(
        Failure::new(exit, format!("the {name} stands {place}: nothing was sent"))
            .hint("it belongs into the config, or a file that the config names, and nowhere else"),
    )
}

/// Whether a file has the secret in it as it is.
fn is_in_file(secret: &Secret, file: &Blob) -> bool {
    let mut seen = Vec::new();
    file.pieces().flatten().any(|piece| {
        // It may lie across two pieces.
        let keep = seen.len().min(secret.expose().len());
        seen.drain(..seen.len() - keep);
        seen.extend_from_slice(&piece);
        secret.is_in_bytes(&seen)
    })
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
            post.with_media(&media_id).wire(agentid, false)
        } else {
            post.wire(agentid, false)
        };
        let body = String::from_utf8(body)?;
        if !output.json {
            output::raw(&format!("POST {url}\n{body}"))?;
        }
        shown.push(json!({"method": "POST", "url": url, "body": body}));
    }
    Ok(Report::dry_run(posts.len(), shown))
}
