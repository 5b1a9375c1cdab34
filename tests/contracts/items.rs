//! One item at a time: conditions, updates by attribute, and what is never taken.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::ReturnValuesOnConditionCheckFailure};
use packet_store::Store;
use refresh_core::{
    Instant, Person, ReviewId,
    record::{
        claim::Claim,
        delivery::{Delivery, DeliveryReport, DeliveryStatus},
    },
};

use crate::{
    contracts,
    place::{Place, item, key, number, text},
};

contracts![
    a_put_that_must_not_exist_shows_what_does,
    an_update_sets_and_removes_and_leaves_the_rest,
    an_update_whose_condition_fails_changes_nothing,
    of_many_claims_at_once_one_is_granted,
    an_item_beyond_400_kilobytes_is_refused,
    what_was_written_is_read_at_once,
    of_many_reports_on_a_mail_the_heaviest_is_kept,
];

async fn a_put_that_must_not_exist_shows_what_does(place: Place) {
    place.put(item("EVENT#a", "EVENT", &[("digest", text("first"))])).await;
    let refused = place
        .dynamodb
        .put_item()
        .table_name(&place.table)
        .set_item(Some(item("EVENT#a", "EVENT", &[("digest", text("second"))])))
        .condition_expression("attribute_not_exists(#pk)")
        .expression_attribute_names("#pk", "pk")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .expect_err("it exists")
        .into_service_error();
    assert_eq!(refused.code(), Some("ConditionalCheckFailedException"));
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) = refused else {
        panic!("expected the condition's own error");
    };
    assert_eq!(refused.item.expect("the item as it is")["digest"], text("first"));
    assert_eq!(place.item("EVENT#a", "EVENT").await.expect("it")["digest"], text("first"));
}

async fn an_update_sets_and_removes_and_leaves_the_rest(place: Place) {
    let claim = [("body", text("told")), ("by", text("worker")), ("until", number(9))];
    place.put(item("REVIEW#a", "TOLD#p", &claim)).await;
    place
        .dynamodb
        .update_item()
        .table_name(&place.table)
        .set_key(Some(key("REVIEW#a", "TOLD#p")))
        .update_expression("SET #digest = :digest REMOVE #by, #until")
        .condition_expression("#by = :by")
        .expression_attribute_names("#digest", "digest")
        .expression_attribute_names("#by", "by")
        .expression_attribute_names("#until", "until")
        .expression_attribute_values(":digest", text("d"))
        .expression_attribute_values(":by", text("worker"))
        .send()
        .await
        .expect("an update");
    let expected = item("REVIEW#a", "TOLD#p", &[("body", text("told")), ("digest", text("d"))]);
    assert_eq!(place.item("REVIEW#a", "TOLD#p").await, Some(expected));
}

async fn an_update_whose_condition_fails_changes_nothing(place: Place) {
    // A claim that somebody holds, and one on an item that is not there: a comparison with nothing is false.
    let held = item("REVIEW#a", "TOLD#p", &[("by", text("other"))]);
    place.put(held.clone()).await;
    for (sk, left) in [("TOLD#p", Some(held)), ("TOLD#absent", None)] {
        let refused = place
            .dynamodb
            .update_item()
            .table_name(&place.table)
            .set_key(Some(key("REVIEW#a", sk)))
            .update_expression("REMOVE #by")
            .condition_expression("#by = :by")
            .expression_attribute_names("#by", "by")
            .expression_attribute_values(":by", text("worker"))
            .send()
            .await
            .expect_err("not the holder");
        assert_eq!(refused.code(), Some("ConditionalCheckFailedException"), "{sk}");
        assert_eq!(place.item("REVIEW#a", sk).await, left, "{sk}");
    }
}

async fn of_many_claims_at_once_one_is_granted(place: Place) {
    let place = std::sync::Arc::new(place);
    for round in 0..5 {
        let claims = (0..8).map(|worker| {
            let place = place.clone();
            tokio::spawn(async move {
                place
                    .dynamodb
                    .update_item()
                    .table_name(&place.table)
                    .set_key(Some(key("REVIEW#a", &format!("TOLD#{round}"))))
                    .update_expression("SET #by = :by, #until = :until")
                    .condition_expression("attribute_not_exists(#by) OR #until <= :now")
                    .expression_attribute_names("#by", "by")
                    .expression_attribute_names("#until", "until")
                    .expression_attribute_values(":by", text(format!("worker-{worker}")))
                    .expression_attribute_values(":until", number(100))
                    .expression_attribute_values(":now", number(50))
                    .send()
                    .await
                    .is_ok()
            })
        });
        let mut granted = 0;
        for claim in claims.collect::<Vec<_>>() {
            granted += usize::from(claim.await.expect("an answer"));
        }
        assert_eq!(granted, 1, "round {round}");
    }
}

async fn an_item_beyond_400_kilobytes_is_refused(place: Place) {
    let large = item("FACT#a", "FACT", &[("body", text("x".repeat(410 * 1024)))]);
    let refused = place.dynamodb.put_item().table_name(&place.table).set_item(Some(large)).send().await;
    assert_eq!(refused.expect_err("too large").code(), Some("ValidationException"));
    assert_eq!(place.item("FACT#a", "FACT").await, None);
    place.put(item("FACT#a", "FACT", &[("body", text("x".repeat(390 * 1024)))])).await;
}

async fn what_was_written_is_read_at_once(place: Place) {
    for counter in 1..=20 {
        place.put(item("REVIEW#a", "HEAD", &[("counter", number(counter))])).await;
        let head = place.item("REVIEW#a", "HEAD").await.expect("it");
        assert_eq!(head["counter"], number(counter));
    }
}

/// The store's own writes: each is conditional on what is known being as it was read, attribute by attribute.
async fn of_many_reports_on_a_mail_the_heaviest_is_kept(place: Place) {
    let store = Store::new(place.dynamodb.clone(), place.table.clone());
    let (review, to) = (ReviewId::parse("RR-1").expect("a name"), Person::parse("a@example.com").expect("an address"));
    let at = Instant::from_millis(1_793_700_000_000);
    let report = |status| DeliveryReport {
        to: to.clone(),
        delivery: Delivery { message_id: "m1".to_owned(), mailed_at: at, at, status },
        trace: None,
    };
    assert!(!store.report(&review, &report(DeliveryStatus::Bounced)).await.expect("read"), "nobody was ever mailed");
    let claim = Claim { by: "a".to_owned(), until: at.plus_seconds(300) };
    assert!(store.claim(&review, &to, &claim, at).await.expect("written"));
    let reports =
        [DeliveryStatus::Delayed, DeliveryStatus::Complained, DeliveryStatus::Delivered, DeliveryStatus::Bounced]
            .map(report);
    let sent = reports.into_iter().map(|report| {
        let (store, review) = (store.clone(), review.clone());
        tokio::spawn(async move { store.report(&review, &report).await })
    });
    for kept in sent.collect::<Vec<_>>() {
        assert!(kept.await.expect("no panic").expect("written"));
    }
    let record = store.told(&review).await.expect("read").remove(&to).expect("an item");
    assert_eq!(record.delivery.map(|delivery| delivery.status), Some(DeliveryStatus::Complained));
    assert_eq!(record.claim, Some(claim));
}
