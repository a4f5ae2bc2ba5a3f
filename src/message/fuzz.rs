//! Fuzz targets: any bytes become clean text, its parts join to the whole, any bytes are a mail, and
//! any text is HTML, markdown, and a field of a message.

use std::io::{self, Read};

use unicode_segmentation::UnicodeSegmentation;

use super::article::ArticleSource;
use super::input::{Input, one_line, unescape};
use super::limits::{self, kinds};
use super::markup::inert;
use super::plain::plain;
use super::split::{self, Notes, Rest, fit};
use super::{Channel, Content, Long, Mail, TextKind, html};

/// Splits any text of any kind. Input: a byte for the limit, one for repetitions, one for options,
/// and the text.
pub(crate) fn split(bytes: &[u8]) {
    let [limit, times, options, text @ ..] = bytes else {
        return;
    };
    let limit = 12 + usize::from(*limit);
    let text = String::from_utf8_lossy(text);
    let kinds = [TextKind::Text, TextKind::Markdown, TextKind::MarkdownV2];
    let kind = kinds[usize::from(options >> 5) % kinds.len()];
    let parts = split::split(kind, &text, limit, usize::MAX).expect("so many are allowed");
    assert_eq!(parts.iter().map(|part| part.text).collect::<String>(), text);
    for part in &parts {
        assert!(!part.text.is_empty() && part.to_string().len() <= limit);
    }
    let graphemes: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    if text.graphemes(true).all(|it| it.len() <= limit / 3) {
        let mut end = 0;
        for part in &parts {
            assert!(
                graphemes.binary_search(&end).is_ok(),
                "grapheme cut at {end}"
            );
            end += part.text.len();
        }
    }
    let times = 1 + usize::from(*times) * usize::from(text.len() <= 64);
    whole_message(kind, &text.repeat(times), *options);
}

fn whole_message(kind: TextKind, text: &str, options: u8) {
    const NOTES: Notes<'_> = Notes {
        cut: "\n…cut",
        file: "\n…attached",
    };
    let max = [2048, 4096][usize::from(options & 1)];
    let incomplete = options & 2 != 0;
    let ways = [
        Long::Auto,
        Long::Split,
        Long::Truncate,
        Long::Reject,
        Long::File,
        Long::Article,
    ];
    let long = ways[usize::from(options >> 2 & 7) % ways.len()];
    let Ok(fitted) = fit(kind, max, text, incomplete, long, &NOTES) else {
        return;
    };
    assert!(fitted.parts.iter().all(|part| part.len() <= max));
    assert!(fitted.rest != Rest::Nothing || !incomplete);
    // What is open at the end of a part is closed there.
    let is_obeyed = kind != TextKind::Text || text.to_ascii_lowercase().contains("</a");
    if fitted.rest != Rest::Nothing {
        let [part] = &fitted.parts[..] else {
            panic!("a cut message is one part");
        };
        let note = if fitted.rest == Rest::File {
            NOTES.file
        } else {
            NOTES.cut
        };
        let first = part.strip_suffix(note).expect("it ends with its note");
        assert!(text.starts_with(first) || is_obeyed);
    } else if let [part] = &fitted.parts[..] {
        assert_eq!(part, text);
    } else {
        let parts = fitted
            .parts
            .iter()
            .map(|part| part.split_once('\n').expect("it is marked").1);
        assert!(parts.collect::<String>() == text || is_obeyed);
    }
}

/// Parses any bytes as a mail, and holds that a text is not lost.
pub(crate) fn mail(bytes: &[u8]) {
    Mail::parse(bytes);
    let parts = [b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", bytes];
    Mail::parse(&parts.concat());
    let mail = Mail::parse(&[b"Subject: s\n\n", bytes].concat());
    let has_words = bytes.iter().any(u8::is_ascii_graphic);
    assert!(!has_words || !mail.text.trim().is_empty() || !mail.files.is_empty());
}

/// Converts any HTML: its text has no more of it than the marks that lists and links get.
pub(crate) fn html(bytes: &[u8]) {
    let text = html::text(&String::from_utf8_lossy(bytes));
    assert!(text.len() <= 64 + 16 * bytes.len(), "{}", text.len());
}

/// Converts any markdown to text and to HTML, which is whole, and makes it inert: what is inert stays so.
pub(crate) fn plain_text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(plain(&text).len() <= 16 + 4 * text.len());
    for kind in [TextKind::Text, TextKind::Markdown] {
        let source = ArticleSource {
            kind,
            text: &text,
            incomplete: false,
            name: "message",
            note: "cut",
            hide: &|_| (),
        };
        let (content, _) = source.article();
        let Content::Mpnews(article) = content else {
            panic!("it is an article");
        };
        let html = &article.articles[0].content;
        for element in ["p", "li", "ul", "ol", "td", "a", "blockquote", "pre"] {
            let ends = html.matches(&format!("</{element}>")).count();
            let start = format!("<{element}");
            let starts = html.split(&start).skip(1);
            let starts = starts.filter(|it| it.starts_with([' ', '>']));
            assert_eq!(starts.count(), ends, "{element} in {html}");
        }
    }
    let once = inert(&text);
    assert_eq!(inert(&once), once);
}

/// Checks a field of any text in every kind on every channel. Input: the text, or a whole body.
pub(crate) fn limits(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for channel in Channel::ALL {
        for kind in kinds(channel) {
            let fields = ["content", "title", "description", "url", "picurl"];
            let object: serde_json::Map<_, _> = fields
                .iter()
                .map(|field| ((*field).to_owned(), (&*text).into()))
                .collect();
            let mut body = serde_json::json!({ kind: object });
            let found = limits::check(channel, kind, &body);
            if (1..=4).contains(&text.len()) {
                let cut = |it: &_| {
                    matches!(
                        it,
                        limits::Violation::Cut(_) | limits::Violation::TooLong(_)
                    )
                };
                assert!(!found.violations.iter().any(cut), "{found:?}");
            }
            body[kind] = serde_json::json!({ "articles": [object, {}, 1] });
            limits::check(channel, kind, &body);
            if let Ok(any) = serde_json::from_slice(bytes) {
                limits::check(channel, kind, &any);
                body[kind] = any;
                limits::check(channel, kind, &body);
            }
        }
    }
}

/// A reader of a few bytes at a time, which tears characters and sequences.
pub(super) struct Torn<'a>(pub(super) &'a [u8], pub(super) usize);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.1.min(self.0.len());
        buffer[..size].copy_from_slice(&self.0[..size]);
        self.0 = &self.0[size..];
        Ok(size)
    }
}

/// Cleans any bytes. Input: a byte for the size of each read, and the bytes.
pub(crate) fn input(bytes: &[u8]) {
    let [size, bytes @ ..] = bytes else {
        return;
    };
    let input = Input::from_bytes(bytes);
    let torn = Input::from_reader(Torn(bytes, 1 + usize::from(size % 16)));
    assert_eq!(torn.expect("a slice can always be read"), input);
    let unclean = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!input.text.contains(unclean), "{:?}", input.text);
    // A second cleaning removes nothing but a BOM at the start and a newline at the end.
    let again = Input::from_bytes(format!("\u{feff}{}\n", input.text).as_bytes());
    assert_eq!((&again.text, again.replaced), (&input.text, 0));
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(char::is_control)
    {
        assert_eq!(input.text, text.strip_prefix('\u{feff}').unwrap_or(text));
    }
    assert!(!one_line(&input.text).contains('\n'));
    let unescaped = unescape(bytes);
    assert!(unescaped.len() <= bytes.len());
    assert!(!Input::from_bytes(&unescaped).text.contains(unclean));
}
