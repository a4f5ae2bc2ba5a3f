//! Writing bytes to the disk and hashing them at the same time.

use std::io::{self, Write};

use crate::secret::Sha256;

/// A writer that hashes its bytes; without files, all bytes go out in one write.
pub(super) struct Summed<'a, W: Write> {
    pub(super) out: &'a mut W,
    sum: Sha256,
    pub(super) pending: Vec<u8>,
    pub(super) written: u64,
}

impl<'a, W: Write> Summed<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Self {
            out,
            sum: Sha256::default(),
            pending: Vec::new(),
            written: 0,
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.sum.add(bytes);
        self.pending.extend_from_slice(bytes);
    }

    /// Writes bytes at once, after those that were added.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.add(bytes);
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.pending)?;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        let sum = std::mem::take(&mut self.sum).hex();
        self.pending.extend(format!("END {sum}\n").as_bytes());
        self.flush()
    }
}
