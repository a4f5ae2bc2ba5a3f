//! The rules within a message, kind by kind: what must be there, what is refused and what is cut in silence.

use std::time::SystemTime;

use serde_json::Value;

use super::digest::{base64, md5_hex};
use super::fields::{Fields, cut, flag, object, objects, required, string, strings};
use super::media::{Media, Owner, Upload, is_picture};
use super::refusal::Refusal;
use super::road::Road;

/// Bytes of an app's or a chat's text or markdown that reach the phone.
const CONTENT_MOST: usize = 2048;
/// Bytes that a robot's markdown may have.
const ROBOT_MARKDOWN_MOST: usize = 4096;
/// Bytes of a robot's picture, before base64.
const ROBOT_IMAGE_MOST: usize = 2 << 20;
/// Bytes of a title that are shown.
const TITLE_MOST: usize = 128;
/// Bytes of a description that are shown.
const DESCRIPTION_MOST: usize = 512;
/// Bytes of HTML that an article may have: 666 K.
const ARTICLE_MOST: usize = 666 << 10;
/// Bytes that an address may have.
const URL_MOST: usize = 2048;

/// Extensions of the files that may be sent with `safe`.
const SAFE_FILES: [&str; 14] = [
    "txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp",
    "gif",
];

/// What a message holds, once its rules are kept.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its kind.
    pub msgtype: String,
    /// What a member reads, cut where WeCom cuts.
    pub text: String,
    /// The files in it.
    pub media: Vec<Upload>,
    /// How it is protected: 0 where `safe` means nothing to its kind.
    pub safe: i64,
    /// Whether its buttons call the app, which therefore needs a callback URL.
    pub callback: bool,
    /// The request's body, parsed.
    pub raw: Value,
}

/// What the rules look things up in.
pub struct Desk<'a> {
    /// The call by which the message comes.
    pub road: Road,
    /// Whose uploads it may use.
    pub owner: Owner,
    /// The uploads.
    pub media: &'a Media,
    /// Whether textcard's limits count characters, as the newest page says, or bytes, as the older ones.
    pub count_characters: bool,
    /// Bytes that a robot's text may have.
    pub robot_text: usize,
}

/// What was found in a message.
#[derive(Default)]
pub struct Found {
    /// What a member reads.
    pub lines: Vec<String>,
    /// The files.
    pub media: Vec<Upload>,
    /// Whether the app needs a callback URL.
    pub callback: bool,
}

impl Found {
    fn lines(lines: Vec<String>) -> Self {
        Self {
            lines,
            ..Self::default()
        }
    }
}

impl Desk<'_> {
    /// Checks a message and returns what is in it.
    pub fn read(&self, fields: Fields, msgtype: &str, now: SystemTime) -> Result<Content, Refusal> {
        let none = Fields::new();
        let inner = object(&fields, msgtype)?.unwrap_or(&none);
        let safe = if self.road == Road::Robot {
            0
        } else {
            flag(&fields, "safe", if msgtype == "mpnews" { 2 } else { 1 })?
        };
        let found = match msgtype {
            "text" | "markdown" | "markdown_v2" => self.text(inner, msgtype)?,
            "image" if self.road == Road::Robot => robot_image(inner, now)?,
            "image" | "voice" | "video" | "file" => self.file(inner, msgtype, safe == 1, now)?,
            _ if inner.is_empty() => return Err(Refusal::of(40063)),
            "textcard" => self.textcard(inner)?,
            "news" if safe != 0 => return Err(Refusal::of(40074)),
            "news" => self.news(inner)?,
            "mpnews" => self.mpnews(inner, now)?,
            "miniprogram_notice" => notice(inner)?,
            _ => self.card(inner)?,
        };
        let protects = ["text", "image", "video", "file", "mpnews"].contains(&msgtype);
        Ok(Content {
            msgtype: msgtype.to_owned(),
            text: found.lines.join("\n"),
            media: found.media,
            safe: if protects { safe } else { 0 },
            callback: found.callback,
            raw: Value::Object(fields),
        })
    }

    fn text(&self, inner: &Fields, msgtype: &str) -> Result<Found, Refusal> {
        let content = required(inner, "content", 44004)?;
        let most = match (self.road, msgtype) {
            (Road::Robot, "text") => self.robot_text,
            (Road::Robot, _) => ROBOT_MARKDOWN_MOST,
            _ => CONTENT_MOST,
        };
        if self.road == Road::Robot {
            if content.len() > most {
                return Err(Refusal::exceeds(&format!("{msgtype}.content"), most));
            }
            strings(inner, "mentioned_list")?;
            strings(inner, "mentioned_mobile_list")?;
        }
        Ok(Found::lines(vec![cut(content, most)]))
    }

    fn file(
        &self,
        inner: &Fields,
        kind: &str,
        safe: bool,
        now: SystemTime,
    ) -> Result<Found, Refusal> {
        let upload = self.upload(inner, "media_id", 41006, kind, now)?;
        let name = &upload.filename;
        let mut lines = match kind {
            "image" => vec!["[图片]".to_owned()],
            "voice" => vec!["[语音]".to_owned()],
            "video" => vec!["[视频]".to_owned()],
            _ => vec![format!("[文件] {name}")],
        };
        if kind == "video" {
            lines.extend(shown(inner, "title", TITLE_MOST)?);
            lines.extend(shown(inner, "description", DESCRIPTION_MOST)?);
        }
        if kind == "file" && safe {
            let extension = name.rsplit_once('.').map(|(_, end)| end.to_lowercase());
            let known = |end: String| SAFE_FILES.contains(&&*end);
            if !extension.is_some_and(known) {
                return Err(Refusal::of(40004));
            }
        }
        Ok(Found {
            lines,
            media: vec![upload],
            callback: false,
        })
    }

    /// The upload that a field names, which must be of this kind, ours and not too old.
    fn upload(
        &self,
        fields: &Fields,
        key: &str,
        missing: i64,
        kind: &str,
        now: SystemTime,
    ) -> Result<Upload, Refusal> {
        let media_id = required(fields, key, missing)?;
        let upload = self.media.find(&self.owner, media_id, now);
        let upload = upload.filter(|upload| upload.kind == kind);
        upload.cloned().ok_or_else(|| Refusal::of(40007))
    }

    fn textcard(&self, inner: &Fields) -> Result<Found, Refusal> {
        let cut_at = |text: &str, most: usize| {
            if self.count_characters {
                text.chars().take(most).collect()
            } else {
                cut(text, most)
            }
        };
        let title = required(inner, "title", 41016)?;
        let description = required(inner, "description", 41033)?;
        let url = address(required(inner, "url", 41010)?)?;
        let button = match string(inner, "btntxt")? {
            "" => "详情",
            text => text,
        };
        let button: String = button.chars().take(4).collect();
        Ok(Found::lines(vec![
            cut_at(title, TITLE_MOST),
            cut_at(description, DESCRIPTION_MOST),
            format!("{button}: {url}"),
        ]))
    }

    fn news(&self, inner: &Fields) -> Result<Found, Refusal> {
        let mut lines = Vec::new();
        for article in articles(inner)? {
            lines.push(cut(required(article, "title", 41016)?, TITLE_MOST));
            lines.extend(shown(article, "description", DESCRIPTION_MOST)?);
            let pagepath = string(article, "pagepath")?;
            let leads_to_program = self.road != Road::Robot
                && !string(article, "appid")?.is_empty()
                && !pagepath.is_empty();
            if leads_to_program && pagepath.len() > 128 {
                return Err(Refusal::of(40058));
            }
            match string(article, "url")? {
                "" if leads_to_program => lines.push(pagepath.to_owned()),
                "" => return Err(Refusal::of(41010)),
                url => lines.push(address(url)?.to_owned()),
            }
            match string(article, "picurl")? {
                "" => {}
                url => drop(address(url)?),
            }
        }
        Ok(Found::lines(lines))
    }

    fn mpnews(&self, inner: &Fields, now: SystemTime) -> Result<Found, Refusal> {
        let mut found = Found::default();
        for article in articles(inner)? {
            let title = required(article, "title", 41016)?;
            found.lines.push(cut(title, TITLE_MOST));
            let thumb = self.upload(article, "thumb_media_id", 41006, "image", now)?;
            found.media.push(thumb);
            if required(article, "content", 44004)?.len() > ARTICLE_MOST {
                return Err(Refusal::of(45002));
            }
            if string(article, "author")?.len() > 64 {
                return Err(Refusal::of(45032));
            }
            found
                .lines
                .extend(shown(article, "digest", DESCRIPTION_MOST)?);
        }
        Ok(found)
    }

    /// A template card: its type and what every card has; the many rules for its parts are left out.
    fn card(&self, card: &Fields) -> Result<Found, Refusal> {
        let asks = match string(card, "card_type")? {
            "text_notice" | "news_notice" => false,
            "button_interaction" | "vote_interaction" | "multiple_interaction"
                if self.road == Road::App =>
            {
                true
            }
            _ => return Err(Refusal::of(42031)),
        };
        if asks {
            required(card, "task_id", 42014)?;
        }
        let title = object(card, "main_title")?.ok_or_else(|| Refusal::of(42033))?;
        if !asks && object(card, "card_action")?.is_none() {
            return Err(Refusal::of(42045));
        }
        let mut lines = vec![required(title, "title", 42033)?.to_owned()];
        lines.extend(shown(title, "desc", DESCRIPTION_MOST)?);
        Ok(Found {
            lines,
            callback: asks,
            ..Found::default()
        })
    }
}

/// A mini program's notice.
fn notice(inner: &Fields) -> Result<Found, Refusal> {
    required(inner, "appid", 40063)?;
    let title = required(inner, "title", 41016)?;
    Ok(Found::lines(vec![title.to_owned()]))
}

/// A picture within a robot's message: base64 in one line, and the md5 of what it stands for.
fn robot_image(inner: &Fields, now: SystemTime) -> Result<Found, Refusal> {
    let (text, md5) = (
        required(inner, "base64", 40058)?,
        required(inner, "md5", 40058)?,
    );
    let bytes = base64(text).ok_or_else(|| Refusal::of(40123))?;
    if bytes.len() > ROBOT_IMAGE_MOST {
        return Err(Refusal::of(40009));
    }
    if md5 != md5_hex(&bytes) {
        return Err(Refusal::of(301_019));
    }
    if !is_picture(&bytes) {
        return Err(Refusal::of(40123));
    }
    let upload = Upload {
        owner: Owner::Company,
        kind: "image".into(),
        filename: String::new(),
        bytes: bytes.into(),
        media_id: String::new(),
        at: now,
    };
    Ok(Found {
        lines: vec!["[图片]".to_owned()],
        media: vec![upload],
        callback: false,
    })
}

fn articles(inner: &Fields) -> Result<Vec<&Fields>, Refusal> {
    let articles = objects(inner, "articles")?;
    if (1..=8).contains(&articles.len()) {
        Ok(articles)
    } else {
        Err(Refusal::of(45008))
    }
}

/// What is shown of a text that may be missing.
fn shown(fields: &Fields, key: &str, most: usize) -> Result<Option<String>, Refusal> {
    let text = string(fields, key)?;
    Ok((!text.is_empty()).then(|| cut(text, most)))
}

/// An address with its scheme.
fn address(url: &str) -> Result<&str, Refusal> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        Err(Refusal::of(45034))
    } else if url.len() > URL_MOST {
        Err(Refusal::of(40039))
    } else {
        Ok(url)
    }
}

#[cfg(test)]
mod tests;
