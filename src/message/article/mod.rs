//! A long text as an article: a page of its own, which WeCom keeps and a tap opens, in WeCom and in
//! ordinary WeChat. WeCom's name for it is mpnews.
//!
//! `page` writes HTML up to a limit; `markdown` says what becomes of each mark.

mod markdown;
mod page;

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::content::{Mpnews, MpnewsArticle};
use super::plain::plain;
use super::{Attachment, Content, MediaKind, TextKind, html};
use page::ArticlePage;

/// The longest title, in bytes of UTF-8; WeCom cuts a longer one silently.
/// Source: developer.work.weixin.qq.com/document/path/90236.
pub(super) const TITLE_MAX: usize = 128;

/// The longest digest, in bytes of UTF-8; WeCom cuts a longer one silently. Source: as above.
pub(super) const DIGEST_MAX: usize = 512;

/// The longest content, in bytes of HTML. Source: as above, "666 K"; the smaller of its two
/// meanings.
pub(super) const CONTENT_MAX: usize = 666_000;

/// The picture of every article: the same bytes are uploaded once for all of them. It has one colour
/// and two tones of it, and the size that WeCom advises for a headline, 1068 by 455.
const COVER: &[u8] = include_bytes!("cover.png");

/// Hides the secrets in a text.
pub(crate) type Hide<'a> = &'a dyn Fn(&mut String);

/// What an article is made of.
pub(crate) struct ArticleSource<'a> {
    pub(crate) kind: TextKind,
    /// Title, if any, and text, as `TextKind::compose` joins them.
    pub(crate) text: &'a str,
    /// Whether the input was longer.
    pub(crate) incomplete: bool,
    /// The title of a text without words.
    pub(crate) name: &'a str,
    /// The line at the end of an article that is not the whole text.
    pub(crate) note: &'a str,
    /// What is hidden once entities are characters.
    pub(crate) hide: Hide<'a>,
}

impl ArticleSource<'_> {
    /// Returns the article, and whether it is the whole text.
    pub(crate) fn article(&self) -> (Content, bool) {
        let (title, body) = self.title();
        let mut page = ArticlePage::new(CONTENT_MAX, self.note, self.hide);
        // HTML is no shorter than its text, and what is not read takes no time.
        let read = &body[..body.floor_char_boundary(CONTENT_MAX)];
        match self.kind {
            TextKind::Text => page.paragraphs(read),
            _ => markdown::write(read, &mut page),
        }
        let finished = page.finish(self.incomplete || read.len() < body.len());
        let (content, is_whole) = self.without_secrets(finished);
        let article = MpnewsArticle {
            title,
            thumb_media_id: String::new(),
            content,
            digest: self.digest(body),
        };
        let content = Content::Mpnews(Mpnews {
            articles: [article],
        });
        (content, is_whole)
    }

    /// Returns a page, plain if it shows a secret: tags, and what was left out, may have parted it before.
    fn without_secrets(&self, (content, is_whole): (String, bool)) -> (String, bool) {
        let shown = html::text(&content);
        let mut hidden = shown.clone();
        (self.hide)(&mut hidden);
        if hidden == shown {
            return (content, is_whole);
        }
        let text = hidden.trim_end();
        let text = text.strip_suffix(self.note).filter(|_| !is_whole);
        let mut page = ArticlePage::new(CONTENT_MAX, self.note, self.hide);
        page.paragraphs(text.unwrap_or(&hidden));
        page.finish(!is_whole)
    }

    /// Splits the title off: the first line with words. A line that is not whole in it, or is more
    /// than a title, stays in the text.
    fn title(&self) -> (String, &str) {
        let text = self.text.trim_start_matches('\n');
        let is_word = |it: char| !it.is_whitespace() && !it.is_ascii_punctuation();
        let has_words = |line: &&str| line.contains(is_word);
        let Some(line) = text.lines().find(has_words) else {
            return (self.name.to_owned(), text);
        };
        let (words, is_heading) = match self.kind {
            TextKind::Text => (line, true),
            _ => heading(line),
        };
        let words = self.words(words);
        let title = cut(words.trim(), TITLE_MAX);
        let is_whole = title == words.trim();
        let rest = text
            .strip_prefix(line)
            .filter(|rest| is_heading && is_whole && rest.contains(|it: char| !it.is_whitespace()));
        (title.into_owned(), rest.unwrap_or(text))
    }

    /// Returns the first lines of a text.
    fn digest(&self, body: &str) -> String {
        let start = &body[..body.floor_char_boundary(4 * DIGEST_MAX)];
        let words = self.words(start);
        let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        cut(&lines.join("\n"), DIGEST_MAX).into_owned()
    }

    /// Returns a piece of the text without its marks.
    fn words<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.kind == TextKind::Text {
            return text.into();
        }
        let mut words = plain(text);
        (self.hide)(&mut words);
        words.into()
    }
}

/// Returns the picture of an article.
pub(crate) fn cover() -> Attachment {
    Attachment {
        kind: MediaKind::Image,
        name: "cover.png".to_owned(),
        bytes: COVER.to_vec().into(),
    }
}

/// Returns a line of markdown without the marks of a heading, and whether it is one.
fn heading(line: &str) -> (&str, bool) {
    let words = line.trim_start_matches('#');
    let is_one = (1..=6).contains(&(line.len() - words.len())) && words.starts_with([' ', '\t']);
    if is_one { (words, true) } else { (line, false) }
}

/// Cuts a text between characters as people see them.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= max {
        return text.into();
    }
    let ends = text.grapheme_indices(true).map(|(at, _)| at);
    let end = ends.take_while(|at| at + MARK.len() <= max).last();
    let start = text[..end.unwrap_or_default()].trim_end();
    format!("{start}{MARK}").into()
}

#[cfg(test)]
mod tests;
