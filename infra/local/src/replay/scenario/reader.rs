//! Reads members of one line; each fault names line and member, what was expected and what was found.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) struct Reader<'a> {
    pub(super) number: usize,
    pub(super) faults: &'a mut Vec<String>,
}

/// Enough of a value to find it by.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
        }
    }
}

impl Reader<'_> {
    pub(super) fn fault(&mut self, member: &str, expected: &str, found: &Value) {
        let number = self.number;
        let dot = if member.is_empty() { String::new() } else { format!(": {member}") };
        self.faults.push(format!("line {number}{dot}: expected {expected}, found {}", shown(found)));
    }

    pub(super) fn headers(&mut self, members: &Map<String, Value>, path: &str) -> Option<BTreeMap<String, String>> {
        let mut headers = BTreeMap::new();
        match members.get("headers") {
            None => {}
            Some(Value::Object(given)) => {
                for name in given.keys() {
                    headers.insert(name.to_ascii_lowercase(), self.text(given, name, path)?);
                }
            }
            Some(other) => {
                self.fault(path, "an object", other);
                return None;
            }
        }
        Some(headers)
    }

    pub(super) fn named<T>(
        &mut self,
        members: &Map<String, Value>,
        member: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(members, member, "reply")?;
        match parse(&text) {
            Ok(named) => Some(named),
            Err(expected) => {
                let number = self.number;
                self.faults.push(format!("line {number}: reply.{member}: expected {expected}"));
                None
            }
        }
    }

    pub(super) fn wrong<T>(
        &mut self,
        name: &str,
        member: &str,
        expected: &str,
        members: &Map<String, Value>,
    ) -> Option<T> {
        self.fault(&format!("{name}.{member}"), expected, &members[member]);
        None
    }

    /// Members that this format does not know are typing errors.
    pub(super) fn only(&mut self, name: &str, members: &Map<String, Value>, known: &[&str]) {
        for (unknown, value) in members.iter().filter(|(member, _)| !known.contains(&member.as_str())) {
            self.fault(&format!("{name}.{unknown}"), &format!("only {}", known.join(", ")), value);
        }
    }

    pub(super) fn text(&mut self, members: &Map<String, Value>, member: &str, of: &str) -> Option<String> {
        let path = if of.is_empty() { member.to_owned() } else { format!("{of}.{member}") };
        match members.get(member) {
            Some(Value::String(text)) => Some(text.clone()),
            other => {
                self.fault(&path, "a string", other.unwrap_or(&Value::Null));
                None
            }
        }
    }
}
