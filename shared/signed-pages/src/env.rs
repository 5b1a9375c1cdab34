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
use presentation::link::Keys;
use refresh_core::policy::Deployment;
use sources::policy;

/// What a page's function works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    pub store: Store,
    pub deployment: Arc<Deployment>,
    pub notices: Queue,
    pub keys: Keys,
    pub clock: Clock,
}

impl Env {
    pub fn from_environment() -> Result<Self, BadSettings> {
        let mut settings = Settings::from_environment();
        let (table, notices) = (settings.required("TABLE"), settings.required("NOTICES_QUEUE_URL"));
        let keys = settings.secret("LINK_KEYS", Keys::EXPECTED, Keys::parse);
        let deployment = settings.file("POLICY_FILE", "policy.json", policy::read);
        let (keys, deployment) = settings.finish(keys.zip(deployment))?;
        let config = aws::function_config(Patience::Page);
        Ok(Self {
            store: Store::new(aws::dynamodb(&config), table),
            deployment: Arc::new(deployment),
            notices: Queue::new(aws::sqs(&config), notices),
            keys,
            clock: Clock::system(),
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.notices.client));
    }
}
