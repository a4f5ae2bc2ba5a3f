//! The app: whether WeCom answers, gives it a token and lets this host in, and whom it sees.

use std::rc::Rc;
use std::time::Instant;

use super::report::Report;
use super::setup::listed;
use crate::config::{Account, ApiBase, Settings, State};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::token::{Token, Tokens};
use crate::wecom::{About, Agent, Cause, Client, Error, Pass};

/// How far our clock may be off, in seconds: certificates and the age of tokens and messages are
/// judged by it.
const SKEW_MAX: i64 = 5 * 60;

/// An app that WeCom has let in.
pub(super) struct App {
    client: Rc<Client>,
    token: Token,
    /// What WeCom says of it; none where a relay does not forward the question.
    pub(super) agent: Option<Agent>,
}

impl App {
    /// Whom to ask about those whom it sees.
    pub(super) fn client(&self) -> (&Client, Pass<'_>) {
        (&self.client, Pass::token(&self.token.value))
    }
}

/// Asks for a token, whatever is cached or was refused before, and then for the app; none where
/// nothing more can be asked.
pub(super) fn asked(
    settings: Settings,
    state: Option<&State>,
    deadline: Instant,
    report: &mut Report,
) -> Option<App> {
    let Account::App(account) = &settings.account else {
        return None;
    };
    let client = match Client::new(&settings.network, &account.corpsecret) {
        Ok(client) => Rc::new(client),
        Err(error) => {
            report.wrong("http", Failure::of(error));
            left(&["token", "agent", "scope", "recipient"], report);
            return None;
        }
    };
    let tokens = Tokens::new(&client, &settings.network, account, state);
    let begun = Instant::now();
    let granted = tokens.refresh(deadline);
    let ms = begun.elapsed().as_millis();
    if granted
        .as_ref()
        .map_or_else(|error| error.refusal().is_some(), |_| true)
    {
        report.fine(
            "http",
            say!(
                "HTTP：企业微信有应答，{ms} 毫秒",
                "HTTP: WeCom answers, after {ms} ms"
            ),
        );
    }
    clock(client.ahead(), report);
    let token = match granted {
        Ok(token) => token,
        Err(error) => {
            let name = if error.refusal().is_some() {
                "token"
            } else {
                "http"
            };
            report.wrong(name, error.failure());
            if name == "http" {
                left(&["token"], report);
            }
            left(&["agent", "scope", "recipient"], report);
            return None;
        }
    };
    report.fine(
        "token",
        say!(
            "access_token：刚向企业微信取到，corpid 和 corpsecret 有效",
            "access_token: just granted, corpid and corpsecret are right"
        ),
    );
    let Ok(agentid) = settings.agentid(account) else {
        left(&["agent", "scope", "recipient"], report);
        return None;
    };
    let is_relay = settings.network.api_base != ApiBase::wecom();
    known((client, token), agentid, is_relay, deadline, report)
}

/// Asks what the app is, and whom it sees.
fn known(
    (client, token): (Rc<Client>, Token),
    agentid: u32,
    is_relay: bool,
    deadline: Instant,
    report: &mut Report,
) -> Option<App> {
    let pass = Pass::token(&token.value);
    let agent = match client.agent(pass, agentid, deadline) {
        Ok(agent) => Some(agent),
        Err(Error {
            cause: Cause::Status(status @ 400..500),
            ..
        }) if is_relay => {
            let what = say!(
                "应用：不知道，中转没有转发 agent/get（HTTP 状态 {status}）",
                "app: not known, the relay does not forward agent/get (HTTP status {status})"
            );
            let hint = spoken().of(
                "让中转转发整个 /cgi-bin/，才能检查可信IP、应用和收件人",
                "let it forward all of /cgi-bin/, so that trusted IP, app and receivers can be checked",
            );
            report.doubt("agent", what, hint);
            None
        }
        Err(error) => {
            let about = error.refusal().map(|refusal| refusal.about);
            let name = if about == Some(About::Ip) {
                "trusted_ip"
            } else {
                "agent"
            };
            report.wrong(name, error.failure());
            left(&["scope", "recipient"], report);
            return None;
        }
    };
    if let Some(agent) = &agent {
        report.fine(
            "trusted_ip",
            say!(
                "企业可信IP：本机的地址可以调用",
                "trusted IP: WeCom lets this host in"
            ),
        );
        described(agent, agentid, report);
        scope(agent, report);
    }
    Some(App {
        client,
        token,
        agent,
    })
}

/// Says that these were not tried.
pub(super) fn left(names: &[&'static str], report: &mut Report) {
    let why = spoken().of(
        "前一步没有成功，未检查",
        "not tried, since a step before failed",
    );
    report.left_all(names, why);
}

/// Our clock beside the server's.
fn clock(ahead: Option<i64>, report: &mut Report) {
    let Some(ahead) = ahead else {
        return;
    };
    let off = ahead.unsigned_abs();
    if off <= SKEW_MAX.unsigned_abs() {
        report.fine(
            "clock",
            say!(
                "时钟：与服务器相差 {off} 秒",
                "clock: {off} s off the server's"
            ),
        );
        return;
    }
    let off = crate::token::seconds(off);
    let what = if ahead > 0 {
        say!(
            "时钟：本机比服务器快 {off}",
            "clock: {off} ahead of the server's"
        )
    } else {
        say!(
            "时钟：本机比服务器慢 {off}",
            "clock: {off} behind the server's"
        )
    };
    let hint = spoken().of(
        "校准时钟：timedatectl set-ntp true，再用 timedatectl 查看；证书、access_token 和消息的时效都按它计算",
        "set it: timedatectl set-ntp true, then look with timedatectl; certificates, the token and the age of messages are judged by it",
    );
    report.cross("clock", Exit::Setup, what, hint);
}

fn described(agent: &Agent, agentid: u32, report: &mut Report) {
    let name = &agent.name;
    if agent.closed {
        let what = say!(
            "应用：{name}（agentid {agentid}）已停用",
            "app: {name} (agentid {agentid}) is switched off"
        );
        let hint = spoken().of(
            "到应用管理 → 该应用，把它启用",
            "switch it on: 应用管理 → the app → 启用",
        );
        report.cross("agent", Exit::Setup, what, hint);
    } else {
        report.fine(
            "agent",
            say!(
                "应用：{name}（agentid {agentid}），已启用",
                "app: {name} (agentid {agentid}), switched on"
            ),
        );
    }
}

fn scope(agent: &Agent, report: &mut Report) {
    if agent.sees_nobody() {
        let what = say!(
            "可见范围：空的，谁也收不到",
            "scope (可见范围): empty, nobody can be reached"
        );
        let hint = spoken().of(
            "到应用管理 → 该应用 → 可见范围，加入成员或部门",
            "add members or departments: 应用管理 → the app → 可见范围",
        );
        report.cross("scope", Exit::Setup, what, hint);
    } else {
        let scope = in_words(agent);
        report.fine(
            "scope",
            say!("可见范围：{scope}", "scope (可见范围): {scope}"),
        );
    }
}

/// Whom an app sees.
pub(super) fn in_words(agent: &Agent) -> String {
    let mut words = Vec::new();
    if agent.parties.iter().any(|id| id == "1") {
        words.push(say!(
            "整个企业（部门 1）",
            "the whole company (department 1)"
        ));
    }
    if !agent.users.is_empty() {
        let (count, names) = (agent.users.len(), listed(&agent.users));
        words.push(say!(
            "{count} 个成员（{names}）",
            "members: {count} ({names})"
        ));
    }
    let parties: Vec<String> = agent
        .parties
        .iter()
        .filter(|id| *id != "1")
        .cloned()
        .collect();
    if !parties.is_empty() {
        let (count, ids) = (parties.len(), listed(&parties));
        words.push(say!(
            "{count} 个部门（{ids}）",
            "departments: {count} ({ids})"
        ));
    }
    if !agent.tags.is_empty() {
        let (count, ids) = (agent.tags.len(), listed(&agent.tags));
        words.push(say!("{count} 个标签（{ids}）", "tags: {count} ({ids})"));
    }
    words.join(spoken().of("，", ", "))
}
