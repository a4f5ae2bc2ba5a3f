//! The rate limiter: WeCom silently drops messages beyond 30 a minute or 1000 an hour from one app
//! to one member.
//! Source: developer.work.weixin.qq.com/document/path/90236 and 90454.
//!
//! All processes with the same state directory share one file, `ledger`; each takes a slot in it,
//! under its lock, before it sends. Not synced: after a power cut the minute is over.

mod audience;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod lines;
mod times;
mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::{Stamp, millis, time_of, unix_ms};
use crate::config::{Limits, State};
use crate::disk::{self, Dir, FileError, LockedFile};
pub(crate) use audience::{Audience, Fingerprint, Share};
use lines::SlotLines;
use times::Times;
use view::LedgerView;
pub(crate) use view::Others;

/// The file's name.
const NAME: &str = "ledger";

/// Longest wait for the lock, in case a process was stopped while holding it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The slot of a longer request is moved to the request's end: WeCom counts messages on arrival,
/// and a window has a second to spare.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// How long WeCom may still accept a request that ended without an answer: a relay or gateway
/// passes on what it has read, for nginx's default of a minute (`proxy_read_timeout`).
const IN_DOUBT_FOR: Duration = Duration::from_mins(1);

/// File size in bytes from which the file is rewritten if half of it no longer counts.
const TIDY_FROM: u64 = 64 << 10;

/// File size in bytes from which the file is rewritten in any case.
const SIZE_MAX: u64 = 32 << 20;

/// Most bytes read from its end: a larger file was damaged or filled by someone else.
const READ_MAX: u64 = 2 * SIZE_MAX;

/// The right to send one message now.
#[derive(Debug)]
#[must_use = "settle it, or give it back"]
pub(crate) struct Slot {
    at: Stamp,
    pub(crate) others: Others,
    /// Its text in the file.
    text: String,
    taken: Instant,
}

/// The ledger, as seen by one app.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    dir: Arc<Dir>,
    app: String,
    limits: Limits,
    /// What is known of the file; empty before the first look at it.
    view: RefCell<Option<LedgerView>>,
}

impl RateLimiter {
    /// Returns the ledger in a state directory; `app` is a digest of the app, 16 hexadecimal
    /// digits.
    pub(crate) fn new(state: &State, app: String, limits: Limits) -> Self {
        Self {
            dir: Arc::clone(state.dir()),
            app,
            limits,
            view: RefCell::default(),
        }
    }

    /// Takes a slot for one message, or returns the time until one may be free.
    ///
    /// # Errors
    /// An I/O error, also if the file is not ours, or if its lock is held for `patience` (at most 2
    /// s).
    pub(crate) fn reserve(
        &self,
        audience: &Audience,
        share: Share,
        message: Option<&Fingerprint>,
        patience: Duration,
    ) -> io::Result<Result<Slot, Duration>> {
        self.reserve_at(audience, share, message, patience, Stamp::now)
    }

    fn reserve_at(
        &self,
        audience: &Audience,
        share: Share,
        message: Option<&Fingerprint>,
        patience: Duration,
        clock: impl Fn() -> Stamp,
    ) -> io::Result<Result<Slot, Duration>> {
        let file = self.lock(patience.min(PATIENCE))?;
        // Read the clock only now: waiting for the lock may have taken time.
        let now = clock();
        let mut view = self.view.borrow_mut();
        let is_known = match &mut *view {
            Some(view) if file.len() <= SIZE_MAX && view.knows(audience, message) => {
                view.read_on(&file, &self.app, now)?
            }
            _ => false,
        };
        let mut rewritten = None;
        let view = match &mut *view {
            Some(view) if is_known => view,
            view => {
                let text = file.tail(READ_MAX)?;
                let lines = SlotLines::read(&text, now);
                let half = lines.bytes as u64 * 2 <= file.len();
                let is_due = file.len() > SIZE_MAX || file.len() > TIDY_FROM && half;
                if lines.in_future || is_due {
                    rewritten = Some((lines.in_future, lines.rewritten()));
                }
                // One message needs no view of all.
                let only = view.is_none().then_some((audience, message));
                let anew = LedgerView::new(&lines, &self.app, self.limits, only);
                view.insert(anew.ends_with(&text, file.len()))
            }
        };
        let free = view.times.earliest(audience, share, now.wall);
        if free > now.wall {
            if let Some((true, kept)) = &rewritten {
                file.replace(kept)?;
            }
            return Ok(Err(Duration::from_millis(free - now.wall)));
        }
        let others = message.map(|own| view.others(audience, own, now));
        let slot = Slot {
            at: now,
            others: others.unwrap_or_default(),
            text: lines::slot(&self.app, share, message, audience),
            taken: Instant::now(),
        };
        let line = lines::taken(now, &slot.text);
        match rewritten {
            // A clock set back has to be handled, so an error here is fatal.
            Some((true, kept)) => file.replace(&(kept + &line))?,
            Some((false, kept)) if file.replace(&format!("{kept}{line}")).is_ok() => {}
            // Even if the file could not be rewritten, the slot is taken.
            _ => file.append(&line)?,
        }
        Ok(Ok(slot))
    }

    /// Gives back the slot of a request that never left; if that fails, the slot stays taken.
    pub(crate) fn give_back(&self, slot: Slot) {
        self.note(&lines::given_back(slot.at, &slot.text));
    }

    /// Settles the slot of an answered request. The slot of a long request counts from now on,
    /// since the message may have arrived only now.
    pub(crate) fn settle(&self, slot: Slot) {
        self.settle_at(slot, Stamp::now);
    }

    fn settle_at(&self, slot: Slot, clock: impl Fn() -> Stamp) {
        if slot.taken.elapsed() > ON_ITS_WAY {
            let moved = lines::taken(clock(), &slot.text);
            self.note(&(lines::given_back(slot.at, &slot.text) + &moved));
        }
    }

    /// Holds the slot of a request without an answer, which WeCom may still accept for a while.
    pub(crate) fn doubt(&self, slot: Slot) -> Slot {
        let hold = millis(slot.at.age_or_zero(&Stamp::now()) + IN_DOUBT_FOR).min(lines::HOLD_MAX);
        let held = lines::held(slot.at, hold, &slot.text);
        self.note(&(lines::given_back(slot.at, &slot.text) + &held));
        slot
    }

    /// Whether the ledger failed because of the disk, rather than because it is locked or not ours.
    pub(crate) fn is_disk_trouble(error: &io::Error) -> bool {
        FileError::of(error).is_none()
    }

    /// Returns the facts from the last hour about a message; empty if the file cannot be read.
    pub(crate) fn others(&self, audience: &Audience, message: &Fingerprint) -> Others {
        let (text, now) = (self.text().unwrap_or_default(), Stamp::now());
        let lines = SlotLines::read(&text, now);
        let only = Some((audience, Some(message)));
        LedgerView::new(&lines, &self.app, self.limits, only).others(audience, message, now)
    }

    /// Returns how long ago the app's last slot was taken; `None` if it is not known.
    pub(crate) fn last_taken(&self) -> Option<Duration> {
        let (text, now) = (self.text().ok()?, Stamp::now());
        let lines = SlotLines::read(&text, now);
        let last = lines.of(&self.app).map(|line| line.taken.at).max()?;
        Some(Duration::from_millis(now.wall.saturating_sub(last)))
    }

    /// Appends lines. Best effort: the message has been sent or not in any case.
    fn note(&self, lines: &str) {
        let noted = self.lock(PATIENCE / 2).and_then(|file| file.append(lines));
        if let Err(error) = noted {
            let path = self.dir.path_of(NAME);
            let path = path.display();
            tracing::debug!("the ledger {path} cannot be written, so a slot stays taken: {error}");
        }
    }

    /// Returns a forecast of when further messages will find a slot.
    ///
    /// # Errors
    /// An I/O error, also if the file is not ours.
    pub(crate) fn forecast(&self) -> io::Result<Forecast> {
        self.forecast_at(Stamp::now())
    }

    fn forecast_at(&self, now: Stamp) -> io::Result<Forecast> {
        let text = self.text()?;
        let lines = SlotLines::read(&text, now);
        Ok(Forecast {
            times: LedgerView::new(&lines, &self.app, self.limits, None).times,
            now: now.wall,
            full: BTreeMap::new(),
        })
    }

    fn text(&self) -> io::Result<String> {
        let bytes = self.dir.read_private(NAME, READ_MAX)?;
        Ok(disk::lossy(bytes.unwrap_or_default()))
    }

    fn lock(&self, patience: Duration) -> io::Result<LockedFile<'_>> {
        self.dir.lock_file(NAME, patience, false)
    }
}

/// A forecast of the free slots.
#[derive(Debug)]
pub(crate) struct Forecast {
    times: Times,
    now: u64,
    /// The times known to have no slot for some recipients. They only grow, so they are not
    /// searched again.
    full: BTreeMap<(Audience, Share), Range<u64>>,
}

impl Forecast {
    /// Returns when a message would be sent, not before `not_before`, and takes that slot.
    pub(crate) fn next(
        &mut self,
        audience: &Audience,
        share: Share,
        not_before: SystemTime,
    ) -> SystemTime {
        let from = unix_ms(not_before).max(self.now);
        let full = self.full.entry((audience.clone(), share)).or_default();
        let (begun, start) = if full.contains(&from) {
            (full.start, full.end)
        } else {
            (from, from)
        };
        let at = self.times.earliest(audience, share, start);
        if at > from {
            *full = begun..at;
        }
        self.times.take(audience, share, at);
        time_of(at)
    }

    /// Returns the slots taken in the last minute and the last hour, by the recipient with the
    /// most.
    pub(crate) fn taken(&self, audience: &Audience) -> [usize; 2] {
        self.times.taken(audience, self.now)
    }
}

#[cfg(test)]
mod tests;
