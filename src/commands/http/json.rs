//! JSON from outside, of which no more is kept than memory is fit for. Whatever type a field has, it
//! can be shown; of a field that is there twice the last counts.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::commands::lenient;

/// The most values that are kept of a JSON within its fields, and of each element of its long list;
/// also the most fields. Each takes up to 300 bytes beside its text.
const VALUES_MAX: usize = 5000;

/// Returns an object, as it was probably meant.
pub(super) fn object(json: &[u8]) -> Option<Value> {
    object_with_list::<()>(json, "", |(), _| ()).map(|(object, ())| object)
}

/// Returns an object without its field `list`, whose elements may be any number: each is added to
/// what is returned beside it, also a single one that is there instead of a list.
pub(super) fn object_with_list<L: Default>(
    json: &[u8],
    list: &str,
    add: fn(&mut L, Value),
) -> Option<(Value, L)> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let parsed = lenient::parsed(json, |text| {
        let mut elements = L::default();
        let mut parser = serde_json::Deserializer::from_str(text);
        let reading = JsonReading {
            left: &Cell::new(VALUES_MAX),
            place: JsonPlace::Outermost(list, &mut |element| add(&mut elements, element)),
        };
        let value = reading.deserialize(&mut parser)?;
        parser.end()?;
        serde_json::Result::Ok((value, elements))
    });
    parsed.ok()
}

/// Returns a value as a person reads it; `None` if it is empty.
pub(super) fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// How a value is read.
struct JsonReading<'a> {
    /// How many more values are kept within it.
    left: &'a Cell<usize>,
    place: JsonPlace<'a>,
}

enum JsonPlace<'a> {
    Outermost(&'a str, &'a mut dyn FnMut(Value)),
    List(&'a mut dyn FnMut(Value)),
    Within,
}

impl JsonReading<'_> {
    /// Whether one more value is kept.
    fn takes(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    fn within(&self) -> JsonReading<'_> {
        JsonReading {
            left: self.left,
            place: JsonPlace::Within,
        }
    }
}

impl<'de> DeserializeSeed<'de> for JsonReading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonReading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut from: A) -> Result<Value, A::Error> {
        if let JsonPlace::List(each) = &mut self.place {
            let left = Cell::new(VALUES_MAX);
            let element = || JsonReading {
                left: &left,
                place: JsonPlace::Within,
            };
            while let Some(value) = from.next_element_seed(element())? {
                left.set(VALUES_MAX);
                each(value);
            }
            return Ok(Value::Null);
        }
        let mut values = Vec::new();
        loop {
            if self.takes() {
                let Some(value) = from.next_element_seed(self.within())? else {
                    return Ok(values.into());
                };
                values.push(value);
            } else if from.next_element::<IgnoredAny>()?.is_none() {
                return Ok(values.into());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let is_kept = match &mut self.place {
                JsonPlace::Outermost(list, each) if name == *list => {
                    let place = JsonPlace::List(each);
                    let left = self.left;
                    let single = from.next_value_seed(JsonReading { left, place })?;
                    let is_empty = single == Value::Null || single == Value::Object(Map::new());
                    if !is_empty {
                        each(single);
                    }
                    continue;
                }
                JsonPlace::Outermost(..) => fields.len() < VALUES_MAX,
                JsonPlace::List(_) | JsonPlace::Within => self.takes(),
            };
            if is_kept {
                let value = from.next_value_seed(self.within())?;
                fields.insert(name, value);
            } else {
                from.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields.into())
    }
}
