//! Text from outside: WeCom shows its markup, and doesn't obey it.

use crate::standin::{Fault, ROBOT_KEY, Standin};
use crate::support::{GETTOKEN, Sandbox, files, flush, sh, texts, waiting, with_robot};

/// What WeCom would obey in a text.
const MARKUP: [&str; 4] = ["<a href", "</a", "<@", "<A\n"];

/// What breaks it.
const BREAK: &str = "\u{200b}";

/// Holds that a text has no markup, and looks like `expected` somewhere.
#[track_caller]
fn shows(text: &str, expected: &str) {
    for markup in MARKUP {
        assert!(!text.contains(markup), "{markup:?} in {text:?}");
    }
    let seen = text.replace(BREAK, "");
    assert!(seen.contains(expected), "{expected:?} in {seen:?}");
}

/// A sandbox with a robot; mails go to zhangsan.
fn with_mail(standin: &Standin) -> Sandbox {
    let sandbox = with_robot(standin);
    sandbox.configure("touser = \"zhangsan\"\nprefix = \"<@lisi> \"");
    sandbox
}

#[test]
fn markup_of_commands_and_mails_is_shown_and_that_of_send_and_the_config_obeyed() {
    let standin = Standin::start();
    let sandbox = with_mail(&standin);
    let evil = "<a href=\"http://evil.example\">bank</a> <@zhangsan>";
    let script = format!("printf '%s\\n' '{evil}'; exit 1");
    sh(&sandbox, "--robot ops --mention lisi", &script).exits(1);
    sandbox
        .wxpush("run --robot ops -t")
        .arg(evil)
        .args(&["--", "/bin/true"])
        .exits(0);
    for landed in standin.company().group(ROBOT_KEY) {
        let text = landed.text.strip_prefix("<@lisi> ").unwrap();
        shows(text, evil);
    }
    let mail = format!(
        "Subject: {evil}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{evil} <A\nhref=x>\n--b\nContent-Disposition: attachment; filename=\"<a href=x>.pdf\"\n\n\n--b--\n"
    );
    sandbox.wxpush("sendmail root").stdin(mail).exits(0);
    let landed = texts(&standin, "zhangsan").pop().unwrap();
    let text = landed.strip_prefix("<@lisi> ").unwrap();
    shows(text, &format!("{evil}\n{evil} <A\nhref=x>\n"));
    sandbox.send(evil).is_silent();
    let sent = texts(&standin, "zhangsan").pop().unwrap();
    assert_eq!(sent, format!("<@lisi> {evil}"));
}

#[test]
fn markup_counts_when_a_text_is_split_and_a_file_keeps_it() {
    let standin = Standin::start();
    let sandbox = with_mail(&standin);
    let line = "<a href=x>y</a> ";
    for (count, parts) in [(500, 6), (3000, 1)] {
        let before = texts(&standin, "zhangsan").len();
        let mail = format!("Subject: s\n\n{}", line.repeat(count));
        sandbox.wxpush("sendmail root").stdin(mail).exits(0);
        let landed = texts(&standin, "zhangsan").split_off(before);
        let landed: Vec<_> = landed
            .iter()
            .filter(|it| !it.starts_with("[文件]"))
            .collect();
        assert!(landed.len() <= parts, "{}", landed.len());
        for text in landed {
            assert!(text.len() <= 2048);
            shows(&text.replace("<@lisi> ", ""), "y</a>");
        }
    }
    let file = files(&standin, "zhangsan").pop().unwrap();
    let text = String::from_utf8(file.bytes.to_vec()).unwrap();
    assert!(text.contains(line.repeat(3000).trim_end()));
    // The end of an output is in the report, however much markup stands before it.
    let script = "i=0; while [ $i -lt 400 ]; do echo '<a b</a'; i=$((i+1)); done; echo the end";
    sh(&sandbox, "--tail 400", script).exits(0);
    let report = texts(&standin, "zhangsan").pop().unwrap();
    assert!(
        report.len() <= 2048 && report.ends_with("the end"),
        "{report}"
    );
}

#[test]
fn markup_does_not_come_about_where_texts_are_merged() {
    let standin = Standin::start();
    let sandbox = with_mail(&standin);
    standin.always(GETTOKEN, Fault::Hang);
    for text in ["one <", "@all> two <a", "href=x>three</a> <", "/a>"] {
        let mail = format!("\n{text}\n");
        let run = sandbox.wxpush("sendmail -odq root");
        run.stdin(mail).is_silent();
    }
    assert_eq!(waiting(&sandbox).len(), 4);
    standin.mend();
    flush(&sandbox).is_silent();
    let [text] = &texts(&standin, "zhangsan")[..] else {
        panic!("they are merged");
    };
    let text = text.replace("<@lisi> ", "");
    for markup in ["<\n", "<a\n", "</"] {
        assert!(!text.contains(markup), "{markup:?} in {text:?}");
    }
    shows(&text, "one <\n@all> two <a\nhref=x>three</a> <\n/a>");
}
