//! Whose turn it is: what is root's goes first, whatever users left; of these each has his share.

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use nix::libc;

use crate::standin::Standin;
use crate::support::maildrop::{
    MAIL, by_other, call_on_maildrop, dropped, flush, flush_knowing, leave, leave_to, maildrop,
    with_maildrop,
};
use crate::support::tracer::{Act, trace};
use crate::support::{OTHER, Sandbox, texts, waiting};

/// Keeps a message of root's for the next flush.
fn keep_own(sandbox: &Sandbox, text: &str) {
    let run = sandbox.wxpush("send --queue --to zhangsan");
    run.arg(text).is_silent();
}

#[test]
#[ignore = "needs root: another user, by setpriv, and leave to trace"]
fn a_flush_that_hangs_in_a_users_file_has_sent_what_is_roots_and_holds_up_no_other() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let fill = || {
        keep_own(&sandbox, "own");
        fs::write(maildrop(&sandbox).join("junk"), "junk").unwrap();
    };
    fill();
    flush(&sandbox).is_silent();
    fill();
    let point = call_on_maildrop(&sandbox, libc::SYS_mkdirat);
    fill();
    leave(&sandbox, OTHER, 1);
    let hung = Cell::new(false);
    let meanwhile = || {
        assert_eq!(texts(&standin, "zhangsan"), ["own"; 3]);
        keep_own(&sandbox, "later");
        flush(&sandbox).is_silent();
        assert_eq!(texts(&standin, "zhangsan").last().unwrap(), "later");
        assert_eq!(
            dropped(&sandbox).len(),
            2,
            "one flush at a time looks at them"
        );
        hung.set(true);
    };
    let traced = trace(
        &sandbox,
        &["outbox", "flush"],
        Act::Pause(point, &meanwhile),
    );
    assert!(hung.get(), "{}", traced.stderr);
    assert!(dropped(&sandbox).is_empty());
    assert_eq!(texts(&standin, "zhangsan").len(), 5, "the user's, too");
}

#[test]
#[ignore = "needs root, and leave to trace"]
fn names_that_are_no_text_take_no_more_time_than_others_and_check_leaves_them() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let names = [b"\xff1", b"\xff2"].map(|name| maildrop(&sandbox).join(OsStr::from_bytes(name)));
    let left = || names.iter().filter(|it| it.exists()).count();
    let fill = || names.iter().for_each(|it| fs::create_dir_all(it).unwrap());
    flush(&sandbox).is_silent();
    fill();
    let point = call_on_maildrop(&sandbox, libc::SYS_openat2);
    fill();
    sandbox.wxpush("check").run();
    assert_eq!(left(), 2);
    // A quarter of it is for looking at them.
    let args = ["outbox", "flush", "--timeout", "1s"];
    let late = || std::thread::sleep(Duration::from_millis(400));
    let traced = trace(&sandbox, &args, Act::Pause(point, &late));
    assert!(
        traced.stderr.contains("too many files"),
        "{}",
        traced.stderr
    );
    assert_eq!(left(), 2);
    flush(&sandbox).is_silent();
    assert_eq!(left(), 0);
}

#[test]
#[ignore = "needs root: another user, by setpriv, and leave to trace"]
fn a_mail_that_cannot_be_looked_at_stays_with_what_is_known_of_it() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    flush(&sandbox).is_silent();
    let junk = maildrop(&sandbox).join("junk");
    fs::write(&junk, "junk").unwrap();
    let point = call_on_maildrop(&sandbox, libc::SYS_openat2);
    leave(&sandbox, OTHER, 1);
    let name = dropped(&sandbox).remove(0);
    sandbox.write("mails", format!("ended {name}\n"));
    let traced = trace(
        &sandbox,
        &["outbox", "flush"],
        Act::Fail(point, libc::ENOMEM, false),
    );
    assert!(traced.acted);
    assert_eq!(dropped(&sandbox), [&*name]);
    leave(&sandbox, OTHER, 1);
    // Whichever of both comes first.
    trace(
        &sandbox,
        &["outbox", "flush"],
        Act::Fail(point, libc::ENOMEM, false),
    );
    let is_there = dropped(&sandbox).contains(&name);
    assert_eq!(
        sandbox.read("mails").contains(&format!("ended {name}")),
        is_there
    );
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "zhangsan").len(), 2);
}

#[test]
#[ignore = "needs root: other users, and a mount"]
fn many_ids_without_an_account_have_the_places_of_one_user() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    sandbox.append(
        "\n[limits]\nper_hour = 4\n[outbox]\nmerge = false\n[mail]\nboss = { touser = \"lisi\" }\n",
    );
    for uid in 65500..65504 {
        leave(&sandbox, uid, 20);
    }
    flush_knowing(&sandbox, [OTHER]).run();
    let read = texts(&standin, "zhangsan").len();
    assert_eq!(read + waiting(&sandbox).len(), 20);
    by_other(&sandbox, "exec \"$0\" sendmail boss")
        .stdin(MAIL)
        .is_silent();
    flush_knowing(&sandbox, [OTHER]).run();
    assert_eq!(texts(&standin, "lisi").len(), 1);
}

#[test]
#[ignore = "needs root: other users, and a mount"]
fn who_mails_much_leaves_slots_of_the_same_recipient_to_who_mails_little() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    sandbox.append("\n[limits]\nper_hour = 32\n[outbox]\nmerge = false\n");
    leave_to(&sandbox, "root", 65533, 20);
    let flush = || flush_knowing(&sandbox, [OTHER, 65533]).run();
    flush();
    assert_eq!(texts(&standin, "zhangsan").len(), 4, "half of a quarter");
    leave(&sandbox, OTHER, 2);
    for uid in [65531, 65532] {
        leave(&sandbox, uid, 3);
    }
    flush();
    let read = texts(&standin, "zhangsan").join("\n");
    let count = |of: &str| read.matches(&format!("from user {of}")).count();
    assert_eq!(
        [count("user65533"), count("user65534"), count("uid ")],
        [4, 2, 1]
    );
}
