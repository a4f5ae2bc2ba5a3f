//! Reads the server's clock from the head of an answer.

use reqwest::header::{DATE, HeaderMap};

/// Returns the seconds by which our clock is ahead of a server's.
pub(super) fn ahead(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
    Some((chrono::Utc::now() - date.to_utc()).num_seconds())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_clock_is_ahead_behind_or_unknown() {
        for (off, seconds) in [(-600, Some(600)), (600, Some(-600))] {
            let date = chrono::Utc::now() + chrono::TimeDelta::seconds(off);
            let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_str(&date).unwrap());
            let off = ahead(&headers)
                .zip(seconds)
                .map(|(is, is_to_be)| is - is_to_be);
            // A header has whole seconds.
            assert!(off.is_some_and(|off| (-1..=1).contains(&off)), "{off:?}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(ahead(&headers), None);
        headers.insert(DATE, HeaderValue::from_static("yesterday"));
        assert_eq!(ahead(&headers), None);
    }
}
