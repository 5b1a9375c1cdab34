//! The operator's requests on a deployment: the same store, and the queues of AWS, found by the stack's name.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use aws_config::{SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_sqs::{error::DisplayErrorContext, types::MessageSystemAttributeName};
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
    Discard, Request,
    discard::Known,
    events::events,
    plan::plan,
    reviews,
    send::{became, line},
    shell, show,
    signed::Signed,
    stuck,
    told::told,
    verified,
    waiting::waiting,
    why::why,
    with_causes,
};
use crate::{archive, not_done::NotDone, topology::Topology};

/// How long a dead letter is hidden while the letters are listed: SQS knows no looking without taking. Then each is given back,
/// so that whoever looks next sees them all.
const LISTED_SECONDS: i32 = 30;
/// How long one is held to be sent again: ten of them, with a look into the log for each.
const HELD_SECONDS: i32 = 120;
/// How often queues that seem empty are looked at for one letter.
const LOOKS: usize = 10;
/// How often a queue is asked again: each answer holds ten messages at most.
const ROUNDS: usize = 1_000;

pub struct Stack {
    topology: Topology,
    store: Store,
    table: String,
    /// What is open depends on the time: the shell's own.
    pub(super) clock: Clock,
    sqs: aws_sdk_sqs::Client,
    /// Lambda and the logs.
    others: Signed,
    /// Before every queue's and function's name.
    prefix: String,
}

/// A dead letter as it was received.
struct Letter {
    id: String,
    body: String,
    attributes: Vec<(String, String)>,
    group: Option<String>,
    receipt: String,
    sent_at: Option<i64>,
    line: Value,
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
        Self::of(&sdk, &format!("{name}-packets"), format!("{name}-"))
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
        })
    }

    /// # Errors
    /// [`NotDone::Malformed`] for a call of a function that is none; else [`NotDone::Failed`].
    pub async fn perform(&self, request: Request) -> Result<Value, NotDone> {
        let now = Instant::from_millis(self.clock.now_millis());
        let done = match request {
            Request::Reviews => reviews(&self.store, now).await,
            Request::Show(review) => show(&self.store, now, &review).await,
            Request::Verify(review) => verified(&self.store, review.as_ref()).await,
            Request::Why(review) => why(&self.store, now, &review).await,
            Request::Waiting(person) => waiting(&self.store, now, person.as_ref()).await,
            Request::Told(person) => told(&self.store, now, &person).await,
            Request::Stuck(asked) => {
                let dead = self.redrive(false).await.map(|listed| listed["queues"].clone());
                stuck::of(&self.store, now, dead, &asked).await
            }
            Request::Plan(planned) => return plan(&self.store, now, None, &planned).await,
            Request::Send(events) => self.send(events).await,
            Request::DeadLetters => self.redrive(false).await,
            Request::Redrive => self.redrive(true).await,
            Request::Discard(asked) => self.discard(&asked, now).await,
            Request::Invoke { function, event } => return self.invoke(&function, &event).await,
            Request::Became(sent) => became(&self.store, now, sent).await,
            Request::Events(asked) => events(&self.store, now, &asked).await,
            Request::Compact => Err("a deployment's items go by their expiry: expected the local engine".to_owned()),
            Request::Clock { .. } => Err("a deployment's clock is AWS's: expected the local engine".to_owned()),
            Request::Mails | Request::Mail(_) => {
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
        archive::write(&self.store, &self.table, now, out).await
    }

    /// Puts an archive into the deployment's empty table.
    ///
    /// # Errors
    /// As [`archive::import`].
    pub async fn import(&self, from: archive::Archive) -> Result<archive::Last, String> {
        archive::import(from, &self.store, &self.table).await
    }

    /// How many messages are on a queue, those that are handed out included. `delayed`: those of later instants, too.
    async fn waiting(&self, name: &str, delayed: bool) -> Result<u64, String> {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let name = format!("{}{name}", self.prefix);
        let failed = |error: &dyn std::error::Error| format!("asking the queue {name}: {}", DisplayErrorContext(error));
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

    async fn queue(&self, name: &str) -> Result<Queue, String> {
        let name = format!("{}{name}", self.prefix);
        let found = self.sqs.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| format!("finding the queue {name}: {}", DisplayErrorContext(error)))?;
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
        let known: Vec<&str> = self.topology.functions.keys().map(String::as_str).collect();
        if !known.contains(&function) {
            return Err(NotDone::Malformed(format!("expected one of {}; found {function:?}", known.join(", "))));
        }
        Ok(self.others.invoke(&format!("{}{function}", self.prefix), &self.topology.alias, event).await?)
    }

    /// Why a message ended among the dead letters. What was refused carries its faults; what failed too often, SQS moved
    /// without a word, and the log of the function that handed it back says why.
    async fn why(&self, letter: &Letter, source: &str) -> Option<String> {
        let of = |name: &str| letter.attributes.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone());
        if let Some(told) = of("faults").or_else(|| of("reason")) {
            return Some(told);
        }
        let mut functions = self.topology.functions.values();
        let reader = functions.find(|function| function.source.as_ref().is_some_and(|from| from.queue == source))?;
        let group = format!("/aws/lambda/{}{}", self.prefix, reader.name);
        let found = self.others.failure_of(&group, &letter.id, letter.sent_at?).await;
        // A log that cannot be read is no reason to list nothing.
        found.unwrap_or_else(|why| Some(format!("no reason was kept, and the log could not be asked: {why}")))
    }

    /// Lists the dead letters; sends each again before it is deleted, so that none is lost in between.
    async fn redrive(&self, again: bool) -> Result<Value, String> {
        let (mut queues, mut sent) = (BTreeMap::new(), 0);
        for (dead, source) in self.topology.dead_letter_queues() {
            let (from, to) = (self.queue(&dead.name).await?, self.queue(&source.name).await?);
            let (mut lines, mut listed) = (BTreeMap::new(), Vec::new());
            let started = Clock::system().now_millis();
            for _ in 0..ROUNDS {
                let letters = self.receive(&from, if again { HELD_SECONDS } else { LISTED_SECONDS }).await?;
                // What was refused once more arrives while this goes on, and would go round for ever.
                let fresh = |letter: &Letter| letter.sent_at.is_none_or(|at| at < started);
                let mut found_one = false;
                for mut letter in letters.into_iter().filter(fresh) {
                    if let Entry::Vacant(line) = lines.entry(letter.id.clone()) {
                        letter.line["why"] = json!(self.why(&letter, &source.name).await);
                        line.insert(letter.line.take());
                        found_one = true;
                    }
                    if again {
                        self.send_again(letter, &from, &to, source.fifo).await?;
                        sent += 1;
                    } else {
                        listed.push(letter.receipt);
                    }
                }
                if !found_one {
                    break;
                }
            }
            self.give_back(&from, listed).await?;
            queues.insert(dead.name.clone(), lines.into_values().collect::<Vec<_>>());
        }
        Ok(json!({ "queues": queues, "sent_again": sent }))
    }

    async fn discard(&self, asked: &Discard, now: Instant) -> Result<Value, String> {
        let mut others = Vec::new();
        let done = self.discard_one(asked, now, &mut others).await;
        for (queue, receipt) in others {
            self.give_back(&queue, vec![receipt]).await?;
        }
        done?.ok_or_else(|| asked.not_there())
    }

    /// Takes letter after letter until the one that is asked for comes; `others` are those that came before. What somebody else
    /// lists at this moment is hidden, so queues that seem empty are looked at several times.
    async fn discard_one(
        &self,
        asked: &Discard,
        now: Instant,
        others: &mut Vec<(Queue, String)>,
    ) -> Result<Option<Value>, String> {
        let (mut seen, mut empty) = (BTreeSet::new(), 0);
        while empty < LOOKS {
            let before = seen.len();
            for (dead, source) in self.topology.dead_letter_queues() {
                let from = self.queue(&dead.name).await?;
                let mut found = None;
                for letter in self.receive(&from, LISTED_SECONDS).await? {
                    if letter.id == asked.letter {
                        found = Some(letter);
                    } else {
                        seen.insert(letter.id);
                        others.push((from.clone(), letter.receipt));
                    }
                }
                if let Some(letter) = found {
                    return self.discard_this(asked, now, letter, (&dead.name, &source.name)).await.map(Some);
                }
            }
            // A letter that comes again was given back by time: nothing new was seen.
            if seen.len() == before {
                empty += 1;
            }
        }
        Ok(None)
    }

    async fn discard_this(
        &self,
        asked: &Discard,
        now: Instant,
        mut letter: Letter,
        (dead, source): (&str, &str),
    ) -> Result<Value, String> {
        let why = self.why(&letter, source).await;
        let door = letter.attributes.iter().find(|(name, _)| name == "door").map(|(_, word)| word);
        let door = packet_store::Door::named(door);
        asked.keep(&self.store, &Known { body: &letter.body, door, queue: dead, why: why.as_deref() }, now).await?;
        letter.line["why"] = json!(why);
        let line = letter.line.take();
        self.delete(&self.queue(dead).await?, letter.receipt).await?;
        Ok(asked.done(now, dead, &line))
    }

    /// Lets the next look see these letters again.
    async fn give_back(&self, to: &Queue, receipts: Vec<String>) -> Result<(), String> {
        for receipt in receipts {
            let shown = self.sqs.change_message_visibility().queue_url(&to.url).receipt_handle(receipt);
            let shown = shown.visibility_timeout(0).send().await;
            shown.map_err(|error| format!("giving a letter back to {}: {}", to.url, DisplayErrorContext(error)))?;
        }
        Ok(())
    }

    async fn delete(&self, from: &Queue, receipt: String) -> Result<(), String> {
        let deleted = self.sqs.delete_message().queue_url(&from.url).receipt_handle(receipt).send().await;
        deleted.map(drop).map_err(|error| format!("deleting from {}: {}", from.url, DisplayErrorContext(error)))
    }

    async fn send_again(&self, letter: Letter, from: &Queue, to: &Queue, fifo: bool) -> Result<(), String> {
        // What was said about it is about the delivery that failed.
        let attributes = letter.attributes.into_iter().filter(|(name, _)| name != "faults" && name != "reason");
        let outgoing = Outgoing { body: letter.body, attributes: attributes.collect(), ..Outgoing::default() };
        let outgoing = match letter.group.filter(|_| fifo) {
            // By its own id and not by its content: the same words may have been sent minutes ago, and the queue would
            // drop these, which are then deleted here. Sent twice, as after a lost answer, they are one.
            Some(group) => Outgoing { deduplication: Some(letter.id), ..outgoing.in_group(group) },
            None => outgoing,
        };
        to.send(outgoing).await.map_err(with_causes)?;
        self.delete(from, letter.receipt).await
    }

    async fn receive(&self, queue: &Queue, hidden_seconds: i32) -> Result<Vec<Letter>, String> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(&queue.url)
            .max_number_of_messages(10)
            .visibility_timeout(hidden_seconds)
            // Asked without waiting, only some of a queue's servers answer, and a letter would seem not to be there.
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| format!("reading {}: {}", queue.url, DisplayErrorContext(error)))?;
        Ok(received.messages().iter().map(letter).collect())
    }
}

fn door() -> Vec<(String, String)> {
    vec![("door".to_owned(), packet_store::Door::Send.word().to_owned())]
}

fn letter(message: &aws_sdk_sqs::types::Message) -> Letter {
    let system = |name: MessageSystemAttributeName| message.attributes().and_then(|all| all.get(&name)).cloned();
    let attributes: Vec<(String, String)> = message
        .message_attributes()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.string_value()?.to_owned())))
        .collect();
    let sent_at = system(MessageSystemAttributeName::SentTimestamp).and_then(|at| at.parse::<i64>().ok());
    let line = json!({
        "message_id": message.message_id(),
        "sent_at": sent_at.map(Instant::from_millis),
        "receives": system(MessageSystemAttributeName::ApproximateReceiveCount),
        "why": Value::Null,
        "body": message.body(),
    });
    Letter {
        id: message.message_id().unwrap_or_default().to_owned(),
        body: message.body().unwrap_or_default().to_owned(),
        attributes,
        group: system(MessageSystemAttributeName::MessageGroupId),
        receipt: message.receipt_handle().unwrap_or_default().to_owned(),
        sent_at,
        line,
    }
}
