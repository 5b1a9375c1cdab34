//! Standard queues: delay, visibility, redrive, batches. Sent by the product's own sender.

use std::time::Duration;

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry},
};
use lambda_shell::{
    jitter::Jitter,
    queue::{Outgoing, Queue},
};

use crate::{contracts, place::Place};

contracts![
    a_message_arrives_as_it_was_sent,
    a_delayed_message_waits,
    what_is_not_deleted_comes_again,
    what_is_deleted_is_gone,
    deleting_again_is_no_error,
    visibility_can_be_given_back,
    what_fails_too_often_is_dead_lettered,
    one_bad_entry_fails_alone,
    an_absent_queue_is_named_so,
    a_delay_beyond_a_quarter_of_an_hour_is_refused,
    many_messages_are_all_sent,
];

const QUEUE: &str = "notices";
/// Of a receive; long enough for a busy machine to answer in between.
const VISIBILITY: Duration = Duration::from_secs(2);

pub fn sender(place: &Place, queue: &str) -> Queue {
    Queue::new(place.sqs.clone(), place.url(queue), Jitter::of_the_system())
}

/// At most ten, with everything SQS says of them.
pub async fn receive(place: &Place, queue: &str, visibility: Duration) -> Vec<Message> {
    let answer = place
        .sqs
        .receive_message()
        .queue_url(place.url(queue))
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .visibility_timeout(i32::try_from(visibility.as_secs()).expect("short"))
        .send()
        .await;
    answer.expect("a receive").messages.unwrap_or_default()
}

pub fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body().unwrap_or_default()).collect()
}

pub async fn delete(place: &Place, queue: &str, message: &Message) {
    let request = place.sqs.delete_message().queue_url(place.url(queue));
    request.receipt_handle(message.receipt_handle().expect("a receipt")).send().await.expect("a deletion");
}

pub fn said(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes().and_then(|attributes| attributes.get(&name)).map(String::as_str)
}

fn outgoing(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

async fn a_message_arrives_as_it_was_sent(place: Place) {
    let body = "{\"review\":\"RR-1\",\"at\":\"2026-11-03T08:00:00Z\",\"note\":\"\u{fc}mlaut <&> \\ufffe\"}";
    let trace = ("trace".to_owned(), "Root=1-2-3".to_owned());
    let message = Outgoing { attributes: vec![trace], ..outgoing(body) };
    sender(&place, QUEUE).send(message).await.expect("sent");
    let received = receive(&place, QUEUE, VISIBILITY).await;
    assert_eq!(bodies(&received), [body]);
    let attribute = &received[0].message_attributes().expect("attributes")["trace"];
    assert_eq!(attribute.string_value(), Some("Root=1-2-3"));
    assert!(received[0].message_id().is_some_and(|id| !id.is_empty()));
    assert_eq!(said(&received[0], MessageSystemAttributeName::ApproximateReceiveCount), Some("1"));
    assert!(said(&received[0], MessageSystemAttributeName::SentTimestamp).is_some());
}

async fn a_delayed_message_waits(place: Place) {
    sender(&place, QUEUE).send(outgoing("later").delayed(2)).await.expect("sent");
    sender(&place, QUEUE).send(outgoing("now")).await.expect("sent");
    assert_eq!(bodies(&receive(&place, QUEUE, VISIBILITY * 10).await), ["now"]);
    place.pass(Duration::from_secs(2)).await;
    assert_eq!(bodies(&receive(&place, QUEUE, VISIBILITY).await), ["later"]);
}

async fn what_is_not_deleted_comes_again(place: Place) {
    sender(&place, QUEUE).send(outgoing("again")).await.expect("sent");
    let first = receive(&place, QUEUE, VISIBILITY).await;
    assert_eq!(bodies(&first), ["again"]);
    assert!(receive(&place, QUEUE, VISIBILITY).await.is_empty(), "in flight");
    place.pass(VISIBILITY).await;
    let second = receive(&place, QUEUE, VISIBILITY).await;
    assert_eq!(bodies(&second), ["again"]);
    assert_eq!(second[0].message_id(), first[0].message_id());
    assert_eq!(said(&second[0], MessageSystemAttributeName::ApproximateReceiveCount), Some("2"));
}

async fn what_is_deleted_is_gone(place: Place) {
    sender(&place, QUEUE).send(outgoing("once")).await.expect("sent");
    let received = receive(&place, QUEUE, VISIBILITY).await;
    delete(&place, QUEUE, &received[0]).await;
    place.pass(VISIBILITY).await;
    assert!(receive(&place, QUEUE, VISIBILITY).await.is_empty());
}

async fn deleting_again_is_no_error(place: Place) {
    // The answer of the first may have been lost.
    sender(&place, QUEUE).send(outgoing("once")).await.expect("sent");
    let received = receive(&place, QUEUE, VISIBILITY).await;
    delete(&place, QUEUE, &received[0]).await;
    delete(&place, QUEUE, &received[0]).await;
}

async fn visibility_can_be_given_back(place: Place) {
    sender(&place, QUEUE).send(outgoing("back")).await.expect("sent");
    let received = receive(&place, QUEUE, Duration::from_secs(600)).await;
    let request = place.sqs.change_message_visibility().queue_url(place.url(QUEUE)).visibility_timeout(0);
    request.receipt_handle(received[0].receipt_handle().expect("a receipt")).send().await.expect("given back");
    assert_eq!(bodies(&receive(&place, QUEUE, VISIBILITY).await), ["back"]);
}

async fn what_fails_too_often_is_dead_lettered(place: Place) {
    let redrive = place.wiring(QUEUE).redrive.clone().expect("a dead-letter queue");
    sender(&place, QUEUE).send(outgoing("poison")).await.expect("sent");
    for receive_count in 1..=redrive.after_receives {
        let received = receive(&place, QUEUE, Duration::ZERO).await;
        assert_eq!(bodies(&received), ["poison"], "receive {receive_count}");
        assert!(receive(&place, &redrive.to, Duration::ZERO).await.is_empty());
        place.pass(Duration::from_millis(10)).await;
    }
    assert!(receive(&place, QUEUE, Duration::ZERO).await.is_empty(), "one receive too many");
    let dead = receive(&place, &redrive.to, VISIBILITY).await;
    assert_eq!(bodies(&dead), ["poison"]);
    let from = said(&dead[0], MessageSystemAttributeName::DeadLetterQueueSourceArn).unwrap_or_default();
    assert!(from.ends_with(QUEUE), "{from:?}");
}

async fn one_bad_entry_fails_alone(place: Place) {
    let entry = |id: &str, delay| {
        SendMessageBatchRequestEntry::builder().id(id).message_body(id).delay_seconds(delay).build().expect("an entry")
    };
    let entries = vec![entry("good", 0), entry("bad", 901), entry("fine", 0)];
    let request = place.sqs.send_message_batch().queue_url(place.url(QUEUE)).set_entries(Some(entries));
    let answer = request.send().await.expect("an answer");
    let sent: Vec<&str> = answer.successful().iter().map(|entry| entry.id()).collect();
    let failed: Vec<(&str, bool)> = answer.failed().iter().map(|entry| (entry.id(), entry.sender_fault())).collect();
    assert_eq!((sent, failed), (vec!["good", "fine"], vec![("bad", true)]));
    let mut arrived: Vec<String> = Vec::new();
    arrived.extend(bodies(&receive(&place, QUEUE, VISIBILITY * 10).await).into_iter().map(str::to_owned));
    arrived.sort();
    assert_eq!(arrived, ["fine", "good"]);
}

async fn an_absent_queue_is_named_so(place: Place) {
    let absent = format!("{}-absent", place.url(QUEUE));
    let refused = place.sqs.send_message().queue_url(absent).message_body("x").send().await.expect_err("no queue");
    assert!(refused.as_service_error().is_some_and(|error| error.is_queue_does_not_exist()), "{refused:?}");
}

async fn a_delay_beyond_a_quarter_of_an_hour_is_refused(place: Place) {
    let request = place.sqs.send_message().queue_url(place.url(QUEUE)).message_body("x").delay_seconds(901);
    assert_eq!(request.send().await.expect_err("too long").code(), Some("InvalidParameterValue"));
}

async fn many_messages_are_all_sent(place: Place) {
    let names: Vec<String> = (0..25).map(|number| format!("m{number:02}")).collect();
    sender(&place, QUEUE).send_all(names.iter().map(|name| outgoing(name)).collect()).await.expect("sent");
    let mut arrived = Vec::new();
    loop {
        let received = receive(&place, QUEUE, Duration::from_secs(60)).await;
        if received.is_empty() {
            break;
        }
        arrived.extend(bodies(&received).into_iter().map(str::to_owned));
    }
    arrived.sort();
    assert_eq!(arrived, names);
}
