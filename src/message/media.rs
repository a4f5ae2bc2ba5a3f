//! Files as WeCom takes them: format, size and name, each judged before anything is uploaded.
//!
//! Pure: it sees bytes, never a file.

mod format;

pub(crate) use format::Format;

use crate::lang::{say, spoken};

const MB: u64 = 1024 * 1024;

/// A file has more bytes than this. Source: developer.work.weixin.qq.com/document/path/90253.
const MIN: u64 = 5;

/// Largest file of each kind, in bytes. Source: path 90253, and 91770 for a robot's image.
const IMAGE_MAX: u64 = 10 * MB;
const ROBOT_IMAGE_MAX: u64 = 2 * MB;
const VOICE_MAX: u64 = 2 * MB;
const VIDEO_MAX: u64 = 10 * MB;
pub(crate) const FILE_MAX: u64 = 20 * MB;

/// Longest voice, in seconds. Source: path 90253.
const VOICE_SECONDS_MAX: u64 = 60;

/// Longest file name that we send, in bytes; WeCom documents no limit, file systems end at 255.
const NAME_MAX: usize = 200;

/// Extensions of the files that can be protected with `safe`. Source: path 90236.
pub(crate) const SAFE_FILES: [&str; 14] = [
    "txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp",
    "gif",
];

/// Whether WeCom protects a file of this name with `safe`; with it, it refuses all others.
pub(crate) fn can_be_safe(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|it| SAFE_FILES.contains(&&*it.to_ascii_lowercase()))
}

/// What a file is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum MediaKind {
    /// A picture, shown in the conversation.
    Image,
    /// Speech.
    Voice,
    /// A film.
    Video,
    /// Anything.
    File,
}

impl MediaKind {
    /// Returns the kind of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let all = [Self::Image, Self::Voice, Self::Video, Self::File];
        all.into_iter().find(|kind| kind.name() == name)
    }

    /// WeCom's name for it, the `type` of an upload.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }

    /// Largest size, in bytes; a robot takes images within its messages.
    pub(crate) fn max(self, robot: bool) -> u64 {
        match self {
            Self::Image if robot => ROBOT_IMAGE_MAX,
            Self::Image => IMAGE_MAX,
            Self::Voice => VOICE_MAX,
            Self::Video => VIDEO_MAX,
            Self::File => FILE_MAX,
        }
    }
}

/// What a file is to be sent as, if nobody says.
pub(crate) fn kind_of(head: &[u8]) -> MediaKind {
    match Format::of(head) {
        Format::Png | Format::Jpeg => MediaKind::Image,
        Format::Amr => MediaKind::Voice,
        Format::Mp4 => MediaKind::Video,
        _ => MediaKind::File,
    }
}

/// Whether WeCom takes the file `name` of `size` bytes, which begins with `head`, as `kind`.
///
/// `head` is its first 4096 bytes, or all of it.
///
/// # Errors
/// In words: the limit, the value, and what to do instead.
pub(crate) fn check(
    kind: MediaKind,
    robot: bool,
    name: &str,
    size: u64,
    head: &[u8],
) -> Result<(), String> {
    let shown = shown(name);
    if robot && kind == MediaKind::Video {
        return Err(say!(
            "群机器人不能发视频：用 --file 发送 {shown}",
            "a group robot takes no video: send {shown} with --file"
        ));
    }
    if size <= MIN {
        return Err(say!(
            "{shown} 有 {size} 字节，企业微信不接受 {MIN} 字节及以下的文件：内容是不是不对？",
            "{shown} has {size} bytes, WeCom takes no file of {MIN} or less: is it what it should be?"
        ));
    }
    let found = Format::of(head);
    let takes = match kind {
        MediaKind::Image => matches!(found, Format::Png | Format::Jpeg),
        MediaKind::Voice => found == Format::Amr,
        MediaKind::Video => found == Format::Mp4,
        MediaKind::File => true,
    };
    if !takes {
        return Err(wrong_format(kind, &shown, found));
    }
    let max = kind.max(robot);
    if size > max {
        return Err(too_large(kind, robot, &shown, size));
    }
    Ok(())
}

/// Whether WeCom takes all these bytes as a voice.
///
/// # Errors
/// In words, as `check`; and where it is too long, or no whole AMR.
pub(crate) fn check_voice(name: &str, bytes: &[u8]) -> Result<(), String> {
    check(MediaKind::Voice, false, name, bytes.len() as u64, bytes)?;
    let shown = shown(name);
    let Some(seconds) = amr_seconds(bytes) else {
        return Err(say!(
            "{shown} 开头是 AMR，但其中的帧已损坏或不完整：重新生成，或用 --file 发送",
            "{shown} begins as AMR, but its frames are damaged or cut off: make it anew, or send it with --file"
        ));
    };
    if seconds > VOICE_SECONDS_MAX {
        return Err(say!(
            "语音最长 {VOICE_SECONDS_MAX} 秒，{shown} 有 {seconds} 秒：截短它（ffmpeg -t {VOICE_SECONDS_MAX}），或用 --file 发送",
            "a voice lasts at most {VOICE_SECONDS_MAX} seconds, {shown} lasts {seconds}: cut it (ffmpeg -t {VOICE_SECONDS_MAX}), or send it with --file"
        ));
    }
    Ok(())
}

const FRAMES_A_SECOND: u64 = 50;

/// Bytes of an AMR-NB frame with its header, by frame type; 0 where the type is none.
/// Source: RFC 4867, section 5.3, and 3GPP TS 26.101, table 1a.
const FRAME_BYTES: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];

/// How long an AMR-NB file lasts, in seconds, a begun one counted; none if it is not one.
fn amr_seconds(bytes: &[u8]) -> Option<u64> {
    Some(amr_frames(bytes)?.div_ceil(FRAMES_A_SECOND))
}

/// The frames of an AMR-NB file, 20 ms each; none if it is not one, or ends within a frame.
fn amr_frames(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.strip_prefix(format::AMR)?;
    let mut frames = 0;
    while let Some(&header) = rest.first() {
        let length = FRAME_BYTES[usize::from(header >> 3 & 15)];
        // The bits around type and quality are padding, and are 0.
        if length == 0 || header & 0b1000_0011 != 0 {
            return None;
        }
        rest = rest.get(length..)?;
        frames += 1;
    }
    (frames > 0).then_some(frames)
}

fn wrong_format(kind: MediaKind, shown: &str, found: Format) -> String {
    let stem = shown.rsplit_once('.').map_or(shown, |(stem, _)| stem);
    let to = match kind {
        MediaKind::Image if found.is_picture() => Some(format!("{stem}.png")),
        MediaKind::Voice if found == Format::AmrWide => {
            Some(format!("-ar 8000 -ac 1 {stem}-nb.amr"))
        }
        MediaKind::Voice if found.is_sound() => Some(format!("-ar 8000 -ac 1 {stem}.amr")),
        MediaKind::Video if found.is_film() => Some(format!("{stem}.mp4")),
        _ => None,
    };
    let (zh, en) = match kind {
        MediaKind::Image => ("图片须为 PNG 或 JPEG", "an image is PNG or JPEG"),
        MediaKind::Voice if found == Format::AmrWide => {
            ("语音须为 8000 Hz 的 AMR", "a voice is AMR of 8000 Hz")
        }
        MediaKind::Voice => ("语音须为 AMR", "a voice is AMR"),
        MediaKind::Video => ("视频须为 MP4", "a video is MP4"),
        MediaKind::File => ("文件不限格式", "a file is anything"),
    };
    let (takes, is) = (spoken().of(zh, en), found.is());
    match to {
        Some(to) => say!(
            "{takes}，{shown} {is}：用 ffmpeg -i {shown} {to} 转换，或用 --file 发送",
            "{takes}, {shown} {is}: convert it with ffmpeg -i {shown} {to}, or send it with --file"
        ),
        None => say!(
            "{takes}，{shown} {is}：用 --file 发送",
            "{takes}, {shown} {is}: send it with --file"
        ),
    }
}

fn too_large(kind: MediaKind, robot: bool, shown: &str, size: u64) -> String {
    let max = kind.max(robot);
    let (zh, en) = match kind {
        MediaKind::Image if robot => ("群机器人的图片", "an image of a group robot"),
        MediaKind::Image => ("图片", "an image"),
        MediaKind::Voice => ("语音", "a voice"),
        MediaKind::Video => ("视频", "a video"),
        MediaKind::File => ("文件", "a file"),
    };
    let whose = spoken().of(zh, en);
    let (zh, en) = match kind {
        MediaKind::File => (
            "压缩或拆分它，或改发链接",
            "compress or divide it, or send a link to it",
        ),
        MediaKind::Voice if size <= FILE_MAX => (
            "截短它，或用 --file 发送",
            "shorten it, or send it with --file",
        ),
        _ if size <= FILE_MAX => (
            "缩小它，或用 --file 发送",
            "make it smaller, or send it with --file",
        ),
        _ => (
            "缩小它，或改发链接",
            "make it smaller, or send a link to it",
        ),
    };
    let (instead, mb) = (spoken().of(zh, en), max / MB);
    say!(
        "{whose}最大 {mb} MB（{max} 字节），{shown} 有 {size} 字节：{instead}",
        "{whose} has at most {mb} MB ({max} bytes), {shown} has {size} bytes: {instead}"
    )
}

/// A name for a message to a person: one line.
fn shown(name: &str) -> String {
    let name = base(name);
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    if clean.is_empty() {
        spoken().of("该文件", "the file").to_owned()
    } else {
        clean
    }
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or("")
}

/// What goes into `filename="…"`: the base name in raw UTF-8, which receivers see.
///
/// Without what would end the header or the quotes, or what WeCom forbids in a sibling call
/// (path 99310); at most 200 bytes, its extension kept.
pub(crate) fn file_name(name: &str) -> String {
    let clean: String = base(name)
        .chars()
        .filter(|c| !c.is_control() && !"\"\\:/".contains(*c))
        .collect();
    let clean = clean.trim();
    if clean.is_empty() || clean.chars().all(|c| c == '.') {
        return "file".to_owned();
    }
    if clean.len() <= NAME_MAX {
        return clean.to_owned();
    }
    let extension = match clean.rfind('.') {
        // What is longer is no extension.
        Some(dot) if dot > 0 && clean.len() - dot <= 20 => &clean[dot..],
        _ => "",
    };
    let stem = clean.floor_char_boundary(NAME_MAX - extension.len());
    format!("{}{extension}", &clean[..stem])
}

#[cfg(test)]
mod tests;
