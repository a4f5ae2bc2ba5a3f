//! Messages become requests: to each envelope, compared with WeCom's limits, without the secret.

use serde_json::{Map, Value};

use super::contents::Piece;
use super::wanted::Wanted;
use crate::blob::Blob;
use crate::cli::Send;
use crate::commands::to;
use crate::config::{Account, Settings, ShowIn};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::content::names_receivers;
use crate::message::media::{SAFE_FILES, can_be_safe};
use crate::message::{Attachment, Channel, Content, MediaKind, Post, Request, limits};
use crate::outbox::Entry;
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
    let channel = to::channel(&args.to);
    let safe = is_safe(args, wanted, settings, &pieces);
    let mut messages = Vec::new();
    for piece in pieces {
        let safe = match &piece {
            Piece::Made(_, file) => safe && protects(file.as_ref(), args)?,
            Piece::Raw(_) => safe,
        };
        messages.push((piece, safe));
    }
    let mut posts = Vec::new();
    for (at, envelope) in envelopes.iter().enumerate() {
        for (piece, safe) in &mut messages {
            let request = Request {
                channel,
                envelope,
                safe: *safe,
                id_trans: args.id_trans,
                duplicate_check: args.dedupe.map(|time| time.as_secs()),
            };
            let post = match piece {
                Piece::Raw(message) if at > 0 && names_receivers(channel, message) => continue,
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
    let what = say!(
        "消息的 agentid 是 {named}，配置里的是 {agentid}",
        "the message is for agentid {named}, and the config for {agentid}"
    );
    let hint = spoken().of(
        "去掉 JSON 里的 agentid，或用 -p 选那个应用的 profile",
        "leave agentid out of the JSON, or choose the other app's profile with -p",
    );
    Err(Failure::new(Exit::Data, what).hint(hint))
}

/// Compares a message with WeCom's limits, before anything of it leaves.
pub(in crate::commands) fn examine(post: &Post, settings: &Settings) -> Result<(), Failure> {
    let channel = post.channel().unwrap_or(Channel::App);
    let mut body = post.value();
    let msgtype = body["msgtype"].as_str().unwrap_or_default().to_owned();
    // It will be filled in.
    if let Some(id) = body.get_mut(&msgtype).and_then(|it| it.get_mut("media_id"))
        && *id == ""
    {
        *id = "-".into();
    }
    let found = limits::check(channel, &msgtype, &body);
    for warning in found.warnings {
        tracing::warn!("{warning}");
    }
    if !found.errors.is_empty() {
        let what = found.errors.join(spoken().of("；", "; "));
        let hint = spoken().of(
            "什么都没有发送：企业微信会拒绝它，或悄悄截断它",
            "nothing was sent: WeCom would refuse it, or cut it without a word",
        );
        return Err(Failure::new(Exit::Data, what).hint(hint));
    }
    if channel == Channel::App && settings.show_in == ShowIn::WeChat {
        warn_of_wechat(&msgtype);
    }
    Ok(())
}

/// Tells of what ordinary WeChat does not show, and what it does.
fn warn_of_wechat(msgtype: &str) {
    let (zh, en) = match msgtype {
        "markdown" => ("普通文本", "a text"),
        "template_card" => (
            "普通文本，或用 --card、--news",
            "a text, or --card or --news",
        ),
        "miniprogram_notice" => ("带链接的文本，或用 --card", "--card, or a text with a link"),
        _ => return,
    };
    let instead = spoken().of(zh, en);
    let text = say!(
        "微信里显示不了 {msgtype}，只会提示去企业微信查看：请改发{instead}",
        "ordinary WeChat does not show a {msgtype}, its readers are told to open WeCom: send {instead} instead"
    );
    tracing::warn!("{text}");
}

/// `safe` of the config holds for what it can protect.
fn is_safe(args: &Send, wanted: Wanted<'_>, settings: &Settings, pieces: &[Piece]) -> bool {
    if to::channel(&args.to) == Channel::Robot {
        return false;
    }
    let (name, can) = match (wanted, pieces.first()) {
        (_, Some(Piece::Raw(message))) => {
            let msgtype = message.get("msgtype").and_then(Value::as_str);
            let msgtype = msgtype.unwrap_or_default();
            (msgtype, limits::can_be_safe(msgtype))
        }
        // A markdown may have become a text.
        (Wanted::Writing(_), Some(Piece::Made(content, _))) => {
            (wanted.name(), matches!(content, Content::Text(_)))
        }
        _ => (wanted.name(), wanted.takes_safe()),
    };
    if settings.safe && !can {
        let text = say!(
            "配置里的 safe = true 保护不了 {name} 消息：它可以被转发",
            "safe = true of the config cannot protect a {name} message: it can be forwarded"
        );
        tracing::warn!("{text}");
    }
    args.safe || (settings.safe && can)
}

/// Whether WeCom protects a message with this file: what it cannot it refuses, so the config's wish
/// gives way.
fn protects(file: Option<&Attachment>, args: &Send) -> Result<bool, Failure> {
    let is_file = |file: &&Attachment| file.kind == MediaKind::File.name();
    let Some(file) = file.filter(is_file).filter(|it| !can_be_safe(&it.name)) else {
        return Ok(true);
    };
    let (name, files) = (&file.name, SAFE_FILES.join(spoken().of("、", " ")));
    if args.safe {
        let what = say!(
            "--safe 保护不了 {name}：企业微信只保护 {files}",
            "--safe cannot protect {name}: WeCom protects only {files}"
        );
        let hint = spoken().of(
            "去掉它，或换成其中一种格式",
            "leave it out, or send the file as one of these",
        );
        return Err(Failure::new(Exit::Data, what).hint(hint));
    }
    let text = say!(
        "配置里的 safe = true 保护不了 {name}：企业微信只保护 {files}；它可以被转发",
        "safe = true of the config cannot protect {name}: WeCom protects only {files}: it can be forwarded"
    );
    tracing::warn!("{text}");
    Ok(false)
}

/// Sees that the secret goes to nobody's phone, and into no log as a receiver's name.
///
/// # Errors
/// `Exit::Usage` or `Exit::Data`: it stands among the receivers, or in the message.
pub(in crate::commands) fn guard(
    settings: &Settings,
    text: &str,
    posts: &[Post],
) -> Result<(), Failure> {
    let secret = settings.account.secret();
    let name = match settings.account {
        Account::App(_) => "corpsecret",
        Account::Robot(_) => spoken().of("群机器人的 key", "robot's key"),
    };
    let told = |post: &Post| {
        let in_file = post
            .attachment
            .as_ref()
            .is_some_and(|file| secret.is_in(&file.name) || is_in_file(secret, &file.bytes));
        in_file || secret.is_in(&String::from_utf8_lossy(&post.body))
    };
    let (exit, place) = if secret.is_in(&settings.to.describe()) {
        (Exit::Usage, spoken().of("收件人里", "among the receivers"))
    } else if secret.is_in(text) || posts.iter().any(told) {
        (Exit::Data, spoken().of("消息里", "in the message"))
    } else {
        return Ok(());
    };
    let what = say!(
        "{place}有 {name}：什么都没有发送",
        "the {name} stands {place}: nothing was sent"
    );
    let hint = spoken().of(
        "它只该放在配置文件里，或配置文件指定的文件里",
        "it belongs into the config, or a file that the config names, and nowhere else",
    );
    Err(Failure::new(exit, what).hint(hint))
}

/// Sees that the message can be kept, where it is to be.
///
/// # Errors
/// `Exit::Data`: it takes more of the disk than an entry of the outbox may.
pub(in crate::commands) fn keepable(posts: &[Post]) -> Result<(), Failure> {
    let Some((size, max)) = Entry::excess(posts) else {
        return Ok(());
    };
    let (size, max) = (size.div_ceil(1 << 20), max >> 20);
    let what = say!(
        "消息和它的收件人共约 {size} MiB，发件箱里的一条最多 {max} MiB：什么都没有发送",
        "with its receivers the message takes some {size} MiB, and the outbox holds {max} MiB of one: nothing was sent"
    );
    let hint = spoken().of(
        "一次发给少一些的收件人，或用 --long file 把长文作为文件发送",
        "send it to fewer receivers at once, or the long text as a file: --long file",
    );
    Err(Failure::new(Exit::Data, what).hint(hint))
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
