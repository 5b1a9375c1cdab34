//! Transactions: all or nothing, and one reason an action, at the action's own position.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};

use crate::{
    contracts,
    place::{Item, Place, item, key, number, text},
};

contracts![
    all_of_it_is_written,
    a_failure_is_told_at_its_own_position,
    several_failures_are_each_told,
    the_item_that_stood_in_the_way_is_shown_where_asked,
    of_many_decisions_on_one_head_one_is_written,
    a_hundred_actions_fit_and_one_more_does_not,
    one_item_twice_is_refused_as_a_whole,
    an_item_too_large_is_refused_as_a_whole,
    a_check_on_what_is_absent_fails,
];

/// The shape of a decision: HEAD at a counter, a record that must not exist, a claim, the fact it stands on.
const HEAD: usize = 0;
const LINEAGE: usize = 1;
const TOLD: usize = 2;
const FACT: usize = 3;
const ACTIONS: usize = 4;

fn put(
    place: &Place,
    item: Item,
    condition: &str,
    names: &[(&str, &str)],
    values: &[(&str, u64)],
) -> TransactWriteItem {
    let mut put = Put::builder().table_name(&place.table).set_item(Some(item)).condition_expression(condition);
    for (placeholder, name) in names {
        put = put.expression_attribute_names(*placeholder, *name);
    }
    for (placeholder, value) in values {
        put = put.expression_attribute_values(*placeholder, number(value));
    }
    TransactWriteItem::builder().put(put.build().expect("table and item")).build()
}

fn put_once(place: &Place, item: Item) -> TransactWriteItem {
    put(place, item, "attribute_not_exists(#pk)", &[("#pk", "pk")], &[])
}

fn decision(place: &Place, counter: u64) -> Vec<TransactWriteItem> {
    let head = item("REVIEW#a", "HEAD", &[("counter", number(counter))]);
    let head = put(place, head, "#counter = :before", &[("#counter", "counter")], &[(":before", counter - 1)]);
    let lineage = put_once(place, item("REVIEW#a", &format!("LINEAGE#{counter}"), &[]));
    let told = Update::builder()
        .table_name(&place.table)
        .set_key(Some(key("REVIEW#a", "TOLD#p")))
        .update_expression("SET #told = :told")
        .condition_expression("#by = :by")
        .expression_attribute_names("#told", "told")
        .expression_attribute_names("#by", "by")
        .expression_attribute_values(":told", number(counter))
        .expression_attribute_values(":by", text("worker"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let fact = ConditionCheck::builder()
        .table_name(&place.table)
        .set_key(Some(key("FACT#f", "FACT")))
        .condition_expression("#revision = :revision")
        .expression_attribute_names("#revision", "revision")
        .expression_attribute_values(":revision", number(7));
    vec![
        head,
        lineage,
        TransactWriteItem::builder().update(told.build().expect("complete")).build(),
        TransactWriteItem::builder().condition_check(fact.build().expect("complete")).build(),
    ]
}

/// Everything as the decision with counter 2 wants it, but for what `broken` names.
async fn prepare(place: &Place, broken: &[usize]) {
    let is = |action: usize| broken.contains(&action);
    place.put(item("REVIEW#a", "HEAD", &[("counter", number(if is(HEAD) { 5 } else { 1 }))])).await;
    if is(LINEAGE) {
        place.put(item("REVIEW#a", "LINEAGE#2", &[])).await;
    }
    place.put(item("REVIEW#a", "TOLD#p", &[("by", text(if is(TOLD) { "other" } else { "worker" }))])).await;
    place.put(item("FACT#f", "FACT", &[("revision", number(if is(FACT) { 8 } else { 7 }))])).await;
}

async fn transact(place: &Place, actions: Vec<TransactWriteItem>) -> Result<(), SdkError<TransactWriteItemsError>> {
    place.dynamodb.transact_write_items().set_transact_items(Some(actions)).send().await.map(drop)
}

/// One code an action; `None` in words where the action itself was well.
fn codes(cancelled: SdkError<TransactWriteItemsError>) -> Vec<String> {
    match cancelled.into_service_error() {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons.unwrap_or_default();
            reasons.into_iter().map(|reason| reason.code.unwrap_or_else(|| "None".to_owned())).collect()
        }
        other => panic!("expected a cancellation, found {other:?}"),
    }
}

async fn all_of_it_is_written(place: Place) {
    prepare(&place, &[]).await;
    transact(&place, decision(&place, 2)).await.expect("a decision");
    assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(2));
    assert!(place.item("REVIEW#a", "LINEAGE#2").await.is_some());
    assert_eq!(place.item("REVIEW#a", "TOLD#p").await.expect("it")["told"], number(2));
}

async fn a_failure_is_told_at_its_own_position(place: Place) {
    for broken in 0..ACTIONS {
        prepare(&place, &[broken]).await;
        let found = codes(transact(&place, decision(&place, 2)).await.expect_err("cancelled"));
        let mut expected = vec!["None"; ACTIONS];
        expected[broken] = "ConditionalCheckFailed";
        assert_eq!(found, expected, "action {broken}");
        // Nothing of it is there.
        let head = if broken == HEAD { 5 } else { 1 };
        assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(head));
        assert!(!place.item("REVIEW#a", "TOLD#p").await.expect("it").contains_key("told"));
        assert_eq!(place.item("REVIEW#a", "LINEAGE#2").await.is_some(), broken == LINEAGE);
        let gone = place.dynamodb.delete_item().table_name(&place.table).set_key(Some(key("REVIEW#a", "LINEAGE#2")));
        gone.send().await.expect("a clean table");
    }
}

async fn several_failures_are_each_told(place: Place) {
    prepare(&place, &[LINEAGE, FACT]).await;
    let found = codes(transact(&place, decision(&place, 2)).await.expect_err("cancelled"));
    assert_eq!(found, ["None", "ConditionalCheckFailed", "None", "ConditionalCheckFailed"]);
}

async fn the_item_that_stood_in_the_way_is_shown_where_asked(place: Place) {
    prepare(&place, &[HEAD, TOLD]).await;
    let cancelled = transact(&place, decision(&place, 2)).await.expect_err("cancelled").into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = cancelled else {
        panic!("expected a cancellation, found {cancelled:?}");
    };
    let reasons = cancelled.cancellation_reasons.expect("reasons");
    assert_eq!(reasons[HEAD].item.clone().unwrap_or_default(), Item::new(), "not asked for");
    assert_eq!(reasons[TOLD].item.clone().expect("asked for")["by"], text("other"));
}

async fn of_many_decisions_on_one_head_one_is_written(place: Place) {
    prepare(&place, &[]).await;
    let place = std::sync::Arc::new(place);
    let decisions: Vec<_> = (0..8)
        .map(|_| {
            let place = place.clone();
            tokio::spawn(async move { transact(&place, decision(&place, 2)).await.map_err(codes) })
        })
        .collect();
    let mut written = 0;
    for one in decisions {
        match one.await.expect("an answer") {
            Ok(()) => written += 1,
            Err(codes) => assert!(
                codes.iter().all(|code| ["None", "ConditionalCheckFailed", "TransactionConflict"].contains(&&**code))
                    && codes.iter().any(|code| code != "None"),
                "{codes:?}"
            ),
        }
    }
    assert_eq!(written, 1);
    assert_eq!(place.item("REVIEW#a", "HEAD").await.expect("it")["counter"], number(2));
}

fn causes(place: &Place, count: usize) -> Vec<TransactWriteItem> {
    (0..count).map(|cause| put_once(place, item("REVIEW#a", &format!("CAUSE#{cause:03}"), &[]))).collect()
}

async fn a_hundred_actions_fit_and_one_more_does_not(place: Place) {
    let refused = transact(&place, causes(&place, 101)).await.expect_err("one too many");
    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(place.item("REVIEW#a", "CAUSE#000").await, None);
    transact(&place, causes(&place, 100)).await.expect("a hundred");
    assert!(place.item("REVIEW#a", "CAUSE#099").await.is_some());
}

async fn one_item_twice_is_refused_as_a_whole(place: Place) {
    let once = put_once(&place, item("REVIEW#a", "CAUSE#x", &[]));
    let refused = transact(&place, vec![once.clone(), once]).await.expect_err("the same item twice");
    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(place.item("REVIEW#a", "CAUSE#x").await, None);
}

async fn an_item_too_large_is_refused_as_a_whole(place: Place) {
    let large = item("REVIEW#a", "VERSION#1", &[("body", text("x".repeat(410 * 1024)))]);
    let actions = vec![put_once(&place, item("REVIEW#a", "LINEAGE#1", &[])), put_once(&place, large)];
    let refused = transact(&place, actions).await.expect_err("too large");
    // Said of the request or of the action; either way it is a poison and no contention.
    let said = match refused.code() {
        Some("ValidationException") => "ValidationException".to_owned(),
        _ => codes(refused).concat(),
    };
    assert!(["ValidationException", "NoneValidationError"].contains(&&*said), "{said}");
    assert_eq!(place.item("REVIEW#a", "LINEAGE#1").await, None);
}

async fn a_check_on_what_is_absent_fails(place: Place) {
    prepare(&place, &[]).await;
    let fact = place.dynamodb.delete_item().table_name(&place.table).set_key(Some(key("FACT#f", "FACT")));
    fact.send().await.expect("no fact");
    let found = codes(transact(&place, decision(&place, 2)).await.expect_err("cancelled"));
    assert_eq!(found, ["None", "None", "None", "ConditionalCheckFailed"]);
}
