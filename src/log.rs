//! The log: one line an event, appended with one write, whole with any number of writers.
//!
//! Warnings, and with `-v` more, go to stderr as well. A log that cannot be written costs a
//! warning, never the message.

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::rolling::{RollingFileAppender, Rotation as Rolling};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::config::{Base, Rotation, State};
use crate::disk::{self, Owner};
use crate::lang::{say, spoken};
use crate::output::{diagnostic, visible};

/// Mode of a log: the group may read it.
const MODE: u32 = 0o640;

/// The size in bytes from which on a log is set aside, so that one that nobody looks after fills
/// no disk: some sixty thousand sends at `info`, and an editor can still open it.
const LOG_MAX: u64 = 32 << 20;

/// The target of events that stderr shows only to a person.
pub(crate) const AT_TERMINAL: &str = "wxpush::at_terminal";

/// What is said on stderr beside the errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stderr {
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) terminal: bool,
}

/// Begins to log, for the rest of the process.
///
/// `state` is where the log is kept unless the settings name a file.
pub(crate) fn begin(base: &Base, state: Option<&State>, stderr: Stderr) {
    let place = match (&base.log.file, state) {
        (Some(file), _) => Some((file.clone(), owner_beside(file))),
        (None, Some(state)) => Some((state.file("wxpush.log"), Ok(state.owner()))),
        (None, None) => None,
    };
    let mut full = None;
    let file = base
        .log
        .level
        .zip(place)
        .and_then(|(level, (path, owner))| {
            let opened = owner.and_then(|owner| {
                if base.log.rotation == Rotation::Never {
                    full = cap(&path, owner).err();
                }
                Sink::open(&path, owner, base.log.rotation, base.log.keep)
            });
            match opened {
                Ok(sink) => Some(Target {
                    sink,
                    level,
                    path,
                    failed: AtomicBool::new(false),
                }),
                Err(error) => {
                    cannot_write(&path, &error, stderr);
                    None
                }
            }
        });
    let path = file
        .as_ref()
        .map(|target| target.path.display().to_string());
    install(file, stderr);
    // Not to cron: there it would be a mail a message, until somebody comes.
    if let (Some(path), Some(error)) = (path, full) {
        let text = say!(
            "日志 {path} 已满，改不了名，只好继续变大：{error}",
            "the log {path} is full and cannot be set aside, it grows on: {error}"
        );
        tracing::warn!(target: AT_TERMINAL, "{text}");
    }
}

/// Where the log is kept, and its size in bytes, or why it cannot be written; none where none is.
pub(crate) fn seen(base: &Base, state: Option<&State>) -> Option<(PathBuf, io::Result<u64>)> {
    base.log.level?;
    let (path, owner) = match (&base.log.file, state) {
        (Some(file), _) => (file.clone(), owner_beside(file)),
        (None, state) => {
            let state = state?;
            (state.file("wxpush.log"), Ok(state.owner()))
        }
    };
    let path = match base.log.rotation {
        Rotation::Never => path,
        Rotation::Daily => {
            let mut day = path.into_os_string();
            day.push(format!(".{}", utc_date()));
            PathBuf::from(day)
        }
    };
    let size = owner
        .and_then(|owner| disk::append(&path, MODE, owner))
        .and_then(|file| Ok(file.metadata()?.len()));
    Some((path, size))
}

/// Says on stderr what there is to say, and writes no log.
pub(crate) fn to_stderr(stderr: Stderr) {
    install(None, stderr);
}

fn install(file: Option<Target>, stderr: Stderr) {
    let lines = Lines {
        file,
        stderr,
        stderr_level: stderr.level(),
    };
    // Fails only if logging has begun before: then it goes on as it is.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
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

fn cannot_write(path: &Path, error: &io::Error, stderr: Stderr) {
    if !stderr.quiet {
        let path = path.display();
        let text = say!(
            "日志 {path} 写不了，不写日志，继续运行：{error}",
            "the log {path} cannot be written, going on without it: {error}"
        );
        let warning = spoken().of("警告：", "warning: ");
        diagnostic(&format!("wxpush: {warning}{}", visible(&text)));
    }
}

/// To whom a log outside the state directory belongs.
fn owner_beside(file: &Path) -> io::Result<Owner> {
    let dir = file.parent().unwrap_or(Path::new("/"));
    Ok(Owner::of_directory(&fs::metadata(dir)?))
}

struct Target {
    sink: Sink,
    level: Level,
    path: PathBuf,
    failed: AtomicBool,
}

/// Where lines go.
enum Sink {
    /// One file, for ever.
    One(File),
    /// A file a day, by UTC.
    Daily(Box<Mutex<Daily>>),
}

/// A file a day. The appender turns to the next one; before that we make it, safely and private.
struct Daily {
    appender: RollingFileAppender,
    path: PathBuf,
    owner: Owner,
    today: String,
    keep: u32,
}

impl Sink {
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
        match self {
            Self::One(file) => (&*file).write_all(line.as_bytes()),
            Self::Daily(daily) => {
                // A fault of ours amid a line must not wait for itself.
                let daily = if thread::panicking() {
                    daily.try_lock().ok()
                } else {
                    daily.lock().ok()
                };
                let mut daily = daily.ok_or_else(|| {
                    io::Error::other(say!("先前有一次写失败", "a writer failed before"))
                })?;
                let today = utc_date();
                if today != daily.today {
                    prepare(&daily.path, daily.owner, &today, daily.keep)?;
                    daily.today = today;
                }
                daily.appender.write_all(line.as_bytes())
            }
        }
    }
}

/// The directory and the name of a path.
fn parts(path: &Path) -> io::Result<(&Path, &str)> {
    let name = path.file_name().and_then(|name| name.to_str());
    path.parent()
        .zip(name)
        .ok_or_else(|| io::Error::other(say!("不是文件的路径", "is not the path of a file")))
}

fn utc_date() -> String {
    chrono::Utc::now().format("%Y-%m-%d").to_string()
}

/// Renames a log that has reached its cap to `<log>.old`: whoever opens it next begins a new one.
fn cap(path: &Path, owner: Owner) -> io::Result<()> {
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() >= LOG_MAX) {
        return Ok(());
    }
    let (dir, name) = parts(path)?;
    // Between the renaming and the new log somebody else could take its name.
    refuse_shared(dir)?;
    disk::set_aside(path, &dir.join(format!("{name}.old")), LOG_MAX, owner)
}

/// Refuses to rename or open by name in a directory that others can write to.
fn refuse_shared(dir: &Path) -> io::Result<()> {
    if fs::metadata(dir)?.mode() & 0o002 != 0 {
        return Err(io::Error::other(say!(
            "其他用户能写它所在的目录",
            "others can write to its directory"
        )));
    }
    Ok(())
}

/// Makes the day's file if it is not there, and then lets go of the oldest.
///
/// The appender's own pruning would remove a file at every start of a process.
fn prepare(path: &Path, owner: Owner, today: &str, keep: u32) -> io::Result<()> {
    let (dir, name) = parts(path)?;
    // The appender opens by name, later than we look: nobody may swap the file in between.
    refuse_shared(dir)?;
    let file = dir.join(format!("{name}.{today}"));
    let is_new = !file.exists();
    disk::append(&file, MODE, owner)?;
    if !is_new {
        return Ok(());
    }
    let is_ours = |entry: &str| {
        let date = entry
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('.'));
        date.is_some_and(|date| chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok())
    };
    let names = fs::read_dir(dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut days: Vec<String> = names.filter(|entry| is_ours(entry)).collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    for old in days.iter().skip(keep as usize) {
        // Another process may have removed it just now.
        let _ = fs::remove_file(dir.join(old));
    }
    Ok(())
}

/// Formats events and hands them on.
struct Lines {
    file: Option<Target>,
    stderr: Stderr,
    stderr_level: Level,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        // Libraries log URLs; only what is ours is known to hold no secret.
        let ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        let file = self
            .file
            .as_ref()
            .is_some_and(|file| *metadata.level() <= file.level);
        ours && (file || *metadata.level() <= self.stderr_level)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut text = Text::default();
        event.record(&mut text);
        if let Some(target) = self
            .file
            .as_ref()
            .filter(|target| *meta.level() <= target.level)
        {
            let time = chrono::Local::now().format("%Y-%m-%dT%H:%M:%S%.3f%:z");
            let (file, line) = (meta.file().unwrap_or("?"), meta.line().unwrap_or(0));
            let line = format!(
                "{time} {:5} {} {file}:{line} {text}\n",
                meta.level(),
                std::process::id()
            );
            if let Err(error) = target.sink.write(&line)
                && !target.failed.swap(true, Ordering::Relaxed)
            {
                cannot_write(&target.path, &error, self.stderr);
            }
        }
        // Errors are shown by `output`, with what to do.
        let elsewhere = *meta.level() == Level::ERROR
            || (meta.target() == AT_TERMINAL && !self.stderr.terminal);
        if *meta.level() <= self.stderr_level && !elsewhere {
            let level = if *meta.level() == Level::WARN {
                spoken().of("警告：", "warning: ")
            } else {
                ""
            };
            diagnostic(&format!("wxpush: {level}{text}"));
        }
    }
}

/// An event's message and fields, on one line.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn add(&mut self, field: &Field, value: &str) {
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
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.message, self.fields)
    }
}
