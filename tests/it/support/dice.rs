//! Chance that can be repeated, and how much of it.

#![expect(clippy::print_stdout, reason = "the seed, shown with --nocapture")]

use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::now;

/// A number that is random, and the same again for the same seed.
pub(crate) struct Dice {
    seed: u64,
    rolled: AtomicU64,
}

impl Dice {
    /// Dice by the seed of the environment, or by a new one, which is printed.
    pub(crate) fn new(what: &str) -> Self {
        let seed = std::env::var("WXPUSH_SEED");
        let seed = seed.map_or_else(|_| now(), |seed| seed.parse().unwrap());
        println!("{what}: WXPUSH_SEED={seed}");
        let rolled = AtomicU64::new(0);
        Self { seed, rolled }
    }

    /// A number below this one.
    pub(crate) fn roll(&self, below: u64) -> u64 {
        // SplitMix64, by Sebastiano Vigna.
        let step = self.rolled.fetch_add(1, Ordering::SeqCst) + 1;
        let mut z = self
            .seed
            .wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// The count that an environment variable asks for.
pub(crate) fn count(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |count| count.parse().unwrap())
}
