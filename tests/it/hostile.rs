//! Token caches that cannot be believed, answers that grant nonsense: the message arrives, and
//! the cache heals.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::standin::{Fault, Standin};
use crate::support::{
    GETTOKEN, SEND, Sandbox, cache_key, edit_token, hire, is_sound, now, set_up, token, token_cache,
};

#[test]
fn whatever_lifetime_is_granted_the_token_serves_more_than_one_process() {
    for (granted, kept) in [
        (None, 7200),
        (Some(json!(0)), 60),
        (Some(json!(-5)), 60),
        (Some(json!("7200")), 7200),
        (Some(json!("soon")), 7200),
        (Some(json!(1e18)), 7200),
        (Some(json!(3)), 60),
        (Some(json!(300.5)), 300),
        (Some(json!(u64::MAX)), 7200),
        (Some(json!(null)), 7200),
        (Some(json!([])), 7200),
        (Some(json!({"seconds": 3})), 7200),
    ] {
        let standin = Standin::start();
        standin.company().tokens.expires_in.clone_from(&granted);
        let sandbox = Sandbox::of(&standin);
        sandbox.send("first").is_silent();
        sandbox.send("second").is_silent();
        assert_eq!(sandbox.record()["expires_in"], kept, "{granted:?}");
        assert_eq!(standin.count(GETTOKEN), 1, "{granted:?}");
        assert_eq!(standin.company().phone("zhangsan").len(), 2);
    }
}

#[test]
fn what_cannot_be_a_token_is_never_sent_or_kept() {
    for granted in [
        "",
        " ",
        "two words",
        "line\nbreak",
        "crlf\r\nX-Injected: 1",
        "tab\t",
        "nul\0",
        "中文",
        &"x".repeat(600),
    ] {
        let standin = Standin::start();
        standin.company().tokens.text = Some(granted.to_owned());
        let sandbox = Sandbox::of(&standin);
        let outcome = sandbox.send("x").args(&["--timeout", "1s"]).run();
        outcome.exits(75).says("no valid access_token");
        assert_eq!(standin.count(SEND), 0, "{granted:?}");
        // What went wrong may be noted there, without it.
        let record = sandbox.record();
        assert_eq!(record.get("access_token"), None, "{granted:?}");
    }
}

#[test]
fn a_token_of_any_visible_characters_reaches_the_wire_as_it_is() {
    for granted in [
        "a&b=c",
        "100%",
        "%41%zz",
        "plus+plus",
        "a/b?c#d;e",
        "\"'\\<>{}|^`~",
        "x",
        &"y".repeat(512),
    ] {
        let standin = Standin::start();
        standin.company().tokens.text = Some(granted.to_owned());
        let sandbox = Sandbox::of(&standin);
        sandbox.send("first").is_silent();
        sandbox.send("second").is_silent();
        let requests = standin.requests();
        let sends: Vec<_> = requests.iter().filter(|it| it.endpoint() == SEND).collect();
        assert_eq!(sends.len(), 2, "{granted}");
        for send in sends {
            assert_eq!(send.query["access_token"], granted);
            assert_eq!(send.query.len(), 1, "{}", send.target);
        }
        assert_eq!(standin.count(GETTOKEN), 1, "{granted}");
    }
}

#[test]
fn a_cache_that_cannot_be_believed_is_replaced() {
    let standin = Standin::start();
    let members = hire(&standin, 100);
    let sandbox = Sandbox::of(&standin);
    sandbox.send("warm-up").is_silent();
    let (key, good) = (cache_key(&sandbox), sandbox.read("token_cache.json"));
    let cache = token_cache(&sandbox);
    let record = |change: &dyn Fn(&mut Value)| {
        let mut cache: Value = serde_json::from_str(&good).unwrap();
        change(&mut cache[&key]);
        cache.to_string().into_bytes()
    };
    let set = |name: &'static str, value: Value| record(&move |it| it[name] = value.clone());
    let replace = |from: &str, to: &str| good.replace(from, to).into_bytes();
    let quoted = format!("\"{}", token(&sandbox));
    let other_token = format!("x\"{}", &token(&sandbox)[1..]);
    let foreign = br#"{"version": 3, "Accounts": {"a": [1, 2]}}"#;
    let wide = good.encode_utf16().flat_map(u16::to_le_bytes);
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let (nested, large) = (format!("{{\"{key}\": {deep}}}"), " ".repeat(2 << 20));
    let evil = json!("a\r\nHost: evil");
    let mut undated = cache[&key].clone();
    undated.as_object_mut().unwrap().remove("obtained_at");
    let damaged = good.replace("\"check\"", "\"chekk\"");
    let damaged = damaged.replace(&token(&sandbox)[..9], "DAMAGED__");
    let old = json!({"refused_at": 1, "errcode": 40001, "errmsg": ""});
    let half = json!({"refused_at": now(), "errcode": "x"});
    let table = [
        ("empty", vec![]),
        ("truncated", good.as_bytes()[..good.len() / 2].to_vec()),
        ("a byte short", good.as_bytes()[..good.len() - 2].to_vec()),
        ("binary", (0..=255).collect()),
        ("zeros", vec![0; 4096]),
        ("text", b"hello\n".to_vec()),
        ("a token alone", token(&sandbox).into_bytes()),
        ("another program's", foreign.to_vec()),
        ("an array", format!("[{good}]").into_bytes()),
        ("null", b"null".to_vec()),
        ("the record without the map", record(&|_| ()).split_off(70)),
        ("two documents", [good.as_bytes(), good.as_bytes()].concat()),
        ("UTF-16", wide.collect()),
        ("nested deeply", b"[".repeat(100_000)),
        ("nested deeply in the record", nested.into_bytes()),
        ("larger than any", (good.clone() + &large).into_bytes()),
        ("no record", record(&|it| *it = Value::Null)),
        ("a list for a record", record(&|it| *it = json!([it]))),
        ("a text for a record", record(&|it| *it = json!("token"))),
        ("an empty record", record(&|it| *it = json!({}))),
        ("no token", set("access_token", Value::Null)),
        ("an empty token", set("access_token", json!(""))),
        ("a number for a token", set("access_token", json!(7))),
        ("a long token", set("access_token", json!("x".repeat(513)))),
        ("a token that breaks the request", set("access_token", evil)),
        ("another token", replace(&quoted, &other_token)),
        ("a date in words", set("obtained_at", json!("today"))),
        ("a date before any", set("obtained_at", json!(-1))),
        ("the first of dates", set("obtained_at", json!(0))),
        ("a date beyond any", set("obtained_at", json!(u64::MAX))),
        ("a date with a fraction", set("obtained_at", json!(1.5))),
        ("no date", record(&|it| *it = undated.clone())),
        ("a lifetime beyond any", set("expires_in", json!(u64::MAX))),
        ("no lifetime", set("expires_in", json!(0))),
        (
            "a damaged token under a damaged check",
            damaged.into_bytes(),
        ),
        ("a refusal of long ago", record(&|it| *it = old.clone())),
        ("half a refusal", record(&|it| *it = half.clone())),
    ];
    for ((name, bytes), member) in table.into_iter().zip(members) {
        sandbox.write("token_cache.json", &bytes);
        let before = standin.count(GETTOKEN);
        for message in ["first", "second"] {
            let outcome = sandbox.send(message).args(&["--to", &member]).run();
            assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{name}");
            assert_eq!(standin.count(GETTOKEN), before + 1, "{name}");
        }
        is_sound(&standin, &sandbox, &key);
    }
}

#[test]
fn a_cache_that_others_may_have_written_or_that_is_huge_is_replaced() {
    let (standin, sandbox) = set_up();
    let path = sandbox.path("token_cache.json");
    let spoil: [(&str, &dyn Fn()); 4] = [
        ("gone", &|| fs::remove_file(&path).unwrap()),
        ("1 GB", &|| {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_len(1 << 30).unwrap();
        }),
        ("world-writable", &|| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("group-writable", &|| {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        }),
    ];
    sandbox.send("warm-up").is_silent();
    for (at, (name, spoil)) in spoil.into_iter().enumerate() {
        spoil();
        sandbox.send(name).is_silent();
        sandbox.send(name).is_silent();
        assert_eq!(standin.count(GETTOKEN), at + 2, "{name}");
        is_sound(&standin, &sandbox, &cache_key(&sandbox));
        assert!(path.metadata().unwrap().len() < 10_000, "{name}");
    }
}

#[test]
fn what_a_newer_version_wrote_is_read_and_other_apps_records_stay_as_they_are() {
    let (standin, sandbox) = set_up();
    sandbox.send("warm-up").is_silent();
    edit_token(&sandbox, |record| {
        record["granted_to"] = json!({"host": "a", "since": [1, 2.5, null]});
    });
    sandbox.send("read").is_silent();
    assert_eq!(standin.count(GETTOKEN), 1);

    let ours = cache_key(&sandbox);
    let mut all = token_cache(&sandbox);
    let newer = all[&ours].clone();
    let others = [
        (
            "a".repeat(64),
            json!({"access_token": "plain", "obtained_at": 7, "expires_in": 60}),
        ),
        ("b".repeat(64), newer),
        (
            "c".repeat(64),
            json!({"refused_at": 5, "errcode": 40001, "errmsg": "不对\n"}),
        ),
        (
            "d".repeat(64),
            json!({"refused_at": 5, "errcode": 40013, "errmsg": "", "tries": 2}),
        ),
    ];
    for (key, record) in &others {
        all[key] = record.clone();
    }
    sandbox.write("token_cache.json", all.to_string());
    sandbox.wxpush("token refresh").is_silent();
    is_sound(&standin, &sandbox, &ours);
    sandbox.wxpush("token clear").is_silent();
    let left = token_cache(&sandbox);
    assert_eq!(left.as_object().unwrap().len(), others.len());
    for (key, record) in others {
        assert_eq!(left[&key], record);
    }
}

/// Random numbers that are the same at every run (Knuth's MMIX generator).
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// Bytes with one to eight changes, most of them small.
    fn mutate(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len().max(1));
            let any = u8::try_from(self.below(256)).unwrap();
            let visible = b' ' + any % 95;
            match self.below(20) {
                0 => bytes.truncate(at),
                1..=3 => bytes.insert(at.min(bytes.len()), visible),
                4..=8 if at < bytes.len() => bytes[at] = any,
                _ if at < bytes.len() => bytes[at] = visible,
                _ => bytes.push(any),
            }
        }
        bytes
    }
}

#[test]
fn a_thousand_mutations_of_the_cache_are_a_thousand_deliveries() {
    let half = |seed: u64| {
        let standin = Standin::start();
        let members = hire(&standin, 20);
        let sandbox = Sandbox::of(&standin);
        sandbox.wxpush("send --to zhangsan warm-up").is_silent();
        let key = cache_key(&sandbox);
        let mut random = Lcg(seed);
        for number in 0..500 {
            let good = fs::read(sandbox.path("token_cache.json")).unwrap();
            let bad = random.mutate(good);
            sandbox.write("token_cache.json", &bad);
            let shown = String::from_utf8_lossy(&bad);
            let member = &*members[number / 25];
            let run = sandbox.send(&format!("mutation {number}"));
            let outcome = run.args(&["--to", member]).run();
            let silent = outcome.code == Some(0) && outcome.stderr.is_empty();
            assert!(silent, "{number}: {outcome:?}\n{shown}");
            let landed = standin.company().phone(member).len();
            assert_eq!(landed, number % 25 + 1, "{shown}");
            is_sound(&standin, &sandbox, &key);
        }
    };
    std::thread::scope(|scope| {
        for seed in [1, 2] {
            scope.spawn(move || half(seed));
        }
    });
}

#[test]
fn a_token_of_one_api_base_is_none_for_another() {
    let (one, other) = (Standin::start(), Standin::start());
    let sandbox = Sandbox::of(&one);
    // Of the same app, by corpid and secret: all but the place is the same.
    let at = |standin: &Standin, text: &str, code: i32| {
        let run = sandbox.send(text).env("WXPUSH_API_BASE", standin.base());
        run.args(&["--no-outbox"]).exits(code)
    };
    at(&one, "here", 0);
    at(&other, "there", 0);
    at(&one, "here again", 0);
    at(&other, "there again", 0);
    for standin in [&one, &other] {
        assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (1, 2));
        assert_eq!(standin.company().phone("zhangsan").len(), 2);
        let granted = standin.company().tokens.all();
        let requests = standin.requests();
        let mut sends = requests.iter().filter(|it| it.endpoint() == SEND);
        assert!(sends.all(|it| granted.contains(&it.query["access_token"])));
    }
    assert_eq!(token_cache(&sandbox).as_object().unwrap().len(), 2);
    // Nor is what one has refused.
    sandbox.wxpush("token clear").is_silent();
    one.script(GETTOKEN, [Fault::Errcode(40001, "invalid secret".into())]);
    at(&one, "refused", 77).says("40001");
    at(&one, "remembered", 77).says("40001");
    at(&other, "and there", 0);
    assert_eq!((one.count(GETTOKEN), other.count(GETTOKEN)), (2, 1));
}
