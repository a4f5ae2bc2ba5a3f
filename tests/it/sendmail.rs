//! Mails on stdin: what of them lands on which phone, and how it ends.

use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::standin::{Fault, Standin};
use crate::support::{GETTOKEN, Run, SEND, Sandbox, flush, refusal, texts, waiting};

/// Names and bytes of the files that were uploaded.
fn files(standin: &Standin) -> Vec<(String, Vec<u8>)> {
    let company = standin.company();
    let uploads = company.media.uploads.iter();
    let files = uploads.map(|file| (file.filename.clone(), file.bytes.to_vec()));
    files.collect()
}

/// A sandbox whose `[mail]` has these lines, and mail for no address goes to zhangsan.
fn mailing(standin: &Standin, lines: &str) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.configure("touser = \"zhangsan\"");
    sandbox.append(&format!("\n[mail]\n{lines}"));
    sandbox
}

#[test]
fn subject_and_text_land_with_the_receivers_of_the_config() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let mail = "From: x\nTo: nobody@example.com\nSubject: Disk\n\n91% full\n.\nnever read\n";
    let run = sandbox.wxpush("sendmail -FCronDaemon -B8BITMIME -oem root");
    run.stdin(mail).is_silent();
    assert_eq!(texts(&standin, "zhangsan"), ["Disk\n91% full"]);
    assert_eq!(texts(&standin, "lisi"), [""; 0], "not everyone");
    let run = sandbox.wxpush("sendmail -oi root@localhost");
    run.stdin(mail).is_silent();
    let text = "Disk\n91% full\n.\nnever read";
    assert_eq!(texts(&standin, "zhangsan")[1], text);
}

#[test]
fn a_link_by_the_name_of_sendmail_is_one() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let link = sandbox.path("sendmail");
    symlink(sandbox.path("wxpush"), &link).unwrap();
    let run = |args: &str| {
        let words: Vec<&str> = args.split(' ').collect();
        Run::new(std::process::Command::new(&link)).args(&words)
    };
    let mail = "To: root\nSubject: linked\n\nbody";
    run("-ti").stdin(mail).is_silent();
    run("-qv root").stdin(mail).exits(64).says("flush");
    assert_eq!(texts(&standin, "zhangsan"), ["linked\nbody"]);
}

#[test]
fn addresses_lead_where_mail_of_the_config_says_and_a_foreign_one_nowhere() {
    let standin = Standin::start();
    let lines = "\"*@corp.cn\" = { touser = \"lisi\" }\n\"Root@*\" = { touser = \"wangwu\" }\n\"boss@corp.cn\" = { touser = \"wangwu\" }\n";
    let sandbox = mailing(&standin, lines);
    for (args, code, landed) in [
        ("root", 0, [0, 0, 1]),
        ("daemon", 0, [1, 0, 0]),
        ("-- A@Corp.cn b@corp.CN", 0, [0, 1, 0]),
        ("boss@corp.cn root a@corp.cn", 0, [0, 1, 1]),
        ("someone@example.com", 67, [0, 0, 0]),
        ("daemon someone@example.com", 67, [1, 0, 0]),
        ("-t", 0, [1, 1, 1]),
        ("-t x@example.com", 67, [1, 1, 1]),
    ] {
        let users = ["zhangsan", "lisi", "wangwu"];
        let before = users.map(|user| texts(&standin, user).len());
        let run = sandbox.wxpush(&format!("sendmail {args}"));
        let mail =
            "To: Me <me@localhost>\nCc: a@corp.cn\nBcc: root@h\nSubject: s\n\nb".to_owned() + args;
        run.stdin(mail).exits(code);
        let now = users.map(|user| texts(&standin, user).len());
        let more = [0, 1, 2].map(|at| now[at] - before[at]);
        assert_eq!(more, landed, "{args}");
    }
}

#[test]
fn attached_files_arrive_and_what_wecom_does_not_take_is_named() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let mail = include_bytes!("mails/mixed.eml");
    sandbox.wxpush("sendmail -t").stdin(&mail[..]).is_silent();
    assert_eq!(texts(&standin, "zhangsan")[0], "files\nsee the files");
    let names: Vec<String> = files(&standin).into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["报告.csv", "attachment-2.png", "attachment-3.eml"]);
    assert_eq!(files(&standin)[0].1, b"a,b\n1,2\n3,4");
    let empty = "Subject: e\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pdf; name=empty.pdf\nContent-Disposition: attachment\n\n\n--b--\n";
    let run = sandbox.wxpush("sendmail root").stdin(empty);
    run.exits(0).says("empty.pdf");
    let text = texts(&standin, "zhangsan").pop().unwrap();
    assert_eq!(text, "e\ntext\n（附件未发送：empty.pdf，0 字节）");
    assert_eq!(files(&standin).len(), 3);
}

#[test]
fn mails_as_they_come_are_read() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let gbk = include_bytes!("mails/gbk.eml");
    let (alternative, html) = (
        include_bytes!("mails/alternative.eml"),
        include_bytes!("mails/html.eml"),
    );
    let base64 = b"Subject: b\nContent-Transfer-Encoding: base64\n\naGVsbG8gISEh*broken";
    for (mail, text) in [
        (&gbk[..], "磁盘告警\n根分区已用 91%"),
        (
            alternative,
            "报告 ready\n发件人：Jörg <joerg@example.com>\nplain, with é",
        ),
        (html, "smartd\nDevice: /dev/sda\nFAILED & hot"),
        ("磁盘 91%\n没有信头".as_bytes(), "磁盘 91%\n没有信头"),
        (b"Subject: n\n\nnul\0 and \x1b[1mbold", "n\nnul and bold"),
        (base64, "b\naGVsbG8gISEh*broken"),
    ] {
        let run = sandbox.wxpush("sendmail -i root");
        let outcome = run.stdin(mail).exits(0);
        let landed = texts(&standin, "zhangsan").pop().unwrap();
        assert!(landed.starts_with(text), "{landed:?} {outcome:?}");
    }
}

#[test]
fn hostile_mails_end_and_say_what_can_be_said() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let nested: String = (0..5000)
        .map(|at| format!("Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n"))
        .collect();
    let inner = "Content-Type: message/rfc822\n\n".repeat(5000);
    let many = "X-Many: 1\n".repeat(10_000) + "Subject: last\n\nbody";
    // So many that a function that calls itself for each has no stack left.
    let deepest = "Content-Type: message/rfc822\n\n".repeat(800_000);
    for mail in [nested, inner, deepest] {
        let mail = format!("Subject: deep\n{mail}end\n");
        sandbox.wxpush("sendmail root").stdin(mail).exits(0);
        let texts = texts(&standin, "zhangsan");
        assert!(texts.iter().any(|text| text.starts_with("deep")));
    }
    sandbox.wxpush("sendmail root").stdin(many).exits(0);
    assert_eq!(texts(&standin, "zhangsan").last().unwrap(), "last\nbody");
}

#[test]
fn a_mail_of_five_megabytes_arrives_as_a_file_and_one_past_the_bound_is_marked() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let body = "a line of the log, 47 bytes of it with its end\n".repeat(110_000);
    let mail = format!("Subject: big\n\n{body}");
    sandbox.wxpush("sendmail -i root").stdin(mail).exits(0);
    assert!(texts(&standin, "zhangsan")[0].starts_with("big\na line"));
    let (name, bytes) = files(&standin).pop().unwrap();
    assert_eq!(name, "big.txt");
    assert_eq!(bytes.len(), "big\n".len() + body.len() - 1);
    let head = "Subject: huge\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Disposition: attachment; filename=a.bin\n\n";
    let mail = head.to_owned() + &body.repeat(6);
    let outcome = sandbox.wxpush("sendmail -i root").stdin(mail).run();
    outcome.exits(0).says("25 MiB").says("a.bin");
    let text = texts(&standin, "zhangsan").pop().unwrap();
    assert!(text.ends_with("（邮件过长，已截断）"), "{text}");
}

#[test]
fn exit_codes_are_those_of_sendmail() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let run = |args: &str, mail: &str| sandbox.wxpush(args).stdin(mail).run();
    run("sendmail", "x").exits(64).says("no address");
    run("sendmail -z root", "x").exits(64);
    run("sendmail -t", "Subject: x\n\nx").exits(65);
    let empty = run("sendmail root", "From: x\n\n \n").exits(65);
    empty.says("empty");
    run("-c /nowhere.toml sendmail root", "x").exits(78);
    standin.always("/cgi-bin/message/send", refusal(60020));
    let kept = run("sendmail root", "Subject: kept\n\nx").exits(0);
    kept.says("kept");
    let list = sandbox.wxpush("outbox list").exits(0);
    assert!(list.stdout.contains("zhangsan"), "{}", list.stdout);
    sandbox.append("[outbox]\nenabled = false\n");
    standin.always("/cgi-bin/message/send", refusal(45009));
    run("sendmail root", "x").exits(75);
    standin.always("/cgi-bin/message/send", refusal(81013));
    run("sendmail root", "x").exits(69);
}

#[test]
#[ignore = "needs s-nail"]
fn s_nail_sends_through_it_with_a_file() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    sandbox.write("report.csv", "a,b\n1,2\n");
    symlink(sandbox.path("wxpush"), sandbox.path("sendmail")).unwrap();
    let mta = format!("-Smta={}", sandbox.path("sendmail").display());
    let run = Run::new(std::process::Command::new("s-nail"));
    let file = sandbox.path("report.csv").display().to_string();
    let run = run.args(&["-n", &mta, "-Sttycharset=utf-8", "-Ssendwait"]);
    let run = run.args(&[
        "-Ssendcharsets=utf-8",
        "-s",
        "日报 report",
        "-a",
        &file,
        "root",
    ]);
    let run = run.env("HOME", sandbox.path(""));
    run.stdin("今天一切正常\n.\nend\n").exits(0);
    let text = "日报 report\n今天一切正常\n.\nend";
    assert_eq!(texts(&standin, "zhangsan")[0], text);
    let expected = ("report.csv".to_owned(), b"a,b\n1,2\n".to_vec());
    assert_eq!(files(&standin), [expected]);
}

#[test]
fn a_mail_that_is_to_be_queued_waits_for_no_network() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "\"lisi\" = { touser = \"lisi\" }");
    sandbox.configure("outbox.merge = false");
    standin.always(GETTOKEN, Fault::Hang);
    let mail = "Subject: Disk\n\nfull\n";
    for (args, count) in [
        ("-odq root", 1),
        ("-t -i -odb root lisi", 3),
        ("-O DeliveryMode=b root", 4),
    ] {
        let run = sandbox.wxpush(&format!("sendmail {args}"));
        let outcome = run.stdin(mail).is_silent();
        assert!(outcome.time < Duration::from_secs(1), "{:?}", outcome.time);
        // One mail is for two.
        assert_eq!(waiting(&sandbox).len(), count, "{args}");
    }
    assert_eq!(standin.requests().len(), 0);
    standin.mend();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "zhangsan"), ["Disk\nfull"; 3]);
    assert_eq!(texts(&standin, "lisi"), ["Disk\nfull"]);
    // The last word holds.
    let run = sandbox.wxpush("sendmail -odq -odi lisi");
    run.stdin(mail).is_silent();
    assert_eq!(texts(&standin, "lisi").len(), 2);
}

#[test]
fn a_mail_to_be_queued_that_cannot_be_kept_is_sent() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    sandbox.write("outbox", "in the way");
    let run = |mail: &str| sandbox.wxpush("sendmail -odq root").stdin(mail);
    run("Subject: a\n\nb\n").exits(0);
    assert_eq!(texts(&standin, "zhangsan"), ["a\nb"]);
    standin.always(SEND, refusal(45009));
    run("Subject: c\n\nd\n").exits(75);
    std::fs::remove_file(sandbox.path("outbox")).unwrap();
    standin.mend();
    sandbox.append("[outbox]\nenabled = false\n");
    run("Subject: e\n\nf\n").is_silent();
    assert_eq!(texts(&standin, "zhangsan"), ["a\nb", "e\nf"]);
}

#[test]
fn the_outbox_is_listed_and_flushed_by_sendmails_options() {
    let standin = Standin::start();
    let sandbox = mailing(&standin, "");
    let run = sandbox.wxpush("sendmail -odq root");
    run.stdin("Subject: late\n\nx\n").exits(0);
    let listed = sandbox.wxpush("sendmail -bp").exits(0);
    assert!(listed.stdout.contains("late"), "{}", listed.stdout);
    sandbox.wxpush("sendmail -bi").is_silent();
    assert_eq!(waiting(&sandbox).len(), 1);
    sandbox.wxpush("sendmail -q").exits(0);
    assert_eq!(waiting(&sandbox), [""; 0]);
    assert_eq!(texts(&standin, "zhangsan"), ["late\nx"]);
}
