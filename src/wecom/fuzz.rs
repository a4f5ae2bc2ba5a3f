//! Any bytes as WeCom's answer: read or refused, and nothing of the request's secret comes out.

use super::retry_after::{RETRY_AFTER_MAX, retry_after};
use super::{Answer, Call, Error, answer, is_token, judge};
use crate::lang::{self, Lang};
use crate::secret::fuzz::{SECRET, shows_secret};
use crate::secret::{Secret, Veil};

/// The body of an answer with status 200; `$` stands for the secret, echoed.
pub(crate) fn answer(bytes: &[u8]) {
    let secret = Secret::new(SECRET);
    let mut told = Veil::default();
    told.add(&secret);
    let body = bytes.split(|byte| *byte == b'$').collect::<Vec<_>>();
    let body = body.join(SECRET.as_bytes());
    for (name, key) in [("gettoken", "corpsecret"), ("message/send", "access_token")] {
        let query = [(key, &secret)];
        let call = Call::new(name, &query, None);
        match judge(&call, &told, &body) {
            Ok(answer) => accepted(answer),
            Err(error) => refused(&error),
        }
    }
}

fn accepted(answer: Answer) {
    assert_eq!(answer.errcode, 0);
    assert!((60..=7200).contains(&answer::lifetime(&answer.expires_in)));
    let _ = is_token(answer.access_token.unwrap_or_default().expose());
    assert!(!shows_secret(&answer.msgid.0));
    for list in [
        answer.invaliduser,
        answer.invalidparty,
        answer.invalidtag,
        answer.unlicenseduser,
    ] {
        for name in list.0 {
            assert!(!name.is_empty() && !shows_secret(&name), "{name}");
        }
    }
}

fn refused(error: &Error) {
    if let Some(refusal) = error.refusal() {
        assert!(refusal.errmsg.len() <= 500);
    }
    let _ = error.outcome_unknown();
    for lang in [Lang::Zh, Lang::En] {
        lang::speak(lang);
        let failure = error.failure();
        assert!(!shows_secret(&failure.what), "{}", failure.what);
        let hint = failure.hint.unwrap_or_default();
        assert!(!shows_secret(&hint), "{hint}");
    }
}

/// The header `Retry-After`.
pub(crate) fn retry(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = chrono::DateTime::from_timestamp(1_795_507_200, 0).expect("a date of 2026");
    if let Some(wait) = retry_after(&text, now) {
        assert!(wait <= RETRY_AFTER_MAX);
    }
}
