//! Real files at WeCom's limits and past them: whole, or refused before anything left.

use std::fs;
use std::fs::File;

use crate::standin::{ROBOT_KEY, Standin};
use crate::support::{
    Outcome, Sandbox, amr, amr_of, for_each, jpeg, last, mp4, padded, pdf, png, send_here,
    with_robot,
};

const MB: u64 = 1 << 20;

/// A file that begins so, with as many bytes in all.
fn file_of(sandbox: &Sandbox, name: &str, head: &[u8], size: u64) {
    let path = sandbox.path(name);
    fs::write(&path, head).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(size).unwrap();
}

#[test]
fn real_files_land_byte_for_byte_under_their_own_names() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    for (kind, name, bytes) in [
        ("image", "plot.png", png()),
        ("image", "照片.JPG", jpeg()),
        ("image", "no-extension", jpeg()),
        ("voice", "一分钟.amr", amr(60)),
        ("video", "片.mp4", padded(mp4(), 70_000)),
        ("file", "报告 2026（终稿）.pdf", padded(pdf(), 70_001)),
        ("file", "six bytes", b"\0\r\n--\xff".to_vec()),
        ("file", "a\"b;c%20'd.txt", b"--boundary\r\n\r\nx".repeat(9)),
    ] {
        sandbox.write(name, &bytes);
        let run = send_here(&sandbox, &format!("--to lisi --{kind}")).arg(name);
        run.is_silent();
        let landed = last(&standin);
        assert_eq!(landed.msgtype, kind, "{name}");
        assert_eq!(landed.media[0].bytes, &*bytes, "{name}");
        let shown = name.replace('"', "-");
        assert_eq!(landed.media[0].filename, shown);
        // The name as WeCom reads it: raw UTF-8 in quotes, and in no other form.
        let requests = standin.requests();
        let upload = requests
            .iter()
            .rfind(|it| it.endpoint().ends_with("/media/upload"))
            .unwrap();
        let head = String::from_utf8_lossy(&upload.body[..400.min(upload.body.len())]).into_owned();
        assert!(head.contains(&format!("; filename=\"{shown}\"")), "{head}");
        assert!(!head.contains("filename*") && upload.header("transfer-encoding").is_none());
        assert_eq!(upload.query["type"], kind);
        let length = upload.body.len().to_string();
        assert_eq!(upload.header("content-length"), Some(&*length));
    }
}

#[test]
fn a_file_at_its_limit_lands_whole() {
    for_each(
        [
            ("--to lisi --image", png(), 10 * MB),
            ("--to lisi --video", mp4(), 10 * MB),
            ("--to lisi --file", pdf(), 20 * MB),
            ("--to lisi --file", Vec::new(), 6),
            ("--robot ops --image", jpeg(), 2 * MB),
            ("--robot ops --file", pdf(), 20 * MB),
        ],
        |(args, head, size)| {
            let standin = Standin::start();
            let sandbox = with_robot(&standin);
            let _memory = sandbox.state_in_memory();
            file_of(&sandbox, "it", &head, size);
            send_here(&sandbox, &format!("{args} it")).is_silent();
            let mut landed = standin.company().group(ROBOT_KEY).to_vec();
            landed.extend(standin.company().phone("lisi"));
            let landed = &landed[0];
            let bytes = &landed.media[0].bytes;
            assert_eq!(bytes.len() as u64, size, "{args}");
            assert!(bytes.starts_with(&head), "{args}");
            fs::remove_file(sandbox.path("it")).unwrap();
        },
    );
}

#[test]
fn a_file_of_a_size_that_wecom_refuses_is_refused_before_anything_is_asked() {
    let standin = Standin::start();
    let table = [
        ("--file", vec![], 0, 5),
        ("--file", pdf()[..5].to_vec(), 5, 5),
        ("--image", vec![], 0, 5),
        ("--voice", vec![], 0, 5),
        ("--video", vec![], 0, 5),
        ("--image", png(), 10 * MB + 1, 10 * MB),
        ("--voice", amr(1), 2 * MB + 1, 2 * MB),
        ("--video", mp4(), 10 * MB + 1, 10 * MB),
        ("--file", pdf(), 20 * MB + 1, 20 * MB),
        ("--robot ops --image", png(), 2 * MB + 1, 2 * MB),
        ("--robot ops --file", pdf(), 20 * MB + 1, 20 * MB),
        ("--robot ops --voice", amr(1), 2 * MB + 1, 2 * MB),
    ];
    for_each(table, |(args, head, size, limit)| {
        let limit = match limit {
            5 => "WeCom takes no file of 5 or less".to_owned(),
            _ => format!(" has at most {} MB ({limit} bytes)", limit / MB),
        };
        let words = [&*limit, &format!("it.x has {size} bytes")];
        is_refused(&standin, args, &head, size, &words);
    });
    let sandbox = with_robot(&standin);
    for (args, words) in [
        ("--file missing", "missing cannot be read"),
        ("--image /", "directory"),
    ] {
        send_here(&sandbox, args).exits(66).says(words);
    }
    assert_eq!(standin.requests().len(), 0);
}

#[test]
fn a_file_of_a_format_that_wecom_refuses_is_refused_before_anything_is_asked() {
    let standin = Standin::start();
    let gif = b"GIF89a\x01\0\x01\0".to_vec();
    let wide = b"#!AMR-WB\n\x04".to_vec();
    let cut = amr(1).split_last().unwrap().1.to_vec();
    let long = amr_of(60 * 50 + 1);
    let (mp3, mov) = (
        b"ID3\x04\0\0\0".to_vec(),
        b"\0\0\0\x14ftypqt  \0\0\0\0".to_vec(),
    );
    let table = [
        (
            "--image",
            gif.clone(),
            "an image is PNG or JPEG, it.x is not",
        ),
        (
            "--image",
            pdf(),
            "it.x is not: convert it, or send it with --file",
        ),
        (
            "--robot ops --image",
            gif,
            "an image is PNG or JPEG, it.x is",
        ),
        (
            "--voice",
            mp3,
            "a voice is AMR, it.x is not: convert it with ffm",
        ),
        ("--voice", wide, "a voice is AMR of 8000 Hz"),
        ("--voice", long.clone(), "at most 60 seconds, it.x lasts 61"),
        (
            "--robot ops --voice",
            long,
            "at most 60 seconds, it.x lasts 61",
        ),
        ("--voice", amr(61), "it.x lasts 61"),
        ("--voice", cut, "its frames are damaged or cut off"),
        ("--video", mov, "a video is MP4, it.x is not: convert it"),
        ("--video", png(), "a video is MP4, it.x is not: convert it"),
    ];
    for_each(table, |(args, file, words)| {
        is_refused(&standin, args, &file, file.len() as u64, &[words]);
    });
    assert_eq!(standin.requests().len(), 0);
}

/// Holds that a file that begins so and has so many bytes is refused in these words, by name and on
/// stdin, and its caption with it.
fn is_refused(standin: &Standin, args: &str, head: &[u8], size: u64, words: &[&str]) {
    let sandbox = with_robot(standin);
    file_of(&sandbox, "it.x", head, size);
    let run = || send_here(&sandbox, &format!("{args} it.x words"));
    let said = |outcome, words: &[&str]| words.iter().copied().fold(outcome, Outcome::says);
    said(run().exits(65), words);
    run().in_chinese().exits(65).is_chinese();
    let file = fs::read(sandbox.path("it.x")).unwrap();
    let words = if size > 20 * MB {
        &["stdin has more than the 20 MB"]
    } else {
        words
    };
    let run = send_here(&sandbox, &format!("{args} - --name it.x words"));
    said(run.stdin(file).exits(65), words);
    fs::remove_file(sandbox.path("it.x")).unwrap();
    assert!(!sandbox.path("outbox").exists(), "{args}");
}

#[test]
fn an_empty_file_may_be_nothing_to_send() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    fs::write(sandbox.path("empty"), "").unwrap();
    for kind in ["file", "image", "voice", "video"] {
        let args = format!("--skip-empty --{kind} empty words");
        send_here(&sandbox, &args).is_silent();
    }
    assert_eq!(standin.requests().len(), 0);
}
