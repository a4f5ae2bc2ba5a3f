//! `wxpush init`: the config, by questions at a terminal, out of the environment elsewhere.

mod cron;
mod dialogue;
mod probe;
mod questions;
mod unattended;

use std::path::PathBuf;

use serde_json::json;

use super::begin;
use crate::cli::{Global, Init};
use crate::config::{Draft, Target, There};
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::output::{self, Output};
use crate::terminal::Terminal;
use crate::wecom::Agent;
use probe::Probe;

/// Runs `wxpush init`.
pub(super) fn run(args: &Init, global: &Global, output: Output) -> anyhow::Result<Exit> {
    if global.profile.is_some() {
        let what = say!("init 不写 [profiles]", "init writes no profile");
        let hint = say!(
            "去掉 -p；profile 用编辑器写进配置文件",
            "leave -p out, and write the profile into the config by an editor"
        );
        return Err(Failure::new(Exit::Usage, what).hint(hint).into());
    }
    let target = Target::find(global.config.as_deref())?;
    match Terminal::here() {
        Some(terminal) => dialogue::run(args, &target, terminal, output),
        None => unattended::run(args, &target, output),
    }
}

/// A config that has been written, and what is known of it.
struct Written<'a> {
    target: &'a Target,
    /// Where the one before is kept.
    replaced: Option<PathBuf>,
    /// What the app is, if WeCom has told.
    agent: Option<Agent>,
    /// Why it is not known to work.
    trouble: Option<Failure>,
    /// The line for a crontab.
    line: String,
}

impl<'a> Written<'a> {
    /// Writes the config over what was there and may go, and begins to log where it says.
    fn now(
        target: &'a Target,
        draft: &Draft,
        there: There,
        probe: Option<&Probe>,
        output: Output,
    ) -> Result<Self, Failure> {
        let config = draft.config(target)?;
        let replaced = target.write(&draft.text(), there != There::Nothing)?;
        let state = begin(&config.base(), output)
            .inspect_err(|place| {
                let text = say!("没有地方保存状态：{place}", "no place for state: {place}");
                tracing::warn!("{text}");
            })
            .ok();
        tracing::info!(command = "init", path = %target.path.display(), "config written");
        if let (Some(probe), Some(state)) = (probe, &state) {
            probe.forget_refusal(&config.settings(None)?, state);
        }
        Ok(Self {
            target,
            replaced,
            agent: None,
            trouble: None,
            line: format!("* * * * * {}", config.flush_command()),
        })
    }

    /// Shows what was done, as JSON where that is asked for.
    fn show(&self, output: Output) -> Result<(), Failure> {
        if output.json {
            return self.object();
        }
        if !output.is_talkative() {
            return Ok(());
        }
        let path = self.target.path.display();
        output::result(&say!("已写入 {path}（0600）", "{path} is written (0600)"))?;
        if let Some(old) = &self.replaced {
            let old = old.display();
            output::result(&say!(
                "原来的保存为 {old}",
                "the one before is kept as {old}"
            ))?;
        }
        Ok(())
    }

    fn object(&self) -> Result<(), Failure> {
        let app = self.agent.as_ref().map(|agent| {
            json!({
                "name": agent.name, "closed": agent.closed,
                "users": agent.users, "parties": agent.parties, "tags": agent.tags,
            })
        });
        let mut object = json!({
            "status": "written",
            "config": self.target.path.to_string_lossy(),
            "replaced": self.replaced.as_ref().map(|old| old.to_string_lossy()),
            "tested": self.agent.is_some(),
            "app": app,
            "crontab": self.line,
        });
        if let Some(failure) = &self.trouble {
            object["error"] = json!(failure.what);
            object["exit_code"] = json!(failure.exit.code());
        }
        output::object(&object)
    }
}

/// What a person must know of a config that the search finds before this one.
fn hidden(target: &Target) -> Option<String> {
    let (first, path) = (target.hidden_by()?, target.path.display());
    let first = first.display();
    Some(say!(
        "注意：{first} 排在前面，会先被读取；{path} 要用 -c 指定才生效，或删除前者",
        "mind: {first} comes first and is read in place of {path}: remove it, or name yours by -c"
    ))
}
