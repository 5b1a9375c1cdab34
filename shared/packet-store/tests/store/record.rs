//! A review's record: verified as far as one HEAD names it, and every item of it.

use serde_json::json;

use crate::support::{
    engine::Engine,
    samples::{after, issued, review},
};

#[tokio::test]
async fn what_is_committed_after_head_was_read_is_no_misfit() {
    let store = Engine::new().store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let read = store.head(&review()).await.unwrap().unwrap();
    store.commit(&after(&first.head, &["e2"])).await.unwrap();
    let record = store.record(&read).await.unwrap();
    assert_eq!((record.verified, record.entries.len(), record.versions.len()), (Ok(1), 1, 1));
    let newest = store.head(&review()).await.unwrap().unwrap();
    assert_eq!(store.record(&newest).await.unwrap().verified, Ok(2));
}

#[tokio::test]
async fn an_entry_that_no_head_names_is_a_misfit() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let second = after(&first.head, &["e2"]);
    store.commit(&second).await.unwrap();
    let head = engine.items().into_iter().find(|item| item["sk"]["S"] == "HEAD").unwrap();
    store.commit(&after(&second.head, &["e3"])).await.unwrap();
    // HEAD as it was before the third decision: its entry is nobody's now.
    engine.put(&head);
    let read = store.head(&review()).await.unwrap().unwrap();
    let misfit = store.record(&read).await.unwrap().verified.unwrap_err();
    assert_eq!((misfit.sequence, misfit.because.as_str()), (Some(3), "HEAD names entry 2 as the last"));
}

#[tokio::test]
async fn a_version_that_is_missing_or_damaged_is_a_misfit_and_the_rest_is_read() {
    let engine = Engine::new();
    let store = engine.store();
    let first = issued("e1");
    store.commit(&first).await.unwrap();
    let head = store.head(&review()).await.unwrap().unwrap();
    let version = engine.items().into_iter().find(|item| item["sk"]["S"] == "VERSION#0000000007").unwrap();
    let mut damaged = version.clone();
    damaged["beside"] = json!({ "S": "x" });
    engine.put(&damaged);
    let record = store.record(&head).await.unwrap();
    let misfit = record.verified.unwrap_err();
    assert!(misfit.sequence.is_none() && misfit.because.contains("VERSION#0000000007 is damaged"), "{misfit:?}");
    assert_eq!((record.entries.len(), record.versions.len()), (1, 0));
    let key = json!({ "pk": version["pk"], "sk": version["sk"] });
    engine.raw("DeleteItem", &json!({ "TableName": "packets", "Key": key }));
    let misfit = store.record(&head).await.unwrap().verified.unwrap_err();
    assert!(misfit.because.contains("VERSION#0000000007 is missing"), "{misfit:?}");
}
