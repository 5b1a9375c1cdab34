//! How a version goes live, and by which door people come in: read from the transformed template.

use std::{collections::BTreeSet, fs};

use holdpoint::topology::Topology;
use holdpoint_tests::repository;
use serde_json::{Value, json};

use crate::transformed::{FUNCTIONS, function_behind, template};

#[test]
fn everything_that_calls_a_function_calls_what_is_live() {
    let template = template();
    for (name, mapping) in template.of_type("AWS::Lambda::EventSourceMapping") {
        function_behind(&mapping["FunctionName"], name);
    }
    for (name, schedule) in template.of_type("AWS::Scheduler::Schedule") {
        function_behind(&schedule["Target"]["Arn"], name);
    }
    for (name, url) in template.of_type("AWS::Lambda::Url") {
        function_behind(&url["TargetFunctionArn"], name);
    }
    for (name, integration) in template.of_type("AWS::ApiGatewayV2::Integration") {
        function_behind(&integration["IntegrationUri"], name);
    }
    for (name, permission) in template.of_type("AWS::Lambda::Permission") {
        function_behind(&permission["FunctionName"], name);
    }
}

#[test]
fn a_new_version_goes_back_by_itself_on_the_alarms_that_speak_of_it() {
    let template = template();
    // What a version can do wrong on trial, beside failing whole and writing errors into its log.
    let own = |function: &str| match function {
        "Ingest" => vec!["SourceEventsRefused"],
        "Refresh" => vec!["RefreshDeadLettered"],
        "Notify" => vec!["NoticesDeadLettered"],
        _ => vec![],
    };
    for function in FUNCTIONS {
        let group = format!("{function}DeploymentGroup");
        let policy = &template.whole(&format!("{function}Aliaslive"))["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
        assert_eq!(policy["DeploymentGroupName"]["Ref"], json!(group), "{function}");
        let group = template.resource(&group);
        let found: BTreeSet<&str> = group["AlarmConfiguration"]["Alarms"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|alarm| alarm["Name"]["Ref"].as_str().expect("an alarm of this template"))
            .collect();
        let errors = format!("{function}Errors");
        let expected: BTreeSet<&str> =
            [errors.as_str(), "FunctionsReportFaults"].into_iter().chain(own(function)).collect();
        assert_eq!(found, expected, "{function}");
        assert_eq!(group["AlarmConfiguration"]["Enabled"], true, "{function}");
        let events = group["AutoRollbackConfiguration"]["Events"].to_string();
        assert!(events.contains("DEPLOYMENT_STOP_ON_ALARM") && events.contains("DEPLOYMENT_FAILURE"), "{function}");
        let pace = group["DeploymentConfigName"]["Fn::Sub"][1]["ConfigName"].as_str().expect("a pace");
        assert!(pace.starts_with("Canary") || pace.starts_with("Linear"), "{function}: {pace} is not by and by");
        // The alarm is about what is live, and not about a version somebody tries by hand.
        let alarm = template.resource(&errors);
        let dimension = |name: &str| {
            let all = alarm["Dimensions"].as_array().into_iter().flatten();
            all.filter(|one| one["Name"] == name).map(|one| one["Value"].clone()).next().unwrap_or_default()
        };
        assert_eq!(dimension("FunctionName"), json!({ "Ref": function }));
        assert_eq!(dimension("Resource"), json!({ "Fn::Sub": format!("${{{function}}}:live") }));
        assert_eq!(template.resource(&format!("{function}Throttles"))["MetricName"], "Throttles");
    }
}

/// Every `!Ref` and `${...}` of a parameter in it.
fn parameters_in(value: &Value, known: &BTreeSet<&str>, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(name) = members.get("Ref").and_then(Value::as_str).filter(|name| known.contains(name)) {
                found.insert(name.to_owned());
            }
            members.values().for_each(|inner| parameters_in(inner, known, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| parameters_in(inner, known, found)),
        Value::String(text) => {
            let named = known.iter().filter(|name| text.contains(&format!("${{{name}}}")));
            found.extend(named.map(|name| (*name).to_owned()));
        }
        _ => {}
    }
}

/// A version keeps the configuration of the moment it was published in. CloudFormation publishes another where the
/// resource's text changed; a parameter's value is none of it, but in the version's own description. One named there that
/// the function is not configured with is as wrong: Lambda publishes no version of what did not change.
#[test]
fn a_changed_parameter_is_another_version() {
    let template = template();
    let parameters = template.parameters();
    for function in FUNCTIONS {
        let properties = template.resource(function);
        let mut configured = BTreeSet::new();
        for (name, value) in properties.as_object().expect("properties") {
            // Concurrency is the function's, whatever its version; the name and the log's follow the stack's name.
            if name != "ReservedConcurrentExecutions" {
                parameters_in(value, &parameters, &mut configured);
            }
        }
        let (_, version) = template
            .of_type("AWS::Lambda::Version")
            .into_iter()
            .find(|(name, _)| name.starts_with(&format!("{function}Version")))
            .unwrap_or_else(|| panic!("{function}: no version is published"));
        let mut described = BTreeSet::new();
        parameters_in(&version["Description"], &parameters, &mut described);
        assert_eq!(described, configured, "{function}: its VersionDescription");
    }
}

#[test]
fn there_is_one_door_at_a_time_and_who_is_let_in_shows_a_token() {
    let template = template();
    let of = |kind: &str| -> Vec<String> { template.of_type(kind).keys().map(|name| (*name).to_owned()).collect() };
    assert_eq!(of("AWS::Lambda::Url"), ["AcknowledgeUrl", "AdoptUrl", "IngestUrl"]);
    let condition = |name: &str| template.whole(name)["Condition"].clone();
    for url in of("AWS::Lambda::Url") {
        // Nobody needs the address of hooks where no hook has a secret.
        let open = if url == "IngestUrl" { "TakesHooksAtUrl" } else { "HasNoLinkHost" };
        assert_eq!(condition(&url), open, "{url}");
        let function = function_behind(&template.resource(&url)["TargetFunctionArn"], &url);
        // Since October 2025 a public URL takes both, and the second through the URL alone.
        let permissions: BTreeSet<String> = template
            .of_type("AWS::Lambda::Permission")
            .into_iter()
            .filter(|(name, _)| condition(name) == open)
            .filter(|(name, permission)| function_behind(&permission["FunctionName"], name) == function)
            .map(|(_, permission)| {
                let through = [&permission["FunctionUrlAuthType"], &permission["InvokedViaFunctionUrl"]];
                format!("{} {} {}", permission["Action"], through[0], through[1])
            })
            .collect();
        assert_eq!(
            permissions,
            BTreeSet::from([
                "\"lambda:InvokeFunctionUrl\" \"NONE\" null".to_owned(),
                "\"lambda:InvokeFunction\" null true".to_owned()
            ])
        );
    }
    let api = ["Api", "Integration", "Route", "Stage", "DomainName", "ApiMapping"];
    for kind in api.map(|kind| format!("AWS::ApiGatewayV2::{kind}")) {
        assert!(!of(&kind).is_empty(), "{kind}");
        for name in of(&kind) {
            let hooks = ["IngestHooks", "HookTake"].contains(&name.as_str());
            assert_eq!(condition(&name), if hooks { "TakesHooksAtHost" } else { "HasLinkHost" }, "{name}");
        }
    }
    // Anybody may knock at a URL; nobody may take the whole account's concurrency with it.
    for function in ["Adopt", "Acknowledge"] {
        let share = &template.resource(function)["ReservedConcurrentExecutions"]["Fn::If"];
        assert_eq!((&share[0], &share[1]["Ref"]), (&json!("CapsPages"), &json!("PagesConcurrency")), "{function}");
    }
}

#[test]
fn the_operator_finds_functions_and_logs_by_the_name_of_the_stack() {
    let topology = Topology::of_the_bundle().expect("a topology");
    let alias = template().resource("IngestAliaslive")["Name"].clone();
    assert_eq!(alias, json!(topology.alias));
    for function in FUNCTIONS {
        let name = function.to_ascii_lowercase();
        assert!(topology.functions.contains_key(&name), "{function}");
        let properties = template().resource(function);
        assert_eq!(properties["FunctionName"], json!({ "Fn::Sub": format!("${{AWS::StackName}}-{name}") }));
        let log = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().expect("a log group of this template");
        let group = &template().resource(log)["LogGroupName"];
        assert_eq!(*group, json!({ "Fn::Sub": format!("/aws/lambda/${{AWS::StackName}}-{name}") }));
    }
}

#[test]
fn the_example_of_a_configuration_names_parameters_of_the_template() {
    let example = fs::read_to_string(repository().join("infra/samconfig.example.toml")).expect("the example");
    let known = template().parameters();
    let named: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("# ").strip_prefix('"')?.split('=').next())
        .collect();
    assert!(named.len() > 3, "found {named:?}");
    let unknown: Vec<&&str> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "infra/samconfig.example.toml: the template has no {unknown:?}");
    for parameter in template().parameters_without_default() {
        assert!(named.contains(parameter), "infra/samconfig.example.toml: expected {parameter}, which has no default");
    }
}
