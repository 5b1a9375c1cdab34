//! What of the reviews somebody must see to, and which there are, without reading every HEAD each time that `/health`,
//! `/metrics` or a list of reviews is asked for.
//!
//! The first look reads all of them, and one look an hour does: a file may be damaged by what is no write of this process.
//! Every other look reads the HEADs that were written since the look before.

use std::time::{Duration, Instant};

use packet_store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::{
    roster::{Concern, Roster},
    written::{Written, WrittenHeads},
};

/// How long a look at all HEADs counts.
const WHOLE_EVERY: Duration = Duration::from_secs(3_600);

pub struct Concerns {
    written: WrittenHeads,
    /// `None` until all were read, and after a look that failed.
    known: Mutex<Option<Known>>,
}

/// What was found by the looks until now.
struct Known {
    whole_at: Instant,
    roster: Roster,
}

impl Concerns {
    /// Of the store whose writes these are.
    pub fn new(written: WrittenHeads) -> Self {
        Self { written, known: Mutex::new(None) }
    }

    /// How many there are of each concern now.
    ///
    /// # Errors
    /// As [`Self::roster`].
    pub async fn look(&self, store: &Store) -> Result<Concern, StoreError> {
        self.roster(store, Roster::concern).await
    }

    /// What `read` takes from the reviews as they are now. One look at a time: who asks meanwhile gets the next one.
    ///
    /// # Errors
    /// The HEADs cannot be read. The next look reads all of them.
    pub async fn roster<T>(&self, store: &Store, read: impl FnOnce(&Roster) -> T) -> Result<T, StoreError> {
        let mut remembered = self.known.lock().await;
        // Gone while a look is under way: whoever gives up on it leaves nothing half known.
        let known = remembered.take().filter(|known| known.whole_at.elapsed() < WHOLE_EVERY);
        let known = match (known, self.written.take()) {
            (Some(mut known), Written::Heads(reviews)) => {
                if !reviews.is_empty() {
                    let heads = store.heads(&reviews.iter().cloned().collect::<Vec<_>>()).await?;
                    known.roster.forget(&reviews);
                    known.roster.add(&heads);
                }
                known
            }
            _ => Known { whole_at: Instant::now(), roster: Roster::of(&store.reviews().await?) },
        };
        let taken = read(&known.roster);
        *remembered = Some(known);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        connector::{Faults, InProcess, Meter},
        embedded::TABLE,
        engine::{Engine, Settings, virtual_time::VirtualTime},
        replay::{Player, Scenario},
    };

    const SCENARIO: &str = include_str!("../../../events/scenarios/mail_does_not_arrive.jsonl");
    const POLICY: &str = include_str!("../../../events/scenarios/mail_does_not_arrive.policy.json");

    /// The engine's store, each call to it counted.
    fn counted(engine: &Engine) -> (Store, Meter) {
        let meter = Meter::default();
        meter.start(|| Duration::ZERO);
        let services = InProcess::new(
            engine.embedded().clone(),
            engine.queues().clone(),
            engine.mailbox().clone(),
            Faults::default(),
        );
        let sdk = services.metered_by(&meter).sdk_config();
        (Store::new(aws_sdk_dynamodb::Client::new(&sdk), TABLE), meter)
    }

    fn calls(meter: &Meter, operation: &str) -> u64 {
        let counted = meter.counted();
        counted.iter().filter(|((_, _, asked), _)| asked == operation).map(|(_, metered)| metered.calls).sum()
    }

    async fn read_whole(store: &Store) -> Concern {
        Roster::of(&store.reviews().await.unwrap()).concern()
    }

    async fn ask(engine: &Engine, operation: &str, request: Value) {
        engine.embedded().ask(operation, request).await.unwrap();
    }

    /// After every line of a history in which mail bounces, and after a HEAD was damaged, put right and deleted.
    #[tokio::test]
    async fn what_is_remembered_is_what_a_whole_look_finds() {
        let scenario = Scenario::parse(SCENARIO).unwrap();
        let time = VirtualTime::open(Settings::in_memory(POLICY), scenario.lines[0].at).await.unwrap();
        let mut player = Player::of(time);
        let engine = player.time().engine().clone();
        let (store, meter) = counted(&engine);
        let concerns = Concerns::new(engine.embedded().written().clone());
        let mut most = 0;
        for line in &scenario.lines {
            player.until(line.at).await.unwrap();
            player.act(line).await.unwrap();
            let found = concerns.look(&store).await.unwrap();
            assert_eq!(found, read_whole(engine.store()).await, "line {}", line.number);
            most = most.max(found.unreached);
        }
        assert!(most > 0, "nobody was ever unreachable");

        let head = engine.store().reviews().await.unwrap().read.remove(0);
        let key = json!({ "pk": { "S": format!("REVIEW#{}", head.review) }, "sk": { "S": "HEAD" } });
        let read = engine.embedded().ask("GetItem", json!({ "TableName": TABLE, "Key": key })).await.unwrap();
        let mut damaged = read["Item"].clone();
        damaged["schema"] = json!({ "N": "99" });
        for (operation, request, unreadable) in [
            ("PutItem", json!({ "TableName": TABLE, "Item": damaged }), 1),
            ("PutItem", json!({ "TableName": TABLE, "Item": read["Item"] }), 0),
            ("PutItem", json!({ "TableName": TABLE, "Item": damaged }), 1),
            ("DeleteItem", json!({ "TableName": TABLE, "Key": key }), 0),
        ] {
            ask(&engine, operation, request).await;
            let found = concerns.look(&store).await.unwrap();
            assert_eq!((found.unreadable, found), (unreadable, read_whole(engine.store()).await), "{operation}");
        }
        assert_eq!(calls(&meter, "Scan"), 1, "all were read once");
        let before = meter.counted();
        concerns.look(&store).await.unwrap();
        assert_eq!(meter.counted(), before, "where nothing was written, nothing is read");
    }

    /// A look that fails leaves nothing that a later one would build on.
    #[tokio::test]
    async fn after_a_look_that_failed_all_are_read() {
        let engine = Engine::open(Settings::in_memory(POLICY), lambda_shell::clock::Clock::system()).await.unwrap();
        let (store, meter) = counted(&engine);
        let elsewhere = Store::new(store.client().clone(), "no-such-table");
        let concerns = Concerns::new(engine.embedded().written().clone());
        assert_eq!(concerns.look(&store).await.unwrap(), Concern::default());
        ask(
            &engine,
            "PutItem",
            json!({ "TableName": TABLE, "Item": {
            "pk": { "S": "REVIEW#R" }, "sk": { "S": "HEAD" } } }),
        )
        .await;
        assert!(concerns.look(&elsewhere).await.is_err());
        assert_eq!(concerns.look(&store).await.unwrap(), Concern { unreadable: 1, unreached: 0 });
        assert_eq!(calls(&meter, "Scan"), 2);
    }
}
