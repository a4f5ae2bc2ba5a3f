//! An overlay of this machine, in which packages are installed and daemons run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::standin::{AGENTID, CORPID, SECRET};
use crate::support::{Run, Sandbox};

const PATH: &str = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// This machine's files and what is done to them on top of that, in memory: gone when it ends.
pub(crate) struct Machine {
    holder: Child,
}

/// A daemon there, which ends with this.
pub(crate) struct Daemon(Child);

impl Machine {
    /// One in which nothing is set up to happen by itself.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let script = "mount -t tmpfs -o mode=0755 tmpfs \"$1\" && cd \"$1\" && mkdir upper work root \
            && mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root \
            && mount --rbind /proc root/proc && mount --rbind /dev root/dev \
            && cd root && rm -rf etc/dpkg/dpkg.cfg.d/* etc/cron.d/* var/spool/cron/crontabs/* \
            && rm -rf etc/wxpush var/lib/wxpush var/spool/wxpush \
            && : >etc/crontab && exec chroot . sh -c 'echo ready && exec sleep 600'";
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
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.trim_start_matches('/'))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(path), text).unwrap();
    }

    /// A command there. In another's mount namespace a program's setuid bit would mean nothing: at
    /// and crontab have it.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        let target = format!("--target={}", self.holder.id());
        command.args([&*target, "--mount", "--root", "--wd"]);
        command.args(words);
        command
    }

    /// A shell's line, run there by root.
    pub(crate) fn sh(&self, line: &str) -> Run {
        let command = self.command(&["sh", "-c", line]);
        Run::new(command).env("PATH", PATH).env("HOME", "/root")
    }

    /// A shell's line, run there by a user whose group has the same name, as after a login.
    pub(crate) fn sh_as(&self, user: &str, line: &str) -> Run {
        let mut command = self.command(&["setpriv", "--init-groups", "--reset-env"]);
        command.args(["--reuid", user, "--regid", user, "sh", "-c", line]);
        Run::new(command).env("PATH", PATH)
    }

    /// Starts a daemon there, which stays in the foreground.
    pub(crate) fn daemon(&self, words: &[&str]) -> Daemon {
        let mut command = self.command(words);
        let command = command
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Daemon(command.spawn().unwrap())
    }

    /// Runs cron there until `done`, for two minutes at the most.
    pub(crate) fn cron(&self, done: impl Fn() -> bool) {
        let _cron = self.daemon(&["cron", "-f"]);
        let begun = Instant::now();
        while !done() && begun.elapsed() < Duration::from_secs(130) {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.holder);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        end(&mut self.0);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Makes the packages of the tests' own program, stripped, below a directory: a release would take
/// minutes.
pub(crate) fn packages(dir: &Path, umask: &str, release: &str) -> PathBuf {
    let sandbox = Sandbox::empty();
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let script = "umask \"$1\" && strip -o \"$2/program\" \"$2/wxpush\" \
        && packaging/build --program \"$2/program\" --target \"$3\"";
    let output = Command::new("sh")
        .args(["-c", script, "sh", umask])
        .arg(sandbox.path(""))
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", dir)
        .env("RELEASE", release)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    dir.join("packages")
}

/// One of the packages, which are made once for all tests: its name is `NAME*END`.
pub(crate) fn package(like: &str) -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("made");
        let _ = fs::remove_dir_all(&dir);
        packages(&dir, "022", "1")
    });
    let files = fs::read_dir(made).unwrap().flatten();
    let mut files = files.map(|file| file.path());
    let file = files.find(|file| is_like(file, like));
    file.unwrap_or_else(|| panic!("no {like}"))
}

fn is_like(file: &Path, like: &str) -> bool {
    let name = file.file_name().unwrap().to_str().unwrap();
    let (begin, end) = like.split_once('*').unwrap();
    name.starts_with(begin) && name.ends_with(end)
}

/// The package's config as an administrator fills it in.
pub(crate) fn filled_in(config: &str, base: &str) -> String {
    let lines = config.lines().map(|line| match line.split(' ').next() {
        Some("#corpid") => format!("corpid = \"{CORPID}\"\n"),
        Some("#corpsecret") => format!("corpsecret = \"{SECRET}\"\n"),
        Some("#agentid") => format!("agentid = {AGENTID}\n"),
        Some("#api_base") => format!("api_base = \"{base}\"\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
