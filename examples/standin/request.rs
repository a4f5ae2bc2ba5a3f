//! A request as it came over the wire, with its query decoded and its body whole.

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Bytes, Incoming};
use serde_json::Value;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it had arrived whole, on this machine's clock.
    pub at: SystemTime,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// Its method.
    pub method: String,
    /// Its path and query, as sent.
    pub target: String,
    /// Its path, with what a relay's address puts before `/cgi-bin/`.
    pub path: String,
    /// Its query, decoded.
    pub query: BTreeMap<String, String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Request {
    /// The path from `/cgi-bin/` on.
    pub fn endpoint(&self) -> &str {
        endpoint(&self.path)
    }

    /// The body as JSON, `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Takes a request in, body and all.
pub(super) async fn receive(
    request: hyper::Request<Incoming>,
    connection: usize,
) -> io::Result<Request> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Request {
        at: SystemTime::now(),
        connection,
        method: head.method.to_string(),
        target: head.uri.to_string(),
        path: head.uri.path().to_owned(),
        query: decode_query(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body,
    })
}

fn decode_query(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (percent_decode(key), percent_decode(value)))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).filter(|_| *first == b'%');
        let pair = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        let decoded = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(decoded.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path from `/cgi-bin/` on, whatever a relay puts before it.
pub(super) fn endpoint(path: &str) -> &str {
    path.find("/cgi-bin/").map_or(path, |at| &path[at..])
}
