//! Sandboxes with what one subject needs.

use std::io::Write;

use serde_json::Value;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::{Outcome, Run, Sandbox, amr, config, jpeg, mp4, pdf, png, with_robot};

/// Whether a test with large needs is asked for by this variable; says so if not.
pub(crate) fn is_wanted(variable: &str) -> bool {
    let is_wanted = std::env::var_os(variable).is_some();
    if !is_wanted {
        // Past the test runner, which holds back what a test prints that passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: it wants {variable}=1");
    }
    is_wanted
}

/// A sandbox with the app and the robot, a file of each sort, and a prefix.
pub(crate) fn furnished(standin: &Standin) -> Sandbox {
    let sandbox = with_robot(standin);
    sandbox.configure("prefix = \"[p] \"");
    sandbox.write("a.png", png());
    sandbox.write("a.jpg", jpeg());
    sandbox.write("a.amr", amr(1));
    sandbox.write("a.mp4", mp4());
    sandbox.write("报告.pdf", pdf());
    sandbox
}

/// `wxpush send`, in the directory with the files.
pub(crate) fn send_here(sandbox: &Sandbox, args: &str) -> Run {
    here(sandbox, &format!("send {args}"))
}

/// What the file of `with_file` has.
pub(crate) const BYTES: &[u8] = b"the same bytes";

/// The program among the sandbox's files, so that they may be named without their directory.
pub(crate) fn here(sandbox: &Sandbox, args: &str) -> Run {
    sandbox.wxpush(args).cwd(sandbox.path(""))
}

/// A sandbox with a file.
pub(crate) fn with_file(standin: &Standin, bytes: &[u8]) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.write("a.txt", bytes);
    sandbox
}

/// Sends that file.
pub(crate) fn send_file(sandbox: &Sandbox) -> Run {
    here(sandbox, "send --to lisi --file a.txt")
}

/// A config with nothing but where WeCom is, and these lines.
pub(crate) fn alone(base: &str, lines: &str) -> String {
    format!("[network]\napi_base = \"{base}\"\n{lines}")
}

/// A sandbox in which no texts go together.
pub(crate) fn one_by_one(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.configure("outbox.merge = false");
    sandbox
}

/// The three settings, on three lines: what a table adds begins on line 4.
pub(crate) fn app() -> String {
    format!("corpid = \"{CORPID}\"\ncorpsecret = \"{SECRET}\"\nagentid = {AGENTID}\n")
}

/// The message that a dry run shows.
#[track_caller]
pub(crate) fn shown(outcome: Outcome) -> Value {
    let outcome = outcome.exits(0);
    let body = outcome.stdout.lines().nth(1).expect("a body");
    serde_json::from_str(body).expect("a JSON object")
}

/// Holds that no eight characters of the secret are in a text.
#[track_caller]
pub(crate) fn hides_secret(text: &str) {
    for piece in SECRET.as_bytes().windows(8) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!text.contains(piece), "the secret is in {text}");
    }
}

/// A sandbox whose config leads to a TLS stand-in and trusts its authority.
pub(crate) fn trusting(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("ca.pem", standin.ca_pem());
    sandbox.write(
        "config.toml",
        config(&standin.base()) + "ca_file = \"ca.pem\"\n",
    );
    sandbox
}

/// The line of a crontab that flushes.
pub(crate) fn flush_line(sandbox: &Sandbox) -> String {
    format!(
        "* * * * * {} outbox flush",
        sandbox.path("wxpush").display()
    )
}
