//! A real Debian cron runs a line with an absolute path, and the message arrives.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::Sandbox;
use crate::standin::Standin;

#[test]
#[ignore = "needs root and Debian's cron; takes up to a minute"]
fn a_crontab_line_with_an_absolute_path_delivers_in_an_empty_environment() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    let program = sandbox.path("wxpush");
    let program = program.display();
    // % is a newline for cron unless it is escaped; the rest of an unescaped one becomes stdin.
    let lines = format!(
        "* * * * * root {program} send --to lisi \"disk 91\\% full\"\n\
         * * * * * root {program} send --to wangwu words%never sent\n\
         * * * * * root echo from a pipe | {program} send --to zhangsan\n"
    );
    sandbox.write("crontab", lines);
    fs::create_dir(sandbox.path("spool")).unwrap();
    // Cron's own folders are ours for as long as it runs, and nobody else's.
    let script = "mount -t tmpfs tmpfs /var/spool/cron && mkdir -p /var/spool/cron/crontabs \
         && mount -t tmpfs tmpfs /etc/cron.d && mount --bind \"$1\" /etc/crontab \
         && mount -t tmpfs tmpfs /run && exec cron -f";
    let mut cron = Command::new("unshare")
        .args([
            "-m",
            "--kill-child",
            "--fork",
            "--pid",
            "--mount-proc",
            "sh",
            "-c",
            script,
            "sh",
        ])
        .arg(sandbox.path("crontab"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .spawn()
        .expect("unshare is there");
    let begun = Instant::now();
    let arrived = || {
        let company = standin.company();
        ["lisi", "wangwu", "zhangsan"].map(|user| {
            company
                .phone(user)
                .first()
                .map(|landed| landed.text.clone())
        })
    };
    while arrived().iter().any(Option::is_none) && begun.elapsed() < Duration::from_secs(130) {
        std::thread::sleep(Duration::from_millis(200));
    }
    cron.kill().unwrap();
    cron.wait().unwrap();
    let texts = ["disk 91% full", "words", "from a pipe"].map(|text| Some(text.to_owned()));
    assert_eq!(arrived(), texts);
    assert!(
        sandbox.names().contains(&"wxpush.log".to_owned()),
        "state is beside the program"
    );
}
