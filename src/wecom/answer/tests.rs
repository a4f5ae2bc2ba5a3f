use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Cause;
use super::own::Texts;
use super::*;

fn told() -> Redactor {
    let mut told = Redactor::default();
    told.add(&Secret::new("s3cret-of-this-app"));
    told
}

fn reply(is_file: bool, body: &[u8]) -> Reply {
    Reply {
        status: 200,
        retry_after: None,
        is_file,
        body: body.to_vec(),
    }
}

/// Reads the answer to one of our own calls.
fn own(body: &[u8]) -> Result<OwnAnswer, Error> {
    let call = Call::get("message/send", &[]);
    read_own(&call, &told(), reply(false, body))
}

/// Reads the answer to a call that a user named.
fn read_foreign(is_file: bool, body: &[u8]) -> Result<ApiAnswer, Error> {
    let call = Call::get("user/get?userid=a", &[]);
    read(&call, &told(), reply(is_file, body))
}

#[test]
fn only_one_whole_errcode_in_an_object_is_an_answer() {
    for body in [
        r#"{"errcode":0}"#,
        r#"{"errcode":0,"errmsg":"ok","msgid":"m","unknown":[1]}"#,
        // As a relay may write it.
        r#"{"errcode":"0"}"#,
        r#"{"errcode":0.0}"#,
        "\u{feff}{\"errcode\":0}",
        // Nothing in another field makes a yes unknown.
        r#"{"errcode":0,"errmsg":"a","errmsg":"\ud800","\ud800":1,"msgid":1e400}"#,
    ] {
        assert!(own(body.as_bytes()).is_ok(), "{body}");
    }
    assert!(own(b"{\"errcode\":0,\"errmsg\":\"\xff\",\"\xfe\":1}").is_ok());
    let deep = format!(
        "{{\"errcode\":0,\"msgid\":{}1{}}}",
        "[".repeat(9999),
        "]".repeat(9999)
    );
    assert!(own(deep.as_bytes()).is_ok());
    let busy = own(br#"{"errcode":-1,"errmsg":null}"#);
    assert!(busy.is_err_and(|error| error.class == Class::Busy));
    for body in [
        "",
        "{}",
        "[]",
        "[0]",
        "null",
        "0",
        "ok",
        r#"{"errcode":""}"#,
        r#"{"errcode":0.5}"#,
        r#"{"errcode":null}"#,
        r#"{"errcode":0,"errcode":40001}"#,
        r#"{"errcode":0,"errcode":0,"errcode":0}"#,
        r#"{"errcode":1e3}"#,
        r#"{"errcode":0"#,
        "<html>502</html>",
        r#"{"errmsg":"ok"}"#,
        r#"{"errcode":99999999999999999999}"#,
    ] {
        let error = own(body.as_bytes()).unwrap_err();
        assert!(matches!(error.cause, Cause::Unreadable(_)), "{body}");
    }
}

#[test]
fn lists_come_in_every_shape() {
    for (value, expected) in [
        (json!("a|b"), vec!["a", "b"]),
        (json!(""), vec![]),
        (json!(null), vec![]),
        (json!(["a", 2]), vec!["a", "2"]),
        (json!(7), vec!["7"]),
        (json!({"a": 1, "userid": "b"}), vec!["b"]),
    ] {
        let texts: Texts = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(texts.names(), expected, "{value}");
    }
}

#[test]
fn names_of_two_messages_are_merged_without_duplicates() {
    let of = |names: &[&str]| Unreached {
        invaliduser: names.iter().map(ToString::to_string).collect(),
        ..Unreached::default()
    };
    let mut unreached = of(&["a", "b"]);
    unreached.merge(&of(&["b", "c", "c"]));
    assert_eq!(unreached, of(&["a", "b", "c"]));
}

#[test]
fn an_answer_is_shown_whole_except_for_secrets() {
    let body = json!({
        "name": "x",
        "access_token": "abc",
        "a": [{"url": "k=s3cret-of-this-app"}, {"s3cret-of-this-app": {"b": 1}, "z": 2}],
    });
    let Ok(ApiAnswer::Json(answer, None)) = read_foreign(false, body.to_string().as_bytes()) else {
        panic!("it is a yes: without an errcode all is well");
    };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (&answer["name"], &answer["access_token"]),
        (&json!("x"), &json!("REDACTED"))
    );
    assert!(!answer.to_string().contains("s3cret"), "{answer}");
    assert_eq!(answer["a"][1], json!({"[hidden]": {"b": 1}, "z": 2}));
}

#[test]
fn of_an_answer_only_the_texts_with_secrets_change() {
    for (json, shown) in [
        (" [ 1.50 , \"\\u4e2d\" ,null ] ", r#"[1.50,"\u4e2d",null]"#),
        (
            r#"{"a":"k=s3cret-of-this-\u0061pp"}"#,
            r#"{"a":"k=[hidden]"}"#,
        ),
        (
            r#"{"x_access_token":["a",{"b":"c","d":1}],"e":"f"}"#,
            r#"{"x_access_token":["REDACTED",{"b":"REDACTED","d":1}],"e":"f"}"#,
        ),
        (
            r#"["{\"access_token\": \"a\"}","access_token"]"#,
            r#"["{\"access_token\":\"REDACTED\"}","access_token"]"#,
        ),
    ] {
        match read_foreign(false, json.as_bytes()) {
            Ok(ApiAnswer::Json(answer, None)) => assert_eq!(answer, shown),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_refusal_includes_its_answer_and_a_refused_token_is_an_error() {
    let no = json!({"errcode": 60111, "errmsg": "userid not found"}).to_string();
    let Ok(ApiAnswer::Json(_, Some(refusal))) = read_foreign(false, no.as_bytes()) else {
        panic!("it is a no");
    };
    assert_eq!(
        (refusal.errcode, &*refusal.errmsg),
        (60111, "userid not found")
    );
    let token = json!({"errcode": 40014, "errmsg": ""}).to_string();
    let answer = read_foreign(false, token.as_bytes());
    assert!(answer.is_err_and(|error| error.class == Class::Token));
}

#[test]
fn a_file_is_a_file_and_a_page_is_none() {
    let is_file =
        |answer, bytes: &[u8]| matches!(answer, Ok(ApiAnswer::File(file)) if file == bytes);
    assert!(is_file(read_foreign(false, b"\x89PNG"), b"\x89PNG"));
    for file in [&b""[..], b"<svg>", b"{}", b"{\"errcode\":40014}"] {
        assert!(is_file(read_foreign(true, file), file));
    }
    for (is_file, body, why) in [
        (true, &b"s3cret-of-this-app"[..], Unreadable::EchoesSecret),
        (false, b"no: k=S3CRET-of-this-app", Unreadable::EchoesSecret),
        (false, b"", Unreadable::Empty),
        (false, b" <html>", Unreadable::WebPage),
    ] {
        let error = read_foreign(is_file, body).unwrap_err();
        assert!(matches!(error.cause, Cause::Unreadable(it) if it == why));
    }
}

#[test]
fn a_lifetime_is_believed_within_reason() {
    for (value, seconds) in [
        (json!(7200), 7200),
        (json!(3), 60),
        (json!(0), 60),
        (json!(-5), 60),
        (json!(1e18), 7200),
        (json!("600"), 600),
        (json!("soon"), 7200),
        (json!("NaN"), 7200),
        (json!(null), 7200),
        (json!([600]), 600),
        (json!(600.9), 600),
    ] {
        let texts: Texts = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(lifetime(texts.text()), seconds, "{value}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = own(&body);
        let _ = read_foreign(false, &body);
    }

    #[test]
    fn any_json_in_any_field_is_read_or_refused(
        field in prop_oneof![Just("errcode"), Just("expires_in"), Just("msgid"), Just("invaliduser")],
        value in "(-?[0-9]{1,25}(\\.[0-9]{1,3})?(e[0-9]{1,3})?|\"[a-z|0-9]{0,9}\"|null|true|\\[1,\"a\"\\]|\\{\\})",
    ) {
        let body = format!(r#"{{"errmsg":"x","{field}":{value}}}"#);
        if let Ok(answer) = own(body.as_bytes()) {
            prop_assert!((60..=7200).contains(&lifetime(answer.expires_in.text())));
        }
    }
}
