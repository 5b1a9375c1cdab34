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
use presentation::{link::Keys, text};
use refresh_core::{Person, base::name, facts::policy::Deployment};
use sources::policy;

/// What notify works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where reviews and facts are kept.
    pub store: Store,
    /// The policies, and what all reviews share.
    pub deployment: Arc<Deployment>,
    /// What takes finished mails.
    pub mailer: aws_sdk_sesv2::Client,
    /// Where reviews are asked to look that share people whose seats changed.
    pub refresh: Queue,
    /// What every mail is sent with.
    pub postage: Arc<Postage>,
    /// What says the time.
    pub clock: Clock,
    /// Spreads the attempts of those who decide at once.
    pub jitter: Jitter,
}

/// What every mail is sent with.
#[derive(Clone, Debug)]
pub struct Postage {
    /// What links are signed with.
    pub keys: Keys,
    /// What the owner's links begin with: `https://host`, configuration, never a request's Host header. Each kind of page
    /// may have a host of its own.
    pub adopt_link_base: String,
    /// What reply links begin with.
    pub acknowledge_link_base: String,
    /// The service's own address: sender and organizer.
    pub from: Person,
    /// Where what people send back is read, if anywhere.
    pub replies: Option<Person>,
    /// The host part of message ids.
    pub mail_domain: String,
    /// The SES configuration set that reports what became of mails, if there is one.
    pub configuration_set: Option<String>,
}

impl Env {
    /// The one construction, for the binary and the local engine alike.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong.
    pub fn of(settings: &mut Settings, sdk: &SdkConfig, clock: Clock) -> Result<Self, BadSettings> {
        let (table, refresh) = (settings.required("TABLE"), settings.required("REFRESH_QUEUE_URL"));
        let postage = Postage::read(settings);
        let deployment = settings.file("POLICY_FILE", "policy.json", policy::read);
        let jitter = Jitter::of(settings);
        let (postage, deployment) = settings.finish(postage.zip(deployment))?;
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table)
                .seeded(jitter.seed())
                .within(aws::megabytes(settings)),
            deployment: Arc::new(deployment),
            refresh: Queue::new(aws::sqs(sdk, settings), refresh, jitter.clone()),
            mailer: aws_sdk_sesv2::Client::new(&aws::at_its_endpoint(sdk, settings, "SESV2")),
            postage: Arc::new(postage),
            clock,
            jitter,
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        let once = aws_sdk_sesv2::config::Builder::new().retry_config(aws::once());
        let mailer = self.mailer.send_email().customize().config_override(once);
        let mailer = mailer.mutate_request(connections::knock);
        tokio::join!(connections::dynamodb(self.store.client()), connections::answered(mailer.send()));
    }
}

impl Postage {
    fn read(settings: &mut Settings) -> Option<Self> {
        let keys = settings.secret("LINK_KEYS", Keys::EXPECTED, Keys::parse);
        let from = Person::parse(&settings.required("MAIL_FROM"));
        let adopt_link_base = settings.checked("ADOPT_LINK_BASE", text::link_base);
        let acknowledge_link_base = settings.checked("ACKNOWLEDGE_LINK_BASE", text::link_base);
        let mail_domain = settings.checked("MAIL_DOMAIN", name::mail_domain);
        let configuration_set = settings.optional("CONFIGURATION_SET");
        let replies = settings.optional("REPLY_ADDRESS").map(|address| {
            Person::parse(&address).map_err(|expected| settings.fault("REPLY_ADDRESS", format!("expected {expected}")))
        });
        let from = from.map_err(|expected| settings.fault("MAIL_FROM", format!("expected {expected}"))).ok();
        let (keys, from) = keys.zip(from)?;
        Some(Self {
            keys,
            adopt_link_base,
            acknowledge_link_base,
            from,
            replies: replies.and_then(Result::ok),
            mail_domain,
            configuration_set,
        })
    }
}
