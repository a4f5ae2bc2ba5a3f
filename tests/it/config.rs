//! What a config means: which level wins, who receives, where the secret comes from, every key.

use std::fs;

use serde_json::Value;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::{Sandbox, app, config, hides_secret, shown};

#[test]
fn the_environment_alone_suffices() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let send = |secret: bool| {
        let run = sandbox
            .send("hello")
            .env("WXPUSH_CORPID", CORPID)
            .env("WXPUSH_AGENTID", AGENTID.to_string());
        let run = run
            .env("WXPUSH_API_BASE", standin.base())
            .env("WXPUSH_TOUSER", "lisi")
            .env("HOME", sandbox.path(""));
        if secret {
            run.env("WXPUSH_CORPSECRET", SECRET)
        } else {
            run
        }
    };
    send(true).is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 1);
    // Two of three are not enough, and the third is named alone.
    let outcome = send(false).exits(78).says("corpsecret is not set");
    assert!(!outcome.stderr.contains("agentid"), "{}", outcome.stderr);
}

#[test]
fn every_key_of_the_example_is_accepted() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let key = "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa";
    for rest in [
        "toparty = \"1\"\ntotag = [1, \"2\"]\nsafe = true\n",
        "touser = [\"zhangsan\", \"lisi\"]\nsafe = 0\ntoparty = 2\n",
    ] {
        let text = format!(
            "corpid     = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid    = \"{AGENTID}\"\n{rest}\
             prefix     = \"[{{hostname}}] \"\nstate_dir  = \"state\"\nshow_in    = \"wecom\"\nlang       = \"zh\"\n\
             [network]\napi_base = \"{}\"\nallow_plain_http = false\nlocal_address = \"127.0.0.1\"\n\
             [limits]\nper_minute = 30\nper_hour = 1000\n\
             [log]\nfile = \"other.log\"\nlevel = \"info\"\nrotation = \"never\"\nkeep = 7\n\
             [outbox]\nenabled = true\nmax_age = \"3d\"\n\
             [profiles.ops]\nagentid = 7\nshow_in = \"wechat\"\n[profiles.ops.network]\nproxy = \"socks5://127.0.0.1:1\"\nca_file = \"ca.pem\"\n\
             [robots.alerts]\nkey = \"{key}\"\n[robots.other]\nkey_file = \"key\"\n\
             [mail]\n\"root@*\" = {{ touser = \"ZhangSan\" }}\n\"*@x\" = {{ toparty = 1, totag = \"2\" }}\n",
            standin.base()
        );
        sandbox.write("config.toml", text);
        sandbox.send("hello").is_silent();
    }
    assert_eq!(standin.count("/cgi-bin/message/send"), 2);
    assert_eq!(
        sandbox.names(),
        ["config.toml", "other.log", "state", "wxpush"]
    );
}

#[test]
fn a_config_may_be_written_in_many_ways() {
    let sandbox = Sandbox::empty();
    let tabbed = app().replace(" = ", "\t=\t");
    let dotted = "network.allow_plain_http = true\nprofiles.ops.safe = 1\n";
    let tables = "touser = \"\"\n[network]\n[profiles]\n[robots]\n[mail]\n[log]\n";
    for (name, text) in [
        (
            "BOM and CRLF",
            "\u{feff}".to_owned() + &app().replace('\n', "\r\n"),
        ),
        ("no newline at the end", app().trim_end().to_owned()),
        ("tabs and comments", tabbed.replace('\n', "\t# 注释\n")),
        ("digits in quotes", app().replace("1000002", "\"1000002\"")),
        ("digits in groups", app().replace("1000002", "1_000_002")),
        ("literal strings", app().replace('"', "'")),
        ("quoted keys", app().replace("corpid", "\"corpid\"")),
        ("dotted keys", app() + dotted),
        ("empty tables", app() + tables),
    ] {
        sandbox.write("config.toml", text);
        let body = shown(sandbox.wxpush("send --dry-run x").run());
        assert_eq!(body["agentid"], AGENTID, "{name}");
        assert_eq!(body["touser"], "@all", "{name}");
    }
}

/// Every level that can set a value, the strongest first.
const LEVELS: [&str; 5] = ["option", "-p", "environment", "WXPUSH_PROFILE", "top"];

/// A dry run in which the levels from this one down set everything that they can.
fn from_level(sandbox: &Sandbox, strongest: usize) -> Value {
    let keys = |level: &str, number: usize| {
        format!(
            "agentid = {number}\ntouser = \"u{number}\"\nprefix = \"{level} \"\nsafe = {}\nnetwork.api_base = \"https://h{number}\"\n",
            number % 2
        )
    };
    let top = if strongest <= 4 {
        keys("top", 5)
    } else {
        "agentid = 6\n".to_owned()
    };
    sandbox.write(
        "config.toml",
        format!(
            "corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\n{top}[profiles.strong]\n{}[profiles.weak]\n{}",
            keys("-p", 2),
            keys("weak", 4)
        ),
    );
    let mut run = sandbox.wxpush("send --json --dry-run x");
    if strongest <= 3 {
        run = run.env("WXPUSH_PROFILE", "weak");
    }
    if strongest <= 2 {
        run = run
            .env("WXPUSH_AGENTID", "3")
            .env("WXPUSH_TOUSER", "u3")
            .env("WXPUSH_API_BASE", "https://h3");
    }
    if strongest <= 1 {
        run = run.args(&["-p", "strong"]);
    }
    if strongest == 0 {
        run = run.args(&["--to", "u1", "--safe"]);
    }
    let mut result = run.exits(0).json()["requests"][0].take();
    result["body"] = serde_json::from_str(result["body"].as_str().unwrap()).unwrap();
    result
}

#[test]
fn the_strongest_level_that_sets_a_value_wins() {
    let sandbox = Sandbox::empty();
    for (level, agentid, touser, prefix, safe, host) in [
        (0, 2, "u1", "-p x", true, "h2"),
        (1, 2, "u2", "-p x", false, "h2"),
        (2, 3, "u3", "weak x", false, "h3"),
        (3, 4, "u4", "weak x", false, "h4"),
        (4, 5, "u5", "top x", true, "h5"),
        (5, 6, "@all", "x", false, "qyapi.weixin.qq.com"),
    ] {
        let shown = from_level(&sandbox, level);
        let (url, body) = (shown["url"].as_str().unwrap(), &shown["body"]);
        let name = LEVELS.get(level).unwrap_or(&"default");
        assert_eq!(body["agentid"], agentid, "{name}");
        assert_eq!(body["touser"], touser, "{name}");
        assert_eq!(body["text"]["content"], prefix, "{name}");
        assert_eq!(body["safe"] == 1, safe, "{name}");
        assert!(
            url.starts_with(&format!("https://{host}/cgi-bin/")),
            "{name}: {url}"
        );
    }
}

#[test]
fn receivers_are_one_value() {
    let sandbox = Sandbox::empty();
    let listed = "touser = \"a,b|c\"\ntotag = 3";
    let (a, all) = ("touser = \"a\"", "touser = \"@all\"");
    for (top, ops, env, option, wanted) in [
        ("", "", "", "", ["@all", "", ""]),
        ("touser = \"a\"", "", "", "", ["a", "", ""]),
        (listed, "", "", "", ["a|b|c", "", "3"]),
        ("touser = \"a\"", "toparty = \"2\"", "", "", ["", "2", ""]),
        ("touser = \"a\"", "safe = true", "", "", ["a", "", ""]),
        (all, "totag = [1, 2]", "", "", ["", "", "1|2"]),
        ("toparty = 9", "touser = \"\"", "", "", ["", "9", ""]),
        ("", "touser = \"b\"", "c", "", ["b", "", ""]),
        ("toparty = 1", "", "c", "", ["c", "", ""]),
        ("toparty = 1", "totag = 1", "c", "--party 4", ["", "4", ""]),
        ("touser = \"a\"", "", "", "--tag 5 --tag 6", ["", "", "5|6"]),
        (a, "", "", "--to @all --party 1", ["@all", "", ""]),
    ] {
        sandbox.write(
            "config.toml",
            format!("{}{top}\n[profiles.ops]\n{ops}\n", app()),
        );
        let run = sandbox.wxpush(&format!("send --dry-run -p ops x {option}"));
        let body = shown(run.env("WXPUSH_TOUSER", env).run());
        let found =
            ["touser", "toparty", "totag"].map(|key| body[key].as_str().unwrap_or_default());
        assert_eq!(found, wanted, "{top} < {env} < {ops} < {option}");
    }
}

#[test]
fn the_secret_comes_from_where_it_is_said_to_be() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    fs::create_dir(sandbox.path("conf")).unwrap();
    sandbox.write("conf/here", format!("\r\n\t {SECRET} \n\n"));
    sandbox.write("conf/corpsecret", format!("{SECRET}\n"));
    sandbox.write("conf/spaced", "two words");
    sandbox.write("conf/empty", "\n");
    sandbox.write("conf/big", SECRET.repeat(100));
    let text = config(&standin.base());
    let literal = format!("corpsecret = \"{SECRET}\"\n");
    let conf = sandbox.path("conf");
    let here = conf.join("here").display().to_string();
    let conf = conf.display().to_string();
    let named = |name: &str| format!("corpsecret_file = \"{name}\"\n");
    let file = "WXPUSH_CORPSECRET_FILE";
    let systemd = "CREDENTIALS_DIRECTORY";
    let secret = ("WXPUSH_CORPSECRET", SECRET);
    let (none, another) = (String::new(), "corpsecret = \"another-one\"\n".to_owned());
    let relative = "WXPUSH_CORPSECRET_FILE (environment) must be an absolute path";
    let both = "keep one of WXPUSH_CORPSECRET and WXPUSH_CORPSECRET_FILE";
    for (line, env, words) in [
        (literal.clone(), vec![], ""),
        (named("here"), vec![], ""),
        (named("./../conf/here"), vec![], ""),
        (named(&here), vec![], ""),
        (String::new(), vec![(file, &*here)], ""),
        (named("none"), vec![(file, &*here)], ""),
        (String::new(), vec![(systemd, &*conf)], ""),
        (literal.clone(), vec![(systemd, "/none")], ""),
        (another, vec![secret], ""),
        (String::new(), vec![(systemd, "")], "corpsecret is not set"),
        (
            none.clone(),
            vec![(systemd, "conf")],
            "corpsecret is not set",
        ),
        (none.clone(), vec![(file, "conf/here")], relative),
        (none, vec![(file, &*here), secret], both),
        (
            literal + &named("here"),
            vec![],
            "keep one of corpsecret and",
        ),
        (named("none"), vec![], "config.toml:2: corpsecret_file: "),
        (named("."), vec![], "is not a regular file"),
        (named("spaced"), vec![], "the secret in it holds a space"),
        (named("empty"), vec![], "the secret in it is empty"),
        (named("big"), vec![], "is larger than 4096 bytes"),
        (named(SECRET), vec![], "config.toml:2: corpsecret_file: "),
    ] {
        let text = text.replace(&format!("corpsecret = \"{SECRET}\"\n"), &line);
        sandbox.write("conf/config.toml", text);
        let mut run = sandbox
            .wxpush("send x -c")
            .arg(sandbox.path("conf/config.toml"))
            .cwd(sandbox.path("conf"));
        for (name, value) in &env {
            run = run.env(name, value);
        }
        // What is cached is for one secret: nothing fetched by another row is reused here.
        let _ = fs::remove_file(sandbox.path("token_cache.json"));
        let before = standin.count("/cgi-bin/gettoken");
        let outcome = run.run();
        if words.is_empty() {
            outcome.is_silent();
            let count = standin.count("/cgi-bin/gettoken");
            assert_eq!(count, before + 1, "{line} {env:?}");
            let requests = standin.requests();
            let got = requests.iter().rfind(|it| it.method == "GET").unwrap();
            assert_eq!(got.query["corpsecret"], SECRET);
        } else {
            let outcome = outcome.exits(78).says(words);
            hides_secret(&outcome.stderr);
        }
    }
}

#[test]
fn a_secret_that_others_can_read_is_noted_in_the_log_alone() {
    use std::os::unix::fs::PermissionsExt;
    let standin = Standin::start();
    let fine = config(&standin.base());
    let file = fine.replace(
        &format!("corpsecret = \"{SECRET}\""),
        "corpsecret_file = \"secret\"",
    );
    let robot = format!("{file}[robots.a]\nkey = \"{SECRET}\"\n");
    let proxy = format!("{file}[profiles.a.network]\nproxy = \"http://u:p@h:1\"\n");
    for (text, mode, noted) in [
        (&fine, 0o600, false),
        (&fine, 0o400, false),
        (&fine, 0o644, true),
        (&fine, 0o604, true),
        (&file, 0o644, false),
        (&robot, 0o644, true),
        (&proxy, 0o644, true),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write("secret", SECRET);
        sandbox.write("config.toml", text);
        let path = sandbox.path("config.toml");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        sandbox.send("x").is_silent();
        let log = sandbox.read("wxpush.log");
        let noticed = log.lines().any(|line| {
            line.contains(" WARN ") && line.contains("holds a secret and others can read it")
        });
        assert_eq!(noticed, noted, "{mode:o}: {log}");
    }
}
