//! To whom a message goes: members, parties (departments) and tags of the app's company, or a chat.

use std::collections::HashSet;

use crate::lang::{Lang, say, spoken};

/// Everyone in the app's visible range.
pub(crate) const ALL: &str = "@all";

/// Longest lists that one `message/send` takes; what is longer goes in several.
/// Source: developer.work.weixin.qq.com/document/path/90236.
const TOUSER_MAX: usize = 1000;
const TOPARTY_MAX: usize = 100;
const TOTAG_MAX: usize = 100;

/// Longest id of a chat that is taken, in characters. One that its maker chose has 32 at the most;
/// how long WeCom makes its own is not documented.
/// Source: developer.work.weixin.qq.com/document/path/90245.
const CHATID_MAX: usize = 64;

/// Longest userid, in characters. Source: errcode 40003 of path 90313.
const USERID_MAX: usize = 64;

/// The receivers, as one value: a message goes to the union of the three lists, or to the chat. A
/// robot's goes to its group, and names nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Userids, or `@all` alone.
    pub(crate) touser: Vec<String>,
    /// Ids of parties.
    pub(crate) toparty: Vec<String>,
    /// Ids of tags.
    pub(crate) totag: Vec<String>,
    /// The id of a group chat of the app; then the lists are empty.
    pub(crate) chatid: Option<String>,
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
    /// In words, where a name cannot be one.
    pub(crate) fn parse<'a, T: IntoIterator<Item = &'a str>>(
        touser: T,
        toparty: T,
        totag: T,
    ) -> Result<Self, String> {
        let mut envelope = Self {
            touser: names(touser, userid)?,
            toparty: names(toparty, |id| {
                number(id, spoken().of("部门 ID", "a party id"))
            })?,
            totag: names(totag, |id| number(id, spoken().of("标签 ID", "a tag id")))?,
            chatid: None,
        };
        if envelope.touser.iter().any(|user| user == ALL) {
            envelope = Self::all();
        }
        Ok(envelope)
    }

    /// A group chat.
    ///
    /// # Errors
    /// In words, where no chat has such an id.
    pub(crate) fn chat(chatid: &str) -> Result<Self, String> {
        let is_id = !chatid.is_empty() && chatid.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id || chatid.len() > CHATID_MAX {
            return Err(say!(
                "{chatid:?} 不可能是 chatid：应为 1 到 {CHATID_MAX} 个字母和数字",
                "{chatid:?} cannot be a chatid: 1 to {CHATID_MAX} letters and digits"
            ));
        }
        Ok(Self {
            chatid: Some(chatid.to_owned()),
            ..Self::default()
        })
    }

    /// Whether nobody is named.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same receivers in as many envelopes as WeCom's limits make of them, none of them twice.
    pub(crate) fn split(&self) -> Vec<Self> {
        let mut users = self.touser.chunks(TOUSER_MAX);
        let mut parties = self.toparty.chunks(TOPARTY_MAX);
        let mut tags = self.totag.chunks(TOTAG_MAX);
        let count = users.len().max(parties.len()).max(tags.len()).max(1);
        let next = |list: Option<&[String]>| list.unwrap_or_default().to_vec();
        let envelopes = (0..count).map(|_| Self {
            touser: next(users.next()),
            toparty: next(parties.next()),
            totag: next(tags.next()),
            chatid: self.chatid.clone(),
        });
        envelopes.collect()
    }

    /// The receivers for a log or a script, such as `zhangsan, party 2`.
    pub(crate) fn describe(&self) -> String {
        self.said(Lang::En)
    }

    /// The receivers for a person, such as `zhangsan, party 2`.
    pub(crate) fn said(&self, lang: Lang) -> String {
        let mut words = self.touser.clone();
        let kinds = [
            (&self.toparty, "部门", "party"),
            (&self.totag, "标签", "tag"),
        ];
        for (ids, zh, en) in kinds {
            words.extend(ids.iter().map(|id| format!("{} {id}", lang.of(zh, en))));
        }
        let chat = lang.of("群聊", "chat");
        words.extend(self.chatid.iter().map(|id| format!("{chat} {id}")));
        words.join(lang.of("、", ", "))
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
        Err(say!(
            "全体成员要写成小写的 @all",
            "everyone is written @all, in lower case"
        ))
    } else if name.starts_with('@') || !name.chars().all(allowed) {
        Err(say!(
            "{name:?} 不可能是 userid：只能含字母、数字、- _ . 和 @（它是通讯录里的“账号”，不是姓名）",
            "{name:?} cannot be a userid: letters, digits, - _ . and @ only (it is the 账号 shown in 通讯录, not the name)"
        ))
    } else if name.len() > USERID_MAX {
        let length = name.len();
        Err(say!(
            "userid 最长 {USERID_MAX} 个字符，这个有 {length} 个",
            "a userid has at most {USERID_MAX} characters, this one has {length}"
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
        Err(say!(
            "{id:?} 不是{what}：它应当是数字",
            "{id:?} is not {what}: it is a number"
        ))
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
    fn what_is_past_wecoms_limits_goes_in_several_envelopes_and_nobody_is_left_out() {
        let list = |n: usize| (1..=n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
        for (user, party, tag, envelopes) in [
            (0, 0, 1, 1),
            (1000, 100, 100, 1),
            (1001, 0, 0, 2),
            (0, 101, 0, 2),
            (2500, 100, 301, 4),
        ] {
            let lists = [list(user), list(party), list(tag)];
            let whole = Envelope::parse([&*lists[0]], [&*lists[1]], [&*lists[2]]).unwrap();
            let parts = whole.split();
            assert_eq!(parts.len(), envelopes, "{user} {party} {tag}");
            let mut joined = Envelope::default();
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
        let chat = Envelope::chat("ops").unwrap();
        assert_eq!(chat.split(), std::slice::from_ref(&chat));
    }

    #[test]
    fn a_chat_has_an_id_of_its_own_kind() {
        assert_eq!(Envelope::chat("ops1").unwrap().describe(), "chat ops1");
        for bad in ["", "a b", "群", &"x".repeat(65)] {
            assert!(Envelope::chat(bad).is_err(), "{bad}");
        }
    }
}
