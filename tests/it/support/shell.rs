//! Lines of a shell and of a crontab, as the pages and the examples show them, in a sandbox.

use std::process::Command;

use crate::support::{Outcome, Run, Sandbox};

/// Runs a line in a shell, the sandbox's program standing for the installed one.
pub(crate) fn shell(sandbox: &Sandbox, line: &str) -> Outcome {
    described(sandbox, line).run()
}

/// Describes that run.
pub(crate) fn described(sandbox: &Sandbox, line: &str) -> Run {
    let program = sandbox.path("wxpush").display().to_string();
    let config = sandbox.path("config.toml").display().to_string();
    let programs = sandbox.path("programs").display().to_string();
    let line = line
        .replace("/usr/bin/python3", &format!("{programs}/python3"))
        .replace("/usr/local/bin/", &format!("{programs}/"))
        .replace("/opt/wxpush/wxpush", &program)
        .replace("/usr/bin/wxpush", &program)
        .replace("/opt/wxpush/config.toml", &config)
        .replace("/etc/wxpush/config.toml", &config)
        .replace("sudo ", "");
    let mut command = Command::new("sh");
    command.args(["-c", &line]);
    let path = format!("{}:{programs}:/usr/bin:/bin", sandbox.path("").display());
    Run::new(command)
        .env("PATH", path)
        .env("WXPUSH", program)
        .cwd(sandbox.path(""))
}

/// What cron runs of a line: without its five fields, cut at the first bare `%`.
pub(crate) fn cron_command(line: &str) -> String {
    let mut rest = line;
    for _ in 0..5 {
        rest = rest.trim_start().split_once(' ').expect("five fields").1;
    }
    let mut command = String::new();
    let mut characters = rest.trim_start().chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some('%')) => command.extend(characters.next()),
            ('%', _) => break,
            _ => command.push(character),
        }
    }
    command
}
