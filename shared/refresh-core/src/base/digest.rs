//! Identity from content: SHA-256 over canonical JSON.

use std::fmt;

use serde::{Deserialize, Serialize, de};
use sha2::{Digest as _, Sha256};

use crate::base::hex;

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of nothing yet: the parent of the first lineage entry.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of bytes. `domain` keeps digests of different things apart.
    pub fn of_bytes(domain: &str, bytes: &[u8]) -> Self {
        Self::of_parts(domain, &[bytes])
    }

    /// Each part is preceded by its length, so no two lists of parts share a digest.
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// Canonical: struct members in their order of declaration, maps in key order, no blanks.
    pub fn of<T: Serialize>(domain: &str, value: &T) -> Self {
        Self::of_bytes(domain, &canonical(value))
    }

    /// The first sixteen bytes.
    pub fn first_half(&self) -> [u8; 16] {
        std::array::from_fn(|at| self.0[at])
    }

    /// Reads 64 hexadecimal digits. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        hex::read(text).map(Self)
    }
}

/// The bytes that digests and stored items share. Only maps with string keys and plain structs are ever passed.
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("our own types always serialise")
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::written(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::written(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("expected 64 hexadecimal digits"))
    }
}
