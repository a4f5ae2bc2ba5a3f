//! Whom a mail to an address goes to: `[mail]`, patterns with what they lead to.

use crate::message::Envelope;

/// Whom mail to the addresses of one pattern goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MailTo {
    These(Envelope),
    /// The receivers of the config, as no line at all means for a local address.
    Own,
}

/// The lines of `[mail]`, the most specific first.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<(String, MailTo)>);

impl Lines {
    /// Takes in a line.
    pub(super) fn add(&mut self, pattern: &str, to: Option<Envelope>) {
        let to = to.map_or(MailTo::Own, MailTo::These);
        self.0.push((pattern.to_lowercase(), to));
        // By what is no wildcard, and then by name, so that the order in the file is no matter.
        let plain = |pattern: &str| pattern.chars().filter(|it| !"*?".contains(*it)).count();
        let is_plain = |pattern: &str| !pattern.contains(['*', '?']);
        self.0.sort_by(|(one, _), (other, _)| {
            (is_plain(other), plain(other), one).cmp(&(is_plain(one), plain(one), other))
        });
    }

    /// Every pattern that leads to receivers of its own, with these.
    pub(super) fn envelopes(&self) -> impl Iterator<Item = (&str, &Envelope)> {
        self.0.iter().filter_map(|(pattern, to)| match to {
            MailTo::These(envelope) => Some((pattern.as_str(), envelope)),
            MailTo::Own => None,
        })
    }

    /// What the most specific line says that fits one of the forms of an address.
    pub(super) fn find(&self, forms: &[String]) -> Option<&MailTo> {
        let fits = |pattern: &str| forms.iter().any(|form| fits(pattern, form));
        self.0
            .iter()
            .find(|(pattern, _)| fits(pattern))
            .map(|(_, to)| to)
    }
}

/// Whether a pattern is of a text: `*` for anything, `?` for one character.
fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where to go on if what follows the last star does not fit here.
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
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_most_specific_line_holds_wherever_it_stands() {
        let user = |name: &str| Envelope::parse([name], [""], [""]).unwrap();
        let names = ["*", "*@corp.cn", "root@*", "root@corp.cn", "r*@corp.cn"];
        for turned in [false, true] {
            let mut lines = Lines::default();
            let mut order: Vec<usize> = (0..names.len()).collect();
            if turned {
                order.reverse();
            }
            for at in order {
                lines.add(names[at], Some(user(&format!("u{at}"))));
            }
            for (address, at) in [
                ("x", 0),
                ("a@corp.cn", 1),
                ("root@web", 2),
                ("Root@Corp.CN", 3),
                ("ray@corp.cn", 4),
            ] {
                let expected = MailTo::These(user(&format!("u{at}")));
                assert_eq!(
                    lines.find(&[address.to_owned()]),
                    Some(&expected),
                    "{address}"
                );
            }
        }
        assert_eq!(Lines::default().find(&["root".to_owned()]), None);
    }
}
