//! Reading: every page and unprocessed key, in order, consistently, and as few calls as can be.

use std::collections::BTreeSet;

use packet_store::{Beside, Committed, Due, Store};
use refresh_core::{
    ReviewId,
    facts::{fact::Facts, subject::Subject},
    record::{
        commit::{self, Commit},
        packet::Version,
    },
};
use serde_json::{Value, json};

use crate::support::{
    engine::{Engine, Fault, TABLE, refused},
    samples::{after, at, deployment, event, facts, fingerprint, issued, moved, now, person, profile, review},
};

async fn put_profiles(store: &Store, count: usize) -> BTreeSet<Subject> {
    let mut subjects = BTreeSet::new();
    for n in 0..count {
        let fact = profile(&format!("p{n}"), 1);
        let event = event(&format!("e{n}"), &fact);
        let acceptance = packet_store::Acceptance {
            event: &event,
            disposition: refresh_core::facts::authority::Disposition::Applied,
            fact: Some(&fact),
            replaces: None,
            beside: Beside::default(),
            at: now(),
        };
        store.accept(&acceptance).await.unwrap();
        subjects.insert(fact.subject);
    }
    subjects
}

#[tokio::test]
async fn facts_come_by_the_hundred_and_those_that_are_missing_are_left_out() {
    let engine = Engine::new();
    let store = engine.store();
    let mut subjects = put_profiles(&store, 205).await;
    subjects.insert(Subject::Person(person("nobody")));
    engine.calls();
    let facts = store.facts(&subjects).await.unwrap();
    assert_eq!(facts.iter().count(), 205);
    let calls = engine.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|(_, request)| request["RequestItems"][TABLE]["ConsistentRead"] == true));
    assert_eq!(store.facts(&BTreeSet::new()).await.unwrap().iter().count(), 0);
    assert!(engine.calls().is_empty(), "nothing is asked for nothing");
}

/// A worker forgets versions while it reads others: what HEAD names is found all the same.
#[tokio::test]
async fn what_head_names_is_found_however_many_versions_there_were() {
    let engine = Engine::new();
    let store = engine.store();
    store.commit(&issued("e1")).await.unwrap();
    store.commit(&moved(&store.review(&review()).await.unwrap().unwrap())).await.unwrap();
    let first = store.head(&review()).await.unwrap().unwrap();
    for number in first.latest + 1..first.latest + 60 {
        let found = store.review(&review()).await.unwrap().unwrap();
        let mut head = found.head.clone();
        (head.authoritative, head.latest) = (first.latest, number);
        head.pending.as_mut().expect("a proposal").version = number;
        let version = Version { number, ..found.pending.expect("a proposal") };
        let commit = Commit { versions: vec![version], ..commit::commit(head, Vec::new(), None) };
        assert_eq!(store.commit(&commit).await.unwrap(), Committed::Written, "version {number}");
        // Somebody was told an earlier one, and so more or less is remembered when HEAD is read.
        for told in (first.latest..number).rev().take(usize::try_from(number % 19).expect("a few")) {
            assert!(store.version(&review(), told).await.unwrap().is_some());
        }
        for reader in [&store, &engine.store()] {
            let found = reader.review(&review()).await.unwrap().unwrap();
            let numbers =
                (found.issued.number, found.authoritative.number, found.pending.map(|version| version.number));
            assert_eq!(numbers, (first.issued, first.latest, Some(number)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unprocessed_keys_are_asked_for_again() {
    let engine = Engine::new();
    let store = engine.store();
    let subjects = put_profiles(&store, 4).await;
    engine.calls();
    // DynamoDB answers nothing and hands all four keys back, then the engine answers.
    let keys: Vec<Value> = subjects
        .iter()
        .map(|subject| {
            let key = packet_store::key::Key::fact(subject);
            json!({ "pk": { "S": key.pk }, "sk": { "S": key.sk } })
        })
        .collect();
    let nothing = json!({ "Responses": {}, "UnprocessedKeys": { TABLE: { "Keys": keys, "ConsistentRead": true } } });
    engine.next("BatchGetItem", Fault::Answer(200, nothing.clone()));
    assert_eq!(store.facts(&subjects).await.unwrap().iter().count(), 4);
    assert_eq!(engine.calls().len(), 2);
    for _ in 0..8 {
        engine.next("BatchGetItem", Fault::Answer(200, nothing.clone()));
    }
    let error = store.facts(&subjects).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

/// Commits `count` decisions after the first.
async fn write_history(store: &Store, count: usize) -> Vec<Commit> {
    let mut all = vec![issued("e0")];
    store.commit(&all[0]).await.unwrap();
    for n in 1..=count {
        let mut next = after(&all[n - 1].head, &[&format!("e{n}")]);
        let number = all[n - 1].head.latest + 1;
        next.versions = vec![refresh_core::record::packet::Version { number, ..all[0].versions[0].clone() }];
        next.head.latest = number;
        store.commit(&next).await.unwrap();
        all.push(next);
    }
    all
}

#[tokio::test]
async fn history_is_read_in_order_from_where_it_is_asked() {
    let store = Engine::new().store();
    let all = write_history(&store, 12).await;
    let sequences = |entries: Vec<refresh_core::record::lineage::Entry>| -> Vec<u64> {
        entries.iter().map(|e| e.sequence).collect()
    };
    assert_eq!(sequences(store.lineage(&review(), 1).await.unwrap()), (1..=13).collect::<Vec<_>>());
    assert_eq!(sequences(store.lineage(&review(), 10).await.unwrap()), [10, 11, 12, 13]);
    assert!(store.lineage(&review(), 14).await.unwrap().is_empty());
    let numbers: Vec<u32> = store.versions(&review()).await.unwrap().iter().map(|version| version.number).collect();
    assert_eq!(numbers, (7..=19).collect::<Vec<_>>(), "nine before ten");
    assert_eq!(store.version(&review(), 9).await.unwrap().as_ref(), Some(&all[2].versions[0]));
    assert_eq!(store.version(&review(), 99).await.unwrap(), None);
}

#[tokio::test]
async fn every_page_is_turned() {
    let engine = Engine::new();
    let store = engine.store();
    let all = write_history(&store, 2).await;
    // DynamoDB may end a page anywhere, even before the first item.
    let items = engine.items();
    let of = |sequence: u64| {
        let sk = format!("LINEAGE#{sequence:010}");
        items.iter().find(|item| item["sk"]["S"] == sk.as_str()).cloned().unwrap()
    };
    let key = |item: &Value| json!({ "pk": item["pk"], "sk": item["sk"] });
    let page = |found: Vec<Value>, last: Option<Value>| {
        let mut page = json!({ "Count": found.len(), "ScannedCount": found.len(), "Items": found });
        if let Some(last) = last {
            page["LastEvaluatedKey"] = last;
        }
        Fault::Answer(200, page)
    };
    engine
        .next("Query", page(vec![], Some(key(&of(1)))))
        .next("Query", page(vec![of(1), of(2)], Some(key(&of(2)))))
        .next("Query", page(vec![of(3)], None));
    engine.calls();
    assert_eq!(store.lineage(&review(), 1).await.unwrap().len(), all.len());
    let starts: Vec<Value> =
        engine.calls().iter().map(|(_, request)| request["ExclusiveStartKey"]["sk"]["S"].clone()).collect();
    assert_eq!(starts, [Value::Null, "LINEAGE#0000000001".into(), "LINEAGE#0000000002".into()]);
}

#[tokio::test]
async fn a_version_is_read_once() {
    let engine = Engine::new();
    let first = issued("e1");
    engine.store().commit(&first).await.unwrap();
    let store = engine.store();
    for expected in [vec!["GetItem", "BatchGetItem"], vec!["GetItem"]] {
        engine.calls();
        assert_eq!(store.review(&review()).await.unwrap().unwrap().authoritative, first.versions[0]);
        let calls: Vec<String> = engine.calls().into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(calls, expected, "HEAD is never remembered");
    }
    assert_eq!(store.review(&ReviewId::parse("RR-9").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn a_version_that_head_names_must_be_there() {
    let engine = Engine::new();
    engine.store().commit(&issued("e1")).await.unwrap();
    let key = packet_store::key::Key::version(&review(), 7);
    engine.raw("DeleteItem", &json!({ "TableName": TABLE, "Key": { "pk": { "S": key.pk }, "sk": { "S": key.sk } } }));
    let error = engine.store().review(&review()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "reading the versions of RR-1042: the item REVIEW#RR-1042 / VERSION#0000000007 is damaged: missing, though HEAD names it"
    );
    assert!(error.is_damage() && !error.is_retryable());
}

/// A review of its own id with these two times.
async fn timed(store: &Store, id: &str, check_at: Option<&str>, notices_at: Option<&str>) {
    let mut head = issued("e").head;
    head.review = ReviewId::parse(id).unwrap();
    head.counter = 0;
    head.check_at = check_at.map(at);
    head.notices_at = notices_at.map(at);
    store.commit(&commit::commit(head, Vec::new(), None)).await.unwrap();
}

#[tokio::test]
async fn what_is_due_is_found_in_every_shard_the_longest_overdue_first() {
    let store = Engine::new().store();
    for n in 0..40 {
        timed(&store, &format!("RR-{n:02}"), Some("2026-11-03T10:00:00Z"), None).await;
    }
    timed(&store, "RR/early#1", Some("2026-11-03T12:00:00Z"), Some("2026-11-03T09:00:00Z")).await;
    timed(&store, "RR-late", Some("2026-11-03T10:00:00.001Z"), None).await;
    timed(&store, "RR-never", None, None).await;
    let due = store.due(at("2026-11-03T10:00:00Z")).await.unwrap().whole().unwrap();
    assert_eq!(due.len(), 41);
    assert_eq!(due[0], Due { review: ReviewId::parse("RR/early#1").unwrap(), due_at: at("2026-11-03T09:00:00Z") });
    assert!(due[1..].iter().zip(0..).all(|(due, n)| due.review.as_str() == format!("RR-{n:02}")));
    assert!(store.due(at("2026-11-03T08:59:59Z")).await.unwrap().read.is_empty());
}

#[tokio::test]
async fn heads_and_reviews() {
    let store = Engine::new().store();
    timed(&store, "RR-2", None, None).await;
    timed(&store, "RR-1", None, None).await;
    let ids = ["RR-2", "RR-9", "RR-1", "RR-2"].map(|id| ReviewId::parse(id).unwrap());
    let names = |heads: Vec<refresh_core::record::review::Head>| -> Vec<String> {
        heads.iter().map(|head| head.review.to_string()).collect()
    };
    assert_eq!(
        names(store.heads(&ids).await.unwrap().whole().unwrap()),
        ["RR-1", "RR-2"],
        "each once, the one that is missing not at all"
    );
    assert_eq!(names(store.reviews().await.unwrap().whole().unwrap()), ["RR-1", "RR-2"]);
    assert!(store.heads(&[]).await.unwrap().read.is_empty());
}

#[tokio::test]
async fn a_link_finds_its_review() {
    let store = Engine::new().store();
    assert_eq!(store.find_link(fingerprint(7)).await.unwrap(), None);
    store.register_link(fingerprint(7), &review()).await.unwrap();
    store.register_link(fingerprint(7), &review()).await.unwrap();
    store.register_link(fingerprint(8), &ReviewId::parse("RR-2").unwrap()).await.unwrap();
    assert_eq!(store.find_link(fingerprint(7)).await.unwrap(), Some(review()));
    store.register_link(fingerprint(7), &ReviewId::parse("RR-2").unwrap()).await.unwrap();
    assert_eq!(store.find_link(fingerprint(7)).await.unwrap(), None, "two reviews under one hash: nobody's");
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_was_being_done_and_whether_to_come_back() {
    let engine = Engine::new();
    let store = engine.store();
    for (code, retryable) in [
        ("ProvisionedThroughputExceededException", true),
        ("ThrottlingException", true),
        ("InternalServerError", true),
        ("RequestLimitExceeded", true),
        ("ExpiredTokenException", true),
        ("AccessDeniedException", true),
        ("ResourceNotFoundException", false),
        ("ValidationException", false),
    ] {
        engine.next("GetItem", refused(code));
        let error = store.head(&review()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("reading HEAD of RR-1042: DynamoDB answered {code}"));
        assert_eq!(error.is_retryable(), retryable, "{code}");
    }
    engine.next("GetItem", Fault::LoseAnswer);
    assert!(store.head(&review()).await.unwrap_err().is_retryable());
}

pub(crate) async fn put_facts(store: &Store, facts: &Facts) {
    put_facts_after(store, facts, &Facts::default()).await;
}

/// The same where some of the subjects have a fact already.
pub(crate) async fn put_facts_after(store: &Store, facts: &Facts, known: &Facts) {
    for fact in facts.iter() {
        let event = event(&format!("{:?} {}", fact.subject, fact.revision), fact);
        let acceptance = packet_store::Acceptance {
            event: &event,
            disposition: refresh_core::facts::authority::Disposition::Applied,
            fact: Some(fact),
            replaces: known.get(&fact.subject),
            beside: Beside::default(),
            at: now(),
        };
        assert_eq!(store.accept(&acceptance).await.unwrap(), packet_store::Accepted::Written);
    }
}

/// Whom the review seats: those of whom there is a seat to be read.
fn packet_people(review: &refresh_core::record::review::Review) -> std::collections::BTreeSet<&refresh_core::Person> {
    review.authoritative.packet.people()
}

#[tokio::test]
async fn a_decision_reads_exactly_what_it_depends_on_in_as_few_calls_as_can_be() {
    let engine = Engine::new();
    put_facts(&engine.store(), &facts()).await;
    let (first, second) = (engine.store(), engine.store());
    let operations = || engine.calls().into_iter().map(|(operation, _)| operation).collect::<Vec<_>>();
    // Seats are one query a person who has any, at once; how many those are is not what is counted here.
    let but_seats = || operations().into_iter().filter(|operation| operation != "Query").collect::<Vec<_>>();
    operations();

    assert_eq!(first.facts_of(&review(), None, &deployment()).await.unwrap().facts, facts());
    let cold = operations();
    assert!(
        cold.iter().filter(|operation| *operation == "BatchGetItem").count() > 1,
        "each fact names others: {cold:?}"
    );
    first.commit(&issued("e1")).await.unwrap();

    // Somebody it depended on once: registered, but no part of what the decision stands on.
    let stranger = profile("stranger", 1);
    put_facts(&first, &[stranger.clone()].into_iter().collect()).await;
    first.register(&review(), &[stranger.subject].into()).await.unwrap();
    operations();
    // Twenty people are in reach: five keys each and some of the review are a little more than one call takes.
    let facts_read = ["BatchGetItem", "BatchGetItem"];
    for (store, expected) in [
        (&first, [&["GetItem"][..], &facts_read].concat()),
        (&second, [&["GetItem", "BatchGetItem", "GetItem"][..], &facts_read].concat()),
        (&second, [&["GetItem"][..], &facts_read].concat()),
    ] {
        let found = store.review(&review()).await.unwrap();
        let read = store.facts_of(&review(), found.as_ref(), &deployment()).await.unwrap().facts;
        assert!(read.iter().eq(facts().iter()));
        assert!(read.all_seats().map(|(person, _)| person).eq(packet_people(found.as_ref().unwrap())));
        assert_eq!(but_seats(), expected);
    }
    let before = engine.items();
    let seen = engine.store().facts_seen(&review(), None, &deployment()).await.unwrap().facts;
    assert!(seen.iter().eq(facts().iter()) && seen.all_seats().count() > 0);
    operations();
    let alone = engine.store().facts_but_seats(&review(), None, &deployment()).await.unwrap();
    assert_eq!((alone, operations().contains(&"Query".to_owned())), (facts(), false), "an answer asks nobody's seats");
    assert_eq!(engine.items(), before, "who only looks writes nothing");
}
