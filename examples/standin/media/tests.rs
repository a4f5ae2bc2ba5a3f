//! What is taken as a file, and what is refused.

use serde_json::{Value, json};

use super::super::trial::{
    FORM, JPG, MP4, PNG, START, ask, form, json_of, tokened, upload, voice, with_token,
};
use super::*;

fn padded(head: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = head.to_vec();
    bytes.resize(size, 0);
    bytes
}

#[test]
fn a_file_is_taken_by_its_size_and_its_format() {
    let long = voice(3001);
    let mut broken = voice(2);
    broken.pop();
    let mov = b"\0\0\0\x14ftypqt  a film";
    let cases = [
        ("smoke", PNG.to_vec(), 40005),
        ("", PNG.to_vec(), 40005),
        ("file", vec![], 44001),
        ("file", b"12345".to_vec(), 40006),
        ("file", b"123456".to_vec(), 0),
        ("file", vec![0; 20 * MB], 0),
        ("file", vec![0; 20 * MB + 1], 45001),
        ("image", PNG.to_vec(), 0),
        ("image", JPG.to_vec(), 0),
        ("image", b"GIF89a".to_vec(), 40123),
        ("image", padded(PNG, 10 * MB), 0),
        ("image", padded(PNG, 10 * MB + 1), 40009),
        ("voice", voice(3000), 0),
        ("voice", long, 45007),
        ("voice", voice(0), 301_016),
        ("voice", broken, 301_016),
        ("voice", b"ID3 a song".to_vec(), 301_017),
        ("voice", padded(b"#!AMR\n", 2 * MB + 1), 40006),
        ("video", MP4.to_vec(), 0),
        ("video", mov.to_vec(), 40004),
        ("video", b"RIFF....AVI ".to_vec(), 40004),
        ("video", padded(MP4, 10 * MB), 0),
        ("video", padded(MP4, 10 * MB + 1), 40011),
    ];
    for (kind, bytes, code) in cases {
        let answer = upload(&mut Company::default(), kind, "f", &bytes);
        assert_eq!(answer["errcode"], code, "{kind}, {}: {answer}", bytes.len());
    }
}

#[test]
fn an_upload_is_answered_as_on_wecoms_page_and_can_be_had_back() {
    let mut company = Company::default();
    let answer = upload(&mut company, "file", "报告.pdf", b"%PDF-1.7");
    assert_eq!(answer["errmsg"], "");
    assert_eq!(answer["type"], "file");
    assert_eq!(answer["created_at"], "0");
    let media_id = answer["media_id"].as_str().unwrap();
    let path = tokened(&mut company, &format!("media/get?media_id={media_id}"));
    let Reply::File { headers, bytes } = ask(&mut company, START, &path, "", None) else {
        panic!("no file");
    };
    assert_eq!(bytes, b"%PDF-1.7"[..]);
    let disposition = "attachment; filename=\"报告.pdf\"";
    assert!(headers.iter().any(|(_, value)| value == disposition));
    for (query, code) in [("media_id=", 41006), ("media_id=other", 40007)] {
        let answer = with_token(
            &mut company,
            &format!("media/get?{query}"),
            START,
            &Value::Null,
        );
        assert_eq!(answer["errcode"], code, "{query}");
    }
}

#[test]
fn a_form_that_wecom_does_not_understand_is_no_upload() {
    let right = r#"name="media"; filename="f""#;
    for (content_type, disposition, code) in [
        (FORM, right, 0),
        (FORM, r#"name="media"; filename="f"; filelength=6"#, 0),
        (FORM, r#"name="media"; filename="f"; filelength=7"#, 40123),
        (
            FORM,
            r#"name="media"; filename="f"; filelength="six""#,
            40123,
        ),
        (FORM, r#"name="picture"; filename="f""#, 44001),
        (FORM, r#"name="media""#, 44001),
        (FORM, r#"name="media"; filename*=utf-8''f"#, 44001),
        ("multipart/form-data", right, 44001),
        ("multipart/form-data; boundary=B; chunked", right, 44001),
        ("application/json", right, 44001),
    ] {
        let mut company = Company::default();
        let path = tokened(&mut company, "media/upload?type=file");
        let body = form(disposition, b"123456");
        let answer = json_of(ask(&mut company, START, &path, content_type, Some(&body)));
        assert_eq!(answer["errcode"], code, "{content_type} {disposition}");
        assert_eq!(company.media.uploads.len(), usize::from(code == 0));
    }
}

#[test]
fn a_picture_for_articles_has_rules_of_its_own() {
    let mut company = Company::default();
    let path = tokened(&mut company, "media/uploadimg");
    let mut send = |bytes: &[u8]| {
        let body = form(r#"name="any"; filename="f""#, bytes);
        json_of(ask(&mut company, START, &path, FORM, Some(&body)))
    };
    assert_eq!(send(b"GIF89a")["errcode"], 40123);
    assert_eq!(send(&padded(PNG, 2 * MB + 1))["errcode"], 40009);
    let answer = send(&padded(PNG, 2 * MB));
    assert_eq!(answer["errcode"], 0);
    assert_eq!(answer["errmsg"], "");
    for _ in 1..1000 {
        send(PNG);
    }
    assert_eq!(send(PNG)["errcode"], 45009);
    assert_eq!(answer["url"], company.media.pictures[0].0);
}

#[test]
fn an_upload_needs_a_token_and_a_trusted_address() {
    let mut company = Company {
        trusted_ips: Some(Vec::new()),
        ..Company::default()
    };
    assert_eq!(upload(&mut company, "image", "f", PNG)["errcode"], 60020);
    let path = "/cgi-bin/media/upload?type=file";
    let body = form(r#"name="media"; filename="f""#, b"123456");
    let answer = json_of(ask(&mut company, START, path, FORM, Some(&body)));
    assert_eq!(answer["errcode"], 41001);
}
