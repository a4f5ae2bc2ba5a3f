//! What else a release gives out: the same bytes each time, .rpm, .apk, tarball, checksums, templates.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::standin::Standin;
use crate::support::machine::{Machine, filled_in, package, packages};
use crate::support::{Run, Sandbox, Words};

/// A shell's line, in a directory.
fn sh(dir: &Path, line: &str) -> Run {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    let run = Run::new(command).cwd(dir);
    run.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
}

/// A fresh directory of this name, outside of what is searched for secrets: documents show some.
fn fresh(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// The directory of what was made for all tests.
fn made() -> PathBuf {
    package("SHA256SUMS*").parent().unwrap().to_owned()
}

#[test]
#[ignore = "needs nfpm and binutils; takes half a minute"]
fn everything_is_the_same_to_the_byte_for_every_builder() {
    let sandbox = Sandbox::empty();
    let other = packages(&sandbox.path(""), "077", "1");
    let sums = |dir: &Path| fs::read_to_string(dir.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(&made()), sums(&other));
    sh(&other, "sha256sum --quiet -c SHA256SUMS").is_silent();
    for end in [".deb", ".rpm", ".apk", ".tar.gz", "install.sh"] {
        assert!(
            sums(&other).lines().any(|line| line.ends_with(end)),
            "{end}"
        );
    }
}

#[test]
#[ignore = "needs root, rpm and nfpm"]
fn the_rpm_is_installed_used_upgraded_and_removed() {
    let (standin, sandbox) = (Standin::start(), Sandbox::empty());
    let machine = Machine::start(&sandbox);
    let newer = packages(&sandbox.path("newer"), "022", "2");
    let newer = fs::read_dir(newer).unwrap().flatten().map(|it| it.path());
    let newer = newer.filter(|it| it.extension().is_some_and(|end| end == "rpm"));
    let newer = newer.last().unwrap();
    fs::copy(package("wxpush-*.rpm"), machine.path("/1.rpm")).unwrap();
    fs::copy(newer, machine.path("/2.rpm")).unwrap();
    // Its data base knows nothing of Debian's packages.
    let rpm = |words: &str| machine.sh(&format!("rpm --force-debian --nodeps {words}"));
    rpm("-i /1.rpm").exits(0);
    let modes = "cd / && stat -c '%n %a %U' etc/wxpush/config.toml etc/cron.d/wxpush usr/bin/wxpush var/lib/wxpush";
    assert_eq!(
        machine.sh(modes).exits(0).stdout,
        "etc/wxpush/config.toml 640 root\netc/cron.d/wxpush 644 root\n\
         usr/bin/wxpush 755 root\nvar/lib/wxpush 700 root\n"
    );
    let config = filled_in(&machine.read("/etc/wxpush/config.toml"), &standin.base());
    machine.write("/etc/wxpush/config.toml", &config);
    machine.sh("wxpush send 'from an rpm'").is_silent();
    let landed = standin.company().phone("lisi").pop().unwrap();
    assert_eq!(landed.text, "from an rpm");
    machine
        .sh("unshare -n wxpush send --timeout 1s later")
        .exits(75);
    // The old version's script is told that a version stays.
    rpm("-U /2.rpm").exits(0).stderr.lacks("undelivered");
    let version = "rpm --force-debian -q --qf '%{RELEASE}' wxpush";
    assert_eq!(machine.sh(version).exits(0).stdout, "2");
    assert_eq!(machine.read("/etc/wxpush/config.toml"), config);
    let outcome = rpm("-e wxpush").exits(0);
    outcome.says("1 undelivered in /var/lib/wxpush/outbox");
    assert!(!machine.path("/usr/bin/wxpush").exists());
    assert_eq!(machine.read("/etc/wxpush/config.toml.rpmsave"), config);
    let left = machine.sh("find /usr /etc -xdev -name '*wxpush*'").exits(0);
    assert_eq!(left.stdout, "/etc/wxpush\n");
}

/// apk isn't among Debian's packages: what it would do with the file, by tar and sh.
#[test]
#[ignore = "needs root and nfpm"]
fn the_apk_has_the_program_its_config_and_a_flush_that_alpines_cron_runs() {
    let (standin, sandbox) = (Standin::start(), Sandbox::empty());
    let machine = Machine::start(&sandbox);
    fs::copy(package("wxpush_*.apk"), machine.path("/wxpush.apk")).unwrap();
    let line = "tar -xzf /wxpush.apk -C / && . /.post-install && cat /.PKGINFO";
    let about = machine.sh(line).exits(0).stdout;
    about.shows("\npkgver = 0.");
    about.shows("\ndatahash = ");
    let config = filled_in(&machine.read("/etc/wxpush/config.toml"), &standin.base());
    machine.write("/etc/wxpush/config.toml", config);
    machine
        .sh("unshare -n wxpush send --timeout 1s later")
        .exits(75);
    let outcome = machine
        .sh("LANG=en_US.UTF-8 sh /.pre-deinstall 0.1.0-r1")
        .exits(0);
    outcome.says("1 undelivered");
    machine.sh("run-parts /etc/periodic/15min").is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 1);
    assert!(!machine.path("/etc/cron.d/wxpush").exists());
}

#[test]
#[ignore = "needs nfpm"]
fn the_tarball_has_what_a_user_needs_and_runs_where_it_lies() {
    let dir = fresh("tarball");
    let tarball = package("wxpush-*.tar.gz");
    sh(&dir, &format!("tar -xzf {}", tarball.display())).is_silent();
    let tree = dir.join(concat!("wxpush-", env!("CARGO_PKG_VERSION")));
    for name in [
        "README.md",
        "README.zh-CN.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "LICENSE",
        "THIRD-PARTY",
        "config.example.toml",
        "completions/_wxpush",
        "completions/wxpush.bash",
        "completions/wxpush.fish",
        "man/wxpush.1",
        "man/wxpush-send.1",
        "examples/crontab",
        "examples/wxpush-flush.timer",
    ] {
        assert!(
            tree.join(name).metadata().is_ok_and(|it| it.len() > 0),
            "{name}"
        );
    }
    let version = sh(&tree, "./wxpush --version").exits(0).stdout;
    version.shows(env!("CARGO_PKG_VERSION"));
}

#[test]
#[ignore = "needs nfpm"]
fn the_package_has_cron_or_a_timer_that_gives_way_to_it() {
    let dir = fresh("deb");
    let deb = package("wxpush_*.deb");
    sh(&dir, &format!("dpkg-deb -x {} .", deb.display())).is_silent();
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    read("etc/cron.d/wxpush").shows("/usr/bin/wxpush outbox flush");
    let units = "usr/lib/systemd/system";
    let service = read(&format!("{units}/wxpush-flush.service"));
    service.shows("ExecStart=/usr/bin/wxpush outbox flush");
    let timer = read(&format!("{units}/timers.target.wants/wxpush-flush.timer"));
    let (head, _) = timer.split_once("\n[Timer]\n").unwrap();
    head.shows("[Unit]\nConditionPathExists=!/usr/sbin/cron\n");
}

#[test]
#[ignore = "needs nfpm"]
fn the_image_and_the_templates_name_what_was_made() {
    let dir = made();
    let docker = fs::read_to_string(dir.join("Dockerfile")).unwrap();
    let (_, copied) = docker.split_once("\nCOPY ").unwrap();
    let source = copied.split(' ').next().unwrap();
    let platform = match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    };
    let program = dir.join(source.replace("${TARGETPLATFORM}", platform));
    let version = sh(&dir, &format!("{} --version", program.display())).exits(0);
    version.stdout.shows(env!("CARGO_PKG_VERSION"));
    // Of one target alone no template can be filled; what isn't filled isn't given out.
    let files = fs::read_dir(&dir).unwrap().flatten().map(|it| it.path());
    for path in files.filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("@SHA256 "),
            "{path:?}"
        );
    }
}
