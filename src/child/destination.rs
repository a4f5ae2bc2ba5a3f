//! Where the output of a program goes: to our own output, or to a file until it is known whether the
//! program has failed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::event::PollFlags;

use super::poll::poll_one;
use crate::disk;
use crate::notice::{Notice, notify};

/// The handling of the program's output.
#[derive(Debug, Clone)]
pub(crate) enum OutputMode {
    /// The program inherits our stdout and stderr; we do not see its output.
    Untouched,
    /// The output is passed on at once.
    Through,
    /// The output is held back in a nameless file in this directory, and shown if the program
    /// fails: its begin and its end, at most [`END_MAX`] bytes each.
    IfFailed(PathBuf),
}

/// The most bytes that are held back of the begin and of the end: a program that writes without an end
/// must not fill the disk.
const END_MAX: u64 = 32 << 20;

/// What is held back.
struct HeldOutput {
    /// The begin, and behind it the end, as a ring.
    file: File,
    /// How many bytes the program has written.
    written: u64,
}

impl HeldOutput {
    /// Adds output.
    ///
    /// # Errors
    /// If it cannot be written: then none of it was.
    fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let before = self.written;
        while !bytes.is_empty() {
            let (at, room) = self.place();
            let now = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            if let Err(error) = self.file.write_all_at(&bytes[..now], at) {
                self.written = before;
                return Err(error);
            }
            self.written += now as u64;
            bytes = &bytes[now..];
        }
        Ok(())
    }

    /// Where the next byte belongs, and how many have room behind it.
    fn place(&self) -> (u64, u64) {
        match self.written.checked_sub(END_MAX) {
            None => (self.written, END_MAX - self.written),
            Some(behind) => (END_MAX + behind % END_MAX, END_MAX - behind % END_MAX),
        }
    }

    /// Shows it, with a line's end where some is missing.
    ///
    /// # Errors
    /// If it cannot be read or passed on.
    fn show(&self, mut to: impl Write) -> io::Result<()> {
        let mut part = |from, size, end: &[u8]| {
            (&self.file).seek(SeekFrom::Start(from))?;
            io::copy(&mut (&self.file).take(size), &mut to)?;
            to.write_all(end)
        };
        let bytes = self.written.saturating_sub(2 * END_MAX);
        if bytes == 0 {
            return part(0, self.written, b"");
        }
        notify(&Notice::OutputMissing { bytes });
        let (oldest, size) = self.place();
        part(0, END_MAX, b"\n")?;
        part(oldest, size, b"")?;
        part(END_MAX, END_MAX - size, b"")
    }
}

/// The destination of an output.
pub(super) struct ReportDestination {
    to: File,
    /// The deferred output; `None` if output is passed on at once.
    deferred: Option<HeldOutput>,
}

impl ReportDestination {
    pub(super) fn new(to: File, output: &OutputMode) -> Self {
        let OutputMode::IfFailed(dir) = output else {
            return Self { to, deferred: None };
        };
        let file = disk::nameless(dir).inspect_err(|error| {
            let dir = Some(&**dir);
            notify(&Notice::OutputNotHeld { dir, error });
        });
        let deferred = file.ok().map(|file| HeldOutput { file, written: 0 });
        Self { to, deferred }
    }

    /// Passes on or defers output.
    ///
    /// # Errors
    /// If it cannot be passed on.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(held) = &mut self.deferred {
            let Err(error) = held.add(bytes) else {
                return Ok(());
            };
            notify(&Notice::OutputNotHeld {
                dir: None,
                error: &error,
            });
            self.show_deferred()?;
        }
        Patient(&self.to).write_all(bytes)
    }

    /// Passes on the deferred output, and all further output.
    ///
    /// # Errors
    /// If it cannot be read or passed on.
    pub(super) fn show_deferred(&mut self) -> io::Result<()> {
        if let Some(held) = self.deferred.take() {
            held.show(Patient(&self.to))?;
        }
        Ok(())
    }
}

/// An output whose writes block even if it is non-blocking.
struct Patient<'a>(&'a File);

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (&mut &*self.0).write(bytes) {
                // Another process that shares it may have set O_NONBLOCK.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll_one(self.0, PollFlags::OUT, None)?;
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
