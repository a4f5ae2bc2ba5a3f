//! Whether anything delivers the outbox by itself: a crontab, or a systemd timer.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::config;

/// `crontab -l` has this long; it reads a file.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where unit files of systemd lie.
const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Where a flush is in sight.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// In the crontab of this name.
    Cron(String),
    /// By this timer.
    Timer(String),
}

/// Looks for a flush in the user's crontab, and in what else there is.
pub(super) fn flush() -> Option<Flush> {
    let program = config::program();
    if own_crontab().is_some_and(|text| has_flush(&text, &program)) {
        return Some(Flush::Cron("crontab -l".to_owned()));
    }
    beside_own_crontab()
}

/// Looks for a flush in the system's crontabs, those of users that can be read, and timers.
pub(super) fn beside_own_crontab() -> Option<Flush> {
    let program = config::program();
    let has =
        |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| has_flush(&text, &program));
    let cron = crontabs()
        .find(has)
        .map(|path| Flush::Cron(path.display().to_string()));
    cron.or_else(|| timer(&program).map(Flush::Timer))
}

/// Whether a cron runs on this machine; none where that cannot be seen.
pub(super) fn has_cron() -> Option<bool> {
    let processes = fs::read_dir("/proc").ok()?;
    // Where others' processes are hidden, the first is, too.
    fs::read_to_string("/proc/1/comm").ok()?;
    let names = processes
        .flatten()
        .filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
    let is_cron = |name: String| ["cron", "crond", "fcron", "dcron"].contains(&name.trim());
    let mut names = names.map(is_cron);
    Some(names.any(|it| it))
}

/// The crontab of this user.
fn own_crontab() -> Option<String> {
    let mut child = Command::new("crontab")
        .arg("-l")
        .env_remove(config::SECRET_VARIABLE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut pipe = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return reader.join().ok(),
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            _ => {
                // Nobody needs its answer any more.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// The system's crontabs, and those of users where we may read them.
fn crontabs() -> impl Iterator<Item = PathBuf> {
    let dirs = [
        "/etc/cron.d",
        "/etc/crontabs",
        "/var/spool/cron/crontabs",
        "/var/spool/cron",
    ];
    let entries = dirs.into_iter().filter_map(|dir| fs::read_dir(dir).ok());
    let paths = entries.flat_map(|entries| entries.flatten().map(|it| it.path()));
    std::iter::once(PathBuf::from("/etc/crontab"))
        .chain(paths)
        .filter(|path| path.is_file())
}

/// Whether a line of a crontab or unit flushes the outbox by this program.
fn has_flush(text: &str, program: &Path) -> bool {
    text.lines().any(|line| is_flush(line, program))
}

fn is_flush(line: &str, program: &Path) -> bool {
    if line.trim_start().starts_with('#') {
        return false;
    }
    let bare = |word: &str| word.trim_matches(['\'', '"', '(', ')', ';']).to_owned();
    let words: Vec<String> = line.split_whitespace().map(bare).collect();
    let at = words
        .windows(2)
        .position(|pair| pair == ["outbox", "flush"]);
    let Some(at) = at else {
        return false;
    };
    // Another wxpush may deliver another outbox; what is only named may be any.
    let before = words[..at]
        .iter()
        .map(|word| word.strip_prefix("ExecStart=").unwrap_or(word));
    let (paths, names): (Vec<&str>, Vec<&str>) = before.partition(|word| word.starts_with('/'));
    let is_ours = |path: &&str| fs::canonicalize(path).is_ok_and(|path| path == program);
    let other = |path: &&str| path.ends_with("/wxpush");
    paths.iter().any(is_ours) || names.contains(&"wxpush") || !paths.iter().any(other)
}

/// The enabled timer whose service flushes.
fn timer(program: &Path) -> Option<String> {
    let user = std::iter::once(config::user_units()).flatten();
    let dirs: Vec<PathBuf> = UNITS.iter().map(PathBuf::from).chain(user).collect();
    let is_enabled = |name: &str| {
        let mut wants = dirs
            .iter()
            .map(|dir| dir.join("timers.target.wants").join(name));
        wants.any(|path| path.symlink_metadata().is_ok())
    };
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok());
    let mut services = entries.flat_map(|entries| entries.flatten().map(|it| it.path()));
    services.find_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".service")?;
        let name = format!("{name}.timer");
        let flushes = fs::read_to_string(&path).is_ok_and(|text| has_flush(&text, program));
        (flushes && is_enabled(&name)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_flushes_by_this_program_is_known() {
        let program = fs::canonicalize("/bin/sh").unwrap();
        for (line, flushes) in [
            ("* * * * * /bin/sh outbox flush", true),
            ("* * * * * root '/bin/sh' -c /etc/x outbox flush -q", true),
            ("* * * * * wxpush outbox flush", true),
            (
                "* * * * * /usr/bin/flock -n /tmp/x wxpush outbox flush",
                true,
            ),
            ("ExecStart=/bin/sh outbox flush", true),
            ("# * * * * * /bin/sh outbox flush", false),
            ("* * * * * /nowhere/wxpush outbox flush", false),
            ("* * * * * /bin/sh outbox list", false),
            ("7 3 * * * /bin/sh send 'outbox' flush", true),
            ("", false),
        ] {
            assert_eq!(is_flush(line, &program), flushes, "{line}");
        }
    }
}
