//! What the last process left, opened here on a clock that can be turned past every lease, and judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use holdpoint::{
    engine::{Engine, Settings, Storage, virtual_time::VirtualTime},
    relay::{Security, Smtp},
};
use holdpoint_tests::{
    mail_sink::MailSink,
    world::{Aftermath, World, drive},
};
use lambda_shell::clock::Clock;
use refresh_core::{
    Person, ReviewId,
    base::instant::MINUTE,
    facts::subject::{Diary, Subject},
    record::lineage::Happening,
};

use crate::load::{BOUNCES, FROM, Load, REVIEWS};

/// Rounds of notices that the engine has under way at once, times the mails that a round sends together: as many may be in
/// flight when it dies.
const IN_FLIGHT: usize = 4 * packet_store::MAILS_A_GROUP;
/// A claim's lease and a visibility time-out, and the ticks after them.
const UNTIL_QUIET: i64 = 30;

/// Mail leaves as the killed processes let it leave.
fn smtp(sink: &MailSink) -> Smtp {
    Smtp {
        host: "127.0.0.1".to_owned(),
        port: sink.port,
        security: Security::None,
        login: None,
        hello: "example.com".to_owned(),
        time_out: Duration::from_secs(30),
        connections: 2,
        per_second: 1_000,
        give_up_after: Duration::from_secs(86_400),
        roots: None,
    }
}

pub fn judge(directory: &Path, policy: &Path, load: &Load, sink: &MailSink, kills: u64) {
    drive(async {
        let settings = Settings {
            storage: Storage::File(directory.join("store.sqlite")),
            link_keys: read(&directory.join("link-keys")).trim().to_owned(),
            mail_from: FROM.to_owned(),
            mail_domain: "example.com".to_owned(),
            bounce_address: Some(BOUNCES.to_owned()),
            relay: Some(smtp(sink)),
            ..Settings::in_memory(read(policy))
        };
        let hand = Arc::new(AtomicI64::new(Clock::system().now_millis()));
        let engine = Engine::open(settings, Clock::steered(hand.clone())).await.expect("the store opens again");
        let mut world = World::of(VirtualTime::of(engine, hand));
        let quiet = world.time().now().plus_millis(UNTIL_QUIET * MINUTE);
        world.until(quiet).await.expect("what was left is worked off");
        world.engine().relay().expect("a relay").drain().await.expect("the mails that wait");
        // What the relay reports of them is worked off as well.
        world.until(quiet.plus_millis(MINUTE)).await.expect("what was left is worked off");
        let end = world.aftermath().await.expect("every chain verifies, every trigger is in it once");
        stands(&end);
        let engine = world.engine();
        every_event_counts(engine, load).await;
        newest_fact(engine, load).await;
        mails(engine, usize::try_from(kills).expect("a few") * IN_FLIGHT).await;
        arrived(engine, sink, kills);
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

/// Each mail that the engine keeps reached the mail server, and came twice only where a killed process could not know that
/// it had been taken. Each has an envelope sender of its own.
fn arrived(engine: &Engine, sink: &MailSink, kills: u64) {
    assert_eq!(engine.relay().map(|relay| relay.backlog()), Some((0, false)), "mails wait");
    let (kept, taken) = (engine.mailbox().all(), sink.taken());
    let senders: BTreeSet<&String> = taken.iter().map(|one| &one.from).collect();
    assert_eq!(senders.len(), kept.len(), "mails that were kept, and mails that reached the server");
    assert_eq!(sink.needlessly_again(), [], "taken, known as taken, and sent again");
    let again = taken.len() - senders.len();
    println!("{} mails reached the mail server, {again} of them twice", senders.len());
    assert!(again <= 2 * usize::try_from(kills).expect("a few"), "{again} mails twice, two are in flight at most");
}
