use proptest::prelude::*;

use super::*;

fn texts(mail: &[u8]) -> (String, String) {
    let mail = Mail::parse(mail);
    (mail.subject, mail.text)
}

#[test]
fn subject_and_text_are_read_from_any_layout_and_encoding() {
    let table: &[(&[u8], &str, &str)] = &[
        (b"Subject: plain\n\nbody\n", "plain", "body\n"),
        (b"Subject: dos\r\n\r\nbody\r\n", "dos", "body\r\n"),
        (b"no head at all\nnext\n", "", "no head at all\nnext\n"),
        (b"\nSubject: body\n", "", "Subject: body\n"),
        (b"Subject: x\nno empty line\n", "x", "no empty line\n"),
        (b"From me Tue\nSubject: box\n\nbody", "box", "body"),
        (b"Subject: long\n line\n\nbody", "long line", "body"),
        (b"Subject: head alone", "head alone", ""),
        (b"", "", ""),
        ("Subject: 中文\n\n正文".as_bytes(), "中文", "正文"),
        (b"Subject: \xd6\xd0\xce\xc4\n\n\xd6\xd0", "中文", "中"),
        (b"Subject: =?gbk?B?1tDOxA==?=\n\nx", "中文", "x"),
        (b"Subject: =?GB2312?Q?=D6=D0=CE=C4?=\n\nx", "中文", "x"),
        (b"Subject: =?UTF-8?B?5Lit5paH?=\n =?UTF-8?B?5Lit?=\n\nx", "中文中", "x"),
        (b"Content-Type: text/plain; charset=gb18030\n\n\xd6\xd0", "", "中"),
        (b"Content-Type: text/plain; charset=GBK\nContent-Transfer-Encoding: base64\n\n1tDOxA==\n", "", "中文"),
        (b"Content-Type: text/plain; charset=big5\n\n\xa4\xa4", "", "中"),
        (b"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9", "", "café"),
        ("Content-Type: text/plain; charset=US-ASCII\n\n正文".as_bytes(), "", "正文"),
        ("Content-Type: text/plain; charset=ANSI_X3.4-1968\nContent-Transfer-Encoding: 8bit\n\n正文".as_bytes(), "", "正文"),
        (b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n=E4=B8=AD so=\nft", "", "中 soft"),
    ];
    for (mail, subject, text) in table {
        let expected = ((*subject).to_owned(), (*text).to_owned());
        assert_eq!(texts(mail), expected, "{}", mail.escape_ascii());
    }
}

#[test]
fn html_is_dropped_if_there_is_text_and_converted_otherwise() {
    let alternative = |plain: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n"
        )
    };
    let both = Mail::parse(alternative("plain").as_bytes());
    assert_eq!(both.text.trim(), "plain");
    assert!(both.files.is_empty(), "{:?}", both.files);
    let blank = Mail::parse(alternative(" ").as_bytes());
    assert_eq!(blank.text.trim(), "rich");
    let (_, text) = texts(
        b"Content-Type: text/html; charset=utf-8\n\n<head><style>p{}</style></head><div>a &amp; b</div><TR><td>c</td></TR>d",
    );
    let lines: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(lines, ["a", "&", "b", "c", "d"]);
    assert!(text.contains("b\n") && text.contains("c\n"), "{text:?}");
}

/// A multipart of this subtype with these parts.
fn multipart(subtype: &str, parts: &[&str]) -> Vec<u8> {
    let parts = parts.join("\n--b\n");
    format!("Content-Type: multipart/{subtype}; boundary=b\n\n--b\n{parts}\n--b--\n").into()
}

#[test]
fn all_parts_to_be_read_are_in_the_text_in_their_order() {
    for (mail, expected) in [
        (
            multipart(
                "mixed",
                &["Content-Type: text/html\n\n<p>fire</p>", "\nfooter"],
            ),
            "fire footer",
        ),
        (
            multipart(
                "mixed",
                &["\n1", "Content-Type: text/html\n\n<p>2</p>", "\n3"],
            ),
            "1 2 3",
        ),
        (
            multipart("report", &["\nfailed", "Content-Type: text/x-log\n\nlog"]),
            "failed log",
        ),
        (
            [multipart("mixed", &["\n1"]), b"\n2\n".to_vec()].concat(),
            "1 2",
        ),
        (b"Content-Type: text\n\nfire".to_vec(), "fire"),
        (b"Content-Type: text plain\n\nfire".to_vec(), "fire"),
        (b"Content-Type:\n\nfire".to_vec(), "fire"),
        ("Content-Type: charset=utf-8\n\n火".into(), "火"),
        (b"Content-Type: text/x-diff\n\n+a".to_vec(), "+a"),
    ] {
        let found = Mail::parse(&mail);
        let words: Vec<&str> = found.text.split_whitespace().collect();
        assert_eq!(words.join(" "), expected, "{}", mail.escape_ascii());
        assert!(found.files.is_empty(), "{}", mail.escape_ascii());
    }
}

#[test]
fn a_body_that_is_not_what_its_head_says_is_shown_as_it_is() {
    for mail in [
        "Content-Type: multipart/alternative; boundary=x\n\nfire",
        "Content-Type: multipart/mixed; boundary=x\n\nfire",
        "Content-Type: multipart/mixed; boundary=x\n\n--y\n\nfire\n--y--",
        "Content-Type: multipart/alternative; boundary=x\n\n--x\n\nfire",
        "Content-Type: multipart/alternative; boundary=x\n\nfire\n--x--",
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\nfire\n--x--",
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n<p>fire</p>\n--x--",
        "Subject: a\r\rfire\r",
    ] {
        let found = Mail::parse(mail.as_bytes());
        assert!(found.text.contains("fire"), "{mail:?}: {:?}", found.text);
    }
    let blank = multipart("mixed", &["Content-Type: text/plain\n\n "]);
    assert_eq!(Mail::parse(&blank).text.trim(), "");
    let picture = multipart(
        "related",
        &["Content-Type: text/html\n\n<img\nsrc='cid:1'>"],
    );
    assert_eq!(Mail::parse(&picture).text.trim(), "");
}

#[test]
fn bytes_count_for_more_than_a_wrong_charset() {
    let in_base64 = "Content-Transfer-Encoding: base64\n";
    for (charset, more, body) in [
        ("utf-8", "", &b"\xd6\xd0\xce\xc4\xb1\xb8\xb7\xdd"[..]),
        ("gb2312", "", "中文备份".as_bytes()),
        ("iso-2022-jp", "", "中文备份".as_bytes()),
        ("iso-8859-1", "", "中文备份".as_bytes()),
        ("us-ascii", in_base64, b"1tDOxLG4t90="),
        ("utf-8", in_base64, b"1tDOxLG4t90="),
        ("gbk", in_base64, b"1tDOxLG4t90="),
        ("gbk", in_base64, b"5Lit5paH5aSH5Lu9"),
    ] {
        let head = format!("Content-Type: text/plain; charset={charset}\n{more}\n");
        let found = Mail::parse(&[head.as_bytes(), body].concat());
        assert_eq!(found.text.trim(), "中文备份", "{charset} {more}");
    }
    let cut = "Content-Type: text/plain; charset=utf-8\n\n中文".as_bytes();
    assert_eq!(Mail::parse(&cut[..cut.len() - 1]).text, "中");
}

#[test]
fn an_attached_text_keeps_its_bytes() {
    let csv = b"\xd6\xd0,1\r\n";
    let parts = |encoding: &str, body: &[u8]| {
        let head = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: text/csv; charset=utf-8\nContent-Disposition: attachment; filename=a.csv\nContent-Transfer-Encoding: {encoding}\n\n"
        );
        [head.as_bytes(), body, b"\n--b--\n"].concat()
    };
    for mail in [
        parts("8bit", csv),
        parts("base64", b"1tAsMQ0K"),
        parts("quoted-printable", b"=D6=D0,1=0D=0A="),
    ] {
        let found = Mail::parse(&mail);
        assert_eq!(found.files[0].bytes, csv, "{}", mail.escape_ascii());
    }
}

#[test]
fn attachments_are_files_with_names() {
    let mail = Mail::parse(include_bytes!("../../../tests/it/mails/mixed.eml"));
    assert_eq!(mail.text.trim(), "see the files");
    let files: Vec<(&str, &[u8])> = mail
        .files
        .iter()
        .map(|it| (it.name.as_str(), &it.bytes[..]))
        .collect();
    assert_eq!(
        files,
        [
            ("报告.csv", &b"a,b\n1,2\n3,4"[..]),
            ("attachment-2.png", b"\x89PNG\r\n\x1a\n"),
            ("attachment-3.eml", b"Subject: inner\n\nforwarded text"),
        ]
    );
}

#[test]
fn recipients_are_all_of_to_cc_and_bcc() {
    let mail = Mail::parse(
        b"To: root, \"Doe, J\" <jdoe@example.com>\nCc: ops@localhost\nBcc: <x@y>\nTo: again\n\nbody",
    );
    let mut found = mail.recipients;
    found.sort();
    assert_eq!(
        found,
        ["again", "jdoe@example.com", "ops@localhost", "root", "x@y"]
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_mail(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        Mail::parse(&bytes);
        let typed = [b"Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n", &*bytes, b"\n--b--\n"];
        Mail::parse(&typed.concat());
    }
}
