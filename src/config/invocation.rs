//! What a crontab line repeats of how this process was started.

use std::path::PathBuf;

use super::{environment, paths};

/// Returns the path of this program, links resolved.
pub(crate) fn program() -> PathBuf {
    paths::program().unwrap_or_else(|| PathBuf::from("wxpush"))
}

/// Returns `WXPUSH_STATE_DIR`, which cron does not have.
pub(crate) fn state_dir_variable() -> Option<String> {
    environment::variable("WXPUSH_STATE_DIR").ok().flatten()
}
