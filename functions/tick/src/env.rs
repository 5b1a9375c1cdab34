use lambda_shell::{
    aws::{self, Patience},
    clock::Clock,
    connections,
    queue::Queue,
    settings::{BadSettings, Settings},
    start::Connect,
};
use packet_store::Store;

/// What tick works with. Built once; clones share everything.
#[derive(Clone, Debug)]
pub struct Env {
    pub store: Store,
    pub refresh: Queue,
    pub notices: Queue,
    pub clock: Clock,
}

impl Env {
    pub fn from_environment() -> Result<Self, BadSettings> {
        let mut settings = Settings::from_environment();
        let table = settings.required("TABLE");
        let (refresh, notices) = (settings.required("REFRESH_QUEUE_URL"), settings.required("NOTICES_QUEUE_URL"));
        settings.finish(Some(()))?;
        let config = aws::function_config(Patience::Queue);
        let sqs = aws::sqs(&config);
        Ok(Self {
            store: Store::new(aws::dynamodb(&config), table),
            refresh: Queue::new(sqs.clone(), refresh),
            notices: Queue::new(sqs, notices),
            clock: Clock::system(),
        })
    }
}

impl Connect for Env {
    async fn connect(&self) {
        tokio::join!(connections::dynamodb(self.store.client()), connections::sqs(&self.refresh.client));
    }
}
