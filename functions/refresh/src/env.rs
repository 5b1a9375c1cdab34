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
use refresh_core::{base::name, facts::policy::Deployment};
use sources::policy;

/// What refresh works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where reviews and facts are kept.
    pub store: Store,
    /// The policies, and what all reviews share.
    pub deployment: Arc<Deployment>,
    /// The queue that asks for notices.
    pub notices: Queue,
    /// The host part of the UIDs of meetings and holds.
    pub mail_domain: String,
    /// What says the time.
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
        let mail_domain = settings.checked("MAIL_DOMAIN", name::mail_domain);
        let deployment = settings.file("POLICY_FILE", "policy.json", policy::read);
        let jitter = Jitter::of(settings);
        let deployment = settings.finish(deployment)?;
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table)
                .seeded(jitter.seed())
                .within(aws::megabytes(settings)),
            deployment: Arc::new(deployment),
            notices: Queue::new(aws::sqs(sdk, settings), notices, jitter.clone()),
            mail_domain,
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
