//! Every user-visible text, in Chinese and in English side by side.
//!
//! The rooms below return typed outcomes without text. Here each of them becomes a message, in one
//! file for each subject. An entry is a pair of texts, so that neither language can be missing:
//!
//! ```text
//! texts! {
//!     still_trying(until) = "还在尝试，最晚到 {until}", "still trying, until {until}";
//! }
//! failures! {
//!     no_mail() => Usage,
//!         "没有邮件：stdin 是终端", "no mail: stdin is a terminal",
//!         "把邮件用管道接给它", "pipe a mail into it";
//! }
//! phone_texts! {
//!     cut() = "（已截断）", "(cut)";
//! }
//! displays! { Unusable {
//!     Self::NotDirectory => "不是目录", "is not a directory";
//! }}
//! ```

/// Defines messages for a person at a terminal: functions of displayable values that return a
/// `String` in the language of diagnostics.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),* $(,)?) = $zh:literal, $en:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($arg: impl std::fmt::Display),*) -> String {
            match $crate::lang::spoken() {
                $crate::lang::Lang::Zh => format!($zh),
                $crate::lang::Lang::En => format!($en),
            }
        }
    )*};
}

/// Defines failures: functions that return a `Failure`, with its message and an optional hint.
macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),* $(,)?) => $exit:ident,
        $zh:literal, $en:literal $(, $hint_zh:literal, $hint_en:literal)? $(,)?;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($arg: impl std::fmt::Display),*) -> $crate::error::Failure {
            let what = match $crate::lang::spoken() {
                $crate::lang::Lang::Zh => format!($zh),
                $crate::lang::Lang::En => format!($en),
            };
            let failure = $crate::error::Failure::new($crate::error::Exit::$exit, what);
            $(let failure = failure.hint(match $crate::lang::spoken() {
                $crate::lang::Lang::Zh => format!($hint_zh),
                $crate::lang::Lang::En => format!($hint_en),
            });)?
            failure
        }
    )*};
}

/// Defines messages on a phone: functions of the phone's language and of displayable values.
macro_rules! phone_texts {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),* $(,)?) = $zh:literal, $en:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name(lang: $crate::lang::Lang $(, $arg: impl std::fmt::Display)*) -> String {
            match lang {
                $crate::lang::Lang::Zh => format!($zh),
                $crate::lang::Lang::En => format!($en),
            }
        }
    )*};
}

/// Implements `Display` of a type for a terminal, by patterns. An entry shows names bound by its
/// pattern, or arguments after its pair.
macro_rules! displays {
    ($type:ty { $($pattern:pat => $zh:literal, $en:literal $(, $name:ident = $value:expr)*;)* }) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($pattern => match $crate::lang::spoken() {
                        $crate::lang::Lang::Zh => write!(f, $zh $(, $name = $value)*),
                        $crate::lang::Lang::En => write!(f, $en $(, $name = $value)*),
                    },)*
                }
            }
        }
    };
}

pub(crate) mod api;
pub(crate) mod batch;
pub(crate) mod callback;
pub(crate) mod check;
pub(crate) mod cli;
pub(crate) mod compose;
pub(crate) mod config;
pub(crate) mod cron;
pub(crate) mod delivery;
pub(crate) mod help;
pub(crate) mod http;
pub(crate) mod init;
pub(crate) mod message;
pub(crate) mod network;
pub(crate) mod notice;
pub(crate) mod outbox;
pub(crate) mod refusal;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod send;
pub(crate) mod sendmail;
pub(crate) mod store;
pub(crate) mod usage;
