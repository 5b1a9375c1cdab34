//! The template as CloudFormation gets it: what the SAM transform makes of `infra/template.yaml`, read by its parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::{Command, Stdio},
    sync::OnceLock,
};

use holdpoint_tests::{
    cloud::tools::{self, Set},
    repository,
};
use serde_json::Value;

/// The seven, by logical id.
pub const FUNCTIONS: [&str; 7] = ["Ingest", "Refresh", "Notify", "Adopt", "Acknowledge", "Tick", "Poll"];

pub struct Template(Value);

/// Transformed once for all tests of this binary.
pub fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let written = std::fs::read_to_string(repository().join("infra/template.yaml")).expect("the template");
        // The transform takes uploaded code only, as `sam package` leaves it.
        let packaged = written.replace("../target/lambda/", "s3://code/");
        let programs = tools::installed(Set::Test).expect("the tools");
        let mut child = Command::new(programs.join("python"))
            .arg(repository().join("tests/cloud/transform.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the transform");
        child.stdin.take().expect("a pipe").write_all(packaged.as_bytes()).expect("the template handed over");
        let done = child.wait_with_output().expect("the transform's end");
        assert!(done.status.success(), "the transform refused the template");
        Template(serde_json::from_slice(&done.stdout).expect("JSON"))
    })
}

impl Template {
    /// With its condition and its policies of deployment.
    pub fn whole(&self, logical: &str) -> &Value {
        let resource = &self.0["Resources"][logical];
        assert!(!resource.is_null(), "template.yaml: expected a resource {logical}");
        resource
    }

    pub fn resource(&self, logical: &str) -> &Value {
        &self.whole(logical)["Properties"]
    }

    pub fn parameters(&self) -> BTreeSet<&str> {
        self.0["Parameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    pub fn parameters_without_default(&self) -> BTreeSet<&str> {
        let all = self.0["Parameters"].as_object().into_iter().flatten();
        all.filter(|(_, parameter)| parameter["Default"].is_null()).map(|(name, _)| name.as_str()).collect()
    }

    /// Every resource of a type with its properties.
    pub fn of_type(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_object().into_iter().flatten();
        resources
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(logical, resource)| (logical.as_str(), &resource["Properties"]))
            .collect()
    }

    /// What a function's own policies allow; the managed ones of logs, traces and polling are AWS's.
    pub fn statements(&self, function: &str) -> Vec<Statement> {
        let policies = self.resource(&format!("{function}Role"))["Policies"].as_array().into_iter().flatten();
        policies
            .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten())
            .map(|statement| Statement::read(function, statement))
            .collect()
    }

    pub fn variables(&self, function: &str) -> &Value {
        &self.resource(function)["Environment"]["Variables"]
    }
}

/// The function whose live version somebody calls. Who called the function itself would call what is not released.
pub fn function_behind(called: &Value, by: &str) -> &'static str {
    let alias = called["Ref"].as_str().and_then(|name| name.strip_suffix("Aliaslive"));
    let function = alias.and_then(|alias| FUNCTIONS.into_iter().find(|function| *function == alias));
    function.unwrap_or_else(|| panic!("{by}: expected the alias of a function, found {called}"))
}

/// One `Allow`.
#[derive(Debug)]
pub struct Statement {
    pub sid: String,
    pub actions: Vec<String>,
    /// Logical ids; an index is `Table/index/due`.
    pub resources: Vec<String>,
    /// Patterns of leading keys; empty where none are asked for.
    pub leading_keys: Vec<String>,
}

impl Statement {
    fn read(function: &str, statement: &Value) -> Self {
        let sid = statement["Sid"].as_str().unwrap_or_default().to_owned();
        assert_eq!(statement["Effect"], "Allow", "{function}: {sid}");
        let conditions = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        Self {
            sid,
            actions: many(&statement["Action"]).iter().map(word).collect(),
            resources: many(&statement["Resource"]).iter().map(logical).collect(),
            leading_keys: many(conditions).iter().map(word).collect(),
        }
    }
}

/// One or several, as policies write both.
fn many(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a word, found {value}")).to_owned()
}

/// `{Fn::GetAtt: [Table, Arn]}` is `Table`, `${Table.Arn}/index/due` is `Table/index/due`, an ARN is itself.
fn logical(resource: &Value) -> String {
    if let Some(name) = resource["Fn::GetAtt"][0].as_str().or(resource["Ref"].as_str()) {
        return name.to_owned();
    }
    match resource["Fn::Sub"].as_str() {
        Some(text) => text.replace("${Table.Arn}", "Table"),
        None => word(resource),
    }
}
