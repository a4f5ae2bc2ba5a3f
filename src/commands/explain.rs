//! `wxpush explain`: rows of the errcode table, for people.

use serde::Serialize;

use super::load;
use crate::cli::{Explain, Global};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Output};
use crate::wecom::{Class, Row, codes};

#[derive(Serialize)]
struct Explained {
    errcode: i64,
    meaning: &'static str,
    advice: &'static str,
    action: &'static str,
    exit_code: u8,
}

/// Tells what each code means, what to do, and what wxpush does about it.
pub(super) fn run(args: &Explain, global: &Global, output: Output) -> anyhow::Result<Exit> {
    // Only for the language that it asks for: to explain takes none.
    let _ = load(global);
    let mut unknown: Option<Failure> = None;
    let mut gap = false;
    for errcode in &args.errcodes {
        match codes::row(*errcode) {
            Some(row) if output.json => output::object(&explained(*errcode, &row))?,
            Some(row) => {
                if std::mem::replace(&mut gap, true) {
                    output::result("")?;
                }
                told(*errcode, &row)?;
            }
            None => {
                if let Some(before) = unknown.replace(not_found(*errcode)) {
                    output.failure(&before);
                }
            }
        }
    }
    unknown.map_or(Ok(Exit::Sent), |failure| Err(failure.into()))
}

/// That a code is in no row.
fn not_found(errcode: i64) -> Failure {
    let what = say!(
        "未收录 errcode {errcode}",
        "errcode {errcode} is not in the table"
    );
    let hint = say!(
        "到这里查：https://open.work.weixin.qq.com/devtool/query?e={errcode}",
        "look it up: https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    );
    Failure::new(Exit::Data, what).hint(hint)
}

fn explained(errcode: i64, row: &Row) -> Explained {
    let lang = spoken();
    let class = row.class(false);
    Explained {
        errcode,
        meaning: row.meaning(lang),
        advice: row.advice(lang),
        action: class.action(lang),
        exit_code: class.exit().code(),
    }
}

/// Tells a person of a row.
fn told(errcode: i64, row: &Row) -> Result<(), Failure> {
    let Explained {
        meaning, advice, ..
    } = explained(errcode, row);
    output::result(&format!("{errcode}  {meaning}"))?;
    output::result(&say!("怎么办：{advice}", "what to do: {advice}"))?;
    let ends = |class: Class| {
        let (action, code) = (class.action(spoken()), class.exit().code());
        say!("{action}；退出码 {code}", "{action}; exit code {code}")
    };
    let does = ends(row.class(false));
    output::result(&say!("wxpush：{does}", "wxpush: {does}"))?;
    if let Some(class) = row.other_at_gettoken() {
        let does = ends(class);
        output::result(&say!(
            "wxpush（gettoken 时）：{does}",
            "wxpush (at gettoken): {does}"
        ))?;
    }
    Ok(())
}
