use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_shell::{
    aws,
    clock::Clock,
    connections,
    jitter::Jitter,
    queue::Queue,
    settings::{BadSettings, Settings},
    start::Connect,
};
use packet_store::Store;
use presentation::link::Keys;
use refresh_core::facts::policy::Deployment;
use sources::policy;

/// What a page's function works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where reviews and facts are kept.
    pub store: Store,
    /// The policies, and what all reviews share.
    pub deployment: Arc<Deployment>,
    /// The queue that asks for notices.
    pub notices: Queue,
    /// What links and forms are signed with.
    pub keys: Keys,
    /// The time of a decision.
    pub clock: Clock,
    /// Spreads the attempts of those who decide at once.
    pub jitter: Jitter,
}

impl Env {
    /// The one construction, for the binary and the local engine alike.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong.
    pub fn of(settings: &mut Settings, sdk: &SdkConfig, clock: Clock) -> Result<Self, BadSettings> {
        let (table, notices) = (settings.required("TABLE"), settings.required("NOTICES_QUEUE_URL"));
        let keys = settings.secret("LINK_KEYS", Keys::EXPECTED, Keys::parse);
        let deployment = settings.file("POLICY_FILE", "policy.json", policy::read);
        let jitter = Jitter::of(settings);
        let (keys, deployment) = settings.finish(keys.zip(deployment))?;
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table).seeded(jitter.seed()),
            deployment: Arc::new(deployment),
            notices: Queue::new(aws::sqs(sdk, settings), notices, jitter.clone()),
            keys,
            clock,
            jitter,
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.notices.client));
    }
}
