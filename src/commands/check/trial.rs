//! Sends a test message.

use std::time::Duration;

use super::report::Steps;
use crate::commands;
use crate::commands::submit::{Submitting, composed, guard};
use crate::compose::{Body, Composed, Draft};
use crate::config::{self, Config, State};
use crate::cron;
use crate::error::Failure;
use crate::message::{Channel, Long, Recipients, TextKind};
use crate::text;

/// Sends a message to one member in the ordinary way; as a test, it is never spooled.
pub(super) fn send(
    config: &Config,
    state: Option<&State>,
    to: Recipients,
    time: Duration,
    report: &mut Steps,
) {
    let user = to.describe();
    match sent(config, state, to, time) {
        Ok(msgid) => report.fine("send", text::check::sent(user, msgid)),
        Err(failure) => report.wrong("send", failure),
    }
}

fn sent(
    config: &Config,
    state: Option<&State>,
    to: Recipients,
    time: Duration,
) -> Result<String, Failure> {
    // A test of the app: its robot would hide what is wrong.
    let settings = config::Settings {
        fallback: None,
        ..config.settings(Some(to))?
    };
    let text = text::check::trial(settings.phone_lang, config::hostname());
    let draft = Draft {
        channel: Channel::App,
        body: Body::Text {
            kind: TextKind::Text,
            title: None,
            text,
            byline: None,
            from_outside: false,
            incomplete: false,
            mentions: Default::default(),
            files: Vec::new(),
            name: "test",
        },
        safe: false,
        id_trans: false,
        dedupe: None,
        long: Long::Truncate,
        keep: false,
    };
    let Composed { messages, .. } = {
        let guard = guard(config, &settings, state);
        composed(draft, &settings, &guard)?
    };
    let submitting = Submitting {
        config,
        settings,
        state: state.ok_or_else(String::new),
        time,
        keep: false,
        kept_ok: false,
        urgent: true,
        output: None,
    };
    let outcome = submitting.submit(|submission| submission.send(messages))?;
    commands::report::Report::of(outcome, || cron::flush_command(config)).result()
}
