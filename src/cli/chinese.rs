//! The help in Chinese: the same command line with other texts, laid out for 80 columns.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, CommandFactory, Error};

use super::Cli;
use crate::lang::Lang;
use crate::text::help;

/// The width of a help.
const COLUMNS: usize = 80;

/// Returns the command line with the help of all options in Chinese; it is not to be parsed for its
/// values, which lose their types.
pub(crate) fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    translated(command, "")
}

/// Returns the help that these words ask for, with the command they name; `None` if they ask for none.
pub(super) fn help(words: &[OsString], named: Option<&str>) -> Option<Error> {
    let mut places = 0..;
    let command = Cli::command().mut_subcommands(|command| {
        let place = places.next().unwrap_or_default();
        let name = command.get_name();
        // The options of the others, which take longer to build, are not shown.
        let shown = if named == Some(name) {
            super::Command::named(name, Lang::Zh)
        } else {
            super::Command::listed(name)
        };
        shown.map_or(command, |shown| shown.display_order(place))
    });
    let command = command.mut_args(|arg| in_words(arg, ""));
    let error = command.try_get_matches_from(words).err()?;
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    is_help.then_some(error)
}

/// Adds the options of a command with their help in Chinese.
pub(super) fn with_options<T: Args>(command: Command) -> Command {
    let name = command.get_name().to_owned();
    translated(super::with_options::<T>(command), &name)
}

/// Translates a command and those below it; `path` is its name without the program's.
fn translated(mut command: Command, path: &str) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        let below = format!("{path} {name}");
        command = command.mut_subcommand(name, |it| translated(it, below.trim_start()));
    }
    if let Some(about) = help::chinese_option(path, "").filter(|_| !path.is_empty()) {
        command = command.about(about);
    }
    command.mut_args(|arg| in_words(arg, path))
}

fn in_words(mut arg: Arg, path: &str) -> Arg {
    let id = arg.get_id().to_string();
    let values = arg.get_possible_values();
    if values.iter().any(|value| value.get_help().is_some()) && !arg.is_hide_possible_values_set() {
        let values = values.into_iter().map(|value| {
            let id = format!("{id}={}", value.get_name());
            match help::chinese_option(path, &id) {
                Some(text) => value.help(text),
                None => value,
            }
        });
        arg = arg.value_parser(PossibleValuesParser::new(values.collect::<Vec<_>>()));
    }
    match help::chinese_option(path, &id) {
        Some(text) => arg.help(text).long_help(None::<&str>),
        None => arg,
    }
}

/// Replaces what clap itself says in a rendered help, and breaks its long lines.
pub(crate) fn laid_out(rendered: &str) -> String {
    let mut text = rendered.to_owned();
    for (english, chinese) in help::ENGLISH_MARKS {
        text = text.replace(english, chinese);
    }
    let lines = text.lines().map(|line| broken(line.trim_end()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Breaks a line where it passes the last column; what follows begins below its text.
fn broken(line: &str) -> String {
    if width(line) <= COLUMNS {
        return line.to_owned();
    }
    let indent = text_column(line);
    let (mut broken, mut column, mut word) = (String::new(), 0, String::new());
    let mut put = |word: &mut String| {
        let needed = width(word.trim_end());
        if column + needed > COLUMNS && column > indent {
            broken.truncate(broken.trim_end().len());
            broken.push('\n');
            broken.push_str(&" ".repeat(indent));
            column = indent;
            *word = word.trim_start().to_owned();
        }
        column += width(word);
        broken.push_str(word);
        word.clear();
    };
    for character in line.chars() {
        // A mark stays with the word before it, a space too.
        let is_break = is_wide(character) && !"，。、；：）？！".contains(character);
        let ends = word
            .chars()
            .next_back()
            .is_some_and(|it| it == ' ' || is_wide(it) && it != '（');
        if is_break || ends && character != ' ' && !"，。、；：）？！".contains(character) {
            put(&mut word);
        }
        word.push(character);
    }
    put(&mut word);
    broken
}

/// Returns the column where the text of a line begins: behind the name of an option or command.
fn text_column(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let Some(gap) = line[start..].find("  ").filter(|_| start > 0) else {
        return start;
    };
    let behind = &line[start + gap..];
    let spaces = behind.len() - behind.trim_start().len();
    let column = width(&line[..start + gap]) + spaces;
    if column < COLUMNS / 2 { column } else { start }
}

/// The columns of a text at a terminal.
fn width(text: &str) -> usize {
    text.chars().map(|it| if is_wide(it) { 2 } else { 1 }).sum()
}

/// Whether a character takes two columns: Chinese, and the marks of its full width.
fn is_wide(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds that each option of a command has its Chinese help, and each value of it.
    fn hold(command: &Command, path: &str) {
        let is_chinese = |text: String| text.chars().any(is_wide);
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(is_chinese(help), "{path}: {}", arg.get_id());
            let values = arg.get_possible_values();
            let helps = values.iter().filter_map(|value| value.get_help());
            for help in helps.map(ToString::to_string) {
                assert!(is_chinese(help), "{path}: {}", arg.get_id());
            }
        }
        for below in command.get_subcommands() {
            hold(below, &format!("{path} {}", below.get_name()));
        }
    }

    #[test]
    fn every_option_has_its_chinese_help() {
        hold(&command(), "");
    }

    #[test]
    fn a_long_line_is_broken_below_its_text() {
        let line = format!("  send  {}，结束", "发".repeat(36));
        let broken = broken(&line);
        let lines: Vec<&str> = broken.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line) <= COLUMNS), "{broken}");
        assert_eq!(lines[1], "        发，结束");
    }
}
