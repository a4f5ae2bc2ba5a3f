use super::*;
use proptest::prelude::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";

/// AMR of 12.2 kbit/s.
fn amr(frames: usize) -> Vec<u8> {
    let mut frame = vec![0x3c];
    frame.resize(32, 7);
    [b"#!AMR\n".to_vec(), frame.repeat(frames)].concat()
}

#[test]
fn formats_are_known_by_their_bytes() {
    for (head, format) in [
        (PNG, Format::Png),
        (JPEG, Format::Jpeg),
        (b"GIF89a\x01\0", Format::Gif),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0", Format::Bmp),
        (b"BMW is a car, not a picture", Format::Text),
        (b"RIFF\x24\0\0\0WEBPVP8 ", Format::Webp),
        (b"RIFF\x24\0\0\0WAVEfmt ", Format::Wav),
        (b"RIFF\x24\0\0\0AVI LIST", Format::Avi),
        (b"II*\0\x08", Format::Tiff),
        (b"\0\0\0\x18ftypheic", Format::Heic),
        (b"\0\0\0\x18ftypavif", Format::Avif),
        (b"\0\0\0\x18ftypM4A ", Format::M4a),
        (b"\0\0\0\x14ftypqt  ", Format::Mov),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Format::Mov),
        (MP4, Format::Mp4),
        (b"#!AMR\n<", Format::Amr),
        (b"#!AMR-WB\n<", Format::AmrWide),
        (MP3, Format::Mp3),
        (b"\xff\xfb\x90\x64", Format::Mp3),
        (b"\xff\xf1\x50\x80", Format::Aac),
        (b"OggS\0\x02", Format::Ogg),
        (b"fLaC\0", Format::Flac),
        (b"\x1a\x45\xdf\xa3\x01", Format::Mkv),
        (b"%PDF-1.7\n", Format::Pdf),
        (b"PK\x03\x04\x14", Format::Zip),
        (b"\x1f\x8b\x08", Format::Gzip),
        ("中文 \x1b[1mlog\n".as_bytes(), Format::Text),
        (&"中文".as_bytes()[..5], Format::Text),
        (b"\x7fELF\x02", Format::Unknown),
        (b"", Format::Empty),
    ] {
        assert_eq!(Format::of(head), format, "{}", head.escape_ascii());
    }
}

#[test]
fn a_file_is_sent_as_what_it_is() {
    for (head, kind) in [
        (PNG, MediaKind::Image),
        (JPEG, MediaKind::Image),
        (b"#!AMR\n", MediaKind::Voice),
        (MP4, MediaKind::Video),
        (MP3, MediaKind::File),
        (b"GIF89a", MediaKind::File),
        (b"\0\0\0\x14ftypqt  ", MediaKind::File),
        (b"", MediaKind::File),
    ] {
        assert_eq!(kind_of(head), kind, "{}", head.escape_ascii());
    }
}

#[test]
fn sizes_end_at_wecoms_limits() {
    const MB: u64 = 1_048_576;
    for (kind, robot, head, max) in [
        (MediaKind::Image, false, PNG, 10 * MB),
        (MediaKind::Image, true, JPEG, 2 * MB),
        (MediaKind::Voice, false, b"#!AMR\n", 2 * MB),
        (MediaKind::Voice, true, b"#!AMR\n", 2 * MB),
        (MediaKind::Video, false, MP4, 10 * MB),
        (MediaKind::File, false, b"abcdef", 20 * MB),
        (MediaKind::File, true, MP3, 20 * MB),
    ] {
        let judged = |size| check(kind, robot, "报告.x", size, head);
        assert_eq!(judged(6), Ok(()), "{kind:?}");
        assert_eq!(judged(max), Ok(()), "{kind:?}");
        let error = judged(max + 1).unwrap_err();
        for word in [
            &max.to_string(),
            &(max + 1).to_string(),
            "报告.x",
            kind.name(),
        ] {
            assert!(error.contains(word), "{error}");
        }
        assert!(judged(5).unwrap_err().contains("5 bytes"));
        assert!(judged(0).unwrap_err().contains("0 bytes"));
    }
}

#[test]
fn an_error_says_what_was_found_and_what_to_do() {
    for (kind, robot, name, head, error) in [
        (
            MediaKind::Voice,
            false,
            "/home/x/note.mp3",
            MP3,
            "a voice is AMR, note.mp3 is MP3: convert it with ffmpeg -i note.mp3 -ar 8000 -ac 1 note.amr, or send it with --file",
        ),
        (
            MediaKind::Voice,
            false,
            "n.amr",
            b"#!AMR-WB\n",
            "a voice is AMR of 8000 Hz, n.amr is AMR-WB: convert it with ffmpeg -i n.amr -ar 8000 -ac 1 n-nb.amr, or send it with --file",
        ),
        (
            MediaKind::Image,
            true,
            "a.gif",
            b"GIF89a",
            "an image is PNG or JPEG, a.gif is GIF: convert it with ffmpeg -i a.gif a.png, or send it with --file",
        ),
        (
            MediaKind::Image,
            false,
            "a\n.pdf",
            b"%PDF-1.7",
            "an image is PNG or JPEG, a.pdf is PDF: send it with --file",
        ),
        (
            MediaKind::Video,
            false,
            "a.mov",
            b"\0\0\0\x14ftypqt  ",
            "a video is MP4, a.mov is MOV: convert it with ffmpeg -i a.mov a.mp4, or send it with --file",
        ),
        (
            MediaKind::Video,
            true,
            "a.mp4",
            MP4,
            "a group robot takes no video: send a.mp4 with --file",
        ),
    ] {
        assert_eq!(check(kind, robot, name, 100, head).unwrap_err(), error);
    }
}

#[test]
fn a_voice_is_measured_by_its_frames() {
    assert_eq!(amr_seconds(&amr(1)), Some(1));
    assert_eq!(amr_seconds(&amr(50)), Some(1));
    assert_eq!(amr_seconds(&amr(51)), Some(2));
    // A frame of 4.75 kbit/s, of comfort noise, and of nothing.
    let mixed = [
        b"#!AMR\n\x04".as_slice(),
        &[0; 12],
        b"\x44",
        &[0; 5],
        b"\x7c",
    ]
    .concat();
    assert_eq!(amr_seconds(&mixed), Some(1));
    for bad in [
        b"#!AMR\n".to_vec(),
        amr(3)[..90].to_vec(),
        [amr(1), b"\x4c".to_vec()].concat(),
        [amr(1), vec![0x3d; 32]].concat(),
        b"#!AMR-WB\n\x3c".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(amr_seconds(&bad), None, "{}", bad.escape_ascii());
    }
    assert_eq!(check_voice("a.amr", &amr(3000)), Ok(()));
    let error = check_voice("a.amr", &amr(3001)).unwrap_err();
    assert!(
        error.contains("60") && error.contains("61") && error.contains("a.amr"),
        "{error}"
    );
    assert!(
        check_voice("a.amr", &amr(3)[..90])
            .unwrap_err()
            .contains("damaged")
    );
    assert!(check_voice("a.mp3", MP3).unwrap_err().contains("MP3"));
}

#[test]
fn a_name_goes_into_a_header() {
    let long = format!("{}.tar.gz", "报".repeat(100));
    for (name, sent) in [
        ("报告.pdf", "报告.pdf"),
        ("/var/log/a b.log", "a b.log"),
        ("C:\\x\\a.txt", "a.txt"),
        ("dir/", "dir"),
        ("a\"b\r\nc:d\0\u{85}.txt", "abcd.txt"),
        ("", "file"),
        ("///", "file"),
        ("..", "file"),
        (".bashrc", ".bashrc"),
        (&long, &format!("{}.gz", "报".repeat(65))),
    ] {
        assert_eq!(file_name(name), sent, "{name:?}");
    }
}

proptest! {
    #[test]
    fn any_name_becomes_one_that_fits(name in "(\\PC|[\"\\\\:/\r\n\0.]){0,150}(\\.[a-z]{1,5})?") {
        let sent = file_name(&name);
        prop_assert!(!sent.is_empty() && sent.len() <= 200);
        prop_assert!(!sent.contains(|c: char| c.is_control() || "\"\\:/".contains(c)));
        prop_assert_eq!(file_name(&sent), &sent[..]);
        let extension = name.rsplit_once('.').map(|(_, end)| end);
        if let Some(end) = extension.filter(|end| !end.is_empty() && end.bytes().all(|b| b.is_ascii_lowercase())) {
            prop_assert!(sent == "file" || sent.ends_with(end), "{}", sent);
        }
    }

    #[test]
    fn any_bytes_are_judged(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        magic in prop::sample::select(vec![&b""[..], b"#!AMR\n", b"RIFF", b"\0\0\0\x18ftyp", b"BM", b"\xff", PNG]),
        robot: bool,
    ) {
        let bytes = [magic, &bytes].concat();
        let size = bytes.len() as u64;
        let kind = kind_of(&bytes);
        let judged = check(kind, robot, "x", size, &bytes);
        prop_assert_eq!(judged.is_ok(), size > 5 && !(robot && kind == MediaKind::Video));
        prop_assert_eq!(check_voice("x", &bytes).is_ok(), amr_seconds(&bytes).is_some() && size > 5);
    }

    #[test]
    fn frames_of_any_type_add_up(types in prop::collection::vec(prop::sample::select(vec![0usize, 1, 2, 3, 4, 5, 6, 7, 8, 15]), 1..300)) {
        let mut voice = b"#!AMR\n".to_vec();
        // Octets of speech after the header: RFC 4867, and the frames of 3GPP TS 26.101.
        for kind in &types {
            voice.push(u8::try_from(kind << 3 | 4).unwrap());
            let speech = match kind { 0 => 12, 1 => 13, 2 => 15, 3 => 17, 4 => 19, 5 => 20, 6 => 26, 7 => 31, 8 => 5, _ => 0 };
            voice.resize(voice.len() + speech, 0xff);
        }
        prop_assert_eq!(amr_seconds(&voice), Some(types.len().div_ceil(50) as u64));
    }
}
