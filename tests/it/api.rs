//! `wxpush api`: any call, by the managed token; what it prints and how it ends.

use serde_json::json;

use crate::standin::{CHATID, CORPID, Fault, SECRET};
use crate::support::{
    AGENT, CHAT, Fields, GETTOKEN, NOT_KNOWN, SEND, UPLOAD, USER, Words, at_a_terminal, for_each,
    here, measured, padded, pdf, png, script, set_up, token,
};

#[test]
fn a_get_shows_wecoms_answer_on_one_line() {
    let (standin, sandbox) = set_up();
    for path in [
        "user/get?userid=zhangsan",
        "/user/get?userid=zhangsan",
        "cgi-bin/user/get?userid=zhangsan",
        "/cgi-bin/user/get?userid=zhangsan",
    ] {
        let outcome = sandbox.wxpush("api GET").arg(path).exits(0);
        assert_eq!(outcome.stdout.lines().count(), 1, "{path}");
        assert_eq!(outcome.stderr, "", "{path}");
        let answer = outcome.json();
        answer.has(json!({"errcode": 0, "userid": "zhangsan"}));
    }
    let run = sandbox.wxpush("--json api get agent/get?agentid=1000002");
    assert_eq!(run.exits(0).json()["name"], "告警");
    let requests = standin.requests();
    let got = requests.iter().filter(|request| request.endpoint() == USER);
    for request in got {
        assert_eq!(request.method, "GET");
        assert_eq!(request.query["userid"], "zhangsan");
        assert!(request.body.is_empty() && request.query.contains_key("access_token"));
    }
    assert_eq!((standin.count(GETTOKEN), standin.count(USER)), (1, 4));
    // What has to be encoded in a query arrives as it was meant.
    let run = sandbox.wxpush("api GET user/get?userid=%E5%BC%A0%26x&a=b+c");
    run.exits(69);
    let last = standin.requests().pop().unwrap();
    assert_eq!((&*last.query["userid"], &*last.query["a"]), ("张&x", "b c"));
}

#[test]
fn json_goes_out_to_the_byte_wherever_it_comes_from() {
    let (standin, sandbox) = set_up();
    let body = format!(
        "\n{{ \"name\" : \"运维\\u0041\",\"chatid\":\"{CHATID}\", \"big\":12345678901234567890123}}\t\n"
    );
    sandbox.write("body.json", &body);
    let post = || here(&sandbox, "api POST appchat/update");
    let runs = [
        post().args(&["-d", &body]),
        post().args(&["--data", "@body.json"]),
        post().args(&["-d", "-"]).stdin(&*body),
        post().args(&["-d", "@-"]).stdin(&*body),
        here(&sandbox, "api post /cgi-bin/appchat/update -d@body.json"),
    ];
    for (number, run) in runs.into_iter().enumerate() {
        run.exits(0);
        let request = standin.requests().pop().unwrap();
        assert_eq!((request.endpoint(), &*request.method), (CHAT, "POST"));
        assert!(request.body == body.as_bytes(), "{number}");
        assert_eq!(request.header("content-type"), Some("application/json"));
    }
    assert_eq!(standin.company().chats[CHATID].name, "运维A");
    // Without -d it is an empty object.
    sandbox.wxpush("api POST appchat/update").exits(69);
    assert_eq!(standin.requests().pop().unwrap().body, "{}");
}

#[test]
fn fields_of_a_form_go_out_with_their_files() {
    let (standin, sandbox) = set_up();
    sandbox.write("图 1.png", png());
    let run = here(&sandbox, "api POST media/uploadimg -F").arg("media=@图 1.png");
    let url = run.exits(0).json()["url"].as_str().unwrap().to_owned();
    {
        let company = standin.company();
        let (address, picture) = &company.media.pictures[0];
        assert_eq!((address, &*picture.filename), (&url, "图 1.png"));
        assert!(picture.bytes == png());
    }
    let args = "api POST media/upload?type=image -F note=a=b@c -F media=@-";
    let upload = here(&sandbox, args);
    let id = upload.stdin(png()).exits(0).json()["media_id"].clone();
    let request = standin.requests().pop().unwrap();
    assert_eq!(request.endpoint(), UPLOAD);
    assert_eq!(request.query["type"], "image");
    let body = String::from_utf8_lossy(&request.body).into_owned();
    assert!(body.contains("name=\"note\"\r\n\r\na=b@c\r\n"), "{body}");
    let company = standin.company();
    assert!(id == company.media.uploads[0].media_id && company.media.uploads[0].bytes == png());
}

#[test]
fn the_answer_is_printed_and_its_errcode_decides_the_exit_status() {
    for_each(
        [
            (60020, 77),
            (40013, 77),
            (48002, 77),
            (301_002, 77),
            (40058, 65),
            (44004, 65),
            (42052, 65),
            (60111, 69),
            (99999, 69),
            (-1, 75),
            (45009, 75),
            (6000, 75),
        ],
        |(code, exit)| {
            let (standin, sandbox) = set_up();
            standin.always(
                CHAT,
                Fault::Body(
                    json!({"errcode": code, "errmsg": "in words", "more": [1, {"x": null}]})
                        .to_string(),
                ),
            );
            let outcome = sandbox.wxpush("api POST appchat/update").exits(exit);
            let outcome = outcome.says(&format!("errcode {code} ")).says("in words");
            assert_eq!(
                outcome.json(),
                json!({"errcode": code, "errmsg": "in words", "more": [1, {"x": null}]})
            );
            assert!(!outcome.stderr.contains(NOT_KNOWN), "{}", outcome.stderr);
            assert_eq!(standin.count(CHAT), 1, "{code} is an answer");
        },
    );
    let (standin, sandbox) = set_up();
    for (body, shown) in [
        ("{\"ip_list\":[]}", json!({"ip_list": []})),
        ("[1,2]", json!([1, 2])),
        ("{\"errcode\":\"0\"}", json!({"errcode": "0"})),
    ] {
        standin.script(USER, [Fault::Body(body.to_owned())]);
        let outcome = sandbox.wxpush("api GET user/get").exits(0);
        assert_eq!(outcome.json(), shown, "without an errcode all is well");
    }
}

#[test]
fn a_file_in_an_answer_is_written_to_the_byte() {
    let (standin, sandbox) = set_up();
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    for (name, bytes) in [
        ("a.png", png()),
        ("a.bin", [&b"\0"[..], &bytes].concat()),
        ("a.pdf", padded(pdf(), 5 << 20)),
        ("a.txt", "words\r\nwithout an end".into()),
        ("a.svg", " <svg>\n</svg>\n".into()),
        (
            "a.json",
            "{ \"b\": 1,\n\"a\":[],\"errcode\":40014}\n".into(),
        ),
    ] {
        sandbox.write(name, &bytes);
        let upload = here(&sandbox, &format!("upload --type file {name}"));
        let id = upload.exits(0).stdout;
        let get = format!("api GET 'media/get?media_id={}'", id.trim_end());
        script(&sandbox, &[], &format!("cd \"$1\" && \"$0\" {get} > got")).is_silent();
        let got = std::fs::read(sandbox.path("got")).unwrap();
        assert!(got == bytes, "{name}");
    }
    let none = sandbox.wxpush("api GET media/get?media_id=3-of-nobody");
    assert_eq!(none.exits(65).json()["errcode"], 40007);
    for page in ["<html>log in", ""] {
        standin.script("/cgi-bin/media/get", [Fault::Body(page.to_owned())]);
        let outcome = sandbox.wxpush("api GET media/get?media_id=3").exits(75);
        assert_eq!(outcome.says("not WeCom's").stdout, "", "{page}");
    }
}

#[test]
#[ignore = "needs script, of util-linux"]
fn at_a_terminal_answers_are_indented_and_files_refused() {
    let (_standin, sandbox) = set_up();
    sandbox.write("a.png", png());
    let seen = at_a_terminal(&sandbox, "api GET user/get?userid=zhangsan").exits(0);
    seen.stdout.shows("{\r\n  \"");
    seen.stdout.shows("\r\n  \"userid\": \"zhangsan\"");
    let seen = at_a_terminal(&sandbox, "--json api GET user/get?userid=zhangsan").exits(0);
    assert_eq!(seen.stdout.lines().count(), 1, "a program reads it");
    let id = here(&sandbox, "upload a.png").exits(0).stdout;
    let seen = at_a_terminal(&sandbox, &format!("api GET media/get?media_id={id}")).exits(64);
    seen.stdout.shows("the answer is a file of ");
    seen.stdout.lacks("PNG");
}

#[test]
fn nothing_in_json_deceives_a_terminal_and_a_program_reads_what_was_said() {
    let (standin, sandbox) = set_up();
    let text = "\u{9b}2J \u{85} \u{7f} \u{202e}gnp.exe \u{2028} \u{2066} 告警 \u{1b}[31m";
    let plain = |shown: &str| {
        let tricks = |it: char| {
            it.is_control() && it != '\n'
                || ('\u{2028}'..='\u{202e}').contains(&it)
                || it == '\u{2066}'
        };
        assert!(!shown.contains(tricks), "{shown:?}");
        shown.shows("告警");
    };
    let answer = json!({"errcode": 0, "errmsg": "ok", text: [text]});
    standin.always(USER, Fault::Body(answer.to_string()));
    let outcome = sandbox.wxpush("api GET user/get?userid=a").exits(0);
    plain(&outcome.stdout);
    assert_eq!(outcome.json(), answer);
    let outcome = sandbox.wxpush("send --dry-run --").arg(text).exits(0);
    plain(&outcome.stdout);
    let refusal = || standin.script(SEND, [Fault::Errcode(40058, text.to_owned())]);
    refusal();
    let outcome = sandbox.wxpush("send --json x").exits(65);
    plain(&outcome.stdout);
    assert_eq!(outcome.json()["errmsg"], text);
    refusal();
    plain(&sandbox.wxpush("send x").exits(65).stderr);
    plain(
        &sandbox
            .wxpush("send")
            .arg(format!("--{text}"))
            .exits(64)
            .stderr,
    );
}

#[test]
fn no_answer_shows_a_token_or_a_secret() {
    let (standin, sandbox) = set_up();
    let outcome = sandbox.wxpush("api GET gettoken").exits(0);
    assert_eq!(outcome.json()["access_token"], "REDACTED");
    let request = standin.requests().pop().unwrap();
    assert_eq!(request.query["corpid"], CORPID);
    assert_eq!(request.query["corpsecret"], SECRET);
    assert_eq!(request.query.len(), 2);
    // `sandbox` looks for any eight characters of them in whatever is printed or written.
    let token = token(&sandbox);
    let echo = |token: &str| {
        json!({
            "errcode": 0,
            "suite_access_token": "whatever it is",
            "said": [format!("?access_token={token}&x"), {"deep": SECRET.to_lowercase()}],
            SECRET: 1,
            "x": {token: "y"},
        })
    };
    for (path, call, told) in [
        ("user/get?userid=a", USER, &*token),
        ("gettoken", GETTOKEN, SECRET),
    ] {
        standin.script(call, [Fault::Body(echo(told).to_string())]);
        let outcome = sandbox.wxpush("-vvv api GET").arg(path).exits(0);
        let answer = outcome.json();
        assert_eq!(answer["suite_access_token"], "REDACTED");
        assert_eq!(answer["said"][0], "?access_token=[hidden]&x");
        assert_eq!(answer["x"]["[hidden]"], "y");
    }
    standin.script(USER, [Fault::Body(format!("GET /?access_token={token}"))]);
    let outcome = sandbox.wxpush("api GET user/get?userid=a").run();
    outcome.exits(75).says("it echoes the token");
    let echo = Fault::Errcode(40058, format!("invalid {SECRET} {token}"));
    standin.script(USER, [echo]);
    sandbox.wxpush("api GET user/get?userid=a").exits(65);
}

#[test]
fn what_is_no_call_is_refused_before_anything_leaves() {
    let (standin, sandbox) = set_up();
    sandbox.write("bad.json", "{\"a\":");
    for (args, code, words) in [
        ("GET|", 64, "/cgi-bin/"),
        ("GET|/", 64, "/cgi-bin/"),
        ("GET|https://evil.example/cgi-bin/x", 64, "URL"),
        ("GET|user/../gettoken", 64, "/cgi-bin/"),
        ("GET|user/%2e%2e/gettoken", 64, "/cgi-bin/"),
        ("GET|user get", 64, "/cgi-bin/"),
        ("GET|x?a#b", 64, "/cgi-bin/"),
        ("GET|x?access_token=1", 64, "secret"),
        ("GET|x?a=1&corpsecret=1", 64, "secret"),
        ("GET|gettoken|-d|{}", 64, "GET"),
        ("GET|x|-F|a=b", 64, "GET"),
        ("PUT|x", 64, "PUT"),
        ("POST", 64, "PATH"),
        ("POST|x|-d|{}|-F|a=b", 64, "cannot be used with"),
        ("POST|x|-F|a", 64, "NAME=VALUE"),
        ("POST|x|-F|=b", 64, "NAME=VALUE"),
        ("POST|x|-F|a=@none", 66, "none"),
        ("POST|x|-d|@none", 66, "none"),
        ("POST|x|-d|words", 65, "JSON"),
        ("POST|x|-d|", 65, "JSON"),
        ("POST|x|-d|{} {}", 65, "JSON"),
        ("POST|x|-d|@bad.json", 65, "JSON"),
    ] {
        let words_of_it: Vec<&str> = args.split('|').collect();
        let outcome = here(&sandbox, "api").args(&words_of_it).exits(code);
        assert_eq!(outcome.says(words).stdout, "", "{args}");
    }
    assert!(standin.requests().is_empty());
    let unknown = sandbox.wxpush("api GET no/such/call").exits(77);
    assert_eq!(unknown.says("HTTP status 404").stdout, "");
}

#[test]
fn an_answer_of_very_many_values_takes_no_more_memory_than_a_text_of_its_size() {
    let (standin, sandbox) = set_up();
    let values = |size: usize| vec![r#"{"a":1}"#; size / 8].join(",");
    let long = format!(r#"{{"errcode":0,"userlist":[{}]}}"#, values(8 << 20));
    standin.script(USER, [Fault::Body(long.clone())]);
    let run = sandbox.wxpush("api GET user/get?userid=a");
    let (peak, outcome) = measured(run.start(), 0);
    assert_eq!(outcome.stdout.trim_end(), long);
    assert!(peak < 64 << 10, "{peak} KiB");
    // Of what is looked up, nothing is kept but what is asked for.
    standin.always(USER, Fault::Body(long));
    standin.always(
        AGENT,
        Fault::Body(format!(r#"{{"errcode":0,"more":[{}]}}"#, values(2_000_000))),
    );
    let (peak, _) = measured(sandbox.wxpush("check").start(), 77);
    assert!(peak < 64 << 10, "{peak} KiB");
}
