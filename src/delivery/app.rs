//! One app: all that it takes to send in its name.

use std::rc::Rc;

use crate::config::{Settings, State};
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
