//! Markdown as HTML: the marks of `CommonMark`, tables, task lists and `~~struck~~`. Line ends stay, as
//! in WeCom's own markdown; HTML in it is shown, not obeyed.

use pulldown_cmark::{
    Alignment, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream,
};

use super::super::marks;
use super::page::ArticlePage;

/// The schemes of addresses that a tap may open.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

/// Writes markdown to a page.
pub(super) fn write(markdown: &str, page: &mut ArticlePage<'_>) {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let mut writer = MarkdownWriter {
        page,
        links: Vec::new(),
        columns: Vec::new(),
        cell: 0,
        in_head: false,
    };
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        if writer.page.is_full() {
            return;
        }
        writer.event(event);
    }
}

struct MarkdownWriter<'w, 'p> {
    page: &'w mut ArticlePage<'p>,
    /// The addresses of the open links and pictures, and where their labels begin.
    links: Vec<(String, usize)>,
    /// The columns of the open table.
    columns: Vec<Alignment>,
    /// The cells so far in the row.
    cell: usize,
    in_head: bool,
}

impl MarkdownWriter<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        let page = &mut *self.page;
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            Event::Text(text) => page.text(&text),
            Event::Code(code) => {
                page.open("<code>", "</code>");
                page.text(&code);
                page.close();
            }
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::SoftBreak | Event::HardBreak => page.tag("<br>"),
            Event::Rule => page.tag("<hr>"),
            Event::TaskListMarker(done) => page.text(if done { "☑ " } else { "☐ " }),
            // Not asked for.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                page.text(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        let page = &mut *self.page;
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => page.open("<p>", "</p>"),
            Tag::Heading { level, .. } => {
                let (tag, end) = heading(level);
                page.open(tag, end);
            }
            Tag::BlockQuote(_) => page.open("<blockquote>", "</blockquote>"),
            // Lines are longer than a phone is wide.
            Tag::CodeBlock(_) => {
                page.open(
                    "<pre style=\"white-space:pre-wrap\"><code>",
                    "</code></pre>",
                );
            }
            Tag::List(None) => page.open("<ul>", "</ul>"),
            Tag::List(Some(1)) => page.open("<ol>", "</ol>"),
            Tag::List(Some(first)) => page.open(&format!("<ol start=\"{first}\">"), "</ol>"),
            Tag::Item => page.open("<li>", "</li>"),
            Tag::Table(columns) => {
                self.columns = columns;
                page.open(
                    "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\">",
                    "</table>",
                );
            }
            Tag::TableHead | Tag::TableRow => {
                self.cell = 0;
                self.in_head = matches!(tag, Tag::TableHead);
                page.open("<tr>", "</tr>");
            }
            Tag::TableCell => self.cell(),
            Tag::Emphasis => page.open("<em>", "</em>"),
            Tag::Strong => page.open("<strong>", "</strong>"),
            Tag::Strikethrough => page.open("<del>", "</del>"),
            // A picture would have to be WeCom's: there is a link to it.
            Tag::Link {
                link_type,
                dest_url,
                ..
            }
            | Tag::Image {
                link_type,
                dest_url,
                ..
            } => self.link(link_type, &dest_url),
            // Not asked for.
            _ => page.open("", ""),
        }
    }

    fn end(&mut self, end: TagEnd) {
        let link = match end {
            TagEnd::Link | TagEnd::Image => self.links.pop(),
            _ => None,
        };
        let address = link.and_then(|(address, start)| self.unshown(&address, start));
        self.page.close();
        // Where links aren't obeyed, it can be copied.
        if let Some(address) = address {
            self.page.text(&format!(" ({address})"));
        }
    }

    fn cell(&mut self) {
        let align = match self.columns.get(self.cell) {
            Some(Alignment::Center) => " align=\"center\"",
            Some(Alignment::Right) => " align=\"right\"",
            _ => "",
        };
        self.cell += 1;
        let (name, end) = if self.in_head {
            ("th", "</th>")
        } else {
            ("td", "</td>")
        };
        self.page.open(&format!("<{name}{align}>"), end);
    }

    /// Begins a link; only addresses that a tap may open make one, and no link is within another.
    fn link(&mut self, kind: LinkType, address: &str) {
        let address = match kind {
            LinkType::Email => format!("mailto:{address}"),
            _ => address.to_owned(),
        };
        let is_open = |scheme: &&str| {
            let start = address.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if self.links.is_empty() && SCHEMES.iter().any(is_open) {
            let href = self.page.attribute("href", &address);
            self.page.open(&format!("<a{href}>"), "</a>");
        } else {
            self.page.open("", "");
        }
        self.links.push((address, self.page.len()));
    }

    /// Returns the address of a link, unless its label, which begins at `start`, shows it.
    fn unshown(&self, address: &str, start: usize) -> Option<String> {
        let address = address.strip_prefix("mailto:").unwrap_or(address);
        // The data of a picture may be spelled out.
        let is_data = address.is_empty() || address.starts_with("data:");
        (!is_data && !self.page.shows(start, address)).then(|| address.to_owned())
    }

    /// Adds a tag, or a line of HTML. Of WeCom's own tags the colour is left out, and a break is one.
    fn html(&mut self, html: &str) {
        let line = html.trim_end_matches('\n');
        let name = marks::tag(line.trim()).and_then(marks::tag_name);
        match name.as_deref().map(|name| name.trim_matches('/')) {
            Some("font") => return,
            Some("br") => return self.page.tag("<br>"),
            _ => self.page.text(line),
        }
        if line.len() < html.len() {
            self.page.tag("<br>");
        }
    }
}

fn heading(level: HeadingLevel) -> (&'static str, &'static str) {
    match level {
        HeadingLevel::H1 => ("<h1>", "</h1>"),
        HeadingLevel::H2 => ("<h2>", "</h2>"),
        HeadingLevel::H3 => ("<h3>", "</h3>"),
        HeadingLevel::H4 => ("<h4>", "</h4>"),
        HeadingLevel::H5 => ("<h5>", "</h5>"),
        HeadingLevel::H6 => ("<h6>", "</h6>"),
    }
}
