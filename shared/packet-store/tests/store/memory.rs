//! How much memory a worker takes for what it remembers of reviews: what is free again when it forgets.

use allocation_counter::measure;
use packet_store::Store;
use refresh_core::{
    ReviewId,
    decide::refresh,
    facts::{
        fact::{Fact, Facts},
        subject::Subject,
    },
};

use crate::{
    reading::put_facts,
    support::{
        engine::Engine,
        samples::{calendar, deployment, facts, now, trigger},
    },
};

/// Entries of each of a review's twenty calendars.
const ENTRIES: i64 = 40;

/// A review with its own people, change and service: nothing of it is another review's.
fn facts_of(number: usize) -> Facts {
    let people = facts();
    let people = people.iter().filter_map(|fact| match &fact.subject {
        Subject::Availability(person, ..) => person.as_str().split_once('@'),
        _ => None,
    });
    let mut all = facts();
    people.for_each(|(name, _)| all.insert(calendar(name, 1, ENTRIES)));
    let all: Vec<&Fact> = all.iter().collect();
    let own = serde_json::to_string(&all).unwrap();
    let own =
        [("RR-1042", "RR-"), ("@example.com", "@example.com."), ("CHG-7", "CHG-"), ("\"identity\"", "\"identity-")]
            .iter()
            .fold(own, |text, (of, start)| {
                let end = if of.ends_with('"') { "\"" } else { "" };
                text.replace(of, &format!("{start}{number:05}{end}"))
            });
    serde_json::from_str::<Vec<Fact>>(&own).unwrap().into_iter().collect()
}

/// Issues the review, and looks at it as a worker does that remembers.
async fn issue(store: &Store, number: usize) {
    let id = ReviewId::parse(&format!("RR-{number:05}")).unwrap();
    put_facts(store, &facts_of(number)).await;
    let look = store.look(&id, &deployment(), None, now()).await.unwrap();
    let triggers = vec![trigger(&format!("e{number}"), 1)];
    let issue = refresh::issue(&id, "example.com", &look.read.facts, &deployment(), triggers, now()).unwrap();
    store.commit(&issue).await.unwrap();
    store.remember(&issue.head, look.read.facts, look.read.subjects);
}

/// How many bytes a worker takes that has so many megabytes and looked at so many reviews.
async fn remembered(megabytes: usize, reviews: usize) -> u64 {
    let engine = Engine::new();
    let store = engine.store();
    // Both have one client: nothing goes with the worker but what it remembers.
    let worker = store.clone().within(megabytes);
    for number in 0..reviews {
        issue(&worker, number).await;
    }
    measure(|| drop(worker)).bytes_current.unsigned_abs()
}

#[tokio::test]
async fn three_thousand_reviews_of_five_roles_fit_into_half_of_a_functions_memory() {
    const REVIEWS: usize = 20;
    let each = remembered(256, REVIEWS).await / REVIEWS as u64;
    assert!(3_000 * each < 128 << 20, "{each} bytes a review");
}

#[tokio::test]
async fn what_is_remembered_stays_within_half_of_the_memory() {
    let taken = remembered(2, 60).await;
    // What is forgotten at once is half.
    assert!((1 << 18..1 << 20).contains(&taken), "{taken} bytes");
}
