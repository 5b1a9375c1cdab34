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
use sources::{
    policy::{self, PolicyFile},
    poll::credential::Credentials,
};

use crate::{token::Tokens, web::Web};

/// What poll works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where is kept what was asked and known of each system.
    pub store: Store,
    /// The deployment's policy: which systems are asked, and how.
    pub policy: Arc<PolicyFile>,
    /// Where answers go, as the systems gave them.
    pub source_events: Queue,
    /// What proves to the systems who asks.
    pub credentials: Arc<Credentials>,
    /// The way to the systems.
    pub web: Web,
    /// What says the time.
    pub clock: Clock,
    pub(crate) tokens: Tokens,
}

impl Env {
    /// The one construction, for the binary and the local engine alike.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong.
    pub fn of(settings: &mut Settings, sdk: &SdkConfig, clock: Clock) -> Result<Self, BadSettings> {
        let (table, source_events) = (settings.required("TABLE"), settings.required("SOURCE_EVENTS_QUEUE_URL"));
        let policy = settings.file("POLICY_FILE", "policy.json", policy::read_file);
        let credentials = credentials(settings);
        if let (Some(policy), Some(credentials)) = (&policy, &credentials) {
            for missing in credentials.missing(&policy.bindings) {
                settings.fault("SOURCE_CREDENTIALS", missing);
            }
        }
        let jitter = Jitter::of(settings);
        let (policy, credentials) = settings.finish(policy.zip(credentials))?;
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table).seeded(jitter.seed()),
            policy: Arc::new(policy),
            source_events: Queue::new(aws::sqs(sdk, settings), source_events, jitter),
            credentials: Arc::new(credentials),
            web: Web::default(),
            clock,
            tokens: Tokens::default(),
        })
    }
}

impl Env {
    /// The same, with another way to the systems.
    pub fn by_way_of(&self, web: Web) -> Self {
        Self { web, ..self.clone() }
    }
}

/// A deployment whose systems want none, or that polls none, has no credentials.
fn credentials(settings: &mut Settings) -> Option<Credentials> {
    if settings.optional("SOURCE_CREDENTIALS").is_none() {
        return Some(Credentials::default());
    }
    let expected = "a JSON object of names, each with a token or an object with `kind`";
    settings.secret("SOURCE_CREDENTIALS", expected, Credentials::read)
}

impl Connect for Env {
    async fn connect(&self) {
        if self.policy.bindings.polled().next().is_some() {
            tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.source_events.client));
        }
    }
}
