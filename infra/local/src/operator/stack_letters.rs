//! The dead letters of a deployment: listed with their reasons, sent again, discarded. SQS knows no looking without taking.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sqs::types::MessageSystemAttributeName;
use lambda_shell::{
    clock::Clock,
    queue::{Outgoing, Queue},
};
use refresh_core::Instant;
use serde_json::{Value, json};

use super::{
    Discard, Redrive, Stack,
    letters::{Known, MOST_OF_A_GROUP, say_origin},
    lines::with_causes,
};

/// How long a dead letter is hidden while the letters are listed. Then each is given back, so that whoever looks next sees
/// them all.
const LISTED_SECONDS: i32 = 30;
/// How long one is held to be sent again: ten of them, with a look into the log for each.
const HELD_SECONDS: i32 = 120;
/// How often queues that seem empty are looked at for one letter.
const LOOKS: usize = 10;
/// How often a queue is asked again: each answer holds ten messages at most.
const ROUNDS: usize = 1_000;

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

impl Letter {
    fn known<'a>(&'a self, queue: &'a str, why: Option<&'a str>) -> Known<'a> {
        let attribute = |name: &str| self.attributes.iter().find(|(found, _)| found == name).map(|(_, text)| text);
        let (door, source) = (attribute("door"), attribute("source").cloned());
        Known { body: &self.body, source, door: packet_store::Door::named(door), queue, why }
    }
}

/// How many letters of each group of a FIFO queue were received, and are held.
#[derive(Default)]
struct Groups(BTreeMap<String, usize>);

impl Groups {
    fn add(&mut self, letter: &Letter) {
        if let Some(group) = &letter.group {
            *self.0.entry(group.clone()).or_default() += 1;
        }
    }

    /// Whether a group may have more than SQS hands out of it at once.
    fn hide_some(&self) -> bool {
        self.0.values().any(|held| *held >= MOST_OF_A_GROUP)
    }
}

/// What was received of one queue.
#[derive(Default)]
struct Seen {
    /// The list, by message id.
    lines: BTreeMap<String, Value>,
    groups: Groups,
    /// Receipts of what is only looked at.
    held: Vec<String>,
}

impl Stack {
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

    /// Lists the dead letters, and sends each again where somebody says so.
    pub(super) async fn redrive(&self, again: Option<&Redrive>, now: Instant) -> Result<Value, String> {
        let (mut queues, mut not_shown, mut sent) = (BTreeMap::new(), BTreeMap::new(), 0);
        for (dead, source) in self.topology.dead_letter_queues() {
            let (from, to) = (self.queue(&dead.name).await?, self.queue(&source.name).await?);
            let mut seen = Seen::default();
            let started = Clock::system().now_millis();
            for _ in 0..ROUNDS {
                let letters = self.receive(&from, if again.is_some() { HELD_SECONDS } else { LISTED_SECONDS }).await?;
                // What was refused once more arrives while this goes on, and would go round for ever.
                let fresh = letters.into_iter().filter(|letter| letter.sent_at.is_none_or(|at| at < started));
                let before = seen.lines.len();
                for letter in fresh {
                    let why = self.listed(&mut seen, &letter, &source.name).await;
                    match again {
                        // Sent before it is deleted, so that none is lost in between.
                        Some(asked) => {
                            asked.keep(&self.store, &letter.known(&dead.name, why.as_deref()), now).await?;
                            self.send_again(letter, &from, &to, source.fifo).await?;
                            sent += 1;
                        }
                        None => seen.held.push(letter.receipt),
                    }
                }
                if seen.lines.len() == before {
                    break;
                }
            }
            // Before they are given back: then the queue counts what it holds, shown or not.
            if let Some(more) = self.not_shown(&dead.name, &seen).await.filter(|_| again.is_none()) {
                not_shown.insert(dead.name.clone(), more);
            }
            self.give_back(&from, seen.held).await?;
            queues.insert(dead.name.clone(), seen.lines.into_values().collect::<Vec<_>>());
        }
        let mut answer = json!({ "queues": queues, "not_shown": not_shown });
        if again.is_some() {
            answer["sent_again"] = json!(sent);
        }
        Ok(answer)
    }

    /// Puts a letter on the list, once. Answers why it is dead.
    async fn listed(&self, seen: &mut Seen, letter: &Letter, source: &str) -> Option<String> {
        if let Some(line) = seen.lines.get(&letter.id) {
            return line["why"].as_str().map(str::to_owned);
        }
        let why = self.why(letter, source).await;
        let mut line = letter.line.clone();
        line["why"] = json!(why);
        seen.lines.insert(letter.id.clone(), line);
        seen.groups.add(letter);
        why
    }

    /// How many letters a FIFO queue holds beside those that it showed; null where that may not be asked. `None`: it showed all.
    async fn not_shown(&self, dead: &str, seen: &Seen) -> Option<Value> {
        if !seen.groups.hide_some() {
            return None;
        }
        let more = self.waiting(dead, true).await.ok().map(|held| held.saturating_sub(seen.lines.len() as u64));
        Some(json!(more)).filter(|_| more != Some(0))
    }

    pub(super) async fn discard(&self, asked: &Discard, now: Instant) -> Result<Value, String> {
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
        let mut groups: BTreeMap<&str, Groups> = BTreeMap::new();
        while empty < LOOKS {
            let before = seen.len();
            for (dead, source) in self.topology.dead_letter_queues() {
                let from = self.queue(&dead.name).await?;
                let mut found = None;
                for letter in self.receive(&from, LISTED_SECONDS).await? {
                    if letter.id == asked.letter {
                        found = Some(letter);
                    } else {
                        if !seen.contains(&letter.id) {
                            groups.entry(&dead.name).or_default().add(&letter);
                        }
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
        match groups.iter().find(|(_, groups)| groups.hide_some()) {
            Some((queue, _)) => Err(asked.not_shown(queue)),
            None => Ok(None),
        }
    }

    async fn discard_this(
        &self,
        asked: &Discard,
        now: Instant,
        mut letter: Letter,
        (dead, source): (&str, &str),
    ) -> Result<Value, String> {
        let why = self.why(&letter, source).await;
        asked.keep(&self.store, &letter.known(dead, why.as_deref()), now).await?;
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
            shown.map_err(|error| format!("giving a letter back to {}: {}", to.url, with_causes(error)))?;
        }
        Ok(())
    }

    async fn delete(&self, from: &Queue, receipt: String) -> Result<(), String> {
        let deleted = self.sqs.delete_message().queue_url(&from.url).receipt_handle(receipt).send().await;
        deleted.map(drop).map_err(|error| format!("deleting from {}: {}", from.url, with_causes(error)))
    }

    async fn send_again(&self, letter: Letter, from: &Queue, to: &Queue, fifo: bool) -> Result<(), String> {
        // What was said about it is about the delivery that failed.
        let said = |name: &str| matches!(name, "faults" | "reason" | "format" | "binding" | "source");
        let attributes = letter.attributes.into_iter().filter(|(name, _)| !said(name));
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
            .map_err(|error| format!("reading {}: {}", queue.url, with_causes(error)))?;
        Ok(received.messages().iter().map(letter).collect())
    }
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
    let mut line = json!({
        "message_id": message.message_id(),
        "sent_at": sent_at.map(Instant::from_millis),
        "receives": system(MessageSystemAttributeName::ApproximateReceiveCount),
        "why": Value::Null,
        "body": message.body(),
    });
    let attribute = |name: &str| attributes.iter().find(|(found, _)| found == name).map(|(_, text)| text.clone());
    say_origin(&mut line, message.body().unwrap_or_default(), attribute);
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
