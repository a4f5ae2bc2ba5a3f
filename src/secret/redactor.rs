//! Hiding secrets in texts, in time and memory that do not grow faster than the text.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::decode::{Exposure, find};
use super::layouts::FileNeedles;
use super::needles::{Needle, Needles};
use super::{PIECE, Secret};

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "[hidden]";

/// The fewest characters of a secret in a row that nobody guesses.
const UNGUESSED: usize = 2 * PIECE;

/// Hides secrets in texts and files: plain, and encoded as URLs, JSON, HTML, base64 and hex do.
///
/// What it looks for is made at the first text that is long enough to hold a secret: most have
/// none, and making it takes longer than looking.
#[derive(Default)]
pub(crate) struct Redactor {
    /// Each with the size of its pieces, which count as well; a shorter one counts as a whole.
    secrets: BTreeMap<Secret, usize>,
    /// Those of them whose pieces count only where they are encoded.
    passwords: BTreeSet<Secret>,
    /// Those of them that a server has chosen.
    granted: BTreeSet<Secret>,
    in_texts: OnceCell<Needles>,
    in_files: OnceCell<FileNeedles>,
}

impl Redactor {
    /// Adds a secret that a server was sent: every run of eight characters of it is hidden, a shorter
    /// one as a whole.
    pub(crate) fn add(&mut self, secret: &Secret) {
        self.add_whole_below(secret, PIECE);
    }

    /// Adds a secret that must not be in a message. What has fewer than eight characters may be there
    /// by chance. Pieces have sixteen: those of eight could be guessed, since who reads a message sees
    /// what is hidden in it.
    pub(crate) fn add_for_messages(&mut self, secret: &Secret) {
        if secret.0.len() >= PIECE {
            self.add_whole_below(secret, UNGUESSED);
        }
    }

    /// Adds a token that must not be in a message. A server chose it, and could have chosen a word: what
    /// doesn't look machine-made is none. Its pieces count only if that server gets the message: it could
    /// have chosen words that others must not miss.
    pub(crate) fn add_granted(&mut self, token: &Secret, gets_message: bool) {
        if token.is_machine_made() {
            if gets_message {
                self.add_for_messages(token);
                // Another server may have granted the same.
                self.passwords.remove(token);
                self.forget_needles();
            } else {
                self.add_password(token);
            }
            self.granted.insert(token.clone());
        }
    }

    /// Adds a password that must not be in a message. Pieces of it may be ordinary words, and count only
    /// where they are encoded.
    pub(crate) fn add_password(&mut self, password: &Secret) {
        if !self.has(password) {
            self.add_for_messages(password);
            self.passwords.insert(password.clone());
        }
    }

    /// Leaves only what a machine made: of all else, who writes to us could find out by guessing, since
    /// he sees what is hidden.
    pub(crate) fn for_strangers(mut self) -> Self {
        self.secrets.retain(|secret, _| secret.is_machine_made());
        self.forget_needles();
        self
    }

    /// Whether a secret was added.
    pub(crate) fn has(&self, secret: &Secret) -> bool {
        self.secrets.contains_key(secret)
    }

    fn add_whole_below(&mut self, secret: &Secret, size: usize) {
        if secret.0.is_empty() || self.has(secret) {
            return;
        }
        self.secrets.insert(secret.clone(), size);
        self.forget_needles();
    }

    fn forget_needles(&mut self) {
        self.in_texts.take();
        self.in_files.take();
    }

    /// Whether the bytes of a file contain sixteen bytes in a row of a secret, or a whole one. One shorter
    /// than eight characters may be there by chance, and does not count.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let fits = |secret: &Secret| {
            let size = secret.0.len();
            size >= PIECE && bytes.len() >= size.min(UNGUESSED)
        };
        self.secrets.keys().any(fits) && !self.in_files().find(bytes).is_empty()
    }

    /// Whether bytes contain a secret, as for `is_in`, that no server has chosen.
    pub(crate) fn has_own_in(&self, bytes: &[u8]) -> bool {
        let is_own = |it: &Secret| !self.granted.contains(it);
        self.is_in(bytes) && self.with_those(is_own).is_in(bytes)
    }

    /// Returns what hides some of the secrets.
    fn with_those(&self, count: impl Fn(&Secret) -> bool) -> Self {
        let mut some = Self {
            passwords: self.passwords.clone(),
            ..Self::default()
        };
        for (secret, size) in self.secrets.iter().filter(|(it, _)| count(it)) {
            some.add_whole_below(secret, *size);
        }
        some
    }

    /// Overwrites the secrets in the bytes of a file; returns whether there were any. Its lines and
    /// columns stay.
    pub(crate) fn overwrite(&self, bytes: &mut [u8]) -> bool {
        let found = self.in_files().find_all(bytes);
        for exposure in &found {
            for byte in &mut bytes[exposure.begin..exposure.end] {
                let says = if exposure.in_digits {
                    byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)
                } else {
                    !byte.is_ascii_whitespace() && *byte != 0
                };
                if says {
                    *byte = b'*';
                }
            }
        }
        !found.is_empty()
    }

    /// Whether bytes contain a secret, as for `is_in`, as it is, that no other server has chosen.
    pub(crate) fn shows_own(&self, bytes: &[u8]) -> bool {
        let shows = |it: &Self| !it.in_files().find_plain(bytes).is_empty();
        let is_own = |it: &Secret| !self.granted.contains(it) || !self.passwords.contains(it);
        shows(self) && shows(&self.with_those(is_own))
    }

    fn in_files(&self) -> &FileNeedles {
        self.in_files.get_or_init(|| {
            let long = self.secrets.keys().filter(|it| it.0.len() >= PIECE);
            FileNeedles::new(long.flat_map(|it| self.needles(it, UNGUESSED)).collect())
        })
    }

    /// Returns how far apart in a file the parts of one exposure may be, in bytes.
    pub(crate) fn reach(&self) -> usize {
        self.in_files().reach()
    }

    /// Hides all secrets in a text; returns whether there were any.
    pub(crate) fn hide(&self, text: &mut String) -> bool {
        let found = self.find_in(text);
        if found.is_empty() {
            return false;
        }
        *text = without(text, &found);
        true
    }

    /// Hides as `hide` does in an id that a server chose, but for what may be in it by chance: whole secrets
    /// shorter than eight characters.
    pub(crate) fn hide_in_id(&self, id: &mut String) {
        let mut found = self.find_in(id);
        found.retain(|it| it.end - it.begin >= PIECE);
        if !found.is_empty() {
            *id = without(id, &found);
        }
    }

    /// Finds all secrets in a text.
    fn find_in(&self, text: &str) -> Vec<Exposure> {
        let mut secrets = self.secrets.iter();
        if secrets.all(|(secret, size)| text.len() < secret.0.len().min(*size)) {
            return Vec::new();
        }
        let needles = self.in_texts.get_or_init(|| {
            let all = self.secrets.iter();
            Needles::new(all.flat_map(|(it, size)| self.needles(it, *size)).collect())
        });
        find(needles, text.as_bytes())
    }

    /// Returns what tells a secret in a decoded text: itself, as words of two bytes with the second one
    /// first, and in UTF-16.
    fn needles(&self, secret: &Secret, size: usize) -> Vec<Needle> {
        let text = secret.0.clone().into_bytes();
        let swapped = [0, 1].map(|from| {
            let mut text = text.clone();
            let words = text[from..].chunks_exact_mut(2);
            words.for_each(|word| word.swap(0, 1));
            text
        });
        let mut wide: Vec<u8> = text.iter().flat_map(|it| [*it, 0]).collect();
        // Without the zero before or behind it, which depends on the order of the bytes.
        wide.pop();
        let is_password = self.passwords.contains(secret);
        let granted = self.granted.contains(secret);
        let needle = |text: Vec<u8>, size| Needle {
            whole: is_password && text.len() > size,
            granted,
            text,
            size,
        };
        if text.len() < PIECE {
            return vec![needle(text, size)];
        }
        let [one, two] = swapped;
        let all = [(text, size), (one, size), (two, size), (wide, UNGUESSED)];
        all.map(|(text, size)| needle(text, size)).into()
    }
}

/// Returns the text with a mark in place of each hidden part; the parts are sorted.
fn without(text: &str, hidden: &[Exposure]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for exposure in hidden {
        let (begin, end) = (
            text.floor_char_boundary(exposure.begin),
            text.ceil_char_boundary(exposure.end),
        );
        if begin > at || at == 0 {
            shown.push_str(&text[at..begin]);
            shown.push_str(HIDDEN);
        }
        at = at.max(end);
    }
    shown + &text[at..]
}
