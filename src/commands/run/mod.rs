//! `wxpush run`: runs a command transparently, and reports its result in a message.
//!
//! The exit code is the command's, whatever happens to the message: once the command has started,
//! our own errors are only reported on stderr.

mod overdue;
mod report_text;
mod title;
mod trigger;
mod watch;

use std::cell::{LazyCell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use super::option_text::option_text;
use super::report::Report;
use super::submit::{Submitting, composed, guard};
use super::{begin_or_without, load, recipients};
use crate::child::{self, CommandEnd, Ended, Plan};
use crate::cli::{Global, ReportOn, Run};
use crate::compose::{Body, Composed, Draft};
use crate::config::{self, Config, Settings, State};
use crate::cron;
use crate::error::{self, Exit, Failure};
use crate::jobs::WatchedRun;
use crate::log;
use crate::message::input::one_line;
use crate::message::markup;
use crate::message::{Channel, Long, Message, Recipients, TextKind};
use crate::notice::{Notice, notify};
use crate::outbox::ClaimedEntry;
use crate::output::Output;
use crate::secret::{Redactor, digest};
use crate::text;
pub(super) use overdue::tell_overdue;
use report_text::ReportText;
use trigger::{Occasion, Trigger};

/// The longest title in a report, in bytes; the rest is cut.
const TITLE_MAX: usize = 200;

/// The longest wait for the disk while the command lingers: its end must not be missed for long.
const RESERVE_TIME: Duration = Duration::from_secs(2);

/// Runs `run`; returns the command's exit code, or ours if it was not started.
pub(super) fn run(args: &Run, global: &Global, output: Output) -> Result<Exit, Failure> {
    let recipients = usable(args, global)?;
    let mut ready = Ready::new(args, global, output, recipients);
    if let Err(failure) = &ready {
        log::to_stderr(super::stderr(output));
        output.failure(failure);
        output.note(&text::run::no_report());
    }
    // Not before the command: nothing in a name may keep it from running.
    let title = LazyCell::new(|| title(args));
    tracing::info!(command = "run", program = %program(args), "start");
    if let Ok((ready, _)) = &mut ready {
        ready.watch(args, &title);
    }
    let reserved = RefCell::new(None);
    let lingers = |ended: &Ended| {
        let ready = ready.as_ref().ok();
        reserved.replace(ready.map(|(ready, _)| ready.reserve(args, &title, ended)));
    };
    let ended = child::run(&plan(args, &lingers));
    let reserved: Option<Reserved> = reserved.take();
    said(args, &ended, output);
    let code = ended.end.code();
    if let Some(reserved) = &reserved {
        reserved.due.take_back();
    }
    if let Ok((ready, settings)) = ready {
        error::let_bugs_end_as(code);
        ready.note(|watched| watched.end(code));
        let tell = ready.tell(settings, args, &title, &ended, output, reserved.as_ref());
        if let Some(failure) = tell {
            tracing::error!(exit = failure.exit.code(), error = failure.what, "report");
            output.failure(&failure);
        }
    }
    if let Some(reserved) = reserved {
        reserved.remove();
    }
    ended.finish();
    Ok(Exit::Command(code))
}

/// Returns the recipients named by options, after checking the options.
fn usable(args: &Run, global: &Global) -> Result<Option<Recipients>, Failure> {
    if global.json {
        return Err(text::run::json_useless());
    }
    if args.after > 1 && args.on == ReportOn::Success {
        return Err(text::run::after_without_failures());
    }
    recipients::named(&args.to)
}

fn plan<'a>(args: &'a Run, lingers: &'a dyn Fn(&Ended)) -> Plan<'a> {
    let output = if args.only_errors {
        child::OutputMode::IfFailed(config::temporary())
    } else if args.no_output && args.on != ReportOn::Output && !args.stderr_fails {
        child::OutputMode::Untouched
    } else {
        child::OutputMode::Through
    };
    Plan {
        command: &args.command,
        limit: args.limit,
        output,
        encoding: args.encoding,
        stderr_fails: args.stderr_fails,
        lingers,
        hidden: config::SECRET_VARIABLE,
    }
}

/// Returns the command's name without its path; its arguments stay private.
fn program(args: &Run) -> String {
    args.command
        .first()
        .map(title::program_name)
        .unwrap_or_default()
}

/// Returns the name in the report.
fn title(args: &Run) -> String {
    let title = args.title.as_deref();
    let title = title.map(|title| one_line(&option_text("--title", title, args.encoding)));
    let title = title.filter(|title| !title.trim().is_empty());
    let mut title = title.unwrap_or_else(|| title::name_of(&args.command));
    title.truncate(title.floor_char_boundary(TITLE_MAX));
    title
}

/// Reports, on stderr and in the log, how the command ended if its own output cannot say so.
fn said(args: &Run, ended: &Ended, output: Output) {
    let ms = u64::try_from(ended.time.as_millis()).unwrap_or(u64::MAX);
    let code = ended.end.code();
    let program = program(args);
    match &ended.end {
        CommandEnd::NotStarted(error) => {
            tracing::error!(code, %error, "the command cannot be run");
            let is_line = args.command.first().is_some_and(title::is_line);
            output.failure(&text::run::not_started(&program, is_line, error, code));
        }
        CommandEnd::PastLimit { killed } => {
            let text = text::run::ended_by_limit(&program, *killed);
            tracing::warn!(code, ms, "{text}");
        }
        CommandEnd::OutputLost(error) => {
            tracing::error!(code, ms, %error, "the command's output cannot be written");
        }
        CommandEnd::Complained => {
            tracing::info!(code, ms, "the command has ended, and has written to stderr");
        }
        CommandEnd::Exited(_) | CommandEnd::Killed { .. } | CommandEnd::Lingers(_) => {
            tracing::info!(code, ms, "the command has ended");
        }
    }
}

/// A report for the case that we are killed before the command ends.
struct Reserved {
    /// The report in the outbox, unless none is due or it cannot be kept.
    held: Option<Arc<ClaimedEntry>>,
    due: Trigger,
}

impl Reserved {
    /// Removes the report, if it is still there: the true one is kept, or we live to the end.
    fn remove(&self) {
        let Some(held) = &self.held else {
            return;
        };
        if let Err(error) = held.remove() {
            let (id, error) = (held.id(), &error);
            notify(&Notice::EntryStays { id, error });
        }
    }
}

/// The prerequisites of a report, determined before the command starts.
struct Ready {
    config: Config,
    recipients: Option<Recipients>,
    state: Result<State, String>,
    /// The run, if the job is watched.
    watched: Option<WatchedRun>,
}

impl Ready {
    /// Also returns the settings of the report.
    fn new(
        args: &Run,
        global: &Global,
        output: Output,
        recipients: Option<Recipients>,
    ) -> Result<(Self, Settings), Failure> {
        let config = load(global)?;
        let settings = recipients::settings(&args.to, recipients.clone(), &config)?;
        let state = begin_or_without(&settings.base, output);
        let ready = Self {
            config,
            recipients,
            state,
            watched: None,
        };
        Ok((ready, settings))
    }

    /// Keeps the report that goes out if we are killed, as long as the command lingers.
    fn reserve(&self, args: &Run, title: &str, ended: &Ended) -> Reserved {
        let due = Trigger::of(args, self.state.as_ref().ok(), ended);
        let reserve = |occasion| {
            let recipients = self.recipients.clone();
            let settings = recipients::settings(&args.to, recipients, &self.config)?;
            let (messages, submitting) = self.prepared(settings, args, title, ended, occasion)?;
            let time = RESERVE_TIME;
            Submitting { time, ..submitting }.reserve(messages)
        };
        let held = due.occasion().map(reserve).and_then(|held| {
            held.inspect_err(|failure| {
                tracing::info!(error = failure.what, "no report if wxpush is killed");
            })
            .ok()
        });
        Reserved { held, due }
    }

    /// Sends the report if one is due; returns the failure, if any.
    fn tell(
        &self,
        settings: Settings,
        args: &Run,
        title: &str,
        ended: &Ended,
        output: Output,
        reserved: Option<&Reserved>,
    ) -> Option<Failure> {
        let due = Trigger::of(args, self.state.as_ref().ok(), ended);
        let is_back = self.late().map(|_| Occasion::Plain);
        let occasion = due.occasion().or(is_back)?;
        // Stdout belongs to the command.
        let quiet = Output {
            quiet: true,
            ..output
        };
        let prepared = self.prepared(settings, args, title, ended, occasion);
        let sent = prepared.and_then(|prepared| self.sent(prepared, reserved));
        let (is_safe, failure) = match sent {
            Ok((report, is_safe)) => (is_safe, report.show(quiet)),
            Err(failure) => (false, Some(failure)),
        };
        if !is_safe {
            due.revert();
        } else if is_back.is_some() {
            self.note(WatchedRun::told);
        }
        failure
    }

    /// Sends the report, in place of the reserved one; also returns whether it has arrived, or
    /// will.
    fn sent(
        &self,
        (messages, submitting): (Vec<Message>, Submitting<'_>),
        reserved: Option<&Reserved>,
    ) -> Result<(Report, bool), Failure> {
        let outcome = submitting.submit(|submission| match reserved {
            Some(reserved) => submission.send_in_place(messages, || reserved.remove()),
            None => submission.send(messages),
        })?;
        let is_safe = outcome.is_safe();
        let report = Report::of(outcome, || cron::flush_command(&self.config));
        Ok((report, is_safe))
    }

    /// Returns the text of the report.
    fn report_text(
        &self,
        args: &Run,
        title: &str,
        settings: &Settings,
        guard: &Redactor,
        ended: &Ended,
        occasion: Occasion,
    ) -> String {
        // As composing makes it: its bytes count.
        let title = &*markup::inert(title);
        let words = ReportText {
            lang: settings.phone_lang,
            title,
            host: &config::hostname(),
            limit: args.limit,
            occasion,
            late: self.late(),
            ended,
            guard,
            lines: if args.no_output { 0 } else { args.tail },
            max: TextKind::Text
                .max(recipients::channel(&args.to))
                .saturating_sub(settings.prefix.len()),
        };
        words.text()
    }

    /// Returns the report as messages, and how to submit them.
    fn prepared(
        &self,
        settings: Settings,
        args: &Run,
        title: &str,
        ended: &Ended,
        occasion: Occasion,
    ) -> Result<(Vec<Message>, Submitting<'_>), Failure> {
        let guard = guard(&self.config, &settings, self.state.as_ref().ok());
        let text = self.report_text(args, title, &settings, &guard, ended, occasion);
        let draft = draft(args, &settings, text);
        let Composed { messages, text, .. } = composed(draft, &settings, &guard)?;
        let digest = &digest(&[&text])[..16];
        tracing::info!(bytes = text.len(), digest, parts = messages.len(), "report");
        tracing::debug!(text, "message");
        let submitting = Submitting {
            config: &self.config,
            keep: settings.outbox.enabled,
            settings,
            state: self.state.as_ref().map_err(Clone::clone),
            time: args.timeout,
            kept_ok: false,
            urgent: args.urgent,
            output: None,
        };
        Ok((messages, submitting))
    }
}

/// Returns a report as a draft.
fn draft(args: &Run, settings: &Settings, text: String) -> Draft {
    let mentions = [args.to.mention.clone(), args.to.mention_mobile.clone()];
    report(recipients::channel(&args.to), mentions, settings, text)
}

/// Returns the draft of a text about a job.
fn report(
    channel: Channel,
    mentions: [Vec<String>; 2],
    settings: &Settings,
    text: String,
) -> Draft {
    Draft {
        channel,
        body: Body::Text {
            kind: TextKind::Text,
            title: None,
            text,
            byline: None,
            from_outside: true,
            incomplete: false,
            mentions,
            files: Vec::new(),
            name: "report",
        },
        safe: false,
        id_trans: false,
        dedupe: None,
        long: Long::Truncate,
        keep: settings.outbox.enabled,
    }
}
