//! The pictures of the documents: their terminals show what the program prints now.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::standin::{SECRET, Standin};
use crate::support::init::{with_crontab, written};
use crate::support::{Pty, Run, Sandbox, for_each, pdf, png};

/// What stands before an answer that is typed.
const PROMPTS: [&str; 2] = ["> ", "[Y/n] "];

#[test]
fn the_terminals_of_the_pictures_show_what_the_program_prints() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let files = fs::read_dir(&dir).unwrap().map(|file| file.unwrap().path());
    let texts: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    assert!(texts.len() >= 4, "{texts:?}");
    for_each(texts, |path| {
        let size = fs::metadata(path.with_extension("png")).unwrap().len();
        assert!(size <= 200 << 10, "{}: {size} bytes", path.display());
        shows_what_is_printed(&path);
    });
}

fn shows_what_is_printed(path: &Path) {
    let english = path.to_string_lossy().ends_with(".en.txt");
    let (lang, locale) = if english {
        ("en", "en_US.UTF-8")
    } else {
        ("zh", "zh_CN.UTF-8")
    };
    let text = fs::read_to_string(path).unwrap();
    let standin = Standin::start();
    if english {
        for app in standin.company().apps.values_mut() {
            "Alerts".clone_into(&mut app.name);
        }
    }
    let by_init = text.starts_with("$ wxpush init\n");
    let sandbox = if by_init {
        Sandbox::empty()
    } else {
        let sandbox = Sandbox::of(&standin);
        sandbox.configure(&format!("touser = \"lisi\"\nlang = {lang:?}"));
        sandbox
    };
    with_crontab(&sandbox, "echo 'no crontab for me' >&2; exit 1");
    sandbox.write("load.png", png());
    sandbox.write("report.pdf", pdf());
    let dir = sandbox.path("").display().to_string();
    let dir = dir.trim_end_matches('/');
    for block in format!("\n{text}").split("\n$ ").skip(1) {
        let (command, expected) = block.split_once('\n').unwrap_or((block, ""));
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        let mut run = Run::new(shell)
            .env("LANG", locale)
            .env("PATH", format!("{dir}:{dir}/programs:/usr/bin:/bin"))
            .cwd(dir);
        if by_init {
            run = run.env("WXPUSH_API_BASE", standin.base());
        }
        let mut pty = Pty::start(run);
        for line in expected.lines() {
            for prompt in PROMPTS {
                match line.strip_prefix(prompt) {
                    Some("") => {
                        pty.shows(prompt).await_echo(false);
                        pty.types(SECRET);
                    }
                    Some(answer) => {
                        pty.shows(prompt).types(answer);
                    }
                    None => {}
                }
            }
        }
        let shown = settled(&pty.end().1, dir);
        let name = path.display();
        assert_eq!(
            shown.trim_end(),
            expected.trim_end(),
            "{command}: {name}: run docs/pictures/make"
        );
    }
    if by_init {
        written(&sandbox, "config.toml");
    }
}

/// A text without colours, and without what differs from run to run.
fn settled(shown: &str, dir: &str) -> String {
    let shown = shown.replace("\r\n", "\n").replace(dir, "/opt/wxpush");
    let mut pieces = shown.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    plain.extend(pieces.map(|piece| piece.split_once('m').map_or("", |(_, rest)| rest)));
    let mut pieces = plain.split("msgid ");
    let mut settled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest =
            piece.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || "-_".contains(it));
        settled.push_str("msgid …");
        settled.push_str(rest);
    }
    settled
}
