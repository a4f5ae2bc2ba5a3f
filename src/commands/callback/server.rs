//! The server: reads each request within its limits, and answers a right check.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::request_head;
use crate::wecom::callback::{CallbackCheck, CallbackFault, CallbackKeys};

/// The most connections at once; one more ends the oldest. Source: the contract.
const CONNECTIONS: usize = 16;

/// The most bytes of a request's head. Source: the contract.
const HEAD_MAX: usize = 8 << 10;

/// The time of a connection. Source: the contract.
const TIME: Duration = Duration::from_secs(10);

/// The most bytes of a body that are read and dropped, so that the answer arrives.
const BODY_MAX: u64 = 64 << 10;

/// What a request was.
pub(super) enum Heard {
    /// A right check, answered.
    Check,
    /// A check that deserves no answer.
    Wrong(CallbackFault),
    /// Another request.
    Other,
}

/// Accepts connections until the process ends, and tells what was asked.
pub(super) fn serve(
    listener: &TcpListener,
    keys: &Arc<CallbackKeys>,
    corpid: &Arc<str>,
    asked: &Sender<Heard>,
) {
    let mut open: VecDeque<(TcpStream, JoinHandle<()>)> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of descriptors, most likely: some come back.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        open.retain(|(_, thread)| !thread.is_finished());
        // Connections that are held open keep nobody else out.
        if open.len() == CONNECTIONS
            && let Some((oldest, thread)) = open.pop_front()
        {
            let _ = oldest.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
        let Ok(twin) = stream.try_clone() else {
            continue;
        };
        let (keys, corpid, asked) = (Arc::clone(keys), Arc::clone(corpid), asked.clone());
        let converse = move || {
            // How a connection ends is the caller's own affair.
            let _ = converse(&stream, &keys, &corpid, &asked);
            let _ = stream.shutdown(Shutdown::Both);
        };
        if let Ok(thread) = thread::Builder::new().spawn(converse) {
            open.push_back((twin, thread));
        }
    }
}

/// Answers one request.
fn converse(
    stream: &TcpStream,
    keys: &CallbackKeys,
    corpid: &str,
    asked: &Sender<Heard>,
) -> io::Result<()> {
    let mut from = Within {
        stream,
        deadline: Instant::now() + TIME,
    };
    stream.set_write_timeout(Some(TIME))?;
    let check = match request_head::read(&mut from, HEAD_MAX) {
        Ok(line) => Some(line).filter(|line| line.method == "GET"),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::FileTooLarge
            ) =>
        {
            None
        }
        Err(error) => return Err(error),
    };
    let check = check.and_then(|line| check_in(&line.target));
    let answer = check.map(|check| keys.answer(&check, corpid));
    let (status, body, what) = match answer {
        Some(Ok(text)) => ("200 OK", text, Heard::Check),
        Some(Err(fault)) => ("404 Not Found", Vec::new(), Heard::Wrong(fault)),
        None => ("404 Not Found", Vec::new(), Heard::Other),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = stream;
    let answered = stream.write_all(&[head.as_bytes(), &body].concat());
    if answered.is_ok() {
        // Nobody listens any more once the time is up.
        let _ = asked.send(what);
    }
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut from.take(BODY_MAX), &mut io::sink())?;
    answered
}

/// Returns the check in the path of a request, if it is one.
fn check_in(target: &str) -> Option<CallbackCheck> {
    let url = reqwest::Url::parse("http://localhost").ok()?;
    let url = url.join(target).ok()?;
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        let pair = pairs.find(|(key, _)| key == name)?;
        Some(pair.1.into_owned())
    };
    Some(CallbackCheck {
        signature: value("msg_signature")?,
        timestamp: value("timestamp")?,
        nonce: value("nonce")?,
        // Base64 has no spaces: its `+` may come unescaped.
        echostr: value("echostr")?.replace(' ', "+"),
    })
}

/// A connection that is read until a deadline, however slowly it comes.
struct Within<'a> {
    stream: &'a TcpStream,
    deadline: Instant,
}

impl Read for Within<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut stream = self.stream;
        stream.read(bytes)
    }
}
