//! Where files live: the config that is read, and the directory that holds the state.
//!
//! Everything follows the executable's real path; the working directory is never asked.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::iter;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::disk::{self, Owner};
use crate::lang::{say, spoken};

/// Where root's state is that cannot be beside the program.
const HOSTS: &str = "/var/lib/wxpush";

/// Where root's config is that is not beside the program.
const ETC: &str = "/etc/wxpush";

/// A directory in which state may be kept, and to whom new files there belong.
#[derive(Debug, Clone)]
pub(crate) struct State {
    dir: PathBuf,
    owner: Owner,
}

impl State {
    /// The path of one of our files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The directory itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// To whom new files belong.
    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether a directory is this one, by whatever name.
    pub(crate) fn is_at(&self, dir: &Path) -> bool {
        real(&self.dir) == real(dir)
    }

    /// Whether two are the same, by whatever names.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.is_at(&other.dir)
    }
}

/// The places that were tried for state, each with why it cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct NoPlace(pub(crate) Vec<(PathBuf, String)>);

impl std::fmt::Display for NoPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (path, why)) in self.0.iter().enumerate() {
            let gap = if at == 0 {
                ""
            } else {
                spoken().of("；", "; ")
            };
            write!(f, "{gap}{}: {why}", path.display())?;
        }
        Ok(())
    }
}

/// The program itself, links resolved; of one replaced while it runs, the name that it had.
pub(crate) fn program() -> Option<PathBuf> {
    let path = env::current_exe().ok()?;
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned();
    Some(path.with_file_name(name))
}

/// The directory of the executable, links resolved.
fn beside() -> Option<PathBuf> {
    // Of a binary replaced while it runs only the file's name is off (" (deleted)").
    let executable = env::current_exe().ok()?;
    executable.parent().map(Path::to_path_buf)
}

/// The directory beside which a config or state may stand and its owner, or why there is none.
fn beside_that_counts() -> Result<(PathBuf, Owner), (PathBuf, String)> {
    let dir = beside().ok_or_else(|| {
        let why = say!("读不了", "cannot be read");
        (PathBuf::from("/proc/self/exe"), why)
    })?;
    if is_of_programs(&dir) {
        return Err((dir, say!("是放程序的目录", "is a directory of programs")));
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

/// The configs to look for, in order, beyond those that the user names.
///
/// Each is thought of when it is asked for: without `$HOME` it takes reading the accounts.
pub(crate) fn configs() -> impl Iterator<Item = PathBuf> {
    let beside = beside_that_counts().ok().into_iter();
    let user = iter::once_with(|| xdg("XDG_CONFIG_HOME", ".config")).flatten();
    let dirs = beside
        .map(|(dir, _)| dir)
        .chain(user.map(|dir| dir.join("wxpush")));
    dirs.chain([PathBuf::from(ETC)])
        .map(|dir| dir.join("config.toml"))
}

/// Returns the path of a new config, unless the user names one: beside the program, if that place
/// counts and can be written to; else `/etc/wxpush` for root, and the user's own directory for others.
pub(crate) fn place_of_new() -> Option<PathBuf> {
    let dir = match state_beside() {
        Ok(beside) => beside.dir,
        Err(_) if disk::euid() == 0 => PathBuf::from(ETC),
        Err(_) => xdg("XDG_CONFIG_HOME", ".config")?.join("wxpush"),
    };
    Some(dir.join("config.toml"))
}

/// The config that lies beside the program and is not read, and why.
pub(crate) fn passed_over() -> Option<(PathBuf, String)> {
    let (dir, why) = beside_that_counts().err()?;
    let config = dir.join("config.toml");
    config.exists().then_some((config, why))
}

/// Finds, and where needed makes, the directory for state.
///
/// # Errors
/// Where none can be used: all that were tried, and why.
pub(crate) fn state(explicit: Option<&Path>) -> Result<State, NoPlace> {
    if let Some(dir) = explicit {
        return made(dir).map_err(|why| NoPlace(vec![(dir.to_owned(), why)]));
    }
    let mut tried = match state_beside() {
        Ok(state) => return Ok(state),
        Err(reason) => vec![reason],
    };
    let Some(dir) = fallback() else {
        tried.push((PathBuf::from("$HOME"), say!("没有设置", "is not set")));
        return Err(NoPlace(tried));
    };
    made(&dir).map_err(|why| {
        tried.push((dir, why));
        NoPlace(tried)
    })
}

/// The directory for state as `state` finds it, where it is there already; makes none.
pub(crate) fn state_if_there(explicit: Option<&Path>) -> Option<Result<State, NoPlace>> {
    let is_there = match explicit {
        Some(dir) => is_there(dir),
        None => state_beside().is_ok() || fallback().is_some_and(|dir| is_there(&dir)),
    };
    is_there.then(|| state(explicit))
}

/// Whether something of this name is there; so it is, too, where nobody lets us look.
fn is_there(path: &Path) -> bool {
    !fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The directories beside this one in which state of ours may lie: of another user, of another
/// environment, or from before a `state_dir` was set. Looks, makes nothing.
pub(crate) fn elsewhere(state: &State) -> Vec<PathBuf> {
    let beside = beside().filter(|dir| !is_of_programs(dir));
    let user = [named("XDG_STATE_HOME"), below_home(".local/state")];
    let user = user.into_iter().flatten().map(|dir| dir.join("wxpush"));
    let host = iter::once(PathBuf::from(HOSTS));
    others(state, beside.into_iter().chain(host).chain(user))
}

/// Those that are directories, each once, but for the one in force.
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

/// A directory's path without links, where it has one.
fn real(dir: &Path) -> PathBuf {
    fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned())
}

/// State beside the program.
pub(super) fn state_beside() -> Result<State, (PathBuf, String)> {
    let (dir, owner) = beside_that_counts()?;
    writable(&dir, owner).map_err(|why| (dir, why))
}

/// Where state is kept if it cannot be beside the program; none without a home directory.
fn fallback() -> Option<PathBuf> {
    if crate::disk::euid() == 0 {
        return Some(PathBuf::from(HOSTS));
    }
    xdg("XDG_STATE_HOME", ".local/state").map(|dir| dir.join("wxpush"))
}

/// A directory of the XDG specification: from the environment, else below the home directory.
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

/// Makes a directory, private from the start, and sees whether it can be used.
fn made(dir: &Path) -> Result<State, String> {
    disk::make_dirs(dir, 0o700).map_err(|error| error.to_string())?;
    usable(dir)
}

/// A directory that is private and that we can write to.
fn usable(dir: &Path) -> Result<State, String> {
    writable(dir, private(dir)?)
}

/// A private directory that we can write to.
fn writable(dir: &Path, owner: Owner) -> Result<State, String> {
    let rights = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::accessat(rustix::fs::CWD, dir, rights, rustix::fs::AtFlags::EACCESS).map_err(
        |error| {
            let error = std::io::Error::from(error);
            say!("写不进去：{error}", "cannot be written to: {error}")
        },
    )?;
    Ok(State {
        dir: dir.to_owned(),
        owner,
    })
}

/// Sees that nobody but its owner, who is us or whom we trust, can write to a directory.
fn private(dir: &Path) -> Result<Owner, String> {
    let us = rustix::process::geteuid();
    let link = fs::symlink_metadata(dir).map_err(|error| error.to_string())?;
    // Root's or our own is a choice (systemd makes some), another's leads where he wants us.
    if link.is_symlink() && link.uid() != 0 && link.uid() != us.as_raw() {
        return Err(say!(
            "是别的用户的符号链接",
            "is a symbolic link of another user"
        ));
    }
    let meta = fs::metadata(dir).map_err(|error| error.to_string())?;
    if !meta.is_dir() {
        return Err(say!("不是目录", "is not a directory"));
    }
    if meta.mode() & 0o002 != 0 {
        return Err(say!(
            "其他用户能写它（chmod o-w）",
            "others can write to it (chmod o-w)"
        ));
    }
    if meta.mode() & 0o020 != 0 && !is_private_group(meta.uid(), meta.gid()) {
        return Err(say!(
            "它的属组能写它（chmod g-w）",
            "its group can write to it (chmod g-w)"
        ));
    }
    if meta.uid() != us.as_raw() && meta.uid() != 0 && !us.is_root() {
        return Err(say!("属于别的用户", "belongs to another user"));
    }
    Ok(Owner::of_directory(&meta))
}

/// Whether a group is the private one of a user: of the user's name, with no other member.
pub(crate) fn is_private_group(uid: u32, gid: u32) -> bool {
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    is_private_group_in(&accounts, &groups, uid, gid)
}

fn is_private_group_in(accounts: &str, groups: &str, uid: u32, gid: u32) -> bool {
    let (uid, gid) = (uid.to_string(), gid.to_string());
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let accounts: Vec<_> = accounts
        .lines()
        .map(fields)
        .filter(|user| user.len() > 3)
        .collect();
    let groups: Vec<_> = groups
        .lines()
        .map(fields)
        .filter(|group| group.len() > 3)
        .collect();
    let Some(user) = accounts.iter().find(|user| user[2] == uid) else {
        return false;
    };
    let Some(group) = groups.iter().find(|group| group[2] == gid) else {
        return false;
    };
    let only_member = group[3]
        .split(',')
        .all(|member| member.is_empty() || member == user[0]);
    let only_primary = accounts
        .iter()
        .all(|other| other[3] != gid || other[2] == uid);
    group[0] == user[0] && only_member && only_primary
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
    fn state_may_lie_beside_the_program_unless_it_is_the_one_in_force() {
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
