//! Where configs are found and state is kept, whatever stands in the way.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config::{app, shown};
use crate::sandbox::{Run, Sandbox, config};
use crate::standin::Standin;

/// A directory of the sandbox that holds the program as well.
fn program_in(sandbox: &Sandbox, dir: &str) -> PathBuf {
    let dir = sandbox.path(dir);
    fs::create_dir_all(&dir).unwrap();
    fs::hard_link(sandbox.path("wxpush"), dir.join("wxpush")).unwrap();
    dir.join("wxpush")
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
    let outcome = sandbox
        .wxpush("send x")
        .env("HOME", sandbox.path("home"))
        .run()
        .exits(78);
    outcome
        .says("no config was found")
        .says("home/.config/wxpush/config.toml")
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
    std::os::unix::fs::symlink(Path::new("real.toml"), sandbox.path("config.toml")).unwrap();
    assert_eq!(
        shown(sandbox.wxpush("send --dry-run x").run())["touser"],
        "real"
    );
    let program = program_in(&sandbox, "app");
    std::os::unix::fs::symlink(Path::new("none.toml"), sandbox.path("app/config.toml")).unwrap();
    let mut command = Command::new(program);
    command.args(["send", "x"]);
    Run::new(command)
        .env("HOME", sandbox.path(""))
        .run()
        .exits(78)
        .says("no config was found");
}

#[test]
fn directories_of_programs_and_of_everybody_do_not_count_as_beside() {
    for (dir, mode, counts) in [
        ("app", 0o755, true),
        ("app", 0o700, true),
        ("bin", 0o755, false),
        ("sbin", 0o755, false),
        ("app", 0o777, false),
        ("app", 0o1777, false),
    ] {
        let sandbox = Sandbox::empty();
        let program = program_in(&sandbox, dir);
        let dir = sandbox.path(dir);
        fs::write(dir.join("config.toml"), app()).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        // Through a link: the real path decides.
        let link = sandbox.path("link");
        std::os::unix::fs::symlink(&program, &link).unwrap();
        let mut command = Command::new(link);
        command.args(["send", "--dry-run", "x"]);
        let code = if counts { 0 } else { 78 };
        Run::new(command)
            .env("HOME", sandbox.path(""))
            .run()
            .exits(code);
    }
}

#[test]
fn files_are_private_whatever_the_umask_and_the_working_directory_stays_clean() {
    let standin = Standin::start();
    for umask in ["000", "022", "077", "0777"] {
        let sandbox = Sandbox::of(&standin);
        let state = sandbox.path("state");
        sandbox.configure(&format!("state_dir = {state:?}"));
        fs::create_dir(sandbox.path("cwd")).unwrap();
        sandbox.write("cwd/config.toml", "not = toml of ours");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("umask {umask}; exec \"$0\" send x")])
            .arg(sandbox.path("wxpush"));
        Run::new(shell).cwd(sandbox.path("cwd")).run().is_silent();
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&state), 0o700, "umask {umask}");
        for (name, wanted) in [
            ("token_cache.json", 0o600),
            ("token_cache.lock", 0o600),
            ("wxpush.log", 0o640),
        ] {
            assert_eq!(
                mode(&state.join(name)),
                wanted,
                "{name} under umask {umask}"
            );
        }
        assert_eq!(fs::read_dir(sandbox.path("cwd")).unwrap().count(), 1);
    }
}

#[test]
fn nothing_planted_at_one_of_our_paths_is_followed_and_the_message_arrives() {
    let standin = Standin::start();
    for name in [
        "token_cache.json",
        "token_cache.json.new",
        "token_cache.lock",
        "wxpush.log",
    ] {
        for kind in ["symlink", "dangling", "hard link", "fifo", "directory"] {
            let sandbox = Sandbox::of(&standin);
            let (victim, path) = (sandbox.path("victim"), sandbox.path(name));
            sandbox.write("victim", "precious");
            match kind {
                "symlink" => std::os::unix::fs::symlink(&victim, &path).unwrap(),
                "dangling" => std::os::unix::fs::symlink(sandbox.path("created"), &path).unwrap(),
                "hard link" => fs::hard_link(&victim, &path).unwrap(),
                "fifo" => assert!(
                    Command::new("mkfifo")
                        .arg(&path)
                        .status()
                        .unwrap()
                        .success()
                ),
                _ => fs::create_dir(&path).unwrap(),
            }
            let before = fs::metadata(&victim).unwrap().modified().unwrap();
            let count = standin.count("/cgi-bin/message/send");
            let outcome = sandbox.send("x").run().exits(0);
            assert_eq!(standin.count("/cgi-bin/message/send"), count + 1);
            // What a killed process left aside is simply replaced, unless it is a directory.
            if name != "token_cache.json.new" || kind == "directory" {
                assert_eq!(
                    outcome.stderr.lines().count(),
                    1,
                    "{kind} at {name}: {}",
                    outcome.stderr
                );
            }
            assert_eq!(sandbox.read("victim"), "precious", "{kind} at {name}");
            assert_eq!(fs::metadata(&victim).unwrap().modified().unwrap(), before);
            assert!(!sandbox.path("created").exists(), "{kind} at {name}");
        }
    }
}

#[test]
fn without_a_place_for_state_the_message_goes_out_with_one_warning() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.write("in-the-way", "");
    fs::create_dir(sandbox.path("open")).unwrap();
    fs::set_permissions(sandbox.path("open"), fs::Permissions::from_mode(0o1777)).unwrap();
    for dir in ["in-the-way/state", "in-the-way", "open"] {
        sandbox.write(
            "config.toml",
            format!(
                "state_dir = {:?}\n{}",
                sandbox.path(dir),
                config(&standin.base())
            ),
        );
        let outcome = sandbox.send("x").run().exits(0);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(dir) && outcome.stderr.contains("going on without"));
    }
    assert_eq!(fs::read_dir(sandbox.path("open")).unwrap().count(), 0);
}

#[test]
#[ignore = "needs root: tmpfs and bind mounts in a mount namespace"]
fn a_full_or_read_only_disk_keeps_no_message() {
    let standin = Standin::start();
    for prepare in [
        "mount -t tmpfs -o size=16k,mode=700 tmpfs \"$1\" && { head -c 1M /dev/zero > \"$1/fill\" 2>/dev/null; true; }",
        "mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs \"$1\"",
        "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\"",
    ] {
        let sandbox = Sandbox::of(&standin);
        let state = sandbox.path("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        sandbox.configure(&format!("state_dir = {state:?}"));
        let count = standin.count("/cgi-bin/message/send");
        let mut command = Command::new("unshare");
        command.args([
            "-m",
            "sh",
            "-c",
            &format!("{prepare} && exec \"$0\" send x"),
        ]);
        command.arg(sandbox.path("wxpush")).arg(&state);
        let outcome = Run::new(command)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .run()
            .exits(0);
        assert!(
            outcome.stderr.contains("going on without"),
            "{prepare}: {}",
            outcome.stderr
        );
        assert_eq!(standin.count("/cgi-bin/message/send"), count + 1);
    }
}

#[test]
#[ignore = "needs root: another user's directory"]
fn what_root_makes_in_a_users_directory_belongs_to_that_user() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let state = sandbox.path("state");
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::chown(&state, Some(65534), Some(65534)).unwrap();
    sandbox.configure(&format!("state_dir = {state:?}"));
    sandbox.send("x").run().is_silent();
    for name in ["token_cache.json", "token_cache.lock", "wxpush.log"] {
        assert_eq!(
            fs::metadata(state.join(name)).unwrap().uid(),
            65534,
            "{name}"
        );
    }
}
