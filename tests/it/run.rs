//! `wxpush run`: exit codes, output to the byte, what the report says and when there is one.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::standin::{ROBOT_KEY, SECRET, Standin};
use crate::support::{
    Outcome, Sandbox, Words, at_once, script, set_up, sh, texts, waiting, with_robot,
};

/// What has been reported to one member.
fn reports(standin: &Standin) -> Vec<String> {
    texts(standin, "lisi")
}

/// Without a config that works, so that nothing is sent.
fn unsent(sandbox: &Sandbox, script: &str) -> Outcome {
    sh(sandbox, "-c /nowhere", script).run()
}

#[test]
fn each_exit_code_and_each_deadly_signal_is_handed_on() {
    let sandbox = Sandbox::empty();
    for code in 0..=255 {
        unsent(&sandbox, &format!("exit {code}")).exits(code);
    }
    for signal in (1..=64).filter(|it| ![17, 18, 19, 20, 21, 22, 23, 28, 32, 33].contains(it)) {
        let script = format!("ulimit -c 0; kill -{signal} $$");
        unsent(&sandbox, &script).exits(128 + signal);
    }
}

#[test]
fn what_cannot_be_started_is_126_or_127_and_the_report_says_why() {
    let (standin, sandbox) = set_up();
    sandbox.write("plain", "not to be executed");
    sandbox.write("script", "exit 5");
    fs::set_permissions(sandbox.path("script"), fs::Permissions::from_mode(0o755)).unwrap();
    for (program, code, said) in [
        ("nowhere", 127, "找不到命令（127）"),
        ("/nowhere/at/all", 127, "找不到命令（127）"),
        (sandbox.path("plain").to_str().unwrap(), 126, "（126）"),
        ("/", 126, "（126）"),
        // Without #! it is for the shell.
        (sandbox.path("script").to_str().unwrap(), 5, "退出码 5"),
    ] {
        let outcome = sandbox.wxpush("run --to lisi --").arg(program).exits(code);
        assert_eq!(outcome.stderr.contains("cannot be run"), code > 100);
        let last = reports(&standin).pop().unwrap();
        assert!(last.contains(said), "{program}: {last}");
    }
}

#[test]
fn a_script_is_found_behind_a_file_of_its_name_that_may_not_be_run() {
    let (_standin, sandbox) = set_up();
    for (dir, script, mode) in [("a", "exit 6", 0o644), ("b", "exit 5", 0o755)] {
        fs::create_dir(sandbox.path(dir)).unwrap();
        let job = sandbox.path(dir).join("job");
        fs::write(&job, script).unwrap();
        fs::set_permissions(&job, fs::Permissions::from_mode(mode)).unwrap();
    }
    let dirs = [sandbox.path("a"), sandbox.path("b")];
    let run = sandbox.wxpush("run --to lisi -- job");
    run.env("PATH", std::env::join_paths(dirs).unwrap())
        .exits(5);
}

#[test]
fn a_value_of_an_option_in_wide_letters_keeps_no_job_from_running() {
    let (standin, sandbox) = set_up();
    let run = sandbox
        .wxpush("run --to lisi -- bash --rcfile 文件 -c")
        .arg("exit 5");
    run.exits(5);
    assert!(reports(&standin)[0].contains("退出码 5"));
}

#[test]
fn a_report_tells_all_and_nothing_of_it_is_printed() {
    let (standin, sandbox) = set_up();
    sandbox.configure("prefix = \"[p] \"");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = host.trim();
    let outcome = sh(&sandbox, "", "echo one; echo two >&2").exits(0);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("one\n", "two\n"));
    sh(&sandbox, "-t job", "exit 3").exits(3);
    sh(&sandbox, "--no-output", "echo hidden; kill -9 $$").exits(137);
    let run = sh(&sandbox, "--tail 2", "seq 5");
    run.env("WXPUSH_LANG", "en").exits(0);
    let reports = reports(&standin);
    let heads = [
        format!("[p] ✅ echo @ {host}\n成功，历时 "),
        format!("[p] ❌ job @ {host}\n失败，退出码 3，历时 "),
        format!("[p] 💥 kill @ {host}\n被信号 9（SIGKILL）终止，历时 "),
        format!("[p] ✅ seq on {host}\nsucceeded after "),
    ];
    for (report, head) in reports.iter().zip(&heads) {
        assert!(report.starts_with(head), "{report}");
    }
    assert!(reports[0].contains("one") && reports[0].contains("two"));
    assert_eq!(reports[2].lines().count(), 2, "{}", reports[2]);
    reports[3].ends("\n… (earlier output left out)\n4\n5");
    assert_eq!(reports.len(), 4);
}

#[test]
fn a_report_is_one_message_within_wecoms_limit_however_much_is_said() {
    let (standin, sandbox) = set_up();
    for script in [
        "seq 100000",
        "yes 中文很长的一行 | head -500",
        "head -c 300000 /dev/zero | tr '\\0' x",
        "head -c 300000 /dev/urandom",
        "printf '\\033[31m%s\\033[0m\\r\\n' $(seq 3000)",
    ] {
        let mut command = sh(&sandbox, "--tail 9999 --to lisi", script).command();
        let output = command.output().unwrap();
        assert!(output.status.success());
        let report = reports(&standin).pop().unwrap();
        assert!((901..=2048).contains(&report.len()), "{script}: {report}");
        report.shows("省略");
        report.lacks("\u{1b}");
    }
    assert_eq!(reports(&standin).len(), 5);
}

#[test]
fn a_secret_in_the_output_goes_to_no_phone() {
    let (standin, sandbox) = set_up();
    let script = format!("x={}; echo \"$x{}\"; exit 4", &SECRET[..9], &SECRET[9..]);
    sandbox.written().insert(script.clone().into_bytes());
    let mut command = sh(&sandbox, "--to lisi", &script).command();
    assert_eq!(command.output().unwrap().status.code(), Some(4));
    let reports = reports(&standin);
    assert!(reports[0].contains("退出码 4") && reports[0].ends_with("\n[hidden]"));
}

#[test]
fn what_nobody_sees_pushes_no_error_out_of_a_report() {
    let (standin, sandbox) = set_up();
    for behind in [
        r"\b|\b/\b-\b\\",
        r"  0%%\b\b\b\b    \b\b\b\b",
        r"\302\240\343\205\244\n",
        r"\033[2K\033[1G",
        r"\033[0m\n",
        r"\000",
    ] {
        let script =
            format!(r"printf 'E\bERROR: disk full\n'; printf '{behind}%.0s' $(seq 30000); exit 3");
        let mut command = sh(&sandbox, "--to lisi", &script).command();
        assert_eq!(command.output().unwrap().status.code(), Some(3));
        let report = reports(&standin).pop().unwrap();
        report.shows("\nERROR: disk full");
        report.lacks("[2K");
        report.lacks("省略");
    }
}

#[test]
fn output_passes_through_to_the_byte_and_in_order() {
    let sandbox = Sandbox::empty();
    let bytes: Vec<u8> = (0..3_000_000u32)
        .map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[1])
        .collect();
    for options in ["", "--no-output", "--only-errors"] {
        let fails = options == "--only-errors";
        let script = format!("cat; exit {}", i32::from(fails));
        let run = sh(&sandbox, &format!("-c /nowhere {options}"), &script);
        let mut child = run.command().stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let sent = bytes.clone();
        let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
        let mut got = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut got).unwrap();
        writer.join().unwrap();
        child.wait().unwrap();
        assert!(got == bytes, "{options}: {} bytes", got.len());
    }
    // What goes to one place comes in the order in which it was written.
    let program = sandbox.path("wxpush").display().to_string();
    let mut command = Command::new("sh");
    command.env_clear().args(["-c", &format!(
        "exec {program} -q -c /nowhere run -- sh -c 'i=0; while [ $i -lt 500 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done' 2>&1"
    )]);
    let output = command.output().unwrap().stdout;
    let text = String::from_utf8(output).unwrap();
    let lines = text.lines().filter(|line| !line.contains(' '));
    let expected = (0..500).flat_map(|at| [format!("o{at}"), format!("e{at}")]);
    assert!(lines.eq(expected), "{text}");
}

#[test]
fn only_errors_prints_the_output_of_a_failure_alone() {
    let (standin, sandbox) = set_up();
    let script = |code: i32| format!("echo out; echo err >&2; exit {code}");
    sh(&sandbox, "--only-errors --to lisi", &script(0)).is_silent();
    let outcome = sh(&sandbox, "--only-errors --to lisi", &script(7)).exits(7);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", "err\n"));
    assert!(reports(&standin)[0].contains("out"));
}

#[test]
fn a_report_comes_when_it_is_asked_for() {
    for (on, ok, fails, says) in [
        ("always", true, true, true),
        ("failure", false, true, false),
        ("success", true, false, true),
        ("output", false, false, true),
    ] {
        let (standin, sandbox) = set_up();
        for (script, due) in [("true", ok), ("false", fails), ("echo x", says)] {
            let before = reports(&standin).len();
            sh(&sandbox, &format!("--on {on} --to lisi"), script).run();
            let sent = reports(&standin).len() - before;
            assert_eq!(sent, usize::from(due), "{on}: {script}");
        }
    }
}

#[test]
fn change_tells_the_first_failure_and_the_recovery_and_after_waits() {
    let (standin, sandbox) = set_up();
    let mut told = 0;
    // Each run succeeds (+) or fails (-), and is reported in these words, or not.
    let table = [
        (
            "--on change",
            "+|-退出码 1|-|-|+恢复：失败 3 次|+|-退出码 1|+恢复：失败 1 次",
        ),
        (
            "--on change --after 3 -t three",
            "-|-|+|-|-|-连续失败 3 次|-|+恢复：失败 4 次",
        ),
        (
            "--on failure --after 2 -t two",
            "-|-连续失败 2 次|-连续失败 3 次|+|-",
        ),
    ];
    for (options, steps) in table {
        for step in steps.split('|') {
            let (ok, said) = (step.starts_with('+'), &step[1..]);
            // One command line for both, as a job's is.
            sandbox.write("script", if ok { "exit 0" } else { "exit 1" });
            let line = format!(". {}", sandbox.path("script").display());
            sh(&sandbox, &format!("{options} --to lisi"), &line).exits(i32::from(!ok));
            let reports = reports(&standin);
            told += usize::from(!said.is_empty());
            assert_eq!(reports.len(), told, "{options}: {reports:?}");
            if !said.is_empty() {
                assert!(reports[told - 1].contains(said), "{}", reports[told - 1]);
            }
        }
    }
}

#[test]
fn on_change_another_way_to_fail_is_told_too() {
    let (standin, sandbox) = set_up();
    let mut told = 0;
    // Each run ends so, and is reported in these words, or not.
    for (options, steps) in [
        (
            "",
            "exit 1:退出码 1|exit 1|exit 2:情况不同|exit 2|kill -9 $$:情况不同|exit 137:情况不同|\
             exec nowhere:情况不同|exit 127|exit 0:恢复：失败 8 次|exit 2:退出码 2",
        ),
        (
            "--after 3",
            "exit 1|exit 2|exit 3:连续失败 3 次|exit 3|exit 1:连续失败 5 次，",
        ),
        (
            "--limit 1s",
            "exit 124:退出码 124|exec sleep 9:情况不同|exec sleep 9",
        ),
        (
            "--stderr-fails",
            "echo >&2:stderr|echo >&2|exit 1:情况不同|exit 0:恢复：失败 3 次",
        ),
    ] {
        // What it is counted by.
        let script = format!("script{told}");
        for step in steps.split('|') {
            let (end, said) = step.split_once(':').unwrap_or((step, ""));
            sandbox.write(&script, end);
            let line = format!(". {}", sandbox.path(&script).display());
            sh(&sandbox, &format!("--on change {options} --to lisi"), &line).run();
            let reports = texts(&standin, "lisi");
            told += usize::from(!said.is_empty());
            assert_eq!(reports.len(), told, "{options} {step}: {reports:?}");
            if !said.is_empty() {
                reports[told - 1].shows(said);
            }
        }
    }
}

#[test]
fn failures_counted_by_an_older_version_go_on_and_are_no_change() {
    let (standin, sandbox) = set_up();
    let run = |code: i32| {
        sh(
            &sandbox,
            "--on change --to lisi -t job",
            &format!("exit {code}"),
        )
        .run()
    };
    run(7);
    let line = sandbox.read("runs");
    let old: Vec<&str> = line.split_whitespace().take(5).collect();
    sandbox.write("runs", old.join(" ") + "\n");
    run(8);
    assert_eq!(texts(&standin, "lisi").len(), 1);
    run(7);
    run(0);
    let reports = texts(&standin, "lisi");
    assert!(
        reports[1].contains("连续失败 3 次") && reports[2].contains("失败 3 次"),
        "{reports:?}"
    );
}

#[test]
fn a_recovery_tells_how_long_it_took_as_people_read_it() {
    let (standin, sandbox) = set_up();
    let run = |code: i32, lang: &str| {
        let run = sh(
            &sandbox,
            "--on change --to lisi -t job",
            &format!("exit {code}"),
        );
        run.env("WXPUSH_LANG", lang).exits(code)
    };
    for (ago, lang, failures, said) in [
        (0, "zh", 1, "\n恢复：失败 1 次"),
        (0, "en", 3, "\nrecovered, 3 failures"),
        (41 * 60, "en", 3, "\nrecovered after 41 min|, 3 failures"),
        (41 * 60, "zh", 1, "\n恢复：失败 1 次，历时 41 分钟"),
        (26 * 3600, "zh", 1, "，历时 1 天 2 小时"),
    ] {
        (0..failures).for_each(|_| drop(run(1, lang)));
        let line = sandbox.read("runs");
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        // Ahead, so that a slow machine counts as none.
        let now: u64 = words[0].parse().unwrap();
        words[3] = if ago == 0 { now + 600 } else { now - ago }.to_string();
        sandbox.write("runs", words.join(" ") + "\n");
        run(0, lang);
        let report = texts(&standin, "lisi").pop().unwrap();
        said.split('|').for_each(|said| report.shows(said));
    }
}

#[test]
fn stderr_is_a_failure_if_it_is_said_to_be_and_the_exit_code_stays() {
    let (standin, sandbox) = set_up();
    let told = |options: &str, script: &str, code: i32| {
        let before = texts(&standin, "lisi").len();
        let outcome = sh(&sandbox, &format!("{options} --to lisi"), script).exits(code);
        (outcome, texts(&standin, "lisi").split_off(before))
    };
    let script = "echo out; echo err >&2";
    let (_, reports) = told("--on failure", script, 0);
    assert!(reports.is_empty());
    for options in ["--on failure --stderr-fails", "--stderr-fails --no-output"] {
        let (outcome, reports) = told(options, script, 0);
        assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", "err\n"));
        reports[0].begins("❌ echo");
        reports[0].shows("stderr");
    }
    assert!(told("--on success --stderr-fails", script, 0).1.is_empty());
    // cronic's rule, in which a trace is no complaint.
    let rule = "--only-errors --stderr-fails --on failure";
    let (outcome, reports) = told(rule, script, 0);
    assert_eq!((&*outcome.stdout, &*outcome.stderr), ("out\n", "err\n"));
    assert_eq!(reports.len(), 1);
    for script in ["echo out", "set -x; echo out; : \"$(echo in)\""] {
        let (outcome, reports) = told(rule, script, 0);
        assert_eq!(
            (outcome.stdout + &outcome.stderr, reports.len()),
            (String::new(), 0)
        );
    }
    let (outcome, reports) = told(rule, "echo out; exit 3", 3);
    assert_eq!((&*outcome.stdout, reports.len()), ("out\n", 1));
    // Alone, the exit code decides.
    let (outcome, _) = told("--only-errors", script, 0);
    assert_eq!(outcome.stdout + &outcome.stderr, "");
    // Also where both lead to one place, as below cron.
    let program = sandbox.path("wxpush").display().to_string();
    let line =
        format!("exec {program} run --to lisi --stderr-fails -- sh -c 'echo o; echo e >&2' 2>&1");
    let output = Command::new("sh")
        .env_clear()
        .args(["-c", &line])
        .output()
        .unwrap();
    assert_eq!(output.stdout.len(), 4);
    texts(&standin, "lisi").pop().unwrap().begins("❌ echo");
}

#[test]
fn who_forgets_the_dashes_is_shown_the_right_line() {
    let sandbox = Sandbox::empty();
    for (line, right) in [
        ("run echo hi", Some("run -- echo hi")),
        (
            "run --on failure -t job make -j4",
            Some("run --on failure -t job -- make -j4"),
        ),
        ("run", None),
        ("run --bogus make", None),
        ("run --bogus -- make", None),
        ("send --bogus run x", None),
    ] {
        let outcome = sandbox.wxpush(line).exits(64);
        assert_eq!(
            outcome.stderr.contains("behind --: "),
            right.is_some(),
            "{line}"
        );
        assert!(right.is_none_or(|right| outcome.stderr.trim_end().ends_with(right)));
    }
    let output = sandbox.wxpush("run sh -c").arg("echo 5% a").exits(64);
    output.says(r"run -- sh -c 'echo 5'\%' a'");
}

#[test]
fn of_many_runs_at_once_one_tells_the_first_failure_and_one_the_recovery() {
    let (standin, sandbox) = set_up();
    for script in ["exit 1", "exit 0"] {
        let outcomes = at_once(12, |_| {
            sh(&sandbox, "--on change --after 5 -t job --to lisi", script)
        });
        assert!(outcomes.iter().all(|outcome| outcome.stderr.is_empty()));
    }
    let reports = reports(&standin);
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert!(reports[0].contains("连续失败 5 次") && reports[1].contains("恢复：失败 12 次"));
    assert_eq!(sandbox.read("runs"), "");
    assert!(waiting(&sandbox).is_empty());
}

#[test]
fn the_report_goes_to_whom_it_is_sent() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sh(&sandbox, "--robot ops --mention lisi", "echo x").exits(0);
    let company = standin.company();
    company.group(ROBOT_KEY)[0].text.begins("✅ echo");
}

#[test]
fn wrong_options_start_nothing() {
    let (standin, sandbox) = set_up();
    let mark = sandbox.path("started");
    let script = format!("touch {}", mark.display());
    let wrong = "--bogus|--json|--after 0|--after 2 --on success|--on never|--limit 0s|\
                 --limit soon|--tail -1|--to ,|--chat a --to b|--mention x|--timeout x";
    for options in wrong.split('|') {
        sh(&sandbox, options, &script).exits(64);
    }
    sandbox.wxpush("run").exits(64);
    sandbox.wxpush("run touch").arg(&mark).exits(64);
    assert!(!mark.exists() && standin.requests().is_empty());
}

#[test]
fn past_its_limit_a_command_is_ended_with_all_of_its_group() {
    let (standin, sandbox) = set_up();
    let outcome = sh(&sandbox, "--limit 1s --to lisi", "sleep 300 | sleep 300").exits(124);
    assert!(outcome.time < Duration::from_mins(1));
    assert!(reports(&standin)[0].contains("超过时限 1s，已用 SIGTERM 终止"));
    // What does not end by itself is made to.
    let stubborn = "trap '' TERM; while :; do sleep 1; done";
    sh(&sandbox, "--limit 1s --to lisi", stubborn).exits(124);
    assert!(reports(&standin)[1].contains("SIGKILL"));
}

#[test]
fn of_a_long_output_begin_and_end_are_held_back() {
    let (_standin, sandbox) = set_up();
    let last = 9_000_000;
    let line = format!("--only-errors --to lisi -- sh -c 'seq {last}; exit 7'");
    let line = format!("exec \"$0\" run {line} >\"$1/out\"");
    script(&sandbox, &[], &line).exits(7).says("begin and end");
    let (read, whole) = (sandbox.read("out"), 70_888_897);
    assert!(read.len() < whole - (3 << 20), "{}", read.len());
    let middle = read
        .lines()
        .zip(1..)
        .find(|(line, at)| **line != at.to_string());
    let (cut, at): (_, u32) = middle.unwrap();
    assert!(at.to_string().starts_with(cut), "{cut:?} in place of {at}");
    let mut end = read.lines().skip(at as usize).skip(1);
    let first: u32 = end.next().unwrap().parse().unwrap();
    assert!(
        end.map(|it| it.parse::<u32>().unwrap())
            .eq(first + 1..=last)
    );
}
