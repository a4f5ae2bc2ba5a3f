//! `wxpush batch`: many messages, one JSON object a line, each with an answer of one line.

mod desk;
mod fields;
mod line;
mod lines;
mod stop;

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::task::Poll;

use serde_json::Value;
use tokio::sync::mpsc::Receiver;

use super::report::{BatchAnswer, Report};
use super::source;
use super::{begin, begin_or_without, load};
use crate::cli::{Batch, Global};
use crate::config::{Config, ConfigError};
use crate::delivery::{BatchDelivery, BatchStep, Outcome};
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::text::batch as words;
use crate::text::delivery::{WORDING, sent_unkept};
use desk::Desks;
use fields::LineFields;
use lines::{InputLine, LINE_MAX};

/// Most bytes of lines that have no answer yet.
const BYTES_MAX: usize = 4 << 20;

/// What an answer belongs to.
struct LineTag {
    id: Value,
    /// The number of the line.
    line: u64,
    bytes: usize,
}

/// What happened.
enum Wake {
    Line(Option<io::Result<InputLine>>),
    Stop,
}

/// Runs `batch`.
pub(super) fn run(args: &Batch, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    match config.settings(None) {
        // A robot needs no app.
        Ok(_) | Err(ConfigError::Unset { .. }) => {}
        Err(error) => return Err(Failure::from(error).into()),
    }
    if args.accept_only {
        let state = begin(&config.base(), output);
        state.map_err(|place| Failure::new(Exit::State, place.to_string()))?;
    } else {
        // Its absence is warned of; each sender finds out for itself.
        let _ = begin_or_without(&config.base(), output);
    }
    let input = input(args.file.as_deref())?;
    tracing::info!(command = "batch", accept_only = args.accept_only, "start");
    let robot = Config::robot_alone(global.config.as_deref(), global.profile.as_deref());
    let batch = BatchDelivery::new(&config, args.timeout, WORDING).map_err(Failure::from)?;
    let batching = Batching {
        batch,
        desks: Desks::new(&config, args.no_outbox, args.accept_only, robot),
        window: args.window.into(),
        bytes: 0,
        is_open: true,
        is_full: false,
        exit: Exit::Sent,
        failure: None,
        unkept: String::new(),
    };
    let stop = stop::signal().map_err(words::no_resources)?;
    Ok(batching.go_on(input, stop)?)
}

/// Starts to read the input.
fn input(path: Option<&Path>) -> Result<Receiver<io::Result<InputLine>>, Failure> {
    let started = match path.filter(|path| path.as_os_str() != OsStr::new("-")) {
        None => lines::start(io::stdin()),
        Some(path) => {
            let name = path.display();
            let file = source::readable(path).map_err(|error| words::no_input(name, error))?;
            lines::start(file)
        }
    };
    started.map_err(words::no_resources)
}

/// A batch on its way.
struct Batching<'a> {
    batch: BatchDelivery<'a, LineTag>,
    desks: Desks<'a>,
    window: usize,
    /// The bytes of the lines that have no answer yet.
    bytes: usize,
    /// Whether it reads on at all.
    is_open: bool,
    /// Whether the window is full.
    is_full: bool,
    /// The result of the first line that was neither sent nor kept.
    exit: Exit,
    /// Why the input could not be read, or an answer not be written.
    failure: Option<Failure>,
    /// The last warning that a message was sent without being kept.
    unkept: String,
}

impl Batching<'_> {
    fn go_on(
        mut self,
        mut lines: Receiver<io::Result<InputLine>>,
        mut stop: Receiver<()>,
    ) -> Result<Exit, Failure> {
        while self.is_open || self.batch.unanswered() > 0 {
            let has_room = self.has_room();
            let step = self.batch.step(|context| {
                if let Poll::Ready(Some(())) = stop.poll_recv(context) {
                    return Poll::Ready(Wake::Stop);
                }
                if has_room {
                    return lines.poll_recv(context).map(Wake::Line);
                }
                Poll::Pending
            });
            match step {
                BatchStep::Decided(tag, outcome) => self.decided(tag, *outcome),
                BatchStep::Other(Wake::Line(Some(Ok(line)))) => self.line(line),
                BatchStep::Other(Wake::Line(Some(Err(error)))) => {
                    self.is_open = false;
                    self.failure.get_or_insert(words::unreadable(error));
                }
                BatchStep::Other(Wake::Line(None) | Wake::Stop) => self.is_open = false,
            }
        }
        self.batch.finish();
        self.failure.map_or(Ok(self.exit), Err)
    }

    /// Whether it reads on. Once the window is full, a part of it has to be free: lines that are read
    /// together are kept together, with a few syncs.
    fn has_room(&mut self) -> bool {
        let unanswered = self.batch.unanswered();
        let part = (self.window / 4).max(1);
        self.is_full = unanswered >= self.window || self.is_full && unanswered + part > self.window;
        self.is_open && !self.is_full && self.bytes < BYTES_MAX
    }

    fn line(&mut self, line: InputLine) {
        let bytes = line.bytes.as_ref().map_or(0, Vec::len);
        let mut tag = Some(LineTag {
            id: Value::Null,
            line: line.number,
            bytes,
        });
        match (self.add(&mut tag, line.bytes), tag) {
            (Err(failure), Some(tag)) => self.answer(tag, Report::of_wrong_line(failure)),
            _ => self.bytes += bytes,
        }
    }

    /// Adds the message of a line; takes the tag, unless it fails.
    fn add(&mut self, tag: &mut Option<LineTag>, bytes: Option<Vec<u8>>) -> Result<(), Failure> {
        let bytes = bytes.ok_or_else(|| words::long_line(LINE_MAX >> 20))?;
        let mut fields = LineFields::read(&bytes)?;
        if let Some(tag) = tag {
            tag.id = line::id(&mut fields)?;
        }
        let order = line::order(fields)?;
        self.desks.add(tag, order, &mut self.batch)
    }

    fn decided(&mut self, tag: LineTag, outcome: Outcome) {
        self.bytes = self.bytes.saturating_sub(tag.bytes);
        if let Some(why) = &outcome.unkept {
            let warning = sent_unkept(why);
            if warning != self.unkept {
                tracing::warn!("{warning}");
                self.unkept = warning;
            }
        }
        let report = Report::of(outcome, String::new);
        self.answer(tag, report.kept_is_done().of_line());
    }

    fn answer(&mut self, tag: LineTag, report: Report) {
        let exit = report.exit();
        if self.exit == Exit::Sent {
            self.exit = exit;
        }
        let LineTag { id, line, .. } = tag;
        tracing::info!(line, exit = exit.code(), "answer");
        let answer = BatchAnswer { id, line, report };
        if self.failure.is_none()
            && let Err(failure) = output::answer(&answer)
        {
            // Nobody learns what becomes of further lines.
            self.is_open = false;
            self.failure = Some(failure);
        }
    }
}
