//! The main job, shown without an account: a WeCom on loopback, and the real program sending through it.
//!
//! `cargo run --example demo -- "backup done"` sends one message and shows what came of it; with
//! `--stay` the WeCom stays up with a page of phones, for any `wxpush` command to be tried against it.

mod screen;
mod stage;
#[path = "../standin/mod.rs"]
mod standin;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use screen::{show_phone, watch};
use stage::{Stage, quoted};
use standin::{AGENTID, CORPID, Company, SECRET, Standin};

/// Where the WeCom of `--stay` is found, at each start the same.
const ADDRESS: &str = "127.0.0.1:18020";

/// Whose phone is shown.
pub(crate) const MEMBER: &str = "zhangsan";

const HELP: &str = "\
cargo run --example demo -- [--stay] [MESSAGE]...

Starts a stand-in for WeCom on this machine, sends MESSAGE through it with the real wxpush,
and shows the phone, the token cache and the log. With --stay the stand-in stays up until Ctrl-C,
and shows its phones in a browser.";

pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Picks the Chinese or the English of two sentences.
type Say = fn(&'static str, &'static str) -> &'static str;

fn main() -> ExitCode {
    let mut stay = false;
    let mut words = Vec::new();
    let mut options = true;
    let args = env::args_os().skip(1);
    for word in args.map(|word| word.to_string_lossy().into_owned()) {
        match word.as_str() {
            "--" if options => options = false,
            "--stay" if options => stay = true,
            "-h" | "--help" if options => {
                return end(writeln!(io::stdout(), "{HELP}").map_err(Into::into));
            }
            _ => words.push(word),
        }
    }
    let message = words.join(" ");
    end(if stay {
        stay_up(&message)
    } else {
        show_once(if words.is_empty() {
            "backup done"
        } else {
            &message
        })
    })
}

/// The exit status, after the error if there is one, in a line.
fn end(result: Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let kind = error.downcast_ref().map(io::Error::kind);
    if kind == Some(io::ErrorKind::BrokenPipe) {
        // The reader has seen enough.
        return ExitCode::SUCCESS;
    }
    // If even that cannot be printed, nothing can be.
    let _ = writeln!(io::stderr(), "demo: {error}");
    ExitCode::FAILURE
}

/// Sends one message, and shows all that came of it.
fn show_once(message: &str) -> Result<()> {
    let standin = Standin::start();
    let stage = Stage::set("demo", &standin.base())?;
    let mut out = io::stdout();
    stage.send(message)?;
    for landed in standin.company().phone(MEMBER) {
        show_phone(&landed)?;
    }
    stage.show_files()?;
    let asks = standin.count("/cgi-bin/gettoken");
    writeln!(
        out,
        "\nNothing left this machine: WeCom was a stand-in at {}, asked for a token {}.\n\
         Try it yourself:   cargo run --example demo -- --stay\n\
         The real thing:    README.md, \"Send the first message\"",
        standin.base(),
        if asks == 1 {
            "once".to_owned()
        } else {
            format!("{asks} times")
        },
    )?;
    Ok(())
}

/// Keeps a WeCom up, and shows each message as it lands, until the process is ended.
fn stay_up(message: &str) -> Result<()> {
    let standin = Standin::start_at(ADDRESS)
        .map_err(|error| format!("no WeCom at {ADDRESS} ({error}): is another demo still up?"))?;
    let stage = Stage::set("demo-stay", &standin.base())?;
    let chinese = speaks_chinese();
    if !chinese {
        name_in_english(&mut standin.company());
    }
    let say: Say = if chinese { |zh, _| zh } else { |_, en| en };
    tell_commands(&standin.base(), &stage, say)?;
    tell_init(&standin.base(), say)?;
    if !message.is_empty() {
        stage.send(message)?;
    }
    watch(&standin)
}

/// Gives what stands above the messages an English name.
fn name_in_english(company: &mut Company) {
    let apps = company.apps.values_mut();
    let apps = apps.map(|app| (&mut app.name, "Alerts"));
    let chats = company.chats.values_mut();
    let chats = chats.map(|chat| (&mut chat.name, "Operations"));
    let robots = company.robots.values_mut();
    let robots = robots.map(|robot| (&mut robot.name, "On call"));
    for (name, english) in apps.chain(chats).chain(robots) {
        english.clone_into(name);
    }
}

/// Says where the phones are, and what to paste to see something on them.
fn tell_commands(base: &str, stage: &Stage, say: Say) -> Result<()> {
    let up = say(
        "模拟的企业微信已在本机启动，按 Ctrl+C 结束。用浏览器打开它的手机：",
        "A stand-in for WeCom is up on this machine, until Ctrl-C. Open its phones in a browser:",
    );
    let paste = say(
        "把下面的命令粘贴到另一个终端：",
        "Paste into another terminal:",
    );
    writeln!(io::stdout(), "{up}\n\n  {base}/\n\n{paste}\n")?;
    if env::vars().any(|(name, _)| ["http_proxy", "all_proxy"].contains(&&*name.to_lowercase())) {
        line(
            "export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1",
            say("代理连不到它", "a proxy cannot reach it"),
        )?;
    }
    line(&format!("alias wxpush={}", quoted(&stage.program())), "")?;
    let appears = say("出现在手机上", "appears on the phone");
    line("wxpush send \"backup done\"", appears)?;
    let fails = say("任务失败，发来报告", "a job fails, and its report arrives");
    line("wxpush run -- ls /nowhere", fails)?;
    let nobody = say(
        "没有 lisy：退出码 67，并说明是谁",
        "there is no lisy: exit code 67, and who it was",
    );
    line("wxpush send --to zhangsan,lisy hello; echo $?", nobody)
}

/// Says what to paste to try `init`, and what to answer.
fn tell_init(base: &str, say: Say) -> Result<()> {
    let mut out = io::stdout();
    let try_it = say(
        "试一试 init（最后一问是 cron，请回答 n）：",
        "To try init (its last question is about cron: answer n):",
    );
    writeln!(out, "\n{try_it}\n")?;
    let init = format!("WXPUSH_API_BASE={base} wxpush -c /tmp/wxpush-try.toml init");
    line(&init, "")?;
    line("wxpush -c /tmp/wxpush-try.toml send hello", "")?;
    let agentid = AGENTID.to_string();
    for (name, value) in [
        ("corpid", CORPID),
        ("corpsecret", SECRET),
        ("agentid", &agentid),
        ("touser", MEMBER),
    ] {
        writeln!(out, "    {name:<11} {value}")?;
    }
    writeln!(out)?;
    Ok(())
}

/// Writes a command to paste, and what it does.
fn line(command: &str, what: &str) -> Result<()> {
    let (gap, mark) = match what {
        "" => (0, ""),
        _ => (46usize.saturating_sub(command.len()), "  # "),
    };
    writeln!(io::stdout(), "  {command}{}{mark}{what}", " ".repeat(gap))?;
    Ok(())
}

/// Whether the locale is a Chinese one.
fn speaks_chinese() -> bool {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let mut set = names.iter().filter_map(|name| env::var(name).ok());
    set.find(|value| !value.is_empty())
        .is_some_and(|value| value.starts_with("zh"))
}
