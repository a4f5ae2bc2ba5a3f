//! `wxpush crontab`: a line that cron and its shell read as it was meant.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{CommandFactory, FromArgMatches};

use crate::cli::{Cli, Command, Crontab};
use crate::config;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::output::{self, Output};

/// What is proposed in the place of minute 0: nobody's favourite.
const SHIFT: u32 = 7;

/// Runs `crontab`.
pub(super) fn run(args: &Crontab, output: Output) -> anyhow::Result<Exit> {
    let times = times(&args.when)?;
    let words = arranged(&args.args)?;
    let mut line = times.join(" ").into_bytes();
    line.push(b' ');
    line.extend(config::quoted(config::program().as_os_str()).into_encoded_bytes());
    for word in &words {
        line.push(b' ');
        line.extend(config::quoted(word).into_encoded_bytes());
    }
    line.push(b'\n');
    output::bytes(&line)?;
    if let Some(other) = calmer(&times) {
        output.note(&say!(
            "0 分和 30 分大家都在发消息，企业微信也说明这时会有延迟：建议改为 {other}",
            "at minutes 0 and 30 everybody sends, and WeCom says itself that it is late then: better {other}"
        ));
    }
    Ok(Exit::Sent)
}

/// The five fields of a time, or its nickname.
fn times(when: &str) -> Result<Vec<&str>, Failure> {
    let fields: Vec<&str> = when.split_ascii_whitespace().collect();
    let is_field = |field: &&str| {
        field
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"*,/-".contains(&it))
    };
    let nicknames = [
        "@reboot",
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ];
    let is_time = match &fields[..] {
        [name] => nicknames.contains(name),
        fields => fields.len() == 5 && fields.iter().all(is_field),
    };
    if is_time {
        return Ok(fields);
    }
    let what = spoken().of("cron 读不懂这个时间", "the time is none that cron reads");
    let hint = spoken().of(
        "把分、时、日、月、星期写成一个参数：'7 3 * * *'",
        "write minute, hour, day of the month, month and day of the week as one word: '7 3 * * *'",
    );
    Err(Failure::new(Exit::Usage, what).hint(hint))
}

/// The words of a command line of ours, `--` before those of a message, which may begin with a dash.
fn arranged(args: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let bad = |what: String| Failure::new(Exit::Usage, what);
    if args.iter().any(|word| word.as_bytes().contains(&b'\n')) {
        let what = say!(
            "crontab 的一行里不能有换行",
            "a crontab line cannot hold a newline"
        );
        let hint = spoken().of(
            "把换行写成 \\n 并加 -e：wxpush crontab … -- send -e 'two\\nlines'",
            "write it as \\n and add -e: wxpush crontab … -- send -e 'two\\nlines'",
        );
        return Err(bad(what).hint(hint));
    }
    let whole = std::iter::once(OsStr::new("wxpush")).chain(args.iter().map(OsString::as_os_str));
    let parsed = Cli::command().try_get_matches_from(whole);
    let matches = parsed.map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        let hint = spoken().of(
            "-- 之后要写 wxpush 的一条命令；wxpush --help 列出所有命令",
            "wxpush --help shows the commands; what stands behind -- is one of them",
        );
        bad(say!(
            "这样写 cron 也运行不了（{first}）",
            "cron would not get far with this: {first}"
        ))
        .hint(hint)
    })?;
    let cli = Cli::from_arg_matches(&matches);
    let is_send = matches!(
        cli,
        Ok(Cli {
            command: Command::Send(_),
            ..
        })
    );
    let Some(("send", send)) = matches.subcommand().filter(|_| is_send) else {
        return Ok(args.to_vec());
    };
    let at: Vec<usize> = send.indices_of("message").into_iter().flatten().collect();
    let has_dashes = args.iter().any(|word| word == "--");
    if at.is_empty() || has_dashes {
        return Ok(args.to_vec());
    }
    let message = send.get_many::<OsString>("message").into_iter().flatten();
    let message: Vec<OsString> = message.cloned().collect();
    // What stands among the options may look the same: from the end, one for one.
    let mut rest = args.to_vec();
    for word in message.iter().rev() {
        if let Some(place) = rest.iter().rposition(|other| other == word) {
            rest.remove(place);
        }
    }
    rest.push(OsString::from_vec(b"--".to_vec()));
    rest.extend(message);
    Ok(rest)
}

/// The same time at a calmer minute, if its own is 0 or 30.
fn calmer(times: &[&str]) -> Option<String> {
    let minutes = match times[0] {
        "@hourly" => return Some(format!("'{SHIFT} * * * *'")),
        "@daily" | "@midnight" => return Some(format!("'{SHIFT} 0 * * *'")),
        name if name.starts_with('@') => return None,
        minutes => minutes,
    };
    let step = minutes
        .strip_prefix("*/")
        .and_then(|step| step.parse::<u32>().ok());
    let calm = match step {
        // So often that no minute is spared.
        Some(step) if step <= SHIFT => return None,
        Some(step) => format!("{SHIFT}-59/{step}"),
        None => {
            let shifted = minutes
                .split(',')
                .map(|minute| match minute.parse::<u32>() {
                    Ok(minute @ (0 | 30)) => (minute + SHIFT).to_string(),
                    _ => minute.to_owned(),
                });
            shifted.collect::<Vec<_>>().join(",")
        }
    };
    (calm != minutes).then(|| format!("'{calm} {}'", times[1..].join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_0_and_30_have_a_calmer_neighbour() {
        for (when, calm) in [
            ("0 3 * * *", Some("'7 3 * * *'")),
            ("0,30 * * * *", Some("'7,37 * * * *'")),
            ("*/15 8-18 * * 1-5", Some("'7-59/15 8-18 * * 1-5'")),
            ("*/5 * * * *", None),
            ("* * * * *", None),
            ("17 3 * * *", None),
            ("@hourly", Some("'7 * * * *'")),
            ("@reboot", None),
        ] {
            let times = times(when).unwrap();
            assert_eq!(calmer(&times).as_deref(), calm, "{when}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "7 3 * *",
            "7 3 * * * x",
            "@often",
            "7;rm 3 * * *",
            "% 3 * * *",
        ] {
            assert_eq!(times(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn a_message_stands_behind_two_dashes_and_its_options_before_them() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (typed, arranged_words) in [
            ("send hello world", "send -- hello world"),
            ("send hello --to lisi", "send --to lisi -- hello"),
            ("send --to lisi lisi", "send --to lisi -- lisi"),
            ("send -t x -- -5 degrees", "send -t x -- -5 degrees"),
            ("-c /a/b send x -q", "-c /a/b send -q -- x"),
            ("send --file /a/b", "send --file /a/b"),
            ("outbox flush", "outbox flush"),
        ] {
            assert_eq!(arranged(&words(typed)).unwrap(), words(arranged_words));
        }
        for bad in ["sned x", "send --too x", ""] {
            assert_eq!(
                arranged(&words(bad)).unwrap_err().exit,
                Exit::Usage,
                "{bad}"
            );
        }
    }
}
