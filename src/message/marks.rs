//! The marks of WeCom's markdown, which `plain` removes and `split` does not tear.
//!
//! Each function looks at the start of its text, and reads no further than a line, or the next mark
//! of its kind: a pass over a text takes linear time.

/// Parses a line that begins or ends a block of code: its marks, and the text after them.
pub(super) fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
    let info = line.trim_start_matches(mark);
    let marks = &line[..line.len() - info.len()];
    // With a backtick after them, they enclose code within the line.
    (marks.len() >= 3 && !info.contains('`')).then_some((marks, info))
}

/// Whether `line` ends the block of code that began with the marks `open`.
pub(super) fn ends_fence(open: &str, line: &str) -> bool {
    fence(line).is_some_and(|(marks, info)| marks.starts_with(open) && info.is_empty())
}

/// Splits off the quote marks of a line.
pub(super) fn split_quote(line: &str) -> (&str, &str) {
    let rest = line.trim_start_matches(['>', ' ']);
    let marks = line.len() - rest.len();
    if line.trim_start().starts_with('>') {
        line.split_at(marks)
    } else {
        ("", line)
    }
}

/// Returns the number of backticks before `text`, and the code between one and the next.
pub(super) fn code(text: &str) -> (usize, Option<&str>) {
    let inner = text.trim_start_matches('`');
    let run = text.len() - inner.len();
    let code = (run == 1).then(|| inner.split_once('`')).flatten();
    (run, code.map(|(code, _)| code))
}

/// The stars before a text.
pub(super) struct Stars {
    pub(super) run: usize,
    /// Whether they can begin bold text.
    pub(super) open: bool,
    /// Whether they can end it.
    pub(super) close: bool,
}

impl Stars {
    /// Counts the stars before `text`, which follow `before`.
    pub(super) fn read(before: &str, text: &str) -> Self {
        let behind = text.trim_start_matches('*');
        let run = text.len() - behind.len();
        let (last, next) = (before.chars().next_back(), behind.chars().next());
        let is_space = |it: Option<char>| it.is_none_or(char::is_whitespace);
        // Chinese has no spaces around bold text.
        let is_letter =
            |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() && it < '\u{2e80}');
        // Plain stars: `**** secret`, `2**10`.
        let are_marks = run == 2 && !(is_letter(last) && is_letter(next));
        Self {
            run,
            open: are_marks && !is_space(next),
            close: are_marks && !is_space(last),
        }
    }
}

/// A link or an image.
pub(super) struct Link<'a> {
    pub(super) label: &'a str,
    pub(super) address: &'a str,
    /// Its bytes in all.
    pub(super) len: usize,
}

impl<'a> Link<'a> {
    /// Parses the link before the rest of `text`.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let inner = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?;
        let label = &inner[..inner.find(['[', ']'])?];
        let target = inner[label.len()..].strip_prefix("](")?;
        let address = &target[..address_end(target)?];
        Some(Self {
            label,
            address,
            len: text.len() - target.len() + address.len() + 1,
        })
    }
}

/// Finds the bracket that closes an address, which may contain pairs of brackets.
fn address_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            '[' | '<' => return None,
            _ if character.is_whitespace() => return None,
            _ => {}
        }
    }
    None
}

/// Returns what stands between `<` and `>` before the rest of `text`.
pub(super) fn tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    let end = inner.find(['<', '>'])?;
    inner[end..].starts_with('>').then(|| &inner[..end])
}

/// Returns the name of a tag, or of its end with `/`, in lower case.
pub(super) fn tag_name(inner: &str) -> Option<String> {
    let word = inner.split_ascii_whitespace().next()?;
    Some(word.to_ascii_lowercase())
}

/// Whether the text between `<` and `>` mentions a member: `@userid`.
pub(super) fn is_mention(inner: &str) -> bool {
    let is_userid = |it: char| it.is_ascii_alphanumeric() || "-_.@".contains(it);
    inner.len() > 1 && inner.starts_with('@') && inner.chars().all(is_userid)
}
