//! What the last process left, opened here on a clock that can be turned past every lease, and judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicI64},
};

use holdpoint::engine::{Engine, Settings, Storage, virtual_time::VirtualTime};
use holdpoint_tests::world::{Aftermath, World, drive};
use lambda_shell::clock::Clock;
use refresh_core::{
    Person, ReviewId,
    base::instant::MINUTE,
    facts::subject::{Diary, Subject},
    record::lineage::Happening,
};

use crate::load::{Load, REVIEWS};

/// Rounds of notices that the engine has under way at once: as many mails may be in flight when it dies.
const IN_FLIGHT: usize = 4;
/// A claim's lease and a visibility time-out, and the ticks after them.
const UNTIL_QUIET: i64 = 30;

pub fn judge(directory: &Path, policy: &Path, load: &Load, kills: u64) {
    drive(async {
        let settings = Settings {
            storage: Storage::File(directory.join("store.sqlite")),
            link_keys: read(&directory.join("link-keys")).trim().to_owned(),
            ..Settings::in_memory(read(policy))
        };
        let hand = Arc::new(AtomicI64::new(Clock::system().now_millis()));
        let engine = Engine::open(settings, Clock::steered(hand.clone())).await.expect("the store opens again");
        let mut world = World::of(VirtualTime::of(engine, hand));
        let quiet = world.time().now().plus_millis(UNTIL_QUIET * MINUTE);
        world.until(quiet).await.expect("what was left is worked off");
        let end = world.aftermath().await.expect("every chain verifies, every trigger is in it once");
        stands(&end);
        let engine = world.engine();
        every_event_counts(engine, load).await;
        newest_fact(engine, load).await;
        mails(engine, usize::try_from(kills).expect("a few") * IN_FLIGHT).await;
    });
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Nothing waits, nothing is dead, nobody is claimed, and all three reviews, which stand on the same facts, say the same.
fn stands(end: &Aftermath) {
    assert_eq!(end.stuck, Vec::<String>::new());
    assert_eq!(end.reviews.len(), REVIEWS.len());
    let told: BTreeSet<String> = end.reviews.values().map(|review| review["packet"].to_string()).collect();
    assert_eq!(told.len(), 1, "the reviews stand on the same facts: {told:#?}");
}

fn review(name: &str) -> ReviewId {
    ReviewId::parse(name).expect("a review's name")
}

async fn every_event_counts(engine: &Engine, load: &Load) {
    let accepted = load.accepted_ids();
    assert!(accepted.len() > 20, "hardly any load: {} events", accepted.len());
    for name in REVIEWS {
        let entries = engine.store().lineage(&review(name), 1).await.expect("a lineage");
        let happenings = entries.iter().flat_map(|entry| &entry.happenings);
        let mut times = BTreeMap::<String, usize>::new();
        for happening in happenings {
            if let Happening::Trigger(trigger) = happening {
                *times.entry(trigger.identity.id.to_string()).or_default() += 1;
            }
        }
        let lost: Vec<&String> = accepted.iter().filter(|id| !times.contains_key(*id)).collect();
        assert!(lost.is_empty(), "{name}: answered with 202 and lost: {lost:?}");
        let twice: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "{name}: counted more than once: {twice:?}");
    }
}

async fn newest_fact(engine: &Engine, load: &Load) {
    let person = Person::parse("sec-a@example.com").expect("an address");
    let fact = engine.store().fact(&Subject::Availability(person, Diary::Calendar, None)).await.expect("a read");
    let revision = fact.map(|fact| fact.revision.to_string());
    assert_eq!(revision, Some(load.newest_revision().to_string()), "the newest accepted fact is the one that counts");
}

/// Each mail is in lineage, but for those that were in flight when a process died; and no claim was used twice.
async fn mails(engine: &Engine, most_in_doubt: usize) {
    let mut told = BTreeSet::new();
    for name in REVIEWS {
        for entry in engine.store().lineage(&review(name), 1).await.expect("a lineage") {
            for happening in entry.happenings {
                if let Happening::Notice { to, message_id, .. } = happening {
                    assert!(
                        told.insert(message_id.clone()),
                        "{name}: {to} was told twice by the one mail {message_id}"
                    );
                }
            }
        }
    }
    let mails = engine.mailbox().all();
    assert!(!mails.is_empty(), "nobody was ever mailed");
    let in_doubt = mails.iter().filter(|mail| !told.contains(&mail.message_id)).count();
    println!("{} mails, {in_doubt} of them in flight at a kill", mails.len());
    assert!(in_doubt <= most_in_doubt, "{in_doubt} mails that no lineage knows, of {}", mails.len());
    let sent: BTreeSet<&String> = mails.iter().map(|mail| &mail.message_id).collect();
    let never: Vec<&String> = told.iter().filter(|id| !sent.contains(id)).collect();
    assert!(never.is_empty(), "in lineage, and never sent: {never:?}");
    let mut claims = BTreeSet::new();
    for mail in &mails {
        let claim = mail.tags.iter().find(|(name, _)| name == "claim").expect("a mail names its claim");
        assert!(claims.insert(&claim.1), "two mails of one claim to {:?}", mail.to);
    }
}
