//! What users mail and WeCom or a gateway refuses holds up nothing of root's, and fills nothing.

use std::fs;

use crate::standin::{Fault, Standin};
use crate::support::maildrop::{by_other, dropped, flush, flush_knowing, leave, with_maildrop};
use crate::support::{OTHER, Outcome, SEND, Sandbox, failed, has, refusal, script, texts, waiting};

/// Refuses what users mail.
fn refuse_users(standin: &Standin, fault: Fault) {
    standin.judge(move |request| {
        let is_theirs = request.endpoint() == SEND && has(request, "from user");
        is_theirs.then(|| fault.clone())
    });
}

/// Root's own alert, kept for the next flush.
fn keep_own(sandbox: &Sandbox, text: &str) {
    sandbox
        .wxpush("send --queue --to zhangsan")
        .arg(text)
        .is_silent();
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn sixty_mails_that_are_refused_hold_up_none_of_roots_and_root_is_told_once() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    refuse_users(&standin, Fault::html(403));
    for uid in [OTHER, 65533, 65532] {
        leave(&sandbox, uid, 20);
    }
    let flush = || flush_knowing(&sandbox, [OTHER, 65533, 65532]).run();
    flush();
    assert_eq!(waiting(&sandbox).len(), 60, "they may be the app's trouble");
    leave(&sandbox, OTHER, 1);
    for round in 0..3 {
        let own = [format!("own {round} a"), format!("own {round} b")];
        for text in &own {
            keep_own(&sandbox, text);
        }
        let before = standin.count(SEND);
        let stderr = flush().stderr;
        let read = texts(&standin, "zhangsan");
        assert!(read.ends_with(&own), "{round}: {read:?}");
        let asked = standin.count(SEND) - before;
        assert!(asked <= 2 + 3, "{round}: {asked}");
        assert_eq!(stderr.contains(" 60 "), round == 0, "{stderr}");
        assert_eq!(dropped(&sandbox).len(), 1, "{round}");
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_users_mail_that_passes_shows_that_it_was_the_message_which_failed() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    sandbox.append("\n[outbox]\nmerge = false\n");
    keep_own(&sandbox, "never passes");
    keep_own(&sandbox, "good");
    standin.always(SEND, Fault::html(500));
    flush(&sandbox).run();
    standin.mend();
    standin.judge(|request| {
        let is_bad = request.endpoint() == SEND && has(request, "never passes");
        is_bad.then(|| Fault::html(500))
    });
    leave(&sandbox, OTHER, 1);
    flush(&sandbox).run();
    let read = texts(&standin, "zhangsan").concat();
    assert!(
        read.contains("good") && read.contains("from user"),
        "{read}"
    );
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn users_leave_root_most_of_an_hours_slots_merged_or_not() {
    for merge in [true, false] {
        let standin = Standin::start();
        let sandbox = with_maildrop(&standin);
        sandbox.append(&format!(
            "\n[limits]\nper_hour = 12\n[outbox]\nmerge = {merge}\n"
        ));
        for _ in 0..4 {
            leave(&sandbox, OTHER, 5);
            flush(&sandbox).run();
        }
        let theirs = texts(&standin, "zhangsan").len();
        assert!((1..=3).contains(&theirs), "{merge}: {theirs}");
        keep_own(&sandbox, "own");
        flush(&sandbox).run();
        let read = texts(&standin, "zhangsan");
        assert_eq!(read.last().unwrap(), "own", "{merge}");
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn mails_that_are_refused_for_good_are_not_kept_and_are_told_of_once_a_day() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    refuse_users(&standin, refusal(40058));
    let mut told = String::new();
    for _ in 0..2 {
        leave(&sandbox, OTHER, 13);
        told += &flush(&sandbox).run().stderr;
    }
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("nobody") && told.contains("40058"), "{told}");
    assert_eq!([waiting(&sandbox), failed(&sandbox)].concat(), [""; 0]);
    // What is root's own is.
    standin.mend();
    standin.always(SEND, refusal(40058));
    keep_own(&sandbox, "own");
    flush(&sandbox).run();
    assert_eq!(failed(&sandbox).len(), 1);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn whose_a_mail_is_stands_in_its_entry() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    standin.always(SEND, Fault::CutBefore);
    leave(&sandbox, OTHER, 3);
    flush(&sandbox).run();
    assert_eq!(waiting(&sandbox).len(), 3);
    // A file of notes that was lost, or not yet written, makes nobody root.
    fs::remove_file(sandbox.path("mails")).unwrap();
    standin.mend();
    refuse_users(&standin, refusal(40058));
    flush(&sandbox).run();
    assert_eq!([waiting(&sandbox), failed(&sandbox)].concat(), [""; 0]);
    assert!(sandbox.read("ledger").contains(&format!(" u{OTHER} ")));
}

/// Does this where the state directory has no room for another file, between two flushes with room, as
/// a user and as root.
fn without_room(sandbox: &Sandbox, line: &str) -> Outcome {
    let line = format!(
        "set -e; export WXPUSH_STATE_DIR=\"$1/state\" WXPUSH_MAILDROP=\"$1/maildrop\"
        mkdir \"$1/state\" && mount -t tmpfs -o nr_inodes=100,mode=700 tmpfs \"$1/state\"
        mail() {{ setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" sendmail \"$1\"; }}
        echo before | mail root && \"$0\" outbox flush
        mkdir \"$1/state/fill\" && n=0
        while touch \"$1/state/fill/$n\" 2>/dev/null; do n=$((n+1)); done
        {line}
        rm -r \"$1/state/fill\" && \"$0\" outbox flush && cat \"$1/state/wxpush.log\""
    );
    script(sandbox, &["unshare", "-m"], &line).exits(0)
}

#[test]
#[ignore = "needs root: another user, by setpriv, and a mount"]
fn a_mail_that_cannot_be_taken_for_want_of_room_stays_until_there_is_some() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let line = "echo harmless | mail root; for n in 1 2 3 4 5; do \"$0\" outbox flush || :; done; \
        test \"$(ls \"$1/maildrop\" | wc -l)\" = 1";
    without_room(&sandbox, line);
    let read = texts(&standin, "zhangsan");
    let of = |text| format!("from user nobody\n{text}");
    assert_eq!(read, [of("before"), of("harmless")]);
    assert!(dropped(&sandbox).is_empty());
}

#[test]
#[ignore = "needs root: another user, by setpriv, and a mount"]
fn where_no_notice_can_be_recorded_what_users_cause_is_in_the_log_alone() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let line = "for n in 1 2 3; do echo lost | mail a@example.com; \"$0\" outbox flush || :; done";
    let outcome = without_room(&sandbox, line);
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.stdout.matches("nobody is known").count(), 3);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_long_mail_to_many_takes_little_more_memory_than_to_one() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    standin.always(SEND, refusal(60020));
    let members: Vec<String> = (0..30).map(|number| format!("many{number:02}")).collect();
    let lines = members
        .iter()
        .map(|it| format!("{it} = {{ touser = \"{it}\" }}\n"));
    sandbox.append(&format!("\n[mail]\n{}", lines.collect::<String>()));
    let text = "a\n".repeat(1 << 20);
    by_other(&sandbox, "exec \"$0\" sendmail -t")
        .stdin(format!("To: {}\n\n{text}", members.join(", ")))
        .is_silent();
    let short = ["prlimit", "--as=80000000"];
    let outcome = script(&sandbox, &short, "exec \"$0\" outbox flush").run();
    assert_eq!(outcome.code, Some(77), "{}", outcome.stderr);
    assert!(!waiting(&sandbox).is_empty());
}
