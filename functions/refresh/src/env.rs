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
use refresh_core::policy::Deployment;
use sources::policy;

/// What refresh works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    pub store: Store,
    pub deployment: Arc<Deployment>,
    pub notices: Queue,
    /// The host part of the UIDs of meetings and holds.
    pub mail_domain: String,
    pub clock: Clock,
}

impl Env {
    pub fn from_environment() -> Result<Self, BadSettings> {
        let mut settings = Settings::from_environment();
        let (table, notices) = (settings.required("TABLE"), settings.required("NOTICES_QUEUE_URL"));
        let mail_domain = settings.required("MAIL_DOMAIN");
        let deployment = settings.file("POLICY_FILE", "policy.json", policy::read);
        let deployment = settings.finish(deployment)?;
        let config = aws::function_config(Patience::Queue);
        Ok(Self {
            store: Store::new(aws::dynamodb(&config), table),
            deployment: Arc::new(deployment),
            notices: Queue::new(aws::sqs(&config), notices),
            mail_domain,
            clock: Clock::system(),
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.notices.client));
    }
}
