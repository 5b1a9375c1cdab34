//! Outside text that will enter calendar parts, made harmless once, at the door. Escaping is the builder's business.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Person,
    base::name::{acts, shorten},
};

/// Characters. A room, a building and a street.
pub const LONGEST_LOCATION: usize = 500;
/// Characters. A dial-in of several pages.
pub const LONGEST_DESCRIPTION: usize = 8_000;
/// Characters. The longest address that browsers and calendars carry unchanged.
pub const LONGEST_CONFERENCE: usize = 2_000;
/// A video room, and a number to dial in each country of a company.
pub const MOST_CONFERENCES: usize = 20;
/// A calendar program would run or inline what such an address holds, instead of dialling in.
const NO_CONFERENCE: [&str; 6] = ["data", "javascript", "vbscript", "file", "cid", "mid"];

/// One line of text: no control, no line end, nothing that nobody sees, no blanks around it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct OneLine(String);

/// Text of several lines. The only line ends are `\n`; otherwise each line is as [`OneLine`] is, blanks inside kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Paragraphs(String);

/// An absolute URI of visible ASCII: `https:`, `tel:`, `sip:` and the like.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ConferenceUri(String);

/// The organizer of a meeting, spelt as the meeting was issued: some calendars take another spelling for another
/// organizer. Who that is, a [`Person`] says: in lower case, as all people compare.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct OrganizerAddress(String);

impl OneLine {
    /// Takes out what acts and makes blanks of controls. `None`: nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let line = harmless(text);
        (!line.is_empty()).then_some(Self(line))
    }
}

impl Paragraphs {
    /// Takes out what acts, line by line. A calendar's dial-in text is full of characters that nobody sees. Such a
    /// character is no reason to refuse the text. `None`: nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let unix =
            text.replace("\r\n", "\n").replace(['\r', '\u{0b}', '\u{0c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
        let lines: Vec<String> = unix.split('\n').map(harmless).collect();
        let whole = lines.join("\n");
        let whole = whole.trim_matches('\n');
        (!whole.is_empty()).then(|| Self(whole.to_owned()))
    }
}

impl ConferenceUri {
    /// # Errors
    /// What was expected and what was found.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let acting = NO_CONFERENCE.iter().any(|acting| scheme.eq_ignore_ascii_case(acting));
        let good = text.len() <= LONGEST_CONFERENCE
            && !acting
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && text.len() > scheme.len() + 1
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !br#"\"<>\^`{|}"#.contains(&byte));
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("an address like https://meet.example.com/x or tel:+49-30-1234; found {}", shorten(text)))
    }
}

impl OrganizerAddress {
    /// # Errors
    /// What was expected and what was found.
    pub fn parse(text: &str) -> Result<Self, String> {
        Person::parse(text).map(|_| Self(text.to_owned()))
    }

    /// Whether this is that person, in whatever letter case.
    pub fn is(&self, person: &Person) -> bool {
        self.0.eq_ignore_ascii_case(person.as_str())
    }
}

/// One line: what acts is gone, a control or line end is a blank, none stands around it.
fn harmless(text: &str) -> String {
    let shown = text.chars().filter(|c| !acts(*c));
    let line: String =
        shown.map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect();
    line.trim().to_owned()
}

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl $name {
            /// The text as it may stand in a calendar part, once escaped.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

shown!(OneLine, Paragraphs, ConferenceUri, OrganizerAddress);

/// Stored text. A text that was edited by hand is made harmless again.
impl From<String> for OneLine {
    fn from(text: String) -> Self {
        Self(harmless(&text))
    }
}

impl From<String> for Paragraphs {
    fn from(text: String) -> Self {
        Self::of(&text).unwrap_or_else(|| Self(String::new()))
    }
}

impl TryFrom<String> for OrganizerAddress {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

/// The stored form of where attendees dial in: one address as text, several as a list, as events have it. What an earlier
/// release took, and no calendar carries, is left out.
pub(crate) mod conferences {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::base::text::ConferenceUri;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }

    pub fn serialize<S: Serializer>(all: &[ConferenceUri], serializer: S) -> Result<S::Ok, S::Error> {
        match all {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ConferenceUri>, D::Error> {
        let all = match OneOrSeveral::deserialize(deserializer)? {
            OneOrSeveral::One(one) => vec![one],
            OneOrSeveral::Several(several) => several,
        };
        Ok(all.iter().filter_map(|text| ConferenceUri::parse(text).ok()).collect())
    }
}

impl TryFrom<String> for ConferenceUri {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_and_shows_what_it_holds() {
        for (text, line) in [
            ("Room 4.2, Berlin", Some("Room 4.2, Berlin")),
            ("  Room\r\nATTENDEE:mailto:x@example.com ", Some("Room  ATTENDEE:mailto:x@example.com")),
            ("\u{202e}moor\u{200b}\u{feff}", Some("moor")),
            ("a\u{2028}b", Some("a b")),
            (" \t\u{200b}", None),
        ] {
            assert_eq!(OneLine::of(text).as_ref().map(OneLine::as_str), line, "{text:?}");
        }
    }

    #[test]
    fn paragraphs_keep_their_lines_and_nothing_that_acts() {
        for (text, kept) in [
            ("Dial in\r\n\r\nPIN: 1234\r\n", Some("Dial in\n\nPIN: 1234")),
            ("a\rb\u{85}c\u{2029}d", Some("a\nb\nc\nd")),
            ("____\u{200b}____\nJoin: <https://x.example>\t1", Some("________\nJoin: <https://x.example> 1")),
            ("\n \n", None),
        ] {
            assert_eq!(Paragraphs::of(text).as_ref().map(Paragraphs::as_str), kept, "{text:?}");
            if let Some(read) = Paragraphs::of(text) {
                assert_eq!(Paragraphs::of(read.as_str()), Some(read), "made harmless again it is the same");
            }
        }
    }

    #[test]
    fn a_conference_is_an_address() {
        for good in ["https://meet.example.com/j/9?pwd=a%20b#x", "tel:+49-30-1234", "sip:board@example.com", "x-app:1"]
        {
            assert_eq!(ConferenceUri::parse(good).as_ref().map(ConferenceUri::as_str), Ok(good));
        }
        for bad in [
            "",
            "meet.example.com",
            ":x",
            "https:",
            "https://a b",
            "https://a\r\nX:1",
            "https://ü",
            "1:x",
            "a:\"b",
            "data:,x",
            "JavaScript:x",
        ] {
            assert!(ConferenceUri::parse(bad).is_err(), "{bad:?}");
        }
    }

    /// Other letters' case is another spelling of one address, and is kept.
    #[test]
    fn an_organizer_is_one_person_in_every_spelling() {
        let desk = Person::parse("desk@example.com").unwrap();
        for spelt in ["desk@example.com", "Desk@Example.COM"] {
            let organizer = OrganizerAddress::parse(spelt).unwrap();
            assert!(organizer.is(&desk) && organizer.as_str() == spelt, "{spelt}");
        }
        assert!(!OrganizerAddress::parse("other@example.com").unwrap().is(&desk));
        for bad in ["", "desk", "mailto:desk@example.com@x", "dësk@example.com", "a@b\r\nX:1"] {
            assert!(OrganizerAddress::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn where_to_dial_in_is_stored_as_text_or_as_a_list() {
        #[derive(Serialize, Deserialize)]
        struct Rooms(#[serde(with = "conferences")] Vec<ConferenceUri>);
        let read = |text: &str| serde_json::from_str::<Rooms>(text).unwrap();
        for text in [r#""tel:1""#, r#"["https://a.example","tel:1"]"#] {
            assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
        }
        assert_eq!(read(r#""data:,x""#).0, [], "an earlier release took this");
    }
}
