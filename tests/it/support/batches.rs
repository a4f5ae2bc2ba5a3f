//! Batches: their input, their answers.

use serde_json::{Value, json};

use crate::support::{Outcome, Sandbox};

/// The lines of an input.
pub(crate) fn json_lines(values: impl IntoIterator<Item = Value>) -> String {
    let lines = values.into_iter().map(|value| format!("{value}\n"));
    lines.collect()
}

/// Messages to these members in turn, each with its number as text, id and key.
pub(crate) fn numbered(count: usize, members: &[&str]) -> String {
    let to = members.iter().cycle();
    json_lines((0..count).zip(to).map(|(number, to)| {
        json!({"id": number.to_string(), "to": to, "text": format!("number {number:03}")})
    }))
}

/// The same, each with a key of its own.
pub(crate) fn keyed(count: usize, members: &[&str]) -> String {
    let to = members.iter().cycle();
    json_lines((0..count).zip(to).map(|(number, to)| {
        let id = number.to_string();
        json!({"id": id, "once": id, "to": to, "text": format!("number {number:03}")})
    }))
}

/// Runs a batch with this input.
pub(crate) fn batch(sandbox: &Sandbox, args: &str, input: impl Into<Vec<u8>>) -> Outcome {
    let run = sandbox.wxpush(&format!("batch {args}"));
    run.stdin(input).run()
}

/// The whole lines of an output, as JSON.
#[track_caller]
pub(crate) fn whole_lines(output: &str) -> Vec<Value> {
    let whole = output.rfind('\n').map_or("", |end| &output[..end]);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("an answer is one line of JSON"))
        .collect()
}

/// The answers of a run, by the numbers of their lines.
#[track_caller]
pub(crate) fn answers(outcome: &Outcome) -> Vec<Value> {
    assert!(outcome.stdout.is_empty() || outcome.stdout.ends_with('\n'));
    let mut answers = whole_lines(&outcome.stdout);
    answers.sort_by_key(|answer| answer["line"].as_u64());
    answers
}

/// The statuses of a run's answers, in the order of the lines.
#[track_caller]
pub(crate) fn statuses(outcome: &Outcome) -> Vec<String> {
    let answers = answers(outcome);
    let status = |answer: &Value| answer["status"].as_str().unwrap().to_owned();
    answers.iter().map(status).collect()
}
