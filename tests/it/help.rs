//! Help, manual pages and what a wrong command line is answered, in both languages.

use crate::support::chinese::COMMANDS;
use crate::support::{Run, Sandbox};

/// Every command, and those below it.
const ALL: [&str; 26] = [
    "",
    "send",
    "run",
    "runs",
    "runs list",
    "runs forget",
    "sendmail",
    "outbox",
    "outbox list",
    "outbox show",
    "outbox flush",
    "outbox drop",
    "outbox retry",
    "upload",
    "recall",
    "token",
    "token print",
    "api",
    "check",
    "init",
    "callback",
    "explain",
    "crontab",
    "completions",
    "man",
    "token status",
];

/// The columns of a line at a terminal.
fn width(line: &str) -> usize {
    let is_wide = |it: char| matches!(it, '\u{2e80}'..='\u{a4cf}' | '\u{ff00}'..='\u{ff60}');
    line.chars().map(|it| if is_wide(it) { 2 } else { 1 }).sum()
}

fn in_english(sandbox: &Sandbox, args: &str) -> String {
    sandbox.wxpush(args).exits(0).stdout
}

fn in_chinese(sandbox: &Sandbox, args: &str) -> String {
    sandbox.wxpush(args).in_chinese().exits(0).stdout
}

#[test]
fn no_line_of_any_help_passes_eighty_columns() {
    let sandbox = Sandbox::empty();
    for command in ALL {
        let args = format!("{command} --help");
        for help in [in_english(&sandbox, &args), in_chinese(&sandbox, &args)] {
            for line in help.lines() {
                assert!(width(line) <= 80, "{command}: {}: {line}", width(line));
            }
        }
    }
    let listed = in_english(&sandbox, "--help");
    for command in ALL.iter().filter(|it| !it.is_empty() && !it.contains(' ')) {
        assert!(listed.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn a_chinese_help_has_nothing_english_of_claps_and_the_same_options() {
    let sandbox = Sandbox::empty();
    let options = |help: &str| {
        let lines = help
            .lines()
            .map(str::trim_start)
            .filter(|line| line.starts_with('-'));
        let names = lines.filter_map(|line| line.split([' ', '[']).find(|it| it.starts_with("--")));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    for command in ALL {
        let args = format!("{command} --help");
        let (english, chinese) = (in_english(&sandbox, &args), in_chinese(&sandbox, &args));
        assert!(
            english.contains("Usage: ") && chinese.contains("用法："),
            "{command}"
        );
        for mark in [
            "Usage:",
            "Options:",
            "Arguments:",
            "Commands:",
            "Print ",
            "[default",
            "Possible",
            "Examples",
        ] {
            assert!(!chinese.contains(mark), "{command}: {mark}: {chinese}");
        }
        assert_eq!(options(&english), options(&chinese), "{command}");
    }
}

#[test]
fn help_and_a_command_is_the_help_of_that_command() {
    let sandbox = Sandbox::empty();
    for command in ALL {
        let long = in_english(&sandbox, &format!("{command} --help"));
        assert_eq!(
            in_english(&sandbox, &format!("help {command}")),
            long,
            "{command}"
        );
    }
    let outcome = sandbox.wxpush("help sned").exits(64);
    outcome.says("there is no command sned").says("wxpush send");
    let outcome = sandbox.wxpush("help nosuch").exits(64).says("wxpush help");
    assert!(!outcome.stderr.contains("send"), "{outcome:?}");
}

#[test]
fn wxpush_alone_ends_with_what_to_do_first() {
    let sandbox = Sandbox::empty();
    for (run, words) in [
        (sandbox.wxpush(""), "To begin: wxpush init"),
        (sandbox.wxpush("").in_chinese(), "第一步：wxpush init"),
    ] {
        let outcome = run.exits(64);
        let last = outcome.stderr.trim_end().lines().last().unwrap_or_default();
        assert!(last.starts_with(words), "{last}");
    }
}

#[test]
fn a_typo_or_a_missing_word_is_answered_with_the_right_line() {
    let sandbox = Sandbox::empty();
    for (args, english, chinese, line) in [
        (
            "sned hello",
            "no command sned",
            "没有 sned 这个命令",
            "send hello",
        ),
        (
            "hello",
            "no command hello",
            "没有 hello 这个命令",
            "send hello",
        ),
        (
            "send --titel x y",
            "no option --titel",
            "没有 --titel 这个选项",
            "send --title x y",
        ),
        (
            "send --titel=x y",
            "no option --titel",
            "没有 --titel 这个选项",
            "send --title=x y",
        ),
        (
            "-t Disk full",
            "no option -t",
            "没有 -t 这个选项",
            "send -t Disk full",
        ),
        ("run echo hi", "--: ", "写在 -- 后面", "run -- echo hi"),
        (
            "run --on fail -- true",
            "cannot be fail",
            "不能是 fail",
            "failure",
        ),
        (
            "outbox lst",
            "no command lst",
            "没有 lst 这个命令",
            "outbox list",
        ),
        (
            "send --wait 3 x",
            "no option --wait",
            "没有 --wait 这个选项",
            "wxpush help send",
        ),
        (
            "send --timeout",
            "--timeout needs a value",
            "--timeout 后面要有值",
            "wxpush help send",
        ),
        (
            "send --timeout soon x",
            "--timeout is not a duration",
            "--timeout 不是一段时间",
            "90s",
        ),
        ("send -q -v x", "cannot be used with", "不能与", "-v"),
        ("explain abc", "must be a number", "<ERRCODE>", "60020"),
        (
            "explain",
            "missing: <ERRCODE>...",
            "缺少 <ERRCODE>...",
            "wxpush help explain",
        ),
        (
            "check --json=yes",
            "--json takes no value",
            "--json 后面没有值",
            "wxpush help check",
        ),
    ] {
        let outcome = sandbox.wxpush(args).exits(64).says(english);
        assert!(outcome.stderr.contains(line), "{args}: {}", outcome.stderr);
        assert!(outcome.stderr.starts_with("wxpush: error: "), "{args}");
        let outcome = sandbox.wxpush(args).in_chinese().exits(64).says(chinese);
        assert!(outcome.stderr.contains(line), "{args}: {}", outcome.stderr);
        let outcome = outcome.is_chinese();
        assert!(outcome.stderr.lines().count() <= 2, "{}", outcome.stderr);
    }
}

#[test]
fn a_command_without_its_action_is_told_with_its_help() {
    let sandbox = Sandbox::empty();
    let outcome = sandbox.wxpush("outbox").exits(64);
    outcome
        .says("  flush ")
        .says("error: what to do is missing");
    let outcome = sandbox.wxpush("outbox").in_chinese().exits(64);
    outcome.says("  flush ").says("错误：还要写明做什么");
}

#[test]
fn a_locale_that_is_set_and_is_not_chinese_means_english_and_none_means_chinese() {
    let sandbox = Sandbox::empty();
    let english = "what to do: ";
    for (name, value, words) in [
        ("LANG", "C", english),
        ("LANG", "POSIX", english),
        ("LANG", "C.UTF-8", english),
        ("LANG", "de_DE.UTF-8", english),
        ("LANG", "", "怎么办："),
        ("LANG", "zh_TW.UTF-8", "怎么办："),
        ("LC_ALL", "zh_CN.UTF-8", "怎么办："),
        ("LC_MESSAGES", "zh_CN.UTF-8", "怎么办："),
    ] {
        let outcome = sandbox.wxpush("explain 60020").env(name, value).exits(0);
        assert!(outcome.stdout.contains(words), "{name}={value}");
    }
    let run = || sandbox.wxpush("explain 60020").env("LC_ALL", "C");
    let outcome = run().env("LANG", "zh_CN.UTF-8").exits(0);
    assert!(outcome.stdout.contains(english));
}

#[test]
fn manual_pages_have_their_sections_in_both_languages() {
    let sandbox = Sandbox::empty();
    let english = [
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "EXAMPLES",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "KEYS OF THE CONFIG",
    ];
    let chinese = [
        "名称",
        "概要",
        "选项",
        "示例",
        "退出状态",
        "环境变量",
        "文件",
        "配置的键",
    ];
    let page = |run: Run| run.exits(0).stdout;
    for (page, titles) in [
        (page(sandbox.wxpush("man")), english),
        (page(sandbox.wxpush("man").in_chinese()), chinese),
    ] {
        for title in titles {
            let line = [format!("\n.SH {title}\n"), format!("\n.SH \"{title}\"\n")];
            assert!(line.iter().any(|it| page.contains(it)), "{title}: {page}");
        }
    }
    let dir = sandbox.path("man1").display().to_string();
    sandbox
        .wxpush("man --dir")
        .arg(&dir)
        .in_chinese()
        .is_silent();
    let page = sandbox.read("man1/wxpush-send.1");
    assert!(page.contains("图片") && page.contains("示例"), "{page}");
    for name in sandbox.path("man1").read_dir().unwrap().flatten() {
        let page = std::fs::read_to_string(name.path()).unwrap();
        assert!(page.contains(".SH \"退出状态\""), "{:?}", name.file_name());
    }
    assert!(COMMANDS.contains(&"callback"));
}
