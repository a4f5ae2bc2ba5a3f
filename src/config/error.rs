//! Everything that can be wrong with a config: where, and why. `text::config` has the words.
//!
//! No error holds a value that somebody wrote: it may be the secret in the wrong place. Names are
//! redacted before they get in here.

use std::io;
use std::path::{Path, PathBuf};

use super::paths::{self, Unusable};
use super::redact::{could_be_secret, shown};
use crate::message::RecipientError;

/// The place of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spot {
    /// In a config; `key` is its whole path, such as `profiles.ops.network.proxy`.
    Line {
        path: PathBuf,
        line: usize,
        key: String,
    },
    /// In this environment variable.
    Variable(&'static str),
    /// In a file that systemd gives to a service.
    Credential,
}

/// A config, or its environment, that cannot be used.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// There is no file at the path that `origin`, an option or a variable, gives. The path is left
    /// out if it could be a secret.
    NoFile {
        path: Option<PathBuf>,
        origin: &'static str,
    },
    /// The config is there and cannot be read.
    Unreadable { path: PathBuf, error: io::Error },
    /// This line of the config is not UTF-8.
    NotUtf8 { path: PathBuf, line: usize },
    /// The config is not TOML.
    Syntax(Syntax),
    /// A key that does not exist.
    UnknownKey { spot: Spot, advice: Advice },
    /// A value that its key does not take.
    Invalid { spot: Spot, reason: Invalid },
    /// `api_base` would send the secret in the clear.
    PlainHttp(Spot),
    /// The file that should hold a secret does not.
    SecretFile(Box<SecretFile>),
    /// The config leaves out keys that have no default.
    Unset {
        keys: Vec<&'static str>,
        path: PathBuf,
    },
    /// Keys that have no default are set nowhere, and there is no config.
    UnsetWithoutConfig {
        keys: Vec<&'static str>,
        searched: Vec<PathBuf>,
        /// The config beside the program, and why it was not read.
        passed_over: Option<(PathBuf, Unusable)>,
    },
    /// There is no profile of this name.
    NoProfile(Unknown),
    /// There is no robot of this name.
    NoRobot(Unknown),
    /// The robot of this name has no key.
    NoRobotKey { name: String, path: Option<PathBuf> },
}

/// A name that is not in the config.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) name: String,
    /// The name that may have been meant.
    pub(crate) meant: Option<String>,
    /// All names of the kind that there are.
    pub(crate) known: Vec<String>,
    /// The config that was read, if one was.
    pub(crate) path: Option<PathBuf>,
}

/// A line that is not TOML.
#[derive(Debug)]
pub(crate) struct Syntax {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    /// The part before the `=`, if that is certainly a key.
    pub(crate) key: Option<String>,
    /// The parser's message.
    pub(crate) message: String,
    /// The key that it may have been meant to be.
    pub(crate) meant: Option<&'static str>,
    /// Whether it has quotes such as “ and ”.
    pub(crate) has_curly_quotes: bool,
}

/// A secret's file that cannot be used.
#[derive(Debug)]
pub(crate) struct SecretFile {
    /// The place that names the file.
    pub(crate) spot: Spot,
    /// Its path, unless that could be the secret itself.
    pub(crate) path: Option<PathBuf>,
    pub(crate) fault: FileFault,
}

/// Why a secret's file cannot be used.
#[derive(Debug)]
pub(crate) enum FileFault {
    Unreadable(io::Error),
    Invalid(Invalid),
}

/// Why a value is none for its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It must be something else.
    Not(Expected),
    /// It is of this type of TOML, and must be something else.
    WrongType {
        expected: Expected,
        found: &'static str,
    },
    Empty,
    NotUtf8,
    /// An example's value that was never replaced.
    Placeholder,
    /// A space, a line break, or a character that no id and no secret has.
    Unprintable,
    /// More than the key of a robot, or something else.
    NotRobotKey,
    ZeroDuration,
    /// Longer than this many days.
    LongerThan {
        days: u64,
    },
    /// None of these words; one of them is like it.
    NotOneOf {
        words: Vec<&'static str>,
        meant: Option<&'static str>,
    },
    /// Why a name cannot be a recipient's, in words.
    Recipient(RecipientError),
    /// The same, if the words would repeat what could be a secret.
    HiddenRecipient,
    /// A list of recipients in which nobody is named.
    NoRecipients,
    /// A secret and the file of a secret are both set.
    Twins,
}

/// The form that a value must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Text,
    TextOrList,
    Agentid,
    Switch,
    /// A whole number from 1 to this.
    Count(u32),
    /// A table of this name.
    Table(String),
    Duration,
    Path,
    AbsolutePath,
    Address,
    ProxyUrl,
    ApiUrl,
}

/// Advice for a key that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// It could be a secret: keys stand before the `=`.
    NameFirst,
    /// Move it below this table.
    MoveBelow {
        key: &'static str,
        table: &'static str,
    },
    /// Move it to the top of the file.
    MoveToTop(&'static str),
    /// Write this instead, below this table if it is another one.
    Meant {
        key: &'static str,
        table: Option<&'static str>,
    },
    /// These exist here.
    Known(Vec<&'static str>),
}

impl ConfigError {
    /// A named config that does not exist.
    pub(super) fn no_file(path: &Path, origin: &'static str) -> Self {
        let path = unless_secret(path);
        Self::NoFile { path, origin }
    }

    /// Keys that nothing sets; `path` is the config that was read.
    pub(super) fn unset(keys: Vec<&'static str>, path: Option<&Path>) -> Self {
        match path {
            Some(path) => Self::Unset {
                keys,
                path: path.to_owned(),
            },
            None => Self::UnsetWithoutConfig {
                keys,
                searched: paths::configs().collect(),
                passed_over: paths::passed_over(),
            },
        }
    }
}

impl Unknown {
    /// Compares a name with those that the config at `path` has.
    pub(super) fn new<'a>(
        name: &str,
        known: impl Iterator<Item = &'a String>,
        path: Option<&Path>,
    ) -> Self {
        let known: Vec<&str> = known.map(String::as_str).collect();
        Self {
            // A password or a key may have been given instead.
            name: shown(name),
            meant: nearest(name, known.iter().copied()).map(shown),
            known: known.into_iter().map(shown).collect(),
            path: path.map(Path::to_owned),
        }
    }
}

/// The path, unless its name could be a secret that was given instead of a file's.
pub(super) fn unless_secret(path: &Path) -> Option<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (!could_be_secret(&name)).then(|| path.to_owned())
}

/// The known name that is most like `name`, if one is.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&name, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
