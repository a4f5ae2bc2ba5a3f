//! The destination of the config: the first place at which the search would find it.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::draft::ConfigDraft;
use crate::config;
use crate::disk::{self, Dir, FileError, Owner, Writers};
use crate::error::Failure;
use crate::text;

/// The mode of a new config, which contains the secret.
const MODE: u32 = 0o600;

/// The largest config that is read before it is replaced, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// The path of a config to be written.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) path: PathBuf,
    /// Whether the user named it.
    pub(super) is_named: bool,
}

/// The file at the path of the config.
#[derive(Debug)]
pub(super) struct Existing {
    /// The text; empty if it cannot be read.
    text: String,
    mode: u32,
    owner: Owner,
}

impl Existing {
    /// Whether it is more than the example with its placeholders.
    fn is_config(&self) -> bool {
        !is_blank(&self.text)
    }
}

/// The result of installing the config.
#[derive(Debug)]
pub(super) enum Installed {
    /// Written, with this mode; a previous config, or the example, is kept at `replaced`.
    Written {
        mode: u32,
        replaced: Option<PathBuf>,
    },
    /// A config with the same values already existed.
    Unchanged,
}

impl Destination {
    /// Returns the path of `--config` or `WXPUSH_CONFIG`, else the path of a new config.
    ///
    /// # Errors
    /// If there is no place for it.
    pub(super) fn find(option: Option<&Path>) -> Result<Self, Failure> {
        let variable = config::variable_named("WXPUSH_CONFIG")?.map(PathBuf::from);
        if let Some(path) = option.or(variable.as_deref()) {
            return Ok(Self {
                path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
                is_named: true,
            });
        }
        Ok(Self {
            path: config::place_of_new().ok_or_else(text::init::no_place)?,
            is_named: false,
        })
    }

    /// Returns the config that the search finds before this one, if there is one.
    pub(super) fn hidden_by(&self) -> Option<PathBuf> {
        let places = config::config_places().into_iter();
        let mut before = places.take_while(|path| !self.is_named && *path != self.path);
        before.find(|path| path.symlink_metadata().is_ok())
    }

    /// Whether the search does not find it.
    pub(super) fn must_be_named(&self) -> bool {
        self.is_named && !config::config_places().contains(&self.path)
    }

    /// Opens its directory; returns its name there, too.
    fn dir(&self) -> io::Result<(Dir, String)> {
        Dir::parent_of(&self.path, Writers::Owner)
    }

    /// Reads the existing file.
    ///
    /// # Errors
    /// If it cannot be replaced, such as a link.
    fn existing(&self) -> Result<Option<Existing>, Failure> {
        let cannot = |error| self.cannot(&error);
        let meta = match self.path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            meta => meta.map_err(cannot)?,
        };
        let (dir, name) = self.dir().map_err(cannot)?;
        // Refuses a link.
        if !dir.has_file(&name).map_err(cannot)? {
            return Ok(None);
        }
        let mode = meta.mode() & 0o777;
        let bytes = match disk::read_named(&self.path, SIZE_MAX) {
            Ok((bytes, _)) => bytes,
            // The new one would be its owner's, too.
            Err(error) if FileError::is_untrusted(&error) => return Err(cannot(error)),
            Err(_) => Vec::new(),
        };
        Ok(Some(Existing {
            text: String::from_utf8(bytes).unwrap_or_default(),
            // A file that everybody can read was not made for a secret.
            mode: if mode & 0o770 == mode { mode } else { MODE },
            owner: Owner::of_file(&meta),
        }))
    }

    /// Whether there is already a config, not only the example.
    ///
    /// # Errors
    /// If the existing file cannot be replaced, such as a link.
    pub(super) fn has_config(&self) -> Result<bool, Failure> {
        Ok(self.existing()?.is_some_and(|old| old.is_config()))
    }

    /// Whether there is already a config with other values.
    ///
    /// # Errors
    /// As `has_config`.
    pub(super) fn has_other(&self, draft: &ConfigDraft) -> Result<bool, Failure> {
        let is_other = |old: Existing| old.is_config() && !draft.is_in(&old.text);
        Ok(self.existing()?.is_some_and(is_other))
    }

    /// Writes the config; replaces another one only if `over`.
    ///
    /// # Errors
    /// `Exit::State` for an obstacle, such as a config that another process has just written.
    pub(super) fn install(&self, draft: &ConfigDraft, over: bool) -> Result<Installed, Failure> {
        let text = draft.text();
        let Some(old) = self.existing()? else {
            return match self.write_new(&text) {
                // Another process was faster: its config is examined.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.install(draft, over),
                written => written.map_err(|error| self.cannot(&error)),
            };
        };
        if old.text == text || !over && draft.is_in(&old.text) {
            return Ok(Installed::Unchanged);
        }
        if !over && old.is_config() {
            return Err(self.stays());
        }
        let place_over = || {
            let (dir, name) = self.dir()?;
            dir.place_over(&name, text.as_bytes(), old.mode, old.owner)
        };
        Ok(Installed::Written {
            mode: old.mode,
            replaced: Some(place_over().map_err(|error| self.cannot(&error))?),
        })
    }

    fn write_new(&self, text: &str) -> io::Result<Installed> {
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        if !self.is_named {
            // All users look for the host's config there; the other directory is private.
            let mode = if disk::euid() == 0 { 0o755 } else { 0o700 };
            Dir::open(dir, Some(mode))?;
        }
        let (dir, name) = self.dir()?;
        dir.place(&name, text.as_bytes(), MODE)?;
        Ok(Installed::Written {
            mode: MODE,
            replaced: None,
        })
    }

    /// Returns the failure that another config is kept.
    pub(super) fn stays(&self) -> Failure {
        text::init::stays(self.path.display())
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        text::init::cannot_write(self.path.display(), error)
    }
}

/// Whether a config is the unmodified example, or a package's version with the three settings
/// commented out.
fn is_blank(text: &str) -> bool {
    let placeholders = [
        "corpid = \"<企业ID>\"",
        "corpsecret = \"<Secret>\"",
        "agentid = 0",
    ];
    let lines = || text.lines().map(str::trim_end);
    let has = |it: &str| lines().any(|line| line.strip_prefix('#').unwrap_or(line) == it);
    let says_nothing = |line: &str| {
        line.is_empty() || line.starts_with(['#', '[']) || placeholders.contains(&line)
    };
    placeholders.into_iter().all(has) && lines().all(says_nothing)
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn the_example_is_blank_until_a_value_is_set() {
        let example = include_str!("../../../config.example.toml");
        assert!(is_blank(example));
        assert!(is_blank(&example.replace('\n', "\r\n")));
        let packaged = example.replace("\ncorp", "\n#corp");
        let packaged = packaged.replace("\nagentid", "\n#agentid");
        assert!(is_blank(&packaged));
        assert!(!is_blank(&format!(
            "corpid = \"ww0123456789abcdef\"\n{packaged}"
        )));
        assert!(!is_blank(&example.replace("#prefix", "prefix")));
        assert!(!is_blank(&example.replace("agentid = 0", "agentid = 7")));
        assert!(!is_blank(""));
    }
}
