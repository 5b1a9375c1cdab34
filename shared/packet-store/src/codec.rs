//! Items: a body of canonical JSON, a schema number, and a digest over every attribute that is written with them.
//!
//! The digest holds the key as well, so that an item moved under another key does not pass for that one's.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use refresh_core::base::digest::{Digest, canonical};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::StoreError,
    item::{Item, number},
    key::Key,
    pack,
};

/// The newest form of items that this version writes and reads. Raise it when an older version could not read what is
/// written; members that may be absent (`serde(default)`) need no new number. An item names the oldest form that it is of:
/// 1 where its body is plain, or was deflated alone by an earlier release; 2 where its body is packed with the dictionary; 3
/// where its body is a calendar in steps (`calendar.rs`), packed or not.
pub const SCHEMA: u32 = 3;
/// The form of an item whose body is not packed.
pub(crate) const PLAIN: u32 = 1;
/// The form of an item whose body is packed with the dictionary.
const PACKED: u32 = 2;

/// Bodies up to this stay readable JSON: DynamoDB bills whole kilobytes, and with its other attributes such an item is
/// within one. Longer ones are packed. `holdpoint show` reads them.
const LONGEST_PLAIN: usize = 700;
/// More than the largest fact (4,000 intervals) and far less than a function's memory.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// Set, changed and removed on its own, under its own digest: claims come and go beside what a person was told.
pub(crate) const CLAIM_BY: &str = "claim_by";
pub(crate) const CLAIM_UNTIL: &str = "claim_until";
pub(crate) const CLAIM_DIGEST: &str = "claim_digest";
/// The same for what is known of the mail that told them.
pub(crate) const DELIVERY: &str = "delivery";
pub(crate) const DELIVERY_DIGEST: &str = "delivery_digest";
const BESIDE: [&str; 6] = ["digest", CLAIM_BY, CLAIM_UNTIL, CLAIM_DIGEST, DELIVERY, DELIVERY_DIGEST];

/// The whole item. `beside` are attributes that conditions, indexes or expiry need to see; the digest covers them.
pub(crate) fn seal<T: Serialize>(key: &Key, body: &T, beside: &[(&str, AttributeValue)]) -> Item {
    seal_as(key, PLAIN, body, beside)
}

/// The same of a body that readers of an older form than `least` would not understand.
pub(crate) fn seal_as<T: Serialize>(key: &Key, least: u32, body: &T, beside: &[(&str, AttributeValue)]) -> Item {
    let mut item = key.attributes();
    let (schema, body) = stored(canonical(body));
    item.insert("schema".to_owned(), number(schema.max(least)));
    item.insert("body".to_owned(), body);
    item.extend(beside.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let digest = digest(&item);
    item.insert("digest".to_owned(), AttributeValue::B(Blob::new(digest.0)));
    item
}

/// A body with the form that it has.
fn stored(json: Vec<u8>) -> (u32, AttributeValue) {
    match Some(&json).filter(|json| json.len() > LONGEST_PLAIN).and_then(|json| pack::pack(json)) {
        Some(packed) => (PACKED, AttributeValue::B(Blob::new(packed))),
        // serde_json writes UTF-8 alone, so nothing is ever replaced here.
        None => (PLAIN, AttributeValue::S(String::from_utf8_lossy(&json).into_owned())),
    }
}

/// Over name, type and value of every attribute but the digest itself and a claim, in the order of names.
fn digest(item: &Item) -> Digest {
    let mut names: Vec<&String> = item.keys().filter(|name| !BESIDE.contains(&name.as_str())).collect();
    names.sort_unstable();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(3 * names.len());
    for name in names {
        let (kind, value): (&[u8], &[u8]) = match &item[name] {
            AttributeValue::S(text) => (b"S", text.as_bytes()),
            AttributeValue::N(number) => (b"N", number.as_bytes()),
            AttributeValue::B(bytes) => (b"B", bytes.as_ref()),
            // None of ours: whatever it is, it was not there when the item was written.
            _ => (b"?", b""),
        };
        parts.extend([name.as_bytes(), kind, value]);
    }
    Digest::of_parts("item", &parts)
}

/// Reads an item back, checked: key, schema, digest, then the body.
pub(crate) fn open<T: DeserializeOwned>(doing: &str, item: &Item) -> Result<T, StoreError> {
    let key = key_of(doing, item)?;
    let schema = check_schema(doing, &key, item)?;
    let damaged = |what: String| StoreError::damaged(doing, &key, what);
    match item.get("digest") {
        Some(AttributeValue::B(found)) if found.as_ref() == digest(item).0 => {}
        Some(AttributeValue::B(_)) => return Err(damaged("its digest does not fit its attributes".into())),
        _ => return Err(damaged("expected a binary attribute digest".into())),
    }
    // Where it stops fitting, not what stands there: the reader's own words would quote it.
    let read = |json: &[u8]| {
        serde_json::from_slice(json)
            .map_err(|error| damaged(format!("body: not of its form at {}:{}", error.line(), error.column())))
    };
    match item.get("body") {
        Some(AttributeValue::S(json)) => read(json.as_bytes()),
        Some(AttributeValue::B(packed)) => {
            let json = match schema {
                PLAIN => pack::unpack_alone(packed.as_ref(), LONGEST_BODY),
                _ => pack::unpack(packed.as_ref(), LONGEST_BODY),
            };
            read(&json.map_err(|error| damaged(format!("body: expected deflated JSON: {error}")))?)
        }
        _ => Err(damaged("expected an attribute body".into())),
    }
}

/// The key an item itself names.
pub(crate) fn key_of(doing: &str, item: &Item) -> Result<Key, StoreError> {
    let part = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text.clone()),
        _ => None,
    };
    match (part("pk"), part("sk")) {
        (Some(pk), Some(sk)) => Ok(Key { pk, sk }),
        (pk, sk) => {
            let key = Key { pk: pk.unwrap_or_default(), sk: sk.unwrap_or_default() };
            Err(StoreError::damaged(doing, &key, "expected string attributes pk and sk"))
        }
    }
}

/// The form of an item, which must be one that this version reads.
pub(crate) fn check_schema(doing: &str, key: &Key, item: &Item) -> Result<u32, StoreError> {
    let schema = match item.get("schema") {
        Some(AttributeValue::N(number)) => number.parse::<u32>().ok(),
        _ => None,
    };
    match schema {
        Some(known @ PLAIN..=SCHEMA) => Ok(known),
        Some(newer) if newer > SCHEMA => Err(StoreError::newer(doing, key, newer, SCHEMA)),
        Some(older) => Err(StoreError::damaged(doing, key, format!("expected schema {PLAIN}, found {older}"))),
        None => Err(StoreError::damaged(doing, key, "expected a numeric attribute schema")),
    }
}

/// The digest of a claim, bound to the item it stands in.
pub(crate) fn claim_digest(key: &Key, by: &str, until_millis: &str) -> Digest {
    Digest::of_parts("claim", &[key.pk.as_bytes(), key.sk.as_bytes(), by.as_bytes(), until_millis.as_bytes()])
}

/// The digest of what is known of a person's mail, bound to the item it stands in.
pub(crate) fn delivery_digest(key: &Key, delivery: &str) -> Digest {
    Digest::of_parts("delivery", &[key.pk.as_bytes(), key.sk.as_bytes(), delivery.as_bytes()])
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;
    use crate::item::text;

    fn key() -> Key {
        Key { pk: "REVIEW#RR-1".into(), sk: "VERSION#0000000001".into() }
    }

    fn opened(item: &Item) -> Result<Vec<String>, String> {
        open("reading", item).map_err(|error| error.to_string())
    }

    #[test]
    fn a_body_reads_back_plain_and_packed() {
        for (words, packed) in [(1, false), (20, false), (400, true)] {
            let body = vec!["a word that is said again".to_owned(); words];
            let item = seal(&key(), &body, &[]);
            assert_eq!(matches!(item["body"], AttributeValue::B(_)), packed, "{words} words");
            assert_eq!(item["schema"], number(if packed { PACKED } else { PLAIN }), "{words} words");
            assert_eq!(opened(&item).as_ref(), Ok(&body));
        }
    }

    #[test]
    fn what_an_earlier_release_deflated_is_read() {
        let body = vec!["a word that is said again".to_owned(); 400];
        let mut item = seal(&key(), &"x", &[]);
        item.insert("body".into(), AttributeValue::B(Blob::new(compress_to_vec(&canonical(&body), 6))));
        let fitting = digest(&item);
        item.insert("digest".into(), AttributeValue::B(Blob::new(fitting.0)));
        assert_eq!(opened(&item), Ok(body));
    }

    #[test]
    fn a_key_that_changed_is_damage() {
        let item = seal(&key(), &vec!["x"], &[("counter", number(3))]);
        assert!(opened(&item).is_ok());
        for (name, value) in [("pk", "REVIEW#RR-2"), ("sk", "VERSION#0000000002")] {
            let mut moved = item.clone();
            moved.insert(name.into(), text(value));
            assert!(opened(&moved).unwrap_err().ends_with("its digest does not fit its attributes"));
        }
        let mut nameless = item.clone();
        nameless.remove("pk");
        assert!(opened(&nameless).unwrap_err().ends_with("expected string attributes pk and sk"));
    }

    #[test]
    fn names_and_values_do_not_run_into_each_other() {
        let digest = |beside: &[(&str, AttributeValue)]| seal(&key(), &"x", beside)["digest"].clone();
        assert_ne!(digest(&[("ab", text("c"))]), digest(&[("a", text("bc"))]));
        assert_ne!(digest(&[("a", text("1"))]), digest(&[("a", number(1))]));
    }

    #[test]
    fn a_packed_body_cannot_grow_without_end() {
        let bomb = compress_to_vec(&vec![b' '; LONGEST_BODY + 1], 6);
        let mut item = seal(&key(), &vec!["x"], &[]);
        item.insert("body".into(), AttributeValue::B(Blob::new(bomb)));
        let fitting = digest(&item);
        item.insert("digest".into(), AttributeValue::B(Blob::new(fitting.0)));
        assert!(opened(&item).unwrap_err().contains("body: expected deflated JSON"));
    }
}
