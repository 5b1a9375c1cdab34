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

/// What tick works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    /// Where the index of what is due is read.
    pub store: Store,
    /// The queue that asks for refreshes.
    pub refresh: Queue,
    /// The queue that asks for notices.
    pub notices: Queue,
    /// What says the time.
    pub clock: Clock,
}

impl Env {
    /// The one construction, for the binary and the local engine alike.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong.
    pub fn of(settings: &mut Settings, sdk: &SdkConfig, clock: Clock) -> Result<Self, BadSettings> {
        let table = settings.required("TABLE");
        let (refresh, notices) = (settings.required("REFRESH_QUEUE_URL"), settings.required("NOTICES_QUEUE_URL"));
        let jitter = Jitter::of(settings);
        settings.finish(Some(()))?;
        let sqs = aws::sqs(sdk, settings);
        Ok(Self {
            store: Store::new(aws::dynamodb(sdk, settings), table).seeded(jitter.seed()),
            refresh: Queue::new(sqs.clone(), refresh, jitter.clone()),
            notices: Queue::new(sqs, notices, jitter),
            clock,
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.refresh.client));
    }
}
