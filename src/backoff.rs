//! Back-off before a retry: random pauses, longer after each failure.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Upper limit of the first back-off.
pub(crate) const FIRST: Duration = Duration::from_secs(2);

/// Upper limit of any back-off.
const MAX: Duration = Duration::from_secs(20);

/// Returns the longest pause after `failed` failed tries.
pub(crate) fn backoff(failed: u32) -> Duration {
    FIRST.saturating_mul(1 << failed.min(8)).min(MAX)
}

/// Returns a random time below `limit`, so that processes that failed together do not retry
/// together.
pub(crate) fn random(limit: Duration) -> Duration {
    // std seeds each RandomState from the operating system's randomness.
    let random = RandomState::new().build_hasher().finish();
    #[expect(clippy::cast_precision_loss, reason = "a fraction need not be exact")]
    limit.mul_f64(random as f64 / u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_limit() {
        let seconds: Vec<u64> = (0..6).map(|failed| backoff(failed).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 20, 20]);
        assert_eq!(backoff(u32::MAX), MAX);
    }

    #[test]
    fn pauses_are_spread_over_the_whole_time() {
        let limit = Duration::from_secs(2);
        let mut tenths = [0; 10];
        for _ in 0..1000 {
            tenths[(random(limit).as_millis() / 200).min(9) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| *count > 40), "{tenths:?}");
    }
}
