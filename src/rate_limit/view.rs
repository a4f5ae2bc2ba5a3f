//! What one app knows of the ledger: the whole file at first, then only what was added to it.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use super::audience::{Audience, Fingerprint};
use super::lines::{AppLine, SentMessage, SlotLines};
use super::times::{HOUR, Times};
use crate::clock::{Stamp, millis};
use crate::config::Limits;
use crate::disk::{LockedFile, lossy};

/// Most that two readings of two clocks may differ, in ms: messages this close have no order.
const APART_MIN: u64 = 2;

/// How long the file is only read on, before the whole of it is read again: then what no longer
/// counts is dropped from it, and from memory.
const READ_ON_MAX: Duration = Duration::from_mins(1);

/// The bytes before the end of what was read, by which a file is recognised.
const MARK: usize = 256;

/// The slots and messages of one app.
#[derive(Debug)]
pub(super) struct LedgerView {
    pub(super) times: Times,
    /// The one question that it can answer: recipients, and a message's digest. `None` for any.
    only: Option<(Audience, Option<u32>)>,
    /// The messages to each member and to `*` that were accepted after all later ones.
    newest: HashMap<String, Vec<SentMessage>>,
    /// The last message with a digest, and the last of another acceptance before it.
    equal: HashMap<u32, (SentMessage, Option<SentMessage>)>,
    read_at: Stamp,
    end: u64,
    mark: Vec<u8>,
}

/// The ledger's facts about a message that is about to be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Others {
    /// How much later the newest message already sent to one of its recipients was accepted.
    pub(crate) overtaken_by: Option<Duration>,
    /// How long ago the last equal message was sent.
    pub(crate) equal: Option<Duration>,
}

impl LedgerView {
    /// Returns the view of the lines of a whole file.
    pub(super) fn new(
        lines: &SlotLines<'_>,
        app: &str,
        limits: Limits,
        only: Option<(&Audience, Option<&Fingerprint>)>,
    ) -> Self {
        let times = match only {
            Some((audience, _)) => Times::of(audience, limits),
            None => Times::of_all(limits),
        };
        let mut view = Self {
            times,
            only: only.map(|(audience, own)| (audience.clone(), own.map(|own| own.digest))),
            newest: HashMap::new(),
            equal: HashMap::new(),
            read_at: lines.now,
            end: 0,
            mark: Vec::new(),
        };
        lines.of(app).for_each(|line| view.add(&line));
        view
    }

    /// Remembers that `text` is the file from its beginning or from some later line to its end.
    pub(super) fn ends_with(mut self, text: &str, end: u64) -> Self {
        let bytes = text.as_bytes();
        self.mark = bytes[bytes.len().saturating_sub(MARK)..].to_vec();
        self.end = end;
        self
    }

    /// Whether it can answer questions about this message to these recipients.
    pub(super) fn knows(&self, audience: &Audience, own: Option<&Fingerprint>) -> bool {
        let own = own.map(|own| own.digest);
        let is_it = |(to, digest): &(Audience, _)| to == audience && *digest == own;
        self.only.as_ref().is_none_or(is_it)
    }

    /// Reads on in the same file; returns whether that was enough. Otherwise the whole file must be
    /// read: it was replaced, an earlier slot was given back, or a clock was set.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read_on(
        &mut self,
        file: &LockedFile<'_>,
        app: &str,
        now: Stamp,
    ) -> io::Result<bool> {
        let age = self.read_at.steady_age(&now);
        if age.is_none_or(|age| age >= READ_ON_MAX) {
            return Ok(false);
        }
        let Some(bytes) = file.after(&self.mark, self.end)? else {
            return Ok(false);
        };
        if bytes.is_empty() {
            return Ok(true);
        }
        let text = lossy(bytes);
        let lines = SlotLines::read(&text, now);
        if lines.in_future || lines.cancels_earlier {
            return Ok(false);
        }
        lines.of(app).for_each(|line| self.add(&line));
        self.mark.extend(text.as_bytes());
        let most = self.mark.len().saturating_sub(MARK);
        self.mark.drain(..most);
        self.end = file.len();
        Ok(true)
    }

    fn add(&mut self, line: &AppLine<'_>) {
        if line.names == "*" {
            self.times.add_everyone(line.taken);
            self.add_newest("*", line);
        } else {
            let names = line.names.split('|').filter(|name| !name.is_empty());
            for name in names {
                if self.times.add(name, line.taken) {
                    self.add_newest(name, line);
                }
            }
        }
        let Some(message) = line.message else { return };
        let is_asked = |(_, digest): &(_, Option<u32>)| *digest == Some(message.digest);
        if !self.only.as_ref().is_none_or(is_asked) {
            return;
        }
        let last = self.equal.entry(message.digest).or_insert((message, None));
        if last.0.accepted != message.accepted {
            last.1 = Some(last.0);
        }
        last.0 = message;
    }

    fn add_newest(&mut self, name: &str, line: &AppLine<'_>) {
        let Some(message) = line.message else { return };
        let newest = match self.newest.get_mut(name) {
            Some(newest) => newest,
            None => self.newest.entry(name.to_owned()).or_default(),
        };
        while newest
            .pop_if(|it| it.accepted_at <= message.accepted_at)
            .is_some()
        {}
        newest.push(message);
    }

    /// Returns the ledger's facts about a message of the app to these recipients.
    pub(super) fn others(&self, audience: &Audience, own: &Fingerprint, now: Stamp) -> Others {
        let own_age = own.accepted.age(&now).map_or(0, millis);
        let own_accepted = now.wall.saturating_sub(own_age);
        let counts = |it: &&SentMessage| {
            it.accepted != own.accepted.wall && it.taken.until.saturating_add(HOUR) > now.wall
        };
        let newer_by = |newest: &Vec<SentMessage>| {
            let newest = newest.iter().find(counts)?;
            Some(newest.accepted_at.saturating_sub(own_accepted))
        };
        let newer_by = match audience {
            Audience::Everyone => self.newest.values().filter_map(newer_by).max(),
            Audience::Members(names) => {
                let names = names.iter().map(String::as_str).chain(["*"]);
                names
                    .filter_map(|name| newer_by(self.newest.get(name)?))
                    .max()
            }
        };
        let newer_by = newer_by.filter(|by| *by > APART_MIN);
        let equal = self.equal.get(&own.digest);
        let equal = equal.and_then(|(last, before)| {
            let both = [Some(last), before.as_ref()];
            both.into_iter().flatten().find(counts)
        });
        Others {
            overtaken_by: newer_by.map(Duration::from_millis),
            equal: equal
                .map(|equal| Duration::from_millis(now.wall.saturating_sub(equal.taken.at))),
        }
    }
}
