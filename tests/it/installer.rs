//! packaging/install.sh, by several shells, from a server on this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::{Run, Sandbox, Words};

const TARBALL: &str = "wxpush-riscv64gc-unknown-linux-musl.tar.gz";

/// What the script may find on the machine.
const TOOLS: [&str; 15] = [
    "cat",
    "chmod",
    "cp",
    "cut",
    "gzip",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "tar",
    "curl",
    "sha256sum",
    "sh",
];

/// A release on a server, and a machine without anything but the tools that a test names.
struct Release {
    sandbox: Sandbox,
    server: Child,
    url: String,
}

impl Release {
    fn start() -> Self {
        let sandbox = Sandbox::empty();
        // busybox asks no uname but its own.
        let line = format!(
            "mkdir bin files wxpush-9 && printf '#!/bin/sh\\necho wxpush 9\\n' >wxpush-9/wxpush \
             && chmod 755 wxpush-9/wxpush && cd files && tar -czf {TARBALL} -C .. wxpush-9 \
             && cp {TARBALL} wxpush-$(uname -m)-unknown-linux-musl.tar.gz && sha256sum * >SHA256SUMS \
             && printf '#!/bin/sh\\n[ \"$1\" = -s ] && echo Linux || echo riscv64\\n' >../bin/uname \
             && chmod 755 ../bin/uname"
        );
        let mut command = Command::new("sh");
        command.args(["-c", &line]);
        let run = Run::new(command)
            .env("SSLKEYLOGFILE", "")
            .cwd(sandbox.path(""));
        run.env("PATH", "/usr/bin:/bin").exits(0);
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d"])
            .arg(sandbox.path("files"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is there");
        let mut line = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once("(http").unwrap();
        let url = format!("http{}", rest.split(')').next().unwrap());
        let release = Self {
            sandbox,
            server,
            url,
        };
        for tool in TOOLS {
            release.has(tool, tool);
        }
        release
    }

    /// Gives the machine a tool, under this name.
    fn has(&self, tool: &str, name: &str) {
        let places = ["/usr/bin", "/bin"].map(|dir| PathBuf::from(dir).join(tool));
        let place = places.iter().find(|path| path.exists());
        let place = place.unwrap_or_else(|| panic!("no {tool}"));
        symlink(place, self.sandbox.path("bin").join(name)).unwrap();
    }

    fn lacks(&self, name: &str) {
        fs::remove_file(self.sandbox.path("bin").join(name)).unwrap();
    }

    /// The script by a shell.
    fn install(&self, shell: &[&str]) -> Run {
        let mut command = Command::new(shell[0]);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/install.sh");
        command.args(&shell[1..]).arg(script);
        Run::new(command)
            .env("SSLKEYLOGFILE", "")
            .env("PATH", self.sandbox.path("bin"))
            .env("TMPDIR", self.sandbox.path(""))
            .env("HOME", self.sandbox.path("home"))
            .env("WXPUSH_PREFIX", self.sandbox.path("home/.local"))
            .env("WXPUSH_MIRROR", &self.url)
    }

    /// It fails with one line, installs nothing and leaves nothing.
    #[track_caller]
    fn fails(&self, run: Run, words: &str) {
        let outcome = run.exits(1);
        assert_eq!(outcome.stdout, "");
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        outcome.says(words);
        assert!(!self.sandbox.path("home/.local/bin/wxpush").exists());
        let names = self.sandbox.names();
        assert!(
            !names.iter().any(|name| name.starts_with("tmp.")),
            "{names:?}"
        );
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
#[ignore = "needs python3, curl, wget, dash and busybox"]
fn the_installer_puts_the_program_into_its_place_by_any_shell() {
    let release = Release::start();
    for shell in [
        &["/bin/dash"][..],
        &["/bin/busybox", "ash"],
        &["/bin/bash", "--posix"],
    ] {
        let outcome = release.install(shell).exits(0);
        outcome.stdout.shows("/home/.local/bin/wxpush init\n");
        let program = release.sandbox.path("home/.local/bin/wxpush");
        let version = Run::new(Command::new(&program))
            .env("PATH", "/bin")
            .exits(0);
        assert_eq!(version.stdout, "wxpush 9\n", "{shell:?}");
        fs::remove_dir_all(release.sandbox.path("home")).unwrap();
    }
    let names = release.sandbox.names();
    assert!(
        !names.iter().any(|name| name.starts_with("tmp.")),
        "{names:?}"
    );
    let chinese = release.install(&["/bin/dash"]).env("LANG", "zh_CN.UTF-8");
    chinese.exits(0).stdout.shows("下一步：");
}

#[test]
#[ignore = "needs python3, curl, wget, openssl and busybox"]
fn the_installer_takes_what_the_machine_has() {
    let release = Release::start();
    let works = || {
        release.install(&["/bin/dash"]).exits(0);
        fs::remove_dir_all(release.sandbox.path("home")).unwrap();
    };
    release.lacks("sha256sum");
    release.has("openssl", "openssl");
    works();
    release.lacks("openssl");
    release.fails(release.install(&["/bin/dash"]), "install sha256sum");
    release.has("sha256sum", "sha256sum");
    release.lacks("curl");
    release.has("wget", "wget");
    works();
    release.lacks("wget");
    release.has("busybox", "wget");
    works();
    release.lacks("wget");
    release.fails(release.install(&["/bin/dash"]), "neither curl nor wget");
}

#[test]
#[ignore = "needs python3, curl, dash"]
fn the_installer_fails_with_a_reason_and_installs_nothing() {
    let release = Release::start();
    let dash = || release.install(&["/bin/dash"]);
    let blocked = release.sandbox.path("SUMS");
    fs::write(&blocked, "").unwrap();
    let elsewhere = dash().env("WXPUSH_PREFIX", blocked.join("x"));
    release.fails(elsewhere, "WXPUSH_PREFIX");
    let other = dash().env("WXPUSH_SHA256", "0".repeat(64));
    release.fails(other, "damaged or forged");
    let remote = dash().env("WXPUSH_MIRROR", "http://mirror.example/");
    release.fails(remote, "isn't https");
    let file = release.sandbox.path("files").join(TARBALL);
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    release.fails(dash(), "damaged or forged");
    fs::remove_file(&file).unwrap();
    release.fails(dash(), TARBALL);
    fs::write(release.sandbox.path("files/SHA256SUMS"), "").unwrap();
    release.fails(dash(), &format!("has no {TARBALL}"));
    fs::remove_file(release.sandbox.path("files/SHA256SUMS")).unwrap();
    release.fails(dash(), "cannot load");
    release.lacks("uname");
    fs::write(release.sandbox.path("bin/uname"), "#!/bin/sh\necho Linux\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(release.sandbox.path("bin/uname"), mode).unwrap();
    release.fails(dash(), "no program for Linux");
}
