//! The program's own file, as the kernel tells, or where there is no `/proc`, as a shell finds it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A link of the kernel's to this program, even if its file is gone.
const LINK: &str = "/proc/self/exe";

/// Returns its path, with links resolved; its former name if it was replaced meanwhile.
pub(super) fn path() -> Option<PathBuf> {
    let path = found()?;
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned();
    Some(path.with_file_name(name))
}

/// Returns its directory, with links resolved.
pub(super) fn dir() -> Option<PathBuf> {
    // If the file was replaced meanwhile, only its name is wrong (" (deleted)").
    found()?.parent().map(Path::to_path_buf)
}

/// Returns what starts this program once more.
pub(crate) fn same_program() -> PathBuf {
    let link = PathBuf::from(LINK);
    if link.exists() {
        return link;
    }
    found().unwrap_or(link)
}

fn found() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        env::current_exe().ok().or_else(|| {
            let word = env::args_os().next()?;
            called(&word, &env::var_os("PATH").unwrap_or_default())
        })
    };
    FOUND.get_or_init(find).clone()
}

/// Returns the file that a shell with this `PATH` starts for a word, with links resolved.
fn called(word: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if Path::new(word).components().nth(1).is_some() {
        return fs::canonicalize(word).ok();
    }
    env::split_paths(path)
        // A relative one would follow the working directory.
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(word))
        .find(|file| is_executable(file))
        .and_then(|file| fs::canonicalize(file).ok())
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
