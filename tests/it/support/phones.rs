//! What is on the members' phones.

use crate::standin::{Landed, Standin, Upload};

/// Thirteen members, so that no limit holds anything up.
pub(crate) const MEMBERS: [&str; 13] = [
    "zhangsan", "lisi", "wangwu", "member01", "member02", "member03", "member04", "member05",
    "member06", "member07", "member08", "member09", "member10",
];

/// Every text on the phones of these members, sorted.
pub(crate) fn all_texts(standin: &Standin) -> Vec<String> {
    let mut all: Vec<String> = MEMBERS
        .iter()
        .flat_map(|member| texts(standin, member))
        .collect();
    all.sort();
    all
}

/// Whether the first line of what a member reads says when it was accepted.
pub(crate) fn is_marked(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("[迟到]") || first.starts_with("[late]")
}

/// What came after something newer and does not say so; by messages, oldest first, as numbers.
///
/// Of several texts in one message each has its own time.
pub(crate) fn unmarked(landed: &[(String, Vec<usize>)]) -> Vec<usize> {
    let mut newest = None;
    let mut found = Vec::new();
    for (text, numbers) in landed {
        let told = is_marked(text) || numbers.len() > 1;
        let late = numbers.iter().filter(|number| newest > Some(**number));
        found.extend(late.filter(|_| !told));
        newest = newest.max(numbers.iter().max().copied());
    }
    found
}

/// The files on a phone, oldest first.
pub(crate) fn files(standin: &Standin, userid: &str) -> Vec<Upload> {
    let phone = standin.company().phone(userid);
    phone.into_iter().flat_map(|landed| landed.media).collect()
}

/// The names and bytes of the files on a phone.
#[track_caller]
pub(crate) fn holds_files(standin: &Standin, userid: &str, expected: &[(&str, &[u8])]) {
    let files = files(standin, userid);
    let found = files.iter().map(|file| (&*file.filename, &*file.bytes));
    let found: Vec<_> = found.collect();
    assert!(found == expected, "{} files: {found:.300?}", found.len());
}

/// The last message on a member's phone.
pub(crate) fn last(standin: &Standin) -> Landed {
    standin.company().phone("lisi").pop().unwrap()
}

/// The texts on one phone.
pub(crate) fn texts(standin: &Standin, userid: &str) -> Vec<String> {
    let phone = standin.company().phone(userid);
    phone.into_iter().map(|landed| landed.text).collect()
}

/// The last line of each: the text alone, if a line before it says that it is late.
pub(crate) fn last_lines(texts: Vec<String>) -> Vec<String> {
    let last = |text: String| match text.rsplit_once('\n') {
        Some((_, last)) => last.to_owned(),
        None => text,
    };
    texts.into_iter().map(last).collect()
}

/// All that a member reads, one message after the other.
pub(crate) fn read_by(standin: &Standin, member: &str) -> String {
    texts(standin, member).concat()
}

/// Holds that these texts are read by a member in this order, each of them once.
#[track_caller]
pub(crate) fn reads(standin: &Standin, member: &str, expected: &[String]) {
    let all = read_by(standin, member);
    let mut at = 0;
    for text in expected {
        let found = all[at..].find(text.as_str());
        let found = found.unwrap_or_else(|| panic!("no {text} behind byte {at} of {all:.3000}"));
        at += found + text.len();
        let copies = all.matches(text.as_str()).count();
        assert_eq!(copies, 1, "{text} in {all:.3000}");
    }
}
