//! Mails as they come: what of them a person reads, and what becomes of the rest.

use std::io::Write;
use std::process::Stdio;

use crate::standin::Standin;
use crate::support::{Sandbox, for_each, holds_files, peak, texts, warns_once};

/// A sandbox whose mails go to zhangsan.
fn mailing(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.configure("touser = \"zhangsan\"");
    sandbox
}

/// What a mail comes to on the phone.
#[track_caller]
fn read(mail: &str) -> String {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    sandbox.wxpush("sendmail -i root").stdin(mail).exits(0);
    texts(&standin, "zhangsan").remove(0)
}

#[test]
fn who_wrote_is_shown_unless_it_is_this_host() {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = name.trim();
    let own = format!("smartd <root@{host}>");
    let longer = format!("root@{host}.corp.example.com");
    for_each(
        [
            (
                "From: Alice <alice@example.com>",
                "发件人：Alice <alice@example.com>\n",
            ),
            (
                "From: =?utf-8?B?5byg5LiJ?= <z@example.com>",
                "发件人：张三 <z@example.com>\n",
            ),
            ("From: alice@example.com", "发件人：alice@example.com\n"),
            ("From: root (Cron Daemon)", ""),
            (&format!("From: {own}"), ""),
            (&format!("From: {longer}"), ""),
            ("From: www-data@localhost", ""),
            ("X-Y: y", ""),
            (
                "From: www-data@localhost\nReply-To: \"Bob\" <bob@example.com>",
                "回复至：Bob <bob@example.com>\n",
            ),
            (
                "From: blog@example.com\nReply-To: bob@example.com",
                "发件人：blog@example.com\n回复至：bob@example.com\n",
            ),
            (
                "From: bob@example.com\nReply-To: bob@example.com",
                "发件人：bob@example.com\n",
            ),
            ("From: in.the@text.example", ""),
        ],
        |(fields, lines)| {
            let mail = format!("Subject: s\n{fields}\n\nhello in.the@text.example\n");
            let expected = format!("s\n{lines}hello in.the@text.example");
            assert_eq!(read(&mail), expected, "{fields}");
        },
    );
}

#[test]
fn names_of_files_arrive_as_they_are_meant() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let mut mail = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee".to_vec();
    let names: [&[u8]; 4] = [
        b"filename=\"\xd0\xc2.txt\"",
        b"filename=\"%E6%96%B0.csv\"",
        b"filename=\"x.txt\"; filename*=utf-8''%E6%96%B0.pdf",
        b"filename=\"=?gbk?Q?=E6=96=B0?=.log\"",
    ];
    for name in names {
        mail.extend(b"\n--b\nContent-Type: application/x\nContent-Disposition: attachment; ");
        mail.extend([name, b"\n\n0123456789"].concat());
    }
    mail.extend(b"\n--b--\n");
    sandbox.wxpush("sendmail root").stdin(mail).is_silent();
    let expected = ["新.txt", "新.csv", "新.pdf", "新.log"];
    let expected = expected.map(|name| (name, &b"0123456789"[..]));
    holds_files(&standin, "zhangsan", &expected);
}

#[test]
fn very_many_files_are_one_line_and_twenty_names() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let part = |name: &str| format!("\n--b\nContent-Disposition: attachment; filename={name}\n\n");
    let parts: String = (0..5000).map(|at| part(&format!("{at}.pdf"))).collect();
    let mail = format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee{parts}");
    let outcome = sandbox.wxpush("sendmail root").stdin(mail).run();
    warns_once(outcome, "5000 files were not sent");
    let text = texts(&standin, "zhangsan").remove(0);
    assert!(text.starts_with("see\n（附件未发送：0.pdf"), "{text}");
    assert!(text.ends_with("（另有 4980 个附件未发送）"), "{text}");
    assert_eq!(text.lines().count(), 22);
}

#[test]
fn the_writer_of_a_mail_past_the_limit_gets_no_broken_pipe() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let run = sandbox.wxpush("sendmail -i root");
    let mut child = run.command().stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let line = "no end is in sight ".repeat(1000) + "\n";
    stdin.write_all(b"Subject: huge\n\n").unwrap();
    for _ in 0..3000 {
        stdin.write_all(line.as_bytes()).unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let text = texts(&standin, "zhangsan").remove(0);
    assert!(text.starts_with("huge\nno end"), "{text}");
    // What is past the limit takes no memory.
    let [one, more] = [30, 60].map(|mib: usize| {
        let mail = format!("Subject: huge\n\n{}", "0123456789abcde\n".repeat(mib << 16));
        let run = sandbox.wxpush("sendmail -i root").stdin(mail);
        peak(run.start(), 0)
    });
    assert!(more < one + (10 << 10), "{one} KiB, {more} KiB");
}

#[test]
fn the_hint_for_an_unknown_address_is_the_line_to_write() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let long = format!("{}@example.com", "a".repeat(40));
    for (addresses, line) in [
        ("bob@corp.cn", "\"bob@corp.cn\" = { touser"),
        (
            "b\"o\\b@corp.cn x@y.z",
            "\"b\\\"o\\\\b@corp.cn\" = { touser",
        ),
        (&long, &format!("\"{long}\" = {{ touser")),
    ] {
        let run = sandbox.wxpush(&format!("sendmail {addresses}"));
        let outcome = run.stdin("Subject: x\n\nx").exits(67);
        let first = addresses.split(' ').next().unwrap();
        outcome.says(first).says(line);
    }
    sandbox.append(&format!("[mail]\n\"{long}\" = {{ touser = \"lisi\" }}\n"));
    let run = sandbox.wxpush(&format!("sendmail {long}"));
    run.stdin("Subject: x\n\nx").is_silent();
    assert_eq!(texts(&standin, "lisi"), ["x\nx"]);
}

#[test]
fn very_many_pieces_of_values_take_no_time() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    // Each is one of its value, or all are of one: neither may be looked for among all others.
    let pieces = |name: fn(u32) -> String| {
        let pieces = (0..200_000).map(|at| format!(";\n {}=%41", name(at)));
        pieces.collect::<String>()
    };
    let (many, one) = (
        pieces(|at| format!("n{at}*1*")),
        pieces(|at| format!("n*{at}*")),
    );
    let words = "=?a?X?".repeat(200_000);
    let mail = format!(
        "Subject: s\nFrom: {words}?=\nContent-Type: multipart/mixed; boundary=b{many}\n\n--b\n\nsee\n--b\nContent-Disposition: attachment; filename*0=a{one}\n\n0123456789\n--b--\n"
    );
    sandbox.wxpush("sendmail root").stdin(mail).is_silent();
    assert_eq!(texts(&standin, "zhangsan")[0], "s\nsee");
    holds_files(&standin, "zhangsan", &[("a", b"0123456789")]);
}

#[test]
fn a_visible_text_is_never_called_empty_and_never_vanishes() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let html = |body: &str| format!("Content-Type: text/html\n\n{body}");
    for mail in [
        "To: root\n\nALERT\r \n".to_owned(),
        "To: root\n\nALERT\r\x1b[0m\n".to_owned(),
        "To: root\n\nALERT\r\x1b[K\n".to_owned(),
        "To: root\nError: ALERT\n".to_owned(),
        "To: root\nError: ALERT\n\n".to_owned(),
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nALERT: disk\n--b--".to_owned(),
        html("<title>ALERT</title>"),
        html("<noscript>ALERT</noscript>"),
        html("<input value=ALERT>"),
        html("<![CDATA[ALERT]]>"),
        html("<svg><title>ALERT</title></svg>"),
        html("<style>ALERT"),
        html("<p>a<script>ALERT"),
        "To: root\n\n\x1b]0;ALERT\x07".to_owned(),
        "Content-Transfer-Encoding: base64\nX-ALERT: 1\nA".to_owned(),
    ] {
        for subject in ["", "Subject: s\n"] {
            if mail.contains("X-ALERT") && !subject.is_empty() {
                continue;
            }
            let run = sandbox.wxpush("sendmail -i root");
            run.stdin(format!("{subject}{mail}")).is_silent();
            let text = texts(&standin, "zhangsan").pop().unwrap();
            assert!(text.contains("ALERT"), "{mail:?}: {text:?}");
        }
    }
    for mail in [
        "To: root\n\n \u{a0}\r\n\x1b[0m\n",
        "Content-Type: text/html\n\n \n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\n--b--",
    ] {
        sandbox.wxpush("sendmail root").stdin(mail).exits(65);
    }
}

#[test]
fn a_file_too_small_for_wecom_is_read_in_the_text() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let part = |name: &str, bytes: &str| {
        format!("--b\nContent-Disposition: attachment; filename={name}\n\n{bytes}\n")
    };
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}{}{}{}--b--",
        part("status.txt", "DOWN"),
        part("a.bin", "\x01\x02"),
        part("b.txt", " \n"),
        part("\"\u{202e}fdp\u{2028}.exe\"", "火\n1"),
    );
    sandbox.wxpush("sendmail root").stdin(mail).exits(0);
    let csv = "Content-Type: text/csv\n\n0,1\n";
    sandbox.wxpush("sendmail root").stdin(csv).is_silent();
    let expected = [
        "附件 status.txt：DOWN\n（附件未发送：a.bin，2 字节）\n（附件未发送：b.txt，2 字节）\n附件 -fdp-.exe：火 1",
        "附件 attachment-1.csv：0,1",
    ];
    assert_eq!(texts(&standin, "zhangsan"), expected);
}

#[test]
fn a_mail_of_very_many_lines_takes_no_more_memory_than_a_few_of_its_size() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    for (head, lines) in [
        ("text/plain", "a\n"),
        ("text/plain", "\na\n\n"),
        ("text/html", "<br>a<br>"),
    ] {
        let body = lines.repeat((8 << 20) / lines.len());
        let mail = format!("Subject: s\nContent-Type: {head}\n\n\u{a0}{body}");
        let run = sandbox.wxpush("sendmail -i root").stdin(mail);
        let peak = peak(run.start(), 0);
        assert!(peak < 110 << 10, "{head} {lines:?}: {peak} KiB");
    }
}
