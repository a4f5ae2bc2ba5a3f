//! Root, and what another user owns, could write, swaps or has made first.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::standin::tls::Kind;
use crate::standin::{CORPID, SECRET, Standin};
use crate::support::{
    OTHER, Run, Sandbox, bodies, config, make, names_in, script, set_mode, set_up,
};

fn give(path: &Path) {
    chown(path, Some(OTHER), Some(OTHER)).unwrap();
}

/// A send with the config of this name, and state in the sandbox.
fn send(sandbox: &Sandbox, config: &str) -> Run {
    let run = sandbox.wxpush("send x").args(&["-c"]);
    run.arg(sandbox.path(config))
}

#[test]
#[ignore = "needs root: files of another user"]
fn root_uses_no_config_or_secret_that_another_user_could_have_written() {
    let (standin, sandbox) = set_up();
    let text = sandbox.read("config.toml");
    let with_file = text.replace(
        &format!("corpsecret = \"{SECRET}\""),
        "corpsecret_file = \"secret\"",
    );
    assert_ne!(text, with_file);
    make(&sandbox.path("dir"));
    for (name, text) in [
        ("one.toml", &text),
        ("dir/two.toml", &text),
        ("three.toml", &with_file),
    ] {
        sandbox.write(name, text);
    }
    sandbox.write("secret", SECRET);
    let path = |name: &str| sandbox.path(name);
    let all = ["one.toml", "dir/two.toml", "three.toml"];
    for name in all {
        send(&sandbox, name).is_silent();
    }
    let sent = bodies(&standin).len();
    let refused = |name: &str, what: &str| {
        let outcome = send(&sandbox, name).exits(78);
        assert!(
            outcome.stderr.contains("WXPUSH_TRUST_OWNER=65534"),
            "{what}: {}",
            outcome.stderr
        );
        assert!(!outcome.stderr.contains(SECRET));
        let run = send(&sandbox, name).env("WXPUSH_TRUST_OWNER", OTHER.to_string());
        run.exits(0);
        let run = send(&sandbox, name).env("WXPUSH_TRUST_OWNER", "65533");
        run.exits(78);
    };
    give(&path("one.toml"));
    refused("one.toml", "its owner");
    give(&path("dir"));
    refused("dir/two.toml", "the owner of its directory");
    give(&path("secret"));
    refused("three.toml", "the owner of the secret");
    // A link of that user's, to a config of root's.
    sandbox.write("root.toml", &text);
    symlink(path("root.toml"), path("link.toml")).unwrap();
    std::os::unix::fs::lchown(path("link.toml"), Some(OTHER), Some(OTHER)).unwrap();
    refused("link.toml", "the owner of a link");
    assert_eq!(bodies(&standin).len(), sent + 4);
    for (mode, code) in [(0o666, 78), (0o664, 0), (0o644, 0)] {
        set_mode(&path("root.toml"), mode);
        send(&sandbox, "root.toml").exits(code);
    }
    // The authority of another user could pose as WeCom.
    sandbox.write("ca.pem", Standin::start_tls(Kind::Good).ca_pem());
    sandbox.write("ca.toml", format!("{text}\nca_file = \"ca.pem\"\n"));
    send(&sandbox, "ca.toml").is_silent();
    give(&path("ca.pem"));
    send(&sandbox, "ca.toml").exits(78);
    chown(path("root.toml"), Some(0), Some(OTHER)).unwrap();
    set_mode(&path("root.toml"), 0o660);
    let outcome = send(&sandbox, "root.toml").exits(78);
    outcome.says("others can write to");
    sandbox
        .wxpush("send x")
        .env("WXPUSH_TRUST_OWNER", "bob")
        .exits(78)
        .says("WXPUSH_TRUST_OWNER");
}

/// Lets another user do this with a file, too, by an access list: of each entry the kind, what it
/// allows, and the user.
fn list(path: &Path, may: u16) {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (kind, may, user) in [
        (1_u16, may | 6, u32::MAX),
        (2, may, OTHER),
        (4, 0, u32::MAX),
        (16, may, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(may.to_le_bytes());
        bytes.extend(user.to_le_bytes());
    }
    let flags = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(path, "system.posix_acl_access", &bytes, flags).unwrap();
}

#[test]
#[ignore = "needs root, and a file system with access lists"]
fn root_uses_nothing_that_an_access_list_lets_another_user_write() {
    let (standin, sandbox) = set_up();
    let path = sandbox.path("config.toml");
    set_mode(&path, 0o660);
    send(&sandbox, "config.toml").is_silent();
    list(&path, 6);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o660);
    send(&sandbox, "config.toml")
        .exits(78)
        .says("others can write to");
    assert_eq!(bodies(&standin).len(), 1);
    // A directory for state, from which he could take what waits.
    set_mode(&path, 0o600);
    let state = sandbox.path("state");
    fs::create_dir(&state).unwrap();
    sandbox.configure(&format!("state_dir = \"{}\"", state.display()));
    sandbox.wxpush("send --queue kept").exits(0);
    list(&state, 7);
    sandbox.wxpush("send --queue lost").exits(73);
    // A directory into which he could have moved a private file of root's.
    let shared = sandbox.path("shared");
    fs::create_dir(&shared).unwrap();
    let file = shared.join("report.txt");
    fs::write(&file, "private").unwrap();
    set_mode(&file, 0o600);
    list(&shared, 7);
    let send = || sandbox.wxpush("send --no-outbox --file").arg(&file);
    send().exits(66).says("another user");
    set_mode(&file, 0o644);
    send().run();
}

#[test]
#[ignore = "needs root: files of another user"]
fn man_pages_of_root_are_written_through_no_link_of_another_user() {
    let (_standin, sandbox) = set_up();
    let victim = sandbox.path("victim");
    fs::write(&victim, "precious").unwrap();
    let pages = sandbox.path("pages");
    fs::create_dir(&pages).unwrap();
    let link = pages.join("wxpush.1");
    symlink(&victim, &link).unwrap();
    lchown(&link, Some(OTHER), Some(OTHER)).unwrap();
    for mode in [0o777, 0o1777, 0o755] {
        set_mode(&pages, mode);
        sandbox.wxpush("man --dir").arg(&pages).exits(74);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
    fs::remove_file(&link).unwrap();
    for _ in 0..2 {
        sandbox.wxpush("man --dir").arg(&pages).is_silent();
    }
    assert_eq!(fs::metadata(&link).unwrap().mode() & 0o777, 0o644);
}

#[test]
#[ignore = "needs root: files of another user"]
fn init_gives_the_secret_to_no_other_user_whose_file_is_there() {
    let (_standin, sandbox) = set_up();
    sandbox.write("theirs.toml", "lang = \"en\"\n");
    give(&sandbox.path("theirs.toml"));
    for option in ["", "--force"] {
        let init = sandbox.wxpush("init --offline").args(&["-c"]);
        let init = init
            .arg(sandbox.path("theirs.toml"))
            .env("WXPUSH_CORPID", CORPID);
        let init = init
            .env("WXPUSH_CORPSECRET", SECRET)
            .env("WXPUSH_AGENTID", "1000002");
        let init = if option.is_empty() {
            init
        } else {
            init.arg(option)
        };
        init.exits(73);
        assert_eq!(sandbox.read("theirs.toml"), "lang = \"en\"\n");
    }
}

#[test]
#[ignore = "needs root: files of another user"]
fn root_keeps_no_state_and_no_log_where_another_user_could_lead_it() {
    for what in [
        "owner",
        "parent",
        "open parent",
        "link",
        "made first",
        "log",
        "daily log",
    ] {
        let (standin, sandbox) = set_up();
        let path = |name: &str| sandbox.path(name);
        make(&path("a/state"));
        let mut line = "state_dir = \"a/state\"".to_owned();
        match what {
            "owner" => give(&path("a/state")),
            "parent" => give(&path("a")),
            "open parent" => set_mode(&path("a"), 0o777),
            "link" => {
                symlink("a/state", path("link")).unwrap();
                std::os::unix::fs::lchown(path("link"), Some(OTHER), Some(OTHER)).unwrap();
                line = "state_dir = \"link\"".to_owned();
            }
            "made first" => {
                make(&path("tmp"));
                set_mode(&path("tmp"), 0o1777);
                make(&path("tmp/x"));
                give(&path("tmp/x"));
                line = "state_dir = \"tmp/x/state\"".to_owned();
            }
            _ => {
                give(&path("a"));
                line = "state_dir = \"b\"".to_owned();
                make(&path("b"));
                let daily = if what == "log" {
                    ""
                } else {
                    "rotation = \"daily\"\n"
                };
                sandbox.append(&format!("\n[log]\nfile = \"a/my.log\"\n{daily}"));
            }
        }
        sandbox.configure(&line);
        let outcome = sandbox.send(what).exits(0);
        assert!(
            ["root does not use it", "another user"]
                .iter()
                .any(|it| outcome.stderr.contains(it)),
            "{what}: {}",
            outcome.stderr
        );
        assert_eq!(
            bodies(&standin).len(),
            1,
            "{what}: it goes out all the same"
        );
        let theirs = if what == "made first" {
            "tmp/x"
        } else {
            "a/state"
        };
        assert!(names_in(&path(theirs)).is_empty(), "{what}");
        assert!(!path("a/my.log").exists());
    }
}

#[test]
#[ignore = "needs root: files of another user"]
fn in_a_sticky_directory_only_what_is_roots_own_counts() {
    let (_standin, sandbox) = set_up();
    let tmp = sandbox.path("tmp");
    make(&tmp);
    set_mode(&tmp, 0o1777);
    sandbox.configure("state_dir = \"tmp/state\"");
    sandbox.send("x").is_silent();
    let state = fs::metadata(tmp.join("state")).unwrap();
    assert_eq!((state.uid(), state.mode() & 0o7777), (0, 0o700));
    assert!(tmp.join("state/token_cache.json").exists());
}

#[test]
#[ignore = "needs root: files of another user"]
fn a_directory_that_is_swapped_meanwhile_gets_nothing_of_roots() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let path = |name: &str| sandbox.path(name);
    make(&path("mine/state"));
    make(&path("theirs/state"));
    give(&path("theirs/state"));
    give(&path("theirs"));
    let line = "state_dir = \"mine/state\"\n";
    sandbox.write("config.toml", line.to_owned() + &config(&standin.base()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (mine, theirs) = (path("mine"), path("theirs"));
                let exchange = RenameFlags::EXCHANGE;
                renameat_with(CWD, mine, CWD, theirs, exchange).unwrap();
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let outcomes: Vec<_> = (0..25)
            .map(|number| sandbox.send(&number.to_string()).run())
            .collect();
        done.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            let silent = outcome.stderr.is_empty();
            assert!(
                silent || outcome.stderr.contains("root"),
                "{}",
                outcome.stderr
            );
        }
    });
    let theirs = ["mine", "theirs"].map(path);
    let theirs = theirs
        .iter()
        .find(|dir| fs::metadata(dir).unwrap().uid() == OTHER);
    assert!(names_in(&theirs.unwrap().join("state")).is_empty());
    assert_eq!(bodies(&standin).len(), 25);
}

#[test]
#[ignore = "needs root: files of another user"]
fn a_log_in_a_directory_of_a_group_is_written_but_through_no_link() {
    let (_standin, sandbox) = set_up();
    let dir = sandbox.path("log");
    make(&dir);
    chown(&dir, Some(0), Some(OTHER)).unwrap();
    set_mode(&dir, 0o775);
    sandbox.append("\n[log]\nfile = \"log/wxpush.log\"\n");
    sandbox.send("x").is_silent();
    assert!(sandbox.read("log/wxpush.log").contains(" end exit=0"));
    sandbox.write("victim", "before");
    for how in ["symbolic", "hard"] {
        fs::remove_file(dir.join("wxpush.log")).unwrap();
        let line = if how == "hard" { "ln" } else { "ln -s" };
        script(
            &sandbox,
            &[],
            &format!("{line} \"$1/victim\" \"$1/log/wxpush.log\""),
        )
        .is_silent();
        sandbox.send("x").exits(0).says("wxpush.log");
        assert_eq!(sandbox.read("victim"), "before", "{how}");
    }
}
