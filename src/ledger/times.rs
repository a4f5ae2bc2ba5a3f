//! When each member was sent something, and when there is room for more: pure, in Unix ms.
//!
//! A time counts within a window of the past alone; what is asked about may lie in the future.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Limits, Receivers, Share};

/// How long a slot counts against the limit of a minute, in ms. WeCom counts what arrives: one
/// message may be a second on its way and the next one none.
pub(super) const MINUTE: u64 = 61_000;

/// The same for the hour.
pub(super) const HOUR: u64 = 3_601_000;

/// How many of a limit's slots the backlog may hold: a new message always finds some.
pub(super) fn backlog_of(limit: usize) -> usize {
    (limit * 2 / 3).max(1)
}

/// One slot: from when on it counts, and until when it may have been used, in Unix ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    at: u64,
    until: u64,
}

/// The slots of one member, or those that count for everyone.
#[derive(Debug, Default)]
struct Sent {
    /// Ascending by `until`.
    all: Vec<Taken>,
    /// Those of the backlog among them.
    backlog: Vec<Taken>,
    /// For new messages and for the backlog: a time found to have no room. It can only grow, so
    /// it is never searched again.
    closed: [Range<u64>; 2],
}

impl Sent {
    fn add(&mut self, share: Share, taken: Taken) {
        insert(&mut self.all, taken);
        if share == Share::Backlog {
            insert(&mut self.backlog, taken);
        }
    }

    /// The earliest time from `from` on with room for one more, beside what went to everyone.
    fn free(&mut self, everyone: &Self, limits: Limits, share: Share, from: u64) -> u64 {
        let closed = &self.closed[share as usize];
        let mut at = from;
        loop {
            if closed.contains(&at) {
                at = closed.end;
            }
            let next = self.step(everyone, limits, share, at);
            if next == at {
                break;
            }
            at = next;
        }
        if at > from {
            let start = if closed.contains(&from) {
                closed.start
            } else {
                from
            };
            self.closed[share as usize] = start..at;
        }
        at
    }

    /// `at` if there is room then, else a later time before which there is none.
    fn step(&self, everyone: &Self, limits: Limits, share: Share, at: u64) -> u64 {
        let mut next = at;
        for (window, limit) in [(MINUTE, limits.per_minute), (HOUR, limits.per_hour)] {
            // What counts for everyone alone has been looked at.
            if self
                .all
                .last()
                .is_some_and(|last| last.until.saturating_add(window) <= at)
            {
                continue;
            }
            let limit = usize::try_from(limit).unwrap_or(usize::MAX / 2).max(1);
            next = next.max(full(&everyone.all, &self.all, window, limit, at));
            if share == Share::Backlog {
                let limit = backlog_of(limit);
                next = next.max(full(&everyone.backlog, &self.backlog, window, limit, at));
            }
        }
        next
    }
}

/// `at` if fewer than `limit` slots count then, else when the first of them no longer does.
fn full(everyone: &[Taken], own: &[Taken], window: u64, limit: usize, at: u64) -> u64 {
    if everyone.len() + own.len() < limit {
        return at;
    }
    let [everyone, own] = [everyone, own].map(|taken| counted(taken, window, at));
    if everyone.clone().count() + own.clone().count() < limit {
        return at;
    }
    let first = everyone.chain(own).map(|taken| taken.until).min();
    first.map_or(at, |until| until.saturating_add(window))
}

/// The slots that count at `at`.
fn counted(all: &[Taken], window: u64, at: u64) -> impl Iterator<Item = &Taken> + Clone {
    let start = all.partition_point(|taken| taken.until.saturating_add(window) <= at);
    all[start..].iter().filter(move |taken| taken.at <= at)
}

/// Puts a slot in its place, which is nearly always the last.
fn insert(all: &mut Vec<Taken>, taken: Taken) {
    if all.last().is_none_or(|last| last.until <= taken.until) {
        all.push(taken);
    } else {
        let place = all.partition_point(|other| other.until <= taken.until);
        all.insert(place, taken);
    }
}

/// The slots of one app.
#[derive(Debug)]
pub(super) struct Times {
    limits: Limits,
    everyone: Sent,
    /// Stands for all who were sent nothing by name: never has a slot.
    nobody: Sent,
    members: BTreeMap<String, Sent>,
    /// Whether members who are not yet known are of interest.
    is_open: bool,
}

impl Times {
    /// For questions about any receivers.
    pub(super) fn of_all(limits: Limits) -> Self {
        Self {
            limits,
            everyone: Sent::default(),
            nobody: Sent::default(),
            members: BTreeMap::new(),
            is_open: true,
        }
    }

    /// For questions about these receivers alone: others are not remembered.
    pub(super) fn of(receivers: &Receivers, limits: Limits) -> Self {
        let mut times = Self::of_all(limits);
        if let Receivers::Members(names) = receivers {
            let members = names.iter().map(|name| (name.clone(), Sent::default()));
            times.members = members.collect();
            times.is_open = false;
        }
        times
    }

    /// Adds the slot of a message to everyone.
    pub(super) fn add_everyone(&mut self, share: Share, at: u64, until: u64) {
        self.everyone.add(share, Taken { at, until });
    }

    /// Adds the slot of a message to a member.
    pub(super) fn add(&mut self, name: &str, share: Share, at: u64, until: u64) {
        let taken = Taken { at, until };
        if let Some(sent) = self.members.get_mut(name) {
            sent.add(share, taken);
        } else if self.is_open {
            let sent = self.members.entry(name.to_owned()).or_default();
            sent.add(share, taken);
        }
    }

    /// Adds the slot of a message.
    pub(super) fn take(&mut self, receivers: &Receivers, share: Share, at: u64) {
        match receivers {
            Receivers::Everyone => self.add_everyone(share, at, at),
            Receivers::Members(names) => {
                for name in names {
                    self.add(name, share, at, at);
                }
            }
        }
    }

    /// How many slots count against the limits of a minute and an hour, of the receiver with most.
    pub(super) fn taken(&self, receivers: &Receivers, now: u64) -> [usize; 2] {
        let members: Vec<&Sent> = match receivers {
            Receivers::Everyone => self.members.values().collect(),
            Receivers::Members(names) => {
                let known = names.iter().filter_map(|name| self.members.get(name));
                known.collect()
            }
        };
        [MINUTE, HOUR].map(|window| {
            let own = members
                .iter()
                .map(|sent| counted(&sent.all, window, now).count());
            counted(&self.everyone.all, window, now).count() + own.max().unwrap_or(0)
        })
    }

    /// The earliest time from `from` on with room for a message to each of its receivers.
    pub(super) fn earliest(&mut self, receivers: &Receivers, share: Share, from: u64) -> u64 {
        let (everyone, limits) = (&self.everyone, self.limits);
        let mut at = from;
        loop {
            let before = at;
            at = self.nobody.free(everyone, limits, share, at);
            match receivers {
                Receivers::Everyone => {
                    for sent in self.members.values_mut() {
                        at = sent.free(everyone, limits, share, at);
                    }
                }
                Receivers::Members(names) => {
                    for name in names {
                        if let Some(sent) = self.members.get_mut(name) {
                            at = sent.free(everyone, limits, share, at);
                        }
                    }
                }
            }
            if at == before {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Receivers {
        Receivers::of(Some(text), false)
    }

    #[test]
    fn the_backlog_leaves_a_third_of_a_limit_and_never_has_nothing() {
        for (limit, backlog) in [(1, 1), (2, 1), (3, 2), (30, 20), (1000, 666)] {
            assert_eq!(backlog_of(limit), backlog, "{limit}");
        }
    }

    #[test]
    fn a_new_message_finds_room_beside_the_backlog_and_the_backlog_none_beside_itself() {
        let mut times = Times::of_all(Limits::WECOM);
        for count in 0..20 {
            assert_eq!(times.earliest(&to("a"), Share::Backlog, 7), 7, "{count}");
            times.take(&to("a"), Share::Backlog, 7);
        }
        assert_eq!(times.earliest(&to("a"), Share::Backlog, 7), 7 + MINUTE);
        for count in 20..30 {
            assert_eq!(times.earliest(&to("a"), Share::New, 7), 7, "{count}");
            times.take(&to("a"), Share::New, 7);
        }
        assert_eq!(times.earliest(&to("a"), Share::New, 7), 7 + MINUTE);
        assert_eq!(times.earliest(&to("b|a"), Share::New, 7), 7 + MINUTE);
        assert_eq!(times.earliest(&to("b"), Share::Backlog, 7), 7);
    }

    #[test]
    fn what_goes_to_everyone_counts_for_each_and_waits_for_the_one_with_most() {
        let mut times = Times::of_all(Limits::WECOM);
        for at in 0..29 {
            times.take(&to("a"), Share::New, at);
        }
        assert_eq!(times.earliest(&Receivers::Everyone, Share::New, 40), 40);
        times.take(&Receivers::Everyone, Share::New, 40);
        for receivers in [to("a"), Receivers::Everyone] {
            assert_eq!(times.earliest(&receivers, Share::New, 50), MINUTE);
            assert_eq!(times.taken(&receivers, 50), [30, 30]);
            assert_eq!(times.taken(&receivers, MINUTE + 9), [20, 30]);
        }
        assert_eq!(times.taken(&to("b"), 50), [1, 1]);
        assert_eq!(times.earliest(&to("b"), Share::New, 50), 50);
        for at in 51..80 {
            times.take(&Receivers::Everyone, Share::New, at);
        }
        assert_eq!(times.earliest(&to("b"), Share::New, 90), 40 + MINUTE);
    }

    #[test]
    fn a_time_without_room_says_nothing_of_the_time_before_it() {
        let mut times = Times::of_all(Limits::WECOM);
        for at in (0..30).chain([HOUR; 30]) {
            times.take(&to("a"), Share::New, at);
        }
        let mut earliest = |from| times.earliest(&to("a"), Share::New, from);
        assert_eq!(earliest(HOUR), HOUR + MINUTE);
        assert_eq!(earliest(40), MINUTE);
        assert_eq!(earliest(HOUR + 7), HOUR + MINUTE);
    }
}
