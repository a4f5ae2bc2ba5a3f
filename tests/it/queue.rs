//! Messages that are kept for a flush without a try, and those whose sender is content with that.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::standin::{Fault, Standin};
use crate::support::chinese::in_both;
use crate::support::{
    Fields, GETTOKEN, Pty, SEND, Sandbox, Words, age, emptied, flush, for_each, one_by_one,
    refusal, script, set_up, texts, waiting,
};

#[test]
fn what_is_queued_asks_nothing_of_the_network_and_is_delivered_by_a_flush() {
    let standin = Standin::start();
    let sandbox = one_by_one(&standin);
    standin.always(GETTOKEN, Fault::Hang);
    let args = "send --to lisi --queue --timeout 1h one";
    let outcome = sandbox.wxpush(args).is_silent();
    assert!(outcome.time < Duration::from_secs(1), "{:?}", outcome.time);
    assert_eq!((standin.connections(), standin.requests().len()), (0, 0));
    let files = ["config.toml", "outbox", "wxpush", "wxpush.log"];
    assert_eq!(sandbox.names(), files, "no slot, no token");
    let json = sandbox.wxpush("--json send --to lisi --queue two").run();
    let json = json.exits(0).json();
    let ids = waiting(&sandbox);
    assert_eq!((ids.len(), &json["status"]), (2, &"queued".into()));
    assert_eq!(json["outbox_id"], ids[1]);
    assert_eq!(json["parts"], 1);
    assert!(json.get("error").is_none() && json["errcode"].is_null());
    let told = sandbox.wxpush("send --to lisi --queue -v three").run();
    assert!(told.exits(0).stdout.contains(&waiting(&sandbox)[2]));
    let list = sandbox.wxpush("outbox list").exits(0).stdout;
    for id in waiting(&sandbox) {
        list.shows(&id);
    }
    standin.mend();
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "lisi"), ["one", "two", "three"]);
    assert_eq!(emptied(&sandbox), ["failed"]);
}

#[test]
fn a_queued_message_is_delivered_once_by_the_next_send_in_order_and_late_if_it_is() {
    let (standin, sandbox) = set_up();
    let long: Vec<String> = (0..400).map(|number| format!("line {number:05}")).collect();
    let run = sandbox.wxpush("send --to lisi --queue");
    run.arg(long.join("\n")).is_silent();
    sandbox.write("backup.log", "bytes of a file");
    let file = sandbox.path("backup.log").display().to_string();
    let run = sandbox.wxpush("send --to lisi --queue --file").arg(&file);
    run.is_silent();
    // What is sent is what was there.
    fs::remove_file(&file).unwrap();
    sandbox.wxpush("send --to lisi new").is_silent();
    // A send may leave files to a flush.
    flush(&sandbox).is_silent();
    let landed = texts(&standin, "lisi");
    let numbers: Vec<bool> = landed.iter().map(|it| it.contains("/3)")).collect();
    let expected = [false, false, true, true, true, false, false];
    assert_eq!(numbers, expected, "{landed:?}");
    // What has been overtaken says so first, and once.
    let late: Vec<bool> = landed.iter().map(|it| it.starts_with("[迟到] ")).collect();
    let expected = [false, true, false, false, false, true, false];
    assert_eq!(late, expected, "{landed:?}");
    assert_eq!(waiting(&sandbox).len(), 0);
    let uploads = standin.company().media.uploads.len();
    assert_eq!(uploads, 1);
    sandbox.wxpush("send --to lisi --queue old").is_silent();
    let id = waiting(&sandbox).remove(0);
    fs::write(sandbox.path(&format!("outbox/{id}.try")), "{}").unwrap();
    age(&sandbox, &id, 3600);
    flush(&sandbox).is_silent();
    let last = texts(&standin, "lisi").pop().unwrap();
    assert!(last.contains("迟到") && last.ends_with("old"), "{last}");
}

#[test]
fn what_cannot_be_kept_is_not_sent_and_that_is_73() {
    let (standin, sandbox) = set_up();
    sandbox.write("outbox", "in the way");
    let outcome = in_both(73, || sandbox.wxpush("send --queue x"));
    outcome.says("outbox").says("  hint: ");
    let json = sandbox.wxpush("--json send --queue x").exits(73).json();
    json.has(json!({"status": "failed", "exit_code": 73, "outbox_id": null}));
    fs::remove_file(sandbox.path("outbox")).unwrap();
    sandbox.append("[outbox]\nenabled = false\n");
    in_both(73, || sandbox.wxpush("send --queue x")).says("enabled");
    let no_state = sandbox.wxpush("send --queue x");
    let no_state = no_state.env("WXPUSH_STATE_DIR", "/proc/nowhere");
    let outcome = no_state.exits(73);
    assert!(!outcome.stderr.contains("going on"), "{}", outcome.stderr);
    assert_eq!(standin.requests().len(), 0, "nothing is sent");
}

#[test]
#[ignore = "needs root: mounts a file system"]
fn on_a_full_disk_a_queued_message_is_refused() {
    let (standin, sandbox) = set_up();
    fs::create_dir(sandbox.path("state")).unwrap();
    sandbox.configure("state_dir = \"state\"");
    let full = "cd \"$1\" && mount -t tmpfs -o size=12k,mode=700 tmpfs state && { cat /dev/zero > state/fill 2> /dev/null; true; } && \"$0\" send --queue x; code=$?; ls -A state/outbox >&2; exit $code";
    let outcome = script(&sandbox, &["unshare", "--mount"], full).run();
    let outcome = outcome.exits(73).says("No space left on device");
    let left = outcome.stderr.lines().filter(|line| line.contains("Z-"));
    assert_eq!(left.count(), 0, "{}", outcome.stderr);
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn options_that_contradict_are_64_and_a_bad_config_or_message_is_what_it_was() {
    let (standin, sandbox) = set_up();
    for (args, code) in [
        ("send --queue --no-outbox x", 64),
        ("send --queue --dry-run x", 64),
        ("send --kept-ok --no-outbox x", 64),
        ("send --queue --to zhangsan --image /nowhere.png", 66),
        ("send --queue --robot nobody x", 78),
        ("send --queue --kept-ok x", 0),
    ] {
        sandbox.wxpush(args).exits(code);
    }
    sandbox.wxpush("send --queue").arg("").exits(65);
    assert_eq!((waiting(&sandbox).len(), standin.requests().len()), (1, 0));
    sandbox.write("config.toml", "corpid = 1");
    sandbox.wxpush("send --queue x").exits(78);
}

#[test]
fn kept_is_well_where_it_is_said_to_be_and_told_as_before() {
    let standin = Standin::start();
    standin.always(SEND, refusal(60020));
    let dead = Standin::refuse();
    for_each([(None, 77), (Some(dead), 75)], |(base, code)| {
        let sandbox = Sandbox::of(&standin);
        let run = |args: &str| {
            let run = sandbox.wxpush(args).args(&["--timeout", "1s"]);
            match &base {
                Some(base) => run.env("WXPUSH_API_BASE", base),
                None => run,
            }
        };
        let told = run("send x").exits(code).stderr;
        let first = waiting(&sandbox).remove(0);
        let outcome = run("send --kept-ok x").exits(0);
        let second = waiting(&sandbox).remove(1);
        assert_eq!(outcome.stderr.replace(&second, &first), told);
        let json = run("--json send --kept-ok x").exits(0).json();
        json.has(json!({"status": "queued", "exit_code": 0}));
        assert!(json["error"].is_string() && json["outbox_id"].is_string());
        // What could not be kept is not well.
        fs::remove_dir_all(sandbox.path("outbox")).unwrap();
        sandbox.write("outbox", "in the way");
        run("send --kept-ok x").exits(73);
    });
    let sandbox = Sandbox::of(&standin);
    standin.mend();
    standin.always(SEND, refusal(82001));
    sandbox.wxpush("send --kept-ok x").exits(69);
}

#[test]
fn at_a_terminal_a_refusal_of_the_set_up_is_kept_where_that_is_well() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, refusal(60020));
    let (code, _) = Pty::start(sandbox.wxpush("send --to lisi x")).end();
    assert_eq!((code, waiting(&sandbox).len()), (Some(77), 0));
    let (code, _) = Pty::start(sandbox.wxpush("send --to lisi --kept-ok x")).end();
    assert_eq!((code, waiting(&sandbox).len()), (Some(0), 1));
    let (code, shown) = Pty::start(sandbox.wxpush("send --to lisi --queue y")).end();
    let ids = waiting(&sandbox);
    assert_eq!(code, Some(0));
    assert_eq!(ids.len(), 2);
    assert!(shown.contains(&ids[1]));
    standin.mend();
    sandbox.wxpush("outbox retry --all").exits(0);
    flush(&sandbox).exits(0);
    assert_eq!(texts(&standin, "lisi"), ["x", "y"]);
}
