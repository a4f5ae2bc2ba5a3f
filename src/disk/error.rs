//! Our own reasons for not using a file, besides the system's.

use std::io;
use std::path::{Path, PathBuf};

/// The reason why a file cannot be used: the payload of an `io::Error`. `text` puts it into words.
#[derive(Debug)]
pub(crate) enum FileError {
    Symlink,
    NotRegular,
    NotDirectory,
    /// It has a second hard link.
    HardLinked,
    OtherOwner,
    /// Root does not use it: this user could have written it.
    Foreign {
        path: PathBuf,
        uid: u32,
    },
    /// Root does not use what is there: others can write to it.
    OthersWrite {
        path: PathBuf,
    },
    TooLarge {
        /// In bytes.
        max: u64,
    },
    /// Another process held its lock until our deadline.
    Locked,
    /// Another process is writing it.
    BeingWritten,
    /// The file system has no locks.
    CannotLock(io::Error),
    /// Other users can write to its directory.
    SharedDirectory,
    /// Others can list a directory for everybody's files, or remove each other's.
    NotDropDir,
    /// The path cannot be that of a file.
    NotAFilePath,
    RecordTooLong,
    /// The error of a file whose path the caller does not name.
    At {
        path: PathBuf,
        error: io::Error,
    },
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match &error {
            FileError::CannotLock(cause) | FileError::At { error: cause, .. } => cause.kind(),
            FileError::NotDirectory => io::ErrorKind::NotADirectory,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl FileError {
    /// Returns our reason within an error; `None` if the error is the system's.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        match error.get_ref()?.downcast_ref()? {
            Self::At { error, .. } => Self::of(error),
            Self::CannotLock(_) => None,
            reason => Some(reason),
        }
    }

    /// Whether an error means that root does not use what another user could have written.
    pub(crate) fn is_untrusted(error: &io::Error) -> bool {
        let reason = Self::of(error);
        matches!(
            reason,
            Some(Self::Foreign { .. } | Self::OthersWrite { .. })
        )
    }

    /// Whether an error means that a file is not one of ours.
    pub(crate) fn is_foreign(error: &io::Error) -> bool {
        let is_none_of_ours = matches!(
            Self::of(error),
            Some(
                Self::Symlink
                    | Self::NotRegular
                    | Self::NotDirectory
                    | Self::HardLinked
                    | Self::OtherOwner
            )
        );
        is_none_of_ours || error.kind() == io::ErrorKind::IsADirectory
    }
}

/// Adds the path to an error, for files that the caller does not name.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> io::Error {
    |error| {
        let path = path.to_owned();
        FileError::At { path, error }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_reason_is_found_within_an_error_and_the_systems_is_not() {
        let system = || io::Error::from(io::ErrorKind::StorageFull);
        let is_directory = io::Error::from(io::ErrorKind::IsADirectory);
        for (error, is_ours, is_foreign) in [
            (FileError::HardLinked.into(), true, true),
            (at(Path::new("/x"))(FileError::Symlink.into()), true, true),
            (FileError::Locked.into(), true, false),
            (is_directory, false, true),
            (FileError::CannotLock(system()).into(), false, false),
            (at(Path::new("/x"))(system()), false, false),
            (system(), false, false),
        ] {
            assert_eq!(FileError::of(&error).is_some(), is_ours, "{error}");
            assert_eq!(FileError::is_foreign(&error), is_foreign, "{error}");
        }
        let full = at(Path::new("/x"))(FileError::CannotLock(system()).into());
        assert_eq!(full.kind(), io::ErrorKind::StorageFull, "the kind is kept");
    }
}
