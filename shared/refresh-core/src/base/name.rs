//! Names, checked once at the door. Inside, a `Person` is an e-mail address and is never checked again.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest name of anything but a person: ids end up in keys of at most 1,024 bytes, three to a key.
pub const LONGEST_NAME: usize = 200;
/// RFC 5321: a path is at most 256 octets, angle brackets included.
pub const LONGEST_ADDRESS: usize = 254;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $check:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "Arc<str>")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The error says what was expected and what was found.
            pub fn parse(text: &str) -> Result<Self, String> {
                Ok(Self(Arc::from(&*$check(text)?)))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
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
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
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
    /// A CloudEvents `source`.
    Source: reference,
    /// A CloudEvents `id`.
    EventId: reference,
    /// A person, known by their e-mail address, in lower case.
    Person: address,
}

fn identifier(text: &str) -> Result<String, String> {
    let shown = || shorten(text);
    if text.is_empty() || text.chars().count() > LONGEST_NAME {
        return Err(format!("a name of 1 to {LONGEST_NAME} characters; found {}", shown()));
    }
    if text.chars().any(char::is_control) || text.trim() != text {
        return Err(format!("a name without control characters or blanks around it; found {}", shown()));
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

/// ASCII dot-atom local part and a host name: nothing that could end a header, open a tag or add a recipient.
fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("an e-mail address like name@example.com; found {}", shorten(text));
    let (local, domain) = text.split_once('@').ok_or_else(wrong)?;
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let dots = |s: &str| !s.is_empty() && !s.starts_with('.') && !s.ends_with('.') && !s.contains("..");
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    if text.len() > LONGEST_ADDRESS || local.len() > 64 || !dots(local) || !local.chars().all(atom) {
        return Err(wrong());
    }
    if !dots(domain) || !domain.split('.').all(label) {
        return Err(wrong());
    }
    Ok(text.to_ascii_lowercase())
}

/// What a message shows of a bad value: enough to find it, never a page of it.
pub fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
