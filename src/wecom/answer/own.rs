//! The answers to our own calls: the fields that are read, and nothing else of what WeCom says.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::secret::Redactor;

/// The names of the fields within an object that hold ids, of `agent/get`, `tag/get` and
/// `department/simplelist`.
const IDS: [&str; 5] = ["user", "userid", "partyid", "tagid", "id"];

/// What is read of the answers; a field that is missing, or can't be read, is empty. Each is read by
/// itself: nothing odd in another one turns what WeCom has accepted into no answer.
#[derive(Debug, Default)]
pub(in crate::wecom) struct OwnAnswer {
    pub(in crate::wecom) errcode: Option<i64>,
    pub(in crate::wecom) errmsg: Texts,
    pub(in crate::wecom) access_token: Texts,
    pub(in crate::wecom) expires_in: Texts,
    pub(in crate::wecom) msgid: Texts,
    pub(in crate::wecom) media_id: Texts,
    pub(in crate::wecom) invaliduser: Texts,
    pub(in crate::wecom) invalidparty: Texts,
    pub(in crate::wecom) invalidtag: Texts,
    pub(in crate::wecom) unlicenseduser: Texts,
    pub(in crate::wecom) name: Texts,
    pub(in crate::wecom) close: Texts,
    pub(in crate::wecom) allow_userinfos: Texts,
    pub(in crate::wecom) allow_partys: Texts,
    pub(in crate::wecom) allow_tags: Texts,
    pub(in crate::wecom) status: Texts,
    pub(in crate::wecom) department_id: Texts,
    pub(in crate::wecom) userlist: Texts,
    pub(in crate::wecom) partylist: Texts,
}

impl OwnAnswer {
    fn field(&mut self, name: &[u8]) -> Option<&mut Texts> {
        Some(match name {
            b"errmsg" => &mut self.errmsg,
            b"access_token" => &mut self.access_token,
            b"expires_in" => &mut self.expires_in,
            b"msgid" => &mut self.msgid,
            b"media_id" => &mut self.media_id,
            b"invaliduser" => &mut self.invaliduser,
            b"invalidparty" => &mut self.invalidparty,
            b"invalidtag" => &mut self.invalidtag,
            b"unlicenseduser" => &mut self.unlicenseduser,
            b"name" => &mut self.name,
            b"close" => &mut self.close,
            b"allow_userinfos" => &mut self.allow_userinfos,
            b"allow_partys" => &mut self.allow_partys,
            b"allow_tags" => &mut self.allow_tags,
            b"status" => &mut self.status,
            b"department_id" => &mut self.department_id,
            b"userlist" => &mut self.userlist,
            b"partylist" => &mut self.partylist,
            _ => return None,
        })
    }

    /// Hides secrets, but for the token that we asked for: it may be one that the server was sent
    /// before. A short password may be in an id by chance, and WeCom wants its ids back as they are.
    pub(super) fn hide(&mut self, told: &Redactor) {
        for id in [&mut self.msgid, &mut self.media_id] {
            id.0.iter_mut().for_each(|id| told.hide_in_id(id));
        }
        for texts in [
            &mut self.errmsg,
            &mut self.invaliduser,
            &mut self.invalidparty,
            &mut self.invalidtag,
            &mut self.unlicenseduser,
            &mut self.name,
            &mut self.allow_userinfos,
            &mut self.allow_partys,
            &mut self.allow_tags,
            &mut self.department_id,
        ] {
            for text in &mut texts.0 {
                told.hide(text);
            }
        }
    }
}

impl<'de> Deserialize<'de> for OwnAnswer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OwnAnswerVisitor)
    }
}

struct OwnAnswerVisitor;

impl<'de> Visitor<'de> for OwnAnswerVisitor {
    type Value = OwnAnswer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnAnswer, A::Error> {
        let (mut answer, mut errcodes) = (OwnAnswer::default(), 0);
        while let Some(FieldName(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if name == b"errcode" {
                errcodes += 1;
                // Of two, nobody knows which counts.
                answer.errcode = number(value.get()).filter(|_| errcodes == 1);
            } else if let Some(field) = answer.field(&name) {
                *field = serde_json::from_str(value.get()).unwrap_or_default();
            }
        }
        Ok(answer)
    }
}

/// Returns a whole number, whether it is written as one, with a fraction of zero or as a text.
fn number(json: &str) -> Option<i64> {
    let text = json.trim_matches('"').trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| is_whole)
}

/// The name of a field, which may hold half a surrogate pair.
struct FieldName(Vec<u8>);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = FieldName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<FieldName, E> {
                Ok(FieldName(name.to_vec()))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<FieldName, E> {
                self.visit_bytes(name.as_bytes())
            }
        }
        from.deserialize_bytes(Name)
    }
}

/// The texts and numbers of a field, alone or in lists; of objects, the ids in them.
#[derive(Debug, Default)]
pub(in crate::wecom) struct Texts(pub(in crate::wecom) Vec<String>);

impl Texts {
    /// Returns the text of a field that has one.
    pub(in crate::wecom) fn text(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Returns the names, which may be separated by `|`.
    pub(in crate::wecom) fn names(&self) -> Vec<String> {
        let names = self.0.iter().flat_map(|text| text.split('|'));
        let names = names.filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut texts = Self::default();
        from.deserialize_any(Adding(&mut texts.0))?;
        Ok(texts)
    }
}

struct Adding<'a>(&'a mut Vec<String>);

impl Adding<'_> {
    fn add(self, text: impl ToString) {
        self.0.push(text.to_string());
    }
}

impl<'de> DeserializeSeed<'de> for Adding<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Adding<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.add(number);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.add(number);
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.add(number);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.add(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        while from.next_element_seed(Adding(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        while let Some(name) = from.next_key::<String>()? {
            if IDS.contains(&&*name) {
                from.next_value_seed(Adding(self.0))?;
            } else {
                from.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
