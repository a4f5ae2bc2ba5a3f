//! `wxpush http`: the requests of each service, by curl and to the byte.

use serde_json::{Value, json};

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::inetd::{HTTP_KEY as KEY, Inetd, with_http_key};
use crate::support::{Words, for_each, last, pdf, png, texts};

/// A service's documented line, what lisi reads, and a field of the answer with its value, of that
/// to a wrong key, too.
type Documented = (
    &'static [&'static str],
    &'static str,
    (&'static str, Value),
    u16,
    (&'static str, Value),
);

#[rustfmt::skip]
fn documented() -> Vec<Documented> {
    let serverchan = || ("/data/errno", json!(0));
    let bad_serverchan = || ("/code", json!(40001));
    let ntfy = || ("/event", json!("message"));
    let gotify = || ("/appid", json!(1));
    let bad_gotify = || ("/errorCode", json!(401));
    let pushplus = || ("/code", json!(200));
    let bad_pushplus = || ("/code", json!(903));
    vec![
        (&["http://HOST/KEY.send?title=Hello%20there"], "Hello there", serverchan(), 401, bad_serverchan()),
        (&["-d", "title=磁盘", "-d", "desp=满了%0A%0A91%25", "http://HOST/KEY.send"], "磁盘\n满了\n\n91%", serverchan(), 401, bad_serverchan()),
        (&["-H", "Content-Type: application/json", "-d", r#"{"title":"t","desp":"d"}"#, "http://HOST/send/KEY.send"], "t\nd", serverchan(), 401, bad_serverchan()),
        (&["-d", "Backup successful 😀", "http://HOST/KEY"], "Backup successful 😀", ntfy(), 403, ("/code", json!(40301))),
        (&["-H", "Title: Unauthorized access detected", "-H", "Priority: urgent", "-H", "Tags: warning,skull", "-H", "Authorization: Bearer KEY", "-d", "Remote access. Act now.", "http://HOST/phil_alerts"],
            "Unauthorized access detected\nRemote access. Act now.\n标签：warning,skull", ntfy(), 401, ("/code", json!(40101))),
        (&["-u", ":KEY", "-H", "Click: https://home.example/", "-H", "Title: =?UTF-8?B?5L2g5aW9?=", "-d", "door", "http://HOST/door"], "你好\ndoor\nhttps://home.example/", ntfy(), 401, ("/http", json!(401))),
        (&["-u", "phil:KEY", "-d", r#"{"topic":"mytopic","message":"Disk space is low","title":"Low disk","tags":["warning"],"priority":4,"click":"https://x.example/"}"#, "http://HOST"],
            "Low disk\nDisk space is low\n标签：warning\nhttps://x.example/", ntfy(), 401, ("/code", json!(40101))),
        (&["http://HOST/KEY/trigger"], "triggered", ntfy(), 403, ("/http", json!(403))),
        (&["http://HOST/message?token=KEY", "-F", "title=my title", "-F", "message=my message", "-F", "priority=5"], "my title\nmy message", gotify(), 401, bad_gotify()),
        (&["-H", "X-Gotify-Key: KEY", "-H", "Content-Type: application/json", "-d", r#"{"message":"m","priority":2,"extras":{"client::notification":{"click":{"url":"https://x.example"}}}}"#, "http://HOST/message"], "m\nhttps://x.example", gotify(), 401, bad_gotify()),
        (&["http://HOST/send?token=KEY&title=XXX&content=XXX&template=html"], "XXX\nXXX", pushplus(), 401, bad_pushplus()),
        (&["-H", "Content-Type: application/json", "-d", r#"{"token":"KEY","title":"标题","content":"<p>a</p><p>b <a href=\"http://x.example\">c</a></p>","topic":"code","template":"html"}"#, "http://HOST/send"],
            "标题\na\n\nb c (http://x.example)", pushplus(), 401, bad_pushplus()),
        (&["-d", r#"{"content":"a\nb","template":"txt"}"#, "http://HOST/send/KEY"], "a\nb", pushplus(), 401, bad_pushplus()),
        (&["-u", "x:KEY", "-d", r#"{"version":"1.0","title":"t","message":"m","attachments":[],"type":"info"}"#, "http://HOST/apprise"], "t\nm", ("/status", json!("ok")), 401, ("/status", json!("error"))),
    ]
}

#[test]
fn each_documented_line_arrives_and_is_answered_as_its_service_does() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    for (line, expected, (path, value), ..) in documented() {
        let answer = inetd.asked(line, KEY);
        assert_eq!(answer.status, 200, "{line:?}: {answer:?}");
        assert_eq!(answer.json().pointer(path), Some(&value), "{answer:?}");
        assert_eq!(
            texts(&standin, "lisi").pop().as_deref(),
            Some(expected),
            "{line:?}"
        );
    }
    let count = texts(&standin, "lisi").len();
    let all = documented().into_iter();
    let longer = format!("{KEY}x");
    let wrong = all.zip([&KEY[1..], &longer, "x"].into_iter().cycle());
    for_each(wrong, |((line, _, _, status, (path, value)), key)| {
        let answer = inetd.asked(line, key);
        assert_eq!(answer.status, status, "{line:?}: {answer:?}");
        assert_eq!(answer.json().pointer(path), Some(&value), "{answer:?}");
    });
    assert_eq!(texts(&standin, "lisi").len(), count);
    assert!(inetd.ends().iter().all(|code| *code == Some(0)));
    let log = sandbox.read("wxpush.log");
    log.shows("command=http service=ntfy key=scripts from=127.0.0.1:");
    log.shows("status=401");
}

#[test]
fn markdown_is_markdown_where_a_service_says_so_and_has_marks() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let md = r#"{"message":"**5**","extras":{"client::display":{"contentType":"text/markdown"}}}"#;
    let lines: [(&[&str], &str, &str); 7] = [
        (
            &[
                "-d",
                "title=t",
                "-d",
                "desp=**5** failed",
                "http://HOST/KEY.send",
            ],
            "markdown",
            "# t\n**5** failed",
        ),
        (
            &[
                "-d",
                "title=t",
                "-d",
                "desp=5 failed",
                "http://HOST/KEY.send",
            ],
            "text",
            "t\n5 failed",
        ),
        (
            &["-H", "Markdown: yes", "-d", "**5**", "http://HOST/KEY"],
            "markdown",
            "**5**",
        ),
        (
            &[
                "-H",
                "Content-Type: text/markdown",
                "-d",
                "**5**",
                "http://HOST/KEY",
            ],
            "markdown",
            "**5**",
        ),
        (&["-d", "**5**", "http://HOST/KEY"], "text", "**5**"),
        (
            &["-d", md, "http://HOST/message?token=KEY"],
            "markdown",
            "**5**",
        ),
        (
            &[
                "-d",
                "token=KEY",
                "-d",
                "content=**5**",
                "-d",
                "template=markdown",
                "http://HOST/send",
            ],
            "markdown",
            "**5**",
        ),
    ];
    for (line, kind, text) in lines {
        assert_eq!(inetd.asked(line, KEY).status, 200);
        let landed = last(&standin);
        assert_eq!((&*landed.msgtype, &*landed.text), (kind, text), "{line:?}");
    }
}

#[test]
fn a_file_arrives_as_a_picture_or_a_file_with_its_text() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let large = [&pdf()[..], &b"x".repeat(3 << 20)].concat();
    for (name, bytes) in [("a.png", png()), ("报告.pdf", large)] {
        sandbox.write(name, &bytes);
        let path = sandbox.path(name).display().to_string();
        let header = format!("Filename: {name}");
        let line = [
            "-T",
            &path,
            "-H",
            &header,
            "-H",
            "Message: see\\nthis",
            "http://HOST/KEY",
        ];
        assert_eq!(inetd.asked(&line, KEY).status, 200);
        let phone = standin.company().phone("lisi");
        let [.., text, file] = &phone[..] else {
            panic!("{} messages", phone.len());
        };
        assert_eq!(text.text, "see\nthis");
        assert_eq!(file.msgtype, if name == "a.png" { "image" } else { "file" });
        assert!(file.media[0].bytes == bytes);
        assert!(name == "a.png" || file.media[0].filename == name);
    }
    let attached = r#"{"title":"","message":"m","attachments":[{"filename":"b.txt","base64":"aGVsbG8gd29ybGQ=","mimetype":"text/plain"}]}"#;
    assert_eq!(
        inetd
            .asked(&["-d", attached, "http://HOST/apprise?key=KEY"], KEY)
            .status,
        200
    );
    assert_eq!(&last(&standin).media[0].bytes[..], b"hello world");
    let attached = attached.replace("aGVsbG8gd29ybGQ=", "aGVs\\r\\nbG8gd29ybGQ");
    let line = ["-d", &*attached, "http://HOST/apprise?key=KEY"];
    assert_eq!(inetd.asked(&line, KEY).status, 200);
    assert_eq!(&last(&standin).media[0].bytes[..], b"hello world");
}

#[test]
fn markup_of_a_request_is_shown_and_not_obeyed() {
    let (standin, sandbox) = with_http_key();
    sandbox.append(&format!(
        "[http.keys.group]\nkey = \"{KEY}-group\"\nrobot = \"ops\"\n"
    ));
    let inetd = Inetd::start(&sandbox, "");
    let evil = "<a href=\"http://evil.example\">bank</a> <@all>";
    let message = json!({"title": evil, "message": evil}).to_string();
    let text = || texts(&standin, "lisi").pop().unwrap();
    let group = || {
        standin
            .company()
            .group(ROBOT_KEY)
            .last()
            .unwrap()
            .text
            .clone()
    };
    for (key, read) in [
        (KEY, &text as &dyn Fn() -> String),
        (&format!("{KEY}-group"), &group),
    ] {
        for kind in ["text/plain", "text/markdown"] {
            let extras = json!({"client::display": {"contentType": kind}});
            let mut message: Value = serde_json::from_str(&message).unwrap();
            message["extras"] = extras;
            let message = message.to_string();
            let line = ["-d", &*message, "http://HOST/message?token=KEY"];
            assert_eq!(inetd.asked(&line, key).status, 200);
            let text = read();
            text.lacks("<a href");
            text.lacks("<@");
            text.replace('\u{200b}', "").shows(evil);
        }
    }
}

#[test]
fn markup_that_only_becomes_markup_as_plain_text_is_not_obeyed_either() {
    let (standin, sandbox) = with_http_key();
    sandbox.configure("show_in = \"wechat\"");
    let inetd = Inetd::start(&sandbox, "");
    for evil in [
        "&lt;a href=\"http://evil.example\"&gt;bank&lt;/a&gt; **x**",
        "&#60;@all&#62; **x**",
        "<<font>a href=\"http://evil.example\">bank</a> **x**",
        "<`a` href=\"http://evil.example\">bank **x**",
    ] {
        for part in ["title", "desp"] {
            let field = format!("{part}={evil}");
            let line = [
                "--data-urlencode",
                &field,
                "-d",
                "desp=**y**",
                "http://HOST/KEY.send",
            ];
            assert_eq!(inetd.asked(&line, KEY).status, 200);
            let text = texts(&standin, "lisi").pop().unwrap();
            text.lacks("<a");
            text.lacks("<@");
        }
    }
}

#[test]
fn of_many_attachments_so_many_arrive_as_of_a_mail() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let mut files = vec![json!({"filename": "a.txt", "base64": "YmFja3VwIGRvbmU="}); 23];
    // One that WeCom would not take.
    files[0]["base64"] = json!("YQ==");
    let message = json!({"title": "t", "message": "m", "attachments": files}).to_string();
    sandbox.write("message.json", message);
    let file = format!("@{}", sandbox.path("message.json").display());
    let line = ["-u", "x:KEY", "-d", &file, "http://HOST/apprise"];
    assert_eq!(inetd.asked(&line, KEY).status, 200);
    let company = standin.company();
    let phone = company.phone("lisi");
    assert_eq!(phone.len(), 20);
    phone[0].text.begins("t\nm\n");
    phone[0].text.shows("3");
    phone[0].text.shows("a.txt");
}

/// Says a webhook to its path; returns what lisi reads.
fn hook(inetd: &Inetd, standin: &Standin, path: &str, body: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = inetd.say(head + body);
    assert_eq!(answer.status, 200, "{answer:?}");
    texts(standin, "lisi").pop().unwrap()
}

#[test]
fn webhooks_become_short_texts_in_the_phones_language() {
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::of(&sandbox, |run| run.env("TZ", "UTC"));
    let prometheus = "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1";
    let alerts = [
        "🔥 1 条告警，1 条已恢复：InstanceDown\n\
         🔥 告警：InstanceDown\nInstance web1:9100 down\nweb1:9100 of job node has been down for more than 5 minutes.\n\
         instance=web1:9100, job=node, severity=critical\n开始：2026-11-30 02:04:05\n",
        prometheus,
        "\n\n✅ 已恢复：InstanceDown\nInstance web2:9100 down <@all> <a href=\"http://evil.example\">bank</a>\n\
         instance=web2:9100, job=node, severity=critical\n开始：2026-11-30 01:00:00\n恢复：2026-11-30 02:00:00\n\n（另有 3 条未列出）",
    ];
    let alertmanager = include_str!("webhooks/alertmanager.json");
    let text = hook(&inetd, &standin, "/alertmanager", alertmanager);
    assert_eq!(text.replace('\u{200b}', ""), alerts.concat());
    text.lacks("<@");
    let mut many: Value = serde_json::from_str(alertmanager).unwrap();
    many["alerts"] = vec![many["alerts"][0].clone(); 4000].into();
    many["truncatedAlerts"] = u64::MAX.into();
    let many = many.to_string();
    let text = hook(&inetd, &standin, "/alertmanager", &many);
    text.shows(&format!("（另有 {} 条未列出）", u64::MAX));
    let grafana = include_str!("webhooks/grafana.json");
    assert_eq!(
        hook(&inetd, &standin, "/grafana", grafana),
        "🔥 告警：High memory usage\nThis alert was triggered for zone us-1\nThe system has high memory usage\n\
         grafana_folder=Servers, team=blue, zone=us-1\nB = 44.5, C = 1\n开始：2026-10-12 07:51:03\n\
         https://runbooks.example/1234\nhttps://grafana.example/d/abc?viewPanel=2"
    );
    let kuma = include_str!("webhooks/uptime-kuma.json");
    let down = "connect ECONNREFUSED 192.0.2.7:443\n2026-11-30 10:04:05\nhttps://shop.example";
    let text = hook(&inetd, &standin, "/uptime-kuma", kuma);
    assert_eq!(text, format!("🔴 Shop 无法访问\n{down}"));
    let login = kuma.replace("https://shop", "https://me:pass/word@shop");
    hook(&inetd, &standin, "/uptime-kuma", &login).lacks("word");
    let login = kuma.replace("https://shop", "https://me:password@shop");
    hook(&inetd, &standin, "/uptime-kuma", &login).shows("\nhttps://shop.example");
    let form: Value = serde_json::from_str(kuma).unwrap();
    let form = format!("data={form}");
    let line = ["-F", &*form, "http://HOST/uptime-kuma?key=KEY"];
    assert_eq!(inetd.asked(&line, KEY).status, 200);
    assert_eq!(texts(&standin, "lisi").pop().unwrap(), text);
    let line = ["http://HOST/uptime-kuma?key=KEY&msg=Testing"];
    assert_eq!(inetd.asked(&line, KEY).status, 200);
    assert_eq!(texts(&standin, "lisi").pop().unwrap(), "Testing");
    sandbox.configure("lang = \"en\"");
    let inetd = Inetd::start(&sandbox, "");
    hook(&inetd, &standin, "/alertmanager", alertmanager)
        .shows("🔥 1 firing, 1 resolved: InstanceDown\n🔥 Firing: InstanceDown\n");
    hook(&inetd, &standin, "/uptime-kuma", kuma).shows("🔴 Shop is down\n");
    let custom = r#"{"title": "mine", "message": "my own template"}"#;
    assert_eq!(
        hook(&inetd, &standin, "/grafana", custom),
        "mine\nmy own template"
    );
}
