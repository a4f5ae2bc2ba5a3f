//! Reads a shell's text as far as its names of commands. No shell: what a text expands to stays
//! unknown.

/// Words of the grammar before a command.
const RESERVED: [&str; 9] = [
    "!", "do", "elif", "else", "if", "then", "until", "while", "{",
];

/// Commands that prepare another.
const PREPARE: [&str; 16] = [
    ":", "[", "[[", "case", "cd", "command", "done", "export", "fi", "for", "set", "test", "trap",
    "ulimit", "umask", "unset",
];

/// Commands that go along with another, or are all there is.
const ACCOMPANY: [&str; 7] = [".", "echo", "exit", "printf", "sleep", "source", "true"];

/// Returns the main one of a text's commands, as far as can be told.
pub(super) fn main_of(commands: &[Vec<String>]) -> Option<&Vec<String>> {
    let rank = |words: &&Vec<String>| match &*words[0] {
        name if PREPARE.contains(&name) => 2,
        name if ACCOMPANY.contains(&name) => 1,
        _ => 0,
    };
    commands.iter().min_by_key(rank)
}

/// Whether a word is `NAME=VALUE`.
pub(super) fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|it| it.is_alphanumeric() || it == '_');
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && is_name(name))
}

/// Returns the words of each command, quotes removed, without assignments and redirections.
pub(super) fn commands(text: &str) -> Vec<Vec<String>> {
    let mut reader = ShellReader::default();
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match (reader.quote, next) {
            (Some(quote), _) if next == quote => reader.quote = None,
            (Some('"') | None, '\\') => reader.word.get_or_insert_default().extend(rest.next()),
            (Some(_), _) => reader.push(next),
            (None, '\'' | '"') => {
                reader.quote = Some(next);
                reader.word.get_or_insert_default();
            }
            (None, '#') if reader.word.is_none() => {
                while rest.next_if(|it| *it != '\n').is_some() {}
            }
            (None, '&') if reader.redirects() => reader.push(next),
            (None, ';' | '&' | '|' | '\n' | '(' | ')') => reader.end_command(),
            (None, _) if next.is_whitespace() => reader.end_word(),
            (None, _) => reader.push(next),
        }
    }
    reader.end_command();
    reader.commands
}

#[derive(Default)]
struct ShellReader {
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
    /// The open quote.
    quote: Option<char>,
    /// Whether the next word is the file of a redirection.
    is_target: bool,
}

impl ShellReader {
    fn push(&mut self, next: char) {
        self.word.get_or_insert_default().push(next);
    }

    /// Whether the word so far is a redirection.
    fn redirects(&self) -> bool {
        let word = self.word.as_deref().unwrap_or_default();
        word.ends_with(['<', '>'])
    }

    fn end_word(&mut self) {
        let redirects = self.redirects();
        let Some(word) = self.word.take() else {
            return;
        };
        let is_target = std::mem::replace(&mut self.is_target, redirects);
        let is_first = self.words.is_empty();
        let is_none = is_target
            || word.contains(['<', '>'])
            || is_first && (is_assignment(&word) || RESERVED.contains(&&*word));
        if !is_none {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.is_target = false;
        let words = std::mem::take(&mut self.words);
        let is_bare_exec = words == ["exec"];
        if !words.is_empty() && !is_bare_exec {
            self.commands.push(words);
        }
    }
}
