//! Request tokens: the SDK's own retry of a transaction whose answer was lost has no second effect.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{TransactWriteItem, Update},
};

use crate::{
    contracts,
    place::{Place, key, number},
};

contracts![the_same_request_again_has_no_second_effect, another_request_under_a_used_token_is_refused];

fn add(place: &Place, step: u64) -> TransactWriteItem {
    let update = Update::builder()
        .table_name(&place.table)
        .set_key(Some(key("REVIEW#a", "HEAD")))
        .update_expression("ADD #counter :step")
        .expression_attribute_names("#counter", "counter")
        .expression_attribute_values(":step", number(step));
    TransactWriteItem::builder().update(update.build().expect("complete")).build()
}

async fn the_same_request_again_has_no_second_effect(place: Place) {
    for _ in 0..3 {
        let request = place.dynamodb.transact_write_items().transact_items(add(&place, 1));
        request.client_request_token("one-and-the-same").send().await.expect("an answer");
    }
    assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(1));
    let request = place.dynamodb.transact_write_items().transact_items(add(&place, 1));
    request.client_request_token("another").send().await.expect("an answer");
    assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(2));
}

async fn another_request_under_a_used_token_is_refused(place: Place) {
    let request = place.dynamodb.transact_write_items().transact_items(add(&place, 1));
    request.client_request_token("used").send().await.expect("an answer");
    let request = place.dynamodb.transact_write_items().transact_items(add(&place, 2));
    let refused = request.client_request_token("used").send().await.expect_err("another body");
    assert_eq!(refused.code(), Some("IdempotentParameterMismatchException"));
    assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(1));
}
