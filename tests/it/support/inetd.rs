//! A tiny inetd: each connection is stdin, stdout and stderr of a `wxpush http` of its own.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::standin::Standin;
use crate::support::leaks::{self, conceal};
use crate::support::{Run, Sandbox, with_robot};

/// A key for requests, which leads to lisi.
pub(crate) const HTTP_KEY: &str = "Tq3vXw8LmZ2bRk6Y";

/// A stand-in, and a sandbox with that key and the robot `ops`.
pub(crate) fn with_http_key() -> (Standin, Sandbox) {
    conceal(HTTP_KEY);
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.append(&format!(
        "[http.keys.scripts]\nkey = \"{HTTP_KEY}\"\ntouser = \"lisi\"\n"
    ));
    (standin, sandbox)
}

/// An inetd for the program of a sandbox. It ends with the tests.
pub(crate) struct Inetd {
    address: SocketAddr,
    children: Arc<Mutex<Vec<Child>>>,
}

impl Inetd {
    /// Begins to listen; `args` are behind `wxpush http`.
    pub(crate) fn start(sandbox: &Sandbox, args: &'static str) -> Self {
        Self::of(sandbox, move |run| {
            args.split_whitespace().fold(run, Run::arg)
        })
    }

    /// Begins to listen, with all that is done to each run.
    pub(crate) fn of(sandbox: &Sandbox, as_told: impl Fn(Run) -> Run + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let children = Arc::new(Mutex::new(Vec::new()));
        let (program, all) = (sandbox.path("wxpush"), Arc::clone(&children));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut command = Command::new(&program);
                command.arg("http");
                let mut command = as_told(Run::new(command)).command();
                let stream = OwnedFd::from(stream.unwrap());
                let twin = || Stdio::from(stream.try_clone().unwrap());
                command.stdin(twin()).stdout(twin()).stderr(twin());
                // The sandbox may be gone by now.
                all.lock().unwrap().extend(command.spawn());
            }
        });
        Self { address, children }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says these bytes, and no more; returns the answer.
    pub(crate) fn say(&self, bytes: impl AsRef<[u8]>) -> HttpAnswer {
        let mut stream = self.connect();
        // Who is refused may not be read to the end.
        let _ = stream.write_all(bytes.as_ref());
        let _ = stream.shutdown(Shutdown::Write);
        answer(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    /// Waits for the end of all that were started; returns their exit codes.
    pub(crate) fn ends(&self) -> Vec<Option<i32>> {
        let mut children = self.children.lock().unwrap();
        let ends = children.iter_mut().map(|it| it.wait().unwrap().code());
        ends.collect()
    }

    /// Runs curl with these words, in which `HOST` is where it listens; returns the answer.
    #[track_caller]
    pub(crate) fn curl(&self, words: &[&str]) -> HttpAnswer {
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "--max-time", "60"]);
        let host = self.address.to_string();
        command.args(words.iter().map(|word| word.replace("HOST", &host)));
        command.env_clear().env("PATH", "/usr/bin:/bin");
        let output = command.output().expect("curl is there");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {stderr}");
        HttpAnswer::of(&output.stdout)
    }

    /// The same with words in which `KEY` is a key.
    #[track_caller]
    pub(crate) fn asked(&self, line: &[&str], key: &str) -> HttpAnswer {
        let words: Vec<String> = line.iter().map(|word| word.replace("KEY", key)).collect();
        self.curl(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// What is answered to one request.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Reads an answer to its end.
pub(crate) fn answer(stream: &mut TcpStream) -> HttpAnswer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap_or_else(|error| {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        0
    });
    HttpAnswer::of(&bytes)
}

impl HttpAnswer {
    fn of(bytes: &[u8]) -> Self {
        leaks::hold("answer", bytes, false);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let text = text.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split_whitespace().nth(1).unwrap_or("0");
        Self {
            status: status.parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    /// The JSON in it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
