//! The options of sendmail, as they have been written for forty years: letters, together or apart,
//! with a value behind some of them. clap has no `-oi`.

use std::ffi::OsString;

use crate::config::value::shown;
use crate::error::Failure;
use crate::text::sendmail as words;

/// Letters that take a value, behind them or as the next word.
const VALUED: &str = "ABCFLNOPRVXbefhopr";

/// Letters that stand alone. Together with `VALUED`: those of sendmail, Postfix and Exim.
const ALONE: &str = "EGIUcimnstv";

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// `-t`: the mail says to whom it goes.
    pub(super) by_head: bool,
    /// `-i`: a line of one dot is one of the mail.
    pub(super) dots: bool,
    /// `-odq`, `-odb`: it is kept for a flush, and nobody waits for the network.
    pub(super) queue: bool,
    /// `-v`: what happens is shown.
    pub(super) verbose: bool,
    /// The addresses, of which one word may have several.
    pub(super) addresses: Vec<String>,
}

/// Reads the words behind the program's name.
///
/// # Errors
/// `Exit::Usage`: a letter that no sendmail has, or one for what wxpush does not do.
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
            // Their value never is a word of its own.
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
            't' => self.by_head = true,
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
            // The last one holds, as with sendmail.
            ('o', "dq" | "db") => self.queue = true,
            ('o', "di" | "df") => self.queue = false,
            ('O', mode) if mode.starts_with("DeliveryMode=") => {
                let mode = mode.trim_start_matches("DeliveryMode=");
                self.queue = mode.starts_with(['q', 'b']);
            }
            ('b', "m") => {}
            ('b', "p") => {
                return Err(words::use_instead("-bp", "list"));
            }
            ('b', _) => {
                return Err(words::mode_unknown(shown(value)));
            }
            ('q', _) => {
                return Err(words::use_instead("-q", "flush"));
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a word with one address, or several.
    fn address(&mut self, word: &str) {
        for address in word.split(',') {
            let inner = address.rsplit_once('<').map_or(address, |(_, it)| it);
            let address = inner.trim().trim_end_matches('>').trim();
            if !address.is_empty() {
                self.addresses.push(address.to_owned());
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
    fn options_are_those_that_programs_use() {
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
                by_head: flags.contains('t'),
                dots: flags.contains('i'),
                queue: flags.contains('q'),
                verbose: flags.contains('v'),
                addresses: addresses.iter().map(|it| (*it).to_owned()).collect(),
            };
            assert_eq!(asked(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_wxpush_does_not_do_is_refused() {
        for line in [
            "-q", "-q15m", "-bp", "-bd", "-bs", "-b i", "-z", "-f", "-tz", "-é",
        ] {
            assert_eq!(asked(line).unwrap_err().exit, Exit::Usage, "{line}");
        }
    }
}
