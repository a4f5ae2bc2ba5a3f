//! `wxpush run`: a command runs as if nobody stood between, and a message tells how it went.
//!
//! The exit code is the command's, whatever becomes of the message: from the start of the command
//! on, what goes wrong with us is said on stderr and nothing more.

mod due;
mod words;

use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use super::post::Way;
use super::report::Report;
use super::send::requests::keepable;
use super::{begin_or_without, load, to};
use crate::child::{self, End, Ended, Plan};
use crate::cli::{Global, On, Run};
use crate::config::{self, Config, Settings, State};
use crate::delivery::Sender;
use crate::error::{self, Exit, Failure};
use crate::lang::{say, spoken};
use crate::log;
use crate::message::content::Text;
use crate::message::input::one_line;
use crate::message::{Channel, Content, Envelope, Kind, Post, Request};
use crate::output::Output;
use crate::secret::digest;
use due::{Due, Tale};
use words::Words;

/// Longest title in a report, in bytes: the rest is left out.
const TITLE_MAX: usize = 200;

/// Runs `run`: the command's exit code, or ours where nothing was started.
pub(super) fn run(args: &Run, global: &Global, output: Output) -> Result<Exit, Failure> {
    let receivers = usable(args, global)?;
    let ready = Ready::new(args, global, output, receivers);
    if let Err(failure) = &ready {
        log::to_stderr(super::stderr(output));
        output.failure(failure);
        output.note(spoken().of(
            "命令照常运行，但不会有报告",
            "the command runs all the same, but there will be no report",
        ));
    }
    tracing::info!(command = "run", program = %program(args), "start");
    let ended = child::run(&plan(args));
    said(args, &ended, output);
    let code = ended.end.code();
    if let Ok(ready) = ready {
        error::let_bugs_end_as(code);
        if let Some(failure) = ready.tell(args, &ended, output) {
            tracing::error!(exit = failure.exit.code(), error = failure.what, "report");
            output.failure(&failure);
        }
    }
    ended.finish();
    Ok(Exit::Command(code))
}

/// To whom the options say that it goes, if they can be followed.
fn usable(args: &Run, global: &Global) -> Result<Option<Envelope>, Failure> {
    let usage = |[what, hint]: [&str; 2]| Err(Failure::new(Exit::Usage, what).hint(hint));
    if global.json {
        return usage(spoken().of(
            ["run 自己没有结果：stdout 是命令的", "去掉 --json"],
            [
                "run has no result of its own: stdout is the command's",
                "leave out --json",
            ],
        ));
    }
    if args.after > 1 && args.on == On::Success {
        return usage(spoken().of(
            [
                "--after 数的是失败次数，而 --on success 不报告失败",
                "去掉其中一个",
            ],
            [
                "--after counts failures, and --on success reports none",
                "leave one of them out",
            ],
        ));
    }
    to::receivers(&args.to)
}

fn plan(args: &Run) -> Plan<'_> {
    let output = if args.only_errors {
        child::Output::IfFailed(config::temporary())
    } else if args.no_output && args.on != On::Output {
        child::Output::Untouched
    } else {
        child::Output::Through
    };
    Plan {
        command: &args.command,
        limit: args.limit,
        output,
        hidden: config::SECRET_VARIABLE,
    }
}

/// The command's name, without its path; its arguments are nobody's business.
fn program(args: &Run) -> String {
    let program = args.command.first().map(OsString::as_os_str);
    let name = program.and_then(|program| Path::new(program).file_name().or(Some(program)));
    one_line(&name.unwrap_or_default().to_string_lossy())
}

/// Says, here and in the log, what the command can't have said itself.
fn said(args: &Run, ended: &Ended, output: Output) {
    let ms = u64::try_from(ended.time.as_millis()).unwrap_or(u64::MAX);
    let code = ended.end.code();
    let program = program(args);
    match &ended.end {
        End::NotStarted(error) => {
            tracing::error!(code, %error, "the command cannot be run");
            let what = say!(
                "{program} 无法运行：{error}",
                "{program} cannot be run: {error}"
            );
            let failure = Failure::new(Exit::Command(code), what);
            output.failure(&failure.hint(match code {
                127 => spoken().of(
                    "写出它的路径，或检查 PATH：cron 的 PATH 很短",
                    "give its path, or look at PATH: cron's is short",
                ),
                _ => spoken().of(
                    "确认它是程序，并且可执行：chmod +x",
                    "see that it is a program, and may be executed: chmod +x",
                ),
            }));
        }
        End::PastLimit { killed } => {
            let by = if *killed { "SIGKILL" } else { "SIGTERM" };
            let text = say!(
                "{program} 没有在 --limit 内结束，已用 {by} 终止",
                "{program} was ended by {by}: it had not ended within --limit"
            );
            tracing::warn!(code, ms, "{text}");
        }
        End::Exited(_) | End::Killed { .. } => tracing::info!(code, ms, "the command has ended"),
    }
}

/// All that a report takes, known before the command starts.
struct Ready {
    config: Config,
    settings: Settings,
    state: Result<State, String>,
}

impl Ready {
    fn new(
        args: &Run,
        global: &Global,
        output: Output,
        receivers: Option<Envelope>,
    ) -> Result<Self, Failure> {
        let config = load(global)?;
        let settings = to::settings(&args.to, receivers, &config)?;
        let state = begin_or_without(&settings.base, output);
        Ok(Self {
            config,
            settings,
            state,
        })
    }

    /// Sends the report if one is due; what went wrong, if anything.
    fn tell(self, args: &Run, ended: &Ended, output: Output) -> Option<Failure> {
        let due = Due::of(args, self.state.as_ref().ok(), ended);
        let tale = due.tale()?;
        // Stdout is the command's.
        let quiet = Output {
            quiet: true,
            ..output
        };
        let (is_safe, failure) = match self.report(args, ended, tale) {
            Ok(report) => (report.is_safe(), report.show(quiet)),
            Err(error) => (false, Some(Failure::of(error))),
        };
        if !is_safe {
            due.untold();
        }
        failure
    }

    fn report(self, args: &Run, ended: &Ended, tale: Tale) -> anyhow::Result<Report> {
        let settings = self.settings;
        let channel = to::channel(&args.to);
        let text = text(args, &settings, ended, tale, channel);
        let content = Content::Text(Text {
            content: text.clone(),
            mentioned_list: args.to.mention.clone(),
            mentioned_mobile_list: args.to.mention_mobile.clone(),
        });
        let envelopes = settings.to.split();
        let posts = envelopes.iter().map(|envelope| {
            let request = Request {
                channel,
                envelope,
                safe: settings.safe && channel != Channel::Robot,
                id_trans: false,
                duplicate_check: None,
            };
            request.post(&content, None)
        });
        let posts: Vec<Post> = posts.collect();
        if settings.outbox.enabled {
            keepable(&posts)?;
        }
        let digest = &digest(&[&text])[..16];
        tracing::info!(bytes = text.len(), digest, parts = posts.len(), "report");
        tracing::debug!(text, "message");
        let way = Way {
            config: &self.config,
            keep: settings.outbox.enabled,
            kept_ok: false,
            sender: Rc::new(Sender::new(settings, self.state.as_ref().ok())?),
            state: self.state.as_ref().map_err(Clone::clone),
            deadline: Instant::now() + args.timeout,
            person: None,
            watching: None,
        };
        Ok(way.send(posts))
    }
}

/// What the report says, without what is nobody's business.
fn text(args: &Run, settings: &Settings, ended: &Ended, tale: Tale, channel: Channel) -> String {
    let title = args.title.as_deref().map(one_line);
    let title = title.filter(|title| !title.trim().is_empty());
    let mut title = title.unwrap_or_else(|| program(args));
    title.truncate(title.floor_char_boundary(TITLE_MAX));
    let words = Words {
        lang: settings.phone_lang,
        title: &title,
        host: &config::hostname(),
        limit: args.limit,
        tale,
        ended,
        lines: if args.no_output { 0 } else { args.tail },
        max: Kind::Text
            .max(channel)
            .saturating_sub(settings.prefix.len()),
    };
    let secret = settings.account.secret();
    let mut text = words.text();
    if secret.is_in(&text) {
        let warning = spoken().of(
            "命令的输出里有密钥：报告不带输出",
            "the secret stands in the command's output: the report goes without it",
        );
        tracing::warn!("{warning}");
        text = words.without_output();
    }
    if secret.is_in(&text) {
        text = Words {
            title: "run",
            ..words
        }
        .without_output();
    }
    Kind::Text.compose(&settings.prefix, None, text)
}
