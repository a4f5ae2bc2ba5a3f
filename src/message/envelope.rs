//! To whom a message goes: members, parties (departments) and tags of the app's company.

use std::collections::HashSet;

/// Everyone in the app's visible range.
pub(crate) const ALL: &str = "@all";

/// Longest lists that one `message/send` takes.
/// Source: developer.work.weixin.qq.com/document/path/90236.
const TOUSER_MAX: usize = 1000;
const TOPARTY_MAX: usize = 100;
const TOTAG_MAX: usize = 100;

/// Longest userid, in characters. Source: errcode 40003 of path 90313.
const USERID_MAX: usize = 64;

/// The receivers, as one value: a message goes to the union of the three lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Userids, or `@all` alone.
    pub(crate) touser: Vec<String>,
    /// Ids of parties.
    pub(crate) toparty: Vec<String>,
    /// Ids of tags.
    pub(crate) totag: Vec<String>,
}

impl Envelope {
    /// Everyone in the app's visible range.
    pub(crate) fn all() -> Self {
        Self {
            touser: vec![ALL.to_owned()],
            ..Self::default()
        }
    }

    /// Reads the three lists; each text may hold several names, divided by `,` or `|`.
    ///
    /// # Errors
    /// In words, where a name cannot be one, or a list is longer than WeCom takes.
    pub(crate) fn parse<'a, T: IntoIterator<Item = &'a str>>(
        touser: T,
        toparty: T,
        totag: T,
    ) -> Result<Self, String> {
        let mut envelope = Self {
            touser: names(touser, userid)?,
            toparty: names(toparty, |id| number(id, "a party id"))?,
            totag: names(totag, |id| number(id, "a tag id"))?,
        };
        if envelope.touser.iter().any(|user| user == ALL) {
            envelope = Self::all();
        }
        for (list, max, what) in [
            (&envelope.touser, TOUSER_MAX, "members"),
            (&envelope.toparty, TOPARTY_MAX, "parties"),
            (&envelope.totag, TOTAG_MAX, "tags"),
        ] {
            if list.len() > max {
                return Err(format!(
                    "{} {what} are more than the {max} that one message may go to",
                    list.len()
                ));
            }
        }
        Ok(envelope)
    }

    /// Whether nobody is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.touser.is_empty() && self.toparty.is_empty() && self.totag.is_empty()
    }

    /// The receivers for a person or a log, such as `zhangsan, party 2`.
    pub(crate) fn describe(&self) -> String {
        let mut words = self.touser.clone();
        words.extend(self.toparty.iter().map(|id| format!("party {id}")));
        words.extend(self.totag.iter().map(|id| format!("tag {id}")));
        words.join(", ")
    }
}

/// Every name of a list once, in the order given, each one checked.
fn names<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let mut names = Vec::<String>::new();
    let mut known = HashSet::new();
    for name in texts.into_iter().flat_map(|text| text.split([',', '|'])) {
        let name = name.trim();
        if name.is_empty() {
            continue;
        }
        check(name)?;
        if known.insert(name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// A userid: 1 to 64 of letters, digits and `-_.@`, beginning with a letter or digit; or `@all`.
fn userid(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if name == ALL {
        Ok(())
    } else if name.eq_ignore_ascii_case(ALL) {
        Err("everyone is written @all, in lower case".to_owned())
    } else if name.starts_with('@') || !name.chars().all(allowed) {
        Err(format!(
            "{name:?} cannot be a userid: letters, digits, - _ . and @ only (it is the 账号 shown in 通讯录, not the name)"
        ))
    } else if name.len() > USERID_MAX {
        Err(format!(
            "a userid has at most {USERID_MAX} characters, this one has {}",
            name.len()
        ))
    } else {
        Ok(())
    }
}

/// An id of digits.
fn number(id: &str, what: &str) -> Result<(), String> {
    if id.len() <= 10 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("{id:?} is not {what}: it is a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(list: &str) -> Result<Vec<String>, String> {
        Envelope::parse([list], [""], [""]).map(|envelope| envelope.touser)
    }

    #[test]
    fn names_are_divided_trimmed_and_taken_once() {
        assert_eq!(users("a, b|c,,a").unwrap(), ["a", "b", "c"]);
        assert_eq!(users("1001").unwrap(), ["1001"]);
        assert_eq!(users("zhang.san-1_x@corp").unwrap(), ["zhang.san-1_x@corp"]);
    }

    #[test]
    fn names_that_cannot_be_userids_are_refused() {
        for bad in ["张三", "a b", "@ALL", "@everyone", &"x".repeat(65), "a\nb"] {
            assert!(users(bad).is_err(), "{bad}");
        }
        assert!(Envelope::parse([""], ["two"], [""]).is_err());
        assert!(Envelope::parse([""], [""], ["-1"]).is_err());
    }

    #[test]
    fn everyone_swallows_the_rest() {
        let envelope = Envelope::parse(["a,@all"], ["1"], ["2"]).unwrap();
        assert_eq!(envelope, Envelope::all());
    }

    #[test]
    fn lists_end_at_wecoms_limits() {
        let list = |n: usize| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        for (user, party, tag, fits) in [
            (1000, 100, 100, true),
            (1001, 0, 0, false),
            (0, 101, 0, false),
            (0, 0, 101, false),
        ] {
            let read = Envelope::parse([&*list(user)], [&*list(party)], [&*list(tag)]);
            assert_eq!(read.is_ok(), fits, "{user} {party} {tag}");
        }
    }
}
