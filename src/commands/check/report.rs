//! The report of `check`: one line a step, shown as soon as it is known, and the exit status.

use serde_json::{Value, json};

use crate::error::{Exit, Failure};
use crate::output::{self, Mark, Output};
use crate::secret::{Redactor, Secret};
use crate::text;

/// All steps so far. A step's name is an interface for scripts, and never changes.
pub(super) struct Steps {
    output: Output,
    checks: Vec<Value>,
    notes: Vec<String>,
    veil: Redactor,
    /// The exit status of the first failed step.
    exit: Option<Exit>,
    /// The reason why nothing can be shown any more.
    unshown: Option<Failure>,
}

impl Steps {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            checks: Vec::new(),
            notes: Vec::new(),
            veil: Redactor::default(),
            exit: None,
            unshown: None,
        }
    }

    /// Redacts a secret in all further output: it may be in the wrong place of the config.
    pub(super) fn hide(&mut self, secret: &Secret) {
        self.veil.add(secret);
    }

    /// Whether no step has failed.
    pub(super) fn is_fine(&self) -> bool {
        self.exit.is_none()
    }

    /// Adds a successful step.
    pub(super) fn fine(&mut self, name: &'static str, what: String) {
        self.add(Mark::Fine, &[name], Failure::new(Exit::Sent, what));
    }

    /// Adds a successful step that a later one implies, and a person need not see.
    pub(super) fn passed(&mut self, name: &str) {
        let what = labelled(name, text::check::passed());
        self.note(Mark::Fine, name, Failure::new(Exit::Sent, what));
    }

    /// Adds a step that needs attention, or whose result is unknown; its exit status does not
    /// count.
    pub(super) fn doubt(&mut self, name: &'static str, doubt: Failure) {
        self.add(Mark::Doubtful, &[name], doubt);
    }

    /// Reports that these steps were not tried.
    pub(super) fn skip(&mut self, names: &[&'static str]) {
        self.left(names, text::check::not_checked());
    }

    /// Adds steps that were not tried.
    pub(super) fn left(&mut self, names: &[&'static str], why: String) {
        self.add(Mark::Left, names, Failure::new(Exit::Sent, why));
    }

    /// Adds a failed step.
    pub(super) fn wrong(&mut self, name: &'static str, failure: Failure) {
        self.exit.get_or_insert(failure.exit);
        self.add(Mark::Wrong, &[name], failure);
    }

    /// Shows a finding to a person, and notes it under each name for a script.
    fn add(&mut self, mark: Mark, names: &[&'static str], mut finding: Failure) {
        if let [name] = names {
            finding.what = labelled(name, finding.what);
        }
        self.veil.hide(&mut finding.what);
        if let Some(hint) = &mut finding.hint {
            self.veil.hide(hint);
        }
        let Failure { what, hint, .. } = &finding;
        if mark == Mark::Wrong {
            tracing::info!(check = names[0], error = what, "cross");
        } else {
            tracing::debug!(check = names[0], ?mark, what, "step");
        }
        let is_wanted = mark == Mark::Wrong || !self.output.quiet;
        if !self.output.json && is_wanted && self.unshown.is_none() {
            let shown = match names {
                [_] => what.clone(),
                _ => text::check::labelled(text::check::list(names), what),
            };
            self.unshown = self.output.step(mark, &shown, hint.as_deref()).err();
        }
        for name in names {
            self.note(mark, name, finding.clone());
        }
    }

    fn note(&mut self, mark: Mark, name: &str, finding: Failure) {
        let status = match mark {
            Mark::Fine => "ok",
            Mark::Wrong => "failed",
            Mark::Doubtful => "warning",
            Mark::Left => "skipped",
        };
        let mut check = json!({"name": name, "status": status, "what": finding.what});
        if let Some(hint) = finding.hint {
            check["hint"] = hint.into();
        }
        if mark == Mark::Wrong {
            check["exit_code"] = finding.exit.code().into();
        }
        self.checks.push(check);
    }

    /// Adds lines at the end that concern no step.
    pub(super) fn notes(&mut self, title: String, notes: Vec<String>) {
        if !self.output.json && !self.output.quiet && self.unshown.is_none() {
            let lines = notes.iter().map(|note| format!("  · {note}"));
            let mut lines = [String::new(), title].into_iter().chain(lines);
            self.unshown = lines.find_map(|line| output::result(&line).err());
        }
        self.notes = notes;
    }

    /// Ends the report; prints all of it for a script.
    ///
    /// # Errors
    /// `Exit::Io` if it could not be shown.
    pub(super) fn end(self) -> Result<Exit, Failure> {
        let exit = self.exit.unwrap_or(Exit::Sent);
        if let Some(unshown) = self.unshown {
            return Err(unshown);
        }
        if self.output.json {
            let mut object = json!({
                "ok": exit == Exit::Sent, "exit_code": exit.code(), "checks": self.checks,
            });
            if !self.notes.is_empty() {
                object["notes"] = self.notes.into();
            }
            output::object(&object)?;
        }
        Ok(exit)
    }
}

/// Puts the label of a step before what was found, if the step has one.
fn labelled(name: &str, what: String) -> String {
    match text::check::label(name) {
        Some(label) => text::check::labelled(label, what),
        None => what,
    }
}
