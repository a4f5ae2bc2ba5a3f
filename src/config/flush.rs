//! The command that delivers the outbox, as a crontab has it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::{Config, environment, paths};

impl Config {
    /// Returns the command that delivers the outbox, for a shell or a crontab.
    pub(crate) fn flush_command(&self) -> String {
        let mut words = vec![quoted(program().as_os_str()).to_string_lossy().into_owned()];
        if let Ok(Some(dir)) = environment::variable("WXPUSH_STATE_DIR") {
            let dir = quoted(dir.as_ref());
            words.insert(0, format!("WXPUSH_STATE_DIR={}", dir.to_string_lossy()));
        }
        if let Some(path) = self.named() {
            words.push(format!("-c {}", quoted(path.as_os_str()).to_string_lossy()));
        }
        words.push("outbox flush".to_owned());
        words.join(" ")
    }
}

/// The path of this program, links resolved.
pub(crate) fn program() -> PathBuf {
    paths::program().unwrap_or_else(|| PathBuf::from("wxpush"))
}

/// Quotes a text as a word of a crontab line, in which a bare `%` would end the command.
pub(crate) fn quoted(text: &OsStr) -> OsString {
    let plain = |it: &u8| it.is_ascii_alphanumeric() || b"/._-+@,:=".contains(it);
    let bytes = text.as_bytes();
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return text.to_owned();
    }
    let mut word = b"'".to_vec();
    for byte in bytes {
        match byte {
            b'\'' => word.extend(br"'\''"),
            b'%' => word.extend(br"'\%'"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    OsString::from_vec(word)
}
