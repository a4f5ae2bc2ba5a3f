//! What a row of the tables can say of a field.

use crate::lang::spoken;

/// Where WeCom's table has no errcode of its own for a mistake.
pub(super) const NO_CODE: u32 = 0;

/// A field: its name, when it must be there, and what it may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a>(pub(super) &'a str, pub(super) Need, pub(super) Rule);

/// The rows of an object.
pub(super) type Rows = &'static [Row<'static>];

/// When a field must be there; the number is the errcode for its absence.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need {
    /// It need not.
    May,
    /// It need not; where it is, the app must have a callback URL.
    Callback,
    /// Always.
    Must(u32),
    /// Where a neighbour, 0 by default, has this value.
    When(&'static str, i64, u32),
    /// Where a neighbour is there.
    With(&'static str, u32),
    /// Where there is nothing at the end of this path, whose steps `/` divides, from the same object.
    Unless(&'static str, u32),
    /// It must not be there: a robot has no callback URL.
    Never,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// A string of a form, no longer than this; of several limits only the first one broken counts.
    Text(Form, &'static [Limit]),
    /// A string with the characters that the pages recommend for a card: from an app, from a robot.
    Label(usize, usize),
    /// One of these whole numbers, else this errcode.
    OneOf(&'static [i64], u32),
    /// A whole number from 0 to this.
    UpTo(i64),
    /// A number from the first to below the second.
    Between(f64, f64),
    /// `true` or `false`.
    Flag,
    /// An object.
    Object(Rows),
    /// A list of objects.
    List(List),
    /// A list of strings.
    Strings,
    /// An object whose rows are those of the variant that one of its fields names.
    Variants(Variants),
}

/// What a string must look like; the number is the errcode for one that does not.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// Any text.
    Plain,
    /// Begins with http:// or https://.
    Web(u32),
    /// Begins with a scheme.
    Link(u32),
    /// As `Web`; what is not shows no picture.
    Picture,
    /// Digits, letters, `_`, `-` and `@`.
    Id(u32),
}

/// A list of objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct List {
    /// The fewest items.
    pub(super) min: usize,
    /// The most items.
    pub(super) max: usize,
    /// The errcode for other lengths.
    pub(super) code: u32,
    /// A field that no two items may share, and the errcode where they do.
    pub(super) unique: Option<(&'static str, u32)>,
    /// The rows of each item.
    pub(super) rows: Rows,
}

/// How long a string may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// WeCom cuts what is longer, in silence.
    Cut(usize, Unit),
    /// WeCom refuses what is longer, with this errcode.
    Most(usize, Unit, u32),
    /// WeCom refuses what is shorter.
    Least(usize, Unit),
    /// What is longer may come to harm.
    Unsure(usize, Unit, Unsure),
    /// The phone may not show what has more characters.
    Shown(usize),
}

/// Why it is not certain that a length does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsure {
    /// WeCom's pages count in bytes here, in characters there.
    BytesOrCharacters,
    /// An errcode speaks of a shorter limit than the page.
    MayRefuse(u32),
}

/// How a length is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode scalar values.
    Chars,
}

impl Unit {
    /// The length of a text.
    pub(super) fn of(self, text: &str) -> usize {
        match self {
            Self::Bytes => text.len(),
            Self::Chars => text.chars().count(),
        }
    }

    /// Its name in the language of diagnostics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Bytes => spoken().of("字节", "bytes"),
            Self::Chars => spoken().of("字符", "characters"),
        }
    }
}

/// Objects of several shapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variants {
    /// The field that names the shape.
    pub(super) field: &'static str,
    /// The errcode for any other shape.
    pub(super) code: u32,
    /// The shapes that are taken.
    pub(super) taken: &'static [Variant],
    /// All shapes there are: a part of another shape has no place in this one.
    pub(super) known: &'static [Variant],
}

/// One shape of an object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variant {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether the app must have a callback URL.
    pub(super) callback: bool,
    /// Its rows.
    pub(super) rows: Rows,
}
