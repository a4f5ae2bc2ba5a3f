//! README in its two languages, taken apart.

/// A README.
pub(crate) struct Readme {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// The one that is written first, and the one that follows it.
pub(crate) const READMES: [Readme; 2] = [
    Readme {
        name: "README.md",
        text: include_str!("../../../README.md"),
    },
    Readme {
        name: "README.zh-CN.md",
        text: include_str!("../../../README.zh-CN.md"),
    },
];

/// A line of a README: within a block of code, of that language, or none.
pub(crate) type Line = (Option<&'static str>, &'static str);

impl Readme {
    /// All lines but the fences, which open a block each.
    pub(crate) fn lines(&self) -> Vec<Line> {
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
    pub(crate) fn prose(&self) -> Vec<Vec<&'static str>> {
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
    pub(crate) fn of_stderr(&self) -> Vec<&'static str> {
        let lines = self.text.lines();
        let rows = lines.skip_while(|line| !line.starts_with("| stderr "));
        rows.take_while(|line| line.starts_with('|')).collect()
    }

    /// The rows of all tables, each by its cells.
    pub(crate) fn rows(&self) -> Vec<Vec<&'static str>> {
        let lines = self.lines().into_iter();
        let rows = lines.filter(|(block, line)| block.is_none() && line.starts_with('|'));
        rows.map(|(_, row)| row.trim_matches('|').split('|').map(str::trim).collect())
            .collect()
    }
}

/// A line of code without its comment, which each README has in its language.
pub(crate) fn without_comment(line: &str) -> &str {
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
