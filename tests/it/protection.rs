//! What goes with some kinds and not with others: safe, names for ids, ordinary WeChat; and options
//! that clash.

use serde_json::json;

use crate::standin::Standin;
use crate::support::{
    Fields, Sandbox, Words, bodies, for_each, furnished, send_here, wire, with_robot,
};

/// Options for each kind, and whether WeCom protects it.
const KINDS: [(&str, &str, bool); 8] = [
    ("text", "words", true),
    ("markdown", "--markdown words", false),
    ("image", "--image a.png", true),
    ("voice", "--voice a.amr", false),
    ("video", "--video a.mp4", true),
    ("file", "--file 报告.pdf", true),
    ("textcard", "--card --url https://x -t T words", false),
    ("news", "--news --url https://x -t T words", false),
];

#[test]
fn safe_protects_what_can_be_and_says_what_cannot() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let config = sandbox.read("config.toml");
    for (kind, args, can) in KINDS {
        for (to, landed_on) in [("--to lisi", "lisi"), ("--chat ops", "wangwu")] {
            sandbox.write("config.toml", &config);
            let count = standin.requests().len();
            let outcome = send_here(&sandbox, &format!("{to} --safe {args}")).run();
            if can {
                outcome.is_silent();
            } else {
                let words = format!("--safe cannot protect a {kind} message");
                outcome.exits(64).says(&words);
                assert_eq!(standin.requests().len(), count);
            }
            sandbox.write("config.toml", format!("safe = true\n{config}"));
            let outcome = send_here(&sandbox, &format!("{to} {args}")).exits(0);
            let words = format!("safe = true in the config cannot protect a {kind} message");
            assert_eq!(outcome.stderr.contains(&words), !can, "{args}");
            assert_eq!(outcome.stderr.is_empty(), can, "{args}");
            let landed = standin.company().phone(landed_on).last().unwrap().clone();
            assert_eq!((&*landed.msgtype, landed.safe), (kind, i64::from(can)));
            assert_eq!(landed.raw.get("safe").is_some(), can, "{args}");
        }
    }
    // A group's messages cannot be protected, and no config is asked about them.
    send_here(&sandbox, "--robot ops words").is_silent();
    let outcome = send_here(&sandbox, "--robot ops --safe words").exits(64);
    outcome.says("--safe does nothing in a robot's message");
}

#[test]
fn a_file_that_wecom_cannot_protect_goes_unprotected_or_not_at_all() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.write("a.log", "a line\n");
    let outcome = send_here(&sandbox, "--to lisi --safe --file a.log words").run();
    let outcome = outcome.exits(65);
    outcome.says("--safe cannot protect a.log: WeCom protects only txt pdf ");
    assert_eq!(standin.requests().len(), 0, "no caption without its file");
    let args = "--to lisi --safe --file a.log --name A.TXT";
    send_here(&sandbox, args).is_silent();
    sandbox.configure("safe = true");
    let outcome = send_here(&sandbox, "--to lisi --file a.log words").exits(0);
    outcome.says("safe = true in the config cannot protect a.log");
    let phone = standin.company().phone("lisi");
    let safe: Vec<_> = phone.iter().map(|it| (&*it.text, it.safe)).collect();
    let wanted = [("[文件] A.TXT", 1), ("[p] words", 1), ("[文件] a.log", 0)];
    assert_eq!(safe, wanted);
}

#[test]
fn safe_of_the_config_stops_no_message_in_wecoms_own_json() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.configure("safe = true");
    let news =
        json!({"msgtype": "news", "news": {"articles": [{"title": "t", "url": "https://x"}]}});
    let text = json!({"msgtype": "text", "text": {"content": "x"}});
    let run = send_here(&sandbox, "--to lisi --raw -").stdin(text.to_string());
    run.is_silent();
    assert_eq!(standin.company().phone("lisi")[0].safe, 1);
    let run = send_here(&sandbox, "--to lisi --raw -").stdin(news.to_string());
    let outcome = run.exits(0);
    outcome.says("safe = true in the config cannot protect a news message");
    assert!(bodies(&standin)[1].get("safe").is_none());
    // The option asks for it in so many words, and WeCom says no.
    let run = send_here(&sandbox, "--to lisi --safe --raw -").stdin(news.to_string());
    run.exits(65).says("40074");
}

#[test]
fn names_for_ids_and_the_duplicate_check_go_where_wecom_reads_them() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    for (kind, args, _) in KINDS {
        let has_ids = ["text", "textcard", "news"].contains(&kind);
        let outcome = send_here(&sandbox, &format!("--to lisi --id-trans {args}")).run();
        if has_ids {
            outcome.is_silent();
            assert_eq!(bodies(&standin).last().unwrap()["enable_id_trans"], 1);
        } else {
            let words = format!("in texts, cards and news of an app only, not in {kind}");
            let outcome = outcome.exits(64).says(&words);
            outcome.says(&format!("leave out --{kind} or"));
        }
        let dedupe = format!("--to wangwu --dedupe 90s {args}");
        send_here(&sandbox, &dedupe).is_silent();
        let sent = bodies(&standin).pop().unwrap();
        sent.has(json!({"enable_duplicate_check": 1, "duplicate_check_interval": 90}));
    }
    for to in ["--chat ops", "--robot ops"] {
        let outcome = send_here(&sandbox, &format!("{to} --id-trans x")).exits(64);
        outcome.says("leave out --id-trans");
        let outcome = send_here(&sandbox, &format!("{to} --dedupe 1m x")).exits(64);
        outcome.says("--dedupe works for messages to members only");
    }
    let calls = wire(&standin, 0);
    assert!(calls.iter().all(|(call, _)| call == "message/send"));
}

#[test]
fn ordinary_wechat_gets_what_it_can_show_or_its_sender_is_told() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.configure("show_in = \"wechat\"");
    let report = "--markdown -t Report -- **ok** [log](https://x/log) <font\u{a0}color>";
    send_here(&sandbox, &format!("--to lisi {report}")).is_silent();
    let sent = bodies(&standin).pop().unwrap();
    assert_eq!(sent["msgtype"], "text");
    let content = sent["text"]["content"].as_str().unwrap();
    content.shows("【[p] Report】\nok log (https://x/log)");
    content.lacks("**");
    let card = json!({"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": {"type": 1, "url": "https://x"}});
    let notice = json!({"appid": "wx1", "title": "四个字吗"});
    for (kind, content, words) in [
        ("template_card", card, Some("--card or --news")),
        ("miniprogram_notice", notice, Some("--card")),
        (
            "markdown",
            json!({"content": "x"}),
            Some("send a text instead"),
        ),
        ("text", json!({"content": "x"}), None),
    ] {
        let message = json!({"msgtype": kind, kind: content});
        let run = send_here(&sandbox, "--to lisi --raw -").stdin(message.to_string());
        let outcome = run.exits(0);
        match words {
            Some(words) => drop(outcome.says("ordinary WeChat").says(kind).says(words)),
            None => assert_eq!(outcome.stderr, ""),
        }
        assert_eq!(bodies(&standin).last().unwrap()["msgtype"], kind);
    }
    // Chats and groups are WeCom's alone.
    let before = standin.requests().len();
    for to in ["--chat ops", "--robot ops"] {
        send_here(&sandbox, &format!("{to} --markdown **ok**")).is_silent();
    }
    let sent = wire(&standin, before);
    let shown = sent.iter().map(|(_, body)| &body["markdown"]["content"]);
    assert_eq!(shown.collect::<Vec<_>>(), ["[p] **ok**"; 2]);
}

#[test]
fn what_is_to_be_protected_is_even_where_markdown_becomes_text() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    sandbox.configure("show_in = \"wechat\"\nsafe = true");
    send_here(&sandbox, "--to lisi --markdown **ok**").is_silent();
    assert_eq!(standin.company().phone("lisi")[0].safe, 1);
}

#[test]
fn options_that_clash_are_refused_with_words_before_anything_is_done() {
    let standin = Standin::start();
    let (both, in_texts) = (
        "cannot be used with",
        "--mention calls members in a text only",
    );
    for_each(
        [
            ("--image a.png --file a.png", both),
            ("--markdown --card --url https://x -t T x", both),
            ("--raw a.png --markdown", "cannot be used with"),
            ("--to lisi --chat ops x", "cannot be used with"),
            ("--party 1 --robot ops x", "cannot be used with"),
            ("--chat ops --robot ops x", "cannot be used with"),
            ("--mention lisi x", "--robot <NAME>"),
            ("--mention-mobile 1 x", "--robot <NAME>"),
            ("--markdown-v2 x", "--robot <NAME>"),
            ("--card -t T x", "--url <URL>"),
            ("--news -t T x", "--url <URL>"),
            ("--card --url https://x x", "a textcard needs a title"),
            (
                "--robot ops --mention lisi --image a.png",
                "call them by a text",
            ),
            ("--news --url https://x x", "a news needs a title"),
            ("--url https://x x", "add --card or --news"),
            ("--button 看 x", "--card"),
            ("--picture https://x x", "--news"),
            ("--name a.txt x", "add --file, --image, --voice or --video"),
            ("--raw a.png x", "write them into the JSON"),
            ("--raw a.png -t T", "write them into the JSON"),
            ("--file - --name a -", "stdin cannot be both the file and"),
            ("--robot ops --video a.mp4", "a robot takes no video"),
            (
                "--robot ops --image media_id:3abc",
                "a robot takes no image by",
            ),
            ("--robot ops --markdown --mention lisi x", "write <@userid>"),
            ("--robot ops --image a.png --mention lisi", in_texts),
            ("--chat 群 x", "cannot be a chatid"),
        ],
        |(args, words)| {
            let sandbox = with_robot(&standin);
            let outcome = send_here(&sandbox, args).exits(64);
            let said = outcome.stderr.replace("\n  ", " ").replace(" (", ": ");
            let is_said = outcome.stderr.contains(words) || said.contains(words);
            assert!(is_said, "{args}: {said}");
            assert_eq!(outcome.stdout, "");
            assert_eq!(sandbox.names(), ["config.toml", "wxpush"], "{args}");
        },
    );
    assert_eq!(standin.requests().len(), 0);
    // Nothing is asked of a config, either.
    let nowhere = Sandbox::empty();
    send_here(&nowhere, "--card -t T x").exits(64);
}
