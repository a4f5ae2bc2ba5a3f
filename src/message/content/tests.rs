use super::*;

#[test]
fn a_title_is_placed_by_its_kind() {
    for (kind, prefix, title, body, whole) in [
        (TextKind::Text, "", None, "b", "b"),
        (TextKind::Text, "[h] ", None, "b", "[h] b"),
        (TextKind::Text, "[h] ", Some("T"), "b", "[h] T\nb"),
        (TextKind::Text, "", Some("T"), "", "T"),
        (TextKind::Markdown, "[h] ", Some("T"), "b", "# [h] T\nb"),
        (TextKind::Markdown, "[h] ", None, "b", "[h] b"),
    ] {
        assert_eq!(kind.compose(prefix, title, body.to_owned()), whole);
    }
}

#[test]
fn each_kind_is_serialized_as_wecom_reads_it() {
    let card = Textcard {
        title: "t".to_owned(),
        description: "d".to_owned(),
        url: "https://x".to_owned(),
        btntxt: None,
    };
    let article = Article {
        title: "t".to_owned(),
        description: String::new(),
        url: "https://x".to_owned(),
        picurl: Some("https://y".to_owned()),
    };
    let media = |kind| Content::media(kind, "m".to_owned());
    for (content, expected) in [
        (
            TextKind::Text.content("你好 <a> \"q\"\n".to_owned()),
            r#"{"text":{"content":"你好 <a> \"q\"\n"}}"#,
        ),
        (
            TextKind::MarkdownV2.content("# h".to_owned()),
            r##"{"markdown_v2":{"content":"# h"}}"##,
        ),
        (media(MediaKind::Image), r#"{"image":{"media_id":"m"}}"#),
        (media(MediaKind::Voice), r#"{"voice":{"media_id":"m"}}"#),
        (media(MediaKind::Video), r#"{"video":{"media_id":"m"}}"#),
        (media(MediaKind::File), r#"{"file":{"media_id":"m"}}"#),
        (
            Content::inline(b"abc"),
            r#"{"image":{"base64":"YWJj","md5":"900150983cd24fb0d6963f7d28e17f72"}}"#,
        ),
        (
            Content::Textcard(card),
            r#"{"textcard":{"title":"t","description":"d","url":"https://x"}}"#,
        ),
        (
            Content::News(News {
                articles: [article],
            }),
            r#"{"news":{"articles":[{"title":"t","url":"https://x","picurl":"https://y"}]}}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&content).unwrap(), expected);
        let msgtype = content.msgtype().to_owned();
        let fields = serde_json::from_str(expected).unwrap();
        assert_eq!(Content::read(msgtype, fields), content);
    }
}
