//! What people read of messages, mails and commands in Chinese: no English is left in it, and a
//! script sees no difference.

use crate::standin::{Fault, SECRET, Standin};
use crate::support::chinese::hold;
use crate::support::{
    GETTOKEN, Outcome, SEND, Sandbox, Words, failed, for_each, keep, png, refusal, set_up, texts,
    waiting, with_robot,
};

/// Holds that all of a result for a person is Chinese.
#[track_caller]
fn shows(outcome: Outcome, words: &str) {
    let outcome = outcome.exits(0);
    outcome.stdout.lines().for_each(hold);
    outcome.stdout.shows(words);
}

#[test]
fn whatever_is_refused_before_it_leaves_is_told_in_either_language() {
    let (long, longer) = ("x".repeat(2049), "x".repeat(210_000));
    let to_secret = format!("send --to {SECRET} x");
    let to_long = format!("send --to {} x", "x".repeat(65));
    let table = [
        ("send", "", 65),
        (&*to_secret, "", 64),
        (&*to_long, "", 64),
        ("send --to , x", "", 64),
        ("send --to 张三 x", "", 64),
        ("send --to @ALL x", "", 64),
        ("send --party two x", "", 64),
        ("send --tag two x", "", 64),
        ("send --chat 群 x", "", 64),
        ("send --file media_id:", "", 64),
        ("send --safe --robot ops x", "", 64),
        ("send --safe --markdown x", "", 64),
        ("send --safe --voice x", "", 64),
        ("send --id-trans --markdown x", "", 64),
        ("send --id-trans --robot ops x", "", 64),
        ("send --dedupe 1h --robot ops x", "", 64),
        ("send --dedupe 5h x", "", 64),
        ("send --robot ops --mention @all --markdown x", "", 64),
        ("send --name a x", "", 64),
        ("send --url https://x x", "", 64),
        ("send --raw - x", "", 64),
        ("send --file - -", "", 64),
        ("send --file -", "x", 64),
        ("send --card --url https://x x", "", 64),
        ("send --card --url https://x -t T", "", 65),
        ("callback --listen 8080", "", 64),
        ("send --robot ops --video x", "", 64),
        ("send --raw -", "junk", 65),
        ("send --raw -", "[]", 65),
        ("send --raw -", "{}", 65),
        ("send --raw -", r#"{"msgtype":"text","agentid":7}"#, 65),
        ("send --long reject", &long, 65),
        ("send --long split", &longer, 65),
        ("send --file nowhere", "", 66),
        ("send --safe --file a.bin", "", 65),
        ("explain 12345", "", 65),
        ("api GET https://x", "", 64),
        ("api GET user/../get", "", 64),
        ("api GET user/get?access_token=1", "", 64),
        ("api GET user/get -d {}", "", 64),
        ("api POST x -d junk", "", 65),
        ("api POST x -d @nowhere", "", 66),
        ("api POST x -F junk", "", 64),
        ("recall 消息", "", 64),
        ("upload nowhere", "", 66),
        ("upload --robot ops a.png", "", 64),
        ("outbox show zz", "", 65),
        ("sendmail", "x", 64),
        ("sendmail -z root", "x", 64),
        ("sendmail -bd", "", 64),
        ("sendmail -q15m", "", 64),
        ("sendmail -f", "", 64),
        ("sendmail -t", "Subject: x\n\nx", 65),
        ("sendmail root", "From: x\n\n \n", 65),
        ("sendmail a@example.com", "x", 67),
        ("run --json -- true", "", 64),
        ("run --after 2 --on success -- true", "", 64),
        ("run --after 0 -- true", "", 64),
        ("run --tail x -- true", "", 64),
        ("send --once= x", "", 64),
        ("send --encoding klingon x", "", 64),
        ("crontab @often -- send x", "", 64),
        ("crontab @daily -- sned x", "", 64),
        ("man --dir a.bin/x", "", 74),
    ];
    let standin = Standin::start();
    for_each(table, |(args, stdin, code)| {
        let sandbox = with_robot(&standin);
        sandbox.write("a.png", png());
        sandbox.write("a.bin", b"\0\x01\x02\x03\x04\x05");
        let run = || sandbox.wxpush(args).stdin(stdin).cwd(sandbox.path(""));
        let english = run().exits(code).says("wxpush: error: ");
        assert!(!english.stderr.contains(['，', '：', '。']), "{english:?}");
        run().in_chinese().exits(code).is_chinese();
    });
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn what_becomes_of_a_message_is_told_in_chinese() {
    let pass = Fault::Delay(std::time::Duration::ZERO);
    let three = "x".repeat(6000);
    let lost = [vec![Fault::CutAfter], vec![refusal(6000); 20]].concat();
    let set_up_bad = vec![refusal(60020)];
    let second_empty = vec![pass.clone(), refusal(44004)];
    let third_bad = vec![pass.clone(), pass, refusal(60020)];
    let begins = [
        "消息未发送，已存入发件箱（",
        "消息未发送，也没有保留：",
        "消息未发送，已移入 outbox/failed（",
        "消息可能已送达，也可能没有（没收到答复），也没有保留：",
        "消息（共 3 段）未发送，已移入",
        "第 2 至 3 段（共 3 段）未发送（第 1 段已发送），已移入",
        "第 3 段（共 3 段）未发送（第 1 至 2 段已发送），已存入发件箱（",
    ];
    let table = [
        ("--timeout 1s", "x", set_up_bad.clone(), 77),
        ("--no-outbox", "x", set_up_bad, 77),
        ("", "x", vec![refusal(44004)], 65),
        ("--timeout 1s --no-outbox", "x", lost, 75),
        ("", &three, vec![refusal(44004)], 65),
        ("", &three, second_empty, 65),
        ("", &three, third_bad, 77),
    ];
    for_each(begins.into_iter().zip(table), |(words, row)| {
        let (options, stdin, faults, code) = row;
        let (standin, sandbox) = set_up();
        standin.script(SEND, faults);
        let run = sandbox.wxpush(&format!("send --json --to lisi {options}"));
        let outcome = run.stdin(stdin).in_chinese().exits(code);
        let outcome = outcome.says(words).is_chinese();
        let result = outcome.json();
        assert!(result["error"].as_str().unwrap().starts_with(words));
        let status = result["status"].as_str().unwrap();
        assert!(["queued", "failed"].contains(&status), "{status}");
    });
}

#[test]
fn what_goes_well_in_part_or_with_a_warning_is_told_in_chinese() {
    let (_standin, sandbox) = set_up();
    let send = |args: &str, stdin: &[u8]| {
        let run = sandbox.wxpush(&format!("send {args}")).stdin(stdin);
        run.in_chinese().run()
    };
    let outcome = send("--to lisi,ghost x", b"").exits(67);
    outcome.says("无法送达：invaliduser ghost").is_chinese();
    let outcome = send("", b"\xff").exits(0);
    outcome.says("1 个字符不是 UTF-8").is_chinese();
    let outcome = send("--encoding gbk", b"\xff").exits(0);
    outcome.says("不是 --encoding 指定的编码").is_chinese();
    let outcome = send("--long truncate", &[b'x'; 3000]).exits(0);
    outcome.says("消息有 3000 字节：").is_chinese();
    let card = br#"{"msgtype":"template_card","template_card":{"card_type":"vote_interaction","task_id":"t","main_title":{"title":"t"},"checkbox":{"question_key":"k","option_list":[{"id":"i","text":"t"}]},"submit_button":{"key":"k"}}}"#;
    let outcome = send("--no-outbox --raw -", card).exits(77);
    outcome.says("43012").is_chinese();
    sandbox.configure("safe = true\nshow_in = \"wechat\"");
    let outcome = send("--no-outbox --raw -", card).exits(77);
    let outcome = outcome.says("template_card 消息：它可以被转发");
    outcome.says("微信里显示不了 template_card").is_chinese();
    sandbox.write("a.bin", b"\0\x01\x02\x03\x04\x05");
    let path = sandbox.path("a.bin").display().to_string();
    let outcome = send(&format!("--file {path}"), b"").exits(0);
    outcome.says("企业微信只保护 txt、pdf").is_chinese();
    let outcome = send("-v hello", b"").exits(0);
    outcome.stdout.shows("已发送：msgid ");
}

#[test]
fn the_outbox_is_shown_in_chinese_and_to_scripts_as_ever() {
    let (standin, sandbox) = set_up();
    let run = |args: &str| sandbox.wxpush(args).in_chinese().run();
    shows(run("-v outbox list"), "没有等待的消息，也没有失败的");
    standin.script(SEND, [refusal(81013)]);
    run("send --to lisi 无人").exits(69).is_chinese();
    let id = keep(&standin, &sandbox, "send --party 2 --tag 7 等待");
    let lines = run("outbox list").exits(0).stdout;
    let lines: Vec<&str> = lines.lines().collect();
    lines[0].shows(&format!("{id}  等待  预计 20"));
    lines[0].shows("  发给 部门 2、标签 7  已试 1 次  等待");
    assert!(lines[2].contains("  失败  ") && lines[3].contains("企业微信拒绝："));
    let shown = run(&format!("outbox show {id}")).exits(0).stdout;
    assert!(shown.contains("\n    存入时间：20"), "{shown}");
    assert!(shown.ends_with("--- 第 1 段，共 1 段\n等待\n"), "{shown}");
    let [chinese, english] = ["zh_CN.UTF-8", "en_US.UTF-8"].map(|lang| {
        let run = sandbox.wxpush("outbox show --json").arg(&id);
        let mut shown = run.env("LANG", lang).exits(0).json();
        shown["due"] = "then".into();
        shown
    });
    assert_eq!(chinese, english);
    assert_eq!(chinese["to"], "party 2, tag 7");
    let failed = failed(&sandbox).remove(0);
    shows(run(&format!("-v outbox retry {failed}")), "将重新发送");
    let status = run(&format!("--json outbox retry {failed}")).json();
    assert_eq!(status["status"], "to be tried again");
    standin.always(SEND, refusal(60020));
    let outcome = run("-v outbox flush").exits(77);
    outcome.stdout.shows("已发送 0 条，剩余 2 条，放弃 0 条\n");
    outcome.stderr.shows("错误：2 条留在发件箱：");
    standin.always(SEND, refusal(44004));
    let outcome = run("outbox flush").exits(0).is_chinese();
    outcome.says("被拒绝，已移入 failed/：企业微信拒绝：errcode 44004");
    standin.mend();
    assert!(waiting(&sandbox).is_empty());
    shows(run(&format!("-v outbox drop {id}")), "已移除");
}

#[test]
fn tokens_recalls_and_codes_are_told_of_in_chinese() {
    let (standin, sandbox) = set_up();
    let run = |args: &str| sandbox.wxpush(args).in_chinese().run();
    shows(run("token"), "没有缓存的 access_token");
    let sent = sandbox.wxpush("--json send --to lisi x").exits(0);
    let msgid = sent.json()["msgids"][0].as_str().unwrap().to_owned();
    shows(run("token"), "access_token 获取于 20");
    shows(run(&format!("-v recall {msgid}")), "已撤回；");
    sandbox.age_token(7100);
    shows(run("token"), "已用完：下次发送时会重新获取");
    standin.script(GETTOKEN, [Fault::Errcode(40001, "no".into())]);
    run("token refresh").exits(77).is_chinese();
    shows(run("token"), "access_token：errcode 40001");
    shows(run("explain 40001"), "（gettoken 时）：");
    sandbox.wxpush("token clear").exits(0);
    standin.always("/cgi-bin/appchat/update", Fault::HangProcessed);
    let outcome = run("api POST appchat/update --timeout 1s").exits(75);
    outcome.says("错误：不知道调用是否已执行，没收到企业微信的答复：");
}

#[test]
fn a_code_is_explained_in_the_language_of_the_config_if_there_is_one() {
    let sandbox = Sandbox::empty();
    for (config, locale, words) in [
        ("lang = \"en\"", "", "what to do: "),
        ("lang = \"zh\"", "en_US.UTF-8", "怎么办："),
        ("lang = \"fr\"", "en_US.UTF-8", "what to do: "),
        ("junk", "", "怎么办："),
    ] {
        sandbox.write("config.toml", config);
        let outcome = sandbox.wxpush("explain 60020").env("LANG", locale).run();
        let outcome = outcome.exits(0);
        assert!(outcome.stdout.contains(words), "{config}: {outcome:?}");
        assert_eq!(outcome.stderr, "");
    }
    let run = sandbox.wxpush("-c /nowhere.toml explain 60020");
    run.in_chinese().exits(0);
}

#[test]
fn commands_and_their_lines_for_cron_are_spoken_of_in_chinese() {
    let (standin, sandbox) = set_up();
    let run = |args: &str| sandbox.wxpush(args).in_chinese().run();
    for program in ["/nowhere/x", "/etc"] {
        let outcome = run(&format!("run --to lisi -- {program}"));
        outcome.says("无法运行：").is_chinese();
    }
    let outcome = run("run --to lisi --limit 1s -- /bin/sleep 9").exits(124);
    outcome.says("已用 SIGTERM 终止").is_chinese();
    assert_eq!(texts(&standin, "lisi").len(), 3);
    let outcome = run("crontab @hourly -- send x").exits(0);
    outcome.says("建议改为 '7 * * * *'").is_chinese();
    let run = sandbox.wxpush("crontab @daily -- send").arg("a\nb");
    run.in_chinese().exits(64).is_chinese();
}
