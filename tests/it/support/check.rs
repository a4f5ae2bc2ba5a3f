//! `wxpush check`: its steps, and a crontab for it to find.

use serde_json::Value;

use crate::support::{Outcome, Run, Sandbox, flush_line, make, set_mode};

/// The steps of this name: how each went, and what it says with its advice.
pub(crate) fn steps(outcome: &Outcome, name: &str) -> Vec<(String, String)> {
    let object = outcome.json();
    let checks = object["checks"].as_array().unwrap();
    let named = checks.iter().filter(|check| check["name"] == name);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    named
        .map(|check| {
            let what = format!("{}\n{}", text(&check["what"]), text(&check["hint"]));
            (text(&check["status"]), what)
        })
        .collect()
}

/// The one step of this name.
#[track_caller]
pub(crate) fn step(outcome: &Outcome, name: &str) -> (String, String) {
    let mut steps = steps(outcome, name);
    assert_eq!(steps.len(), 1, "{name}: {}", outcome.stdout);
    steps.remove(0)
}

impl Outcome {
    /// Holds that a step went so, and says these words.
    #[track_caller]
    pub(crate) fn went(&self, name: &str, status: &str, words: &[&str]) {
        let (went, said) = step(self, name);
        assert_eq!(went, status, "{name}: {said}");
        for words in words {
            assert!(said.contains(words), "{name}: no {words:?} in {said}");
        }
    }
}

/// `wxpush check --json` with these options, by a machine whose crontab flushes.
pub(crate) fn check(sandbox: &Sandbox, options: &str) -> Run {
    scheduled(sandbox, &format!("check --json {options}"))
}

/// These arguments, where `crontab -l` shows a line that flushes.
pub(crate) fn scheduled(sandbox: &Sandbox, args: &str) -> Run {
    crontab(sandbox, &flush_line(sandbox));
    let path = sandbox.path("fake").display().to_string();
    sandbox
        .wxpush(args)
        .env("PATH", format!("{path}:/usr/bin:/bin"))
}

/// Puts a `crontab` into `fake/` that lists this line.
pub(crate) fn crontab(sandbox: &Sandbox, line: &str) {
    make(&sandbox.path("fake"));
    let script = format!("#!/bin/sh\ntest \"$*\" = -l && echo '{line}'\n");
    sandbox.write("fake/crontab", script);
    set_mode(&sandbox.path("fake/crontab"), 0o755);
}

/// The config's receivers.
pub(crate) fn to(sandbox: &Sandbox, lines: &str) {
    sandbox.configure(lines);
}
