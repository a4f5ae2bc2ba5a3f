//! What a send costs on a slow line, counted and not timed: connections and round trips.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::standin::Standin;
use crate::standin::tls::Kind;
use crate::support::{GETTOKEN, SEND, Sandbox, config};

/// The records of TLS that matter here (RFC 8446, 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// The length of an alert under the cloak of data: two bytes, its type, sixteen of the cipher's tag.
const HIDDEN_ALERT: usize = 2 + 1 + 16;

/// Finds the records in a stream, however it is cut.
#[derive(Default)]
struct Records {
    head: Vec<u8>,
    /// Bytes to come of the record that has begun.
    left: usize,
}

impl Records {
    /// The type and length of each record that begins in these bytes.
    fn begun(&mut self, bytes: &[u8]) -> Vec<(u8, usize)> {
        let mut found = Vec::new();
        for byte in bytes {
            if self.left > 0 {
                self.left -= 1;
                continue;
            }
            self.head.push(*byte);
            if let [kind, _, _, high, low] = self.head[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                found.push((kind, self.left));
                self.head.clear();
            }
        }
        found
    }
}

/// One connection as seen from between.
#[derive(Default)]
struct Seen {
    client: Records,
    server: Records,
    /// The client waits for something that has not begun to come.
    asked: bool,
    client_sent_data: bool,
    server_sent_data: bool,
    /// How often the server spoke when it had been asked.
    answers: usize,
}

impl Seen {
    fn client_says(&mut self, bytes: &[u8]) {
        for (kind, length) in self.client.begun(bytes) {
            // In TLS 1.3 a client's first data is its Finished, and needs no reply. Only there the server
            // has sent data before.
            let finished = kind == DATA && !self.client_sent_data && self.server_sent_data;
            self.client_sent_data |= kind == DATA;
            let alert = kind == ALERT || (kind == DATA && length == HIDDEN_ALERT);
            self.asked |= (kind == HANDSHAKE || kind == DATA) && !finished && !alert;
        }
    }

    /// Session tickets come unasked, or else before the answer and in place of it: no count is changed.
    fn server_says(&mut self, bytes: &[u8]) {
        for (kind, _) in self.server.begun(bytes) {
            self.server_sent_data |= kind == DATA;
            self.answers += usize::from(std::mem::take(&mut self.asked));
        }
    }
}

/// A relay between wxpush and the stand-in, which sees but cannot read.
struct Relay {
    base: String,
    over: Arc<AtomicBool>,
    accepting: JoinHandle<Vec<Arc<Mutex<Seen>>>>,
}

impl Relay {
    fn to(standin: &Standin) -> Self {
        let there = standin.base().replace("https://", "");
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let base = format!("https://{}", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let accepting = thread::spawn(move || {
            let mut connections = Vec::new();
            loop {
                // Looked at before the queue: all that were made until then are in it.
                let last_look = ends.load(Ordering::SeqCst);
                match listener.accept() {
                    Ok((client, _)) => connections.push(relay(client, &there)),
                    Err(_) if last_look => return connections,
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Self {
            base,
            over,
            accepting,
        }
    }

    /// The round trips of each connection that was made, in order.
    fn round_trips(self) -> Vec<usize> {
        self.over.store(true, Ordering::SeqCst);
        let connections = self.accepting.join().unwrap();
        // TCP itself takes one to connect.
        let trips = |seen: &Arc<Mutex<Seen>>| 1 + seen.lock().unwrap().answers;
        connections.iter().map(trips).collect()
    }
}

/// Carries one connection on threads of its own.
fn relay(client: TcpStream, there: &str) -> Arc<Mutex<Seen>> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let server = TcpStream::connect(there).expect("the stand-in is there");
    let pairs = [(&client, &server), (&server, &client)];
    let clone = |stream: &TcpStream| stream.try_clone().unwrap();
    let sees: [fn(&mut Seen, &[u8]); 2] = [Seen::client_says, Seen::server_says];
    for ((from, to), sees) in pairs.into_iter().zip(sees) {
        let (mut from, mut to, seen) = (clone(from), clone(to), Arc::clone(&seen));
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A side that leaves abruptly has left.
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                // Seen before it goes on: an answer is never seen before its question.
                sees(&mut seen.lock().unwrap(), &bytes[..length]);
                if to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        });
    }
    seen
}

/// Sends so often, and returns the round trips of each connection.
fn cost_of(sends: usize, standin: &Standin) -> Vec<usize> {
    let relay = Relay::to(standin);
    let sandbox = Sandbox::empty();
    sandbox.write("ca.pem", standin.ca_pem());
    let ca_file = format!("ca_file = \"{}\"\n", sandbox.path("ca.pem").display());
    sandbox.write("config.toml", config(&relay.base) + &ca_file);
    for _ in 0..sends {
        sandbox.send("x").is_silent();
    }
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (1, sends));
    relay.round_trips()
}

#[test]
fn a_send_takes_three_round_trips_and_the_very_first_one_more_for_the_token() {
    let standin = Standin::start_tls(Kind::Good);
    assert_eq!(cost_of(4, &standin), [4, 3, 3, 3]);
}

#[test]
fn where_tls_1_3_is_not_spoken_it_is_one_round_trip_more() {
    let standin = Standin::start_tls(Kind::Tls12Only);
    assert_eq!(cost_of(2, &standin), [5, 4]);
}

#[test]
fn records_are_found_however_the_stream_is_cut() {
    let stream = [22, 3, 1, 0, 2, 9, 9, 20, 3, 3, 0, 0, 23, 3, 3, 1, 0];
    for size in 1..=stream.len() {
        let mut records = Records::default();
        let found: Vec<_> = stream
            .chunks(size)
            .flat_map(|it| records.begun(it))
            .collect();
        assert_eq!(found, [(22, 2), (20, 0), (23, 256)], "{size}");
    }
}
