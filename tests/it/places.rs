//! Where configs are found and state is kept.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::standin::Standin;
use crate::support::chinese::in_both;
use crate::support::{
    Run, Sandbox, app, bodies, config, for_each, is_root, names_in, program_in, script, set_mode,
    set_up, shown,
};

/// The program at this path, sending this.
fn send(program: &Path, message: &str) -> Run {
    let mut command = Command::new(program);
    command.args(["send", message]);
    Run::new(command)
}

#[test]
fn the_first_config_found_is_used() {
    let sandbox = Sandbox::empty();
    let places = [
        "option.toml",
        "variable.toml",
        "config.toml",
        "xdg/wxpush/config.toml",
        "home/.config/wxpush/config.toml",
    ];
    for place in places {
        let path = sandbox.path(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let user = place.replace('/', "-");
        sandbox.write(place, format!("{}touser = \"{user}\"\n", app()));
    }
    for (at, place) in places.iter().enumerate() {
        let mut run = sandbox
            .wxpush("send --dry-run x")
            .env("HOME", sandbox.path("home"));
        if at < 4 {
            run = run.env("XDG_CONFIG_HOME", sandbox.path("xdg"));
        }
        if at < 2 {
            run = run.env("WXPUSH_CONFIG", sandbox.path("variable.toml"));
        }
        if at < 1 {
            run = run.arg("--config").arg(sandbox.path("option.toml"));
        }
        assert_eq!(shown(run.run())["touser"], place.replace('/', "-"));
        fs::remove_file(sandbox.path(place)).unwrap();
    }
    let run = sandbox.wxpush("send x").env("HOME", sandbox.path("home"));
    let outcome = run.exits(78).says("no config was found");
    let outcome = outcome.says("home/.config/wxpush/config.toml");
    outcome
        .says("/etc/wxpush/config.toml")
        .says("WXPUSH_CORPSECRET");
}

#[test]
#[ignore = "needs root: /etc in a mount namespace"]
fn the_last_config_looked_for_is_the_hosts() {
    let sandbox = Sandbox::empty();
    sandbox.write("host.toml", app() + "touser = \"host\"\n");
    let script = "mount -t tmpfs tmpfs /etc && mkdir /etc/wxpush && cp \"$1\" /etc/wxpush/config.toml && exec \"$0\" send --dry-run x";
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", script])
        .arg(sandbox.path("wxpush"))
        .arg(sandbox.path("host.toml"));
    let run = Run::new(command)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", sandbox.path(""));
    assert_eq!(shown(run.run())["touser"], "host");
}

#[test]
fn what_does_not_make_a_path_a_config_is_not_taken_for_one() {
    // A dangling link is none, one that leads to a config is.
    let sandbox = Sandbox::empty();
    sandbox.write("real.toml", app() + "touser = \"real\"\n");
    symlink("real.toml", sandbox.path("config.toml")).unwrap();
    let real = shown(sandbox.wxpush("send --dry-run x").run());
    assert_eq!(real["touser"], "real");
    let program = program_in(&sandbox, "app");
    symlink("none.toml", sandbox.path("app/config.toml")).unwrap();
    let run = send(&program, "x").env("HOME", sandbox.path(""));
    run.exits(78).says("no config was found");
}

#[test]
fn a_directory_that_others_could_change_is_not_beside() {
    let standin = Standin::start();
    let mut rows = vec![
        ("app", 0o755, None, true),
        ("private", 0o700, None, true),
        ("bin", 0o755, None, false),
        ("sbin", 0o700, None, false),
        ("shared", 0o777, None, false),
        ("sticky", 0o1777, None, false),
        ("hidden", 0o703, None, false),
    ];
    if is_root() {
        rows.extend([
            ("ours", 0o775, Some(0), true),
            ("staff", 0o775, Some(1), false),
            ("read", 0o755, Some(1), true),
        ]);
    }
    for_each(rows, |(name, mode, group, counts)| {
        let sandbox = Sandbox::empty();
        let program = program_in(&sandbox, name);
        let dir = sandbox.path(name);
        fs::create_dir_all(sandbox.path("xdg/wxpush")).unwrap();
        let text = config(&standin.base());
        sandbox.write(
            &format!("{name}/config.toml"),
            format!("touser = \"lisi\"\n{text}"),
        );
        sandbox.write(
            "xdg/wxpush/config.toml",
            format!("touser = \"wangwu\"\n{text}"),
        );
        chown(&dir, None, group).unwrap();
        set_mode(&dir, mode);
        let surroundings = |run: Run| {
            run.env("XDG_CONFIG_HOME", sandbox.path("xdg"))
                .env("XDG_STATE_HOME", sandbox.path("state"))
        };
        let body = shown(surroundings(send(&program, "x").arg("--dry-run")).run());
        assert_eq!(body["touser"] == "lisi", counts, "{name}");
        if !counts {
            fs::remove_file(sandbox.path("xdg/wxpush/config.toml")).unwrap();
            let outcome = in_both(78, || surroundings(send(&program, "x")));
            let passed_over = format!("{name}/config.toml is not read, since ");
            assert!(outcome.stderr.contains(&passed_over), "{}", outcome.stderr);
        }
        // A dry run touches nothing.
        assert_eq!(names_in(&dir), ["config.toml", "wxpush"]);
        // Root's other place is the host's own: see the test in a mount namespace.
        if counts || !is_root() {
            surroundings(send(&program, "x")).is_silent();
            let files = if counts {
                dir.clone()
            } else {
                sandbox.path("state/wxpush")
            };
            assert!(files.join("token_cache.json").exists(), "{name}");
            assert_eq!(dir.join("wxpush.log").exists(), counts, "{name}");
        }
    });
}

#[test]
fn the_real_place_of_the_program_counts_and_not_the_name_it_was_called_by() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let program = program_in(&sandbox, "app");
    sandbox.write("app/config.toml", config(&standin.base()));
    fs::create_dir(sandbox.path("bin")).unwrap();
    symlink("../app/wxpush", sandbox.path("bin/first")).unwrap();
    symlink("first", sandbox.path("bin/wxpush")).unwrap();
    symlink("app", sandbox.path("current")).unwrap();
    send(&sandbox.path("bin/wxpush"), "by a link to a link").is_silent();
    send(&sandbox.path("current/wxpush"), "by a linked directory").is_silent();
    // As when a package replaces it meanwhile: the kernel then calls it "wxpush (deleted)".
    let replaced =
        "cd \"$1/app\" && exec 9<wxpush && rm wxpush && exec /proc/self/fd/9 send replaced";
    script(&sandbox, &[], replaced).is_silent();
    assert!(!program.exists());
    assert_eq!(bodies(&standin).len(), 3);
    // One place, one cache.
    assert_eq!(standin.count("/cgi-bin/gettoken"), 1);
    assert_eq!(
        names_in(&sandbox.path("app")),
        [
            "config.toml",
            "ledger",
            "outbox",
            "token_cache.json",
            "token_cache.lock",
            "wxpush.log"
        ]
    );
    assert_eq!(names_in(&sandbox.path("bin")), ["first", "wxpush"]);
}

#[test]
fn the_working_directory_is_never_used() {
    let (standin, sandbox) = set_up();
    sandbox.configure("prefix = \"right \"");
    fs::create_dir_all(sandbox.path("cwd/.config/wxpush")).unwrap();
    for name in [
        "cwd/config.toml",
        "cwd/.config/wxpush/config.toml",
        "cwd/corpsecret",
        "cwd/token_cache.json",
    ] {
        sandbox.write(name, "this is wrong");
    }
    let before = names_in(&sandbox.path("cwd"));
    for name in [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "CREDENTIALS_DIRECTORY",
        "WXPUSH_CONFIG",
    ] {
        for value in ["", "."] {
            if (name, value) == ("WXPUSH_CONFIG", ".") {
                continue;
            }
            sandbox
                .send("x")
                .cwd(sandbox.path("cwd"))
                .env(name, value)
                .is_silent();
        }
    }
    assert!(
        bodies(&standin)
            .iter()
            .all(|body| body["text"]["content"] == "right x")
    );
    assert_eq!(names_in(&sandbox.path("cwd")), before);
    // A directory that has gone is no obstacle either.
    script(
        &sandbox,
        &[],
        "mkdir \"$1/gone\" && cd \"$1/gone\" && rmdir \"$1/gone\" && exec \"$0\" send x",
    )
    .is_silent();
}

#[test]
fn an_empty_environment_makes_no_difference() {
    let (standin, sandbox) = set_up();
    let login = |args: &str| {
        let run = sandbox
            .wxpush(args)
            .cwd(sandbox.path(""))
            .env("HOME", sandbox.path(""))
            .env("PATH", "/usr/bin:/bin");
        run.env("USER", "ann")
            .env("SHELL", "/bin/sh")
            .env("TZ", "Asia/Shanghai")
            .env("LANG", "zh_CN.UTF-8")
            .env("TERM", "xterm")
    };
    for (args, code) in [
        ("send hello 世界", 0),
        ("send --dry-run hello", 0),
        ("send --to nobody-here hello", 69),
        ("send --json --party 99 hello", 69),
        ("send -p none hello", 78),
        ("send", 65),
        ("token --json", 0),
        ("explain 60020", 0),
    ] {
        // No locale means Chinese, as that of the login does.
        let bare = sandbox.wxpush(args).env("LANG", "").run();
        let full = login(args).run();
        assert_eq!(bare.code, full.code, "{args}");
        assert_eq!(bare.code, Some(code), "{args}: {}", bare.stderr);
        // What the stand-in numbers or times differs between any two runs.
        let digits = |text: &str| {
            text.split_whitespace()
                .filter(|word| !word.contains(char::is_numeric))
                .collect::<String>()
        };
        assert_eq!(digits(&bare.stderr), digits(&full.stderr), "{args}");
        assert_eq!(
            bare.stdout.contains("\"status\""),
            full.stdout.contains("\"status\""),
            "{args}"
        );
    }
    let sent = bodies(&standin);
    assert!(sent.chunks(2).all(|pair| pair[0] == pair[1]), "{sent:?}");
}
