//! The fields of a line of JSON, each taken once and checked.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::commands::lenient;
use crate::config::nearest;
use crate::error::Failure;
use crate::text::batch as words;

/// The fields of a line, in its order; those that are null are left out.
pub(super) struct LineFields {
    values: Vec<(String, Value)>,
    /// A field that is there twice.
    twice: Option<String>,
}

impl LineFields {
    /// Reads a line.
    ///
    /// # Errors
    /// `Exit::Data` if it is not one JSON object.
    pub(super) fn read(line: &[u8]) -> Result<Self, Failure> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if !line.trim_ascii_start().starts_with(b"{") {
            return Err(words::no_object());
        }
        lenient::parsed(line, |text| serde_json::from_str(text)).map_err(words::not_json)
    }

    /// Checks that the line has no field twice, and no other than these.
    ///
    /// # Errors
    /// `Exit::Data` with the field, and the one that may be meant.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Failure> {
        if let Some(name) = &self.twice {
            return Err(words::twice(name));
        }
        let unknown = |(name, _): &&(String, Value)| !known.contains(&name.as_str());
        let Some((name, _)) = self.values.iter().find(unknown) else {
            return Ok(());
        };
        let name = crate::config::value::shown(name);
        Err(match nearest(&name, known.iter().copied()) {
            Some(meant) => words::meant(name, meant),
            None => words::unknown(name),
        })
    }

    /// Whether a field is there, and not false.
    pub(super) fn has(&self, name: &str) -> bool {
        let is_it =
            |(other, value): &(String, Value)| other == name && *value != Value::Bool(false);
        self.values.iter().any(is_it)
    }

    /// Returns the value of a field, which is then no longer there.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        let at = self.values.iter().position(|(other, _)| other == name)?;
        Some(self.values.swap_remove(at).1)
    }

    /// Returns a text.
    ///
    /// # Errors
    /// `Exit::Data` if it is something else.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(words::not_text(name)),
        }
    }

    /// Returns a switch.
    ///
    /// # Errors
    /// `Exit::Data` if it is something else.
    pub(super) fn switch(&mut self, name: &str) -> Result<bool, Failure> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(switch)) => Ok(switch),
            Some(_) => Err(words::not_switch(name)),
        }
    }

    /// Returns names: one, or a list; numbers are taken, too.
    ///
    /// # Errors
    /// `Exit::Data` if it is something else.
    pub(super) fn names(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let values = match self.value(name) {
            None => Vec::new(),
            // Nobody is not the same as no word about it: the latter means those of the config.
            Some(Value::Array(values)) if values.is_empty() => {
                return Err(words::empty_field(name));
            }
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
        };
        let name_of = |value: Value| match value {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(words::not_names(name)),
        };
        values.into_iter().map(name_of).collect()
    }
}

impl<'de> Deserialize<'de> for LineFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LineFieldsVisitor)
    }
}

struct LineFieldsVisitor;

impl<'de> Visitor<'de> for LineFieldsVisitor {
    type Value = LineFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LineFields, A::Error> {
        let mut fields = LineFields {
            values: Vec::new(),
            twice: None,
        };
        let mut names = HashSet::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            // An option's name, as an identifier has it or as it is typed.
            let name = name.replace('_', "-");
            if !names.insert(name.clone()) {
                fields.twice = Some(name);
            } else if value != Value::Null {
                fields.values.push((name, value));
            }
        }
        Ok(fields)
    }
}
