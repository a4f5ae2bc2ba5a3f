//! Finds the crontab line or systemd timer that flushes the outbox of this program and config.

use std::fs;
use std::path::{Path, PathBuf};

use super::places::{
    self, CRONTABS, UNITS, enabled_timer, is_cron_running, runner, user_of_service,
};
use super::timer::{has_systemd, unit_command};
use super::{crontab, flush_command};
use crate::config::{self, Config};
use crate::disk::{euid, user_name};

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

/// A flush that is set up.
#[derive(Debug)]
pub(crate) struct FoundFlush {
    pub(crate) source: FlushSource,
    /// Whether it runs: a crontab without a cron does not.
    pub(crate) runs: bool,
}

/// The flush that a line must run: by this program, with this config.
#[derive(Debug)]
pub(crate) struct FlushJob {
    /// The command, as written into a crontab and into a unit file.
    commands: [String; 2],
    program: PathBuf,
    config: Option<PathBuf>,
    /// Whether the program finds the config only by `-c`.
    must_be_named: bool,
    /// The users who may run it: others can't open the outbox. Empty if none has a name.
    users: Vec<String>,
}

impl FlushJob {
    /// Returns the flush for the config in force.
    pub(crate) fn of(config: &Config) -> Self {
        let is_found = |path: &Path| config::config_places().iter().any(|place| place == path);
        let base = config.base();
        let owner = base.owner_of_state().filter(|owner| *owner != euid());
        let users = owner.into_iter().chain([euid()]).filter_map(user_name);
        Self {
            commands: [flush_command(config), unit_command(config)],
            program: config::program(),
            config: base.source,
            must_be_named: config.named().is_some_and(|path| !is_found(path)),
            users: users.collect(),
        }
    }

    /// Looks for the flush in the user's crontab, if it can be read, then everywhere else.
    pub(crate) fn find(&self) -> Option<FoundFlush> {
        self.find_with(crontab::read().ok().as_deref())
    }

    /// Looks for the flush in this crontab of the user, then everywhere else.
    pub(crate) fn find_with(&self, own: Option<&[u8]>) -> Option<FoundFlush> {
        let in_own = own.is_some_and(|bytes| self.is_in(bytes));
        let in_crontab = in_own
            .then_some(FlushSource::Own)
            .or_else(|| self.crontab());
        let (source, runs) = match in_crontab {
            // The package brings both, of which the timer gives way to a cron.
            Some(source) if is_cron_running() == Some(false) => {
                match self.timer().filter(|_| has_systemd()) {
                    Some(timer) => (timer, true),
                    None => (source, false),
                }
            }
            Some(source) => (source, true),
            None => (self.timer()?, true),
        };
        Some(FoundFlush { source, runs })
    }

    /// Looks for the flush in the crontabs of the system, and of all users.
    fn crontab(&self) -> Option<FlushSource> {
        let crontabs = CRONTABS.iter().flat_map(|place| match fs::read_dir(place) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => vec![PathBuf::from(place)],
        });
        let has_it = |path: &PathBuf| {
            let text = places::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let mut lines = text.lines();
            lines.any(|line| self.is_line(line) && self.is_by(runner(path, line)))
        };
        let found = crontabs.into_iter().find(has_it);
        found.map(FlushSource::Crontab)
    }

    /// Finds an enabled timer, of the system or of this user, whose service flushes.
    fn timer(&self) -> Option<FlushSource> {
        let system: Vec<PathBuf> = UNITS.iter().map(PathBuf::from).collect();
        let flushes = |unit: &[u8]| self.is_in(unit) && self.is_by(Some(user_of_service(unit)));
        let users: Vec<PathBuf> = config::user_units().into_iter().collect();
        let name = enabled_timer(&system, flushes)
            .or_else(|| enabled_timer(&users, |unit| self.is_in(unit)));
        name.map(FlushSource::Timer)
    }

    /// Whether this user's lines flush our outbox.
    fn is_by(&self, user: Option<&str>) -> bool {
        self.users.is_empty() || user.is_some_and(|user| self.users.iter().any(|it| it == user))
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
        let mut proposed = self.commands.iter().filter_map(|it| line.split_once(it));
        if proposed.any(|(before, _)| before.ends_with([' ', '\t', '='])) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn job(config: Option<&str>, must_be_named: bool) -> FlushJob {
        let program = fs::canonicalize("/bin/sh").unwrap();
        FlushJob {
            commands: [
                "'/opt/a b/wxpush' outbox flush".to_owned(),
                "\"/opt/a b/wxpush\" outbox flush".to_owned(),
            ],
            users: Vec::new(),
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
            ("ExecStart=\"/opt/a b/wxpush\" outbox flush", true),
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

    #[test]
    fn a_line_of_another_user_does_not_count_for_an_outbox_of_ours() {
        let ours = FlushJob {
            users: vec!["ann".to_owned()],
            ..job(None, false)
        };
        assert!(ours.is_by(Some("ann")) && !ours.is_by(Some("root")));
    }
}
