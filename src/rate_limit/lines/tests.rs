use super::*;
use crate::config::{Limits, Rate};
use crate::rate_limit::times::Times;
use crate::rate_limit::view::LedgerView;
use proptest::prelude::*;
use std::time::Duration;

const NOW: u64 = 1_764_000_000_000;

fn now() -> Stamp {
    Stamp::of_wall(NOW)
}

fn view(text: &str, now: Stamp, per_minute: u32) -> LedgerView {
    let limits = Limits {
        per_minute: Rate::whole(per_minute),
        per_hour: 5,
    };
    LedgerView::new(&SlotLines::read(text, now), "x", limits, None)
}

/// Returns the lines of a text that still count.
fn standing(text: &str) -> String {
    SlotLines::read(text, now()).rewritten()
}

#[test]
fn cancelling_a_slot_leaves_equal_slots() {
    let (a, b) = ("x n a", "x n b");
    let text = [
        taken(NOW, a),
        taken(NOW, a),
        given_back(NOW, a),
        taken(NOW, b),
        given_back(NOW, "x b b"),
        given_back(NOW - 1, b),
        given_back(NOW, b),
        taken(NOW, b),
    ];
    let left = taken(NOW, a) + &taken(NOW, b);
    assert_eq!(standing(&text.concat()), left);
}

#[test]
fn lines_older_than_an_hour_and_junk_are_dropped() {
    let old = taken(NOW - HOUR, "x n a");
    let young = taken(NOW - HOUR + 1, "y ? of another version");
    for junk in [
        "",
        "\n\n",
        "1764",
        "1764000000000 + ",
        " + x n a",
        "x + x n a",
        "NaN",
        "# note\n",
        "-1 + x n a\n",
        "1764000000000 * x n a\n",
        "99999999999999999999999 + x n a\n",
        "\0\0\0",
    ] {
        assert_eq!(
            standing(&format!("{old}{junk}\n{young}")).trim_end(),
            young.trim_end()
        );
    }
}

#[test]
fn slots_in_the_future_count_from_now() {
    let soon = taken(NOW + SKEW, "x n a");
    let lines = SlotLines::read(&soon, now());
    assert!(!lines.in_future);
    assert_eq!(lines.rewritten(), soon, "its holder can still give it back");
    let later = taken(NOW + SKEW + 1, "x n a") + &taken(u64::MAX, "y b *");
    let lines = SlotLines::read(&later, now());
    assert!(lines.in_future);
    assert_eq!(
        lines.rewritten(),
        taken(NOW, "x n a") + &taken(NOW, "y b *")
    );
}

#[test]
fn a_step_of_the_wall_clock_moves_no_slot_of_this_boot() {
    let at = |ms: u64| format!("{NOW}@00000001:{ms}");
    let text = taken(at(50_000), "x n a") + &held(at(50_000), 60_000, "x n b");
    let now = |wall: u64| Stamp::parse(&format!("{wall}@00000001:60000")).unwrap();
    for wall in [0, NOW, NOW + 70_000, NOW + 100 * HOUR] {
        let lines = SlotLines::read(&text, now(wall.max(20_000)));
        assert!(!lines.in_future, "{wall}");
        let times = view(&text, now(wall.max(20_000)), 1).times;
        let base = wall.max(20_000);
        for (name, left) in [("a", 51_000), ("b", 111_000)] {
            let to = Audience::of(Some(name), false);
            assert_eq!(
                times.earliest(&to, Share::New, base),
                base + left,
                "{wall} {name}"
            );
        }
    }
}

#[test]
fn newer_and_equal_messages_are_found() {
    let message = |ago, digest| Fingerprint {
        accepted: Stamp::of_wall(NOW - ago),
        digest,
    };
    let line = |at, ago, digest, name: &str| {
        let to = Audience::of(Some(name), false);
        taken(at, &slot("x", Share::New, Some(&message(ago, digest)), &to))
    };
    let text = line(NOW - 5000, 6000, 1, "a") + &line(NOW - 3000, 4000, 2, "b|c");
    let view = view(&text, now(), 1);
    let others = |name, ago, digest| {
        let to = Audience::of(Some(name), false);
        let others = view.others(&to, &message(ago, digest), now());
        (
            others.overtaken_by.map(|by| by.as_secs()),
            others.equal.map(|age| age.as_secs()),
        )
    };
    assert_eq!(others("a", 7000, 9), (Some(1), None));
    assert_eq!(others("a", 5000, 9), (None, None));
    assert_eq!(others("C", 7000, 1), (Some(3), Some(5)));
    assert_eq!(others("@all", 5000, 2), (Some(1), Some(3)));
    assert_eq!(others("d", 9000, 9), (None, None));
    assert_eq!(
        others("a", 6000, 1),
        (None, None),
        "it is the message itself"
    );
}

#[test]
fn a_step_of_the_wall_clock_makes_no_message_newer() {
    let stamp = |wall: u64, ms: u64| Stamp::parse(&format!("{wall}@00000001:{ms}")).unwrap();
    let message = |accepted| Fingerprint {
        accepted,
        digest: 1,
    };
    let to = Audience::of(Some("a"), false);
    // The clock was an hour ahead when the first was sent, and was right again 5 s later.
    let ahead = stamp(NOW + HOUR, 10_000);
    let text = taken(ahead, &slot("x", Share::New, Some(&message(ahead)), &to));
    let now = stamp(NOW + 5000, 15_000);
    let view = view(&text, now, 1);
    let own = message(now);
    assert_eq!(view.others(&to, &own, now).overtaken_by, None);
    let older = message(stamp(NOW - 1000, 9000));
    let others = view.others(&to, &older, now);
    assert_eq!(others.overtaken_by, Some(Duration::from_secs(1)));
}

#[test]
fn a_step_between_acceptance_and_request_makes_no_message_older() {
    let stamp = |wall: u64, ms: u64| Stamp::parse(&format!("{wall}@00000001:{ms}")).unwrap();
    let message = |accepted| Fingerprint {
        accepted,
        digest: 1,
    };
    let to = Audience::of(Some("a"), false);
    for wall in [NOW - 100 * HOUR, NOW + HOUR] {
        let newer = message(stamp(wall, 10_000));
        let sent = stamp(NOW, 12_000);
        let text = taken(sent, &slot("x", Share::New, Some(&newer), &to));
        let now = stamp(NOW + 3000, 15_000);
        let older = message(stamp(NOW, 9000));
        let others = view(&text, now, 1).others(&to, &older, now);
        assert_eq!(others.overtaken_by, Some(Duration::from_secs(1)), "{wall}");
    }
}

fn text() -> impl Strategy<Value = String> {
    let line = (
        prop_oneof![NOW - 9_000_000..NOW + 9_000_000, any::<u64>()],
        "([+-]|\\+[0-9]{1,8})",
        "x ([nb]|u7?) (\\*|[ab|]{0,4})",
    );
    let line = line.prop_map(|(at, sign, slot)| format!("{at} {sign} {slot}\n"));
    prop::collection::vec(prop_oneof![9 => line, 1 => any::<String>()], 0..60)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn with_any_content_no_wait_is_much_longer_than_an_hour(text in text(), which in 0..3_usize) {
        let share = [Share::New, Share::Backlog, Share::User(None)][which];
        let times = view(&text, now(), 2).times;
        prop_assert!(times.earliest(&Audience::Everyone, share, NOW) <= NOW + HOUR + HOLD_MAX);
    }

    #[test]
    fn rewritten_lines_count_as_before(text in text()) {
        let kept = standing(&text);
        prop_assert_eq!(&standing(&kept), &kept);
        prop_assert_eq!(SlotLines::read(&kept, now()).bytes, kept.len());
        let both: [Times; 2] = [&text, &kept].map(|text| view(text, now(), 2).times);
        for name in ["a", "b", "c"] {
            let [was, is] = &both;
            let to = Audience::of(Some(name), false);
            let at = was.earliest(&to, Share::New, NOW);
            prop_assert_eq!(at, is.earliest(&to, Share::New, NOW));
        }
    }
}
