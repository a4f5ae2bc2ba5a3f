//! The admin console's pages of an app: 接收消息服务器URL, which WeCom checks as it is saved, and 企业可信IP,
//! which takes nothing before.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::company::{AGENTID, random_text};
use super::{CORPID, Standin};

/// What the administrator enters at 设置API接收.
#[derive(Clone)]
pub struct CallbackPage {
    /// Host and port of the URL.
    pub host: String,
    /// The Token.
    pub token: String,
    /// The `EncodingAESKey`.
    pub key: String,
    /// The company whose console this is.
    pub corpid: String,
}

impl CallbackPage {
    /// The page of the stand-in's company.
    pub fn new(host: &str, token: &str, key: &str) -> Self {
        Self {
            host: host.to_owned(),
            token: token.to_owned(),
            key: key.to_owned(),
            corpid: CORPID.to_owned(),
        }
    }

    /// The path and query by which WeCom asks for this text.
    pub fn check(&self, text: &str) -> String {
        let (timestamp, nonce) = ("1409659589", "263014780");
        let echostr = STANDARD.encode(self.encrypted(text));
        let mut signed = [&*self.token, timestamp, nonce, &*echostr];
        signed.sort_unstable();
        let signature = digest(&SHA1_FOR_LEGACY_USE_ONLY, signed.concat().as_bytes());
        let signature: Vec<String> = signature
            .as_ref()
            .iter()
            .map(|it| format!("{it:02x}"))
            .collect();
        let signature = signature.concat();
        let echostr = echostr
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        format!("/?msg_signature={signature}&timestamp={timestamp}&nonce={nonce}&echostr={echostr}")
    }

    /// Asks; returns the status and the body.
    pub fn ask(&self, target: &str) -> io::Result<(u16, String)> {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nAccept: */*\r\n\r\n",
            self.host
        );
        self.say(request.as_bytes())
    }

    /// Says these bytes; returns the status and the body.
    pub fn say(&self, request: &[u8]) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.host)?;
        // WeCom itself waits five seconds.
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(request)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        let parts = status.zip(body.map(str::to_owned));
        parts.ok_or_else(|| io::Error::other("no answer of HTTP"))
    }

    fn encrypted(&self, text: &str) -> Vec<u8> {
        let key = STANDARD
            .decode(format!("{}=", self.key))
            .expect("a key of base64");
        let key: [u8; 32] = key.try_into().expect("43 characters are 32 bytes");
        let length = u32::try_from(text.len())
            .expect("a short text")
            .to_be_bytes();
        let random = random_text(16);
        let mut plain = [
            random.as_bytes(),
            &length,
            text.as_bytes(),
            self.corpid.as_bytes(),
        ]
        .concat();
        let padding = 32 - plain.len() % 32;
        plain.resize(
            plain.len() + padding,
            u8::try_from(padding).expect("at most 32"),
        );
        let iv = key.first_chunk::<16>().expect("32 bytes");
        let mut cipher = cbc::Encryptor::<Aes256>::new((&key).into(), iv.into());
        for block in plain.chunks_exact_mut(16) {
            cipher.encrypt_block(block.try_into().expect("16 bytes"));
        }
        plain
    }
}

impl Standin {
    /// Saves the page of the app: WeCom asks, and takes the URL only if the answer is right.
    pub fn save(&self, page: &CallbackPage) -> bool {
        let text = random_text(19);
        let answer = page.ask(&page.check(&text));
        let is_right = answer.is_ok_and(|answer| answer == (200, text));
        if is_right {
            self.company().callbacks.insert(AGENTID);
        }
        is_right
    }

    /// Adds a trusted IP, which the console refuses until the app has a URL.
    pub fn trust(&self, ip: IpAddr) -> bool {
        let mut company = self.company();
        let has_url = company.callbacks.contains(&AGENTID);
        if has_url {
            company.trusted_ips.get_or_insert_default().push(ip);
        }
        has_url
    }
}
