//! The head of one HTTP request, read from a connection or from stdin.

use std::io::{self, Read};

/// The most fields of a head.
const FIELDS_MAX: usize = 100;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    /// The path with its query, as it came.
    pub(crate) target: String,
    /// Whether it is HTTP/1.0, whose clients know neither chunks nor `100 Continue`.
    pub(crate) is_old: bool,
    /// The fields in their order, with names in lower case.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// What was read behind the head.
    pub(crate) rest: Vec<u8>,
}

impl RequestHead {
    /// Returns the values of all fields of a name, which is in lower case.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter().filter(move |field| field.0 == name);
        fields.map(|(_, value)| value.trim_ascii())
    }
}

/// Reads a head of at most so many bytes, and perhaps a part of what follows it.
///
/// # Errors
/// That of the reader; `InvalidData` if it is not HTTP, `FileTooLarge` if it is longer or has too
/// many fields, `UnexpectedEof` if it is cut, `ConnectionAborted` if nothing came.
pub(crate) fn read(from: &mut impl Read, max: usize) -> io::Result<RequestHead> {
    let mut bytes = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    while bytes.len() < max {
        let room = piece.len().min(max - bytes.len());
        match from.read(&mut piece[..room])? {
            0 if bytes.is_empty() => return Err(io::ErrorKind::ConnectionAborted.into()),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
        if let Some(head) = parsed(&bytes)? {
            return Ok(head);
        }
    }
    Err(io::ErrorKind::FileTooLarge.into())
}

/// Returns a head; `None` if more of it is to come.
fn parsed(bytes: &[u8]) -> io::Result<Option<RequestHead>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let status = request.parse(bytes).map_err(|error| {
        let kind = match error {
            httparse::Error::TooManyHeaders => io::ErrorKind::FileTooLarge,
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, error)
    })?;
    let httparse::Status::Complete(length) = status else {
        return Ok(None);
    };
    let line = request.method.zip(request.path);
    Ok(line.map(|(method, target)| RequestHead {
        method: method.to_owned(),
        target: target.to_owned(),
        is_old: request.version == Some(0),
        fields: request
            .headers
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()))
            .collect(),
        rest: bytes[length..].to_vec(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_up_to_its_limit_however_it_comes() {
        let head = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2 \r\n\r\nbody";
        let head = read(&mut head.as_bytes(), 8192).unwrap();
        assert_eq!((&*head.method, &*head.target), ("GET", "/a?b=c"));
        assert_eq!(head.values("x-a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!((&*head.rest, head.is_old), (&b"body"[..], false));
        let many = format!("GET / HTTP/1.0\r\n{}\r\n", "a: b\r\n".repeat(101));
        for (head, kind) in [
            ("", io::ErrorKind::ConnectionAborted),
            ("GET /a", io::ErrorKind::UnexpectedEof),
            ("\u{16}\u{3}\u{1}", io::ErrorKind::InvalidData),
            ("hello\r\n\r\n", io::ErrorKind::InvalidData),
            (&*many, io::ErrorKind::FileTooLarge),
        ] {
            let error = read(&mut head.as_bytes(), 8192).unwrap_err();
            assert_eq!(error.kind(), kind, "{head:?}");
        }
        let long = format!("GET /a HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(9000));
        let error = read(&mut long.as_bytes(), 8192).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
