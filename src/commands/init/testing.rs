//! Tests the answers: a value that WeCom refuses is asked for again.

use super::dialogue::Dialogue;
use super::person::{TRIES, tick, trouble};
use super::setting::Setting;
use super::wecom::Verifier;
use crate::commands::callback;
use crate::error::Failure;
use crate::output;
use crate::text;
use crate::wecom::{About, Error, Refusal};

/// The person's choice after a failure that another answer cannot prevent.
enum Choice {
    TryAgain,
    GoOnUntested,
    /// To be the URL without which WeCom takes no trusted IP.
    AnswerCheck,
}

impl Dialogue<'_> {
    /// Tests the company and the secret.
    pub(super) fn test_token(&mut self) -> anyhow::Result<()> {
        self.verifier = self.test(&[Setting::Corpid, Setting::Corpsecret], |it| {
            let verifier = Verifier::new(
                &it.draft
                    .settings(&it.destination.path, it.destination.is_named)?,
            )?;
            Ok(verifier.token().map(|()| verifier))
        })?;
        if self.verifier.is_some() {
            tick(&text::init::token_granted());
        }
        Ok(())
    }

    /// Tests the app's id.
    pub(super) fn test_app(&mut self) -> anyhow::Result<()> {
        let agent = self.test(&[Setting::Agentid], |it| {
            let known = it.verifier.as_ref().zip(it.draft.agentid());
            let asked = known.map(|(verifier, agentid)| verifier.agent(agentid));
            Ok(asked.transpose())
        })?;
        self.agent = agent.flatten();
        if let Some(agent) = &self.agent {
            tick(&text::init::app_found(&agent.name));
            if agent.closed {
                trouble(&text::init::app_is_off());
            }
        }
        Ok(())
    }

    /// Tests these values until WeCom accepts them, or the person goes on untested. A refused one
    /// is asked for again, but not for ever: WeCom bars the IP of insistent callers.
    fn test<T>(
        &mut self,
        values: &[Setting],
        test: impl Fn(&Self) -> anyhow::Result<Result<T, Error>>,
    ) -> anyhow::Result<Option<T>> {
        let mut refused = 0;
        loop {
            let error = match test(self)? {
                Ok(accepted) => return Ok(Some(accepted)),
                Err(error) => error,
            };
            let mut failure = error.failure();
            let wrong = wrong_setting(&error).filter(|it| values.contains(it));
            refused += usize::from(wrong.is_some());
            if refused == TRIES {
                failure.what = text::init::nothing_written(failure.what);
                return Err(failure.into());
            }
            trouble(&failure);
            if let Some(setting) = wrong {
                self.ask(setting, false)?;
                continue;
            }
            // With a token granted, it is not the network.
            let is_network = self.verifier.is_none() && error.refusal().is_none();
            let refusal = error.refusal().filter(|it| it.about == About::Ip);
            match self.choose(is_network, refusal.is_some())? {
                Choice::TryAgain => {}
                Choice::GoOnUntested => return Ok(None),
                Choice::AnswerCheck => self.answer_check(refusal.and_then(Refusal::address)),
            }
        }
    }

    /// Lets the person correct something elsewhere, or name a proxy if the network may be at fault.
    fn choose(&mut self, is_network: bool, is_ip: bool) -> Result<Choice, Failure> {
        let question = match (is_network, is_ip) {
            (true, _) => text::init::again_or_proxy(),
            (_, true) => text::init::again_or_callback(),
            _ => text::init::again(),
        };
        let draft = &mut self.draft;
        self.person.ask(Setting::Proxy, &question, |typed| {
            match typed.to_lowercase().as_str() {
                "" => Ok(Choice::TryAgain),
                "n" | "no" | "否" => Ok(Choice::GoOnUntested),
                "c" if is_ip => Ok(Choice::AnswerCheck),
                _ if is_network => draft.set(Setting::Proxy, typed).map(|()| Choice::TryAgain),
                _ if is_ip => Err(text::init::enter_c_or_n()),
                _ => Err(text::init::enter_or_n()),
            }
        })
    }

    /// Answers WeCom's check of a URL, after which the console takes this host's address.
    fn answer_check(&self, seen: Option<&str>) {
        let corpid = self.draft.get(Setting::Corpid).unwrap_or_default();
        let destination = self.destination;
        let settings = self.draft.settings(&destination.path, destination.is_named);
        let is_direct = settings.is_ok_and(|it| callback::is_direct(&it.network));
        output::end_line();
        if let Err(error) = callback::within_init(corpid, seen, is_direct) {
            trouble(&Failure::of(error));
        }
    }
}

/// Returns the setting that a refusal concerns: another value may help.
fn wrong_setting(error: &Error) -> Option<Setting> {
    match error.refusal()?.about {
        About::Corpid => Some(Setting::Corpid),
        About::Corpsecret => Some(Setting::Corpsecret),
        About::Agentid => Some(Setting::Agentid),
        _ => None,
    }
}
