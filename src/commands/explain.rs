//! `wxpush explain`: prints rows of the errcode table.

use serde_json::json;

use super::load;
use crate::cli::{Explain, Global};
use crate::error::{Exit, Failure};
use crate::lang::spoken;
use crate::output::{self, Output};
use crate::text::api as text;
use crate::wecom::{ErrcodeRow, codes};

/// Prints the meaning of each code, the user's next step, and wxpush's own reaction.
pub(super) fn run(args: &Explain, global: &Global, output: Output) -> anyhow::Result<Exit> {
    // Only for the language: no config is needed.
    let _ = load(global);
    let mut unknown: Option<Failure> = None;
    let mut is_first = true;
    for errcode in &args.errcodes {
        let Some(row) = codes::row(*errcode) else {
            if let Some(before) = unknown.replace(text::unknown_errcode(errcode)) {
                output.failure(&before);
            }
            continue;
        };
        if output.json {
            print_json(*errcode, &row)?;
        } else {
            if !is_first {
                output::result("")?;
            }
            print(*errcode, &row)?;
            is_first = false;
        }
    }
    unknown.map_or(Ok(Exit::Sent), |failure| Err(failure.into()))
}

fn print_json(errcode: i64, row: &ErrcodeRow) -> Result<(), Failure> {
    let (lang, class) = (spoken(), row.class(false));
    output::object(&json!({
        "errcode": errcode,
        "meaning": row.meaning(lang),
        "advice": row.advice(lang),
        "action": class.action(lang),
        "exit_code": class.exit().code(),
    }))
}

fn print(errcode: i64, row: &ErrcodeRow) -> Result<(), Failure> {
    let (lang, class) = (spoken(), row.class(false));
    output::result(&format!("{errcode}  {}", row.meaning(lang)))?;
    output::result(&text::advice(row.advice(lang)))?;
    output::result(&text::action(class.action(lang), class.exit().code()))?;
    if let Some(class) = row.other_at_gettoken() {
        let code = class.exit().code();
        output::result(&text::action_at_gettoken(class.action(lang), code))?;
    }
    Ok(())
}
