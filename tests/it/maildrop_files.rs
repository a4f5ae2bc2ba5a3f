//! What a user makes of his files in the maildrop: mounts, leases and times that nobody leaves there.

use std::fs;
use std::time::{Duration, SystemTime};

use nix::libc;

use crate::standin::Standin;
use crate::support::maildrop::{call_on_maildrop, dropped, flush, leave, maildrop, with_maildrop};
use crate::support::tracer::{Act, MAIN, Point, trace};
use crate::support::{AS_OTHER, OTHER, names_in, script, stepped, texts};

#[test]
#[ignore = "needs root: another user, by setpriv, and mounts"]
fn what_is_mounted_on_a_mail_is_never_read() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 1);
    let name = dropped(&sandbox).remove(0);
    // As a user's own file system may show it: as another's.
    let line = "cp \"$1/maildrop/$N\" \"$1/forged\" && chown 65533 \"$1/forged\" \
        && mount --bind \"$1/forged\" \"$1/maildrop/$N\" && exec \"$0\" outbox flush";
    let run = script(&sandbox, &["unshare", "-m"], line).env("N", &name);
    assert_eq!(run.run().stderr, "");
    assert_eq!(texts(&standin, "zhangsan"), [""; 0]);
    flush(&sandbox).is_silent();
    let read = texts(&standin, "zhangsan");
    assert_eq!(read, [format!("from user nobody: {OTHER} 001\nb")]);
}

#[test]
#[ignore = "needs root and python3"]
fn a_lease_on_a_mail_holds_up_that_one_alone_and_says_nothing() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 1);
    let line = "import fcntl, os, signal, subprocess, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
drop = sys.argv[2] + '/maildrop/'
mail = open(drop + os.listdir(drop)[0], 'r+')
fcntl.fcntl(mail, fcntl.F_SETLEASE, fcntl.F_WRLCK)
sys.exit(subprocess.call([sys.argv[1], 'outbox', 'flush']))";
    let run = script(&sandbox, &[], "exec python3 -c \"$P\" \"$0\" \"$1\"");
    run.env("P", line).is_silent();
    assert_eq!(dropped(&sandbox).len(), 1);
    flush(&sandbox).is_silent();
    assert_eq!(texts(&standin, "zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root and faketime"]
fn a_leftover_whose_owner_has_dated_it_ahead_goes_as_well() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let path = maildrop(&sandbox).join("tmp.20260101T000000.000Z-00000000");
    let file = fs::File::create(&path).unwrap();
    let ahead = SystemTime::now() + Duration::from_hours(24 * 1000);
    file.set_modified(ahead).unwrap();
    flush(&sandbox).is_silent();
    assert!(path.exists());
    stepped(&sandbox, "+2h", "outbox flush").run();
    assert!(!path.exists());
}

#[test]
#[ignore = "needs root: another user, by setpriv, and leave to trace"]
fn a_kernel_without_openat2_takes_the_mails_as_well() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 2);
    let link = maildrop(&sandbox).join("20260101T000000.000Z-00000000");
    std::os::unix::fs::symlink(sandbox.path("config.toml"), &link).unwrap();
    let first = Point {
        thread: MAIN,
        call: libc::SYS_openat2.cast_unsigned(),
        nth: 1,
    };
    let act = Act::Fail(first, libc::ENOSYS, true);
    let traced = trace(&sandbox, &["outbox", "flush"], act);
    assert!(traced.acted);
    assert_eq!((traced.code, &*traced.stderr), (Some(0), ""));
    assert_eq!(texts(&standin, "zhangsan").len(), 2);
    assert!(dropped(&sandbox).is_empty());
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_file_of_so_many_blocks_that_removing_it_could_take_long_stays() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    leave(&sandbox, OTHER, 2);
    let names = dropped(&sandbox);
    // Behind the end of a mail, too.
    let line = "fallocate -l 60M \"$1/maildrop/junk\" && fallocate -nl 60M \"$1/maildrop/$N\"";
    script(&sandbox, &[], line).env("N", &names[0]).is_silent();
    flush(&sandbox).is_silent();
    assert_eq!(dropped(&sandbox), [&*names[0], "junk"]);
    assert_eq!(texts(&standin, "zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root: another user, by setpriv, and leave to trace"]
fn what_takes_the_place_of_a_file_that_was_looked_at_stays_if_removing_it_could_take_long() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let junk = maildrop(&sandbox).join("junk");
    let fill = || fs::write(&junk, "junk").unwrap();
    fill();
    flush(&sandbox).is_silent();
    fill();
    let point = call_on_maildrop(&sandbox, libc::SYS_renameat);
    fill();
    leave(&sandbox, OTHER, 1);
    let swap = || {
        let line = "fallocate -l 60M \"$1/big\" && mv \"$1/big\" \"$1/maildrop/junk\"";
        script(&sandbox, &[], line).is_silent();
    };
    let traced = trace(&sandbox, &["outbox", "flush"], Act::Pause(point, &swap));
    assert!(traced.acted, "{}", traced.stderr);
    assert_eq!(fs::metadata(&junk).unwrap().len(), 60 << 20);
    assert_eq!(dropped(&sandbox), ["junk"]);
    assert_eq!(texts(&standin, "zhangsan").len(), 1);
}

#[test]
#[ignore = "needs root: another user, by setpriv, and leave to trace"]
fn what_a_killed_flush_was_removing_goes_with_the_next_one_but_for_what_could_take_long() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let junk = maildrop(&sandbox).join("junk");
    let fill = || fs::write(&junk, "junk").unwrap();
    fill();
    flush(&sandbox).is_silent();
    fill();
    let point = call_on_maildrop(&sandbox, libc::SYS_renameat);
    let look = Point {
        call: libc::SYS_openat2.cast_unsigned(),
        ..point
    };
    for big in [false, true] {
        fill();
        // The directory has been made, and is opened.
        let made = || names_in(&maildrop(&sandbox)).len() == 2;
        let mut nth = 1..100;
        while !made() {
            let nth = nth.next().unwrap();
            trace(
                &sandbox,
                &["outbox", "flush"],
                Act::Kill(Point { nth, ..look }, &|| {}),
            );
            fill();
        }
        let aside = dropped(&sandbox)
            .into_iter()
            .find(|it| it != "junk")
            .unwrap();
        let line = "mv \"$1/maildrop/junk\" \"$1/maildrop/$N/\"; test -z \"$B\" \
            || fallocate -l 60M \"$1/maildrop/$N/big\"";
        let run = script(&sandbox, &[], line).env("N", &aside);
        run.env("B", if big { "1" } else { "" }).is_silent();
        flush(&sandbox).is_silent();
        assert_eq!(dropped(&sandbox).len(), usize::from(big));
        if big {
            assert_eq!(names_in(&maildrop(&sandbox).join(aside)), ["big"]);
        }
    }
}

#[test]
#[ignore = "needs root: other users, by setpriv"]
fn a_directory_of_roots_that_a_user_moves_there_keeps_its_files() {
    let standin = Standin::start();
    let sandbox = with_maildrop(&standin);
    let line = "mkdir -m 755 \"$1/own\" && mkdir -m 1777 \"$1/own/shared\" && echo x >\"$1/own/shared/roots\" \
        && chown 65534 \"$1/own\"";
    script(&sandbox, &[], line).is_silent();
    let line = "mv -T \"$1/own/shared\" \"$1/maildrop/removed.1111111111111111\"";
    script(&sandbox, &AS_OTHER, line).is_silent();
    for _ in 0..2 {
        flush(&sandbox).exits(0);
        let aside = dropped(&sandbox).remove(0);
        assert_eq!(names_in(&maildrop(&sandbox).join(aside)), ["roots"]);
    }
}
