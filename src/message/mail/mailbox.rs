//! Parses addresses: `"Doe, Jane" <jane@example.com>, root (Cron)`. Source: RFC 5322.

use super::words;

/// The most addresses of a field, so that memory use stays flat: those behind do not count. WeCom
/// takes a thousand recipients of a message.
const MAILBOXES_MAX: usize = 10_000;

/// A person or program with an address.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// The name, perhaps empty.
    pub(crate) name: String,
    /// The address, perhaps without a domain.
    pub(crate) address: String,
}

/// Where a character of a list of addresses belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AddressState {
    /// To an address without angle brackets, or to the name before one with them.
    Phrase,
    Quoted,
    Angle,
    /// Within so many comments.
    Comment(usize),
}

/// Parses the addresses of a field. What is no address is left out.
pub(super) fn parse(field: &[u8]) -> Vec<Mailbox> {
    let mut all: Vec<Mailbox> = Vec::new();
    let mut open = OpenMailbox::default();
    let mut state = AddressState::Phrase;
    let mut bytes = field.iter().copied();
    while all.len() < MAILBOXES_MAX
        && let Some(byte) = bytes.next()
    {
        state = match (state, byte) {
            (AddressState::Quoted | AddressState::Comment(_), b'\\') => {
                open.part(state).extend(bytes.next());
                state
            }
            (AddressState::Quoted, b'"') => AddressState::Phrase,
            (AddressState::Phrase, b'"') => AddressState::Quoted,
            (AddressState::Phrase, b'<') => AddressState::Angle,
            (AddressState::Angle, b'>') => AddressState::Phrase,
            (AddressState::Phrase, b'(') => AddressState::Comment(1),
            (AddressState::Comment(depth), b'(') => AddressState::Comment(depth + 1),
            (AddressState::Comment(1), b')') => AddressState::Phrase,
            (AddressState::Comment(depth), b')') => AddressState::Comment(depth - 1),
            (AddressState::Phrase, b',' | b';') => {
                all.extend(std::mem::take(&mut open).close());
                state
            }
            // The name of a group.
            (AddressState::Phrase, b':') => {
                open = OpenMailbox::default();
                state
            }
            _ => {
                open.part(state).push(byte);
                state
            }
        };
    }
    all.extend(open.close());
    all
}

/// The parts of a mailbox so far.
#[derive(Default)]
struct OpenMailbox {
    phrase: Vec<u8>,
    angle: Vec<u8>,
    comment: Vec<u8>,
}

impl OpenMailbox {
    fn part(&mut self, state: AddressState) -> &mut Vec<u8> {
        match state {
            AddressState::Phrase | AddressState::Quoted => &mut self.phrase,
            AddressState::Angle => &mut self.angle,
            AddressState::Comment(_) => &mut self.comment,
        }
    }

    fn close(self) -> Option<Mailbox> {
        let (name, address) = if self.angle.is_empty() {
            (&self.comment, &self.phrase)
        } else {
            (&self.phrase, &self.angle)
        };
        let address = String::from_utf8_lossy(address);
        // A route may stand before it: <@a,@b:user@c>.
        let address = match address.rsplit_once(':') {
            Some((route, address)) if route.starts_with('@') => address,
            _ => &address,
        };
        let address = address.trim().to_owned();
        let is_address = !address.is_empty() && !address.contains(char::is_whitespace);
        let name = words::text(name.trim_ascii());
        is_address.then_some(Mailbox { name, address })
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_comments_and_groups_are_no_addresses() {
        for (field, expected) in [
            ("root", "root|"),
            ("root (Cron Daemon), ops@x", "root|Cron Daemon ops@x|"),
            ("\"Doe, \\\"J\\\"\" <j@x>,<k@y>", "j@x|Doe, \"J\" k@y|"),
            ("ops: a@x, B <b@x>; c", "a@x| b@x|B c|"),
            ("undisclosed-recipients:;", ""),
            ("<@a,@b:u@c>", "u@c|"),
            ("a@x (one (two) three)", "a@x|one two three"),
            (r"a@x (one \) b@x, \( two)", "a@x|one ) b@x, ( two"),
            ("=?utf-8?B?5Lit?= =?utf-8?B?5paH?= <z@x>", "z@x|中文"),
            ("=?utf-8?Q?a=2C_b?= <z@x>", "z@x|a, b"),
            ("John Smith, <>, ,", ""),
            ("\"never closed", ""),
        ] {
            let found = parse(field.as_bytes());
            let found = found.iter().map(|it| format!("{}|{}", it.address, it.name));
            assert_eq!(found.collect::<Vec<_>>().join(" "), expected, "{field}");
        }
    }
}
