//! A small record beside the entries that changes often: JSON, written over in place.
//!
//! One write of a few hundred bytes goes whole into the kernel or not at all, so a killed process
//! leaves the old record or the new one. A power cut may leave neither; whoever reads it then
//! takes the careful view.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::Dir;
use crate::lang::spoken;

/// Bytes that a record takes, blanks at its end included: the next one then covers all of it.
const SIZE: usize = 2048;

/// What stands on a slate.
pub(super) enum Read<T> {
    Nothing,
    Unreadable,
    Record(T),
}

/// Reads a slate.
pub(super) fn read<T: DeserializeOwned>(dir: &Dir, name: &str) -> Read<T> {
    match dir.read(name, SIZE as u64) {
        Ok(None) => Read::Nothing,
        Ok(Some(bytes)) if bytes.is_empty() => Read::Nothing,
        Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
            Ok(record) => Read::Record(record),
            Err(_) => Read::Unreadable,
        },
        Err(_) => Read::Unreadable,
    }
}

/// Opens a slate, making it if need be.
///
/// # Errors
/// Where something else is in the way, or the disk says no.
pub(super) fn open(dir: &Dir, name: &str) -> io::Result<File> {
    match dir.create(name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(dir.edit(name)?.0),
        made => made,
    }
}

/// Writes a record over what was there.
///
/// # Errors
/// Where it is too long, or the disk says no.
pub(super) fn write(file: &File, record: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(record)?;
    if bytes.len() >= SIZE {
        let why = spoken().of("记录太长", "the record is too long");
        return Err(io::Error::other(why));
    }
    bytes.resize(SIZE - 1, b' ');
    bytes.push(b'\n');
    file.write_all_at(&bytes, 0)
}
