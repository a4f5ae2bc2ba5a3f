//! Durations as a person reads them.

use std::time::Duration;

/// Shows a duration by its two largest units: `350ms`, `12s`, `41m`, `1h5m`, `3d2h`.
pub(crate) fn show(time: Duration) -> String {
    if time < Duration::from_secs(1) && !time.is_zero() {
        return format!("{}ms", time.as_millis());
    }
    let parts = parts(time).into_iter();
    let shown: Vec<String> = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    shown.concat()
}

/// Returns the two largest units of a duration, or one if the other is zero: days `d`, hours `h`,
/// minutes `m`, seconds `s`.
pub(crate) fn parts(time: Duration) -> Vec<(u64, char)> {
    let seconds = time.as_secs();
    let (size, unit, below, small_unit) = match seconds {
        0..60 => return vec![(seconds, 's')],
        60..3600 => (60, 'm', 1, 's'),
        3600..86400 => (3600, 'h', 60, 'm'),
        _ => (86400, 'd', 3600, 'h'),
    };
    let mut parts = vec![(seconds / size, unit), (seconds % size / below, small_unit)];
    parts.retain(|(count, _)| *count > 0);
    parts
}

/// Shows whole seconds as `show` does.
pub(crate) fn show_seconds(seconds: u64) -> String {
    show(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, shown) in [
            (0, "0s"),
            (1, "1ms"),
            (999, "999ms"),
            (12_900, "12s"),
            (60_000, "1m"),
            (61_000, "1m1s"),
            (41 * 60_000, "41m"),
            (3_900_000, "1h5m"),
            (86_400_000 * 3 + 3_600_000 * 2, "3d2h"),
        ] {
            assert_eq!(show(Duration::from_millis(ms)), shown);
        }
    }
}
