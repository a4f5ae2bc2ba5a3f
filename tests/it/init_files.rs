//! Where `wxpush init` writes, what it does not write over, and whose crontab it adds to.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use crate::standin::Standin;
use crate::support::init::{answer_rightly, bare, init, set, unattended, with_crontab, written};
use crate::support::{
    AS_OTHER, OTHER, Pty, Run, Sandbox, Words, at_once, make, program_in, set_mode,
};

#[test]
fn a_crontab_keeps_its_lines_to_the_byte_and_gets_one_once() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let flush = format!("{} outbox flush", sandbox.path("wxpush").display());
    let line = format!("* * * * * {flush}\n");
    let others = "# it's mine\nMAILTO=\"\"\n17 3 * * *\t/bin/true '50\\%'";
    sandbox.write("before", others);
    let before = sandbox.path("before").display().to_string();
    let (longer, already) = (format!("{others}\n{line}"), "already delivers the outbox");
    let none = "echo \"can't open 'me': No such file or directory\" >&2; exit 1";
    let forbidden = "echo 'you are not allowed' >&2; exit 1";
    for (list, added, says) in [
        (
            format!("cat {before}"),
            Some(longer),
            "added to your crontab",
        ),
        (format!("echo '*/5 * * * * {flush}'"), None, already),
        (
            format!("echo '* * * * * {flush} >/dev/null 2>&1'"),
            None,
            already,
        ),
        (none.to_owned(), Some(line.clone()), "added to your crontab"),
        (forbidden.to_owned(), None, "you are not allowed"),
    ] {
        let _ = fs::remove_file(sandbox.path("installed"));
        with_crontab(&sandbox, &list);
        let mut pty = Pty::start(bare(&sandbox, &standin, "--force"));
        answer_rightly(&mut pty, 4);
        if added.is_some() {
            pty.shows("[Y/n] ").types("y");
        }
        pty.shows(says);
        assert_eq!(pty.end().0, Some(0), "{list}");
        written(&sandbox, "config.toml");
        let _ = fs::remove_file(sandbox.path("config.toml.old"));
        let installed = sandbox.read("installed");
        assert_eq!(installed, added.unwrap_or_default(), "{list}");
    }
    // A machine without it.
    let mut pty = Pty::start(bare(&sandbox, &standin, "--force").env("PATH", "/nowhere"));
    answer_rightly(&mut pty, 4);
    pty.shows("no cron is installed");
    pty.shows(line.trim_end());
    assert_eq!(pty.end().0, Some(0));
    written(&sandbox, "config.toml");
    let _ = fs::remove_file(sandbox.path("config.toml.old"));
}

#[test]
fn no_link_is_followed_and_nothing_but_a_file_is_written_over() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write("victim", "untouched");
    for (name, make) in [
        (
            "link.toml",
            (|path: &Path| symlink("victim", path).unwrap()) as fn(&Path),
        ),
        ("dangling.toml", |path| symlink("none", path).unwrap()),
        ("dir.toml", |path| fs::create_dir(path).unwrap()),
    ] {
        make(&sandbox.path(name));
        let config = sandbox.path(name).display().to_string();
        let pty = Pty::start(init(&sandbox, &standin, &format!("--force -c {config}")));
        let (code, shown) = pty.end();
        assert_eq!(code, Some(73), "{shown}");
        shown.shows(name);
        shown.shows("cannot be written");
    }
    assert_eq!(sandbox.read("victim"), "untouched");
}

#[test]
fn a_named_config_goes_there_and_its_directory_is_not_made() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let named = sandbox.path("it's 50%.toml");
    let state = sandbox.path("state");
    let run = unattended(&sandbox, &standin, "--json -c").arg(&named);
    let outcome = run.env("WXPUSH_STATE_DIR", &state).exits(0);
    written(&sandbox, "it's 50%.toml");
    let line = outcome.json()["crontab"].as_str().unwrap().to_owned();
    line.ends("it'\\''s 50'\\%'.toml' outbox flush");
    let none = sandbox.path("none/config.toml");
    let run = unattended(&sandbox, &standin, "-c").arg(&none);
    run.exits(73).says("cannot be written");
    // By the variable, too; seen from where the user stands.
    let run = unattended(&sandbox, &standin, "").env("WXPUSH_CONFIG", "by-variable.toml");
    run.cwd(sandbox.path("")).is_silent();
    written(&sandbox, "by-variable.toml");
    assert!(!sandbox.path("config.toml").exists());
}

/// This program's `init` out of the environment, begun by `before`.
fn begun(sandbox: &Sandbox, standin: &Standin, program: &Path, before: &[&str]) -> Run {
    let mut command = Command::new("env");
    command.args(before).arg(program).args(["init", "--json"]);
    let run = Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    set(run, standin).env("HOME", sandbox.path("home"))
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn it_goes_to_the_first_place_of_the_search_that_can_be_written_to() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let home = sandbox.path("home");
    make(&home);
    chown(&home, Some(OTHER), Some(OTHER)).unwrap();
    let owner = |name: &str| fs::metadata(sandbox.path(name)).unwrap().uid();
    // A user, beside whose program nothing is kept.
    let program = program_in(&sandbox, "bin");
    let run = begun(&sandbox, &standin, &program, &AS_OTHER);
    let outcome = run.exits(0);
    let path = sandbox.path("home/.config/wxpush/config.toml");
    assert_eq!(outcome.json()["config"], path.display().to_string());
    written(&sandbox, "home/.config/wxpush/config.toml");
    assert_eq!(owner("home/.config/wxpush/config.toml"), OTHER);
    let mode = |name: &str| fs::metadata(sandbox.path(name)).unwrap().mode() & 0o7777;
    assert_eq!(mode("home/.config/wxpush"), 0o700);
    assert_eq!(outcome.stderr, "");
    // One that cannot write beside the program, where a config is that comes first.
    let program = program_in(&sandbox, "app");
    sandbox.write("app/config.toml", "corpid = \"ww1\"\n");
    set_mode(&sandbox.path("home/.config/wxpush/config.toml"), 0o600);
    fs::remove_file(&path).unwrap();
    let outcome = begun(&sandbox, &standin, &program, &AS_OTHER).exits(0);
    outcome.says("app/config.toml comes first");
    // Root, in the directory of a user: the config is that user's.
    let program = program_in(&sandbox, "theirs");
    chown(sandbox.path("theirs"), Some(OTHER), Some(OTHER)).unwrap();
    let run = begun(&sandbox, &standin, &program, &[]);
    run.env("WXPUSH_TRUST_OWNER", OTHER.to_string()).exits(0);
    written(&sandbox, "theirs/config.toml");
    assert_eq!(owner("theirs/config.toml"), OTHER);
}

#[test]
#[ignore = "needs root: /etc in a mount namespace"]
fn roots_config_is_the_hosts_where_none_can_be_beside_the_program() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let program = program_in(&sandbox, "bin").display().to_string();
    let script = format!(
        "mount -t tmpfs tmpfs /etc && mount -t tmpfs tmpfs /var/lib && umask 077 && {program} init --json \
        && stat -c '%a %u' /etc/wxpush /etc/wxpush/config.toml && {program} send x"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    let run = Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let outcome = set(run, &standin).exits(0);
    outcome.stdout.ends("755 0\n600 0\n");
    assert_eq!(standin.company().phone("lisi").len(), 1);
}

#[test]
fn two_at_once_leave_one_whole_config_and_a_killed_one_is_no_hindrance() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml.new", "corpid = \"half of wha");
    let init = |_| unattended(&sandbox, &standin, "--offline --json");
    let outcomes = at_once(8, init);
    let says = |status: &str| {
        let status = format!("\"status\":\"{status}\"");
        let so = outcomes.iter().filter(|it| it.stdout.contains(&status));
        so.count()
    };
    // One that meets another at the writing ends so.
    let stayed = outcomes.iter().filter(|it| it.code == Some(73)).count();
    assert_eq!(says("written"), 1, "{outcomes:?}");
    assert_eq!(says("unchanged") + stayed, 7, "{outcomes:?}");
    written(&sandbox, "config.toml");
    assert!(!sandbox.path("config.toml.new").exists());
    sandbox.send("x").is_silent();
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_config_that_its_group_reads_is_written_in_a_file_that_nobody_else_can_lock() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", "touser = \"lisi\"\n");
    set_mode(&sandbox.path("config.toml"), 0o640);
    // As if another held the lock: the file stays as it was made.
    let mut command = Command::new("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", "inject=flock:error=EAGAIN"]);
    let run = Run::new(command)
        .env("PATH", "/usr/bin:/bin")
        .arg(sandbox.path("wxpush"));
    let run = run.args(&["init", "--offline", "--force"]);
    set(run, &standin).exits(73).says("another wxpush");
    let left = fs::metadata(sandbox.path("config.toml.old.new")).unwrap();
    assert_eq!(left.mode() & 0o7777, 0o600);
}

#[test]
#[ignore = "needs root: a crontab of its own, in a mount namespace"]
fn a_real_crontab_gets_the_line_once_and_keeps_the_others() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let program = sandbox.path("wxpush").display().to_string();
    let others = "# mine\nMAILTO=\"\"\n17 3 * * *\t/bin/true '50\\%'\n";
    sandbox.write("before", others);
    for there in [false, true] {
        let before = if there { "crontab $1/before &&" } else { "" };
        let script = format!(
            "mount -t tmpfs tmpfs /var/spool/cron && mkdir -m 1730 /var/spool/cron/crontabs && \
            chgrp crontab /var/spool/cron/crontabs && {before} $0 init --force && $0 init --force; \
            crontab -l > $1/installed"
        );
        let mut command = Command::new("unshare");
        command
            .args(["-m", "sh", "-c", &script, &program])
            .arg(sandbox.path(""));
        let run = Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let mut pty = Pty::start(run.env("WXPUSH_API_BASE", standin.base()));
        answer_rightly(&mut pty, 4);
        pty.shows("[Y/n] ").types("y");
        pty.shows("added to your crontab");
        answer_rightly(&mut pty, 4);
        pty.shows("your crontab already delivers the outbox");
        assert_eq!(pty.end().0, Some(0));
        written(&sandbox, "config.toml");
        let before = if there { others } else { "" };
        let wanted = format!("{before}* * * * * {program} outbox flush\n");
        assert_eq!(sandbox.read("installed"), wanted);
    }
}
