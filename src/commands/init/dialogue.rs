//! The questions at a terminal, each answer tested as it is given.

use super::super::schedule::{self, Flush};
use super::cron::{self, Crontab};
use super::probe::Probe;
use super::questions::{Person, Question, TRIES, cross, tell, tick, trouble};
use super::unattended::off;
use super::{Written, hidden};
use crate::cli::Init;
use crate::config::{Draft, Key, Target, There, program, quoted};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Output};
use crate::terminal::Terminal;
use crate::wecom::{Agent, Error, codes};

/// Where each value is found.
const CONSOLE: &str = "https://work.weixin.qq.com/wework_admin/frame";

/// Asks for all that a config needs, and writes it.
pub(super) fn run(
    args: &Init,
    target: &Target,
    terminal: Terminal,
    output: Output,
) -> anyhow::Result<Exit> {
    let mut dialogue = Dialogue {
        person: Person::at(terminal),
        draft: Draft::of_environment()?,
        refused: 0,
    };
    let path = target.path.display();
    tell(&say!(
        "把设置写入 {path}。最多五个问题，答得不对会再问；按 ^C 退出，那样什么都不会写。",
        "This writes {path}. Five questions at the most, asked again where an answer won't do; ^C ends it, and nothing is written then."
    ));
    tell(&say!(
        "这些值在企业微信管理后台：{CONSOLE}",
        "The values are in WeCom's admin console: {CONSOLE}"
    ));
    if let Some(text) = hidden(target) {
        cross(&text);
    }
    let there = target.there()?;
    if there == There::Config && !args.force {
        let over = say!(
            "{path} 已经存在。要替换吗？原文件保存为 {path}.old",
            "{path} is there already. Write over it? It is kept as {path}.old"
        );
        if !dialogue.person.agrees(&over)? {
            return Err(target.stays().into());
        }
    }
    let (probe, agent) = if args.offline {
        dialogue.key(Key::Corpid, false)?;
        dialogue.key(Key::Corpsecret, false)?;
        dialogue.key(Key::Agentid, false)?;
        (None, None)
    } else {
        let probe = dialogue.token()?;
        let agent = dialogue.agent(probe.as_ref())?;
        (probe, agent)
    };
    dialogue.receivers(probe.as_ref(), agent.as_ref())?;
    let Dialogue {
        mut person, draft, ..
    } = dialogue;
    let mut written = Written::now(target, &draft, there, probe.as_ref(), output)?;
    tick(&say!(
        "已写入 {path}，权限 0600",
        "{path} is written, mode 0600"
    ));
    written.agent = agent;
    if let Some(old) = &written.replaced {
        let old = old.display();
        tick(&say!(
            "原文件保存为 {old}",
            "the one before is kept as {old}"
        ));
    }
    crontab(&mut person, &written);
    next(&written);
    if output.json {
        written.show(output)?;
    }
    Ok(Exit::Sent)
}

struct Dialogue {
    person: Person,
    draft: Draft,
    /// How often WeCom has refused what was typed.
    refused: usize,
}

/// What the person wants after a trouble that no other answer would mend.
#[derive(PartialEq, Eq)]
enum Next {
    Again,
    Untested,
}

impl Dialogue {
    /// Asks for a key, unless it has a value.
    fn key(&mut self, key: Key, again: bool) -> Result<(), Failure> {
        if self.draft.has(key) && !again {
            of_environment(key);
            return Ok(());
        }
        let draft = &mut self.draft;
        let question = Question::of(key, again);
        self.person.ask(&question, |text| draft.set(key, text))
    }

    /// Asks for company and secret until there is a token for them; none where the person goes on
    /// without.
    fn token(&mut self) -> anyhow::Result<Option<Probe>> {
        self.key(Key::Corpid, false)?;
        self.key(Key::Corpsecret, false)?;
        let settings = self.draft.settings()?;
        if self.draft.take_proxy(&settings) {
            tick(spoken().of(
                "代理：环境变量里的代理会写入配置文件，因为 cron 里没有这些变量",
                "proxy: that of the environment goes into the config, since cron has none of it",
            ));
        }
        let mut has_asked = false;
        loop {
            let error = match Probe::new(&self.draft.settings()?)? {
                Ok(probe) => {
                    tick(spoken().of(
                        "企业微信认得这个企业和 Secret",
                        "WeCom knows the company and the secret",
                    ));
                    return Ok(Some(probe));
                }
                Err(error) => error,
            };
            match mended_by(&error) {
                Some(key) if key != Key::Agentid => self.refused(key, &error)?,
                _ => {
                    let asks = error.refusal().is_none() && (has_asked || self.may_ask());
                    let next = self.pause(&error, asks, has_asked)?;
                    has_asked |= asks;
                    if next == Next::Untested {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Asks for the app's id until WeCom describes the app.
    fn agent(&mut self, probe: Option<&Probe>) -> anyhow::Result<Option<Agent>> {
        self.key(Key::Agentid, false)?;
        self.refused = 0;
        let Some(probe) = probe else { return Ok(None) };
        loop {
            let Some(agentid) = self.draft.agentid() else {
                return Ok(None);
            };
            let error = match probe.agent(agentid) {
                Ok(agent) => {
                    let name = &agent.name;
                    tick(&say!("应用：{name}", "the app is {name}"));
                    off(&agent).iter().for_each(trouble);
                    return Ok(Some(agent));
                }
                Err(error) => error,
            };
            if mended_by(&error) == Some(Key::Agentid) {
                self.refused(Key::Agentid, &error)?;
            } else if self.pause(&error, false, true)? == Next::Untested {
                return Ok(None);
            }
        }
    }

    /// Asks again for what WeCom refuses; not for ever, since it bars the IP of those who insist.
    fn refused(&mut self, key: Key, error: &Error) -> Result<(), Failure> {
        let failure = error.failure();
        self.refused += 1;
        if self.refused >= TRIES {
            let what = say!("{}；什么都没有写", "{}; nothing was written", failure.what);
            return Err(Failure { what, ..failure });
        }
        trouble(&failure);
        self.key(key, true)
    }

    /// Whether there is a question left for a proxy.
    fn may_ask(&self) -> bool {
        let must = [Key::Agentid, Key::Touser].map(|key| usize::from(!self.draft.has(key)));
        self.person.has_patience(must.iter().sum())
    }

    /// Lets the person mend what no answer would, or name a proxy where that is asked.
    fn pause(&mut self, error: &Error, proxy: bool, again: bool) -> Result<Next, Failure> {
        trouble(&error.failure());
        let text = if proxy {
            say!(
                "回车：再试一次；n：不测试，继续；这台机器要用代理就输入 http://主机:端口 或 socks5://主机:端口（中转：退出后用 WXPUSH_API_BASE=https://… wxpush init）",
                "Enter: try again; n: go on untested; where this machine needs a proxy: http://host:port or socks5://host:port (a relay: ^C, then WXPUSH_API_BASE=https://… wxpush init)"
            )
        } else {
            say!(
                "改好后按回车再试；n：不测试，继续",
                "Enter: try again, once that is mended; n: go on untested"
            )
        };
        let question = Question {
            key: Key::Proxy,
            text,
            unseen: false,
            // To go on or to try again is no question of the five.
            again: again || !proxy,
        };
        let draft = &mut self.draft;
        self.person
            .ask(&question, |text| match text.to_lowercase().as_str() {
                "" => Ok(Next::Again),
                "n" | "no" | "否" => Ok(Next::Untested),
                _ if proxy => draft.set(Key::Proxy, text).map(|()| Next::Again),
                _ => Err(say!("只能是回车或 n", "must be Enter or n")),
            })
    }

    /// Asks who gets a message: everybody only where that is typed.
    fn receivers(&mut self, probe: Option<&Probe>, agent: Option<&Agent>) -> Result<(), Failure> {
        if self.draft.has(Key::Touser) {
            of_environment(Key::Touser);
            return Ok(());
        }
        let only = agent.and_then(only_member);
        let question = Question {
            key: Key::Touser,
            text: receivers_text(agent, only.as_deref()),
            unseen: false,
            again: false,
        };
        let draft = &mut self.draft;
        let mut doubted = String::new();
        self.person.ask(&question, |text| {
            let text = match &only {
                Some(only) if text.is_empty() => only,
                _ => text,
            };
            if text.is_empty() {
                return Err(say!(
                    "是空的：写您自己的 userid，或 @all",
                    "is empty: give your own userid, or @all"
                ));
            }
            draft.set(Key::Touser, text)?;
            let (Some(probe), Some(agent), Some(to)) = (probe, agent, draft.to()) else {
                return Ok(());
            };
            let names = probe.out_of_reach(to, agent).join(", ");
            if names.is_empty() || doubted == text {
                return Ok(());
            }
            text.clone_into(&mut doubted);
            Err(say!(
                "有人不在应用可见范围内：{names}。改正，或再输一次同样的就照写",
                "names somebody outside the app's 可见范围: {names}. Correct it, or type the same again to have it so"
            ))
        })
    }
}

/// Says why a key is not asked for.
fn of_environment(key: Key) {
    let (name, variable) = (key.name(), key.variable());
    tick(&say!("{name}：来自 {variable}", "{name}: from {variable}"));
}

/// The setting that an error is about, if it is WeCom's no to one of the three.
fn mended_by(error: &Error) -> Option<Key> {
    codes::setting(error.refusal()?.errcode)
}

/// The one member of an app that shows nobody else.
fn only_member(agent: &Agent) -> Option<String> {
    let alone = agent.parties.is_empty() && agent.tags.is_empty() && agent.users.len() == 1;
    agent.users.first().filter(|_| alone).cloned()
}

fn receivers_text(agent: Option<&Agent>, only: Option<&str>) -> String {
    let everyone = agent.map_or_else(
        || say!("应用可见范围内的所有人", "everyone in the app's 可见范围"),
        |agent| {
            let (users, parties, tags) =
                (agent.users.len(), agent.parties.len(), agent.tags.len());
            say!(
                "应用可见范围内的所有人（成员 {users} 个，部门 {parties} 个，标签 {tags} 个）",
                "everyone in the app's 可见范围 (members: {users}, departments: {parties}, tags: {tags})"
            )
        },
    );
    let text = say!(
        "touser（默认收件人）：您自己的 userid（通讯录 → 成员 → 账号），多个用逗号分隔；@all：{everyone}",
        "touser, who gets a message by default: your own userid (通讯录 → the member → 账号), several with commas; @all: {everyone}"
    );
    only.map_or_else(
        || text.clone(),
        |only| say!("{text}；回车：{only}", "{text}; Enter: {only}"),
    )
}

/// Offers to have cron deliver what could not go out at once.
fn crontab(person: &mut Person, written: &Written<'_>) {
    let line = &written.line;
    let command = line.trim_start_matches("* ");
    let lines = match (cron::look(command), schedule::beside_own_crontab()) {
        (Crontab::HasIt, _) => {
            tick(spoken().of(
                "crontab 里已有投递发件箱的一行",
                "your crontab has the line for the outbox already",
            ));
            return;
        }
        (_, Some(Flush::Cron(place) | Flush::Timer(place))) => {
            tick(&say!(
                "{place} 已在投递发件箱",
                "{place} delivers the outbox already"
            ));
            return;
        }
        (Crontab::Lacks(lines), None) => lines,
        (Crontab::Unusable(why), None) => {
            by_hand(line, &why);
            return;
        }
    };
    if !person.has_patience(0) {
        by_hand(line, "");
        return;
    }
    let offer = say!(
        "暂时发不出去的消息会留在发件箱。要在您的 crontab 里加一行，每分钟投递一次吗？\n  {line}",
        "What can't go out at once is kept in the outbox. Add a line to your crontab that delivers it, each minute?\n  {line}"
    );
    // The config is there: that nobody answers any more is a no, too.
    if person.agrees(&offer).is_ok_and(|yes| yes) {
        match cron::add(lines, line) {
            Ok(()) => tick(spoken().of("已加入 crontab", "it is in your crontab")),
            Err(why) => by_hand(line, &why),
        }
    }
}

/// Shows the line to somebody who puts it where it belongs.
fn by_hand(line: &str, why: &str) {
    if !why.is_empty() {
        cross(why);
    }
    tell(&say!(
        "投递发件箱的 crontab 行（暂时发不出去的消息在那里）：\n  {line}",
        "The crontab line that delivers what could not go out at once:\n  {line}"
    ));
    if cron::has_systemd() {
        tell(spoken().of(
            "没有 cron 时用 systemd 定时器运行同一命令，参照 examples/disk-space.timer",
            "without cron a systemd timer that runs the same does, as examples/disk-space.timer",
        ));
    }
}

/// Says what comes next.
fn next(written: &Written<'_>) {
    let mut words = quoted(program().as_os_str()).to_string_lossy().into_owned();
    if written.target.must_be_named() {
        let path = quoted(written.target.path.as_os_str());
        words = format!("{words} -c {}", path.to_string_lossy());
    }
    output::end_line();
    tell(&say!(
        "接下来：\n  {words} send \"hello\"\n  {words} check",
        "Next:\n  {words} send \"hello\"\n  {words} check"
    ));
}
