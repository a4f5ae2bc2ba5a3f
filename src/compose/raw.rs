//! Messages in raw JSON of WeCom's API.

use serde_json::{Map, Value};

use super::{ComposeError, Composed, Composing};
use crate::config::Account;
use crate::message::{Channel, Message, MessageOptions};

impl Composing<'_> {
    /// Composes raw JSON: its own fields have priority, and missing ones are added.
    pub(super) fn raw(
        mut self,
        mut fields: Map<String, Value>,
        asked_safe: bool,
        wanted: MessageOptions,
    ) -> Result<Composed, ComposeError> {
        self.check_agentid(fields.remove("agentid"))?;
        let text = Value::from(fields.clone()).to_string();
        let has = |key: &str| fields.contains_key(key);
        let names_recipients = names_recipients(self.channel, &fields);
        let (has_safe, has_id_trans) = (has("safe"), has("enable_id_trans"));
        let has_dedupe = has("enable_duplicate_check");
        let msgtype = fields.get("msgtype").and_then(Value::as_str);
        let safe = self.is_safe(msgtype.unwrap_or_default(), None, asked_safe)?;
        let Some(mut message) = Message::read(self.channel, fields) else {
            unreachable!("the caller has seen its msgtype");
        };
        let options = &mut message.options;
        if !has_safe {
            options.safe = safe.then_some(1);
        }
        if !has_id_trans {
            options.enable_id_trans = wanted.enable_id_trans;
        }
        if !has_dedupe {
            options.enable_duplicate_check = wanted.enable_duplicate_check;
            options.duplicate_check_interval = wanted.duplicate_check_interval;
        }
        let messages = if names_recipients || self.channel == Channel::Robot {
            vec![message]
        } else {
            let to = self.settings.to.split().into_iter();
            to.map(|to| Message {
                to,
                ..message.clone()
            })
            .collect()
        };
        self.finish(messages, 1, text)
    }

    /// Checks the agentid: the token is only for the app in the config.
    fn check_agentid(&self, named: Option<Value>) -> Result<(), ComposeError> {
        let (Some(named), Account::App(app)) = (named, &self.settings.account) else {
            return Ok(());
        };
        let config = self
            .settings
            .agentid(app)
            .map_err(ComposeError::NoAgentid)?;
        let message = named
            .as_str()
            .map_or_else(|| named.to_string(), str::to_owned);
        if message == config.to_string() {
            Ok(())
        } else {
            Err(ComposeError::OtherAgentid { message, config })
        }
    }
}

/// Whether raw JSON names recipients; an empty list does not.
pub(super) fn names_recipients(channel: Channel, fields: &Map<String, Value>) -> bool {
    channel
        .recipient_fields()
        .iter()
        .any(|key| fields.get(*key).is_some_and(|value| *value != ""))
}
