//! Seats: written with the decision that gives them, read whole, and conditional where an owner adopts.

use packet_store::{Committed, key::Key};
use refresh_core::{
    facts::seat::SeatedBy,
    record::{
        commit::Commit,
        seats::{SeatCondition, SeatGiven},
    },
};

use crate::{
    reading::put_facts,
    support::{
        engine::{Engine, refused},
        samples::{after, deployment, facts, issued, moved, person, review},
    },
};

/// Another review's issue, with the same people.
fn other() -> Commit {
    let mut commit = issued("e9");
    let id = refresh_core::ReviewId::parse("RR-2000").unwrap();
    commit.head.review = id.clone();
    commit.seats.iter_mut().for_each(|seat| seat.review = id.clone());
    commit.seats_given.iter_mut().for_each(|given| given.by.review = id.clone());
    commit
}

#[tokio::test]
async fn one_query_reads_the_seats_of_a_person_in_all_reviews_and_the_decision_that_gave_the_last() {
    let engine = Engine::new();
    let store = engine.store();
    assert_eq!(store.person_seats(&person("rm")).await.unwrap(), Default::default(), "nobody gave a seat");
    let (first, second) = (issued("e1"), other());
    store.commit(&first).await.unwrap();
    store.commit(&second).await.unwrap();
    engine.calls();
    let seats = store.person_seats(&person("rm")).await.unwrap();
    let calls = engine.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].1["ConsistentRead"], true);
    let of = |commit: &Commit| commit.seats.iter().find(|seat| seat.person == person("rm")).unwrap().clone();
    assert_eq!(seats.seats, [of(&first), of(&second)]);
    assert_eq!(seats.seated_by, Some(SeatedBy { review: second.head.review, decision: 1 }));
}

#[tokio::test]
async fn an_adoption_is_superseded_by_any_seat_that_was_given_since_it_read() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let read = store.person_seats(&person("rm")).await.unwrap().seated_by;
    let adopted = |from: &Commit, condition: SeatCondition| {
        let mut adopted = after(&from.head, &[]);
        let by = SeatedBy { review: review(), decision: adopted.head.counter };
        adopted.seats_given = vec![SeatGiven { person: person("rm"), by, condition }];
        adopted
    };
    store.commit(&other()).await.unwrap();
    let late = adopted(&first, SeatCondition::Still(read));
    assert_eq!(store.commit(&late).await.unwrap(), Committed::Superseded, "another review gave a seat meanwhile");
    let never = adopted(&first, SeatCondition::Still(None));
    assert_eq!(store.commit(&never).await.unwrap(), Committed::Superseded, "there was a seat before");
    let anew = store.person_seats(&person("rm")).await.unwrap().seated_by;
    let timely = adopted(&first, SeatCondition::Still(anew));
    assert_eq!(store.commit(&timely).await.unwrap(), Committed::Written);
    // Whom nobody ever gave a seat.
    let mut newcomer = after(&timely.head, &[]);
    let by = SeatedBy { review: review(), decision: newcomer.head.counter };
    newcomer.seats_given = vec![SeatGiven { person: person("new"), by, condition: SeatCondition::Still(None) }];
    assert_eq!(store.commit(&newcomer).await.unwrap(), Committed::Written);
}

#[tokio::test]
async fn a_review_whose_seat_is_another_than_its_head_says_is_not_verified() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let found = store.review(&review()).await.unwrap().unwrap();
    let proposal = moved(&found);
    store.commit(&proposal).await.unwrap();
    let verified = store.record(&proposal.head).await.unwrap().verified;
    assert!(verified.is_ok(), "{verified:?}");
    let seat = &proposal.seats[0];
    let name = Key::seat(seat).to_string();
    let mut foreign = after(&proposal.head, &[]);
    foreign.seats = vec![refresh_core::facts::seat::Seat { tentative: None, ..seat.clone() }];
    store.commit(&foreign).await.unwrap();
    let misfit = store.record(&foreign.head).await.unwrap().verified.unwrap_err();
    assert!(misfit.because.contains(&name), "{misfit:?}");
}

#[tokio::test]
async fn an_entry_expires_some_time_after_its_hour_and_one_of_no_hour_stays() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let entry = |engine: &Engine| {
        let items = engine.items();
        items
            .into_iter()
            .find(|item| item["pk"]["S"] == "FACT#seat#rm@example.com" && item["sk"]["S"] == "REVIEW#RR-1042")
            .unwrap()
    };
    let end = first.versions[0].packet.slot.end.millis() / 1_000;
    assert_eq!(entry(&engine)["expires_at"]["N"], (end + packet_store::KEPT_DAYS * 86_400).to_string());
    let seat = first.seats.iter().find(|seat| seat.person == person("rm")).unwrap().clone();
    let mut freed = after(&first.head, &[]);
    freed.seats = vec![refresh_core::facts::seat::Seat { authoritative: None, invitations: Vec::new(), ..seat }];
    store.commit(&freed).await.unwrap();
    assert_eq!(entry(&engine).get("expires_at"), None);
}

#[tokio::test]
async fn who_never_had_a_seat_is_not_asked_about() {
    let engine = Engine::new();
    let (writer, reader) = (engine.store(), engine.store());
    let queries = || engine.calls().into_iter().filter(|(operation, _)| operation == "Query").count();
    let read = async || reader.facts_of(&review(), None, &deployment()).await.unwrap().facts;
    put_facts(&writer, &facts()).await;
    queries();
    assert_eq!((read().await.all_seats().count(), queries()), (0, 0), "nobody sits anywhere");

    // Another worker dies between ANY and the entry: a query more, and no seat.
    engine.next("TransactWriteItems", refused("ValidationException"));
    let first = issued("e1");
    writer.commit(&first).await.unwrap_err();
    queries();
    assert_eq!((read().await.all_seats().count(), queries()), (0, first.seats.len()));

    writer.commit(&first).await.unwrap();
    queries();
    let seated: Vec<_> = read().await.all_seats().map(|(person, _)| person.clone()).collect();
    assert_eq!(seated, first.seats.iter().map(|seat| seat.person.clone()).collect::<Vec<_>>());
    assert_eq!(queries(), first.seats.len());
}

#[tokio::test]
async fn who_shares_people_is_found_by_their_seats() {
    let engine = Engine::new();
    let store = engine.store();
    let subject = |name: &str| refresh_core::facts::subject::Subject::Seat(person(name));
    let other = refresh_core::ReviewId::parse("RR-2000").unwrap();
    store.register(&review(), &[subject("rm"), subject("so")].into()).await.unwrap();
    store.register(&other, &[subject("so")].into()).await.unwrap();
    let sharing = store.sharing(&[person("rm"), person("so"), person("nobody")].into()).await.unwrap();
    let mut found = sharing.whole().unwrap();
    found.sort();
    assert_eq!(found, [review(), review(), other]);
}
