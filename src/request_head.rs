//! The head of one HTTP request, read from a connection or from stdin.

use std::io::{self, Read};

/// The most headers of a request.
const HEADERS_MAX: usize = 100;

/// The first line of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method: String,
    /// The path with its query, as it came.
    pub(crate) target: String,
}

/// Reads a head of at most so many bytes, and perhaps a part of the body behind it.
///
/// # Errors
/// That of the reader; `InvalidData` if it is not HTTP or longer, `UnexpectedEof` if it is cut.
pub(crate) fn read(from: &mut impl Read, max: usize) -> io::Result<RequestLine> {
    let mut bytes = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    while bytes.len() < max {
        let room = piece.len().min(max - bytes.len());
        match from.read(&mut piece[..room])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
        if let Some(line) = parsed(&bytes)? {
            return Ok(line);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Returns the first line of a head; `None` if more of it is to come.
fn parsed(bytes: &[u8]) -> io::Result<Option<RequestLine>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let status = request.parse(bytes);
    let status = status.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let line = request.method.zip(request.path);
    let line = line.filter(|_| status.is_complete());
    Ok(line.map(|(method, target)| RequestLine {
        method: method.to_owned(),
        target: target.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_up_to_its_limit_however_it_comes() {
        let head = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\nbody";
        let line = read(&mut head.as_bytes(), 8192).unwrap();
        assert_eq!((&*line.method, &*line.target), ("GET", "/a?b=c"));
        for (head, kind) in [
            ("GET /a", io::ErrorKind::UnexpectedEof),
            ("\u{16}\u{3}\u{1}", io::ErrorKind::InvalidData),
            ("hello\r\n\r\n", io::ErrorKind::InvalidData),
        ] {
            let error = read(&mut head.as_bytes(), 8192).unwrap_err();
            assert_eq!(error.kind(), kind, "{head:?}");
        }
        let long = format!("GET /a HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(9000));
        let error = read(&mut long.as_bytes(), 8192).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
