//! `wxpush upload`: a file becomes a `media_id`, good for three days.

use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::asking::{Asking, unanswered};
use super::send::TIME;
use super::{load, source};
use crate::cli::{Global, Upload};
use crate::delivery::upload_time;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::{Channel, MediaKind};
use crate::output::{self, Output};

/// Runs `upload`.
pub(super) fn run(args: &Upload, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    let (settings, channel) = match &args.robot {
        Some(name) => (config.robot(name)?, Channel::Robot),
        None => (config.settings(None)?, Channel::App),
    };
    let asking = Asking::new(settings, "upload", output)?;
    let source = source::open(&args.file, args.name.as_deref())?;
    let kind = args.kind.unwrap_or_else(|| source.kind());
    let robot = channel == Channel::Robot;
    if robot && !matches!(kind, MediaKind::File | MediaKind::Voice) {
        let kind = kind.name();
        let what = say!(
            "群机器人只能上传文件和语音，不能是 {kind} 类型",
            "a robot's uploads are files and voices, not of type {kind}"
        );
        let hint = spoken().of(
            "加上 --type file；wxpush send --robot NAME --image FILE 不需要先上传",
            "add --type file; wxpush send --robot NAME --image FILE needs no upload",
        );
        return Err(Failure::new(Exit::Usage, what).hint(hint).into());
    }
    let file = source.attachment(kind, robot)?;
    let time = args
        .timeout
        .unwrap_or_else(|| TIME + upload_time(file.bytes.len()));
    let delivery = asking.delivery(Instant::now() + time);
    let media = delivery
        .upload(&file, channel)
        .map_err(|undelivered| unanswered(undelivered, spoken().of("上传", "the upload")))?;
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
