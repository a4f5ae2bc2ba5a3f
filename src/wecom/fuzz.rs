//! Fuzz targets: any bytes as WeCom's answer are read or refused, and never reveal the request's
//! secret.

use serde::de::IgnoredAny;

use super::answer::{self, ApiAnswer, OwnAnswer, lifetime};
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
    let reply = || Reply {
        status: 200,
        retry_after: None,
        is_file: false,
        body: body.clone(),
    };
    for (name, key) in [("gettoken", "corpsecret"), ("message/send", "access_token")] {
        let query = [(key, &secret)];
        match answer::read_own(&Call::get(name, &query), &told, reply()) {
            Ok(answer) => accepted(&answer),
            Err(error) => refused(&error),
        }
    }
    let query = [("access_token", &secret)];
    match answer::read(&Call::get("user/get", &query), &told, reply()) {
        Ok(ApiAnswer::Json(answer, _)) => {
            assert!(!shows_secret(&answer));
            assert!(serde_json::from_str::<IgnoredAny>(&answer).is_ok());
        }
        Ok(ApiAnswer::File(_)) => {}
        Err(error) => refused(&error),
    }
}

fn accepted(answer: &OwnAnswer) {
    assert!((60..=7200).contains(&lifetime(answer.expires_in.text())));
    let _ = is_token(answer.access_token.text());
    assert!(!shows_secret(answer.msgid.text()));
    for list in [
        &answer.invaliduser,
        &answer.invalidparty,
        &answer.invalidtag,
    ] {
        for name in list.names() {
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
