//! `wxpush sendmail`, whose options are sendmail's own and parsed elsewhere.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Args;

/// `wxpush sendmail`.
#[derive(Debug, Args)]
pub(crate) struct Sendmail {
    /// Options as sendmail has them, and addresses
    #[arg(
        value_name = "OPTION|ADDR",
        allow_hyphen_values = true,
        trailing_var_arg = true
    )]
    pub(crate) words: Vec<OsString>,
}

/// Prepares the words of a command line for clap, which must not parse options of sendmail: all of
/// them are such options if we are called by that name.
pub(crate) fn words(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = args.collect();
    let called = words.first().and_then(|name| Path::new(name).file_name());
    let mode = match called.and_then(OsStr::to_str) {
        Some("sendmail") => Some(None),
        Some("mailq") => Some(Some("-bp")),
        Some("newaliases") => Some(Some("-bi")),
        _ => None,
    };
    if let Some(mode) = mode {
        let options = ["sendmail", "--"].into_iter().chain(mode);
        words.splice(1..1, options.map(OsString::from));
        return words;
    }
    let at = first_command(&words);
    if words.get(at).is_some_and(|word| word == "help") {
        words.remove(at);
        // Before a `--`, which ends the options.
        let end = words.iter().position(|word| word == "--");
        words.insert(end.unwrap_or(words.len()), OsString::from("--help"));
    }
    let is_help = |next: &OsString| next == "--help" || next == "-h" && at + 2 == words.len();
    let wants_help = words.get(at + 1).is_some_and(is_help);
    if words.get(at).is_some_and(|word| word == "sendmail") && !wants_help {
        words.insert(at + 1, OsString::from("--"));
    }
    words
}

/// Returns the place of the first word that is no option of wxpush's, nor a value of one.
pub(super) fn first_command(words: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let is_option = word.as_encoded_bytes().starts_with(b"-");
        let has_value = ["-c", "--config", "-p", "--profile", "--color"];
        at += match has_value.iter().any(|option| word == option) {
            true => 2,
            false if is_option => 1,
            false => break,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> String {
        let words = words(line.split(' ').map(OsString::from));
        words.join(&OsString::from(" ")).into_string().unwrap()
    }

    #[test]
    fn the_options_of_sendmail_are_its_own() {
        for (line, expected) in [
            ("wxpush sendmail -t", "wxpush sendmail -- -t"),
            (
                "wxpush -c sendmail sendmail -q",
                "wxpush -c sendmail sendmail -- -q",
            ),
            (
                "wxpush -q --json sendmail a",
                "wxpush -q --json sendmail -- a",
            ),
            ("/usr/sbin/sendmail -c", "/usr/sbin/sendmail sendmail -- -c"),
            ("sendmail", "sendmail sendmail --"),
            ("/usr/bin/mailq", "/usr/bin/mailq sendmail -- -bp"),
            ("newaliases", "newaliases sendmail -- -bi"),
            ("wxpush sendmail --help", "wxpush sendmail --help"),
            ("wxpush sendmail -h", "wxpush sendmail -h"),
            ("wxpush sendmail -h 3", "wxpush sendmail -- -h 3"),
            ("wxpush send sendmail", "wxpush send sendmail"),
            ("wxpush help", "wxpush --help"),
            ("wxpush -q help send", "wxpush -q send --help"),
            ("wxpush help sendmail", "wxpush sendmail --help"),
            ("wxpush send help", "wxpush send help"),
        ] {
            assert_eq!(seen(line), expected, "{line}");
        }
    }
}
