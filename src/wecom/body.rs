//! Bodies of requests: JSON, or a form with files, sent in pieces.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::diagnose::{Phase, Progress};
use super::moving::Moving;
use crate::file_slice::{FileSlice, PIECE, Watching};

/// The callback before the first byte of a request with a body is sent, after the connection is
/// made. It may block until a message is on disk; its error prevents the sending. Of a form it may
/// return the file to send in place of its first one, of the same size.
pub(crate) type Leaving = Arc<dyn Fn() -> io::Result<Option<FileSlice>> + Send + Sync>;

/// Where a form has its first file: behind the head of that field.
const FILE_AT: usize = 1;

/// The bytes of a request, and their type.
#[derive(Clone)]
pub(super) struct Payload {
    pub(super) content_type: String,
    pub(super) pieces: Vec<FileSlice>,
}

/// A field of a form.
pub(crate) struct FormField {
    pub(crate) name: String,
    /// The name that recipients see, if the field is a file.
    pub(crate) filename: Option<String>,
    pub(crate) bytes: FileSlice,
}

impl Payload {
    /// Returns a JSON body.
    pub(super) fn json(text: Vec<u8>) -> Self {
        Self {
            content_type: "application/json".to_owned(),
            pieces: vec![text.into()],
        }
    }

    /// Returns a form as WeCom reads one. A file's name is raw UTF-8 in quotes, where others would
    /// encode it, and is followed by the file's length.
    /// Source: developer.work.weixin.qq.com/document/path/90253; wechatpy/wechatpy#293.
    pub(super) fn form(fields: &[FormField]) -> Self {
        let boundary = boundary();
        let mut pieces = Vec::new();
        for FormField {
            name,
            filename,
            bytes,
        } in fields
        {
            let name = quotable(name);
            let of_file = filename.as_ref().map_or(String::new(), |filename| {
                let (filename, length) = (quotable(filename), bytes.len());
                format!(
                    "; filename=\"{filename}\"; filelength={length}\r\nContent-Type: application/octet-stream"
                )
            });
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{of_file}\r\n\r\n"
            );
            pieces.extend([
                head.into_bytes().into(),
                bytes.clone(),
                b"\r\n".to_vec().into(),
            ]);
        }
        pieces.push(format!("--{boundary}--\r\n").into_bytes().into());
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            pieces,
        }
    }

    /// Returns the length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.pieces.iter().map(FileSlice::len).sum()
    }
}

/// Returns a line that separates the parts of a form. It occurs in one of them with a probability
/// of 2^-128.
fn boundary() -> String {
    // std seeds each RandomState from the system's source of randomness.
    let random = || RandomState::new().build_hasher().finish();
    format!("wxpush-{:016x}{:016x}", random(), random())
}

/// Removes the characters from a name that would end its quotes or its line.
fn quotable(name: &str) -> String {
    let keeps = |c: &char| !c.is_control() && !['"', '\\'].contains(c);
    name.chars().filter(keeps).collect()
}

/// A request body that notes when its sending starts: before that, nothing can have arrived.
pub(super) struct Watched {
    rest: VecDeque<FileSlice>,
    all: u64,
    left: u64,
    progress: Arc<Progress>,
    moving: Arc<Moving>,
    leaving: Option<Leaving>,
    watching: Option<Watching>,
}

impl Watched {
    pub(super) fn new(
        payload: &Payload,
        progress: &Arc<Progress>,
        moving: &Arc<Moving>,
        leaving: Option<Leaving>,
        watching: Option<Watching>,
    ) -> Self {
        Self {
            rest: payload.pieces.iter().cloned().collect(),
            all: payload.len(),
            left: payload.len(),
            progress: Arc::clone(progress),
            moving: Arc::clone(moving),
            leaving,
            watching,
        }
    }

    /// Calls back before the first piece.
    fn leave(&mut self) -> io::Result<()> {
        let Some(leaving) = self.leaving.take() else {
            return Ok(());
        };
        if let Some(accepted) = leaving()? {
            let file = self.rest.get_mut(FILE_AT);
            let file = file.filter(|file| file.len() == accepted.len());
            *file.ok_or(io::ErrorKind::InvalidData)? = accepted;
        }
        Ok(())
    }

    /// Returns the next piece.
    fn next(&mut self) -> Option<io::Result<Bytes>> {
        let first = self.rest.pop_front()?;
        let piece = first.piece(0);
        if first.len() > PIECE as u64 {
            self.rest.push_front(first.part(PIECE as u64, u64::MAX));
        }
        if let Ok(piece) = &piece {
            self.left -= piece.len() as u64;
        }
        Some(piece)
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        // Blocks the only task of this thread: the request, whose head is sent together with the
        // body.
        if let Err(error) = self.leave() {
            self.progress.set(Phase::Unreadable);
            return Poll::Ready(Some(Err(error)));
        }
        self.progress.set(Phase::Sending);
        let piece = self.next();
        if let Some(Err(_)) = piece {
            self.progress.set(Phase::Unreadable);
        }
        self.moving.went(self.left);
        if let Some(watching) = &self.watching {
            watching(self.all - self.left, self.all);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &Payload) -> String {
        let pieces = payload.pieces.iter().map(|blob| blob.read().unwrap());
        String::from_utf8(pieces.flatten().collect()).unwrap()
    }

    #[test]
    fn a_form_is_as_wecom_documents_it() {
        let fields = [
            FormField {
                name: "media".to_owned(),
                filename: Some("报\"告\r\n.pdf".to_owned()),
                bytes: b"12345".to_vec().into(),
            },
            FormField {
                name: "note".to_owned(),
                filename: None,
                bytes: b"x".to_vec().into(),
            },
        ];
        let form = Payload::form(&fields);
        let (kind, boundary) = form.content_type.split_once("; boundary=").unwrap();
        assert_eq!(kind, "multipart/form-data");
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"报告.pdf\"; filelength=5\r\nContent-Type: application/octet-stream\r\n\r\n12345\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--{boundary}--\r\n"
        );
        assert_eq!(text(&form), expected);
        assert_eq!(form.len(), expected.len() as u64);
        assert_ne!(Payload::form(&fields).content_type, form.content_type);
    }

    #[test]
    fn pieces_are_sent_in_order_and_the_rest_is_counted() {
        let large = vec![b'x'; 2 * PIECE + 5];
        let payload = Payload {
            content_type: String::new(),
            pieces: vec![
                b"head".to_vec().into(),
                large.clone().into(),
                Vec::new().into(),
            ],
        };
        let mut body = Watched::new(&payload, &Arc::default(), &Arc::default(), None, None);
        let mut sent = Vec::new();
        while let Some(piece) = body.next() {
            sent.extend(piece.unwrap());
            assert_eq!(body.left, body.all - sent.len() as u64);
        }
        assert_eq!(sent, [b"head", &*large].concat());
    }
}
