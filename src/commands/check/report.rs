//! What `check` found, a line a step, shown as it is known; and how it ends.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Mark, Output};
use crate::secret::{Secret, Veil};

/// One step, as a script sees it.
#[derive(Debug, Serialize)]
struct Check {
    /// What scripts know it by.
    name: &'static str,
    status: &'static str,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

/// All steps so far.
pub(super) struct Report {
    output: Output,
    checks: Vec<Check>,
    notes: Vec<String>,
    /// What may stand in the config where it does not belong.
    veil: Veil,
    /// The exit status of the first cross.
    exit: Option<Exit>,
    /// That nothing can be shown any more.
    trouble: Option<Failure>,
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            checks: Vec::new(),
            notes: Vec::new(),
            veil: Veil::default(),
            exit: None,
            trouble: None,
        }
    }

    /// Keeps a secret out of all that follows, wherever it was written by mistake.
    pub(super) fn hide(&mut self, secret: &Secret) {
        self.veil.add(secret);
    }

    /// Whether there is no cross.
    pub(super) fn is_fine(&self) -> bool {
        self.exit.is_none()
    }

    /// A step that is well.
    pub(super) fn fine(&mut self, name: &'static str, what: String) {
        self.add(Mark::Fine, name, what, None, None);
    }

    /// A step of which something is to be looked at, or cannot be known.
    pub(super) fn doubt(&mut self, name: &'static str, what: String, hint: impl Into<String>) {
        self.add(Mark::Doubtful, name, what, Some(hint.into()), None);
    }

    /// A step that was not tried, since one before it failed or nothing is there to be tried.
    pub(super) fn left(&mut self, name: &'static str, what: String) {
        self.add(Mark::Left, name, what, None, None);
    }

    /// Several such steps, for a person in one line.
    pub(super) fn left_all(&mut self, names: &[&'static str], why: &str) {
        let all = names.join(spoken().of("、", ", "));
        self.show(Mark::Left, &say!("{all}：{why}", "{all}: {why}"), None);
        for name in names {
            self.note(Mark::Left, name, why.to_owned(), None, None);
        }
    }

    /// A cross.
    pub(super) fn wrong(&mut self, name: &'static str, failure: Failure) {
        let exit = failure.exit;
        self.add(Mark::Wrong, name, failure.what, failure.hint, Some(exit));
    }

    /// A cross of these words.
    pub(super) fn cross(
        &mut self,
        name: &'static str,
        exit: Exit,
        what: String,
        hint: impl Into<String>,
    ) {
        self.wrong(name, Failure::new(exit, what).hint(hint));
    }

    fn add(
        &mut self,
        mark: Mark,
        name: &'static str,
        mut what: String,
        mut hint: Option<String>,
        exit: Option<Exit>,
    ) {
        let mut texts: Vec<&mut String> = hint.iter_mut().chain([&mut what]).collect();
        self.veil.hide_in(&mut texts);
        self.exit = self.exit.or(exit);
        if mark == Mark::Wrong {
            tracing::info!(check = name, error = what, "cross");
        } else {
            tracing::debug!(check = name, ?mark, what, "step");
        }
        self.show(mark, &what, hint.as_deref());
        self.note(mark, name, what, hint, exit);
    }

    /// Shows a step to a person.
    fn show(&mut self, mark: Mark, what: &str, hint: Option<&str>) {
        let is_wanted = mark == Mark::Wrong || !self.output.quiet;
        if !self.output.json && is_wanted && self.trouble.is_none() {
            self.trouble = self.output.step(mark, what, hint).err();
        }
    }

    /// Keeps a step for a script.
    fn note(
        &mut self,
        mark: Mark,
        name: &'static str,
        what: String,
        hint: Option<String>,
        exit: Option<Exit>,
    ) {
        self.checks.push(Check {
            name,
            status: match mark {
                Mark::Fine => "ok",
                Mark::Wrong => "failed",
                Mark::Doubtful => "warning",
                Mark::Left => "skipped",
            },
            what,
            hint,
            exit_code: exit.map(Exit::code),
        });
    }

    /// Lines at the end that are about no step.
    pub(super) fn notes(&mut self, title: &str, notes: Vec<String>) {
        if !self.output.json && !self.output.quiet && self.trouble.is_none() {
            let lines = notes.iter().map(|note| format!("  · {note}"));
            let mut lines = std::iter::once(String::new())
                .chain([title.to_owned()])
                .chain(lines);
            self.trouble = lines.find_map(|line| output::result(&line).err());
        }
        self.notes = notes;
    }

    /// How it ends; for a script all of it.
    ///
    /// # Errors
    /// `Exit::Io`: it could not be shown.
    pub(super) fn end(self) -> Result<Exit, Failure> {
        let exit = self.exit.unwrap_or(Exit::Sent);
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        if self.output.json {
            let mut object = json!({
                "ok": exit == Exit::Sent, "exit_code": exit.code(), "checks": self.checks,
            });
            if !self.notes.is_empty() {
                object["notes"] = self.notes.into_iter().map(Value::from).collect();
            }
            output::object(&object)?;
        }
        Ok(exit)
    }
}
