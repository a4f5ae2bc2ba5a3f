//! `wxpush token`: manages the cached `access_token`; only `print` shows it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};
use serde_json::{Value, json};

use super::call::or_uncached;
use super::{begin, load};
use crate::cli::{Global, Token, TokenAction};
use crate::config::Account;
use crate::duration::show_seconds;
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::text::api as text;
use crate::token::{TokenStatus, Tokens};
use crate::wecom::{Client, Error};

/// The timeout of one `gettoken`, including the wait for its lock.
const TIME: Duration = Duration::from_secs(30);

/// Runs `token status`, `refresh`, `clear` or `print`.
pub(super) fn run(args: &Token, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let settings = load(global)?.settings(None)?;
    let Account::App(app) = &settings.account else {
        return Err(text::token_of_robot().into());
    };
    let action = args.action.unwrap_or_default();
    let state = begin(&settings.base, output);
    tracing::info!(command = "token", action = ?action, "start");
    let client = Rc::new(Client::new(&settings.network, &app.corpsecret).map_err(Failure::from)?);
    let deadline = Instant::now() + TIME;
    let tokens = |state| Tokens::new(&client, &settings.network, app, state);
    let refused = |error: Error| error.failure();
    if matches!(action, TokenAction::Print) {
        let state = or_uncached(state);
        let token = tokens(state.as_ref()).get(deadline).map_err(refused)?;
        output::result(token.value.expose())?;
        return Ok(Exit::Sent);
    }
    let state = state.map_err(text::no_place_for_token)?;
    let tokens = tokens(Some(&state));
    match action {
        TokenAction::Clear => {
            let path = state.file("token_cache.json");
            let cannot = |error| text::cannot_clear(path.display(), error);
            tokens.clear(deadline).map_err(cannot)?;
            if output.json {
                output::object(&described(&TokenStatus::Nothing))?;
            }
            return Ok(Exit::Sent);
        }
        TokenAction::Refresh => {
            tokens.refresh(deadline).map_err(refused)?;
        }
        TokenAction::Status | TokenAction::Print => {}
    }
    let status = tokens.status();
    if output.json {
        output::object(&described(&status))?;
    } else if matches!(action, TokenAction::Status) || output.is_talkative() {
        output::result(&shown(&status, &app.corpid))?;
    }
    Ok(Exit::Sent)
}

/// Returns the state of the cache for a person.
fn shown(status: &TokenStatus, corpid: &str) -> String {
    match status {
        TokenStatus::Nothing => text::no_token(),
        TokenStatus::Token {
            usable_for: 0,
            obtained_at,
            ..
        } => text::token_used_up(local(*obtained_at)),
        TokenStatus::Token {
            obtained_at,
            usable_for,
            ..
        } => text::token_usable(local(*obtained_at), show_seconds(*usable_for)),
        TokenStatus::Refused {
            errcode,
            seconds_ago,
        } => text::token_refused(show_seconds(*seconds_ago), errcode, corpid),
    }
}

/// Returns the state of the cache for a script.
fn described(status: &TokenStatus) -> Value {
    match status {
        TokenStatus::Nothing => json!({"status": "none"}),
        TokenStatus::Token {
            obtained_at,
            expires_in,
            usable_for,
        } => json!({
            "status": if *usable_for > 0 { "fresh" } else { "stale" },
            "obtained_at": obtained_at, "expires_in": expires_in, "usable_for": usable_for,
        }),
        TokenStatus::Refused {
            errcode,
            seconds_ago,
        } => {
            json!({"status": "refused", "errcode": errcode, "seconds_ago": seconds_ago})
        }
    }
}

/// Formats a time for a person: local time, with its offset.
fn local(unix_seconds: u64) -> String {
    let seconds = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
    let Some(moment) = DateTime::from_timestamp(seconds, 0) else {
        return unix_seconds.to_string();
    };
    let moment = moment.with_timezone(&Local);
    moment.format("%Y-%m-%d %H:%M:%S %:z").to_string()
}
