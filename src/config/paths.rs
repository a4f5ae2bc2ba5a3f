//! The paths of config, state and program.
//!
//! They follow the executable's real path, and never depend on the working directory.

use std::env;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::executable;
use crate::disk::{self, Dir, FileError};

/// The directory of root's state, unless it is next to the program.
const HOSTS: &str = "/var/lib/wxpush";

/// The directory of root's config, unless it is next to the program.
pub(super) const ETC: &str = "/etc/wxpush";

/// The directory for state, opened once: everything in it is reached through this handle.
#[derive(Debug, Clone)]
pub(crate) struct State(Arc<Dir>);

impl State {
    /// Returns the directory.
    pub(crate) fn dir(&self) -> &Arc<Dir> {
        &self.0
    }

    /// Returns the path of one of our files, for messages.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.path_of(name)
    }

    /// Whether a directory is this one, under any name.
    pub(crate) fn is_at(&self, dir: &Path) -> bool {
        self.0.is_at(dir)
    }

    /// Whether both are the same directory, under any names.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.is_at(other.0.path())
    }
}

/// The places that were tried for state, each with the reason why it is unusable.
#[derive(Debug)]
pub(crate) struct NoPlace(pub(crate) Vec<(PathBuf, Unusable)>);

/// The reason why a directory cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It cannot be read or created.
    Io(io::Error),
    /// Its path cannot be determined.
    Unreadable,
    /// The variable of this name is not set.
    Unset,
    /// It is a directory of programs, such as `bin`.
    OfPrograms,
    /// It is a symbolic link that another user made.
    ForeignLink,
    NotDirectory,
    /// Any user can write to it.
    OthersWrite,
    /// Its group can write to it.
    GroupWrites,
    /// Root does not use it, since another user could change it.
    Untrusted(io::Error),
    /// It belongs to another user.
    ForeignOwner,
    /// We cannot write to it.
    NotWritable(io::Error),
}

impl Unusable {
    /// Whether only this process cannot use the directory, since descriptors or memory are scarce.
    fn is_passing(&self) -> bool {
        use rustix::io::Errno;
        let Self::Io(error) = self else {
            return false;
        };
        let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
        scarce
            .iter()
            .any(|it| error.raw_os_error() == Some(it.raw_os_error()))
    }
}

/// Returns the program's directory, unless it is one of programs.
fn beside() -> Result<PathBuf, (PathBuf, Unusable)> {
    let unreadable = || (PathBuf::from("/proc/self/exe"), Unusable::Unreadable);
    let dir = executable::dir().ok_or_else(unreadable)?;
    if is_of_programs(&dir) {
        return Err((dir, Unusable::OfPrograms));
    }
    Ok(dir)
}

/// Returns the program's directory, if config and state may be there, else the reason.
fn beside_that_counts() -> Result<PathBuf, (PathBuf, Unusable)> {
    let dir = beside()?;
    let counts = || {
        check_link(&dir)?;
        judge(&Dir::metadata_at(&dir).map_err(unusable)?, &dir)
    };
    match counts() {
        Ok(()) => Ok(dir),
        Err(why) => Err((dir, why)),
    }
}

fn is_of_programs(dir: &Path) -> bool {
    dir.file_name()
        .is_some_and(|name| name == "bin" || name == "sbin")
}

/// Returns the paths to search for a config, in order, unless the user names one.
///
/// Lazy: without `$HOME` the second path requires reading the accounts.
pub(super) fn configs() -> impl Iterator<Item = PathBuf> {
    let beside = match beside_that_counts() {
        Ok(dir) => Some(dir),
        // It is the first place all the same, and tells why it cannot be read.
        Err((dir, why)) => why.is_passing().then_some(dir),
    };
    let user = iter::once_with(|| xdg("XDG_CONFIG_HOME", ".config")).flatten();
    let dirs = beside.into_iter().chain(user.map(|dir| dir.join("wxpush")));
    dirs.chain([PathBuf::from(ETC)])
        .map(|dir| dir.join("config.toml"))
}

/// Returns the path of a new config, unless the user names one: next to the program, if that place
/// is permitted and writable; else `/etc/wxpush` for root, and the user's own directory for others.
pub(crate) fn place_of_new() -> Option<PathBuf> {
    let dir = match state_beside() {
        Ok(beside) => beside.0.path().to_owned(),
        Err(_) if disk::euid() == 0 => PathBuf::from(ETC),
        Err(_) => xdg("XDG_CONFIG_HOME", ".config")?.join("wxpush"),
    };
    Some(dir.join("config.toml"))
}

/// Returns the directory of the user's own systemd units; `None` for root, whose are the system's, and
/// whose `$HOME` may be another user's.
pub(crate) fn user_units() -> Option<PathBuf> {
    let is_root = disk::euid() == 0;
    (!is_root)
        .then(|| xdg("XDG_CONFIG_HOME", ".config"))?
        .map(|dir| dir.join("systemd/user"))
}

/// Returns the config next to the program that is not read, and the reason.
pub(super) fn passed_over() -> Option<(PathBuf, Unusable)> {
    let (dir, why) = beside_that_counts().err()?;
    let config = dir.join("config.toml");
    config.exists().then_some((config, why))
}

/// Finds the directory for state, creating it if needed.
///
/// # Errors
/// All places that were tried, with reasons, if all are unusable.
pub(super) fn state(explicit: Option<&Path>) -> Result<State, NoPlace> {
    if let Some(dir) = explicit {
        return made(dir).map_err(|why| NoPlace(vec![(dir.to_owned(), why)]));
    }
    let mut tried = match state_beside() {
        Ok(state) => return Ok(state),
        // The next process would find it there: state must not be in two places.
        Err(reason) if reason.1.is_passing() => return Err(NoPlace(vec![reason])),
        Err(reason) => vec![reason],
    };
    let Some(dir) = fallback() else {
        tried.push((PathBuf::from("$HOME"), Unusable::Unset));
        return Err(NoPlace(tried));
    };
    made(&dir).map_err(|why| {
        tried.push((dir, why));
        NoPlace(tried)
    })
}

/// Finds the directory for state as `state` does, if it exists; creates nothing.
pub(super) fn state_if_there(explicit: Option<&Path>) -> Option<Result<State, NoPlace>> {
    let place = match explicit {
        Some(dir) => Some(dir.to_owned()),
        None => match state_beside() {
            Ok(state) => return Some(Ok(state)),
            Err(_) => fallback(),
        },
    };
    is_there(&place?).then(|| state(explicit))
}

/// Whether the path exists, or we may not look.
fn is_there(path: &Path) -> bool {
    !fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Finds the other directories that may contain our state: of another user, of another environment,
/// or from before a `state_dir` was set.
pub(crate) fn elsewhere(state: &State) -> Vec<PathBuf> {
    let beside = executable::dir().filter(|dir| !is_of_programs(dir));
    let user = [named("XDG_STATE_HOME"), below_home(".local/state")];
    let user = user.into_iter().flatten().map(|dir| dir.join("wxpush"));
    let host = iter::once(PathBuf::from(HOSTS));
    others(state, beside.into_iter().chain(host).chain(user))
}

/// Returns the directories among these without duplicates, except the one in force.
fn others(state: &State, dirs: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut others: Vec<PathBuf> = Vec::new();
    for dir in dirs.filter(|dir| dir.is_dir() && !state.is_at(dir)) {
        let path = real(&dir);
        if !others.contains(&path) {
            others.push(path);
        }
    }
    others
}

/// Returns the path of a directory with links resolved, if possible.
fn real(dir: &Path) -> PathBuf {
    fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned())
}

/// Returns the state directory next to the program.
pub(super) fn state_beside() -> Result<State, (PathBuf, Unusable)> {
    let path = beside()?;
    let state = private(&path, None).and_then(writable);
    state.map_err(|why| (path, why))
}

/// Returns the directory for state that cannot be next to the program; `None` without a home
/// directory.
fn fallback() -> Option<PathBuf> {
    if disk::euid() == 0 {
        return Some(PathBuf::from(HOSTS));
    }
    xdg("XDG_STATE_HOME", ".local/state").map(|dir| dir.join("wxpush"))
}

/// Returns a directory of the XDG specification: from the environment, else below the home
/// directory.
fn xdg(variable: &str, below: &str) -> Option<PathBuf> {
    named(variable).or_else(|| below_home(below))
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

pub(super) fn below_home(path: &str) -> Option<PathBuf> {
    let home = env::home_dir().filter(|home| home.is_absolute())?;
    Some(home.join(path))
}

/// Opens a directory, created private if needed, and checks whether it is usable.
fn made(dir: &Path) -> Result<State, Unusable> {
    writable(private(dir, Some(0o700))?)
}

/// Checks that we can write to a directory.
pub(super) fn writable(dir: Dir) -> Result<State, Unusable> {
    dir.may_write().map_err(Unusable::NotWritable)?;
    Ok(State(Arc::new(dir)))
}

/// Opens a directory, and checks that only its owner can write to it, and that the owner is us or
/// root. Root trusts others only if it is told to.
fn private(path: &Path, make: Option<u32>) -> Result<Dir, Unusable> {
    check_link(path)?;
    let dir = Dir::open(path, make).map_err(unusable)?;
    judge(dir.metadata(), path)?;
    Ok(dir)
}

/// Checks that a path is no link of another user, which may lead anywhere. One of root's or our own is
/// intended (systemd makes some). For root, `disk` looks at each link on the way.
fn check_link(path: &Path) -> Result<(), Unusable> {
    let us = disk::euid();
    if us != 0
        && let Ok(link) = fs::symlink_metadata(path)
        && link.is_symlink()
        && link.uid() != 0
        && link.uid() != us
    {
        return Err(Unusable::ForeignLink);
    }
    Ok(())
}

fn unusable(error: io::Error) -> Unusable {
    match error.kind() {
        ErrorKind::NotADirectory => Unusable::NotDirectory,
        _ if FileError::is_untrusted(&error) => Unusable::Untrusted(error),
        _ => Unusable::Io(error),
    }
}

fn judge(meta: &Metadata, path: &Path) -> Result<(), Unusable> {
    let us = disk::euid();
    if meta.mode() & 0o002 != 0 {
        Err(Unusable::OthersWrite)
    } else if meta.mode() & 0o020 != 0 && disk::others_by_group(meta, path) {
        Err(Unusable::GroupWrites)
    } else if meta.uid() != us && meta.uid() != 0 && us != 0 {
        Err(Unusable::ForeignOwner)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{State, elsewhere, executable, others};
    use crate::disk::Dir;

    fn state(dir: &Path) -> State {
        State(Dir::open(dir, None).unwrap().into())
    }

    #[test]
    fn state_may_be_next_to_the_program_unless_it_is_the_one_in_force() {
        let program = executable::dir().unwrap();
        let src = state(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert!(elsewhere(&src).contains(&program));
        assert!(!elsewhere(&state(&program)).contains(&program));
    }

    #[test]
    fn other_places_are_directories_and_not_the_one_in_force_by_any_name() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        let crates = std::fs::canonicalize(crates).unwrap();
        let state = state(&crates.join("src"));
        let names = [
            "src",
            "tests/../src",
            "none",
            "Cargo.toml",
            "tests",
            "src/../tests",
            "examples",
        ];
        let found = others(&state, names.iter().map(|name| crates.join(name)));
        let wanted: Vec<PathBuf> = ["tests", "examples"].map(|name| crates.join(name)).into();
        assert_eq!(found, wanted);
    }
}
