//! The paths of config, state and program.
//!
//! They follow the executable's real path, and never depend on the working directory.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, Owner};

/// The directory of root's state, unless it is next to the program.
const HOSTS: &str = "/var/lib/wxpush";

/// The directory of root's config, unless it is next to the program.
pub(super) const ETC: &str = "/etc/wxpush";

/// A directory for state, and the owner of new files in it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    dir: PathBuf,
    owner: Owner,
}

impl State {
    /// Returns the path of one of our files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Returns the directory itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the owner of new files.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether a directory is this one, under any name.
    pub(crate) fn is_at(&self, dir: &Path) -> bool {
        real(&self.dir) == real(dir)
    }

    /// Whether both are the same directory, under any names.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.is_at(&other.dir)
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
    /// It belongs to another user.
    ForeignOwner,
    /// We cannot write to it.
    NotWritable(io::Error),
}

/// Returns the path of the program, with links resolved; its former name if it was replaced
/// meanwhile.
pub(super) fn program() -> Option<PathBuf> {
    let path = env::current_exe().ok()?;
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned();
    Some(path.with_file_name(name))
}

/// Returns the directory of the executable, with links resolved.
fn beside() -> Option<PathBuf> {
    // If the binary was replaced meanwhile, only the file's name is wrong (" (deleted)").
    let executable = env::current_exe().ok()?;
    executable.parent().map(Path::to_path_buf)
}

/// Returns the program's directory and its owner, if config and state may be there, else the
/// reason.
pub(super) fn beside_that_counts() -> Result<(PathBuf, Owner), (PathBuf, Unusable)> {
    let unreadable = || (PathBuf::from("/proc/self/exe"), Unusable::Unreadable);
    let dir = beside().ok_or_else(unreadable)?;
    if is_of_programs(&dir) {
        return Err((dir, Unusable::OfPrograms));
    }
    match private(&dir) {
        Ok(owner) => Ok((dir, owner)),
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
    let beside = beside_that_counts().ok().into_iter();
    let user = iter::once_with(|| xdg("XDG_CONFIG_HOME", ".config")).flatten();
    let dirs = beside
        .map(|(dir, _)| dir)
        .chain(user.map(|dir| dir.join("wxpush")));
    dirs.chain([PathBuf::from(ETC)])
        .map(|dir| dir.join("config.toml"))
}

/// Returns the path of a new config, unless the user names one: next to the program, if that place
/// is permitted and writable; else `/etc/wxpush` for root, and the user's own directory for others.
pub(crate) fn place_of_new() -> Option<PathBuf> {
    let dir = match state_beside() {
        Ok(beside) => beside.dir,
        Err(_) if disk::euid() == 0 => PathBuf::from(ETC),
        Err(_) => xdg("XDG_CONFIG_HOME", ".config")?.join("wxpush"),
    };
    Some(dir.join("config.toml"))
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
    let is_there = match explicit {
        Some(dir) => is_there(dir),
        None => state_beside().is_ok() || fallback().is_some_and(|dir| is_there(&dir)),
    };
    is_there.then(|| state(explicit))
}

/// Whether the path exists, or we may not look.
fn is_there(path: &Path) -> bool {
    !fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Finds the other directories that may contain our state: of another user, of another environment,
/// or from before a `state_dir` was set.
pub(crate) fn elsewhere(state: &State) -> Vec<PathBuf> {
    let beside = beside().filter(|dir| !is_of_programs(dir));
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
    let (dir, owner) = beside_that_counts()?;
    writable(&dir, owner).map_err(|why| (dir, why))
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

/// Creates a directory, private from the start, and checks whether it is usable.
fn made(dir: &Path) -> Result<State, Unusable> {
    disk::make_dirs(dir, 0o700).map_err(Unusable::Io)?;
    writable(dir, private(dir)?)
}

/// Checks that we can write to a private directory.
pub(super) fn writable(dir: &Path, owner: Owner) -> Result<State, Unusable> {
    use rustix::fs::{Access, AtFlags, CWD};
    let rights = Access::WRITE_OK | Access::EXEC_OK;
    let access = rustix::fs::accessat(CWD, dir, rights, AtFlags::EACCESS);
    access.map_err(|error| Unusable::NotWritable(error.into()))?;
    let dir = dir.to_owned();
    Ok(State { dir, owner })
}

/// Checks that only its owner can write to a directory, and that the owner is us or root.
fn private(dir: &Path) -> Result<Owner, Unusable> {
    let us = rustix::process::geteuid();
    let link = fs::symlink_metadata(dir).map_err(Unusable::Io)?;
    // A link of root's or our own is intended (systemd makes some); another user's may lead
    // anywhere.
    if link.is_symlink() && link.uid() != 0 && link.uid() != us.as_raw() {
        return Err(Unusable::ForeignLink);
    }
    let meta = fs::metadata(dir).map_err(Unusable::Io)?;
    if !meta.is_dir() {
        Err(Unusable::NotDirectory)
    } else if meta.mode() & 0o002 != 0 {
        Err(Unusable::OthersWrite)
    } else if meta.mode() & 0o020 != 0 && !is_private_group(meta.uid(), meta.gid()) {
        Err(Unusable::GroupWrites)
    } else if meta.uid() != us.as_raw() && meta.uid() != 0 && !us.is_root() {
        Err(Unusable::ForeignOwner)
    } else {
        Ok(Owner::of_directory(&meta))
    }
}

/// Whether a group is the private one of a user: with the user's name and no other member.
pub(super) fn is_private_group(uid: u32, gid: u32) -> bool {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    is_private_group_in(&accounts, &groups, uid, gid)
}

fn is_private_group_in(accounts: &str, groups: &str, uid: u32, gid: u32) -> bool {
    fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
        let rows = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        rows.filter(|row| row.len() > 3)
    }
    let (uid, gid) = (&*uid.to_string(), &*gid.to_string());
    let user = rows(accounts).find(|row| row[2] == uid);
    let group = rows(groups).find(|row| row[2] == gid);
    user.zip(group).is_some_and(|(user, group)| {
        let is_user = |member: &str| member.is_empty() || member == user[0];
        let only_member = group[3].split(',').all(is_user);
        let only_primary = rows(accounts).all(|row| row[3] != gid || row[2] == uid);
        group[0] == user[0] && only_member && only_primary
    })
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{State, beside, elsewhere, is_private_group_in, others};
    use crate::disk::Owner;

    fn state(dir: PathBuf) -> State {
        let owner = Owner::of_directory(&std::fs::metadata(&dir).unwrap());
        State { dir, owner }
    }

    #[test]
    fn state_may_be_next_to_the_program_unless_it_is_the_one_in_force() {
        let program = beside().unwrap();
        let src = state(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        assert!(elsewhere(&src).contains(&program));
        assert!(!elsewhere(&state(program.clone())).contains(&program));
    }

    #[test]
    fn other_places_are_directories_and_not_the_one_in_force_by_any_name() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR"));
        let crates = std::fs::canonicalize(crates).unwrap();
        let state = state(crates.join("src"));
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

    #[test]
    fn a_private_group_has_its_users_name_and_nobody_else() {
        let accounts = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1002::/:/bin/sh\n";
        let groups = "root:x:0:\nann:x:1000:\nstaff:x:50:ann\nbob:x:1001:ann\nshared:x:1002:\n";
        for (uid, gid, private) in [
            (1000, 1000, true),
            (0, 0, true),
            (1000, 50, false),
            (1001, 1001, false),
            (1001, 1002, false),
            (7, 1000, false),
            (1000, 7, false),
        ] {
            assert_eq!(
                is_private_group_in(accounts, groups, uid, gid),
                private,
                "{uid} {gid}"
            );
        }
        assert!(!is_private_group_in("", "", 0, 0));
    }
}
