//! What the functions ask of the services, counted where their requests arrive: calls, capacity units and processor time.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::{Reply, Service};

/// The calls of one function to one operation.
#[derive(Clone, PartialEq, PartialOrd, Debug, Default)]
pub struct Metered {
    /// How often the operation was called, the SDK's own retries among the calls.
    pub calls: u64,
    /// DynamoDB's read units, as the store bills them.
    pub read_units: f64,
    /// DynamoDB's write units, those of indexes among them.
    pub write_units: f64,
}

/// Who called what: the function, the service, the operation.
pub type Asking = (Arc<str>, Service, String);

/// Counts while it is on. Cloning shares the meter.
#[derive(Clone, Default)]
pub struct Meter {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Set once: the clock by which the services' own time is measured.
    clock: OnceLock<fn() -> Duration>,
    counted: Mutex<BTreeMap<Asking, Metered>>,
    served: Mutex<Duration>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// Counts from now on. `clock` says how much processor time the calling thread has had: the services answer in the
    /// same process, and what they need is no function's time.
    pub fn start(&self, clock: fn() -> Duration) {
        self.shared.clock.get_or_init(|| clock);
        self.reset();
    }

    /// Begins anew at nothing.
    pub fn reset(&self) {
        hold(&self.shared.counted).clear();
        *hold(&self.shared.served) = Duration::ZERO;
    }

    /// What was counted since, by function, service and operation.
    pub fn counted(&self) -> BTreeMap<Asking, Metered> {
        hold(&self.shared.counted).clone()
    }

    /// The processor time that the services themselves took since.
    pub fn served(&self) -> Duration {
        *hold(&self.shared.served)
    }

    /// Serves one call, and counts it while the meter is on.
    pub(super) async fn count(
        &self,
        asking: impl FnOnce() -> Asking,
        body: &[u8],
        serve: impl AsyncFnOnce(&[u8]) -> Reply,
    ) -> Reply {
        let Some(clock) = self.shared.clock.get() else { return serve(body).await };
        let before = clock();
        let (asking, mut metered) = (asking(), Metered { calls: 1, ..Metered::default() });
        let reply = if asking.1 == Service::DynamoDb {
            let (reply, units) = billed(body, serve).await;
            let reads = ["GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"].contains(&&*asking.2);
            *(if reads { &mut metered.read_units } else { &mut metered.write_units }) += units;
            reply
        } else {
            serve(body).await
        };
        let mut counted = hold(&self.shared.counted);
        let sum = counted.entry(asking).or_default();
        sum.calls += metered.calls;
        sum.read_units += metered.read_units;
        sum.write_units += metered.write_units;
        drop(counted);
        *hold(&self.shared.served) += clock().saturating_sub(before);
        reply
    }
}

/// Asks the store for the price of the request, and takes the price out of the answer.
async fn billed(body: &[u8], serve: impl AsyncFnOnce(&[u8]) -> Reply) -> (Reply, f64) {
    let Ok(mut request) = serde_json::from_slice::<Value>(body) else { return (serve(body).await, 0.0) };
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    let reply = serve(request.to_string().as_bytes()).await;
    let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let units = |one: &Value| one["CapacityUnits"].as_f64().unwrap_or(0.0);
    let price = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(units).sum(),
        one => units(one),
    };
    (reply, price)
}
