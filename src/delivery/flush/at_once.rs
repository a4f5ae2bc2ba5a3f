//! Several requests at once: while everything passes, messages to different recipients need not wait
//! for each other's answers. As soon as something is refused, one goes at a time again.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::audiences::meet;
use super::super::flights::Flights;
use super::super::reason::Obstacle;
use super::super::request::ReadyRequest;
use super::super::retry::Tries;
use super::super::{Part, Sender, audience};
use super::Flush;
use super::dispatch::Dispatch;
use crate::disk::Dir;
use crate::lang::Lang;
use crate::outbox::{Attempts, Entry, SenderName};
use crate::token::AccessToken;
use crate::wecom::{Class, Error, Sent};

/// The requests of all senders that are under way.
pub(super) type AllFlights = HashMap<SenderName, SenderFlights>;

/// The requests of one sender.
pub(super) struct SenderFlights {
    sender: Rc<Sender>,
    flights: Flights<Flying>,
    /// The token of these requests.
    token: Option<AccessToken>,
    /// Those whose token was refused, to be sent again alone.
    again: Vec<Dispatch>,
}

/// A message under way.
struct Flying {
    message: Dispatch,
    request: ReadyRequest,
    tries: Tries,
}

impl Flush<'_> {
    /// Handles answers until a message may be sent beside what is then still under way: all answers,
    /// unless it is an ordinary one to other recipients.
    pub(super) fn make_way(&mut self, dir: &Arc<Dir>, entry: &Entry, attempts: &Attempts) {
        let name = &entry.sender;
        loop {
            let is_ordinary = self.is_ordinary(entry, attempts);
            let Some(flying) = self.flights.get(name) else {
                return;
            };
            let message = &entry.messages[0];
            let to = audience(message);
            let is_in_way = |it: &Flying| {
                let other = &it.message;
                other.entry.messages[0].channel == message.channel && meet(&other.to, &to)
            };
            let is_free = flying.flights.free_lane().is_some() && flying.again.is_empty();
            if is_ordinary && is_free && !flying.flights.iter().any(is_in_way) {
                return;
            }
            if !self.land(dir, name) {
                return;
            }
        }
    }

    /// Sends a message beside others if it is an ordinary one, and else alone, unless an answer to
    /// the others shows that nothing more is to be sent.
    pub(super) fn dispatch(&mut self, dir: &Arc<Dir>, message: Dispatch) {
        let name = message.entry.sender.clone();
        let attempts = message.kept.attempts();
        if self.is_ordinary(&message.entry, &attempts) {
            return self.start(dir, message);
        }
        while self.land(dir, &name) {}
        if !self.turn(&name).is_stopped() {
            self.deliver(dir, &message);
        }
    }

    /// Handles all answers, and syncs the removals.
    pub(super) fn land_all(&mut self, dir: &Arc<Dir>) {
        let names: Vec<SenderName> = self.flights.keys().cloned().collect();
        for name in names {
            while self.land(dir, &name) {}
        }
        self.flights.clear();
        self.removals.sync();
    }

    /// Whether a message needs nothing but one request, and there is no doubt about its sender.
    fn is_ordinary(&mut self, entry: &Entry, attempts: &Attempts) -> bool {
        let [message] = &*entry.messages else {
            return false;
        };
        let is_new = !attempts.may_have_arrived()
            && !attempts.lost
            && !attempts.noted
            && !attempts.suspected
            && attempts.passed_over == 0
            && attempts.unknown_codes == 0;
        let is_fit = self.bounds.at_once
            && is_new
            && message.attachment.is_none()
            && self.turn(&entry.sender).passes();
        is_fit && {
            let expired = self.snapshot().pending_notices(&entry.sender, &message.to);
            // A line that must be sent before it is a request of its own.
            let line = |lang| (self.wording.late)(lang, "2026-11-30 07:41:00 +08:00");
            let has_room = |lang| message.has_room_for(&line(lang));
            expired.count() == 0 && has_room(Lang::Zh) && has_room(Lang::En)
        }
    }

    fn start(&mut self, dir: &Arc<Dir>, message: Dispatch) {
        let name = message.entry.sender.clone();
        let sender = Rc::clone(&message.sender);
        let flying = self.flights.entry(name).or_insert_with(|| SenderFlights {
            sender: Rc::clone(&sender),
            flights: Flights::default(),
            token: None,
            again: Vec::new(),
        });
        let Some(lane) = flying.flights.free_lane() else {
            return;
        };
        let delivery = message.delivery(self.bounds, self.share);
        let banner = message.banner(false, 0, self.wording);
        let part = Part::alone(&message.entry, &message.kept, Some(banner));
        let mut tries = delivery.tries(None);
        let ready = delivery.ready_beside(lane, &part, &mut flying.token, &mut tries);
        match ready {
            Ok((request, sending)) => {
                let flight = Flying {
                    message,
                    request,
                    tries,
                };
                flying.flights.start(&sender.client, lane, flight, sending);
            }
            Err(why) => self.undelivered(dir, &message, tries.give_up(why)),
        }
    }

    /// Waits for an answer to a sender's requests, and handles it; returns whether one was under way.
    pub(super) fn land(&mut self, dir: &Arc<Dir>, name: &SenderName) -> bool {
        let Some(flying) = self.flights.get_mut(name) else {
            return false;
        };
        if let Some((flight, result)) = flying.flights.land(&flying.sender.client) {
            self.landed(dir, flight, result);
            return true;
        }
        let again = std::mem::take(&mut flying.again);
        flying.token = None;
        for message in &again {
            if !self.turn(name).is_stopped() {
                self.deliver(dir, message);
            }
        }
        !again.is_empty()
    }

    fn landed(&mut self, dir: &Arc<Dir>, flight: Flying, result: Result<Sent, Error>) {
        let Flying {
            message,
            request,
            mut tries,
        } = flight;
        let delivery = message.delivery(self.bounds, self.share);
        let part = Part::alone(&message.entry, &message.kept, None);
        match delivery.answered(part.message, &part, request, result, &mut tries) {
            Ok(sent) => {
                if let Some(held) = message.held() {
                    self.removals.add(held);
                }
                self.delivered(&message, &sent.unreached);
            }
            Err(Obstacle::Call(error)) if error.class == Class::Token => {
                let flying = self.flights.get_mut(&message.entry.sender);
                if let Some(flying) = flying {
                    flying.again.push(message);
                }
            }
            Err(why) => {
                self.undelivered(dir, &message, tries.give_up(why));
                let has_fallback = message.sender.settings.fallback.is_some();
                if has_fallback && self.turn(&message.entry.sender).setup().is_some() {
                    // The fallback is given it in another pass.
                    self.next(Duration::ZERO);
                }
            }
        }
    }
}
