//! The due index: sparse, keys alone, by shard and time.

use crate::{
    contracts,
    place::{Item, Place, item, number, sort_keys, text},
};

contracts![only_what_is_due_is_in_it, it_holds_keys_alone_in_the_order_of_time, what_is_due_no_more_leaves_it,];

fn head(review: &str, due: Option<(&str, u64)>) -> Item {
    let mut head = item(&format!("REVIEW#{review}"), review, &[("body", text("not in an index of keys"))]);
    if let Some((shard, at)) = due {
        head.insert("due_shard".to_owned(), text(shard));
        head.insert("due_at".to_owned(), number(at));
    }
    head
}

async fn due(place: &Place, shard: &str, until: u64) -> Vec<Item> {
    let page = place
        .dynamodb
        .query()
        .table_name(&place.table)
        .index_name("due")
        .key_condition_expression("#shard = :shard AND #at <= :until")
        .expression_attribute_names("#shard", "due_shard")
        .expression_attribute_names("#at", "due_at")
        .expression_attribute_values(":shard", text(shard))
        .expression_attribute_values(":until", number(until))
        .send()
        .await
        .expect("a page");
    page.items.unwrap_or_default()
}

async fn only_what_is_due_is_in_it(place: Place) {
    place.put(head("a", Some(("0", 10)))).await;
    place.put(head("b", Some(("0", 11)))).await;
    place.put(head("c", Some(("1", 9)))).await;
    place.put(head("d", None)).await;
    assert_eq!(sort_keys(&due(&place, "0", 10).await), ["a"]);
    assert_eq!(sort_keys(&due(&place, "1", u64::from(u32::MAX)).await), ["c"]);
}

async fn it_holds_keys_alone_in_the_order_of_time(place: Place) {
    // Numbers, not their spelling: 9 is before 10 and both before 1,790,000,000,000.
    for (review, at) in [("a", 10), ("b", 1_790_000_000_000), ("c", 9)] {
        place.put(head(review, Some(("0", at)))).await;
    }
    let found = due(&place, "0", 1_790_000_000_000).await;
    assert_eq!(sort_keys(&found), ["c", "a", "b"]);
    let mut names: Vec<&String> = found[0].keys().collect();
    names.sort();
    assert_eq!(names, ["due_at", "due_shard", "pk", "sk"]);
}

async fn what_is_due_no_more_leaves_it(place: Place) {
    place.put(head("a", Some(("0", 10)))).await;
    place.put(head("a", Some(("0", 20)))).await;
    assert!(due(&place, "0", 10).await.is_empty());
    assert_eq!(due(&place, "0", 20).await.len(), 1);
    place.put(head("a", None)).await;
    assert!(due(&place, "0", 20).await.is_empty());
}
