//! What reaches the phone: in the phone's language, whatever is spoken at the terminal.

use crate::support::{set_up, texts};

#[test]
fn reports_are_in_the_phones_language() {
    let long = "past its limit of 1s, ended by SIGTERM after 1s";
    for (lang, at, told) in [
        (
            "zh",
            "@",
            [
                "成功，历时 ",
                "失败，退出码 3，历时 ",
                "被信号 9（SIGKILL）终止，历时 ",
                "超过时限 1s，已用 SIGTERM 终止，历时 1s",
                "无法启动：找不到命令（127）",
                "无法启动：Permission denied (os error 13)（126）",
                "失败，退出码 1，历时 ",
                "恢复：失败 2 次",
            ],
        ),
        (
            "en",
            "on",
            [
                "succeeded after ",
                "failed with exit code 3 after ",
                "killed by signal 9 (SIGKILL) after ",
                long,
                "could not start: no such command (127)",
                "could not start: Permission denied (os error 13) (126)",
                "failed with exit code 1 after ",
                "recovered",
            ],
        ),
    ] {
        let (standin, sandbox) = set_up();
        sandbox.configure(&format!("lang = {lang:?}"));
        let change = "--on change --after 2 -t job";
        for (options, command) in [
            ("", ["/bin/sh", "-c", "seq 30"]),
            ("", ["/bin/sh", "-c", "exit 3"]),
            ("", ["/bin/sh", "-c", "kill -9 $$"]),
            ("--limit 1s", ["/bin/sh", "-c", "exec sleep 9"]),
            ("", ["/nowhere", "-", "-"]),
            ("", ["/etc", "-", "-"]),
            (change, ["/bin/sh", "-c", "exit 1"]),
            (change, ["/bin/sh", "-c", "exit 1"]),
            (change, ["/bin/sh", "-c", "exit 0"]),
        ] {
            let run = sandbox.wxpush(&format!("run --to lisi {options} --"));
            run.args(&command).env("PATH", "/usr/bin:/bin").run();
        }
        let texts = texts(&standin, "lisi");
        assert_eq!(texts.len(), told.len(), "{texts:?}");
        for (text, told) in texts.iter().zip(told) {
            assert!(text.contains(&format!(" {at} ")), "{text}");
            assert!(text.contains(told), "no {told:?} in {text}");
        }
        let output = if lang == "zh" {
            "\n…（前面的输出已省略）\n11\n"
        } else {
            "\n… (earlier output left out)\n11\n"
        };
        assert!(texts[0].contains(output), "{}", texts[0]);
        let again = ["连续失败 2 次", "2 failures in a row"];
        assert!(texts[6].ends_with(again[usize::from(lang == "en")]));
    }
}

#[test]
fn the_phones_language_is_the_configs_the_profiles_or_the_environments() {
    let (standin, sandbox) = set_up();
    sandbox.append("[profiles.en]\nlang = \"en\"\n");
    let long = "x".repeat(3000);
    for (profile, variable, note) in [
        ("", "", "（全文 3000 字节，见附件）"),
        ("-p en", "", " (all 3000 bytes are attached)"),
        ("", "en", " (all 3000 bytes are attached)"),
        ("-p en", "zh", " (all 3000 bytes are attached)"),
    ] {
        // The terminal's is another matter.
        let mut run = sandbox.wxpush(&format!("{profile} send --to lisi --long file"));
        run = run.env("LANG", "en_US.UTF-8").stdin(&*long);
        if !variable.is_empty() {
            run = run.env("WXPUSH_LANG", variable);
        }
        run.is_silent();
        let texts = texts(&standin, "lisi");
        assert!(
            texts[texts.len() - 2].ends_with(note),
            "{profile} {variable}"
        );
    }
}
