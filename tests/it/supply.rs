//! What the program is made of: dependencies with a reason, from one registry.

use std::collections::BTreeSet;

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
