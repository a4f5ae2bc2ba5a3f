//! Quotes the words of a crontab line, and builds the command that flushes the outbox.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::config::{self, Config};

/// Quotes a text as one word of a crontab line.
///
/// cron reads the line before the shell does. An unescaped `%` ends the command, even in quotes.
/// Debian's cron (3.0pl1) drops one of two backslashes in a row, so an empty pair of quotes
/// separates them.
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
            b'\\' if word.ends_with(br"\") => word.extend(br"''\"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    OsString::from_vec(word)
}

/// Returns the command that flushes the outbox of a config, for a shell or a crontab.
pub(crate) fn flush_command(config: &Config) -> String {
    let word = |text: &OsStr| quoted(text).to_string_lossy().into_owned();
    let mut words = Vec::new();
    if let Some(dir) = config::state_dir_variable() {
        words.push(format!("WXPUSH_STATE_DIR={}", word(dir.as_ref())));
    }
    words.push(word(config::program().as_os_str()));
    if let Some(path) = config.named() {
        words.push(format!("-c {}", word(path.as_os_str())));
    }
    words.push("outbox flush".to_owned());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_survives_cron_and_a_shell() {
        for (text, word) in [
            ("/opt/wxpush", "/opt/wxpush"),
            ("", "''"),
            ("50% full", r"'50'\%' full'"),
            ("don't", r"'don'\''t'"),
            (r"\\server\share", r"'\''\server\share'"),
            (r"\\\", r"'\''\''\'"),
            (r"\%", r"'\'\%''"),
            (r"\'", r"'\'\'''"),
        ] {
            assert_eq!(quoted(text.as_ref()), word, "{text}");
        }
    }
}
