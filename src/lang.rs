//! The language of texts for people: Chinese or English.
//!
//! The language of messages on a phone comes from the settings and is passed as a value. The
//! language of the terminal, the log and the records in the outbox is one per process: it is set
//! before the config is read, for errors in the config, and again from the config.

use std::sync::atomic::{AtomicBool, Ordering};

/// A language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// Returns the text in this language.
    pub(crate) fn of<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// English until it is set, as in unit tests.
static IS_CHINESE: AtomicBool = AtomicBool::new(false);

/// Sets the language of diagnostics.
pub(crate) fn speak(lang: Lang) {
    IS_CHINESE.store(lang == Lang::Zh, Ordering::Relaxed);
}

/// Returns the language of diagnostics.
pub(crate) fn spoken() -> Lang {
    if IS_CHINESE.load(Ordering::Relaxed) {
        Lang::Zh
    } else {
        Lang::En
    }
}
