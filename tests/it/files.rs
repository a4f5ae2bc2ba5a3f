//! Files of ours: their modes and owners, what is planted in their way, disks that take none.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::standin::{Fault, Standin};
use crate::support::{
    AS_OTHER, OTHER, SEND, Sandbox, bodies, config, for_each, is_root, make, names_in, program_in,
    script, set_mode, warns_once,
};

/// All that is ours.
const FILES: [&str; 5] = [
    "ledger",
    "outbox",
    "token_cache.json",
    "token_cache.lock",
    "wxpush.log",
];

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn files_are_private_whatever_the_umask() {
    let standin = Standin::start();
    for (umask, rotation) in [
        ("0", "never"),
        ("0", "daily"),
        ("0022", "never"),
        ("0077", "never"),
        ("0777", "never"),
        ("0777", "daily"),
    ] {
        let sandbox = Sandbox::of(&standin);
        sandbox.configure(&format!(
            "state_dir = \"made/state\"\nlog.rotation = \"{rotation}\""
        ));
        let state = sandbox.path("made/state");
        let send = || {
            script(&sandbox, &[], &format!("umask {umask}; exec \"$0\" send x")).is_silent();
            let names = names_in(&state);
            assert_eq!(names.len(), FILES.len(), "{names:?}");
            for (name, wanted) in names.iter().zip(FILES) {
                let right = match wanted {
                    "outbox" => 0o700,
                    "wxpush.log" => 0o640,
                    _ => 0o600,
                };
                assert!(name.starts_with(wanted), "{name}");
                assert_eq!(mode(&state.join(name)), right, "{name} under umask {umask}");
            }
            names
        };
        let names = send();
        assert_eq!(mode(&state), 0o700, "{umask}");
        assert_eq!(mode(&sandbox.path("made")), 0o700, "{umask}");
        // What somebody opened up is closed again, and a token that others could write is not believed.
        for name in names {
            set_mode(&state.join(name), 0o666);
        }
        let asked = standin.count("/cgi-bin/gettoken");
        send();
        assert_eq!(standin.count("/cgi-bin/gettoken"), asked + 1, "{umask}");

        for code in [45009, 44004] {
            standin.script(SEND, [Fault::Errcode(code, "no".to_owned())]);
            let words = format!("umask {umask}; exec \"$0\" send x");
            let code = script(&sandbox, &[], &words).run().code;
            assert!(matches!(code, Some(65 | 75)), "{code:?}");
        }
        for (dir, count) in [("outbox", 3), ("outbox/failed", 3)] {
            let dir = state.join(dir);
            assert_eq!(mode(&dir), 0o700, "{umask}");
            let mut names = names_in(&dir);
            names.retain(|name| name != "looked");
            assert_eq!(names.len(), count, "{names:?}");
            for name in names.iter().filter(|name| *name != "failed") {
                assert_eq!(mode(&dir.join(name)), 0o600, "{name} under umask {umask}");
            }
        }
    }
}

/// Puts something of this kind at a path; says whether that could be done.
fn plant(kind: &str, path: &Path, victim: &Path) -> bool {
    let tool = |program: &str, args: &[&str]| {
        Command::new(program)
            .arg(path)
            .args(args)
            .output()
            .unwrap()
            .status
            .success()
    };
    match kind {
        "symbolic link" => symlink(victim, path).is_ok(),
        "dangling link" => symlink(victim.with_extension("none"), path).is_ok(),
        "hard link" => fs::hard_link(victim, path).is_ok(),
        "directory" => {
            make(path);
            true
        }
        "FIFO" => tool("mkfifo", &[]),
        // Containers may forbid it even to root.
        _ => is_root() && tool("mknod", &["c", "1", "3"]),
    }
}

#[test]
fn nothing_planted_at_a_path_of_ours_is_touched_or_holds_us_up() {
    let standin = Standin::start();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let kinds = [
        "symbolic link",
        "dangling link",
        "hard link",
        "directory",
        "FIFO",
        "device",
    ];
    let targets = [
        "state/token_cache.json",
        "state/token_cache.json.new",
        "state/token_cache.lock",
        "state/wxpush.log",
        "state",
    ];
    for_each(
        targets
            .iter()
            .flat_map(|target| kinds.map(|kind| (*target, kind))),
        |(target, kind)| {
            let sandbox = Sandbox::of(&standin);
            sandbox.configure("state_dir = \"state\"");
            sandbox.write("victim", "{}\n");
            let victim = sandbox.path("victim");
            set_mode(&victim, 0o644);
            let file = fs::File::options().write(true).open(&victim).unwrap();
            file.set_modified(long_ago).unwrap();
            if target != "state" {
                make(&sandbox.path("state"));
            }
            let path = sandbox.path(target);
            if !plant(kind, &path, &victim) {
                return;
            }
            let message = format!("{target} {kind}");
            let outcome = sandbox.send(&message).run();
            // A directory is where state belongs; what a killed process left aside is ours to remove.
            let fine = match kind {
                "directory" => target == "state",
                _ => target == "state/token_cache.json.new",
            };
            if fine {
                outcome.is_silent();
            } else {
                warns_once(outcome, path.to_str().unwrap());
                assert!(fs::symlink_metadata(&path).is_ok(), "{message} is gone");
            }
            assert!(
                bodies(&standin)
                    .iter()
                    .any(|body| body["text"]["content"] == *message),
                "{message}"
            );
            let meta = fs::metadata(&victim).unwrap();
            assert_eq!(fs::read(&victim).unwrap(), b"{}\n", "{message}");
            assert_eq!(meta.modified().unwrap(), long_ago, "{message}");
            assert_eq!(meta.mode() & 0o7777, 0o644, "{message}");
            assert!(!sandbox.path("victim.none").exists(), "{message}");
        },
    );
}

#[test]
fn a_message_goes_out_where_no_state_can_be_kept() {
    let standin = Standin::start();
    let mut rows = vec![
        ("config.toml/state", 0, "is not a directory"),
        ("config.toml", 0, "is not a directory"),
        ("shared", 0o777, "others can write to it (chmod o-w)"),
        ("sticky", 0o1777, "others can write to it (chmod o-w)"),
    ];
    if !is_root() {
        rows.extend([
            ("closed", 0o500, "cannot be written to"),
            ("closed/below", 0, "Permission denied"),
        ]);
    }
    for (name, mode, why) in rows {
        let sandbox = Sandbox::of(&standin);
        sandbox.configure(&format!("state_dir = \"{name}\""));
        if name == "closed/below" {
            fs::create_dir(sandbox.path("closed")).unwrap();
            set_mode(&sandbox.path("closed"), 0o500);
        } else if mode != 0 {
            fs::create_dir(sandbox.path(name)).unwrap();
            set_mode(&sandbox.path(name), mode);
        }
        let place = format!("{}: {why}", sandbox.path(name).display());
        let sent = bodies(&standin).len();
        warns_once(sandbox.send("x").run(), &place);
        sandbox.send("x").arg("-q").is_silent();
        assert_eq!(bodies(&standin).len(), sent + 2, "{name}");
        let printed = sandbox.wxpush("token print").run();
        assert!(!printed.stdout.is_empty(), "{name}");
        warns_once(printed, &place);
        for command in ["token status", "token clear", "token refresh"] {
            let outcome = sandbox.wxpush(command).exits(73).says(&place);
            assert_eq!(
                outcome.stderr.lines().count(),
                2,
                "{name} {command}: {}",
                outcome.stderr
            );
        }
        let made = usize::from(sandbox.path(name.split('/').next().unwrap()).is_dir());
        assert_eq!(sandbox.names().len(), 2 + made, "{name}");
    }
}

#[test]
#[ignore = "needs root: file systems that are full or read-only"]
fn a_message_goes_out_over_a_full_or_a_read_only_disk() {
    let standin = Standin::start();
    let full = "mount -t tmpfs -o size=12k,mode=700 tmpfs state && { cat /dev/zero > state/fill 2> /dev/null; true; }";
    let no_inodes = "mount -t tmpfs -o nr_inodes=1,mode=700 tmpfs state";
    let read_only = "mount --bind state state && mount -o remount,bind,ro state";
    for (name, mount, warnings) in [
        ("full", full, 3),
        ("no inodes", no_inodes, 3),
        ("read-only", read_only, 1),
    ] {
        let sandbox = Sandbox::of(&standin);
        sandbox.configure("state_dir = \"state\"");
        make(&sandbox.path("state"));
        let text = format!("cd \"$1\" && {mount} && \"$0\" send x && ls -A state");
        let outcome = script(&sandbox, &["unshare", "-m"], &text).exits(0);
        assert!(
            !outcome.stdout.contains("token_cache.json.new"),
            "{name}: {}",
            outcome.stdout
        );
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert_eq!(lines.len(), warnings, "{name}: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.starts_with("wxpush: warning: ")),
            "{name}: {lines:?}"
        );
    }
    assert_eq!(bodies(&standin).len(), 3);
}

#[test]
#[ignore = "needs root: /var/lib in a mount namespace"]
fn root_keeps_state_in_var_lib_where_beside_does_not_count() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    program_in(&sandbox, "bin");
    sandbox.write("config.toml", config(&standin.base()));
    let text = "mount -t tmpfs tmpfs /var/lib && cd \"$1\" && umask 0 && bin/wxpush send x -c config.toml && cd /var/lib && stat -c '%a %U %n' wxpush wxpush/*";
    let outcome = script(&sandbox, &["unshare", "-m"], text).exits(0);
    let wanted = "700 root wxpush\n600 root wxpush/ledger\n700 root wxpush/outbox\n600 root wxpush/token_cache.json\n600 root wxpush/token_cache.lock\n640 root wxpush/wxpush.log\n";
    assert_eq!((&*outcome.stdout, &*outcome.stderr), (wanted, ""));
    assert_eq!(names_in(&sandbox.path("bin")), ["wxpush"]);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn root_and_a_user_do_not_stand_in_each_others_way() {
    let standin = Standin::start();
    // In the user's own directory root's files are the user's.
    let theirs = Sandbox::of(&standin);
    for name in ["", "config.toml"] {
        chown(theirs.path(name), Some(OTHER), Some(OTHER)).unwrap();
    }
    for umask in ["0022", "0777"] {
        let run = script(&theirs, &[], &format!("umask {umask}; exec \"$0\" send x"));
        run.env("WXPUSH_TRUST_OWNER", OTHER.to_string()).is_silent();
        for name in FILES {
            let meta = fs::metadata(theirs.path(name)).unwrap();
            assert_eq!((meta.uid(), meta.gid()), (OTHER, OTHER), "{name}");
        }
        script(&theirs, &AS_OTHER, "exec \"$0\" send x").is_silent();
        assert_eq!(theirs.read("wxpush.log").matches(" end exit=0").count(), 2);
        let failed = fs::metadata(theirs.path("outbox/failed")).unwrap();
        assert_eq!((failed.uid(), failed.gid()), (OTHER, OTHER));
        for name in FILES.map(|name| theirs.path(name)) {
            let removed = if name.is_dir() {
                fs::remove_dir_all(name)
            } else {
                fs::remove_file(name)
            };
            removed.unwrap();
        }
    }
    // A file of root's that the user has moved there is not given away.
    fs::write(theirs.path("wxpush.log"), "root's own\n").unwrap();
    set_mode(&theirs.path("wxpush.log"), 0o600);
    let trusting = theirs
        .send("x")
        .env("WXPUSH_TRUST_OWNER", OTHER.to_string());
    trusting.exits(0);
    let meta = fs::metadata(theirs.path("wxpush.log")).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (0, 0o600));
    // Beside a program of root's the user reads the config, and keeps state at home.
    let roots = Sandbox::of(&standin);
    set_mode(&roots.path("config.toml"), 0o644);
    make(&roots.path("home"));
    chown(roots.path("home"), Some(OTHER), Some(OTHER)).unwrap();
    roots.send("x").is_silent();
    for (name, dir) in [
        ("HOME", "home/.local/state/wxpush"),
        ("XDG_STATE_HOME", "home/wxpush"),
    ] {
        script(&roots, &AS_OTHER, "exec \"$0\" send x")
            .env(name, roots.path("home"))
            .is_silent();
        assert!(roots.path(dir).join("token_cache.json").exists(), "{name}");
        assert_eq!(mode(&roots.path(dir)), 0o700, "{name}");
    }
    // A link of the user's does not lead root anywhere; one of root's does.
    make(&roots.path("elsewhere"));
    make(&roots.path("links"));
    roots.configure("state_dir = \"links/link\"");
    symlink(roots.path("elsewhere"), roots.path("links/link")).unwrap();
    roots.send("x").is_silent();
    assert!(!names_in(&roots.path("elsewhere")).is_empty());
    fs::remove_dir_all(roots.path("elsewhere")).unwrap();
    make(&roots.path("elsewhere"));
    std::os::unix::fs::lchown(roots.path("links/link"), Some(OTHER), None).unwrap();
    warns_once(roots.send("x").run(), "root does not use it");
    assert!(names_in(&roots.path("elsewhere")).is_empty());
}
