//! Fuzz targets: any bytes as WeCom's answer are read or refused, and never reveal the request's
//! secret.

use super::answer::{self, ApiAnswer, lifetime, names, text};
use super::calls::is_token;
use super::error::Error;
use super::request::{Call, Reply};
use super::retry_after::{RETRY_AFTER_MAX, retry_after};
use crate::lang::{self, Lang};
use crate::secret::fuzz::{SECRET, shows_secret};
use crate::secret::{Redactor, Secret};

/// Reads the body of an answer with status 200, in which `$` is the echoed secret.
pub(crate) fn answer(bytes: &[u8]) {
    let secret = Secret::new(SECRET);
    let mut told = Redactor::default();
    told.add(&secret);
    let body = bytes.split(|byte| *byte == b'$').collect::<Vec<_>>();
    let body = body.join(SECRET.as_bytes());
    for (name, key, is_foreign) in [
        ("gettoken", "corpsecret", false),
        ("message/send", "access_token", false),
        ("user/get", "access_token", true),
    ] {
        let query = [(key, &secret)];
        let call = Call {
            is_foreign,
            ..Call::get(name, &query)
        };
        let reply = Reply {
            status: 200,
            retry_after: None,
            is_file: false,
            body: body.clone(),
        };
        match answer::read(&call, &told, reply) {
            Ok(answer) => accepted(answer),
            Err(error) => refused(&error),
        }
    }
}

fn accepted(answer: ApiAnswer) {
    let ApiAnswer::Json(answer, _) = answer else {
        return;
    };
    assert!((60..=7200).contains(&lifetime(&answer["expires_in"])));
    let _ = text(&answer["access_token"]).is_some_and(|token| is_token(&token));
    assert!(!shows_secret(&text(&answer["msgid"]).unwrap_or_default()));
    for list in [
        "invaliduser",
        "invalidparty",
        "invalidtag",
        "unlicenseduser",
    ] {
        for name in names(&answer[list]) {
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

/// Parses the header `Retry-After`.
pub(crate) fn retry(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = chrono::DateTime::from_timestamp(1_795_507_200, 0).expect("a date of 2026");
    if let Some(wait) = retry_after(&text, now) {
        assert!(wait <= RETRY_AFTER_MAX);
    }
}
