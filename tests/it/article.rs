//! `--long article`: what becomes one and how it reads, its cover, its limits, what is kept, hostile texts.

use serde_json::{Value, json};

use crate::standin::{CHATID, SECRET, Standin};
use crate::support::{
    Fields, SEND, UPLOAD, Words, edit_attempts, emptied, flush, for_each, last, now, refusal,
    robot, set_up, stepped, texts, waiting,
};

/// A report past the limit of a message.
fn report() -> String {
    let rows: String = (0..200)
        .map(|row| format!("| web-{row} | {row} % |\n"))
        .collect();
    format!(
        "# Night report\n\n## Disks\n\n| host | used |\n|---|--:|\n{rows}\n- one\n  - two\n\n```sh\ndf -h < x\n```\n\n[log](https://ci.example/7)\n"
    )
}

/// The article that arrived last.
fn article(standin: &Standin) -> Value {
    let landed = last(standin);
    assert_eq!(landed.msgtype, "mpnews");
    landed.raw["mpnews"]["articles"][0].clone()
}

/// The content of an article, as somebody reads it.
fn content(article: &Value) -> String {
    article["content"].as_str().unwrap().to_owned()
}

#[test]
fn a_long_text_or_markdown_is_one_article_and_a_short_one_a_message() {
    let (standin, sandbox) = set_up();
    let send = |options: &str, text: &str| {
        let run = sandbox.wxpush(&format!("send --to lisi --long article {options}"));
        run.stdin(text).is_silent();
    };
    send("--markdown", &report());
    let one = article(&standin);
    one.has(json!({"title": "Night report"}));
    let html = content(&one);
    for part in [
        "<h2>Disks</h2>",
        "<th align=\"right\">used</th>",
        "<td>web-199</td>",
        "<ul><li>one<ul><li>two</li></ul></li></ul>",
        "df -h &lt; x\n</code></pre>",
        "<a href=\"https://ci.example/7\">log</a>",
    ] {
        html.shows(part);
    }
    assert!(
        one["digest"].as_str().unwrap().starts_with("【Disks】"),
        "{one:.600}"
    );
    let lines: String = (0..300)
        .map(|line| format!("line {line}: <a & b>\n"))
        .collect();
    send("-t Lines", &lines);
    let one = article(&standin);
    one.has(json!({"title": "Lines"}));
    content(&one).shows("line 0: &lt;a &amp; b&gt;<br>line 1: &lt;a");
    // At the limit, and a byte behind it.
    for (size, msgtype) in [(2048, "text"), (2049, "mpnews")] {
        send("", &"x".repeat(size));
        assert_eq!(last(&standin).msgtype, msgtype);
    }
    assert_eq!(standin.count(UPLOAD), 1, "one cover for all");
    assert_eq!(last(&standin).media[0].kind, "image");
}

#[test]
fn an_article_goes_into_chats_to_all_receivers_with_safe_and_to_readers_in_wechat() {
    let (standin, sandbox) = set_up();
    let users: Vec<String> = (0..1001).map(|number| format!("u{number}")).collect();
    let send = |options: &str| {
        let run = sandbox.wxpush("send --long article");
        run.args(&options.split(' ').collect::<Vec<_>>())
            .stdin(report())
            .run()
    };
    send(&format!("--chat {CHATID}")).exits(0);
    send("--to lisi --safe").exits(0);
    assert_eq!(last(&standin).safe, 1);
    send(&format!("--to {},lisi", users.join(","))).says("sent, but");
    assert_eq!(last(&standin).msgtype, "mpnews");
    sandbox.configure("show_in = \"wechat\"");
    sandbox
        .wxpush("send --to lisi --markdown --long article")
        .stdin(report())
        .is_silent();
    content(&article(&standin)).shows("<h2>Disks</h2>");
    assert_eq!(standin.count(UPLOAD), 1);
}

#[test]
fn a_robot_sends_no_articles_and_is_not_asked_to() {
    let (standin, sandbox) = set_up();
    sandbox.append(&robot());
    for text in ["short", &report()] {
        let run = sandbox.wxpush("send --robot ops --long article");
        run.stdin(text).exits(64).says("robots send no articles");
    }
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn what_is_more_than_an_article_holds_comes_behind_it_as_a_file() {
    let (standin, sandbox) = set_up();
    let send = || sandbox.wxpush("send --to lisi -t Log --long article");
    let lines = "0123456789 & more\n".repeat(60_000);
    send().stdin(&*lines).is_silent();
    let phone = standin.company().phone("lisi");
    let [one, file] = &phone[..] else {
        panic!("an article, and a file")
    };
    let html = content(&one.raw["mpnews"]["articles"][0]);
    assert!((665_000..=666_000).contains(&html.len()), "{}", html.len());
    assert!(
        html.ends_with("</p><p>…（全文 1080003 字节，见附件）</p>"),
        "{}",
        &html[html.len() - 99..]
    );
    assert_eq!(file.media[0].filename, "Log.txt");
    let whole = format!("Log\n{}", lines.trim_end_matches('\n'));
    assert!(*file.media[0].bytes == *whole.as_bytes());
    // Past what is read at all.
    send()
        .stdin("y\n".repeat(11 << 20))
        .exits(0)
        .says("longer than 20 MiB");
    assert_eq!(standin.company().phone("lisi").len(), 4);
}

#[test]
fn a_kept_article_is_shown_and_arrives_with_a_cover_that_wecom_still_has() {
    let (standin, sandbox) = set_up();
    let send = "send --to lisi --markdown --long article";
    standin.script(SEND, [refusal(60020)]);
    sandbox.wxpush(send).stdin(report()).exits(77);
    let id = waiting(&sandbox).remove(0);
    sandbox
        .wxpush("outbox list")
        .exits(0)
        .stdout
        .shows("Night report");
    let shown = sandbox.wxpush("outbox show").arg(&id).exits(0).stdout;
    for words in ["Night report", "web-199 199 %", "• two", "cover.png"] {
        shown.shows(words);
    }
    assert_eq!(standin.count(UPLOAD), 1);
    // Three days later, by what is noted.
    edit_attempts(&sandbox, &id, |it| {
        it["media"]["uploaded_at"] = (now() - 72 * 3600).into();
    });
    let noted = sandbox.read("uploads");
    let (_, rest) = noted.split_once(' ').unwrap();
    sandbox.write("uploads", format!("{} {rest}", now() - 72 * 3600));
    flush(&sandbox).is_silent();
    assert_eq!(standin.count(UPLOAD), 2);
    article(&standin).has(json!({"title": "Night report"}));
    assert_eq!(emptied(&sandbox), ["failed"]);
    // What WeCom has forgotten before its time is uploaded anew, too.
    let media_id = article(&standin)["thumb_media_id"]
        .as_str()
        .unwrap()
        .to_owned();
    standin.company().media.forget(&media_id);
    sandbox.wxpush(send).stdin(report()).is_silent();
    assert_eq!(standin.count(UPLOAD), 3);
}

#[test]
#[ignore = "needs faketime"]
fn a_cover_is_uploaded_again_after_three_days() {
    let (standin, sandbox) = set_up();
    for (shows, uploads) in [("+0", 1), ("+70h", 1), ("+71h", 2), ("+100h", 2)] {
        let send = stepped(&sandbox, shows, "send --to lisi --long article");
        send.stdin("x".repeat(3000)).exits(0);
        assert_eq!(standin.count(UPLOAD), uploads, "{shows}");
    }
}

#[test]
fn a_dry_run_shows_the_cover_and_the_article_and_asks_nobody() {
    let (standin, sandbox) = set_up();
    let run = sandbox.wxpush("send --dry-run --json --to lisi --long article");
    let result = run.stdin(report()).exits(0).json();
    result.has(json!({"status": "dry-run", "parts": 1}));
    assert_eq!(result["requests"][0]["file"]["name"], "cover.png");
    let body: Value =
        serde_json::from_str(result["requests"][1]["body"].as_str().unwrap()).unwrap();
    body["mpnews"]["articles"][0].has(json!({"thumb_media_id": "<media_id of cover.png>"}));
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn a_secret_is_hidden_however_markdown_spells_it() {
    let (standin, sandbox) = set_up();
    let entities: String = SECRET
        .chars()
        .map(|it| format!("&#{};", u32::from(it)))
        .collect();
    let text = format!(
        "# a {SECRET}\n{entities} [b](https://x/{SECRET})\n\n{}",
        report()
    );
    for options in ["--markdown", "", "--markdown -t 标题"] {
        let run = sandbox.wxpush(&format!("send --to lisi --long article {options}"));
        let outcome = run.stdin(&*text).exits(0);
        outcome.says("[hidden]");
        let one = article(&standin).to_string();
        one.shows("[hidden]");
        one.lacks(SECRET);
    }
    // The same where readers in WeChat get markdown as text.
    sandbox.configure("show_in = \"wechat\"");
    let run = sandbox.wxpush("send --to lisi --markdown");
    run.arg(&entities).exits(0);
    texts(&standin, "lisi").pop().unwrap().lacks(SECRET);
}

#[test]
fn hostile_markdown_becomes_an_article_that_wecom_takes() {
    let nested = |mark: &str| format!("{}a", mark.repeat(10_000));
    let script = "<script>alert(1)</script> [a](javascript:b) <img src=x onerror=c>\n\n";
    for_each(
        [
            "*".repeat(600_000),
            "[ (](".repeat(120_000),
            nested("> "),
            nested("- "),
            format!("```\n**open [a]( `b {}", "x ".repeat(2000)),
            script.repeat(50),
            format!("| a |\n|---|\n{}", "| \u{202e}b".repeat(2000)),
        ],
        |markdown| {
            let (standin, sandbox) = set_up();
            sandbox
                .wxpush("send --to lisi --markdown --long article")
                .stdin(&*markdown)
                .is_silent();
            let html = content(&article(&standin));
            for foreign in ["<script", "<img", "href=\"javascript"] {
                html.lacks(foreign);
            }
            assert!(html.matches("<blockquote>").count() <= 32, "{markdown:.20}");
        },
    );
}

#[test]
fn auto_says_at_most_once_and_only_to_who_asks_that_there_are_articles() {
    let (_standin, sandbox) = set_up();
    let send = |options: &str, size: usize| {
        let run = sandbox.wxpush(&format!("{options} send --to lisi"));
        run.stdin("x".repeat(size)).exits(0).stderr
    };
    send("", 3000).lacks("--long article");
    send("-v", 3000).shows("--long article");
    send("-v", 2000).lacks("--long article");
}
