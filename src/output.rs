//! Results on stdout, diagnostics on stderr.
//!
//! Only this file prints; clippy's `print_stdout` and `print_stderr` enforce it.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::error::Failure;
pub(crate) use crate::file_slice::Watching;
use crate::message::input::hides;
use crate::text::store as text;

/// When colours are used.
#[expect(clippy::doc_markdown, reason = "the doc comments are help texts")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// At a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Fine,
    Wrong,
    /// Not wrong, or unknown.
    Doubtful,
    /// Not tried.
    Left,
}

/// The verbosity and format of the output.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Output {
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) json: bool,
    pub(crate) color: Color,
}

impl Output {
    /// Whether a success is reported to a person at the terminal.
    pub(crate) fn is_talkative(self) -> bool {
        !self.quiet && !self.json && (self.verbose > 0 || io::stdout().is_terminal())
    }

    /// Whether a person reads more than errors on stderr.
    pub(crate) fn has_reader(self) -> bool {
        !self.quiet && stderr_is_terminal()
    }

    /// Shows an error, with its hint below it.
    pub(crate) fn failure(self, failure: &Failure) {
        let mut shown = self.paint(&text::error_label(), "1;31") + &visible(&failure.what);
        if let Some(advice) = &failure.hint {
            shown = shown + "\n" + &self.paint(&text::hint_label(), "1") + &visible(advice);
        }
        diagnostic(&shown);
    }

    /// Shows a line below an error or result, unless quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            diagnostic(&format!("wxpush: {}", visible(text)));
        }
    }

    /// Shows the result of a step of `check`: a mark and a line, with the hint below it.
    ///
    /// # Errors
    /// As `result`.
    pub(crate) fn step(self, mark: Mark, what: &str, hint: Option<&str>) -> Result<(), Failure> {
        let (sign, style) = match mark {
            Mark::Fine => ("✓", "32"),
            Mark::Wrong => ("✗", "1;31"),
            Mark::Doubtful => ("!", "33"),
            Mark::Left => ("-", "2"),
        };
        let sign = self.paint_at(io::stdout().is_terminal(), sign, style);
        let mut text = format!("{sign} {}", visible(what));
        for line in hint.into_iter().flat_map(str::lines) {
            text.push_str("\n    ");
            text.push_str(&visible(line));
        }
        write_stdout(&text)
    }

    fn paint(self, text: &str, style: &str) -> String {
        self.paint_at(io::stderr().is_terminal(), text, style)
    }

    fn paint_at(self, is_terminal: bool, text: &str, style: &str) -> String {
        let colored = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
            }
        };
        if colored {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Smaller files, in bytes, are sent before a progress bar could be read.
const BAR_FROM: u64 = 512 << 10;

/// Returns the progress display of a file at a terminal; `None` if nobody is watching.
pub(crate) fn watching(output: Output) -> Option<Watching> {
    if output.json || !output.has_reader() {
        return None;
    }
    let bar = Bar::default();
    Some(Arc::new(move |done, all| bar.show(done, all)))
}

/// A progress bar on its own line, which ends with the file or with the value.
#[derive(Default)]
struct Bar {
    /// One more than the percentage shown; 0 before the first.
    shown: AtomicU64,
    /// Whether its line is unfinished.
    is_open: AtomicBool,
}

impl Bar {
    fn show(&self, done: u64, all: u64) {
        let percent = done * 100 / all.max(1);
        if all < BAR_FROM || self.shown.swap(percent + 1, Ordering::Relaxed) == percent + 1 {
            return;
        }
        let bar = "=".repeat(usize::try_from(percent / 4).unwrap_or_default());
        let mut shown = text::upload_bar(bar, percent, mib(done), mib(all));
        if done == all {
            shown.push('\n');
        }
        let _ = io::stderr().write_all(shown.as_bytes());
        self.is_open.store(done != all, Ordering::Relaxed);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if *self.is_open.get_mut() {
            let _ = io::stderr().write_all(b"\n");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

/// Whether stderr is a terminal; asked once.
pub(crate) fn stderr_is_terminal() -> bool {
    static IS_ONE: OnceLock<bool> = OnceLock::new();
    *IS_ONE.get_or_init(|| io::stderr().is_terminal())
}

/// Writes a result for a person, or for a script that asked for it.
///
/// # Errors
/// `Exit::Io`. A reader that has gone away is not an error.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    write_stdout(&visible(text))
}

/// Writes a text whose strings are those of JSON: what hides in them becomes an escape, which a
/// parser reads as the same value.
///
/// # Errors
/// As `result`.
pub(crate) fn json(text: &str) -> Result<(), Failure> {
    write_stdout(&escaped(text))
}

/// Writes the bytes of a file, and nothing after them.
///
/// # Errors
/// As `result`.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(text::cannot_write_result(error))
        }
        _ => Ok(()),
    }
}

/// Writes a JSON object on one line.
///
/// # Errors
/// As `result`.
pub(crate) fn object(result: &impl Serialize) -> Result<(), Failure> {
    json(&serde_json::to_string(result).map_err(text::serialization)?)
}

/// Writes a JSON object on one line, for a reader who must have it.
///
/// # Errors
/// `Exit::Io`, also if the reader has gone away.
pub(crate) fn answer(result: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(result).map_err(text::serialization)?;
    let mut out = io::stdout().lock();
    let written = out.write_all(format!("{}\n", escaped(&line)).as_bytes());
    written
        .and_then(|()| out.flush())
        .map_err(text::cannot_write_result)
}

/// Shows a warning.
pub(crate) fn warning(text: &impl Display) {
    diagnostic(&text::warning(text));
}

/// Whether nothing is written to stderr.
static IS_MUTE: AtomicBool = AtomicBool::new(false);

/// Writes nothing to stderr from now on if stdin is the same socket: inetd gives a service all three,
/// and a line of ours would be part of its answer.
pub(crate) fn mute_if_inetd() {
    let of = |fd: BorrowedFd<'_>| File::from(fd.try_clone_to_owned()?).metadata();
    let files = [of(io::stdin().as_fd()), of(io::stderr().as_fd())];
    if let [Ok(stdin), Ok(stderr)] = files
        && stdin.file_type().is_socket()
        && (stdin.dev(), stdin.ino()) == (stderr.dev(), stderr.ino())
    {
        IS_MUTE.store(true, Ordering::Relaxed);
    }
}

/// Writes one line to stderr. Write errors are ignored: they would be reported on stderr.
pub(crate) fn diagnostic(text: &str) {
    if IS_MUTE.load(Ordering::Relaxed) {
        return;
    }
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Writes a question to stderr; the answer is typed after it.
pub(crate) fn question(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Ends an unfinished line on stderr, or leaves an empty one.
pub(crate) fn end_line() {
    diagnostic("");
}

fn write_stdout(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

/// Escapes a text to one line that can deceive neither a terminal nor a reader of the log.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if hides(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Returns a JSON text with an escape for each hidden character but the line ends between values.
fn escaped(json: &str) -> Cow<'_, str> {
    let stays = |character| character == '\n' || !hides(character);
    if json.chars().all(stays) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if stays(character) {
            shown.push(character);
        } else {
            // Writing into a String cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::{escaped, visible};

    #[test]
    fn a_json_text_hides_nothing_and_keeps_its_values() {
        let value = "\u{9b}2J\u{85}\u{7f}\u{202e}\u{2028}\u{2066}中文👨\u{200d}👩\n\u{1b}";
        let text = serde_json::to_string_pretty(&[value, "plain"]).unwrap();
        let shown = escaped(&text);
        assert_eq!(visible(&shown.replace('\n', "")), shown.replace('\n', ""));
        let read: [String; 2] = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, [value, "plain"]);
        assert!(shown.contains("中文👨\u{200d}👩"), "{shown}");
    }

    #[test]
    fn a_visible_line_has_no_hidden_characters() {
        for (text, shown) in [
            ("plain 中文", "plain 中文"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
            ("\u{85}\u{2028}", "\\u{85}\\u{2028}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
