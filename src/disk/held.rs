//! A file of ours that is read and changed under the kernel's lock on the file itself.
//!
//! Eight system calls for a look and a line: what is measured in milliseconds pays for each.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::{Owner, held_elsewhere, lock_now, open_or_make, replace};

/// Mode of such a file.
const MODE: u32 = 0o600;

/// Largest file that is copied to free it of a second name, in bytes.
const COPY_MAX: u64 = 64 << 20;

/// A file under its lock, which ends with the value, or with the process.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    path: &'a Path,
    owner: Owner,
    file: File,
    len: u64,
}

/// Opens a file, making it if need be, and waits for its lock for so long.
///
/// # Errors
/// Where the path is not a regular file of ours or cannot be opened, the file system has no
/// locks, or another process holds it all this time.
pub(crate) fn hold(path: &Path, owner: Owner, patience: Duration) -> io::Result<Held<'_>> {
    let deadline = Instant::now() + patience;
    let mut pause = Pause::default();
    loop {
        if let Some(held) = try_hold(path, owner)? {
            return Ok(held);
        }
        if !pause.sleep(deadline) {
            return Err(held_elsewhere());
        }
    }
}

fn try_hold(path: &Path, owner: Owner) -> io::Result<Option<Held<'_>>> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    let (file, opened) = match open_or_make(path, &mut options, MODE, owner) {
        Err(_) if unlink_copy(path, owner)? => return Ok(None),
        opened => opened?,
    };
    if !lock_now(&file)? {
        return Ok(None);
    }
    // The holder before us may have replaced it: then others lock the new one.
    let named = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        named => named?,
    };
    let same = named.ino() == opened.ino() && named.dev() == opened.dev();
    Ok(same.then(|| Held {
        path,
        owner,
        file,
        len: named.len(),
    }))
}

/// Puts a copy in the place of a file of ours that has a second name, and says whether it did: a
/// backup by hard links must neither stop us nor be written to.
fn unlink_copy(path: &Path, owner: Owner) -> io::Result<bool> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let Ok(file) = opened else { return Ok(false) };
    let meta = file.metadata()?;
    let is_ours = meta.uid() == super::euid();
    if !meta.is_file() || meta.nlink() < 2 || !is_ours || meta.len() > COPY_MAX {
        return Ok(false);
    }
    // Wait for any process that copies it or still writes to it.
    if !lock_now(&file)? || !super::leads_to(path, &meta) {
        return Ok(true);
    }
    let mut bytes = Vec::new();
    (&file).take(COPY_MAX).read_to_end(&mut bytes)?;
    super::write_aside(path, &bytes, MODE, owner)?;
    Ok(true)
}

impl Held<'_> {
    /// Its size in bytes when the lock was taken.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Its last bytes, at most so many.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn tail(&self, max: u64) -> io::Result<Vec<u8>> {
        let size = self.len.min(max);
        let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        if !bytes.is_empty() {
            self.file.read_exact_at(&mut bytes, self.len - size)?;
        }
        Ok(bytes)
    }

    /// Appends with one write.
    ///
    /// # Errors
    /// Where it cannot be written, or not whole.
    pub(crate) fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Puts another file in its place, as [`replace`] does; who waits for the lock looks again.
    ///
    /// # Errors
    /// Those of [`replace`].
    pub(crate) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        replace(self.path, bytes, MODE, self.owner)
    }
}

/// Growing pauses between looks at a lock that another process holds.
pub(crate) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(2))
    }
}

impl Pause {
    /// Sleeps, and says whether there is time for another look.
    pub(crate) fn sleep(&mut self, deadline: Instant) -> bool {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(Duration::from_millis(50));
        true
    }
}
