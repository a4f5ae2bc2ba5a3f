//! Checks the places of state, log and token cache, and whether they are usable.

use std::os::unix::fs::MetadataExt;

use super::report::Steps;
use super::shown;
use crate::config::{self, Base, Config, NoPlace, State};
use crate::disk;
use crate::maildrop::Maildrop;
use crate::outbox::Outbox;
use crate::text;

/// Less free space than this, in bytes, causes a warning: an outbox may need more.
const ROOM: u64 = 64 << 20;

/// Reports the directory for state, why it was chosen, and whether it is writable.
pub(super) fn state(config: &Config, state: &Result<State, NoPlace>, report: &mut Steps) {
    let state = match state {
        Ok(state) => state,
        Err(tried) => return report.wrong("state_dir", text::check::no_state(tried)),
    };
    let dir = shown(state);
    let why = match Config::not_beside() {
        _ if config.names_state_dir() => "state_dir".to_owned(),
        None => text::check::beside(),
        Some((beside, why)) => text::check::not_beside(beside.display(), why),
    };
    match (state.dir().try_writing(), state.dir().free()) {
        (Err(error), _) => report.wrong("state_dir", text::check::no_room(dir, why, error)),
        (Ok(()), Ok(free)) if free < ROOM => {
            let doubt = text::check::little_room(dir, why, text::check::size(free));
            report.doubt("state_dir", doubt);
        }
        (Ok(()), free) => {
            let free = free.map_or("?".to_owned(), text::check::size);
            report.fine("state_dir", text::check::state(dir, why, free));
        }
    }
}

/// Reports the log.
pub(super) fn log(base: &Base, state: Option<&State>, report: &mut Steps) {
    if base.log.level.is_none() {
        return report.fine("log", text::check::log_off());
    }
    match crate::log::seen(base, state) {
        Some((path, Ok(bytes))) => {
            let size = text::check::size(bytes);
            report.fine(
                "log",
                text::check::list(&[&path.display().to_string(), &size]),
            );
        }
        Some((path, Err(error))) => {
            report.wrong("log", text::check::log_unwritable(path.display(), error));
        }
        None => report.left(&["log"], text::check::log_nowhere()),
    }
}

/// Reports the maildrop, which only root can look into.
pub(super) fn maildrop(base: &Base, report: &mut Steps) {
    if disk::euid() != 0 {
        return;
    }
    let shown = base.maildrop.display();
    match Maildrop::waiting(&base.maildrop) {
        Ok(Some(count)) => report.fine("maildrop", text::check::maildrop(shown, count)),
        Ok(None) if config::is_the_sendmail() => {
            report.doubt("maildrop", text::check::no_maildrop(shown));
        }
        Ok(None) => {}
        Err(error) => report.wrong("maildrop", text::check::bad_maildrop(shown, error)),
    }
}

/// Reports the files that must be private.
pub(super) fn ours(state: &State, report: &mut Steps) {
    for name in ["token_cache.json", "ledger", "runs", "uploads"] {
        let path = state.file(name);
        let shown = path.display();
        match state.dir().view(name) {
            Ok(Some((_, meta))) if meta.mode() & 0o077 != 0 => {
                report.wrong("files", text::check::file_open(shown));
            }
            // Users look for the cache; the other files matter only if they are faulty.
            Ok(found) if name == "token_cache.json" => {
                let what = match found {
                    Some(_) => text::check::cache(shown),
                    None => text::check::no_cache(shown),
                };
                report.fine("token_cache", what);
            }
            Ok(_) => {}
            Err(error) => report.wrong("files", text::check::file_unusable(shown, error)),
        }
    }
    let outbox = Outbox::of(state);
    if let Err(error) = outbox.open() {
        let path = outbox.path().display();
        report.wrong("outbox", text::check::backlog::no_outbox(path, error));
    }
}
