//! A file that is read and changed under the kernel's lock on the file itself: lines are appended,
//! and now and then it is replaced by one without the lines that no longer count.
//!
//! Uses few system calls for each look and each line: a send takes milliseconds.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::atomic::{replace_at, write_over};
use super::file::FileAt;
use super::{FileError, euid, lock_now};

/// The mode of such a file.
const MODE: u32 = 0o600;

/// The largest file that is copied because of a second hard link, in bytes.
const COPY_MAX: u64 = 64 << 20;

/// A locked file. The lock ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct LockedFile<'a> {
    at: FileAt<'a>,
    file: File,
    len: u64,
    /// Its last byte, once that has been read.
    last: Cell<Option<u8>>,
    /// Whether writes must survive a power cut.
    synced: bool,
}

impl<'a> LockedFile<'a> {
    pub(super) fn wait(at: FileAt<'a>, patience: Duration, synced: bool) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        let mut pause = Pause::default();
        loop {
            if let Some(locked) = Self::try_lock(at, synced)? {
                return Ok(locked);
            }
            if !pause.sleep(deadline) {
                return Err(FileError::Locked.into());
            }
        }
    }

    fn try_lock(at: FileAt<'a>, synced: bool) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::APPEND;
        let (file, opened) = match at.open_or_create(flags, MODE) {
            Err(_) if unlink_copy(at, synced)? => return Ok(None),
            opened => opened?,
        };
        if !lock_now(&file)? {
            return Ok(None);
        }
        // The previous holder may have replaced the file: others then lock the new one.
        let named = match at.stat() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            named => named?,
        };
        if named.st_ino != opened.ino() || named.st_dev != opened.dev() {
            return Ok(None);
        }
        let len = u64::try_from(named.st_size).unwrap_or_default();
        if synced && len == 0 {
            // The file may be new: its name must survive a power cut, too.
            at.sync_dir()?;
        }
        Ok(Some(Self {
            at,
            file,
            len,
            last: Cell::default(),
            synced,
        }))
    }

    /// Returns the size in bytes at the time the lock was taken.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Reads at most the last `max` bytes, with U+FFFD for invalid UTF-8.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn tail(&self, max: u64) -> io::Result<String> {
        Ok(lossy(self.last_bytes(max)?))
    }

    /// Reads the whole lines one by one, so that a file of any size takes little memory. Lines that
    /// are not UTF-8 are passed over.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn each_line(&self, mut see: impl FnMut(&str)) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(64 << 10, &self.file);
        reader.rewind()?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if let Some(text) = line.strip_suffix(b"\n")
                && let Ok(text) = str::from_utf8(text)
            {
                see(text);
            }
            line.clear();
        }
        Ok(())
    }

    fn last_bytes(&self, max: u64) -> io::Result<Vec<u8>> {
        let size = self.len.min(max);
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        if !bytes.is_empty() {
            self.file.read_exact_at(&mut bytes, self.len - size)?;
            self.last.set(bytes.last().copied());
        }
        Ok(bytes)
    }

    /// Returns the bytes from `from` on; `None` if those before are not `mark`, so that it is not the
    /// file that was read before.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn after(&self, mark: &[u8], from: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(added) = self.len.checked_sub(from) else {
            return Ok(None);
        };
        let mut bytes = self.last_bytes(added + mark.len() as u64)?;
        let is_it = bytes.starts_with(mark) && bytes.len() as u64 == added + mark.len() as u64;
        Ok(is_it.then(|| bytes.split_off(mark.len())))
    }

    /// Appends whole lines with one write, after any torn line that a kill left.
    ///
    /// # Errors
    /// If they cannot be written, or not in full.
    pub(crate) fn append(&self, lines: &str) -> io::Result<()> {
        let last = match self.last.get() {
            None => self.last_bytes(1)?.last().copied(),
            last => last,
        };
        let is_torn = last.is_some_and(|it| it != b'\n');
        let gap = if is_torn { "\n" } else { "" };
        self.last.set(None);
        (&self.file).write_all(format!("{gap}{lines}").as_bytes())?;
        if self.synced {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Returns the size in bytes now, with what has been appended.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Takes back what was appended since the file had this `size`, which needs no space on the disk.
    ///
    /// # Errors
    /// An I/O error.
    pub(crate) fn take_back(&self, size: u64) -> io::Result<()> {
        self.file.set_len(size.max(self.len))
    }

    /// Replaces the file by its last lines that still count, and further ones.
    ///
    /// # Errors
    /// Those of `tail` and `replace`.
    pub(crate) fn compact(
        &self,
        max: u64,
        counts: impl Fn(&str) -> bool,
        further: &str,
    ) -> io::Result<()> {
        let text = self.tail(max)?;
        let kept = text.lines().filter(|line| counts(line));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        self.replace(&(kept + further))
    }

    /// Replaces the file by one of these lines; a process that waits for the lock then opens the
    /// new one.
    ///
    /// # Errors
    /// If something other than one of our files is in the way, or writing fails.
    pub(crate) fn replace(&self, lines: &str) -> io::Result<()> {
        replace_at(self.at, lines.as_bytes(), MODE, self.synced)
    }
}

/// Replaces one of our files that has a second hard link by a copy; returns whether it did. A
/// backup by hard links must neither block us nor be written to.
fn unlink_copy(at: FileAt<'_>, sync: bool) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK;
    let Ok(file) = at.open_any(flags, rustix::fs::Mode::empty()) else {
        return Ok(false);
    };
    let meta = file.metadata()?;
    let is_ours = meta.uid() == euid();
    if !meta.is_file() || meta.nlink() < 2 || !is_ours || meta.len() > COPY_MAX {
        return Ok(false);
    }
    // Wait for any process that copies the file or still writes to it.
    if !lock_now(&file)? || !at.leads_to(&meta) {
        return Ok(true);
    }
    let mut bytes = Vec::new();
    (&file).take(COPY_MAX).read_to_end(&mut bytes)?;
    write_over(at, &bytes, MODE, sync)?;
    Ok(true)
}

/// Returns bytes as text, with U+FFFD for invalid UTF-8: the lines next to it stay readable.
pub(crate) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Growing pauses between attempts to take a lock that another process holds.
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(2))
    }
}

impl Pause {
    /// Sleeps; returns whether there is time for another attempt.
    pub(crate) fn sleep(&mut self, deadline: Instant) -> bool {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(Duration::from_millis(50));
        true
    }
}
