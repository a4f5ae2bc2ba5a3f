//! Arbitrary bytes as the ledger: a slot is found, and what is rewritten is read the same.

use super::audience::{Audience, Share};
use super::lines::SlotLines;
use super::view::LedgerView;
use crate::clock::Stamp;
use crate::config::{Limits, Rate};

/// Tries the bytes as a ledger of the app `a`.
pub(crate) fn ledger(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let limits = Limits {
        per_minute: Rate::whole(2),
        per_hour: 5,
    };
    let members = Audience::of(Some("x|y"), false);
    for wall in [0, 1_764_000_000_000, u64::MAX] {
        let now = Stamp::of_wall(wall);
        let lines = SlotLines::read(&text, now);
        assert!(lines.bytes <= text.len() + 1);
        for audience in [&members, &Audience::Everyone] {
            for share in [Share::New, Share::Backlog, Share::User(None)] {
                let view = LedgerView::new(&lines, "a", limits, None);
                let at = view.times.earliest(audience, share, wall);
                assert!(at >= wall);
            }
        }
        let again = lines.rewritten();
        assert!(SlotLines::read(&again, now).bytes <= again.len());
    }
}
