//! Fingerprints: the first sixteen bytes of a digest, one type for each kind of thing. A mailed link has room for no
//! more, and a reader of a log learns no name from them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Person, ReviewId,
    base::{digest::Digest, hex},
};

macro_rules! fingerprints {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// The first half of a digest.
            pub fn of_digest(digest: &Digest) -> Self {
                Self(digest.first_half())
            }

            /// The fingerprint that a link, a key or a tag carries.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The sixteen bytes, as a link carries them.
            pub const fn bytes(self) -> [u8; 16] {
                self.0
            }

            /// Reads 32 hexadecimal digits. `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                hex::read(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::written(&self.0))
            }
        }

        impl From<$name> for String {
            fn from(fingerprint: $name) -> Self {
                fingerprint.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| "expected 32 hexadecimal digits".to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

fingerprints! {
    /// Of a review's id.
    ReviewFingerprint,
    /// Of a person's address.
    PersonFingerprint,
    /// Of a proposal's id.
    ProposalFingerprint,
    /// Of a row that somebody was told.
    RowFingerprint,
    /// Of all that a notice to one person is decided from.
    TellingFingerprint,
}

impl ReviewFingerprint {
    /// The fingerprint of this review.
    pub fn of(review: &ReviewId) -> Self {
        Self::of_digest(&of_name(review.as_str()))
    }
}

impl PersonFingerprint {
    /// The fingerprint of this person.
    pub fn of(person: &Person) -> Self {
        Self::of_digest(&of_name(person.as_str()))
    }
}

fn of_name(name: &str) -> Digest {
    Digest::of_bytes("link-name", name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Links in mailboxes and `LINK` items carry these very bytes: another digest or another half opens none of them.
    #[test]
    fn a_name_has_the_fingerprint_that_mailed_links_carry() {
        let review = ReviewFingerprint::of(&ReviewId::parse("RR-1042").expect("an id"));
        let person = PersonFingerprint::of(&Person::parse("rm-a@example.com").expect("a person"));
        assert_eq!(
            (review.to_string().as_str(), person.to_string().as_str()),
            ("436b92f5d284d1837a644250f781cc4a", "b799f13b6f54625c59d561b1d616d38b")
        );
        assert_eq!(ReviewFingerprint::parse(&review.to_string()), Some(review));
        assert_eq!(PersonFingerprint::from_bytes(person.bytes()), person);
        for wrong in ["", "0", &"0".repeat(31), &"0".repeat(64), &"g".repeat(32)] {
            assert_eq!(ReviewFingerprint::parse(wrong), None, "{wrong:?}");
        }
    }
}
