//! `wxpush send`: words or stdin become messages, and go out one after the other.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Instant;

use serde_json::json;

use super::post::Way;
use super::report::{Report, Status};
use super::{begin, load};
use crate::cli::{Global, Send};
use crate::config::{Lang, Settings, value};
use crate::delivery::App;
use crate::error::{Exit, Failure};
use crate::log;
use crate::message::content::DUPLICATE_CHECK_MAX;
use crate::message::input::{INPUT_MAX, Input, one_line, unescape};
use crate::message::split::{Fitted, PARTS_MAX, TooLong, fit};
use crate::message::{Envelope, Kind, Long, Request};
use crate::output::{self, Output};
use crate::secret::digest;
use crate::wecom::shown_url;

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
    check(args)?;
    let config = load(global)?;
    let settings = config.settings(to)?;
    // Before the input is read, so that a mistake is told at once.
    let agentid = settings.agentid()?;
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
    let input = read(args)?;
    let cut = input.cut;
    let Some(text) = compose(args, &settings, input)? else {
        return Ok(Report::new(Status::Empty, 0));
    };
    guard(&settings, &text)?;
    let deadline = Instant::now() + args.timeout;
    let kind = kind(args);
    let fitted = fitted(kind, &text, cut, args.long, settings.phone_lang)?;
    let safe = is_safe(args, &settings);
    let requests: Vec<Request> = fitted
        .parts
        .into_iter()
        .map(|part| Request {
            envelope: settings.to.clone(),
            content: kind.content(part),
            safe,
            id_trans: args.id_trans,
            duplicate_check: args.dedupe.map(|time| time.as_secs()),
        })
        .collect();
    if args.dry_run {
        return dry_run(&settings, agentid, &requests, output);
    }
    tracing::info!(
        command = "send",
        kind = kind.msgtype(),
        to = settings.to.describe(),
        bytes = text.len(),
        digest = &digest(&[&text])[..16],
        parts = requests.len(),
        "start"
    );
    tracing::debug!(text, "message");
    let posts = requests.iter().map(Request::post).collect();
    let way = Way {
        config: &config,
        keep: settings.outbox.enabled && !args.no_outbox,
        app: Rc::new(App::new(settings, state.as_ref().ok())?),
        state: state.as_ref().map_err(Clone::clone),
        deadline,
    };
    Ok(way.send(posts))
}

/// Sees that the corpsecret goes to nobody's phone, and into no log as a receiver's name.
fn guard(settings: &Settings, text: &str) -> Result<(), Failure> {
    let secret = &settings.corpsecret;
    let (exit, place) = if secret.is_in(&settings.to.describe()) {
        (Exit::Usage, "among the receivers")
    } else if secret.is_in(text) {
        (Exit::Data, "in the message")
    } else {
        return Ok(());
    };
    Err(Failure::new(
        exit,
        format!("the corpsecret stands {place}: nothing was sent"),
    )
    .hint("it belongs into the config, or a file that corpsecret_file names, and nowhere else"))
}

/// What the options say that cannot be.
fn check(args: &Send) -> Result<(), Failure> {
    let usage = |what: &str, hint: &str| Err(Failure::new(Exit::Usage, what).hint(hint));
    if args.markdown && args.safe {
        return usage(
            "--safe cannot protect a markdown message",
            "leave out --markdown to send it as a text",
        );
    }
    if args.markdown && args.id_trans {
        return usage(
            "--id-trans works in texts only, not in markdown",
            "leave out --markdown or --id-trans",
        );
    }
    if args
        .dedupe
        .is_some_and(|time| time.as_secs() > DUPLICATE_CHECK_MAX)
    {
        return usage(
            "--dedupe reaches back 4h at the most",
            "WeCom compares no further; write --dedupe 4h",
        );
    }
    Ok(())
}

fn kind(args: &Send) -> Kind {
    if args.markdown {
        Kind::Markdown
    } else {
        Kind::Text
    }
}

/// `safe` of the config holds for texts; it cannot for markdown.
fn is_safe(args: &Send, settings: &Settings) -> bool {
    if args.markdown && settings.safe {
        tracing::warn!(
            "safe = true of the config cannot protect a markdown message: it can be forwarded"
        );
    }
    !args.markdown && (args.safe || settings.safe)
}

/// The receivers that the options name; none if they name nobody.
fn receivers(args: &Send) -> Result<Option<Envelope>, Failure> {
    let [touser, toparty, totag] =
        [&args.to, &args.party, &args.tag].map(|list| list.iter().map(String::as_str));
    let envelope = Envelope::parse(touser, toparty, totag)
        .map_err(|why| Failure::new(Exit::Usage, value::shown(&why)))?;
    let named = !args.to.is_empty() || !args.party.is_empty() || !args.tag.is_empty();
    if named && envelope.is_empty() {
        return Err(
            Failure::new(Exit::Usage, "--to, --party and --tag name nobody")
                .hint("give a userid, or leave the option out to send to the config's recipients"),
        );
    }
    Ok(named.then_some(envelope))
}

/// The body: the words, or stdin. With words stdin is never read.
fn read(args: &Send) -> Result<Input, Failure> {
    let from_stdin = args.message.is_empty() || args.message == ["-"];
    let input = if from_stdin {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(Failure::new(Exit::Usage, "no message: stdin is a terminal")
                .hint("write wxpush send \"text\", or pipe a command's output into wxpush send"));
        }
        Input::from_reader(stdin.lock()).map_err(|error| {
            Failure::new(
                Exit::Io,
                format!("cannot read the message from stdin: {error}"),
            )
        })?
    } else {
        let words = args.message.join(&OsString::from(" "));
        if args.escapes {
            Input::from_bytes(&unescape(words.as_bytes()))
        } else {
            Input::from_bytes(words.as_bytes())
        }
    };
    if input.replaced > 0 {
        tracing::warn!(
            "{} characters of the input are not UTF-8 and were replaced by U+FFFD",
            input.replaced
        );
    }
    if input.cut {
        tracing::warn!(
            "the input is longer than {} MiB: the rest was not read",
            INPUT_MAX >> 20
        );
    }
    Ok(input)
}

/// The whole writing; none if there is nothing to send and that is all right.
fn compose(args: &Send, settings: &Settings, input: Input) -> Result<Option<String>, Failure> {
    let title = args
        .title
        .as_deref()
        .map(one_line)
        .filter(|title| !title.trim().is_empty());
    if input.is_blank() {
        if args.skip_empty {
            return Ok(None);
        }
        if title.is_none() {
            return Err(Failure::new(Exit::Data, "the message is empty")
                .hint("give a text or a title; --skip-empty makes an empty message a success"));
        }
    }
    let body = if input.is_blank() {
        String::new()
    } else {
        input.text
    };
    Ok(Some(kind(args).compose(
        &settings.prefix,
        title.as_deref(),
        body,
    )))
}

fn fitted(
    kind: Kind,
    text: &str,
    incomplete: bool,
    long: Long,
    lang: Lang,
) -> Result<Fitted, Failure> {
    let more = if incomplete { "more than " } else { "" };
    let size = text.len();
    let note = match lang {
        Lang::Zh if incomplete => "\n…（已截断）".to_owned(),
        Lang::Zh => format!("\n…（已截断，全文 {size} 字节）"),
        Lang::En if incomplete => "\n… (cut)".to_owned(),
        Lang::En => format!("\n… (cut, {size} bytes in all)"),
    };
    let max = kind.max();
    let fitted = fit(kind, text, incomplete, long, &note).map_err(|why| {
        let (what, hint) = match why {
            TooLong::Rejected => (
                "--long reject sends none of it".to_owned(),
                "leave it out to split the message, or shorten it",
            ),
            TooLong::Parts => (
                format!("it makes more than {PARTS_MAX} parts"),
                "use --long truncate, or send less",
            ),
            TooLong::File => (
                "--long file needs an upload, which this version cannot do".to_owned(),
                "use --long split or truncate",
            ),
        };
        Failure::new(
            Exit::Data,
            format!("the message has {more}{size} bytes, WeCom takes {max}: {what}"),
        )
        .hint(hint)
    })?;
    if fitted.cut {
        tracing::warn!(
            "the message has {more}{size} bytes: only its first part is sent, marked as cut (--long split sends up to {PARTS_MAX} parts)"
        );
    }
    Ok(fitted)
}

fn dry_run(
    settings: &Settings,
    agentid: u32,
    requests: &[Request],
    output: Output,
) -> anyhow::Result<Report> {
    let url = shown_url(&settings.network.api_base, "message/send");
    let mut shown = Vec::new();
    for request in requests {
        let body = String::from_utf8(request.post().wire(agentid, false))?;
        if !output.json {
            output::raw(&format!("POST {url}\n{body}"))?;
        }
        shown.push(json!({"method": "POST", "url": url, "body": body}));
    }
    Ok(Report::dry_run(shown))
}
