//! Parses the tags of HTML, as far as the conversion to text needs them.

/// The most bytes that are searched for the end of a tag past a quoted `>`; beyond, the first `>`
/// ends it.
const QUOTED_MAX: usize = 4096;

/// The elements of HTML, old and new, sorted: all else in angle brackets is text, such as `<nil>`.
/// Source: HTML's "Index of elements" and "Obsolete features", without the rarest.
#[rustfmt::skip]
const ELEMENTS: [&str; 143] = [
    "a", "abbr", "acronym", "address", "applet", "area", "article", "aside", "audio",
    "b", "base", "basefont", "bdi", "bdo", "bgsound", "big", "blink", "blockquote",
    "body", "br", "button", "canvas", "caption", "center", "cite", "code", "col",
    "colgroup", "data", "datalist", "dd", "del", "details", "dfn", "dialog", "dir", "div",
    "dl", "dt", "em", "embed", "fieldset", "figcaption", "figure", "font", "footer",
    "form", "frame", "frameset", "h1", "h2", "h3", "h4", "h5", "h6",
    "head", "header", "hgroup", "hr", "html", "i", "iframe", "image", "img", "input",
    "ins", "isindex", "kbd", "keygen", "label", "legend", "li", "link", "listing",
    "main", "map", "mark", "marquee", "math", "menu", "menuitem", "meta", "meter",
    "multicol", "nav", "nobr", "noembed", "noframes", "noscript", "object", "ol", "optgroup",
    "option", "output", "p", "param", "picture", "plaintext", "pre", "progress", "q",
    "rb", "rp", "rt", "rtc", "ruby", "s", "samp", "script", "section",
    "select", "slot", "small", "source", "spacer", "span", "strike", "strong", "style", "sub",
    "summary", "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot",
    "th", "thead", "time", "title", "tr", "track", "tt", "u", "ul",
    "var", "video", "wbr", "xml", "xmp",
];

/// The elements of drawings within HTML, which have attributes: a `<path>` without is text.
const SHAPES: [&str; 7] = ["circle", "ellipse", "g", "line", "path", "polygon", "rect"];

/// A tag, with its name in lower case.
pub(super) struct Tag<'a> {
    pub(super) name: String,
    attributes: &'a str,
    /// Whether it is an end tag.
    pub(super) ends: bool,
}

impl<'a> Tag<'a> {
    /// Parses the tag at the start of `text`; returns it with the rest of the text. Within a drawing or
    /// a formula, elements have any name.
    pub(super) fn read(text: &'a str, in_drawing: bool) -> Option<(Self, &'a str)> {
        let inner = text.strip_prefix('<')?;
        let start = inner.strip_prefix('/');
        let inner = start.unwrap_or(inner);
        let is_in_name = |it: char| it.is_ascii_alphanumeric() || "-:".contains(it);
        let (name, rest) = inner.split_at(inner.find(|it| !is_in_name(it))?);
        if !name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            return None;
        }
        // `<b.smith@…>` and `<https://…>` are no tags.
        if !rest.starts_with(|it: char| it.is_ascii_whitespace() || "/>".contains(it)) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        // Word's and authors' own elements have such names.
        let is_own = in_drawing || name.contains([':', '-']) && !name.ends_with(':');
        let is_shape = SHAPES.contains(&&*name) && (start.is_some() || rest.starts_with(' '));
        if !is_own && !is_shape && ELEMENTS.binary_search(&&*name).is_err() {
            return None;
        }
        let end = quoted_end(rest).or_else(|| rest.find('>'))?;
        let tag = Self {
            name,
            attributes: &rest[..end],
            ends: start.is_some(),
        };
        Some((tag, &rest[end + 1..]))
    }

    /// Returns how many drawings are open behind it, of so many before it.
    pub(super) fn drawings(&self, before: usize) -> usize {
        match &*self.name {
            "svg" | "math" if self.ends => before.saturating_sub(1),
            "svg" | "math" if !self.attributes.ends_with('/') => before + 1,
            _ => before,
        }
    }

    /// Returns the value of an attribute, with its entities decoded.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let blank = |it: char| it.is_ascii_whitespace();
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|it| blank(it) || it == '/');
            let end = rest.find(|it| blank(it) || it == '=')?;
            let (key, behind) = rest.split_at(end);
            let Some(value) = behind.trim_start().strip_prefix('=') else {
                rest = behind;
                continue;
            };
            let value = value.trim_start();
            let (value, behind) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let value = &value[1..];
                    value.split_once(quote).unwrap_or((value, ""))
                }
                _ => value.split_at(value.find(blank).unwrap_or(value.len())),
            };
            if key.eq_ignore_ascii_case(name) {
                return Some(htmlize::unescape_attribute(value.trim()).into_owned());
            }
            rest = behind;
        }
    }
}

/// Finds the `>` that ends a tag, outside the quotes of its values.
fn quoted_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut begins_value = false;
    for (at, byte) in text.bytes().take(QUOTED_MAX).enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') if begins_value => quote = Some(byte),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            begins_value = byte == b'=';
        }
    }
    None
}
