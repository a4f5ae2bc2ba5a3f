//! Where the output of a program goes: to our own output, or to a file until it is known whether the
//! program has failed.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
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
    /// fails.
    IfFailed(PathBuf),
}

/// The destination of an output.
pub(super) struct ReportDestination {
    to: File,
    /// The file of deferred output and its size in bytes; `None` if output is passed on at once.
    deferred: Option<(File, u64)>,
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
        let deferred = file.ok().map(|file| (file, 0));
        Self { to, deferred }
    }

    /// Passes on or defers output.
    ///
    /// # Errors
    /// If it cannot be passed on.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some((file, len)) = &mut self.deferred {
            let Err(error) = file.write_all(bytes) else {
                *len += bytes.len() as u64;
                return Ok(());
            };
            notify(&Notice::OutputNotHeld {
                dir: None,
                error: &error,
            });
            // Part of the failed write may be in the file.
            file.set_len(*len)?;
            self.show_deferred()?;
        }
        Patient(&self.to).write_all(bytes)
    }

    /// Passes on the deferred output, and all further output.
    ///
    /// # Errors
    /// If it cannot be read or passed on.
    pub(super) fn show_deferred(&mut self) -> io::Result<()> {
        if let Some((mut file, _)) = self.deferred.take() {
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, &mut Patient(&self.to))?;
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
