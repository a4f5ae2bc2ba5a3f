//! A proxy that speaks HTTP CONNECT and SOCKS5, and misbehaves as told.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::standin::tls::Tls;

/// The password in a proxy's URL.
pub(crate) const PASSWORD: &str = "hunter2hunter2";

/// What a proxy does with a request for a way.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Forward,
    /// Answers CONNECT with this status.
    Refuse(u16),
    Silent,
    /// SOCKS5: `connection not allowed by ruleset`.
    Forbid,
    /// SOCKS5: no user is known.
    Unknown,
}

/// A proxy that speaks HTTP CONNECT and SOCKS5, whichever comes.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) ca_pem: String,
    /// The heads of all CONNECTs, and `socks USER:PASSWORD TARGET`.
    seen: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Proxy {
    pub(crate) fn start(manner: Manner, tls: Option<Tls>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let ca_pem = tls.as_ref().map_or(String::new(), |tls| tls.ca_pem.clone());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (tls, notes) = (tls.map(Arc::new), Arc::clone(&seen));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, notes) = (tls.clone(), Arc::clone(&notes));
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => serve(tls.accept(stream).await?, manner, &notes).await,
                        None => serve(stream, manner, &notes).await,
                    }
                });
            }
        });
        Self {
            address,
            ca_pem,
            seen,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://user:{PASSWORD}@{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut client: impl AsyncReadExt + AsyncWriteExt + Unpin,
    manner: Manner,
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    if matches!(manner, Manner::Silent) {
        return client.read_to_end(&mut Vec::new()).await.map(|_| ());
    }
    let first = client.read_u8().await?;
    if first == 0x16 {
        // A TLS hello where none belongs.
        client
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await?;
        return client.shutdown().await;
    }
    let target = if first == 5 {
        let Some(target) = socks(&mut client, manner, seen).await? else {
            return client.shutdown().await;
        };
        target
    } else {
        let mut head = vec![first];
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await?);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        seen.lock().unwrap().push(head.clone());
        if let Manner::Refuse(status) = manner {
            let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
            client.write_all(answer.as_bytes()).await?;
            return client.shutdown().await;
        }
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
        head.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let mut server = TcpStream::connect(target).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// SOCKS5 with user and password (RFC 1928, 1929), after its first byte; the target, if it is let through.
async fn socks(
    client: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    manner: Manner,
    seen: &Mutex<Vec<String>>,
) -> io::Result<Option<String>> {
    let text = async |client: &mut _| {
        let size = AsyncReadExt::read_u8(client).await?;
        let mut bytes = vec![0; size.into()];
        AsyncReadExt::read_exact(client, &mut bytes).await?;
        String::from_utf8(bytes).map_err(io::Error::other)
    };
    text(client).await?; // the ways to log in
    client.write_all(&[5, 2]).await?;
    client.read_u8().await?;
    let (user, password) = (text(client).await?, text(client).await?);
    let unknown = u8::from(matches!(manner, Manner::Unknown));
    client.write_all(&[1, unknown]).await?;
    if unknown == 1 {
        return Ok(None);
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => std::net::Ipv4Addr::from_bits(client.read_u32().await?).to_string(),
        _ => text(client).await?,
    };
    let target = format!("{host}:{}", client.read_u16().await?);
    let line = format!("socks {user}:{password} {target}");
    seen.lock().unwrap().push(line);
    let forbidden = matches!(manner, Manner::Forbid);
    let reply = [5, if forbidden { 2 } else { 0 }, 0, 1, 0, 0, 0, 0, 0, 0];
    client.write_all(&reply).await?;
    Ok((!forbidden).then_some(target))
}
