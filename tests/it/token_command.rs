//! What `wxpush token` tells and changes.

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::{Fields, GETTOKEN, Sandbox, edit_token, now, set_up, token, warmed};

#[test]
fn a_refresh_asks_even_if_the_clock_went_back() {
    let standin = Standin::start();
    let sandbox = warmed(&standin, 0);
    edit_token(&sandbox, |record| {
        record["obtained_at"] = (now() + 86_400).into();
    });
    sandbox.wxpush("token refresh").is_silent();
    assert_eq!(standin.count(GETTOKEN), 2);
    assert!(sandbox.record()["obtained_at"].as_u64().unwrap() <= now());
}

#[test]
fn the_token_commands_tell_and_change_what_is_cached() {
    let (standin, sandbox) = set_up();
    let status = |sandbox: &Sandbox| sandbox.wxpush("token --json").exits(0).json();
    assert_eq!(status(&sandbox), json!({"status": "none"}));
    let outcome = sandbox.wxpush("token status").exits(0);
    assert!(outcome.stdout.starts_with("no token is cached"));
    assert_eq!(standin.count(GETTOKEN), 0, "status asks for nothing");

    let printed = sandbox.wxpush("token print").exits(0);
    assert_eq!(printed.stderr, "");
    assert_eq!(printed.stdout, format!("{}\n", token(&sandbox)));
    assert_eq!(standin.company().tokens.all(), [token(&sandbox)]);

    let fresh = status(&sandbox);
    assert_eq!(fresh["status"], "fresh");
    assert_eq!(fresh["expires_in"], 7200);
    assert!(fresh["usable_for"].as_u64().unwrap() > 6900);
    sandbox.age_token(7100);
    let stale = status(&sandbox);
    stale.has(json!({"status": "stale", "usable_for": 0}));
    let outcome = sandbox.wxpush("token").exits(0);
    assert!(outcome.stdout.contains("used up"), "{}", outcome.stdout);

    sandbox.wxpush("token refresh").is_silent();
    let outcome = sandbox.wxpush("token refresh --json").exits(0);
    assert_eq!(outcome.json()["status"], "fresh");
    assert_eq!(standin.count(GETTOKEN), 3, "a young token is no hindrance");

    sandbox.wxpush("token clear").is_silent();
    assert_eq!(status(&sandbox), json!({"status": "none"}));
    let outcome = sandbox.wxpush("token clear --json").exits(0);
    assert_eq!(outcome.json(), json!({"status": "none"}));

    standin.script(GETTOKEN, [Fault::Errcode(40001, "no".into())]);
    let outcome = sandbox.wxpush("token print").exits(77);
    assert_eq!(outcome.stdout, "");
    let refused = status(&sandbox);
    refused.has(json!({"status": "refused", "errcode": 40001}));
    let outcome = sandbox.wxpush("token status").exits(0);
    assert!(outcome.stdout.contains("40001"), "{}", outcome.stdout);
    sandbox.wxpush("token clear").is_silent();
    sandbox.wxpush("token print").exits(0);
}
