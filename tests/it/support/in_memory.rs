//! State in memory, where it weighs too much for the disk that all tests share.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

/// State in memory, of messages so large that their syncs would hold up the tests beside. Goes with
/// the value.
pub(crate) struct InMemory(PathBuf);

impl Sandbox {
    /// Lets state be in memory, where the machine has a place for that.
    pub(crate) fn state_in_memory(&self) -> InMemory {
        let shared = Path::new("/dev/shm");
        let dir = self.path("wxpush");
        let name = dir
            .parent()
            .and_then(Path::file_name)
            .expect("it has a name");
        let dir = if shared.is_dir() {
            shared.join(format!("wxpush-test-{}", name.display()))
        } else {
            self.path("state")
        };
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).expect("it can be written to");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
        let config = self.read("config.toml");
        let state = format!("state_dir = {:?}\n", dir.display().to_string());
        self.write("config.toml", state + &config);
        InMemory(dir)
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
