//! The name of a command for its report: of what is run, not of what runs it.
//!
//! `timeout 5 sh -c 'cd /x && exec ./backup --key=…'` is `backup`: arguments stay private. Where a
//! command line cannot be followed, it is the last name that could be.

mod shell_text;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::message::input::one_line;

/// Programs that run a command: their names, the options whose value is the next word, and how many
/// words stand before the command. The shell's own are among them.
const WRAPPERS: [(&[&str], &str, usize); 9] = [
    (
        &[".", "busybox", "chronic", "nohup", "setsid", "source"],
        "",
        0,
    ),
    (&["doas", "env"], "C u --chdir --unset", 0),
    (&["exec"], "a", 0),
    (&["flock"], "E w --conflict-exit-code --timeout", 1),
    (
        &["ionice", "nice"],
        "c n --adjustment --class --classdata",
        0,
    ),
    (&["stdbuf"], "e i o --error --input --output", 0),
    (
        &["sudo"],
        "C D R T U g h p r t u --chdir --group --host --prompt --user",
        0,
    ),
    (&["time"], "f o --format --output", 0),
    (&["timeout"], "k s --kill-after --signal", 1),
];

/// Programs that run a script: their names, the options whose value is the next word, and those
/// behind which the script itself stands instead of its name.
const INTERPRETERS: [(&[&str], &str, &str); 6] = [
    (
        &["ash", "bash", "dash", "ksh", "sh", "zsh"],
        "O o --init-file --rcfile",
        "s",
    ),
    (
        &["node", "nodejs"],
        "r --import --require",
        "e p --eval --print",
    ),
    (&["perl"], "I", "E e"),
    (&["php"], "c d", "B E R r"),
    // Behind -m stands the name of a module, which will do.
    (&["python"], "W X", "c"),
    (&["ruby"], "I", "e"),
];

/// Returns the name of what a command line runs.
pub(super) fn name_of(command: &[OsString]) -> String {
    let inner = inner(command);
    inner.unwrap_or_else(|| command.first().map(own_name).unwrap_or_default())
}

/// Returns the name of a program, without its path.
fn own_name(program: &OsString) -> String {
    let name = Path::new(program).file_name().unwrap_or(program);
    one_line(&name.to_string_lossy())
}

/// Returns the name of a program without its path, and without the arguments that stand in the same word.
pub(super) fn program_name(program: &OsString) -> String {
    let line = program.to_string_lossy();
    match line.split_whitespace().next() {
        Some(first) if is_line(program) => own_name(&first.into()),
        _ => own_name(program),
    }
}

/// Whether a program is a whole command line in one word, in which anything may stand.
pub(super) fn is_line(program: &OsString) -> bool {
    let line = program.to_string_lossy();
    let mut arguments = line.split_whitespace().skip(1);
    arguments.any(|it| it.starts_with('-') || it.contains("://")) && !Path::new(program).exists()
}

/// Returns the name of what the words run, unless it is doubtful.
fn inner(words: &[OsString]) -> Option<String> {
    let (program, rest) = words.split_first()?;
    let name = own_name(program);
    let deeper = if let Some((_, values, count)) = row(&WRAPPERS, &name) {
        let rest = operands(rest, values).1.get(*count..).unwrap_or_default();
        match rest {
            // flock FILE -c 'TEXT'
            [option, text, ..] if option == "-c" => shell_text(text),
            rest => inner(behind_assignments(rest)),
        }
    } else if let Some((names, values, code)) = row(
        &INTERPRETERS,
        name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.'),
    ) {
        script(rest, values, code, names.contains(&"sh"))
    } else {
        None
    };
    let is_plain = |it: char| it.is_alphanumeric() || "._+-@:[".contains(it);
    deeper.or_else(|| Some(name).filter(|name| name.chars().all(is_plain) && !name.is_empty()))
}

fn row<'a, T, U>(table: &'a [(&[&str], T, U)], name: &str) -> Option<&'a (&'a [&'a str], T, U)> {
    table.iter().find(|(names, ..)| names.contains(&name))
}

/// Returns the name of the script that an interpreter is to run.
fn script(rest: &[OsString], values: &str, code: &str, is_shell: bool) -> Option<String> {
    let (options, operands) = operands(rest, values);
    let has = |names: &str| options.iter().any(|option| is_one(option, names).is_some());
    let first = operands.first()?;
    if is_shell && has("c") {
        return shell_text(first);
    }
    if has(code) || first == "-" {
        return None;
    }
    inner(std::slice::from_ref(first))
}

fn shell_text(text: &OsStr) -> Option<String> {
    let commands = shell_text::commands(&text.to_string_lossy());
    let main = shell_text::main_of(&commands)?;
    let words: Vec<OsString> = main.iter().map(OsString::from).collect();
    inner(&words)
}

/// Splits words into options, with the values of those in `values`, and the rest.
fn operands<'a>(words: &'a [OsString], values: &str) -> (&'a [OsString], &'a [OsString]) {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let is_option = word.len() > 1 && word.as_bytes().starts_with(b"-");
        if !is_option {
            break;
        }
        at += match is_one(word, values) {
            _ if word == "--" => {
                at += 1;
                break;
            }
            Some(true) => 2,
            _ => 1,
        };
    }
    words.split_at(at.min(words.len()))
}

/// Whether a word has one of these options: `Some(true)` if it ends with it, so that the value of
/// the option is the next word. A value is no option.
fn is_one(word: &OsStr, options: &str) -> Option<bool> {
    let word = word.to_string_lossy();
    if word.starts_with("--") {
        return options.split(' ').any(|it| it == word).then_some(true);
    }
    let letters = word.strip_prefix('-')?;
    let at = letters.find(|letter: char| {
        let is_it = |it: &str| it.chars().eq([letter]);
        options.split(' ').any(is_it)
    })?;
    Some(at + 1 == letters.len())
}

/// Leaves out `NAME=VALUE` before a command, and the `-` of `env`.
fn behind_assignments(words: &[OsString]) -> &[OsString] {
    let count = words.iter().take_while(|word| {
        let word = word.to_string_lossy();
        word == "-" || shell_text::is_assignment(&word)
    });
    &words[count.count()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_what_is_run() {
        for (line, name) in [
            ("make|-j4", "make"),
            ("/opt/a b/run it|x", "run it"),
            ("timeout|5|make|all", "make"),
            ("timeout|-k|5|-s|INT|--foreground|60|/opt/backup", "backup"),
            ("timeout|--kill-after|5|--signal=INT|60|x", "x"),
            ("timeout|5", "timeout"),
            ("nohup|nice|-n|5|ionice|-c2|-n|7|x", "x"),
            ("nice|-n5|x", "x"),
            ("nice|-5|x", "x"),
            ("env|-i|-u|HOME|A=b|C=d e|x", "x"),
            ("env|-|x", "x"),
            ("env|A=b", "env"),
            ("env|-S|x --password y", "env"),
            ("sudo|-nu|bob|A=b|x", "x"),
            ("flock|-n|/run/lock|x", "x"),
            ("flock|/run/lock|-c|exec x --key y", "x"),
            ("flock|9", "flock"),
            (
                "chronic|/usr/bin/python3|-u|/opt/x/main.py|secret",
                "main.py",
            ),
            ("python3.11|-m|http.server", "http.server"),
            ("python3|-c|secret", "python3"),
            ("python3", "python3"),
            ("python3|-W||x.py", "x.py"),
            ("perl|-lane|secret", "perl"),
            ("perl|-I|库|x.pl", "x.pl"),
            ("php|-d|memory_limit=1G|job.php", "job.php"),
            ("bash|--rcfile|文件|-c|true", "true"),
            ("bash|-o|nounset|x.sh", "x.sh"),
            ("node|--require|a|x.js", "x.js"),
            ("node|--eval|secret", "node"),
            ("bash|-euo|pipefail|/opt/x.sh|a", "x.sh"),
            ("sh|-s|secret", "sh"),
            ("sh|-c|make && make install", "make"),
            ("bash|-lc|cd /x && ./backup --all", "backup"),
            ("sh|-c|cd '/a b'; A=b exec nice -n 5 /opt/backup", "backup"),
            ("sh|-c|sleep 5 & sleep 6", "sleep"),
            ("sh|-c|[ -x /opt/x ] && /opt/x", "x"),
            ("sh|-c|if test -e f; then x; fi", "x"),
            ("sh|-c|exec >log 2>&1; x", "x"),
            ("sh|-c|\"$HOME/bin/x\" y", "x"),
            ("sh|-c|$secret y", "sh"),
            ("sh|-c|A=secret", "sh"),
            ("sh|-c|cd /x && . ./env.sh", "env.sh"),
            ("sh|-c|. ./env.sh && x", "x"),
            ("sh|-c|echo secret; exit 3", "echo"),
            ("sh|-c|# nothing\n(x)", "x"),
            ("sh|-c|'two words'", "sh"),
            ("sh|-c|", "sh"),
            ("sh|-c", "sh"),
            ("", ""),
        ] {
            let words: Vec<OsString> = line.split('|').map(OsString::from).collect();
            assert_eq!(name_of(&words), name, "{line}");
        }
    }
}
