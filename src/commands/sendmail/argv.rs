//! Parses the options of sendmail as they have been written for forty years: single letters,
//! separate or joined, some followed by a value. clap does not support `-oi`.

use std::ffi::OsString;

use crate::config::value::shown;
use crate::error::Failure;
use crate::maildrop::Envelope;
use crate::text::sendmail as words;

/// The letters with a value, joined or as the next word.
const VALUED: &str = "ABCFLNOPRVXbefhopr";

/// The letters without a value. With `VALUED`: those of sendmail, Postfix and Exim.
const ALONE: &str = "EGIUcimnstv";

/// The work that is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// `-bm`: delivers the mail on stdin.
    #[default]
    Deliver,
    /// `-bs`: speaks SMTP on stdin and stdout.
    Smtp,
    /// `-bp`: lists the outbox.
    List,
    /// `-q`: flushes the outbox.
    Flush,
    /// `-bi`: rebuilds the database of aliases. There is none.
    Aliases,
}

/// The parsed options.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) mode: Mode,
    /// The addresses, one or more in a word; `-t` adds those in the mail's head.
    pub(super) envelope: Envelope,
    /// `-i`: a line of a single dot belongs to the mail.
    pub(super) dots: bool,
    /// `-odq`, `-odb`: the mail is spooled for a flush, without waiting for the network.
    pub(super) queue: bool,
    /// `-v`: progress is shown.
    pub(super) verbose: bool,
}

/// Parses the words after the program's name.
///
/// # Errors
/// `Exit::Usage` for a letter that no sendmail has, or that wxpush does not support.
pub(super) fn parse(words: &[OsString]) -> Result<Asked, Failure> {
    let mut asked = Asked::default();
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let Some(letters) = word.strip_prefix('-').filter(|it| !it.is_empty()) else {
            asked.address(&word);
            continue;
        };
        for (at, letter) in letters.char_indices() {
            if ALONE.contains(letter) {
                asked.alone(letter);
                continue;
            }
            let rest = &letters[at + letter.len_utf8()..];
            // Their value is never a separate word.
            if "dq".contains(letter) {
                asked.valued(letter, rest)?;
                break;
            }
            if !VALUED.contains(letter) {
                return Err(words::unknown_letter(shown(&letter.to_string())));
            }
            if rest.is_empty() {
                let next = words.next().ok_or_else(|| words::value_missing(letter))?;
                asked.valued(letter, &next)?;
            } else {
                asked.valued(letter, rest)?;
            }
            break;
        }
    }
    for word in words {
        asked.address(&word);
    }
    Ok(asked)
}

impl Asked {
    fn alone(&mut self, letter: char) {
        match letter {
            't' => self.envelope.by_head = true,
            'i' => self.dots = true,
            'v' => self.verbose = true,
            _ => {}
        }
    }

    fn valued(&mut self, letter: char, value: &str) -> Result<(), Failure> {
        match (letter, value) {
            ('o', "i") | ('O', "IgnoreDots" | "IgnoreDots=True" | "IgnoreDots=true") => {
                self.dots = true;
            }
            // The last one wins, as with sendmail.
            ('o', "dq" | "db") => self.queue = true,
            ('o', "di" | "df") => self.queue = false,
            ('O', mode) if mode.starts_with("DeliveryMode=") => {
                let mode = mode.trim_start_matches("DeliveryMode=");
                self.queue = mode.starts_with(['q', 'b']);
            }
            ('b', "m") => self.mode = Mode::Deliver,
            ('b', "s") => self.mode = Mode::Smtp,
            ('b', "p") => self.mode = Mode::List,
            ('b', "i") => self.mode = Mode::Aliases,
            ('b', _) => {
                return Err(words::mode_unknown(shown(value)));
            }
            ('q', "") => self.mode = Mode::Flush,
            ('q', _) => {
                return Err(words::queue_of(shown(value)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds a word with one or more addresses.
    fn address(&mut self, word: &str) {
        for address in word.split(',') {
            let inner = address.rsplit_once('<').map_or(address, |(_, it)| it);
            let address = inner.trim().trim_end_matches('>').trim();
            if !address.is_empty() {
                self.envelope.addresses.push(address.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    fn asked(line: &str) -> Result<Asked, Failure> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn options_that_programs_use_are_parsed() {
        for (line, flags, addresses) in [
            ("root", "", &["root"][..]),
            ("-FCronDaemon -i -B8BITMIME -oem root", "i", &["root"]),
            ("-oi -t", "it", &[]),
            ("-ti", "it", &[]),
            ("-tif me", "it", &[]),
            ("-o i -f me you", "i", &["you"]),
            (
                "-fme@x -F Name -h 5 -N never -odi -bm -G -v a b",
                "v",
                &["a", "b"],
            ),
            ("-O IgnoreDots=True a,b", "i", &["a", "b"]),
            ("-i -- -t <c@d>", "i", &["-t", "c@d"]),
            ("a -i b", "i", &["a", "b"]),
            ("-d0.1 a", "", &["a"]),
            ("-odq a", "q", &["a"]),
            ("-t -i -odb", "itq", &[]),
            ("-odq -odi a", "", &["a"]),
            ("-odf -tiodb a", "itq", &["a"]),
            ("-O DeliveryMode=background a", "q", &["a"]),
            ("-ODeliveryMode=q -O DeliveryMode=i a", "", &["a"]),
        ] {
            let expected = Asked {
                mode: Mode::Deliver,
                envelope: Envelope {
                    addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
                    by_head: flags.contains('t'),
                    cut: false,
                },
                dots: flags.contains('i'),
                queue: flags.contains('q'),
                verbose: flags.contains('v'),
            };
            assert_eq!(asked(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn modes_are_parsed() {
        for (line, mode) in [
            ("-bm a", Mode::Deliver),
            ("-bs", Mode::Smtp),
            ("-bp", Mode::List),
            ("-q -v", Mode::Flush),
            ("-b i", Mode::Aliases),
        ] {
            assert_eq!(asked(line).unwrap().mode, mode, "{line}");
        }
    }

    #[test]
    fn unsupported_options_are_refused() {
        for line in ["-q15m", "-bd", "-b x", "-z", "-f", "-tz", "-é"] {
            assert_eq!(asked(line).unwrap_err().exit, Exit::Usage, "{line}");
        }
    }
}
