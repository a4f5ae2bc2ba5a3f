//! `wxpush explain`: every code that WeCom lists, in both languages.

use std::collections::BTreeSet;

use crate::support::{Sandbox, for_each};

/// WeCom's own list, without what it says of them.
const OFFICIAL: &str = include_str!("errcodes.txt");

/// Codes that are asked for at once.
const AT_ONCE: usize = 400;

fn official() -> Vec<i64> {
    let lines = OFFICIAL.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.parse().unwrap()).collect()
}

fn is_chinese(it: char) -> bool {
    matches!(it, '\u{4e00}'..='\u{9fff}')
}

/// Whether a text has English words, and no sentence in Chinese: names of pages may stay.
fn is_english(text: &str) -> bool {
    let has_words = text
        .split(' ')
        .any(|word| word.len() > 1 && word.is_ascii());
    has_words && !text.contains(|it| "，。；：（）、".contains(it))
}

#[test]
fn every_official_code_is_explained_in_both_languages() {
    let codes = official();
    assert!(codes.len() > 1600 && codes.is_sorted_by(|a, b| a < b));
    let sandbox = Sandbox::empty();
    let languages = [
        ("en_US.UTF-8", (|text| is_english(text)) as fn(&str) -> bool),
        ("zh_CN.UTF-8", |text| text.contains(is_chinese)),
    ];
    let calls = languages
        .iter()
        .flat_map(|language| codes.chunks(AT_ONCE).map(move |codes| (language, codes)));
    for_each(calls, |((locale, is_right), codes)| {
        let mut run = sandbox.wxpush("--json explain");
        for code in codes {
            run = run.arg(code.to_string());
        }
        let outcome = run.env("LANG", locale).exits(0);
        let mut explained = outcome.stdout.lines();
        for code in codes {
            let line = explained.next().unwrap_or_default();
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["errcode"], *code);
            for name in ["meaning", "advice", "action"] {
                let text = object[name].as_str().unwrap();
                assert!(is_right(text), "{locale}: {code}: {name}: {text:?}");
            }
        }
        assert_eq!(explained.next(), None);
    });
}

#[test]
fn several_codes_are_told_one_after_the_other() {
    let sandbox = Sandbox::empty();
    let run = |args: &str| sandbox.wxpush(args).env("LANG", "en_US.UTF-8").run();
    let outcome = run("explain -1 81013 84100").exits(0);
    let heads: Vec<&str> = outcome
        .stdout
        .split("\n\n")
        .map(|part| part.split("  ").next().unwrap())
        .collect();
    assert_eq!(heads, ["-1", "81013", "84100"]);
    // Known ones are explained, and each unknown one is named.
    let outcome = run("explain 12345 60020 12346").exits(65);
    assert!(outcome.stdout.starts_with("60020  "), "{}", outcome.stdout);
    outcome
        .says("errcode 12345 is not in the table")
        .says("errcode 12346 is not in the table");
    run("explain").exits(64);
}

#[test]
fn what_gettoken_says_is_told_apart_only_where_a_code_means_something_else_there() {
    let sandbox = Sandbox::empty();
    let told: BTreeSet<i64> = [40001, 40014, 81013, 44004]
        .into_iter()
        .filter(|code| {
            let run = sandbox.wxpush(&format!("explain {code}"));
            let outcome = run.env("LANG", "en_US.UTF-8").exits(0);
            outcome.stdout.contains("at gettoken")
        })
        .collect();
    assert_eq!(told, BTreeSet::from([40001]));
}
