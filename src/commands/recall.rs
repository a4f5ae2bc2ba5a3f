//! `wxpush recall`: takes a message back from WeCom's own clients.

use std::time::Instant;

use serde_json::json;

use super::asking::{Asking, unanswered};
use super::load;
use crate::cli::{Global, Recall};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Output};
use crate::wecom::{self, Asked, Question};

/// What no recall reaches, in Chinese and English.
/// Source: developer.work.weixin.qq.com/document/path/94867.
const LIMITS: [&str; 2] = [
    "微信里（微信插件）已显示的撤不回",
    "what ordinary WeChat (微信插件) shows stays there",
];

/// Runs `recall`.
pub(super) fn run(args: &Recall, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if args.msgid.is_empty() || !args.msgid.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = spoken().of("这不可能是 msgid", "this cannot be a msgid");
        let hint = spoken().of(
            "wxpush send --json 的 msgids 里有它；发到群聊的和群机器人的消息没有",
            "wxpush send --json shows it among msgids; messages to chats and of robots have none",
        );
        return Err(Failure::new(Exit::Usage, what).hint(hint).into());
    }
    let asking = Asking::new(load(global)?.settings(None)?, "recall", output)?;
    let question = Question {
        call: "message/recall".to_owned(),
        body: wecom::Asking::Json(serde_json::to_vec(&json!({"msgid": args.msgid}))?),
    };
    let asked = asking
        .delivery(Instant::now() + args.timeout)
        .ask(&question)
        .map_err(|undelivered| unanswered(undelivered, spoken().of("撤回", "the recall")))?;
    match asked {
        Asked::Json(_, None) => {}
        Asked::Json(_, Some(refusal)) => return Err(refusal.failure().into()),
        Asked::Bytes(_) => {
            let what = spoken().of(
                "对撤回的答复不是企业微信的",
                "the answer to the recall is not WeCom's",
            );
            return Err(Failure::new(Exit::NotNow, what).into());
        }
    }
    let limits = spoken().of(LIMITS[0], LIMITS[1]);
    if output.json {
        output::object(&json!({"status": "recalled", "msgid": args.msgid, "note": limits}))?;
    } else if output.is_talkative() {
        output::result(&say!("已撤回；{limits}", "recalled; {limits}"))?;
    }
    Ok(Exit::Sent)
}
