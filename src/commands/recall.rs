//! `wxpush recall`: takes a message back from WeCom's own clients.

use std::time::Instant;

use serde_json::json;

use super::asking::{Asking, unanswered};
use super::load;
use crate::cli::{Global, Recall};
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::wecom::{self, Asked, Question};

/// What no recall reaches. Source: developer.work.weixin.qq.com/document/path/94867.
const LIMITS: &str = "what ordinary WeChat (微信插件) shows stays there";

/// Runs `recall`.
pub(super) fn run(args: &Recall, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if args.msgid.is_empty() || !args.msgid.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::new(Exit::Usage, "this cannot be a msgid")
            .hint("wxpush send --json shows it among msgids; messages to chats and of robots have none")
            .into());
    }
    let asking = Asking::new(load(global)?.settings(None)?, "recall", output)?;
    let question = Question {
        call: "message/recall".to_owned(),
        body: wecom::Asking::Json(serde_json::to_vec(&json!({"msgid": args.msgid}))?),
    };
    let asked = asking
        .delivery(Instant::now() + args.timeout)
        .ask(&question)
        .map_err(|undelivered| unanswered(undelivered, "the recall"))?;
    match asked {
        Asked::Json(_, None) => {}
        Asked::Json(_, Some(refusal)) => return Err(refusal.failure().into()),
        Asked::Bytes(_) => {
            return Err(
                Failure::new(Exit::NotNow, "the answer to the recall is not WeCom's").into(),
            );
        }
    }
    if output.json {
        output::object(&json!({"status": "recalled", "msgid": args.msgid, "note": LIMITS}))?;
    } else if output.is_talkative() {
        output::result(&format!("recalled; {LIMITS}"))?;
    }
    Ok(Exit::Sent)
}
