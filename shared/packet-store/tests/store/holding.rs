//! Who holds what: subjects after a reset, silenced ones, a person's calendars, a meeting's UID. Each race has one winner.

use packet_store::{Acceptance, Accepted, Beside, Store, UidClaim};
use refresh_core::{
    DiaryName, ReviewId, Uid,
    facts::{
        authority::{self, Disposition, Ignored},
        fact::{Body, Fact},
        revision::{OpenReset, SILENCED_AFTER},
        subject::{Diary, Subject},
    },
};

use crate::support::{
    engine::Engine,
    samples::{calendar, event, now, person, profile, review},
};

async fn put(store: &Store, id: &str, fact: Option<&Fact>, replaces: Option<&Fact>, beside: Beside<'_>) -> Accepted {
    let said = profile("ada", 1);
    let event = event(id, fact.unwrap_or(&said));
    let disposition = fact.map_or(Disposition::Ignored(Ignored::StaleRevision), |_| Disposition::Applied);
    let acceptance = Acceptance { event: &event, disposition, fact, replaces, beside, at: now() };
    store.accept(&acceptance).await.expect("no error")
}

fn after(known: &Fact, revision: u64) -> Fact {
    let mut next = profile("ada", revision);
    next.order.epoch = known.order.epoch + u32::from(known.order.reset.is_some());
    next
}

/// Two facts that were both judged after the reset: a lower revision, or the very same, is no way in for the second.
#[tokio::test]
async fn a_reset_lets_one_fact_in() {
    let engine = Engine::new();
    let store = engine.store();
    let wrong = profile("ada", 900);
    put(&store, "e1", Some(&wrong), None, Beside::default()).await;
    let mut open = wrong.clone();
    open.order.rewrites = 1;
    open.order.reset = Some(OpenReset { by: person("ops"), reason: "a stamp".to_owned(), at: now() });
    assert_eq!(put(&store, "e2", Some(&open), Some(&wrong), Beside::default()).await, Accepted::Written);
    assert_eq!(store.fact(&wrong.subject).await.unwrap(), Some(open.clone()));
    for revision in [900, 3] {
        let first = after(&open, revision);
        assert_eq!(first.order.epoch, 1);
        let id = format!("first-{revision}");
        let expected = if revision == 900 { Accepted::Written } else { Accepted::Superseded };
        assert_eq!(put(&store, &id, Some(&first), Some(&open), Beside::default()).await, expected);
    }
    let kept = store.fact(&wrong.subject).await.unwrap().expect("a fact");
    assert_eq!((kept.revision, kept.order.reset.clone()), (900, None));
    // What was judged before the reset was used up meets the condition as well.
    assert_eq!(
        put(&store, "late", Some(&profile("ada", 901)), Some(&wrong), Beside::default()).await,
        Accepted::Superseded
    );
}

#[tokio::test]
async fn stale_events_are_counted_one_by_one() {
    let engine = Engine::new();
    let store = engine.store();
    let mut known = profile("ada", 9);
    put(&store, "e0", Some(&known), None, Beside::default()).await;
    for n in 1..=SILENCED_AFTER {
        let counted = authority::count_stale(&known).expect("not silenced yet");
        let beside = || Beside { silenced: counted.order.is_silenced(), ..Beside::default() };
        assert_eq!(put(&store, &format!("s{n}"), Some(&counted), Some(&known), beside()).await, Accepted::Written);
        // Two at one instant are two: the second is judged again.
        assert_eq!(put(&store, &format!("t{n}"), Some(&counted), Some(&known), beside()).await, Accepted::Superseded);
        known = counted;
        let silenced = store.silenced().await.unwrap();
        assert_eq!(silenced.len(), usize::from(n == SILENCED_AFTER), "{n} stale events");
    }
    assert_eq!(authority::count_stale(&known), None, "as many as matter are counted");
    // The mark only says where to look: an accepted fact ends the silence.
    put(&store, "next", Some(&profile("ada", 10)), Some(&known), Beside::default()).await;
    assert_eq!(store.silenced().await.unwrap(), []);
    assert!(engine.items().iter().any(|item| item["pk"]["S"] == "FACT#silenced"));
}

fn named(name: &str) -> Fact {
    let name = DiaryName::parse(name).expect("a name");
    Fact { subject: Subject::Availability(person("ada"), Diary::Calendar, Some(name)), ..calendar("ada", 1, 1) }
}

#[tokio::test]
async fn two_new_calendars_at_one_instant_are_both_listed() {
    let engine = Engine::new();
    let store = engine.store();
    let (work, home) = (named("work"), named("home"));
    let list =
        |known: Option<&Fact>, fact: &Fact| authority::list_calendar(known, fact).expect("few").expect("a new one");
    let (first, second) = (list(None, &work), list(None, &home));
    let beside = |list| Beside { calendars: Some((list, None)), ..Beside::default() };
    assert_eq!(put(&store, "e1", Some(&work), None, beside(&first)).await, Accepted::Written);
    assert_eq!(put(&store, "e2", Some(&home), None, beside(&second)).await, Accepted::Superseded);
    assert_eq!(store.fact(&home.subject).await.unwrap(), None, "together or not at all");
    let again = list(Some(&first), &home);
    let beside = Beside { calendars: Some((&again, Some(&first))), ..Beside::default() };
    assert_eq!(put(&store, "e2", Some(&home), None, beside).await, Accepted::Written);
    let kept = store.fact(&Subject::Calendars(person("ada"))).await.unwrap().expect("a list");
    let Body::Calendars(names) = kept.body else { panic!("a list of calendars") };
    assert_eq!(names.len(), 2);
}

/// A review that registered before anybody knew of a calendar is found by that calendar's first fact.
#[tokio::test]
async fn a_calendar_nobody_knew_of_has_dependents() {
    let engine = Engine::new();
    let store = engine.store();
    let anyone = Subject::Availability(person("ada"), Diary::Calendar, None);
    store.register(&review(), &[anyone, Subject::Calendars(person("ada"))].into()).await.unwrap();
    for subject in [named("work").subject, Subject::Calendars(person("ada"))] {
        assert_eq!(store.dependents(&subject).await.unwrap().whole().unwrap(), [review()], "{subject:?}");
    }
    // One DEPENDS for all of them.
    assert_eq!(
        engine.items().iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("SUBJECT#")).count(),
        1
    );
}

#[tokio::test]
async fn of_two_issues_with_one_uid_one_holds_it() {
    let engine = Engine::new();
    let store = engine.store();
    let uid = Uid::parse("CAB-42@corp.example.com").expect("a UID");
    let [one, other] = ["RR-1", "RR-2"].map(|id| ReviewId::parse(id).expect("a review"));
    let claim = |review, replaces| Beside { uid: Some(UidClaim { uid: &uid, review, replaces }), ..Beside::default() };
    let (ada, bob) = (profile("ada", 1), profile("bob", 1));
    assert_eq!(put(&store, "e1", Some(&ada), None, claim(&one, None)).await, Accepted::Written);
    assert_eq!(put(&store, "e2", Some(&bob), None, claim(&other, None)).await, Accepted::Superseded);
    assert_eq!(store.fact(&bob.subject).await.unwrap(), None, "the second is not issued");
    assert_eq!(store.uid_holder(&uid).await.unwrap(), Some(one.clone()));
    // The holder is over by now: another claim replaces its own, and only its own.
    assert_eq!(put(&store, "e2", Some(&bob), None, claim(&other, Some(&one))).await, Accepted::Written);
    let third = ReviewId::parse("RR-3").expect("a review");
    assert_eq!(
        put(&store, "e3", Some(&profile("eve", 1)), None, claim(&third, Some(&one))).await,
        Accepted::Superseded
    );
    assert_eq!(store.uid_holder(&uid).await.unwrap(), Some(other));
}
