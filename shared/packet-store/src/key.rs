//! Keys, derived from content: the same thing always has the same key, and no two things share one.
//!
//! Names are percent-escaped, so that neither `#` (which joins the parts of a key) nor `/` stands in one unescaped.

use aws_sdk_dynamodb::types::AttributeValue;
use percent_encoding::percent_decode_str;
use refresh_core::{
    Instant, Person, ReviewId, Uid,
    base::{digest::Digest, fingerprint::ReviewFingerprint, hex},
    facts::{event::Identity, seat::Seat, subject::Subject},
    record::commit::Cause,
};
use sha2::{Digest as _, Sha256};

use crate::item::Item;

/// A reference (`source` or `id` of an event) whose escaped form is longer is written as its digest: DynamoDB allows
/// 1,024 bytes of sort key, and a CAUSE holds two references and a digest.
const LONGEST_REFERENCE: usize = 400;

/// What an item is found under.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// HEAD of a review.
    pub fn head(review: &ReviewId) -> Self {
        Self::new(review_partition(review), "HEAD")
    }

    /// Ten digits, so that the order of keys is the order of numbers.
    pub fn version(review: &ReviewId, number: u32) -> Self {
        Self::new(review_partition(review), format!("{VERSION}{number:010}"))
    }

    /// One entry of a review's lineage.
    pub fn lineage(review: &ReviewId, sequence: u64) -> Self {
        Self::new(review_partition(review), format!("{LINEAGE}{sequence:010}"))
    }

    /// An id collision is a cause of its own beside that of the event whose id it took.
    pub fn cause(review: &ReviewId, cause: &Cause) -> Self {
        let names = references(&cause.identity);
        let collision = cause.collision.map_or_else(String::new, |digest| format!("#collision#{digest}"));
        Self::new(review_partition(review), format!("CAUSE#{names}{collision}"))
    }

    /// The subjects that a review depends on.
    pub fn subjects(review: &ReviewId) -> Self {
        Self::new(review_partition(review), "SUBJECTS")
    }

    /// What a tick asked for: a partition of its own, since a tick may write nothing of a review.
    pub fn asked(review: &ReviewId) -> Self {
        Self::new(format!("{ASKED}{}", escaped(review.as_str())), "ASKED")
    }

    /// What one person was told of a review.
    pub fn told(review: &ReviewId, person: &Person) -> Self {
        Self::new(review_partition(review), format!("{TOLD}{}", escaped(person.as_str())))
    }

    /// The newest fact of a subject.
    pub fn fact(subject: &Subject) -> Self {
        Self::new(format!("FACT#{}", subject_name(subject)), "FACT")
    }

    /// The review whose meeting has that UID.
    pub fn uid(uid: &Uid) -> Self {
        Self::new(format!("FACT#uid#{}", escaped(uid.as_str())), "HOLDER")
    }

    /// The review whose calendar object has that UID, where the UID does not show the review's id.
    pub fn object(uid: &Uid, review: &ReviewId) -> Self {
        Self::new(object_partition(uid), review_partition(review))
    }

    /// A subject that got nothing but stale revisions. All of them stand side by side, so that operators find them.
    pub fn silenced(subject: &Subject) -> Self {
        Self::new(SILENCED.to_owned(), subject_name(subject))
    }

    /// What is kept of a binding that is polled. All of them stand side by side, so that one query finds what is due: they
    /// are few, and nothing else is read as often.
    pub fn poll(binding: &str) -> Self {
        Self::new(POLL.to_owned(), format!("{POLL_STATE}{}", escaped(binding)))
    }

    /// When something last said that a polled system has news. Beside the record and not in it: whoever says so and whoever
    /// asks never stand in each other's way.
    pub fn poll_hint(binding: &str) -> Self {
        Self::new(POLL.to_owned(), format!("{POLL_HINT}{}", escaped(binding)))
    }

    /// One person's seats lie side by side, under this key's partition.
    pub fn seat(seat: &Seat) -> Self {
        Self::new(Self::seated_by(&seat.person).pk, review_partition(&seat.review))
    }

    /// Before every seat in the order of keys.
    pub fn seated_by(person: &Person) -> Self {
        Self::fact(&Subject::Seat(person.clone()))
    }

    /// That somebody has or had an entry beside the person's mark: whom nothing says so of has no seat anywhere.
    pub fn any_seat(person: &Person) -> Self {
        Self::new(Self::seated_by(person).pk, "ANY")
    }

    /// The record of one event.
    pub fn event(identity: &Identity) -> Self {
        Self::new(format!("EVENT#{}", references(identity)), "EVENT")
    }

    /// Beside the event whose id was taken.
    pub fn collision(identity: &Identity, digest: &Digest) -> Self {
        Self::new(format!("EVENT#{}", references(identity)), format!("COLLISION#{digest}"))
    }

    /// What remains of a piece that became no event. A redelivery of one message is the same piece at the same instant.
    pub fn receipt(digest: &Digest, became: &str, at: Instant) -> Self {
        Self::new(Self::receipts(digest), format!("{became}#{:015}", at.millis()))
    }

    /// The receipts of one piece lie side by side.
    pub(crate) fn receipts(digest: &Digest) -> String {
        format!("{RECEIPT}{digest}")
    }

    /// That a review depends on a subject.
    pub fn depends(subject: &Subject, review: &ReviewId) -> Self {
        Self::new(subject_partition(subject), review_partition(review))
    }

    /// A signed link holds the review's fingerprint, and this finds the review again.
    pub fn link(fingerprint: ReviewFingerprint, review: &ReviewId) -> Self {
        Self::new(link_partition(fingerprint), review_partition(review))
    }

    pub(crate) fn attributes(&self) -> Item {
        [("pk", &self.pk), ("sk", &self.sk)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())))
            .into()
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.pk, self.sk)
    }
}

pub(crate) const VERSION: &str = "VERSION#";
pub(crate) const LINEAGE: &str = "LINEAGE#";
pub(crate) const TOLD: &str = "TOLD#";
pub(crate) const SILENCED: &str = "FACT#silenced";
pub(crate) const POLL: &str = "POLL";
pub(crate) const POLL_STATE: &str = "STATE#";
pub(crate) const POLL_HINT: &str = "HINT#";
const REVIEW: &str = "REVIEW#";
const ASKED: &str = "ASKED#";
pub(crate) const RECEIPT: &str = "RECEIPT#";

pub(crate) fn review_partition(review: &ReviewId) -> String {
    format!("{REVIEW}{}", escaped(review.as_str()))
}

pub(crate) fn subject_partition(subject: &Subject) -> String {
    format!("SUBJECT#{}", subject_name(subject))
}

pub(crate) fn link_partition(fingerprint: ReviewFingerprint) -> String {
    format!("SUBJECT#link#{fingerprint}")
}

pub(crate) fn object_partition(uid: &Uid) -> String {
    format!("SUBJECT#object#{}", escaped(uid.as_str()))
}

fn subject_name(subject: &Subject) -> String {
    let names: Vec<String> = subject.names().into_iter().map(escaped).collect();
    format!("{}#{}", subject.word(), names.join("#"))
}

/// The review of a `REVIEW#id` key.
///
/// # Errors
///
/// What was expected and what was found: the key is another's, or nothing that [`Key`] writes.
pub fn review_of(key: &str) -> Result<ReviewId, String> {
    let name = key.strip_prefix(REVIEW).ok_or_else(|| format!("expected a key REVIEW#id; found {key:?}"))?;
    ReviewId::parse(&unescaped(name)?).map_err(|expected| format!("expected {expected}"))
}

/// The review of an `ASKED#id` key; the error says what was expected.
pub(crate) fn asked_of(key: &str) -> Result<ReviewId, String> {
    let name = key.strip_prefix(ASKED).ok_or_else(|| format!("expected a key ASKED#id; found {key:?}"))?;
    ReviewId::parse(&unescaped(name)?).map_err(|expected| format!("expected {expected}"))
}

pub(crate) fn person_of(key: &str) -> Result<Person, String> {
    let name = key.strip_prefix(TOLD).ok_or_else(|| format!("expected a key TOLD#person; found {key:?}"))?;
    Person::parse(&unescaped(name)?).map_err(|expected| format!("expected {expected}"))
}

fn references(identity: &Identity) -> String {
    format!("{}#{}", reference(identity.source.as_str()), reference(identity.id.as_str()))
}

/// `%~` begins no escaped character, so a digest never equals an escaped name.
fn reference(text: &str) -> String {
    let escaped = escaped(text);
    if escaped.len() <= LONGEST_REFERENCE {
        return escaped;
    }
    format!("%~{}", hex::written(&Sha256::digest(text.as_bytes())))
}

/// Everything else stays readable to an operator who looks into the table.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('#', "%23").replace('/', "%2F")
}

/// Only what [`escaped`] writes is read: every name has one spelling.
fn unescaped(text: &str) -> Result<String, String> {
    let name = percent_decode_str(text).decode_utf8().map_err(|_| format!("expected UTF-8; found {text:?}"))?;
    if escaped(&name) == text {
        Ok(name.into_owned())
    } else {
        Err(format!("expected %25, %23 and %2F for percent sign, # and /, and no other escape; found {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use refresh_core::{
        EventId, Role, Service, Source,
        facts::subject::{Diary, Subject},
    };

    use super::*;

    fn identity(source: &str, id: &str) -> Identity {
        Identity { source: Source::parse(source).unwrap(), id: EventId::parse(id).unwrap() }
    }

    fn review(id: &str) -> ReviewId {
        ReviewId::parse(id).unwrap()
    }

    #[test]
    fn keys_are_those_of_the_architecture() {
        let rr = review("RR-1042");
        let ada = Person::parse("ada@example.com").unwrap();
        let calendar = Subject::Availability(ada.clone(), Diary::Calendar, None);
        let delegation = Subject::Delegation(Service::parse("identity").unwrap(), Role::parse("rm").unwrap());
        let event = identity("//ci/x", "e1");
        let (authoritative, tentative, invitations) = (None, None, Vec::new());
        let seat = Seat { review: rr.clone(), person: ada.clone(), authoritative, tentative, invitations };
        let zero = Digest::ZERO;
        let hex = zero.to_string();
        let cause = |collision| Cause { identity: event.clone(), collision };
        for (key, expected) in [
            (Key::head(&rr), "REVIEW#RR-1042 / HEAD"),
            (Key::version(&rr, 7), "REVIEW#RR-1042 / VERSION#0000000007"),
            (Key::lineage(&rr, 42), "REVIEW#RR-1042 / LINEAGE#0000000042"),
            (Key::cause(&rr, &cause(None)), "REVIEW#RR-1042 / CAUSE#%2F%2Fci%2Fx#e1"),
            (Key::cause(&rr, &cause(Some(zero))), &format!("REVIEW#RR-1042 / CAUSE#%2F%2Fci%2Fx#e1#collision#{hex}")),
            (Key::subjects(&rr), "REVIEW#RR-1042 / SUBJECTS"),
            (Key::asked(&rr), "ASKED#RR-1042 / ASKED"),
            (Key::told(&rr, &ada), "REVIEW#RR-1042 / TOLD#ada@example.com"),
            (Key::fact(&calendar), "FACT#availability#ada@example.com#calendar / FACT"),
            (Key::fact(&delegation), "FACT#delegation#identity#rm / FACT"),
            (Key::fact(&Subject::Closure(rr.clone())), "FACT#closure#RR-1042 / FACT"),
            (Key::seated_by(&ada), "FACT#seat#ada@example.com / FACT"),
            (Key::seat(&seat), "FACT#seat#ada@example.com / REVIEW#RR-1042"),
            (Key::event(&event), "EVENT#%2F%2Fci%2Fx#e1 / EVENT"),
            (Key::collision(&event, &zero), &format!("EVENT#%2F%2Fci%2Fx#e1 / COLLISION#{hex}")),
            (
                Key::receipt(&zero, "skipped", Instant::from_millis(1_793_696_472_000)),
                &format!("RECEIPT#{hex} / skipped#001793696472000"),
            ),
            (Key::depends(&delegation, &rr), "SUBJECT#delegation#identity#rm / REVIEW#RR-1042"),
            (
                Key::link(ReviewFingerprint::from_bytes([0xab; 16]), &rr),
                "SUBJECT#link#abababababababababababababababab / REVIEW#RR-1042",
            ),
            (
                Key::object(&Uid::parse("sha256-0@a.example").unwrap(), &rr),
                "SUBJECT#object#sha256-0@a.example / REVIEW#RR-1042",
            ),
        ] {
            assert_eq!(key.to_string(), expected);
        }
    }

    #[test]
    fn names_that_hold_separators_cannot_collide() {
        let subject = |service: &str, role: &str| {
            Key::fact(&Subject::Delegation(Service::parse(service).unwrap(), Role::parse(role).unwrap()))
        };
        assert_ne!(subject("a#b", "c"), subject("a", "b#c"));
        assert_ne!(subject("a%23b", "c"), subject("a#b", "c"));
        assert_ne!(Key::event(&identity("a#b", "c")), Key::event(&identity("a", "b#c")));
        let collision = Cause { identity: identity("a", "b"), collision: Some(Digest::ZERO) };
        let posing = Cause { identity: identity("a", &format!("b#collision#{}", Digest::ZERO)), collision: None };
        assert_ne!(Key::cause(&review("r"), &collision), Key::cause(&review("r"), &posing));
    }

    #[test]
    fn an_escaped_name_reads_back_and_has_one_spelling() {
        for name in ["RR-1", "a/b#c%d", "%", "%25", "%~x", "größe", "日本/語", "a%2"] {
            assert_eq!(review_of(&review_partition(&review(name))).as_ref().map(ReviewId::as_str), Ok(name));
        }
        for bad in
            ["RR-1", "REVIEW#", "REVIEW#a#b", "REVIEW#a/b", "REVIEW#%2f", "REVIEW#%41", "REVIEW#a%", "REVIEW#%2é"]
        {
            assert!(review_of(bad).is_err(), "{bad}");
        }
        assert!(person_of("TOLD#nobody").is_err());
    }

    #[test]
    fn no_key_is_longer_than_dynamodb_allows() {
        let long = |c: char, bytes: usize| c.to_string().repeat(bytes / c.len_utf8());
        let event = identity(&long('/', 400), &long('#', 400));
        let wide = review(&"語".repeat(200));
        let slashes = review(&"/".repeat(200));
        let person = Person::parse(&format!("{}@{}.example", "/".repeat(64), "a".repeat(60))).unwrap();
        let cause = Cause { identity: event.clone(), collision: Some(Digest::ZERO) };
        let two =
            Subject::Delegation(Service::parse(&"語".repeat(200)).unwrap(), Role::parse(&"#".repeat(200)).unwrap());
        for rr in [&wide, &slashes] {
            for key in [
                Key::version(rr, u32::MAX),
                Key::cause(rr, &cause),
                Key::told(rr, &person),
                Key::event(&event),
                Key::collision(&event, &Digest::ZERO),
                Key::depends(&two, rr),
                Key::link(ReviewFingerprint::from_bytes([0; 16]), rr),
            ] {
                assert!(key.pk.len() <= 2_048, "{} bytes: {key}", key.pk.len());
                assert!(key.sk.len() <= 1_024, "{} bytes: {key}", key.sk.len());
            }
        }
    }

    #[test]
    fn long_references_stay_apart() {
        let (a, b) = (format!("{}a", "/".repeat(300)), format!("{}b", "/".repeat(300)));
        assert_ne!(Key::event(&identity(&a, "x")), Key::event(&identity(&b, "x")));
        // Somebody who spells the digest out themselves gets its percent sign escaped.
        let written = Key::event(&identity(&a, "x")).pk;
        let spelt = written.strip_prefix("EVENT#").and_then(|rest| rest.strip_suffix("#x")).unwrap();
        assert_ne!(Key::event(&identity(spelt, "x")).pk, written);
    }
}
