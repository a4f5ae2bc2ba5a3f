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
        (b"  \nSubject: blank before\n\nbody\n", "blank before", "body\n"),
        (b"  indented: text\n", "", "  indented: text\n"),
        (b"Error: disk full\n", "", "Error: disk full\n"),
        (b"Warning: a\nsee\n\nb", "", "Warning: a\nsee\n\nb"),
        (b"X-Mailer: a\n\nb", "", "b"),
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
        "Content-Type: multipart/mixed; boundary=x\n\n--y\ncontent-type: text/plain\n\nfire\n--x\n\na\n--x--",
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
    let mail = Mail::parse(&[b"Subject: see\n", &*picture].concat());
    assert_eq!(mail.text.trim(), "", "its subject and a picture");
    assert_eq!(Mail::parse(&picture).text, "<img\nsrc='cid:1'>");
}

#[test]
fn lines_that_look_like_fields_are_text_where_there_is_no_other_or_no_empty_line() {
    let part = |lines: &str| String::from_utf8(multipart("mixed", &[lines])).unwrap();
    for (mail, text) in [
        ("To: root\nError: fire\n".to_owned(), "Error: fire\n"),
        (
            "Error: fire\n at 9\nTo: root\n\n".to_owned(),
            "Error: fire\n at 9\n",
        ),
        (
            "X-ALERT: fire\nHost: db1".to_owned(),
            "X-ALERT: fire\nHost: db1",
        ),
        (
            "Subject: s\nX-Mailer: m\nStatus: fire\n\n".to_owned(),
            "Status: fire\n",
        ),
        (
            "Subject: s\nError: fire\nsee log".to_owned(),
            "Error: fire\nsee log",
        ),
        (
            "Subject: s\nX-Mailer: m\nUser-Agent: u\nAuto-Submitted: a\n\n \n".to_owned(),
            " \n",
        ),
        (
            "Subject: s\nThread-Index: a\nError: b\n\ntext".to_owned(),
            "Error: b\ntext",
        ),
        (
            "Subject: s\nERROR: disk full\n  on sda1\nDKIM-Signature: c\nUsage: 100%\nContent-Transfer-Encoding: base64\n\nZmlyZQ==\n".to_owned(),
            "ERROR: disk full\n  on sda1\nUsage: 100%\nfire",
        ),
        (
            "Received: a\nSubject: s\nAutocrypt: b\nOrganization: c\nLines: 1\nX-a: d\nBIMI-Selector: e\nImportance: f\nmsip_labels:\n\ntext".to_owned(),
            "text",
        ),
        (
            "From: x\nTo: y\nDate: z\nContent-Type: text/plain\n\n".to_owned(),
            "",
        ),
        (part("Content-Type: text/plain\nALERT: fire"), "ALERT: fire"),
        (
            part("Content-Type: text/html\nALERT: <b>fire</b>\n<br>now"),
            "ALERT: fire\nnow",
        ),
        (part("Content-Type: text/plain\n\n"), ""),
    ] {
        assert_eq!(Mail::parse(mail.as_bytes()).text, text, "{mail:?}");
    }
    let parts = multipart("mixed", &["Content-Type: text/html\n\n<p>now"]);
    let mail = Mail::parse(&[b"ALERT: fire\nTo: root\n", &*parts].concat());
    assert_eq!(mail.text, "ALERT: fire\nnow");
    let file = "Content-Disposition: attachment; filename=a.txt\nX-Attachment-Id: 1\nALERT: fire";
    assert_eq!(
        Mail::parse(part(file).as_bytes()).files[0].bytes,
        b"ALERT: fire"
    );
}

#[test]
fn a_text_that_its_head_does_not_fit_is_shown_as_it_is() {
    let encoded = "Content-Transfer-Encoding: base64\n";
    for (head, body, text) in [
        (encoded, "A", "A"),
        (encoded, "Cg==", "\n"),
        ("Content-Type: text/plain; charset=utf-7\n", "+A-", "+A-"),
        (
            "Content-Type: multipart/mixed; boundary=\"\"\n",
            "a\n-- \nb",
            "a\n-- \nb",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n",
            "a: c\n--b\n\n\n--b--",
            "a: c\n",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n",
            "fire\n--b\nContent-Type: application/pdf\n\n%PDF\n--b--",
            "fire\n",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n",
            "A message in MIME format.\n--b\nContent-Type: application/pdf\n\n%PDF\n--b--",
            "",
        ),
        ("Content-Type: text/html\n", "<title>a</title><p>", "a"),
    ] {
        let mail = format!("Subject: s\n{head}\n{body}");
        assert_eq!(Mail::parse(mail.as_bytes()).text, text, "{mail:?}");
    }
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
        ("UTF-7", "", b"+Ti1lh1kHTv0-"),
        ("utf-16", "", b"\xfe\xff\x4e\x2d\x65\x87\x59\x07\x4e\xfd"),
        ("utf-16", "", b"\xff\xfe\x2d\x4e\x87\x65\x07\x59\xfd\x4e"),
        ("utf-16be", "", b"\x4e\x2d\x65\x87\x59\x07\x4e\xfd"),
    ] {
        let head = format!("Content-Type: text/plain; charset={charset}\n{more}\n");
        let found = Mail::parse(&[head.as_bytes(), body].concat());
        assert_eq!(found.text.trim(), "中文备份", "{charset} {more}");
    }
    for (bytes, text) in [
        (&b"Fr\xf6sche, \xfcber"[..], "Frösche, über"),
        (b"caf\xe9", "café"),
        (b"ok \xd6\xd0\xce\xc4 \xb1", "ok 中文 \u{fffd}"),
        ("中文\u{e9}".as_bytes(), "中文é"),
        (b"\xe4\xb8\xad\xe6\x96\x87 \xff", "中文 \u{fffd}"),
    ] {
        let head = &b"Content-Type: text/plain; charset=utf-8\n\n"[..];
        assert_eq!(Mail::parse(&[head, bytes].concat()).text, text);
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

/// A mail with one file, whose head has these fields.
fn with_file(fields: &[u8], body: &[u8]) -> Vec<u8> {
    let head = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n";
    [head, fields, b"\n\n", body, b"\n--b--\n"].concat()
}

#[test]
fn names_of_files_are_read_in_any_encoding() {
    for (fields, name) in [
        (&b"filename=\"\xd0\xc2 \xbd\xa8.txt\""[..], "新 建.txt"),
        (b"filename=\xd0\xc2.txt", "新.txt"),
        // The second byte of a character of GBK may be a backslash.
        (b"filename=\"\xd0\xc2\xe3\\.txt\"; a=b", "新鉢.txt"),
        ("filename=\"新.txt\"".as_bytes(), "新.txt"),
        (b"filename*=utf-8''%D0%C2.txt", "新.txt"),
        (b"filename*=gbk''%E6%96%B0.txt", "新.txt"),
        (b"filename*=%E6%96%B0.txt", "新.txt"),
        (b"filename=\"%E6%96%B0%20a.txt\"", "新 a.txt"),
        (b"filename=\"%D0%C2.txt\"", "新.txt"),
        (b"filename=\"100%25 a%20b.txt\"", "100%25 a%20b.txt"),
        (b"filename=\"50%DF.txt\"", "50%DF.txt"),
        (b"filename=a.txt; filename*=utf-8''%E6%96%B0.txt", "新.txt"),
        (b"filename*=utf-8''%E6%96%B0.txt; filename=a.txt", "新.txt"),
        (
            b"filename*1*=%96%B0;\n filename*0*=utf-8'zh'%E6;filename*2=.txt",
            "新.txt",
        ),
        (b"filename*0=\"a b\"; filename*1=.txt", "a b.txt"),
        (
            b"filename=\"=?utf-8?B?5paw?= =?utf-8?Q?=E5=BB=BA?=.txt\"",
            "新建.txt",
        ),
        (b"filename=\"=?gbk?B?5paw?=.txt\"", "新.txt"),
        (b"filename=\"=?utf-8?Q?=D0=C2.txt?=\"", "新.txt"),
        (b"filename=my report.txt; size=3", "my report.txt"),
        (b"filename=\"a;b\\\"c.txt\"", "a;b\"c.txt"),
        (b"filename=\"C:\\dir\\a.txt\"", "C:\\dir\\a.txt"),
        (b"filename = \"never closed.txt", "never closed.txt"),
        (b"size=1;;\n\tFileName=a.txt ;", "a.txt"),
        (b"filename=\"\"", "attachment-1.pdf"),
    ] {
        let start = b"Content-Type: application/pdf\nContent-Disposition: attachment; ";
        let mail = Mail::parse(&with_file(&[start, fields].concat(), b"x"));
        assert_eq!(mail.files[0].name, name, "{}", fields.escape_ascii());
    }
    let named = b"Content-Type: text/plain; name=\"from type.txt\"";
    assert_eq!(
        Mail::parse(&with_file(named, b"x")).files[0].name,
        "from type.txt"
    );
}

#[test]
fn a_file_without_a_name_has_the_extension_of_its_type() {
    for (kind, name) in [
        ("text/calendar; method=REQUEST", "attachment-1.ics"),
        ("message/rfc822", "attachment-1.eml"),
        ("image/png", "attachment-1.png"),
        ("application/x-something", "attachment-1.bin"),
    ] {
        let mail = with_file(format!("Content-Type: {kind}").as_bytes(), b"x");
        assert_eq!(Mail::parse(&mail).files[0].name, name);
    }
}

#[test]
fn a_file_is_read_as_far_as_its_encoding_holds() {
    for (encoding, body, bytes) in [
        ("base64", &b"Q2F0\nRG9n"[..], &b"CatDog"[..]),
        ("Base64", b"Q2E=\nRG8=", b"CaDo"),
        ("base64 (rfc)", b"Q2F0\n!RG9n", b"CatDog"),
        ("base64", b"no base64!", b"no base64!"),
        ("base64", b"Q2F0R", b"Cat"),
        (
            "quoted-printable",
            b"a=3Db=\r\nc =\nd=zz  \r\n=",
            b"a=bc d=zz\r\n",
        ),
        ("7bit", b"a=3D", b"a=3D"),
    ] {
        let head =
            format!("Content-Disposition: attachment\nContent-Transfer-Encoding: {encoding}");
        let found = Mail::parse(&with_file(head.as_bytes(), body));
        let read = found.files[0].bytes.escape_ascii().to_string();
        assert_eq!(read, bytes.escape_ascii().to_string(), "{encoding}");
    }
}

#[test]
fn a_text_behind_base64_is_shown_as_it_is() {
    let head = "Content-Transfer-Encoding: base64\n\n";
    for (body, expected) in [
        ("Q2F0\nRG9n\n-- \nfooter", "CatDog\n-- \nfooter"),
        ("Q2F0Cg==\nfooter", "Cat\n\nfooter"),
        ("Q2F0Cg== footer", "Cat\n\nfooter"),
        ("Q2F0Cg==\n\n", "Cat\n"),
    ] {
        let found = Mail::parse(format!("{head}{body}").as_bytes());
        assert_eq!(found.text, expected);
    }
}

#[test]
fn uuencoded_files_are_files_and_the_text_around_stays() {
    let code = "begin 644 cat.txt\n#0V%T\n`\nend\n";
    let within = format!("Subject: x\n\nsee\n{code}bye\n");
    let encoded = format!(
        "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nsee\n{code}bye\n"
    );
    let attached = with_file(
        b"Content-Disposition: attachment; filename=cat.txt\nContent-Transfer-Encoding: x-uuencode",
        code.as_bytes(),
    );
    let unnamed = with_file(
        b"Content-Type: application/pdf\nContent-Transfer-Encoding: x-uue",
        code.as_bytes(),
    );
    for (mail, text) in [
        (within.as_bytes(), "see\nbye\n"),
        (encoded.as_bytes(), "see\nbye\n"),
        (&attached, "see"),
        (&unnamed, "see"),
    ] {
        let found = Mail::parse(mail);
        assert_eq!(found.text, text, "{}", mail.escape_ascii());
        let [file] = &found.files[..] else {
            panic!("one file in {}", mail.escape_ascii());
        };
        assert_eq!((&*file.name, &*file.bytes), ("cat.txt", &b"Cat"[..]));
    }
    let broken = "see\nbegin 644 cat.txt\n#0V\nno code\nend\n";
    assert_eq!(
        Mail::parse(format!("Subject: x\n\n{broken}").as_bytes()).text,
        broken
    );
}

#[test]
fn what_a_mail_server_reports_is_text() {
    for kind in [
        "message/delivery-status",
        "text/rfc822-headers",
        "message/feedback-report",
    ] {
        let part = format!("Content-Type: {kind}\n\nAction: failed");
        let found = Mail::parse(&multipart("report", &["\nsorry", &part]));
        assert_eq!(found.text, "sorry\nAction: failed", "{kind}");
        assert!(found.files.is_empty(), "{kind}");
    }
}

#[test]
fn encoded_words_are_joined_before_they_are_decoded() {
    for (field, subject) in [
        ("=?utf-8?B?5Lg=?= =?UTF-8?Q?=AD?=", "中"),
        ("=?gbk?Q?=D6?=\n =?gbk?Q?=D0?= x", "中 x"),
        ("=?utf-8*zh?Q?a_b?= c =?utf-8?Q?d?=", "a b c d"),
        ("=?utf-8?Q?a?= =?gbk?Q?=D6=D0?=", "a中"),
        ("=?utf-8?Q?a b?=", "a b"),
        ("=?utf-8?X?a?= =?utf-8? =?", "=?utf-8?X?a?= =?utf-8? =?"),
        ("=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
        ("50=? yes?=", "50=? yes?="),
    ] {
        let mail = format!("Subject: {field}\n\nx");
        assert_eq!(Mail::parse(mail.as_bytes()).subject, subject, "{field}");
    }
}

#[test]
fn a_wrapped_text_is_joined_and_empty_lines_of_html_are_empty() {
    for (mail, text) in [
        (
            "Content-Type: text/plain; format=Flowed\n\none \ntwo\n> a \n> b\n",
            "one two\n> a b\n",
        ),
        (
            "Content-Type: text/plain; format=flowed; delsp=yes\n\n中 \n文\n",
            "中文\n",
        ),
        ("Content-Type: text/plain\n\none \ntwo\n", "one \ntwo\n"),
        (
            "Content-Type: text/html\n\n<p>a</p><p>&nbsp;</p><p>&nbsp;b&nbsp;</p><div>&nbsp;</div><div>c</div>",
            "a\n\n\u{a0}b\u{a0}\n\nc",
        ),
        (
            "Content-Type: text/plain\n\na\n\u{a0}\n\u{a0} \nb",
            "a\n\nb",
        ),
    ] {
        assert_eq!(Mail::parse(mail.as_bytes()).text, text, "{mail}");
    }
}

#[test]
fn alternatives_are_one_text_and_the_best_that_is_not_blank() {
    let plain = "Content-Type: text/plain\n\nplain";
    let html = "Content-Type: text/html\n\n<p>html</p>";
    let alert =
        "Content-Type: text/html\n\n<p>Disk sda1 of web1 is full: no more mail is taken there</p>";
    let rich = "Content-Type: text/enriched\n\nrich";
    let calendar = "Content-Type: text/calendar\n\nBEGIN";
    let nested = "Content-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>nested</p>\n--c\nContent-Type: image/png\n\nx\n--c--";
    for (parts, text, files) in [
        (&[html, plain][..], "plain", 0),
        (&[rich, html], "html", 0),
        (&[rich], "rich", 0),
        (&[plain, html, calendar], "plain", 1),
        (
            &[plain, "Content-Type: text/plain; format=flowed\n\n plain "],
            "plain",
            0,
        ),
        (
            &["Content-Type: text/plain\n\n \u{a0}", nested],
            "nested",
            1,
        ),
        (&[plain, nested], "plain", 1),
        (&[plain, html, "\nmore", plain], "plain\nmore\nplain", 0),
        (&[plain, plain, html, html], "plain", 0),
        (&[html, "Content-Type: text/html\n\nlast"], "last", 0),
        (
            &["Content-Type: text/plain\n\nView in browser", alert],
            "View in browser\nDisk sda1 of web1 is full: no more mail is taken there",
            0,
        ),
        (
            &["Content-Type: text/plain\n\nDisk sda1\nof web1", alert],
            "Disk sda1 of web1 is full: no more mail is taken there",
            0,
        ),
    ] {
        let found = Mail::parse(&multipart("alternative", parts));
        assert_eq!(
            (&*found.text, found.files.len()),
            (text, files),
            "{parts:?}"
        );
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

#[test]
fn a_mail_that_is_resent_is_for_its_new_recipients() {
    for (head, recipients) in [
        ("To: a\nCc: b\nResent-To: c\n", &["c"][..]),
        ("To: a\nResent-Bcc: c\nresent-cc: d, e\n", &["d", "e", "c"]),
        ("Resent-From: x\nTo: a\n", &["a"]),
        ("To : a\nCc\t:b\n", &["a", "b"]),
        ("Received: x\nTo:\n a,\n\tb\n", &["a", "b"]),
        (
            "To: a\nStatus: RO\nPath: x!y\nExpires: 1\nacceptlanguage: zh\n",
            &["a"],
        ),
    ] {
        let found = Mail::parse(format!("{head}\nbody").as_bytes());
        assert_eq!(found.recipients, recipients, "{head}");
        assert_eq!(found.text, "body", "{head}");
    }
}

proptest! {
    #[test]
    fn nothing_of_a_text_is_lost_in_any_mime(
        head in r#"(Content-Type: (text/plain|text|multipart/(mixed|related|x); ?boundary="?b"?|message/x|x)\n)?(Content-Transfer-Encoding: (7bit|quoted-printable|base64)\n)?"#,
        lines in r"((--b(--)?|--c|Content-Type: text/plain; format=flowed||begin 644 a|end|> x )\n){0,9}",
    ) {
        let mail = format!("Subject: s\n{head}\n{lines}the, words\n--b--\n");
        let found = Mail::parse(mail.as_bytes());
        let bytes = found.files.iter().flat_map(|file| file.bytes.clone()).collect::<Vec<u8>>();
        let all = format!("{}{}", found.text, String::from_utf8_lossy(&bytes));
        prop_assert!(all.contains("the, words"), "{found:?}");
    }

    #[test]
    fn any_bytes_are_a_mail(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        Mail::parse(&bytes);
        let typed = [b"Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n", &*bytes, b"\n--b--\n"];
        Mail::parse(&typed.concat());
    }
}
