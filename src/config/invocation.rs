//! How this process was started, to be repeated in a crontab line.

use std::fs;
use std::path::PathBuf;

use super::error::ConfigError;
use super::keys::MAILDROP;
use super::{environment, executable};

/// Returns the path of this program, with links resolved.
pub(crate) fn program() -> PathBuf {
    executable::path().unwrap_or_else(|| PathBuf::from("wxpush"))
}

/// Returns `WXPUSH_STATE_DIR`, which is not set under cron.
pub(crate) fn state_dir_variable() -> Option<String> {
    environment::variable("WXPUSH_STATE_DIR").ok().flatten()
}

/// Whether programs that call `sendmail` call us.
pub(crate) fn is_the_sendmail() -> bool {
    let real = fs::canonicalize("/usr/sbin/sendmail").ok();
    real.is_some() && real == executable::path()
}

/// Returns the maildrop of a user who may not read the config: `WXPUSH_MAILDROP`, or the default.
///
/// # Errors
/// If the variable is not UTF-8.
pub(crate) fn maildrop_variable() -> Result<PathBuf, ConfigError> {
    let named = environment::variable("WXPUSH_MAILDROP")?;
    Ok(named.map_or_else(|| MAILDROP.into(), PathBuf::from))
}
