//! Compares a message with its rows, from the outside in.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Findings;
use super::rows::{Form, Limit, List, NO_CODE, Need, Row, Rule, Unit, Variants};
use crate::message::channel::Channel;

/// A walk through one message.
pub(super) struct Walk {
    /// By which road it goes.
    pub(super) channel: Channel,
    /// What was found so far.
    pub(super) findings: Findings,
}

impl Walk {
    pub(super) fn new(channel: Channel) -> Self {
        let findings = Findings::default();
        Self { channel, findings }
    }

    pub(super) fn error(&mut self, what: String) {
        self.findings.errors.push(what);
    }

    pub(super) fn warn(&mut self, what: String) {
        self.findings.warnings.push(what);
    }

    /// Every row of an object; what no row names is not looked at.
    pub(super) fn object(&mut self, path: &str, object: &Map<String, Value>, rows: &[Row]) {
        for row in rows {
            self.row(path, object, row);
        }
    }

    /// One row of the object at `path`.
    pub(super) fn row(&mut self, path: &str, object: &Map<String, Value>, row: &Row) {
        let Row(field, need, rule) = row;
        let at = join(path, field);
        match (object.get(*field).filter(|value| is_there(value)), need) {
            (Some(_), Need::Never(why)) => self.error(format!("{at} {why}")),
            (Some(value), need) => {
                if matches!(need, Need::Callback) {
                    self.callback(&at);
                }
                self.value(&at, value, rule);
            }
            (None, need) => {
                let state = match object.get(*field) {
                    Some(Value::String(_)) => "empty",
                    _ => "missing",
                };
                if let Some(what) = absence(path, &at, state, object, *need) {
                    self.error(what);
                }
            }
        }
    }

    fn callback(&mut self, at: &str) {
        self.warn(format!(
            "{at} needs an app with a callback URL, WeCom refuses it otherwise (errcode 43012)"
        ));
    }

    fn value(&mut self, at: &str, value: &Value, rule: &Rule) {
        let wanted = match (rule, value) {
            (Rule::Text(form, limits), Value::String(text)) => {
                self.form(at, text, *form);
                return self.length(at, text, limits);
            }
            (Rule::Label(app, robot), Value::String(text)) => {
                let robots = self.channel == Channel::Robot;
                let max = if robots { *robot } else { *app };
                return self.length(at, text, &[Limit::Shown(max)]);
            }
            (Rule::OneOf(numbers, code), Value::Number(number)) => {
                if !number.as_i64().is_some_and(|it| numbers.contains(&it)) {
                    let names: Vec<_> = numbers.iter().map(i64::to_string).collect();
                    let what = format!("{at} is {number}, WeCom takes {}", either(&names));
                    self.error(coded(what, *code));
                }
                return;
            }
            (Rule::UpTo(max), Value::Number(number)) => {
                if !number.as_i64().is_some_and(|it| (0..=*max).contains(&it)) {
                    self.error(format!("{at} is {number}, WeCom takes 0 to {max}"));
                }
                return;
            }
            (Rule::Between(from, below), Value::Number(number)) => {
                if !number
                    .as_f64()
                    .is_some_and(|it| (*from..*below).contains(&it))
                {
                    self.error(format!(
                        "{at} is {number}, WeCom takes {from} up to, but not, {below}"
                    ));
                }
                return;
            }
            (Rule::Flag, Value::Bool(_)) => return,
            (Rule::Object(rows), Value::Object(object)) => return self.object(at, object, rows),
            (Rule::List(list), Value::Array(items)) => return self.list(at, items, list),
            (Rule::Strings, Value::Array(items)) => return self.strings(at, items),
            (Rule::Variants(variants), Value::Object(object)) => {
                return self.variant(at, object, variants);
            }
            (Rule::Text(..) | Rule::Label(..), _) => "a string",
            (Rule::OneOf(..) | Rule::UpTo(_) | Rule::Between(..), _) => "a number",
            (Rule::Flag, _) => "true or false",
            (Rule::Object(_) | Rule::Variants(_), _) => "an object",
            (Rule::List(_) | Rule::Strings, _) => "a list",
        };
        self.error(format!("{at} is {}, WeCom takes {wanted}", name(value)));
    }

    fn form(&mut self, at: &str, text: &str, form: Form) {
        let is_web = || {
            let begins = |scheme: &str| {
                text.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            };
            begins("http://") || begins("https://")
        };
        let is_id = || {
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-@".contains(c))
        };
        match form {
            Form::Web(code) if !is_web() => self.error(coded(
                format!("{at} does not begin with http:// or https://"),
                code,
            )),
            Form::Link(code) if !text.contains("://") => {
                self.error(coded(format!("{at} has no scheme such as https://"), code));
            }
            Form::Picture if !is_web() => self.warn(format!(
                "{at} does not begin with http:// or https://: there may be no picture"
            )),
            Form::Id(code) if !is_id() => self.error(coded(
                format!("{at} has other characters than digits, letters, _ - and @"),
                code,
            )),
            _ => {}
        }
    }

    fn length(&mut self, at: &str, text: &str, limits: &[Limit]) {
        for limit in limits {
            let (max, unit) = match *limit {
                Limit::Shown(max) => (max, Unit::Chars),
                Limit::Cut(max, unit)
                | Limit::Most(max, unit, _)
                | Limit::Least(max, unit)
                | Limit::Unsure(max, unit, _) => (max, unit),
            };
            let length = unit.of(text);
            let has = format!("{at} has {length} {}", unit.word());
            match limit {
                Limit::Least(..) if length < max => {
                    return self.error(format!("{has}, WeCom takes {max} or more"));
                }
                Limit::Least(..) => {}
                _ if length <= max => {}
                Limit::Cut(..) => return self.error(format!("{has}, WeCom cuts it at {max}")),
                Limit::Most(_, _, code) => {
                    return self.error(coded(format!("{has}, WeCom takes {max}"), *code));
                }
                Limit::Unsure(_, _, why) => {
                    return self.warn(format!("{has}, more than {max}: {why}"));
                }
                Limit::Shown(..) => {
                    return self.warn(format!(
                        "{has}, WeCom recommends {max}: the rest may not be shown"
                    ));
                }
            }
        }
    }

    fn list(&mut self, at: &str, items: &[Value], list: &List) {
        if items.len() < list.min || items.len() > list.max {
            let (count, min, max) = (items.len(), list.min, list.max);
            let takes = if min == 0 {
                format!("at most {max}")
            } else {
                format!("{min} to {max}")
            };
            let plural = if count == 1 { "" } else { "s" };
            let what = format!("{at} has {count} item{plural}, WeCom takes {takes}");
            self.error(coded(what, list.code));
        }
        let mut known = HashSet::new();
        // What is past the end has been told of.
        for (index, item) in items.iter().enumerate().take(list.max) {
            let at = format!("{at}[{index}]");
            self.value(&at, item, &Rule::Object(list.rows));
            if let Some((field, code)) = list.unique
                && let Some(name) = item.get(field).and_then(Value::as_str)
                && !known.insert(name)
            {
                let what = format!("{at}.{field} is the same as that of an item before");
                self.error(coded(what, code));
            }
        }
    }

    fn strings(&mut self, at: &str, items: &[Value]) {
        let wrong = items.iter().position(|item| !item.is_string());
        if let Some(index) = wrong {
            self.error(format!(
                "{at}[{index}] is {}, WeCom takes a string",
                name(&items[index])
            ));
        }
    }

    fn variant(&mut self, at: &str, object: &Map<String, Value>, variants: &Variants) {
        let field = variants.field;
        let is = object.get(field).and_then(Value::as_str);
        let Some(variant) = variants.taken.iter().find(|it| Some(it.name) == is) else {
            let names: Vec<_> = variants.taken.iter().map(|it| it.name.to_owned()).collect();
            let what = format!("{at}.{field} must be {}", either(&names));
            return self.error(coded(what, variants.code));
        };
        let name = variant.name;
        self.object(at, object, variant.rows);
        if variant.callback {
            self.callback(&format!("{at} of the type {name}"));
        }
        let has = |rows: &[Row], part: &str| rows.iter().any(|row| row.0 == part);
        for part in object.keys().filter(|part| !has(variant.rows, part)) {
            if variants.known.iter().any(|other| has(other.rows, part)) {
                self.warn(format!(
                    "{at}.{part} is no part of a {name}: WeCom may leave it out"
                ));
            }
        }
    }
}

/// Whether a value is more than nothing; to WeCom an empty string is as good as none.
fn is_there(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// What to say of a field that is not there, if it must be.
fn absence(
    path: &str,
    at: &str,
    state: &str,
    object: &Map<String, Value>,
    need: Need,
) -> Option<String> {
    let there = |field: &str| object.get(field).is_some_and(is_there);
    let (what, code) = match need {
        Need::May | Need::Callback | Need::Never(_) => return None,
        Need::Must(code) => (format!("{at} is {state}"), code),
        Need::When(field, value, code) => {
            let number = object.get(field).filter(|it| is_there(it));
            if number.map_or(Some(0), Value::as_i64) != Some(value) {
                return None;
            }
            let what = format!("{at} is {state}, and {field} {value} needs it");
            (what, code)
        }
        Need::With(field, code) => {
            if !there(field) {
                return None;
            }
            (format!("{at} is {state}, and {field} needs it"), code)
        }
        Need::Unless(pointer, code) => {
            let mut steps = pointer.split('/');
            let first = steps.next().and_then(|step| object.get(step));
            let end = steps.fold(first, |value, step| value?.get(step));
            if end.is_some_and(is_there) {
                return None;
            }
            let other = join(path, &pointer.replace('/', "."));
            (format!("{at} is {state}, and so is {other}"), code)
        }
    };
    Some(coded(what, code))
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}

fn coded(what: String, code: u32) -> String {
    if code == NO_CODE {
        what
    } else {
        format!("{what} (errcode {code})")
    }
}

/// A list of words, such as `0, 1 or 2`.
fn either(words: &[String]) -> String {
    match words {
        [most @ .., last] if !most.is_empty() => format!("{} or {last}", most.join(", ")),
        _ => words.concat(),
    }
}

/// What a value is, in words; never the value, which may be long or private.
fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
