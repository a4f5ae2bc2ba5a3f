//! Tiny files of each format that WeCom takes, made to any size, and a config with a robot.

use std::collections::BTreeSet;

use crate::standin::{App, ROBOT_KEY, Standin};
use crate::support::leaks::reversed;
use crate::support::{Sandbox, config};

/// Frames of a voice in a second.
const FRAMES: usize = 50;

/// A grey dot.
pub(crate) fn png() -> Vec<u8> {
    [
        &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55"[..],
        b"\0\0\0\x0aIDAT\x78\xda\x63\x60\0\0\0\x02\0\x01\xe5\x27\xde\xfc",
        b"\0\0\0\0IEND\xae\x42\x60\x82",
    ]
    .concat()
}

/// A grey dot, arithmetically coded: the shortest that there is.
pub(crate) fn jpeg() -> Vec<u8> {
    [
        &b"\xff\xd8\xff\xdb\0\x43\0"[..],
        &[1; 64],
        b"\xff\xc9\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xcc\0\x06\0\x10\x10\x05",
        b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\xd2\xcf\x20\xff\xd9",
    ]
    .concat()
}

/// So many frames of silence, 20 ms and 13 bytes each.
pub(crate) fn amr_of(frames: usize) -> Vec<u8> {
    let frame = [0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    [b"#!AMR\n", &*frame.repeat(frames)].concat()
}

/// So many seconds of silence.
pub(crate) fn amr(seconds: usize) -> Vec<u8> {
    amr_of(seconds * FRAMES)
}

/// A film of no pictures.
pub(crate) fn mp4() -> Vec<u8> {
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08free".to_vec()
}

/// A document of no pages.
pub(crate) fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".to_vec()
}

/// The same with something behind it, so that it has as many bytes.
pub(crate) fn padded(mut file: Vec<u8>, size: usize) -> Vec<u8> {
    assert!(file.len() <= size, "it is larger already");
    file.resize(size, b' ');
    file
}

/// The config's lines for the stand-in's robot, by the name of `ops`.
pub(crate) fn robot() -> String {
    format!("[robots.ops]\nkey = \"{ROBOT_KEY}\"\n")
}

/// Gives the company another app, 7, whose secret is the first one's reversed.
pub(crate) fn second_app(standin: &Standin) {
    let second = App {
        secret: reversed(),
        name: "另一个".into(),
        enabled: true,
        users: BTreeSet::new(),
        parties: BTreeSet::from([1]),
        tags: BTreeSet::new(),
    };
    standin.company().apps.insert(7, second);
}

/// The lines of a profile for that app.
pub(crate) fn second_profile(name: &str) -> String {
    format!(
        "[profiles.{name}]\nagentid = 7\ncorpsecret = \"{}\"\n",
        reversed()
    )
}

/// A sandbox whose config has the app, and the robot `ops`.
pub(crate) fn with_robot(standin: &Standin) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", config(&standin.base()) + &robot());
    sandbox
}

#[test]
fn wecom_takes_each_of_them() {
    let standin = Standin::start();
    let sandbox = with_robot(&standin);
    for (kind, name, bytes) in [
        ("image", "a.png", png()),
        ("image", "a.jpg", jpeg()),
        ("voice", "a.amr", amr(1)),
        ("voice", "b.amr", amr_of(1)),
        ("video", "a.mp4", mp4()),
        ("file", "a.pdf", padded(pdf(), 1000)),
    ] {
        sandbox.write(name, &bytes);
        let send = sandbox.wxpush(&format!("send --to lisi --{kind}"));
        send.arg(sandbox.path(name)).is_silent();
        assert_eq!(standin.company().media.uploads.last().unwrap().bytes, bytes);
    }
    let robot = sandbox.wxpush("send --robot ops --image");
    robot.arg(sandbox.path("a.png")).is_silent();
    assert_eq!(standin.company().group(ROBOT_KEY)[0].media[0].bytes, png());
}
