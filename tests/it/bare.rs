//! Machines that lack what is usual: no `/proc`, an old kernel; for the static programs of
//! `packaging/static/build` roots of other systems, and other processors (emulated), too.

#![allow(clippy::print_stdout, reason = "what was tried, on request")]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::standin::Standin;
use crate::standin::tls::Kind;
use crate::support::{Run, SEND, Sandbox, fence_in, script, set_up, trusting};

#[test]
#[ignore = "needs root: no /proc in a mount namespace"]
fn without_proc_the_config_is_found_by_the_word_that_the_program_was_called_by() {
    fence_in();
    let (standin, sandbox) = set_up();
    fs::create_dir(sandbox.path("bin")).unwrap();
    symlink("../wxpush", sandbox.path("bin/wxpush")).unwrap();
    for (called, code) in [
        ("\"$0\" send x", 0),
        ("cd \"$1\"; ./wxpush send x", 0),
        ("PATH=none:$1:$PATH wxpush send x", 0),
        ("\"$1/bin/wxpush\" send x", 0),
        // The working directory is not in PATH, which an empty word of it would mean.
        ("cd \"$1\"; PATH=; exec -a wxpush ./wxpush send x", 78),
        ("\"$0\" run -- sh -c 'echo x; exit 3'", 3),
    ] {
        let line = format!(
            "umount -l /proc; exec bash -c '{}' \"$0\" \"$1\"",
            called.replace('\'', "'\\''")
        );
        let run = script(&sandbox, &["unshare", "-m"], &line);
        run.env("HOME", sandbox.path("home")).exits(code);
    }
    assert_eq!(standin.count(SEND), 5);
    assert_eq!(standin.count("/cgi-bin/gettoken"), 1);
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_kernel_as_old_as_3_10_has_all_that_a_send_takes() {
    let (standin, sandbox) = set_up();
    let newer = "clone3,close_range,copy_file_range,faccessat2,getrandom,openat2,renameat2,statx";
    let trace = format!("strace -f -qq -o \"$1/trace\" -e inject={newer}:error=ENOSYS \"$0\"");
    script(&sandbox, &[], &format!("{trace} send x")).is_silent();
    script(&sandbox, &[], &format!("{trace} run -- sh -c 'exit 3'")).exits(3);
    script(&sandbox, &[], &format!("{trace} outbox flush")).exits(0);
    assert!(sandbox.read("trace").contains("INJECTED"));
    assert_eq!(standin.count(SEND), 2);
    // It shows the beginning of what was read, secrets too.
    fs::remove_file(sandbox.path("trace")).unwrap();
}

/// Says what is not tried, though the test succeeds: past its captured output.
fn skip(what: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {what}");
}

/// The static programs that have been built, each with its target.
fn programs() -> Vec<(String, PathBuf)> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let dirs = fs::read_dir(target.join("static"));
    let dirs = dirs.into_iter().flatten().flatten();
    let programs = dirs.map(|dir| {
        let target = dir.file_name().into_string().unwrap();
        (target, dir.path().join("wxpush"))
    });
    let programs: Vec<_> = programs.filter(|(_, program)| program.exists()).collect();
    if programs.is_empty() {
        skip("no static program is there: packaging/static/build makes one");
    }
    programs
}

/// A sandbox that trusts the stand-in and holds this program.
fn holding(program: &Path, standin: &Standin) -> Sandbox {
    let sandbox = trusting(standin);
    fs::remove_file(sandbox.path("wxpush")).unwrap();
    fs::hard_link(program, sandbox.path("wxpush")).expect("one file system");
    sandbox
}

/// Runs words in a root, with the sandbox at its `/mnt`.
fn within(root: &Path, sandbox: &Sandbox, words: &[&str]) -> Run {
    let line =
        "mkdir -p \"$1/mnt\" && mount --bind \"$0\" \"$1/mnt\" && shift && exec chroot \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", line]).arg(sandbox.path(""));
    command.arg(root).arg(root).args(words);
    Run::new(command).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
}

/// Roots of other systems: a static busybox alone, and what `WXPUSH_ROOTS` has.
fn roots(sandbox: &Sandbox) -> Vec<PathBuf> {
    let busybox = sandbox.path("busybox");
    fs::create_dir_all(busybox.join("bin")).unwrap();
    let mut roots = Vec::new();
    match fs::copy("/bin/busybox", busybox.join("bin/busybox")) {
        Ok(_) => {
            symlink("busybox", busybox.join("bin/sh")).unwrap();
            roots.push(busybox);
        }
        Err(_) => skip("no /bin/busybox is there: busybox-static has it"),
    }
    let named = std::env::var_os("WXPUSH_ROOTS").map(fs::read_dir);
    let named = named.into_iter().flatten().flatten().flatten();
    roots.extend(named.map(|entry| entry.path()));
    roots
}

#[test]
#[ignore = "needs root: chroot; and a static program"]
fn a_static_program_sends_from_any_root() {
    let ours = |target: &str| target.starts_with(std::env::consts::ARCH);
    for (_, program) in programs().into_iter().filter(|(target, _)| ours(target)) {
        let standin = Standin::start_tls(Kind::Good);
        let sandbox = holding(&program, &standin);
        // Nothing else: no /proc, /dev, /etc, no account.
        let empty = sandbox.path("empty");
        fs::create_dir(&empty).unwrap();
        within(&empty, &sandbox, &["/mnt/wxpush", "send", "empty"]).is_silent();
        let check = within(&empty, &sandbox, &["/mnt/wxpush", "check"]).exits(0);
        println!("empty: {}", check.stdout.lines().count());
        for root in roots(&sandbox) {
            let name = root.file_name().unwrap().to_str().unwrap();
            let line = "echo \"$0\" | /mnt/wxpush send && exec /mnt/wxpush run -- sh -c 'exit 3'";
            let run = within(&root, &sandbox, &["/bin/sh", "-c", line, name]);
            run.exits(3);
            println!("{name}: sent");
        }
        let zone = Path::new("/usr/share/zoneinfo/Asia/Kolkata");
        if zone.exists() {
            fs::create_dir(empty.join("etc")).unwrap();
            fs::copy(zone, empty.join("etc/localtime")).unwrap();
            within(&empty, &sandbox, &["/mnt/wxpush", "send", "local"]).is_silent();
            let log = sandbox.read("wxpush.log");
            assert!(log.lines().last().unwrap().contains("+05:30"), "{log}");
        }
        assert!(standin.count(SEND) >= 2);
    }
}

#[test]
#[ignore = "takes static programs and qemu-user-static"]
fn static_programs_for_other_processors_send() {
    for (target, program) in programs() {
        let processor = match target.split('-').next().unwrap() {
            "armv7" => "arm",
            "i686" => "i386",
            "riscv64gc" => "riscv64",
            name => name,
        };
        let emulator = format!("qemu-{processor}-static");
        let standin = Standin::start_tls(Kind::Good);
        let sandbox = holding(&program, &standin);
        let program = sandbox.path("wxpush");
        // i686 on x86_64 runs as it is, and qemu's i386 fails where a thread ends.
        let emulator = match Command::new(&program).arg("--version").output() {
            Ok(_) => "env".to_owned(),
            Err(_) => emulator,
        };
        if Command::new(&emulator).arg("--version").output().is_err() {
            skip(&format!("no {emulator} is there: qemu-user-static has it"));
            continue;
        }
        let emulated = |args: &[&str]| {
            let mut command = Command::new(&emulator);
            command.arg(&program).args(args);
            Run::new(command).env("PATH", "/usr/bin:/bin")
        };
        emulated(&["send", "x"]).is_silent();
        emulated(&["run", "--", "sh", "-c", "echo x; exit 3"]).exits(3);
        emulated(&["outbox", "list"]).exits(0);
        emulated(&["check"]).exits(0);
        assert_eq!(standin.count(SEND), 2);
        println!("{target}: sent by {emulator}");
    }
}
