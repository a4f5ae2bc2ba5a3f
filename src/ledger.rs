//! Who has been sent how much: WeCom silently discards what exceeds 30 messages a minute or 1000
//! an hour from one app to one member.
//! Source: developer.work.weixin.qq.com/document/path/90236 and 90454.
//!
//! Every process that shares a state directory shares one file, `ledger`, and takes a slot in it
//! under its lock before it sends. Not synced: after a power cut the minute is over.

mod lines;
mod times;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::{Stamp, time_of, unix_ms};
use crate::config::{Limits, State};
use crate::disk::{self, Held, Owner};
use lines::Lines;
pub(crate) use lines::Others;
use times::Times;

/// A process that was stopped holding the lock delays a message by no more than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// A slot is moved to the end of a request that took longer: WeCom counts what arrives, and a
/// window has a second to spare.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// How long after a request ended without an answer WeCom may still take it: a relay or gateway goes
/// on with what it has read, for a minute as nginx has it by default (`proxy_read_timeout`).
const IN_DOUBT_FOR: Duration = Duration::from_mins(1);

/// From this size on, in bytes, the file is rewritten once half of it no longer counts.
const TIDY_FROM: u64 = 64 << 10;

/// From this size on it is rewritten in any case.
const SIZE_MAX: u64 = 32 << 20;

/// No more than this of its end is read: a file so large was damaged, or swollen by someone.
const READ_MAX: u64 = 2 * SIZE_MAX;

/// Whose slots a message takes: the backlog leaves a third of each limit to what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    New,
    Backlog,
}

/// For whom a message counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Receivers {
    /// For each member there is: who belongs to a party or tag is not known here.
    Everyone,
    /// Userids in lower case, each once: WeCom does not tell their case apart.
    Members(Vec<String>),
}

impl Receivers {
    /// Reads a request's `touser`; `others` says whether it names parties or tags, too.
    pub(crate) fn of(touser: Option<&str>, others: bool) -> Self {
        let names = touser.unwrap_or_default().split('|');
        let mut names: Vec<String> = names
            .map(|name| {
                // Nothing that could be taken for the end of a line, or of a word in it.
                let name = name
                    .chars()
                    .filter(|c| !c.is_whitespace() && !c.is_control());
                name.flat_map(char::to_lowercase).collect::<String>()
            })
            .filter(|name| !name.is_empty())
            .collect();
        if others || names.is_empty() || names.iter().any(|name| name == "@all") {
            return Self::Everyone;
        }
        names.sort_unstable();
        names.dedup();
        Self::Members(names)
    }

    /// Whether one of these names, joined by `|`, is among them; `*` is everyone.
    fn meet(&self, names: &str) -> bool {
        match self {
            Self::Everyone => true,
            Self::Members(members) => {
                names == "*"
                    || names
                        .split('|')
                        .any(|name| members.iter().any(|member| member == name))
            }
        }
    }
}

/// What a message is known by among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// When it was accepted; the ledger keeps the wall clock's word.
    pub(crate) accepted: Stamp,
    /// The same for equal requests.
    pub(crate) digest: u32,
}

impl Fingerprint {
    fn parse(text: &str) -> Option<Self> {
        let (accepted, digest) = text.split_once(':')?;
        Some(Self {
            accepted: Stamp::of_wall(accepted.parse().ok()?),
            digest: u32::from_str_radix(digest, 16).ok()?,
        })
    }
}

/// The right to send one message now.
#[derive(Debug)]
#[must_use = "it is to be settled, or given back"]
pub(crate) struct Slot {
    at: Stamp,
    /// What other messages say of this one.
    pub(crate) others: Others,
    /// As it stands in the file.
    text: String,
    taken: Instant,
}

/// The ledger as one app sees it.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    owner: Owner,
    app: String,
    limits: Limits,
}

impl Ledger {
    /// The ledger in a state directory; `app` is a digest of the app, of 16 hexadecimal digits.
    pub(crate) fn new(state: &State, app: String, limits: Limits) -> Self {
        Self {
            path: state.file("ledger"),
            owner: state.owner(),
            app,
            limits,
        }
    }

    /// Takes a slot for one message, or says how long it is until the earliest may be free.
    ///
    /// # Errors
    /// Where the file is not ours, cannot be read or written, or its lock is held for `patience`, at most
    /// 2 s.
    pub(crate) fn reserve(
        &self,
        receivers: &Receivers,
        share: Share,
        message: Option<&Fingerprint>,
        patience: Duration,
    ) -> io::Result<Result<Slot, Duration>> {
        let held = self.hold(patience.min(PATIENCE))?;
        self.reserve_in(&held, receivers, share, message, Stamp::now)
    }

    #[cfg(test)]
    fn reserve_at(
        &self,
        receivers: &Receivers,
        share: Share,
        message: Option<&Fingerprint>,
        clock: impl Fn() -> Stamp,
    ) -> io::Result<Result<Slot, Duration>> {
        self.reserve_in(&self.hold(PATIENCE)?, receivers, share, message, clock)
    }

    fn reserve_in(
        &self,
        held: &Held<'_>,
        receivers: &Receivers,
        share: Share,
        message: Option<&Fingerprint>,
        clock: impl Fn() -> Stamp,
    ) -> io::Result<Result<Slot, Duration>> {
        // Only now: the lock may have been waited for.
        let now = clock();
        let text = text(held.tail(READ_MAX)?);
        let lines = Lines::read(&text, now);
        let mut times = Times::of(receivers, self.limits);
        lines.add_to(&mut times, &self.app);
        let free = times.earliest(receivers, share, now.wall);
        let answer = if free == now.wall {
            let others = message.map(|own| lines.others(&self.app, receivers, own));
            Ok(Slot {
                at: now,
                others: others.unwrap_or_default(),
                text: lines::slot(&self.app, share, message, receivers),
                taken: Instant::now(),
            })
        } else {
            Err(Duration::from_millis(free - now.wall))
        };
        let line = answer.as_ref().map(|slot| lines::taken(now, &slot.text));
        let line = line.unwrap_or_default();
        let half = lines.bytes as u64 * 2 <= held.len();
        let is_due = held.len() > SIZE_MAX || held.len() > TIDY_FROM && half;
        if lines.in_future || is_due && !line.is_empty() {
            let tidied = held.replace((lines.rewritten() + &line).as_bytes());
            // A clock set back has to be dealt with; the rest can wait for a better day.
            if tidied.is_ok() || lines.in_future {
                return tidied.map(|()| answer);
            }
        }
        append(held, &line, text.as_bytes().last())?;
        Ok(answer)
    }

    /// Gives back the slot of a request that never left; where that fails, it stays taken.
    pub(crate) fn give_back(&self, slot: Slot) {
        self.note(&lines::given_back(slot.at, &slot.text));
    }

    /// Notes that a request has ended with an answer: what took long counts from now on, as it may
    /// have arrived only now.
    pub(crate) fn settle(&self, slot: Slot) {
        self.settle_at(slot, Stamp::now);
    }

    fn settle_at(&self, slot: Slot, clock: impl Fn() -> Stamp) {
        if slot.taken.elapsed() > ON_ITS_WAY {
            let moved = lines::taken(clock(), &slot.text);
            self.note(&(lines::given_back(slot.at, &slot.text) + &moved));
        }
    }

    /// Notes that a request has ended without an answer: WeCom may take it for a while yet.
    pub(crate) fn doubt(&self, slot: Slot) -> Slot {
        let hold = ms(slot.at.age_or_zero(&Stamp::now()) + IN_DOUBT_FOR).min(lines::HOLD_MAX);
        let held = lines::held(slot.at, hold, &slot.text);
        self.note(&(lines::given_back(slot.at, &slot.text) + &held));
        slot
    }

    /// Whether the ledger failed because the disk takes nothing, rather than because somebody else
    /// has it.
    pub(crate) fn is_disk_trouble(error: &io::Error) -> bool {
        error.kind() != io::ErrorKind::Other
    }

    /// Looks what other messages of the last hour say of one; nothing where the file cannot be read.
    pub(crate) fn others(&self, receivers: &Receivers, message: &Fingerprint) -> Others {
        let bytes = disk::read(&self.path, READ_MAX, self.owner);
        let text = text(bytes.ok().flatten().unwrap_or_default());
        Lines::read(&text, Stamp::now()).others(&self.app, receivers, message)
    }

    /// Best effort: the message's fate is decided.
    fn note(&self, lines: &str) {
        let noted = self.hold(PATIENCE / 2).and_then(|held| {
            let last = held.tail(1)?;
            append(&held, lines, last.last())
        });
        if let Err(error) = noted {
            let path = self.path.display();
            tracing::debug!("the ledger {path} cannot be written, a slot stays taken: {error}");
        }
    }

    /// What is taken now, to foresee when others would find a slot.
    ///
    /// # Errors
    /// Where the file is not ours or cannot be read.
    pub(crate) fn forecast(&self) -> io::Result<Forecast> {
        self.forecast_at(Stamp::now())
    }

    fn forecast_at(&self, now: Stamp) -> io::Result<Forecast> {
        let text = text(disk::read(&self.path, READ_MAX, self.owner)?.unwrap_or_default());
        let mut times = Times::of_all(self.limits);
        Lines::read(&text, now).add_to(&mut times, &self.app);
        Ok(Forecast {
            times,
            now: now.wall,
        })
    }

    fn hold(&self, patience: Duration) -> io::Result<Held<'_>> {
        disk::hold(&self.path, self.owner, patience)
    }
}

/// Bytes as a text, with what is none of it made visible; the lines beside it can be read.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Appends whole lines behind what may have been left torn; `last` is the file's last byte.
fn append(held: &Held<'_>, lines: &str, last: Option<&u8>) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let gap = if last.is_some_and(|last| *last != b'\n') {
        "\n"
    } else {
        ""
    };
    held.append(format!("{gap}{lines}").as_bytes())
}

/// The slots to come, as far as they can be foreseen.
#[derive(Debug)]
pub(crate) struct Forecast {
    times: Times,
    now: u64,
}

impl Forecast {
    /// When a message would be sent, not before some time; that slot is then taken.
    pub(crate) fn next(
        &mut self,
        receivers: &Receivers,
        share: Share,
        not_before: SystemTime,
    ) -> SystemTime {
        let from = unix_ms(not_before).max(self.now);
        let at = self.times.earliest(receivers, share, from);
        self.times.take(receivers, share, at);
        time_of(at)
    }

    /// How many slots of the last minute and of the last hour are taken, of the receiver with most.
    pub(crate) fn taken(&self, receivers: &Receivers) -> [usize; 2] {
        self.times.taken(receivers, self.now)
    }
}

/// Whole milliseconds.
fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
