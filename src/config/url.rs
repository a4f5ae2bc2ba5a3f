//! URLs that may contain a password.

use reqwest::Url;

use super::error::{Expected, Invalid};

/// Parses a URL with a host.
///
/// The parser ends the host at the first `/`, `?`, `#` or `\`, and skips tabs and line breaks. One of
/// them within a password would turn a piece of the password into the host, which is looked up, shown
/// and logged.
///
/// # Errors
/// `expected` if it is no such URL, or that a password seems to be split.
pub(super) fn with_host(text: &str, expected: Expected) -> Result<Url, Invalid> {
    let wrong = Invalid::Not(expected);
    let Some((_, rest)) = text.split_once("://") else {
        return Err(wrong);
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let is_split = authority.matches('@').count() > 1 || behind.contains('@');
    if is_split || authority.contains(|it: char| it.is_whitespace() || it.is_control()) {
        return Err(Invalid::PasswordSplit);
    }
    match Url::parse(text) {
        Ok(url) if url.has_host() => Ok(url),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_would_become_the_host_is_refused() {
        for (text, expected) in [
            ("http://u:p%40ss%23w@h:1", Ok(())),
            ("socks5://h", Ok(())),
            ("http://u:12#w@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:12/w@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:12?w@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:12\\w@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:p@ss#w@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:p@ss@h:1", Err(Invalid::PasswordSplit)),
            ("http://u:p\tw@h:1", Err(Invalid::PasswordSplit)),
            ("http:u:p@h:1", Err(Invalid::Not(Expected::ProxyUrl))),
            ("http://", Err(Invalid::Not(Expected::ProxyUrl))),
        ] {
            let found = with_host(text, Expected::ProxyUrl).map(drop);
            assert_eq!(found, expected, "{text}");
        }
    }
}
