//! `wxpush run`: output and titles in any encoding, and what a command is called in its report.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Sandbox, Words, set_up, sh, texts};

/// "磁盘已满" in GBK, for printf.
const GBK: &str = r"\264\305\305\314\322\321\302\372";

/// "磁盘" in GBK.
fn gbk() -> &'static OsStr {
    OsStr::from_bytes(b"\xb4\xc5\xc5\xcc")
}

#[test]
fn output_is_read_in_the_report_whatever_its_encoding_and_passes_as_it_is() {
    let (standin, sandbox) = set_up();
    let much =
        format!("for i in $(seq 9000); do printf '{GBK}{GBK}{GBK}'; done; printf '\\ny%s' z");
    let line = format!("for i in $(seq 9000); do printf '{GBK}'; done; printf ' {GBK}'");
    for (options, script, says) in [
        ("", &*format!("printf '{GBK}\\n'"), "\n磁盘已满"),
        (
            "",
            &format!("printf '中文\\n{GBK}\\n\\377\\n'"),
            "\n中文\n磁盘已满\nÿ",
        ),
        ("", &much, "\nyz"),
        ("", &line, "磁盘已满"),
        (
            "--encoding big5",
            r"printf '9%%\r\244\244\244\345\n'",
            "\n中文",
        ),
        (
            "--encoding UTF-16LE",
            r"printf '\055\116\207\145'",
            "\n中文",
        ),
    ] {
        let run = |options: &str| sh(&sandbox, options, script).command().output().unwrap();
        let output = run(&format!("--to lisi {options}"));
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{script}"
        );
        assert!(output.stdout == run("-q -c /nowhere").stdout, "{script}");
        let plain = std::process::Command::new("sh")
            .args(["-c", script])
            .output();
        assert!(output.stdout == plain.unwrap().stdout, "{script}");
        texts(&standin, "lisi").pop().unwrap().ends(says);
    }
}

#[test]
fn a_title_that_is_not_utf8_stops_no_job() {
    let (standin, sandbox) = set_up();
    let run = |options: &str, title: &OsStr| {
        let run = sandbox
            .wxpush(&format!("run --to lisi {options} -t"))
            .arg(title);
        run.args(&["--", "/bin/echo", "ran"]).exits(0)
    };
    let report = || texts(&standin, "lisi").pop().unwrap();
    let outcome = run("", gbk()).says("--title are not UTF-8");
    assert_eq!(outcome.stdout, "ran\n");
    report().begins("✅ \u{fffd}");
    assert_eq!(run("--encoding gbk", gbk()).stderr, "");
    report().begins("✅ 磁盘 @ ");
    // What is UTF-8 is taken as that: the command's output is something else.
    assert_eq!(run("--encoding gbk", OsStr::new("标题")).stderr, "");
    report().begins("✅ 标题 @ ");
    run("--encoding gbk", OsStr::from_bytes(b"a\xff")).says("not what --encoding says");
}

#[test]
fn failures_are_counted_by_a_title_in_any_encoding() {
    let (standin, sandbox) = set_up();
    for title in [&b"\xb4\xc5"[..], b"\xb4\xc5", b"\xc5\xcc"] {
        let run = sandbox.wxpush("run --to lisi --on change -t");
        let run = run.arg(OsStr::from_bytes(title));
        run.args(&["--", "/bin/false"]).exits(1);
    }
    assert_eq!(texts(&standin, "lisi").len(), 2, "one for each title");
}

#[test]
fn every_text_of_an_option_is_taken_in_any_encoding() {
    let (standin, sandbox) = set_up();
    sandbox.write("file.txt", "some words");
    let file = sandbox.path("file.txt").display().to_string();
    for (options, option, says) in [
        ("send x", "--title", "磁盘"),
        (
            "send x --card --url https://example.com -t t",
            "--button",
            "磁盘",
        ),
        (&*format!("send --file {file}"), "--name", "磁盘"),
    ] {
        let run = |encoding: &str| {
            let run = sandbox.wxpush(&format!("{options} --dry-run {encoding} {option}"));
            run.arg(gbk()).exits(0)
        };
        run("--encoding gbk").stdout.shows(says);
        let outcome = run("").says(&format!("{option} are not UTF-8"));
        outcome.stdout.shows("\u{fffd}");
    }
    let upload = sandbox.wxpush(&format!("upload {file} --name")).arg(gbk());
    upload.exits(0).says("--name are not UTF-8");
    drop(standin);
}

/// The title of the report on this command line.
fn title(sandbox: &Sandbox, line: &[&str], report: impl Fn() -> String) -> String {
    let run = sandbox.wxpush("run --to lisi --").args(line);
    run.env("PATH", "/usr/bin:/bin").run();
    let report = report();
    let title = report.split(" @ ").next().unwrap_or_default();
    title.split_once(' ').unwrap_or_default().1.to_owned()
}

#[test]
fn a_command_is_called_by_what_it_runs_and_no_argument_is_shown() {
    let (standin, sandbox) = set_up();
    sandbox.write("job.sh", "echo \"$0\"");
    let job = sandbox.path("job.sh").display().to_string();
    let lock = sandbox.path("lock").display().to_string();
    let flock = format!("exec sh {job} hush-hush");
    let cd = format!("cd / && A=b . {job} hush-hush");
    for (line, name) in [
        (
            &["timeout", "-k", "5", "60", "sh", &*job, "hush-hush"][..],
            "job.sh",
        ),
        (
            &[
                "nohup",
                "nice",
                "-n",
                "5",
                "env",
                "A=hush-hush",
                "uname",
                "-a",
            ],
            "uname",
        ),
        (&["flock", "-n", &lock, "-c", &flock], "job.sh"),
        (&["sh", "-c", "cd / && uname -a; ls hush-hush"], "uname"),
        (&["sh", "-c", &cd], "job.sh"),
        (&["/bin/sh", "-c", "exit 3"], "exit"),
    ] {
        let report = || texts(&standin, "lisi").pop().unwrap();
        assert_eq!(title(&sandbox, line, report), name, "{line:?}");
        report().lines().next().unwrap().lacks("hush");
    }
    // The default key stays: the whole line.
    for script in ["exit 1; true a", "exit 1; true b", "exit 1; true a"] {
        sh(&sandbox, "--on change --to lisi", script).exits(1);
    }
    assert_eq!(texts(&standin, "lisi").len(), 6 + 2);
}

#[test]
fn a_line_that_nothing_but_a_blank_or_a_colour_overwrites_is_in_the_report() {
    let (standin, sandbox) = set_up();
    let script = r"printf 'FATAL disk\r\033[0m\nsda1\r \n50%%\r\033[K\nend\n'; exit 1";
    let run = sh(&sandbox, "--to lisi", script);
    run.exits(1);
    let text = texts(&standin, "lisi").pop().unwrap();
    assert!(text.ends_with("\nFATAL disk\nsda1\n\nend"), "{text:?}");
}

#[test]
fn an_error_above_a_long_progress_bar_and_an_output_all_erased_are_in_the_report() {
    let (standin, sandbox) = set_up();
    for (script, end) in [
        (
            r#"echo "rsync: read error"; seq -f '%060.0f' 3000 | tr '\n' '\r'; printf '99%%'; exit 1"#,
            "\nrsync: read error\n99%",
        ),
        (r"printf 'ERROR gone\r\033[K'; exit 1", "\nERROR gone"),
    ] {
        sh(&sandbox, "--to lisi", script).exits(1);
        let text = texts(&standin, "lisi").pop().unwrap();
        assert!(text.ends_with(end) && text.lines().count() < 5, "{text:?}");
    }
}
