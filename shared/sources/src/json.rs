//! JSON text to a value, stricter than the parser's default in one point: a member given twice is refused.
//!
//! Which of two equal members counts differs between parsers; a source that sends both has said two things, and a
//! policy file with both has an editing mistake in it. Neither may pass by taking the last.

use std::fmt;

use refresh_core::base::name::shorten;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::fault::Fault;

/// The whole text as one value. Nesting is limited to 128 levels by the parser.
pub fn parse(text: &str, root: &str) -> Result<Value, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::new(root, "JSON", "nothing"));
    }
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let at = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let what = message.strip_suffix(&at).unwrap_or(&message);
        Fault::new(root, "JSON", format!("line {}, column {}: {what}", error.line(), error.column()))
    })
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Strict, E> {
        Ok(Strict(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Strict, E> {
        Ok(Strict(Value::from(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Strict, E> {
        Ok(Strict(Value::from(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Strict, E> {
        Ok(Strict(Number::from_f64(number).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Strict, E> {
        Ok(Strict(Value::from(text)))
    }

    fn visit_string<E>(self, text: String) -> Result<Strict, E> {
        Ok(Strict(Value::String(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strict, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Strict(Value::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Strict, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let Strict(value) = object.next_value()?;
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("the member {} a second time", shorten(&name))));
            }
            members.insert(name, value);
        }
        Ok(Strict(Value::Object(members)))
    }
}
