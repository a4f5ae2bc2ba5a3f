//! A single value in a config or in a variable, and its permitted forms.

use std::path::{Path, PathBuf};

use toml::de::DeValue;

use super::error::{Expected, Invalid, Spot};
use super::limits::Rate;
use super::value;
use crate::message::Recipients;
use crate::secret::Secret;

/// A value and its location, for an error that is found later.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) spot: Spot,
}

/// The source of a secret: an app's, or a robot's key.
#[derive(Debug, Clone)]
pub(crate) enum SecretFrom {
    /// The text of the secret.
    Text(Secret),
    /// The file of the secret.
    File(PathBuf),
}

impl At<SecretFrom> {
    /// Whether the text of the secret itself is here.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.value, SecretFrom::Text(_))
    }
}

/// A value before parsing.
pub(super) struct RawValue<'a> {
    /// The TOML value; a string if it comes from a variable.
    pub(super) value: &'a DeValue<'a>,
    /// The directory for relative paths; without one a path must be absolute.
    pub(super) base: Option<&'a Path>,
    pub(super) spot: &'a dyn Fn() -> Spot,
}

impl RawValue<'_> {
    pub(super) fn text(&self) -> Result<&str, Invalid> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.wrong_type(Expected::Text))
    }

    /// Parses a text with `parse`.
    pub(super) fn parse<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        parse(self.text()?)
    }

    /// Parses a text with `parse`, and adds its location.
    pub(super) fn at<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Result<At<T>, Invalid> {
        let value = self.parse(parse)?;
        let spot = (self.spot)();
        Ok(At { value, spot })
    }

    /// Refuses a secret that another key has already set.
    pub(super) fn alone(&self, twin: Option<At<SecretFrom>>) -> Result<&Self, Invalid> {
        match twin {
            Some(_) => Err(Invalid::Twins),
            None => Ok(self),
        }
    }

    /// Parses the text of a secret.
    pub(super) fn secret(
        &self,
        parse: fn(&str) -> Result<Secret, Invalid>,
    ) -> Result<At<SecretFrom>, Invalid> {
        self.at(|text| parse(text).map(SecretFrom::Text))
    }

    /// Parses the path of a secret's file.
    pub(super) fn secret_file(&self) -> Result<At<SecretFrom>, Invalid> {
        self.at(|text| value::path(text, self.base).map(SecretFrom::File))
    }

    pub(super) fn path(&self) -> Result<PathBuf, Invalid> {
        self.parse(|text| value::path(text, self.base))
    }

    /// Parses an app's id, with or without quotes.
    pub(super) fn agentid(&self) -> Result<u32, Invalid> {
        match self.value {
            DeValue::Integer(number) if number.radix() == 10 => value::agentid(number.as_str()),
            DeValue::String(text) => value::agentid(text),
            _ => Err(self.wrong_type(Expected::Agentid)),
        }
    }

    /// Parses `true` or `false`, or WeCom's 1 and 0.
    pub(super) fn switch(&self) -> Result<bool, Invalid> {
        match self.value {
            DeValue::Boolean(switch) => Ok(*switch),
            DeValue::Integer(number) if number.as_str() == "0" => Ok(false),
            DeValue::Integer(number) if number.as_str() == "1" => Ok(true),
            _ => Err(self.wrong_type(Expected::Switch)),
        }
    }

    /// Parses a whole number from 1 to `max`.
    pub(super) fn count(&self, max: u32) -> Result<u32, Invalid> {
        let number = self.value.as_integer().filter(|it| it.radix() == 10);
        let number = number.ok_or_else(|| self.wrong_type(Expected::Count(max)))?;
        let count = number.as_str().parse::<u32>().ok();
        let count = count.filter(|count| (1..=max).contains(count));
        count.ok_or(Invalid::Not(Expected::Count(max)))
    }

    /// Parses a number of messages per minute, which may have a fraction.
    pub(super) fn rate(&self, max: Rate) -> Result<Rate, Invalid> {
        let number = self
            .number()
            .ok_or_else(|| self.wrong_type(Expected::Rate(max)))?;
        Rate::parse(number, max).ok_or(Invalid::Not(Expected::Rate(max)))
    }

    /// Parses a number from 1 to `max`, without its fraction.
    pub(super) fn whole_part(&self, max: u32) -> Result<u32, Invalid> {
        let number = self
            .number()
            .ok_or_else(|| self.wrong_type(Expected::Count(max)))?;
        let whole = number.split('.').next().unwrap_or_default();
        let count = whole.parse().ok().filter(|count| (1..=max).contains(count));
        count.ok_or(Invalid::Not(Expected::Count(max)))
    }

    /// Returns the digits of a decimal number.
    fn number(&self) -> Option<&str> {
        match self.value {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str()),
            DeValue::Float(number) => Some(number.as_str()),
            _ => None,
        }
    }

    /// Parses one of the three lists of recipients, and adds it to the others.
    pub(super) fn recipients(
        &self,
        list: usize,
        others: Option<Recipients>,
    ) -> Result<Option<Recipients>, Invalid> {
        let mut lists: [Vec<String>; 3] = Default::default();
        lists[list] = self.list()?;
        let named = value::recipients(&lists)?;
        let (Some(mut all), Some(named)) = (others.clone(), named.clone()) else {
            return Ok(named.or(others));
        };
        // `@all` includes the other names.
        if all == Recipients::all() || named == Recipients::all() {
            return Ok(Some(Recipients::all()));
        }
        all.touser.extend(named.touser);
        all.toparty.extend(named.toparty);
        all.totag.extend(named.totag);
        Ok(Some(all))
    }

    /// Parses names: one text, separated by `,` or `|`, a number, or a list of these.
    fn list(&self) -> Result<Vec<String>, Invalid> {
        let name = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            other => Err(Invalid::WrongType {
                expected: Expected::TextOrList,
                found: other.type_str(),
            }),
        };
        match self.value {
            DeValue::Array(values) => values.iter().map(|it| name(it.get_ref())).collect(),
            value => Ok(vec![name(value)?]),
        }
    }

    fn wrong_type(&self, expected: Expected) -> Invalid {
        let found = self.value.type_str();
        Invalid::WrongType { expected, found }
    }
}
