//! What the template lets each function do: its IAM statements, read so that every call at the seam can be held against
//! them. Only what this bundle's template uses is understood; anything else is a fault, never a silent yes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::cloudformation;

/// By function.
pub type Rights = BTreeMap<String, Vec<Statement>>;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    pub sid: String,
    /// `dynamodb:GetItem`, ...
    pub actions: BTreeSet<String>,
    /// The logical names of the resources, or the text of their ARN.
    pub resources: Vec<String>,
    /// Patterns for the partition keys, where they are restricted.
    pub leading_keys: Option<Vec<String>>,
}

/// One thing a function does to one resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Act {
    pub action: String,
    /// `Table`, `Table/index/due`, a queue's logical name, or `mail`.
    pub resource: String,
    /// The partition keys it touches.
    pub keys: BTreeSet<String>,
}

impl Statement {
    pub fn allows(&self, act: &Act) -> bool {
        let fits = |pattern: &str, key: &str| match pattern.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => key == pattern,
        };
        let keys = |patterns: &Vec<String>| act.keys.iter().all(|key| patterns.iter().any(|one| fits(one, key)));
        self.actions.contains(&act.action)
            && self.resources.contains(&act.resource)
            && self.leading_keys.as_ref().is_none_or(keys)
    }
}

pub fn read(template: &str) -> Result<Rights, String> {
    let template = cloudformation::read(template)?;
    let mut rights = Rights::new();
    for (logical, resource) in template["Resources"].as_object().into_iter().flatten() {
        if resource["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let policies = resource["Properties"]["Policies"].as_array().into_iter().flatten();
        let statements = policies.flat_map(|policy| policy["Statement"].as_array().into_iter().flatten());
        let read = statements.map(|one| statement(logical, one)).collect::<Result<Vec<_>, String>>()?;
        rights.insert(logical.to_ascii_lowercase(), read);
    }
    Ok(rights)
}

fn statement(function: &str, value: &Value) -> Result<Statement, String> {
    let sid = value["Sid"].as_str().unwrap_or_default().to_owned();
    let unknown = |what: &str| format!("{function}.{sid}: {what}: not understood here: {}", value[what]);
    if value["Effect"] != "Allow" {
        return Err(unknown("Effect"));
    }
    let resources = many(&value["Resource"]).into_iter().map(resource).collect::<Option<Vec<_>>>();
    let leading_keys = match &value["Condition"] {
        Value::Null => None,
        condition if condition.get("StringEquals").is_some() => None,
        condition => {
            let keys = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].as_array();
            let keys = keys.ok_or_else(|| unknown("Condition"))?;
            Some(keys.iter().filter_map(|key| key.as_str().map(str::to_owned)).collect())
        }
    };
    Ok(Statement {
        actions: many(&value["Action"]).into_iter().filter_map(|action| action.as_str().map(str::to_owned)).collect(),
        resources: resources.ok_or_else(|| unknown("Resource"))?,
        leading_keys,
        sid,
    })
}

fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

fn resource(value: &Value) -> Option<String> {
    if let Some(logical) = value["Fn::GetAtt"].get(0) {
        return logical.as_str().map(str::to_owned);
    }
    let text = value["Fn::Sub"].as_str()?;
    if text.contains(":ses:") {
        return Some("mail".to_owned());
    }
    let index = text.strip_prefix("${Table.Arn}")?;
    Some(format!("Table{index}"))
}
