//! README in its two languages: the same promises, section by section, and what the program says.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::readmes::{READMES, exit, without_comment};

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
