//! The URL of WeCom's API.

use std::net::IpAddr;

use super::error::{Expected, Invalid};
use super::url::with_host;
use crate::secret::Secret;

/// The URL of WeCom's API: its own host, or a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiBase {
    /// The URL up to `/cgi-bin`, exclusive; it may contain a password.
    base: Secret,
    /// `scheme://host[:port][/prefix]`, without any password.
    shown: String,
    plain: bool,
    loopback: bool,
}

impl ApiBase {
    /// Parses a base URL; a trailing `/` or `/cgi-bin` makes no difference.
    ///
    /// # Errors
    /// If it is not an http or https URL, or has a query.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::Not(Expected::ApiUrl);
        let mut url = with_host(text.trim(), Expected::ApiUrl)?;
        let plain = match url.scheme() {
            "http" => true,
            "https" => false,
            _ => return Err(wrong()),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong());
        }
        let path = url.path().trim_end_matches('/');
        let path = path
            .strip_suffix("/cgi-bin")
            .unwrap_or(path)
            .trim_end_matches('/')
            .to_owned();
        url.set_path(&path);
        let base = Secret::new(url.as_str().trim_end_matches('/'));
        let host = url.host_str().unwrap_or_default();
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        // Neither call fails on a URL that has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let shown = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            base,
            shown,
            plain,
            loopback,
        })
    }

    /// Returns WeCom's own host.
    pub(crate) fn wecom() -> Self {
        Self::parse("https://qyapi.weixin.qq.com").expect("a constant that the tests parse")
    }

    /// Whether others could read the requests: plain http beyond this host.
    pub(crate) fn is_exposed(&self) -> bool {
        self.plain && !self.loopback
    }

    /// Whether it is plain http to this host, which no proxy may read.
    pub(crate) fn is_plain_loopback(&self) -> bool {
        self.plain && self.loopback
    }

    /// Whether it is plain http.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Returns the base with any password; for the wire and for digests.
    pub(crate) fn expose(&self) -> &str {
        self.base.expose()
    }

    /// Returns the base without any password, for display.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_the_same_with_slash_and_cgi_bin() {
        for (text, base) in [
            ("https://qyapi.weixin.qq.com", "https://qyapi.weixin.qq.com"),
            (
                "https://qyapi.weixin.qq.com/",
                "https://qyapi.weixin.qq.com",
            ),
            ("https://r.example/cgi-bin", "https://r.example"),
            ("https://r.example/cgi-bin/", "https://r.example"),
            ("https://r.example/a/b//", "https://r.example/a/b"),
            (
                "https://r.example:8443/a/cgi-bin/",
                "https://r.example:8443/a",
            ),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(ApiBase::parse(text).unwrap().expose(), base, "{text}");
        }
        for text in [
            "qyapi.weixin.qq.com",
            "ftp://x",
            "https://",
            "https://x?key=1",
            "",
        ] {
            assert!(ApiBase::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_base_is_kept_and_never_shown() {
        let base = ApiBase::parse("https://user:hunter22@r.example/a").unwrap();
        assert_eq!(base.expose(), "https://user:hunter22@r.example/a");
        assert_eq!(base.shown(), "https://r.example/a");
        assert!(!format!("{base:?}").contains("hunter22"));
    }

    #[test]
    fn only_plain_http_beyond_this_host_is_exposed() {
        for (text, exposed) in [
            ("http://127.0.0.1:1", false),
            ("http://127.9.9.9:1", false),
            ("http://[::1]:1", false),
            ("http://localhost:1", false),
            ("https://r.example", false),
            ("http://r.example", true),
            ("http://localhost.evil.example", true),
            ("http://192.168.1.1", true),
        ] {
            assert_eq!(
                ApiBase::parse(text).unwrap().is_exposed(),
                exposed,
                "{text}"
            );
        }
    }
}
