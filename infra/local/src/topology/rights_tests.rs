//! What the template lets each function do, as far as one statement decides. That every call of every scenario is allowed is
//! held beside the deployed bundle (`tests/cloud/permissions.rs`).

use std::collections::BTreeSet;

use super::{TEMPLATE, rights, rights::Act};

#[test]
fn a_right_ends_at_its_key_and_its_resource() {
    let rights = rights::read(TEMPLATE).unwrap();
    let allowed = |function: &str, action: &str, resource: &str, key: &str| {
        let act =
            Act { action: action.to_owned(), resource: resource.to_owned(), keys: BTreeSet::from([key.to_owned()]) };
        rights[function].iter().any(|statement| statement.allows(&act))
    };
    assert!(allowed("ingest", "dynamodb:PutItem", "Table", "FACT#person#a"));
    assert!(!allowed("ingest", "dynamodb:PutItem", "Table", "REVIEW#RR-1"), "ingest never writes a review");
    assert!(!allowed("notify", "dynamodb:PutItem", "Table", "FACT#person#a"), "only ingest writes facts");
    assert!(!allowed("tick", "dynamodb:PutItem", "Table", "REVIEW#RR-1"), "tick writes nothing");
    assert!(!allowed("poll", "dynamodb:PutItem", "Table", "FACT#person#a"), "poll writes no fact");
    for function in rights.keys() {
        assert!(!allowed(function, "dynamodb:DeleteItem", "Table", "REVIEW#RR-1"), "no function deletes");
        assert_eq!(allowed(function, "ses:SendEmail", "mail", ""), function == "notify");
    }
}
