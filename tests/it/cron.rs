//! A real Debian cron runs a line with an absolute path, and the message arrives.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, set_up};

/// Starts a cron that has the sandbox's crontab and no other; its folders are ours for as long as it
/// runs, and nobody else's. `more` is done before.
fn cron(sandbox: &Sandbox, more: &str) -> Child {
    let script = format!(
        "mount -t tmpfs tmpfs /var/spool/cron && mkdir -p /var/spool/cron/crontabs \
         && mount -t tmpfs tmpfs /etc/cron.d && mount --bind \"$1\" /etc/crontab \
         && mount -t tmpfs tmpfs /run && {more} && exec cron -f"
    );
    Command::new("unshare")
        .args([
            "-m",
            "--kill-child",
            "--fork",
            "--pid",
            "--mount-proc",
            "sh",
            "-c",
            &script,
            "sh",
        ])
        .arg(sandbox.path("crontab"))
        .arg(sandbox.path("sbin"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .spawn()
        .expect("unshare is there")
}

#[test]
#[ignore = "needs root and Debian's cron; takes up to a minute"]
fn a_crontab_line_with_an_absolute_path_delivers_in_an_empty_environment() {
    let (standin, sandbox) = set_up();
    let program = sandbox.path("wxpush");
    let program = program.display();
    // % is a newline for cron unless it is escaped; the rest of an unescaped one becomes stdin.
    let lines = format!(
        "* * * * * root {program} send --to lisi \"disk 91\\% full\"\n\
         * * * * * root {program} send --to wangwu words%never sent\n\
         * * * * * root echo from a pipe | {program} send --to zhangsan\n"
    );
    let message = r"\\server\\\it's 5% full\";
    let printed = sandbox.wxpush("crontab").arg("* * * * *").arg("--");
    let printed = printed.args(&["send", "--to", "member01", message]);
    let printed = printed.exits(0).stdout;
    let lines = lines + &printed.replacen(" /", " root /", 1);
    sandbox.write("crontab", lines);
    let mut cron = cron(&sandbox, "true");
    let begun = Instant::now();
    let arrived = || {
        let company = standin.company();
        ["lisi", "wangwu", "zhangsan", "member01"].map(|user| {
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
    let texts =
        ["disk 91% full", "words", "from a pipe", message].map(|text| Some(text.to_owned()));
    assert_eq!(arrived(), texts);
    // State is beside the program.
    assert!(sandbox.names().contains(&"wxpush.log".to_owned()));
}

#[test]
#[ignore = "needs root and Debian's cron; takes up to a minute"]
fn what_a_job_prints_reaches_the_phone_by_the_mail_that_cron_sends() {
    let (standin, sandbox) = set_up();
    let config = sandbox.read("config.toml");
    let lines = "[mail]\n\"ops@corp.cn\" = { touser = \"lisi\" }\n";
    sandbox.write(
        "config.toml",
        format!("touser = \"zhangsan\"\n{config}{lines}"),
    );
    sandbox.write(
        "crontab",
        "* * * * * root echo 磁盘 91\\%; echo .; echo end\n\
         MAILTO=ops@corp.cn\n* * * * * root echo for ops\n\
         MAILTO=someone@example.com\n* * * * * root echo for nobody\n",
    );
    // A directory of its own, in which nothing but the link is missing.
    let sbin = "mkdir -p \"$2\" && cp -a /usr/sbin/. \"$2\" && rm -f \"$2/sendmail\" \
         && ln -s \"$(dirname \"$2\")/wxpush\" \"$2/sendmail\" && mount --bind \"$2\" /usr/sbin";
    let mut cron = cron(&sandbox, sbin);
    let begun = Instant::now();
    let arrived = || {
        let company = standin.company();
        ["zhangsan", "lisi"].map(|user| {
            company
                .phone(user)
                .first()
                .map(|landed| landed.text.clone())
        })
    };
    let unknown = || sandbox.read("wxpush.log").contains("someone@example.com");
    while (arrived().iter().any(Option::is_none) || !unknown())
        && begun.elapsed() < Duration::from_secs(130)
    {
        std::thread::sleep(Duration::from_millis(200));
    }
    cron.kill().unwrap();
    cron.wait().unwrap();
    let [first, second] = arrived().map(|text| text.expect("both arrived"));
    assert!(first.starts_with("Cron <root@"), "{first}");
    assert!(first.ends_with("\n磁盘 91%\n.\nend"), "{first}");
    assert!(second.ends_with("\nfor ops"), "{second}");
    // A foreign address leads nowhere, and that is said.
    assert!(unknown());
    assert_eq!(standin.company().phone("wangwu").len(), 0, "not everyone");
}
