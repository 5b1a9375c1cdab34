//! Every call that every scenario makes, held against what the template lets its function do.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::{TEMPLATE, rights, rights::Act};
use crate::{
    connector::{Call, Service},
    engine::{Settings, virtual_time::VirtualTime},
    replay::{Player, Scenario},
};

/// The acts of one call: a transaction is as many as it has actions, since that is how its rights are granted.
fn acts(call: &Call) -> Vec<Act> {
    let request: Value = serde_json::from_slice(&call.request).unwrap_or_default();
    let act =
        |action: String, resource: &str, keys: BTreeSet<String>| Act { action, resource: resource.to_owned(), keys };
    let key = |item: &Value| item["pk"]["S"].as_str().map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    match call.service {
        Service::Ses => vec![act("ses:SendEmail".to_owned(), "mail", BTreeSet::new())],
        Service::Sqs => {
            let queue = crate::queues::name_of(request["QueueUrl"].as_str().unwrap_or_default()).to_owned();
            // One permission covers a message and a batch of them.
            let action = call.operation.trim_end_matches("Batch");
            vec![act(format!("sqs:{action}"), &queue, BTreeSet::new())]
        }
        Service::DynamoDb => {
            let own = format!("dynamodb:{}", call.operation);
            match call.operation.as_str() {
                "TransactWriteItems" => request["TransactItems"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .flat_map(|item| item.as_object().into_iter().flatten())
                    .map(|(kind, action)| {
                        let name = if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
                        let keys = if kind == "Put" { key(&action["Item"]) } else { key(&action["Key"]) };
                        act(format!("dynamodb:{name}"), "Table", keys)
                    })
                    .collect(),
                "BatchGetItem" => {
                    let tables = request["RequestItems"].as_object().into_iter().flatten();
                    let keys = tables.flat_map(|(_, wanted)| wanted["Keys"].as_array().into_iter().flatten());
                    vec![act(own, "Table", keys.flat_map(key).collect())]
                }
                "Query" if request["IndexName"].is_string() => {
                    let index = format!("Table/index/{}", request["IndexName"].as_str().unwrap_or_default());
                    vec![act(own, &index, BTreeSet::new())]
                }
                "Query" => {
                    let values = request["ExpressionAttributeValues"].as_object().into_iter().flatten();
                    let partition = values.filter_map(|(_, value)| value["S"].as_str());
                    let partition = partition
                        .filter(|text| text.starts_with("REVIEW#") || text.starts_with("SUBJECT#") || *text == "POLL");
                    vec![act(own, "Table", partition.map(str::to_owned).take(1).collect())]
                }
                "PutItem" => vec![act(own, "Table", key(&request["Item"]))],
                _ => vec![act(own, "Table", key(&request["Key"]))],
            }
        }
    }
}

async fn calls(scenario: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(scenario).unwrap();
    // A scenario without a policy of its own runs under the bundle's.
    let policy = std::fs::read_to_string(scenario.with_extension("policy.json"));
    let policy = policy.unwrap_or_else(|_| include_str!("../../../policy.json").to_owned());
    let scenario = Scenario::parse(&text).unwrap();
    let time = VirtualTime::open(Settings::in_memory(policy), scenario.lines[0].at).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let watched = seen.clone();
    time.engine().faults().watch(move |call| watched.lock().unwrap().push(call.clone()));
    let mut player = Player::of(time);
    for line in &scenario.lines {
        player.until(line.at).await.unwrap();
        player.act(line).await.unwrap();
    }
    seen.lock().unwrap().clone()
}

#[tokio::test]
async fn no_function_calls_what_the_template_does_not_let_it_call() {
    let rights = rights::read(TEMPLATE).unwrap();
    let template = super::cloudformation::read(TEMPLATE).unwrap();
    // Queues are granted by their logical names and called by their URLs.
    let logical: BTreeMap<String, String> = template["Resources"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, resource)| {
            let queue = resource["Properties"]["QueueName"]["Fn::Sub"].as_str()?;
            Some((queue.strip_prefix("${AWS::StackName}-")?.to_owned(), name.clone()))
        })
        .collect();
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/scenarios");
    let mut refused = BTreeSet::new();
    let mut callers = BTreeSet::new();
    for entry in std::fs::read_dir(scenarios).unwrap() {
        let path = entry.unwrap().path();
        // Beside a scenario lies what is expected of it.
        if !path.to_string_lossy().ends_with(".jsonl") || path.to_string_lossy().ends_with(".expected.jsonl") {
            continue;
        }
        for call in calls(&path).await {
            callers.insert(call.caller.to_string());
            for mut act in acts(&call) {
                if let Some(name) = logical.get(&act.resource) {
                    act.resource.clone_from(name);
                }
                let statements = rights.get(&*call.caller).map_or(&[][..], Vec::as_slice);
                if !statements.iter().any(|statement| statement.allows(&act)) {
                    refused.insert((call.caller.to_string(), act));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(callers.len(), 7, "every function was seen at work: {callers:?}");
}

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
