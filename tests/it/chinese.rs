//! Whether what a person reads is Chinese, with no English sentence left in it.
//!
//! Names of keys, options, files and commands stay as they are, and so does what others said: the
//! system, WeCom, whatever stands in quotes or, all of it ASCII, in （）.

use std::fs;
use std::path::Path;

use crate::support::chinese::{fault, hold, sentence};
use crate::support::documents::{page, pages};
use crate::support::set_up;

/// Calls that show a person what is in them.
const CALLS: [&str; 6] = [
    ".hint(",
    "Failure::new(",
    "Error::other(",
    "tracing::warn!(",
    "output.note(",
    "output::result(",
];

/// The sources, without tests, by their path below `src/`.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut dirs, mut found) = (vec![src.clone()], Vec::new());
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(&src)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() {
                dirs.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                found.push((name, code.to_owned()));
            }
        }
    }
    found
}

#[test]
fn sentences_stand_in_one_room_in_pairs() {
    let is_chinese = |it: char| ('\u{4e00}'..='\u{9fff}').contains(&it);
    let (mut pairs, mut strays) = (0, Vec::new());
    for (name, code) in sources() {
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code: String = lines.flat_map(|line| [line, "\n"]).collect();
        if name.starts_with("text/") {
            pairs += code.matches("\", \"").count() + code.matches("\",\n").count();
            continue;
        }
        for literal in code.split('"').skip(1).step_by(2) {
            // A word that is read, such as 是, is no sentence.
            if literal.chars().filter(|it| is_chinese(*it)).count() > 4 {
                strays.push(format!("{name}: {literal}"));
            }
        }
        for call in CALLS {
            for (at, _) in code.match_indices(call) {
                let args = arguments(&code[at + call.len()..]);
                let mut literals = args.split('"').skip(1).step_by(2);
                if let Some(found) = literals.find_map(sentence) {
                    strays.push(format!("{name}: {call} … {found}"));
                }
            }
        }
    }
    assert!(pairs > 500, "{pairs} pairs are seen");
    assert_eq!(strays, [""; 0]);
}

/// Phrases of an older English, for which a plain verb serves.
const STALE: [&str; 9] = [
    "came about",
    "for want of",
    " lest ",
    "whoever",
    "of the day",
    "is nothing that",
    "stands there",
    "as it is written",
    "nothing that could be told",
];

#[test]
fn comments_and_pages_are_in_plain_english() {
    let ours = ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(page);
    let pages = pages().into_iter().chain(ours);
    let pages = pages.map(|page| (page.path, page.text));
    let found = sources().into_iter().chain(pages).flat_map(|(name, text)| {
        let text = text.to_lowercase();
        let found = STALE
            .into_iter()
            .filter(move |phrase| text.contains(phrase));
        found.map(move |phrase| format!("{name}: {phrase}"))
    });
    assert_eq!(found.collect::<Vec<_>>(), [""; 0]);
}

/// What stands in the parentheses of a call, up to the end of it.
fn arguments(rest: &str) -> &str {
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    for (at, it) in rest.char_indices() {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = in_text,
            '"' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &rest[..at];
        }
    }
    rest
}

#[test]
fn what_is_left_in_english_is_seen() {
    for line in [
        "wxpush: 错误：/etc/wxpush/config.toml:4: tousers 不认识",
        "  提示：是不是 touser？",
        "wxpush: 错误：企业微信拒绝：errcode 40013（CorpID 不正确）：invalid corpid, do look it up",
        "  提示：写 wxpush outbox flush，或 /opt/wxpush token refresh",
        "wxpush: 警告：日志 /x/y 写不了：No such file or directory (os error 2)",
        "  提示：可用的键：corpid, corpsecret, agentid",
        "wxpush: 错误：a.toml:1: 语法不对（invalid basic string, expected that）",
        "  提示：在 “say what it is” 里",
    ] {
        hold(line);
    }
    for line in [
        "wxpush: error: 设置不对",
        "  hint: write it down",
        "wxpush: 错误：config.toml:4: must be a text in quotes",
        "  提示：是不是 touser？or keep the other",
        "wxpush: 错误：企业微信拒绝：errcode 1, a code that nobody knows",
        "wxpush: 警告：x",
        "wxpush: 日志写不了, going on without it: Permission denied (os error 13)",
    ] {
        assert!(fault(line).is_some(), "{line}");
    }
}

#[test]
fn what_wecom_refuses_is_told_in_chinese_without_a_locale_too() {
    let (_standin, sandbox) = set_up();
    for locale in ["zh_CN.UTF-8", ""] {
        let run = sandbox
            .wxpush("token refresh")
            .env("WXPUSH_AGENTID", "1000002")
            .env("WXPUSH_CORPID", "ww0000000000000000");
        let outcome = run.in_chinese().env("LANG", locale).exits(77);
        outcome
            .says("wxpush: 错误：")
            .says("\n  提示：")
            .is_chinese();
    }
}
