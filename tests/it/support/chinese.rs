//! Whether what a person reads is Chinese, with no English sentence left in it.
//!
//! Names of keys, options, files and commands stay as they are, and so does what others said: the
//! system, WeCom, all that stands in quotes or, all of it ASCII, in （）.

use crate::support::{Outcome, Run};

/// So many English words in a row are no name.
pub(crate) const SENTENCE: usize = 3;

/// What may follow `wxpush` in a command.
pub(crate) const COMMANDS: &[&str] = &[
    "api", "callback", "check", "clear", "crontab", "drop", "explain", "flush", "help", "init",
    "list", "outbox", "print", "recall", "refresh", "retry", "run", "send", "sendmail", "show",
    "status", "token", "upload",
];

impl Run {
    /// With a Chinese locale.
    pub(crate) fn in_chinese(self) -> Self {
        self.env("LANG", "zh_CN.UTF-8")
    }
}

impl Outcome {
    /// Holds that something was said on stderr, and each line of it, what and hint, in Chinese.
    #[track_caller]
    pub(crate) fn is_chinese(self) -> Self {
        assert!(!self.stderr.trim().is_empty(), "nothing was said");
        for line in self.stderr.lines() {
            hold(line);
        }
        self
    }
}

/// Runs it in both languages, to this exit code; returns what it came to in English.
#[track_caller]
pub(crate) fn in_both(code: i32, run: impl Fn() -> Run) -> Outcome {
    run().in_chinese().exits(code).is_chinese();
    run().exits(code)
}

/// Holds that what keeps us from a token is reported in Chinese, in a line or two.
#[track_caller]
pub(crate) fn tells_why_there_is_no_token(code: i32, run: Run) {
    let outcome = run.args(&["token", "refresh"]).in_chinese().run();
    let outcome = outcome.exits(code).is_chinese();
    assert!(outcome.stderr.lines().count() <= 2, "{}", outcome.stderr);
}

/// Holds that a line is Chinese: of stderr, or any other for a person.
#[track_caller]
pub(crate) fn hold(line: &str) {
    if let Some(why) = fault(line) {
        panic!("{why} in: {line}");
    }
}

pub(crate) fn fault(line: &str) -> Option<String> {
    let text = line.trim_start().trim_start_matches("wxpush: ");
    if ["error:", "warning:", "hint:"]
        .iter()
        .any(|mark| text.starts_with(mark))
    {
        return Some("an English mark".to_owned());
    }
    let text = ["错误：", "警告：", "提示："]
        .iter()
        .fold(text, |text, mark| text.trim_start_matches(mark));
    let text = own_words(text);
    if !text.contains(|it| matches!(it, '\u{4e00}'..='\u{9fff}')) {
        return Some("no Chinese".to_owned());
    }
    // What is not ASCII stands between two runs of words, and is in none.
    let found = text.split(|it: char| !it.is_ascii()).find_map(sentence);
    found.map(|words| format!("English left ({words:?})"))
}

/// A line without what others said.
pub(crate) fn own_words(line: &str) -> String {
    // WeCom's errmsg, up to the end.
    let errmsg = line
        .split_once("errcode ")
        .and_then(|(_, rest)| rest.split_once("）：").map(|(_, errmsg)| errmsg));
    let mut text = line
        .strip_suffix(errmsg.unwrap_or_default())
        .unwrap_or(line)
        .to_owned();
    for (open, close) in [("\"", "\""), ("`", "`"), ("“", "”"), ("（", "）")] {
        let mut rest = std::mem::take(&mut text);
        while let Some((before, (within, after))) = rest
            .split_once(open)
            .and_then(|(before, rest)| Some((before, rest.split_once(close)?)))
        {
            text.push_str(before);
            // Ours, in brackets of ours.
            if open == "（" && !within.is_ascii() {
                text.push_str(within);
            }
            text.push('~');
            rest = after.to_owned();
        }
        text.push_str(&rest);
    }
    while let Some((before, (_, after))) = text
        .split_once(" (os error ")
        .and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
    {
        let reason = |it: char| it.is_ascii_alphanumeric() || " '-,/".contains(it);
        text = format!("{}~{after}", before.trim_end_matches(reason));
    }
    text
}

/// The first English sentence in ASCII, or what looks like one.
pub(crate) fn sentence(ascii: &str) -> Option<String> {
    let mut run: Vec<&str> = Vec::new();
    let mut in_command = false;
    for word in ascii.split_whitespace() {
        in_command = word.ends_with("wxpush") || (in_command && COMMANDS.contains(&word));
        let bare = word.trim_matches(|it: char| ",.;:!?()".contains(it));
        let small = bare.strip_prefix(|it: char| it.is_ascii_uppercase());
        let is_english = !small.unwrap_or(bare).is_empty()
            && small
                .unwrap_or(bare)
                .chars()
                .all(|it| it.is_ascii_lowercase() || it == '\'');
        if in_command || !is_english {
            run.clear();
            continue;
        }
        run.push(word);
        if run.len() == SENTENCE {
            return Some(run.join(" "));
        }
        // A list of names is no sentence.
        if word.ends_with([',', ';', ':']) {
            run.clear();
        }
    }
    None
}
