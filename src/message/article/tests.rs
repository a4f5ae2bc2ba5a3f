use super::*;

const NOTE: &str = "…cut & attached";

/// Returns title, digest and content of a text, and whether it is whole.
fn made(kind: TextKind, text: &str, hide: Hide<'_>) -> ([String; 3], bool) {
    let source = ArticleSource {
        kind,
        text,
        incomplete: false,
        name: "message",
        note: NOTE,
        hide,
    };
    let (content, is_whole) = source.article();
    let Content::Mpnews(Mpnews { articles: [it] }) = content else {
        panic!("it is an article");
    };
    ([it.title, it.digest, it.content], is_whole)
}

fn article(kind: TextKind, text: &str) -> [String; 3] {
    made(kind, text, &|_| ()).0
}

fn html(markdown: &str) -> String {
    let [.., content] = article(TextKind::Markdown, &format!("# T\n{markdown}"));
    content
}

#[test]
fn each_mark_becomes_its_element() {
    for (markdown, expected) in [
        ("## a\n###### b", "<h2>a</h2><h6>b</h6>"),
        ("a\nb  \nc\n\nd", "<p>a<br>b<br>c</p><p>d</p>"),
        (
            "*a* **b** ~~c~~ `d<e`",
            "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>",
        ),
        (
            "- a\n  1. b\n  2. c\n- [x] d\n- [ ] e",
            "<ul><li>a<ol><li>b</li><li>c</li></ol></li><li>☑ d</li><li>☐ e</li></ul>",
        ),
        ("7. a", "<ol start=\"7\"><li>a</li></ol>"),
        (
            "| a | b |\n|--:|:-:|\n| 1 | 2 |",
            "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\"><tr><th align=\"right\">a</th>\
             <th align=\"center\">b</th></tr><tr><td align=\"right\">1</td><td align=\"center\">2</td></tr></table>",
        ),
        (
            "```sh\nif  a; [b](c)\n  # *d*\n```",
            "<pre style=\"white-space:pre-wrap\"><code>if  a; [b](c)\n  # *d*\n</code></pre>",
        ),
        (
            "> a\n> > b\n\n---",
            "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><hr>",
        ),
        ("&lt;a&gt; &copy; \"'", "<p>&lt;a&gt; © &quot;&#39;</p>"),
        ("<font color=\"info\">ok</font> a<br>b", "<p>ok a<br>b</p>"),
        ("<@zhangsan>", "<p>&lt;@zhangsan&gt;</p>"),
    ] {
        assert_eq!(html(markdown), expected, "{markdown}");
    }
}

#[test]
fn only_addresses_that_a_tap_may_open_are_links() {
    for (markdown, expected) in [
        (
            "[a](https://x.y/?a&b=\"c)",
            "<a href=\"https://x.y/?a&amp;b=&quot;c\">a</a> (https://x.y/?a&amp;b=&quot;c)",
        ),
        ("<http://x.y>", "<a href=\"http://x.y\">http://x.y</a>"),
        ("<me@x.y>", "<a href=\"mailto:me@x.y\">me@x.y</a>"),
        ("[a](HTTPS://x)", "<a href=\"HTTPS://x\">a</a> (HTTPS://x)"),
        ("[a](javascript:alert(1))", "a (javascript:alert(1))"),
        ("[a](&#106;avascript:b)", "a (javascript:b)"),
        ("[a](data:text/html,b)", "a"),
        ("[a](/etc/passwd)", "a (/etc/passwd)"),
        (
            "![a](https://x/p.png)",
            "<a href=\"https://x/p.png\">a</a> (https://x/p.png)",
        ),
        (
            "[![a](https://p)](https://x)",
            "<a href=\"https://x\">a (https://p)</a> (https://x)",
        ),
    ] {
        assert_eq!(html(markdown), format!("<p>{expected}</p>"), "{markdown}");
    }
}

#[test]
fn html_is_shown_and_never_obeyed() {
    for markdown in [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<div style=\"position:fixed\">\n\n*a*\n\n</div>",
        "<!-- a --> <?php b ?> <![CDATA[c]]>",
        "[a](https://x \"><script>\") [b](<https://x\"onclick=\"c>)",
        "```\"><script>\na\n```",
        "&#60;script&#62; \u{0}&#0;&#27;[31m",
        "<font color=\"info\" onclick=\"a\"><script>",
    ] {
        let content = html(markdown);
        for tag in content.split('<').skip(1) {
            let ours = [
                "p>",
                "/p>",
                "pre style=\"white-space:pre-wrap\">",
                "/pre>",
                "code>",
                "/code>",
                "em>",
                "/em>",
                "br>",
                "a href=\"https://x\">",
                "/a>",
                "a href=\"https://x&quot;onclick=&quot;c\">",
            ];
            assert!(ours.iter().any(|it| tag.starts_with(it)), "<{tag}");
        }
        assert!(
            !content.contains(|it: char| it.is_control() && it != '\n'),
            "{content:?}"
        );
    }
}

#[test]
fn a_text_keeps_its_lines_and_spaces() {
    let [title, digest, content] = article(
        TextKind::Text,
        "# disk & more\nName   Size\n\tx <b>\n\n\n\na *b* [c](d)\n",
    );
    assert_eq!(title, "# disk & more");
    assert_eq!(digest, "Name   Size\nx <b>\na *b* [c](d)");
    assert_eq!(
        content,
        "<p>Name \u{a0}\u{a0}Size<br>\u{a0}\u{a0}\u{a0}\u{a0}x &lt;b&gt;</p><p>a *b* [c](d)</p>"
    );
}

#[test]
fn the_title_is_the_first_line_with_words_and_what_is_cut_of_it_stays() {
    let long = "好".repeat(43);
    for (kind, text, title, content) in [
        (TextKind::Text, "\n\nT\nb", "T", "<p>b</p>"),
        (TextKind::Text, "T", "T", "<p>T</p>"),
        (TextKind::Text, "---\n***", "message", "<p>---<br>***</p>"),
        (TextKind::Text, "---\nT\nb", "T", "<p>---<br>T<br>b</p>"),
        (
            TextKind::Markdown,
            "### T **b** `c`\nd",
            "T b c",
            "<p>d</p>",
        ),
        (
            TextKind::Markdown,
            "T **b**\nd",
            "T b",
            "<p>T <strong>b</strong><br>d</p>",
        ),
        (TextKind::Markdown, "#T\nd", "#T", "<p>#T<br>d</p>"),
        (
            TextKind::Markdown,
            "- T\n- d",
            "- T",
            "<ul><li>T</li><li>d</li></ul>",
        ),
    ] {
        let [found, _, html] = article(kind, text);
        assert_eq!((&*found, &*html), (title, content), "{text}");
    }
    // 42 characters of 3 bytes are 126, and the mark takes 3.
    let [title, _, content] = article(TextKind::Text, &format!("{long}\nb"));
    assert_eq!(title, format!("{}…", "好".repeat(41)));
    assert_eq!(content, format!("<p>{long}<br>b</p>"));
    let just = format!("{}xx", "好".repeat(42));
    assert_eq!(article(TextKind::Text, &format!("{just}\nb"))[0], just);
    // A family is one character as people see it.
    let family = "👨‍👩‍👧‍👦".repeat(9);
    let [title, ..] = article(TextKind::Text, &format!("{family}\nb"));
    assert_eq!(title, format!("{}…", "👨‍👩‍👧‍👦".repeat(5)));
}

#[test]
fn a_digest_ends_at_its_limit() {
    let [_, digest, _] = article(TextKind::Text, &format!("T\n{}", "x".repeat(512)));
    assert_eq!(digest.len(), 512);
    let [_, digest, _] = article(TextKind::Text, &format!("T\n{}", "x".repeat(513)));
    assert_eq!(digest, "x".repeat(509) + "…");
    let [_, digest, _] = article(TextKind::Markdown, "# T\n\n## a\n\n- **b** [c](d)\n");
    assert_eq!(digest, "【a】\n- b c (d)");
}

#[test]
fn content_ends_at_its_limit_and_what_is_open_is_closed() {
    let note = "<p>…cut &amp; attached</p>";
    let room = CONTENT_MAX - note.len() - "<p></p>".len();
    for (size, is_whole) in [(room, true), (room + 1, false)] {
        let text = format!("T\n{}", "x".repeat(size));
        let ([.., content], whole) = made(TextKind::Text, &text, &|_| ());
        assert_eq!(whole, is_whole, "{size}");
        let end = if is_whole {
            "</p>"
        } else {
            "x</p><p>…cut &amp; attached</p>"
        };
        assert!(content.ends_with(end) && content.len() <= CONTENT_MAX);
    }
    let rows = "| **a** | `b` |\n".repeat(60_000);
    let markdown = format!(
        "# T\n> - | c | d |\n>   |---|---|\n>   {}",
        rows.replace('\n', "\n>   ")
    );
    let ([.., content], whole) = made(TextKind::Markdown, &markdown, &|_| ());
    assert!(!whole && content.len() <= CONTENT_MAX && content.len() > CONTENT_MAX - 64);
    let end = format!("</table></li></ul></blockquote>{note}");
    assert!(
        content.ends_with(&end),
        "{}",
        &content[content.len() - 200..]
    );
    assert_eq!(
        content.matches("<td>").count(),
        content.matches("</td>").count()
    );
}

#[test]
fn hostile_markdown_takes_linear_time_and_little_more_than_its_text() {
    for pattern in [
        "*",
        "* ",
        "a***",
        "[ (](",
        "[*_a",
        "a <![CDATA[",
        "a <?",
        "<>",
        "`a``",
        "[](",
        "[a](<b",
        ">",
        "> ",
        "- ",
        "1. ",
        "|",
        "| a | b |\n",
        "&",
        "&lt;",
        "![",
        "[a]: b\n",
        "[a",
        "**a ",
        "a**",
        "~~a ",
        "```\n",
        "\t",
        "\n",
        "<b>",
        "<!--",
        "[a][",
        "a|b\n-|-\n",
        "[![a](b)](c) ",
    ] {
        let text = format!("T\n{} a", pattern.repeat((1 << 17) / pattern.len()));
        let [.., content] = article(TextKind::Markdown, &text);
        assert!(content.len() <= CONTENT_MAX, "{pattern}");
        let opened = content.matches("<p>").count();
        assert_eq!(opened, content.matches("</p>").count(), "{pattern}");
    }
    let deep = format!("{}a", ">".repeat(10_000));
    assert_eq!(html(&deep).matches("<blockquote>").count(), 32);
}

#[test]
fn a_secret_that_entities_spell_is_hidden_wherever_it_is() {
    let hide = |text: &mut String| *text = text.replace("p&ss", "[hidden]");
    let markdown = "# p&amp;ss\np&#38;ss `p&ss` [a](https://x/p&amp;ss)\n\n    p&ss";
    let (texts, _) = made(TextKind::Markdown, markdown, &hide);
    for text in texts {
        assert!(!text.contains("ss") && text.contains("[hidden]"), "{text}");
    }
}
