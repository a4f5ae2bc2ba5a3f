//! Compares a message with its rows, from the outside in.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Findings;
use super::rows::{Form, Limit, List, Need, Row, Rule, Unit, Variants};
use super::words::{Type, absence, coded, either, join, mistaken, unsure};
use crate::lang::{Lang, say, spoken};
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
            (Some(_), Need::Never) => self.error(say!(
                "{at} 不能由群机器人发送：它没有接收消息服务器URL",
                "{at} cannot come from a robot, which has no callback URL"
            )),
            (Some(value), need) => {
                if matches!(need, Need::Callback) {
                    self.callback(&at);
                }
                self.value(&at, value, rule);
            }
            (None, need) => {
                if let Some(what) = absence(path, field, object, *need) {
                    self.error(what);
                }
            }
        }
    }

    fn callback(&mut self, at: &str) {
        self.warn(say!(
            "{at} 要求应用设置了接收消息服务器URL，否则企业微信会拒绝（errcode 43012）",
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
                    let taken = either(&names);
                    let what = say!(
                        "{at} 是 {number}，企业微信只接受 {taken}",
                        "{at} is {number}, WeCom takes {taken}"
                    );
                    self.error(coded(what, *code));
                }
                return;
            }
            (Rule::UpTo(max), Value::Number(number)) => {
                if !number.as_i64().is_some_and(|it| (0..=*max).contains(&it)) {
                    self.error(say!(
                        "{at} 是 {number}，企业微信只接受 0 到 {max}",
                        "{at} is {number}, WeCom takes 0 to {max}"
                    ));
                }
                return;
            }
            (Rule::Between(from, below), Value::Number(number)) => {
                if !number
                    .as_f64()
                    .is_some_and(|it| (*from..*below).contains(&it))
                {
                    self.error(say!(
                        "{at} 是 {number}，企业微信只接受 {from} 到 {below}（不含 {below}）",
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
            (Rule::Text(..) | Rule::Label(..), _) => Type::String,
            (Rule::OneOf(..) | Rule::UpTo(_) | Rule::Between(..), _) => Type::Number,
            (Rule::Flag, _) => Type::Bool,
            (Rule::Object(_) | Rule::Variants(_), _) => Type::Object,
            (Rule::List(_) | Rule::Strings, _) => Type::List,
        };
        self.error(mistaken(at, value, wanted));
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
            Form::Web(code) if !is_web() => {
                let what = say!(
                    "{at} 不是以 http:// 或 https:// 开头",
                    "{at} does not begin with http:// or https://"
                );
                self.error(coded(what, code));
            }
            Form::Link(code) if !text.contains("://") => {
                let what = say!(
                    "{at} 没有协议头，例如 https://",
                    "{at} has no scheme such as https://"
                );
                self.error(coded(what, code));
            }
            Form::Picture if !is_web() => self.warn(say!(
                "{at} 不是以 http:// 或 https:// 开头：可能不显示图片",
                "{at} does not begin with http:// or https://: there may be no picture"
            )),
            Form::Id(code) if !is_id() => {
                let what = say!(
                    "{at} 含有数字、字母、_ - 和 @ 以外的字符",
                    "{at} has other characters than digits, letters, _ - and @"
                );
                self.error(coded(what, code));
            }
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
            let word = unit.word();
            let has = say!("{at} 有 {length} {word}", "{at} has {length} {word}");
            match limit {
                Limit::Least(..) if length < max => {
                    return self.error(say!(
                        "{has}，企业微信要求至少 {max}",
                        "{has}, WeCom takes {max} or more"
                    ));
                }
                Limit::Least(..) => {}
                _ if length <= max => {}
                Limit::Cut(..) => {
                    return self.error(say!(
                        "{has}，企业微信会截掉 {max} 以后的部分",
                        "{has}, WeCom cuts it at {max}"
                    ));
                }
                Limit::Most(_, _, code) => {
                    let what = say!("{has}，企业微信最多接受 {max}", "{has}, WeCom takes {max}");
                    return self.error(coded(what, *code));
                }
                Limit::Unsure(_, _, why) => {
                    let why = unsure(*why);
                    return self.warn(say!(
                        "{has}，超过 {max}：{why}",
                        "{has}, more than {max}: {why}"
                    ));
                }
                Limit::Shown(..) => {
                    return self.warn(say!(
                        "{has}，企业微信建议不超过 {max}：超出的部分可能不显示",
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
                say!("最多接受 {max} 项", "at most {max}")
            } else {
                say!("只接受 {min} 到 {max} 项", "{min} to {max}")
            };
            let plural = if count == 1 { "" } else { "s" };
            let what = match spoken() {
                Lang::Zh => format!("{at} 有 {count} 项，企业微信{takes}"),
                Lang::En => format!("{at} has {count} item{plural}, WeCom takes {takes}"),
            };
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
                let what = say!(
                    "{at}.{field} 与前面某一项的相同",
                    "{at}.{field} is the same as that of an item before"
                );
                self.error(coded(what, code));
            }
        }
    }

    fn strings(&mut self, at: &str, items: &[Value]) {
        let wrong = items.iter().position(|item| !item.is_string());
        if let Some(index) = wrong {
            let at = format!("{at}[{index}]");
            self.error(mistaken(&at, &items[index], Type::String));
        }
    }

    fn variant(&mut self, at: &str, object: &Map<String, Value>, variants: &Variants) {
        let field = variants.field;
        let is = object.get(field).and_then(Value::as_str);
        let Some(variant) = variants.taken.iter().find(|it| Some(it.name) == is) else {
            let names: Vec<_> = variants.taken.iter().map(|it| it.name.to_owned()).collect();
            let taken = either(&names);
            let what = say!(
                "{at}.{field} 必须是 {taken}",
                "{at}.{field} must be {taken}"
            );
            return self.error(coded(what, variants.code));
        };
        let name = variant.name;
        self.object(at, object, variant.rows);
        if variant.callback {
            self.callback(&say!("{name} 类型的 {at}", "{at} of the type {name}"));
        }
        let has = |rows: &[Row], part: &str| rows.iter().any(|row| row.0 == part);
        for part in object.keys().filter(|part| !has(variant.rows, part)) {
            if variants.known.iter().any(|other| has(other.rows, part)) {
                self.warn(say!(
                    "{at}.{part} 不属于 {name}：企业微信可能不显示它",
                    "{at}.{part} is no part of a {name}: WeCom may leave it out"
                ));
            }
        }
    }
}

/// Whether a value is more than nothing; to WeCom an empty string is as good as none.
pub(super) fn is_there(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}
