//! The slots of each member, and the times with a free one. No I/O; times are in Unix ms.
//!
//! A slot counts only within a window of the past; the time asked about may be in the future.

use std::collections::BTreeMap;

use super::audience::{Audience, Share};
use crate::config::Limits;

/// How long a slot counts against the limit per minute, in ms. WeCom counts on arrival, and one
/// message may take a second while the next one takes no time.
pub(super) const MINUTE: u64 = 61_000;

/// How long a slot counts against the limit per hour, in ms.
pub(super) const HOUR: u64 = 3_601_000;

impl Limits {
    /// Returns the two windows, in ms, and the most slots in each.
    fn windows(self) -> [(u64, u32); 2] {
        let minute = self.per_minute;
        [
            (minute.window(MINUTE), minute.count()),
            (HOUR, self.per_hour),
        ]
    }
}

/// Returns the number of slots that the backlog may hold: a new message always finds some.
pub(super) fn backlog_of(limit: usize) -> usize {
    (limit * 2 / 3).max(1)
}

/// Returns the number of an hour's slots that mails of users may hold.
pub(super) fn users_of(limit: usize) -> usize {
    (limit / 4).max(1)
}

/// Returns the window in which the backlog may hold so many slots, in ms: where there is but one, it
/// leaves every second one to new messages.
fn backlog_window(window: u64, limit: usize) -> u64 {
    match limit {
        1 => window.saturating_mul(2).min(window.max(HOUR)),
        _ => window,
    }
}

/// A slot: the time from which it counts, and the last time it may have been used, in Unix ms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) share: Share,
    pub(super) at: u64,
    pub(super) until: u64,
}

/// The slots of one app.
#[derive(Debug)]
pub(super) struct Times {
    limits: Limits,
    /// The slots of messages to everyone; like those of each member, in ascending order of `until`.
    everyone: Vec<Taken>,
    members: BTreeMap<String, Vec<Taken>>,
    /// Whether to add members that are not in `members` yet.
    is_open: bool,
}

impl Times {
    /// Returns no slots yet, for questions about any recipients.
    pub(super) fn of_all(limits: Limits) -> Self {
        Self {
            limits,
            everyone: Vec::new(),
            members: BTreeMap::new(),
            is_open: true,
        }
    }

    /// Returns no slots yet, for questions about these recipients only; others are not stored.
    pub(super) fn of(audience: &Audience, limits: Limits) -> Self {
        let mut times = Self::of_all(limits);
        if let Audience::Members(names) = audience {
            let members = names.iter().map(|name| (name.clone(), Vec::new()));
            times.members = members.collect();
            times.is_open = false;
        }
        times
    }

    /// Adds the slot of a message to everyone.
    pub(super) fn add_everyone(&mut self, taken: Taken) {
        insert(&mut self.everyone, taken);
    }

    /// Adds the slot of a message to a member; returns whether questions may be about that one.
    pub(super) fn add(&mut self, name: &str, taken: Taken) -> bool {
        if let Some(member) = self.members.get_mut(name) {
            insert(member, taken);
            return true;
        }
        if self.is_open {
            self.members.insert(name.to_owned(), vec![taken]);
        }
        self.is_open
    }

    /// Adds the slot of a message sent at `at`.
    pub(super) fn take(&mut self, audience: &Audience, share: Share, at: u64) {
        let taken = Taken {
            share,
            at,
            until: at,
        };
        match audience {
            Audience::Everyone => self.add_everyone(taken),
            Audience::Members(names) => {
                for name in names {
                    self.add(name, taken);
                }
            }
        }
    }

    /// Returns how many slots count against the limits per minute and per hour, for the recipient
    /// with the most.
    pub(super) fn taken(&self, audience: &Audience, now: u64) -> [usize; 2] {
        self.limits.windows().map(|(window, _)| {
            let count = |slots: &[Taken]| counted(slots, window, now).count();
            let own = self.slots_of(audience).map(count).max();
            count(&self.everyone) + own.unwrap_or(0)
        })
    }

    /// Returns the earliest time from `from` on at which each of the recipients has a free slot.
    pub(super) fn earliest(&self, audience: &Audience, share: Share, from: u64) -> u64 {
        let mut at = from;
        loop {
            let before = at;
            for slots in std::iter::once(&[][..]).chain(self.slots_of(audience)) {
                at = self.free(slots, share, at);
            }
            if at == before {
                return at;
            }
        }
    }

    /// Returns the slots of each recipient that has some of its own.
    fn slots_of<'a>(
        &'a self,
        audience: &'a Audience,
    ) -> Box<dyn Iterator<Item = &'a [Taken]> + 'a> {
        match audience {
            Audience::Everyone => Box::new(self.members.values().map(Vec::as_slice)),
            Audience::Members(names) => Box::new(
                names
                    .iter()
                    .filter_map(|name| self.members.get(name).map(Vec::as_slice)),
            ),
        }
    }

    /// Returns the earliest time from `at` on with a free slot, given these slots and those of
    /// everyone.
    fn free(&self, own: &[Taken], share: Share, mut at: u64) -> u64 {
        loop {
            let before = at;
            for (window, limit) in self.limits.windows() {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX / 2).max(1);
                // Slots of everyone are checked once, not again for each member.
                let last = own.last().map_or(u64::MAX, |last| last.until);
                if last.saturating_add(backlog_window(window, limit)) <= before {
                    continue;
                }
                at = at.max(self.full(own, window, limit, before, |_| true));
                if matches!(share, Share::User(_)) && window == HOUR {
                    let most = self.most_of_users(own, users_of(limit), share, before);
                    at = at.max(self.full(own, window, most, before, is_of_user));
                }
                if share != Share::New {
                    // Where there is but one slot, a user's mail would hold up what we have kept for twice
                    // as long.
                    let counts_users = share != Share::Backlog || limit > 1;
                    let is_backlog = |taken: &Taken| match taken.share {
                        Share::New => false,
                        Share::Backlog => true,
                        Share::User(_) => counts_users,
                    };
                    let (window, limit) = (backlog_window(window, limit), backlog_of(limit));
                    at = at.max(self.full(own, window, limit, before, is_backlog));
                }
            }
            if at == before {
                return at;
            }
        }
    }

    /// Returns how many of an hour's slots mails of users may hold for this user to get another: he takes
    /// half of those that the others leave, so that there are some for the next one.
    fn most_of_users(&self, own: &[Taken], limit: usize, user: Share, at: u64) -> usize {
        let count = |is_one: &dyn Fn(&Taken) -> bool| {
            let all = counted(&self.everyone, HOUR, at).chain(counted(own, HOUR, at));
            all.filter(|taken| is_one(taken)).count()
        };
        let theirs = count(&|taken| taken.share == user);
        let others = count(&is_of_user) - theirs;
        others + limit.saturating_sub(others).div_ceil(2)
    }

    /// Returns `at` if fewer than `limit` slots count then; otherwise when the first of them
    /// expires.
    fn full(
        &self,
        own: &[Taken],
        window: u64,
        limit: usize,
        at: u64,
        is_one: impl Fn(&Taken) -> bool,
    ) -> u64 {
        if self.everyone.len() + own.len() < limit {
            return at;
        }
        let counting = || {
            let all = counted(&self.everyone, window, at).chain(counted(own, window, at));
            all.filter(|taken| is_one(taken))
        };
        if counting().count() < limit {
            return at;
        }
        let first = counting().map(|taken| taken.until).min();
        first.map_or(at, |until| until.saturating_add(window))
    }
}

fn is_of_user(taken: &Taken) -> bool {
    matches!(taken.share, Share::User(_))
}

/// Returns the slots that count at `at`.
fn counted(slots: &[Taken], window: u64, at: u64) -> impl Iterator<Item = &Taken> {
    let start = slots.partition_point(|taken| taken.until.saturating_add(window) <= at);
    slots[start..].iter().filter(move |taken| taken.at <= at)
}

/// Inserts a slot in order, which is nearly always at the end.
fn insert(slots: &mut Vec<Taken>, taken: Taken) {
    if slots.last().is_none_or(|last| last.until <= taken.until) {
        slots.push(taken);
    } else {
        let place = slots.partition_point(|other| other.until <= taken.until);
        slots.insert(place, taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Audience {
        Audience::of(Some(text), false)
    }

    #[test]
    fn the_backlog_leaves_a_third_of_a_limit_but_always_has_a_slot() {
        for (limit, backlog) in [(1, 1), (2, 1), (3, 2), (30, 20), (1000, 666)] {
            assert_eq!(backlog_of(limit), backlog, "{limit}");
        }
    }

    #[test]
    fn of_single_slots_the_backlog_leaves_every_second_one() {
        let limits = Limits {
            per_minute: crate::config::Rate::whole(1),
            per_hour: 1000,
        };
        let (to, now) = (Audience::of(Some("a"), false), 1_764_000_000_000);
        let mut times = Times::of_all(limits);
        // A user's mail takes the minute, and not every second one.
        let mut after_user = Times::of_all(limits);
        after_user.take(&to, Share::User(None), now);
        let kept = after_user.earliest(&to, Share::Backlog, now);
        assert_eq!(kept, now + MINUTE);
        times.take(&to, Share::Backlog, now);
        let new = times.earliest(&to, Share::New, now);
        assert_eq!(new, now + MINUTE);
        assert_eq!(times.earliest(&to, Share::Backlog, now), now + 2 * MINUTE);
        times.take(&to, Share::New, new);
        assert_eq!(times.earliest(&to, Share::Backlog, now), now + 2 * MINUTE);
    }

    #[test]
    fn a_full_backlog_leaves_slots_to_new_messages() {
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
    fn a_message_to_everyone_counts_for_each_member_and_waits_for_the_fullest() {
        let mut times = Times::of_all(Limits::WECOM);
        for at in 0..29 {
            times.take(&to("a"), Share::New, at);
        }
        assert_eq!(times.earliest(&Audience::Everyone, Share::New, 40), 40);
        times.take(&Audience::Everyone, Share::New, 40);
        for audience in [to("a"), Audience::Everyone] {
            assert_eq!(times.earliest(&audience, Share::New, 50), MINUTE);
            assert_eq!(times.taken(&audience, 50), [30, 30]);
            assert_eq!(times.taken(&audience, MINUTE + 9), [20, 30]);
        }
        assert_eq!(times.taken(&to("b"), 50), [1, 1]);
        assert_eq!(times.earliest(&to("b"), Share::New, 50), 50);
        for at in 51..80 {
            times.take(&Audience::Everyone, Share::New, at);
        }
        assert_eq!(times.earliest(&to("b"), Share::New, 90), 40 + MINUTE);
    }

    #[test]
    fn a_full_time_does_not_affect_earlier_times() {
        let mut times = Times::of_all(Limits::WECOM);
        for at in (0..30).chain([HOUR; 30]) {
            times.take(&to("a"), Share::New, at);
        }
        let earliest = |from| times.earliest(&to("a"), Share::New, from);
        assert_eq!(earliest(HOUR), HOUR + MINUTE);
        assert_eq!(earliest(40), MINUTE);
        assert_eq!(earliest(HOUR + 7), HOUR + MINUTE);
    }
}
