//! A small record that changes often: JSON and its digest, overwritten in place.
//!
//! The kernel takes one write of a few hundred bytes in full or not at all, so a killed process
//! leaves the old record or the new one. After a power cut or on a bad disk there may be neither:
//! the digest detects that. Earlier versions wrote records without a digest.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Dir, FileError};
use crate::secret::sha256;

/// The size of a record, padded with blanks: the next one then covers all of it.
const SIZE: usize = 2048;

/// The number of hexadecimal digits of a record's digest.
const DIGITS: usize = 16;

/// The contents of a record's file.
pub(crate) enum Read<T> {
    Nothing,
    Unreadable,
    Record(T),
}

impl<T> Read<T> {
    /// Returns the record, if it is intact.
    pub(crate) fn record(self) -> Option<T> {
        match self {
            Self::Record(record) => Some(record),
            Self::Nothing | Self::Unreadable => None,
        }
    }
}

/// Reads a record from its file.
pub(crate) fn read<T: DeserializeOwned>(dir: &Dir, name: &str) -> Read<T> {
    match dir.read(name, SIZE as u64) {
        Ok(None) => Read::Nothing,
        Ok(Some(bytes)) if bytes.is_empty() => Read::Nothing,
        Ok(Some(bytes)) => match parse(&bytes) {
            Some(record) => Read::Record(record),
            None => Read::Unreadable,
        },
        Err(_) => Read::Unreadable,
    }
}

/// Opens the file of a record, creating it if needed.
///
/// # Errors
/// If something else is in the way, or on an I/O error.
pub(crate) fn open(dir: &Dir, name: &str) -> io::Result<File> {
    match dir.create(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(dir.edit(name)?.0),
        made => made,
    }
}

/// Writes a record to the file of this name.
///
/// # Errors
/// Those of [`open`] and [`write()`].
pub(crate) fn set(dir: &Dir, name: &str, record: &impl Serialize) -> io::Result<()> {
    write(&open(dir, name)?, record)
}

/// Writes a record over the previous one.
///
/// # Errors
/// If it is too long, or on an I/O error.
pub(crate) fn write(file: &File, record: &impl Serialize) -> io::Result<()> {
    let mut bytes = text(record)?.into_bytes();
    if bytes.len() >= SIZE {
        return Err(FileError::RecordTooLong.into());
    }
    bytes.resize(SIZE - 1, b' ');
    bytes.push(b'\n');
    file.write_all_at(&bytes, 0)
}

/// Returns a record as text: its JSON, and on a second line its digest.
///
/// # Errors
/// If it has no JSON form.
pub(crate) fn text(record: &impl Serialize) -> io::Result<String> {
    let json = serde_json::to_string(record)?;
    let sum = digest(json.as_bytes(), DIGITS);
    Ok(format!("{json}\n{sum}"))
}

/// Parses a record; returns `None` if it is damaged.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    let (json, sum) = text.split_once('\n').unwrap_or((text, ""));
    let is_whole = sum.is_empty() || sum == digest(json.as_bytes(), DIGITS);
    is_whole.then(|| serde_json::from_str(json).ok())?
}

/// Returns the first hexadecimal digits of a digest, which follow the bytes that they cover.
pub(crate) fn digest(bytes: &[u8], digits: usize) -> String {
    let mut sum = sha256(bytes);
    sum.truncate(digits);
    sum
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_record_with_a_flipped_bit_is_rejected() {
        let json = json!({"sent": 0, "error": "a\nb 中"}).to_string();
        let whole = format!("{json}\n{}", digest(json.as_bytes(), DIGITS));
        assert!(parse::<Value>(whole.as_bytes()).is_some());
        assert!(
            parse::<Value>(json.as_bytes()).is_some(),
            "of an earlier version"
        );
        for at in 0..whole.len() {
            let mut damaged = whole.clone().into_bytes();
            damaged[at] ^= 1;
            assert_eq!(parse::<Value>(&damaged), None, "{at}");
        }
    }
}
