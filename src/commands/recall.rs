//! `wxpush recall`: takes a message back from WeCom's own clients.

use serde_json::json;

use super::call::Caller;
use super::load;
use crate::cli::{Global, Recall};
use crate::error::Exit;
use crate::output::{self, Output};
use crate::text::api as text;
use crate::wecom::{Asked, Question};

/// Runs `recall`.
pub(super) fn run(args: &Recall, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if args.msgid.is_empty() || !args.msgid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(text::no_msgid().into());
    }
    let caller = Caller::new(load(global)?.settings(None)?, "recall", output)?;
    let question = Question::recall(&args.msgid);
    let asked = caller.call(args.timeout, &text::the_recall(), |delivery| {
        delivery.ask(&question)
    })?;
    match asked {
        Asked::Json(_, None) => {}
        Asked::Json(_, Some(refusal)) => return Err(refusal.failure().into()),
        Asked::Bytes(_) => return Err(text::recall_answered_by_other().into()),
    }
    let limits = text::recall_limits();
    if output.json {
        output::object(&json!({"status": "recalled", "msgid": args.msgid, "note": limits}))?;
    } else if output.is_talkative() {
        output::result(&text::recalled(limits))?;
    }
    Ok(Exit::Sent)
}
