//! Files to be sent: named, or on stdin.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::child::poll::poll_one;
use crate::config::value::shown;
use crate::disk::{self, FileError};
use crate::error::{Exit, Failure};
use crate::file_slice::FileSlice;
use crate::message::media::{self, FILE_MAX, UnfitFile};
use crate::message::{Attachment, MediaKind};
use crate::text::message::unfit_file;
use crate::text::send as text;

/// The bytes at the start of a file that determine its format.
const HEAD: u64 = 4096;

/// A file, and the name that its recipients see.
pub(super) struct Source {
    name: String,
    bytes: FileSlice,
}

/// Opens a file, or reads stdin if the path is `-`; recipients see `name`, if given.
///
/// # Errors
/// `Exit::NoInput` if the file is missing, `Exit::Data` if it is larger than WeCom's largest.
pub(super) fn open(path: &OsStr, name: Option<&str>) -> Result<Source, Failure> {
    if path == "-" {
        if io::stdin().is_terminal() {
            return Err(text::no_file());
        }
        let bytes = whole(io::stdin().lock(), "stdin")?;
        let name = name.map_or_else(|| default_name(&bytes), str::to_owned);
        return Ok(Source { name, bytes });
    }
    let path = Path::new(path);
    let label = shown(&path.to_string_lossy());
    let missing = |error: io::Error| text::no_such_file(&label, error);
    let file = readable(path).map_err(missing)?;
    let meta = file.metadata().map_err(missing)?;
    let bytes = if meta.is_file() {
        FileSlice::of_file(Arc::new(file)).map_err(missing)?
    } else {
        // A named pipe, such as a shell's <(command).
        whole(file, &label)?
    };
    let named = || match path.file_name() {
        Some(name) if has_name(path.as_os_str()) => name.to_string_lossy().into_owned(),
        _ => default_name(&bytes),
    };
    let name = name.map_or_else(named, str::to_owned);
    Ok(Source { name, bytes })
}

/// Whether a path contains a file name: stdin and a shell's `<(command)` do not.
pub(super) fn has_name(path: &OsStr) -> bool {
    let path = Path::new(path);
    let is_descriptor = path.starts_with("/dev/fd")
        || path.starts_with("/proc") && path.iter().any(|part| part == "fd");
    !is_descriptor && path != Path::new("-") && path != Path::new("/dev/stdin")
}

/// Opens anything but a directory; waits until the other end of a pipe is open, too. Of what another user
/// could have put in place of a file, root waits for nothing.
pub(super) fn readable(path: &Path) -> io::Result<File> {
    let file = if disk::euid() == 0 && has_name(path.as_os_str()) {
        let foreign = |error| {
            if FileError::is_untrusted(&error) {
                return io::Error::other(text::may_be_foreign());
            }
            error
        };
        disk::open_to_send(path).map_err(foreign)?
    } else {
        let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags.bits().cast_signed());
        options.open(path)?
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if kind.is_fifo() {
        poll_one(&file, PollFlags::IN, None)?;
    }
    if !kind.is_file() {
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    }
    Ok(file)
}

/// Reads to the end; fails beyond WeCom's largest file.
fn whole(reader: impl Read, label: &str) -> Result<FileSlice, Failure> {
    let mut bytes = Vec::new();
    let read = reader.take(FILE_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(Exit::Io, label, &error))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(text::file_too_large(label, FILE_MAX >> 20));
    }
    Ok(bytes.into())
}

/// Returns the failure for an unreadable file.
pub(super) fn unreadable(exit: Exit, name: &str, error: &io::Error) -> Failure {
    Failure::new(exit, text::file_unreadable(name, error))
}

/// Returns a name for a file without one.
fn default_name(bytes: &FileSlice) -> String {
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
    /// Whether it is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == 0
    }

    /// Returns its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns only the bytes.
    pub(super) fn into_bytes(self) -> FileSlice {
        self.bytes
    }

    /// Returns the kind that its format suggests.
    pub(super) fn kind(&self) -> MediaKind {
        media::kind_of(&self.bytes.piece(0).unwrap_or_default())
    }

    /// Returns the file in WeCom's form for an app, or for a robot with its other limits.
    ///
    /// # Errors
    /// `Exit::Data`, with the limit and the value.
    pub(super) fn attachment(self, kind: MediaKind, robot: bool) -> Result<Attachment, Failure> {
        let Self { name, bytes } = self;
        let name = media::file_name(&name);
        let unreadable = |error: io::Error| unreadable(Exit::Io, &name, &error);
        let head = bytes.part(0, HEAD).read().map_err(unreadable)?;
        let bad = |why: UnfitFile| Failure::new(Exit::Data, unfit_file(&name, why));
        media::check(kind, robot, bytes.len(), &head).map_err(bad)?;
        if kind == MediaKind::Voice {
            let whole = bytes.read().map_err(unreadable)?;
            media::check_voice(&whole).map_err(bad)?;
        }
        Ok(Attachment { kind, name, bytes })
    }
}
