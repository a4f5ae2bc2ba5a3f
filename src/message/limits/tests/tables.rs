//! Every row of the tables at its limits and past them, made from the rows themselves.

use serde_json::{Map, Value, json};

use super::super::kinds::{self, KINDS};
use super::super::rows::{Form, Limit, NO_CODE, Need, Row, Rows, Rule, Unit};
use super::super::{Channel, Findings, check};

const ERRCODES: &str = include_str!("../../../wecom/errcodes.tsv");

/// A good message of each kind, or of each type of card, with all its fields.
pub(super) struct Case {
    pub(super) channel: Channel,
    pub(super) msgtype: &'static str,
    pub(super) name: String,
    pub(super) rows: Rows,
    body: Value,
}

/// One field of a message, and the place where it is.
pub(super) struct Field {
    pub(super) at: Vec<String>,
    pub(super) row: Row<'static>,
}

impl Field {
    /// As a finding names it.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.at {
            if step == "0" {
                path += "[0]";
            } else {
                path += if path.is_empty() { "" } else { "." };
                path += step;
            }
        }
        path
    }

    /// The place of a neighbour, by the path that a row has for it.
    fn beside(&self, path: &str) -> Vec<String> {
        let mut at = self.at[..self.at.len() - 1].to_vec();
        at.extend(path.split('/').map(str::to_owned));
        at
    }

    fn is_in(&self, finding: &str) -> bool {
        let rest = finding.strip_prefix(&self.path());
        rest.is_some_and(|rest| rest.starts_with(' '))
    }
}

impl Case {
    pub(super) fn found(&self, body: &Value) -> Findings {
        let findings = check(self.channel, self.msgtype, body);
        let both = findings.errors.iter().chain(&findings.warnings);
        for (_, code) in both.filter_map(|it| it.split_once("(errcode ")) {
            let row = format!("\n{}\t", code.trim_end_matches(')'));
            assert!(ERRCODES.contains(&row), "explain knows no {code}");
        }
        findings
    }

    /// Whether an error, and whether a warning, speaks of the field.
    fn about(&self, body: &Value, field: &Field) -> (bool, bool) {
        let findings = self.found(body);
        let has = |list: &[String]| list.iter().any(|it| field.is_in(it));
        (has(&findings.errors), has(&findings.warnings))
    }

    pub(super) fn with(&self, at: &[String], value: Value) -> Value {
        put(self.body.clone(), at, Some(value))
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        collect(kinds::around(self.channel), &[], &mut fields);
        collect(self.rows, &[self.msgtype.to_owned()], &mut fields);
        fields
    }
}

/// The body with something in this place, or nothing.
fn put(mut body: Value, at: &[String], value: Option<Value>) -> Value {
    let (last, steps) = at.split_last().unwrap();
    let mut place = &mut body;
    for step in steps {
        place = match place {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            other => &mut other[step],
        };
    }
    match value {
        Some(value) => place[last] = value,
        None => drop(place.as_object_mut().unwrap().remove(last)),
    }
    body
}

fn collect(rows: Rows, at: &[String], fields: &mut Vec<Field>) {
    for row in rows {
        let mut at = at.to_vec();
        at.push(row.0.to_owned());
        match row.2 {
            Rule::Object(rows) => collect(rows, &at, fields),
            Rule::List(list) => {
                let item: Vec<_> = at.iter().cloned().chain(["0".to_owned()]).collect();
                collect(list.rows, &item, fields);
            }
            _ => {}
        }
        fields.push(Field { at, row: *row });
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for channel in Channel::ALL {
        for kind in KINDS {
            let shapes: Vec<_> = match kind.rule(channel) {
                None => continue,
                Some(Rule::Object(rows)) => vec![("", rows)],
                Some(Rule::Variants(it)) => it.taken.iter().map(|it| (it.name, it.rows)).collect(),
                Some(other) => panic!("no object: {other:?}"),
            };
            for (shape, rows) in shapes {
                let msgtype = kind.msgtype;
                let mut object = sample(rows);
                if !shape.is_empty() {
                    object["card_type"] = json!(shape);
                }
                cases.push(Case {
                    channel,
                    msgtype,
                    name: format!("{} {msgtype} {shape}", channel.call()),
                    rows,
                    body: json!({"msgtype": msgtype, msgtype: object}),
                });
            }
        }
    }
    cases
}

/// A good message of a kind, without anything that is warned of.
pub(super) fn case(channel: Channel, msgtype: &str) -> Value {
    let mut cases = cases().into_iter();
    let case = cases.find(|case| case.channel == channel && case.msgtype == msgtype);
    let mut body = case.unwrap().body;
    body[msgtype].as_object_mut().unwrap().remove("action_menu");
    assert_eq!(check(channel, msgtype, &body), Findings::default());
    body
}

/// Every name of a field and of a kind.
pub(super) fn names() -> Vec<String> {
    let mut names = vec!["card_type".to_owned()];
    for case in cases() {
        names.extend(case.fields().into_iter().flat_map(|field| field.at));
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn sample(rows: Rows) -> Value {
    let rows = rows.iter().filter(|row| !matches!(row.1, Need::Never));
    let fields: Map<_, _> = rows
        .map(|Row(name, _, rule)| ((*name).to_owned(), good(rule)))
        .collect();
    fields.into()
}

fn good(rule: &Rule) -> Value {
    match rule {
        Rule::Text(Form::Web(_) | Form::Link(_) | Form::Picture, _) => json!("https://a.b/c"),
        Rule::Text(..) | Rule::Label(..) => json!("good"),
        Rule::OneOf(numbers, _) => json!(numbers[0]),
        Rule::UpTo(max) => json!(max),
        Rule::Between(from, _) => json!(from),
        Rule::Flag => json!(true),
        Rule::Object(rows) => sample(rows),
        Rule::List(list) => json!([sample(list.rows)]),
        Rule::Strings => json!(["a", "b"]),
        Rule::Variants(_) => panic!("only a kind has variants"),
    }
}

/// A text of such a length, of characters that take several bytes where the form allows.
fn text(form: Form, unit: Unit, length: usize) -> Value {
    let start = match form {
        Form::Web(_) | Form::Link(_) | Form::Picture => "HTTP://",
        Form::Plain | Form::Id(_) => "",
    };
    let rest = length - start.len();
    let end = match (unit, form) {
        (_, Form::Id(_)) => "a".repeat(rest),
        (Unit::Bytes, _) => "一".repeat(rest / 3) + &"x".repeat(rest % 3),
        (Unit::Chars, _) => "一".repeat(rest),
    };
    json!(format!("{start}{end}"))
}

#[test]
fn a_message_with_all_its_fields_is_good() {
    for case in cases() {
        let findings = case.found(&case.body);
        assert_eq!(findings.errors, [""; 0], "{}", case.name);
        let callback = |it: &String| it.contains("43012");
        assert!(findings.warnings.iter().all(callback), "{findings:?}");
    }
}

#[test]
fn each_field_is_there_when_it_must_be() {
    for case in cases() {
        for field in case.fields() {
            let name = format!("{} {}", case.name, field.path());
            let gone = match field.row.1 {
                Need::Never => case.with(&field.at, json!({"a": "b"})),
                _ => put(case.body.clone(), &field.at, None),
            };
            let missing = |body: &Value| case.about(body, &field).0;
            let change = |other, value| put(gone.clone(), &field.beside(other), value);
            // What makes its absence a mistake, and what makes it none.
            let (code, bad, good) = match field.row.1 {
                Need::May | Need::Callback => (NO_CODE, None, Some(gone)),
                Need::Must(code) => (code, Some(gone), None),
                Need::When(other, value, code) => {
                    let absent = change(other, None);
                    assert_eq!(missing(&absent), value == 0, "{name}");
                    let idle = change(other, Some(json!((value + 1) % 3)));
                    (code, Some(change(other, Some(json!(value)))), Some(idle))
                }
                Need::With(other, code) => {
                    let absent = change(other, None);
                    (code, Some(gone), Some(absent))
                }
                Need::Unless(other, code) => (code, Some(change(other, None)), Some(gone)),
                Need::Never => (NO_CODE, Some(gone), Some(case.body.clone())),
            };
            assert!(!good.is_some_and(|good| missing(&good)), "{name}");
            let Some(bad) = bad else {
                continue;
            };
            let errors = case.found(&bad).errors;
            let mut of_it = errors.iter().filter(|it| field.is_in(it));
            let error = of_it.next().expect(&name);
            let coded = error.ends_with(&format!("(errcode {code})"));
            assert_eq!(coded, code != NO_CODE, "{name} {error}");
            if matches!(
                field.row,
                Row(_, Need::Must(_), Rule::Text(..) | Rule::Label(..))
            ) {
                for empty in [json!(""), Value::Null] {
                    assert!(missing(&case.with(&field.at, empty)), "{name}");
                }
            }
        }
    }
}

#[test]
fn each_field_has_its_type_and_form() {
    for case in cases() {
        for field in case.fields() {
            if matches!(field.row.1, Need::Never) {
                continue;
            }
            let name = format!("{} {}", case.name, field.path());
            let about = |value: Value| case.about(&case.with(&field.at, value), &field);
            let wrong = match field.row.2 {
                Rule::Text(..) | Rule::Label(..) | Rule::Flag => json!(1),
                _ => json!("1"),
            };
            assert!(about(wrong).0, "{name}");
            assert!(!about(good(&field.row.2)).0, "{name}");
            match field.row.2 {
                Rule::Text(Form::Web(_), _) => assert!(about(json!("ftp://a.b")).0, "{name}"),
                Rule::Text(Form::Link(_), _) => assert!(about(json!("a.b/c")).0, "{name}"),
                Rule::Text(Form::Picture, _) => {
                    assert_eq!(about(json!("a.b/c")), (false, true), "{name}");
                }
                Rule::Text(Form::Id(_), _) => {
                    assert!(about(json!("a b")).0, "{name}");
                    assert!(!about(json!("aZ09_-@")).0, "{name}");
                }
                // Each kind makes its own of it, and has a test of its own.
                Rule::OneOf(..) if field.at == ["safe"] => {}
                Rule::OneOf(numbers, _) => {
                    for number in -1..9 {
                        let is_one = numbers.contains(&number);
                        assert_eq!(about(json!(number)).0, !is_one, "{name} {number}");
                    }
                    assert!(about(json!(0.5)).0, "{name}");
                }
                Rule::UpTo(max) => {
                    for (number, fits) in [(-1, false), (0, true), (max, true), (max + 1, false)] {
                        assert_eq!(about(json!(number)).0, !fits, "{name} {number}");
                    }
                }
                Rule::Between(from, below) => {
                    assert!(about(json!(below)).0, "{name}");
                    assert!(about(json!(from - 0.01)).0, "{name}");
                    assert!(!about(json!(below - 0.01)).0, "{name}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn each_list_has_its_ends() {
    for case in cases() {
        for field in case.fields() {
            let Rule::List(list) = field.row.2 else {
                continue;
            };
            let path = field.path();
            let name = format!("{} {path}", case.name);
            let items = |count: usize, same: bool| {
                let item = |index: usize| {
                    let mut item = sample(list.rows);
                    if let Some((unique, _)) = list.unique.filter(|_| !same) {
                        item[unique] = json!(index.to_string());
                    }
                    item
                };
                case.with(&field.at, (0..count).map(item).collect())
            };
            for (count, fits) in [
                (0, list.min == 0),
                (list.min, true),
                (list.max, true),
                (list.max + 1, false),
            ] {
                let errors = case.found(&items(count, false)).errors;
                assert_eq!(errors.len(), usize::from(!fits), "{name} {errors:?}");
                let start = format!("{path} has {count} items, WeCom takes ");
                let code = format!("(errcode {})", list.code);
                for error in errors {
                    assert!(error.starts_with(&start), "{error}");
                    assert!(error.contains(&list.max.to_string()), "{error}");
                    assert_eq!(error.ends_with(&code), list.code != NO_CODE, "{error}");
                }
            }
            let errors = case.found(&items(2, true)).errors;
            assert_eq!(errors.is_empty(), list.unique.is_none(), "{name}");
        }
    }
}

#[test]
fn each_text_fits_at_its_limit_and_not_past_it() {
    for case in cases() {
        for field in case.fields() {
            for (form, limit) in limits(&case, &field) {
                let (max, unit, past, is_error) = match limit {
                    Limit::Cut(max, unit) | Limit::Most(max, unit, _) => (max, unit, max + 1, true),
                    Limit::Least(max, unit) => (max, unit, max - 1, true),
                    Limit::Unsure(max, unit, _) => (max, unit, max + 1, false),
                    Limit::Shown(max) => (max, Unit::Chars, max + 1, false),
                };
                let path = field.path();
                let name = format!("{} {path} {limit:?}", case.name);
                let at = |length| case.with(&field.at, text(form, unit, length));
                let (error, warning) = case.about(&at(max), &field);
                assert!(!error, "{name}");
                assert!(is_error || !warning, "{name}");
                let about = case.about(&at(past), &field);
                assert_eq!(about, (is_error, !is_error), "{name}");
                let has = format!("{path} has {past} {}", unit.word());
                let Findings { errors, warnings } = case.found(&at(past));
                let mut all = errors.iter().chain(&warnings);
                let told = all.find(|it| it.starts_with(&has)).expect(&name);
                assert!(told.contains(&format!(" {max}")), "{told}");
            }
        }
    }
}

/// The limits of a text in a message of this channel.
pub(super) fn limits(case: &Case, field: &Field) -> Vec<(Form, Limit)> {
    match field.row.2 {
        Rule::Text(form, limits) => limits.iter().map(|limit| (form, *limit)).collect(),
        Rule::Label(_, max) if case.channel == Channel::Robot => {
            vec![(Form::Plain, Limit::Shown(max))]
        }
        Rule::Label(max, _) => vec![(Form::Plain, Limit::Shown(max))],
        _ => Vec::new(),
    }
}
