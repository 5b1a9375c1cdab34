//! The operator's requests on a deployment: the same store, and the queues of AWS, found by the stack's name.

use std::time::Duration;

use aws_config::{SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use lambda_shell::{
    aws::{self, Patience},
    clock::Clock,
    jitter::Jitter,
    queue::{Outgoing, Queue},
};
use packet_store::Store;
use refresh_core::Instant;
use serde_json::{Value, json};

use super::{
    Request,
    events::events,
    lines::{Heads, with_causes},
    plan::plan,
    review::{reviews, show, verified},
    send::{became, line},
    shell,
    signed::Signed,
    stuck,
    told::told,
    waiting::waiting,
    why::why,
};
use crate::{archive, headless::Lost, not_done::NotDone, roster::Roster, topology::Topology};

pub struct Stack {
    pub(super) topology: Topology,
    pub(super) store: Store,
    table: String,
    /// What is open depends on the time: the shell's own.
    pub(super) clock: Clock,
    pub(super) sqs: aws_sdk_sqs::Client,
    /// Lambda and the logs.
    pub(super) others: Signed,
    /// Before every queue's and function's name.
    pub(super) prefix: String,
    /// What is asked, and where, as the operator named both: before each error. Empty where nobody named a stack.
    asked: String,
}

impl Stack {
    /// With the credentials and the region of the shell.
    ///
    /// # Errors
    /// What the shell does not say, and how to say it.
    pub async fn connect(name: &str) -> Result<Self, String> {
        let sdk = aws_config::defaults(aws::behavior())
            .http_client(aws::http_client())
            .timeout_config(aws::timeouts(Patience::Queue))
            .retry_config(aws::retries())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        shell::says_enough(&sdk).await.map_err(|missing| format!("--stack {name}: {missing}"))?;
        let asked = format!("--stack {name}{}: ", shell::elsewhere(&sdk));
        Ok(Self { asked, ..Self::of(&sdk, &format!("{name}-packets"), format!("{name}-"))? })
    }

    pub fn of(sdk: &SdkConfig, table: &str, prefix: String) -> Result<Self, String> {
        Ok(Self {
            topology: Topology::of_the_bundle()?,
            store: Store::new(aws_sdk_dynamodb::Client::new(sdk), table),
            table: table.to_owned(),
            clock: Clock::system(),
            sqs: aws_sdk_sqs::Client::new(sdk),
            others: Signed::new(sdk.clone()),
            prefix,
            asked: String::new(),
        })
    }

    /// # Errors
    /// [`NotDone::Malformed`] for a call of a function that is none; else [`NotDone::Failed`].
    pub async fn perform(&self, request: Request) -> Result<Value, NotDone> {
        self.performed(request).await.map_err(|not_done| match not_done {
            NotDone::Failed(why) => NotDone::Failed(self.named(&why)),
            malformed @ NotDone::Malformed(_) => malformed,
        })
    }

    fn named(&self, why: &str) -> String {
        format!("{}{why}", self.asked)
    }

    async fn performed(&self, request: Request) -> Result<Value, NotDone> {
        let now = Instant::from_millis(self.clock.now_millis());
        let done = match request {
            Request::Reviews(asked) => {
                asked.check().map_err(NotDone::Malformed)?;
                match self.store.reviews().await {
                    Ok(heads) => reviews(&self.store, now, Roster::of(&heads).page(&asked, now)).await,
                    Err(error) => Err(with_causes(error)),
                }
            }
            Request::Show(review) => show(&self.store, now, &review).await,
            Request::Verify(review) => {
                let lost = Lost::of_table(&self.store).await?;
                verified(&self.store, review.as_ref(), &lost).await
            }
            Request::Why(review) => why(&self.store, now, &review).await,
            Request::Waiting(person) => {
                waiting(&self.store, Heads::of_table(&self.store).await?, now, person.as_ref()).await
            }
            Request::Told(person) => told(&self.store, Heads::of_table(&self.store).await?, now, &person).await,
            Request::Stuck(asked) => {
                let dead = self.redrive(None, now).await;
                stuck::of(&self.store, now, dead, &asked).await
            }
            Request::Plan(planned) => return plan(&self.store, now, None, &planned).await,
            Request::Send(events) => self.send(events).await,
            Request::DeadLetters => self.redrive(None, now).await,
            Request::Redrive(asked) => self.redrive(Some(&asked), now).await,
            Request::Discard(asked) => self.discard(&asked, now).await,
            Request::Invoke { function, event } => return self.invoke(&function, &event).await,
            Request::Became(sent) => became(&self.store, now, sent).await,
            Request::Events(asked) => events(&self.store, now, &asked).await,
            Request::Kept | Request::Compact(_) | Request::Removed(_) => {
                Err("a deployment's items go by their expiry: expected the local engine".to_owned())
            }
            Request::Clock { .. } => Err("a deployment's clock is AWS's: expected the local engine".to_owned()),
            Request::Mails(_) | Request::Mail(_) => {
                Err("a deployment is not asked for its mail: expected the local engine".to_owned())
            }
        };
        done.map_err(NotDone::from)
    }

    /// Everything in the deployment's table.
    ///
    /// # Errors
    /// Messages wait, the table cannot be read, or a lineage does not verify.
    pub async fn archive(&self, out: &mut impl std::io::Write) -> Result<archive::Last, String> {
        self.archived(out).await.map_err(|why| self.named(&why))
    }

    async fn archived(&self, out: &mut impl std::io::Write) -> Result<archive::Last, String> {
        for queue in self.topology.queues.values() {
            let is_asked_again = archive::asked_again(&self.topology) == Some(&*queue.name);
            let waiting = self.waiting(&queue.name, !is_asked_again).await?;
            if waiting > 0 {
                return Err(format!(
                    "{waiting} messages wait on {}{}, and an archive holds none: let the queues run empty, and try again",
                    self.prefix, queue.name
                ));
            }
        }
        let now = Instant::from_millis(self.clock.now_millis());
        archive::write(&self.store, &self.table, now, &[], out).await
    }

    /// Puts an archive into the deployment's empty table.
    ///
    /// # Errors
    /// As [`archive::import`].
    pub async fn import(&self, from: archive::Archive) -> Result<archive::Last, String> {
        archive::import(from, &self.store, &self.table).await.map_err(|why| self.named(&why))
    }

    /// How many messages are on a queue, those that are handed out included. `delayed`: those of later instants, too.
    pub(super) async fn waiting(&self, name: &str, delayed: bool) -> Result<u64, String> {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let name = format!("{}{name}", self.prefix);
        let failed = |error: &dyn std::error::Error| format!("asking the queue {name}: {}", with_causes(error));
        let found = self.sqs.get_queue_url().queue_name(&name).send().await.map_err(|error| failed(&error))?;
        let asked = self.sqs.get_queue_attributes().set_queue_url(found.queue_url).attribute_names(Name::All);
        let attributes = asked.send().await.map_err(|error| failed(&error))?.attributes.unwrap_or_default();
        let counted = [
            (Name::ApproximateNumberOfMessages, true),
            (Name::ApproximateNumberOfMessagesNotVisible, true),
            (Name::ApproximateNumberOfMessagesDelayed, delayed),
        ];
        let counted = counted.iter().filter(|(_, counts)| *counts).map(|(name, _)| name);
        Ok(counted.filter_map(|name| attributes.get(name)?.parse::<u64>().ok()).sum())
    }

    pub(super) async fn queue(&self, name: &str) -> Result<Queue, String> {
        let name = format!("{}{name}", self.prefix);
        let found = self.sqs.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| format!("finding the queue {name}: {}", with_causes(error)))?;
        let url = found.queue_url().ok_or_else(|| format!("finding the queue {name}: expected its URL"))?;
        Ok(Queue::new(self.sqs.clone(), url, Jitter::of_the_system()))
    }

    async fn send(&self, events: Vec<String>) -> Result<Value, String> {
        let source = self.topology.functions.get("ingest").and_then(|function| function.source.as_ref());
        let queue = self.queue(source.map_or("", |source| &source.queue)).await?;
        let (mut lines, mut apart) = (Vec::new(), Vec::new());
        for (index, body) in events.iter().enumerate() {
            // What a native payload comes to, the deployment's own bindings say.
            match sources::read(body, &sources::Bindings::default()) {
                Ok(read) if !read.events.is_empty() => {
                    for event in &read.events {
                        lines.push(line(&self.store, event, body).await?);
                    }
                }
                _ => {
                    let why = format!(
                        "event {}: no CloudEvent of the contract; `holdpoint events` lists what came of it",
                        index + 1
                    );
                    apart.push(json!({ "disposition": null, "why": why }));
                }
            }
        }
        let (sent, sent_at) = (events.len(), Instant::from_millis(self.clock.now_millis()));
        let messages = events.into_iter().map(|body| Outgoing { body, attributes: door(), ..Outgoing::default() });
        queue.send_all(messages.collect()).await.map_err(with_causes)?;
        Ok(json!({ "sent": sent, "sent_at": sent_at, "events": lines, "apart": apart }))
    }

    async fn invoke(&self, function: &str, event: &Value) -> Result<Value, NotDone> {
        let Some(known) = self.topology.functions.get(function) else {
            let known: Vec<&str> = self.topology.functions.keys().map(String::as_str).collect();
            return Err(NotDone::Malformed(format!("expected one of {}; found {function:?}", known.join(", "))));
        };
        let longest = Duration::from_secs(known.timeout_seconds.into());
        Ok(self.others.invoke(&format!("{}{function}", self.prefix), &self.topology.alias, event, longest).await?)
    }
}

fn door() -> Vec<(String, String)> {
    vec![("door".to_owned(), packet_store::Door::Send.word().to_owned())]
}
