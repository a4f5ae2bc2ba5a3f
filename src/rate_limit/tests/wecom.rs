//! WeCom's view: it counts messages on arrival, and silently drops those beyond the limits.

use proptest::prelude::*;

use super::*;
use crate::rate_limit::times::{backlog_of, users_of};

/// Returns the most messages in any window of `window` ms.
fn most_within(arrivals: &mut [u64], window: u64) -> usize {
    arrivals.sort_unstable();
    let (mut first, mut most) = (0, 0);
    for (at, time) in arrivals.iter().enumerate() {
        while arrivals[first] + window <= *time {
            first += 1;
        }
        most = most.max(at + 1 - first);
    }
    most
}

/// A message: its recipients, its share, its ms on the way, and the ms since the last one.
type Sending = (usize, Share, u64, u64);

fn sends() -> impl Strategy<Value = Vec<Sending>> {
    let gap = prop_oneof![9 => Just(0), 3 => 0..3000_u64, 1 => 0..90_000_u64];
    let users = [None, Some(7)].map(Share::User);
    let shares = [&[Share::New, Share::Backlog][..], &users].concat();
    let share = prop::sample::select(shares);
    let send = (0..4_usize, share, 0..=1000_u64, gap);
    // Enough messages to reach the limit per hour.
    let many = prop::collection::vec(send.clone(), 1000..1400);
    prop_oneof![9 => prop::collection::vec(send, 1..150), 1 => many]
}

fn limits() -> impl Strategy<Value = Limits> {
    let pairs = [(30, 1000), (3, 20), (1, 1)];
    prop::sample::select(pairs.to_vec()).prop_map(|(per_minute, per_hour)| Limits {
        per_minute: crate::config::Rate::whole(per_minute),
        per_hour,
    })
}

proptest! {
    #[test]
    fn no_member_is_sent_more_than_wecom_delivers(sends in sends(), limits in limits()) {
        let audience = [to("a"), to("b"), to("a|b"), Audience::Everyone];
        let (mut times, mut now) = (Times::of_all(limits), NOW);
        let mut arrived: [[Vec<u64>; 3]; 2] = Default::default();
        for (whom, share, delay, gap) in sends {
            now = times.earliest(&audience[whom], share, now + gap);
            times.take(&audience[whom], share, now);
            for (member, [all, backlog, users]) in arrived.iter_mut().enumerate() {
                if whom > 1 || whom == member {
                    all.push(now + delay);
                    if share != Share::New {
                        backlog.push(now + delay);
                    }
                    if matches!(share, Share::User(_)) {
                        users.push(now + delay);
                    }
                }
            }
        }
        let (minute, hour) = (limits.per_minute.count() as usize, limits.per_hour as usize);
        for [all, backlog, users] in &mut arrived {
            prop_assert!(most_within(all, 60_000) <= minute);
            prop_assert!(most_within(all, 3_600_000) <= hour);
            prop_assert!(most_within(backlog, 60_000) <= backlog_of(minute));
            prop_assert!(most_within(backlog, 3_600_000) <= backlog_of(hour));
            prop_assert!(most_within(users, 3_600_000) <= users_of(hour));
        }
    }
}

#[test]
fn each_user_leaves_slots_to_the_next_and_all_of_them_a_quarter() {
    let mut times = Times::of_all(Limits {
        per_minute: crate::config::Rate::whole(1000),
        per_hour: 1000,
    });
    let mut got = |uid| {
        let (to, share) = (to("a"), Share::User(uid));
        let mut count = 0;
        while times.earliest(&to, share, 7) == 7 {
            times.take(&to, share, 7);
            count += 1;
        }
        count
    };
    assert_eq!(
        [None, Some(1), Some(2), Some(3)].map(&mut got),
        [125, 63, 31, 16]
    );
    assert_eq!((4..99).map(|uid| got(Some(uid))).sum::<i32>(), 15);
}
