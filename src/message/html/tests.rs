use proptest::prelude::*;

use super::text;

#[test]
fn a_mail_reads_line_by_line() {
    for (html, read) in [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div>a<div>b</div></div><div>c</div>", "a\nb\nc"),
        ("  a \n\t b  <b>c</b>d<i> e</i>", "a b cd e"),
        (
            "<table><tr><td>disk</td><td>91%</td></tr><tr><td>x</td></tr></table>",
            "disk 91%\nx",
        ),
        (
            "<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>",
            "• a\n• b\n\n1. c\n2. d",
        ),
        ("<pre>a  b\n\n  c</pre>d", "a  b\n\n  c\n\nd"),
        ("a<hr>b", "a\n----------\nb"),
        ("<h1>Report</h1>all well", "Report\n\nall well"),
        ("a<br><br><br>b", "a\n\n\nb"),
        ("", ""),
    ] {
        assert_eq!(text(html), read, "{html}");
    }
}

#[test]
fn links_show_their_address_once() {
    for (html, read) in [
        (
            "see <a href=\"https://x.example/?a=1&amp;b=2\">the log</a>.",
            "see the log (https://x.example/?a=1&b=2).",
        ),
        (
            "<a class=c href = 'http://x.example'>http://x.example</a>",
            "http://x.example",
        ),
        (
            "<a href=https://x.example/><img src=a.png></a>",
            "https://x.example/",
        ),
        (
            "<a href=https://x.example><img alt='the logo' src=a></a>",
            "the logo (https://x.example)",
        ),
        (
            "<a href='mailto:a@b'>write</a> <a href='#top'>up</a> <a name=x>y</a>",
            "write up y",
        ),
        (
            "<A HREF=\"HTTPS://X.example\">a<a href=\"https://y.example\">b",
            "a (HTTPS://X.example)b (https://y.example)",
        ),
    ] {
        assert_eq!(text(html), read, "{html}");
    }
}

#[test]
fn html_without_text_to_show_is_the_text_that_it_hides_or_its_source() {
    for (html, words) in [
        ("<title>a</title><style>b</style><p></p>", "a"),
        ("<svg><title>a</title></svg>&nbsp;", "a"),
        (
            "<form><input type=submit value='a &amp; b'></form>",
            "a & b",
        ),
        ("<p><style>a<script>b<style>c", "abc"),
        ("<img src=a.png><!-- b -->", ""),
        (
            "<o:p>a</o:p> <nil> b</x> <path><path d='M0'/></path>",
            "a <nil> b</x> <path>",
        ),
        ("a<!-- b --!>c<!-- > --!> -->d<!--!> --!>e", "ac -->de"),
        (" \n", ""),
    ] {
        assert_eq!(super::words(html), words, "{html}");
        let text = if words.is_empty() { html.trim() } else { words };
        assert_eq!(super::text(html), text, "{html}");
    }
}

#[test]
fn only_content_for_programs_is_dropped() {
    for (html, read) in [
        (
            "<!DOCTYPE html><head><title>T</title><style>p > a {}</style></head>a",
            "a",
        ),
        (
            "a<script>if (a < b) '</p>'</SCRIPT >b<!-- <p> -- > -->c",
            "abc",
        ),
        ("a<style>never ends", "anever ends"),
        ("<noscript>a</noscript>b", "ab"),
        ("a<![CDATA[<b>]]>c<![CDATA[d", "a<b>c<![CDATA[d"),
        ("1 < 2 && 3 > 2, a<b and <3", "1 < 2 && 3 > 2, a<b and <3"),
        ("a <!-- b", "a <!-- b"),
        (
            "<a title=\"x>y\" href='https://z.example'>b</a>",
            "b (https://z.example)",
        ),
        ("<p title=\"never closed>b</p>c", "b\n\nc"),
        ("&lt;p&gt; &euro;5 a&nbsp;b", "<p> €5 a\u{a0}b"),
        ("<o:p>x</o:p><my-tag>y", "xy"),
        (
            "a<svg><defs><stop offset=0 /></defs><text x=1>label</text></svg> <nil>",
            "alabel <nil>",
        ),
        (
            "From: <b.smith@x.cn>, <https://x.cn/a>",
            "From: <b.smith@x.cn>, <https://x.cn/a>",
        ),
        ("</p", "</p"),
        (
            "&amp &#8364;&#x20ac; &#128; &#0; a=1&b=2 &nosuch;",
            "& €€ € \u{fffd} a=1&b=2 &nosuch;",
        ),
    ] {
        assert_eq!(text(html), read, "{html}");
    }
}

proptest! {
    #[test]
    fn any_html_becomes_text(html in r#"(<|>|/|a|br|li|pre|ol|"|'|=| |href|https://x|&|#|x|;|amp|!--|-->|\n|中){0,60}"#) {
        let read = text(&html);
        prop_assert!(read.len() <= 4 * html.len() + 16, "{read}");
    }

    #[test]
    fn a_text_without_markup_stays(words in "[a-z中 ]{0,40}") {
        let expected: Vec<&str> = words.split_whitespace().collect();
        prop_assert_eq!(text(&words), expected.join(" "));
    }
}
