//! The text of a report, in the phone's language and within one message.

use std::time::Duration;

use super::trigger::Occasion;
use crate::child::{CommandEnd, Ended, LastOutput, name_of};
use crate::compose::Warning;
use crate::duration;
use crate::lang::Lang;
use crate::message::encoding::guessed_output;
use crate::message::input::Input;
use crate::message::markup;
use crate::secret::Redactor;
use crate::text::compose::warning;
use crate::text::run as words;

/// The contents of a report.
pub(super) struct ReportText<'a> {
    pub(super) lang: Lang,
    pub(super) title: &'a str,
    pub(super) host: &'a str,
    pub(super) limit: Option<Duration>,
    pub(super) occasion: Occasion,
    /// How late it runs, if somebody was told that it did not.
    pub(super) late: Option<Duration>,
    pub(super) ended: &'a Ended,
    /// Hides secrets in the output before it is cut, or changed so that it hides them no more.
    pub(super) guard: &'a Redactor,
    /// The maximum lines of output.
    pub(super) lines: usize,
    /// The maximum size of the text, in bytes.
    pub(super) max: usize,
}

impl ReportText<'_> {
    /// Returns the report, with as much of the output's end as fits.
    pub(super) fn text(&self) -> String {
        let mut text = self.without_output();
        let last = &self.ended.last;
        let output = self.output();
        // What breaks its markup takes room.
        let output = markup::inert(&output);
        let mut lines: Vec<&str> = output.trim_matches('\n').lines().collect();
        if last.cut && lines.len() > 1 {
            // Its beginning was dropped.
            lines.remove(0);
        }
        if lines.is_empty() && !last.cut || self.lines == 0 {
            return text;
        }
        let note = words::output_cut(self.lang);
        let room = self.max.saturating_sub(text.len() + 1);
        let is_whole = !last.cut && lines.len() <= self.lines;
        let all: usize = lines.iter().map(|line| line.len() + 1).sum();
        let end = if is_whole && all <= room + 1 {
            lines.join("\n")
        } else {
            let end = fitting(&lines, self.lines, room.saturating_sub(note.len() + 1));
            format!("{note}\n{end}")
        };
        if end.len() <= room {
            text.push('\n');
            text.push_str(&end);
        }
        text
    }

    /// Returns the output as a terminal would show it.
    fn output(&self) -> String {
        let LastOutput { bytes, cut } = &self.ended.last;
        let text = guessed_output(bytes, *cut);
        let mut output = Input::from_bytes(text.as_bytes()).text;
        if self.guard.hide(&mut output) {
            tracing::warn!("{}", warning(&Warning::SecretHidden));
        }
        output
    }

    /// Returns the report without the output.
    pub(super) fn without_output(&self) -> String {
        let Self { title, host, .. } = self;
        let mark = match &self.ended.end {
            CommandEnd::Exited(0) => "✅",
            CommandEnd::Exited(_) | CommandEnd::OutputLost(_) | CommandEnd::Complained => "❌",
            CommandEnd::Killed { .. } | CommandEnd::Lingers(_) => "💥",
            CommandEnd::PastLimit { .. } => "⏱",
            CommandEnd::NotStarted(_) => "🚫",
        };
        let status = self.status();
        let time = duration::show(self.ended.time);
        let mut text = match self.ended.end {
            CommandEnd::NotStarted(_) => words::head(self.lang, mark, title, host, status),
            _ => words::head_after(self.lang, mark, title, host, status, time),
        };
        let late = self.late.map(|late| words::runs_again(self.lang, late));
        for line in [self.occasion(), late].into_iter().flatten() {
            text = format!("{text}\n{line}");
        }
        text
    }

    fn status(&self) -> String {
        let lang = self.lang;
        match &self.ended.end {
            CommandEnd::Exited(0) => words::succeeded(lang),
            CommandEnd::Exited(code) => words::failed(lang, code),
            CommandEnd::Killed { signal, core } => {
                let name = name_of(*signal).map(|name| words::bracketed(lang, name));
                let name = name.unwrap_or_default();
                match core {
                    true => words::killed_with_core(lang, signal, name),
                    false => words::killed(lang, signal, name),
                }
            }
            CommandEnd::PastLimit { killed } => {
                let limit = duration::show(self.limit.unwrap_or_default());
                words::past_limit(lang, limit, words::signal_of(*killed))
            }
            CommandEnd::OutputLost(error) => words::output_lost(lang, error),
            CommandEnd::Complained => words::complained(lang),
            CommandEnd::Lingers(signal) => {
                words::lingered(lang, name_of(signal.as_raw()).unwrap_or_default())
            }
            CommandEnd::NotStarted(error) => match self.ended.end.code() {
                127 => words::no_such_command(lang),
                code => words::could_not_start(lang, error, code),
            },
        }
    }

    fn occasion(&self) -> Option<String> {
        Some(match self.occasion {
            Occasion::Plain => return None,
            Occasion::Again(streak) => words::failures_in_a_row(self.lang, streak.failures),
            Occasion::Changed(streak) => words::failures_of_other_kind(self.lang, streak.failures),
            Occasion::Recovery(streak) => {
                words::recovery(self.lang, streak.failures, streak.time())
            }
        })
    }
}

/// Returns at most `count` of the last lines, within `room` bytes; the end of the last line if it
/// is longer.
fn fitting(lines: &[&str], count: usize, room: usize) -> String {
    let mut first = lines.len();
    let mut size = 0;
    for line in lines.iter().rev().take(count) {
        size += line.len() + usize::from(size > 0);
        if size > room {
            break;
        }
        first -= 1;
    }
    match lines.last() {
        Some(last) if first == lines.len() => {
            last[last.ceil_char_boundary(last.len().saturating_sub(room))..].to_owned()
        }
        _ => lines[first..].join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_fit() {
        let lines = ["one", "two", "three"];
        for (count, room, end) in [
            (9, 99, "one\ntwo\nthree"),
            (2, 99, "two\nthree"),
            (9, 9, "two\nthree"),
            (9, 8, "three"),
            (9, 3, "ree"),
            (9, 0, ""),
        ] {
            assert_eq!(fitting(&lines, count, room), end, "{count} {room}");
        }
        assert_eq!(fitting(&["中文"], 1, 4), "文");
    }
}
