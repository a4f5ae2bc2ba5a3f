//! Parses the text of a config as TOML: its tables, and the location of each error.
//!
//! Walks the parser's table by hand instead of using serde, whose messages repeat the value: it may
//! be the secret.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::{Advice, ConfigError, Expected, Invalid, Spot, Syntax, nearest};
use super::input::{At, RawValue, SecretFrom};
use super::keys::{self, Layer};
use super::redact::{could_be_secret, shown};
use super::value;
use crate::message::Recipients;
use crate::secret::Secret;

/// A secret for each name; `None` if its table has no secret.
pub(super) type Secrets = BTreeMap<String, Option<At<SecretFrom>>>;

/// The tables of tables, which only the top level has.
const COLLECTIONS: [&str; 4] = ["profiles", "robots", "mail", "http"];

/// The keys of a robot.
const ROBOT: [&str; 2] = ["key", "key_file"];

/// The keys of a line of `[mail]`.
const RECIPIENTS: [&str; 3] = ["touser", "toparty", "totag"];

/// A config that is being read.
pub(super) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    /// Where its lines end; found at the first question for a line.
    ends: OnceCell<Vec<usize>>,
}

/// A key and its value.
pub(super) struct KeyValue<'a> {
    key: &'a Spanned<DeString<'a>>,
    value: &'a DeValue<'a>,
    /// The path of the table, `""` or such as `profiles.ops.`.
    place: &'a str,
}

pub(super) fn items<'a>(
    table: &'a DeTable<'a>,
    place: &'a str,
) -> impl Iterator<Item = KeyValue<'a>> {
    table.iter().map(move |(key, value)| {
        let value = value.get_ref();
        KeyValue { key, value, place }
    })
}

impl KeyValue<'_> {
    pub(super) fn name(&self) -> &str {
        self.key.get_ref()
    }

    /// Returns the path of the key itself.
    fn path(&self) -> String {
        format!("{}{}", self.place, self.name())
    }
}

impl<'a> Document<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        let ends = OnceCell::new();
        Self { path, text, ends }
    }
}

impl Document<'_> {
    /// Reads the keys that the top level and each profile may have.
    pub(super) fn layer(&self, table: &DeTable<'_>, place: &str) -> Result<Layer, ConfigError> {
        let mut layer = Layer::default();
        for item in items(table, place) {
            if place.is_empty() && COLLECTIONS.contains(&item.name()) {
                continue;
            }
            if let Some(table) = keys::tables().find(|table| *table == item.name()) {
                let below = item.path() + ".";
                for item in items(self.table(&item)?, &below) {
                    self.key(&mut layer, table, &item)?;
                }
            } else {
                self.key(&mut layer, "", &item)?;
            }
        }
        Ok(layer)
    }

    pub(super) fn key(
        &self,
        layer: &mut Layer,
        table: &str,
        item: &KeyValue<'_>,
    ) -> Result<(), ConfigError> {
        let row = keys::find(table, item.name());
        let row = row.ok_or_else(|| self.unknown(item, known(table)))?;
        self.read(item, |input| (row.read)(input, layer))
    }

    /// Reads a table of tables, such as `[robots]`, if the table at `place` has it: returns the
    /// results of `read` by name.
    pub(super) fn collection<T>(
        &self,
        table: &DeTable<'_>,
        place: &str,
        name: &str,
        read: impl Fn(&Self, &DeTable<'_>, &str) -> Result<T, ConfigError>,
    ) -> Result<BTreeMap<String, T>, ConfigError> {
        let mut all = BTreeMap::new();
        for item in items(table, place).filter(|item| item.name() == name) {
            let place = item.path() + ".";
            for item in items(self.table(&item)?, &place) {
                let value = read(self, self.table(&item)?, &(item.path() + "."))?;
                all.insert(item.name().to_owned(), value);
            }
        }
        Ok(all)
    }

    /// Reads the secret of a robot, if it has one.
    pub(super) fn secret(
        &self,
        table: &DeTable<'_>,
        place: &str,
    ) -> Result<Option<At<SecretFrom>>, ConfigError> {
        let mut secret = None;
        for item in items(table, place) {
            if !ROBOT.contains(&item.name()) {
                return Err(self.unknown(&item, ROBOT.to_vec()));
            }
            secret = Some(self.key_itself(&item, secret, value::robot_key)?);
        }
        Ok(secret)
    }

    /// Reads a `key` or a `key_file`, of which there is one.
    pub(super) fn key_itself(
        &self,
        item: &KeyValue<'_>,
        twin: Option<At<SecretFrom>>,
        parse: fn(&str) -> Result<Secret, Invalid>,
    ) -> Result<At<SecretFrom>, ConfigError> {
        self.read(item, |it| match it.alone(twin)? {
            it if item.name() == "key" => it.secret(parse),
            it => it.secret_file(),
        })
    }

    /// Reads the recipients of a line of `[mail]`.
    pub(super) fn recipients(
        &self,
        table: &DeTable<'_>,
        place: &str,
    ) -> Result<Option<Recipients>, ConfigError> {
        let mut layer = Layer::default();
        for item in items(table, place) {
            if !RECIPIENTS.contains(&item.name()) {
                return Err(self.unknown(&item, RECIPIENTS.to_vec()));
            }
            self.key(&mut layer, "", &item)?;
        }
        Ok(layer.to)
    }

    pub(super) fn table<'a>(&self, item: &KeyValue<'a>) -> Result<&'a DeTable<'a>, ConfigError> {
        item.value.as_table().ok_or_else(|| {
            let expected = Expected::Table(shown(&item.path()));
            let found = item.value.type_str();
            self.invalid(item, Invalid::WrongType { expected, found })
        })
    }

    /// Reads a value; adds its location to its error.
    pub(super) fn read<T>(
        &self,
        item: &KeyValue<'_>,
        read: impl FnOnce(&RawValue<'_>) -> Result<T, Invalid>,
    ) -> Result<T, ConfigError> {
        let input = RawValue {
            value: item.value,
            base: Some(self.path.parent().unwrap_or(Path::new("/"))),
            spot: &|| self.spot(item),
        };
        read(&input).map_err(|reason| self.invalid(item, reason))
    }

    pub(super) fn invalid(&self, item: &KeyValue<'_>, reason: Invalid) -> ConfigError {
        let spot = self.spot(item);
        ConfigError::Invalid { spot, reason }
    }

    pub(super) fn unknown(&self, item: &KeyValue<'_>, known: Vec<&'static str>) -> ConfigError {
        ConfigError::UnknownKey {
            spot: self.spot(item),
            advice: advice(item.name(), item.place, known),
        }
    }

    /// Returns the file, line and key, in the format that editors jump to.
    fn spot(&self, item: &KeyValue<'_>) -> Spot {
        Spot::Line {
            path: self.path.to_owned(),
            line: self.line(item.key.span().start),
            key: shown(&item.path()),
        }
    }

    fn line(&self, at: usize) -> usize {
        let ends = self.ends.get_or_init(|| {
            let ends = self.text.bytes().enumerate();
            ends.filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at)
                .collect()
        });
        1 + ends.partition_point(|end| *end < at)
    }

    /// Describes a syntax error by the key of its line; never by the line, which may contain the
    /// secret.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let line = self.line(error.span().map_or(0, |span| span.start));
        let written = self.text.lines().nth(line - 1).unwrap_or_default();
        let name = written.split_once('=').map_or(written, |(key, _)| key);
        let name = name.trim();
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
        let is_key = !name.is_empty() && !could_be_secret(name) && name.chars().all(is_part);
        // A line without = may be the bare secret: only text in the form of a table is shown.
        let is_shown = is_key && (written.contains('=') || name.starts_with('['));
        let bare = name.trim_matches(['[', ']']);
        let known = known("");
        ConfigError::Syntax(Syntax {
            path: self.path.to_owned(),
            line,
            key: is_shown.then(|| name.to_owned()),
            message: error.message().to_owned(),
            meant: nearest(bare, known.iter().copied())
                .filter(|_| is_shown && !known.contains(&bare)),
            has_curly_quotes: written.contains(['“', '”', '‘', '’']),
        })
    }
}

/// Returns the names that a table may contain, at the top level also those of the tables.
fn known(table: &str) -> Vec<&'static str> {
    let keys = keys::names(table);
    if table.is_empty() {
        keys.chain(keys::tables()).chain(COLLECTIONS).collect()
    } else {
        keys.collect()
    }
}

/// Returns the advice for an unknown key in a table with these keys.
fn advice(name: &str, place: &str, known_here: Vec<&'static str>) -> Advice {
    if could_be_secret(name) {
        return Advice::NameFirst;
    }
    for table in keys::tables().filter(|table| !place.ends_with(&format!("{table}."))) {
        if let Some(key) = keys::names(table).find(|key| *key == name) {
            return Advice::MoveBelow { key, table };
        }
    }
    let mut at_top = known("").into_iter().filter(|_| !place.is_empty());
    if let Some(key) = at_top.find(|key| *key == name) {
        return Advice::MoveToTop(key);
    }
    if let Some(key) = nearest(name, known_here.iter().copied()) {
        return Advice::Meant { key, table: None };
    }
    for table in keys::tables() {
        if let Some(key) = nearest(name, keys::names(table)) {
            let table = Some(table);
            return Advice::Meant { key, table };
        }
    }
    Advice::Known(known_here)
}
