//! What the demonstration shows at its own terminal.

use std::collections::HashSet;
use std::env;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use crate::standin::{Landed, Standin};
use crate::{MEMBER, Result};

/// Shows what lands, once for all the phones it lands on.
pub(crate) fn watch(standin: &Standin) -> Result<()> {
    let mut seen = HashSet::new();
    let mut dropped = 0;
    loop {
        let (news, now_dropped) = {
            let phones = &standin.company().phones;
            let mut messages = phones.messages();
            messages.retain(|(landed, _)| seen.insert((landed.at, landed.msgid.clone())));
            let owned = messages.into_iter().map(|(landed, userids)| {
                let userids = userids.into_iter().map(str::to_owned);
                (landed.clone(), userids.collect::<Vec<_>>())
            });
            (owned.collect::<Vec<_>>(), phones.dropped)
        };
        for (landed, userids) in news {
            show_message(&landed, &userids)?;
        }
        if now_dropped > dropped {
            dropped = now_dropped;
            writeln!(
                io::stdout(),
                "\n(over 30 a minute to one member: discarded without a word, as WeCom does)"
            )?;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Shows a message as the member sees it.
pub(crate) fn show_phone(landed: &Landed) -> Result<()> {
    show_message(landed, &[MEMBER.to_owned()])
}

fn show_message(landed: &Landed, userids: &[String]) -> Result<()> {
    let mut out = io::stdout();
    let whose = if let [one] = userids {
        format!("{one}'s phone")
    } else {
        let first = userids.iter().find(|userid| *userid == MEMBER);
        let first = first.or(userids.first()).map_or("nobody", String::as_str);
        format!("{first}'s phone, and {} more", userids.len() - 1)
    };
    let kind = match landed.msgtype.as_str() {
        "text" => String::new(),
        other => format!(", {other}"),
    };
    writeln!(out, "\n{}{kind}", strong(&whose))?;
    let lines: Vec<&str> = landed.text.lines().collect();
    let (first, rest) = lines.split_at(lines.len().min(5));
    let (hidden, last) = rest.split_at(rest.len().saturating_sub(2));
    for line in first {
        writeln!(out, "  │ {line}")?;
    }
    if let [only] = hidden {
        writeln!(out, "  │ {only}")?;
    } else if !hidden.is_empty() {
        let bytes = landed.text.len();
        writeln!(out, "  ┆ {} more lines, {bytes} bytes in all", hidden.len())?;
    }
    for line in last {
        writeln!(out, "  │ {line}")?;
    }
    Ok(())
}

/// Bold at a terminal.
pub(crate) fn strong(text: &str) -> String {
    let plain = !io::stdout().is_terminal()
        || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if plain {
        text.to_owned()
    } else {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    }
}
