use super::*;

/// The possible words after `recipient:`.
const OF_RECEIVERS: [&str; 6] = ["party", "tag", "chat", "list", "plugin", "licence"];

/// Returns the codes in the order of the table, with their rows.
fn rows() -> Vec<(i64, ErrcodeRow)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with(['#', '*']));
    lines
        .flat_map(|line| {
            let row = ErrcodeRow::read(line).unwrap_or_else(|| panic!("no row: {line}"));
            let codes: Vec<i64> = codes(line).flatten().collect();
            assert!(!codes.is_empty(), "{line}");
            codes.into_iter().map(move |errcode| (errcode, row))
        })
        .collect()
}

#[test]
fn every_line_is_a_row_or_a_comment_and_the_codes_ascend() {
    let lines = TABLE.lines().filter(|line| !line.starts_with(['#', '*']));
    let firsts: Vec<i64> = lines
        .clone()
        .map(|line| codes(line).next().unwrap())
        .map(|it| *it.start())
        .collect();
    assert!(firsts.is_sorted_by(|a, b| a < b));
    for line in lines {
        let codes: Vec<i64> = codes(line).flatten().collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{line}");
    }
    let mut all: Vec<i64> = rows().into_iter().map(|(errcode, _)| errcode).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a code has two lines");
}

#[test]
fn no_text_is_empty_and_each_is_in_its_language() {
    let is_chinese = |it: char| matches!(it, '\u{4e00}'..='\u{9fff}');
    let sign = |it: char| "，。；：（）、".contains(it);
    for (errcode, row) in rows() {
        let texts = [row.meaning, row.advice];
        for [zh, en] in texts {
            assert!(zh.contains(is_chinese), "{errcode}: {zh}");
            let has_words = en.split(' ').any(|word| word.len() > 1 && word.is_ascii());
            assert!(has_words && !en.contains(sign), "{errcode}: {en}");
        }
        for text in texts.as_flattened() {
            assert!(
                text.trim() == *text && !text.starts_with('='),
                "{errcode}: {text}"
            );
        }
    }
}

#[test]
fn gettoken_never_refuses_a_message() {
    for (errcode, row) in rows() {
        assert!(
            matches!(
                row.class(true),
                Class::Ok | Class::Setup | Class::Transient | Class::Busy | Class::Limited
            ),
            "{errcode}"
        );
    }
}

#[test]
fn a_refusal_has_the_right_subject() {
    for (errcode, row) in rows() {
        assert_eq!(
            row.about == About::Nothing,
            row.elsewhere == Class::Ok,
            "{errcode}"
        );
        let is_known = row.of_receivers.is_none_or(|of| OF_RECEIVERS.contains(&of));
        let is_of_receivers = row.of_receivers.is_none() || row.about == About::Receiver;
        assert!(is_known && is_of_receivers, "{errcode}");
        if matches!(
            row.about,
            About::Corpid | About::Corpsecret | About::Agentid | About::Ip
        ) {
            assert_eq!(row.class(true), Class::Setup, "{errcode}");
        }
        if row.elsewhere == Class::Recipients {
            assert_eq!(row.about, About::Receiver, "{errcode}");
        }
    }
    for (errcode, about) in [
        (40013, About::Corpid),
        (40001, About::Corpsecret),
        (301_002, About::Agentid),
        (60020, About::Ip),
        (90308, About::Ip),
        (301_042, About::Ip),
        (45009, About::App),
        (50003, About::App),
        (301_007, About::App),
        (48001, About::Call),
        (48002, About::Call),
        (43004, About::Receiver),
        (60111, About::Receiver),
        (81013, About::Receiver),
        (44004, About::Message),
        (43012, About::Message),
    ] {
        assert_eq!(row(errcode).unwrap().about(), about, "{errcode}");
    }
}

#[test]
fn only_codes_about_a_member_put_him_out_of_reach() {
    for errcode in [40003, 46004, 50002, 60011, 60021, 60111, 92000, 301_021] {
        assert!(is_out_of_reach(errcode), "{errcode}");
    }
    // A department, a tag, a chat, a list, and codes without recipients.
    for errcode in [
        60003, 60123, 40066, 40068, 40050, 86003, 82001, 43004, 48002, 0, 12345,
    ] {
        assert!(!is_out_of_reach(errcode), "{errcode}");
    }
    assert!(is_unknown_tag(40068) && !is_unknown_tag(60111) && !is_unknown_tag(60011));
}

#[test]
fn the_settings_of_an_app_are_known_by_their_codes() {
    for (about, codes) in [
        (About::Corpid, &[40013, 41002, 2_000_002][..]),
        (About::Corpsecret, &[40001, 40091, 41004]),
        (About::Agentid, &[40056, 41011, 301_002]),
        (About::Ip, &[60020]),
        (About::Receiver, &[60111]),
    ] {
        for errcode in codes {
            assert_eq!(row(*errcode).unwrap().about, about, "{errcode}");
        }
    }
}

#[test]
fn the_most_important_codes_are_in_their_class() {
    for (errcode, at_gettoken, elsewhere) in [
        (-1, Class::Busy, Class::Busy),
        (0, Class::Ok, Class::Ok),
        (6000, Class::Transient, Class::Transient),
        (40001, Class::Setup, Class::Token),
        (40003, Class::Setup, Class::Recipients),
        (40007, Class::Setup, Class::Media),
        (40013, Class::Setup, Class::Setup),
        (40014, Class::Transient, Class::Token),
        (40058, Class::Setup, Class::Message),
        (40063, Class::Setup, Class::Refused),
        (41001, Class::Transient, Class::Token),
        (42001, Class::Transient, Class::Token),
        (44004, Class::Setup, Class::Message),
        (45009, Class::Limited, Class::Limited),
        (45033, Class::Transient, Class::Transient),
        (45035, Class::Transient, Class::Transient),
        (45036, Class::Transient, Class::Transient),
        (60020, Class::Setup, Class::Setup),
        (81013, Class::Setup, Class::Recipients),
        (81026, Class::Transient, Class::Transient),
        (301_002, Class::Setup, Class::Setup),
        (2_000_111, Class::Transient, Class::Transient),
        (2_000_141, Class::Transient, Class::Transient),
        (2_090_726, Class::Transient, Class::Transient),
    ] {
        let row = row(errcode).unwrap();
        assert_eq!(
            (row.class(true), row.class(false)),
            (at_gettoken, elsewhere),
            "{errcode}"
        );
    }
    assert!(row(12345).is_none());
}

#[test]
fn codes_that_share_a_line_are_all_found_and_no_others() {
    let found: Vec<i64> = codes("-1,3-5,9\tx").flatten().collect();
    assert_eq!(found, [-1, 3, 4, 5, 9]);
    for line in ["# 1 to 3, and 5", "*\tx", "x-1\ty", ""] {
        assert_eq!(codes(line).next(), None, "{line}");
    }
    assert!(row(84077).is_some() && row(84100).is_some() && row(84172).is_some());
    assert!(row(84164).is_none());
}
