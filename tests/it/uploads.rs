//! What was uploaded is used again: by whom, how long, and with anything in the place of its record.

use std::fs;
use std::fs::File;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::standin::Standin;
use crate::support::{
    BYTES, ROBOT_UPLOAD, UPLOAD, files, for_each, here, holds_files, is_root, now, obstruct,
    samples, second_profile, send_file, set_mode, with_file,
};

/// How long an upload is used again, in seconds: three days less an hour.
const LIFETIME: u64 = 71 * 3600;

#[test]
fn the_same_file_is_uploaded_once_for_all_the_sends_of_one_sender() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    let other = second_profile("p");
    let config = sandbox.read("config.toml");
    sandbox.write(
        "config.toml",
        format!("{config}{}{other}", samples::robot()),
    );
    samples::second_app(&standin);
    fs::create_dir(sandbox.path("dir")).unwrap();
    sandbox.write("dir/a.txt", BYTES);
    sandbox.write("changed", b"the Same bytes");
    sandbox.write("p.png", samples::png());
    let mut expected = (0, 0);
    for (args, of_app, of_robot) in [
        ("--file a.txt", 1, 0),
        ("--file a.txt", 0, 0),
        ("--file dir/a.txt", 0, 0),
        ("--chat ops --file a.txt", 0, 0),
        ("--file a.txt with words", 0, 0),
        ("--file a.txt --name b.txt", 1, 0),
        ("--file changed --name a.txt", 1, 0),
        ("--file a.txt", 0, 0),
        ("--image p.png", 1, 0),
        ("--file p.png", 1, 0),
        ("--image p.png", 0, 0),
        ("-p p --file a.txt", 1, 0),
        ("-p p --file a.txt", 0, 0),
        ("--robot ops --file a.txt", 0, 1),
        ("--robot ops --file a.txt", 0, 0),
        ("--file a.txt", 0, 0),
    ] {
        here(&sandbox, &format!("send {args}")).is_silent();
        expected = (expected.0 + of_app, expected.1 + of_robot);
        let found = (standin.count(UPLOAD), standin.count(ROBOT_UPLOAD));
        assert_eq!(found, expected, "{args}");
    }
    let last = files(&standin, "lisi").pop().unwrap();
    assert_eq!((&*last.filename, &*last.bytes), ("a.txt", BYTES));
    here(&sandbox, "upload a.txt").exits(0);
    assert_eq!(standin.count(UPLOAD), expected.0, "and by upload, too");
}

/// What is in the place of `uploads`, and whether an upload is remembered there all the same.
type Obstacle = (&'static str, fn(&Path, &Path), bool);

/// An empty file of this mode.
fn empty(path: &Path, mode: u32) {
    fs::write(path, "").unwrap();
    set_mode(path, mode);
}

const OBSTACLES: [Obstacle; 12] = [
    (
        "junk",
        |path, _| fs::write(path, b"\xff\0junk\n\n 1 2 3\n").unwrap(),
        true,
    ),
    (
        "a torn line",
        |path, _| fs::write(path, "1764000000 0123").unwrap(),
        true,
    ),
    (
        "JSON of somebody's",
        |path, _| fs::write(path, "{\"uploads\": []}").unwrap(),
        true,
    ),
    ("nothing", |path, _| fs::write(path, "").unwrap(), true),
    (
        "a gigabyte",
        |path, _| File::create(path).unwrap().set_len(1 << 30).unwrap(),
        true,
    ),
    ("a file for all", |path, _| empty(path, 0o666), true),
    (
        "a file that may be read alone",
        |path, _| empty(path, 0o444),
        // Root may write it, others cannot.
        false,
    ),
    (
        "a link",
        |path, victim| symlink(victim, path).unwrap(),
        false,
    ),
    (
        "a link to nothing",
        |path, victim| symlink(victim.with_extension("none"), path).unwrap(),
        false,
    ),
    (
        "a second name",
        |path, victim| fs::hard_link(victim, path).unwrap(),
        // A copy of it takes its place.
        true,
    ),
    (
        "a directory",
        |path, _| fs::create_dir(path).unwrap(),
        false,
    ),
    ("a FIFO", |path, _| obstruct("FIFO", path, path), false),
];

#[test]
fn whatever_stands_in_the_place_of_what_is_noted_costs_no_more_than_an_upload() {
    for_each(OBSTACLES, |(what, plant, is_noted)| {
        let standin = Standin::start();
        let sandbox = with_file(&standin, what.repeat(3).as_bytes());
        let (path, victim) = (sandbox.path("uploads"), sandbox.path("victim"));
        sandbox.write("victim", "not to be touched\n");
        plant(&path, &victim);
        for _ in 0..2 {
            send_file(&sandbox).is_silent();
        }
        let bytes = what.repeat(3);
        holds_files(&standin, "lisi", &[("a.txt", bytes.as_bytes()); 2]);
        let count = standin.count(UPLOAD);
        let by_root = what == "a file that may be read alone" && is_root();
        let expected = if is_noted || by_root { 1 } else { 2 };
        assert_eq!(count, expected, "{what}");
        assert_eq!(sandbox.read("victim"), "not to be touched\n", "{what}");
        assert!(!sandbox.path("victim.none").exists());
        if is_noted {
            let meta = fs::metadata(&path).unwrap();
            assert_eq!(meta.permissions().mode() & 0o7777, 0o600, "{what}");
            assert!(meta.len() < 1 << 10, "{what}");
        }
        // Nobody need look for secrets in it.
        if path.is_dir() {
            fs::remove_dir(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn what_others_may_have_noted_is_not_believed_and_what_cannot_be_an_id_neither() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    send_file(&sandbox).is_silent();
    let path = sandbox.path("uploads");
    let line = sandbox.read("uploads");
    let id = line.trim_end().rsplit(' ').next().unwrap().to_owned();
    set_mode(&path, 0o666);
    send_file(&sandbox).is_silent();
    assert_eq!(standin.count(UPLOAD), 2, "anybody may have written it");
    for (number, text) in [
        line.replace(&id, ""),
        line.replace(&id, "中"),
        line.replace(&id, &"x".repeat(513)),
        line.replacen(' ', "x ", 1),
        line.replacen(' ', " x", 1),
        format!("{line}{}", line.replace(&id, "")),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.write("uploads", &text);
        send_file(&sandbox).is_silent();
        assert_eq!(standin.count(UPLOAD), 3 + number, "{text}");
    }
    // One that WeCom never gave is found out, and the right one is noted.
    sandbox.write("uploads", line.replace(&id, "3-of-another-company"));
    send_file(&sandbox).is_silent();
    assert_eq!(standin.count(UPLOAD), 9);
    send_file(&sandbox).is_silent();
    assert_eq!(standin.count(UPLOAD), 9);
    let files = files(&standin, "lisi");
    assert!(files.len() == 10 && files.iter().all(|file| *file.bytes == *BYTES));
}

#[test]
fn an_upload_is_used_for_three_days_less_an_hour_and_never_one_of_the_future() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, BYTES);
    send_file(&sandbox).is_silent();
    let line = sandbox.read("uploads");
    let (_, rest) = line.split_once(' ').unwrap();
    let mut uploads = 1;
    for (at, anew) in [
        // A minute for a slow machine.
        (now() - LIFETIME + 60, false),
        (now() - LIFETIME, true),
        (now() + 60, true),
        (0, true),
        (u64::MAX, true),
    ] {
        sandbox.write("uploads", format!("{at} {rest}"));
        send_file(&sandbox).is_silent();
        uploads += usize::from(anew);
        assert_eq!(standin.count(UPLOAD), uploads, "{at}");
    }
}
