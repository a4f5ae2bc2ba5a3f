//! Checks whether each recipient of the config is reachable: in the app's 可见范围, and active.
//!
//! If WeCom does not let the app query one, it is reported as unknown.

use std::time::Instant;

use super::app::AppAccess;
use super::report::Steps;
use crate::config::Config;
use crate::message::Recipients;
use crate::text::check::recipients::{self as words, Origin, Reach, RecipientId};
use crate::wecom::{Agent, Class, Error, MemberStatus, codes};

/// The most recipients that are queried, to spare WeCom's limits.
const MOST: usize = 30;

/// Tests the recipients of the settings and of `[mail]`, and the one of `--send`.
pub(super) fn all(
    config: &Config,
    app: &AppAccess,
    user: Option<&Recipients>,
    deadline: Instant,
    report: &mut Steps,
) {
    let mut recipients = Vec::new();
    if let Ok(settings) = config.settings(None) {
        if settings.to == Recipients::all() {
            everyone(config, app, report);
        } else {
            add(&mut recipients, &settings.to, || Origin::Settings);
        }
    }
    for (pattern, to) in config.mail_lines() {
        add(&mut recipients, to, || Origin::Mail(pattern.to_owned()));
    }
    if let Some(user) = user {
        add(&mut recipients, user, || Origin::Option);
    }
    let mut lookup = Lookup {
        app,
        deadline,
        parties: None,
    };
    for (origin, id) in recipients.iter().take(MOST) {
        let reach = lookup.reach(id);
        let finding = words::recipient(origin, id, &reach);
        match reach {
            Reach::Active | Reach::InScope | Reach::TagOf(_) => {
                report.fine("recipient", finding.what);
            }
            Reach::Unknown(_) => report.doubt("recipient", finding),
            _ => report.wrong("recipient", finding),
        }
    }
    if recipients.len() > MOST {
        let doubt = words::too_many_recipients(recipients.len() - MOST, MOST);
        report.doubt("recipient", doubt);
    }
}

/// Adds the given recipients, without duplicates.
fn add(recipients: &mut Vec<(Origin, RecipientId)>, to: &Recipients, origin: impl Fn() -> Origin) {
    let users = to.touser.iter().filter(|_| *to != Recipients::all());
    let users = users.map(|id| RecipientId::Member(id.clone()));
    let parties = to.toparty.iter().map(|id| RecipientId::Party(id.clone()));
    let tags = to.totag.iter().map(|id| RecipientId::Tag(id.clone()));
    for id in users.chain(parties).chain(tags) {
        if !recipients.iter().any(|(_, known)| id.is(known)) {
            recipients.push((origin(), id));
        }
    }
}

/// Reports which members `@all` reaches.
fn everyone(config: &Config, app: &AppAccess, report: &mut Steps) {
    let whose = words::everyone(config.names_recipients());
    match &app.agent {
        Some(agent) if agent.sees_nobody() => {
            report.left(&["recipient"], words::everyone_none(whose));
        }
        Some(agent) => {
            let scope = words::scope(agent);
            report.fine("recipient", words::everyone_of(whose, scope));
        }
        None => report.doubt("recipient", words::everyone_unknown(whose)),
    }
}

impl RecipientId {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Member(id), Self::Member(other)) => id.eq_ignore_ascii_case(other),
            _ => self == other,
        }
    }

    /// Whether the app's 可见范围 lists the recipient; `None` if another entry may include it.
    fn is_in_scope(&self, agent: &Agent) -> Option<bool> {
        let is_listed = match self {
            Self::Member(id) => agent.users.iter().any(|it| it.eq_ignore_ascii_case(id)),
            Self::Party(id) => agent.parties.contains(id),
            Self::Tag(id) => agent.tags.contains(id),
        };
        let is_member = matches!(self, Self::Member(_));
        let is_all = is_member && agent.parties.is_empty() && agent.tags.is_empty();
        (is_listed || is_all).then_some(is_listed)
    }

    /// Returns the reachability by WeCom's refusal; `None` if the refusal concerns something else.
    fn by_refusal(&self, error: &Error) -> Option<Reach> {
        let errcode = error.refusal()?.errcode;
        match self {
            Self::Member(_) if !codes::is_out_of_reach(errcode) => None,
            Self::Member(_) if error.class == Class::Recipients => Some(Reach::NoMember),
            Self::Member(_) => Some(Reach::NotInScope),
            Self::Tag(_) => codes::is_unknown_tag(errcode).then_some(Reach::NoTag),
            Self::Party(_) => None,
        }
    }
}

/// The queries to WeCom about recipients.
struct Lookup<'a> {
    app: &'a AppAccess,
    deadline: Instant,
    /// The departments that the app sees, once requested.
    parties: Option<Result<Vec<String>, Error>>,
}

impl Lookup<'_> {
    fn reach(&mut self, id: &RecipientId) -> Reach {
        let error = match self.ask(id) {
            Ok(reach) => return reach,
            Err(error) => error,
        };
        let by_scope = || {
            let is_in_scope = id.is_in_scope(self.app.agent.as_ref()?)?;
            Some(if is_in_scope {
                Reach::InScope
            } else {
                Reach::NotInScope
            })
        };
        let known = id.by_refusal(&error).or_else(by_scope);
        known.unwrap_or_else(|| Reach::Unknown(error.failure().what))
    }

    fn ask(&mut self, id: &RecipientId) -> Result<Reach, Error> {
        let (client, pass) = self.app.client();
        Ok(match id {
            RecipientId::Member(id) => match client.member(pass, id, self.deadline)? {
                MemberStatus::Active => Reach::Active,
                MemberStatus::Unknown => Reach::InScope,
                MemberStatus::Unjoined => Reach::Unjoined,
                MemberStatus::Disabled => Reach::Disabled,
                MemberStatus::Left => Reach::Left,
            },
            RecipientId::Party(id) => {
                let asked = || client.departments(pass, self.deadline);
                let parties = self.parties.get_or_insert_with(asked).clone()?;
                if parties.contains(id) {
                    Reach::InScope
                } else {
                    Reach::NoParty
                }
            }
            RecipientId::Tag(id) => match client.tag(pass, id, self.deadline)? {
                0 => Reach::EmptyTag,
                count => Reach::TagOf(count),
            },
        })
    }
}
