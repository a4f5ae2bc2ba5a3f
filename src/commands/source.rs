//! Files that are to go to WeCom: named, or on stdin.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use crate::blob::Blob;
use crate::config::value::shown;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::media::{self, FILE_MAX};
use crate::message::{Attachment, MediaKind};

/// How much of a file its format is told by, in bytes.
const HEAD: u64 = 4096;

/// A file, and the name that others see.
pub(super) struct Source {
    name: String,
    bytes: Blob,
}

/// Opens a file, or reads stdin where it is called `-`; `name` is what others are to see.
///
/// # Errors
/// `Exit::NoInput` where there is none, `Exit::Data` where it is larger than any that WeCom takes.
pub(super) fn open(path: &OsStr, name: Option<&str>) -> Result<Source, Failure> {
    if path == "-" {
        if io::stdin().is_terminal() {
            let what = spoken().of("没有文件：stdin 是终端", "no file: stdin is a terminal");
            let hint = spoken().of(
                "写上文件名，或把命令的输出用管道接给 wxpush",
                "name a file, or pipe a command's output into wxpush",
            );
            return Err(Failure::new(Exit::Usage, what).hint(hint));
        }
        let bytes = whole(io::stdin().lock(), "stdin")?;
        let name = name.map_or_else(|| default_name(&bytes), str::to_owned);
        return Ok(Source { name, bytes });
    }
    let path = Path::new(path);
    let label = shown(&path.to_string_lossy());
    let missing = |error: &io::Error| {
        let hint = spoken().of(
            "换一个存在且可读的文件",
            "name a file that is there, and that you may read",
        );
        unreadable(Exit::NoInput, &label, error).hint(hint)
    };
    let file = readable(path).map_err(|error| missing(&error))?;
    let meta = file.metadata().map_err(|error| missing(&error))?;
    let bytes = if meta.is_file() {
        Blob::of_file(Arc::new(file)).map_err(|error| missing(&error))?
    } else {
        // A pipe by a name, as a shell's <(command) is.
        whole(file, &label)?
    };
    let named = || match path.file_name() {
        Some(name) if has_name(path.as_os_str()) => name.to_string_lossy().into_owned(),
        _ => default_name(&bytes),
    };
    let name = name.map_or_else(named, str::to_owned);
    Ok(Source { name, bytes })
}

/// Whether a path says what a file is called: stdin and a shell's `<(command)` have no name.
pub(super) fn has_name(path: &OsStr) -> bool {
    path != "-"
        && !["/dev", "/proc"]
            .iter()
            .any(|dir| Path::new(path).starts_with(dir))
}

/// Opens what can be read; a pipe is waited for, since its other end is being opened.
fn readable(path: &Path) -> io::Result<File> {
    let is_pipe = std::fs::metadata(path)?;
    if is_pipe.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(OFlags::NOCTTY.bits().cast_signed());
    options.open(path)
}

/// What a reader gives, up to a byte more than the largest file of all.
fn whole(reader: impl Read, label: &str) -> Result<Blob, Failure> {
    let mut bytes = Vec::new();
    let read = reader.take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(Exit::Io, label, &error))?;
    if bytes.len() as u64 > FILE_MAX {
        let max = FILE_MAX >> 20;
        let what = say!(
            "{label} 超过企业微信允许的 {max} MB",
            "{label} has more than the {max} MB that WeCom takes"
        );
        let hint = spoken().of("压缩它，或只发一部分", "compress it, or send a part of it");
        return Err(Failure::new(Exit::Data, what).hint(hint));
    }
    Ok(bytes.into())
}

/// Why a file cannot be read.
pub(super) fn unreadable(exit: Exit, name: &str, error: &io::Error) -> Failure {
    let what = say!("无法读取 {name}：{error}", "{name} cannot be read: {error}");
    Failure::new(exit, what)
}

/// A name for what came without one.
fn default_name(bytes: &Blob) -> String {
    let head = bytes.piece(0).unwrap_or_default();
    let extension = match media::kind_of(&head) {
        MediaKind::Image if head.starts_with(b"\x89PNG") => "png",
        MediaKind::Image => "jpg",
        MediaKind::Voice => "amr",
        MediaKind::Video => "mp4",
        MediaKind::File => "txt",
    };
    format!("stdin.{extension}")
}

impl Source {
    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == 0
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes alone.
    pub(super) fn into_bytes(self) -> Blob {
        self.bytes
    }

    /// What its format says that it is.
    pub(super) fn kind(&self) -> MediaKind {
        media::kind_of(&self.bytes.piece(0).unwrap_or_default())
    }

    /// The file as WeCom takes it; `robot` says by which of its two doors.
    ///
    /// # Errors
    /// `Exit::Data`, with the limit and the value.
    pub(super) fn attachment(self, kind: MediaKind, robot: bool) -> Result<Attachment, Failure> {
        let Self { name, bytes } = self;
        let name = media::file_name(&name);
        let unreadable = |error: io::Error| unreadable(Exit::Io, &name, &error);
        let head = bytes.part(0, HEAD).read().map_err(unreadable)?;
        let bad = |why: String| Failure::new(Exit::Data, why);
        media::check(kind, robot, &name, bytes.len(), &head).map_err(bad)?;
        if kind == MediaKind::Voice {
            let whole = bytes.read().map_err(unreadable)?;
            media::check_voice(&name, &whole).map_err(bad)?;
        }
        Ok(Attachment {
            kind: kind.name().to_owned(),
            name,
            bytes,
        })
    }
}
