//! README and docs/: both languages agree, with each other and with the program, and links lead
//! somewhere.

use std::fs;
use std::path::Path;

use crate::support::documents::{Page, exit, names, page, pages, pair, root, without_comment};

/// What stands in backticks, in order.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Pages that each language has for its own readers, so that their commands differ.
const APART: [&str; 6] = [
    "README",
    "install",
    "machines",
    "demo",
    "trusted-ip",
    "account",
];

/// The pages of both languages that show the same commands.
fn alike() -> impl Iterator<Item = [Page; 2]> {
    let names = names("en").into_iter();
    names
        .filter(|it| !APART.contains(&it.as_str()))
        .map(|name| pair(&name))
}

#[test]
fn every_page_stands_in_both_languages_and_in_the_index() {
    assert_eq!(names("en"), names("zh"));
    for index in pair("README") {
        let links = index.links();
        for name in names("en") {
            let is_listed = links.contains(&format!("{name}.md").as_str());
            assert!(name == "README" || is_listed, "{}: {name}", index.path);
        }
    }
}

#[test]
fn a_readme_is_short_and_each_leads_to_the_other() {
    let [first, second] = ["README.md", "README.zh-CN.md"].map(page);
    for (readme, other) in [(&first, &second), (&second, &first)] {
        assert!(readme.text.lines().count() < 200, "{}", readme.path);
        assert!(readme.text.contains(&format!("]({})", other.path)));
    }
}

/// The lines of a page that are code to be used, each with the language of its block.
fn used(page: &Page) -> Vec<(&str, &str)> {
    let lines = page.lines().into_iter();
    // What the program prints is in the reader's language.
    let lines = lines.filter_map(|(block, line)| Some((block?, line)));
    lines
        .filter(|(block, line)| *block != "text" && !line.trim().is_empty())
        .collect()
}

#[test]
fn both_languages_show_the_same_code_but_for_its_comments() {
    let mut lines = 0;
    for [first, second] in alike() {
        let (first_used, second_used) = (used(&first), used(&second));
        for ((language, english), (other, chinese)) in first_used.iter().zip(&second_used) {
            assert_eq!(language, other, "{}: {english}: {chinese}", first.path);
            if !english.trim_start().starts_with('#') {
                assert_eq!(
                    without_comment(english),
                    without_comment(chinese),
                    "{}",
                    first.path
                );
            }
            assert_eq!(exit(english), exit(chinese), "{}: {english}", first.path);
            lines += 1;
        }
        assert_eq!(first_used.len(), second_used.len(), "{}", first.path);
    }
    assert!(lines > 150, "{lines}");
}

#[test]
fn the_tables_of_both_languages_are_about_the_same() {
    // Options, keys, codes and files: what stands in the first cell as code, or as a number.
    let about = |page: &Page| {
        let rows = page.rows().into_iter();
        let cells = rows.map(|row| {
            let cell = row[0];
            let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
            let is_number = !cell.is_empty() && digits == cell;
            if is_number {
                vec![digits]
            } else {
                code(cell).into_iter().map(str::to_owned).collect()
            }
        });
        cells.filter(|it| !it.is_empty()).collect::<Vec<_>>()
    };
    let mut rows = 0;
    for [first, second] in alike() {
        if first.path.ends_with("networks.md") {
            continue; // what stderr says, in each language: see below
        }
        assert_eq!(about(&first), about(&second), "{}", first.path);
        rows += about(&first).len();
    }
    assert!(rows > 60, "{rows}");
}

#[test]
fn a_paragraph_in_chinese_is_one_line() {
    // A line break within it would show as a space.
    let chinese = pages().into_iter().filter(|it| it.path.contains("zh"));
    for page in chinese {
        let lines = page.lines();
        for pair in lines.windows(2) {
            let [(None, first), (None, second)] = pair else {
                continue;
            };
            let is_text = |line: &str| {
                line.chars()
                    .next()
                    .is_some_and(|it| !"|#- <!>[".contains(it) && !it.is_ascii_digit())
            };
            let goes_on =
                is_text(second) && !first.is_empty() && !first.starts_with(['|', '#', '<']);
            assert!(!goes_on, "{}: {second}", page.path);
        }
    }
}

/// All sources of the program, in one text.
fn sources(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn what_stderr_says_by_the_pages_is_what_the_program_says() {
    let sources = sources(&root().join("src"));
    for page in pair("networks") {
        let lines = page
            .text
            .lines()
            .skip_while(|line| !line.starts_with("| stderr "));
        let rows: Vec<&str> = lines.take_while(|line| line.starts_with('|')).collect();
        assert!(rows.len() > 7, "{rows:?}");
        for row in &rows[2..] {
            let said = code(row.split('|').nth(1).unwrap());
            assert!(!said.is_empty(), "{row}");
            // What differs each time: a name, a number.
            let parts = said.iter().flat_map(|said| said.split(" …"));
            let parts =
                parts.map(|it| it.trim_end_matches(|it: char| it == '-' || it.is_ascii_digit()));
            for part in parts.flat_map(|it| it.split("… ")) {
                assert!(sources.contains(part), "{}: {part}", page.path);
            }
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let ours = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(page);
    let mut links = 0;
    for from in pages().into_iter().chain(ours) {
        for link in from.links() {
            if link.contains("://") {
                continue;
            }
            links += 1;
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let dir = root().join(&from.path);
            let target = if path.is_empty() {
                dir
            } else {
                dir.parent().unwrap().join(path)
            };
            assert!(target.exists(), "{}: {link}", from.path);
            if !place.is_empty() {
                let target = target.canonicalize().unwrap();
                let to = page(
                    target
                        .strip_prefix(root().canonicalize().unwrap())
                        .unwrap()
                        .to_str()
                        .unwrap(),
                );
                assert!(
                    to.anchors().iter().any(|it| it == place),
                    "{}: {link}",
                    from.path
                );
            }
        }
    }
    assert!(links > 100, "{links}");
}
