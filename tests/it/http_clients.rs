//! `wxpush http` behind programs that others made: apprise, Alertmanager, systemd, inetd.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::standin::Standin;
use crate::support::inetd::{HTTP_KEY as KEY, Inetd, with_http_key};
use crate::support::{Run, Sandbox, Words, for_each, is_wanted, leaks, png, texts};

/// The variable that wants them.
const WANTED: &str = "WXPUSH_CLIENTS";

/// A program that ends with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, args: &[&str]) -> Daemon {
    let mut command = Command::new(program);
    command.args(args).env("PATH", "/usr/sbin:/usr/bin:/bin");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    Daemon(child.unwrap_or_else(|error| panic!("{program}: {error}")))
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Says a text by curl, whenever somebody listens at a port; holds that it arrives.
fn is_served(port: u16, standin: &Standin) {
    wait_for("nobody listens", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let url = format!("http://127.0.0.1:{port}/{KEY}");
    let send = |text: String| {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-d",
            &text,
            &url,
        ]);
        let output = curl.env_clear().env("PATH", "/usr/bin:/bin").output();
        assert_eq!(output.unwrap().stdout, b"200");
    };
    for_each(0..20, |number| send(format!("number {number}.")));
    let all = texts(standin, "lisi").concat();
    for number in 0..20 {
        all.shows(&format!("number {number}."));
    }
}

#[test]
#[ignore = "takes systemd-socket-activate (systemd), openbsd-inetd, root, and WXPUSH_CLIENTS=1"]
fn systemd_and_a_plain_inetd_serve_by_it() {
    if !is_wanted(WANTED) {
        return;
    }
    let (standin, sandbox) = with_http_key();
    let program = sandbox.path("wxpush").display().to_string();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let _systemd = start(
        "systemd-socket-activate",
        &["--inetd", "-a", "-l", &listen, &program, "http"],
    );
    is_served(port, &standin);
    let (standin, sandbox) = with_http_key();
    let (program, port) = (sandbox.path("wxpush"), free_port());
    let line = format!(
        "127.0.0.1:{port} stream tcp nowait root {} wxpush http\n",
        program.display()
    );
    sandbox.write("inetd.conf", line);
    let config = sandbox.path("inetd.conf").display().to_string();
    let _inetd = start("/usr/sbin/inetd", &["-i", &config]);
    is_served(port, &standin);
}

/// Whether an apprise of one's own, from `PyPI`, sends to a URL.
fn apprise(sandbox: &Sandbox, url: &str, more: &[&str]) -> bool {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apprise");
    if !place.join("bin/apprise").exists() {
        let script = "python3 -m venv \"$0\" && \"$0/bin/pip\" install -q apprise==2.3.0";
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(&place);
        assert!(shell.status().unwrap().success());
    }
    let mut command = Command::new(place.join("bin/apprise"));
    command
        .args(["-t", "a title", "-b", "a body", url])
        .args(more);
    command.env_clear().env("HOME", sandbox.path(""));
    let output = command.output().unwrap();
    leaks::hold("stderr", &output.stderr, false);
    output.status.success()
}

#[test]
#[ignore = "loads apprise (60 MB) from PyPI, and takes WXPUSH_CLIENTS=1"]
fn apprise_sends_by_its_ntfy_gotify_and_json() {
    if !is_wanted(WANTED) {
        return;
    }
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    sandbox.write("a.png", png());
    let host = inetd.address();
    for url in [
        format!("ntfy://{host}/{KEY}"),
        format!("ntfy://phil:{KEY}@{host}/topic"),
        format!("gotify://{host}/{KEY}"),
        format!("json://wxpush:{KEY}@{host}/apprise"),
    ] {
        assert!(apprise(&sandbox, &url, &[]), "{url}");
        assert_eq!(
            texts(&standin, "lisi").pop().unwrap(),
            "a title\na body",
            "{url}"
        );
        let count = texts(&standin, "lisi").len();
        let wrong = url.replace(KEY, "not-the-right-key");
        assert!(!apprise(&sandbox, &wrong, &[]), "{url}");
        assert_eq!(texts(&standin, "lisi").len(), count);
        if !url.starts_with("gotify") {
            let picture = sandbox.path("a.png").display().to_string();
            assert!(apprise(&sandbox, &url, &["-a", &picture]), "{url}");
            let landed = standin.company().phone("lisi").pop().unwrap();
            assert_eq!(landed.media[0].bytes, png(), "{url}");
        }
    }
}

#[test]
#[ignore = "takes prometheus-alertmanager (42 MB), and WXPUSH_CLIENTS=1"]
fn alertmanager_tells_of_alerts_and_of_their_end() {
    if !is_wanted(WANTED) {
        return;
    }
    let (standin, sandbox) = with_http_key();
    let inetd = Inetd::start(&sandbox, "");
    let config = format!(
        "route:\n  receiver: wecom\n  group_by: [alertname]\n  group_wait: 1s\n  group_interval: 2s\n\
         receivers:\n  - name: wecom\n    webhook_configs:\n      - url: http://{}/alertmanager\n        \
         http_config:\n          authorization:\n            credentials: {KEY}\n",
        inetd.address()
    );
    sandbox.write("alertmanager.yml", config);
    fs::create_dir(sandbox.path("data")).unwrap();
    let (own, path) = (format!("127.0.0.1:{}", free_port()), |name: &str| {
        sandbox.path(name)
    });
    let options = [
        format!("--config.file={}", path("alertmanager.yml").display()),
        format!("--storage.path={}", path("data").display()),
        format!("--web.listen-address={own}"),
        "--cluster.listen-address=".to_owned(),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let alertmanager = start("prometheus-alertmanager", &options);
    wait_for("it does not listen", || TcpStream::connect(&own).is_ok());
    let amtool = |ends: &str| {
        let line = format!(
            "amtool alert add DiskFull instance=web1 severity=critical --annotation=summary='only 1% <@all> left' \
             --generator-url=http://prometheus.example/graph {ends} --alertmanager.url=http://{own}"
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]);
        Run::new(shell)
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", sandbox.path(""))
            .exits(0);
    };
    amtool("");
    wait_for("no alert arrives", || !texts(&standin, "lisi").is_empty());
    let text = texts(&standin, "lisi")
        .pop()
        .unwrap()
        .replace('\u{200b}', "");
    text.begins("🔥 告警：DiskFull\nonly 1% <@all> left\ninstance=web1, severity=critical\n开始：");
    text.shows("\nhttp://prometheus.example/graph");
    amtool("--end=$(date -u +%FT%TZ)");
    let is_over = || {
        texts(&standin, "lisi")
            .iter()
            .any(|it| it.starts_with("✅ 已恢复：DiskFull\n"))
    };
    wait_for("no end arrives", is_over);
    // It would repeat what was not accepted.
    assert_eq!(texts(&standin, "lisi").len(), 2);
    drop(alertmanager);
    fs::remove_dir_all(path("data")).unwrap();
}
