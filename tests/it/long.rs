//! Messages past WeCom's limit: split, cut with a mark, as a file, refused; input without end.

use serde_json::json;

use crate::standin::Fault;
use crate::support::{Fields, Run, SEND, Words, bodies, set_up, texts};

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
