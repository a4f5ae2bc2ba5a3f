//! `wxpush upload`: uploads a file; its `media_id` is valid for three days.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::call::Caller;
use super::option_text::option_text;
use super::submit::TIME;
use super::{load, source};
use crate::cli::{Global, Upload};
use crate::delivery::upload_time;
use crate::error::Exit;
use crate::message::{Channel, MediaKind};
use crate::output::{self, Output};
use crate::text::api as text;

/// Runs `upload`.
pub(super) fn run(args: &Upload, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    let (settings, channel) = match &args.robot {
        Some(name) => (config.robot(name)?, Channel::Robot),
        None => (config.settings(None)?, Channel::App),
    };
    let caller = Caller::new(settings, "upload", output)?;
    let name = args.name.as_deref();
    let name = name.map(|name| option_text("--name", name, None));
    let source = source::open(&args.file, name.as_deref())?;
    let kind = args.kind.unwrap_or_else(|| source.kind());
    let is_robot = channel == Channel::Robot;
    if is_robot && !matches!(kind, MediaKind::File | MediaKind::Voice) {
        return Err(text::robot_takes_no(kind.name()).into());
    }
    let mut file = source.attachment(kind, is_robot)?;
    caller.hide_in(&mut file, &config);
    let time = args
        .timeout
        .unwrap_or_else(|| TIME + upload_time(file.bytes.len()));
    let media = caller.call(time, &text::the_upload(), |delivery| {
        delivery.upload(&file, channel)
    })?;
    if output.json {
        let at = i64::try_from(media.uploaded_at).unwrap_or(i64::MAX);
        let at = DateTime::<Utc>::from_timestamp(at, 0).unwrap_or_default();
        output::object(&json!({
            "media_id": media.media_id,
            "type": kind.name(),
            "created_at": at.to_rfc3339_opts(SecondsFormat::Secs, true),
        }))?;
    } else {
        output::result(&media.media_id)?;
    }
    Ok(Exit::Sent)
}
