//! Completions and manual pages, read by the shells and the `man` that they are for.

use std::fs;
use std::process::Command;

use crate::support::{Outcome, Run, Sandbox};

/// Runs a script in a shell, where the program is on the path and `script` its completions.
fn in_shell(sandbox: &Sandbox, shell: &str, text: &str) -> Outcome {
    let script = sandbox.wxpush("completions").arg(shell).exits(0);
    sandbox.write("script", script.stdout);
    let mut command = Command::new(shell);
    command.args(["-c", text]);
    let path = format!("{}:/usr/bin:/bin", sandbox.path("").display());
    Run::new(command)
        .env("PATH", path)
        .env("HOME", sandbox.path("").display().to_string())
        .cwd(sandbox.path(""))
        .exits(0)
}

#[test]
fn each_shell_has_its_completions_and_no_other_has_any() {
    let sandbox = Sandbox::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.wxpush("completions").arg(shell).exits(0);
        assert!(script.stdout.contains("outbox"), "{shell}");
    }
    sandbox.wxpush("completions csh").exits(64);
}

#[test]
fn bash_completes_commands_and_options() {
    let sandbox = Sandbox::empty();
    let text = "
        . ./script
        complete -p wxpush >/dev/null || exit 1
        COMP_WORDS=(wxpush out) COMP_CWORD=1; _wxpush wxpush out wxpush; echo \"${COMPREPLY[@]}\"
        COMP_WORDS=(wxpush send --mark) COMP_CWORD=2; _wxpush wxpush --mark send; echo \"${COMPREPLY[@]}\"";
    let outcome = in_shell(&sandbox, "bash", text);
    assert_eq!(outcome.stdout, "outbox\n--markdown --markdown-v2\n");
}

#[test]
#[ignore = "needs zsh and fish"]
fn zsh_and_fish_complete_commands() {
    let sandbox = Sandbox::empty();
    let text = "source ./script; complete -C 'wxpush out'";
    let outcome = in_shell(&sandbox, "fish", text);
    assert!(outcome.stdout.starts_with("outbox\t"), "{}", outcome.stdout);
    let text = "autoload -Uz compinit; compinit -D -u; source ./script; echo $_comps[wxpush]";
    let outcome = in_shell(&sandbox, "zsh", text);
    assert_eq!(outcome.stdout, "_wxpush\n");
}

#[test]
#[ignore = "needs man-db"]
fn man_reads_every_page_without_a_complaint() {
    let sandbox = Sandbox::empty();
    let dir = sandbox.path("man/man1");
    let dir = dir.display().to_string();
    sandbox.wxpush("man --dir").arg(&dir).is_silent();
    let mut pages: Vec<String> = fs::read_dir(&dir)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for command in [
        "api",
        "crontab",
        "outbox-flush",
        "recall",
        "send",
        "token",
        "upload",
    ] {
        assert!(pages.contains(&format!("wxpush-{command}.1")), "{pages:?}");
    }
    for page in &pages {
        let mut command = Command::new("man");
        command.args(["--warnings", "-l", &format!("{dir}/{page}")]);
        let shown = Run::new(command)
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "100")
            .exits(0);
        assert_eq!(shown.stderr, "", "{page}");
        assert!(shown.stdout.contains("SYNOPSIS"), "{page}");
    }
    let one = sandbox.wxpush("man").exits(0).stdout;
    assert_eq!(one, fs::read_to_string(format!("{dir}/wxpush.1")).unwrap());
    sandbox.write("file", "");
    let file = sandbox.path("file").display().to_string();
    sandbox.wxpush("man --dir").arg(file).exits(74);
}
