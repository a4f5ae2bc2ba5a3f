//! `wxpush token`: the cached `access_token`; only `print` shows it.

use std::rc::Rc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};
use serde_json::{Value, json};

use super::{begin, load};
use crate::cli::{Global, Token, TokenAction};
use crate::config::{Account, App, NoPlace};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Output};
use crate::token::{Known, Tokens, seconds};
use crate::wecom::{Client, Error};

/// Time for one `gettoken`, and for the lock before it.
const TIME: Duration = Duration::from_secs(30);

/// Runs `token status`, `refresh`, `clear` or `print`.
pub(super) fn run(args: &Token, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let settings = load(global)?.settings(None)?;
    let Account::App(app) = &settings.account else {
        let what = spoken().of("只有应用有 access_token", "only apps have tokens");
        return Err(Failure::new(Exit::Bug, what).into());
    };
    let action = args.action.unwrap_or_default();
    let state = begin(&settings.base, output);
    tracing::info!(command = "token", action = ?action, "start");
    let client = Rc::new(Client::new(&settings.network, &app.corpsecret)?);
    let deadline = Instant::now() + TIME;
    let tokens = |state| Tokens::new(&client, &settings.network, app, state);
    let refused = |error: Error| error.failure();
    match action {
        TokenAction::Print => {
            let state = state.inspect_err(|place| {
                let text = say!(
                    "没有可用的目录来缓存 access_token：{place}",
                    "no place for the token: {place}"
                );
                tracing::warn!("{text}");
            });
            let token = tokens(state.as_ref().ok()).get(deadline).map_err(refused)?;
            output::raw(token.value.expose())?;
        }
        TokenAction::Status => {
            let state = state.map_err(needs_state)?;
            status(&tokens(Some(&state)).known(), app, output)?;
        }
        TokenAction::Refresh => {
            let state = state.map_err(needs_state)?;
            let tokens = tokens(Some(&state));
            tokens.refresh(deadline).map_err(refused)?;
            if output.json || output.is_talkative() {
                status(&tokens.known(), app, output)?;
            }
        }
        TokenAction::Clear => {
            let state = state.map_err(needs_state)?;
            let cannot = |error| {
                let path = state.file("token_cache.json");
                let path = path.display();
                let what = say!(
                    "无法修改 {path}：{error}",
                    "{path} cannot be changed: {error}"
                );
                let hint = spoken().of(
                    "腾出磁盘空间，或手工删除该文件",
                    "make room there, or remove the file by hand",
                );
                Failure::new(Exit::State, what).hint(hint)
            };
            tokens(Some(&state)).clear(deadline).map_err(cannot)?;
            if output.json {
                output::object(&described(&Known::Nothing))?;
            }
        }
    }
    Ok(Exit::Sent)
}

fn needs_state(place: NoPlace) -> Failure {
    let what = say!(
        "没有可用的目录来缓存 access_token：{place}",
        "no place for the token cache: {place}"
    );
    let hint = spoken().of(
        "把 state_dir 设为只有你可写的目录",
        "set state_dir to a directory that only you can write to",
    );
    Failure::new(Exit::State, what).hint(hint)
}

fn status(known: &Known, app: &App, output: Output) -> Result<(), Failure> {
    if output.json {
        return output::object(&described(known));
    }
    output::result(&match known {
        Known::Nothing => say!(
            "没有缓存的 access_token：下次发送时会去获取",
            "no token is cached: the next send fetches one"
        ),
        Known::Token {
            usable_for: 0,
            obtained_at,
            ..
        } => {
            let at = local(*obtained_at);
            say!(
                "{at} 获取的 access_token 已用完：下次发送时会重新获取",
                "the token of {at} is used up: the next send fetches one"
            )
        }
        Known::Token {
            obtained_at,
            usable_for,
            ..
        } => {
            let (at, left) = (local(*obtained_at), seconds(*usable_for));
            say!(
                "access_token 获取于 {at}，还能用 {left}",
                "token fetched {at}, used for another {left}"
            )
        }
        Known::Refused {
            errcode,
            seconds_ago,
        } => {
            let (ago, corpid) = (seconds(*seconds_ago), &app.corpid);
            say!(
                "{ago} 前企业微信拒绝发放 access_token：errcode {errcode}（wxpush explain {errcode}）；corpid {corpid}",
                "WeCom refused a token {ago} ago: errcode {errcode} (wxpush explain {errcode}); corpid {corpid}"
            )
        }
    })
}

fn described(known: &Known) -> Value {
    match known {
        Known::Nothing => json!({"status": "none"}),
        Known::Token {
            obtained_at,
            expires_in,
            usable_for,
        } => json!({
            "status": if *usable_for > 0 { "fresh" } else { "stale" },
            "obtained_at": obtained_at, "expires_in": expires_in, "usable_for": usable_for,
        }),
        Known::Refused {
            errcode,
            seconds_ago,
        } => {
            json!({"status": "refused", "errcode": errcode, "seconds_ago": seconds_ago})
        }
    }
}

/// A moment for a person: local time, with its offset.
fn local(unix_seconds: u64) -> String {
    let moment = i64::try_from(unix_seconds)
        .ok()
        .and_then(|at| DateTime::from_timestamp(at, 0));
    moment.map_or_else(
        || unix_seconds.to_string(),
        |moment| {
            moment
                .with_timezone(&Local)
                .format("%Y-%m-%d %H:%M:%S %:z")
                .to_string()
        },
    )
}
