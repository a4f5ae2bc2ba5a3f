//! Output on its way to whoever reads it: at once, or held back until it is known how the program
//! ended.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use rustix::event::PollFlags;

use super::pump::poll_one;
use crate::lang::say;

/// That output goes on at once where it should have waited.
pub(super) fn not_held(error: &io::Error) -> String {
    say!(
        "命令的输出没法先留住，只好直接显示：{error}",
        "the command's output cannot be held back, so it is shown: {error}"
    )
}

/// Where an output goes, and what of it waits.
pub(super) struct Sink {
    to: File,
    /// What waits, and how many bytes it is; none if all passes through.
    held: Option<(File, u64)>,
}

impl Sink {
    /// An output that goes on to `to`, by way of `held` if there is one.
    pub(super) fn new(to: File, held: Option<File>) -> Self {
        let held = held.map(|file| (file, 0));
        Self { to, held }
    }

    /// Hands on, or holds back, what the program says.
    ///
    /// # Errors
    /// Where it can't be handed on.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some((file, len)) = &mut self.held {
            match file.write_all(bytes) {
                Ok(()) => {
                    *len += bytes.len() as u64;
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!("{}", not_held(&error));
                    // Of the write that failed some may be there.
                    file.set_len(*len)?;
                    self.show()?;
                }
            }
        }
        write_all(&self.to, bytes)
    }

    /// Hands on what was held back, and from then on all.
    ///
    /// # Errors
    /// Where it can't be handed on, or read.
    pub(super) fn show(&mut self) -> io::Result<()> {
        if let Some((mut file, _)) = self.held.take() {
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, &mut Patient(&self.to))?;
        }
        Ok(())
    }
}

/// An output that is waited for where it can't take more at once.
struct Patient<'a>(&'a File);

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (&mut &*self.0).write(bytes) {
                // Somebody who has it, too, may have made it so.
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

fn write_all(to: &File, bytes: &[u8]) -> io::Result<()> {
    Patient(to).write_all(bytes)
}
