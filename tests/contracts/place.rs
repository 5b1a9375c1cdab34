//! Somewhere the services are played, with a table and queues that nobody else uses. Both are made from the template.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use holdpoint::{
    connector::{Faults, InProcess},
    embedded::TABLE,
    engine::{Engine, Settings},
    topology::{Queue, Topology},
};
use holdpoint_tests::{
    cloud::ministack::{ACCOUNT, Mail, Ministack, REGION, create_table},
    repository,
};
use lambda_shell::clock::Clock;
use serde_json::json;

use crate::mail;

pub type Item = HashMap<String, AttributeValue>;

/// What one contract works with.
pub struct Place {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub mailer: aws_sdk_sesv2::Client,
    pub table: String,
    /// URLs by the name in the template, `refresh.fifo`.
    queues: HashMap<String, String>,
    topology: Topology,
    played_by: PlayedBy,
}

enum PlayedBy {
    /// On a clock that is turned by hand.
    Embedded(Engine, Arc<AtomicI64>),
    Ministack(Arc<Ministack>),
}

/// A real clock is not asked to the millisecond.
const GRACE: Duration = Duration::from_millis(300);

impl Place {
    pub async fn embedded() -> Result<Self, String> {
        let file = repository().join("infra/policy.json");
        let policy = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let hand = Arc::new(AtomicI64::new(1_790_000_000_000));
        let engine = Engine::open(Settings::in_memory(policy), Clock::steered(hand.clone())).await?;
        let topology = engine.topology().clone();
        let queues = topology.queues.keys().map(|name| (name.clone(), holdpoint::queues::url(name))).collect();
        let (embedded, mailbox) = (engine.embedded().clone(), engine.mailbox().clone());
        let config = InProcess::new(embedded, engine.queues().clone(), mailbox, Faults::default()).sdk_config();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            mailer: aws_sdk_sesv2::Client::new(&config),
            table: TABLE.to_owned(),
            queues,
            topology,
            played_by: PlayedBy::Embedded(engine, hand),
        })
    }

    pub async fn in_ministack(stack: Arc<Ministack>, named: &str) -> Result<Self, String> {
        let topology = Topology::of_the_bundle()?;
        let table = format!("packets-{named}");
        create_table(&stack, &table, &topology.table.definition).await?;
        let config = stack.sdk_config();
        let sqs = aws_sdk_sqs::Client::new(&config);
        let mut queues = HashMap::new();
        // Those that others redrive to come first.
        let (last, first): (Vec<_>, Vec<_>) = topology.queues.values().partition(|queue| queue.redrive.is_some());
        for queue in first.into_iter().chain(last) {
            let request = sqs.create_queue().queue_name(format!("{named}-{}", queue.name));
            let made = request.set_attributes(Some(attributes(queue, named))).send().await;
            let made = made.map_err(|error| format!("making {}: {error:?}", queue.name))?;
            queues.insert(queue.name.clone(), made.queue_url.unwrap_or_default());
        }
        let mailer = aws_sdk_sesv2::Client::new(&config);
        // As the account of a deployment: mail goes out from verified identities only. It may be there already.
        let identity = mailer.create_email_identity().email_identity(mail::FROM).send().await;
        if let Err(error) = identity
            && !error.as_service_error().is_some_and(|error| error.is_already_exists_exception())
        {
            return Err(format!("verifying {}: {error:?}", mail::FROM));
        }
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs,
            mailer,
            table,
            queues,
            topology,
            played_by: PlayedBy::Ministack(stack),
        })
    }

    pub fn url(&self, queue: &str) -> &str {
        self.queues.get(queue).unwrap_or_else(|| panic!("template.yaml: expected a queue {queue}"))
    }

    pub fn wiring(&self, queue: &str) -> &Queue {
        &self.topology.queues[queue]
    }

    /// Time goes by.
    pub async fn pass(&self, time: Duration) {
        match &self.played_by {
            PlayedBy::Embedded(_, hand) => {
                hand.fetch_add(i64::try_from(time.as_millis()).expect("a short time"), Ordering::SeqCst);
            }
            PlayedBy::Ministack(_) => tokio::time::sleep(time + GRACE).await,
        }
    }

    /// The mails to a person, as somebody else's MIME reader shows them.
    pub async fn mails_to(&self, person: &str) -> Vec<Mail> {
        let mut mails = match &self.played_by {
            PlayedBy::Ministack(stack) => stack.mails().await.expect("its mails"),
            PlayedBy::Embedded(engine, _) => engine.mailbox().all().iter().map(read).collect(),
        };
        mails.retain(|mail| mail.to.iter().any(|to| to == person));
        mails
    }

    pub async fn item(&self, pk: &str, sk: &str) -> Option<Item> {
        let request = self.dynamodb.get_item().table_name(&self.table).set_key(Some(key(pk, sk)));
        request.consistent_read(true).send().await.expect("an answer").item
    }

    pub async fn put(&self, item: Item) {
        let request = self.dynamodb.put_item().table_name(&self.table).set_item(Some(item));
        request.send().await.expect("an item");
    }
}

fn read(mail: &holdpoint::mailbox::Mail) -> Mail {
    let message = mail_parser::MessageParser::default().parse(&mail.raw).expect("a message");
    Mail {
        message_id: mail.message_id.clone(),
        from: mail.from.clone(),
        to: mail.to.clone(),
        subject: message.subject().unwrap_or_default().to_owned(),
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html: message.body_html(0).unwrap_or_default().into_owned(),
    }
}

fn attributes(queue: &Queue, named: &str) -> HashMap<QueueAttributeName, String> {
    let mut all = HashMap::from([
        (QueueAttributeName::VisibilityTimeout, queue.visibility_seconds.to_string()),
        (QueueAttributeName::DelaySeconds, queue.delay_seconds.to_string()),
        (QueueAttributeName::MessageRetentionPeriod, queue.retention_seconds.to_string()),
    ]);
    if queue.fifo {
        all.insert(QueueAttributeName::FifoQueue, "true".to_owned());
    }
    if queue.deduplicates_by_group {
        all.insert(QueueAttributeName::DeduplicationScope, "messageGroup".to_owned());
        all.insert(QueueAttributeName::FifoThroughputLimit, "perMessageGroupId".to_owned());
    }
    if let Some(redrive) = &queue.redrive {
        let target = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{named}-{}", redrive.to);
        let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": redrive.after_receives });
        all.insert(QueueAttributeName::RedrivePolicy, policy.to_string());
    }
    all
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// An item with more attributes.
pub fn item(pk: &str, sk: &str, more: &[(&str, AttributeValue)]) -> Item {
    let mut item = key(pk, sk);
    item.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    item
}

/// The sort keys, in the order of the items.
pub fn sort_keys(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| item["sk"].as_s().expect("a text").clone()).collect()
}
