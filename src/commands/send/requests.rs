//! Messages become requests: to each envelope, compared with WeCom's limits, without the secret.

use serde_json::{Map, Value};

use super::contents::Piece;
use super::wanted::Wanted;
use crate::blob::Blob;
use crate::cli::Send;
use crate::commands::to;
use crate::config::{Account, Settings, ShowIn};
use crate::error::{Exit, Failure};
use crate::message::{Channel, Post, Request, limits};
use crate::secret::Secret;

/// The requests: every message to each of the envelopes that the receivers make.
///
/// # Errors
/// `Exit::Data`: WeCom would refuse one, or cut it, or it is for another app.
pub(super) fn posts(
    args: &Send,
    wanted: Wanted<'_>,
    settings: &Settings,
    pieces: Vec<Piece>,
) -> Result<Vec<Post>, Failure> {
    let envelopes = settings.to.split();
    let safe = is_safe(args, wanted, settings);
    let mut pieces = pieces;
    let mut posts = Vec::new();
    for (at, envelope) in envelopes.iter().enumerate() {
        let request = Request {
            channel: to::channel(&args.to),
            envelope,
            safe,
            id_trans: args.id_trans,
            duplicate_check: args.dedupe.map(|time| time.as_secs()),
        };
        for piece in &mut pieces {
            let post = match piece {
                Piece::Raw(message) if at > 0 && names_receivers(message) => continue,
                Piece::Raw(message) => request.raw(without_agentid(message.clone(), settings)?),
                // It is uploaded before the first of them, and then it is there.
                Piece::Made(content, file) => request.post(content, file.take()),
            };
            if at == 0 {
                examine(&post, settings)?;
            }
            posts.push(post);
        }
    }
    Ok(posts)
}

fn names_receivers(message: &Map<String, Value>) -> bool {
    let keys = ["touser", "toparty", "totag", "chatid"];
    keys.iter().any(|key| message.contains_key(*key))
}

/// The app of the config is the only one that its token is for.
fn without_agentid(
    mut message: Map<String, Value>,
    settings: &Settings,
) -> Result<Map<String, Value>, Failure> {
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
    let can = wanted.takes_safe() && to::channel(&args.to) != Channel::Robot;
    if settings.safe && !can && to::channel(&args.to) != Channel::Robot {
        tracing::warn!(
            "safe = true of the config cannot protect a {} message: it can be forwarded",
            wanted.name()
        );
    }
    can && (args.safe || settings.safe)
}

/// Sees that the secret goes to nobody's phone, and into no log as a receiver's name.
///
/// # Errors
/// `Exit::Usage` or `Exit::Data`: it stands among the receivers, or in the message.
pub(super) fn guard(settings: &Settings, text: &str, posts: &[Post]) -> Result<(), Failure> {
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
