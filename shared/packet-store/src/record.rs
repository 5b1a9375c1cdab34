//! A review's record, read and verified as one HEAD names it.
//!
//! ```text
//!  HEAD (entry n is the last) ── the review's items ── verify entries 1 to n, versions up to HEAD's latest
//!                             │ a decision is committed in between: entry n + 1, version m + 1
//! ```
//! What is written after HEAD was read is no misfit: it stands beside the newer HEAD it was committed with.

use refresh_core::{
    facts::seat::Seat,
    record::{
        lineage::{self, Entry, Misfit},
        packet::Version,
        review::{Head, Review},
        seats,
    },
};

use crate::{
    Store, codec,
    error::StoreError,
    item::Item,
    key::{self, Key},
};

/// What a review's partition holds, up to what one HEAD names.
#[derive(Debug)]
pub struct Record {
    /// In order of sequence. An entry that cannot be read is left out, and `verified` says so.
    pub entries: Vec<Entry>,
    /// In order of number. A version that cannot be read is left out, and `verified` says so.
    pub versions: Vec<Version>,
    /// The number of entries, or the first thing that does not fit: the chain first, then every other item.
    pub verified: Result<u64, Misfit>,
}

impl Store {
    /// `head` was read before. Every item of the review is checked, not the chain alone: a review whose VERSION, TOLD or
    /// SUBJECTS is damaged is not verified.
    ///
    /// # Errors
    ///
    /// A call that fails. What is damaged is no error but a misfit.
    pub async fn record(&self, head: &Head) -> Result<Record, StoreError> {
        let doing = format!("reading the record of {}", head.review);
        let items = self.query(&doing, key::review_partition(&head.review), None).await?;
        let (mut entries, mut versions) = (Vec::new(), Vec::new());
        let (mut broken_entry, mut broken_item, mut last_entry) = (None, None, 0);
        for item in &items {
            let sort = codec::key_of(&doing, item).map(|key| key.sk).unwrap_or_default();
            let numbered = |prefix: &str| sort.strip_prefix(prefix)?.parse::<u64>().ok();
            if let Some(sequence) = numbered(key::LINEAGE) {
                last_entry = last_entry.max(sequence);
                match codec::open::<Entry>(&doing, item) {
                    _ if sequence > head.lineage.sequence => {}
                    Ok(entry) => entries.push(entry),
                    Err(error) if broken_entry.is_none() => broken_entry = Some(misfit(Some(sequence), &error)),
                    Err(_) => {}
                }
                continue;
            }
            let opened = match numbered(key::VERSION) {
                Some(number) if number > u64::from(head.latest) => continue,
                Some(_) => codec::open::<Version>(&doing, item).map(|version| versions.push(version)),
                None => checked(&doing, item, &sort),
            };
            if let (Err(error), None) = (opened, &broken_item) {
                broken_item = Some(misfit(None, &error));
            }
        }
        let chain = match (lineage::verify(&entries, &head.lineage), broken_entry) {
            // The gap that an unreadable entry leaves is that entry.
            (Err(found), Some(broken)) if broken.sequence <= found.sequence => Err(broken),
            (chain, _) => chain,
        };
        let verified = match chain {
            Ok(_) if last_entry > head.lineage.sequence => self.foreign(head, last_entry).await?,
            chain => chain,
        };
        let missing = || missing_version(head, &versions);
        let mut verified = verified.and_then(|entries| broken_item.or_else(missing).map_or(Ok(entries), Err));
        // Of a review that is over the seats expire.
        if verified.is_ok()
            && !head.is_ended()
            && let Some(misfit) = self.misfitting_seat(head, &versions).await?
        {
            verified = Err(misfit);
        }
        Ok(Record { entries, versions, verified })
    }

    /// The first seat of the review that is not what HEAD and its versions make of it. Seats are written with HEAD, so they
    /// fit the HEAD that was read, or one that was committed since.
    async fn misfitting_seat(&self, head: &Head, versions: &[Version]) -> Result<Option<Misfit>, StoreError> {
        let doing = "reading the seats of a review";
        let find = |number: u32| versions.iter().find(|version| version.number == number).cloned();
        let pending = head.pending.as_ref().map(|pending| pending.version);
        let (Some(issued), Some(authoritative)) = (find(head.issued), find(head.authoritative)) else {
            return Ok(None);
        };
        let review = Review { head: head.clone(), issued, authoritative, pending: pending.and_then(find) };
        let expected = seats::written(&review);
        let found = self.get_all(doing, expected.iter().map(Key::seat).collect()).await?;
        let read: Result<Vec<Seat>, StoreError> = found.iter().map(|item| codec::open(doing, item)).collect();
        let read = match read {
            Ok(read) => read,
            Err(error) => return Ok(Some(misfit(None, &error))),
        };
        let Some(wrong) = expected.iter().find(|seat| !read.contains(seat)) else { return Ok(None) };
        if self.head(&head.review).await?.is_none_or(|newest| newest.counter != head.counter) {
            return Ok(None);
        }
        let because = format!("the item {} is not what HEAD says of that seat", Key::seat(wrong));
        Ok(Some(Misfit { sequence: None, because }))
    }

    /// An entry beyond those `head` names: of a decision committed since, or of nobody's.
    async fn foreign(&self, head: &Head, last_entry: u64) -> Result<Result<u64, Misfit>, StoreError> {
        let newest = self.head(&head.review).await?.map_or(0, |newest| newest.lineage.sequence);
        if last_entry <= newest {
            return Ok(Ok(head.lineage.sequence));
        }
        let because = format!("HEAD names entry {newest} as the last");
        Ok(Err(Misfit { sequence: Some(last_entry), because }))
    }
}

fn misfit(sequence: Option<u64>, error: &StoreError) -> Misfit {
    Misfit { sequence, because: error.to_string() }
}

/// An item whose body nobody needs here reads as it was written.
fn checked(doing: &str, item: &Item, sort: &str) -> Result<(), StoreError> {
    if sort.starts_with(key::TOLD) {
        return crate::telling::check(doing, item);
    }
    codec::open::<serde_json::Value>(doing, item).map(drop)
}

/// Versions are numbered without gaps from the one the review was issued with.
fn missing_version(head: &Head, found: &[Version]) -> Option<Misfit> {
    let missing = (head.issued..=head.latest).find(|number| !found.iter().any(|version| version.number == *number))?;
    let because = format!(
        "the item {} is missing, though HEAD names version {} as the latest",
        Key::version(&head.review, missing),
        head.latest
    );
    Some(Misfit { sequence: None, because })
}
