//! Every kind of message to every kind of receiver: command line, and exact JSON on the wire.

use std::process::Command;

use serde_json::{Value, json};

use crate::standin::{AGENTID, CHATID, ROBOT_KEY, Standin};
use crate::support::{CALLS, Run, amr, furnished, jpeg, mp4, pdf, png, send_here, wire};

/// What `png` is in base64, and its md5, as other programs make them.
const PNG_BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg==";

/// What a message is but for its receivers: its kind, and the object of that name.
fn message(kind: &str, content: Value) -> Value {
    let mut message = json!({ "msgtype": kind });
    message[kind] = content;
    message
}

fn text(content: &str) -> Value {
    message("text", json!({ "content": content }))
}

fn markdown(content: &str) -> Value {
    message("markdown", json!({ "content": content }))
}

fn media(kind: &str, name: &str) -> Value {
    message(kind, json!({"media_id": format!("{kind}:{name}")}))
}

fn news(article: Value) -> Value {
    message("news", json!({"articles": [article]}))
}

/// What members and chats alike can be sent.
fn table() -> Vec<(&'static str, Vec<Value>)> {
    let plain =
        json!({"title": "[p] Title", "description": "some words", "url": "https://x/?a=1&b=2"});
    let mut buttoned = plain.clone();
    buttoned["btntxt"] = "看看".into();
    let to_card = "--card -t Title --url https://x/?a=1&b=2 some words";
    let to_button = "--card -t Title --url https://x/?a=1&b=2 --button 看看 some words";
    let article = json!({"title": "[p] Title", "url": "https://x/"});
    let to_pictured = "--news -t Title --url https://x/ --picture https://x/p.png words";
    let pictured = json!({"title": "[p] Title", "description": "words", "url": "https://x/", "picurl": "https://x/p.png"});
    let film = json!({"media_id": "video:a.mp4", "description": "[p] below it"});
    let titled =
        json!({"media_id": "video:a.mp4", "title": "[p] Title", "description": "below it"});
    let (png, jpg, amr) = ("a.png", "a.jpg", "a.amr");
    let alone = [
        ("words", text("[p] words")),
        ("-t Title words", text("[p] Title\nwords")),
        ("--markdown **words**", markdown("[p] **words**")),
        ("--markdown -t Title words", markdown("# [p] Title\nwords")),
        ("--image a.png", media("image", png)),
        ("--voice a.amr", media("voice", amr)),
        ("--video a.mp4", media("video", "a.mp4")),
        ("--video a.mp4 below it", message("video", film)),
        ("--video a.mp4 -t Title below it", message("video", titled)),
        ("--file 报告.pdf", media("file", "报告.pdf")),
        ("--file a.png", media("file", png)),
        (to_card, message("textcard", plain)),
        (to_button, message("textcard", buttoned)),
        ("--news -t Title --url https://x/", news(article)),
        (to_pictured, news(pictured)),
    ];
    let behind_words = [
        (
            "--image a.jpg said before",
            "[p] said before",
            media("image", jpg),
        ),
        ("--image a.png -t Title", "[p] Title", media("image", png)),
        (
            "--image a.png -t Title words",
            "[p] Title\nwords",
            media("image", png),
        ),
        ("--voice a.amr words", "[p] words", media("voice", amr)),
        (
            "--file ./报告.pdf --name b.pdf words",
            "[p] words",
            media("file", "b.pdf"),
        ),
    ];
    rows(alone, behind_words)
}

/// The rows of a table: messages that go alone, and those that go behind a text.
fn rows<const A: usize, const B: usize>(
    alone: [(&'static str, Value); A],
    behind: [(&'static str, &str, Value); B],
) -> Vec<(&'static str, Vec<Value>)> {
    let alone = alone.into_iter().map(|(args, it)| (args, vec![it]));
    let behind = behind
        .into_iter()
        .map(|(args, words, it)| (args, vec![text(words), it]));
    alone.chain(behind).collect()
}

/// What a group can be sent by its robot.
fn robots_table() -> Vec<(&'static str, Vec<Value>)> {
    let image = || {
        let image = json!({"base64": PNG_BASE64, "md5": "aa78de6842c7c0fa92d5fd8329f229cf"});
        message("image", image)
    };
    let tables = |content: &str| message("markdown_v2", json!({ "content": content }));
    let to_mentioned = "--mention zhangsan --mention @all --mention-mobile 13800001111 words";
    let mentioned = json!({"content": "[p] words", "mentioned_list": ["zhangsan", "@all"], "mentioned_mobile_list": ["13800001111"]});
    let article = json!({"title": "[p] Title", "description": "words", "url": "https://x/"});
    let alone = [
        ("words", text("[p] words")),
        (to_mentioned, message("text", mentioned)),
        (
            "--markdown -t Title <@zhangsan>",
            markdown("# [p] Title\n<@zhangsan>"),
        ),
        ("--markdown-v2 |a|b|", tables("[p] |a|b|")),
        ("--markdown-v2 -t Title words", tables("# [p] Title\nwords")),
        ("--image a.png", image()),
        ("--voice a.amr", media("voice", "a.amr")),
        ("--news -t Title --url https://x/ words", news(article)),
    ];
    let behind_words = [
        ("--image a.png -t Title words", "[p] Title\nwords", image()),
        (
            "--file 报告.pdf words",
            "[p] words",
            media("file", "报告.pdf"),
        ),
    ];
    rows(alone, behind_words)
}

/// The messages of a table with what names their receivers.
fn to(receiver: &Value, messages: Vec<Value>) -> Vec<Value> {
    let named = messages.into_iter().map(|mut message| {
        let fields = receiver.as_object().unwrap().clone();
        message.as_object_mut().unwrap().extend(fields);
        message
    });
    named.collect()
}

#[test]
fn each_command_line_becomes_exactly_these_requests() {
    let standin = Standin::start();
    let member = json!({"touser": "lisi", "agentid": AGENTID});
    for (receivers, call, named, table) in [
        ("--to lisi", CALLS[0], member, table()),
        ("--chat ops", CALLS[1], json!({"chatid": CHATID}), table()),
        ("--robot ops", CALLS[2], json!({}), robots_table()),
    ] {
        let sandbox = furnished(&standin);
        for (args, messages) in table {
            let before = standin.requests().len();
            let args = format!("{receivers} {args}");
            send_here(&sandbox, &args).is_silent();
            let (calls, bodies): (Vec<_>, Vec<_>) = wire(&standin, before).into_iter().unzip();
            assert_eq!(bodies, to(&named, messages), "{args}");
            assert!(calls.iter().all(|it| it == call), "{args}: {calls:?}");
        }
    }
    let company = standin.company();
    let uploads = company.media.uploads.iter();
    let of_robot = uploads.filter(|it| format!("{:?}", it.owner).contains(ROBOT_KEY));
    let of_robot: Vec<_> = of_robot.map(|upload| &*upload.filename).collect();
    assert_eq!(of_robot, ["a.amr", "报告.pdf"], "by its own door");
}

#[test]
fn a_media_id_stands_in_a_files_place() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    for (kind, file) in [
        ("image", "a.png"),
        ("voice", "a.amr"),
        ("video", "a.mp4"),
        ("file", "报告.pdf"),
    ] {
        let upload = sandbox
            .wxpush(&format!("upload --type {kind} {file}"))
            .cwd(sandbox.path(""));
        let id = upload.exits(0).stdout;
        let uploads = standin.company().media.uploads.len();
        let args = format!("--to lisi --{kind} media_id:{id}");
        send_here(&sandbox, &args).is_silent();
        let landed = standin.company().phone("lisi").last().unwrap().clone();
        assert_eq!((&*landed.msgtype, &*landed.media[0].filename), (kind, file));
        // Nothing is uploaded.
        assert_eq!(standin.company().media.uploads.len(), uploads);
    }
    let outcome = send_here(&sandbox, "--to lisi --file media_id:没有").run();
    outcome.exits(64).says("wxpush upload prints one");
    let outcome = send_here(&sandbox, "--to lisi --file media_id:unknown").run();
    outcome.exits(65).says("40007");
}

#[test]
fn files_come_by_stdin_and_by_pipes_with_a_name() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    for (args, bytes, kind, name) in [
        ("--file - --name 日志.txt", pdf(), "file", "日志.txt"),
        ("--file - --name a/../b.log", pdf(), "file", "b.log"),
        ("--image -", png(), "image", "stdin.png"),
        ("--image -", jpeg(), "image", "stdin.jpg"),
        ("--image - --name plot.png", png(), "image", "plot.png"),
        ("--voice -", amr(1), "voice", "stdin.amr"),
        ("--video -", mp4(), "video", "stdin.mp4"),
    ] {
        let run = send_here(&sandbox, &format!("--to wangwu {args} words"));
        run.stdin(bytes.clone()).is_silent();
        let landed = standin.company().phone("wangwu").last().unwrap().clone();
        assert_eq!(landed.msgtype, kind, "{args}");
        let upload = &landed.media[0];
        assert_eq!(upload.filename, name, "{args}");
        assert_eq!(upload.bytes, &*bytes, "{args}");
    }
    let outcome = send_here(&sandbox, "--file -").stdin("x").exits(64);
    outcome.says("give it one with --name");
    // A shell's <(…), and a pipe that has a name of its own.
    let script = "mkfifo said.txt; cat 报告.pdf >said.txt & ./wxpush send --to lisi --file said.txt && \
                  ./wxpush send --to lisi --file <(cat 报告.pdf) --name b.pdf; \
                  ./wxpush -q send --file <(cat 报告.pdf) 2>/dev/null; [ $? = 64 ]";
    let mut bash = Command::new("bash");
    bash.args(["-c", script]);
    let run = Run::new(bash).env("PATH", "/usr/bin:/bin");
    run.cwd(sandbox.path("")).is_silent();
    let phone = standin.company().phone("lisi");
    let names: Vec<_> = phone.iter().map(|it| &*it.media[0].filename).collect();
    assert_eq!(names, ["said.txt", "b.pdf"]);
    assert!(phone.iter().all(|it| it.media[0].bytes == pdf()));
}

#[test]
fn a_long_caption_is_split_and_all_of_it_comes_before_its_file() {
    let standin = Standin::start();
    let sandbox = furnished(&standin);
    let words = "x".repeat(3000);
    let run = send_here(&sandbox, "--to lisi --json --image a.png -");
    let outcome = run.stdin(words).exits(0);
    assert_eq!(outcome.json()["parts"], 3);
    let phone = standin.company().phone("lisi");
    let starts: Vec<_> = phone.iter().map(|it| it.text.get(..5)).collect();
    assert_eq!(starts, [Some("(1/2)"), Some("(2/2)"), None]);
    assert_eq!(phone[2].text, "[图片]");
    let outcome = send_here(&sandbox, "--to lisi --video a.mp4").arg("y".repeat(513));
    let outcome = outcome.exits(65);
    outcome.says("video.description has 517 bytes, WeCom cuts it at 512");
    assert_eq!(standin.company().phone("lisi").len(), 3);
}
