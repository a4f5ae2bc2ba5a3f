//! Which functions the racers run, for the linker to put them together.

use std::collections::{BTreeSet, HashMap};
use std::env;
use std::ffi::OsString;
use std::fs;

use crate::Result;
use crate::race::{Racer, command, find};

/// What `build.rs` reads.
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/functions.txt");

const HEAD: &str = "\
# Functions that a send, --version and --help run, without the hashes in their names; see build.rs.
# CARGO_PROFILE_RELEASE_STRIP=false cargo bench -- functions
";

/// Writes the names of all that our own programs run.
///
/// # Errors
/// Where there is no valgrind, or the program has no names.
pub(crate) fn keep(racers: &[Racer]) -> Result<()> {
    let mut names = BTreeSet::new();
    for racer in racers.iter().filter(|it| it.name.contains("wxpush")) {
        let run = run_by(racer)?;
        // Rust's own: build.rs puts all that is C there.
        let rust = run
            .iter()
            .filter(|it| it.starts_with("_ZN") || it.starts_with("_R"));
        names.extend(rust.map(|name| pattern(name)));
    }
    let text: String = names.iter().map(|name| name.clone() + "\n").collect();
    if !text.contains("wxpush") {
        return Err("no names: set CARGO_PROFILE_RELEASE_STRIP=false, and see that functions.rs fits valgrind".into());
    }
    Ok(fs::write(LIST, HEAD.to_owned() + &text)?)
}

/// The functions of the program itself that a run of it enters, as the linker knows them.
fn run_by(racer: &Racer) -> Result<BTreeSet<String>> {
    let file = env::temp_dir().join(format!("wxpush-functions-{}", std::process::id()));
    let mut line: Vec<OsString> = vec![find("valgrind").ok_or("no valgrind")?.into()];
    line.extend(["--quiet", "--tool=callgrind", "--demangle=no"].map(OsString::from));
    line.push(format!("--callgrind-out-file={}", file.display()).into());
    line.extend(racer.line.iter().cloned());
    racer.forget();
    racer.ended(command(&line).status())?;
    let profile = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    // "ob=(1) FILE" and "fn=(2) NAME", with "c" before them where called; later on the number alone.
    let (mut files, mut functions) = (HashMap::new(), HashMap::new());
    let (mut names, mut is_ours) = (BTreeSet::new(), false);
    for line in profile.lines() {
        let Some((kind, rest)) = line.split_once("=(") else {
            continue;
        };
        let (number, name) = rest.split_once(')').unwrap_or_default();
        let known = match kind {
            "ob" | "cob" => &mut files,
            "fn" | "cfn" => &mut functions,
            _ => continue,
        };
        if !name.is_empty() {
            known.insert(number, name.trim_start());
        }
        let name = known.get(number).copied().unwrap_or_default();
        match kind {
            "ob" => is_ours = racer.line[0] == *name,
            // "NAME'2" is its second level of recursion.
            "fn" if is_ours => {
                names.insert(name.split('\'').next().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }
    Ok(names)
}

/// The name without what changes from compiler to compiler, as a pattern of the linker.
fn pattern(name: &str) -> String {
    // Rust writes names in two ways: "_ZN…17hHASHE", and "_R…CsHASH_5crate…", where "B…_" points back to
    // a place in the name. A twin has a number behind a dot.
    if let Some((path, _)) = name.rsplit_once("17h").filter(|_| name.starts_with("_ZN")) {
        return format!("{path}17h*");
    }
    let name = name.split('.').next().unwrap_or_default();
    let (pieces, last) = name.rsplit_once('_').unwrap_or(("", name));
    let pieces = pieces.split('_').map(|piece| {
        let hash = piece.find("Cs").into_iter().chain(piece.find('B')).min();
        hash.map_or(piece.to_owned(), |at| format!("{}*", &piece[..at]))
    });
    pieces.collect::<Vec<_>>().join("_") + "_" + last + "*"
}
