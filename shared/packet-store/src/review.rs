//! What a decision reads: HEAD first, then the versions it names, then the facts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use refresh_core::{
    Person, ReviewId,
    facts::{
        fact::{Fact, Facts},
        subject::Subject,
    },
    record::{
        commit::Cause,
        packet::Version,
        review::{Head, Review},
    },
};

use crate::{
    Store, calendar, codec,
    error::StoreError,
    key::Key,
    several::{Several, Unreadable},
};

impl Store {
    /// HEAD of a review; `None` where the review was never issued.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn head(&self, review: &ReviewId) -> Result<Option<Head>, StoreError> {
        let doing = format!("reading HEAD of {review}");
        let item = self.get(&doing, &Key::head(review)).await?;
        item.map(|item| codec::open(&doing, &item)).transpose()
    }

    /// `None`: never issued.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn review(&self, review: &ReviewId) -> Result<Option<Review>, StoreError> {
        let Some(head) = self.head(review).await? else { return Ok(None) };
        self.unfold(head).await.map(Some)
    }

    /// A HEAD with the versions it names. Versions never change, so those known are not read again.
    ///
    /// # Errors
    ///
    /// A version that HEAD names is not there, the table cannot be read, or an item does not read as it was written.
    pub async fn unfold(&self, head: Head) -> Result<Review, StoreError> {
        let doing = format!("reading the versions of {}", head.review);
        let numbers = numbers(&head);
        // What is remembered may be forgotten at any time, so it is taken out before anything is read.
        let known = |number: &u32| Some((*number, self.cache.version(&head.review, *number)?));
        let mut versions: BTreeMap<u32, Version> = numbers.iter().filter_map(known).collect();
        let unknown = numbers.iter().filter(|number| !versions.contains_key(number));
        let unknown: Vec<Key> = unknown.map(|number| Key::version(&head.review, *number)).collect();
        if !unknown.is_empty() {
            for item in self.get_all(&doing, unknown).await? {
                let version: Version = codec::open(&doing, &item)?;
                self.cache.keep_version(&head.review, version.clone());
                versions.insert(version.number, version);
            }
        }
        folded(&doing, head, versions)
    }

    /// The same of several reviews, read together. What decisions remember is left as it is: a list reads many reviews that
    /// nobody decides on.
    ///
    /// # Errors
    ///
    /// The table cannot be read. A review whose versions are not all there as they were written is among the unreadable.
    pub async fn unfold_all(&self, heads: Vec<Head>) -> Result<Several<Review>, StoreError> {
        let doing = "reading the versions of several reviews";
        let (mut versions, mut unknown) = (BTreeMap::<String, BTreeMap<u32, Version>>::new(), Vec::new());
        for head in &heads {
            for number in numbers(head) {
                let key = Key::version(&head.review, number);
                match self.cache.version(&head.review, number) {
                    Some(version) => drop(versions.entry(key.pk).or_default().insert(number, version)),
                    None => unknown.push(key),
                }
            }
        }
        let mut broken = BTreeMap::new();
        for item in self.get_all(doing, unknown).await? {
            let key = codec::key_of(doing, &item)?;
            match codec::open::<Version>(doing, &item) {
                Ok(version) => drop(versions.entry(key.pk).or_default().insert(version.number, version)),
                Err(error) => drop(broken.insert(key.pk, error)),
            }
        }
        let mut several = Several { read: Vec::with_capacity(heads.len()), unreadable: Vec::new() };
        for head in heads {
            let (review, partition) = (head.review.clone(), Key::head(&head.review).pk);
            let versions = versions.remove(&partition).unwrap_or_default();
            match broken.remove(&partition).map_or_else(|| folded(doing, head, versions), Err) {
                Ok(read) => several.read.push(read),
                Err(error) => several.unreadable.push(Unreadable { review: Some(review), error }),
            }
        }
        Ok(several)
    }

    /// The newest facts of those subjects that have one. Seats are no facts.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or an item does not read as it was written.
    pub async fn facts(&self, subjects: &BTreeSet<Subject>) -> Result<Facts, StoreError> {
        let (facts, _) = self.facts_and_seated(subjects, Vec::new()).await?;
        Ok(facts.into_iter().collect())
    }

    /// The same, and those of these people who have or had a seat somewhere, in their order: read together.
    pub(crate) async fn facts_and_seated(
        &self,
        subjects: &BTreeSet<Subject>,
        people: Vec<Person>,
    ) -> Result<(Vec<Fact>, Vec<Person>), StoreError> {
        let found = self.found("reading the facts of a decision", None, subjects, people).await?;
        Ok((found.facts, found.seated))
    }

    /// HEAD, the facts of these subjects, and who of these people has or had a seat somewhere, in one call. Nothing says
    /// which of them is read first: to be used only by whoever judges the facts by that HEAD.
    pub(crate) async fn head_and_facts(
        &self,
        review: &ReviewId,
        subjects: &BTreeSet<Subject>,
        people: Vec<Person>,
    ) -> Result<Found, StoreError> {
        self.found(&format!("reading HEAD of {review} and what changed"), Some(review), subjects, people).await
    }

    async fn found(
        &self,
        doing: &str,
        review: Option<&ReviewId>,
        subjects: &BTreeSet<Subject>,
        people: Vec<Person>,
    ) -> Result<Found, StoreError> {
        let of_sources = subjects.iter().filter(|subject| !matches!(subject, Subject::Seat(_)));
        let known = people.iter().filter(|person| self.cache.has_any_seat(person)).cloned().collect::<HashSet<_>>();
        let asked: HashMap<Key, Person> = people
            .iter()
            .filter(|person| !known.contains(*person))
            .map(|person| (Key::any_seat(person), person.clone()))
            .collect();
        let of_head = review.map(Key::head);
        let keys = of_sources.map(Key::fact).chain(asked.keys().cloned()).chain(of_head.clone()).collect();
        let (mut head, mut facts, mut seated) = (None, Vec::new(), known);
        for item in self.get_all(doing, keys).await? {
            let key = codec::key_of(doing, &item)?;
            if Some(&key) == of_head.as_ref() {
                head = Some(codec::open(doing, &item)?);
                continue;
            }
            match asked.get(&key) {
                // That there is one is all it says, whatever else of it is damaged.
                Some(person) => {
                    self.cache.keep_any_seat(person);
                    seated.insert(person.clone());
                }
                None => {
                    let mut fact: Fact = calendar::open(doing, &item)?;
                    // Whoever asks has the names already, and remembers them.
                    if let Some(asked) = subjects.get(&fact.subject) {
                        fact.subject = asked.clone();
                    }
                    facts.push(fact);
                }
            }
        }
        let seated = people.into_iter().filter(|person| seated.contains(person)).collect();
        Ok(Found { head, facts, seated })
    }

    /// The number of the lineage entry that tells what a trigger came to in this review; `None`: nothing yet.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or the item does not read as it was written.
    pub async fn decided(&self, review: &ReviewId, cause: &Cause) -> Result<Option<u64>, StoreError> {
        #[derive(serde::Deserialize)]
        struct CauseMark {
            entry: Option<u64>,
        }
        let doing = format!("looking for a cause of {review}");
        let item = self.get(&doing, &Key::cause(review, cause)).await?;
        let told: Option<CauseMark> = item.map(|item| codec::open(&doing, &item)).transpose()?;
        Ok(told.map(|told| told.entry.unwrap_or_default()))
    }

    /// Whether a trigger counted for this review already.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn cause_exists(&self, review: &ReviewId, cause: &Cause) -> Result<bool, StoreError> {
        let doing = format!("looking for a cause of {review}");
        Ok(self.get(&doing, &Key::cause(review, cause)).await?.is_some())
    }
}

/// The versions that a HEAD names.
fn numbers(head: &Head) -> BTreeSet<u32> {
    let pending = head.pending.as_ref().map(|pending| pending.version);
    [head.issued, head.authoritative].into_iter().chain(pending).collect()
}

fn folded(doing: &str, head: Head, mut versions: BTreeMap<u32, Version>) -> Result<Review, StoreError> {
    let missing =
        |number: u32| StoreError::damaged(doing, &Key::version(&head.review, number), "missing, though HEAD names it");
    let named = |number: u32| versions.get(&number).cloned().ok_or_else(|| missing(number));
    let pending = head.pending.as_ref().map(|pending| named(pending.version)).transpose()?;
    let authoritative = named(head.authoritative)?;
    let issued = versions.remove(&head.issued).ok_or_else(|| missing(head.issued))?;
    Ok(Review { issued, authoritative, pending, head })
}

/// What one call found.
pub(crate) struct Found {
    /// `None` where HEAD was not asked for, or there is none.
    pub(crate) head: Option<Head>,
    pub(crate) facts: Vec<Fact>,
    /// Of the people that were asked about, in their order.
    pub(crate) seated: Vec<Person>,
}
