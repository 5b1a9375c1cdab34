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
use refresh_core::base::name;
use sources::{
    hook::Secrets,
    policy::{self, PolicyFile},
};

use crate::receipt::HourlyReceipts;

/// What ingest works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where reviews and facts are kept.
    pub store: Store,
    /// The deployment's policy: who may state what, and which payload is read how.
    pub policy: Arc<PolicyFile>,
    /// The queue that asks for refreshes.
    pub refresh: Queue,
    /// Where an event goes that can never be read: whole, with its faults.
    pub dead_letters: Queue,
    /// Where a webhook goes that was taken: its answer waits for nothing else.
    pub source_events: Queue,
    /// What proves who posts a webhook.
    pub secrets: Arc<Secrets>,
    /// The host part of the UIDs of meetings and holds.
    pub mail_domain: String,
    /// Of whom nothing is proven, what was kept in this hour.
    pub unproven: HourlyReceipts,
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
        let (table, refresh) = (settings.required("TABLE"), settings.required("REFRESH_QUEUE_URL"));
        let dead_letters = settings.required("SOURCE_EVENTS_DLQ_URL");
        let source_events = settings.required("SOURCE_EVENTS_QUEUE_URL");
        let policy = settings.file("POLICY_FILE", "policy.json", policy::read_file);
        let secrets = secrets(settings);
        let mail_domain = settings.checked("MAIL_DOMAIN", name::mail_domain);
        if let (Some(policy), Some(secrets)) = (&policy, &secrets) {
            for missing in secrets.missing(&policy.bindings) {
                settings.fault("SOURCE_SECRETS", missing);
            }
        }
        let jitter = Jitter::of(settings);
        let (policy, secrets) = settings.finish(policy.zip(secrets))?;
        let sqs = aws::sqs(sdk, settings);
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table).seeded(jitter.seed()),
            policy: Arc::new(policy),
            refresh: Queue::new(sqs.clone(), refresh, jitter.clone()),
            dead_letters: Queue::new(sqs.clone(), dead_letters, jitter.clone()),
            source_events: Queue::new(sqs, source_events, jitter.clone()),
            secrets: Arc::new(secrets),
            mail_domain,
            unproven: HourlyReceipts::default(),
            clock,
            jitter,
        })
    }
}

/// A deployment without hooks has no secrets.
fn secrets(settings: &mut Settings) -> Option<Secrets> {
    if settings.optional("SOURCE_SECRETS").is_none() {
        return Some(Secrets::default());
    }
    let expected = "a JSON object of names, each with a secret of at least 16 bytes or a list of two";
    settings.secret("SOURCE_SECRETS", expected, Secrets::read)
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.refresh.client));
    }
}
