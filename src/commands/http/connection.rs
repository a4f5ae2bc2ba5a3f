//! The connection: stdin within a time, the answer on stdout, and an end at which it arrives.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rustix::event::PollFlags;
use rustix::io::Errno;

use crate::child::poll::poll_one;
use crate::error::Failure;
use crate::output;

/// The part of the time in which a request must have come: the rest is for its delivery.
const READING: f64 = 2.0 / 3.0;

/// The time of who has named no key: for the head, and for a body in which there may be one.
const STRANGER: Duration = Duration::from_secs(5);

/// How long a client may take to read the answer.
const WRITING: Duration = Duration::from_secs(5);

/// When a wrong key is answered, counted from the start: a guess learns nothing from the time.
const REFUSAL: Duration = Duration::from_millis(500);

/// How long a client may go on sending what nobody reads, so that it sees the answer.
const LINGER: Duration = Duration::from_secs(2);

/// A connection on stdin and stdout.
pub(super) struct Connection {
    begun: Instant,
    time: Duration,
    /// Until when what comes next must have come.
    reading: Instant,
    /// Whether the client may still be sending.
    pub(super) is_unread: bool,
}

impl Connection {
    /// Begins, with this time for all.
    pub(super) fn begin(time: Duration) -> Self {
        if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() {
            // Fails where it is no socket: a pipe is read by who made it.
            let _ = TcpStream::from(stdout).set_write_timeout(Some(WRITING));
        }
        let begun = Instant::now();
        Self {
            begun,
            time,
            reading: begun + STRANGER.min(time.mul_f64(READING)),
            is_unread: true,
        }
    }

    /// Leaves the time of a request to who has a key.
    pub(super) fn trust(&mut self) {
        self.reading = self.begun + self.time.mul_f64(READING);
    }

    /// Returns the time that is left.
    pub(super) fn left(&self) -> Duration {
        self.time.saturating_sub(self.begun.elapsed())
    }

    /// Returns the address of the client, if it is a network's.
    pub(super) fn peer() -> Option<String> {
        let stdin = io::stdin().as_fd().try_clone_to_owned().ok()?;
        let address = TcpStream::from(stdin).peer_addr().ok()?;
        Some(address.to_string())
    }

    /// Waits until a wrong key may be answered.
    pub(super) fn wait_for_refusal(&self) {
        thread::sleep(REFUSAL.saturating_sub(self.begun.elapsed()));
    }

    /// Lets a client that waits for it send its body.
    ///
    /// # Errors
    /// `Exit::Io`.
    pub(super) fn go_on() -> Result<(), Failure> {
        output::bytes(b"HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Writes the answer, JSON if there is any, and waits until what the client still sends is over.
    ///
    /// # Errors
    /// `Exit::Io`.
    pub(super) fn answer(&mut self, status: u16, body: &str) -> Result<(), Failure> {
        let reason = StatusCode::from_u16(status).ok();
        let reason = reason.and_then(|it| it.canonical_reason());
        let reason = reason.unwrap_or_default();
        let mut head = format!("HTTP/1.1 {status} {reason}\r\nConnection: close\r\n");
        // Scripts of web pages may send, too: all that they need is a key.
        head += "Access-Control-Allow-Origin: *\r\n";
        match status {
            204 => {
                head += "Access-Control-Allow-Methods: GET, POST, PUT\r\n";
                head += "Access-Control-Allow-Headers: *\r\n";
            }
            401 => head += "WWW-Authenticate: Bearer\r\n",
            _ => {}
        }
        if status != 204 {
            let length = body.len().to_string();
            head += "Content-Type: application/json\r\nContent-Length: ";
            head = head + &length + "\r\n";
        }
        let written = output::bytes(format!("{head}\r\n{body}").as_bytes());
        self.end();
        written
    }

    /// Drops what is unread: otherwise the answer would be lost with the connection.
    fn end(&mut self) {
        let is_pipelined = || poll_one(&io::stdin(), PollFlags::IN, Some(Instant::now()));
        if !self.is_unread && !is_pipelined().unwrap_or(false) {
            return;
        }
        if let Ok(stdout) = io::stdout().as_fd().try_clone_to_owned() {
            // Fails where it is no socket: then there is nothing to shut down.
            let _ = TcpStream::from(stdout).shutdown(Shutdown::Write);
        }
        let until = Instant::now() + LINGER;
        let mut piece = [0; 4096];
        while matches!(read_until(&mut piece, until), Ok(1..)) {}
    }
}

impl Read for Connection {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        read_until(bytes, self.reading)
    }
}

/// Reads stdin, which nothing else does.
fn read_until(bytes: &mut [u8], until: Instant) -> io::Result<usize> {
    loop {
        if !poll_one(&io::stdin(), PollFlags::IN, Some(until))? || Instant::now() >= until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match rustix::io::read(io::stdin(), &mut *bytes) {
            Err(Errno::INTR) => {}
            read => return Ok(read?),
        }
    }
}
