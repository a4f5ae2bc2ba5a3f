//! The page of phones, in a real browser: what is drawn of each kind, and what hostile messages can't do.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::standin::{AGENTID, Standin};
use crate::support::browser::Browser;
use crate::support::{Sandbox, Words, furnished, here, is_wanted, png};

/// What a browser is told of a path, head and body.
fn fetched(standin: &Standin, path: &str, host: &str) -> String {
    let address = standin.base().replace("http://", "");
    let mut wire = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    wire.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_shows_itself_to_this_machine_alone() {
    let standin = Standin::start();
    for path in ["/", "/page.js", "/kinds.js", "/page.css"] {
        let answer = fetched(&standin, path, "127.0.0.1:1");
        answer.shows("200 OK");
        answer.shows("content-security-policy: default-src 'none'; script-src 'self'");
        answer.lacks("src=\"http");
        answer.lacks("url(");
    }
    fetched(&standin, "/phones", "localhost").shows("\"landed\":[]");
    for host in ["evil.example", "127.0.0.1.evil.example"] {
        fetched(&standin, "/phones", host).shows("404 Not Found");
    }
    // Who looks on is not counted among those who called.
    assert_eq!(standin.requests().len(), 2);
}

/// Sends a message of this kind to zhangsan, in WeCom's own JSON.
fn sends_raw(sandbox: &Sandbox, kind: &str, body: serde_json::Value) {
    let message = json!({"touser": "zhangsan", "agentid": AGENTID, "msgtype": kind, kind: body});
    let send = sandbox.wxpush("send --raw -").stdin(message.to_string());
    send.is_silent();
}

/// The kinds that wxpush has no option for.
fn send_raw_kinds(sandbox: &Sandbox) {
    let media_id = here(sandbox, "upload a.png").exits(0).stdout;
    let paper = json!({"title": "Paper", "thumb_media_id": media_id.trim(), "digest": "in short", "content": "<p>at length</p><ul><li><a href=\"https://f.example\">there</a></li></ul>"});
    sends_raw(sandbox, "mpnews", json!({"articles": [paper]}));
    let action = json!({"type": 1, "url": "https://ci.example/7"});
    sends_raw(
        sandbox,
        "template_card",
        json!({
            "card_type": "text_notice", "source": {"desc": "CI"}, "main_title": {"title": "Build 7", "desc": "main"},
            "emphasis_content": {"title": "98%", "desc": "covered"}, "quote_area": {"quote_text": "said"},
            "horizontal_content_list": [{"keyname": "Host", "value": "web1"}],
            "jump_list": [{"type": 1, "title": "Log", "url": "https://ci.example/log"}], "card_action": action,
        }),
    );
    sends_raw(
        sandbox,
        "template_card",
        json!({
            "card_type": "news_notice", "main_title": {"title": "With a picture"}, "card_action": action,
            "card_image": {"url": "https://pictures.example/a.png"}, "vertical_content_list": [{"title": "Row", "desc": "below"}],
        }),
    );
    let rows = json!([{"key": "Room", "value": "402"}]);
    sends_raw(
        sandbox,
        "miniprogram_notice",
        json!({"appid": "wx1", "title": "Meeting", "content_item": rows}),
    );
}

/// What must be seen on zhangsan's phone: of which kind, in which element, which words.
const DRAWN: [(&str, &str, &str); 23] = [
    ("text", "a[href='https://a.example/x']", "this"),
    ("text", "a[href='https://b.example']", "https://b.example"),
    ("markdown", "h1", "Head"),
    ("markdown", "strong", "bold"),
    ("markdown", ".info", "good"),
    ("markdown", "code", "code"),
    (
        "markdown",
        "blockquote a[href='https://c.example']",
        "there",
    ),
    ("file", "a[download] b", "报告.pdf"),
    ("voice", ".voice", "1″"),
    ("video", "b", "film"),
    ("textcard", "b", "Card"),
    ("textcard", ".description", "below it"),
    ("textcard", "a.more[href='https://d.example']", "Details"),
    ("news", "a[href='https://e.example'] b", "News"),
    ("mpnews", "summary b", "Paper"),
    ("mpnews", ".paper p", "at length"),
    ("mpnews", ".paper li a[href='https://f.example']", "there"),
    ("template_card", ".text_notice > b", "Build 7"),
    ("template_card", ".emphasis strong", "98%"),
    ("template_card", "dd", "web1"),
    ("template_card", "a.more", "Log"),
    ("template_card", ".news_notice .column p", "below"),
    ("miniprogram_notice", "dd", "402"),
];

#[test]
#[ignore = "needs chromium-headless-shell, and WXPUSH_BROWSER=1: it is large to install"]
fn each_kind_is_drawn_as_it_lands_with_its_words() {
    if !is_wanted("WXPUSH_BROWSER") {
        return;
    }
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let mut browser = Browser::open(&format!("{}/?lang=en", standin.base()));
    browser.awaits("document.querySelector('.empty')?.checkVisibility() === true");
    // Gone if anything has the page loaded anew.
    browser.finds("window.here = true");
    let zhangsan = "send --to zhangsan";
    for (options, message) in [
        (
            zhangsan,
            "see <a href=\"https://a.example/x\">this</a>, https://b.example",
        ),
        (
            "send --to zhangsan --markdown",
            "first\n# Head\n**bold** <font color=\"info\">good</font> `code`\n> said [there](https://c.example)",
        ),
        ("send --to zhangsan --image a.png", ""),
        ("send --to zhangsan --file 报告.pdf", ""),
        ("send --to zhangsan --voice a.amr", ""),
        ("send --to zhangsan --video a.mp4 -t film", ""),
        (
            "send --to zhangsan --card --url https://d.example -t Card",
            "below it",
        ),
        (
            "send --to zhangsan --news --url https://e.example -t News",
            "in brief",
        ),
        ("send --robot ops --mention zhangsan", "look"),
        ("send --robot ops --image a.png", ""),
        ("send --chat ops", "all of you"),
    ] {
        let run = here(&sandbox, options);
        let run = if message.is_empty() {
            run
        } else {
            run.arg(message)
        };
        run.is_silent();
    }
    send_raw_kinds(&sandbox);
    for (kind, selector, words) in DRAWN {
        let at = format!("[data-place=zhangsan] [data-kind={kind}] .row:not(.stub) {selector}");
        let found = format!(
            "[...document.querySelectorAll({at:?})].some(it => it.textContent.includes({words:?}))"
        );
        browser.awaits(&found);
    }
    for picture in [
        "[data-place=zhangsan] [data-kind=image]",
        "[data-place^=robot] [data-kind=image]",
        "[data-kind=mpnews]",
    ] {
        browser.awaits(&format!(
            "document.querySelector(\"{picture} img\")?.naturalWidth > 0"
        ));
    }
    browser.awaits(
        "document.querySelector('[data-place^=robot] .mention').textContent === '@zhangsan'",
    );
    browser.awaits("document.querySelector('[data-place=chat-ops] .bubble').textContent.endsWith('all of you')");
    browser.awaits("window.here");
}

#[test]
#[ignore = "needs chromium-headless-shell, and WXPUSH_BROWSER=1: it is large to install"]
fn what_a_hostile_message_says_is_shown_and_does_nothing() {
    if !is_wanted("WXPUSH_BROWSER") {
        return;
    }
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let mut browser = Browser::open(&standin.base());
    let hostile = "<script>hit=1</script><img src=x onerror=hit=1>\" onmouseover=\"hit=1";
    let link = "<a href=\"javascript:hit=1\">one</a> <a href='data:text/html,x'>two</a>";
    sandbox.write("a.png", png());
    let media_id = here(&sandbox, "upload a.png").exits(0).stdout;
    let paper = json!({"title": hostile, "thumb_media_id": media_id.trim(), "content": format!("<p onclick=\"hit=1\">{hostile}{link}<iframe src=\"data:text/html,x\"></iframe>&lt;script&gt;")});
    let article = json!({"title": hostile, "url": "https://a.example/\"onclick=\"hit=1", "picurl": "https://b.example/\"><script>hit=1</script>"});
    for (kind, body) in [
        ("text", json!({"content": format!("{hostile} {link}")})),
        (
            "markdown",
            json!({"content": format!("# {hostile}\n[three](javascript:hit=1) <font color=\"info\">{hostile}</font>")}),
        ),
        (
            "textcard",
            json!({"title": hostile, "description": format!("<div class=\"gray\">{hostile}</div>"), "url": "https://c.example"}),
        ),
        ("news", json!({"articles": [article]})),
        ("mpnews", json!({"articles": [paper]})),
        (
            "template_card",
            json!({"card_type": "text_notice", "main_title": {"title": hostile}, "jump_list": [{"title": hostile, "url": "javascript:hit=1"}], "card_action": {"type": 1, "url": "javascript:hit=1"}}),
        ),
    ] {
        sends_raw(&sandbox, kind, body);
        let shown = format!(
            "[...document.querySelectorAll('[data-kind={kind}] .row:not(.stub)')].some(it => it.textContent.includes({hostile:?}))"
        );
        browser.awaits(&shown);
    }
    for none in [
        "script:not([src='page.js'])",
        "img[src=x]",
        "[onerror], [onclick], [onmouseover]",
        "a:not([href^=http], #other)",
    ] {
        let count = format!("document.querySelectorAll({none:?}).length");
        assert_eq!(browser.finds(&count), 0, "{none}");
    }
    assert_eq!(browser.finds("typeof hit"), "undefined");
}

#[test]
#[ignore = "needs chromium-headless-shell, and WXPUSH_BROWSER=1: it is large to install"]
fn what_is_recalled_goes_in_wecom_and_stays_in_wechat_which_shows_no_markdown() {
    if !is_wanted("WXPUSH_BROWSER") {
        return;
    }
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let sent = sandbox.wxpush("send --json --to lisi oops").exits(0).json();
    sandbox
        .wxpush("send --to lisi --markdown")
        .arg("**loud**")
        .is_silent();
    let mut browser = Browser::open(&format!("{}/?lang=zh", standin.base()));
    let seen = |words: &str| {
        format!(
            "document.querySelector('[data-place=lisi] ol')?.innerText.includes({words:?}) === true"
        )
    };
    browser.awaits(&seen("oops"));
    browser.awaits(&seen("loud"));
    let msgid = sent["msgids"][0].as_str().unwrap();
    sandbox.wxpush("recall").arg(msgid).exits(0);
    browser.awaits(&seen("撤回了一条消息"));
    assert_eq!(browser.finds(&seen("oops")), false);
    browser.finds("document.querySelector('#wechat').click()");
    browser.awaits(&seen("oops"));
    browser.awaits(&seen("暂不支持此消息类型"));
    assert_eq!(browser.finds(&seen("loud")), false);
    assert_eq!(browser.finds("document.documentElement.lang"), "zh-CN");
}
