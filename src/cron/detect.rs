//! Finds the crontab line or systemd timer that flushes the outbox of this program and config.

use std::fs;
use std::path::{Path, PathBuf};

use super::{crontab, flush_command};
use crate::config::{self, Config};

/// The system's crontabs and Alpine's scripts, and crontabs of all users if they are readable.
const CRONTABS: [&str; 6] = [
    "/etc/crontab",
    "/etc/cron.d",
    "/etc/crontabs",
    "/etc/periodic/15min",
    "/var/spool/cron/crontabs",
    "/var/spool/cron",
];

/// The directories of systemd's unit files.
const UNITS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The place where a flush is set up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FlushSource {
    /// The crontab of this user.
    Own,
    /// Another crontab.
    Crontab(PathBuf),
    /// A systemd timer of this name.
    Timer(String),
}

/// The flush that a line must run: by this program, with this config.
#[derive(Debug)]
pub(crate) struct FlushJob {
    /// The command, as written by `flush_command`.
    command: String,
    program: PathBuf,
    config: Option<PathBuf>,
    /// Whether the program finds the config only by `-c`.
    must_be_named: bool,
}

impl FlushJob {
    /// Returns the flush for the config in force.
    pub(crate) fn of(config: &Config) -> Self {
        let is_found = |path: &Path| config::config_places().iter().any(|place| place == path);
        Self {
            command: flush_command(config),
            program: config::program(),
            config: config.base().source,
            must_be_named: config.named().is_some_and(|path| !is_found(path)),
        }
    }

    /// Looks for the flush in the user's crontab, if readable, then everywhere else.
    pub(crate) fn find(&self) -> Option<FlushSource> {
        if crontab::read().is_ok_and(|bytes| self.is_in(&bytes)) {
            return Some(FlushSource::Own);
        }
        self.find_elsewhere()
    }

    /// Looks for the flush in all other crontabs, and in systemd's enabled timers.
    pub(crate) fn find_elsewhere(&self) -> Option<FlushSource> {
        let in_file = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| self.is_in(&bytes));
        let crontabs = CRONTABS.iter().flat_map(|place| match fs::read_dir(place) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => vec![PathBuf::from(place)],
        });
        let crontab = crontabs.filter(|path| path.is_file()).find(in_file);
        let crontab = crontab.map(FlushSource::Crontab);
        crontab.or_else(|| self.timer())
    }

    /// Finds an enabled system timer whose service flushes.
    pub(crate) fn timer(&self) -> Option<FlushSource> {
        let enabled = |dir| fs::read_dir(Path::new(dir).join("timers.target.wants")).ok();
        let timers = UNITS.iter().filter_map(enabled).flatten().flatten();
        let mut names = timers.filter_map(|entry| entry.file_name().into_string().ok());
        let found = names.find(|name| {
            let service = name.replace(".timer", ".service");
            let mut files = UNITS.iter().map(|dir| Path::new(dir).join(&service));
            files.any(|path| fs::read(path).is_ok_and(|bytes| self.is_in(&bytes)))
        });
        found.map(FlushSource::Timer)
    }

    /// Whether a line of a crontab or unit file runs the flush.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        text.lines().any(|line| self.is_line(line))
    }

    fn is_line(&self, line: &str) -> bool {
        if line.trim_start().starts_with('#') {
            return false;
        }
        // The form that `init` and error hints propose, whatever is quoted in it.
        if let Some((before, _)) = line.split_once(&self.command)
            && before.ends_with([' ', '\t', '='])
        {
            return true;
        }
        let words: Vec<&str> = line.split_whitespace().map(bare).collect();
        let mut pairs = words.windows(2);
        let command = pairs.position(|pair| pair == ["outbox", "flush"]);
        command.is_some_and(|at| self.is_run_by(&words[..at]))
    }

    /// Whether these words run this program with this config: another wxpush may flush another
    /// outbox. A wrapper or a variable without a name counts.
    fn is_run_by(&self, words: &[&str]) -> bool {
        let is_this = |word: &&str| {
            word.starts_with('/') && fs::canonicalize(word).is_ok_and(|it| it == self.program)
        };
        let is_named = |word: &&str| word.rsplit('/').next() == Some("wxpush");
        let this = words.iter().position(is_this);
        let Some(at) = this.or_else(|| words.iter().rposition(is_named)) else {
            return true;
        };
        let is_ours = this.is_some() || !words[at].starts_with('/');
        is_ours
            && match config_option(&words[at + 1..]) {
                None => !self.must_be_named,
                Some(path) => (self.config.as_ref()).is_some_and(|config| is_same(path, config)),
            }
    }
}

/// Strips quotes, brackets and redirections from a word.
fn bare(word: &str) -> &str {
    let word = word.trim_start_matches("ExecStart=");
    let word = word.trim_matches(['\'', '"', '(', ')', ';']);
    word.split(['>', ';', '&', '|']).next().unwrap_or(word)
}

/// Returns the config that our own options name.
fn config_option<'a>(options: &[&'a str]) -> Option<&'a str> {
    let next = |at: usize| options.get(at + 1).copied();
    let mut named = options.iter().enumerate();
    named.find_map(|(at, option)| match *option {
        "-c" | "--config" => next(at),
        option => option
            .strip_prefix("--config=")
            .or_else(|| option.strip_prefix("-c")),
    })
}

fn is_same(path: &str, config: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    Path::new(path) == config
        || real(Path::new(path)).is_some_and(|path| Some(path) == real(config))
}

/// Whether a cron daemon is running; `None` if the processes of others are hidden.
pub(crate) fn is_cron_running() -> Option<bool> {
    let processes = fs::read_dir("/proc").ok()?;
    // If the processes of others are hidden, so is the first one.
    fs::read_to_string("/proc/1/comm").ok()?;
    let mut names = processes
        .flatten()
        .filter_map(|it| fs::read_to_string(it.path().join("comm")).ok());
    Some(names.any(|name| ["cron", "crond", "fcron", "dcron"].contains(&name.trim())))
}

/// Whether systemd is running, whose timers can flush as well.
pub(crate) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(config: Option<&str>, must_be_named: bool) -> FlushJob {
        let program = fs::canonicalize("/bin/sh").unwrap();
        FlushJob {
            command: "'/opt/a b/wxpush' outbox flush".to_owned(),
            program,
            config: config.map(PathBuf::from),
            must_be_named,
        }
    }

    #[test]
    fn a_line_that_flushes_by_this_program_is_recognised() {
        let job = job(None, false);
        for (line, flushes) in [
            ("* * * * * /bin/sh outbox flush", true),
            ("*/5 * * * *\t/bin/sh outbox flush  ", true),
            ("* * * * * /bin/sh outbox flush >/dev/null 2>&1", true),
            ("* * * * * (/bin/sh outbox flush>/dev/null)", true),
            ("* * * * * root '/bin/sh' -q outbox flush --wait", true),
            ("* * * * * wxpush outbox flush", true),
            ("* * * * * flock -n /tmp/x wxpush outbox flush", true),
            ("* * * * * cd /srv/wxpush && ./wxpush outbox flush", true),
            ("* * * * * sh -c '/bin/sh outbox flush'", true),
            ("* * * * * '/opt/a b/wxpush' outbox flush", true),
            ("ExecStart=/bin/sh outbox flush", true),
            ("* * * * * /usr/local/bin/wrapper outbox flush", true),
            ("# * * * * * /bin/sh outbox flush", false),
            ("* * * * * /nowhere/wxpush outbox flush", false),
            ("* * * * * /bin/sh -c /etc/other.toml outbox flush", false),
            ("* * * * * /bin/sh outbox list", false),
            ("", false),
        ] {
            assert_eq!(job.is_line(line), flushes, "{line}");
        }
    }

    #[test]
    fn a_config_that_is_found_by_its_name_alone_must_be_named() {
        let job = job(Some("/etc/other.toml"), true);
        for (options, flushes) in [
            ("-c /etc/other.toml", true),
            ("-c/etc/other.toml", true),
            ("-q --config '/etc/other.toml'", true),
            ("--config=/etc/other.toml", true),
            ("-c /etc/wxpush/config.toml", false),
            ("", false),
        ] {
            let line = format!("* * * * * /bin/sh {options} outbox flush");
            assert_eq!(job.is_line(&line), flushes, "{line}");
        }
    }
}
