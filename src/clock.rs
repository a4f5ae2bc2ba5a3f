//! Timestamps and their ages. Every time kept on disk is made here.
//!
//! A wall clock may be stepped: a Raspberry Pi starts in 1970, an administrator mistypes a year.
//! The boot clock never is, but cannot be compared across a reboot. A [`Stamp`] has both: within
//! one boot, ages come from the boot clock, and a step of the wall clock does not change them.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Local};
use rustix::fs::{Mode, OFlags};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Hexadecimal digits of the boot id to keep: enough to distinguish the boots of one host.
const ID_DIGITS: usize = 8;

/// Most by which two readings of the two clocks may differ with neither being set.
const READINGS_APART: Duration = Duration::from_millis(2);

/// A time by the wall clock, and by the boot clock if the id of the boot is known.
///
/// Written as `1764000000000@1a2b3c4d:86400000`, or without the part from `@` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Unix milliseconds.
    pub(crate) wall: u64,
    boot: Option<Boot>,
}

/// A time by the boot clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Boot {
    /// The first digits of the boot's random id.
    id: u32,
    /// Milliseconds since the boot, including suspension.
    ms: u64,
}

impl Stamp {
    /// Reads both clocks.
    pub(crate) fn now() -> Self {
        Self {
            wall: unix_ms(SystemTime::now()),
            boot: boot_id().map(|id| Boot { id, ms: boot_ms() }),
        }
    }

    /// Returns a stamp with only a wall clock's time, in Unix milliseconds.
    pub(crate) fn of_wall(wall: u64) -> Self {
        Self { wall, boot: None }
    }

    /// Parses a stamp in the format of `Display`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (wall, boot) = match text.split_once('@') {
            Some((wall, boot)) => (wall, Some(boot)),
            None => (text, None),
        };
        let boot = match boot {
            None => None,
            Some(boot) => {
                let (id, ms) = boot.split_once(':')?;
                Some(Boot {
                    id: parse_id(id)?,
                    ms: digits(ms)?,
                })
            }
        };
        let wall = digits(wall)?;
        Some(Self { wall, boot })
    }

    /// Returns the time from this stamp to `now`; `None` if the clocks put it in the future.
    pub(crate) fn age(&self, now: &Self) -> Option<Duration> {
        let ms = match (self.boot, now.boot) {
            (Some(then), Some(now)) if then.id == now.id => now.ms.checked_sub(then.ms),
            _ => now.wall.checked_sub(self.wall),
        };
        ms.map(Duration::from_millis)
    }

    /// Returns the time from this stamp to `now`; zero if the clocks put it in the future.
    pub(crate) fn age_or_zero(&self, now: &Self) -> Duration {
        self.age(now).unwrap_or_default()
    }

    /// Whether both stamps are of the same boot, so that the time between them is certain.
    pub(crate) fn is_same_boot(&self, other: &Self) -> bool {
        let id = |stamp: &Self| stamp.boot.map(|boot| boot.id);
        id(self).is_some() && id(self) == id(other)
    }

    /// Returns a stamp that is later by `by`.
    pub(crate) fn later(&self, by: Duration) -> Self {
        let ms = millis(by);
        Self {
            wall: self.wall.saturating_add(ms),
            boot: self.boot.map(|boot| Boot {
                ms: boot.ms.saturating_add(ms),
                ..boot
            }),
        }
    }

    /// Returns the step of the wall clock between two stamps of one boot; `None` across boots.
    pub(crate) fn step_until(&self, now: &Self) -> Option<Duration> {
        let (Some(then), Some(at)) = (self.boot, now.boot) else {
            return None;
        };
        let boot = i128::from(at.ms) - i128::from(then.ms);
        let wall = i128::from(now.wall) - i128::from(self.wall);
        let ms = u64::try_from((wall - boot).unsigned_abs()).unwrap_or(u64::MAX);
        (then.id == at.id).then(|| Duration::from_millis(ms))
    }

    /// Returns the time from this stamp to `now`, if no clock was set or started between them: then
    /// what was computed at the one holds at the other.
    pub(crate) fn steady_age(&self, now: &Self) -> Option<Duration> {
        let is_steady = match (self.boot, now.boot) {
            (None, None) => true,
            _ => self.step_until(now)? <= READINGS_APART,
        };
        self.age(now).filter(|_| is_steady)
    }

    /// Returns the wall clock's time.
    pub(crate) fn time(&self) -> SystemTime {
        time_of(self.wall)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.wall)?;
        match self.boot {
            Some(Boot { id, ms }) => write!(f, "@{id:08x}:{ms}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A stamp, or the Unix milliseconds that earlier versions wrote.
#[derive(Deserialize)]
#[serde(untagged)]
enum StampForm {
    Ms(u64),
    Text(String),
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match StampForm::deserialize(deserializer)? {
            StampForm::Ms(wall) => Ok(Self::of_wall(wall)),
            StampForm::Text(text) => {
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no stamp"))
            }
        }
    }
}

/// Returns a time in Unix milliseconds.
pub(crate) fn unix_ms(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Returns a duration in whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns the current Unix seconds.
pub(crate) fn unix_seconds() -> u64 {
    unix_ms(SystemTime::now()) / 1000
}

/// Returns the time of Unix milliseconds, at most the year 9999: state may be damaged.
pub(crate) fn time_of(ms: u64) -> SystemTime {
    const END: u64 = 253_402_300_799_000;
    UNIX_EPOCH + Duration::from_millis(ms.min(END))
}

/// Returns a time for a person, to the minute: local time, without the year.
pub(crate) fn local_minute(time: SystemTime) -> String {
    DateTime::<Local>::from(time)
        .format("%m-%d %H:%M")
        .to_string()
}

fn boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1000 + u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000_000
}

/// Reads the id of this boot, once; `None` without `/proc`.
fn boot_id() -> Option<u32> {
    static ID: OnceLock<Option<u32>> = OnceLock::new();
    *ID.get_or_init(|| {
        let mut digits = [0; ID_DIGITS];
        // A static program's `File::open` takes a call more.
        let path = "/proc/sys/kernel/random/boot_id";
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        File::from(file).read_exact(&mut digits).ok()?;
        parse_id(std::str::from_utf8(&digits).ok()?)
    })
}

fn parse_id(text: &str) -> Option<u32> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (text.len() == ID_DIGITS && is_hex).then(|| u32::from_str_radix(text, 16).ok())?
}

/// Parses a number that has only digits; `parse` would accept a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Stamp {
        Stamp::parse(text).unwrap()
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written_and_junk_is_not() {
        for text in ["0", "1764000000000", "1764000000000@0a2b3c4d:86400000"] {
            assert_eq!(stamp(text).to_string(), text);
            let json = serde_json::to_string(&stamp(text)).unwrap();
            assert_eq!(
                serde_json::from_str::<Stamp>(&json).unwrap(),
                stamp(text),
                "{json}"
            );
        }
        assert_eq!(serde_json::from_str::<Stamp>("17").unwrap(), stamp("17"));
        for junk in [
            "",
            "@",
            "1@",
            "1@1a2b3c4d",
            "1@1a2b3c4d:",
            "1@1a2b3c4d:x",
            "-1",
            "+1",
            "1@12:3",
            "1@xxxxxxxx:3",
            "99999999999999999999",
        ] {
            assert_eq!(Stamp::parse(junk), None, "{junk}");
        }
    }

    #[test]
    fn within_a_boot_the_boot_clock_decides_and_across_boots_the_wall_clock() {
        let now = stamp("1000000@00000001:5000");
        for (then, seconds) in [
            ("999000@00000001:4000", Some(1)),
            ("0@00000001:4000", Some(1)),
            ("9000000@00000001:4000", Some(1)),
            ("990000@00000002:9000", Some(10)),
            ("990000", Some(10)),
            ("2000000", None),
            ("2000000@00000002:1", None),
        ] {
            let age = stamp(then).age(&now);
            assert_eq!(age, seconds.map(Duration::from_secs), "{then}");
        }
    }

    #[test]
    fn a_step_of_the_wall_clock_is_measured_by_the_boot_clock() {
        let then = stamp("1000000@00000001:5000");
        for (now, seconds) in [
            ("1010000@00000001:15000", Some(0)),
            ("1080000@00000001:15000", Some(70)),
            ("0@00000001:15000", Some(1010)),
            ("1010000@00000002:15000", None),
            ("1010000", None),
        ] {
            let step = then.step_until(&stamp(now));
            assert_eq!(step, seconds.map(Duration::from_secs), "{now}");
        }
        assert_eq!(
            then.later(Duration::from_secs(1)),
            stamp("1001000@00000001:6000")
        );
    }

    #[test]
    fn the_clocks_of_this_host_can_be_read() {
        let (first, second) = (Stamp::now(), Stamp::now());
        assert!(first.is_same_boot(&second) && !first.is_same_boot(&stamp("1")));
        assert!(
            first
                .age(&second)
                .is_some_and(|age| age < Duration::from_secs(5))
        );
        assert!(time_of(u64::MAX) > SystemTime::now());
    }
}
