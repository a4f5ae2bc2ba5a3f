//! The log: one line an event, appended with one write, so lines stay whole with any number of
//! writers.
//!
//! Warnings, and more with `-v`, also go to stderr. If the log cannot be written, the user gets a
//! warning; the message is sent anyway.

mod spanless;

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation as Rolling};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::config::{Base, Rotation, State};
use crate::disk::{Dir, FileError, Writers};
use crate::notice::{self, Notice};
use crate::output::{self, visible};

/// The log's name in the state directory.
const NAME: &str = "wxpush.log";

/// The mode of a log: the group may read it.
const MODE: u32 = 0o640;

/// The size in bytes at which a log is set aside, so that an unattended one fills no disk. It holds
/// some sixty thousand sends at `info`, and an editor can still open it.
const LOG_MAX: u64 = 32 << 20;

/// The target of events that go to stderr only at a terminal.
pub(crate) const AT_TERMINAL: &str = "wxpush::at_terminal";

/// The verbosity on stderr, besides the errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stderr {
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) terminal: bool,
}

impl Stderr {
    fn level(self) -> Level {
        match self.verbose {
            _ if self.quiet => Level::ERROR,
            0 => Level::WARN,
            1 => Level::INFO,
            2 => Level::DEBUG,
            _ => Level::TRACE,
        }
    }
}

/// Starts logging for the rest of the process.
///
/// `state` is the place of the log unless the settings name a file.
pub(crate) fn begin(base: &Base, state: Option<&State>, stderr: Stderr) {
    let Some((level, place)) = base.log.level.zip(LogPlace::of(base, state)) else {
        return to_stderr(stderr);
    };
    let path = place.path.clone();
    let rotation = base.log.rotation;
    let opened = place.open(rotation);
    match opened.and_then(|(dir, name)| Writer::open(dir, name, rotation, base.log.keep)) {
        Ok((writer, capped)) => {
            let file = LogFile {
                writer,
                level,
                path: path.clone(),
                pid: process::id(),
                failed: AtomicBool::new(false),
            };
            install(Some(file), stderr);
            if let Err(error) = &capped {
                notice::notify(&Notice::LogFull { path: &path, error });
            }
        }
        Err(error) => {
            to_stderr(stderr);
            notice::notify(&Notice::LogUnusable {
                path: &path,
                error: &error,
            });
        }
    }
}

/// Shows events on stderr only, without a log file.
pub(crate) fn to_stderr(stderr: Stderr) {
    install(None, stderr);
}

/// Returns the path of the log, and its size in bytes or the reason why it cannot be written;
/// `None` without a log.
pub(crate) fn seen(base: &Base, state: Option<&State>) -> Option<(PathBuf, io::Result<u64>)> {
    base.log.level?;
    let place = LogPlace::of(base, state)?;
    let rotation = base.log.rotation;
    let today = format!(".{}", utc_date());
    let suffix = if rotation == Rotation::Daily {
        &*today
    } else {
        ""
    };
    let opened = place.open(rotation);
    let size = opened.and_then(|(dir, name)| {
        let (_, meta) = dir.append(&format!("{name}{suffix}"), MODE)?;
        Ok(meta.len())
    });
    let mut path = place.path.into_os_string();
    path.push(suffix);
    Some((path.into(), size))
}

/// The place of the log.
struct LogPlace<'a> {
    path: PathBuf,
    /// The state directory, if it is there.
    state: Option<&'a State>,
}

impl<'a> LogPlace<'a> {
    fn of(base: &Base, state: Option<&'a State>) -> Option<Self> {
        let (path, state) = match &base.log.file {
            Some(file) => (file.clone(), None),
            None => (state?.file(NAME), state),
        };
        Some(Self { path, state })
    }

    /// Opens its directory; returns the log's name in it, too.
    fn open(&self, rotation: Rotation) -> io::Result<(Arc<Dir>, String)> {
        if let Some(state) = self.state {
            return Ok((Arc::clone(state.dir()), NAME.to_owned()));
        }
        let writers = match rotation {
            Rotation::Never => Writers::Group,
            // The appender follows links: nobody may swap the file after our check.
            Rotation::Daily => Writers::Owner,
        };
        let (dir, name) = Dir::parent_of(&self.path, writers)?;
        Ok((Arc::new(dir), name))
    }
}

fn install(file: Option<LogFile>, stderr: Stderr) {
    // Fails only if logging has already started: it then goes on as it is.
    let _ = tracing::subscriber::set_global_default(
        spanless::Spanless.with(EventLayer { file, stderr }),
    );
}

struct LogFile {
    writer: Writer,
    level: Level,
    path: PathBuf,
    pid: u32,
    /// Whether a write error has been reported.
    failed: AtomicBool,
}

enum Writer {
    /// A single file.
    One(File),
    /// One file a day, by UTC.
    Daily(Box<Mutex<Daily>>),
}

/// One file a day. The appender switches to the next one; before that we create it, safely and
/// private.
struct Daily {
    appender: RollingFileAppender,
    dir: Arc<Dir>,
    name: String,
    today: String,
    keep: u32,
}

impl Writer {
    /// Opens the log; returns, too, why it is not set aside although it has reached its cap.
    fn open(
        dir: Arc<Dir>,
        name: String,
        rotation: Rotation,
        keep: u32,
    ) -> io::Result<(Self, io::Result<()>)> {
        if rotation == Rotation::Never {
            let (file, meta) = dir.append(&name, MODE)?;
            if meta.len() < LOG_MAX {
                return Ok((Self::One(file), Ok(())));
            }
            let capped = set_aside(&dir, &name);
            return Ok((Self::One(dir.append(&name, MODE)?.0), capped));
        }
        let today = utc_date();
        prepare(&dir, &name, &today, keep)?;
        let appender = RollingFileAppender::builder()
            .rotation(Rolling::DAILY)
            .filename_prefix(&*name)
            .build(dir.path_by_handle())
            .map_err(io::Error::other)?;
        let daily = Daily {
            appender,
            dir,
            name,
            today,
            keep,
        };
        Ok((Self::Daily(Box::new(Mutex::new(daily))), Ok(())))
    }

    fn write(&self, line: &str) -> io::Result<()> {
        let daily = match self {
            Self::One(file) => return (&*file).write_all(line.as_bytes()),
            Self::Daily(daily) => daily,
        };
        let mut daily = if thread::panicking() {
            // If we panic while writing a line, the panic's own line must not wait for this lock.
            let free = daily.try_lock();
            free.map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?
        } else {
            daily.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let today = utc_date();
        if today != daily.today {
            prepare(&daily.dir, &daily.name, &today, daily.keep)?;
            daily.today = today;
        }
        daily.appender.write_all(line.as_bytes())
    }
}

fn utc_date() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// Renames a log that has reached its cap to `<log>.old`: who opens it next starts a new one.
fn set_aside(dir: &Arc<Dir>, name: &str) -> io::Result<()> {
    // Between the renaming and the new log, somebody else could take its name.
    refuse_shared(dir)?;
    dir.set_aside(name, &format!("{name}.old"), LOG_MAX)
}

/// Refuses to rename or open by name in a directory that others can write to.
fn refuse_shared(dir: &Dir) -> io::Result<()> {
    if dir.is_shared()? {
        return Err(FileError::SharedDirectory.into());
    }
    Ok(())
}

/// Creates today's file if it does not exist, and then removes the oldest.
///
/// The appender's own pruning would remove a file at every start of a process.
fn prepare(dir: &Dir, name: &str, today: &str, keep: u32) -> io::Result<()> {
    // The appender follows links: nobody may swap the file after our check.
    refuse_shared(dir)?;
    let file = format!("{name}.{today}");
    let is_new = dir.size(&file).is_none();
    dir.append(&file, MODE)?;
    if !is_new {
        return Ok(());
    }
    let is_ours = |entry: &String| {
        let date = entry
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'));
        date.is_some_and(|date| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok())
    };
    let mut days: Vec<String> = dir.names()?.flatten().filter(is_ours).collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    for old in days.iter().skip(keep as usize) {
        // Another process may have just removed it.
        let _ = dir.remove(old);
    }
    Ok(())
}

/// Formats events, and writes them to the log and to stderr.
struct EventLayer {
    file: Option<LogFile>,
    stderr: Stderr,
}

impl<S: Subscriber> Layer<S> for EventLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Libraries log URLs; only our own events are known to hold no secret.
        let ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        let level = *metadata.level();
        let file = self.file.as_ref().is_some_and(|file| level <= file.level);
        ours && (file || level <= self.stderr.level())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut text = EventText::default();
        event.record(&mut text);
        if let Some(file) = &self.file
            && *meta.level() <= file.level
        {
            file.write(meta, &text);
        }
        self.stderr.show(meta, &text);
    }
}

impl LogFile {
    fn write(&self, meta: &Metadata<'_>, text: &EventText) {
        let time = chrono::Local::now().format("%Y-%m-%dT%H:%M:%S%.3f%:z");
        let (file, line) = (meta.file().unwrap_or("?"), meta.line().unwrap_or(0));
        let (level, pid) = (meta.level(), self.pid);
        let line = format!("{time} {level:5} {pid} {file}:{line} {text}\n");
        if let Err(error) = self.writer.write(&line)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            notice::notify(&Notice::LogUnusable {
                path: &self.path,
                error: &error,
            });
        }
    }
}

impl Stderr {
    fn show(self, meta: &Metadata<'_>, text: &EventText) {
        // `output` shows errors, with their hints.
        let elsewhere =
            *meta.level() == Level::ERROR || (meta.target() == AT_TERMINAL && !self.terminal);
        if *meta.level() > self.level() || elsewhere {
            return;
        }
        if *meta.level() == Level::WARN {
            output::warning(text);
        } else {
            output::diagnostic(&format!("wxpush: {text}"));
        }
    }
}

/// The most bytes of a message or a field in a line: what comes from outside must not fill the log.
const FIELD_MAX: usize = 4096;

/// The message and fields of an event, on one line.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl Visit for EventText {
    fn record_str(&mut self, field: &Field, value: &str) {
        let end = value.floor_char_boundary(FIELD_MAX);
        let rest = if end < value.len() { "…" } else { "" };
        let value = &*(value[..end].to_owned() + rest);
        if field.name() == "message" {
            self.message = visible(value);
            return;
        }
        let plain = !value.is_empty() && !value.contains([' ', '"', '=']);
        // Writing into a String cannot fail.
        let _ = if plain {
            write!(self.fields, " {}={}", field.name(), visible(value))
        } else {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(self.fields, " {}=\"{}\"", field.name(), visible(&quoted))
        };
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl fmt::Display for EventText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, self.fields)
    }
}
