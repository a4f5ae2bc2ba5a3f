//! How this process was started, to be repeated in a crontab line.

use std::path::PathBuf;

use super::{environment, paths};

/// Returns the path of this program, with links resolved.
pub(crate) fn program() -> PathBuf {
    paths::program().unwrap_or_else(|| PathBuf::from("wxpush"))
}

/// Returns `WXPUSH_STATE_DIR`, which is not set under cron.
pub(crate) fn state_dir_variable() -> Option<String> {
    environment::variable("WXPUSH_STATE_DIR").ok().flatten()
}
