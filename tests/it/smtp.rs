//! `sendmail -bs`: mails by SMTP on stdin and stdout.

use std::process::Command;

use crate::standin::Standin;
use crate::support::{
    AS_OTHER, SEND, Sandbox, emptied, refusal, script, set_mode, set_up, texts, waiting,
};

/// The codes of the replies to a dialogue; a reply of several lines counts once.
fn replies(sandbox: &Sandbox, input: &str) -> Vec<u16> {
    let outcome = sandbox.wxpush("sendmail -bs").stdin(input).exits(0);
    codes(&outcome.stdout)
}

fn codes(stdout: &str) -> Vec<u16> {
    assert!(stdout.is_ascii(), "{stdout}");
    let lines = stdout.split_terminator("\r\n");
    let last = lines.filter(|line| line.as_bytes()[3] == b' ');
    last.map(|line| line[..3].parse().unwrap()).collect()
}

fn mailing(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::of(standin);
    sandbox.configure("touser = \"zhangsan\"");
    sandbox.append("\n[mail]\n\"boss@*\" = { touser = \"lisi\" }\n");
    sandbox
}

#[test]
fn several_mails_of_one_dialogue_go_to_their_receivers() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let input = "EHLO web1\r\nMAIL FROM:<app@web1> SIZE=100 BODY=8BITMIME\r\nRCPT TO:<root@localhost>\r\nRCPT TO:<boss@corp.cn> NOTIFY=NEVER\r\nDATA\r\nSubject: one\r\nTo: other@example.com\r\n\r\n..dots\r\n.\r\nmail from:<>\r\nrcpt to: boss@corp.cn\r\ndata\r\nSubject: two\r\n\r\nb\r\n.\r\nQUIT\r\nNOOP\r\n";
    let codes = replies(&sandbox, input);
    assert_eq!(
        codes,
        [220, 250, 250, 250, 250, 354, 250, 250, 250, 354, 250, 221]
    );
    assert_eq!(texts(&standin, "zhangsan"), ["one\n.dots"]);
    assert_eq!(texts(&standin, "lisi"), ["one\n.dots", "two\nb"]);
}

#[test]
fn what_is_out_of_order_unknown_or_too_large_is_refused_and_the_dialogue_goes_on() {
    let (standin, sandbox) = set_up();
    for (input, codes) in [
        ("DATA", &[503][..]),
        ("RCPT TO:<root>", &[503]),
        ("MAIL root", &[501]),
        ("MAIL FROM:<a> SIZE=99999999", &[552]),
        (
            "MAIL FROM:<a>\nRCPT TO:<x@example.com>\nDATA",
            &[250, 550, 503],
        ),
        ("MAIL FROM:<a>\nRCPT TO:<>", &[250, 501]),
        (
            "MAIL FROM:<a>\nRCPT TO:<root>\nRSET\nDATA",
            &[250, 250, 250, 503],
        ),
        (
            "MAIL FROM:<a>\nRCPT TO:<root>\nDATA\n.",
            &[250, 250, 354, 554],
        ),
        (
            "STARTTLS\nAUTH PLAIN\nVRFY root\nHELP\nNOOP",
            &[502, 502, 252, 214, 250],
        ),
        ("\u{4e2d}\u{6587}", &[500]),
        ("MAIL FROM:<a>\nMAIL FROM:<b>", &[250, 503]),
        ("MAIL FROM:<a>\nRCPT TO:<ro\0ot>", &[250, 501]),
    ] {
        let lines = input.replace('\n', "\r\n") + "\r\n";
        let found = replies(&sandbox, &format!("HELO x\r\n{lines}"));
        assert_eq!(&found[2..], codes, "{input}");
    }
    // A long line is one command, whatever stands in it.
    for long in [4090, 4096, 10_000] {
        let line = format!(
            "NOOP {}MAIL FROM:<a>\r\nRCPT TO:<root>\r\n",
            "x".repeat(long)
        );
        let found = replies(&sandbox, &line);
        assert_eq!(found.len(), 3, "{long}");
        assert_eq!(found[2], 503, "{long}");
    }
    let huge = "x".repeat(26 << 20);
    let input = format!("MAIL FROM:<a>\r\nRCPT TO:<root>\r\nDATA\r\n{huge}\r\n.\r\nNOOP\r\n");
    assert_eq!(replies(&sandbox, &input), [220, 250, 250, 354, 552, 250]);
    assert_eq!(standin.count(SEND), 0);
}

#[test]
fn a_mail_with_other_line_ends_than_its_dialogue_arrives_or_is_said_not_to() {
    let (standin, sandbox) = set_up();
    let dialogue = |commands: &str, mail: &str, dot: &str| {
        let commands = "MAIL FROM:<a>\nRCPT TO:<root>\nDATA\n".replace('\n', commands);
        let mail = "Subject: s\n\n.\n".replace('\n', mail);
        format!("{commands}{}{dot}", mail.replace("\n.", "\n.."))
    };
    for dot in [".\n", ".\r\n", ".\nQUIT\n"] {
        let input = dialogue("\n", "\r\n", dot);
        let codes = replies(&sandbox, &input);
        assert_eq!(codes[3..5], [354, 250], "{dot:?}");
    }
    assert_eq!(texts(&standin, "zhangsan"), ["s\n."; 3]);
    for input in [
        dialogue("\r\n", "\n", ".\n"),
        dialogue("\r\n", "\n", ".\r\n"),
        dialogue("\n", "\n", ""),
    ] {
        let outcome = sandbox.wxpush("sendmail -bs").stdin(input).exits(65);
        assert_eq!(codes(&outcome.stdout)[3..], [354, 451]);
        outcome.says("ended within a mail");
    }
    assert_eq!(texts(&standin, "zhangsan").len(), 3);
}

#[test]
fn a_reply_says_whether_the_mail_is_kept_to_be_sent_again_or_refused() {
    let mail = "MAIL FROM:<a>\r\nRCPT TO:<root>\r\nDATA\r\nSubject: s\r\n\r\nb\r\n.\r\n";
    for (fault, more, code, left) in [
        (refusal(60020), "", 250, 1),
        (refusal(60020), "\n[outbox]\nenabled = false\n", 451, 0),
        (refusal(40058), "", 554, 0),
    ] {
        let (standin, sandbox) = set_up();
        sandbox.append(more);
        standin.script(SEND, std::iter::repeat_n(fault, 9));
        assert_eq!(replies(&sandbox, mail)[4], code, "{more}");
        if more.is_empty() {
            assert_eq!(waiting(&sandbox).len(), left);
        }
    }
}

#[test]
#[ignore = "needs root: another user, by setpriv"]
fn a_user_who_may_not_read_the_config_leaves_mails_in_the_maildrop() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let maildrop = sandbox.path("maildrop");
    sandbox.configure(&format!("maildrop = \"{}\"", maildrop.display()));
    std::fs::create_dir(&maildrop).unwrap();
    set_mode(&maildrop, 0o1733);
    let run = script(&sandbox, &AS_OTHER, "exec \"$0\" sendmail -bs");
    let input = "MAIL FROM:<a>\r\nRCPT TO:<boss@corp.cn>\r\nDATA\r\nSubject: s\r\n\r\nb\r\n.\r\n";
    let outcome = run.env("WXPUSH_MAILDROP", &maildrop).stdin(input).exits(0);
    assert_eq!(codes(&outcome.stdout), [220, 250, 250, 354, 250]);
    sandbox.wxpush("outbox flush").is_silent();
    assert!(texts(&standin, "lisi")[0].ends_with("nobody：s\nb"));
    assert_eq!(emptied(&sandbox), ["failed", "once"]);
}

#[test]
fn a_client_of_the_library_speaks_it() {
    let standin = Standin::start();
    let sandbox = mailing(&standin);
    let script = "import smtplib,socket,subprocess,sys\n\
a,b=socket.socketpair()\n\
p=subprocess.Popen([sys.argv[1],'sendmail','-bs'],stdin=b,stdout=b)\n\
b.close()\n\
class Pipe(smtplib.SMTP):\n def _get_socket(self,*_): return a\n\
s=Pipe('pipe')\n\
r=s.sendmail('a@b',['root','x@example.com'],'Subject: py\\n\\n.dot\\nbody')\n\
print(sorted(r))\n\
s.quit()\n\
sys.exit(p.wait())\n";
    let output = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(sandbox.path("wxpush"))
        .output();
    let output = output.expect("python3 is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, b"['x@example.com']\n");
    assert_eq!(texts(&standin, "zhangsan"), ["py\n.dot\nbody"]);
}
