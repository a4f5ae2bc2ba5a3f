//! The errors of a config, with location and reason. `text::config` puts them into words.
//!
//! No error contains a value from the config: it may be a misplaced secret. Names are redacted
//! before they are stored here.

use std::io;
use std::path::{Path, PathBuf};

use super::limits::Rate;
use super::paths::{self, Unusable};
use super::redact::{could_be_secret, shown};
use crate::message::RecipientError;

/// The location of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Spot {
    /// A line of a config; `key` is the whole path, such as `profiles.ops.network.proxy`.
    Line {
        path: PathBuf,
        line: usize,
        key: String,
    },
    /// An environment variable.
    Variable(&'static str),
    /// A file that systemd passes to a service.
    Credential,
}

/// The error of a config or of its environment.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// There is no file at the path given by `origin`, an option or a variable. The path is omitted
    /// if it could be a secret.
    NoFile {
        path: Option<PathBuf>,
        origin: &'static str,
    },
    /// The config exists but cannot be read.
    Unreadable { path: PathBuf, error: io::Error },
    /// This line of the config is not UTF-8.
    NotUtf8 { path: PathBuf, line: usize },
    /// The config is not TOML.
    Syntax(Syntax),
    /// A key that does not exist.
    UnknownKey { spot: Spot, advice: Advice },
    /// A value that is invalid for its key.
    Invalid { spot: Spot, reason: Invalid },
    /// `api_base` would send the secret unencrypted.
    PlainHttp(Spot),
    /// The file of a secret cannot be used.
    SecretFile(Box<SecretFile>),
    /// The config omits keys that have no default.
    Unset {
        keys: Vec<&'static str>,
        path: PathBuf,
    },
    /// Keys that have no default are not set anywhere, and there is no config.
    UnsetWithoutConfig {
        keys: Vec<&'static str>,
        searched: Vec<PathBuf>,
        /// The config next to the program, and why it was not read.
        passed_over: Option<(PathBuf, Unusable)>,
    },
    /// There is no profile of this name.
    NoProfile(Unknown),
    /// There is no robot of this name.
    NoRobot(Unknown),
    /// The robot of this name has no key.
    NoRobotKey { name: String, path: Option<PathBuf> },
    /// The key of this name for `wxpush http` is not there.
    NoHttpKey { name: String, path: Option<PathBuf> },
    /// Two keys for `wxpush http` are the same.
    SameHttpKey {
        names: [String; 2],
        path: Option<PathBuf>,
    },
}

/// A name that is not in the config.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) name: String,
    /// The name that may have been meant.
    pub(crate) meant: Option<String>,
    /// All existing names of the kind.
    pub(crate) known: Vec<String>,
    /// The config that was read, if any.
    pub(crate) path: Option<PathBuf>,
}

/// A line that is not TOML.
#[derive(Debug)]
pub(crate) struct Syntax {
    pub(crate) path: PathBuf,
    pub(crate) line: usize,
    /// The part before the `=`, if it is certainly a key.
    pub(crate) key: Option<String>,
    /// The parser's message.
    pub(crate) message: String,
    /// The key that may have been meant.
    pub(crate) meant: Option<&'static str>,
    /// Whether it has quotes such as “ and ”.
    pub(crate) has_curly_quotes: bool,
}

/// A secret's file that cannot be used.
#[derive(Debug)]
pub(crate) struct SecretFile {
    /// The location of the setting that names the file.
    pub(crate) spot: Spot,
    /// Its path, unless it could be the secret itself.
    pub(crate) path: Option<PathBuf>,
    pub(crate) fault: FileFault,
}

/// The reason why a secret's file cannot be used.
#[derive(Debug)]
pub(crate) enum FileFault {
    Unreadable(io::Error),
    Invalid(Invalid),
}

/// The reason why a value is invalid for its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// The expected form of the value.
    Not(Expected),
    /// The TOML type of the value, and the expected form.
    WrongType {
        expected: Expected,
        found: &'static str,
    },
    Empty,
    NotUtf8,
    /// The value of an example, never replaced.
    Placeholder,
    /// A space, a line break, or another character that ids and secrets never contain.
    Unprintable,
    /// A value with quotes around it, which are a part of it.
    Quoted,
    /// A URL whose password would be taken for its host.
    PasswordSplit,
    /// Not the bare key of a robot.
    NotRobotKey,
    ZeroDuration,
    /// Longer than this many days.
    LongerThan {
        days: u64,
    },
    /// Not one of these words; `meant` is a similar one.
    NotOneOf {
        words: Vec<&'static str>,
        meant: Option<&'static str>,
    },
    /// The reason why a name is not a valid recipient.
    Recipient(RecipientError),
    /// The same, if naming it would repeat a possible secret.
    HiddenRecipient,
    /// A list without any recipient.
    NoRecipients,
    /// A secret and the file of a secret are both set.
    Twins,
    /// More than one of members, a group chat and a robot.
    KindsOfRecipients,
}

/// The form that a value must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Text,
    TextOrList,
    Agentid,
    Switch,
    /// A whole number from 1 to this maximum.
    Count(u32),
    /// A whole number, at least this one.
    AtLeast(u64),
    /// A number of messages per minute up to this one.
    Rate(Rate),
    /// A table of this name.
    Table(String),
    Duration,
    /// Hours such as `23:00-07:30`.
    Quiet,
    /// A robot, such as `robots.ops`.
    Fallback,
    Path,
    AbsolutePath,
    Address,
    ProxyUrl,
    ApiUrl,
    Uid,
    Errcode,
    Listen,
    CallbackToken,
    CallbackKey,
    QinglongApp,
    HttpKey,
}

/// Advice for a key that does not exist.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// It could be a secret: keys precede the `=`.
    NameFirst,
    /// Move it below this table.
    MoveBelow {
        key: &'static str,
        table: &'static str,
    },
    /// Move it to the top of the file.
    MoveToTop(&'static str),
    /// Write this key instead, below `table` if it is another one.
    Meant {
        key: &'static str,
        table: Option<&'static str>,
    },
    /// The keys that exist here.
    Known(Vec<&'static str>),
}

impl ConfigError {
    /// Whether there is no config that this user may read.
    pub(crate) fn is_denied(&self) -> bool {
        let error = match self {
            Self::UnsetWithoutConfig { .. } => return true,
            Self::Unreadable { error, .. } => error,
            Self::SecretFile(file) => match &file.fault {
                FileFault::Unreadable(error) => error,
                FileFault::Invalid(_) => return false,
            },
            _ => return false,
        };
        error.kind() == io::ErrorKind::PermissionDenied
    }

    /// Returns the error for a named config that does not exist.
    pub(super) fn no_file(path: &Path, origin: &'static str) -> Self {
        let path = unless_secret(path);
        Self::NoFile { path, origin }
    }

    /// Returns the error for keys that are not set; `path` is the config that was read.
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
    /// Compares a name with the names in the config at `path`.
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

/// Returns the path, unless its name could be a secret that was given instead of a file's.
pub(super) fn unless_secret(path: &Path) -> Option<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (!could_be_secret(&name)).then(|| path.to_owned())
}

/// Returns the most similar known name, if any is similar.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&name, word), word))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
