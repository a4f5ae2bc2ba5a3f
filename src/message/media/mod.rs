//! Limits of files: the format, size and name that WeCom accepts.
//!
//! Pure: sees bytes, never a file.

mod format;

use super::input::hides;
use format::Format;

const MB: u64 = 1024 * 1024;

/// WeCom accepts no file of this size in bytes or less.
/// Source: developer.work.weixin.qq.com/document/path/90253.
pub(crate) const FILE_MIN: u64 = 5;

/// The largest file of each kind, in bytes. Source: path 90253, and 91770 for a robot's image.
const IMAGE_MAX: u64 = 10 * MB;
const ROBOT_IMAGE_MAX: u64 = 2 * MB;
const VOICE_MAX: u64 = 2 * MB;
const VIDEO_MAX: u64 = 10 * MB;
pub(crate) const FILE_MAX: u64 = 20 * MB;

/// The most files of a message from outside, such as a mail: with the text they must fit into WeCom's
/// 30 messages a minute.
pub(crate) const FILES_MAX: usize = 20;

/// The longest voice, in seconds. Source: path 90253.
pub(crate) const VOICE_SECONDS_MAX: u64 = 60;

/// The longest file name that we send, in bytes. WeCom documents no limit; file systems end at 255.
const NAME_MAX: usize = 200;

/// The extensions of the files that `safe` can protect. Source: path 90236.
pub(crate) const SAFE_FILES: [&str; 14] = [
    "txt", "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "xml", "jpg", "jpeg", "png", "bmp",
    "gif",
];

/// Whether WeCom protects a file of this name with `safe`. It refuses all others with `safe`.
pub(crate) fn can_be_safe(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|it| SAFE_FILES.contains(&&*it.to_ascii_lowercase()))
}

/// The kind of message that a file is sent as.
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

    /// Returns WeCom's name for the kind, the `type` of an upload.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }

    /// Returns the largest size in bytes. A robot sends images inline.
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

/// Returns the default kind of message for a file that begins with `head`.
pub(crate) fn kind_of(head: &[u8]) -> MediaKind {
    match Format::of(head) {
        Format::Png | Format::Jpeg => MediaKind::Image,
        Format::Amr => MediaKind::Voice,
        Format::Mp4 => MediaKind::Video,
        _ => MediaKind::File,
    }
}

/// A reason why WeCom would not accept a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnfitFile {
    /// Robots send no videos.
    RobotVideo,
    /// WeCom accepts no file of `FILE_MIN` bytes or less.
    TooSmall { size: u64 },
    /// An image is neither PNG nor JPEG.
    NoImage,
    /// A voice is not AMR.
    NoVoice,
    /// A video is not MP4.
    NoVideo,
    /// A voice has 16000 Hz instead of 8000.
    WideVoice,
    /// A file is larger than the limit of its kind.
    TooLarge {
        kind: MediaKind,
        robot: bool,
        size: u64,
    },
    /// The frames of a voice are damaged or cut off.
    DamagedVoice,
    /// A voice lasts longer than `VOICE_SECONDS_MAX`.
    LongVoice { seconds: u64 },
}

/// Checks whether WeCom accepts a file of `size` bytes as `kind`. `head` is its start: the whole
/// file, or at least 12 bytes.
pub(crate) fn check(kind: MediaKind, robot: bool, size: u64, head: &[u8]) -> Result<(), UnfitFile> {
    if robot && kind == MediaKind::Video {
        return Err(UnfitFile::RobotVideo);
    }
    if size <= FILE_MIN {
        return Err(UnfitFile::TooSmall { size });
    }
    match (kind, Format::of(head)) {
        (MediaKind::Voice, Format::AmrWide) => return Err(UnfitFile::WideVoice),
        (MediaKind::Voice, it) if it != Format::Amr => return Err(UnfitFile::NoVoice),
        (MediaKind::Video, it) if it != Format::Mp4 => return Err(UnfitFile::NoVideo),
        (MediaKind::Image, Format::Png | Format::Jpeg) => {}
        (MediaKind::Image, _) => return Err(UnfitFile::NoImage),
        _ => {}
    }
    if size > kind.max(robot) {
        return Err(UnfitFile::TooLarge { kind, robot, size });
    }
    Ok(())
}

/// Checks whether WeCom accepts these bytes, the whole file, as a voice.
pub(crate) fn check_voice(bytes: &[u8]) -> Result<(), UnfitFile> {
    check(MediaKind::Voice, false, bytes.len() as u64, bytes)?;
    let frames = amr_frames(bytes).ok_or(UnfitFile::DamagedVoice)?;
    // A started second counts.
    let seconds = frames.div_ceil(FRAMES_A_SECOND);
    if seconds > VOICE_SECONDS_MAX {
        return Err(UnfitFile::LongVoice { seconds });
    }
    Ok(())
}

const FRAMES_A_SECOND: u64 = 50;

/// The bytes of an AMR-NB frame with its header, by frame type; 0 for an invalid type.
/// Source: RFC 4867, section 5.3, and 3GPP TS 26.101, table 1a.
const FRAME_BYTES: [usize; 16] = [13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1];

/// Counts the frames of an AMR-NB file, 20 ms each. Returns `None` if it is not one, or ends within
/// a frame.
fn amr_frames(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.strip_prefix(format::AMR)?;
    let mut frames = 0;
    while let Some(&header) = rest.first() {
        let length = FRAME_BYTES[usize::from(header >> 3 & 15)];
        // The bits around type and quality are padding, and must be 0.
        if length == 0 || header & 0b1000_0011 != 0 {
            return None;
        }
        rest = rest.get(length..)?;
        frames += 1;
    }
    (frames > 0).then_some(frames)
}

fn base(name: &str) -> &str {
    name.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or("")
}

/// Returns the value for `filename="…"`: the base name in raw UTF-8, which recipients see.
///
/// Replaces characters that would end the header or the quotes, that WeCom forbids in a sibling call
/// (path 99310), or that hide others, such as a change of writing direction: to remove them would join what
/// stands around them, which may be a secret. Cuts it to 200 bytes, but keeps its extension.
pub(crate) fn file_name(name: &str) -> String {
    let is_bad = |c: char| hides(c) || "\"\\:/".contains(c);
    let clean = base(name).replace(is_bad, "-");
    let clean = clean.trim();
    if clean.chars().all(|c| ".- ".contains(c)) {
        return "file".to_owned();
    }
    if clean.len() <= NAME_MAX {
        return clean.to_owned();
    }
    let extension = match clean.rfind('.') {
        // Longer ones are not extensions.
        Some(dot) if dot > 0 && clean.len() - dot <= 20 => &clean[dot..],
        _ => "",
    };
    let stem = clean.floor_char_boundary(NAME_MAX - extension.len());
    format!("{}{extension}", &clean[..stem])
}

/// Returns the name of a text's file by its title. That is not a path: all of it becomes the name.
pub(crate) fn name_of_text(title: &str) -> String {
    file_name(&format!("{}.txt", title.replace(['/', '\\'], "-")))
}

#[cfg(test)]
mod tests;
