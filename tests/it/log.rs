//! The log: the shape of a line, the events, levels, times, days and places.

use std::fs;
use std::os::unix::fs::MetadataExt;

use chrono::Utc;

use crate::standin::{Fault, Standin};
use crate::support::log::{LEVELS, date_in, lines, logging};
use crate::support::{GETTOKEN, SEND, Sandbox, config, set_up};

#[test]
fn a_send_is_told_in_lines_of_one_shape() {
    let (_standin, sandbox) = set_up();
    let before = Utc::now();
    let pid = {
        let started = sandbox.send("disk is full 磁盘").start();
        let pid = started.child.id();
        started.wait().is_silent();
        pid
    };
    sandbox.send("another").args(&["--to", "lisi"]).is_silent();
    let lines = lines(&sandbox.read("wxpush.log"));
    let told: Vec<&str> = lines.iter().map(|line| &*line.message).collect();
    let first = ["start", "answer", "token fetched", "answer", "end"];
    let second = ["start", "token reused", "answer", "end"];
    assert_eq!(told, [&first[..], &second[..]].concat());
    for line in &lines {
        assert_eq!(line.level, "INFO");
        let late = line.time.to_utc() - before;
        // The log has milliseconds, the clock has more.
        assert!(
            late.num_milliseconds() >= 0 && late.num_seconds() < 60,
            "{late}"
        );
    }
    assert!(lines.is_sorted_by_key(|line| line.time));
    assert!(lines[..5].iter().all(|line| line.pid == pid));
    assert!(lines[5..].iter().all(|line| line.pid != pid));
    for (at, fields) in [
        (0, "command=send kind=text to=@all bytes=19 parts=1"),
        (1, "call=gettoken status=200 errcode=0"),
        (2, "expires_in=7200"),
        (3, "call=message/send status=200 errcode=0"),
        (4, "exit=0"),
        (5, "command=send kind=text bytes=7 parts=1"),
        (6, "left=1h56m"),
        (7, "call=message/send status=200 errcode=0"),
        (8, "exit=0"),
    ] {
        for (name, value) in fields.split(' ').filter_map(|it| it.split_once('=')) {
            assert_eq!(lines[at].field(name), value, "{name} of {at}");
        }
    }
    for at in [1, 3, 4, 7, 8] {
        assert!(lines[at].field("ms").parse::<u32>().is_ok());
    }
    assert!(lines[5].field("to").contains("lisi"));
    let digests = [lines[0].field("digest"), lines[5].field("digest")];
    assert!(digests.iter().all(|it| it.len() == 16) && digests[0] != digests[1]);
    let log = sandbox.read("wxpush.log");
    // No text at info.
    assert!(!log.contains("disk") && !log.contains("磁盘"));
}

#[test]
fn what_goes_wrong_is_told_with_its_status_code_and_reason() {
    let errcode = |code, text: &str| Fault::Errcode(code, text.into());
    for (path, fault, name, value, exit) in [
        (GETTOKEN, errcode(40001, "bad"), "errcode", "40001", 77),
        (SEND, errcode(60020, "no ip"), "errcode", "60020", 77),
        (SEND, errcode(44004, "empty"), "errcode", "44004", 65),
        (SEND, Fault::html(502), "status", "502", 75),
    ] {
        let standin = Standin::start();
        standin.always(path, fault);
        let sandbox = Sandbox::of(&standin);
        let run = sandbox.send("x").args(&["--timeout", "1s"]).run();
        run.exits(exit);
        let lines = lines(&sandbox.read("wxpush.log"));
        let told = lines.iter().rfind(|line| line.message == "answer");
        let told = told.expect("an answer");
        assert_eq!(told.field("call"), path.trim_start_matches("/cgi-bin/"));
        assert_eq!(told.field(name), value, "{told:?}");
        let end = lines.last().unwrap();
        assert_eq!((&*end.level, &*end.message), ("ERROR", "end"));
        assert_eq!(end.field("exit"), exit.to_string(), "{end:?}");
        assert!(!end.field("error").is_empty() && !end.field("ms").is_empty());
    }
}

/// The log says why there is no answer of WeCom's in the words that stderr uses.
#[test]
fn trouble_is_told_in_words() {
    for (path, fault) in [
        (SEND, Fault::Body("<p>".into())),
        (SEND, Fault::Body("ok".into())),
        (SEND, Fault::CutBefore),
        (GETTOKEN, Fault::Hang),
    ] {
        let standin = Standin::start();
        standin.always(path, fault);
        let sandbox = Sandbox::of(&standin);
        let send = sandbox.send("x").args(&["--timeout", "1s"]);
        let run = send.run().exits(75);
        let lines = lines(&sandbox.read("wxpush.log"));
        let answer = lines.iter().rfind(|line| line.message == "answer");
        let trouble = answer.expect("an answer").field("trouble");
        assert!(
            !trouble.is_empty() && run.stderr.contains(trouble),
            "{trouble}"
        );
    }
}

#[test]
fn a_level_leaves_out_what_is_below_it() {
    for (level, levels) in [
        ("off", &LEVELS[..0]),
        ("error", &LEVELS[..1]),
        ("warn", &LEVELS[..2]),
        ("info", &LEVELS[..3]),
        ("debug", &LEVELS[..4]),
        ("trace", &LEVELS[..4]),
    ] {
        let standin = Standin::start();
        let sandbox = logging(&standin, &format!("level = \"{level}\""));
        // One warning, one error, and what leads to them.
        standin.script(SEND, [Fault::Errcode(60020, "no".into())]);
        let run = sandbox
            .wxpush("send -")
            .stdin(b"caf\xe9 message".to_vec())
            .run();
        run.exits(77).says("U+FFFD");
        let log = sandbox.read("wxpush.log");
        let mut told: Vec<String> = lines(&log).into_iter().map(|it| it.level).collect();
        told.sort_by_key(|level| LEVELS.iter().position(|it| it == level));
        told.dedup();
        assert_eq!(told, levels, "{level}");
        assert_eq!(log.contains("message text="), levels.len() > 3, "{level}");
        assert_eq!(sandbox.path("wxpush.log").exists(), level != "off");
    }
}

#[test]
fn time_is_local_and_carries_its_offset() {
    for (zone, offset) in [
        ("UTC", Some("+00:00")),
        ("Asia/Shanghai", Some("+08:00")),
        ("Asia/Kolkata", Some("+05:30")),
        ("America/New_York", None),
        ("Nowhere/Nothing", None),
        ("", None),
        (":::", None),
    ] {
        let known = fs::exists(format!("/usr/share/zoneinfo/{zone}")).unwrap();
        let (_standin, sandbox) = set_up();
        sandbox.send("x").env("TZ", zone).is_silent();
        let log = sandbox.read("wxpush.log");
        for line in lines(&log) {
            let late = Utc::now() - line.time.to_utc();
            assert!(late.num_seconds().abs() < 60, "{zone}: {late}");
        }
        if let Some(offset) = offset.filter(|_| known) {
            assert!(
                log.lines().all(|line| &line[23..29] == offset),
                "{zone}: {log}"
            );
        }
    }
}

#[test]
fn a_file_a_day_by_utc_and_only_the_oldest_of_ours_goes() {
    // At any moment one of these zones has another date than UTC.
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let standin = Standin::start();
        let sandbox = logging(&standin, "rotation = \"daily\"\nkeep = 2");
        let strangers = [
            "other.log.2020-01-01",
            "wxpush.log",
            "wxpush.log.2020-01-01.gz",
            "wxpush.log.2020-13-45",
            "wxpush.log.bak",
            "xwxpush.log.2020-01-01",
        ];
        for name in strangers
            .iter()
            .chain(&["wxpush.log.2020-01-01", "wxpush.log.2020-02-01"])
        {
            sandbox.write(name, "before\n");
        }
        let before = date_in(0);
        sandbox.send("x").env("TZ", zone).is_silent();
        if before != date_in(0) {
            continue;
        }
        let file = format!("wxpush.log.{before}");
        let logs = || {
            let names = sandbox.names().into_iter();
            names
                .filter(|name| name.contains(".log"))
                .collect::<Vec<_>>()
        };
        let mut expected = [&strangers[..], &["wxpush.log.2020-02-01", &file]].concat();
        expected.sort_unstable();
        assert_eq!(logs(), expected);
        assert_eq!(lines(&sandbox.read(&file)).len(), 5);
        assert_eq!(
            sandbox.path(&file).metadata().unwrap().mode() & 0o7777,
            0o640
        );

        // The day has begun: nothing more goes until the next.
        sandbox.write("wxpush.log.2020-01-01", "before\n");
        sandbox.send("y").is_silent();
        assert_eq!(lines(&sandbox.read(&file)).len(), 9);
        assert_eq!(sandbox.read("wxpush.log.2020-01-01"), "before\n");
        assert_eq!(sandbox.read("wxpush.log"), "before\n");
    }
}

#[test]
fn the_file_may_be_elsewhere_relative_to_the_config() {
    let standin = Standin::start();
    for (name, absolute) in [
        ("push.log", false),
        ("logs/push.log", false),
        ("logs/push.log", true),
    ] {
        let sandbox = Sandbox::empty();
        fs::create_dir(sandbox.path("logs")).unwrap();
        fs::create_dir(sandbox.path("etc")).unwrap();
        let path = if absolute {
            sandbox.path(name)
        } else {
            name.into()
        };
        let config = config(&standin.base());
        let text = format!("{config}[log]\nfile = {path:?}\n");
        let (config, log) = if absolute {
            ("etc/config.toml", name)
        } else {
            ("config.toml", name)
        };
        sandbox.write(config, text);
        let run = sandbox.send("x").arg("--config").arg(sandbox.path(config));
        run.cwd(sandbox.path("etc")).is_silent();
        assert_eq!(lines(&sandbox.read(log)).len(), 5, "{name}");
        assert_eq!(sandbox.path(log).metadata().unwrap().mode() & 0o7777, 0o640);
        assert!(!sandbox.path("wxpush.log").exists());
    }
}
