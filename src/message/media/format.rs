//! The format of a file, by its first bytes; never by its name.

use crate::lang::{say, spoken};

/// What an AMR file of one channel and 8000 Hz begins with. Source: RFC 4867, section 5.1.
pub(super) const AMR: &[u8] = b"#!AMR\n";

/// A format that people try to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    Gif,
    Bmp,
    Webp,
    Tiff,
    Heic,
    Avif,
    Svg,
    Amr,
    AmrWide,
    Mp3,
    Wav,
    Aac,
    M4a,
    Ogg,
    Flac,
    Mp4,
    Mov,
    Mkv,
    Avi,
    Pdf,
    Zip,
    Gzip,
    Empty,
    Text,
    Unknown,
}

impl Format {
    /// The format of what begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Self {
        const MAGIC: [(&[u8], Format); 17] = [
            (b"\x89PNG\r\n\x1a\n", Format::Png),
            (b"\xff\xd8\xff", Format::Jpeg),
            (b"GIF87a", Format::Gif),
            (b"GIF89a", Format::Gif),
            (b"II*\0", Format::Tiff),
            (b"MM\0*", Format::Tiff),
            (AMR, Format::Amr),
            (b"#!AMR-WB\n", Format::AmrWide),
            (b"ID3", Format::Mp3),
            (b"OggS", Format::Ogg),
            (b"fLaC", Format::Flac),
            (b"\x1a\x45\xdf\xa3", Format::Mkv),
            (b"%PDF-", Format::Pdf),
            (b"PK\x03\x04", Format::Zip),
            (b"PK\x05\x06", Format::Zip),
            (b"\x1f\x8b", Format::Gzip),
            (b"<svg", Format::Svg),
        ];
        let magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic));
        match head {
            [] => Self::Empty,
            _ if magic.is_some() => magic.map_or(Self::Unknown, |(_, format)| *format),
            [b'R', b'I', b'F', b'F', _, _, _, _, kind @ ..] => match kind {
                [b'W', b'E', b'B', b'P', ..] => Self::Webp,
                [b'W', b'A', b'V', b'E', ..] => Self::Wav,
                [b'A', b'V', b'I', b' ', ..] => Self::Avi,
                _ => Self::Unknown,
            },
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => Self::brand(brand),
            [_, _, _, _, b'm' | b'w', ..] if old_quicktime(head) => Self::Mov,
            // Reserved words of its header are 0.
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Self::Bmp,
            // Frame sync of 11 bits; layer 0 is AAC's.
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Self::Aac,
            [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 6 != 0 => Self::Mp3,
            _ if is_text(head) => Self::Text,
            _ => Self::Unknown,
        }
    }

    /// By the first brand of an ISO base media file.
    fn brand(brand: &[u8]) -> Self {
        match brand.get(..4).unwrap_or_default() {
            b"qt  " => Self::Mov,
            b"M4A " | b"M4B " | b"M4P " => Self::M4a,
            b"heic" | b"heix" | b"hevc" | b"heim" | b"heis" | b"mif1" | b"msf1" => Self::Heic,
            b"avif" | b"avis" => Self::Avif,
            _ => Self::Mp4,
        }
    }

    /// What it is, for a person.
    pub(crate) fn is(self) -> String {
        let name = self.name();
        match self {
            Self::Empty => say!("是空的", "is empty"),
            Self::Text => say!("是文本", "is text"),
            Self::Unknown => say!("的格式无法识别", "is of a format that is not known here"),
            _ => say!("是 {name}", "is {name}"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Webp => "WEBP",
            Self::Tiff => "TIFF",
            Self::Heic => "HEIC",
            Self::Avif => "AVIF",
            Self::Svg => "SVG",
            Self::Amr => "AMR",
            Self::AmrWide => "AMR-WB",
            Self::Mp3 => "MP3",
            Self::Wav => "WAV",
            Self::Aac => "AAC",
            Self::M4a => "M4A",
            Self::Ogg => "OGG",
            Self::Flac => "FLAC",
            Self::Mp4 => "MP4",
            Self::Mov => "MOV",
            Self::Mkv => spoken().of("MKV 或 WEBM", "MKV or WEBM"),
            Self::Avi => "AVI",
            Self::Pdf => "PDF",
            Self::Zip => "ZIP",
            Self::Gzip => "GZIP",
            Self::Empty | Self::Text | Self::Unknown => "",
        }
    }

    /// Whether a converter makes an image of it.
    pub(super) fn is_picture(self) -> bool {
        matches!(
            self,
            Self::Gif | Self::Bmp | Self::Webp | Self::Tiff | Self::Heic | Self::Avif
        )
    }

    /// Whether a converter makes a voice of it.
    pub(super) fn is_sound(self) -> bool {
        matches!(
            self,
            Self::Mp3 | Self::Wav | Self::Aac | Self::M4a | Self::Ogg | Self::Flac | Self::Mp4
        ) || self.is_film() && self != Self::Gif
    }

    /// Whether a converter makes a video of it.
    pub(super) fn is_film(self) -> bool {
        matches!(self, Self::Mov | Self::Mkv | Self::Avi | Self::Gif)
    }
}

/// A `QuickTime` file of before it had a `ftyp`.
fn old_quicktime(head: &[u8]) -> bool {
    [b"moov", b"mdat", b"wide"]
        .iter()
        .any(|atom| head[4..].starts_with(*atom))
}

/// UTF-8 that may be cut off within a character, without control characters that no text has.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let known = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x0c' | '\x1b');
    !text.is_empty() && text.chars().all(known)
}
