//! What a send costs, counted by strace: system calls, syncs, connections, reads of a file; and what
//! it does while the disk is slow. Times are no tests; `cargo bench` shows them.

use std::fs;
use std::process::Command;

use crate::standin::Standin;
use crate::standin::tls::Kind;
use crate::support::{Run, SEND, Sandbox, config, for_each, set_up};

/// Calls that may be more on another libc or kernel, in a hundred.
const TOLERANCE: usize = 10;

/// Returns the trace of a run that ends well, a call a line.
fn traced(sandbox: &Sandbox, strace: &[&str], args: &[&str]) -> Vec<String> {
    let path = sandbox.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-y", "-e", "signal=none", "-o"]);
    command.arg(&path).args(strace).arg(sandbox.path("wxpush"));
    let run = Run::new(command).env("PATH", "/usr/bin:/bin").args(args);
    run.exits(0);
    let trace = fs::read_to_string(&path).unwrap();
    // It has what was read and sent, secrets and all.
    fs::remove_file(path).unwrap();
    trace.lines().map(str::to_owned).collect()
}

/// Whether a line is of this call, its begin or all of it.
fn begins(line: &str, call: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    rest.strip_prefix(call)
        .is_some_and(|rest| rest.starts_with('('))
}

/// How often these calls were made.
fn count(trace: &[String], calls: &[&str]) -> usize {
    let is_one = |line: &&String| calls.iter().any(|call| begins(line, call));
    trace.iter().filter(is_one).count()
}

/// How many calls were made at all.
fn all(trace: &[String]) -> usize {
    let is_rest = |line: &&String| line.contains(" resumed>");
    trace.len() - trace.iter().filter(is_rest).count()
}

/// A sandbox whose config leads to a stand-in over TLS, with a token and all files there.
fn over_tls(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("ca.pem", standin.ca_pem());
    let ca_file = format!("ca_file = \"{}\"\n", sandbox.path("ca.pem").display());
    sandbox.write("config.toml", config(&standin.base()) + &ca_file);
    sandbox.send("x").is_silent();
    sandbox
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_send_makes_no_more_calls_syncs_and_connections_than_it_did() {
    let standin = Standin::start_tls(Kind::Good);
    let sandbox = over_tls(&standin);
    for (args, calls, syncs) in [
        // Root looks at each directory on its way as well. Two syncs keep the message, one forgets it.
        (&["send", "x"][..], 210, 3),
        (&["send", "--no-outbox", "x"], 160, 0),
    ] {
        let trace = traced(&sandbox, &[], args);
        let made = all(&trace);
        assert!(made <= calls * (100 + TOLERANCE) / 100, "{args:?}: {made}");
        assert_eq!(count(&trace, &["fsync", "fdatasync"]), syncs, "{args:?}");
        assert_eq!(count(&trace, &["connect"]), 1, "{args:?}");
    }
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn what_watches_no_job_pays_nothing_for_those_that_are_watched() {
    let (_standin, sandbox) = set_up();
    let of_jobs = |trace: &[String]| trace.iter().filter(|it| it.contains("jobs")).count();
    let run = ["run", "--on", "failure", "--", "/bin/true"];
    sandbox.wxpush(&run.join(" ")).exits(0);
    let bare = traced(&sandbox, &[], &run);
    // The command's own calls are among them.
    assert!(
        all(&bare) <= 540 * (100 + TOLERANCE) / 100,
        "{}",
        all(&bare)
    );
    let flush = traced(&sandbox, &[], &["outbox", "flush"]);
    assert!(
        all(&flush) <= 285 * (100 + TOLERANCE) / 100,
        "{}",
        all(&flush)
    );
    // Whether there is a directory of them.
    assert_eq!((of_jobs(&bare), of_jobs(&flush)), (0, 1));
    sandbox
        .wxpush("run --on failure --every 1d --title it -- /bin/true")
        .run();
    assert!(sandbox.path("jobs").exists());
    let beside = traced(&sandbox, &[], &run);
    assert_eq!(of_jobs(&beside), 0);
    let apart = all(&beside).abs_diff(all(&bare));
    assert!(apart <= all(&bare) * TOLERANCE / 100, "{apart}");
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn the_connection_is_made_while_the_message_is_synced_and_nothing_leaves_before() {
    for_each(
        [(false, "message/send"), (true, "media/upload")],
        |(has_file, first)| {
            let (_standin, sandbox) = set_up();
            sandbox.send("makes all files").is_silent();
            sandbox.write("a.pdf", "%PDF-1.4 a file of its own");
            let path = sandbox.path("a.pdf").display().to_string();
            let with_file = ["send", "--file", &path];
            let args = if has_file {
                &with_file[..]
            } else {
                &["send", "x"]
            };
            let slow = [
                "-e",
                "trace=connect,fsync,fdatasync,sendto,sendmsg,write,writev",
                "-e",
                "inject=fsync,fdatasync:delay_enter=2000000",
            ];
            let trace = traced(&sandbox, &slow, args);
            let synced = |line: &String| line.contains("sync") && line.contains(" = 0");
            let post = format!("POST /cgi-bin/{first}");
            let connect = trace.iter().position(|line| begins(line, "connect"));
            // Two syncs keep the message; the last one of all forgets it.
            let mut syncs = (0..trace.len()).filter(|at| synced(&trace[*at]));
            let (first_sync, second_sync) = (syncs.next(), syncs.next());
            let sent = trace.iter().position(|line| line.contains(&post));
            let order = [connect, first_sync, second_sync, sent];
            assert!(order.iter().all(Option::is_some), "{order:?} {trace:#?}");
            assert!(order.is_sorted(), "{order:?} {trace:#?}");
            assert_eq!(count(&trace, &["connect"]), 1);
        },
    );
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_flush_makes_no_file_for_each_message_and_syncs_what_it_removes_in_groups() {
    const MESSAGES: usize = 12;
    let (standin, sandbox) = set_up();
    for number in 0..MESSAGES {
        let text = number.to_string();
        sandbox.wxpush("send --queue --markdown").arg(text).exits(0);
    }
    let trace = traced(&sandbox, &[], &["outbox", "flush"]);
    assert_eq!(standin.count(SEND), MESSAGES);
    let made = trace
        .iter()
        .filter(|line| line.contains(".try") && line.contains("O_CREAT"));
    assert!(made.count() <= 4, "{trace:#?}");
    let syncs = count(&trace, &["fsync", "fdatasync"]);
    assert!(syncs <= 4, "{syncs}");
    let left = fs::read_dir(sandbox.path("outbox")).unwrap();
    let names = left.map(|it| it.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.filter(|name| name.contains("Z-")).collect();
    assert_eq!(names, [""; 0]);
}

/// The bytes that were read of what has this in its path.
fn bytes_read(trace: &[String], path: &str) -> u64 {
    let reads = trace.iter().filter(|line| {
        let mut calls = ["read", "pread64", "readv", "preadv"].iter();
        calls.any(|call| begins(line, call)) && line.contains(path)
    });
    let result = |line: &String| line.rsplit_once(" = ")?.1.parse::<u64>().ok();
    reads.filter_map(result).sum()
}

#[test]
#[ignore = "needs strace, and leave to trace"]
fn a_file_is_read_once_to_take_it_in_and_once_to_send_it() {
    const SIZE: usize = 1 << 20;
    // The first bytes are looked at for its kind.
    let times = |bytes: u64| bytes.saturating_sub(8192).div_ceil(SIZE as u64);
    let (standin, sandbox) = set_up();
    sandbox.send("makes all files").is_silent();
    let reads = ["-e", "trace=read,pread64,readv,preadv"];
    for (name, option, own, entry) in [
        ("bare", "--no-outbox", 2, 0),
        // To hide secrets and for its digest, and into the entry; that is sent.
        ("kept", "--quiet", 2, 1),
    ] {
        sandbox.write(&format!("{name}.bin"), name.repeat(SIZE / 4));
        let path = sandbox.path(&format!("{name}.bin")).display().to_string();
        let trace = traced(&sandbox, &reads, &["send", option, "--file", &path]);
        assert_eq!(times(bytes_read(&trace, &path)), own, "{name}");
        let outbox = sandbox.path("outbox").display().to_string();
        assert_eq!(times(bytes_read(&trace, &outbox)), entry, "{name}");
    }
    assert_eq!(standin.count("/cgi-bin/media/upload"), 2);
}
