//! The template held against the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use holdpoint::topology::Topology;
use holdpoint_tests::{
    cloud::tools::{self, Set},
    repository,
};
use serde_json::Value;

use crate::transformed::{FUNCTIONS, function_behind, template};

/// The namespace of the metrics that functions emit.
const NAMESPACE: &str = "Holdpoint";

#[test]
fn the_linter_has_nothing_to_say() {
    let programs = tools::installed(Set::Test).expect("the tools");
    let file = repository().join("infra/template.yaml");
    let done = Command::new(programs.join("cfn-lint")).arg(&file).output().expect("cfn-lint");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn every_queue_has_its_handler_and_its_dead_letters() {
    let template = template();
    let mappings = template.of_type("AWS::Lambda::EventSourceMapping");
    let read: BTreeSet<&str> =
        mappings.values().filter_map(|mapping| mapping["EventSourceArn"]["Fn::GetAtt"][0].as_str()).collect();
    let queues = template.of_type("AWS::SQS::Queue");
    let dead: BTreeMap<&str, &str> = queues
        .iter()
        .filter_map(|(name, queue)| {
            Some((queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str()?, *name))
        })
        .collect();
    for (name, queue) in &queues {
        assert!(read.contains(name) != dead.contains_key(name), "{name}: read by a function or a queue's dead letters");
        if read.contains(name) {
            assert!(dead.values().any(|source| source == name), "{name}: expected a dead-letter queue");
        }
        if let Some(source) = dead.get(name) {
            assert_eq!(queue["FifoQueue"], queues[source]["FifoQueue"], "{name}: FIFO as {source} is");
            let kept = |queue: &Value| queue["MessageRetentionPeriod"].as_u64().unwrap_or(345_600);
            // A message keeps the time of its first sending when it moves.
            assert!(kept(queue) >= kept(queues[source]), "{name}: kept at least as long as in {source}");
        }
    }
    for (name, mapping) in &mappings {
        assert_eq!(mapping["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{name}");
        assert!(mapping["ScalingConfig"]["MaximumConcurrency"].is_u64(), "{name}: expected a cap");
    }
}

#[test]
fn visibility_is_at_least_six_time_outs() {
    let template = template();
    for (name, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        let queue = mapping["EventSourceArn"]["Fn::GetAtt"][0].as_str().expect("a queue");
        let function = function_behind(&mapping["FunctionName"], name);
        let visibility = template.resource(queue)["VisibilityTimeout"].as_u64().expect("a visibility time-out");
        let timeout = template.resource(function)["Timeout"].as_u64().expect("a time-out");
        let window = mapping["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
        assert!(visibility >= 6 * timeout + window, "{name}: {queue} {visibility} s, {function} {timeout} s");
    }
}

/// The tick does not read the template: what it takes for a message's life is held to the queues here.
#[test]
fn the_tick_waits_as_long_as_its_messages_can_live() {
    let template = template();
    let millis = |seconds: &Value| seconds.as_i64().expect("seconds") * 1_000;
    let refreshes = template.resource("RefreshRequests");
    let receives = refreshes["RedrivePolicy"]["maxReceiveCount"].as_i64().expect("a count");
    assert_eq!(tick::REFRESH_AWAITED, receives * millis(&refreshes["VisibilityTimeout"]));
    assert_eq!(tick::NOTICES_AWAITED, millis(&template.resource("Notices")["VisibilityTimeout"]));
}

/// Whoever asks is replaced when its claim ends, and must be gone by then.
#[test]
fn a_claim_on_a_polled_system_outlives_the_invocation_that_made_it() {
    let seconds = template().resource("Poll")["Timeout"].as_i64().expect("seconds");
    assert!(refresh_core::record::poll::CLAIMED_FOR > seconds * 1_000);
}

/// The names in `settings.required("..")` and its siblings of a function's crate.
fn settings_of(function: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let crate_folder = repository().join("functions").join(function.to_ascii_lowercase());
    let manifest = fs::read_to_string(crate_folder.join("Cargo.toml")).expect("a manifest");
    let mut files = sources_in(&crate_folder.join("src"));
    // The functions behind signed links share their environment.
    if manifest.contains("signed-pages") {
        files.extend(sources_in(&repository().join("shared/signed-pages/src")));
    }
    let (mut required, mut known) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for (call, must) in [
            ("required(", true),
            ("checked(", true),
            ("secret(", true),
            ("optional(", false),
            ("file(", false),
            ("parsed(", false),
        ] {
            for after in text.split(&format!("settings.{call}")).skip(1) {
                let name = after.trim_start().trim_start_matches('"').split('"').next().unwrap_or_default().to_owned();
                assert!(name.chars().all(|c| c.is_ascii_uppercase() || c == '_'), "{}: {name:?}", file.display());
                if must {
                    required.insert(name.clone());
                }
                known.insert(name);
            }
        }
    }
    (required, known)
}

fn sources_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// What the runtime and the language read by themselves.
const NOT_OURS: [&str; 2] = ["RUST_BACKTRACE", "RUST_LOG"];
/// Set for all functions alike in `Globals`; not every one reads it.
const FOR_ALL: [&str; 2] = ["TABLE", "MAIL_DOMAIN"];

#[test]
fn every_variable_that_is_read_is_set_and_no_other() {
    for function in FUNCTIONS {
        let (required, known) = settings_of(function);
        assert!(!required.is_empty(), "{function}: found no setting in its sources");
        let variables = template().variables(function).as_object().expect("variables");
        let set: BTreeSet<String> = variables.keys().cloned().collect();
        let missing: Vec<&String> = required.difference(&set).collect();
        assert!(missing.is_empty(), "{function}: the template sets no {missing:?}");
        let unread: Vec<&String> = set
            .difference(&known)
            .filter(|name| !NOT_OURS.contains(&name.as_str()) && !FOR_ALL.contains(&name.as_str()))
            .collect();
        assert!(unread.is_empty(), "{function}: nothing reads {unread:?}");
    }
}

#[test]
fn every_route_leads_to_a_function_that_may_be_called() {
    let topology = Topology::of_the_bundle().expect("a topology");
    let called: BTreeSet<String> = template()
        .of_type("AWS::Lambda::Permission")
        .iter()
        .map(|(name, permission)| function_behind(&permission["FunctionName"], name).to_ascii_lowercase())
        .collect();
    assert!(!topology.routes.is_empty());
    for route in &topology.routes {
        assert!(
            called.contains(&route.function),
            "{} {}: {} may not be called",
            route.method,
            route.path,
            route.function
        );
        // Mail scanners follow links with GET and HEAD; whoever may look with one may look with the other.
        let twin = match route.method.as_str() {
            "GET" => "HEAD",
            "HEAD" => "GET",
            _ => continue,
        };
        let found = topology.routes.iter().any(|other| other.method == twin && other.path == route.path);
        assert!(found, "{}: expected {twin} beside {}", route.path, route.method);
    }
}

/// A metric as the code emits it: its name, and each set of dimensions it comes with.
fn emitted() -> BTreeMap<String, BTreeSet<BTreeSet<String>>> {
    let mut all: BTreeMap<String, BTreeSet<BTreeSet<String>>> = BTreeMap::new();
    let shared = ["shared/decisions/src", "shared/signed-pages/src"];
    let folders = ["functions"].into_iter().chain(shared);
    for file in folders.flat_map(|folder| sources_in(&repository().join(folder))) {
        let text = fs::read_to_string(&file).expect("a source file");
        for measured in text.split("Metrics::new(").skip(1) {
            let statement = measured.split(".emit(").next().unwrap_or_default();
            let named = |call: &str| -> Vec<String> {
                let uses = statement.split(call).skip(1);
                uses.filter_map(|after| Some(after.trim_start().strip_prefix('"')?.split('"').next()?.to_owned()))
                    .collect()
            };
            let dimensions: BTreeSet<String> = named(".dimension(").into_iter().collect();
            for name in named(".count(").into_iter().chain(named(".put(")) {
                let sets = all.entry(name).or_default();
                sets.insert(dimensions.clone());
                if statement.contains(".in_all()") {
                    sets.insert(BTreeSet::new());
                }
            }
        }
    }
    all
}

/// Lists in a dashboard's JSON that name a metric of ours: `["Holdpoint", "Name", "Dimension", "value", ...]`.
fn named_in(widgets: &Value, found: &mut Vec<(String, BTreeSet<String>)>) {
    match widgets {
        Value::Array(list) if list.first().is_some_and(|first| first == NAMESPACE) => {
            let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            let dimensions = words[2..].iter().step_by(2).map(|name| (*name).to_owned()).collect();
            found.push((words[1].to_owned(), dimensions));
        }
        Value::Array(list) => list.iter().for_each(|inner| named_in(inner, found)),
        Value::Object(members) => members.values().for_each(|inner| named_in(inner, found)),
        _ => {}
    }
}

#[test]
fn every_metric_of_an_alarm_or_a_widget_is_emitted() {
    let emitted = emitted();
    assert!(emitted.contains_key("NoticesSent"), "found no metric in the sources");
    let template = template();
    let mut named: Vec<(String, BTreeSet<String>)> = Vec::new();
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values().filter(|alarm| alarm["Namespace"] == NAMESPACE) {
        let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
        let dimensions = dimensions.filter_map(|dimension| Some(dimension["Name"].as_str()?.to_owned())).collect();
        named.push((alarm["MetricName"].as_str().expect("a metric").to_owned(), dimensions));
    }
    for board in template.of_type("AWS::CloudWatch::Dashboard").values() {
        let body = board["DashboardBody"]["Fn::Sub"].as_str().expect("a body");
        let body: Value = serde_json::from_str(body).expect("the dashboard's body as JSON");
        named_in(&body, &mut named);
    }
    assert!(named.len() > 4, "found {named:?}");
    // What a log filter counts is a metric as well.
    let counted: BTreeSet<&str> = template
        .of_type("AWS::Logs::MetricFilter")
        .values()
        .flat_map(|filter| filter["MetricTransformations"].as_array().into_iter().flatten())
        .filter_map(|transformation| transformation["MetricName"].as_str())
        .collect();
    for (name, dimensions) in named {
        if counted.contains(name.as_str()) {
            continue;
        }
        let of = emitted.get(&name).unwrap_or_else(|| panic!("{name}: no function emits it; they emit {emitted:?}"));
        // A metric with dimensions is another metric than one without.
        assert!(of.contains(&dimensions), "{name}: expected one of {of:?}, found {dimensions:?}");
    }
}

#[test]
fn every_alarm_has_its_line_in_the_runbook() {
    let readme = fs::read_to_string(repository().join("infra/README.md")).expect("infra/README.md");
    let alarms = template().of_type("AWS::CloudWatch::Alarm");
    let paid = format!("{} alarms", alarms.len());
    assert!(readme.contains(&paid), "infra/README.md: expected {paid} among what it costs");
    for alarm in alarms.keys() {
        assert!(
            readme.contains(&format!("| `{alarm}` |")),
            "infra/README.md: expected a line `{alarm}` in the runbook"
        );
    }
}

#[test]
fn what_is_kept_is_encrypted_and_survives_the_stack() {
    let table = template().resource("Table");
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["DeletionProtectionEnabled"], true);
    for (name, queue) in template().of_type("AWS::SQS::Queue") {
        assert!(queue["SqsManagedSseEnabled"] == true || queue["KmsMasterKeyId"].is_string(), "{name}");
    }
    for (name, group) in template().of_type("AWS::Logs::LogGroup") {
        assert!(!group["RetentionInDays"].is_null(), "{name}: expected an end of its keeping");
    }
}
