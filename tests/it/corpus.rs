//! Mails of any collection, each through the program: `WXPUSH_MAILS=DIR` names one, else it is
//! `tests/it/mails`. What Python's `email` reads in them must be on the phone.

#![expect(
    clippy::print_stdout,
    reason = "what is missing is for whoever runs it"
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::standin::Standin;
use crate::support::{Run, Sandbox, files, texts};

/// The least share of Python's words that must be on the phone, in per cent.
const WORDS_MIN: usize = 97;

/// What is known about mails.
#[derive(Default)]
struct Counts {
    sent: usize,
    /// Why mails were not sent, and how many.
    reasons: BTreeMap<String, usize>,
    found: usize,
    words: usize,
    /// Mails of which more is missing than may be, with examples of words.
    poor: Vec<String>,
}

/// Every file below a directory.
fn below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut all = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            all.extend(below(&path));
        } else if path.is_file() {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// The words that Python finds in mails, by paths.
fn words_of(paths: &[PathBuf]) -> HashMap<String, Vec<String>> {
    let mut python = Command::new("python3");
    python.args(["-W", "ignore", "-c", include_str!("corpus.py")]);
    let lines: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let run = Run::new(python).env("PATH", "/usr/bin:/bin:/usr/local/bin");
    let outcome = run.stdin(lines.join("\n")).exits(0);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// All that is on the phone: texts, without the marks of their parts, and .txt files of long ones.
fn on_phone(standin: &Standin) -> String {
    let texts = texts(standin, "zhangsan")
        .into_iter()
        .map(|text| match text.split_once('\n') {
            Some((mark, text)) if mark.starts_with('(') && mark.ends_with(')') => text.to_owned(),
            _ => text + "\n",
        });
    let files = files(standin, "zhangsan").into_iter();
    let files = files.filter(|file| file.filename.ends_with(".txt"));
    let files = files.map(|file| String::from_utf8_lossy(&file.bytes).into_owned());
    texts
        .chain(files)
        .collect::<String>()
        .replace('\u{200b}', "")
}

/// Sends a mail, and looks for the words that Python has found in it.
fn count(path: &Path, words: &[String], counts: &Mutex<Counts>) {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.configure("touser = \"zhangsan\"");
    let mail = fs::read(path).unwrap();
    let outcome = sandbox.wxpush("sendmail -i root").stdin(mail).run();
    let phone = on_phone(&standin);
    let mut counts = counts.lock().unwrap();
    if outcome.code == Some(0) {
        counts.sent += 1;
    } else {
        let reason = outcome
            .stderr
            .lines()
            .find(|line| line.starts_with("wxpush: "));
        let reason = reason.unwrap_or_else(|| panic!("{}: {outcome:?}", path.display()));
        assert!(![None, Some(70)].contains(&outcome.code), "{outcome:?}");
        *counts.reasons.entry(reason.to_owned()).or_default() += 1;
    }
    let split = |it: char| !it.is_alphanumeric() && it != '_';
    let seen: HashSet<&str> = phone.split(split).collect();
    let is_missing = |word: &&String| !seen.contains(&***word) && !phone.contains(&***word);
    let missing: Vec<&String> = words.iter().filter(is_missing).collect();
    counts.words += words.len();
    counts.found += words.len() - missing.len();
    if missing.len() * 100 > words.len() * (100 - WORDS_MIN) {
        let some = &missing[..missing.len().min(8)];
        let line = format!(
            "{}: {} of {} {some:?}",
            path.display(),
            missing.len(),
            words.len()
        );
        counts.poor.push(line);
    }
}

#[test]
#[ignore = "needs python3; WXPUSH_MAILS=DIR for other mails than the project's own"]
fn the_words_of_mails_are_on_the_phone() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mails");
    let named = std::env::var_os("WXPUSH_MAILS").map(PathBuf::from);
    let paths = below(named.as_ref().unwrap_or(&own));
    let words = words_of(&paths);
    let (counts, next) = (Mutex::default(), Mutex::new(paths.iter()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(path) = next.lock().unwrap().next() else {
                        return;
                    };
                    count(path, &words[path.to_str().unwrap()], &counts);
                }
            });
        }
    });
    let mut counts = counts.into_inner().unwrap();
    counts.poor.sort();
    println!("{}", counts.poor.join("\n"));
    let Counts {
        sent,
        reasons,
        found,
        words,
        ..
    } = &counts;
    println!(
        "{} mails: {sent} sent, {reasons:?}; {found} of {words} words",
        paths.len()
    );
    assert!(found * 100 >= words * WORDS_MIN, "{found} of {words} words");
    assert!(*words > 0, "no mails");
    assert!(named.is_some() || counts.poor.is_empty() && sent == &paths.len());
}
