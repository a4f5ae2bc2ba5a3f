//! All keys of a config: name, variable, type and default, one row each.
//!
//! The rows drive the parsing of files and of the environment, the merging of levels, and the tests
//! of `config.example.toml` and of the reference in docs/. A new key needs its row, its line in the example,
//! and its field in `Settings`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::api_base::ApiBase;
use super::error::Invalid;
use super::input::{At, RawValue, SecretFrom};
use super::limits::{Limits, Rate};
use super::quiet::Quiet;
use super::value::{self, Level, MAX_AGE, Rotation, ShowIn};
use crate::lang::Lang;
use crate::message::Recipients;
use crate::secret::Secret;

/// The maildrop without a setting. Source: the contract.
pub(super) const MAILDROP: &str = "/var/spool/wxpush";

/// A key of a config, or of one of its profiles.
pub(super) struct KeyRow {
    /// The path, such as `safe` or `network.proxy`.
    pub(super) path: &'static str,
    /// Its table, or `""` for the top level; and its name there.
    place: (&'static str, &'static str),
    /// The environment variable for the same value.
    pub(super) variable: Option<&'static str>,
    /// Parses a value into the key's field.
    pub(super) read: fn(&RawValue<'_>, &mut Layer) -> Result<(), Invalid>,
}

/// Expands rows to fields of `Layer` and of `MergedKeys`, and to their keys.
macro_rules! keys {
    ($($(#[$doc:meta])* $field:ident: [$type:ty] $([or $default:expr])? {
        $($path:literal $(or $variable:literal)? => $read:expr),+ $(,)?
    })*) => {
        /// The values of one level: the top of a config, a profile, or the environment.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Layer {
            $($(#[$doc])* pub(crate) $field: Option<$type>,)*
        }

        /// The merged values of all levels, including the defaults.
        #[derive(Debug)]
        pub(super) struct MergedKeys {
            $($(#[$doc])* pub(super) $field: keys!(@type $type $(, $default)?),)*
        }

        impl Levels<'_> {
            /// Takes each value from the strongest level that sets it, or its default.
            pub(super) fn merged(&self) -> MergedKeys {
                MergedKeys {
                    $($field: keys!(@or self.pick(|layer| layer.$field.as_ref()) $(, $default)?),)*
                }
            }
        }

        /// All keys, in the order in which an error lists them.
        pub(super) static KEYS: &[KeyRow] = &[$($(KeyRow {
            path: $path,
            place: place($path),
            variable: keys!(@variable $($variable)?),
            read: |input, layer| put(&mut layer.$field, input, $read),
        },)+)*];

        /// Returns the defaults of all fields that have one.
        #[cfg(test)]
        fn defaults() -> Layer {
            Layer { $($field: keys!(@default $($default)?),)* }
        }

        /// Returns the fields that a level sets, with their values.
        #[cfg(test)]
        fn fields(layer: &Layer) -> std::collections::BTreeMap<&'static str, String> {
            let fields = [$((stringify!($field), layer.$field.as_ref().map(|it| format!("{it:?}"))),)*];
            fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
        }
    };
    (@type $type:ty) => { Option<$type> };
    (@type $type:ty, $default:expr) => { $type };
    (@or $value:expr) => { $value };
    (@or $value:expr, $default:expr) => { $value.unwrap_or($default) };
    (@variable) => { None };
    (@variable $variable:literal) => { Some($variable) };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

keys! {
    /// The company.
    corpid: [String] { "corpid" or "WXPUSH_CORPID" => |it, _| it.parse(value::corpid) }
    /// The source of the app's secret.
    secret: [At<SecretFrom>] {
        "corpsecret" or "WXPUSH_CORPSECRET" => |it, twin| it.alone(twin)?.secret(value::secret),
        "corpsecret_file" or "WXPUSH_CORPSECRET_FILE" => |it, twin| it.alone(twin)?.secret_file(),
    }
    /// The app.
    agentid: [u32] { "agentid" or "WXPUSH_AGENTID" => |it, _| it.agentid() }
    /// The recipients of a message.
    to: [Recipients] {
        "touser" or "WXPUSH_TOUSER" => |it, others| it.recipients(0, others),
        "toparty" => |it, others| it.recipients(1, others),
        "totag" => |it, others| it.recipients(2, others),
    }
    /// The text before each title or text.
    prefix: [String] [or String::new()] { "prefix" => |it, _| it.text().map(str::to_owned) }
    /// Whether a message cannot be forwarded.
    safe: [bool] [or false] { "safe" => |it, _| it.switch() }
    /// The language on the phone and at a terminal.
    lang: [Lang] { "lang" or "WXPUSH_LANG" => |it, _| it.parse(value::lang) }
    /// The program in which messages are read.
    show_in: [ShowIn] [or ShowIn::WeCom] { "show_in" => |it, _| it.parse(value::show_in) }
    /// The hours in which messages are held.
    quiet: [Quiet] [or Quiet::default()] { "quiet" => |it, _| it.parse(Quiet::parse) }
    /// The robot that sends what the app cannot; empty for none.
    fallback: [String] [or String::new()] { "fallback" or "WXPUSH_FALLBACK" => |it, _| it.parse(value::fallback) }
    /// The directory of the state.
    state_dir: [PathBuf] { "state_dir" or "WXPUSH_STATE_DIR" => |it, _| it.path() }
    /// Where the mail of users who may not read the config waits.
    maildrop: [PathBuf] [or PathBuf::from(MAILDROP)] { "maildrop" or "WXPUSH_MAILDROP" => |it, _| it.path() }
    /// WeCom's API, or a relay of it.
    api_base: [At<ApiBase>] { "network.api_base" or "WXPUSH_API_BASE" => |it, _| it.at(ApiBase::parse) }
    /// Whether `api_base` may be plain http to another host.
    allow_plain_http: [bool] [or false] { "network.allow_plain_http" => |it, _| it.switch() }
    /// The proxy; its URL may hold a password.
    proxy: [Secret] { "network.proxy" => |it, _| it.parse(value::proxy) }
    /// The address of this host to send from.
    local_address: [IpAddr] { "network.local_address" => |it, _| it.parse(value::address) }
    /// The certificates to trust besides the built-in ones.
    ca_file: [PathBuf] { "network.ca_file" => |it, _| it.path() }
    /// The log, if it is not in the state directory.
    log_file: [PathBuf] { "log.file" => |it, _| it.path() }
    /// The lowest level that is logged.
    log_level: [Level] [or Level(Some(tracing::Level::INFO))] { "log.level" => |it, _| it.parse(value::level) }
    /// When a new log is started.
    log_rotation: [Rotation] [or Rotation::Never] { "log.rotation" => |it, _| it.parse(value::rotation) }
    /// The number of daily logs that are kept.
    log_keep: [u32] [or 7] { "log.keep" => |it, _| it.count(10_000) }
    /// The maximum messages to a member in a minute.
    per_minute: [Rate] [or Limits::WECOM.per_minute] { "limits.per_minute" => |it, _| it.rate(Limits::WECOM.per_minute) }
    /// The maximum messages to a member in an hour.
    per_hour: [u32] [or Limits::WECOM.per_hour] { "limits.per_hour" => |it, _| it.whole_part(Limits::WECOM.per_hour) }
    /// Whether messages are kept until they can be delivered.
    keeps: [bool] [or true] { "outbox.enabled" => |it, _| it.switch() }
    /// The maximum age of a kept message.
    max_age: [Duration] [or MAX_AGE] { "outbox.max_age" => |it, _| it.parse(value::max_age) }
    /// Whether texts for the same recipients are sent together.
    merges: [bool] [or true] { "outbox.merge" => |it, _| it.switch() }
}

/// Parses a value into its field; `read` gets the value that another key of the row has set.
fn put<T, V: Into<Option<T>>>(
    field: &mut Option<T>,
    input: &RawValue<'_>,
    read: impl FnOnce(&RawValue<'_>, Option<T>) -> Result<V, Invalid>,
) -> Result<(), Invalid> {
    *field = read(input, field.take())?.into();
    Ok(())
}

impl KeyRow {
    /// Returns its table, or `""` for the top level.
    pub(super) fn table(&self) -> &'static str {
        self.place.0
    }

    /// Returns its name in that table.
    pub(super) fn name(&self) -> &'static str {
        self.place.1
    }
}

/// Splits a path at compile time: a config of a thousand profiles asks a hundred thousand times.
const fn place(path: &'static str) -> (&'static str, &'static str) {
    let mut at = 0;
    while at < path.len() {
        if path.as_bytes()[at] == b'.' {
            let (table, name) = path.split_at(at);
            return (table, name.split_at(1).1);
        }
        at += 1;
    }
    ("", path)
}

/// Returns the key of this name in this table.
pub(super) fn find(table: &str, name: &str) -> Option<&'static KeyRow> {
    let mut keys = KEYS.iter();
    keys.find(|key| key.place == (table, name))
}

/// Returns the names of the keys in a table.
pub(super) fn names(table: &str) -> impl Iterator<Item = &'static str> {
    let keys = KEYS.iter().filter(move |key| key.table() == table);
    keys.map(KeyRow::name)
}

/// Returns the tables that the top level and each profile may have, without duplicates.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    let tables = KEYS.iter().map(KeyRow::table);
    tables.filter(move |table| std::mem::replace(&mut last, table) != *table && !table.is_empty())
}

impl Layer {
    /// Whether this level contains a secret itself: the app's, or a password in a URL.
    pub(crate) fn holds_secret(&self) -> bool {
        let urls = [
            self.proxy.as_ref().map(Secret::expose),
            self.api_base.as_ref().map(|at| at.value.expose()),
        ];
        self.secret.as_ref().is_some_and(At::is_text)
            || urls.into_iter().flatten().any(|url| url.contains('@'))
    }

    /// Whether this level sets everything that an app needs.
    pub(super) fn is_an_app(&self) -> bool {
        self.corpid.is_some() && self.secret.is_some() && self.agentid.is_some()
    }
}

/// The levels that may set a value, the strongest first.
pub(super) struct Levels<'a>(pub(super) Vec<&'a Layer>);

impl Levels<'_> {
    /// Returns the value of the strongest level that sets it.
    pub(super) fn pick<T: Clone>(&self, value: impl Fn(&Layer) -> Option<&T>) -> Option<T> {
        self.0.iter().find_map(|layer| value(layer)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{environment, file};
    use super::*;

    /// Returns the lines of the example that set a key of a profile: the table, the line, and
    /// whether its value is an example and not the default.
    fn example() -> Vec<(&'static str, &'static str, bool)> {
        let text = include_str!("../../config.example.toml");
        let (text, _) = text.split_once("# ---- Profiles").unwrap();
        let (mut table, mut is_example, mut lines) = ("", false, Vec::new());
        for line in text.lines() {
            let bare = line.trim_start_matches('#');
            if let Some(name) = line.strip_prefix('[') {
                table = name.trim_end_matches(']');
            } else if line.starts_with("# ") {
                is_example |= line.contains("(an example)");
            } else if bare.contains('=') {
                lines.push((table, bare, is_example));
                is_example = false;
            } else {
                is_example = false;
            }
        }
        lines
    }

    #[test]
    fn the_example_has_every_key_with_its_default() {
        let defaults = fields(&defaults());
        let mut named = Vec::new();
        for (table, line, is_example) in example() {
            let name = line.split('=').next().unwrap_or_default().trim();
            let key = find(table, name).unwrap_or_else(|| panic!("there is no {table} {name}"));
            named.push(key.path);
            let place = format!("profiles.x.{table}");
            let text = format!("[{}]\n{line}\n", place.trim_end_matches('.'));
            match file::parse(Path::new("/etc/config.toml"), &text) {
                Ok(file) => {
                    for (field, value) in fields(&file.profiles["x"]) {
                        let default = defaults.get(field).filter(|_| !is_example);
                        assert!(default.is_none_or(|it| *it == value), "{line}: {default:?}");
                    }
                }
                Err(error) => assert!(line.contains('<') || line == "agentid = 0", "{error:?}"),
            }
        }
        named.sort_unstable();
        let mut all: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
        all.sort_unstable();
        assert_eq!(named, all);
    }

    #[test]
    fn the_reference_names_every_key_and_every_variable() {
        for page in [
            include_str!("../../docs/en/configuration.md"),
            include_str!("../../docs/zh/configuration.md"),
        ] {
            let rows = page.lines().filter(|line| line.starts_with("| `"));
            let cells = rows.filter_map(|row| row.split('|').nth(1));
            let named = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
            let (mut variables, mut keys): (Vec<&str>, Vec<&str>) =
                named.partition(|name| name.starts_with("WXPUSH_"));
            variables.sort_unstable();
            let mut all: Vec<&str> = environment::variables().collect();
            all.sort_unstable();
            assert_eq!(variables, all);
            // Robots and addresses have names of the user's.
            keys.retain(|key| !key.contains("NAME") && !key.starts_with("mail."));
            assert_eq!(keys, KEYS.iter().map(|key| key.path).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_strongest_level_that_sets_a_value_wins() {
        let weak = Layer {
            safe: Some(true),
            agentid: Some(1),
            ..Layer::default()
        };
        let strong = Layer {
            safe: Some(false),
            ..Layer::default()
        };
        let merged = Levels(vec![&strong, &weak]).merged();
        assert_eq!((merged.safe, merged.agentid), (false, Some(1)));
        assert_eq!((merged.prefix.as_str(), merged.proxy), ("", None));
    }
}
