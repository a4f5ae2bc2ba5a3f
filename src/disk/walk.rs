//! Opens a directory component by component, so that nobody but its owners can have led root there.
//!
//! For root, each component must belong to root or to the user whom root trusts, and nobody else may
//! be able to rename what is in it. Symbolic links of these owners are followed. Others open a path
//! as the system does: what they can reach is theirs to judge. In an open directory, names have one
//! component.
//!
//! Where no link and no mount is on the way, the kernel opens the directory at once, and what is above it
//! is looked at from there: a third of the calls. What is not as it should be, the walk finds and tells.
//! Having walked before spares both: config, state and log are mostly near each other.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

use super::trust::{Writers, check_dir, check_link, is_mounted, is_trusted};
use super::{FileError, euid, make_dirs};

/// Most symbolic links on the way. Source: `path_resolution`(7).
pub(super) const LINKS_MAX: usize = 40;

/// A directory that root has walked to.
#[derive(Clone)]
struct Walked {
    dir: Arc<File>,
    /// Its path without links.
    at: PathBuf,
    /// Its device and inode.
    place: (u64, u64),
}

/// Where root has walked to.
static WALKED: Mutex<BTreeMap<(PathBuf, Writers), Walked>> = Mutex::new(BTreeMap::new());

/// Opens a directory, and returns its metadata, too; with `make`, creates what is missing with this mode.
///
/// # Errors
/// An I/O error, or the component that another user can change.
pub(super) fn open_dir(
    path: &Path,
    make: Option<u32>,
    writers: Writers,
    flags: OFlags,
) -> io::Result<(File, Metadata)> {
    if euid() != 0 {
        if let Some(mode) = make {
            make_dirs(path, mode)?;
        }
        return with_meta(open(CWD, path.as_os_str(), flags | OFlags::DIRECTORY)?);
    }
    let (dir, meta) = walked(path, make, writers)?;
    let here = open(&dir, OsStr::new("."), flags | OFlags::DIRECTORY)?;
    Ok((here, meta))
}

/// Finds a directory for names in it, with the errors of `open_dir`: it can't be read or synced.
pub(super) fn find_dir(path: &Path, writers: Writers) -> io::Result<(Arc<File>, Metadata)> {
    if euid() == 0 {
        return walked(path, None, writers);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    let (dir, meta) = with_meta(open(CWD, path.as_os_str(), flags)?)?;
    Ok((Arc::new(dir), meta))
}

/// Walks to a directory, from the nearest one on the way that root has walked to.
fn walked(path: &Path, make: Option<u32>, writers: Writers) -> io::Result<(Arc<File>, Metadata)> {
    let path = std::path::absolute(path)?;
    let mut known = WALKED.lock().unwrap_or_else(PoisonError::into_inner);
    // A path is only looked at: what is opened is the handle.
    let on_way = path.ancestors().find_map(|on_way| {
        let walked = known.get(&(on_way.to_owned(), writers))?;
        let meta = fs::metadata(on_way).ok()?;
        let leads_to_it = walked.place == place_of(&meta) && is_trusted(meta.uid());
        leads_to_it.then(|| (Arc::clone(&walked.dir), meta, walked.at.clone(), on_way))
    });
    let (here, meta, at, from) = if let Some(on_way) = on_way {
        on_way
    } else if let Some((here, meta)) = straight(&path) {
        (Arc::new(here), meta, path.clone(), &*path)
    } else {
        let (here, meta) = root()?;
        (here, meta, PathBuf::from("/"), Path::new("/"))
    };
    let mut walk = Walk {
        here,
        meta,
        at,
        rest: names(path.strip_prefix(from).unwrap_or(&path)).collect(),
        links: 0,
        target_until: usize::MAX,
        writers,
    };
    while let Some(name) = walk.rest.pop() {
        walk.step(&name, make)?;
    }
    let walked = Walked {
        dir: Arc::clone(&walk.here),
        at: walk.at,
        place: place_of(&walk.meta),
    };
    known.insert((path, writers), walked);
    Ok((walk.here, walk.meta))
}

pub(super) fn with_meta(dir: File) -> io::Result<(File, Metadata)> {
    let meta = dir.metadata()?;
    Ok((dir, meta))
}

/// Opens a directory by its path without links and mounts, if nobody else can change what is on the way.
/// That is looked at from the directory itself: by what leads to it now, whatever its path leads to.
fn straight(path: &Path) -> Option<(File, Metadata)> {
    if path.components().any(|it| it == Component::ParentDir) {
        return None;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Past a mount, a file system of a user's could keep us waiting.
    let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let opened = rustix::fs::openat2(CWD, path, flags, Mode::empty(), how).ok()?;
    let (dir, meta) = with_meta(File::from(opened)).ok()?;
    let mut above = PathBuf::new();
    for _ in path.ancestors().skip(1) {
        above.push("..");
        let above = rustix::fs::statat(&dir, &above, AtFlags::empty()).ok()?;
        let is_open = !matches!(above.st_mode & 0o1022, 0 | 0o1000..=0o1777);
        if is_open || !is_trusted(above.st_uid) {
            return None;
        }
    }
    is_trusted(meta.uid()).then_some((dir, meta))
}

fn place_of(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
}

pub(super) fn root() -> io::Result<(Arc<File>, Metadata)> {
    let (root, meta) = with_meta(open(CWD, OsStr::new("/"), OFlags::PATH)?)?;
    Ok((Arc::new(root), meta))
}

/// Finds the directory of a file, and returns the file's name in it. Links to the file are followed
/// as `open_dir` does.
///
/// # Errors
/// Those of `open_dir`.
pub(super) fn find_parent(path: &Path, writers: Writers) -> io::Result<(Arc<File>, OsString)> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS_MAX {
        let (dir, _, name) = parent_of(&path, writers)?;
        let Ok(target) = rustix::fs::readlinkat(&dir, &name, Vec::new()) else {
            return Ok((dir, name));
        };
        path = followed(&path, &dir, &name, target.into_bytes())?;
    }
    Err(Errno::LOOP.into())
}

/// Opens a file through its directory, and returns its metadata, too. Links to it are followed as `open_dir` does.
///
/// # Errors
/// Those of `open_dir`.
pub(super) fn open_file(
    path: &Path,
    writers: Writers,
    flags: OFlags,
) -> io::Result<(File, Metadata)> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..LINKS_MAX {
        let (dir, of_dir, name) = parent_of(&path, writers)?;
        let error = match open(&dir, &name, flags | OFlags::NOFOLLOW) {
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => error,
            opened => {
                let (file, meta) = with_meta(opened?)?;
                if is_mounted(&meta, &of_dir) {
                    return Err(FileError::OthersWrite { path }.into());
                }
                return Ok((file, meta));
            }
        };
        let target = rustix::fs::readlinkat(&dir, &name, Vec::new()).map_err(|_| error)?;
        path = followed(&path, &dir, &name, target.into_bytes())?;
    }
    Err(Errno::LOOP.into())
}

fn parent_of(path: &Path, writers: Writers) -> io::Result<(Arc<File>, Metadata, OsString)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(FileError::NotAFilePath.into());
    };
    let (dir, meta) = find_dir(parent, writers)?;
    check_dir(&meta, parent, writers)?;
    Ok((dir, meta, name.to_owned()))
}

/// Returns the path to which a link leads that nobody else made.
fn followed(path: &Path, dir: &File, name: &OsStr, target: Vec<u8>) -> io::Result<PathBuf> {
    let link = open(dir, name, OFlags::PATH | OFlags::NOFOLLOW)?;
    check_link(&link.metadata()?, path)?;
    let target = PathBuf::from(OsString::from_vec(target));
    Ok(path
        .parent()
        .map_or_else(PathBuf::new, Path::to_owned)
        .join(target))
}

/// A walk from the root directory. It holds one directory at a time: descriptors may be scarce.
struct Walk {
    here: Arc<File>,
    meta: Metadata,
    at: PathBuf,
    /// The components that are left, the next one last.
    rest: Vec<OsString>,
    links: usize,
    /// Until fewer components are left, they are those of a link's target.
    target_until: usize,
    writers: Writers,
}

impl Walk {
    /// Puts a path before what is left.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        if path.is_absolute() {
            (self.here, self.meta) = root()?;
            self.at = PathBuf::from("/");
        }
        self.rest.extend(names(path));
        Ok(())
    }

    fn step(&mut self, name: &OsStr, make: Option<u32>) -> io::Result<()> {
        if name == ".." {
            // From the root directory again.
            let parent = self.at.parent().unwrap_or(Path::new("/")).to_owned();
            return self.add(&parent);
        }
        let (dir, at) = (&self.here, &self.at);
        check_dir(&self.meta, at, self.writers)?;
        let path = at.join(name);
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        let file = match (open(dir, name, flags), make) {
            // A link leads to what is there already.
            (Err(error), Some(mode))
                if error.kind() == io::ErrorKind::NotFound
                    && self.rest.len() < self.target_until =>
            {
                make_in(dir, name, mode)?;
                open(dir, name, flags)?
            }
            (file, _) => file?,
        };
        let meta = file.metadata()?;
        if meta.is_symlink() {
            check_link(&meta, &path)?;
            self.links += 1;
            if self.links > LINKS_MAX {
                return Err(Errno::LOOP.into());
            }
            let target = rustix::fs::readlinkat(&file, "", Vec::new())?;
            self.target_until = self.target_until.min(self.rest.len());
            return self.add(Path::new(&OsString::from_vec(target.into_bytes())));
        }
        if !meta.is_dir() {
            return Err(FileError::NotDirectory.into());
        }
        if !is_trusted(meta.uid()) {
            let uid = meta.uid();
            return Err(FileError::Foreign { path, uid }.into());
        }
        if is_mounted(&meta, &self.meta) {
            return Err(FileError::OthersWrite { path }.into());
        }
        (self.here, self.meta, self.at) = (Arc::new(file), meta, path);
        Ok(())
    }
}

/// Returns the components of a path, the first one last.
pub(super) fn names(path: &Path) -> impl Iterator<Item = OsString> {
    let components = path.components().rev();
    let named = components.filter(|it| matches!(it, Component::Normal(_) | Component::ParentDir));
    named.map(|it| it.as_os_str().to_owned())
}

/// Creates a directory with exactly this mode, and syncs its name.
fn make_in(dir: &File, name: &OsStr, mode: u32) -> io::Result<()> {
    let made = retry_on_intr(|| rustix::fs::mkdirat(dir, name, Mode::from_raw_mode(mode)));
    match made {
        Ok(()) => {
            // The umask may have removed even our own access.
            rustix::fs::chmodat(dir, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
            sync_names(dir)
        }
        // Another process has just created it.
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Syncs all names in a directory that was found.
///
/// # Errors
/// An I/O error.
pub(super) fn sync_names(dir: &File) -> io::Result<()> {
    open(dir, OsStr::new("."), OFlags::DIRECTORY)?.sync_all()
}

pub(super) fn open(dir: impl AsFd, name: &OsStr, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC;
    let opened = retry_on_intr(|| rustix::fs::openat(&dir, name, flags, Mode::empty()));
    Ok(File::from(opened?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    #[test]
    #[ignore = "needs root: a directory of another user's"]
    fn a_directory_that_was_walked_to_is_known_only_as_long_as_its_path_leads_to_it() {
        let name = format!("wxpush-walk-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let path = place.join("a/b");
        let open = || open_dir(&path, None, Writers::Owner, OFlags::RDONLY);
        fs::create_dir_all(&path).unwrap();
        let first = place_of(&open().unwrap().1);
        assert_eq!(place_of(&open().unwrap().1), first);
        fs::rename(place.join("a"), place.join("was")).unwrap();
        fs::create_dir_all(&path).unwrap();
        chown(place.join("a"), Some(65534), None).unwrap();
        assert!(FileError::is_untrusted(&open().unwrap_err()));
        fs::remove_dir_all(place.join("a")).unwrap();
        symlink("was", place.join("a")).unwrap();
        assert_eq!(place_of(&open().unwrap().1), first);
        fs::remove_dir_all(&place).unwrap();
    }
}
