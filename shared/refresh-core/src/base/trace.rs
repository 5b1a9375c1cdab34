//! One id from an event to its decision, to the mails, and to the clicks on their links. An operator follows that id.
//!
//! It decides nothing and no packet's digest holds it: the same facts by other ways give the same packet.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{digest::Digest, hex};

/// A trace id of W3C Trace Context: 16 bytes, not all zero, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// Derived from a digest, so that the same content always has the same trace.
    pub fn of_digest(digest: &Digest) -> Self {
        Self(digest.first_half())
    }

    /// `None` for all zeros, which is no trace.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The 16 bytes, not all zero.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// The trace id of a `traceparent`, if that is a valid one: `00-<32 digits>-<16 digits>-<2 digits>`. A later
    /// version of the format may add members behind a further dash.
    pub fn of_traceparent(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, parent, flags, ..] = parts[..] else { return None };
        let whole = digits(version, 2) && digits(parent, 16) && digits(flags, 2);
        let known = version != "ff" && (version != "00" || parts.len() == 4);
        let named = parent.bytes().any(|digit| digit != b'0');
        (whole && known && named).then(|| Self::parse(trace)).flatten()
    }

    /// As it is written.
    pub fn parse(text: &str) -> Option<Self> {
        digits(text, 32).then(|| hex::read(text)).flatten().and_then(Self::from_bytes)
    }
}

/// In lower case, as the format wants them.
fn digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::written(&self.0))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<TraceId> for String {
    fn from(trace: TraceId) -> Self {
        trace.to_string()
    }
}

impl TryFrom<String> for TraceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("expected 32 hexadecimal digits, not all zero; found {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_valid_traceparent_names_its_trace() {
        for text in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later",
        ] {
            assert_eq!(TraceId::of_traceparent(text).map(|trace| trace.to_string()).as_deref(), Some(TRACE), "{text}");
        }
    }

    #[test]
    fn an_invalid_one_names_none() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceId::of_traceparent(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_stored_as_its_digits() {
        let trace = TraceId::parse(TRACE).expect("a trace");
        let text = serde_json::to_string(&trace).expect("JSON");
        assert_eq!(text, format!("{TRACE:?}"));
        assert_eq!(serde_json::from_str::<TraceId>(&text).expect("a trace"), trace);
        assert_eq!(TraceId::from_bytes(trace.bytes()), Some(trace));
        for bad in ["\"\"", "\"00000000000000000000000000000000\"", "\"xyz\"", "7"] {
            assert!(serde_json::from_str::<TraceId>(bad).is_err(), "{bad}");
        }
    }
}
