//! Faults on demand: what a network, a relay or WeCom itself may do to a request.
//!
//! A fault that is still an HTTP answer goes out as any other. The rest take the socket away from the HTTP
//! server and do to it, byte by byte, what a well-kept server would never do.

use std::io;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, header};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use super::company::Reply;

/// Something that goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refused with this errcode and errmsg; not processed.
    Errcode(i64, String),
    /// Answered with this HTTP status, headers and body; not processed.
    Status(u16, Vec<(String, String)>, String),
    /// As `Status`, but processed: the answer is lost behind a gateway.
    StatusAfter(u16, Vec<(String, String)>, String),
    /// Answered with these bytes, whatever they are, then closed; not processed.
    Raw(Vec<u8>),
    /// Read and never answered, until the client leaves; not processed.
    Hang,
    /// Processed and never answered.
    HangProcessed,
    /// Answered rightly, head and body, a byte at a time with this pause before each.
    Drip(Duration),
    /// Processed; answered with a right head and then a space at a time with this pause, without end.
    Endless(Duration),
    /// Read, then reset; not processed.
    CutBefore,
    /// Processed, then reset: the answer is lost.
    CutAfter,
    /// Processed; the answer's head and half of its body, then closed.
    Truncated,
    /// Processed; answered rightly with padding, a body of this many bytes in all.
    Giant(u64),
    /// Processed, but answered with status 200 and this body.
    Body(String),
    /// Nothing but a wait before the right answer.
    Delay(Duration),
    /// Processed only after this wait, whether the client is still there or has left; answered rightly.
    Late(Duration),
}

impl Fault {
    /// A status with the page that a web server shows for it.
    pub fn html(status: u16) -> Self {
        let page = format!("<html><head><title>{status}</title></head><body>nginx</body></html>");
        Self::Status(
            status,
            vec![("content-type".into(), "text/html".into())],
            page,
        )
    }

    /// A redirect to this address.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::Status(status, vec![("location".into(), to.into())], String::new())
    }

    /// A refusal to serve so many requests, with this `Retry-After`.
    pub fn retry_after(status: u16, value: &str) -> Self {
        Self::Status(
            status,
            vec![("retry-after".into(), value.into())],
            String::new(),
        )
    }

    /// Whether WeCom acts on the request all the same.
    pub(super) fn processes(&self) -> bool {
        !matches!(
            self,
            Self::Errcode(..) | Self::Status(..) | Self::Raw(_) | Self::Hang | Self::CutBefore
        )
    }

    /// Turns the right answer, which is there if the request was processed, into what the client gets.
    pub(super) fn apply(self, right: Answer) -> Outcome {
        let answer = match self {
            Self::Delay(_) | Self::Late(_) => right,
            Self::Errcode(code, text) => Answer::json(&json!({"errcode": code, "errmsg": text})),
            Self::Status(status, headers, body) | Self::StatusAfter(status, headers, body) => {
                Answer {
                    status,
                    headers,
                    body: body.into(),
                }
            }
            Self::Body(body) => Answer {
                body: body.into(),
                ..Answer::json(&Value::Null)
            },
            Self::Raw(bytes) => return Outcome::Takeover(Takeover::Bytes(bytes)),
            Self::Hang | Self::HangProcessed => return Outcome::Takeover(Takeover::Silence),
            Self::CutBefore | Self::CutAfter => return Outcome::Takeover(Takeover::Reset),
            Self::Drip(pause) => return Outcome::Takeover(Takeover::Drip(right.bytes(), pause)),
            Self::Endless(pause) => {
                let head = right.head("transfer-encoding: chunked");
                return Outcome::Takeover(Takeover::Endless(head, pause));
            }
            Self::Truncated => {
                let mut bytes = right.bytes();
                bytes.truncate(bytes.len() - right.body.len().div_ceil(2));
                return Outcome::Takeover(Takeover::Bytes(bytes));
            }
            Self::Giant(size) => {
                let head = right.head(&format!("content-length: {size}"));
                return Outcome::Takeover(Takeover::Giant(head, right.body, size));
            }
        };
        Outcome::Answer(answer)
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Answer {
    /// WeCom's: a JSON object, or a file.
    pub(super) fn reply(reply: Reply) -> Self {
        match reply {
            Reply::Json(body) => Self::json(&body),
            Reply::File { headers, bytes } => Self {
                status: 200,
                headers,
                body: bytes,
            },
        }
    }

    /// WeCom's: status 200 and a JSON object.
    pub(super) fn json(body: &Value) -> Self {
        let headers = [(
            "content-type".into(),
            "application/json; charset=UTF-8".into(),
        )];
        Self {
            status: 200,
            headers: headers.into(),
            body: body.to_string().into(),
        }
    }

    /// A web server's for a path that it doesn't know.
    pub(super) fn not_found() -> Self {
        let headers = [("content-type".into(), "text/html".into())];
        let body = "<html><head><title>404 Not Found</title></head></html>";
        Self {
            status: 404,
            headers: headers.into(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    /// The answer as the HTTP server takes it.
    pub(super) fn into_response(self, now: SystemTime) -> Response<Full<Bytes>> {
        let date = DateTime::<Utc>::from(now).format("%a, %d %b %Y %H:%M:%S GMT");
        let mut response = Response::builder()
            .status(self.status)
            .header(header::DATE, date.to_string());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let response = response
            .header(header::SERVER, "nginx")
            .body(Full::from(self.body));
        response.expect("a fault of kind Status has a valid status and valid headers")
    }

    fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!(
            "HTTP/1.1 {} OK\r\nconnection: close\r\n{framing}\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}", self.body.len()));
        bytes.extend(&self.body);
        bytes
    }
}

/// What a request leads to.
pub(super) enum Outcome {
    /// An HTTP answer.
    Answer(Answer),
    /// The end of HTTP on this connection.
    Takeover(Takeover),
}

/// What is done to the socket in place of an HTTP answer.
#[derive(Debug)]
pub(super) enum Takeover {
    Bytes(Vec<u8>),
    Silence,
    Reset,
    Drip(Vec<u8>, Duration),
    Endless(Vec<u8>, Duration),
    Giant(Vec<u8>, Bytes, u64),
}

impl Takeover {
    /// Does it, until it is done or the client has left.
    pub(super) async fn play(self, mut wire: Box<dyn Wire>) -> io::Result<()> {
        match self {
            Self::Reset => return wire.reset(),
            Self::Silence => {
                let mut rest = [0; 4096];
                while wire.read(&mut rest).await? > 0 {}
            }
            Self::Bytes(bytes) => wire.write_all(&bytes).await?,
            Self::Drip(bytes, pause) => {
                for byte in bytes {
                    sleep(pause).await;
                    wire.write_all(&[byte]).await?;
                    wire.flush().await?;
                }
            }
            Self::Endless(head, pause) => {
                wire.write_all(&head).await?;
                loop {
                    wire.write_all(b"1\r\n \r\n").await?;
                    wire.flush().await?;
                    sleep(pause).await;
                }
            }
            Self::Giant(head, body, size) => {
                wire.write_all(&head).await?;
                let (start, end) = (br#"{"padding":""#, [b"\",", &body[1..]].concat());
                let mut left = size.saturating_sub((start.len() + end.len()) as u64);
                wire.write_all(start).await?;
                let block = vec![b'x'; 65536];
                while left > 0 {
                    let part =
                        usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
                    wire.write_all(&block[..part]).await?;
                    left -= part as u64;
                }
                wire.write_all(&end).await?;
            }
        }
        wire.shutdown().await
    }
}

/// A connection, plain or over TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Makes the coming close a reset.
    fn reset(&self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn reset(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Wire for TlsStream<TcpStream> {
    fn reset(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

#[cfg(test)]
mod tests;
