//! The body of a request: of a known length, or in chunks.

use std::io::{self, Read};

use super::fault::RequestFault;
use crate::request_head::RequestHead;

/// The most bytes of the line before a chunk, and of the fields behind the last.
const LINE_MAX: usize = 8 << 10;

/// How a body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// So many bytes.
    Bytes(usize),
    Chunks,
}

impl BodyForm {
    /// Returns the form that a head announces. What two servers could read in two ways is refused.
    ///
    /// # Errors
    /// If the announcement is not clear, or is of another encoding.
    pub(super) fn of(head: &RequestHead) -> Result<Self, RequestFault> {
        let mut encodings = head.values("content-encoding");
        if encodings.any(|it| !it.is_empty() && !it.eq_ignore_ascii_case(b"identity")) {
            return Err(RequestFault::Encoded);
        }
        let mut codings = head.values("transfer-encoding");
        let mut lengths = head.values("content-length");
        let (coding, length) = (codings.next(), lengths.next());
        match (coding, length) {
            (None, None) => Ok(Self::Bytes(0)),
            (Some(_), Some(_)) => Err(RequestFault::Malformed),
            (Some(_), None) if head.is_old || codings.next().is_some() => {
                Err(RequestFault::Malformed)
            }
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Self::Chunks),
            (Some(_), None) => Err(RequestFault::Unsupported),
            (None, Some(length)) => {
                let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
                if !is_number || lengths.any(|other| other != length) {
                    return Err(RequestFault::Malformed);
                }
                let length = str::from_utf8(length).map_err(|_| RequestFault::Malformed)?;
                // A number past all memory is too large as well.
                Ok(Self::Bytes(length.parse().unwrap_or(usize::MAX)))
            }
        }
    }

    /// Whether the client waits for leave to send a body of at most so many bytes.
    ///
    /// # Errors
    /// If it is longer, or the client expects anything else.
    pub(super) fn expects_leave(
        self,
        head: &RequestHead,
        max: usize,
    ) -> Result<bool, RequestFault> {
        if matches!(self, Self::Bytes(length) if length > max) {
            return Err(RequestFault::TooLarge);
        }
        let mut expected = head.values("expect").peekable();
        let is_waiting = expected.peek().is_some();
        if expected.any(|it| !it.eq_ignore_ascii_case(b"100-continue")) {
            return Err(RequestFault::Expectation);
        }
        let has_body = self != Self::Bytes(0);
        Ok(is_waiting && has_body && head.rest.is_empty() && !head.is_old)
    }

    /// Reads a body of at most so many bytes; `rest` came with the head. Returns what came behind
    /// it, too.
    ///
    /// # Errors
    /// If chunks are more, or if it is cut, slow or no body of this form.
    pub(super) fn read(
        self,
        rest: Vec<u8>,
        from: &mut impl Read,
        max: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), RequestFault> {
        let mut feed = Feed {
            from,
            bytes: rest,
            taken: 0,
        };
        let body = match self {
            Self::Bytes(length) => feed.take_away(length)?,
            Self::Chunks => feed.chunks(max)?,
        };
        Ok((body, feed.bytes.split_off(feed.taken)))
    }
}

/// What has been read.
struct Feed<'a, R> {
    from: &'a mut R,
    bytes: Vec<u8>,
    /// How much of it has been taken.
    taken: usize,
}

impl<R: Read> Feed<'_, R> {
    /// Returns what has not been taken yet.
    fn left(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Reads on.
    fn more(&mut self) -> Result<(), RequestFault> {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        let mut piece = [0; 16 << 10];
        loop {
            match self.from.read(&mut piece) {
                Ok(0) => return Err(RequestFault::Malformed),
                Ok(count) => {
                    self.bytes.extend_from_slice(&piece[..count]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, RequestFault> {
        while self.left().len() < count {
            self.more()?;
        }
        let taken = self.left()[..count].to_vec();
        self.taken += count;
        Ok(taken)
    }

    /// The same without a copy of what may be large.
    fn take_away(&mut self, count: usize) -> Result<Vec<u8>, RequestFault> {
        while self.left().len() < count {
            self.more()?;
        }
        let behind = self.bytes.split_off(self.taken + count);
        let mut taken = std::mem::replace(&mut self.bytes, behind);
        taken.drain(..std::mem::take(&mut self.taken));
        Ok(taken)
    }

    fn chunks(&mut self, max: usize) -> Result<Vec<u8>, RequestFault> {
        let mut body = Vec::new();
        loop {
            let size = self.chunk_size()?;
            if size == 0 {
                self.trailers()?;
                return Ok(body);
            }
            if size > max - body.len() {
                return Err(RequestFault::TooLarge);
            }
            body.append(&mut self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(RequestFault::Malformed);
            }
        }
    }

    /// Takes the line before a chunk.
    fn chunk_size(&mut self) -> Result<usize, RequestFault> {
        loop {
            match httparse::parse_chunk_size(self.left()) {
                Ok(httparse::Status::Complete((length, size))) => {
                    self.taken += length;
                    return Ok(usize::try_from(size).unwrap_or(usize::MAX));
                }
                Ok(httparse::Status::Partial) if self.left().len() < LINE_MAX => self.more()?,
                _ => return Err(RequestFault::Malformed),
            }
        }
    }

    /// Takes the fields behind the last chunk, which mean nothing here.
    fn trailers(&mut self) -> Result<(), RequestFault> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; 16];
            match httparse::parse_headers(self.left(), &mut fields) {
                Ok(httparse::Status::Complete((length, _))) => {
                    self.taken += length;
                    return Ok(());
                }
                Ok(httparse::Status::Partial) if self.left().len() < LINE_MAX => self.more()?,
                _ => return Err(RequestFault::Malformed),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> RequestHead {
        let text = format!("POST / HTTP/1.1\r\n{fields}\r\n");
        crate::request_head::read(&mut text.as_bytes(), 8192).unwrap()
    }

    #[test]
    fn what_a_head_announces_is_one_thing_or_refused() {
        for (fields, form) in [
            ("", Ok(BodyForm::Bytes(0))),
            ("Content-Length: 12\r\n", Ok(BodyForm::Bytes(12))),
            (
                "Content-Length: 3\r\ncontent-length: 3\r\n",
                Ok(BodyForm::Bytes(3)),
            ),
            (
                "Content-Length: 99999999999999999999999\r\n",
                Ok(BodyForm::Bytes(usize::MAX)),
            ),
            ("Transfer-Encoding: Chunked\r\n", Ok(BodyForm::Chunks)),
            (
                "Content-Length: 3\r\nContent-Length: 4\r\n",
                Err(RequestFault::Malformed),
            ),
            ("Content-Length: +3\r\n", Err(RequestFault::Malformed)),
            ("Content-Length:\r\n", Err(RequestFault::Malformed)),
            (
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                Err(RequestFault::Malformed),
            ),
            (
                "Transfer-Encoding: gzip, chunked\r\n",
                Err(RequestFault::Unsupported),
            ),
            ("Content-Encoding: gzip\r\n", Err(RequestFault::Encoded)),
            ("Content-Encoding: Identity\r\n", Ok(BodyForm::Bytes(0))),
        ] {
            assert_eq!(BodyForm::of(&head(fields)), form, "{fields}");
        }
    }

    #[test]
    fn chunks_join_however_they_come_and_end_where_they_say() {
        let sent = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nX: y\r\n\r\nnext";
        for at in 0..sent.len() {
            let (rest, mut behind) = sent.split_at(at);
            let read = BodyForm::Chunks.read(rest.to_vec(), &mut behind, 13);
            let (body, next) = read.unwrap();
            assert_eq!(body, b"abc0123456789", "{at}");
            assert!(next.starts_with(b"next") || next.is_empty() || b"next".starts_with(&next));
        }
        for (sent, fault) in [
            (&b"3\r\nabcd\r\n0\r\n\r\n"[..], RequestFault::Malformed),
            (b"x\r\n", RequestFault::Malformed),
            (b"ffffffffffffffff\r\n", RequestFault::TooLarge),
            (b"fffffffffffffffff\r\n", RequestFault::Malformed),
            (b"e\r\n", RequestFault::TooLarge),
            (b"3\r\nab", RequestFault::Malformed),
        ] {
            let read = BodyForm::Chunks.read(sent.to_vec(), &mut &b""[..], 13);
            assert_eq!(read.unwrap_err(), fault, "{}", sent.escape_ascii());
        }
    }
}
