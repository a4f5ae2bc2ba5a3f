//! What one user leaves in the maildrop stops no other and fills nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use crate::standin::Standin;
use crate::support::maildrop::{
    by_other, dropped, flush, flush_knowing, leave, maildrop, with_maildrop,
};
use crate::support::{OTHER, SEND, Sandbox, refusal, script, set_mode, texts, waiting};

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_user_who_mails_too_much_loses_the_excess_and_holds_up_nobody() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    standin.company().phones.per_minute = usize::MAX;
    sandbox.append("\n[limits]\nper_minute = 30\n");
    leave(&sandbox, OTHER, 110);
    leave(&sandbox, 65533, 1);
    let outcome = flush(&sandbox).run();
    assert_eq!(
        outcome.stderr.matches("nobody").count(),
        1,
        "{}",
        outcome.stderr
    );
    let owners = dropped(&sandbox).into_iter().map(|name| {
        let meta = fs::metadata(maildrop(&sandbox).join(name)).unwrap();
        meta.uid()
    });
    let owners: Vec<u32> = owners.collect();
    assert_eq!(owners, [OTHER; 80], "100 may wait, and 20 were taken");
    let read = texts(&standin, "zhangsan").join("\n");
    let first = format!("{OTHER} 001");
    assert!(read.contains(&first), "the oldest go first: {read}");
    assert!(!read.contains(&format!("{OTHER} 021")), "{read}");
    leave(&sandbox, OTHER, 30);
    assert_eq!(flush(&sandbox).run().stderr, "", "said once a day");
    assert!(
        (80..=81).contains(&dropped(&sandbox).len()),
        "100 less 20, or less what still waits"
    );
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn during_an_outage_users_fill_no_outbox_and_nobody_waits_for_another() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    standin.always(SEND, refusal(60020));
    let file = "--b\nContent-Disposition: attachment; filename=a.txt\n\n0123456789\n".repeat(9);
    let mail = format!("Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n{file}--b--\n");
    for _ in 0..5 {
        by_other(&sandbox, "exec \"$0\" sendmail root")
            .stdin(&*mail)
            .is_silent();
    }
    let users = (65500..=65534).collect::<Vec<u32>>();
    let flush = || flush_knowing(&sandbox, users.clone()).run();
    for round in 0..3 {
        leave(&sandbox, 65533, 30);
        flush();
        let kept: Vec<String> = waiting(&sandbox);
        assert_eq!(
            kept.len(),
            2 + 20,
            "of ten messages each, and of one each, round {round}"
        );
    }
    leave(&sandbox, 65532, 1);
    flush();
    assert_eq!(
        waiting(&sandbox).len(),
        23,
        "another user's mail has its place"
    );
    leave(&sandbox, 65531, 18);
    flush();
    for uid in 65500..65505 {
        leave(&sandbox, uid, 3);
    }
    flush();
    let kept = waiting(&sandbox).len();
    assert_eq!(
        kept,
        23 + 18 + 5 * 2,
        "all have sixty messages, or two each"
    );
    sandbox.send("root's own").exits(77);
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn what_a_user_causes_is_told_once_a_day_however_it_alternates() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    for (number, told) in [(1, true), (2, true), (3, false), (4, false)] {
        let address = format!("a{number}@example.com");
        by_other(&sandbox, "exec \"$0\" sendmail -t")
            .stdin(format!("To: {address}, root\n\ntext {number}"))
            .is_silent();
        if number % 2 == 0 {
            multiply(&sandbox, 101, |_| OTHER);
        }
        let stderr = flush(&sandbox).run().stderr;
        assert_eq!(stderr.contains("nobody"), told, "{number}: {stderr}");
    }
}

/// Puts so many copies of the newest mail there, as users with these ids would.
fn multiply(sandbox: &Sandbox, count: u32, uid: impl Fn(u32) -> u32) {
    let newest = dropped(sandbox).pop().unwrap();
    let mail = fs::read(maildrop(sandbox).join(newest)).unwrap();
    for number in 0..count {
        let path = maildrop(sandbox).join(format!("20200101T000000.000Z-{number:08x}"));
        fs::write(&path, &mail).unwrap();
        set_mode(&path, 0o600);
        chown(&path, Some(uid(number)), Some(OTHER)).unwrap();
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_user_with_many_ids_and_addresses_stops_nobody_and_fills_no_log() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    standin.company().phones.per_minute = usize::MAX;
    let addresses = (0..900).map(|it| format!("{it}@{}", "x".repeat(99)));
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    by_other(&sandbox, "exec \"$0\" sendmail -t")
        .stdin(format!("To: {addresses}, root\n\nsmall"))
        .is_silent();
    multiply(&sandbox, 1100, |number| 200_000 + number);
    flush(&sandbox).run();
    let read = texts(&standin, "zhangsan").join("\n");
    assert!(read.contains("from user nobody\nsmall"), "{read}");
    let log = sandbox.read("wxpush.log");
    assert!(log.lines().all(|line| line.len() < 5000), "{}", log.len());
    let lines = log.lines().filter(|line| line.contains("xxxx"));
    assert_eq!(
        lines.count(),
        2,
        "one of the user, and one of those without a name"
    );
}

#[test]
#[ignore = "needs root: other users, and a mount"]
fn the_trouble_of_each_of_many_users_is_told_once_a_day() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let uids = 70_001..70_041;
    for told in [40, 0] {
        by_other(&sandbox, "exec \"$0\" sendmail a@example.com")
            .stdin("Subject: s\n\nb")
            .is_silent();
        multiply(&sandbox, 40, |number| uids.start + number);
        let stderr = flush_knowing(&sandbox, uids.clone()).run().stderr;
        assert_eq!(stderr.matches("of user user").count(), told, "{stderr}");
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_mail_that_ends_the_flush_holds_up_neither_root_nor_others() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let large = format!("Subject: large\n\nits text\n{}", "a\n".repeat(5 << 20));
    by_other(&sandbox, "exec \"$0\" sendmail -i root")
        .stdin(large)
        .is_silent();
    leave(&sandbox, OTHER, 1);
    let own = sandbox.wxpush("sendmail -odq root");
    own.stdin("root's own").is_silent();
    // Too little memory for so large a mail, enough for its beginning.
    let short = || {
        script(
            &sandbox,
            &["prlimit", "--as=70000000"],
            "exec \"$0\" outbox flush",
        )
    };
    let read = || texts(&standin, "zhangsan");
    let dies = || assert!([None, Some(70)].contains(&short().run().code));
    for _ in 0..2 {
        dies();
        assert_eq!(read(), ["root's own"], "which goes first");
    }
    short().exits(0);
    let landed = read();
    assert!(
        landed[1].starts_with("from user nobody: large\nits text\na"),
        "{landed:?}"
    );
    let company = standin.company();
    let file = company.media.uploads[0].bytes.to_vec();
    let cut = b"(the mail was too long and is cut)";
    assert!(file.ends_with(cut) && file.len() < 1 << 17);
    assert!(
        landed
            .iter()
            .any(|text| text.contains(&format!("{OTHER} 001"))),
        "{landed:?}"
    );
    assert!(dropped(&sandbox).is_empty());
    assert!(!sandbox.read("mails").contains("ended"));
    drop(company);
    // Even its beginning has ended a flush.
    leave(&sandbox, OTHER, 2);
    let name = dropped(&sandbox).remove(0);
    sandbox.write("mails", format!("ended {name}\n").repeat(3));
    let outcome = flush(&sandbox).exits(0);
    outcome.says("a mail of user nobody was not delivered");
    assert!(read().last().unwrap().contains(&format!("{OTHER} 002")));
    assert!(dropped(&sandbox).is_empty());
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_mail_to_many_takes_its_users_room_alone_and_arrives_once_at_each() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let members: Vec<String> = (0..30).map(|number| format!("many{number:02}")).collect();
    let lines = members
        .iter()
        .map(|it| format!("\"{it}@corp.cn\" = {{ touser = \"{it}\" }}\n"));
    sandbox.append(&format!("\n[mail]\n{}", lines.collect::<String>()));
    for userid in &members {
        let mut company = standin.company();
        let member = company.members["zhangsan"].clone();
        company.members.insert(userid.clone(), member);
    }
    let addresses = members.iter().map(|it| format!("{it}@corp.cn"));
    let addresses = addresses.collect::<Vec<_>>().join(", ");
    let mail = format!(
        "To: {addresses}\nSubject: s\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Disposition: attachment; filename=a.txt\n\n0123456789\n--b--\n"
    );
    by_other(&sandbox, "exec \"$0\" sendmail -t")
        .stdin(mail)
        .is_silent();
    standin.always(SEND, refusal(60020));
    for round in 0..3 {
        flush(&sandbox).run();
        let kept = waiting(&sandbox).len();
        assert_eq!(kept, 10, "of two messages each, round {round}");
        assert_eq!(dropped(&sandbox).len(), 1, "{round}");
    }
    standin.mend();
    for round in 0.. {
        assert!(round < 10, "{:?}", waiting(&sandbox));
        sandbox.wxpush("outbox flush --wait").exits(0);
        if dropped(&sandbox).is_empty() {
            break;
        }
    }
    for userid in &members {
        assert_eq!(standin.company().phone(userid).len(), 2, "{userid}");
    }
    assert!(!sandbox.read("mails").contains("kept"));
}
