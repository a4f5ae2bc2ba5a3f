//! `wxpush upload`: what it prints, what it takes, what it says when WeCom's answer is lost, and the
//! bar that a person sees.

use std::fs::File;
use std::process::Command;

use crate::standin::{Fault, Owner, ROBOT_KEY, Standin};
use crate::support::{
    GETTOKEN, Outcome, ROBOT_UPLOAD, Run, SEND, Sandbox, UPLOAD, Words, amr_of, config, for_each,
    here, holds_files, jpeg, losses, mp4, now, pdf, png, refusal, set_up, warmed, with_file,
    with_robot,
};

/// What is said of an upload that WeCom may have.
const NOT_KNOWN: &str = "whether the upload was done is not known";

#[test]
fn the_id_alone_is_printed_and_the_kind_is_what_the_bytes_say() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.write("a.txt", "some bytes");
    let (app, robot) = (Owner::Company, Owner::Robot(ROBOT_KEY.into()));
    let (amr, jpeg, mp4, pdf, png) = (amr_of(1), jpeg(), mp4(), pdf(), png());
    let words = b"some words".to_vec();
    for (number, (args, bytes, kind, name, owner)) in [
        ("x", &png, "image", "x", &app),
        ("x", &jpeg, "image", "x", &app),
        ("x", &amr, "voice", "x", &app),
        ("x", &mp4, "video", "x", &app),
        ("x", &pdf, "file", "x", &app),
        ("x --name 报告.pdf", &pdf, "file", "报告.pdf", &app),
        ("--type file x", &png, "file", "x", &app),
        (
            "./x --type image --name ../../b.png",
            &png,
            "image",
            "b.png",
            &app,
        ),
        ("-", &words, "file", "stdin.txt", &app),
        ("-", &png, "image", "stdin.png", &app),
        ("- --name a.png", &png, "image", "a.png", &app),
        ("--robot ops x", &pdf, "file", "x", &robot),
        ("--robot ops x", &amr, "voice", "x", &robot),
        ("--robot ops --type file x", &png, "file", "x", &robot),
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.write("x", bytes);
        let outcome = here(&sandbox, &format!("upload {args}"))
            .stdin(&**bytes)
            .run();
        let outcome = outcome.exits(0);
        let company = standin.company();
        let upload = &company.media.uploads[number];
        assert_eq!(outcome.stdout, &*format!("{}\n", upload.media_id));
        assert_eq!(outcome.stderr, "");
        let found = (&*upload.kind, &*upload.filename, &upload.owner);
        assert_eq!(found, (kind, name, owner), "{args}");
        assert!(upload.bytes == *bytes, "{args}");
    }
    let counts = [UPLOAD, ROBOT_UPLOAD, SEND].map(|path| standin.count(path));
    assert_eq!(counts, [11, 3, 0]);
    let outcome = here(&sandbox, "--json upload a.txt").exits(0);
    let (shown, company) = (outcome.json(), standin.company());
    assert_eq!(shown["media_id"], *company.media.uploads[14].media_id);
    assert_eq!(shown["type"], "file");
    let at = shown["created_at"].as_str().unwrap();
    let at = chrono::DateTime::parse_from_rfc3339(at)
        .unwrap()
        .timestamp();
    assert!(at.unsigned_abs().abs_diff(now()) < 60, "{at}");
}

#[test]
fn an_id_that_upload_prints_is_one_that_send_takes() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, b"some bytes");
    let id = here(&sandbox, "upload a.txt").exits(0).stdout;
    let send = sandbox.wxpush(&format!("send --to lisi --file media_id:{id}"));
    send.is_silent();
    holds_files(&standin, "lisi", &[("a.txt", b"some bytes")]);
    assert_eq!(standin.count(UPLOAD), 1);
}

#[test]
fn what_wecom_would_not_take_is_refused_before_anything_leaves() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    sandbox.write("a.txt", "some bytes");
    sandbox.write("empty", "");
    sandbox.write("five", "12345");
    sandbox.write("p.png", png());
    sandbox.write("torn.amr", &amr_of(1)[..18]);
    let large = |name: &str, size| File::create(sandbox.path(name)).unwrap().set_len(size);
    large("large", (20 << 20) + 1).unwrap();
    for (args, code, words) in [
        ("none", 66, "none"),
        (".", 66, "directory"),
        ("a.txt/x", 66, "a.txt/x"),
        ("empty", 65, "empty has 0 bytes"),
        ("five", 65, "five has 5 bytes"),
        ("large", 65, "20 MB"),
        ("--type image a.txt", 65, "an image is PNG or JPEG"),
        ("--type voice p.png", 65, "a voice is AMR"),
        ("--type video p.png", 65, "a video is MP4"),
        ("torn.amr", 65, "damaged or cut off"),
        ("--robot ops p.png", 64, "--type file"),
        ("--robot ops --type video p.png", 64, "--type file"),
        ("--robot nobody a.txt", 78, "there is no [robots.nobody]"),
        ("--type film a.txt", 64, "--type"),
        ("", 64, "FILE"),
        ("a.txt five", 64, "five"),
    ] {
        let outcome = here(&sandbox, &format!("upload {args}")).run();
        let outcome = outcome.exits(code).says(words);
        assert_eq!(outcome.stdout, "", "{args}");
    }
    assert!(standin.requests().is_empty());
    let outcome = here(&sandbox, "upload -").stdin([]).run();
    outcome.exits(65).says("stdin.txt has 0 bytes");
}

#[test]
fn an_upload_whose_answer_is_lost_is_not_repeated_and_its_outcome_not_known() {
    let no_id = ("no id", Fault::Body("{\"errcode\":0}".to_owned()));
    for_each(losses().into_iter().chain([no_id]), |(what, fault)| {
        let standin = Standin::start();
        let sandbox = with_file(&standin, b"some bytes");
        standin.always(UPLOAD, fault);
        let outcome = here(&sandbox, "upload --timeout 3s a.txt").run();
        let outcome = outcome.exits(75).says(NOT_KNOWN).says("it is not repeated");
        assert_eq!((&*outcome.stdout, standin.count(UPLOAD)), ("", 1), "{what}");
        let outcome = here(&sandbox, "--json upload --timeout 3s a.txt").run();
        let json = outcome.exits(75).json();
        assert!(json["error"].as_str().unwrap().contains(NOT_KNOWN));
        assert_eq!((&json["exit_code"], standin.count(UPLOAD)), (&75.into(), 2));
        // What may be there is not taken for something that is.
        standin.mend();
        here(&sandbox, "upload a.txt").exits(0);
        assert_eq!(standin.count(UPLOAD), 3, "{what}");
    });
}

#[test]
fn what_certainly_was_not_uploaded_is_said_so() {
    for (code, exit) in [
        (45009, 75),
        (-1, 75),
        (60020, 77),
        (45001, 65),
        (48002, 77),
        (99999, 69),
    ] {
        let standin = Standin::start();
        let sandbox = with_file(&standin, b"some bytes");
        standin.always(UPLOAD, refusal(code));
        let outcome = here(&sandbox, "upload a.txt").run();
        let outcome = outcome.exits(exit).says(&format!("errcode {code} "));
        assert!(!outcome.stderr.contains("not known"), "{}", outcome.stderr);
        assert_eq!((standin.count(UPLOAD), &*outcome.stdout), (1, ""));
    }
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&Standin::refuse()));
    sandbox.write("a.txt", "some bytes");
    let outcome = here(&sandbox, "upload --timeout 1s a.txt").run();
    let outcome = outcome.exits(75).says("the upload was not done: ");
    assert!(!outcome.stderr.contains("not known"), "{}", outcome.stderr);
}

#[test]
fn a_token_is_fetched_and_fetched_anew_as_often_as_it_takes() {
    let standin = Standin::start();
    let sandbox = with_file(&standin, b"some bytes");
    standin.script(GETTOKEN, [Fault::CutAfter, Fault::html(502)]);
    here(&sandbox, "upload a.txt").exits(0);
    assert_eq!((standin.count(GETTOKEN), standin.count(UPLOAD)), (3, 1));
    let sandbox = warmed(&standin, 100);
    sandbox.write("b.txt", "other bytes");
    standin.script(UPLOAD, [refusal(42001)]);
    here(&sandbox, "upload b.txt").exits(0);
    assert_eq!(standin.count(UPLOAD), 3);
    // Refused twice, it is not the token.
    sandbox.age_token(100);
    sandbox.write("b.txt", "another bytes");
    standin.always(UPLOAD, refusal(40014));
    let outcome = here(&sandbox, "upload b.txt").exits(75);
    let outcome = outcome.says("only just granted");
    assert!(!outcome.stderr.contains("not known"), "{}", outcome.stderr);
    assert_eq!(standin.count(UPLOAD), 5);
}

#[test]
fn what_never_left_is_tried_again_while_there_is_time() {
    let standin = Standin::start_at("127.0.9.11:0").unwrap();
    let sandbox = warmed(&standin, 100);
    sandbox.write("a.txt", "some bytes");
    let address = standin.base().replace("http://", "");
    drop(standin);
    let started = here(&sandbox, "upload --timeout 80s a.txt").start();
    while !sandbox.read("wxpush.log").contains("trying again") {
        assert!(here(&sandbox, "--version").run().code == Some(0));
    }
    let standin = Standin::start_at(&address).unwrap();
    let outcome = started.wait().exits(0);
    let company = standin.company();
    let taken: Vec<_> = company
        .media
        .uploads
        .iter()
        .map(|it| &*it.media_id)
        .collect();
    assert_eq!(taken, [outcome.stdout.trim_end()]);
}

/// A line of a shell at a terminal; what it shows is on stdout.
fn at_a_terminal(sandbox: &Sandbox, line: &str) -> Outcome {
    let mut command = Command::new("script");
    let line = line.replace("wxpush", sandbox.path("wxpush").to_str().unwrap());
    command.args(["-qec", &line, "/dev/null"]);
    let run = Run::new(command).env("PATH", "/usr/bin:/bin");
    run.cwd(sandbox.path("")).run()
}

#[test]
#[ignore = "needs script, of util-linux"]
fn a_person_sees_how_far_a_file_has_gone_and_nobody_else_does() {
    let (standin, sandbox) = set_up();
    for (number, (line, is_shown)) in [
        ("wxpush upload FILE > id", true),
        ("wxpush upload FILE", true),
        ("wxpush send --to lisi --file FILE", true),
        (
            "wxpush send --to lisi --file - --name n < FILE > /dev/null",
            true,
        ),
        ("wxpush -q upload FILE", false),
        ("wxpush --json upload FILE", false),
        ("wxpush -q send --to lisi --file FILE", false),
        ("wxpush --json send --to lisi --file FILE", false),
        ("wxpush upload FILE 2> err", false),
        ("wxpush send --to lisi --file FILE 2> err", false),
        ("wxpush send --to lisi words", false),
    ]
    .into_iter()
    .enumerate()
    {
        // New each time, or it would not be uploaded.
        let file = format!("file{number}");
        sandbox.write(&file, vec![b'0' + u8::try_from(number).unwrap(); 3 << 20]);
        let outcome = at_a_terminal(&sandbox, &line.replace("FILE", &file)).exits(0);
        let seen = &outcome.stdout;
        if is_shown {
            let steps = seen.matches("\rupload [").count();
            assert!((20..=101).contains(&steps), "{line}: {seen}");
            assert_eq!(
                seen.matches("100%  3.0 of 3.0 MiB\r\n").count(),
                1,
                "{line}: {seen}"
            );
        } else {
            assert!(!seen.contains("upload ["), "{line}: {seen}");
        }
        assert_eq!(sandbox.read("err"), "", "{line}");
    }
    let ids: Vec<String> = {
        let company = standin.company();
        company
            .media
            .uploads
            .iter()
            .map(|it| it.media_id.clone())
            .collect()
    };
    // A bar is no result.
    assert_eq!(sandbox.read("id"), format!("{}\n", ids[0]));
    assert_eq!(standin.count(UPLOAD), 10);
    // What WeCom has already goes nowhere.
    let again = at_a_terminal(&sandbox, "wxpush upload file0").exits(0);
    assert_eq!(again.stdout, format!("{}\r\n", ids[0]));
    // Nor does it to a program.
    let outcome = here(&sandbox, "upload file1").exits(0);
    assert_eq!(outcome.stdout, format!("{}\n", ids[1]));
    assert_eq!(outcome.stderr, "");
}

#[test]
#[ignore = "needs script, of util-linux"]
fn nobody_types_a_file() {
    let (standin, sandbox) = set_up();
    let outcome = at_a_terminal(&sandbox, "wxpush upload -").exits(64);
    outcome.stdout.shows("stdin is a terminal");
    assert!(standin.requests().is_empty());
}
