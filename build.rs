//! Has the linker put the functions that a send runs side by side, leave out the tables for unwinding, and pack
//! those of the loader.
//!
//! The kernel maps whole stretches around each page of the program that is touched: of functions that lie
//! scattered, all 4 MB. `packaging/functions.txt` names them. One that is called otherwise, by another
//! compiler or in another version of its crate, stays where it was, and nothing else comes of it.
//! `cargo bench -- functions` makes the list anew.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

const LIST: &str = "packaging/functions.txt";

/// Says whether the program keeps its names. Where it does, it is for making the list: valgrind reads the names
/// of nothing but `.text`.
const STRIP: &str = "CARGO_PROFILE_RELEASE_STRIP";

/// Linkers that read no such script; GNU ld and lld do.
const OTHERS: [&str; 3] = ["mold", "gold", "wild"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={LIST}");
    println!("cargo::rerun-if-env-changed={STRIP}");
    let set = |name| env::var(name).unwrap_or_default();
    let linker = set("RUSTC_LINKER") + &set("CARGO_ENCODED_RUSTFLAGS");
    let reads = !OTHERS.iter().any(|other| linker.contains(other));
    let ships = set("PROFILE") == "release" && set(STRIP) != "false";
    if ships && set("CARGO_CFG_TARGET_OS") == "linux" && reads {
        let script = Path::new(&env::var("OUT_DIR")?).join("order.ld");
        fs::write(&script, order(&fs::read_to_string(LIST)?))?;
        println!("cargo::rustc-link-arg-bins=-T{}", script.display());
        if set("HOST") == set("TARGET") && reads_packed() {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
    Ok(())
}

/// Whether the C library reads packed tables of what the loader adjusts: glibc does from 2.36 on. Older linkers
/// ignore the option.
fn reads_packed() -> bool {
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let found = Command::new(linker)
        .arg("-print-file-name=libc.so.6")
        .output();
    let path = found.ok().and_then(|it| String::from_utf8(it.stdout).ok());
    let libc = path.and_then(|path| fs::read(path.trim_end()).ok());
    let mark = b"GLIBC_ABI_DT_RELR";
    libc.is_some_and(|bytes| bytes.windows(mark.len()).any(|it| it == mark))
}

/// What the linker is to do besides what it does anyway.
fn order(list: &str) -> String {
    let names = list.lines().filter(|line| !line.starts_with('#'));
    let code = names
        .clone()
        .map(|name| format!("*(.text.{name} .text.unlikely.{name})\n"));
    let tables = names.map(|name| format!("*(.rodata.{name} .rodata.unlikely.{name})\n"));
    // Assembly has no names, nor does a static C library: all of ring that is not Rust, and of libc what is
    // linked, with what starts the program. No panic is unwound. With RUST_BACKTRACE the stack is walked: the
    // unwinder must not be linked in, or it would miss its own tables and abort.
    format!(
        "SECTIONS {{ .text.sent : {{\n*libring*:*(.text .text.*)\n*libc.a:*(.text .text.*)\n*crt1.o(.text)\n{}}} }} INSERT BEFORE .text;\n\
         SECTIONS {{ .rodata.sent : {{\n{}}} }} INSERT BEFORE .rodata;\n\
         SECTIONS {{ /DISCARD/ : {{ *(.eh_frame .gcc_except_table .gcc_except_table.*) }} }} INSERT BEFORE .text;\n",
        code.collect::<String>(),
        tables.collect::<String>(),
    )
}
