//! The config out of the environment: for cloud-init, Ansible, a Dockerfile.

use super::probe::{Probe, insisting};
use super::{Written, hidden};
use crate::cli::Init;
use crate::config::{Draft, Key, Settings, Target, There};
use crate::error::{Exit, Failure};
use crate::lang::say;
use crate::output::Output;
use crate::wecom::{Agent, Error};

/// Writes the config, asking nobody but WeCom. What WeCom refuses is written all the same, and the
/// exit code tells: whoever provisions a machine sees it, and mends values rather than files.
pub(super) fn run(args: &Init, target: &Target, output: Output) -> anyhow::Result<Exit> {
    let draft = Draft::of_environment()?;
    let missing: Vec<String> = draft.missing().map(Key::variable).collect();
    if !missing.is_empty() {
        return Err(not_set(&missing).into());
    }
    let there = target.there()?;
    if there == There::Config && !args.force {
        return Err(target.stays().into());
    }
    let settings = draft.settings()?;
    let mut probe = None;
    let verdict = if args.offline {
        None
    } else {
        Some(tested(&settings, &draft, &mut probe)?)
    };
    let mut written = Written::now(target, &draft, there, probe.as_ref(), output)?;
    match verdict {
        Some(Ok(agent)) => {
            written.trouble = off(&agent);
            written.agent = Some(agent);
        }
        Some(Err(error)) => written.trouble = Some(error.failure()),
        None => {}
    }
    written.show(output)?;
    if let Some(text) = hidden(target) {
        output.note(&text);
    }
    if let (Some(probe), Some(agent)) = (&probe, &written.agent) {
        notes(&draft, probe, agent, output);
    }
    let Some(mut failure) = written.trouble else {
        return Ok(Exit::Sent);
    };
    let path = target.path.display();
    failure.what = say!(
        "{path} 已写入，但还用不了：{}",
        "{path} is written, but does not work yet: {}",
        failure.what
    );
    output.failure(&failure);
    Ok(failure.exit)
}

/// What WeCom says of the values, and what it can be asked on with.
fn tested(
    settings: &Settings,
    draft: &Draft,
    probe: &mut Option<Probe>,
) -> anyhow::Result<Result<Agent, Error>> {
    // What is wrong with the settings is told apart from what WeCom says.
    let mut wrong = None;
    let granted = insisting(|| match Probe::new(settings) {
        Ok(granted) => granted.map(Some),
        Err(error) => {
            wrong = Some(error);
            Ok(None)
        }
    });
    if let Some(error) = wrong {
        return Err(error);
    }
    let granted = match granted {
        Ok(granted) => granted,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(granted), Some(agentid)) = (granted, draft.agentid()) else {
        return Err(Failure::new(Exit::Bug, say!("缺一个值", "a value is missing")).into());
    };
    let agent = insisting(|| granted.agent(agentid));
    *probe = Some(granted);
    Ok(agent)
}

fn not_set(variables: &[String]) -> Failure {
    let names = variables.join(", ");
    let what = say!(
        "没有设置 {names}，这里又没有终端可以提问",
        "{names}: not set, and there is no terminal to ask at"
    );
    Failure::new(Exit::Config, what).hint(say!(
        "设置这些环境变量（Secret 也可用 WXPUSH_CORPSECRET_FILE），或在终端运行 wxpush init",
        "set them (for the secret WXPUSH_CORPSECRET_FILE does, too), or run wxpush init at a terminal"
    ))
}

/// What an app that is switched off means.
pub(super) fn off(agent: &Agent) -> Option<Failure> {
    agent.closed.then(|| {
        let what = say!("该应用已停用", "the app is switched off (已停用)");
        Failure::new(Exit::Setup, what).hint(say!(
            "请管理员到应用管理 → 该应用，重新启用",
            "have the administrator switch it on: 应用管理 → the app"
        ))
    })
}

/// What is right, and may surprise.
fn notes(draft: &Draft, probe: &Probe, agent: &Agent, output: Output) {
    let Some(to) = draft.to() else {
        output.note(&say!(
            "没有设置 WXPUSH_TOUSER：消息默认发给应用可见范围内的所有人（@all）",
            "WXPUSH_TOUSER is not set: messages go to everyone in the app's 可见范围 (@all)"
        ));
        return;
    };
    let names = probe.out_of_reach(to, agent).join(", ");
    if !names.is_empty() {
        output.note(&say!(
            "不在应用可见范围内：{names}；到应用管理 → 该应用 → 可见范围加入",
            "not in the app's 可见范围: {names}; add them there: 应用管理 → the app → 可见范围"
        ));
    }
}
