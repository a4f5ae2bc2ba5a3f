//! The apps of a config, and all that it takes to send in the name of one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::config::{Config, Settings, State};
use crate::error::{Exit, Failure};
use crate::ledger::{Forecast, Ledger};
use crate::outbox::AppName;
use crate::secret::digest;
use crate::token::Tokens;
use crate::wecom::Client;

/// An app, ready to send; its connection is opened at the first request and kept.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(super) agentid: u32,
    pub(super) client: Rc<Client>,
    pub(super) tokens: Tokens,
    pub(super) ledger: Option<Ledger>,
}

impl App {
    /// The app that the settings name, its token and ledger in `state` where there is one.
    ///
    /// # Errors
    /// `Exit::Config`: no agentid, or a network setting that cannot be used.
    pub(crate) fn new(settings: Settings, state: Option<&State>) -> anyhow::Result<Self> {
        let agentid = settings.agentid()?;
        let client = Rc::new(Client::new(&settings.network, &settings.corpsecret)?);
        let tokens = Tokens::new(&client, &settings, state);
        let name = Self::name_of(&settings);
        let key = digest(&[&name.api_base, &name.corpid, &agentid.to_string()]);
        let ledger = state.map(|state| Ledger::new(state, key[..16].to_owned(), settings.limits));
        Ok(Self {
            settings,
            agentid,
            client,
            tokens,
            ledger,
        })
    }

    /// When its receivers may have more; none where nobody counts.
    pub(crate) fn forecast(&self) -> Option<Forecast> {
        self.ledger.as_ref()?.forecast().ok()
    }

    /// What the outbox knows it by.
    pub(crate) fn name(&self) -> AppName {
        Self::name_of(&self.settings)
    }

    /// What the outbox knows the app of these settings by.
    pub(crate) fn name_of(settings: &Settings) -> AppName {
        AppName {
            profile: settings.profile.clone(),
            corpid: settings.corpid.clone(),
            api_base: settings.network.api_base.shown().to_owned(),
        }
    }
}

/// None: the config of the day does not have it. An error: it does, and it cannot be used.
type Known = Option<Result<Rc<App>, Failure>>;

/// The apps of a config, made as they are needed.
pub(crate) struct Apps<'a> {
    config: &'a Config,
    state: &'a State,
    known: RefCell<BTreeMap<AppName, Known>>,
}

impl<'a> Apps<'a> {
    /// The apps of a config, with their state in `state`.
    pub(crate) fn of(config: &'a Config, state: &'a State) -> Self {
        let known = RefCell::default();
        Self {
            config,
            state,
            known,
        }
    }

    /// Puts in one that is there already, with its connection.
    pub(crate) fn with(self, app: Rc<App>) -> Self {
        self.known.borrow_mut().insert(app.name(), Some(Ok(app)));
        self
    }

    /// The app of a name; none if the config of the day has none such.
    pub(crate) fn get(&self, name: &AppName) -> Known {
        if let Some(known) = self.known.borrow().get(name) {
            return known.clone();
        }
        let app = self.make(name);
        self.known.borrow_mut().insert(name.clone(), app.clone());
        app
    }

    fn make(&self, name: &AppName) -> Known {
        let profile = name.profile.as_deref();
        if profile.is_some_and(|name| !self.config.profiles().any(|known| known == name)) {
            return None;
        }
        let settings = match self.config.settings_of(profile) {
            Ok(settings) => settings,
            Err(failure) => return Some(Err(failure)),
        };
        if App::name_of(&settings) != *name {
            return None;
        }
        let app = App::new(settings, Some(self.state)).map(Rc::new);
        let failed = |error: anyhow::Error| {
            error
                .downcast()
                .unwrap_or_else(|error| Failure::new(Exit::Config, format!("{error:#}")))
        };
        Some(app.map_err(failed))
    }
}
