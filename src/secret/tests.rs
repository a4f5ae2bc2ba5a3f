//! What is hidden, and what is not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::redactor::HIDDEN;
use super::*;

fn hidden(secret: &str, text: &str) -> String {
    let (mut veil, mut text) = (Redactor::default(), text.to_owned());
    veil.add(&Secret::new(secret));
    veil.hide(&mut text);
    text
}

#[test]
fn hides_every_stretch_of_eight_characters() {
    let hide = |text: &str| hidden("abcdefghijklmnop", text);
    for (text, shown) in [
        ("no secret here", "no secret here"),
        ("x abcdefghijklmnop y", "x [hidden] y"),
        ("tail cdefghij end", "tail [hidden] end"),
        ("in capitals ABCDEFGH", "in capitals [hidden]"),
        ("seven bcdefgh only", "seven bcdefgh only"),
        ("中文abcdefgh中文", "中文[hidden]中文"),
        ("", ""),
    ] {
        assert_eq!(hide(text), shown, "{text}");
    }
}

#[test]
fn what_a_server_chose_as_its_token_is_no_secret_of_ours() {
    let token = "wrOgQhDgAAMYQiS5ol9G7gK9JVAAAABC";
    let mut guard = Redactor::default();
    guard.add_for_messages(&Secret::new("own-secret-0123456789"));
    guard.add_granted(&Secret::new(token), true);
    for (text, own) in [(token, false), ("own-secret-0123456789", true)] {
        assert!(guard.is_in(text.as_bytes()), "{text}");
        assert_eq!(guard.has_own_in(text.as_bytes()), own, "{text}");
    }
}

#[test]
fn hides_encoded_secrets() {
    let secret = "ab-cd_efgh/ijk?lmnop";
    for (text, shown) in [
        ("x ab-cd_efgh%2Fijk%3Flmnop y", "x [hidden] y"),
        ("x ab%2Dcd%5Fefgh%2Fijk%3Flmnop y", "x [hidden] y"),
        ("x b%2dcd%5fefg y", "x [hidden] y"),
        ("YWItY2RfZWZnaC9pams/bG1ub3A=", "[hidden]="),
    ] {
        assert_eq!(hidden(secret, text), shown, "{text}");
    }
    // A secret may contain text that looks percent-encoded.
    assert_eq!(hidden("100%41%42%43", "x 100%41%42%43 y"), "x [hidden] y");
    assert_eq!(hidden("100%41%42%43", "100%2541%2542%2543"), "[hidden]");
    // At each offset within a group of three bytes, in both alphabets.
    for text in [
        "fn5+fj8/Pz9+fn5+Pz8/Pw==",
        "eH5-fn4_Pz8_fn5-fj8_Pz8=",
        "eHh+fn5+Pz8/P35+fn4/Pz8/",
    ] {
        let shown = hidden("~~~~????~~~~????", text);
        assert!(shown.contains("[hidden]") && shown.len() < 15, "{shown}");
    }
}

#[test]
fn a_message_hides_sixteen_characters_in_a_row_which_nobody_guesses() {
    let mut guard = Redactor::default();
    guard.add_for_messages(&Secret::new("abcdefghijklmnopqrstuvwx"));
    guard.add_for_messages(&Secret::new("0123456789"));
    for (text, shown) in [
        ("a bcdefghijklmnop z", "a bcdefghijklmnop z"),
        ("a bcdefghijklmnopq z", "a [hidden] z"),
        ("xabcdefghijklmnopqrstuvwxx", "x[hidden]x"),
        ("012345678 0123456789", "012345678 [hidden]"),
    ] {
        let mut text = text.to_owned();
        guard.hide(&mut text);
        assert_eq!(text, shown);
    }
}

#[test]
fn hides_hex_in_columns_and_lines() {
    let secret = "abcdefghijklmnopqrstuvwx";
    let hex = hex(secret.as_bytes());
    let (pairs, words): (Vec<_>, Vec<_>) = (
        hex.as_bytes()
            .chunks(2)
            .map(String::from_utf8_lossy)
            .collect(),
        hex.as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect(),
    );
    for (text, shown) in [
        (format!("x {hex}."), "x [hidden]."),
        (format!("x=f{hex}0"), "x=f[hidden]0"),
        (hex.to_uppercase(), "[hidden]"),
        (format!("{}\n{}\n", &hex[..29], &hex[29..]), "[hidden]\n"),
        (pairs.join(" "), "[hidden]"),
        (format!("\\x{}", pairs.join("\\x")), "[hidden]"),
        (format!("{{0x{}}}", pairs.join(", 0x")), "{0x[hidden]}"),
        (format!("&#x{};", pairs.join(";&#x")), "[hidden]"),
        (
            format!(
                "00000000: {}  abc\n00000010: {}  |xyz|",
                words[..8].join(" "),
                words[8..].join(" ")
            ),
            "00000000: [hidden]",
        ),
        (hex[..14].to_owned(), &hex[..14]),
        (format!("{}!{}", &hex[..14], &hex[14..28]), "[hidden]"),
        (format!("['{}']", pairs.join("', '")), "['[hidden]']"),
        (format!("{}00", pairs.join("00 ")), "[hidden]"),
        (
            "0000000 6261 6463 6665 6867 6a69 6c6b 6e6d 706f".to_owned(),
            "0000000 [hidden]",
        ),
    ] {
        assert_eq!(hidden(secret, &text), shown, "{text}");
    }
}

#[test]
fn hides_all_secrets_in_all_texts_and_short_ones_whole() {
    let mut veil = Redactor::default();
    for secret in ["", "abcdefghij", "pass"] {
        veil.add(&Secret::new(secret));
    }
    let mut texts = ["xabcdefghijx", "my-pass: 'PASS'", "a password"].map(str::to_owned);
    for text in &mut texts {
        assert_eq!(veil.hide(text), text.contains(HIDDEN), "{text}");
    }
    let shown = ["x[hidden]x", "my-[hidden]: '[hidden]'", "a password"];
    assert_eq!(texts, shown);
}

/// A secret as programs write it.
fn layouts(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let each = |write: &dyn Fn(&u8) -> String| bytes.iter().map(write).collect::<String>();
    let signs = |write: &dyn Fn(u8) -> String| {
        each(&|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
            _ => write(*byte),
        })
    };
    let named = |byte| match byte {
        b'&' => "&amp;".to_owned(),
        b'<' => "&lt;".to_owned(),
        b'>' => "&gt;".to_owned(),
        b'"' => "&quot;".to_owned(),
        b'\'' => "&apos;".to_owned(),
        _ => format!("&#x{byte:X};"),
    };
    let wide: Vec<u8> = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
    let wrapped = |text: &str, width: usize| {
        let lines = text.as_bytes().chunks(width).map(String::from_utf8_lossy);
        lines.collect::<Vec<_>>().join("\n")
    };
    let dump = |before: usize, size: usize, columns: usize| {
        let bytes = ["x".repeat(before).as_bytes(), bytes, b"end of it, and more"].concat();
        let lines = bytes.chunks(size).enumerate().map(|(at, line)| {
            let words: Vec<_> = line.chunks(columns).map(hex).collect();
            let text = String::from_utf8_lossy(line);
            format!("{:08x}: {}  |{text}|\n", at * size, words.join(" "))
        });
        lines.collect::<String>()
    };
    let base64 = STANDARD.encode(format!("user:{secret} and more words of the same text"));
    vec![
        secret.to_owned(),
        String::from_utf8(wide.clone()).unwrap(),
        base64.clone(),
        wrapped(&base64, 76),
        wrapped(&base64, 40),
        wrapped(&base64, 20).replace('\n', "\\r\\n"),
        base64.replace('+', "%2B").replace('/', "%2f"),
        STANDARD.encode(&wide),
        hex(bytes),
        hex(&wide),
        hex(bytes).to_uppercase(),
        wrapped(&hex(bytes), 60),
        each(&|byte| format!("{byte:02x} ")),
        each(&|byte| format!("\\u{byte:04X}")),
        each(&|byte| format!("%{byte:02X}")),
        each(&|byte| format!("%25{byte:02X}")),
        each(&|byte| format!("&#{byte};")),
        each(&|byte| format!("&#x{byte:x};")),
        each(&|byte| format!("0x{byte:02x}, ")),
        each(&|byte| format!("0x{byte:02X},")),
        each(&|byte| format!("{byte:02x},")),
        each(&|byte| format!("{byte:02X}-")),
        each(&|byte| format!("{byte:02x}\n")),
        signs(&|byte| format!("%{byte:02X}")),
        signs(&|byte| format!("%25{byte:02x}")),
        signs(&|byte| format!("\\u{byte:04x}")),
        signs(&|byte| format!("\\x{byte:02X}")),
        signs(&|byte| format!("\\{}", char::from(byte))),
        signs(&|byte| format!("&#{byte};")),
        signs(&|byte| format!("&#0{byte};")),
        signs(&|byte| format!("&#x{byte:06x};")),
        signs(&named),
        dump(0, 16, 1),
        dump(7, 16, 2),
        dump(9, 16, 1),
        dump(3, 8, 1),
    ]
}

#[test]
fn each_layout_is_hidden_in_a_text_and_overwritten_in_a_file_of_any_size() {
    for (secret, is_password) in [
        ("Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ01x23y45z", false),
        ("Correct-Horse-Battery-Staple", true),
        ("q7/W+z-k_P9", true),
        ("Xy&Zz'Quu+x\"Longer<Pw>", true),
        ("aB3$xY9!kL2@mN5#pQ7&", true),
    ] {
        let mut guard = Redactor::default();
        if is_password {
            guard.add_password(&Secret::new(secret));
        } else {
            guard.add_for_messages(&Secret::new(secret));
        }
        for layout in layouts(secret) {
            let mut text = format!("before\n{layout} behind");
            assert!(guard.hide(&mut text), "{layout}");
            assert!(
                text.starts_with("before\n") && text.contains(HIDDEN),
                "{text}"
            );
            for (size, place) in [(0, 0), (140_000, 0), (100_001, 50_001), (100_001, 50_002)] {
                let filler = b"A line of a log, 0123 of it.\n".iter().cycle().copied();
                let mut file: Vec<u8> = filler.take(size).collect();
                file.splice(place..place, format!("\n{layout}\n").into_bytes());
                let before = file.clone();
                assert!(guard.is_in(&file), "{size} {place} {layout}");
                guard.overwrite(&mut file);
                assert!(!guard.is_in(&file), "{}", String::from_utf8_lossy(&file));
                let mut differing = before.iter().zip(&file).filter(|(a, b)| a != b);
                assert_eq!(before.len(), file.len());
                assert!(differing.all(|(a, b)| !a.is_ascii_whitespace() && *b == b'*'));
            }
        }
    }
}

#[test]
fn a_piece_of_a_password_counts_only_where_it_is_encoded() {
    let mut guard = Redactor::default();
    guard.add_password(&Secret::new("the monitoring of all the servers"));
    let piece = "monitoring of all the";
    assert!(!guard.hide(&mut format!("100 % {piece}")) && !guard.is_in(piece.as_bytes()));
    for form in [
        hex(piece.as_bytes()),
        STANDARD.encode(piece),
        piece.replace(' ', "%20"),
    ] {
        assert!(
            guard.hide(&mut form.clone()) && guard.is_in(form.as_bytes()),
            "{form}"
        );
    }
    assert!(guard.hide(&mut "x the monitoring of all the servers".to_owned()));
}

#[test]
fn a_secret_of_what_stands_in_its_place_is_hidden_in_one_pass() {
    for secret in [
        "********",
        "*********************",
        "[hidden]",
        "[hidden][hidden]",
        "n][hidde",
    ] {
        let mut guard = Redactor::default();
        guard.add_password(&Secret::new(secret));
        guard.add(&Secret::new(secret));
        for count in [1, 2, 20_000] {
            let text = format!("x {} y", secret.repeat(count));
            let mut file = text.clone().into_bytes();
            guard.overwrite(&mut file);
            assert_eq!(file.len(), text.len());
            assert!(
                file.starts_with(b"x ********") && file.ends_with(b"**** y"),
                "{secret}"
            );
            let mut text = text;
            assert!(guard.hide(&mut text));
            assert_eq!(text, "x [hidden] y");
        }
    }
}

#[test]
fn only_what_a_machine_made_counts_if_a_server_chose_it_or_a_stranger_writes() {
    let token = "ZyXwVuTsRqPoNmLkJiHgFeDcBa9876543210qwerty";
    let guessable = [
        "CRITICAL".to_owned(),
        "a".repeat(512),
        "-".repeat(32),
        "abcdefghijkl".repeat(9),
        token[..31].to_owned(),
    ];
    let (mut granted, mut own) = (Redactor::default(), Redactor::default());
    for secret in guessable
        .iter()
        .map(Secret::new)
        .chain([Secret::new(token)])
    {
        granted.add_granted(&secret, true);
        own.add_for_messages(&secret);
    }
    let strangers = own.for_strangers();
    for guard in [granted, strangers] {
        for text in &guessable[..4] {
            assert!(
                !guard.hide(&mut text.clone()) && !guard.is_in(text.as_bytes()),
                "{text}"
            );
        }
        assert!(guard.hide(&mut token.to_owned()) && guard.is_in(token.as_bytes()));
    }
}

#[test]
fn what_stands_before_the_first_character_is_no_space() {
    for secret in [
        "        x12345",
        "\0\0\0\0x12345\0\0\0",
        "                 ",
    ] {
        let mut guard = Redactor::default();
        guard.add(&Secret::new(secret));
        for text in ["x12345", " x12345", "x", "eDEyMzQ1", "783132333435"] {
            assert!(!guard.hide(&mut text.to_owned()), "{secret:?} in {text}");
        }
        assert!(guard.hide(&mut secret.to_owned()));
        assert!(guard.hide(&mut format!("{secret} ")));
    }
}

#[test]
fn an_id_keeps_what_a_short_password_has_in_common_with_it() {
    let mut told = Redactor::default();
    for secret in ["k9", "0123456789abcdef"] {
        told.add(&Secret::new(secret));
    }
    for (id, shown) in [("3a-k9-Q_k9", "3a-k9-Q_k9"), ("x01234567y", "x[hidden]y")] {
        let mut hidden = id.to_owned();
        told.hide_in_id(&mut hidden);
        assert_eq!(hidden, shown);
    }
}

#[test]
fn of_another_servers_token_only_the_whole_is_hidden() {
    let token = "/var/lib/postgresql/data-disk-usage-is-91%-full!";
    let mut guard = Redactor::default();
    guard.add_granted(&Secret::new(token), false);
    assert!(!guard.hide(&mut token[..40].to_owned()));
    assert!(!guard.hide(&mut token[..40].replace('/', "\\/")));
    assert!(guard.hide(&mut token.to_owned()));
}

#[test]
fn a_long_password_and_its_user_count_in_pieces_where_they_are_escaped() {
    let password = "wH3/tN8GdV5yCq2JuE7bXk4MoS&pZ6rLf9Ai";
    for user in ["bob", "zoe"] {
        let mut guard = Redactor::default();
        for secret in passwords(&format!(
            "http://{user}:wH3%2FtN8GdV5yCq2JuE7bXk4MoS%26pZ6rLf9Ai@a.cn"
        )) {
            guard.add_password(&secret);
        }
        for written in [password.replace('/', "\\/"), password.replace('&', "&amp;")] {
            let mut text = format!("\"{written}\"");
            assert!(guard.hide(&mut text), "{written}");
            assert_eq!(text, "\"[hidden]\"");
        }
    }
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", Secret::new("abcdefgh")), "Secret(hidden)");
}

#[test]
fn a_digest_depends_on_the_boundaries_of_the_texts() {
    assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
    assert_eq!(digest(&["a"]).len(), 64);
}
