//! `wxpush explain`: a row of the errcode table, for people.

use serde::Serialize;

use super::load;
use crate::cli::{Explain, Global};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
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
pub(super) fn run(args: &Explain, global: &Global, output: Output) -> anyhow::Result<Exit> {
    // Only for the language that it asks for: to explain takes none.
    let _ = load(global);
    let errcode = args.errcode;
    let Some(row) = codes::row(errcode) else {
        let what = say!(
            "未收录 errcode {errcode}",
            "errcode {errcode} is not in the table"
        );
        let hint = say!(
            "到这里查：https://open.work.weixin.qq.com/devtool/query?e={errcode}",
            "look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}"
        );
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
    let advice = explained.advice;
    output::result(&format!("{errcode}  {}", explained.meaning))?;
    output::result(&say!("怎么办：{advice}", "what to do: {advice}"))?;
    let ends = |class: Class| {
        let (action, code) = (class.action(lang), class.exit().code());
        say!("{action}；退出码 {code}", "{action}; exit code {code}")
    };
    let does = ends(class);
    output::result(&say!("wxpush：{does}", "wxpush: {does}"))?;
    let first = row.class(true);
    if first != class {
        let does = ends(first);
        output::result(&say!(
            "wxpush（gettoken 时）：{does}",
            "wxpush (at gettoken): {does}"
        ))?;
    }
    Ok(Exit::Sent)
}
