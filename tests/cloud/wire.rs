//! Every SDK call that every function makes while the scenarios are played, with what IAM would be asked for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    panic::resume_unwind,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
};

use holdpoint::{
    connector::{Call, Service},
    engine::{Settings, virtual_time::VirtualTime},
    replay::{Player, Scenario},
};
use holdpoint_tests::{
    repository,
    world::{STACK, drive},
};
use serde_json::Value;

/// One question to IAM.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Asked {
    pub function: String,
    /// `dynamodb:PutItem`
    pub action: String,
    /// `Table`, `Table/index/due`, the name of a queue, or nothing.
    pub resource: String,
    /// Partition keys of the items named.
    pub leading_keys: BTreeSet<String>,
}

/// Of all scenarios together, played once for all tests of this binary.
pub fn asked() -> &'static BTreeSet<Asked> {
    static ASKED: OnceLock<BTreeSet<Asked>> = OnceLock::new();
    ASKED.get_or_init(|| {
        let scenarios = scenarios();
        assert!(!scenarios.is_empty(), "events/scenarios: found no scenario");
        // They share nothing, and the tests of this binary all wait for them.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let some = scenarios.chunks(scenarios.len().div_ceil(threads));
        std::thread::scope(|scope| {
            let played: Vec<_> = some
                .map(|some| {
                    let thread = std::thread::Builder::new().stack_size(STACK);
                    thread.spawn_scoped(scope, || play_all(some)).expect("a thread")
                })
                .collect();
            played.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    })
}

fn play_all(scenarios: &[(String, Scenario, String)]) -> BTreeSet<Asked> {
    let mut all = BTreeSet::new();
    for (name, scenario, policy) in scenarios {
        let played = drive(play(scenario, policy));
        all.extend(played.unwrap_or_else(|why| panic!("{name}: {why}")));
    }
    all
}

fn scenarios() -> Vec<(String, Scenario, String)> {
    let folder = repository().join("events/scenarios");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
        .iter()
        .filter_map(|file| Some((file, file.file_name()?.to_str()?.strip_suffix(".jsonl")?)))
        .filter(|(_, name)| !name.contains('.'))
        .map(|(file, name)| {
            let scenario = fs::read_to_string(file).expect("a scenario");
            let policy = fs::read_to_string(folder.join(format!("{name}.policy.json"))).expect("its policy");
            (name.to_owned(), Scenario::parse(&scenario).expect("a scenario"), policy)
        })
        .collect()
}

async fn play(scenario: &Scenario, policy: &str) -> Result<BTreeSet<Asked>, String> {
    let Some(first) = scenario.lines.first() else { return Ok(BTreeSet::new()) };
    let asked: Arc<Mutex<BTreeSet<Asked>>> = Arc::default();
    let time = VirtualTime::open(Settings::in_memory(policy), first.at).await?;
    let noted = asked.clone();
    time.engine().faults().watch(move |call| noted.lock().expect("a set").extend(questions(call)));
    let mut player = Player::of(time);
    for line in &scenario.lines {
        player.until(line.at).await?;
        player.act(line).await?;
    }
    let all = asked.lock().expect("a set").clone();
    Ok(all)
}

/// The permissions a call needs. A transaction needs those of its parts.
fn questions(call: &Call) -> Vec<Asked> {
    let request: Value = serde_json::from_slice(&call.request).expect("a request in JSON");
    let one = |action: String, resource: &str, keys: BTreeSet<String>| Asked {
        function: call.caller.to_string(),
        action,
        resource: resource.to_owned(),
        leading_keys: keys,
    };
    match call.service {
        Service::Ses => {
            // IAM judges a raw message as SendRawEmail, whichever API it came by (nodemailer/nodemailer#1734).
            let actions = ["ses:SendEmail", "ses:SendRawEmail"];
            let raw = request["Content"]["Raw"].is_object();
            let actions = actions.into_iter().filter(|action| raw || *action == "ses:SendEmail");
            actions.map(|action| one(action.to_owned(), "", BTreeSet::new())).collect()
        }
        Service::Sqs => {
            // Sending a batch asks for the same as sending one.
            let action = call.operation.trim_end_matches("Batch");
            let queue = request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
            vec![one(format!("sqs:{action}"), queue, BTreeSet::new())]
        }
        Service::DynamoDb if call.operation == "TransactWriteItems" => {
            let parts = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object);
            parts
                .flat_map(|part| part.iter())
                .map(|(kind, part)| {
                    let action = match kind.as_str() {
                        "ConditionCheck" => "ConditionCheckItem".to_owned(),
                        other => format!("{other}Item"),
                    };
                    one(format!("dynamodb:{action}"), "Table", keys(&action, part))
                })
                .collect()
        }
        Service::DynamoDb => {
            let resource = match request["IndexName"].as_str() {
                Some(index) => format!("Table/index/{index}"),
                None => "Table".to_owned(),
            };
            vec![one(format!("dynamodb:{}", call.operation), &resource, keys(&call.operation, &request))]
        }
    }
}

fn keys(operation: &str, request: &Value) -> BTreeSet<String> {
    let partition = |item: &Value| item["pk"]["S"].as_str().map(str::to_owned);
    let found: BTreeSet<String> = match operation {
        "GetItem" | "UpdateItem" | "ConditionCheckItem" | "DeleteItem" => {
            partition(&request["Key"]).into_iter().collect()
        }
        "PutItem" => partition(&request["Item"]).into_iter().collect(),
        "BatchGetItem" => {
            let tables: BTreeMap<String, Value> =
                serde_json::from_value(request["RequestItems"].clone()).expect("a batch by table");
            tables
                .values()
                .flat_map(|wanted| wanted["Keys"].as_array().into_iter().flatten())
                .filter_map(partition)
                .collect()
        }
        "Query" => {
            // The condition begins with the partition: `#pk = :pk`.
            let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
            let placeholder = condition.split_whitespace().nth(2).unwrap_or_default();
            request["ExpressionAttributeValues"][placeholder]["S"].as_str().map(str::to_owned).into_iter().collect()
        }
        other => panic!("{other}: no permission is known for it"),
    };
    assert!(!found.is_empty(), "{operation}: found no leading key in {request}");
    found
}
