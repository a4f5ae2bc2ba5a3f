//! Where crontabs and systemd's timers are, and who runs what is in them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::disk;

/// The system's crontabs and Alpine's scripts, and crontabs of all users if they are readable.
pub(super) const CRONTABS: [&str; 6] = [
    "/etc/crontab",
    "/etc/cron.d",
    "/etc/crontabs",
    "/etc/periodic/15min",
    "/var/spool/cron/crontabs",
    "/var/spool/cron",
];

/// The directories of systemd's unit files.
pub(super) const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// Most bytes of a crontab or a unit file that are read.
const SIZE_MAX: u64 = 1 << 20;

/// Reads a crontab or a unit file.
///
/// # Errors
/// If it is not a regular file, is larger than 1 MiB, or cannot be read.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    disk::read_foreign(path, SIZE_MAX)
}

/// Returns the user who runs a line of a crontab.
pub(super) fn runner<'a>(crontab: &'a Path, line: &'a str) -> Option<&'a str> {
    match crontab.parent()?.to_str()? {
        "/etc" | "/etc/cron.d" => {
            let is_named = line.trim_start().starts_with('@');
            line.split_whitespace().nth(if is_named { 1 } else { 5 })
        }
        "/etc/periodic/15min" => Some("root"),
        _ => crontab.file_name()?.to_str(),
    }
}

/// Returns the user who runs a service of the system.
pub(super) fn user_of_service(unit: &[u8]) -> &str {
    let mut lines = unit.split(|byte| *byte == b'\n');
    let user = lines.find_map(|line| line.strip_prefix(b"User="));
    user.and_then(|user| str::from_utf8(user).ok())
        .map_or("root", str::trim)
}

/// Returns the name of an enabled timer whose service is as wanted.
pub(super) fn enabled_timer(dirs: &[PathBuf], is_wanted: impl Fn(&[u8]) -> bool) -> Option<String> {
    let enabled = |dir: &PathBuf| fs::read_dir(dir.join("timers.target.wants")).ok();
    let timers = dirs.iter().filter_map(enabled).flatten().flatten();
    let mut names = timers.filter_map(|entry| entry.file_name().into_string().ok());
    names.find(|name| {
        let service = name.replace(".timer", ".service");
        let mut files = dirs.iter().map(|dir| dir.join(&service));
        files.any(|path| read(&path).is_ok_and(|bytes| is_wanted(&bytes)))
    })
}

/// Whether a cron daemon is running; `None` if the processes of others are hidden.
pub(super) fn is_cron_running() -> Option<bool> {
    let processes = fs::read_dir("/proc").ok()?;
    // If the processes of others are hidden, so is the first one.
    fs::read_to_string("/proc/1/comm").ok()?;
    let mut names = processes
        .flatten()
        .filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
    Some(names.any(|name| ["cron", "crond", "fcron", "dcron"].contains(&name.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_runs_a_line_is_known_by_its_file() {
        let line = "* * * * * root [ ! -x /usr/bin/wxpush ] || /usr/bin/wxpush outbox flush";
        for (crontab, line, user) in [
            ("/etc/crontab", line, "root"),
            ("/etc/cron.d/wxpush", line, "root"),
            ("/etc/cron.d/x", "@hourly ann wxpush outbox flush", "ann"),
            (
                "/etc/periodic/15min/wxpush",
                "exec wxpush outbox flush",
                "root",
            ),
            ("/var/spool/cron/crontabs/ann", line, "ann"),
            ("/var/spool/cron/ann", line, "ann"),
        ] {
            assert_eq!(runner(Path::new(crontab), line), Some(user), "{crontab}");
        }
        assert_eq!(user_of_service(b"[Service]\nUser=ann\n"), "ann");
        assert_eq!(user_of_service(b"[Service]\n#User=ann\n"), "root");
    }
}
