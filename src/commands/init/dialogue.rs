//! The questions at a terminal; each answer is tested at once.

use super::destination::Destination;
use super::draft::ConfigDraft;
use super::person::{Person, cross, tell, tick};
use super::setting::Setting;
use super::terminal::Terminal;
use super::wecom::Verifier;
use super::{Summary, hidden, offer};
use crate::cli::Init;
use crate::config::{Config, program};
use crate::cron::quoted;
use crate::error::{Exit, Failure};
use crate::lang::spoken;
use crate::output::{self, Output};
use crate::text;
use crate::wecom::Agent;

/// The values that are asked for, in order.
const ASKED: [Setting; 4] = [
    Setting::Corpid,
    Setting::Corpsecret,
    Setting::Agentid,
    Setting::Touser,
];

/// Asks for the values of a config, and writes it.
pub(super) fn run(
    args: &Init,
    destination: &Destination,
    terminal: Terminal,
    output: Output,
) -> anyhow::Result<Exit> {
    let person = Person::at(terminal);
    let draft = ConfigDraft::of_environment()?;
    let path = destination.path.display();
    tell(&text::init::welcome(&path));
    if let Some(text) = hidden(destination) {
        cross(&text);
    }
    let is_there = destination.has_config()?;
    if is_there && !args.force && !person.agrees(&text::init::replace(&path), false)? {
        return Err(destination.stays().into());
    }
    let mut dialogue = Dialogue {
        destination,
        person,
        draft,
        verifier: None,
        agent: None,
    };
    dialogue.take_surroundings()?;
    for setting in ASKED {
        dialogue.ask(setting, true)?;
        match setting {
            Setting::Corpsecret if !args.offline => dialogue.test_token()?,
            Setting::Agentid if !args.offline => dialogue.test_app()?,
            _ => {}
        }
    }
    let over = args.force || is_there;
    let granted = dialogue.verifier.as_ref();
    let mut summary = Summary::install(destination, &dialogue.draft, over, granted, output)?;
    summary.agent = dialogue.agent;
    summary.lines().iter().for_each(|line| tick(line));
    offer::flush(&dialogue.person, &summary);
    tell_next(destination);
    if output.json {
        summary.print_json()?;
    }
    Ok(Exit::Sent)
}

/// The state of the dialogue with a person.
pub(super) struct Dialogue<'a> {
    pub(super) destination: &'a Destination,
    pub(super) person: Person,
    pub(super) draft: ConfigDraft,
    /// WeCom, once it has granted a token.
    pub(super) verifier: Option<Verifier>,
    /// The app, once WeCom has described it.
    pub(super) agent: Option<Agent>,
}

impl Dialogue<'_> {
    /// Adopts the language of the dialogue, and the proxy of the environment, which is not set
    /// under cron.
    fn take_surroundings(&mut self) -> Result<(), Failure> {
        if self.draft.get(Setting::Lang).is_none() {
            // Always one of the two valid values.
            let _ = self.draft.set(Setting::Lang, spoken().of("zh", "en"));
        }
        if let Some(proxy) = Config::of_environment()?.network()?.proxy {
            // Already validated.
            let _ = self.draft.set(Setting::Proxy, proxy.expose());
            tick(&text::init::proxy_taken());
        }
        Ok(())
    }

    /// Asks for a value that the environment has not set, or asks again for a wrong one.
    /// Unreachable recipients must be typed twice.
    pub(super) fn ask(&mut self, setting: Setting, is_first: bool) -> Result<(), Failure> {
        if let Some(by) = self.draft.set_by(setting).filter(|_| is_first) {
            tick(&text::init::from_variable(setting.name(), by.variable()));
            return Ok(());
        }
        let draft = &mut self.draft;
        // The app is unknown until the recipients are asked for.
        let known = self.verifier.as_ref().zip(self.agent.as_ref());
        let only = self.agent.as_ref().and_then(only_member);
        let question = text::init::question(setting, self.agent.as_ref(), only);
        let mut doubted = String::new();
        self.person.ask(setting, &question, |typed| {
            let typed = only.filter(|_| typed.is_empty()).unwrap_or(typed);
            draft.set(setting, typed)?;
            let Some((verifier, agent)) = known.filter(|_| doubted != typed) else {
                return Ok(());
            };
            let users = verifier.out_of_reach(draft.recipients(), agent);
            if users.is_empty() {
                return Ok(());
            }
            typed.clone_into(&mut doubted);
            Err(text::init::type_again(users.join(", ")))
        })
    }
}

/// Returns the only member whom an app reaches, if there is just one.
fn only_member(agent: &Agent) -> Option<&str> {
    match &agent.users[..] {
        [only] if agent.parties.is_empty() && agent.tags.is_empty() => Some(only),
        _ => None,
    }
}

/// Shows the next steps.
fn tell_next(destination: &Destination) {
    let mut program = quoted(program().as_os_str()).to_string_lossy().into_owned();
    if destination.must_be_named() {
        let path = quoted(destination.path.as_os_str());
        program = format!("{program} -c {}", path.to_string_lossy());
    }
    output::end_line();
    tell(&text::init::next(program));
}
