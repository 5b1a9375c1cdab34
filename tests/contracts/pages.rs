//! Answers that come in pieces: every page and every key, once, in order.

use aws_sdk_dynamodb::{error::ProvideErrorMetadata, types::KeysAndAttributes};

use crate::{
    contracts,
    place::{Item, Place, item, key, sort_keys, text},
};

contracts![
    pages_follow_one_another_without_gap_or_repetition,
    a_page_ends_at_a_mebibyte,
    a_range_takes_both_its_ends,
    a_partition_ends_where_another_begins,
    many_keys_are_found_and_absent_ones_left_out,
    too_many_keys_and_one_key_twice_are_refused,
];

async fn query(place: &Place, partition: &str, limit: Option<i32>) -> Vec<Vec<Item>> {
    let mut pages = Vec::new();
    let mut from = None;
    loop {
        let page = place
            .dynamodb
            .query()
            .table_name(&place.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", "pk")
            .expression_attribute_values(":pk", text(partition))
            .set_limit(limit)
            .set_exclusive_start_key(from)
            .send()
            .await
            .expect("a page");
        pages.push(page.items.unwrap_or_default());
        from = page.last_evaluated_key.filter(|key| !key.is_empty());
        if from.is_none() {
            return pages;
        }
    }
}

async fn pages_follow_one_another_without_gap_or_repetition(place: Place) {
    let names: Vec<String> = (0..25).map(|number| format!("LINEAGE#{number:010}")).collect();
    for name in names.iter().rev() {
        place.put(item("REVIEW#a", name, &[])).await;
    }
    for limit in [1, 7, 25, 26] {
        let pages = query(&place, "REVIEW#a", Some(limit)).await;
        assert!(pages.iter().all(|page| page.len() <= limit as usize));
        assert_eq!(sort_keys(&pages.concat()), names, "limit {limit}");
    }
}

async fn a_page_ends_at_a_mebibyte(place: Place) {
    let names: Vec<String> = (0..7).map(|number| format!("VERSION#{number:010}")).collect();
    for name in &names {
        place.put(item("REVIEW#a", name, &[("body", text("x".repeat(300 * 1024)))])).await;
    }
    let pages = query(&place, "REVIEW#a", None).await;
    assert!(pages.len() > 1, "2 MiB came in one page");
    assert_eq!(sort_keys(&pages.concat()), names);
}

async fn a_range_takes_both_its_ends(place: Place) {
    for number in 1..=6 {
        place.put(item("REVIEW#a", &format!("LINEAGE#{number:010}"), &[])).await;
    }
    place.put(item("REVIEW#a", "HEAD", &[])).await;
    place.put(item("REVIEW#a", "TOLD#p", &[])).await;
    let found = place
        .dynamodb
        .query()
        .table_name(&place.table)
        .consistent_read(true)
        .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
        .expression_attribute_names("#pk", "pk")
        .expression_attribute_names("#sk", "sk")
        .expression_attribute_values(":pk", text("REVIEW#a"))
        .expression_attribute_values(":from", text("LINEAGE#0000000003"))
        .expression_attribute_values(":to", text("LINEAGE#0000000005"))
        .send()
        .await
        .expect("a page");
    let expected = ["LINEAGE#0000000003", "LINEAGE#0000000004", "LINEAGE#0000000005"];
    assert_eq!(sort_keys(&found.items.unwrap_or_default()), expected);
}

async fn a_partition_ends_where_another_begins(place: Place) {
    for partition in ["SUBJECT#change#1", "SUBJECT#change#10", "SUBJECT#change"] {
        place.put(item(partition, "REVIEW#a", &[])).await;
    }
    assert_eq!(query(&place, "SUBJECT#change#1", None).await.concat().len(), 1);
}

async fn many_keys_are_found_and_absent_ones_left_out(place: Place) {
    for number in 0..60 {
        place.put(item(&format!("FACT#{number}"), "FACT", &[])).await;
    }
    let keys = (0..100).map(|number| key(&format!("FACT#{number}"), "FACT")).collect();
    let mut left = Some(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().expect("keys"));
    let mut found = 0;
    while let Some(wanted) = left.take() {
        let answer = place.dynamodb.batch_get_item().request_items(&place.table, wanted).send().await.expect("a batch");
        found += answer.responses.unwrap_or_default().remove(&place.table).unwrap_or_default().len();
        left = answer.unprocessed_keys.unwrap_or_default().remove(&place.table);
    }
    assert_eq!(found, 60);
}

async fn too_many_keys_and_one_key_twice_are_refused(place: Place) {
    let many: Vec<Item> = (0..101).map(|number| key(&format!("FACT#{number}"), "FACT")).collect();
    let twice = vec![key("FACT#1", "FACT"), key("FACT#1", "FACT")];
    for keys in [many, twice] {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build().expect("keys");
        let refused = place.dynamodb.batch_get_item().request_items(&place.table, wanted).send().await;
        assert_eq!(refused.expect_err("not a batch").code(), Some("ValidationException"));
    }
}
