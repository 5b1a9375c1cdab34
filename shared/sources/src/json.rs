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

/// A text without its byte order mark: RFC 8259 lets a reader ignore one, and editors write one.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The whole text as one value. Nesting is limited to 128 levels by the parser.
///
/// # Errors
///
/// The text is no JSON, or has a member twice. What was found names the line and the column. `root`: the path to say.
pub fn parse(text: &str, root: &str) -> Result<Value, Fault> {
    let text = without_mark(text);
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

/// Bytes of a JSON text without the white space between its tokens. Of a text that is no JSON, an estimate.
pub fn compact_bytes(text: &str) -> usize {
    let (mut bytes, mut in_string, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        let blank = matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        if in_string || !blank {
            bytes += 1;
        }
        in_string ^= byte == b'"' && !escaped;
        escaped = in_string && byte == b'\\' && !escaped;
    }
    bytes
}

/// The items of a list as texts, one after another, so that nothing is built of a list that turns out too long. What is
/// not JSON, or no list, is an error in the place where it is met; nothing comes after it.
pub fn items(text: &str) -> impl Iterator<Item = Result<&str, Fault>> {
    let mut list = Items { text, at: 0, begun: false, done: false };
    std::iter::from_fn(move || list.next().transpose())
}

struct Items<'a> {
    text: &'a str,
    /// What is not read yet.
    at: usize,
    begun: bool,
    done: bool,
}

impl<'a> Items<'a> {
    fn next(&mut self) -> Result<Option<&'a str>, Fault> {
        if self.done {
            return Ok(None);
        }
        let read = self.step();
        self.done = !matches!(read, Ok(Some(_)));
        read
    }

    fn step(&mut self) -> Result<Option<&'a str>, Fault> {
        let first = !std::mem::replace(&mut self.begun, true);
        if first {
            match self.peek() {
                Some(b'[') => self.at += 1,
                Some(_) => return Err(self.not_a_list()),
                None => return Err(Fault::new("$", "a list of events", "nothing")),
            }
        }
        match self.peek() {
            Some(b']') => return self.end(),
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return Err(self.misplaced("a comma or the list's end")),
        }
        self.item().map(Some)
    }

    /// The next byte that is no white space; the reader stands at it.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - rest.len();
        rest.bytes().next()
    }

    fn item(&mut self) -> Result<&'a str, Fault> {
        self.peek();
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<de::IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let item = &rest[..values.byte_offset()];
                self.at += item.len();
                Ok(item)
            }
            Some(Err(error)) => Err(self.said(&error)),
            None => Err(self.misplaced("an event")),
        }
    }

    fn end(&mut self) -> Result<Option<&'a str>, Fault> {
        self.at += 1;
        if self.peek().is_some() { Err(self.misplaced("nothing after the list")) } else { Ok(None) }
    }

    fn not_a_list(&self) -> Fault {
        // One event under a batch's media type is told from what is no JSON at all.
        match serde_json::from_str::<de::IgnoredAny>(self.text) {
            Ok(_) => {
                let object = self.text.trim_start().starts_with('{');
                Fault::new("$", "a list of events", if object { "an object" } else { "another value" })
            }
            Err(error) => Self { text: self.text, at: 0, begun: true, done: true }.said(&error),
        }
    }

    fn misplaced(&self, expected: &str) -> Fault {
        let found = self.text[self.at..].chars().next();
        let found = found.map_or_else(|| "the end of the text".to_owned(), |found| format!("{found:?}"));
        let (line, column) = self.place();
        Fault::new("$", "JSON", format!("line {line}, column {column}: expected {expected}, found {found}"))
    }

    /// The parser counts from where it was set to work.
    fn said(&self, error: &serde_json::Error) -> Fault {
        let message = error.to_string();
        let at = format!(" at line {} column {}", error.line(), error.column());
        let what = message.strip_suffix(&at).unwrap_or(&message);
        let (line, column) = self.place();
        let column = if error.line() <= 1 { column - 1 + error.column() } else { error.column() };
        Fault::new("$", "JSON", format!("line {}, column {column}: {what}", line - 1 + error.line().max(1)))
    }

    /// Line and column of where the reader stands, from 1, in bytes as the parser counts.
    fn place(&self) -> (usize, usize) {
        let before = &self.text[..self.at];
        (before.matches('\n').count() + 1, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1)
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::compact_bytes;

    /// White space between tokens counts for nothing, and inside a string for what it is, wherever quotes and escapes stand.
    #[test]
    fn white_space_between_tokens_is_no_size() {
        for value in [
            json!({}),
            json!([1, 2.5, true, null]),
            json!({ "a b": " c  d ", "e": [" ", "\t", "\n"] }),
            json!({ "quote": "a \" b", "escape": "a \\", "next": " x " }),
            json!({ "two escapes": "\\\\ \"\\\" ", "after": [" y ", "\\\\\\ "] }),
        ] {
            let value: Value = value;
            let (compact, pretty) = (value.to_string(), serde_json::to_string_pretty(&value).unwrap());
            assert_eq!(compact_bytes(&compact), compact.len(), "{compact}");
            assert_eq!(compact_bytes(&pretty), compact.len(), "{pretty}");
            assert_eq!(compact_bytes(&format!("\r\n\t {pretty} ")), compact.len(), "{pretty}");
        }
    }
}
