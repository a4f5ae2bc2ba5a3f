//! The recipients of a message: members, parties (departments) and tags of the app's company, or a
//! chat.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Everyone in the app's 可见范围.
pub(crate) const ALL: &str = "@all";

/// The longest lists of one `message/send`; longer ones are sent in several calls.
/// Source: developer.work.weixin.qq.com/document/path/90236.
const TOUSER_MAX: usize = 1000;
const TOPARTY_MAX: usize = 100;
const TOTAG_MAX: usize = 100;

/// The longest id of a chat, in characters. One that its creator chose has at most 32; the length
/// of WeCom's own ids is not documented.
/// Source: developer.work.weixin.qq.com/document/path/90245.
pub(crate) const CHATID_MAX: usize = 64;

/// The longest userid, in characters. Source: errcode 40003 of path 90313.
pub(crate) const USERID_MAX: usize = 64;

/// The recipients: a message goes to the union of the three lists, or to the chat. Empty for a
/// robot, whose messages go to its group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipients {
    /// Userids, or `@all` alone.
    pub(crate) touser: Vec<String>,
    /// Ids of parties.
    pub(crate) toparty: Vec<String>,
    /// Ids of tags.
    pub(crate) totag: Vec<String>,
    /// The id of a group chat of the app; the lists are then empty.
    pub(crate) chatid: Option<String>,
}

impl Recipients {
    /// Returns everyone in the app's 可见范围.
    pub(crate) fn all() -> Self {
        Self {
            touser: vec![ALL.to_owned()],
            ..Self::default()
        }
    }

    /// Parses the three lists; each text may hold several names, separated by `,` or `|`.
    ///
    /// # Errors
    /// If a name is invalid.
    pub(crate) fn parse<'a, T: IntoIterator<Item = &'a str>>(
        touser: T,
        toparty: T,
        totag: T,
    ) -> Result<Self, RecipientError> {
        let recipients = Self {
            touser: names(touser, userid)?,
            toparty: names(toparty, |id| number(id, RecipientError::NotParty))?,
            totag: names(totag, |id| number(id, RecipientError::NotTag))?,
            chatid: None,
        };
        if recipients.touser.iter().any(|user| user == ALL) {
            return Ok(Self::all());
        }
        Ok(recipients)
    }

    /// Returns a group chat.
    ///
    /// # Errors
    /// If the id of the chat is invalid.
    pub(crate) fn chat(chatid: &str) -> Result<Self, RecipientError> {
        let is_id = !chatid.is_empty() && chatid.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id || chatid.len() > CHATID_MAX {
            return Err(RecipientError::NotChatid(chatid.to_owned()));
        }
        Ok(Self {
            chatid: Some(chatid.to_owned()),
            ..Self::default()
        })
    }

    /// Whether there are no recipients.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Splits the recipients by WeCom's limits for one call, without duplicates.
    pub(crate) fn split(&self) -> Vec<Self> {
        let mut users = self.touser.chunks(TOUSER_MAX);
        let mut parties = self.toparty.chunks(TOPARTY_MAX);
        let mut tags = self.totag.chunks(TOTAG_MAX);
        let count = users.len().max(parties.len()).max(tags.len()).max(1);
        let next = |list: Option<&[String]>| list.unwrap_or_default().to_vec();
        let sets = (0..count).map(|_| Self {
            touser: next(users.next()),
            toparty: next(parties.next()),
            totag: next(tags.next()),
            chatid: self.chatid.clone(),
        });
        sets.collect()
    }

    /// Returns the recipients for a log or a script, such as `zhangsan, party 2`.
    pub(crate) fn describe(&self) -> String {
        let mut words = self.touser.clone();
        words.extend(self.toparty.iter().map(|id| format!("party {id}")));
        words.extend(self.totag.iter().map(|id| format!("tag {id}")));
        words.extend(self.chatid.iter().map(|id| format!("chat {id}")));
        words.join(", ")
    }
}

/// An invalid name of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecipientError {
    /// `@all` in another case.
    AllInCapitals,
    /// Not a userid: it has invalid characters.
    NotUserid(String),
    /// A userid of this many characters.
    UseridTooLong(usize),
    /// Not the id of a party.
    NotParty(String),
    /// Not the id of a tag.
    NotTag(String),
    /// Not the id of a chat.
    NotChatid(String),
}

impl RecipientError {
    /// Returns the given name.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::AllInCapitals | Self::UseridTooLong(_) => None,
            Self::NotUserid(name)
            | Self::NotParty(name)
            | Self::NotTag(name)
            | Self::NotChatid(name) => Some(name),
        }
    }
}

/// Returns each name of a list once, in the given order, after checking it.
fn names<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    check: impl Fn(&str) -> Result<(), RecipientError>,
) -> Result<Vec<String>, RecipientError> {
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

/// Checks a userid: 1 to 64 of letters, digits and `-_.@`, beginning with a letter or digit; or
/// `@all`.
fn userid(name: &str) -> Result<(), RecipientError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    if name == ALL {
        Ok(())
    } else if name.eq_ignore_ascii_case(ALL) {
        Err(RecipientError::AllInCapitals)
    } else if name.starts_with('@') || !name.chars().all(allowed) {
        Err(RecipientError::NotUserid(name.to_owned()))
    } else if name.len() > USERID_MAX {
        Err(RecipientError::UseridTooLong(name.len()))
    } else {
        Ok(())
    }
}

/// Checks an id of digits.
fn number(id: &str, error: fn(String) -> RecipientError) -> Result<(), RecipientError> {
    if id.len() <= 10 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(error(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(list: &str) -> Result<Vec<String>, RecipientError> {
        Recipients::parse([list], [""], [""]).map(|recipients| recipients.touser)
    }

    #[test]
    fn names_are_split_trimmed_and_deduplicated() {
        assert_eq!(users("a, b|c,,a").unwrap(), ["a", "b", "c"]);
        assert_eq!(users("1001").unwrap(), ["1001"]);
        assert_eq!(users("zhang.san-1_x@corp").unwrap(), ["zhang.san-1_x@corp"]);
    }

    #[test]
    fn names_that_cannot_be_userids_are_refused() {
        for bad in ["张三", "a b", "@ALL", "@everyone", &"x".repeat(65), "a\nb"] {
            assert!(users(bad).is_err(), "{bad}");
        }
        assert!(Recipients::parse([""], ["two"], [""]).is_err());
        assert!(Recipients::parse([""], [""], ["-1"]).is_err());
    }

    #[test]
    fn everyone_includes_the_other_names() {
        let recipients = Recipients::parse(["a,@all"], ["1"], ["2"]).unwrap();
        assert_eq!(recipients, Recipients::all());
    }

    #[test]
    fn lists_past_wecoms_limits_are_split_and_no_recipient_is_lost() {
        let list = |n: usize| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        for (user, party, tag, recipient_sets) in [
            (0, 0, 1, 1),
            (1000, 100, 100, 1),
            (1001, 0, 0, 2),
            (0, 101, 0, 2),
            (2500, 100, 301, 4),
        ] {
            let lists = [list(user), list(party), list(tag)];
            let whole = Recipients::parse([&*lists[0]], [&*lists[1]], [&*lists[2]]).unwrap();
            let parts = whole.split();
            assert_eq!(parts.len(), recipient_sets, "{user} {party} {tag}");
            let mut joined = Recipients::default();
            for part in parts {
                assert!(!part.is_empty());
                assert!(
                    part.touser.len() <= 1000
                        && part.toparty.len() <= 100
                        && part.totag.len() <= 100
                );
                joined.touser.extend(part.touser);
                joined.toparty.extend(part.toparty);
                joined.totag.extend(part.totag);
            }
            assert_eq!(joined, whole);
        }
        let chat = Recipients::chat("ops").unwrap();
        assert_eq!(chat.split(), std::slice::from_ref(&chat));
    }

    #[test]
    fn the_id_of_a_chat_is_checked() {
        assert_eq!(Recipients::chat("ops1").unwrap().describe(), "chat ops1");
        for bad in ["", "a b", "群", &"x".repeat(65)] {
            assert!(Recipients::chat(bad).is_err(), "{bad}");
        }
    }
}
