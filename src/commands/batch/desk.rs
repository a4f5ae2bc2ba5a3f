//! The senders of a batch, each made once, with what its messages are composed by.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::LineTag;
use super::line::LineOrder;
use crate::commands::recipients;
use crate::commands::submit::{composed, guard};
use crate::compose::Composed;
use crate::config::{Config, Settings, State};
use crate::delivery::{BatchDelivery, BatchOrder, Sender, SenderNumber};
use crate::error::Failure;
use crate::message::{Message, Recipients};
use crate::secret::Redactor;
use crate::text::batch as words;
use crate::text::send::empty;

/// How long what hides secrets counts: the token changes.
const GUARD_KEPT: Duration = Duration::from_mins(1);

/// The senders, by profile and robot.
pub(super) struct Desks<'a> {
    config: &'a Config,
    /// Whether nothing is kept.
    no_outbox: bool,
    /// Whether nothing is sent.
    accept_only: bool,
    /// The robot of messages without recipients, if there is no app.
    robot: Option<String>,
    known: HashMap<(Option<String>, Option<String>), Desk>,
}

struct Desk {
    number: SenderNumber,
    /// The settings, with the recipients of the message at hand.
    settings: Settings,
    /// The recipients of a message that names none.
    default_to: Recipients,
    state: Result<State, String>,
    keep: bool,
    guard: (Redactor, Instant),
}

impl<'a> Desks<'a> {
    pub(super) fn new(
        config: &'a Config,
        no_outbox: bool,
        accept_only: bool,
        robot: Option<String>,
    ) -> Self {
        Self {
            config,
            no_outbox,
            accept_only,
            robot,
            known: HashMap::new(),
        }
    }

    /// Composes the message of a line, and adds it to the batch.
    ///
    /// # Errors
    /// The failure of the line.
    pub(super) fn add(
        &mut self,
        tag: &mut Option<LineTag>,
        line: LineOrder,
        batch: &mut BatchDelivery<'_, LineTag>,
    ) -> Result<(), Failure> {
        let names_recipients = line.to.is_some() || line.robot.is_some();
        let robot = match line.to {
            None => line.robot.or_else(|| self.robot.clone()),
            Some(_) => line.robot,
        };
        let accept_only = self.accept_only;
        let desk = self.desk(line.profile, robot, batch)?;
        if line.once.is_some() && !desk.keep {
            return Err(words::once_unkept());
        }
        desk.settings.to = line.to.unwrap_or_else(|| desk.default_to.clone());
        let Some(draft) = line.intent.draft(line.text, desk.keep)? else {
            return Err(empty());
        };
        if names_recipients && draft.names_recipients() {
            return Err(words::raw_recipients());
        }
        let Composed { messages, .. } = composed(draft, &desk.settings, &desk.guard.0)?;
        let Some(of) = tag.take() else {
            return Ok(());
        };
        tracing::info!(
            command = "batch",
            line = of.line,
            to = to(&desk.settings, &messages),
            parts = messages.len(),
            "start"
        );
        batch.add(BatchOrder {
            of,
            sender: desk.number,
            messages,
            once: line.once,
            urgent: line.urgent,
            queue: line.queue || accept_only,
        });
        Ok(())
    }

    fn desk(
        &mut self,
        profile: Option<String>,
        robot: Option<String>,
        batch: &mut BatchDelivery<'_, LineTag>,
    ) -> Result<&mut Desk, Failure> {
        let in_force = self.config.profile_in_force().map(str::to_owned);
        let key = (profile.filter(|it| Some(it) != in_force.as_ref()), robot);
        let desk = match self.known.remove(&key) {
            Some(mut desk) => {
                if desk.guard.1.elapsed() > GUARD_KEPT {
                    desk.guard = guard_of(self.config, &desk.settings, &desk.state);
                }
                desk
            }
            None => self.opened(key.0.as_deref(), key.1.as_deref(), batch)?,
        };
        Ok(self.known.entry(key).or_insert(desk))
    }

    fn opened(
        &self,
        profile: Option<&str>,
        robot: Option<&str>,
        batch: &mut BatchDelivery<'_, LineTag>,
    ) -> Result<Desk, Failure> {
        let config = self.config;
        let settings = || {
            recipients::complete(match (profile, robot) {
                (None, None) => config.settings(None)?,
                (None, Some(robot)) => config.robot(robot)?,
                (profile, None) => config.settings_of(profile)?,
                (profile, Some(robot)) => config.robot_of(profile, robot)?,
            })
        };
        // The sender keeps its own.
        let (settings, of_sender) = (settings()?, settings()?);
        let state = settings.base.state().map_err(|place| place.to_string());
        let keep = settings.outbox.enabled && !self.no_outbox;
        let sender = Sender::new(of_sender, state.as_ref().ok()).map_err(Failure::of)?;
        Ok(Desk {
            number: batch.add_sender(sender, state.clone(), keep),
            guard: guard_of(config, &settings, &state),
            default_to: settings.to.clone(),
            settings,
            state,
            keep,
        })
    }
}

fn guard_of(
    config: &Config,
    settings: &Settings,
    state: &Result<State, String>,
) -> (Redactor, Instant) {
    let guard = guard(config, settings, state.as_ref().ok());
    (guard, Instant::now())
}

/// Returns the recipients for a log.
fn to(settings: &Settings, messages: &[Message]) -> String {
    match messages {
        [message] => message.to.describe(),
        _ => settings.to.describe(),
    }
}
