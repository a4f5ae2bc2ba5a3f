//! What stands at the outbox and is none of ours, and state among the files of other users: nothing
//! of it is touched, and the message goes.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::standin::Standin;
use crate::support::{
    AS_OTHER, GETTOKEN, OTHER, SEND, Sandbox, flush, for_each, is_root, keep, make, names_in,
    refusal, script, set_mode, set_up, texts, token, waiting, warns_once,
};

/// A third user, neither root nor `nobody`.
const THIRD: u32 = 1234;

/// What may stand where a directory of ours belongs, with a directory that a link may lead to.
/// Says whether that could be done.
fn plant(kind: &str, path: &Path, victim: &Path) -> bool {
    let tool = |program: &str, args: &[&str]| {
        let output = Command::new(program).arg(path).args(args).output();
        output.unwrap().status.success()
    };
    match kind {
        "link" => symlink(victim, path).is_ok(),
        "dangling link" => symlink(victim.with_extension("none"), path).is_ok(),
        "FIFO" => tool("mkfifo", &[]),
        // Containers may forbid it even to root.
        "device" => is_root() && tool("mknod", &["c", "1", "3"]),
        _ => {
            make(path);
            set_mode(path, 0o777);
            is_root() && chown(path, Some(OTHER), Some(OTHER)).is_ok()
        }
    }
}

/// All that could be changed of a path, and of what is in it.
fn seen(path: &Path) -> (u32, u32, i64, Vec<String>) {
    let meta = fs::symlink_metadata(path).unwrap();
    let names = if meta.is_dir() {
        names_in(path)
    } else {
        vec![]
    };
    (meta.mode(), meta.uid(), meta.ctime_nsec(), names)
}

const KINDS: [&str; 5] = ["link", "dangling link", "FIFO", "device", "of another user"];

/// A sandbox with such a thing at this path, and a directory beside it that is nobody's business.
fn planted(standin: &Standin, kind: &str, name: &str) -> Option<(Sandbox, [PathBuf; 2])> {
    let sandbox = Sandbox::of(standin);
    let victim = sandbox.path("victim");
    make(&victim);
    sandbox.write("victim/precious", "before");
    if let Some((parent, _)) = name.rsplit_once('/') {
        make(&sandbox.path(parent));
        set_mode(&sandbox.path(parent), 0o700);
    }
    let path = sandbox.path(name);
    plant(kind, &path, &victim).then_some((sandbox, [path, victim]))
}

#[test]
fn whatever_stands_at_the_outbox_is_left_alone_and_the_message_goes_or_is_said_to_be_lost() {
    for_each(KINDS, |kind| {
        let standin = Standin::start();
        let Some((sandbox, paths)) = planted(&standin, kind, "outbox") else {
            return;
        };
        let before = paths.each_ref().map(|path| seen(path));
        let words = format!(
            "the outbox cannot be used, the message was sent without it: {}: ",
            paths[0].display()
        );
        warns_once(sandbox.send("x").run(), &words);
        assert_eq!(texts(&standin, "lisi"), ["x"], "{kind}");
        let lost = sandbox
            .wxpush("send --timeout 1s y")
            .env("WXPUSH_API_BASE", Standin::refuse())
            .exits(73)
            .says("the message was not sent and is LOST, since nothing can be kept either (");
        assert_eq!(lost.stderr.lines().count(), 2, "{kind}: {}", lost.stderr);
        flush(&sandbox).exits(73).says("outbox");
        assert_eq!(before, paths.each_ref().map(|path| seen(path)), "{kind}");
        assert!(!sandbox.path("victim.none").exists(), "{kind}");
    });
}

#[test]
fn whatever_stands_where_the_failed_lie_nothing_goes_there_and_nothing_is_lost() {
    for_each(KINDS, |kind| {
        let standin = Standin::start();
        let Some((sandbox, paths)) = planted(&standin, kind, "outbox/failed") else {
            return;
        };
        let before = paths.each_ref().map(|path| seen(path));
        // It takes none to deliver or to keep a message.
        sandbox.send("delivered").is_silent();
        keep(&standin, &sandbox, "send kept");
        standin.script(SEND, [refusal(44004)]);
        let refused = sandbox.wxpush("send --to wangwu refused").exits(65);
        refused
            .says("warning: ")
            .says(" cannot be moved to failed/: ");
        assert!(!waiting(&sandbox).is_empty(), "{kind}");
        assert_eq!(before, paths.each_ref().map(|path| seen(path)), "{kind}");
        assert!(!sandbox.path("victim.none").exists(), "{kind}");
        standin.script(SEND, [refusal(44004)]);
        let again = flush(&sandbox).exits(65);
        let again = again.says(" cannot be moved to failed/: ");
        assert!(!again.stderr.contains("failed/ now"), "{}", again.stderr);
        assert!(!waiting(&sandbox).is_empty(), "{kind}");
        // Nor is anything lost: it is refused no more.
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "lisi"), ["delivered", "kept"], "{kind}");
        assert_eq!(texts(&standin, "wangwu").last().unwrap(), "refused");
        assert!(waiting(&sandbox).is_empty(), "{kind}");
    });
}

#[test]
#[ignore = "needs root: files of other users"]
fn a_token_cache_of_a_third_user_is_neither_believed_nor_touched() {
    // In root's own directory, and in one of a user whom root trusts.
    for owner in [0, OTHER] {
        let (standin, sandbox) = set_up();
        chown(sandbox.path(""), Some(owner), Some(owner)).unwrap();
        let send = |text| {
            let run = sandbox.send(text);
            run.env("WXPUSH_TRUST_OWNER", OTHER.to_string())
        };
        send("ours").is_silent();
        let theirs = token(&sandbox);
        let path = sandbox.path("token_cache.json");
        chown(&path, Some(THIRD), Some(THIRD)).unwrap();
        let (before, text) = (seen(&path), fs::read(&path).unwrap());
        let words = format!(
            "the token cache {} cannot be used, going on without it: belongs to another user",
            path.display()
        );
        warns_once(send("new").run(), &words);
        assert_eq!(standin.count(GETTOKEN), 2, "{owner}");
        let requests = standin.requests();
        let last = requests.iter().rfind(|it| it.endpoint() == SEND).unwrap();
        assert_ne!(last.query["access_token"], theirs, "{owner}");
        assert_eq!(texts(&standin, "lisi"), ["ours", "new"], "{owner}");
        assert_eq!((seen(&path), fs::read(&path).unwrap()), (before, text));
    }
}

#[test]
#[ignore = "needs root: other users, by setpriv"]
fn a_user_keeps_nothing_beside_a_program_of_another_user() {
    let (standin, sandbox) = set_up();
    // What it could do there is not the question: root's powers over files are its own.
    let nobody = [
        &AS_OTHER[..],
        &["--inh-caps=+dac_override", "--ambient-caps=+dac_override"],
    ]
    .concat();
    let config = sandbox.path("config.toml");
    set_mode(&config, 0o644);
    make(&sandbox.path("home"));
    make(&sandbox.path("theirs"));
    chown(sandbox.path("home"), Some(OTHER), Some(OTHER)).unwrap();
    for name in ["", "config.toml", "theirs"] {
        chown(sandbox.path(name), Some(THIRD), Some(THIRD)).unwrap();
    }
    let before = sandbox.names();
    let run = |words: &str| {
        let run = script(&sandbox, &nobody, &format!("exec \"$0\" send {words}"));
        run.env("HOME", sandbox.path("home"))
    };
    // Neither the config beside the program is read, nor is state kept there.
    let dir = config.parent().unwrap().display();
    let words = format!("config.toml is not read, since {dir} belongs to another user");
    run("x").exits(78).says(&words);
    let named = |words: &str| run(words).env("WXPUSH_CONFIG", &config);
    named("home").is_silent();
    let state = sandbox.path("home/.local/state/wxpush");
    assert!(state.join("token_cache.json").exists());
    // Where it is told to, it says why not.
    let theirs = sandbox.path("theirs");
    let why = format!("{}: belongs to another user", theirs.display());
    let told = |words: &str| named(words).env("WXPUSH_STATE_DIR", &theirs);
    warns_once(told("told").run(), &why);
    told("--timeout 1s lost")
        .env("WXPUSH_API_BASE", Standin::refuse())
        .exits(73)
        .says("LOST")
        .says(&why);
    assert_eq!(texts(&standin, "lisi"), ["home", "told"]);
    assert!(names_in(&theirs).is_empty());
    assert_eq!(before, sandbox.names());
}
