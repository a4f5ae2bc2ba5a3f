//! The bytes of a file to send: in memory, or a part of an open file. They are read in pieces, so
//! that a file of any size needs little memory.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::secret::Sha256;

/// Most bytes read at once.
pub(crate) const PIECE: usize = 64 << 10;

/// A callback for each piece of a file that is sent: bytes sent so far, and bytes in all.
pub(crate) type Watching = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Immutable bytes.
#[derive(Debug, Clone)]
pub(crate) struct FileSlice {
    source: Storage,
    at: u64,
    len: u64,
    /// Their SHA-256 in hex, if it is known already.
    sha256: Option<Arc<str>>,
    /// Hashes what is read by `piece`.
    sum: Option<SentSum>,
}

/// The SHA-256 of the pieces that were read, in their order.
#[derive(Clone, Default)]
pub(crate) struct SentSum(Arc<Mutex<Sha256>>);

impl SentSum {
    fn add(&self, bytes: &[u8]) {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sum.add(bytes);
    }

    /// Returns the digest so far, in hex, and begins anew.
    pub(crate) fn take(&self) -> String {
        let mut sum = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *sum).hex()
    }
}

impl fmt::Debug for SentSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentSum")
    }
}

#[derive(Debug, Clone)]
enum Storage {
    Memory(Bytes),
    File(Arc<File>),
}

impl FileSlice {
    /// Returns an open file as a slice of its present length.
    ///
    /// # Errors
    /// An I/O error if its size cannot be read.
    pub(crate) fn of_file(file: Arc<File>) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self::of(Storage::File(file), len))
    }

    fn of(source: Storage, len: u64) -> Self {
        Self {
            source,
            at: 0,
            len,
            sha256: None,
            sum: None,
        }
    }

    /// Returns its size in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Returns a part of it; offsets after its end are ignored.
    pub(crate) fn part(&self, at: u64, len: u64) -> Self {
        let at = at.min(self.len);
        Self {
            source: self.source.clone(),
            at: self.at + at,
            len: len.min(self.len - at),
            sha256: None,
            sum: self.sum.clone(),
        }
    }

    /// Returns the same bytes, of which each piece that is read is added to a sum.
    pub(crate) fn summed(&self, sum: &SentSum) -> Self {
        Self {
            sum: Some(sum.clone()),
            ..self.clone()
        }
    }

    /// Notes the SHA-256 in hex, so that it is not computed again.
    pub(crate) fn note_sha256(&mut self, sum: &str) {
        self.sha256 = Some(sum.into());
    }

    /// Reads the bytes from `at` on, at most `PIECE`; empty at the end.
    ///
    /// # Errors
    /// An I/O error, also if the file has become shorter.
    pub(crate) fn piece(&self, at: u64) -> io::Result<Bytes> {
        let at = at.min(self.len);
        let size = usize::try_from((self.len - at).min(PIECE as u64)).map_err(io::Error::other)?;
        let piece = match &self.source {
            Storage::Memory(bytes) => {
                let at = usize::try_from(self.at + at).map_err(io::Error::other)?;
                bytes.slice(at..at + size)
            }
            Storage::File(file) => {
                let mut bytes = vec![0; size];
                file.read_exact_at(&mut bytes, self.at + at)?;
                bytes.into()
            }
        };
        if let Some(sum) = &self.sum {
            sum.add(&piece);
        }
        Ok(piece)
    }

    /// Reads all of it once, through one buffer.
    ///
    /// # Errors
    /// As `piece`, and those of `see`.
    pub(crate) fn read_through(
        &self,
        mut see: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Storage::File(file) = &self.source else {
            return (0..self.len)
                .step_by(PIECE)
                .try_for_each(|at| see(&self.piece(at)?));
        };
        let size = usize::try_from(self.len.min(PIECE as u64)).map_err(io::Error::other)?;
        let mut buffer = vec![0; size];
        for at in (0..self.len).step_by(PIECE) {
            // The last piece is shorter.
            let left = usize::try_from(self.len - at).unwrap_or(PIECE);
            let piece = &mut buffer[..left.min(size)];
            file.read_exact_at(piece, self.at + at)?;
            see(piece)?;
        }
        Ok(())
    }

    /// Reads all of it at once.
    ///
    /// # Errors
    /// As `piece`.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len).map_err(io::Error::other)?);
        self.read_through(|piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Returns its SHA-256, in hex.
    ///
    /// # Errors
    /// As `piece`.
    pub(crate) fn sha256(&self) -> io::Result<String> {
        if let Some(sum) = &self.sha256 {
            return Ok(sum.to_string());
        }
        let mut sum = Sha256::default();
        self.read_through(|piece| {
            sum.add(piece);
            Ok(())
        })?;
        Ok(sum.hex())
    }
}

impl From<Vec<u8>> for FileSlice {
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self::of(Storage::Memory(bytes.into()), len)
    }
}

/// Compares the bytes, in memory or on disk; unreadable bytes are never equal.
impl PartialEq for FileSlice {
    fn eq(&self, other: &Self) -> bool {
        let equal =
            |at| matches!((self.piece(at), other.piece(at)), (Ok(one), Ok(two)) if one == two);
        self.len == other.len && (0..self.len).step_by(PIECE).all(equal)
    }
}

impl Eq for FileSlice {}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_slice_has_the_same_bytes_in_memory_and_on_disk() {
        let bytes: Vec<u8> = (0..200_000u32).flat_map(u32::to_be_bytes).collect();
        let path = std::env::temp_dir().join(format!("wxpush-blob-{}", std::process::id()));
        let mut file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        file.write_all(&bytes).unwrap();
        let on_disk = FileSlice::of_file(Arc::new(file)).unwrap();
        let in_memory = FileSlice::from(bytes.clone());
        assert_eq!(on_disk, in_memory);
        for (at, len) in [
            (0, 5),
            (65_535, 70_000),
            (799_999, 9),
            (800_000, 1),
            (900_000, 1),
        ] {
            let end = (at + len).min(800_000);
            let expected = bytes.get(at..end).unwrap_or_default();
            for blob in [&on_disk, &in_memory] {
                let part = blob.part(at as u64, len as u64);
                assert_eq!(part.read().unwrap(), expected, "{at}");
                assert_eq!(
                    part.part(1, 2).read().unwrap(),
                    expected.get(1..3.min(expected.len())).unwrap_or_default()
                );
            }
        }
        assert_eq!(on_disk.sha256().unwrap(), crate::secret::sha256(&bytes));
    }

    #[test]
    fn reading_a_file_that_has_become_shorter_is_an_error() {
        let path = std::env::temp_dir().join(format!("wxpush-blob-short-{}", std::process::id()));
        std::fs::write(&path, "0123456789").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let blob = FileSlice::of_file(Arc::new(file.try_clone().unwrap())).unwrap();
        file.set_len(5).unwrap();
        assert!(blob.read().is_err());
        assert_ne!(blob, FileSlice::from(b"0123456789".to_vec()));
    }
}
