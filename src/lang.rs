//! Chinese or English: in which words a person is told something.
//!
//! What reaches a phone has its language from the settings, and takes it as a value. What stands
//! at a terminal, in the log and beside a kept message is said in one language a process: known
//! before the config, for what is wrong in there, and once more from it.

use std::sync::atomic::{AtomicBool, Ordering};

/// The language of what a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The one of two that is in this language.
    pub(crate) fn of<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// English until anything is known, as in tests of single rooms.
static IS_CHINESE: AtomicBool = AtomicBool::new(false);

/// From here on diagnostics are in this language.
pub(crate) fn speak(lang: Lang) {
    IS_CHINESE.store(lang == Lang::Zh, Ordering::Relaxed);
}

/// The language of diagnostics.
pub(crate) fn spoken() -> Lang {
    if IS_CHINESE.load(Ordering::Relaxed) {
        Lang::Zh
    } else {
        Lang::En
    }
}
