//! What the program is made of: dependencies with a reason, from one registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use toml::de::{DeTable, DeValue};

const LOCK: &str = include_str!("../../Cargo.lock");

fn parse(text: &str) -> DeTable<'_> {
    DeTable::parse(text).unwrap().into_inner()
}

fn table<'a>(table: &'a DeTable<'_>, name: &str) -> &'a DeTable<'a> {
    table[name].get_ref().as_table().unwrap()
}

/// The crates that these lines of a document give a reason for.
fn explained(lines: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in lines.lines().filter(|line| line.starts_with("| `")) {
        let (crates, why) = row.trim_matches('|').split_once('|').unwrap();
        assert!(why.trim().len() > 10, "no reason: {row}");
        names.extend(
            crates
                .split(',')
                .map(|name| name.trim().trim_matches('`').to_owned()),
        );
    }
    names
}

#[test]
fn every_dependency_has_a_reason_a_version_and_no_other_source() {
    let manifest = parse(include_str!("../../Cargo.toml"));
    let contributing = include_str!("../../CONTRIBUTING.md");
    let (_, section) = contributing.split_once("\n## Dependencies\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (run, tests) = section.split_once("\nFor tests").unwrap();
    let run = explained(run);
    let mut both = explained(tests);
    both.extend(run.iter().cloned());
    let names = |kind: &str| -> BTreeSet<String> {
        let entries = table(&manifest, kind).iter();
        let names = entries.map(|(name, value)| {
            let name = name.get_ref().to_string();
            let version = match value.get_ref() {
                DeValue::String(version) => version.to_string(),
                DeValue::Table(table) => {
                    let odd = ["git", "path", "registry"];
                    assert!(!odd.iter().any(|key| table.contains_key(*key)), "{name}");
                    table["version"].get_ref().as_str().unwrap().to_owned()
                }
                _ => panic!("{name} has neither version nor table"),
            };
            assert!(version.starts_with(|it: char| it.is_ascii_digit()));
            name
        });
        names.collect()
    };
    assert_eq!(names("dependencies"), run);
    let mut all = names("dev-dependencies");
    all.extend(run);
    assert_eq!(all, both);
    for kind in ["build-dependencies", "target", "patch", "replace"] {
        assert!(!manifest.contains_key(kind), "[{kind}] is not looked at");
    }
}

#[test]
fn the_lock_has_crates_of_one_registry_and_none_that_is_banned() {
    let lock = parse(LOCK);
    let deny = parse(include_str!("../../deny.toml"));
    let banned = table(&deny, "bans")["deny"].get_ref().as_array().unwrap();
    let banned: Vec<&str> = banned
        .iter()
        .map(|entry| {
            entry.get_ref().as_table().unwrap()["crate"]
                .get_ref()
                .as_str()
                .unwrap()
        })
        .collect();
    for name in ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"] {
        assert!(banned.contains(&name), "deny.toml lets {name} in");
    }
    let packages = lock["package"].get_ref().as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let package = package.get_ref().as_table().unwrap();
        let value = |key: &str| package.get(key).and_then(|it| it.get_ref().as_str());
        let name = value("name").unwrap();
        assert!(!banned.contains(&name), "{name} is banned");
        if name == env!("CARGO_PKG_NAME") {
            continue;
        }
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        assert_eq!(value("source"), Some(registry), "{name}");
        assert!(value("checksum").is_some(), "{name}");
    }
}

#[test]
fn the_fuzzer_is_built_of_what_the_program_is_built_of() {
    let manifest = include_str!("../../Cargo.toml");
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (dependencies, _) = dependencies.split_once("\n[").unwrap();
    let fuzzer = include_str!("../fuzz/Cargo.toml");
    for line in dependencies.lines().filter(|line| !line.is_empty()) {
        assert!(
            fuzzer.contains(&format!("\n{line}\n")),
            "tests/fuzz/Cargo.toml lacks {line}"
        );
    }
}

/// The names and versions of the program's own crates.
fn linked() -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none"])
        .args(["--edges", "normal,no-proc-macro"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&output.stdout);
    let lines = tree.lines().filter_map(|line| line.split_once(" v"));
    let mut crates: BTreeMap<String, String> = lines
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap()))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    crates.remove(env!("CARGO_PKG_NAME"));
    assert!(crates.len() > 50, "{output:?}");
    crates
}

#[test]
fn what_reads_foreign_bytes_was_reviewed_in_the_version_that_is_built() {
    let review = include_str!("../../docs/review.md");
    let (rows, others) = review.split_once("\n## Reads none\n").unwrap();
    let rows: BTreeMap<&str, &str> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap()))
        .collect();
    let others: BTreeSet<&str> = others.split('`').skip(1).step_by(2).collect();
    let linked = linked();
    for (name, version) in &linked {
        match rows.get(name.as_str()) {
            Some(reviewed) => assert_eq!(reviewed, version, "docs/review.md: read {name} anew"),
            None => assert!(
                others.contains(name.as_str()),
                "docs/review.md lacks {name}"
            ),
        }
    }
    let gone: Vec<_> = rows
        .keys()
        .filter(|it| !linked.contains_key(**it))
        .collect();
    assert!(
        gone.is_empty(),
        "docs/review.md: {gone:?} aren't part of the program"
    );
}

#[test]
fn workflows_run_scripts_that_are_here_and_actions_by_their_hash() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut ran = 0;
    for file in fs::read_dir(root.join(".github/workflows")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for line in text.lines() {
            if let Some((_, action)) = line.split_once("uses: ") {
                let (_, hash) = action.split_once('@').unwrap();
                let hash = hash.split(' ').next().unwrap();
                assert!(hash.len() == 40, "{action}: a tag can be moved");
            }
            let Some((_, command)) = line.split_once("run: ") else {
                continue;
            };
            let is_ours = |word: &&str| word.starts_with("packaging/") || word.starts_with(".ci/");
            let script = command.split(' ').find(is_ours);
            let script = script.unwrap_or_else(|| panic!("{command} isn't a script of ours"));
            let mode = fs::metadata(root.join(script))
                .unwrap()
                .permissions()
                .mode();
            assert!(mode & 0o100 != 0, "{script} can't be run");
            ran += 1;
        }
    }
    assert!(ran > 3);
}
