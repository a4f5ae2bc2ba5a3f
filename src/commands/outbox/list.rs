//! `outbox list` and `outbox show`: print the entries, for a person and for a script.

use serde_json::json;

use super::row::{EntryRow, RowMaker};
use super::{Outboxes, find};
use crate::error::{Exit, Failure};
use crate::maildrop::Maildrop;
use crate::message::Message;
use crate::outbox;
use crate::output::{self, Output};
use crate::text::outbox as text;

/// Lists every entry on a line.
pub(super) fn list(outboxes: &Outboxes<'_>, output: Output) -> anyhow::Result<Exit> {
    let all = outboxes.all()?;
    let mut rows = RowMaker::new(outboxes);
    for (row, _) in all.iter().filter_map(|place| rows.row(place)) {
        if output.json {
            output::object(&row)?;
        } else {
            row.print()?;
        }
    }
    if all.is_empty() && output.is_talkative() {
        output::result(&text::nothing_listed())?;
    }
    let maildrop = outboxes.config.base().maildrop;
    if let Ok(Some(count @ 1..)) = Maildrop::waiting(&maildrop)
        && !output.json
    {
        output::result(&text::mails_of_users(count, maildrop.display()))?;
    }
    for (_, dir) in outboxes.opened()? {
        for name in outbox::junk(&dir).unwrap_or_default() {
            output.note(&text::not_ours(dir.path().join(name).display()));
        }
    }
    Ok(Exit::Sent)
}

/// Shows an entry with its whole text.
pub(super) fn show(outboxes: &Outboxes<'_>, id: &str, output: Output) -> anyhow::Result<Exit> {
    let all = outboxes.all()?;
    let place = find(&all, id)?[0];
    let (row, entry) = RowMaker::new(outboxes)
        .row(place)
        .ok_or_else(|| text::left_while_shown(&place.id))?;
    let messages = entry.map_or(Vec::new(), |entry| entry.messages);
    if output.json {
        let mut object = serde_json::to_value(&row)?;
        object["requests"] = messages.iter().map(request).collect();
        output::object(&object)?;
    } else {
        row.print()?;
        print_details(&row)?;
        for (at, message) in messages.iter().enumerate() {
            print_part(at, message, &row)?;
        }
    }
    Ok(Exit::Sent)
}

fn request(message: &Message) -> serde_json::Value {
    let file = message.attachment.as_ref().map(|file| {
        let kind = file.kind.name();
        json!({"type": kind, "name": file.name, "bytes": file.bytes.len()})
    });
    json!({"call": message.channel.call(), "body": message.to_value(), "file": file})
}

fn print_details(row: &EntryRow) -> Result<(), Failure> {
    let details = [
        row.accepted.as_ref().map(text::accepted_at),
        row.profile.as_ref().map(text::profile),
        row.corpid.as_ref().map(text::corpid),
        row.robot.as_ref().map(text::robot_name),
        row.api_base.as_ref().map(text::api_base),
        row.failed_at.as_ref().map(text::failed_at),
        row.hint.as_ref().map(text::to_do),
    ];
    for detail in details.iter().flatten() {
        output::result(&format!("    {detail}"))?;
    }
    Ok(())
}

fn print_part(at: usize, message: &Message, row: &EntryRow) -> Result<(), Failure> {
    output::result(&if at < row.sent {
        text::part_head_sent(at + 1, row.parts)
    } else {
        text::part_head(at + 1, row.parts)
    })?;
    let file = message.attachment.as_ref();
    let file = file.map(|file| text::file(&file.name, file.kind.name(), file.bytes.len()));
    let words = message.content.readable();
    let mut lines = words.lines().chain(file.as_deref());
    lines.try_for_each(output::result)
}
