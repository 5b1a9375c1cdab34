//! What is wrong with something handed in, said so that its author knows from the message alone what to fix.

use std::fmt;

use refresh_core::{Source, TraceId, base::name::shorten, facts::event::Identity};
use serde_json::Value;

/// One thing wrong: where (a JSON path like `$.data.slot.end`), what was expected, what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where, as a JSON path like `$.data.slot.end`.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Fault {
    /// A fault at a path.
    pub fn new(path: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: path.into(), expected: expected.into(), found: found.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}; found {}", self.path, self.expected, self.found)
    }
}

/// Where a native payload is from, as far as the policy and the payload say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PayloadOrigin {
    /// The word of the format.
    pub format: Option<&'static str>,
    /// The name of the binding.
    pub binding: Option<String>,
    /// The source that the binding speaks for.
    pub source: Option<Source>,
    /// What the system itself calls the record, or whom it was asked about: a number, a mailbox, a schedule.
    pub record: Option<String>,
}

/// A message that is no event, with every fault in it.
///
/// It displays one line a fault, found values included: that is for whoever sent it (the answer to its request). A dead
/// letter, which holds of the body what may be kept, takes [`Refused::expectations`], a log line [`Refused::outline`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Where `source` and `id` themselves were good.
    pub identity: Option<Identity>,
    /// The `type`, where it was a string.
    pub event_type: Option<Box<str>>,
    /// The one its sender gave, if any.
    pub trace: Option<TraceId>,
    /// Of a native payload, or of a record of one.
    pub origin: Option<Box<PayloadOrigin>>,
    /// Never empty.
    pub faults: Vec<Fault>,
}

impl Refused {
    /// Refused before anything could be told of its identity.
    pub fn unidentified(faults: Vec<Fault>) -> Self {
        Self { identity: None, event_type: None, trace: None, origin: None, faults }
    }

    /// One line a fault, without what was found: beside a body, which holds that.
    pub fn expectations(&self) -> String {
        let lines: Vec<String> =
            self.faults.iter().map(|fault| format!("{}: expected {}", fault.path, fault.expected)).collect();
        lines.join("\n")
    }

    /// The same lines, each with the source's own name of the record: that may be an address, so only for whoever may see
    /// facts.
    pub fn reasons(&self) -> Vec<String> {
        let record = self.origin.as_ref().and_then(|origin| origin.record.as_deref());
        let line = |fault: &Fault| match record {
            // A path may begin with it already.
            Some(record) if !fault.path.starts_with(record) => {
                format!("{}: {}: expected {}", shorten(record).trim_matches('"'), fault.path, fault.expected)
            }
            _ => format!("{}: expected {}", fault.path, fault.expected),
        };
        self.faults.iter().map(line).collect()
    }

    /// The source of the event, or of the binding that the payload is for.
    pub fn source(&self) -> Option<&Source> {
        let bound = || self.origin.as_ref().and_then(|origin| origin.source.as_ref());
        self.identity.as_ref().map(|identity| &identity.source).or_else(bound)
    }

    /// The paths alone, for logs: no address, no value of the payload.
    pub fn outline(&self) -> String {
        let paths: Vec<&str> = self.faults.iter().map(|fault| fault.path.as_str()).collect();
        paths.join(" ")
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::unidentified(vec![fault])
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// What a message shows of a value: scalars shortened, of lists and objects the shape alone.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => shorten(text),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}
