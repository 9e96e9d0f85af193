//! JSON in which no object has a member twice.
//!
//! Why not `serde_json::Value` alone: of two members it keeps the last, and whoever reads the
//! document may have meant the first.

use super::{BadPolicy, bad};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads a document that is an object.
///
/// # Errors
/// It is none, or an object has a member twice.
pub(super) fn object(document: &str) -> Result<Map<String, Value>, BadPolicy> {
    match serde_json::from_str(document) {
        Ok(Strict(Value::Object(members))) => Ok(members),
        Err(e) if e.is_data() => bad(e.to_string()),
        Ok(_) | Err(_) => bad("the policy is not a JSON object"),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder).map(Strict)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(one)) = seq.next_element()? {
            all.push(one);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, _>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("`{name}` stands twice in one object")));
            }
            members.insert(name, value);
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn members_stand_once() {
        let fine = r#"{"a":[1,-1,1.5,"x",true,null,{"a":{}}],"b":{"a":1}}"#;
        let plain: serde_json::Value = serde_json::from_str(fine).unwrap();
        assert_eq!(object(fine).unwrap(), *plain.as_object().unwrap());
        for twice in [r#"{"a":1,"a":1}"#, r#"{"b":[{"c":1,"a":2,"\u0061":3}]}"#] {
            let said = object(twice).unwrap_err().to_string();
            assert!(said.starts_with("`a` stands twice in one object"), "{said}");
        }
        for none in ["", "[]", "1", "{", "{} x", &"[".repeat(10_000)] {
            assert_eq!(object(none).unwrap_err().to_string(), "the policy is not a JSON object");
        }
    }
}
