//! The Debian package: built, installed by dpkg, used, upgraded, removed and purged.

use std::fs;

use crate::standin::{CORPID, Standin};
use crate::support::init::set;
use crate::support::machine::{Machine, filled_in, package};
use crate::support::{Sandbox, Words};

#[test]
#[ignore = "needs root, dpkg, cron, man-db, zsh and fish; takes up to a minute"]
fn the_package_is_installed_used_upgraded_removed_and_purged() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let deb = package("wxpush_*.deb");
    let machine = Machine::start(&sandbox);
    fs::copy(&deb, machine.path("/wxpush.deb")).unwrap();
    let sendmail = "rm -f /usr/sbin/sendmail && printf '#!/bin/sh\\ncat >>/mails\\n' >/usr/sbin/sendmail \
        && chmod 755 /usr/sbin/sendmail";
    machine.sh(sendmail).is_silent();
    machine.sh("dpkg -i /wxpush.deb").exits(0);
    let modes = "cd / && stat -c '%n %a %U:%G' etc/wxpush/config.toml etc/cron.d/wxpush usr/bin/wxpush var/lib/wxpush";
    let modes = machine.sh(modes).exits(0).stdout;
    assert_eq!(
        modes,
        "etc/wxpush/config.toml 640 root:root\netc/cron.d/wxpush 644 root:root\n\
         usr/bin/wxpush 755 root:root\nvar/lib/wxpush 700 root:root\n"
    );

    before_it_is_set_up(&machine, &standin);
    let config = filled_in(&machine.read("/etc/wxpush/config.toml"), &standin.base());
    fs::write(machine.path("/etc/wxpush/config.toml"), &config).unwrap();
    machine.sh("wxpush send 'from a package'").is_silent();
    let landed = standin.company().phone("lisi").pop().unwrap();
    assert_eq!(landed.text, "from a package");
    let checked = machine.sh("wxpush check").exits(0).stdout;
    checked.shows("/etc/cron.d/wxpush");
    shows_pages_and_completions(&machine);

    let kept = "unshare -n wxpush send --timeout 1s 'by the package, later'";
    machine
        .sh(kept)
        .exits(75)
        .says("/usr/bin/wxpush outbox flush");
    let count = standin.company().phone("lisi").len();
    machine.cron(|| standin.company().phone("lisi").len() > count);
    let phone = standin.company().phone("lisi");
    assert_eq!(phone.last().unwrap().text, "by the package, later");
    assert_eq!(machine.read("/mails"), "", "the line is silent");

    keeps_what_was_edited(&machine, &config);
    machine.sh(kept).exits(75);
    let outcome = machine.sh("dpkg -r wxpush").exits(0);
    outcome.says("1 undelivered in /var/lib/wxpush/outbox");
    assert!(!machine.path("/usr/bin/wxpush").exists());
    assert_eq!(machine.read("/etc/wxpush/config.toml"), config);
    machine.sh(&cron_command(&machine)).is_silent();
    machine.sh("dpkg -i /newer.deb").exits(0);
    machine.sh(&cron_command(&machine)).is_silent();
    assert_eq!(standin.company().phone("lisi").len(), count + 2, "not lost");

    machine.sh("dpkg -P wxpush").exits(0);
    let left = "find /etc /usr /var -xdev -name '*wxpush*' ! -path '/var/cache/*'";
    let left = machine.sh(left).exits(0).stdout;
    assert_eq!(left, "");
}

/// The command of the line that the package has for cron.
fn cron_command(machine: &Machine) -> String {
    let lines = machine.read("/etc/cron.d/wxpush");
    let line = lines
        .lines()
        .find_map(|line| line.strip_prefix("* * * * * root "));
    line.unwrap().to_owned()
}

/// The cron line is silent, a send names the config, and who has settings of his own needs none.
fn before_it_is_set_up(machine: &Machine, standin: &Standin) {
    machine.sh(&cron_command(machine)).is_silent();
    let outcome = machine.sh("wxpush send x").exits(78);
    outcome.says("/etc/wxpush/config.toml");
    let user = "HOME=/nowhere exec setpriv --reuid 65534 --regid 65534 --clear-groups";
    let outcome = machine.sh(&format!("{user} wxpush send x")).exits(78);
    outcome.says("/etc/wxpush/config.toml: cannot be read");
    for who in [user, "exec"] {
        let line = format!("{who} wxpush send --no-outbox 'with settings of my own'");
        set(machine.sh(&line), standin).exits(0);
    }
    assert_eq!(standin.company().phone("lisi").len(), 2);
    // A config in which nothing is set is in nobody's way.
    let line = "cp -a /etc/wxpush/config.toml /kept && wxpush init";
    set(machine.sh(line), standin).exits(0);
    assert!(machine.read("/etc/wxpush/config.toml").contains(CORPID));
    machine
        .sh("mv /kept /etc/wxpush/config.toml && test -s /etc/wxpush/config.toml.old")
        .is_silent();
    machine.sh("rm -rf /var/lib/wxpush/*").is_silent();
}

fn shows_pages_and_completions(machine: &Machine) {
    for (line, words) in [
        ("man wxpush", "Puts a message on a phone"),
        ("man wxpush-outbox-flush", "Delivers what waits"),
        (
            "zsh -c 'autoload -Uz compinit; compinit -D -u; echo $_comps[wxpush]'",
            "_wxpush",
        ),
        ("fish -c \"complete -C 'wxpush out'\"", "outbox\t"),
        (
            "bash -c '. /usr/share/bash-completion/completions/wxpush; complete -p wxpush'",
            "_wxpush",
        ),
        ("zcat /usr/share/doc/wxpush/third-party.gz", "\nrustls 0."),
    ] {
        let outcome = machine.sh(line).env("MANWIDTH", "100").exits(0);
        assert!(outcome.stdout.contains(words), "{line}: {}", outcome.stdout);
    }
}

/// An upgrade that brings another config leaves the one that was filled in, and whose it is.
fn keeps_what_was_edited(machine: &Machine, config: &str) {
    machine.sh("chgrp mail /etc/wxpush/config.toml").is_silent();
    let newer = "dpkg-deb -R /wxpush.deb /newer && cd /newer \
        && sed -i 's/^Version: .*/Version: 99-1/' DEBIAN/control \
        && echo '# newer' >>etc/wxpush/config.toml && echo '# newer' >>etc/cron.d/wxpush \
        && dpkg-deb -Znone -b /newer /newer.deb && dpkg -i --force-confold /newer.deb";
    machine.sh(newer).exits(0);
    let version =
        "dpkg-query -W -f '${Version} ${Status}' wxpush; stat -c ' %a %G' /etc/wxpush/config.toml";
    let version = machine.sh(version).exits(0).stdout;
    assert_eq!(version, "99-1 install ok installed 640 mail\n");
    assert_eq!(machine.read("/etc/wxpush/config.toml"), config);
    let beside = machine.read("/etc/wxpush/config.toml.dpkg-dist");
    assert!(beside.ends_with("# newer\n"), "{beside}");
    let cron = machine.read("/etc/cron.d/wxpush");
    assert!(cron.ends_with("# newer\n"), "nobody had edited it: {cron}");
}
