//! wxpush check: what waits, whether anything delivers it, and one test message.

use std::fs;

use crate::standin::Fault;
use crate::support::check::{check, crontab, step, to};
use crate::support::{SEND, Words, age, flush_line, make, script, set_up, texts, waiting};

#[test]
fn what_waits_without_a_flush_in_sight_is_a_cross() {
    let (standin, sandbox) = set_up();
    let bare = |options: &str| sandbox.wxpush(&format!("check --json {options}"));
    let outcome = bare("").exits(0);
    let line = flush_line(&sandbox);
    outcome.went("flush", "warning", &[&line]);
    standin.always(SEND, Fault::html(503));
    sandbox.wxpush("send --timeout 1s x").exits(75);
    let outcome = bare("").exits(75);
    outcome.went("outbox", "ok", &["1 waiting, the oldest for "]);
    outcome.went("flush", "failed", &["none found", &line]);
    // A line of cron's is in sight; that of another program is not.
    check(&sandbox, "").exits(0);
    make(&sandbox.path("other"));
    fs::copy(sandbox.path("wxpush"), sandbox.path("other/wxpush")).unwrap();
    crontab(
        &sandbox,
        &format!(
            "* * * * * {} outbox flush",
            sandbox.path("other/wxpush").display()
        ),
    );
    let path = sandbox.path("fake").display().to_string();
    bare("").env("PATH", path).exits(75);
    // A flush leaves a trace, no matter who ran it.
    sandbox.wxpush("outbox flush --timeout 1s").exits(75);
    let outcome = bare("").exits(0);
    outcome.went("flush", "ok", &["the last outbox flush ran "]);
    // What has waited for long has a reason.
    age(&sandbox, &waiting(&sandbox)[0], 1200);
    let outcome = bare("").exits(0);
    outcome.went("outbox", "warning", &["oldest for 20m", "503"]);
    sandbox.wxpush("outbox drop --all").exits(0);
    let outcome = bare("").exits(0);
    outcome.went("outbox", "ok", &["nothing waits"]);
}

#[test]
fn a_test_message_goes_to_one_member_once_and_is_never_kept() {
    let (standin, sandbox) = set_up();
    to(&sandbox, "touser = \"zhangsan\"\nprefix = \"[p] \"");
    let outcome = check(&sandbox, "--send lisi").exits(0);
    outcome.went("send", "ok", &["lisi", "msgid"]);
    let host = this_host();
    assert_eq!(
        texts(&standin, "lisi"),
        [format!("[p] wxpush 测试消息，来自 {host}")]
    );
    assert_eq!(texts(&standin, "zhangsan").len(), 0);
    let run = check(&sandbox, "--send lisi").env("WXPUSH_LANG", "en");
    run.exits(0);
    assert!(texts(&standin, "lisi")[1].ends_with(&format!("A test message of wxpush on {host}")));
    let outcome = check(&sandbox, "--send nobody").exits(67);
    outcome.went("send", "failed", &["81013"]);
    standin.always(SEND, Fault::html(503));
    let outcome = check(&sandbox, "--send lisi --timeout 2s").exits(75);
    outcome.went("send", "failed", &["503"]);
    assert_eq!(waiting(&sandbox).len(), 0);
    for name in ["@all", "a,b", "", "张三"] {
        let outcome = sandbox.wxpush("check --send").arg(name).exits(64);
        outcome.stderr.shows("--send zhangsan");
    }
    let outcome = check(&sandbox, "--send lisi").env("WXPUSH_CORPID", "wwother");
    outcome.exits(77).went("send", "skipped", &["not sent"]);
}

/// This host's name, as the kernel has it.
fn this_host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn what_waits_for_another_app_is_counted() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, Fault::html(503));
    sandbox.wxpush("send --timeout 1s x").exits(75);
    let run = check(&sandbox, "").env("WXPUSH_CORPID", "wwother");
    let outcome = run.exits(77);
    outcome.went("outbox", "warning", &["1 of other apps", "outbox retry"]);
}

#[test]
#[ignore = "needs root: /etc in a mount namespace"]
fn a_system_crontab_or_an_enabled_timer_is_in_sight() {
    let (_standin, sandbox) = set_up();
    let program = sandbox.path("wxpush").display().to_string();
    let unit = format!("[Service]\nExecStart={program} outbox flush\n");
    let units = "/etc/systemd/system";
    let service =
        format!("mkdir -p {units}/timers.target.wants && printf '{unit}' > {units}/w.service");
    let echo = format!("echo '* * * * * root {program} outbox flush' >");
    let in_cron_d = format!("mkdir /etc/cron.d && {echo} /etc/cron.d/w");
    let enable = format!("ln -s ../w.timer {units}/timers.target.wants/w.timer");
    for (setup, status, words) in [
        ("true".to_owned(), "warning", "none found"),
        (format!("{echo} /etc/crontab"), "", "/etc/crontab has"),
        (in_cron_d, "", "/etc/cron.d/w has"),
        (service.clone(), "warning", "none found"),
        (format!("{service} && {enable}"), "ok", "w.timer has"),
    ] {
        let mount = format!("mount -t tmpfs none /etc && {setup} && exec \"$0\" check --json");
        let outcome = script(&sandbox, &["unshare", "-m"], &mount).exits(0);
        let (went, said) = step(&outcome, "flush");
        // Whether a cron runs here is not ours to say.
        assert!(status.is_empty() || went == status, "{setup}: {went}");
        assert!(said.contains(words), "{setup}: {said}");
    }
}
