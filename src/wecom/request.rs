//! Requests and replies of HTTP.

use std::time::Duration;

use super::body::{Leaving, Payload};
use crate::file_slice::Watching;
use crate::secret::Secret;

/// The longest answer that is read, in bytes; WeCom's have a few hundred, with a thousand members who
/// got no message some 64 KiB.
const ANSWER_MAX: usize = 128 << 10;

/// The longest list that is read, in bytes: of some 40,000 departments, or members of a tag.
pub(super) const LIST_MAX: usize = 2 << 20;

/// The longest answer to a call that a user named, which may be a file, in bytes.
pub(super) const FILE_MAX: usize = 64 << 20;

/// The only call without a token.
pub(super) const GETTOKEN: &str = "gettoken";

/// A credential as a query parameter.
pub(super) type Parameter<'a> = (&'static str, &'a Secret);

/// One request.
pub(super) struct Call<'a> {
    /// The path below `/cgi-bin/`, with the part of the query that may be shown.
    pub(super) name: &'a str,
    /// The credentials, as query parameters.
    pub(super) query: &'a [Parameter<'a>],
    /// The body of a POST; `None` for a GET.
    pub(super) body: Option<Payload>,
    pub(super) leaving: Option<Leaving>,
    pub(super) watching: Option<Watching>,
    /// The longest answer that is read, in bytes.
    pub(super) answer_max: usize,
}

impl<'a> Call<'a> {
    pub(super) fn get(name: &'a str, query: &'a [Parameter<'a>]) -> Self {
        Self {
            name,
            query,
            body: None,
            leaving: None,
            watching: None,
            answer_max: ANSWER_MAX,
        }
    }

    pub(super) fn post(name: &'a str, query: &'a [Parameter<'a>], body: Payload) -> Self {
        Self {
            body: Some(body),
            ..Self::get(name, query)
        }
    }

    /// Whether the call fetches a token, on which every other call depends.
    pub(super) fn is_gettoken(&self) -> bool {
        self.title() == GETTOKEN
    }

    /// Returns the path without its query.
    pub(super) fn title(&self) -> &'a str {
        self.name.split('?').next().unwrap_or_default()
    }
}

/// An answer. A body that is too long ends one byte past the limit.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// Whether its head declares an attachment, whatever its content.
    pub(super) is_file: bool,
    pub(super) body: Vec<u8>,
}
