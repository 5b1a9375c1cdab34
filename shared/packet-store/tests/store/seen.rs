//! What came in: listed the newest first, page by page, none twice and none left out.

use packet_store::{Acceptance, Accepted, Beside, Door, Receipt, SeenEntry, SeenMark, SeenRange, Store, Unheard};
use refresh_core::{
    Instant,
    facts::authority::{Disposition, Ignored},
};

use crate::support::{
    engine::Engine,
    samples::{at, event, now, profile},
};

const DAY_MINUTES: i64 = 24 * 60;

fn receipt(body: &str, became: Unheard, at: Instant) -> Receipt {
    Receipt {
        became,
        door: Door::Queue,
        form: Some("github.workflow_run".to_owned()),
        binding: Some("ci".to_owned()),
        source: None,
        id: None,
        reasons: Vec::new(),
        count: 0,
        digest: Receipt::digest_of(body.as_bytes()),
        at,
    }
    .because([format!("{body} says nothing")])
}

async fn ignored(store: &Store, id: &str, at: Instant) {
    let fact = profile("ada", 1);
    let event = event(id, &fact);
    let disposition = Disposition::Ignored(Ignored::StaleRevision);
    let acceptance =
        Acceptance { event: &event, disposition, fact: None, replaces: None, beside: Beside::default(), at };
    assert_eq!(store.accept(&acceptance).await.unwrap(), Accepted::Written);
}

fn named(seen: &SeenEntry) -> String {
    match seen {
        SeenEntry::Event(record) => record.identity.id.to_string(),
        SeenEntry::Receipt(receipt) => receipt.reasons.join(" "),
    }
}

fn range(most: usize) -> SeenRange {
    SeenRange { since: now().plus_minutes(-40 * DAY_MINUTES), until: now(), after: None, most }
}

/// Of many instants and of one, over days, with pages of every length: each line once, in one order.
#[tokio::test]
async fn pages_of_every_length_are_the_whole_in_one_order() {
    let engine = Engine::new();
    let store = engine.store();
    for number in 0..40 {
        ignored(&store, &format!("one-{number:02}"), now()).await;
    }
    for number in 0..12 {
        let when = now().plus_minutes(-number * DAY_MINUTES / 4);
        ignored(&store, &format!("of-{number:02}"), when).await;
        store.keep(&receipt(&format!("piece-{number:02}"), Unheard::Skipped, when)).await.unwrap();
    }
    let whole = store.seen(&range(1_000), |_| true).await.unwrap();
    assert_eq!((whole.seen.len(), whole.looked_at, whole.next), (64, 64, None));
    assert!(whole.unreadable.is_empty());
    assert!(whole.seen.is_sorted_by(|newer, older| newer.at() >= older.at()));
    let whole: Vec<String> = whole.seen.iter().map(named).collect();
    for most in [1, 7, 63, 64] {
        let (mut range, mut told) = (range(most), Vec::new());
        loop {
            let page = store.seen(&range, |_| true).await.unwrap();
            assert!(page.seen.len() <= most);
            told.extend(page.seen.iter().map(named));
            let Some(next) = page.next else { break };
            range.after = Some(SeenMark::parse(&next.to_string()).unwrap());
        }
        assert_eq!(told, whole, "pages of {most}");
    }
}

#[tokio::test]
async fn what_is_not_wanted_and_what_is_older_is_left_out() {
    let engine = Engine::new();
    let store = engine.store();
    store.keep(&receipt("old", Unheard::Refused, now().plus_minutes(-2))).await.unwrap();
    store.keep(&receipt("edge", Unheard::Refused, now().plus_minutes(-1))).await.unwrap();
    store.keep(&receipt("new", Unheard::Skipped, now())).await.unwrap();
    let since = SeenRange { since: now().plus_minutes(-1), ..range(10) };
    let page = store.seen(&since, |_| true).await.unwrap();
    assert_eq!(page.seen.iter().map(named).collect::<Vec<_>>(), ["new says nothing", "edge says nothing"]);
    let until = SeenRange { until: now().plus_minutes(-1), ..range(10) };
    let page = store.seen(&until, |_| true).await.unwrap();
    assert_eq!(page.seen.iter().map(named).collect::<Vec<_>>(), ["edge says nothing", "old says nothing"]);
    let refused = |seen: &SeenEntry| matches!(seen, SeenEntry::Receipt(receipt) if receipt.became == Unheard::Refused);
    assert_eq!(store.seen(&range(10), refused).await.unwrap().seen.len(), 2);
}

/// SQS delivers twice; the second delivery is the same piece at the same instant.
#[tokio::test]
async fn a_redelivery_is_the_same_receipt() {
    let engine = Engine::new();
    let store = engine.store();
    let one = receipt("piece", Unheard::Unbound, now());
    store.keep(&one).await.unwrap();
    store.keep(&one).await.unwrap();
    assert_eq!(store.seen(&range(10), |_| true).await.unwrap().seen, [SeenEntry::Receipt(one.clone())]);
    let again = receipt("piece", Unheard::Unbound, at("2026-11-03T11:00:00Z"));
    store.keep(&again).await.unwrap();
    assert_eq!(store.receipts(&one.digest).await.unwrap(), [one, again]);
}

/// A payload may have thousands of bad records, and a reason a whole sentence of a source team.
#[tokio::test]
async fn a_receipt_is_bounded_and_expires() {
    let engine = Engine::new();
    let long =
        receipt("piece", Unheard::Refused, now()).because((0..5_000).map(|n| format!("{n}: {}", "x\n".repeat(900))));
    assert_eq!((long.reasons.len(), long.count), (10, 5_001));
    engine.store().keep(&long).await.unwrap();
    let item =
        engine.items().into_iter().find(|item| item["sk"]["S"].as_str().unwrap().starts_with("refused#")).unwrap();
    assert_eq!(item["expires_at"]["N"], "1796720400");
    assert!(item.to_string().len() < 4_000, "{item}");
}

/// What an event costs: the record of an ignored one is one item, with one line of the index.
#[tokio::test]
async fn an_ignored_event_costs_one_write_and_one_of_the_index() {
    let engine = Engine::new();
    ignored(&engine.store(), "e1", now()).await;
    let (_, mut request) = engine.calls().into_iter().find(|(operation, _)| operation == "PutItem").unwrap();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let billed = &Engine::new().raw("PutItem", &request)["ConsumedCapacity"];
    assert_eq!(billed["Table"]["CapacityUnits"], 1.0, "{billed}");
    assert_eq!(billed["GlobalSecondaryIndexes"]["seen"]["CapacityUnits"], 1.0, "{billed}");
}

#[test]
fn only_a_mark_is_a_mark() {
    for bad in ["", "x", "1793696472000-0", "001793696472000-zzzzzzzzzzzzzzzz", "001793696472000-0123456789abcdef0"] {
        assert!(SeenMark::parse(bad).is_err(), "{bad}");
    }
    assert!(SeenMark::parse("001793696472000-0123456789abcdef").is_ok());
}
