//! Asks a person at a terminal, repeating each question until its answer is valid.

use std::io;

use super::setting::Setting;
use super::terminal::Terminal;
use crate::error::Failure;
use crate::output;
use crate::text;

/// The maximum wrong answers to a question.
pub(super) const TRIES: usize = 3;

const PROMPT: &str = "> ";

/// A person at a terminal.
pub(super) struct Person {
    terminal: Terminal,
}

impl Person {
    pub(super) fn at(terminal: Terminal) -> Self {
        Self { terminal }
    }

    /// Asks a question until `read` accepts the answer. The answer for a secret is typed without
    /// echo, and an error names the setting.
    ///
    /// # Errors
    /// `Exit::Config` after three wrong answers, `Exit::Usage` at the end of the input.
    pub(super) fn ask<T>(
        &mut self,
        setting: Setting,
        question: &str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        output::end_line();
        tell(question);
        let name = setting.name();
        let mut wrong = String::new();
        for _ in 0..TRIES {
            let typed = if setting == Setting::Corpsecret {
                self.terminal.read_hidden(PROMPT)
            } else {
                self.terminal.read(PROMPT)
            };
            match read(&meant(typed)?) {
                Ok(value) => return Ok(value),
                Err(why) => wrong = why,
            }
            cross(&format!("{name} {wrong}"));
        }
        Err(text::init::wrong_answers(TRIES, name, wrong))
    }

    /// Asks a yes-or-no question; any other answer counts as `default`.
    ///
    /// # Errors
    /// At the end of the input.
    pub(super) fn agrees(&self, text: &str, default: bool) -> Result<bool, Failure> {
        output::end_line();
        tell(text);
        let prompt = if default { "[Y/n] " } else { "[y/N] " };
        let answer = meant(self.terminal.read(prompt))?.to_lowercase();
        let is_yes = ["y", "yes", "是", "好"].contains(&&*answer);
        let is_no = ["n", "no", "否", "不"].contains(&&*answer);
        Ok(is_yes || default && !is_no)
    }
}

/// Returns a typed line after cleaning.
fn meant(line: io::Result<Option<String>>) -> Result<String, Failure> {
    match line {
        Ok(Some(line)) => Ok(cleaned(&line)),
        Ok(None) => {
            output::end_line();
            Err(text::init::input_ended())
        }
        Err(error) => Err(text::init::terminal_unreadable(error)),
    }
}

/// Shows lines of the dialogue.
pub(super) fn tell(text: &str) {
    for line in text.lines() {
        output::diagnostic(&output::visible(line));
    }
}

/// Shows a success.
pub(super) fn tick(text: &str) {
    output::diagnostic(&output::visible(&format!("  ✓ {text}")));
}

/// Shows an error.
pub(super) fn cross(text: &str) {
    output::diagnostic(&output::visible(&format!("  ✗ {text}")));
}

/// Shows a failure that does not end the dialogue.
pub(super) fn trouble(failure: &Failure) {
    cross(&failure.what);
    if let Some(hint) = &failure.hint {
        tell(&format!("    {hint}"));
    }
}

/// Strips a typed or pasted text of invisible marks, quotes and outer spaces, and narrows
/// full-width characters.
fn cleaned(text: &str) -> String {
    let text = text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let text: String = text
        .chars()
        .filter(|character| !is_invisible(*character))
        .map(narrow)
        .collect();
    let is_around = |character: char| character.is_whitespace() || QUOTES.contains(&character);
    text.trim_matches(is_around).to_owned()
}

const QUOTES: [char; 10] = ['"', '\'', '`', '“', '”', '‘', '’', '「', '」', '＂'];

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

/// Narrows a full-width letter, digit or mark, and a Chinese comma.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(character) - 0xff01 + 0x21).unwrap_or(character)
        }
        '、' => ',',
        '\u{3000}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn a_pasted_text_is_cleaned() {
        for (typed, meant) in [
            ("ww0123456789abcdef", "ww0123456789abcdef"),
            ("  ww01\t", "ww01"),
            ("\u{feff}\"ww01\" ", "ww01"),
            ("“ww01”", "ww01"),
            ("ww\u{200b}01\u{3000}", "ww01"),
            ("ｗｗ０１", "ww01"),
            ("＠all", "@all"),
            ("zhangsan，lisi、wangwu", "zhangsan,lisi,wangwu"),
            ("\u{1b}[200~ww01\u{1b}[201~", "ww01"),
            ("   ", ""),
        ] {
            assert_eq!(cleaned(typed), meant, "{typed:?}");
        }
    }
}
