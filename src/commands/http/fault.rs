//! What can be wrong with a request, and the status that says so.

use std::io::{self, ErrorKind};

use crate::text::http as words;

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// It is not HTTP, or ends too early.
    Malformed,
    /// It has not come in time.
    TooSlow,
    TooLarge,
    HeadTooLarge,
    /// An encoding of the body that we do not read.
    Unsupported,
    /// Its body is compressed.
    Encoded,
    /// It expects more than `100-continue`.
    Expectation,
    /// The client has gone.
    Gone,
}

impl RequestFault {
    /// Returns the status; `None` if nobody is there to read it.
    pub(super) fn status(self) -> Option<u16> {
        Some(match self {
            Self::Malformed => 400,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::Encoded => 415,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Unsupported => 501,
            Self::Gone => return None,
        })
    }

    /// Returns what is wrong, for a person.
    pub(super) fn words(self) -> String {
        match self {
            Self::Malformed => words::malformed(),
            Self::TooSlow => words::too_slow(),
            Self::TooLarge => words::too_large(super::BODY_MAX >> 20, super::FILE_MAX >> 20),
            Self::HeadTooLarge => words::head_too_large(super::HEAD_MAX >> 10),
            Self::Unsupported | Self::Expectation => words::unsupported(),
            Self::Encoded => words::encoded(),
            Self::Gone => words::gone(),
        }
    }
}

impl From<io::Error> for RequestFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::TimedOut => Self::TooSlow,
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Malformed,
            ErrorKind::FileTooLarge => Self::HeadTooLarge,
            _ => Self::Gone,
        }
    }
}
