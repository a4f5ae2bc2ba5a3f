//! The Debian package: built, installed by dpkg, used, upgraded, removed and purged.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::init::set;
use crate::support::{Run, Sandbox, Words};

const PATH: &str = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// This machine's files and what is done to them on top of that, in memory: gone when it ends.
struct Machine {
    holder: Child,
}

impl Machine {
    /// One in which nothing is set up to happen by itself; its mails end in /mails.
    fn start(sandbox: &Sandbox) -> Self {
        let script = "mount -t tmpfs -o mode=0755 tmpfs \"$1\" && cd \"$1\" && mkdir upper work root \
            && mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root \
            && mount --rbind /proc root/proc && mount --rbind /dev root/dev \
            && cd root && rm -rf etc/dpkg/dpkg.cfg.d/* etc/cron.d/* var/spool/cron/crontabs/* etc/wxpush \
            && : >etc/crontab && rm -f usr/sbin/sendmail \
            && printf '#!/bin/sh\\ncat >>/mails\\n' >usr/sbin/sendmail && chmod 755 usr/sbin/sendmail \
            && echo ready && exec chroot . sleep 600";
        let dir = sandbox.path("machine");
        fs::create_dir(&dir).unwrap();
        let mut holder = Command::new("unshare")
            .args(["-m", "sh", "-c", script, "sh"])
            .arg(dir)
            .env_clear()
            .env("PATH", PATH)
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is there");
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "no overlay can be mounted");
        Self { holder }
    }

    /// A path in it, as seen from here.
    fn path(&self, path: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.trim_start_matches('/'))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// A shell's line, run there by root.
    fn sh(&self, line: &str) -> Run {
        let mut command = Command::new("chroot");
        command.arg(self.path("")).args(["sh", "-c", line]);
        Run::new(command).env("PATH", PATH).env("HOME", "/root")
    }

    /// The command of the line that the package has for cron.
    fn cron_command(&self) -> String {
        let lines = self.read("/etc/cron.d/wxpush");
        let line = lines
            .lines()
            .find(|line| line.starts_with("* * * * * root"));
        line.unwrap()
            .trim_start_matches("* * * * * root ")
            .to_owned()
    }

    /// Runs cron there until `done`, for two minutes at the most.
    fn cron(&self, done: impl Fn() -> bool) {
        let mut cron = Command::new("chroot")
            .arg(self.path(""))
            .args(["cron", "-f"])
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !done() && begun.elapsed() < Duration::from_secs(130) {
            std::thread::sleep(Duration::from_millis(200));
        }
        cron.kill().unwrap();
        cron.wait().unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Builds the package of the tests' own program, stripped: a release would take minutes.
fn built(sandbox: &Sandbox, umask: &str) -> PathBuf {
    let script = "umask \"$1\" && strip -o \"$2/program\" \"$2/wxpush\" \
        && exec packaging/debian/build --program \"$2/program\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", umask])
        .arg(sandbox.path(""))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", sandbox.path(""))
        .env("DPKG_DEB", "dpkg-deb -Znone")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// The config as an administrator fills it in.
fn filled_in(config: &str, base: &str) -> String {
    let lines = config.lines().map(|line| match line.split(' ').next() {
        Some("#corpid") => format!("corpid = \"{CORPID}\"\n"),
        Some("#corpsecret") => format!("corpsecret = \"{SECRET}\"\n"),
        Some("#agentid") => format!("agentid = {AGENTID}\n"),
        Some("#api_base") => format!("api_base = \"{base}\"\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
#[ignore = "needs dpkg and binutils"]
fn the_package_is_the_same_to_the_byte_for_every_builder() {
    let sandbox = Sandbox::empty();
    let one = fs::read(built(&sandbox, "022")).unwrap();
    let two = fs::read(built(&sandbox, "077")).unwrap();
    assert!(one == two);
}

#[test]
#[ignore = "needs root, dpkg, cron, man-db, zsh and fish; takes up to a minute"]
fn the_package_is_installed_used_upgraded_removed_and_purged() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let deb = built(&sandbox, "022");
    let machine = Machine::start(&sandbox);
    fs::copy(&deb, machine.path("/wxpush.deb")).unwrap();
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
    machine.sh(&machine.cron_command()).is_silent();
    machine.sh("dpkg -i /newer.deb").exits(0);
    machine.sh(&machine.cron_command()).is_silent();
    assert_eq!(standin.company().phone("lisi").len(), count + 2, "not lost");

    machine.sh("dpkg -P wxpush").exits(0);
    let left = "find /etc /usr /var -xdev -name '*wxpush*' ! -path '/var/cache/*'";
    let left = machine.sh(left).exits(0).stdout;
    assert_eq!(left, "");
}

/// The cron line is silent, a send names the config, and who has settings of his own needs none.
fn before_it_is_set_up(machine: &Machine, standin: &Standin) {
    machine.sh(&machine.cron_command()).is_silent();
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
