//! Durations as a person reads them.

use std::time::Duration;

/// Shows a duration by its two largest units: `350ms`, `12s`, `41m`, `1h5m`, `3d2h`.
pub(crate) fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    let (size, unit, below, small_unit) = match seconds {
        0 if !time.is_zero() => return format!("{}ms", time.as_millis()),
        0..60 => return format!("{seconds}s"),
        60..3600 => (60, 'm', 1, 's'),
        3600..86400 => (3600, 'h', 60, 'm'),
        _ => (86400, 'd', 3600, 'h'),
    };
    match seconds % size / below {
        0 => format!("{}{unit}", seconds / size),
        rest => format!("{}{unit}{rest}{small_unit}", seconds / size),
    }
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
