use std::sync::Arc;

use lambda_shell::{
    aws::{self, Patience},
    clock::Clock,
    connections,
    queue::Queue,
    settings::{BadSettings, Settings},
    start::Connect,
};
use packet_store::Store;
use sources::policy::{self, PolicyFile};

/// What ingest works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    pub store: Store,
    pub policy: Arc<PolicyFile>,
    pub refresh: Queue,
    /// Where an event goes that can never be read: whole, with its faults.
    pub dead_letters: Queue,
    pub clock: Clock,
}

impl Env {
    pub fn from_environment() -> Result<Self, BadSettings> {
        let mut settings = Settings::from_environment();
        let (table, refresh) = (settings.required("TABLE"), settings.required("REFRESH_QUEUE_URL"));
        let dead_letters = settings.required("SOURCE_EVENTS_DLQ_URL");
        let policy = settings.file("POLICY_FILE", "policy.json", policy::read_file);
        let policy = settings.finish(policy)?;
        let config = aws::function_config(Patience::Queue);
        let sqs = aws::sqs(&config);
        Ok(Self {
            store: Store::new(aws::dynamodb(&config), table),
            policy: Arc::new(policy),
            refresh: Queue::new(sqs.clone(), refresh),
            dead_letters: Queue::new(sqs, dead_letters),
            clock: Clock::system(),
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.refresh.client));
    }
}
