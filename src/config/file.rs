//! Reads a config file, and finds the first one that exists.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::document::{Document, Secrets};
use super::environment;
use super::error::ConfigError;
use super::http::HttpKeys;
use super::input::{At, SecretFrom};
use super::keys::Layer;
use super::mail::MailTable;
use crate::disk::{self, FileError};

/// The largest config that is read, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// The contents of a config file.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// The keys at the top level.
    pub(super) top: Layer,
    /// The keys of each `[profiles.NAME]`.
    pub(super) profiles: BTreeMap<String, Layer>,
    /// The key of each `[robots.NAME]`.
    pub(super) robots: Secrets,
    /// The lines of `[mail]`.
    pub(super) mail: MailTable,
    /// Each `[http.keys.NAME]`.
    pub(super) http_keys: HttpKeys,
    /// Whether the file contains a secret that users other than the owner can read.
    pub(super) open_secret: bool,
}

impl ConfigFile {
    /// Returns the keys of robots, and those of `wxpush http`.
    pub(super) fn keys(&self) -> impl Iterator<Item = &At<SecretFrom>> {
        let http = self
            .http_keys
            .values()
            .filter_map(|key| key.secret.as_ref());
        self.robots.values().flatten().chain(http)
    }
}

/// Reads a config; returns `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<ConfigFile>, ConfigError> {
    let (bytes, meta) = match disk::read_named(path, SIZE_MAX) {
        Ok(read) => read,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            let path = path.to_owned();
            return Err(ConfigError::Unreadable { path, error });
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let path = path.to_owned();
        ConfigError::NotUtf8 { path, line }
    })?;
    let mut config = parse(path, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    config.open_secret &= others_read(&meta, path);
    Ok(Some(config))
}

/// Reads the first of these configs that exists.
///
/// Skips one that only others may read, such as a package's for root, if the environment has the
/// three settings: no config is needed then.
pub(super) fn first(
    paths: impl Iterator<Item = PathBuf>,
) -> Result<Option<(ConfigFile, PathBuf)>, ConfigError> {
    for path in paths {
        match read(&path) {
            Ok(None) => {}
            Ok(Some(config)) => return Ok(Some((config, path))),
            // Root's HOME may be another user's, in whose directories it looks for nothing.
            Err(ConfigError::Unreadable { error, .. })
                if FileError::is_untrusted(&error) && path.symlink_metadata().is_err() => {}
            Err(_) if is_withheld(&path) && environment::layer()?.is_an_app() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Whether we may not read a file, whatever its content.
fn is_withheld(path: &Path) -> bool {
    disk::read_named(path, 0).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Whether users other than the owner, and the group that root chose, can read a file.
pub(super) fn others_read(meta: &Metadata, path: &Path) -> bool {
    let group = meta.mode() & 0o040 != 0 && meta.uid() != 0 && disk::others_by_group(meta, path);
    meta.mode() & 0o004 != 0 || group
}

/// Parses the text of a config.
pub(super) fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    let document = Document::new(path, text);
    let top = DeTable::parse(text).map_err(|error| document.syntax(&error))?;
    let top = top.get_ref();
    let mut config = ConfigFile {
        top: document.layer(top, "")?,
        profiles: document.collection(top, "", "profiles", Document::layer)?,
        robots: document.collection(top, "", "robots", Document::secret)?,
        mail: MailTable::new(document.collection(top, "", "mail", Document::recipients)?),
        http_keys: document.http_keys(top)?,
        ..ConfigFile::default()
    };
    config.open_secret = config.top.holds_secret()
        || config.profiles.values().any(Layer::holds_secret)
        || config.keys().any(At::is_text);
    Ok(config)
}
