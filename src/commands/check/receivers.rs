//! Whether each receiver of the config can be reached: in the app's 可见范围, and there at all.
//!
//! What WeCom does not let the app ask is said not to be known.

use std::time::Instant;

use super::app::{self, App};
use super::report::Report;
use super::setup::is_everyone;
use crate::config::Config;
use crate::error::Exit;
use crate::lang::{say, spoken};
use crate::message::Envelope;
use crate::wecom::{Agent, Class, Error, Status, codes};

/// Most questions that are asked about receivers.
const MOST: usize = 30;

/// Somebody to whom messages go, and who says so.
struct Receiver {
    kind: Kind,
    id: String,
    origin: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Party,
    Tag,
}

/// Checks the receivers of the settings and of `[mail]`, and the one of `--send`.
pub(super) fn all(
    config: &Config,
    app: &App,
    user: Option<&Envelope>,
    deadline: Instant,
    report: &mut Report,
) {
    let mut receivers = Vec::new();
    if let Ok(settings) = config.settings(None) {
        if is_everyone(&settings.to) {
            everyone(config, app, report);
        } else {
            add(
                &mut receivers,
                &settings.to,
                spoken().of("收件人", "receiver"),
            );
        }
    }
    for (pattern, to) in config.mail_lines() {
        add(&mut receivers, to, &format!("[mail] \"{pattern}\""));
    }
    if let Some(user) = user {
        add(&mut receivers, user, "--send");
    }
    let ask = Ask { app, deadline };
    let mut parties = None;
    for receiver in receivers.iter().take(MOST) {
        match receiver.kind {
            Kind::User => ask.user(receiver, report),
            Kind::Party => {
                let known = parties.get_or_insert_with(|| {
                    let (client, pass) = app.client();
                    client.departments(pass, deadline)
                });
                ask.party(receiver, known, report);
            }
            Kind::Tag => ask.tag(receiver, report),
        }
    }
    if receivers.len() > MOST {
        let rest = receivers.len() - MOST;
        report.doubt(
            "recipient",
            say!(
                "收件人：另有 {rest} 个没有检查",
                "receivers: {rest} more were not looked at"
            ),
            spoken().of(
                "只检查前 30 个，以免占用接口频率",
                "the first 30 are, to spare WeCom's limits",
            ),
        );
    }
}

/// Takes in those whom an envelope names, each once.
fn add(receivers: &mut Vec<Receiver>, to: &Envelope, origin: &str) {
    let users = to.touser.iter().filter(|_| !is_everyone(to));
    let users = users.map(|id| (Kind::User, id));
    let parties = to.toparty.iter().map(|id| (Kind::Party, id));
    let tags = to.totag.iter().map(|id| (Kind::Tag, id));
    for (kind, id) in users.chain(parties).chain(tags) {
        let is_known = receivers
            .iter()
            .any(|it| it.kind == kind && it.id.eq_ignore_ascii_case(id));
        if !is_known {
            receivers.push(Receiver {
                kind,
                id: id.clone(),
                origin: origin.to_owned(),
            });
        }
    }
}

/// What `@all` comes to.
fn everyone(config: &Config, app: &App, report: &mut Report) {
    let by = if config.names_receivers() {
        ""
    } else {
        spoken().of("（默认）", " (the default)")
    };
    match &app.agent {
        Some(agent) if agent.sees_nobody() => {
            report.left(
                "recipient",
                say!(
                    "收件人 @all{by}：可见范围内没有人",
                    "receiver @all{by}: nobody is in scope"
                ),
            );
        }
        Some(agent) => {
            let scope = app::in_words(agent);
            report.fine(
                "recipient",
                say!(
                    "收件人 @all{by}：可见范围内的所有人，即{scope}",
                    "receiver @all{by}: everyone whom the app sees, that is {scope}"
                ),
            );
        }
        None => report.doubt(
            "recipient",
            say!(
                "收件人 @all{by}：可见范围内的所有人，有哪些人查不到",
                "receiver @all{by}: everyone whom the app sees, and who that is cannot be asked"
            ),
            spoken().of(
                "到应用管理 → 该应用 → 可见范围查看",
                "look at 应用管理 → the app → 可见范围",
            ),
        ),
    }
}

/// Where to mend what WeCom does not let through.
fn mend() -> &'static str {
    spoken().of(
        "核对账号或编号（通讯录里的账号，不是姓名），并到应用管理 → 该应用 → 可见范围加入",
        "check the id (the 账号 in 通讯录, not the name), and add it to 应用管理 → the app → 可见范围",
    )
}

/// What WeCom is asked about receivers.
struct Ask<'a> {
    app: &'a App,
    deadline: Instant,
}

impl Ask<'_> {
    fn user(&self, receiver: &Receiver, report: &mut Report) {
        let Receiver { id, origin, .. } = receiver;
        let (client, pass) = self.app.client();
        let wrong = |report: &mut Report, what: String, hint: &str| {
            report.cross("recipient", Exit::Partial, what, hint);
        };
        let status = match client.member(pass, id, self.deadline) {
            Ok(status) => status,
            Err(error) if refused_as(&error, codes::is_out_of_reach) => {
                let what = if error.class == Class::Recipients {
                    say!(
                        "{origin} {id}：没有这个成员，或不在可见范围内",
                        "{origin} {id}: there is no such member, or not in scope"
                    )
                } else {
                    say!(
                        "{origin} {id}：不在可见范围内",
                        "{origin} {id}: not in scope"
                    )
                };
                return wrong(report, what, mend());
            }
            Err(error) => {
                let is_named =
                    |agent: &Agent| agent.users.iter().any(|it| it.eq_ignore_ascii_case(id));
                let is_closed = |agent: &Agent| agent.parties.is_empty() && agent.tags.is_empty();
                return self.by_scope(receiver, &error, is_named, is_closed, report);
            }
        };
        match status {
            Status::Active => report.fine(
                "recipient",
                say!(
                    "{origin} {id}：在可见范围内，已激活",
                    "{origin} {id}: in scope, and active"
                ),
            ),
            Status::Unknown => report.fine(
                "recipient",
                say!("{origin} {id}：在可见范围内", "{origin} {id}: in scope"),
            ),
            Status::Unjoined => wrong(
                report,
                say!(
                    "{origin} {id}：在可见范围内，但未激活：没有加入企业微信，也没有关注微信插件",
                    "{origin} {id}: in scope, but has neither joined WeCom nor followed 微信插件"
                ),
                spoken().of(
                    "邀请此人加入，或让其扫码关注：管理后台 我的企业 → 微信插件",
                    "invite them, or let them scan the code: admin console, 我的企业 → 微信插件",
                ),
            ),
            Status::Disabled => wrong(
                report,
                say!(
                    "{origin} {id}：账号已被禁用",
                    "{origin} {id}: the account is disabled"
                ),
                spoken().of(
                    "到通讯录里启用，或换一个收件人",
                    "enable it in 通讯录, or name somebody else",
                ),
            ),
            Status::Left => wrong(
                report,
                say!(
                    "{origin} {id}：已退出企业",
                    "{origin} {id}: has left the company"
                ),
                spoken().of("换一个收件人", "name somebody else"),
            ),
        }
    }

    fn party(&self, receiver: &Receiver, known: &Result<Vec<String>, Error>, report: &mut Report) {
        let Receiver { id, origin, .. } = receiver;
        match known {
            Ok(ids) if ids.contains(id) => report.fine(
                "recipient",
                say!(
                    "{origin} 部门 {id}：在可见范围内",
                    "{origin} department {id}: in scope"
                ),
            ),
            Ok(_) => report.cross(
                "recipient",
                Exit::Partial,
                say!(
                    "{origin} 部门 {id}：没有这个部门，或不在可见范围内",
                    "{origin} department {id}: there is none, or not in scope"
                ),
                mend(),
            ),
            Err(error) => {
                let is_named = |agent: &Agent| agent.parties.contains(id);
                self.by_scope(receiver, error, is_named, |_| false, report);
            }
        }
    }

    fn tag(&self, receiver: &Receiver, report: &mut Report) {
        let Receiver { id, origin, .. } = receiver;
        let (client, pass) = self.app.client();
        match client.tag(pass, id, self.deadline) {
            Ok(0) => report.cross(
                "recipient",
                Exit::Partial,
                say!(
                    "{origin} 标签 {id}：其中没有可见范围内的人",
                    "{origin} tag {id}: nobody in it is in scope"
                ),
                mend(),
            ),
            Ok(count) => report.fine(
                "recipient",
                say!(
                    "{origin} 标签 {id}：其中 {count} 个成员或部门在可见范围内",
                    "{origin} tag {id}: {count} members or departments of it are in scope"
                ),
            ),
            Err(error) if refused_as(&error, codes::is_unknown_tag) => report.cross(
                "recipient",
                Exit::Partial,
                say!(
                    "{origin} 标签 {id}：没有这个标签",
                    "{origin} tag {id}: there is no such tag"
                ),
                mend(),
            ),
            Err(error) => {
                let is_named = |agent: &Agent| agent.tags.contains(id);
                self.by_scope(receiver, &error, is_named, |_| false, report);
            }
        }
    }

    /// What the app's 可见范围 says, where WeCom does not answer about the receiver itself.
    fn by_scope(
        &self,
        receiver: &Receiver,
        error: &Error,
        is_named: impl Fn(&Agent) -> bool,
        is_closed: impl Fn(&Agent) -> bool,
        report: &mut Report,
    ) {
        let Receiver { kind, id, origin } = receiver;
        let whose = match kind {
            Kind::User => "",
            Kind::Party => spoken().of("部门 ", "department "),
            Kind::Tag => spoken().of("标签 ", "tag "),
        };
        match &self.app.agent {
            Some(agent) if is_named(agent) => report.fine(
                "recipient",
                say!(
                    "{origin} {whose}{id}：在可见范围内",
                    "{origin} {whose}{id}: in scope"
                ),
            ),
            Some(agent) if is_closed(agent) => report.cross(
                "recipient",
                Exit::Partial,
                say!(
                    "{origin} {whose}{id}：不在可见范围内",
                    "{origin} {whose}{id}: not in scope"
                ),
                mend(),
            ),
            _ => {
                let why = error.failure().what;
                report.doubt(
                    "recipient",
                    say!(
                        "{origin} {whose}{id}：是否在可见范围内查不到：{why}",
                        "{origin} {whose}{id}: whether it is in scope cannot be asked: {why}"
                    ),
                    spoken().of(
                        "到应用管理 → 该应用 → 可见范围查看，或用 --send 试发一条",
                        "look at 应用管理 → the app → 可见范围, or try it with --send",
                    ),
                );
            }
        }
    }
}

/// Whether WeCom refused with a code of which this is true.
fn refused_as(error: &Error, is_such: impl Fn(i64) -> bool) -> bool {
    error.refusal().is_some_and(|it| is_such(it.errcode))
}
