//! The log: one line an event, appended with one write, so lines stay whole with any number of
//! writers.
//!
//! Warnings, and more with `-v`, also go to stderr. If the log cannot be written, the user gets a
//! warning; the message is sent anyway.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation as Rolling};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::config::{Base, Rotation, State};
use crate::disk::{self, FileError, Owner};
use crate::notice::{self, Notice};
use crate::output::{self, visible};

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
    let Some((level, (path, owner))) = base.log.level.zip(place(base, state)) else {
        return to_stderr(stderr);
    };
    let capped = match (&owner, base.log.rotation) {
        (Ok(owner), Rotation::Never) => cap(&path, *owner),
        _ => Ok(()),
    };
    let opened =
        owner.and_then(|owner| Writer::open(&path, owner, base.log.rotation, base.log.keep));
    match opened {
        Ok(writer) => {
            let file = LogFile {
                writer,
                level,
                path: path.clone(),
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
    let (path, owner) = place(base, state)?;
    let path = match base.log.rotation {
        Rotation::Never => path,
        Rotation::Daily => disk::with_suffix(&path, &format!(".{}", utc_date())),
    };
    let size = owner
        .and_then(|owner| disk::append(&path, MODE, owner))
        .and_then(|file| Ok(file.metadata()?.len()));
    Some((path, size))
}

/// Returns the path of the log, and the owner of a new one.
fn place(base: &Base, state: Option<&State>) -> Option<(PathBuf, io::Result<Owner>)> {
    match (&base.log.file, state) {
        (Some(file), _) => {
            let dir = file.parent().unwrap_or(Path::new("/"));
            let owner = fs::metadata(dir).map(|meta| Owner::of_directory(&meta));
            Some((file.clone(), owner))
        }
        (None, state) => state.map(|state| (state.file("wxpush.log"), Ok(state.owner()))),
    }
}

fn install(file: Option<LogFile>, stderr: Stderr) {
    let layer = EventLayer { file, stderr };
    // Fails only if logging has already started: it then goes on as it is.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

struct LogFile {
    writer: Writer,
    level: Level,
    path: PathBuf,
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
    path: PathBuf,
    owner: Owner,
    today: String,
    keep: u32,
}

impl Writer {
    fn open(path: &Path, owner: Owner, rotation: Rotation, keep: u32) -> io::Result<Self> {
        if rotation == Rotation::Never {
            return Ok(Self::One(disk::append(path, MODE, owner)?));
        }
        let today = utc_date();
        prepare(path, owner, &today, keep)?;
        let (dir, name) = parts(path)?;
        let appender = RollingFileAppender::builder()
            .rotation(Rolling::DAILY)
            .filename_prefix(name)
            .build(dir)
            .map_err(io::Error::other)?;
        Ok(Self::Daily(Box::new(Mutex::new(Daily {
            appender,
            path: path.to_owned(),
            owner,
            today,
            keep,
        }))))
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
            prepare(&daily.path, daily.owner, &today, daily.keep)?;
            daily.today = today;
        }
        daily.appender.write_all(line.as_bytes())
    }
}

/// Splits a path into its directory and its file name.
fn parts(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(path.parent().zip(name).ok_or(FileError::NotAFilePath)?)
}

fn utc_date() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// Renames a log that has reached its cap to `<log>.old`: the next process to open it starts a new
/// one.
fn cap(path: &Path, owner: Owner) -> io::Result<()> {
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() >= LOG_MAX) {
        return Ok(());
    }
    // Between the renaming and the new log, somebody else could take its name.
    refuse_shared(parts(path)?.0)?;
    disk::set_aside(path, &disk::with_suffix(path, ".old"), LOG_MAX, owner)
}

/// Refuses to rename or open by name in a directory that others can write to.
fn refuse_shared(dir: &Path) -> io::Result<()> {
    if fs::metadata(dir)?.mode() & 0o002 != 0 {
        return Err(FileError::SharedDirectory.into());
    }
    Ok(())
}

/// Creates today's file if it does not exist, and then removes the oldest.
///
/// The appender's own pruning would remove a file at every start of a process.
fn prepare(path: &Path, owner: Owner, today: &str, keep: u32) -> io::Result<()> {
    let (dir, name) = parts(path)?;
    // The appender opens the file by name, after our check: nobody may swap it in between.
    refuse_shared(dir)?;
    let file = disk::with_suffix(path, &format!(".{today}"));
    let is_new = !file.exists();
    disk::append(&file, MODE, owner)?;
    if !is_new {
        return Ok(());
    }
    let is_ours = |entry: &String| {
        let date = entry
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'));
        date.is_some_and(|date| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok())
    };
    let names = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut days: Vec<String> = names.filter(is_ours).collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    for old in days.iter().skip(keep as usize) {
        // Another process may have just removed it.
        let _ = fs::remove_file(dir.join(old));
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
        let (level, pid) = (meta.level(), std::process::id());
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

/// The message and fields of an event, on one line.
#[derive(Default)]
struct EventText {
    message: String,
    fields: String,
}

impl Visit for EventText {
    fn record_str(&mut self, field: &Field, value: &str) {
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
