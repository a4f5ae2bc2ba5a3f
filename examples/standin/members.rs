//! Who is in the company, whom an app may see, and whom a message therefore reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::message::Message;

/// An app of the company.
pub struct App {
    /// The secret that buys its tokens.
    pub secret: String,
    /// The name shown above its messages.
    pub name: String,
    /// Whether the administrator has it switched on.
    pub enabled: bool,
    /// Its visible range: members by userid in lower case.
    pub users: BTreeSet<String>,
    /// Its visible range: departments.
    pub parties: BTreeSet<u32>,
    /// Its visible range: tags.
    pub tags: BTreeSet<u32>,
}

/// A member of the company.
#[derive(Clone, Default)]
pub struct Member {
    /// The member's departments, with every department above them.
    pub parties: BTreeSet<u32>,
    /// The member's tags.
    pub tags: BTreeSet<u32>,
    /// Whether the member lacks the basic API licence and is answered as `unlicenseduser`.
    pub unlicensed: bool,
    /// Whether the member has neither joined WeCom nor followed the plugin (未激活).
    pub unjoined: bool,
}

impl App {
    /// Whether a member is in the app's visible range.
    pub fn shows(&self, userid: &str, member: &Member) -> bool {
        self.users.contains(userid)
            || !self.parties.is_disjoint(&member.parties)
            || !self.tags.is_disjoint(&member.tags)
    }

    /// Whether a department is in the app's visible range: itself, or the whole company.
    pub fn shows_party(&self, id: u32) -> bool {
        self.parties.contains(&id) || self.parties.contains(&1)
    }
}

/// Thirteen members: all in the root department 1, three of them in 2, two with tag 1, one with tag 2.
pub fn founders() -> BTreeMap<String, Member> {
    let plain = Member {
        parties: BTreeSet::from([1]),
        ..Member::default()
    };
    let numbered = (1..=10).map(|number| (format!("member{number:02}"), plain.clone()));
    let named = [
        ("zhangsan", vec![1]),
        ("lisi", vec![1, 2]),
        ("wangwu", vec![]),
    ];
    let named = named.map(|(userid, tags)| {
        let (parties, tags) = (BTreeSet::from([1, 2]), BTreeSet::from_iter(tags));
        (
            userid.to_owned(),
            Member {
                parties,
                tags,
                ..Member::default()
            },
        )
    });
    named.into_iter().chain(numbered).collect()
}

/// Finds the members whom a message reaches, and the lists of those whom it doesn't.
///
/// A department or tag is valid when it holds somebody in the app's visible range.
pub fn reach(
    members: &BTreeMap<String, Member>,
    app: &App,
    message: &Message,
) -> (BTreeSet<String>, Map<String, Value>) {
    let visible = || {
        members
            .iter()
            .filter(|(userid, member)| app.shows(userid, member))
    };
    let mut named: BTreeMap<&String, &Member> = BTreeMap::new();
    let mut lists: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    if message.users == ["@all"] {
        named.extend(visible());
    } else {
        for userid in message.users.iter().map(|userid| userid.to_lowercase()) {
            match visible().find(|(visible, _)| **visible == userid) {
                Some((userid, member)) => drop(named.insert(userid, member)),
                None => lists.entry("invaliduser").or_default().push(userid),
            }
        }
        let parties = message.parties.iter().map(|id| ("invalidparty", id));
        let tags = message.tags.iter().map(|id| ("invalidtag", id));
        for (list, id) in parties.chain(tags) {
            let holds = |member: &Member| {
                let groups = if list == "invalidtag" {
                    &member.tags
                } else {
                    &member.parties
                };
                id.parse().is_ok_and(|id: u32| groups.contains(&id))
            };
            let before = visible()
                .filter(|(_, member)| holds(member))
                .collect::<Vec<_>>();
            if before.is_empty() {
                lists.entry(list).or_default().push(id.clone());
            }
            named.extend(before);
        }
    }
    let (unlicensed, reached): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, member)| member.unlicensed);
    if !unlicensed.is_empty() {
        let userids = unlicensed.into_iter().map(|(userid, _)| userid.clone());
        lists.insert("unlicenseduser", userids.collect());
    }
    let reached = reached
        .into_iter()
        .map(|(userid, _)| userid.clone())
        .collect();
    let lists = lists
        .into_iter()
        .map(|(list, ids)| (list.to_owned(), json!(ids.join("|"))));
    (reached, lists.collect())
}
