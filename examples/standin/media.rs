//! Uploads: what WeCom takes as a file, whose it is, and for how long.

use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::company::{Call, Company, HOUR, Reply, accepted, random_text, within};
use super::fields::Fields;
use super::multipart::{Part, files};
use super::refusal::Refusal;

/// How long an upload may be used.
const LIFE: Duration = Duration::from_hours(72);
/// A megabyte as WeCom counts it.
const MB: usize = 1 << 20;
/// Frames of a voice in its sixty seconds.
const FRAMES_MOST: usize = 3000;

/// Who may use an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Every app of the company.
    Company,
    /// The robot with this key alone.
    Robot(String),
}

/// A file that was uploaded.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Who may use it.
    pub owner: Owner,
    /// `image`, `voice`, `video` or `file`.
    pub kind: String,
    /// The name that receivers see.
    pub filename: String,
    /// The file.
    pub bytes: Bytes,
    /// What it is called in a message; empty for a picture within a robot's message.
    pub media_id: String,
    /// When it came.
    pub at: SystemTime,
}

/// The uploads of a company.
#[derive(Default)]
pub struct Media {
    /// All that were taken, oldest first.
    pub uploads: Vec<Upload>,
    /// The pictures for articles, by their address.
    pub pictures: Vec<(String, Upload)>,
}

impl Media {
    /// The upload of this name, if it is the owner's and not too old.
    pub fn find(&self, owner: &Owner, media_id: &str, now: SystemTime) -> Option<&Upload> {
        self.uploads.iter().find(|upload| {
            upload.media_id == media_id
                && upload.owner == *owner
                && within([upload.at], now, LIFE) == 1
        })
    }

    /// Forgets an upload before its time.
    pub fn forget(&mut self, media_id: &str) {
        self.uploads.retain(|upload| upload.media_id != media_id);
    }

    /// Takes a file and answers with its name.
    pub fn take(
        &mut self,
        call: &Call<'_>,
        owner: Owner,
        kinds: &[&str],
    ) -> Result<Fields, Refusal> {
        let kind = call.query.get("type").map_or("", String::as_str);
        if !kinds.contains(&kind) {
            return Err(Refusal::of(40005));
        }
        let part = whole(call, Some("media"))?;
        check(kind, part.bytes)?;
        let upload = Upload {
            owner,
            kind: kind.to_owned(),
            filename: part.filename,
            bytes: Bytes::copy_from_slice(part.bytes),
            media_id: format!("3{}", random_text(64)),
            at: call.now,
        };
        let since = call.now.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since.map_or(0, |since| since.as_secs());
        let fields = Map::from_iter([
            ("type".into(), json!(kind)),
            ("media_id".into(), json!(upload.media_id)),
            ("created_at".into(), json!(seconds.to_string())),
        ]);
        self.uploads.push(upload);
        Ok(fields)
    }
}

impl Company {
    /// `media/upload`
    pub(super) fn upload(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.authorised(call)?;
        let kinds = ["image", "voice", "video", "file"];
        let mut fields = self.media.take(call, Owner::Company, &kinds)?;
        fields.insert("errmsg".into(), json!(""));
        Ok(accepted(fields))
    }

    /// `media/uploadimg`
    pub(super) fn upload_picture(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.authorised(call)?;
        let part = whole(call, None)?;
        if part.bytes.len() > 2 * MB {
            return Err(Refusal::of(40009));
        }
        check("image", part.bytes)?;
        let times = self.media.pictures.iter().map(|(_, upload)| upload.at);
        if within(times, call.now, 24 * HOUR) >= 1000 {
            return Err(Refusal::of(45009));
        }
        let upload = Upload {
            owner: Owner::Company,
            kind: "image".into(),
            filename: part.filename,
            bytes: Bytes::copy_from_slice(part.bytes),
            media_id: String::new(),
            at: call.now,
        };
        let url = format!("https://wework.qpic.cn/wwpic/{}/0", random_text(32));
        self.media.pictures.push((url.clone(), upload));
        Ok(accepted(Map::from_iter([
            ("errmsg".into(), json!("")),
            ("url".into(), json!(url)),
        ])))
    }

    /// `media/get`: the file itself, or a refusal in JSON.
    pub(super) fn download(&mut self, call: &Call<'_>) -> Result<Reply, Refusal> {
        self.authorised(call)?;
        let media_id = call.query.get("media_id").map_or("", String::as_str);
        if media_id.is_empty() {
            return Err(Refusal::of(41006));
        }
        let upload = self.media.find(&Owner::Company, media_id, call.now);
        let upload = upload.ok_or_else(|| Refusal::of(40007))?;
        let content_type = match &*upload.kind {
            "image" if upload.bytes.starts_with(b"\x89PNG") => "image/png",
            "image" => "image/jpeg",
            "voice" => "audio/amr",
            "video" => "video/mp4",
            _ => "application/octet-stream",
        };
        Ok(Reply::File {
            headers: vec![
                ("content-type".into(), content_type.into()),
                (
                    "content-disposition".into(),
                    format!("attachment; filename=\"{}\"", upload.filename),
                ),
            ],
            bytes: upload.bytes.clone(),
        })
    }
}

/// The file of a request, which has to come whole and as long as it says.
fn whole<'a>(call: &Call<'a>, field: Option<&str>) -> Result<Part<'a>, Refusal> {
    if call.chunked {
        return Err(Refusal::of(44001));
    }
    let parts = files(call.content_type, call.body)?;
    let mut parts = parts.into_iter();
    let part = parts.find(|part| field.is_none_or(|field| part.name == field));
    let part = part.filter(|part| !part.bytes.is_empty());
    let part = part.ok_or_else(|| Refusal::of(44001))?;
    let length = part.bytes.len().to_string();
    if part
        .declared
        .as_ref()
        .is_some_and(|declared| *declared != length)
    {
        return Err(Refusal::of(40123));
    }
    Ok(part)
}

/// Checks a file's size and format.
fn check(kind: &str, bytes: &[u8]) -> Result<(), Refusal> {
    let (most, too_large) = match kind {
        "image" => (10 * MB, 40009),
        "voice" => (2 * MB, 40006),
        "video" => (10 * MB, 40011),
        _ => (20 * MB, 45001),
    };
    if bytes.len() <= 5 {
        return Err(Refusal::of(40006));
    }
    if bytes.len() > most {
        return Err(Refusal::of(too_large));
    }
    match kind {
        "image" if !is_picture(bytes) => Err(Refusal::of(40123)),
        "voice" => match frames(bytes)? {
            0 => Err(Refusal::of(301_016)),
            1..=FRAMES_MOST => Ok(()),
            _ => Err(Refusal::of(45007)),
        },
        "video" if !is_mp4(bytes) => Err(Refusal::of(40004)),
        _ => Ok(()),
    }
}

/// Whether bytes begin as a JPG or a PNG does.
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n")
}

fn is_mp4(bytes: &[u8]) -> bool {
    let box_type = bytes.get(4..8);
    // QuickTime's own brand is a MOV.
    box_type == Some(b"ftyp") && bytes.get(8..12) != Some(b"qt  ")
}

/// Seconds that a voice takes, 0 for what is none.
pub fn seconds(bytes: &[u8]) -> usize {
    frames(bytes).unwrap_or(0).div_ceil(50)
}

/// Frames of AMR by RFC 4867: 20 ms each, as long as its first byte says.
fn frames(bytes: &[u8]) -> Result<usize, Refusal> {
    let lengths = [13, 14, 16, 18, 20, 21, 27, 32, 6];
    let Some(mut rest) = bytes.strip_prefix(b"#!AMR\n") else {
        return Err(Refusal::of(301_017));
    };
    let mut frames = 0;
    while let Some(first) = rest.first() {
        let mode = usize::from(first >> 3 & 15);
        let length = if mode == 15 {
            Some(&1)
        } else {
            lengths.get(mode)
        };
        let next = length.and_then(|length| rest.get(*length..));
        rest = next.ok_or_else(|| Refusal::of(301_016))?;
        frames += 1;
    }
    Ok(frames)
}

#[cfg(test)]
mod tests;
