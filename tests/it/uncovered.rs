//! Secrets that come to light only once something is decoded, written over, or shown.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::standin::{Fault, SECRET, Standin};
use crate::support::{GETTOKEN, SEND, WEBHOOK, bodies, png, robot, script, set_up, with_robot};

/// Sixteen characters in a row of this secret that stand in what was sent: in the bodies as they are, and in
/// the pictures and the two bytes of each character in them.
fn uncovered(standin: &Standin, secret: &str) -> Option<String> {
    let secret = secret.to_ascii_lowercase();
    let pieces = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let mut pieces = (0..=secret.len() - 16).map(|at| &secret[at..at + 16]);
        pieces.any(|piece| text.contains(piece)).then_some(text)
    };
    let unescaped = |body: &[u8]| {
        let text = String::from_utf8_lossy(body).replace("\\n", "");
        text.replace('\u{200b}', "")
    };
    for request in standin.requests() {
        if request.target.contains("gettoken") {
            continue;
        }
        let text = unescaped(&request.body);
        let json: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let picture = json["image"]["base64"].as_str().unwrap_or_default();
        let units = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(order).collect()
        };
        let forms = [
            text.clone().into_bytes(),
            STANDARD.decode(picture).unwrap_or_default(),
            units(u16::to_le_bytes),
            units(u16::to_be_bytes),
        ];
        if let Some(text) = forms.iter().find_map(|form| pieces(form)) {
            return Some(text);
        }
    }
    None
}

/// A secret with a character before it and as many backspaces as part it into pieces of fewer than sixteen.
fn parted_by_backspaces(secret: &str) -> String {
    let back = |count| "\x08".repeat(count);
    format!("{secret} by u{}_{}_\n", back(15), back(16))
}

#[test]
fn what_a_mail_is_decoded_to_uncovers_no_secret() {
    let (standin, sandbox) = set_up();
    let line = format!("DISK FAILURE, see http://x/gettoken?corpsecret={SECRET} now\n");
    let heads = [
        "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n",
        "Content-Type: text/plain; charset=US-ASCII\n",
        "Content-Type: text/plain; charset=iso-8859-1\n",
        "",
    ];
    let mails = heads.iter().flat_map(|head| {
        let head = format!("Subject: Cron\n{head}\n").into_bytes();
        let mark = b"\xff\xfe\n".to_vec();
        let file = format!("begin-base64 644 x.bin\n{SECRET}\n====\n");
        let over = parted_by_backspaces(SECRET);
        [
            [&head, &mark, line.as_bytes()].concat(),
            [&head, &mark[..2], SECRET.as_bytes(), b"\xff\n"].concat(),
            [&head, &b"x\n"[..], file.as_bytes()].concat(),
            [&head, over.as_bytes()].concat(),
        ]
    });
    let over = STANDARD.encode(format!("磁盘 {}", parted_by_backspaces(SECRET)));
    let over = format!(
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{over}\n"
    );
    let subject = [b"Subject: \xff\xfe", SECRET.as_bytes(), b"\n\nx\n"].concat();
    let encoded = format!("Content-Transfer-Encoding: base64\n\n{SECRET}\n");
    for mail in mails.chain([subject, encoded.into_bytes(), over.into_bytes()]) {
        sandbox.written().insert(mail.clone());
        let outcome = sandbox
            .wxpush("sendmail -i root")
            .stdin(mail.clone())
            .exits(0);
        outcome.says("[hidden]");
        assert_eq!(uncovered(&standin, SECRET), None, "{}", mail.escape_ascii());
    }
    let read = bodies(&standin)[0].to_string();
    assert!(read.contains("DISK FAILURE"), "ASCII is no UTF-16: {read}");
    for upload in &standin.company().media.uploads {
        let bytes = STANDARD.encode(&upload.bytes);
        assert!(!bytes.contains(&SECRET[..16]), "{}", upload.filename);
    }
}

#[test]
fn what_an_output_is_decoded_to_uncovers_no_secret() {
    let (standin, sandbox) = set_up();
    let error = "DISK FAILURE: all that is on it has to be copied elsewhere";
    for output in [
        format!("\\377\\376\\n{SECRET}\\377\\376\\n{error}\\n"),
        format!("\\377\\376\\ncorpsecret={SECRET}\\n{error}\\n\\377\\n"),
        format!("\\377\\376{SECRET}\\0\\n{error}\\n"),
        parted_by_backspaces(SECRET) + error,
        format!("{SECRET} by u\x1b[15D_\x1b[16D_\n{error}"),
        format!(
            "{} by u\x1b[15D_\x1b[16D_\n{error}",
            STANDARD.encode(SECRET)
        ),
        format!("\\377\\3761\n错误：磁盘已满\n{error}\\0z\n"),
    ] {
        let line = "exec \"$0\" run -- printf \"$F\" >/dev/null";
        script(&sandbox, &[], line).env("F", &output).run();
        assert_eq!(uncovered(&standin, SECRET), None, "{output}");
        let read = bodies(&standin).pop().unwrap().to_string();
        assert!(read.contains("DISK FAILURE"), "{output}: {read}");
        let digits = STANDARD.encode(SECRET);
        assert!(
            !digits
                .as_bytes()
                .windows(24)
                .any(|it| read.contains(str::from_utf8(it).unwrap()))
        );
        assert!(read.contains("磁盘") || !output.contains("磁盘"), "{read}");
    }
}

#[test]
fn a_picture_of_a_robot_and_an_upload_are_looked_through() {
    let (standin, sandbox) = set_up();
    sandbox.append(&robot());
    let picture = [&png(), format!("corpsecret={SECRET}").as_bytes()].concat();
    sandbox.write("p.png", &picture);
    sandbox.written().insert(picture);
    for line in [
        "send --robot ops --image ./p.png",
        "upload ./p.png",
        "upload --robot ops --type file ./p.png",
    ] {
        let line = format!("cd \"$1\" && exec \"$0\" {line}");
        let run = script(&sandbox, &[], &line);
        run.exits(0).says("[hidden]");
    }
    let line = json!({"robot": "ops", "image": sandbox.path("p.png")}).to_string();
    sandbox.wxpush("batch").stdin(line).exits(0);
    let raw = json!({"msgtype": "text", "text": {"content": "x"}, SECRET: "1"}).to_string();
    sandbox.written().insert(raw.clone().into_bytes());
    sandbox.wxpush("send --raw -").stdin(raw).run();
    assert_eq!(uncovered(&standin, SECRET), None);
    let company = standin.company();
    let all = company.media.uploads.iter();
    let told = all.filter(|it| String::from_utf8_lossy(&it.bytes).contains(SECRET));
    assert_eq!(told.count(), 0);
}

#[test]
fn a_token_is_hidden_from_every_receiver_however_it_is_broken_into_lines() {
    let standin = Standin::start();
    let other = Standin::start();
    let sandbox = with_robot(&standin);
    let more =
        |name: &str, base: String| format!("\n[profiles.{name}.network]\napi_base = \"{base}\"\n");
    sandbox.append(&more("relay", other.base()));
    let token = |from: u8| -> String {
        let digits = (0..200_u64).map(|at| {
            let mixed = (at + u64::from(from) * 1000).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            char::from_digit(u32::try_from(mixed >> 40 & 0xff_ffff).unwrap() % 36, 36).unwrap()
        });
        digits.collect()
    };
    let (ours, theirs) = (token(1), token(2));
    for (standin, token) in [(&standin, &ours), (&other, &theirs)] {
        let answer = json!({"errcode": 0, "access_token": token, "expires_in": 7200});
        standin.script(GETTOKEN, [Fault::Body(answer.to_string())]);
    }
    sandbox.wxpush("send warm").run();
    sandbox.wxpush("-p relay send warm").run();
    standin.forget();
    for (token, size) in [(&ours, 17), (&ours, 76), (&theirs, 76), (&theirs, 20)] {
        let lines: Vec<_> = token.as_bytes().chunks(size).collect();
        let text = format!(
            "token:\n{}\nend\n",
            String::from_utf8_lossy(&lines.join(&b'\n'))
        );
        sandbox.written().insert(text.clone().into_bytes());
        for receiver in ["send", "send --robot ops"] {
            let run = sandbox.wxpush(receiver).stdin(&*text);
            run.run().says("[hidden]");
            assert_eq!(uncovered(&standin, token), None, "{receiver} {size}");
        }
    }
    // A part of one's own counts in a robot's group, too; a part of another server's may be its choice.
    sandbox.written().insert(ours.as_bytes()[..60].to_vec());
    let run = sandbox.wxpush("send --robot ops").stdin(&ours[..60]);
    run.exits(0).says("[hidden]");
}

#[test]
fn what_a_page_leaves_out_or_marks_joins_no_secret() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let pieces: Vec<_> = SECRET.as_bytes().chunks(11).map(str::from_utf8).collect();
    let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
    let more = "\n\nmore *text*\n".repeat(300);
    for by in [
        "&#1;",
        "&#127;",
        "&#129;",
        "[]()",
        "<font color=\"x\"></font>",
        "**",
        "~~",
        "`",
    ] {
        let text = format!("# Disk\n\nkey {} end{more}", pieces.join(by));
        let run = sandbox.wxpush("send --markdown --long article").stdin(text);
        run.run();
        let sent = bodies(&standin).pop().unwrap().to_string();
        let shown = sent.replace(|it: char| !it.is_ascii(), "");
        let mut shown = shown.replace("\\\"", "\"");
        for tag in ["strong", "em", "del", "code", "b", "s"] {
            shown = shown.replace(&format!("<{tag}>"), "");
            shown = shown.replace(&format!("</{tag}>"), "");
        }
        assert!(!shown.contains(&SECRET[..16]), "{by}: {shown}");
        assert!(shown.contains("more"), "{by}: {shown}");
    }
}

#[test]
fn the_name_of_a_fallbacks_file_joins_no_secret() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.configure("fallback = \"robots.ops\"");
    let refusal = Fault::Errcode(60020, "not allow to access from your ip".into());
    standin.always(SEND, refusal);
    let pieces: Vec<_> = SECRET.as_bytes().chunks(11).map(str::from_utf8).collect();
    let pieces: Vec<_> = pieces.into_iter().map(Result::unwrap).collect();
    let more = "\nmore of it\n".repeat(3000);
    for by in [":", "\"", "\\"] {
        let text = format!("{}{more}", pieces.join(by));
        sandbox.wxpush("send --long article").stdin(text).run();
    }
    assert!(standin.count(WEBHOOK) > 0);
    for request in standin.requests() {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        assert!(!body.contains(&SECRET[..16]), "{body}");
    }
}

#[test]
#[ignore = "needs root: a link of another user"]
fn a_users_link_leads_root_to_nothing_but_his_own_files() {
    let (standin, sandbox) = set_up();
    let line = "umask 077; echo of root >\"$1/private\"; mkdir \"$1/theirs\"; cd \"$1/theirs\"
        echo report >report; ln -s ../private link; ln -s report own; ln -s ../theirs/report far
        chmod 755 .; ln ../private hard; cp ../private moved; mkdir -m 700 closed; cp -p report closed/; chown -hR 65534 .
        chown 0:0 hard moved closed closed/report; chmod 644 closed/report";
    script(&sandbox, &[], line).is_silent();
    let send = |name: &str| {
        let path = sandbox.path("theirs").join(name);
        script(&sandbox, &[], "exec \"$0\" send --file \"$F\"")
            .env("F", path)
            .run()
    };
    for name in ["link", "hard", "moved", "closed/report"] {
        let refused = send(name);
        assert_eq!(refused.code, Some(66), "{name}");
        refused.says("another user");
    }
    for name in ["report", "own", "far"] {
        assert_eq!(send(name).code, Some(0), "{name}");
    }
    let company = standin.company();
    assert!(
        company
            .media
            .uploads
            .iter()
            .all(|it| &*it.bytes == b"report\n")
    );
    fs::remove_dir_all(sandbox.path("theirs")).unwrap();
}
