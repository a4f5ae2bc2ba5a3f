//! Keeps text from outside from being markup. In texts WeCom obeys `<a href="…">…</a>` (from apps) and
//! `<@userid>` (from robots and in chats), in markdown `[…](…)`, too.
//! Source: developer.work.weixin.qq.com/document/path/90236, 90248 and 91770.

use std::borrow::Cow;

use super::input::hides;

/// What breaks an opening: it has no width, so the text looks the same. WeCom has no escape.
const BREAK: char = '\u{200b}';

/// Whether a character changes the writing direction, or hides what stands around it.
fn turns(character: char) -> bool {
    hides(character) && !matches!(character, '\n' | '\t')
}

/// Removes changes of the writing direction. Do so before you look for anything in a text: within it,
/// they part what reads as one.
pub(crate) fn straighten(text: &mut String) {
    text.retain(|character| !turns(character));
}

/// Returns a text that WeCom shows as it is, whatever follows it, without changes of the writing
/// direction.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    if text.contains(turns) {
        return inert(&text.replace(turns, "")).into_owned().into();
    }
    let mut out = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices('<') {
        let end = at + 1;
        if opens(&text[end..]) {
            out.push_str(&text[copied..end]);
            out.push(BREAK);
            copied = end;
        }
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(&text[copied..]);
    out.into()
}

/// The same in markdown, for what is not meant as such.
pub(crate) fn inert_in_markdown(text: &str) -> Cow<'_, str> {
    let inert = inert(text);
    if inert.contains("](") {
        inert.replace("](", &format!("]{BREAK}(")).into()
    } else {
        inert
    }
}

/// Whether a client could read a `<` as markup because of what follows it: a lenient one skips
/// blanks. At the end of the text anything may follow.
fn opens(rest: &str) -> bool {
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('/').unwrap_or(rest).trim_start();
    let mut characters = rest.chars();
    match characters.next() {
        None | Some('@') => true,
        Some('a' | 'A') => characters
            .next()
            .is_none_or(|next| !next.is_ascii_alphanumeric()),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_opening_of_markup_is_broken_and_nothing_else() {
        for (text, expected) in [
            ("<a href=\"x\">y</a>", "<|a href=\"x\">y<|/a>"),
            ("<A\nHREF=x>y</A >", "<|A\nHREF=x>y<|/A >"),
            ("< a\thref=x> < / a>", "<| a\thref=x> <| / a>"),
            ("<\u{a0}a/href=x><a>", "<|\u{a0}a/href=x><|a>"),
            ("\u{202e}txet\u{2066} <\u{202e}a", "txet <|a"),
            ("<@zhangsan> <\n@all>", "<|@zhangsan> <|\n@all>"),
            ("<<a x", "<<|a x"),
            ("ends in <", "ends in <|"),
            ("ends in </", "ends in <|/"),
            ("ends in <a", "ends in <|a"),
            ("<b> 1 < 2 <abbr> <alice@corp.cn> <-a", ""),
            ("", ""),
        ] {
            let expected = expected.replace('|', "\u{200b}");
            let changed = !expected.is_empty();
            let inert = inert(text);
            assert_eq!(inert, if changed { &expected } else { text });
            assert_eq!(matches!(inert, Cow::Owned(_)), changed, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_inert_stays_inert_whatever_stands_behind_it(
            text in r"(<|/|@|a|A|b|_| |\n|中|href=x>){0,30}",
            next in r"(<|/|@|a| |b){0,4}",
            gap in "\n?",
        ) {
            let both = format!("{}{gap}{}", inert(&text), inert(&next));
            prop_assert_eq!(inert(&both), &both[..]);
            prop_assert_eq!(both.replace(BREAK, ""), format!("{text}{gap}{next}"));
        }
    }
}
