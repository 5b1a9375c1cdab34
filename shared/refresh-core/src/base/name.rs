//! Names, checked once at the door. Inside, a `Person` is an e-mail address and is never checked again.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use serde::{Deserialize, Serialize, Serializer};

/// The longest name of anything but a person. Up to three ids stand in one key, and a key has at most 1,024 bytes.
pub const LONGEST_NAME: usize = 200;
/// RFC 5321: a path is at most 256 octets, angle brackets included.
pub const LONGEST_ADDRESS: usize = 254;
/// So that `sha256-`, 32 digits, `-hold@` and it fit into a UID's 255 octets.
pub const LONGEST_MAIL_DOMAIN: usize = 190;

/// The text of a name, and its first eight bytes as a number. A decision compares names thousands of times, and most
/// names differ within these bytes: their texts are then not fetched from memory.
#[derive(Clone, Eq)]
struct NameText {
    start: u64,
    text: Arc<str>,
}

impl NameText {
    fn of(text: &str) -> Self {
        let mut start = [0; 8];
        let length = text.len().min(start.len());
        start[..length].copy_from_slice(&text.as_bytes()[..length]);
        // The first byte weighs most, so these numbers have the order of the texts.
        Self { start: u64::from_be_bytes(start), text: Arc::from(text) }
    }
}

// Most names that are compared and equal are copies of one another, and share their text.
impl PartialEq for NameText {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Ord for NameText {
    fn cmp(&self, other: &Self) -> Ordering {
        self.start.cmp(&other.start).then_with(|| {
            if Arc::ptr_eq(&self.text, &other.text) { Ordering::Equal } else { self.text.cmp(&other.text) }
        })
    }
}

impl PartialOrd for NameText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for NameText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Serialize for NameText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $check:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "Arc<str>")]
        pub struct $name(NameText);

        impl $name {
            /// The error says what was expected and what was found.
            ///
            /// # Errors
            ///
            /// What was expected and what was found.
            pub fn parse(text: &str) -> Result<Self, String> {
                Ok(Self(NameText::of(&$check(text)?)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0.text
            }
        }

        impl TryFrom<Arc<str>> for $name {
            type Error = String;
            fn try_from(text: Arc<str>) -> Result<Self, String> {
                Self::parse(&text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.text)
            }
        }
    )*};
}

names! {
    /// One release-readiness review.
    ReviewId: identifier,
    /// The change record that governs it.
    ChangeId: identifier,
    /// A required role; any set is allowed, roles are data.
    Role: identifier,
    /// The service whose delegations count.
    Service: identifier,
    /// One piece of evidence a review waits for.
    Checkpoint: identifier,
    /// A freeze calendar.
    Calendar: identifier,
    /// One of several calendars of a person.
    DiaryName: identifier,
    /// A CloudEvents `source`.
    Source: reference,
    /// A CloudEvents `id`.
    EventId: reference,
    /// A person, known by their e-mail address, in lower case.
    Person: address,
}

/// Whether a character is invisible, has no meaning to others, or changes how its neighbours are read. No output shows
/// such a character, so a name with one would be shown as another name. Zero-width joiners are none of them: scripts
/// and emoji need those.
pub const fn acts(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'
        | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}'
        | '\u{e000}'..='\u{f8ff}')
}

/// The host part of message ids and of UIDs. So short that the longest UID made with it has at most 255 octets.
///
/// # Errors
/// What was expected and what was found.
pub fn mail_domain(text: &str) -> Result<String, String> {
    if text.len() > LONGEST_MAIL_DOMAIN || !is_host(text) {
        return Err(format!("a host name of at most {LONGEST_MAIL_DOMAIN} characters; found {}", shorten(text)));
    }
    Ok(text.to_owned())
}

fn identifier(text: &str) -> Result<String, String> {
    let shown = || shorten(text);
    if text.is_empty() || text.chars().count() > LONGEST_NAME {
        return Err(format!("a name of 1 to {LONGEST_NAME} characters; found {}", shown()));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(format!("a name without control characters or blanks around it; found {}", shown()));
    }
    if text.chars().any(acts) {
        return Err(format!("a name of characters that can be seen; found {}", shown()));
    }
    // Browsers take these two out of a path, however they are written there.
    if matches!(text, "." | "..") {
        return Err(format!("a name that is more than dots; found {}", shown()));
    }
    Ok(text.to_owned())
}

/// CloudEvents `source` and `id`: opaque, but they become keys.
fn reference(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 400 || text.chars().any(char::is_control) {
        return Err(format!("a string of 1 to 400 bytes without control characters; found {}", shorten(text)));
    }
    Ok(text.to_owned())
}

/// An ASCII dot-atom, an `@` and a host name. Nothing in such an address can end a header, open a tag or add a
/// recipient.
fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("an e-mail address like name@example.com; found {}", shorten(text));
    let (local, domain) = text.split_once('@').ok_or_else(wrong)?;
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if text.len() > LONGEST_ADDRESS || local.len() > 64 || !is_dotted(local) || !local.chars().all(atom) {
        return Err(wrong());
    }
    // `=?` begins an encoded word: mail programs would read another address.
    if !is_host(domain) || local.contains("=?") {
        return Err(wrong());
    }
    Ok(text.to_ascii_lowercase())
}

fn is_dotted(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..")
}

fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    is_dotted(text) && text.split('.').all(label)
}

/// What a message shows of a bad value: enough to find it, never a page of it.
pub fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_every_output_can_show() {
        for good in
            ["RR-1042", "RR 1042", "größe", "日本 レビュー", "مراجعة", "👩🏽‍💻", "a/b#c%d", "...", ".a", "x\u{3000}y"]
        {
            assert_eq!(ReviewId::parse(good).as_ref().map(ReviewId::as_str), Ok(good));
        }
        for (bad, expected) in [
            ("", "a name of 1 to 200 characters"),
            (" a", "a name without control characters or blanks around it"),
            ("a\nb", "a name without control characters or blanks around it"),
            ("a\u{200b}", "a name of characters that can be seen"),
            ("\u{202e}1-RR", "a name of characters that can be seen"),
            ("a\u{ffff}", "a name of characters that can be seen"),
            (".", "a name that is more than dots"),
            ("..", "a name that is more than dots"),
        ] {
            let error = ReviewId::parse(bad).unwrap_err();
            assert_eq!(error.split_once("; found ").map(|(expected, _)| expected), Some(expected), "{bad:?}");
        }
    }

    #[test]
    fn names_have_the_order_of_their_texts() {
        let texts =
            ["A", "a", "a b", "aaaaaaa", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaab", "aaaaaaab", "b", "z", "é", "日本"];
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            let names = Role::parse(one).and_then(|name| Ok((name, Role::parse(other)?))).expect("two names");
            assert_eq!(names.0.cmp(&names.1), one.cmp(other), "{one} and {other}");
            assert_eq!(names.0 == names.1, one == other, "{one} and {other}");
        }
    }

    #[test]
    fn no_address_looks_like_an_encoded_word() {
        for good in ["a=b@example.com", "a?=b@example.com", "o'neil+x@example.com", "a%b@x"] {
            assert!(Person::parse(good).is_ok(), "{good}");
        }
        assert!(Person::parse("=?utf-8?q?a?=@example.com").is_err());
    }
}
