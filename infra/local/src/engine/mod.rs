//! The bundle as one machine runs it: the topology's tables, queues and wiring around the very handlers of production.
//!
//! What the cloud does between the functions happens here: batches are handed over as the JSON that SQS mappings send,
//! answers decide what is deleted, a schedule ticks, routes find their function. Two drivers give it time: [`live`] and
//! [`virtual_time`].

mod dispatch;
#[cfg(test)]
mod due_tests;
mod functions;
pub mod live;
#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod samples_tests;
mod settings;
mod trouble;
#[cfg(test)]
mod trouble_tests;
pub mod virtual_time;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use lambda_shell::{
    aws::retries,
    clock::Clock,
    deadline::Deadline,
    web::{Request, Response},
};
use packet_store::Store;
use refresh_core::Instant;
use serde_json::{Value, json};

pub use dispatch::{Batch, Done, sqs_event};
pub use functions::{Functions, Outcome};
pub use settings::{Settings, Storage};

use crate::{
    concerns::Concerns,
    connector::{Faults, InProcess, Meter},
    door_troubles::DoorTroubles,
    embedded::{Embedded, TABLE},
    limits::Limits,
    mailbox::{Mailbox, Way},
    queues::{Journal, Queues},
    relay::{self, BounceAddress, Relay},
    retention::Keep,
    timekeeper::{Mark, Timekeeper},
    topology::{Route, Topology},
};

/// How long the engine's own look into its store may take. The store is in this process, so a look that is late is no
/// lost one: on a busy machine it waits behind the functions' work.
const LOOKING: Duration = Duration::from_secs(60);

/// Cloning shares the engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    topology: Topology,
    settings: Settings,
    clock: Clock,
    embedded: Embedded,
    queues: Queues,
    mailbox: Mailbox,
    relay: Option<Relay>,
    door_troubles: DoorTroubles,
    faults: Faults,
    meter: Meter,
    store: Store,
    concerns: Concerns,
    /// What the functions call.
    services: InProcess,
    functions: RwLock<Arc<Functions>>,
    keep: RwLock<Keep>,
    limits: RwLock<Limits>,
}

/// The names of the template's index of due things and of its keys.
struct DueIndex {
    name: String,
    shard: String,
    at: String,
    /// The table's own partition key.
    partition: String,
}

impl DueIndex {
    fn read(&self, item: &Value) -> Result<(Instant, String), String> {
        let at = item[&self.at]["N"].as_str().and_then(|millis| millis.parse().ok()).map(Instant::from_millis);
        let key = item[&self.partition]["S"].as_str().map(str::to_owned);
        at.zip(key).ok_or_else(|| format!("the due index: damaged: {item}"))
    }
}

fn sdk_of(services: &InProcess, caller: &str, settings: &Settings) -> SdkConfig {
    let services = services.called_by(caller);
    match settings.retries.clone() {
        Some((timeouts, retries)) => services.sdk_config_with(timeouts, retries),
        None => services.sdk_config(),
    }
}

impl Engine {
    /// Makes what the template states, around what the storage already holds.
    pub async fn open(settings: Settings, clock: Clock) -> Result<Self, String> {
        let topology = Topology::of_the_bundle()?;
        let embedded = match &settings.storage {
            Storage::Memory => Embedded::memory()?,
            Storage::File(file) => Embedded::open(file)?,
        };
        Self::around(settings, clock, topology, embedded).await
    }

    /// Around a store that is open already: an engine that died, started again.
    pub async fn around(
        settings: Settings,
        clock: Clock,
        topology: Topology,
        embedded: Embedded,
    ) -> Result<Self, String> {
        embedded.ensure_table(TABLE, &topology.table.definition).await?;
        if let Some(attribute) = &topology.table.expires {
            embedded.expire_by(TABLE, attribute).await?;
        }
        let durable = settings.storage != Storage::Memory || settings.durable_queues;
        let journal = match durable {
            true => Journal::table(&embedded).await.map_err(|error| error.to_string())?,
            false => Journal::None,
        };
        let queues = Queues::open(&topology, journal, clock.clone()).await.map_err(|error| error.to_string())?;
        let way = if settings.relay.is_some() { Way::Relayed } else { Way::Kept };
        let mailbox = Mailbox::open(durable.then(|| embedded.clone()), clock.clone(), way).await?;
        let faults = Faults::default();
        // The template's rule for the mailer's reports leads to where source systems put their events.
        let reports = topology.functions.get("ingest").and_then(|function| function.source.as_ref());
        let reports = reports.map(|source| source.queue.clone()).ok_or("template.yaml: ingest reads no queue")?;
        if settings.relay.is_some() {
            relay::bring_forward(mailbox.tables(), clock.now_millis()).await?;
        }
        let bounces = settings.bounce_address.as_ref().filter(|_| settings.relay.is_some());
        let bounces = bounces.map(|address| BounceAddress::open(address, mailbox.tables())).transpose()?;
        let relay = settings.relay.clone();
        let relay = relay
            .map(|relay| Relay::new(relay, bounces, mailbox.clone(), queues.clone(), reports.clone(), clock.clone()));
        let services = InProcess::new(embedded.clone(), queues.clone(), mailbox.clone(), faults.clone());
        let meter = Meter::default();
        let services = services.reporting_to(&reports).metered_by(&meter);
        // The engine reads beside the functions, so its own calls are neither counted nor faulted.
        let own = InProcess::new(embedded.clone(), queues.clone(), mailbox.clone(), Faults::default());
        let own = own.sdk_config_with(TimeoutConfig::builder().operation_timeout(LOOKING).build(), retries());
        let store = Store::new(aws_sdk_dynamodb::Client::new(&own), TABLE);
        let functions = Functions::new(&topology, &settings, |caller| sdk_of(&services, caller, &settings), &clock)?;
        let functions = RwLock::new(Arc::new(functions));
        let keep = RwLock::new(settings.keep.clone());
        let concerns = Concerns::new(embedded.written().clone());
        let limits = RwLock::new(settings.limits.clone());
        let shared = Shared {
            keep,
            limits,
            topology,
            settings,
            clock,
            embedded,
            queues,
            mailbox,
            relay,
            door_troubles: DoorTroubles::default(),
            faults,
            meter,
            store,
            concerns,
            services,
            functions,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    pub fn topology(&self) -> &Topology {
        &self.shared.topology
    }

    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub fn now(&self) -> Instant {
        Instant::from_millis(self.shared.clock.now_millis())
    }

    pub fn embedded(&self) -> &Embedded {
        &self.shared.embedded
    }

    pub fn queues(&self) -> &Queues {
        &self.shared.queues
    }

    pub fn mailbox(&self) -> &Mailbox {
        &self.shared.mailbox
    }

    /// What carries mail off this machine; `None` where mail stays in the mailbox.
    pub fn relay(&self) -> Option<&Relay> {
        self.shared.relay.as_ref()
    }

    /// What stands in the way of mail that comes in.
    pub fn door_troubles(&self) -> &DoorTroubles {
        &self.shared.door_troubles
    }

    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Why work that commits something waits: a clock in doubt, or a store in trouble. `None`: work goes on.
    pub fn obstacle(&self) -> Option<String> {
        let doubt = self.settings().timekeeper.as_ref().and_then(Timekeeper::doubt);
        doubt.map(|doubt| doubt.to_string()).or_else(|| self.embedded().guard().trouble())
    }

    /// Leaves the mark of time for the engine's next run; not while the clock is in doubt.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn keep_mark(&self) -> Result<(), String> {
        let Storage::File(store) = &self.settings().storage else { return Ok(()) };
        let Some(mark) = self.settings().timekeeper.as_ref().and_then(Timekeeper::mark) else { return Ok(()) };
        mark.write(&store.with_file_name(Mark::FILE))
    }

    /// Takes the machine's clock as right, and what waits for an instant of the former time as due by now.
    ///
    /// # Errors
    /// The mails that wait could not be written.
    pub async fn accept_clock(&self) -> Result<i64, String> {
        let Some(timekeeper) = &self.settings().timekeeper else { return Ok(0) };
        let moved = timekeeper.accept();
        tracing::warn!(moved, "an operator took the machine's clock as right");
        let now = self.now().millis();
        self.queues().bring_forward(now);
        relay::bring_forward(self.mailbox().tables(), now).await?;
        Ok(moved)
    }

    /// What the functions ask of the services; off until it is started.
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// For looking, beside the functions.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What of the reviews somebody must see to.
    pub fn concerns(&self) -> &Concerns {
        &self.shared.concerns
    }

    /// The functions as they are wired now. Whoever holds them works with them to the end, whatever is renewed meanwhile.
    pub fn functions(&self) -> Arc<Functions> {
        self.shared.functions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long what has ended is kept, as it was read last.
    pub fn keep(&self) -> Keep {
        self.shared.keep.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is taken and held at most, as it was read last.
    pub fn limits(&self) -> Limits {
        self.shared.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes from `new` what can change while the engine runs: policy, keys and secrets, sender and answers of mails, the
    /// mail server's settings, limits, and how long what has ended is kept. What is being handled goes on with the former ones.
    ///
    /// # Errors
    /// As [`Functions::new`]; then nothing has changed.
    pub fn renew(&self, new: Settings) -> Result<(), String> {
        let Shared { topology, clock, services, relay, .. } = &*self.shared;
        let Settings {
            policy,
            link_keys,
            source_secrets,
            source_credentials,
            mail_from,
            reply_address,
            keep,
            limits,
            relay: smtp,
            ..
        } = new;
        let before = self.shared.settings.clone();
        let settings =
            Settings { policy, link_keys, source_secrets, source_credentials, mail_from, reply_address, ..before };
        let functions = Functions::new(topology, &settings, |caller| sdk_of(services, caller, &settings), clock)?;
        // Last of what may fail, and nothing is changed by what failed before.
        if let Some(certificates) = &self.shared.settings.certificates {
            certificates.renew().map_err(|faults| faults.join("\n"))?;
        }
        *self.shared.functions.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(functions);
        *self.shared.keep.write().unwrap_or_else(PoisonError::into_inner) = keep;
        *self.shared.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        if let (Some(relay), Some(smtp)) = (relay, smtp) {
            relay.renew(smtp);
        }
        Ok(())
    }

    /// The functions once more, with clients and caches of their own, over the same table and queues: another worker.
    ///
    /// # Errors
    ///
    /// As [`Functions::new`].
    pub fn worker(&self, sdk: &SdkConfig, clock: &Clock, seed: Option<u64>) -> Result<Functions, String> {
        let settings = Settings { seed, ..self.shared.settings.clone() };
        Functions::new(&self.shared.topology, &settings, |_| sdk.clone(), clock)
    }

    /// What the template's index of due things holds up to an instant, soonest first: an engine must know when to wake,
    /// which the cloud's schedule need not.
    pub async fn due(&self, until: Instant) -> Result<Vec<(Instant, String)>, String> {
        let index = self.due_index()?;
        let mut due = Vec::new();
        for item in self.shared.embedded.scan_index(TABLE, Some(&index.name)).await? {
            let (at, key) = index.read(&item)?;
            if at <= until {
                due.push((at, key));
            }
        }
        due.sort();
        Ok(due)
    }

    /// The soonest instant after `after` for which the index of due things holds anything. One row of each shard is read,
    /// however many reviews are open: this is asked at every message.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn next_due(&self, after: Option<Instant>) -> Result<Option<Instant>, String> {
        let index = self.due_index()?;
        let after = after.map_or(i64::MIN, Instant::millis);
        let mut soonest = None;
        for shard in 0..packet_store::SHARDS {
            let request = json!({
                "TableName": TABLE, "IndexName": index.name, "Limit": 1,
                "KeyConditionExpression": "#shard = :shard AND #due > :after",
                "ExpressionAttributeNames": { "#shard": index.shard, "#due": index.at },
                "ExpressionAttributeValues": {
                    ":shard": { "S": shard.to_string() }, ":after": { "N": after.to_string() },
                },
            });
            let page = self.shared.embedded.ask("Query", request).await?;
            for item in page["Items"].as_array().into_iter().flatten() {
                let (at, _) = index.read(item)?;
                soonest = Some(soonest.map_or(at, |before: Instant| before.min(at)));
            }
        }
        Ok(soonest)
    }

    fn due_index(&self) -> Result<DueIndex, String> {
        let table = &self.shared.topology.table;
        let index = &table.definition["GlobalSecondaryIndexes"][0];
        let key = |kind: &str| {
            let keys = index["KeySchema"].as_array().into_iter().flatten();
            let named = keys.filter(|key| key["KeyType"] == kind).find_map(|key| key["AttributeName"].as_str());
            named.map(str::to_owned).ok_or_else(|| format!("template.yaml: expected an index with a {kind} key"))
        };
        let name = index["IndexName"].as_str().ok_or("template.yaml: expected an index with a name")?.to_owned();
        Ok(DueIndex { name, shard: key("HASH")?, at: key("RANGE")?, partition: table.partition_key.clone() })
    }

    /// The route that answers, by the template: method and path, a segment in braces standing for any one.
    pub fn route(&self, method: &str, path: &str) -> Option<&Route> {
        self.routes(path).into_iter().find(|route| route.method == method)
    }

    /// The methods that are answered at a path, by the template.
    pub fn methods(&self, path: &str) -> Vec<&str> {
        self.routes(path).into_iter().map(|route| route.method.as_str()).collect()
    }

    fn routes(&self, path: &str) -> Vec<&Route> {
        let fits = |pattern: &str| {
            let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
            loop {
                match (wanted.next(), found.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(found)) if wanted.starts_with('{') && !found.is_empty() => {}
                    (Some(wanted), Some(found)) if wanted == found => {}
                    _ => return false,
                }
            }
        };
        self.shared.topology.routes.iter().filter(|route| fits(&route.path)).collect()
    }

    /// A request to a page, as the function behind its route gets it. `Ok(None)`: no route, or the process died in it.
    pub async fn request(&self, request: &Request) -> Result<Option<Response>, String> {
        let Some(route) = self.route(&request.method, &request.path) else { return Ok(None) };
        let event = functions::url_event(request, &route.path, self.shared.clock.now_millis());
        let functions = self.functions();
        tokio::select! {
            biased;
            response = functions.page(&route.function, event, Deadline::far()) => response.map(Some),
            () = self.faults().crashed() => Ok(None),
        }
    }
}
