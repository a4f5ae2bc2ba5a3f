//! The bytes of a file to send: in memory, or a part of an open file. They are read in pieces, so
//! that a file of any size needs little memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

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
        Ok(Self {
            source: Storage::File(file),
            at: 0,
            len,
        })
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
        }
    }

    /// Reads the bytes from `at` on, at most `PIECE`; empty at the end.
    ///
    /// # Errors
    /// An I/O error, also if the file has become shorter.
    pub(crate) fn piece(&self, at: u64) -> io::Result<Bytes> {
        let rest = self.part(at, PIECE as u64);
        let size = usize::try_from(rest.len).map_err(io::Error::other)?;
        match &rest.source {
            Storage::Memory(bytes) => {
                let at = usize::try_from(rest.at).map_err(io::Error::other)?;
                Ok(bytes.slice(at..at + size))
            }
            Storage::File(file) => {
                let mut bytes = vec![0; size];
                file.read_exact_at(&mut bytes, rest.at)?;
                Ok(bytes.into())
            }
        }
    }

    /// Reads all of it, piece by piece.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        (0..self.len).step_by(PIECE).map(|at| self.piece(at))
    }

    /// Reads all of it at once.
    ///
    /// # Errors
    /// As `piece`.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len).map_err(io::Error::other)?);
        for piece in self.pieces() {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes)
    }

    /// Returns its SHA-256, in hex.
    ///
    /// # Errors
    /// As `piece`.
    pub(crate) fn sha256(&self) -> io::Result<String> {
        let mut sum = Sha256::default();
        for piece in self.pieces() {
            sum.add(&piece?);
        }
        Ok(sum.hex())
    }
}

impl From<Vec<u8>> for FileSlice {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            at: 0,
            len: bytes.len() as u64,
            source: Storage::Memory(bytes.into()),
        }
    }
}

/// Compares the bytes, in memory or on disk; unreadable bytes are never equal.
impl PartialEq for FileSlice {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, two): (io::Result<Bytes>, _)| matches!((one, two), (Ok(one), Ok::<Bytes, io::Error>(two)) if one == two);
        self.len == other.len && self.pieces().zip(other.pieces()).all(same)
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
