use super::*;
use proptest::prelude::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0";
const MP3: &[u8] = b"ID3\x04\0\0\0\0\0\0";

/// Returns an AMR file of 12.2 kbit/s.
fn amr(frames: usize) -> Vec<u8> {
    let mut frame = vec![0x3c];
    frame.resize(32, 7);
    [b"#!AMR\n".to_vec(), frame.repeat(frames)].concat()
}

#[test]
fn the_format_of_a_file_determines_its_kind() {
    for (head, kind) in [
        (PNG, MediaKind::Image),
        (JPEG, MediaKind::Image),
        (b"#!AMR\n", MediaKind::Voice),
        (MP4, MediaKind::Video),
        (b"#!AMR-WB\n", MediaKind::File),
        (MP3, MediaKind::File),
        (b"GIF89a", MediaKind::File),
        (b"\0\0\0\x14ftypqt  ", MediaKind::File),
        (b"\0\0\0\x14ftypheic", MediaKind::File),
        (b"\0\0\0\x14ftypM4A ", MediaKind::File),
        (b"\0\0\0\x14fty", MediaKind::File),
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
        let judged = |size| check(kind, robot, size, head);
        assert_eq!(judged(6), Ok(()), "{kind:?}");
        assert_eq!(judged(max), Ok(()), "{kind:?}");
        let size = max + 1;
        assert_eq!(judged(size), Err(UnfitFile::TooLarge { kind, robot, size }));
        for size in [0, 5] {
            assert_eq!(judged(size), Err(UnfitFile::TooSmall { size }));
        }
    }
}

#[test]
fn each_kind_has_its_formats() {
    use MediaKind::{Image, Video, Voice};
    for (kind, robot, head, why) in [
        (Voice, false, MP3, UnfitFile::NoVoice),
        (Voice, false, b"#!AMR-WB\n", UnfitFile::WideVoice),
        (Image, true, b"GIF89a", UnfitFile::NoImage),
        (Image, false, b"%PDF-1.7", UnfitFile::NoImage),
        (Image, false, MP4, UnfitFile::NoImage),
        (Video, false, b"\0\0\0\x14ftypqt  ", UnfitFile::NoVideo),
        (Video, true, MP4, UnfitFile::RobotVideo),
    ] {
        assert_eq!(check(kind, robot, 100, head), Err(why));
    }
}

#[test]
fn a_voice_is_measured_by_its_frames() {
    // A frame of 4.75 kbit/s, one of comfort noise, and an empty one.
    let mixed = [
        b"#!AMR\n\x04".as_slice(),
        &[0; 12],
        b"\x44",
        &[0; 5],
        b"\x7c",
    ]
    .concat();
    assert_eq!(amr_frames(&mixed), Some(3));
    for bad in [
        b"#!AMR\n".to_vec(),
        amr(3)[..90].to_vec(),
        [amr(1), b"\x4c".to_vec()].concat(),
        [amr(1), vec![0x3d; 32]].concat(),
        b"#!AMR-WB\n\x3c".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(amr_frames(&bad), None, "{}", bad.escape_ascii());
    }
    for (bytes, judged) in [
        (amr(1), Ok(())),
        (amr(3000), Ok(())),
        (amr(3001), Err(UnfitFile::LongVoice { seconds: 61 })),
        (amr(3)[..90].to_vec(), Err(UnfitFile::DamagedVoice)),
        (MP3.to_vec(), Err(UnfitFile::NoVoice)),
    ] {
        assert_eq!(check_voice(&bytes), judged);
    }
}

#[test]
fn a_name_goes_into_a_header() {
    let long = format!("{}.tar.gz", "报".repeat(100));
    for (name, sent) in [
        ("报告.pdf", "报告.pdf"),
        ("/var/log/a b.log", "a b.log"),
        ("C:\\x\\a.txt", "a.txt"),
        ("dir/", "dir"),
        ("a\"b\r\nc:d\0\u{85}.txt", "a-b--c-d--.txt"),
        ("\u{202e}gnp\u{2028}.exe", "-gnp-.exe"),
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
    fn any_bytes_are_accepted_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        magic in prop::sample::select(vec![&b""[..], b"#!AMR\n", b"RIFF", b"\0\0\0\x18ftyp", b"BM", b"\xff", PNG]),
        robot: bool,
    ) {
        let bytes = [magic, &bytes].concat();
        let size = bytes.len() as u64;
        let kind = kind_of(&bytes);
        let judged = check(kind, robot, size, &bytes);
        prop_assert_eq!(judged.is_ok(), size > 5 && !(robot && kind == MediaKind::Video));
        prop_assert_eq!(check_voice(&bytes).is_ok(), amr_frames(&bytes).is_some() && size > 5);
    }

    #[test]
    fn frames_of_any_type_add_up(types in prop::collection::vec(prop::sample::select(vec![0usize, 1, 2, 3, 4, 5, 6, 7, 8, 15]), 1..300)) {
        let mut voice = b"#!AMR\n".to_vec();
        // The octets of speech after the header: RFC 4867, and the frames of 3GPP TS 26.101.
        for kind in &types {
            voice.push(u8::try_from(kind << 3 | 4).unwrap());
            let speech = match kind { 0 => 12, 1 => 13, 2 => 15, 3 => 17, 4 => 19, 5 => 20, 6 => 26, 7 => 31, 8 => 5, _ => 0 };
            voice.resize(voice.len() + speech, 0xff);
        }
        prop_assert_eq!(amr_frames(&voice), Some(types.len() as u64));
    }
}
