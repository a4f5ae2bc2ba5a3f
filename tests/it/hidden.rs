//! Secrets in messages: the message goes out, and they don't.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use serde_json::json;

use crate::standin::{Fault, ROBOT_KEY, SECRET, Standin};
use crate::support::{
    GETTOKEN, SEND, Sandbox, WEBHOOK, bodies, config, robot, set_up, texts, with_robot,
};

const OTHER: &str = "Another-Secret-of-a-profile_0123456789abcdef";

/// The forms in which a secret may stand in a text.
fn forms(secret: &str) -> [String; 7] {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = secret
        .bytes()
        .map(|byte| format!("\\u{byte:04x}"))
        .collect();
    let lines = format!("{}\n{}", &hex[..60], &hex[60..]);
    [
        secret.to_owned(),
        secret.to_ascii_uppercase(),
        hex,
        lines,
        percent,
        escaped,
        STANDARD.encode(format!("user:{secret}")),
    ]
}

/// Whether eight characters in a row of any form stand in a text.
fn shows(text: &str, form: &str) -> bool {
    let text = text.to_lowercase();
    let form = form.trim_end_matches('=').to_lowercase();
    let pieces = form
        .as_bytes()
        .windows(24)
        .map(|it| std::str::from_utf8(it).unwrap());
    pieces.into_iter().any(|piece| text.contains(piece))
}

#[test]
fn an_alert_with_any_secret_of_the_config_arrives_without_it() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let more = format!(
        "\n[profiles.other]\ncorpsecret_file = \"other\"\n{}",
        robot()
    );
    sandbox.write("config.toml", config(&standin.base()) + &more);
    sandbox.write("other", OTHER);
    sandbox.send("first").is_silent();
    let token = sandbox.record()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for secret in [SECRET, OTHER, ROBOT_KEY, &token] {
        for form in forms(secret) {
            let text = format!("before {form} behind");
            sandbox.written().insert(text.clone().into_bytes());
            let outcome = sandbox.wxpush("send").stdin(text).exits(0);
            outcome.says("replaced by [hidden]");
            let sent = bodies(&standin).pop().unwrap();
            let read = sent["text"]["content"].as_str().unwrap().to_owned();
            assert!(
                read.starts_with("before ") && read.ends_with(" behind"),
                "{read}"
            );
            assert!(read.contains("[hidden]") && !shows(&read, &form), "{read}");
        }
    }
}

#[test]
fn every_kind_and_every_command_hides_it() {
    let (standin, sandbox) = set_up();
    sandbox.append(&robot());
    let text = format!("key={SECRET}");
    for (args, stdin) in [
        ("send --markdown", &*text),
        ("send x -t TEXT", ""),
        ("send --card --url https://a.cn/?TEXT -t a b", ""),
        ("send --card --url https://a.cn -t TEXT b", ""),
        ("send --news --url https://a.cn -t a TEXT", ""),
        (
            "send --raw -",
            &*format!("{{\"msgtype\":\"text\",\"text\":{{\"content\":\"{text}\"}}}}"),
        ),
        ("send --file - --name TEXT.txt", "a file"),
        ("send --file - --name a.txt", &*text),
        ("send --robot ops", &*text),
        ("sendmail root", &*format!("Subject: {text}\n\n{text}\n")),
        ("run -- echo TEXT", ""),
    ] {
        sandbox.written().insert(stdin.as_bytes().to_vec());
        let before = standin.count(SEND) + standin.count(WEBHOOK);
        let run = sandbox.wxpush(&args.replace("TEXT", &text)).stdin(stdin);
        let mut command = run.command();
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args}: {stderr}");
        assert!(stderr.contains("[hidden]"), "{args}: {stderr}");
        assert_eq!(
            standin.count(SEND) + standin.count(WEBHOOK),
            before + 1,
            "{args}"
        );
    }
    for request in standin.requests() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains(SECRET), "{body}");
    }
}

#[test]
fn what_makes_a_report_safe_or_short_uncovers_no_secret() {
    let (standin, sandbox) = set_up();
    let password = "pw12<@longpass77";
    sandbox.append("proxy = \"http://u:pw12%3C%40longpass77@127.0.0.1:9\"\n");
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    // The report's end begins within the secret.
    let long = format!("{}\\n{hex}{}", "A".repeat(3000), "x".repeat(1900));
    for (output, hidden) in [(format!("pw is {password}"), password), (long, &hex)] {
        let run = sandbox.wxpush("run -- printf").arg(output);
        run.run().code.unwrap();
        let sent = bodies(&standin).pop().unwrap();
        let read = sent["text"]["content"]
            .as_str()
            .unwrap()
            .replace('\u{200b}', "");
        assert!(!read.contains(hidden) && !shows(&read, hidden), "{read}");
    }
}

#[test]
fn an_ordinary_message_is_not_touched() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    for text in ["100% \\u0041 \\n %41%20", &SECRET[..7], "http://127.0.0.1"] {
        sandbox.send(text).is_silent();
        assert_eq!(bodies(&standin).pop().unwrap()["text"]["content"], *text);
    }
}

#[test]
fn marks_that_are_taken_out_of_what_comes_from_outside_part_no_secret() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let pieces: Vec<_> = SECRET.as_bytes().chunks(7).map(str::from_utf8).collect();
    let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
    let entity = pieces.join("&#x200e;");
    let mark = pieces.join("\u{200e}");
    let line = pieces.join("\u{2028}");
    for (head, body) in [
        ("Subject: x", &*mark),
        (&*format!("Subject: {line}"), "x"),
        (&*format!("From: {line} <a@b.cn>\nSubject: x"), "x"),
        (
            "Subject: x\nContent-Type: text/html; charset=utf-8",
            &*entity,
        ),
    ] {
        let mail = format!("{head}\nMIME-Version: 1.0\n\n{body}\n");
        sandbox.wxpush("sendmail root").stdin(mail).exits(0);
        let sent = bodies(&standin).pop().unwrap()["text"]["content"].to_string();
        assert!(!shows(&sent, SECRET), "{head}: {sent}");
        assert!(
            sent.contains("[hidden]") || head.starts_with("From"),
            "{head}: {sent}"
        );
    }
}

#[test]
fn what_another_server_chose_as_its_token_hides_none_of_our_words() {
    let standin = Standin::start();
    let other = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.append(&format!(
        "\n[profiles.lab.network]\napi_base = \"{}\"\n",
        other.base()
    ));
    let alert = "/var/lib/postgresql/data is full";
    other.script(
        GETTOKEN,
        [Fault::Body(
            json!({
                "errcode": 0,
                "access_token": "/var/lib/postgresql/data-disk-usage-is-91%-full!",
                "expires_in": 7200,
            })
            .to_string(),
        )],
    );
    sandbox.wxpush("-p lab send warm").run();
    assert_eq!(other.count(GETTOKEN), 1);
    sandbox.send(alert).is_silent();
    let json = alert.replace('/', "\\/");
    sandbox.send(&json).is_silent();
    assert_eq!(texts(&standin, "zhangsan"), [alert, &json]);
}

#[test]
fn what_another_server_chose_as_its_token_changes_no_mails_form_or_receivers() {
    let text = STANDARD.encode("磁盘已满\n");
    for (token, mail) in [
        (
            "Content-Transfer-Encoding:base64",
            format!("Subject: x\nContent-Transfer-Encoding: base64\n\n{text}\n"),
        ),
        (
            "To:root@db01.example.comSubject:x",
            "To: root@db01.example.com\nSubject: x\n\n磁盘已满\n".to_owned(),
        ),
    ] {
        let standin = Standin::start();
        let other = Standin::start();
        let sandbox = Sandbox::of(&standin);
        sandbox.append(&format!(
            "\n[mail]\n\"root@db01.example.com\" = {{ touser = \"lisi\" }}\n\n[profiles.lab.network]\napi_base = \"{}\"\n",
            other.base()
        ));
        let answer = json!({"errcode": 0, "access_token": token, "expires_in": 7200});
        other.script(GETTOKEN, [Fault::Body(answer.to_string())]);
        sandbox.wxpush("-p lab send warm").run();
        let to = if mail.starts_with("To") {
            "-t"
        } else {
            "root@db01.example.com"
        };
        sandbox.wxpush("sendmail").arg(to).stdin(mail).exits(0);
        assert_eq!(texts(&standin, "lisi"), ["x\n磁盘已满"], "{token}");
    }
}

#[test]
fn what_a_message_becomes_later_joins_no_secret() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.configure("fallback = \"robots.ops\"");
    let pieces: Vec<_> = SECRET.as_bytes().chunks(9).map(str::from_utf8).collect();
    let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
    let parted = |by: &str| pieces.join(by);
    let digits = STANDARD.encode(SECRET);
    let runs = [
        // The name of a file is made of a title.
        sandbox.wxpush("send --long file text -t").arg(parted(":")),
        // A secret begins in the title and ends in the text.
        sandbox
            .wxpush("send")
            .arg(&digits[20..])
            .args(&["-t", &digits[..20]]),
        sandbox
            .wxpush("send")
            .arg(&SECRET[9..])
            .args(&["-t", &SECRET[..9]]),
    ];
    for run in runs {
        run.exits(0);
    }
    for request in standin.requests() {
        let body = String::from_utf8_lossy(&request.body).replace("\\n", "");
        for form in [SECRET, &digits] {
            assert!(!shows(&body, form), "{body}");
        }
    }
    // A robot shows a card as text.
    standin.always(
        SEND,
        Fault::Errcode(60020, "not allow to access from your ip".into()),
    );
    let card = ["--card", "-t", "t", "--url", "https://example.com"];
    sandbox.wxpush("send").args(&card).arg(parted("<b>")).run();
    let sent = standin.requests();
    let sent: Vec<_> = sent
        .iter()
        .filter(|it| it.target.contains("webhook"))
        .collect();
    assert_eq!(sent.len(), 1);
    let body = String::from_utf8_lossy(&sent[0].body).into_owned();
    assert!(!shows(&body, SECRET), "{body}");
}

#[test]
fn a_password_is_hidden_as_it_stands_in_its_url_and_whole_if_some_of_it_is_escaped() {
    for (password, text) in [
        ("p%40ssw0rd-Rx7Kq2Wm9Zt4Lb6Vn8Cy3Hd5Jf1Gs", ""),
        ("p%E4ssw0rd-Rx7Kq2Wm9Zt4Lb6Vn8Cy3", ""),
        ("geheim%FCber", ""),
        (
            "p%26ssw0rd-Rx7Kq2Wm9Zt4Lb6Vn8Cy3Hd5",
            "p&amp;ssw0rd-Rx7Kq2Wm9Zt4Lb6Vn8Cy3Hd5",
        ),
    ] {
        let (standin, sandbox) = set_up();
        sandbox.append(&format!("proxy = \"http://u:{password}@127.0.0.1:9\"\n"));
        let text = if text.is_empty() { password } else { text };
        sandbox.send(&format!("https_proxy={text} is set")).run();
        let sent = bodies(&standin).pop().unwrap();
        let read = sent["text"]["content"].as_str().unwrap();
        assert!(read.starts_with("https_proxy=[hidden] is"), "{read}");
    }
}

#[test]
fn a_word_of_one_secret_in_another_hides_neither() {
    let (standin, sandbox) = set_up();
    let key = "9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c";
    sandbox.append(&format!(
        "proxy = \"http://u:proxy-{key}@127.0.0.1:9\"\n[http.keys.k]\nkey = \"{key}\"\ntouser = \"lisi\"\n"
    ));
    sandbox.send(&format!("y-{key}")).run();
    let sent = bodies(&standin).pop().unwrap();
    assert_eq!(sent["text"]["content"], "y-[hidden]");
}

#[test]
fn what_a_small_piece_of_a_large_file_shows_is_overwritten() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let list: Vec<_> = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let list = list.join(", ");
    for (before, behind) in [(0, 1_200_000), (1_200_000, 0)] {
        let text = format!(
            "{}{list}\n{}",
            "x y z\n".repeat(before / 6),
            "z y x\n".repeat(behind / 6)
        );
        sandbox.write("a.txt", &text);
        sandbox.written().insert(text.into_bytes());
        let run = sandbox.wxpush("send --file").arg(sandbox.path("a.txt"));
        run.exits(0).says("[hidden]");
        let company = standin.company();
        let sent = company.media.uploads.iter().last().unwrap();
        let sent = String::from_utf8_lossy(&sent.bytes).into_owned();
        assert!(
            !sent.contains(&list[..60]) && sent.contains("**, **"),
            "{before}"
        );
    }
}
