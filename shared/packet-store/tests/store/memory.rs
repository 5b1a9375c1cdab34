//! How much memory a worker takes for what it remembers of reviews: what is free again when it forgets.

use std::collections::BTreeSet;

use allocation_counter::measure;
use packet_store::Store;
use refresh_core::{
    ReviewId,
    base::instant::DAY,
    decide::refresh,
    facts::{
        fact::{Body, Busy, EntryOf, Fact, Facts},
        subject::Subject,
    },
};

use crate::{
    reading::{put_facts, put_facts_after},
    support::{
        engine::Engine,
        samples::{calendar, deployment, facts, now, review, trigger},
    },
};

/// Entries of each of a review's twenty calendars.
const ENTRIES: i64 = 40;

/// Whose hour goes while the review waits: each change proposes another person for one of these roles.
const BUSY_ONE_BY_ONE: [&str; 2] = ["so", "sec"];

/// A person's calendar, full of entries of other days than the meeting's.
fn full_calendar(name: &str, revision: u64, with: Option<Busy>) -> Fact {
    let mut fact = calendar(name, revision, ENTRIES);
    let Body::Availability(said) = &mut fact.body else { panic!("a calendar") };
    let later =
        |entry: Busy| Busy { start: entry.start.plus_millis(2 * DAY), end: entry.end.plus_millis(2 * DAY), ..entry };
    said.busy = with.into_iter().chain(said.busy.iter().map(later)).collect();
    fact
}

/// The facts as another review's own: with its people, its change and its service.
fn of_review(facts: &[&Fact], number: usize) -> Vec<Fact> {
    let own = serde_json::to_string(facts).unwrap();
    let own =
        [("RR-1042", "RR-"), ("@example.com", "@example.com."), ("CHG-7", "CHG-"), ("\"identity\"", "\"identity-")]
            .iter()
            .fold(own, |text, (of, start)| {
                let end = if of.ends_with('"') { "\"" } else { "" };
                text.replace(of, &format!("{start}{number:05}{end}"))
            });
    serde_json::from_str(&own).unwrap()
}

/// A review with its own people, change and service: nothing of it is another review's.
fn facts_of(number: usize) -> Facts {
    let people = facts();
    let people = people.iter().filter_map(|fact| match &fact.subject {
        Subject::Availability(person, ..) => person.as_str().split_once('@'),
        _ => None,
    });
    let mut all = facts();
    people.for_each(|(name, _)| all.insert(full_calendar(name, 1, None)));
    of_review(&all.iter().collect::<Vec<_>>(), number).into_iter().collect()
}

/// Issues the review, and looks at it as a worker does that remembers.
async fn issue(store: &Store, id: &ReviewId, number: usize) {
    put_facts(store, &facts_of(number)).await;
    let look = store.look(id, &deployment(), None, now()).await.unwrap();
    let triggers = vec![trigger(&format!("e{number}"), 1)];
    let issue = refresh::issue(id, "example.com", &look.read.facts, &deployment(), triggers, now()).unwrap();
    store.commit(&issue).await.unwrap();
    store.remember(&issue.head, look.read.facts, look.read.subjects);
}

/// Takes the hour from one person after the other: each time a new version is proposed.
async fn propose(store: &Store, id: &ReviewId, number: usize) {
    for (place, who) in BUSY_ONE_BY_ONE.into_iter().enumerate() {
        let slot = facts().terms(&review()).unwrap().slot;
        // Not the meeting's own entry: it lasts longer.
        let busy = Busy { start: slot.start, end: slot.end.plus_minutes(30), own: EntryOf::Unsaid };
        let changed = of_review(&[&full_calendar(who, 2, Some(busy))], number);
        put_facts_after(store, &changed.iter().cloned().collect(), &facts_of(number)).await;
        let said = BTreeSet::from([changed[0].subject.clone()]);
        let look = store.look(id, &deployment(), Some(&said), now()).await.unwrap();
        let triggers = vec![trigger(&format!("e{number}-{place}"), 2)];
        let commit = refresh::refresh(&look.review.unwrap(), &look.read.facts, &deployment(), triggers, now()).unwrap();
        assert_eq!(1, commit.versions.len(), "{who} is busy, so somebody else is proposed");
        store.commit(&commit).await.unwrap();
        store.remember(&commit.head, look.read.facts, look.read.subjects);
    }
}

/// How many bytes a worker takes that has so many megabytes and looked at so many reviews, each with two proposals.
async fn remembered(megabytes: usize, reviews: usize) -> u64 {
    let engine = Engine::new();
    let store = engine.store();
    // Both have one client: nothing goes with the worker but what it remembers.
    let worker = store.clone().within(megabytes);
    for number in 0..reviews {
        let id = ReviewId::parse(&format!("RR-{number:05}")).unwrap();
        issue(&worker, &id, number).await;
        propose(&worker, &id, number).await;
    }
    measure(|| drop(worker)).bytes_current.unsigned_abs()
}

#[tokio::test]
async fn five_thousand_reviews_of_five_roles_with_two_proposals_each_fit_into_half_of_the_memory_of_refresh() {
    const REVIEWS: usize = 20;
    const MEGABYTES: usize = 512;
    let each = remembered(MEGABYTES, REVIEWS).await / REVIEWS as u64;
    assert!(5_000 * each < (MEGABYTES as u64) << 19, "{each} bytes a review");
}

#[tokio::test]
async fn what_is_remembered_stays_within_half_of_the_memory() {
    let taken = remembered(2, 60).await;
    // What is forgotten at once is half.
    assert!((1 << 18..1 << 20).contains(&taken), "{taken} bytes");
}
