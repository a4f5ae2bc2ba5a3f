//! README in its two languages: the same promises, section by section, and what the program says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A README.
pub(crate) struct Readme {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// The one that is written first, and the one that follows it.
pub(crate) const READMES: [Readme; 2] = [
    Readme {
        name: "README.md",
        text: include_str!("../../README.md"),
    },
    Readme {
        name: "README.zh-CN.md",
        text: include_str!("../../README.zh-CN.md"),
    },
];

/// A line of a README: within a block of code, of that language, or none.
type Line = (Option<&'static str>, &'static str);

impl Readme {
    /// All lines but the fences, which open a block each.
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut block = None;
        for line in self.text.lines() {
            match (line.strip_prefix("```"), block) {
                (Some(language), None) => block = Some(language),
                (Some(_), Some(_)) => block = None,
                (None, block) => lines.push((block, line)),
            }
        }
        lines
    }

    /// The lines of all code blocks of one language.
    pub(crate) fn blocks(&self, language: &str) -> Vec<&'static str> {
        let lines = self.lines().into_iter();
        let lines = lines.filter(|(block, line)| *block == Some(language) && !line.is_empty());
        lines.map(|(_, line)| line).collect()
    }

    /// What is not code, by sections of the second level: each with its lines.
    fn prose(&self) -> Vec<Vec<&'static str>> {
        let mut sections = vec![Vec::new()];
        for (block, line) in self.lines() {
            if block.is_none() {
                if line.starts_with("## ") {
                    sections.push(Vec::new());
                }
                sections.last_mut().unwrap().push(line);
            }
        }
        sections
    }

    /// The rows about what stderr says, in the language of this README.
    fn of_stderr(&self) -> Vec<&'static str> {
        let lines = self.text.lines();
        let rows = lines.skip_while(|line| !line.starts_with("| stderr "));
        rows.take_while(|line| line.starts_with('|')).collect()
    }

    /// The rows of all tables, each by its cells.
    fn rows(&self) -> Vec<Vec<&'static str>> {
        let lines = self.lines().into_iter();
        let rows = lines.filter(|(block, line)| block.is_none() && line.starts_with('|'));
        rows.map(|(_, row)| row.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }
}

/// A line of code without its comment, which each README has in its language.
fn without_comment(line: &str) -> &str {
    line.split_once(" # ")
        .map_or(line, |(code, _)| code)
        .trim_end()
}

/// The exit code that a line of code promises.
pub(crate) fn exit(line: &str) -> i32 {
    line.split_once("# exit ").map_or(0, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    })
}

/// What stands in backticks, in order.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn both_have_the_same_headings() {
    let [first, second] = READMES.map(|readme| {
        let lines = readme.lines().into_iter();
        let headings = lines.filter(|(block, line)| block.is_none() && line.starts_with('#'));
        let headings = headings.map(|(_, line)| line.split_once(' ').unwrap());
        headings.collect::<Vec<_>>()
    });
    assert!(first.len() > 25);
    assert_eq!(first.len(), second.len(), "{first:?}\n{second:?}");
    for ((level, english), (other, chinese)) in first.iter().zip(&second) {
        assert_eq!(level, other, "{english}: {chinese}");
        // A command is named as it is; the rest has a name in Chinese.
        let is_command = english.starts_with(char::is_lowercase);
        assert!(!is_command || english == chinese, "{english}: {chinese}");
    }
}

#[test]
fn both_have_the_same_code_but_for_its_comments() {
    let [first, second] = READMES.map(|readme| {
        let lines = readme.lines().into_iter();
        lines
            .filter_map(|(block, line)| Some((block?, line)))
            .collect::<Vec<_>>()
    });
    for ((language, english), (other, chinese)) in first.iter().zip(&second) {
        assert_eq!(language, other, "{english}: {chinese}");
        // What the program prints is in the reader's language, but for marks, times and addresses.
        let first = |line: &str| {
            line.trim_start()
                .chars()
                .next()
                .filter(|it| !it.is_alphabetic())
        };
        if *language == "text" && !chinese.is_ascii() {
            assert_eq!(first(english), first(chinese), "{english}: {chinese}");
            continue;
        }
        let (one, two) = (without_comment(english), without_comment(chinese));
        assert_eq!(one, two);
        let commented = [english.len() > one.len(), chinese.len() > two.len()];
        assert_eq!(commented[0], commented[1], "{english}: {chinese}");
        assert_eq!(exit(english), exit(chinese));
    }
    assert_eq!(first.len(), second.len());
    assert!(first.len() > 80);
}

#[test]
fn both_have_the_same_tables() {
    let [first, second] = READMES.map(|readme| readme.rows());
    assert!(first.len() > 50);
    for (english, chinese) in first.iter().zip(&second) {
        assert_eq!(english.len(), chinese.len(), "{english:?}: {chinese:?}");
        let empty = |row: &[&str]| row.iter().map(|cell| cell.is_empty()).collect::<Vec<_>>();
        assert_eq!(empty(english), empty(chinese), "{english:?}: {chinese:?}");
        let is_number = |cell: &str| cell.starts_with(|it: char| it.is_ascii_digit());
        for (one, two) in english.iter().zip(chinese) {
            assert!(!is_number(one) || is_number(two), "{one}: {two}");
        }
        if english[0].chars().all(|it| it.is_ascii_digit()) {
            assert_eq!(english[0], chinese[0]);
        }
    }
    assert_eq!(first.len(), second.len());
}

#[test]
fn both_name_the_same_options_keys_and_files_in_each_section() {
    let [first, second] = READMES.map(|readme| {
        let quoted = readme.of_stderr();
        let sections = readme.prose().into_iter().map(|lines| {
            let mut named = BTreeSet::new();
            let mut linked = BTreeSet::new();
            // What is quoted may be broken over two lines.
            let told = lines.iter().filter(|line| !quoted.contains(line));
            let text = told.copied().collect::<Vec<_>>().join(" ");
            named.extend(code(&text).into_iter().map(str::to_owned));
            let links = text.split("](").skip(1);
            let links = links.filter_map(|it| it.split_once(')'));
            let links = links.filter(|(link, _)| !link.starts_with(['#', 'R']));
            linked.extend(links.map(|(link, _)| link.to_owned()));
            (lines[0], named, linked)
        });
        sections.collect::<Vec<_>>()
    });
    assert_eq!(first.len(), second.len());
    for ((heading, named, linked), (_, other, others)) in first.iter().zip(&second) {
        let lacking: Vec<_> = named.symmetric_difference(other).collect();
        assert!(lacking.is_empty(), "{heading}: {lacking:?} in one alone");
        assert_eq!(linked, others, "{heading}");
    }
}

/// All sources of the program, in one text.
fn sources(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn what_stderr_says_by_each_is_what_the_program_says() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for readme in READMES {
        let rows = readme.of_stderr();
        assert!(rows.len() > 7, "{rows:?}");
        for row in &rows[2..] {
            let said = code(row.split('|').nth(1).unwrap());
            assert!(!said.is_empty(), "{row}");
            // What differs each time: a name, a number.
            let parts = said.iter().flat_map(|said| said.split(" …"));
            let parts =
                parts.map(|it| it.trim_end_matches(|it: char| it == '-' || it.is_ascii_digit()));
            for part in parts.flat_map(|it| it.split("… ")) {
                assert!(sources.contains(part), "{}: {part}", readme.name);
            }
        }
    }
}

#[test]
fn each_leads_to_the_other() {
    let [first, second] = READMES;
    assert!(first.text.contains(&format!("]({})", second.name)));
    assert!(second.text.contains(&format!("]({})", first.name)));
}
