//! `wxpush batch`: an answer for each line, order, kinds, what is kept, what a line can have wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::standin::{Fault, Standin};
use crate::support::{
    APPCHAT, GETTOKEN, MEMBERS, SEND, Sandbox, UPLOAD, answers, batch, failed, json_lines,
    numbered, pdf, second_app, second_profile, set_up, statuses, texts, waiting, wire, with_robot,
};

#[test]
fn each_line_is_answered_with_its_id_and_each_member_reads_in_order() {
    let (standin, sandbox) = set_up();
    standin.judge(|request| {
        let is_slow = request.endpoint() == SEND && request.json()["touser"] == "lisi";
        is_slow.then_some(Fault::Delay(Duration::from_millis(60)))
    });
    let members = &MEMBERS[..6];
    let outcome = batch(&sandbox, "", numbered(60, members)).exits(0);
    assert_eq!(outcome.stderr, "");
    for (at, answer) in answers(&outcome).iter().enumerate() {
        assert_eq!(answer["id"], at.to_string());
        assert_eq!(answer["line"], at + 1);
        assert_eq!(
            (&answer["status"], &answer["exit_code"]),
            (&json!("sent"), &json!(0))
        );
        assert_eq!(answer["msgids"].as_array().unwrap().len(), 1);
        assert_eq!(answer["errcode"], 0);
    }
    for (at, member) in members.iter().enumerate() {
        let numbers = (at..60).step_by(members.len());
        let numbers: Vec<String> = numbers.map(|it| format!("number {it:03}")).collect();
        assert_eq!(texts(&standin, member), numbers, "{member}");
    }
    assert_eq!(standin.count(GETTOKEN), 1);
    assert!(standin.connections() <= 3, "{}", standin.connections());
    assert_eq!((waiting(&sandbox).len(), failed(&sandbox).len()), (0, 0));
}

/// Holds that a line goes out as `send` with these arguments sends it.
fn goes_out_alike(standin: &Standin, sandbox: &Sandbox, line: Value, args: &[&str]) {
    let before = standin.requests().len();
    let input = json_lines([line.clone()]);
    let outcome = batch(sandbox, "", input);
    let ours = wire(standin, before);
    let before = standin.requests().len();
    let send = sandbox.wxpush("send").args(args).run();
    assert_eq!(outcome.code, send.code, "{line}: {outcome:?} {send:?}");
    assert_eq!(ours, wire(standin, before), "{line}");
    assert!(!ours.is_empty(), "{line}: {outcome:?}");
}

#[test]
fn every_kind_goes_out_as_send_sends_it() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let alike = |line, args: &[&str]| goes_out_alike(&standin, &sandbox, line, args);
    let url = "https://e.example/1";
    alike(json!({"markdown": "**x**"}), &["--markdown", "**x**"]);
    alike(
        json!({"markdown": true, "text": "**y**"}),
        &["--markdown", "**y**"],
    );
    alike(
        json!({"card": true, "title": "T", "text": "x", "url": url, "button": "Go"}),
        &["--card", "-t", "T", "--url", url, "--button", "Go", "x"],
    );
    alike(
        json!({"news": true, "title": "T", "text": "x", "url": url, "picture": url}),
        &["--news", "-t", "T", "--url", url, "--picture", url, "x"],
    );
    alike(
        json!({"safe": true, "dedupe": "10m", "id_trans": true, "text": "x"}),
        &["--safe", "--dedupe", "10m", "--id-trans", "x"],
    );
    sandbox.write("a.pdf", pdf());
    let path = sandbox.path("a.pdf").display().to_string();
    alike(
        json!({"file": path, "text": "before"}),
        &["--file", &path, "before"],
    );
    let raw = json!({"msgtype": "text", "text": {"content": "as it is"}});
    sandbox.write("raw.json", raw.to_string());
    let path = sandbox.path("raw.json").display().to_string();
    alike(json!({"raw": raw}), &["--raw", &path]);
    alike(json!({"raw": path}), &["--raw", &path]);
    let long = "long ".repeat(1000);
    alike(
        json!({"text": long, "long": "split"}),
        &["--long", "split", &long],
    );
    assert!(standin.count(UPLOAD) <= 1, "what is uploaded is known");
}

#[test]
fn every_receiver_is_reached_as_send_reaches_it() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let alike = |line, args: &[&str]| goes_out_alike(&standin, &sandbox, line, args);
    alike(json!({"text": "x"}), &["x"]);
    alike(
        json!({"to": ["lisi", "wangwu"], "title": "T", "text": "x"}),
        &["--to", "lisi,wangwu", "-t", "T", "x"],
    );
    alike(json!({"party": 1, "text": "x"}), &["--party", "1", "x"]);
    alike(
        json!({"robot": "ops", "mention": ["lisi"], "mention_mobile": "13800000000", "text": "x"}),
        &[
            "--robot",
            "ops",
            "--mention",
            "lisi",
            "--mention-mobile",
            "13800000000",
            "x",
        ],
    );
    alike(
        json!({"robot": "ops", "markdown-v2": "# x"}),
        &["--robot", "ops", "--markdown-v2", "# x"],
    );
}

#[test]
fn what_is_wrong_with_a_line_is_in_its_answer_and_the_rest_goes_on() {
    let (standin, sandbox) = set_up();
    let mut input = Vec::new();
    let wrong: &[(&[u8], &str)] = &[
        (b"{\"to\":\"lisi\",\"texd\":\"x\"}", "text"),
        (b"{\"to\":\"lisi\",\"zzzzzz\":\"x\"}", "zzzzzz"),
        (b"{\"to\":\"lisi\",\"text\":\"x\",\"text\":\"y\"}", "text"),
        (b"{\"to\":\"lisi\",\"text\":5}", "text"),
        (b"{\"to\":{},\"text\":\"x\"}", "to"),
        (b"{\"to\":[],\"text\":\"x\"}", "to"),
        (b"{\"party\":[],\"text\":\"x\"}", "party"),
        (
            b"{\"to\":\"lisi\",\"raw\":{\"msgtype\":\"text\",\"touser\":\"wangwu\",\"text\":{\"content\":\"x\"}}}",
            "raw",
        ),
        (b"{\"id\":1.5,\"to\":\"lisi\",\"text\":\"x\"}", "id"),
        (
            b"{\"id\":18446744073709551616,\"to\":\"lisi\",\"text\":\"x\"}",
            "id",
        ),
        (b"{\"to\":\"lisi\"}", "empty"),
        (b"{\"to\":\"lisi\",\"text\":\"x\",\"chat\":\"c\"}", "chat"),
        (
            b"{\"to\":\"lisi\",\"markdown\":\"x\",\"card\":true}",
            "card",
        ),
        (b"{\"to\":\"lisi\",\"card\":true,\"text\":\"x\"}", "url"),
        (
            b"{\"to\":\"lisi\",\"text\":\"x\",\"long\":\"wide\"}",
            "split",
        ),
        (b"{\"to\":\"lisi\",\"text\":\"x\",\"dedupe\":\"5h\"}", "4h"),
        (b"{\"to\":\"lisi\",\"text\":\"x\",\"once\":\"\"}", "once"),
        (b"{\"to\":\"lisi\",\"file\":\"-\"}", "file"),
        (b"{\"to\":\"lisi\",\"file\":\"/dev/stdin\"}", "/dev/stdin"),
        (b"{\"to\":\"lisi\",\"file\":\"/no/such\"}", "/no/such"),
        (b"{\"robot\":\"nobody\",\"text\":\"x\"}", "nobody"),
        (b"{\"profile\":\"nobody\",\"text\":\"x\"}", "nobody"),
        (b"{\"to\":\"li si\",\"text\":\"x\"}", "li si"),
        (b"[\"to\",\"lisi\"]", "object"),
        (b"{\"to\":\"lisi\",\"text\":\"x\"} {}", "JSON"),
        (b"{\"to\":", "JSON"),
        (b"null", "object"),
    ];
    for (line, _) in wrong {
        input.extend_from_slice(line);
        input.extend_from_slice(
            b"\r\n\r\n  \n{\"id\":\"good\",\"to\":\"wangwu\",\"text\":\"good\"}\n",
        );
    }
    // The longest that is read, and the end of the input without a line end.
    let long = format!("{{\"to\":\"lisi\",\"text\":\"{}\"}}", "x".repeat(1 << 20));
    input.extend_from_slice(format!("{long}\n").as_bytes());
    input.extend_from_slice(b"\xef\xbb\xbf{\"id\":7,\"to\":\"member01\",\"text\":\"last\"}");
    let outcome = batch(&sandbox, "", input);
    let mut answers = answers(&outcome);
    let last = answers.pop().unwrap();
    assert_eq!((&last["id"], &last["status"]), (&json!(7), &json!("sent")));
    let too_long = answers.pop().unwrap();
    assert_eq!(
        (&too_long["id"], &too_long["status"]),
        (&Value::Null, &json!("invalid"))
    );
    assert!(too_long["error"].as_str().unwrap().contains("1 MiB"));
    assert_eq!(answers.len(), 2 * wrong.len());
    for (pair, (line, words)) in answers.chunks(2).zip(wrong) {
        let line = String::from_utf8_lossy(line);
        let error = pair[0]["error"].as_str().unwrap();
        let is_config = error.contains("nobody");
        let status = if is_config { "refused" } else { "invalid" };
        assert_eq!(pair[0]["status"], status, "{line}: {}", pair[0]);
        assert!(error.contains(words), "{line}: {error}");
        let code = pair[0]["exit_code"].as_u64().unwrap();
        assert!(matches!(code, 65 | 66 | 78), "{line}: {code}");
        assert_eq!(pair[1]["status"], "sent", "{line}");
    }
    assert_eq!(outcome.code, Some(65), "that of the first line that failed");
    assert_eq!(texts(&standin, "wangwu").len(), wrong.len());
    assert!(texts(&standin, "lisi").is_empty());
}

#[test]
fn a_line_with_a_text_that_is_no_unicode_or_has_control_characters_is_sent_with_its_id() {
    let (standin, sandbox) = set_up();
    let lines: [(&[u8], &str); 5] = [
        (b"cut \\ud83d", "cut \u{fffd}"),
        (b"a\tb\x1b[1m", "a\tb"),
        (b"caf\xe9", "café"),
        (b"\xb4\xc5\xc5\xcc", "磁盘"),
        ("磁\\u76d8".as_bytes(), "磁盘"),
    ];
    let mut input = Vec::new();
    for (text, _) in lines {
        input.extend([b"{\"id\":7,\"to\":\"lisi\",\"text\":\"", text, b"\"}\n"].concat());
    }
    let outcome = batch(&sandbox, "", input).exits(0);
    for answer in answers(&outcome) {
        assert_eq!(
            (&answer["id"], &answer["status"]),
            (&json!(7), &json!("sent"))
        );
    }
    let expected: Vec<&str> = lines.iter().map(|(_, text)| *text).collect();
    assert_eq!(texts(&standin, "lisi"), expected);
}

#[test]
fn a_line_goes_by_the_profile_that_it_names_and_each_asks_for_one_token() {
    let (standin, sandbox) = set_up();
    second_app(&standin);
    sandbox.append(&second_profile("p"));
    let input = (0..12).map(|number| match number % 3 {
        0 => json!({"to": MEMBERS[number], "text": "first"}),
        1 => json!({"to": MEMBERS[number], "text": "second", "profile": "p"}),
        _ => json!({"chat": "none", "text": "to a chat that is not there"}),
    });
    let outcome = batch(&sandbox, "", json_lines(input)).exits(69);
    let statuses = statuses(&outcome);
    for (number, status) in statuses.iter().enumerate() {
        let expected = if number % 3 == 2 { "refused" } else { "sent" };
        assert_eq!(status, expected, "{number}: {}", outcome.stdout);
    }
    assert_eq!((standin.count(GETTOKEN), standin.count(APPCHAT)), (2, 4));
    let messages = wire(&standin, 0);
    for agent in [crate::standin::AGENTID, 7] {
        let of_agent = messages.iter().filter(|(_, body)| body["agentid"] == agent);
        assert_eq!(of_agent.count(), 4, "{agent}");
    }
}

#[test]
fn some_receivers_that_are_not_there_make_it_partial() {
    let (standin, sandbox) = set_up();
    let input = [
        json!({"to": "lisi,nobody", "text": "x"}),
        json!({"to": "wangwu", "text": "y"}),
        json!({"to": "nobody", "text": "z"}),
    ];
    let outcome = batch(&sandbox, "", json_lines(input)).exits(67);
    assert_eq!(statuses(&outcome), ["partial", "sent", "refused"]);
    let answers = answers(&outcome);
    assert_eq!(answers[0]["invaliduser"], json!(["nobody"]));
    assert_eq!(answers[2]["exit_code"], 69);
    assert_eq!(answers[2]["errcode"], 81013);
    assert_eq!(texts(&standin, "lisi"), ["x"]);
}

#[test]
fn a_file_of_messages_and_no_messages_at_all() {
    let (standin, sandbox) = set_up();
    sandbox.write("messages", numbered(3, &["lisi"]));
    let path = sandbox.path("messages");
    let outcome = sandbox.wxpush("batch").arg(&path).run().exits(0);
    assert_eq!(statuses(&outcome), ["sent"; 3]);
    batch(&sandbox, "", "").is_silent();
    batch(&sandbox, "-", "\n \n").is_silent();
    let missing = sandbox.wxpush("batch /no/such").run().exits(66);
    assert_eq!(missing.stdout, "");
    sandbox.wxpush("batch /").exits(66);
    sandbox.wxpush("batch --window 0").exits(64);
    assert_eq!(texts(&standin, "lisi").len(), 3);
}
