//! Detects the format of a file by its first bytes, never by its name: the four that WeCom shows or
//! plays.

/// The start of an AMR file with one channel and 8000 Hz. Source: RFC 4867, section 5.1.
pub(super) const AMR: &[u8] = b"#!AMR\n";

/// The start of an AMR file with 16000 Hz, which WeCom does not accept. Source: as above.
const AMR_WIDE: &[u8] = b"#!AMR-WB\n";

/// The first brands of ISO base media files that are not MP4: `QuickTime`, sound only, pictures.
const NOT_MP4: [&[u8]; 10] = [
    b"qt  ", b"M4A ", b"M4B ", b"M4P ", b"heic", b"heix", b"hevc", b"mif1", b"avif", b"avis",
];

/// A format that WeCom treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    Amr,
    AmrWide,
    Mp4,
    Other,
}

impl Format {
    /// Returns the format of a file that begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Self {
        let is_mp4 = || {
            let brand = head.get(8..12).unwrap_or_default();
            head.get(4..8) == Some(b"ftyp") && !NOT_MP4.contains(&brand)
        };
        match head {
            _ if head.starts_with(b"\x89PNG\r\n\x1a\n") => Self::Png,
            _ if head.starts_with(b"\xff\xd8\xff") => Self::Jpeg,
            _ if head.starts_with(AMR) => Self::Amr,
            _ if head.starts_with(AMR_WIDE) => Self::AmrWide,
            _ if is_mp4() => Self::Mp4,
            _ => Self::Other,
        }
    }
}
