//! README and the pages below docs/, in both languages, taken apart.

use std::fs;
use std::path::Path;

/// A page for users.
pub(crate) struct Page {
    /// Its path below the root of the repository.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A line of a page: within a block of code, of that language, or none.
pub(crate) type Line<'a> = (Option<&'a str>, &'a str);

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The page at a path below the root.
pub(crate) fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|it| panic!("{path}: {it}"));
    let path = path.to_owned();
    Page { path, text }
}

/// A page of docs/ in both languages, the English one first.
pub(crate) fn pair(name: &str) -> [Page; 2] {
    ["en", "zh"].map(|language| page(&format!("docs/{language}/{name}.md")))
}

/// The names of the pages of docs/ in one language, sorted.
pub(crate) fn names(language: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join("docs").join(language)).unwrap();
    let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|it| it.strip_suffix(".md").map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// All pages for users.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = vec![page("README.md"), page("README.zh-CN.md")];
    for language in ["en", "zh"] {
        let names = names(language).into_iter();
        pages.extend(names.map(|name| page(&format!("docs/{language}/{name}.md"))));
    }
    pages
}

impl Page {
    /// All lines but the fences, which open a block each.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
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
    pub(crate) fn code(&self, language: &str) -> Vec<&str> {
        let lines = self.lines().into_iter();
        let lines = lines.filter(|(block, line)| *block == Some(language) && !line.is_empty());
        lines.map(|(_, line)| line).collect()
    }

    /// The code blocks of one language, each as a whole.
    pub(crate) fn blocks(&self, language: &str) -> Vec<&str> {
        let blocks = self.text.split("```").skip(1).step_by(2);
        let blocks = blocks.filter_map(|it| it.split_once('\n'));
        let blocks = blocks.filter(|(of, _)| *of == language);
        blocks.map(|(_, block)| block).collect()
    }

    /// The rows of all tables, each by its cells.
    pub(crate) fn rows(&self) -> Vec<Vec<&str>> {
        let lines = self.lines().into_iter();
        let rows = lines.filter(|(block, line)| block.is_none() && line.starts_with('|'));
        rows.map(|(_, row)| row.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }

    /// The links to other pages and places in them, as they are written.
    pub(crate) fn links(&self) -> Vec<&str> {
        let lines = self
            .lines()
            .into_iter()
            .filter(|(block, _)| block.is_none());
        let links = lines.flat_map(|(_, line)| line.split("](").skip(1));
        let links = links.filter_map(|it| it.split_once(')'));
        links.map(|(link, _)| link).collect()
    }

    /// The anchors of its headings, as the site that shows them makes them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let lines = self.lines().into_iter();
        let headings = lines.filter(|(block, line)| block.is_none() && line.starts_with('#'));
        let headings = headings.map(|(_, line)| line.trim_start_matches('#').trim());
        headings.map(anchor).collect()
    }
}

/// The anchor of a heading: its letters and digits, small; spaces as dashes.
fn anchor(heading: &str) -> String {
    let kept = |it: &char| it.is_alphanumeric() || [' ', '-', '_'].contains(it);
    let kept = heading.chars().filter(kept);
    let dashed = kept.map(|it| if it == ' ' { '-' } else { it });
    dashed.flat_map(char::to_lowercase).collect()
}

/// A line of code without its comment, which each page has in its language.
pub(crate) fn without_comment(line: &str) -> &str {
    line.split_once(" # ")
        .map_or(line, |(code, _)| code)
        .trim_end()
}

/// The exit code that a line of code promises.
pub(crate) fn exit(line: &str) -> i32 {
    let marks = ["# exit ", "# 退出码 "];
    let found = marks.iter().find_map(|mark| line.split_once(mark));
    found.map_or(0, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    })
}
