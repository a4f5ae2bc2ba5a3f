//! Long fields at WeCom's limits and past them: as they were given, or refused before anything left.

use serde_json::{Value, json};

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{for_each, last, mp4, send_here, with_robot};

/// What is typed, where X129 is so long; the message on stdin; what is said.
const ROWS: &str = "
--card -t X129 --url https://x words | | textcard.title has 129 characters, WeCom cuts it at 128
--card -t T --url URL2049 words | | textcard.url has 2049 bytes, WeCom takes 2048
--card -t T --url x.org words | | textcard.url does not begin with http:// or https://
--card -t T --url https://x --button 五个字不行 words | | textcard.btntxt has 5 characters, WeCom cuts it at 4
--card -t T --url https://x X513 | | textcard.description has 513 characters, WeCom cuts it at 512
--card -t T --url https://x words --robot ops | | webhook/send takes no textcard
--news -t X129 --url https://x | | title has 129 bytes, WeCom cuts it at 128
--news -t T --url https://x X513 | | description has 513 bytes, WeCom cuts it at 512
--news -t X129 --url https://x --robot ops | | title has 129 bytes, WeCom cuts it at 128
--raw - | text of 2049 | text.content has 2049 bytes, WeCom cuts it at 2048
--raw - --chat ops | text of 2049 | text.content has 2049 bytes, WeCom cuts it at 2048
--raw - --robot ops | text of 2049 | text.content has 2049 bytes, WeCom takes 2048
--raw - | mpnews of 129 | mpnews.articles[0].title has 129 bytes, WeCom cuts it at 128
--raw - --robot ops | mpnews | webhook/send takes no mpnews, only text, markdown,
--raw - --chat ops | card | appchat/send takes no template_card
";

#[test]
fn a_field_past_its_limit_is_named_with_limit_and_value_and_nothing_leaves() {
    let long = |size: usize| "x".repeat(size);
    let url = |size: usize| format!("https://{}", long(size - 8));
    let mpnews =
        |title: &str| json!({"msgtype": "mpnews", "mpnews": {"articles": [{"title": title}]}});
    let text = |size| json!({"msgtype": "text", "text": {"content": long(size)}});
    let none = Value::Null;
    let template = json!({"msgtype": "template_card", "template_card": {}});
    let table = ROWS.trim().lines().map(|row| {
        let [args, message, words] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("three cells: {row}");
        };
        let longer = [("X129", 129), ("X513", 513)].into_iter();
        let args = longer.fold(args.to_owned(), |args, (mark, size)| {
            args.replace(mark, &long(size))
        });
        let message = match message {
            "text of 2049" => text(2049),
            "mpnews of 129" => mpnews(&long(129)),
            "mpnews" => mpnews("t"),
            "card" => template.clone(),
            _ => none.clone(),
        };
        (args.replace("URL2049", &url(2049)), message, words)
    });
    let standin = Standin::start();
    for_each(table, |(args, message, words)| {
        let sandbox = with_robot(&standin);
        let run = || send_here(&sandbox, &args).stdin(message.to_string());
        run().exits(65).says(words);
        run().in_chinese().exits(65).is_chinese();
        assert!(!sandbox.path("outbox").exists(), "{args}");
    });
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn what_is_within_its_limit_lands_as_it_was_given() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let (title, words, url) = (
        "标".repeat(42) + "xx",
        "字".repeat(170) + "xx",
        format!("https://{}", "x".repeat(1000)),
    );
    let at_limit = |args: &str| {
        let run = send_here(&sandbox, args).args(&["-t", &title]);
        run.arg(&words).is_silent();
        last(&standin).text
    };
    let card = at_limit(&format!("--to lisi --card --button 四个字啊 --url {url}"));
    assert_eq!(card, format!("{title}\n{words}\n四个字啊: {url}"));
    let news = at_limit(&format!("--to lisi --news --url {url}"));
    assert_eq!(news, format!("{title}\n{words}\n{url}"));
    sandbox.write("a.mp4", mp4());
    let video = at_limit("--to lisi --video a.mp4");
    assert_eq!(video, format!("[视频]\n{title}\n{words}"));
    // Whether characters count or bytes WeCom's pages do not agree on: it goes, with a warning.
    let run =
        send_here(&sandbox, "--to lisi --card --url https://x words -t").arg("标".repeat(128));
    let outcome = run.exits(0);
    outcome.says("textcard.title has 384 bytes, more than 128");
    for (args, size, parts) in [
        ("--robot ops", 2048, 1),
        ("--robot ops", 2049, 2),
        ("--robot ops --markdown", 4096, 1),
        ("--robot ops --markdown-v2", 4097, 2),
        ("--chat ops", 2049, 2),
    ] {
        let before = standin.company().group(ROBOT_KEY).len();
        let given = "x".repeat(size);
        let run = send_here(&sandbox, &format!("{args} --long split"));
        run.stdin(given.clone()).is_silent();
        let landed = if args.contains("robot") {
            standin.company().group(ROBOT_KEY)[before..].to_vec()
        } else {
            standin.company().phone("wangwu")
        };
        let whole = landed
            .iter()
            .map(|it| it.text.split_once(")\n").map_or(&*it.text, |(_, it)| it));
        assert_eq!(whole.collect::<String>(), given, "{args} {size}");
        assert_eq!(landed.len(), parts, "{args} {size}");
    }
}
