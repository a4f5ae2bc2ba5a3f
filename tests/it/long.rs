//! Messages past WeCom's limit: split, cut with a mark, as a file, refused; input without end.

use serde_json::json;

use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::support::{Fields, Run, SEND, Words, bodies, set_up, texts, with_robot};

#[test]
fn long_messages_arrive_whole_in_order_and_numbered() {
    let (standin, sandbox) = set_up();
    let lines: String = (0..700).map(|line| format!("第 {line} 行\n")).collect();
    for options in ["--long auto", "--long split --markdown"] {
        standin.company().phones = Default::default();
        let run = sandbox.wxpush(&format!("send --to lisi {options}"));
        run.stdin(&*lines).is_silent();
        let parts = texts(&standin, "lisi");
        assert!((4..=5).contains(&parts.len()), "{}", parts.len());
        let mut whole = String::new();
        for (at, part) in parts.iter().enumerate() {
            assert!(part.len() <= 2048);
            let mark = format!("({}/{})\n", at + 1, parts.len());
            whole.push_str(part.strip_prefix(&mark).expect("a part has its mark"));
            // A part ends with a line.
            assert!(at + 1 == parts.len() || part.ends_with("行\n"));
        }
        assert_eq!(whole, lines.trim_end_matches('\n'));
    }
}

/// Returns the parts that arrived for `options`, without their marks, each within its limit.
fn parts(options: &str, text: &str, max: usize) -> Vec<String> {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    let to = if max > 2048 {
        "--robot ops"
    } else {
        "--to lisi"
    };
    let run = sandbox.wxpush(&format!("send {to} {options}"));
    run.stdin(text).is_silent();
    let arrived: Vec<String> = if max > 2048 {
        let company = standin.company();
        let landed = company.group(ROBOT_KEY).iter();
        landed.map(|landed| landed.text.clone()).collect()
    } else {
        texts(&standin, "lisi")
    };
    let count = arrived.len();
    let unmarked = arrived.iter().enumerate().map(|(at, part)| {
        assert!(part.len() <= max, "{}", part.len());
        let mark = format!("({}/{count})\n", at + 1);
        part.strip_prefix(&mark)
            .expect("a part has its mark")
            .to_owned()
    });
    unmarked.collect()
}

#[test]
fn a_long_table_has_its_header_in_each_part() {
    let header = "| host | disk |\n|------|-----:|\n";
    let rows: String = (0..200)
        .map(|row| format!("| web-{row} | {row} % used |\n"))
        .collect();
    for (options, max) in [("--markdown", 2048), ("--markdown-v2", 4096)] {
        let parts = parts(options, &format!("{header}{rows}"), max);
        assert_eq!(parts.len(), rows.len().div_ceil(max));
        let mut arrived = String::new();
        for part in parts {
            let own = part
                .strip_prefix(header)
                .expect("a part begins with the header");
            arrived.push_str(own.trim_end());
            arrived.push('\n');
        }
        assert_eq!(arrived, rows);
    }
}

#[test]
fn a_long_fence_is_one_in_each_part() {
    let lines: String = (0..300)
        .map(|line| format!("if line == {line} {{ **x }}\n"))
        .collect();
    for (options, max) in [("--markdown", 2048), ("--markdown-v2", 4096)] {
        let parts = parts(options, &format!("```rust\n{lines}```"), max);
        assert!(parts.len() > 1);
        let code = parts.iter().map(|part| {
            let code = part
                .strip_prefix("```rust\n")
                .expect("a part opens the fence");
            code.strip_suffix("```").expect("a part closes the fence")
        });
        assert_eq!(code.collect::<String>(), lines);
    }
}

#[test]
fn a_colour_and_a_link_go_on_in_the_next_part() {
    let words = "some words ".repeat(300);
    for (options, open, close) in [
        ("--markdown", "<font color=\"warning\">", "</font>"),
        ("", "<a href=\"https://x.y/\">", "</a>"),
    ] {
        let parts = parts(options, &format!("{open}{words}{close}."), 2048);
        assert_eq!(parts.len(), 2);
        for part in parts {
            assert!(part.starts_with(open));
            assert_eq!(part.matches(close).count(), 1);
        }
        // The first part alone is no less whole.
        let (standin, sandbox) = set_up();
        let run = sandbox.wxpush(&format!("send --to lisi --long file {options}"));
        run.stdin(format!("{open}{words}{close}.")).is_silent();
        let text = texts(&standin, "lisi").remove(0);
        assert_eq!(
            [open, close].map(|it| text.matches(it).count()),
            [1, 1],
            "{text}"
        );
    }
}

#[test]
fn each_way_with_a_long_message_does_what_it_says() {
    let (standin, sandbox) = set_up();
    let sent = |size: usize, long: &str, code: i32| {
        let before = bodies(&standin).len();
        let run = sandbox.wxpush("send --to lisi --long").arg(long);
        let outcome = run.stdin("x".repeat(size)).exits(code);
        (bodies(&standin).len() - before, outcome.stderr)
    };
    assert_eq!(sent(2048, "reject", 0), (1, String::new()));
    let (_, refusal) = sent(2049, "reject", 65);
    refusal.shows("the message has 2049 bytes, WeCom takes 2048");
    // The first part, and the file.
    assert_eq!(sent(3000, "file", 0), (2, String::new()));
    let last = texts(&standin, "lisi");
    assert!(last[last.len() - 2].ends_with("…（全文 3000 字节，见附件）"));
    let (count, warning) = sent(3000, "truncate", 0);
    assert_eq!(count, 1);
    warning.shows("only its first part is sent");
    let last = texts(&standin, "lisi").pop().unwrap();
    assert_eq!(last.len(), 2048);
    assert!(last.ends_with("…（已截断，全文 3000 字节）"));
    assert_eq!(sent(30_000, "auto", 0), (2, String::new()));
    standin.company().phones = Default::default();
    assert_eq!(sent(20 * 2040, "split", 0), (20, String::new()));
    assert!(sent(210_000, "split", 65).1.contains("more than 99 parts"));
}

#[test]
fn parts_beyond_what_one_member_gets_in_a_minute_are_kept() {
    let (standin, sandbox) = set_up();
    let run = sandbox.wxpush("send --to lisi --long split");
    let outcome = run.stdin("x".repeat(32 * 2040)).exits(75);
    outcome.says("parts 31 to 32 of 32 were not sent (parts 1 to 30 were), and are kept");
    assert_eq!(standin.count(SEND), 30);
    assert_eq!(texts(&standin, "lisi").len(), 30);
}

#[test]
fn a_part_that_fails_stops_the_later_ones_and_the_report_says_which() {
    let (standin, sandbox) = set_up();
    let refusal = Fault::Errcode(44004, "empty content".to_owned());
    standin.script(SEND, [Fault::Delay(std::time::Duration::ZERO), refusal]);
    let run = sandbox.wxpush("send --json --to lisi");
    let outcome = run.stdin("x".repeat(6000)).exits(65);
    let result = outcome.json();
    result.has(json!({"status": "failed", "parts": 3}));
    assert_eq!(result["msgids"].as_array().unwrap().len(), 1);
    result.has(json!({"errcode": 44004, "exit_code": 65}));
    outcome.says("parts 2 to 3 of 3 were not sent (part 1 was) and are in outbox/failed (");
    assert_eq!(standin.count(SEND), 2);
}

#[test]
fn an_endless_input_is_stopped_and_said_to_be_cut() {
    let (standin, sandbox) = set_up();
    let mut yes = std::process::Command::new("sh");
    yes.args(["-c", "yes | \"$0\" send --to lisi"])
        .arg(sandbox.path("wxpush"));
    let outcome = Run::new(yes).env("PATH", "/usr/bin:/bin").exits(0);
    outcome.stderr.shows("longer than 20 MiB");
    assert!(texts(&standin, "lisi")[0].ends_with("…（已截断，附件为开头部分）"));
    let uploaded = standin.count("/cgi-bin/media/upload");
    assert_eq!(uploaded, 1, "what was read goes as a file");
    let text = "x".repeat(21 << 20);
    sandbox.wxpush("send --long reject").stdin(text).exits(65);
}
