//! `wxpush init` where systemd runs and no cron is installed: it sets up a timer.

use std::os::unix::fs::chown;
use std::process::Command;

use crate::standin::Standin;
use crate::support::init::{answer_rightly, written};
use crate::support::{OTHER, Pty, Run, Sandbox, Words, make, program_in, set_mode};

/// A `systemctl` that notes how it is called, and enables by a link as the real one does.
const SYSTEMCTL: &str = "#!/bin/sh\nPATH=/usr/bin:/bin\n[ -z \"$WXPUSH_CORPSECRET\" ] || exit 9\n\
    echo \"$*\" >>\"$NOTES/calls\"\n\
    [ ! -e /run/down ] || { echo 'Failed to connect to bus' >&2; exit 1; }\n\
    units=/etc/systemd/system\n[ \"$1\" != --user ] || units=$HOME/.config/systemd/user\n\
    mkdir -p $units/timers.target.wants\n\
    ln -s ../wxpush-flush.timer $units/timers.target.wants/\n";

const CRONTAB: &str = "#!/bin/sh\n[ \"$1\" = -l ] || /bin/cat >>\"$NOTES/calls\"\n";

/// A terminal of a machine without cron, whose files are its own. There `run` is the program of
/// this user, `with_cron` the same where a `crontab` is found; `script` is a shell's line.
fn machine(sandbox: &Sandbox, standin: &Standin, user: u32, script: &str) -> Pty {
    for (name, text) in [("systemd/systemctl", SYSTEMCTL), ("cron/crontab", CRONTAB)] {
        make(sandbox.path(name).parent().unwrap());
        sandbox.write(name, text);
        set_mode(&sandbox.path(name), 0o755);
    }
    let program = program_in(sandbox, "bin");
    for name in ["home", "notes"] {
        make(&sandbox.path(name));
        chown(sandbox.path(name), Some(user), Some(user)).unwrap();
    }
    let [systemd, cron] = ["systemd", "cron"].map(|name| sandbox.path(name).display().to_string());
    let script = format!(
        "for dir in /run /etc /var/spool /var/lib; do mount -t tmpfs -o mode=755 tmpfs $dir; done
        mkdir -p /run/systemd/system
        echo 'root:x:0:0::/root:/bin/sh' >/etc/passwd; echo 'ann:x:{OTHER}:{OTHER}::/:/bin/sh' >>/etc/passwd
        as() {{ path=$1; shift; /usr/bin/env PATH=$path /usr/bin/setpriv --reuid {user} --regid {user} \
            --clear-groups \"$PROGRAM\" \"$@\"; }}
        run() {{ as {systemd} \"$@\"; }}; with_cron() {{ as {systemd}:{cron} \"$@\"; }}
        {script}"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]);
    let run = Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let run = run
        .env("PROGRAM", program)
        .env("HOME", sandbox.path("home"));
    let run = run.env("NOTES", sandbox.path("notes"));
    Pty::start(run.env("WXPUSH_API_BASE", standin.base()))
}

fn calls(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.path("notes/calls")).unwrap_or_default()
}

#[test]
#[ignore = "needs root: a machine without cron, in a mount namespace"]
fn without_cron_a_timer_is_set_up_once_and_no_line_beside_it() {
    let standin = Standin::start();
    for (user, units, manager) in [
        (0, "/etc/systemd/system", ""),
        (OTHER, "$HOME/.config/systemd/user", "--user "),
    ] {
        let sandbox = Sandbox::empty();
        let script = format!(
            "run init && with_cron init --force; run check --json >$NOTES/checked; cp {units}/wxpush-flush.* $NOTES"
        );
        let mut pty = machine(&sandbox, &standin, user, &script);
        answer_rightly(&mut pty, 4);
        pty.shows("no cron").shows("wxpush-flush.timer");
        pty.shows("[Y/n] ").types("");
        pty.shows("is enabled");
        if user != 0 {
            pty.shows("loginctl enable-linger");
        }
        answer_rightly(&mut pty, 4);
        pty.shows("wxpush-flush.timer already delivers the outbox");
        assert_eq!(pty.end().0, Some(0));
        if user != 0 {
            written(&sandbox, "home/.config/wxpush/config.toml");
        }
        let enable = format!("{manager}enable --now wxpush-flush.timer\n");
        assert_eq!(calls(&sandbox), enable);
        let program = sandbox.path("bin/wxpush").display().to_string();
        let service = sandbox.read("notes/wxpush-flush.service");
        service.shows(&format!("ExecStart={program} outbox flush\n"));
        let timer = sandbox.read("notes/wxpush-flush.timer");
        timer.shows(&format!("systemctl {enable}"));
        timer.shows("OnCalendar=minutely\n");
        let checked = sandbox.read("notes/checked");
        checked.shows("wxpush-flush.timer has outbox flush");
    }
}

#[test]
#[ignore = "needs root: a machine without cron, in a mount namespace"]
fn a_timer_that_cannot_be_set_up_is_shown_to_be_made_by_hand() {
    let standin = Standin::start();
    let units = "/etc/systemd/system";
    let other = format!("mkdir -p {units}; echo ExecStart=/bin/true >{units}/wxpush-flush.service");
    for (before, answer, says, called) in [
        (
            "rmdir /run/systemd/system".to_owned(),
            None,
            "* * * * * ",
            "",
        ),
        (String::new(), Some("n"), "Next:", ""),
        (
            "rm \"${PROGRAM%/bin/*}/systemd/systemctl\"".to_owned(),
            Some("y"),
            "systemctl is not installed",
            "",
        ),
        (
            ": >/run/down".to_owned(),
            Some(""),
            "Failed to connect to bus",
            "enable",
        ),
        (other, Some("y"), "runs something else", ""),
    ] {
        let sandbox = Sandbox::empty();
        let script = format!("{before}\nrun init; code=$?; cat {units}/*.service; exit $code");
        let mut pty = machine(&sandbox, &standin, 0, &script);
        answer_rightly(&mut pty, 4);
        if let Some(answer) = answer {
            pty.shows("[Y/n] ").types(answer);
        }
        pty.shows(says);
        if answer.is_some_and(|it| it != "n") {
            pty.shows("systemctl enable --now wxpush-flush.timer");
        }
        let (code, shown) = pty.end();
        assert_eq!(code, Some(0), "{shown}");
        assert!(calls(&sandbox).starts_with(called), "{before}");
        assert_eq!(
            shown.contains("ExecStart=/bin/true"),
            before.contains("true"),
            "{shown}"
        );
        assert_eq!(calls(&sandbox).is_empty(), called.is_empty(), "{before}");
    }
}

#[test]
#[ignore = "needs root: another user, in a mount namespace"]
fn a_line_of_another_user_does_not_deliver_our_outbox() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let script = "mkdir -p /etc/cron.d; echo \"* * * * * root $PROGRAM outbox flush\" >/etc/cron.d/w; \
        with_cron init";
    let mut pty = machine(&sandbox, &standin, OTHER, script);
    answer_rightly(&mut pty, 4);
    pty.shows("[Y/n] ").types("");
    pty.shows("added to your crontab");
    assert_eq!(pty.end().0, Some(0));
    written(&sandbox, "home/.config/wxpush/config.toml");
    assert!(calls(&sandbox).starts_with("* * * * * "));
}

#[test]
#[ignore = "needs root: another user, in a mount namespace"]
fn another_user_s_line_for_the_same_program_and_state_does_not_deliver_root_s_outbox() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    // State that root keeps beside the program, which others can't open.
    let script = "mkdir -p /etc/cron.d; echo \"* * * * * nobody $PROGRAM outbox flush\" >/etc/cron.d/w; \
        with_cron init";
    let mut pty = machine(&sandbox, &standin, 0, script);
    answer_rightly(&mut pty, 4);
    pty.shows("[Y/n] ").types("");
    pty.shows("added to your crontab");
    assert_eq!(pty.end().0, Some(0));
}

#[test]
#[ignore = "needs root: a machine without cron, in a mount namespace"]
fn a_line_that_only_waits_for_a_cron_is_not_asked_for_a_second_time() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    // A container with the package in it: neither systemd nor cron runs.
    let script = "rmdir /run/systemd/system; mkdir /etc/cron.d
        echo \"* * * * * root $PROGRAM outbox flush\" >/etc/cron.d/wxpush; run init";
    let mut pty = machine(&sandbox, &standin, 0, script);
    answer_rightly(&mut pty, 4);
    pty.shows("no cron is installed")
        .shows("/etc/cron.d/wxpush");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    shown.lacks("* * * * *");
}
