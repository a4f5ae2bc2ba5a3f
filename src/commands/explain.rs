//! `wxpush explain`: a row of the errcode table, for people.

use serde::Serialize;

use crate::cli::Explain;
use crate::error::{Exit, Failure};
use crate::lang::{Lang, spoken};
use crate::output::{self, Output};
use crate::wecom::{Class, codes};

#[derive(Serialize)]
struct Explained<'a> {
    errcode: i64,
    meaning: &'a str,
    advice: &'a str,
    action: &'a str,
    exit_code: u8,
}

/// Tells what a code means, what to do, and what wxpush does about it.
pub(super) fn run(args: &Explain, output: Output) -> anyhow::Result<Exit> {
    let errcode = args.errcode;
    let Some(row) = codes::row(errcode) else {
        let what = format!("errcode {errcode} is not in the table");
        let hint = format!("look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}");
        return Err(Failure::new(Exit::Data, what).hint(hint).into());
    };
    let lang = spoken();
    let class = row.class(false);
    let explained = Explained {
        errcode,
        meaning: row.meaning(lang),
        advice: row.advice(lang),
        action: class.action(lang),
        exit_code: class.exit().code(),
    };
    if output.json {
        output::object(&explained)?;
        return Ok(Exit::Sent);
    }
    let (todo, does, exit, at_gettoken) = match lang {
        Lang::Zh => ("怎么办", "wxpush", "退出码", "gettoken 时"),
        Lang::En => ("what to do", "wxpush", "exit code", "at gettoken"),
    };
    output::result(&format!("{errcode}  {}", explained.meaning))?;
    output::result(&format!("{todo}: {}", explained.advice))?;
    let ends = |class: Class| format!("{}; {exit} {}", class.action(lang), class.exit().code());
    output::result(&format!("{does}: {}", ends(class)))?;
    if row.class(true) != class {
        output::result(&format!(
            "{does} ({at_gettoken}): {}",
            ends(row.class(true))
        ))?;
    }
    Ok(Exit::Sent)
}
