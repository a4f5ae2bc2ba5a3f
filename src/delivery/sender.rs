//! The senders of a config, with everything needed to send as one of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Local};

use crate::config::{Account, Config, Limits, MAX_AGE, Quiet, Settings, State};
use crate::error::{Exit, Failure};
use crate::message::Channel;
use crate::outbox::{self, Attempts, Entry, SenderName};
use crate::rate_limit::{Forecast, RateLimiter};
use crate::secret::{Secret, digest};
use crate::token::Tokens;
use crate::uploads::Uploads;
use crate::wecom::Client;

/// An app or a robot, ready to send. Its connection is opened at the first request and kept.
pub(crate) struct Sender {
    pub(crate) settings: Settings,
    pub(super) pass: SenderCredential,
    pub(super) client: Rc<Client>,
    /// The ledger of messages to members, or to the robot's group.
    pub(super) ledger: Option<RateLimiter>,
    /// The ledger of messages to chats, which WeCom counts separately.
    pub(super) chats: Option<RateLimiter>,
    pub(super) uploads: Uploads,
    /// Whether the current message has left and may have arrived. The report at ^C reads it;
    /// WeCom's acceptance clears it.
    pub(crate) in_doubt: Arc<AtomicBool>,
}

/// The credential of a sender.
pub(super) enum SenderCredential {
    /// The token cache and the agentid of an app.
    App { agentid: u32, tokens: Tokens },
    /// The key of a robot.
    Robot(Secret),
}

impl Sender {
    /// Returns the sender of the settings, with its token cache and ledger in `state` if there is
    /// one.
    ///
    /// # Errors
    /// `Exit::Config`: no agentid, or an unusable network setting.
    pub(crate) fn new(settings: Settings, state: Option<&State>) -> anyhow::Result<Self> {
        let client = Rc::new(
            Client::new(&settings.network, settings.account.secret()).map_err(Failure::from)?,
        );
        // One app has one ledger, however its address is written.
        let (pass, key, limits) = match &settings.account {
            Account::App(app) => {
                let agentid = settings.agentid(app)?;
                let tokens = Tokens::new(&client, &settings.network, app, state);
                let key = digest(&[&app.corpid, &agentid.to_string()]);
                (
                    SenderCredential::App { agentid, tokens },
                    key,
                    settings.limits,
                )
            }
            Account::Robot(robot) => {
                // Two names may have the same robot.
                let key = digest(&["robot", robot.key.expose()]);
                (
                    SenderCredential::Robot(robot.key.clone()),
                    key,
                    Limits::ROBOT,
                )
            }
        };
        let ledger = |key: &str, limits| {
            state.map(|state| RateLimiter::new(state, key[..16].to_owned(), limits))
        };
        Ok(Self {
            pass,
            client,
            ledger: ledger(&key, limits),
            chats: ledger(&digest(&[&key, "chats"]), Limits::CHAT),
            uploads: Uploads::new(state, key),
            in_doubt: Arc::default(),
            settings,
        })
    }

    /// Returns the agentid of the app; zero for a robot.
    pub(super) fn agentid(&self) -> u32 {
        match &self.pass {
            SenderCredential::App { agentid, .. } => *agentid,
            SenderCredential::Robot(_) => 0,
        }
    }

    /// Returns the id of the sender on this host, the same however its address is written.
    pub(crate) fn id(&self) -> String {
        match (&self.pass, &self.settings.account) {
            (SenderCredential::App { agentid, .. }, Account::App(app)) => {
                digest(&[&app.corpid, &agentid.to_string()])
            }
            (SenderCredential::Robot(key), _) => digest(&["robot", key.expose()]),
            (SenderCredential::App { .. }, Account::Robot(robot)) => {
                digest(&["robot", &robot.name])
            }
        }
    }

    /// Returns when its quiet hours end; `None` outside of them.
    pub(crate) fn quiet_until(&self) -> Option<DateTime<Local>> {
        let quiet = &self.settings.quiet;
        // The time zone is not read in vain.
        (*quiet != Quiet::default()).then(|| quiet.until(&Local::now()))?
    }

    /// Returns when the quiet hours end that hold an entry, unless it is urgent, or something of it is
    /// on the phone already.
    pub(crate) fn holds_until(
        &self,
        entry: &Entry,
        attempts: &Attempts,
    ) -> Option<DateTime<Local>> {
        let is_held = !entry.urgent && !attempts.is_begun();
        is_held.then(|| self.quiet_until())?
    }

    /// Returns the corpid; empty for a robot, whose company is not known.
    pub(super) fn corpid(&self) -> &str {
        match &self.settings.account {
            Account::App(app) => &app.corpid,
            Account::Robot(_) => "",
        }
    }

    /// Returns the ledger that counts messages on this channel.
    pub(super) fn ledger(&self, channel: Channel) -> Option<&RateLimiter> {
        if channel == Channel::Chat {
            self.chats.as_ref()
        } else {
            self.ledger.as_ref()
        }
    }

    /// Returns when recipients on this channel may get more messages; `None` if there is no ledger.
    pub(crate) fn forecast(&self, channel: Channel) -> Option<Forecast> {
        self.ledger(channel)?.forecast().ok()
    }

    /// Returns the sender's name in the outbox.
    pub(crate) fn name(&self) -> SenderName {
        Self::name_of(&self.settings)
    }

    /// Returns the name in the outbox of the sender of these settings.
    pub(crate) fn name_of(settings: &Settings) -> SenderName {
        SenderName {
            profile: settings.profile.clone(),
            account: match &settings.account {
                Account::App(app) => outbox::SenderAccount::App(app.corpid.clone()),
                Account::Robot(robot) => outbox::SenderAccount::Robot(robot.name.clone()),
            },
            api_base: settings.network.api_base.shown().to_owned(),
        }
    }
}

/// `None` if the current config has no such sender, `Err` if it has one that is unusable.
type KnownSender = Option<Result<Rc<Sender>, Failure>>;

/// The senders of a config, created when first needed.
pub(crate) struct Senders<'a> {
    config: &'a Config,
    state: &'a State,
    known: RefCell<BTreeMap<SenderName, KnownSender>>,
}

impl<'a> Senders<'a> {
    /// Returns the senders of a config, with their state in `state`.
    pub(crate) fn of(config: &'a Config, state: &'a State) -> Self {
        let known = RefCell::default();
        Self {
            config,
            state,
            known,
        }
    }

    /// Adds an existing sender, with its connection.
    pub(crate) fn with(self, sender: Rc<Sender>) -> Self {
        self.known
            .borrow_mut()
            .insert(sender.name(), Some(Ok(sender)));
        self
    }

    /// Returns the sender of a name; `None` if the current config has none.
    pub(crate) fn get(&self, name: &SenderName) -> KnownSender {
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let sender = self.make(name);
        self.known.borrow_mut().insert(name.clone(), sender.clone());
        sender
    }

    /// Returns the maximum age of messages whose sender is not in the config.
    pub(crate) fn max_age(&self) -> Duration {
        let settings = self.config.settings(None).ok();
        settings.map_or(MAX_AGE, |settings| settings.outbox.max_age)
    }

    fn make(&self, name: &SenderName) -> KnownSender {
        let profile = name.profile.as_deref();
        if profile.is_some_and(|name| !self.config.profiles().any(|known| known == name)) {
            return None;
        }
        let settings = match &name.account {
            outbox::SenderAccount::App(_) => self.config.settings_of(profile),
            outbox::SenderAccount::Robot(robot) if !self.config.has_robot(robot) => return None,
            outbox::SenderAccount::Robot(robot) => self.config.robot_of(profile, robot),
        };
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => return Some(Err(error.into())),
        };
        if Sender::name_of(&settings) != *name {
            return None;
        }
        let sender = Sender::new(settings, Some(self.state)).map(Rc::new);
        let failed = |error: anyhow::Error| {
            error
                .downcast()
                .unwrap_or_else(|error| Failure::new(Exit::Config, format!("{error:#}")))
        };
        Some(sender.map_err(failed))
    }
}
