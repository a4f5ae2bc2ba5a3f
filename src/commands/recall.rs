//! `wxpush recall`: recalls a message from WeCom's own clients.

use serde_json::json;

use super::call::Caller;
use super::load;
use crate::cli::{Global, Recall};
use crate::error::Exit;
use crate::output::{self, Output};
use crate::text::api as text;

/// Runs `recall`.
pub(super) fn run(args: &Recall, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if args.msgid.is_empty() || !args.msgid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(text::no_msgid().into());
    }
    let caller = Caller::new(load(global)?.settings(None)?, "recall", output)?;
    caller.call(args.timeout, &text::the_recall(), |delivery| {
        delivery.recall(&args.msgid)
    })?;
    let limits = text::recall_limits();
    if output.json {
        output::object(&json!({"status": "recalled", "msgid": args.msgid, "note": limits}))?;
    } else if output.is_talkative() {
        output::result(&text::recalled(limits))?;
    }
    Ok(Exit::Sent)
}
