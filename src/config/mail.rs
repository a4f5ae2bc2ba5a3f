//! `[mail]`: the recipients of mail to the addresses of a pattern.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::message::Recipients;

/// The recipients of mail to the addresses of one pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MailTo {
    These(Recipients),
    /// The recipients of the config, as for a local address without a line.
    Own,
}

/// The lines of `[mail]`, the most specific first.
#[derive(Debug, Default)]
pub(super) struct MailTable(Vec<(String, MailTo)>);

impl MailTable {
    /// Creates the table from each pattern and its recipients.
    pub(super) fn new(lines: BTreeMap<String, Option<Recipients>>) -> Self {
        let lines = lines.into_iter().map(|(pattern, to)| {
            let to = to.map_or(MailTo::Own, MailTo::These);
            (pattern.to_lowercase(), to)
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by_cached_key(|(pattern, _)| {
            let wild = pattern.matches(['*', '?']).count();
            let specific = (wild == 0, pattern.chars().count() - wild);
            (Reverse(specific), pattern.clone())
        });
        Self(lines)
    }

    /// Returns each pattern that has recipients of its own, with these.
    pub(super) fn recipient_sets(&self) -> impl Iterator<Item = (&str, &Recipients)> {
        self.0.iter().filter_map(|(pattern, to)| match to {
            MailTo::These(recipients) => Some((pattern.as_str(), recipients)),
            MailTo::Own => None,
        })
    }

    /// Returns the most specific line that matches one of the forms of an address.
    pub(super) fn find(&self, forms: &[String]) -> Option<&MailTo> {
        let lower = forms
            .iter()
            .map(|form| form.to_lowercase().chars().collect());
        let forms: Vec<Vec<char>> = lower.collect();
        let fits = |pattern: &str| forms.iter().any(|form| fits(pattern, form));
        let line = self.0.iter().find(|(pattern, _)| fits(pattern));
        line.map(|(_, to)| to)
    }
}

/// Whether a pattern matches a text: `*` is any text, `?` one character.
fn fits(pattern: &str, text: &[char]) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // The position to resume at if the rest after the last star does not match here.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(it) if *it == '?' || *it == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, from)) = star else {
                    return false;
                };
                star = Some((place, from + 1));
                at = place + 1;
                seen = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|it| *it == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_globs_in_any_case() {
        for (pattern, text, expected) in [
            ("root", "ROOT", true),
            ("root@*", "root@localhost", true),
            ("root@*", "root", false),
            ("*", "", true),
            ("*@*.cn", "a@b.c.cn", true),
            ("*ab*b", "aabab", true),
            ("*ab*bc", "aabab", false),
            ("r?t", "rat", true),
            ("r?t", "rt", false),
            ("", "x", false),
        ] {
            let characters: Vec<char> = text.to_lowercase().chars().collect();
            assert_eq!(fits(pattern, &characters), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_most_specific_line_wins_in_any_order() {
        let user = |name: &str| Recipients::parse([name], [""], [""]).unwrap();
        let names = ["*", "*@corp.cn", "root@*", "root@corp.cn", "r*@corp.cn"];
        let lines = names.iter().enumerate();
        let lines = lines.map(|(at, name)| (name.to_string(), Some(user(&format!("u{at}")))));
        let table = MailTable::new(lines.collect());
        for (address, at) in [
            ("x", 0),
            ("a@corp.cn", 1),
            ("root@web", 2),
            ("Root@Corp.CN", 3),
            ("ray@corp.cn", 4),
        ] {
            let expected = MailTo::These(user(&format!("u{at}")));
            let found = table.find(&[address.to_owned()]);
            assert_eq!(found, Some(&expected), "{address}");
        }
        assert_eq!(MailTable::default().find(&["root".to_owned()]), None);
    }
}
