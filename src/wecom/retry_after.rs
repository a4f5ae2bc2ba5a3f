//! Parses the header `Retry-After`.

use std::time::Duration;

/// The longest wait that a server may request.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Parses `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(text: &str, now: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let text = text.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            RETRY_AFTER_MAX
        }
        Err(_) => {
            let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
            (date.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-24T08:00:00Z")
            .unwrap()
            .to_utc();
        for (text, seconds) in [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Tue, 24 Nov 2026 08:00:30 GMT", Some(30)),
            ("Tue, 24 Nov 2026 07:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(86400)),
            ("1000000", Some(86400)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(
                retry_after(text, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }
}
