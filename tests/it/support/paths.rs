//! Files, directories and their owners; what stands in the way of one.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::{Run, Sandbox};

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A shell script with the sandbox's program as `$0` and its directory as `$1`, begun by `before`.
pub(crate) fn script(sandbox: &Sandbox, before: &[&str], script: &str) -> Run {
    let mut command = Command::new("env");
    command.args(before).args(["sh", "-c", script]);
    command.arg(sandbox.path("wxpush")).arg(sandbox.path(""));
    Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
}

/// The names in a directory, sorted.
pub(crate) fn names_in(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Makes a directory that others cannot write to, whatever the umask of the tests.
pub(crate) fn make(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    set_mode(dir, 0o755);
}

/// A directory of the sandbox that holds the program as well.
pub(crate) fn program_in(sandbox: &Sandbox, dir: &str) -> PathBuf {
    let dir = sandbox.path(dir);
    make(&dir);
    fs::hard_link(sandbox.path("wxpush"), dir.join("wxpush")).unwrap();
    dir.join("wxpush")
}

/// Gives this thread, and the programs that it starts, a `/var/lib` of their own: there root's
/// state goes when it cannot be beside the program.
pub(crate) fn fence_in() {
    if !is_root() {
        return;
    }
    let (none, private) = (None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
    unshare(CloneFlags::CLONE_NEWNS).expect("root may leave the mounts of others");
    mount(none, "/", none, private, none).expect("these mounts are ours");
    mount(none, "/var/lib", Some("tmpfs"), MsFlags::empty(), none).expect("there is a tmpfs");
}

/// Fixes files so that not even root can write to them, or frees them.
pub(crate) fn chattr(change: &str, paths: &[PathBuf]) -> bool {
    let mut command = Command::new("chattr");
    let status = command
        .arg(change)
        .args(paths)
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The user that root becomes where another one is needed: `nobody`.
pub(crate) const OTHER: u32 = 65534;

/// What makes the words behind it that user's.
pub(crate) const AS_OTHER: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];

/// Puts something of this kind at a path.
pub(crate) fn obstruct(kind: &str, path: &Path, victim: &Path) {
    match kind {
        "symlink" => symlink(victim, path).unwrap(),
        "dangling" => symlink(path.with_extension("nowhere"), path).unwrap(),
        "device" => symlink("/dev/full", path).unwrap(),
        "hard link" => fs::hard_link(victim, path).unwrap(),
        "directory" => fs::create_dir(path).unwrap(),
        _ => mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap(),
    }
}
