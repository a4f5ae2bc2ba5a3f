//! A question at the terminal, until its answer can be used.

use std::io;

use crate::config::Key;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output;
use crate::terminal::Terminal;

/// How often an answer may be wrong.
pub(super) const TRIES: usize = 3;

/// The most questions that are asked; one asked again is the same.
const MOST: usize = 5;

/// A person who answers.
pub(super) struct Person {
    terminal: Terminal,
    asked: usize,
}

impl Person {
    pub(super) fn at(terminal: Terminal) -> Self {
        Self { terminal, asked: 0 }
    }

    /// Whether one more question is not too many, where so many must follow.
    pub(super) fn has_patience(&self, must: usize) -> bool {
        self.asked + must < MOST
    }

    /// Puts a question, and again until `read` can use the answer.
    ///
    /// # Errors
    /// `Exit::Config` once three answers were wrong, `Exit::Usage` at the end of the input.
    pub(super) fn ask<T>(
        &mut self,
        question: &Question,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        self.asked += usize::from(!question.again);
        output::end_line();
        tell(&question.text);
        let name = question.key.name();
        let mut why = String::new();
        for _ in 0..TRIES {
            match read(&self.answer(question.unseen)?) {
                Ok(value) => return Ok(value),
                Err(reason) => why = reason,
            }
            cross(&format!("{name} {why}"));
        }
        let what = say!(
            "{name} {TRIES} 次都不对：{name} {why}；什么都没有写",
            "{TRIES} answers for {name} were wrong: {name} {why}; nothing was written"
        );
        Err(Failure::new(Exit::Config, what).hint(say!(
            "查好后再运行 wxpush init",
            "look it up, and run wxpush init again"
        )))
    }

    /// Whether the answer to a question is yes; anything but a yes is no.
    ///
    /// # Errors
    /// At the end of the input.
    pub(super) fn agrees(&mut self, text: &str) -> Result<bool, Failure> {
        self.asked += 1;
        output::end_line();
        tell(text);
        output::question("[y/N] ");
        let answer = meant(self.terminal.line())?.to_lowercase();
        Ok(["y", "yes", "是", "好"].contains(&&*answer))
    }

    /// The answer to a question that has been put.
    fn answer(&mut self, unseen: bool) -> Result<String, Failure> {
        let ask = || output::question("> ");
        let line = if unseen {
            self.terminal.unseen_line(ask)
        } else {
            ask();
            self.terminal.line()
        };
        meant(line)
    }
}

/// What a line means; without one the dialogue is over.
fn meant(line: io::Result<Option<String>>) -> Result<String, Failure> {
    let gone = |error: io::Error| {
        let what = say!(
            "终端读不了：{error}；什么都没有写",
            "the terminal cannot be read: {error}; nothing was written"
        );
        Failure::new(Exit::Io, what)
    };
    let Some(line) = line.map_err(gone)? else {
        output::end_line();
        let what = say!(
            "输入结束，什么都没有写",
            "the input has ended: nothing was written"
        );
        return Err(Failure::new(Exit::Usage, what).hint(say!(
            "没有人回答问题时，用 WXPUSH_* 环境变量：见 wxpush init --help",
            "where nobody answers, set the WXPUSH_* variables: see wxpush init --help"
        )));
    };
    Ok(cleaned(&line))
}

/// What is asked.
pub(super) struct Question {
    pub(super) key: Key,
    /// What it is, and where it is found.
    pub(super) text: String,
    pub(super) unseen: bool,
    /// It was asked before.
    pub(super) again: bool,
}

impl Question {
    /// The question for a key of the config.
    pub(super) fn of(key: Key, again: bool) -> Self {
        let text = match key {
            Key::Corpid => spoken().of(
                "corpid（企业ID）：管理后台 → 我的企业，页面底部",
                "corpid, the company's ID (企业ID): 我的企业, at the bottom of the page",
            ),
            Key::Corpsecret => spoken().of(
                "corpsecret（应用的 Secret）：应用管理 → 该应用 → Secret，在企业微信客户端里查看；输入时不显示",
                "corpsecret, the app's Secret: 应用管理 → the app → Secret; it is sent to your WeCom client; not shown as you type",
            ),
            _ => spoken().of(
                "agentid（AgentId）：应用管理 → 该应用，例如 1000002",
                "agentid (AgentId): 应用管理 → the app, such as 1000002",
            ),
        };
        Self {
            key,
            text: text.to_owned(),
            unseen: key == Key::Corpsecret,
            again,
        }
    }
}

/// Shows lines of the dialogue.
pub(super) fn tell(text: &str) {
    for line in text.lines() {
        output::diagnostic(&output::visible(line));
    }
}

/// Shows that something is right.
pub(super) fn tick(text: &str) {
    output::diagnostic(&output::visible(&format!("  ✓ {text}")));
}

/// Shows that something is wrong.
pub(super) fn cross(text: &str) {
    output::diagnostic(&output::visible(&format!("  ✗ {text}")));
}

/// Shows what WeCom, or the way to it, says against it.
pub(super) fn trouble(failure: &Failure) {
    cross(&failure.what);
    if let Some(hint) = &failure.hint {
        tell(&format!("    {hint}"));
    }
}

/// What was meant by what was typed or pasted: without marks that nobody sees, without the quotes
/// and spaces of where it was copied from, full-width letters as plain ones.
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

/// A full-width letter, digit or mark as the plain one, a Chinese comma likewise.
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
    fn what_was_pasted_is_what_was_meant() {
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
