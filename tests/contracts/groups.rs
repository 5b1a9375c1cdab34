//! FIFO queues: one group is one review.

use std::time::Duration;

use aws_sdk_sqs::{error::ProvideErrorMetadata, types::MessageSystemAttributeName};
use lambda_shell::queue::Outgoing;

use crate::{
    contracts,
    place::Place,
    queues::{bodies, delete, receive, said, sender},
};

contracts![
    a_group_comes_in_the_order_of_sending,
    a_group_in_flight_holds_its_rest_back_and_no_other,
    an_unfinished_group_comes_again_in_order,
    the_same_message_twice_arrives_once,
    deduplication_counts_within_a_group,
    deduplication_outlives_the_message,
    a_message_without_group_or_identity_is_refused,
    a_poison_message_lets_its_group_go_on,
];

const QUEUE: &str = "refresh.fifo";
const VISIBILITY: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(600);

async fn send(place: &Place, group: &str, body: &str) {
    let message = Outgoing { body: body.to_owned(), ..Outgoing::default() }.in_group(group);
    sender(place, QUEUE).send(message).await.expect("sent");
}

async fn a_group_comes_in_the_order_of_sending(place: Place) {
    for body in ["a1", "b1", "a2", "b2", "a3"] {
        send(&place, &body[..1], body).await;
    }
    let received = receive(&place, QUEUE, LONG).await;
    let of = |group: &str| -> Vec<String> {
        let of_group =
            received.iter().filter(|one| said(one, MessageSystemAttributeName::MessageGroupId) == Some(group));
        of_group.map(|one| one.body().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!((of("a"), of("b")), (vec!["a1".into(), "a2".into(), "a3".into()], vec!["b1".into(), "b2".into()]));
    let sequences: Vec<_> = received.iter().map(|one| said(one, MessageSystemAttributeName::SequenceNumber)).collect();
    assert!(sequences.iter().all(Option::is_some), "{sequences:?}");
}

async fn a_group_in_flight_holds_its_rest_back_and_no_other(place: Place) {
    send(&place, "a", "a1").await;
    let first = receive(&place, QUEUE, LONG).await;
    assert_eq!(bodies(&first), ["a1"]);
    send(&place, "a", "a2").await;
    send(&place, "b", "b1").await;
    assert_eq!(bodies(&receive(&place, QUEUE, LONG).await), ["b1"]);
    delete(&place, QUEUE, &first[0]).await;
    assert_eq!(bodies(&receive(&place, QUEUE, LONG).await), ["a2"]);
}

async fn an_unfinished_group_comes_again_in_order(place: Place) {
    for body in ["a1", "a2", "a3"] {
        send(&place, "a", body).await;
    }
    let first = receive(&place, QUEUE, VISIBILITY).await;
    assert_eq!(bodies(&first), ["a1", "a2", "a3"]);
    // The first is done, the second failed: so must the third have.
    delete(&place, QUEUE, &first[0]).await;
    assert!(receive(&place, QUEUE, VISIBILITY).await.is_empty());
    place.pass(VISIBILITY).await;
    assert_eq!(bodies(&receive(&place, QUEUE, VISIBILITY).await), ["a2", "a3"]);
}

async fn the_same_message_twice_arrives_once(place: Place) {
    send(&place, "a", "same").await;
    send(&place, "a", "same").await;
    send(&place, "a", "other").await;
    assert_eq!(bodies(&receive(&place, QUEUE, LONG).await), ["same", "other"]);
}

async fn deduplication_counts_within_a_group(place: Place) {
    send(&place, "a", "same").await;
    send(&place, "b", "same").await;
    assert_eq!(bodies(&receive(&place, QUEUE, LONG).await), ["same", "same"]);
}

async fn deduplication_outlives_the_message(place: Place) {
    send(&place, "a", "same").await;
    delete(&place, QUEUE, &receive(&place, QUEUE, LONG).await[0]).await;
    send(&place, "a", "same").await;
    assert!(receive(&place, QUEUE, LONG).await.is_empty());
}

async fn a_message_without_group_or_identity_is_refused(place: Place) {
    let request = || place.sqs.send_message().queue_url(place.url(QUEUE)).message_body("x");
    let refused = request().message_deduplication_id("d").send().await.expect_err("no group");
    assert_eq!(refused.code(), Some("MissingParameter"));
    let refused = request().message_group_id("a").send().await.expect_err("no identity");
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
}

async fn a_poison_message_lets_its_group_go_on(place: Place) {
    let redrive = place.wiring(QUEUE).redrive.clone().expect("a dead-letter queue");
    send(&place, "a", "poison").await;
    for _ in 0..redrive.after_receives {
        assert_eq!(bodies(&receive(&place, QUEUE, Duration::ZERO).await), ["poison"]);
        place.pass(Duration::from_millis(10)).await;
    }
    send(&place, "a", "healthy").await;
    assert_eq!(bodies(&receive(&place, QUEUE, LONG).await), ["healthy"]);
    let dead = receive(&place, &redrive.to, LONG).await;
    assert_eq!(bodies(&dead), ["poison"]);
    assert_eq!(said(&dead[0], MessageSystemAttributeName::MessageGroupId), Some("a"));
}
