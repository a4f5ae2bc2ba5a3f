//! The ledger's file: its format, foreign or damaged content, other files in its place, and
//! rewriting.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

/// Longer than any lock is held in these tests.
const HANG: Duration = Duration::from_mins(1);

#[test]
fn a_slot_is_a_line_of_a_private_file() {
    let dir = TempDir::new();
    let ledger = dir.ledger(30, 1000);
    let _slot = ledger.new_at("Zhang|li", NOW);
    let _slot = ledger.reserve_at(&Audience::Everyone, Share::Backlog, None, PATIENCE, || {
        Stamp::of_wall(NOW + 1)
    });
    assert_eq!(
        dir.text(),
        format!("{NOW} + {APP} n li|zhang\n{} + {APP} b *\n", NOW + 1)
    );
    assert_eq!(
        fs::metadata(dir.path()).expect("the file").mode() & 0o7777,
        0o600
    );
    fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o644)).expect("its mode is set");
    let _slot = ledger.new_at("li", NOW + 2);
    assert_eq!(
        fs::metadata(dir.path()).expect("the file").mode() & 0o7777,
        0o600
    );
}

#[test]
fn while_the_file_is_rewritten_no_slot_is_lost() {
    let dir = TempDir::new();
    let old = lines::taken(NOW - HOUR, &format!("{APP} n a"));
    dir.write(&old.repeat(usize::try_from(TIDY_FROM).expect("small") / old.len() + 1));
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while dir.ledger(200, 1000).new_at("a", NOW).is_ok() {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(taken.into_inner(), 200);
    assert_eq!(
        dir.text(),
        lines::taken(NOW, &format!("{APP} n a")).repeat(200)
    );
}

#[test]
fn a_torn_line_is_ignored_and_does_not_damage_the_next() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1000);
    let torn = format!("{NOW} + {APP} ");
    dir.write(&torn);
    let slot = ledger.new_at("a", NOW).expect("what is torn takes no slot");
    assert_eq!(dir.text(), format!("{torn}\n{NOW} + {APP} n a\n"));
    dir.write(dir.text().trim_end());
    ledger.give_back(slot);
    assert!(ledger.new_at("a", NOW).is_ok());
    dir.write("\u{0}\u{fffd}\n\n- - -");
    fs::write(dir.path(), b"\xff\xfe + \x80\n").expect("the file is written");
    assert!(ledger.new_at("a", NOW).is_ok());
    assert_eq!(ledger.wait("a", NOW), MINUTE);
}

#[test]
fn rewriting_keeps_only_the_lines_that_count() {
    let dir = TempDir::new();
    let ledger = dir.ledger(2, 1000);
    let old = lines::taken(NOW - HOUR, &format!("{APP} n a"));
    let counts = [
        lines::taken(NOW - 2, &format!("{APP} n a")),
        lines::taken(NOW - 1, &format!("{OTHER} n a")),
    ];
    // Below the size nothing is touched; from it on, only once half of it is old.
    dir.write(&(counts.concat() + &old.repeat(100)));
    let first = ledger.new_at("a", NOW).expect("a slot");
    assert!(dir.text().starts_with(&(counts.concat() + &old)));
    let swollen = dir.text() + &old.repeat(usize::try_from(TIDY_FROM).expect("small") / old.len());
    dir.write(&swollen);
    assert_eq!(
        ledger.wait("a", NOW + 1),
        MINUTE - 3,
        "and nothing was to be written"
    );
    ledger.give_back(first);
    let _slot = ledger.new_at("a", NOW + 1).expect("a slot");
    assert_eq!(
        dir.text(),
        counts.concat() + &lines::taken(NOW + 1, &format!("{APP} n a"))
    );
    assert_eq!(ledger.wait("a", NOW + 2), MINUTE - 4);
    assert_eq!(
        fs::metadata(dir.path()).expect("the file").mode() & 0o7777,
        0o600
    );
    let young = lines::taken(NOW, &format!("{OTHER} n b")).repeat(3000);
    dir.write(&(young.clone() + &old));
    let _slot = ledger.new_at("a", NOW).expect("a slot");
    assert!(
        dir.text().starts_with(&(young + &old)),
        "little of it is old"
    );
}

#[test]
fn a_foreign_file_is_an_error_and_stays_unchanged() {
    let dir = TempDir::new();
    let victim = dir.0.join("victim");
    fs::write(&victim, "mine").expect("the victim is written");
    let ledger = dir.ledger(1, 1);
    let fails = |why: &str| {
        let error = ledger
            .reserve(&to("a"), Share::New, None, PATIENCE)
            .expect_err(why);
        assert!(error.to_string().contains(why), "{error}");
        let slot = Slot {
            at: Stamp::of_wall(NOW),
            others: Others::default(),
            text: "x".to_owned(),
            taken: Instant::now(),
        };
        ledger.give_back(slot);
        assert!(ledger.forecast().is_err(), "{why}");
        assert_eq!(fs::read(&victim).expect("the victim is read"), b"mine");
    };
    symlink(&victim, dir.path()).expect("a link");
    fails("is a symbolic link");
    fs::remove_file(dir.path()).expect("removed");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path(),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .expect("a FIFO");
    fails("is not a regular file");
    fs::remove_file(dir.path()).expect("removed");
    fs::create_dir(dir.path()).expect("a directory");
    assert!(
        ledger
            .reserve(&to("a"), Share::New, None, PATIENCE)
            .is_err()
    );
    assert!(ledger.forecast().is_err());
}

#[test]
fn a_hard_link_to_the_file_is_not_written_to_and_does_not_disturb() {
    let dir = TempDir::new();
    let ledger = dir.ledger(2, 1000);
    let _slot = ledger.new_at("a", NOW).expect("a slot");
    let (backup, before) = (dir.0.join("backup"), dir.text());
    fs::hard_link(dir.path(), &backup).expect("a hard link");
    assert!(ledger.new_at("a", NOW + 1).is_ok());
    assert_eq!(ledger.wait("a", NOW + 2), MINUTE - 2, "both slots count");
    assert_eq!(fs::read_to_string(backup).expect("it is read"), before);
}

#[test]
fn a_lock_that_is_never_released_delays_others_only_briefly() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1);
    let held = ledger.lock(PATIENCE).expect("the lock");
    let error = ledger
        .reserve(&to("a"), Share::New, None, PATIENCE)
        .expect_err("it is held");
    assert!(
        error.to_string().contains("another wxpush holds its lock"),
        "{error}"
    );
    assert!(ledger.forecast().is_ok(), "it needs no lock");
    drop(held);
    assert!(ledger.new_at("a", NOW).is_ok());
}

#[test]
fn a_file_of_32_mib_is_rewritten_even_if_little_of_it_is_old() {
    let dir = TempDir::new();
    let names = "a-long-name|".repeat(1 << 17);
    let young = lines::taken(NOW, &format!("{OTHER} n {names}"));
    let old = lines::taken(NOW - HOUR, &format!("{APP} n a"));
    let count = usize::try_from(SIZE_MAX).expect("it fits") / young.len() + 1;
    dir.write(&(old + &young.repeat(count)));
    let _slot = dir.ledger(1, 1).new_at("a", NOW).expect("a slot");
    let left = young.repeat(count) + &lines::taken(NOW, &format!("{APP} n a"));
    assert!(
        dir.text() == left,
        "what counts is kept, what is old is not"
    );
}

#[test]
fn a_process_that_waited_for_the_lock_uses_the_new_file() {
    let dir = TempDir::new();
    let ledger = dir.ledger(1, 1);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let held = ledger.dir.lock_file(NAME, HANG, false).expect("the lock");
                    let text = held.tail(READ_MAX).expect("it is read");
                    held.replace(&(text + "x")).expect("it is replaced");
                }
            });
        }
    });
    assert_eq!(dir.text().len(), 800);
}
