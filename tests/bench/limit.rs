//! The least that a send can be: one connection, one TLS handshake, one request, nothing else.
//!
//! `limit HOST:PORT CA_FILE TOKEN_FILE BODY`; what wxpush takes beyond this is its own.

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, address, ca_file, token_file, body] = &args[..] else {
        return Err("usage: limit HOST:PORT CA_FILE TOKEN_FILE BODY".into());
    };
    let address: SocketAddr = address.parse()?;
    let token = fs::read_to_string(token_file)?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = ClientConnection::new(Arc::new(config), address.ip().into())?;
    let tcp = TcpStream::connect(address)?;
    tcp.set_nodelay(true)?;
    let mut stream = StreamOwned::new(tls, tcp);
    let length = body.len();
    let request = format!(
        "POST /cgi-bin/message/send?access_token={token} HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = [0; 4096];
    let mut length = 0;
    while !answer[..length].ends_with(b"}") {
        match stream.read(&mut answer[length..])? {
            0 => return Err("the answer is cut".into()),
            more => length += more,
        }
    }
    let answer = String::from_utf8_lossy(&answer[..length]);
    if answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"errcode\":0,") {
        Ok(())
    } else {
        Err(format!("refused: {answer}").into())
    }
}
