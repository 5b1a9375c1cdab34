//! A batch of queue messages, record by record or group by group, and the answer that says which ones to keep.
//!
//! What SQS makes of the answer decides the care taken here: an empty list acknowledges everything; an empty or
//! unknown id fails everything; a message that was never looked at and is not reported is gone.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, task::Poll};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};

use tracing::Instrument;

use crate::{Failure, deadline::Deadline};

/// One message of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The id that SQS gave the message. The answer names a failed message by this id.
    pub id: String,
    /// The body, as it was sent.
    pub body: String,
    /// The FIFO queue's message group, or the tenant of a fair queue.
    pub group: Option<String>,
    /// When the message was sent, in milliseconds since 1970-01-01T00:00:00Z; `None` where SQS does not say.
    pub sent_at_millis: Option<i64>,
    /// Who put the message on the queue, as SQS proved: an account, or a role's id and session. `None` where the queue
    /// does not say.
    pub sender: Option<String>,
    /// 1 at the first delivery.
    pub receive_count: u32,
    /// The message attributes with a string value.
    pub attributes: BTreeMap<String, String>,
}

impl Message {
    /// The body as what it should be. The reader's own words would quote what they found, so they are not passed on.
    ///
    /// # Errors
    ///
    /// The body is not what `read` reads. That failure lasts: the same body never reads otherwise.
    pub fn json<T>(&self, doing: &str, read: impl FnOnce(&str) -> Result<T, serde_json::Error>) -> Result<T, Failure> {
        read(&self.body).map_err(|error| {
            let kind = error.classify();
            Failure::lasting(doing, format!("expected a message of ours, found something else ({kind:?})"))
        })
    }
}

/// What became of each message, in the order of the batch.
#[derive(Clone, Debug)]
pub struct BatchReport<T> {
    /// Each message's id, with what came of the message or why it failed.
    pub outcomes: Vec<(String, Result<T, Failure>)>,
    /// Set where the batch could not be read at all: the invocation itself must fail, so that all of it comes again.
    pub refused: Option<Failure>,
}

impl<T> BatchReport<T> {
    /// The report on a batch that cannot be read at all.
    pub fn refused(failure: Failure) -> Self {
        Self { outcomes: Vec::new(), refused: Some(failure) }
    }

    /// What follows from all messages together failed: all of them are handed back.
    pub fn fail(&mut self, failure: &Failure) {
        failure.log("handed back to the queue");
        for (_, outcome) in self.outcomes.iter_mut().filter(|(_, outcome)| outcome.is_ok()) {
            *outcome = Err(failure.clone());
        }
    }

    /// The partial batch response; an error where the whole invocation must fail.
    ///
    /// # Errors
    ///
    /// The failure for which the batch was refused.
    pub fn response(&self) -> Result<SqsBatchResponse, Failure> {
        if let Some(failure) = &self.refused {
            return Err(failure.clone());
        }
        let mut response = SqsBatchResponse::default();
        for (id, _) in self.outcomes.iter().filter(|(_, outcome)| outcome.is_err()) {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id.clone();
            response.batch_item_failures.push(failure);
        }
        Ok(response)
    }

    /// The messages that failed, by id.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Failure)> {
        self.outcomes.iter().filter_map(|(id, outcome)| outcome.as_ref().err().map(|failure| (id.as_str(), failure)))
    }

    /// What came of the messages that did not fail.
    pub fn successes(&self) -> impl Iterator<Item = &T> {
        self.outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok())
    }
}

/// Reads what AWS sends. A message without an id cannot be reported by itself: then the whole batch is refused, since
/// leaving it out would acknowledge it.
///
/// # Errors
///
/// A message has no id. The failure names the message by its place in the batch.
pub fn read(event: SqsEvent) -> Result<Vec<Message>, Failure> {
    event.records.into_iter().enumerate().map(|(index, record)| message(index, record)).collect()
}

fn message(index: usize, record: SqsMessage) -> Result<Message, Failure> {
    let id = record.message_id.filter(|id| !id.is_empty()).ok_or_else(|| {
        Failure::new("reading the batch", format!("Records[{index}].messageId: expected an id, found none"))
    })?;
    let number = |name: &str| record.attributes.get(name).and_then(|text| text.parse::<i64>().ok());
    Ok(Message {
        sent_at_millis: number("SentTimestamp"),
        receive_count: number("ApproximateReceiveCount").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        sender: record.attributes.get("SenderId").filter(|sender| !sender.is_empty()).cloned(),
        group: record.attributes.get("MessageGroupId").filter(|group| !group.is_empty()).cloned(),
        attributes: record
            .message_attributes
            .into_iter()
            .filter_map(|(name, attribute)| Some((name, attribute.string_value?)))
            .collect(),
        body: record.body.unwrap_or_default(),
        id,
    })
}

/// A standard queue: each message by itself. One that fails or panics leaves the others alone.
pub async fn each<T, F>(event: SqsEvent, deadline: &Deadline, handle: impl FnMut(Message) -> F) -> BatchReport<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    match read(event) {
        Ok(messages) => each_of(messages, deadline, handle).await,
        Err(failure) => refuse(failure),
    }
}

/// What is done for all messages of a batch before each is handled by itself. Where that fails or panics, nothing was done
/// for any: each message can be handled without.
pub async fn before_each<T, F>(deadline: &Deadline, begin: impl FnOnce() -> F) -> T
where
    T: Default,
    F: Future<Output = Result<T, Failure>>,
{
    Box::pin(attempt(deadline, begin)).await.unwrap_or_else(|failure| {
        let error = failure.chain();
        tracing::info!(error, "the messages of a batch are handled one by one");
        T::default()
    })
}

/// [`each`] of messages that were read already.
pub async fn each_of<T, F>(
    messages: Vec<Message>,
    deadline: &Deadline,
    mut handle: impl FnMut(Message) -> F,
) -> BatchReport<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut outcomes = Vec::with_capacity(messages.len());
    for message in messages {
        let id = message.id.clone();
        let outcome = one(deadline, &id, || handle(message)).await;
        outcomes.push((id, outcome));
    }
    BatchReport { outcomes, refused: None }
}

/// A FIFO queue where each message matters by itself: once one of a group fails, the rest of that group is handed
/// back unseen, so that none overtakes it.
pub async fn in_order<T, F>(
    event: SqsEvent,
    deadline: &Deadline,
    mut handle: impl FnMut(Message) -> F,
) -> BatchReport<T>
where
    F: Future<Output = Result<T, Failure>>,
{
    let messages = match read(event) {
        Ok(messages) => messages,
        Err(failure) => return refuse(failure),
    };
    let mut broken: BTreeMap<String, String> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(messages.len());
    for message in messages {
        let (id, group) = (message.id.clone(), message.group.clone());
        let before = group.as_ref().and_then(|group| broken.get(group));
        let outcome = match before {
            Some(before) => Err(Failure::passing("keeping the order of the group", format!("message {before} failed"))),
            None => one(deadline, &id, || handle(message)).await,
        };
        if let (Err(_), Some(group)) = (&outcome, group) {
            broken.entry(group).or_insert_with(|| id.clone());
        }
        outcomes.push((id, outcome));
    }
    BatchReport { outcomes, refused: None }
}

/// A FIFO queue whose groups fold: the messages of a group are handed over together, in order, and share an outcome.
/// Groups go in the order of their first message. A message without a group is a group of its own.
pub async fn by_group<T, F>(
    event: SqsEvent,
    deadline: &Deadline,
    mut handle: impl FnMut(Vec<Message>) -> F,
) -> BatchReport<T>
where
    T: Clone,
    F: Future<Output = Result<T, Failure>>,
{
    let messages = match read(event) {
        Ok(messages) => messages,
        Err(failure) => return refuse(failure),
    };
    let order: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
    let mut groups: Vec<Vec<Message>> = Vec::new();
    let mut place: BTreeMap<String, usize> = BTreeMap::new();
    for message in messages {
        let known = message.group.as_ref().and_then(|group| place.get(group).copied());
        match (known, &message.group) {
            (Some(index), _) => groups[index].push(message),
            (None, group) => {
                if let Some(group) = group {
                    place.insert(group.clone(), groups.len());
                }
                groups.push(vec![message]);
            }
        }
    }
    let mut found: BTreeMap<String, Result<T, Failure>> = BTreeMap::new();
    for group in groups {
        let ids: Vec<String> = group.iter().map(|message| message.id.clone()).collect();
        let outcome = one(deadline, &ids.join(","), || handle(group)).await;
        found.extend(ids.into_iter().map(|id| (id, outcome.clone())));
    }
    // Ids are unique in a batch; were one delivered twice, both stand under the same outcome.
    let outcomes = order
        .into_iter()
        .filter_map(|id| {
            let outcome = found.get(&id).cloned()?;
            Some((id, outcome))
        })
        .collect();
    BatchReport { outcomes, refused: None }
}

/// The one log line of a failure: here is where it is handled.
async fn one<T, F>(deadline: &Deadline, id: &str, begin: impl FnOnce() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    // At the highest level, so that no setting leaves its lines without it.
    let span = tracing::error_span!("record", message_id = id);
    let handled = async {
        let outcome = Box::pin(attempt(deadline, begin)).await;
        if let Err(failure) = &outcome {
            failure.log("handed back to the queue");
        }
        outcome
    };
    handled.instrument(span).await
}

async fn attempt<T, F>(deadline: &Deadline, begin: impl FnOnce() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    if deadline.is_near() {
        return Err(Failure::passing("starting the record", "the deadline is near; it was not begun"));
    }
    match deadline.bound(unless_panic(begin)).await {
        Some(Ok(outcome)) => outcome,
        // The panic's own text may quote anything, so it is not passed on; the panic hook logged where it was.
        Some(Err(Panicked)) => Err(Failure::new("handling the record", "panicked")),
        None => Err(Failure::new("handling the record", "cut off at the deadline")),
    }
}

struct Panicked;

/// Catches a panic of the future, and of making it. A future that panicked is dropped and never polled again.
async fn unless_panic<F: Future>(begin: impl FnOnce() -> F) -> Result<F::Output, Panicked> {
    // On the heap: the state of a decision with its SDK calls is tens of kilobytes, and stacks of workers are small.
    let mut future = Box::pin(std::panic::catch_unwind(AssertUnwindSafe(begin)).map_err(|_| Panicked)?);
    std::future::poll_fn(|context| match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}

/// The report on a batch that cannot be read at all, and its log line.
pub fn refuse<T>(failure: Failure) -> BatchReport<T> {
    failure.log("the whole batch is refused");
    BatchReport::refused(failure)
}
