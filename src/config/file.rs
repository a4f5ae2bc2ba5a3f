//! A config file into a `Layer`, with every mistake told by file, line and key.
//!
//! Reads the parser's table by hand rather than by serde: serde's messages repeat the value,
//! and the value may be the secret.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::api_base::ApiBase;
use super::layer::{At, Layer, SecretFrom};
use super::reader::{Key, LIMITS, LOG, NETWORK, OUTBOX, ROBOT, Reader, TO, TOP, Value};
use super::settings::Limits;
use super::value::{self, ShowIn};
use super::{environment, mail, places};
use crate::disk;
use crate::error::{Exit, Failure};
use crate::lang::say;

/// Largest config that is read, in bytes.
const SIZE_MAX: u64 = 1 << 20;

/// A config file, read.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    /// What stands at the top.
    pub(crate) top: Layer,
    /// What stands in each `[profiles.NAME]`.
    pub(crate) profiles: BTreeMap<String, Layer>,
    /// The key of each `[robots.NAME]`, or none where it has none.
    pub(crate) robots: BTreeMap<String, Option<At<SecretFrom>>>,
    /// Whom mail goes to.
    pub(super) mail: mail::Lines,
    /// Whether users other than the owner can read the file, and it holds a secret.
    pub(crate) open_secret: bool,
    /// The user whose file it is, if we are root and he is not.
    pub(crate) foreign: Option<u32>,
}

/// Reads a config; none if there is no such file.
///
/// # Errors
/// `Exit::Config`, with file, line and key.
pub(crate) fn read(path: &Path) -> Result<Option<ConfigFile>, Failure> {
    let (bytes, meta) = match disk::read_named(path, SIZE_MAX) {
        Ok(read) => read,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            let what = format!("{}: {}", path.display(), unreadable(&error));
            return Err(Failure::new(Exit::Config, what).hint(say!(
                "要指定一个普通文件，而且运行 wxpush 的用户能读它",
                "name a regular file that the user who runs wxpush may read"
            )));
        }
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let what = format!("{}:{line}: {}", path.display(), not_utf8());
        Failure::new(Exit::Config, what).hint(say!("把文件另存为 UTF-8", "save the file as UTF-8"))
    })?;
    let mut config = parse(path, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    config.open_secret &= others_read(&meta);
    config.foreign = Some(meta.uid()).filter(|uid| *uid != 0 && crate::disk::euid() == 0);
    Ok(Some(config))
}

/// Reads the first of these configs that is there.
///
/// One that is for others to read, as a package brings it for root, stops nobody who has the three
/// settings in the environment: he needs none.
///
/// # Errors
/// As `read`.
pub(super) fn first(
    paths: impl Iterator<Item = PathBuf>,
) -> Result<Option<(ConfigFile, PathBuf)>, Failure> {
    for path in paths {
        match read(&path) {
            Ok(None) => {}
            Ok(Some(config)) => return Ok(Some((config, path))),
            Err(_) if is_withheld(&path) && environment::layer()?.is_an_app() => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(None)
}

/// Whether we may not read a file, whatever is in it.
fn is_withheld(path: &Path) -> bool {
    disk::read_named(path, 0).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Reads a small text that a config names.
///
/// # Errors
/// In words.
pub(crate) fn read_text(path: &Path, max: u64) -> Result<String, String> {
    let (bytes, _) = disk::read_named(path, max).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|_| not_utf8())
}

fn unreadable(error: &io::Error) -> String {
    say!("读不了：{error}", "cannot be read: {error}")
}

fn not_utf8() -> String {
    say!("不是 UTF-8", "is not UTF-8")
}

/// Whether users beyond the owner, and the group that root chose, can read a file.
pub(super) fn others_read(meta: &Metadata) -> bool {
    let group = meta.mode() & 0o040 != 0
        && meta.uid() != 0
        && !places::is_private_group(meta.uid(), meta.gid());
    meta.mode() & 0o004 != 0 || group
}

/// Reads the text of a config.
pub(crate) fn parse(path: &Path, text: &str) -> Result<ConfigFile, Failure> {
    let reader = Reader { path, text };
    let table = DeTable::parse(text).map_err(|error| reader.syntax(&error))?;
    let mut config = ConfigFile::default();
    reader.layer(table.get_ref(), &mut config.top, "")?;
    for (key, value) in table.get_ref() {
        match key.get_ref().as_ref() {
            "profiles" => {
                for (name, value) in reader.table(key, value, "")? {
                    let place = format!("profiles.{}.", name.get_ref());
                    let mut layer = Layer::default();
                    reader.layer(reader.table(name, value, "profiles.")?, &mut layer, &place)?;
                    config.profiles.insert(name.get_ref().to_string(), layer);
                }
            }
            "robots" => config.robots = reader.robots(key, value)?,
            "mail" => config.mail = reader.mail(key, value)?,
            _ => {}
        }
    }
    config.open_secret |= config.top.holds_secret();
    config.open_secret |= config.profiles.values().any(Layer::holds_secret);
    let keys = config.robots.values().flatten();
    config.open_secret |= keys
        .into_iter()
        .any(|key| matches!(key.value, SecretFrom::Text(_)));
    Ok(config)
}

impl Reader<'_> {
    /// Reads the keys that the top and each profile may have.
    fn layer(&self, table: &DeTable<'_>, layer: &mut Layer, place: &str) -> Result<(), Failure> {
        layer.to = self.receivers(table, place)?;
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "corpid" => layer.corpid = Some(self.read(key, value, place, value::corpid)?),
                "corpsecret" | "corpsecret_file" if layer.secret.is_some() => {
                    return Err(self.twins(key, place, "corpsecret", "corpsecret_file"));
                }
                "corpsecret" => {
                    layer.secret = Some(
                        self.read(key, value, place, value::secret)?
                            .map(SecretFrom::Text),
                    );
                }
                "corpsecret_file" => {
                    layer.secret = Some(self.file(key, value, place)?.map(SecretFrom::File));
                }
                "agentid" => layer.agentid = Some(self.agentid(key, value, place)?),
                "touser" | "toparty" | "totag" => {}
                "safe" => layer.safe = Some(self.switch(key, value, place)?),
                "prefix" => layer.prefix = Some(self.string(key, value, place)?.to_owned()),
                "state_dir" => layer.state_dir = Some(self.file(key, value, place)?.value),
                "show_in" => {
                    let words = &[("wecom", ShowIn::WeCom), ("wechat", ShowIn::WeChat)];
                    let word = |text: &str| value::one_of(text, words);
                    layer.show_in = Some(self.read(key, value, place, word)?.value);
                }
                "lang" => layer.lang = Some(self.read(key, value, place, value::lang)?.value),
                "network" => self.network(self.table(key, value, place)?, layer, place)?,
                "log" => self.log(self.table(key, value, place)?, layer, place)?,
                "limits" => self.limits(self.table(key, value, place)?, layer, place)?,
                "outbox" => self.outbox(self.table(key, value, place)?, layer, place)?,
                "profiles" | "robots" | "mail" if place.is_empty() => {}
                _ => return Err(self.unknown(key, place, TOP)),
            }
        }
        Ok(())
    }

    fn network(&self, table: &DeTable<'_>, layer: &mut Layer, place: &str) -> Result<(), Failure> {
        let place = &format!("{place}network.");
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "api_base" => {
                    layer.api_base = Some(self.read(key, value, place, ApiBase::parse)?);
                }
                "allow_plain_http" => {
                    layer.allow_plain_http = Some(self.switch(key, value, place)?);
                }
                "proxy" => layer.proxy = Some(self.read(key, value, place, value::proxy)?.value),
                "local_address" => {
                    layer.local_address = Some(self.read(key, value, place, value::address)?.value);
                }
                "ca_file" => layer.ca_file = Some(self.file(key, value, place)?),
                _ => return Err(self.unknown(key, place, NETWORK)),
            }
        }
        Ok(())
    }

    fn log(&self, table: &DeTable<'_>, layer: &mut Layer, place: &str) -> Result<(), Failure> {
        let place = &format!("{place}log.");
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "file" => layer.log_file = Some(self.file(key, value, place)?.value),
                "level" => {
                    layer.log_level = Some(self.read(key, value, place, value::level)?.value);
                }
                "rotation" => {
                    layer.log_rotation = Some(self.read(key, value, place, value::rotation)?.value);
                }
                "keep" => layer.log_keep = Some(self.count(key, value, place, 10_000)?),
                _ => return Err(self.unknown(key, place, LOG)),
            }
        }
        Ok(())
    }

    fn limits(&self, table: &DeTable<'_>, layer: &mut Layer, place: &str) -> Result<(), Failure> {
        let place = &format!("{place}limits.");
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "per_minute" => {
                    let max = Limits::WECOM.per_minute;
                    layer.per_minute = Some(self.count(key, value, place, max)?);
                }
                "per_hour" => {
                    let max = Limits::WECOM.per_hour;
                    layer.per_hour = Some(self.count(key, value, place, max)?);
                }
                _ => return Err(self.unknown(key, place, LIMITS)),
            }
        }
        Ok(())
    }

    fn outbox(&self, table: &DeTable<'_>, layer: &mut Layer, place: &str) -> Result<(), Failure> {
        let place = &format!("{place}outbox.");
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "enabled" => layer.keeps = Some(self.switch(key, value, place)?),
                "merge" => layer.merges = Some(self.switch(key, value, place)?),
                "max_age" => layer.max_age = Some(self.max_age(key, value, place)?),
                _ => return Err(self.unknown(key, place, OUTBOX)),
            }
        }
        Ok(())
    }

    /// The robots, each with where its key comes from.
    fn robots(
        &self,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<BTreeMap<String, Option<At<SecretFrom>>>, Failure> {
        let mut robots = BTreeMap::new();
        for (name, robot) in self.table(key, value, "")? {
            let place = &format!("robots.{}.", name.get_ref());
            let mut from = None;
            for (key, value) in self.table(name, robot, "robots.")? {
                match key.get_ref().as_ref() {
                    "key" | "key_file" if from.is_some() => {
                        return Err(self.twins(key, place, "key", "key_file"));
                    }
                    "key" => {
                        let read = self.read(key, value, place, value::robot_key)?;
                        from = Some(read.map(SecretFrom::Text));
                    }
                    "key_file" => from = Some(self.file(key, value, place)?.map(SecretFrom::File)),
                    _ => return Err(self.unknown(key, place, ROBOT)),
                }
            }
            robots.insert(name.get_ref().to_string(), from);
        }
        Ok(robots)
    }

    /// Whom mail to each pattern goes to.
    fn mail(&self, key: &Key<'_>, value: &Value<'_>) -> Result<mail::Lines, Failure> {
        let mut lines = mail::Lines::default();
        for (pattern, to) in self.table(key, value, "")? {
            let place = &format!("mail.{}.", pattern.get_ref());
            let to = self.table(pattern, to, "mail.")?;
            let receivers = self.receivers(to, place)?;
            if let Some(key) = to.keys().find(|key| !TO.contains(&key.get_ref().as_ref())) {
                return Err(self.unknown(key, place, TO));
            }
            lines.add(pattern.get_ref(), receivers);
        }
        Ok(lines)
    }
}
