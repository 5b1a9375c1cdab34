//! From the template's JSON to the topology. Faults are collected by path.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Binding, Function, Mapping, Queue, Redrive, Route, Schedule, Table, Topology};

/// AWS's own defaults, for what the template leaves unsaid.
const DEFAULT_VISIBILITY: u32 = 30;
const DEFAULT_RETENTION: u32 = 345_600;
const DEFAULT_BATCH: u32 = 10;
const DEFAULT_TIMEOUT: u32 = 3;
const DEFAULT_MEMORY: u32 = 128;

pub fn read(template: &Value) -> Result<Topology, Vec<String>> {
    let mut reader = Reader { template, faults: Vec::new() };
    let topology = reader.topology();
    match topology {
        Some(topology) if reader.faults.is_empty() => Ok(topology),
        _ => Err(reader.faults),
    }
}

struct Reader<'a> {
    template: &'a Value,
    faults: Vec<String>,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, at: &str, expected: &str, found: &Value) {
        self.faults.push(format!("template.yaml: {at}: expected {expected}, found {found}"));
    }

    fn of_type(&self, kind: &str) -> Vec<(&'a String, &'a Value)> {
        let resources = self.template["Resources"].as_object();
        resources
            .into_iter()
            .flatten()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name, &resource["Properties"]))
            .collect()
    }

    fn topology(&mut self) -> Option<Topology> {
        let tables = self.of_type("AWS::DynamoDB::Table");
        let [(table, table_properties)] = tables[..] else {
            self.fault("Resources", "exactly one AWS::DynamoDB::Table", &json!(tables.len()));
            return None;
        };
        let names: BTreeMap<&'a String, String> = self
            .of_type("AWS::SQS::Queue")
            .into_iter()
            .map(|(logical, properties)| (logical, self.queue_name(logical, properties)))
            .collect();
        let queues = self
            .of_type("AWS::SQS::Queue")
            .into_iter()
            .map(|(logical, properties)| self.queue(logical, properties, &names))
            .map(|queue| (queue.name.clone(), queue))
            .collect();
        let functions = self
            .of_type("AWS::Serverless::Function")
            .into_iter()
            .map(|(logical, properties)| self.function(logical, properties, table, &names))
            .map(|function| (function.name.clone(), function))
            .collect();
        let (table, alias, routes) = (self.table(table, table_properties), self.alias(), self.routes());
        Some(Topology { table, queues, functions, alias, routes })
    }

    fn alias(&mut self) -> String {
        let alias = &self.template["Globals"]["Function"]["AutoPublishAlias"];
        if !alias.is_string() {
            self.fault("Globals.Function.AutoPublishAlias", "a name", alias);
        }
        alias.as_str().unwrap_or_default().to_owned()
    }

    fn table(&mut self, logical: &str, properties: &Value) -> Table {
        // These members mean the same in a template and in a CreateTable request.
        const DEFINITION: [&str; 4] = ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"];
        let definition: Map<String, Value> = DEFINITION
            .into_iter()
            .filter_map(|member| Some((member.to_owned(), properties.get(member)?.clone())))
            .collect();
        let mut key = |role: &str| {
            let keys = properties["KeySchema"].as_array();
            let found = keys.into_iter().flatten().find(|key| key["KeyType"] == role);
            let name = found.and_then(|key| key["AttributeName"].as_str()).map(str::to_owned);
            if name.is_none() {
                self.fault(&format!("{logical}.KeySchema"), &format!("a {role} key"), &properties["KeySchema"]);
            }
            name.unwrap_or_default()
        };
        let ttl = &properties["TimeToLiveSpecification"];
        Table {
            partition_key: key("HASH"),
            sort_key: key("RANGE"),
            definition: Value::Object(definition),
            expires: (ttl["Enabled"] == true).then(|| ttl["AttributeName"].as_str().unwrap_or_default().to_owned()),
        }
    }

    /// `${AWS::StackName}-refresh.fifo` is `refresh.fifo` here: there is one stack.
    fn queue_name(&mut self, logical: &str, properties: &Value) -> String {
        let name = &properties["QueueName"];
        let text = name["Fn::Sub"].as_str().or(name.as_str());
        match text.and_then(|text| text.strip_prefix("${AWS::StackName}-")) {
            Some(name) => name.to_owned(),
            None => {
                self.fault(&format!("{logical}.QueueName"), "!Sub \"${AWS::StackName}-...\"", name);
                String::new()
            }
        }
    }

    fn queue(&mut self, logical: &str, properties: &Value, names: &BTreeMap<&String, String>) -> Queue {
        let redrive = properties.get("RedrivePolicy").and_then(|policy| {
            let after_receives = self.number(logical, policy, "maxReceiveCount", 10);
            let to = self.queue_of(&policy["deadLetterTargetArn"], names);
            if to.is_none() {
                let at = format!("{logical}.RedrivePolicy.deadLetterTargetArn");
                self.fault(&at, "!GetAtt of a queue of this template", &policy["deadLetterTargetArn"]);
            }
            Some(Redrive { to: to?, after_receives })
        });
        Queue {
            name: names.get(&logical.to_owned()).cloned().unwrap_or_default(),
            fifo: properties["FifoQueue"] == true,
            deduplicates_by_group: properties["DeduplicationScope"] == "messageGroup",
            delay_seconds: self.number(logical, properties, "DelaySeconds", 0),
            visibility_seconds: self.number(logical, properties, "VisibilityTimeout", DEFAULT_VISIBILITY),
            retention_seconds: self.number(logical, properties, "MessageRetentionPeriod", DEFAULT_RETENTION),
            redrive,
        }
    }

    fn number(&mut self, logical: &str, properties: &Value, member: &str, otherwise: u32) -> u32 {
        let Some(value) = properties.get(member) else { return otherwise };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            self.fault(&format!("{logical}.{member}"), "a whole number", value);
        }
        number.unwrap_or(otherwise)
    }

    fn queue_of(&self, arn: &Value, names: &BTreeMap<&String, String>) -> Option<String> {
        let logical = arn["Fn::GetAtt"].get(0)?.as_str()?.to_owned();
        names.get(&logical).cloned()
    }

    fn function(
        &mut self,
        logical: &str,
        properties: &Value,
        table: &str,
        names: &BTreeMap<&String, String>,
    ) -> Function {
        let globals = &self.template["Globals"]["Function"];
        let default_timeout = self.number("Globals.Function", globals, "Timeout", DEFAULT_TIMEOUT);
        let default_memory = self.number("Globals.Function", globals, "MemorySize", DEFAULT_MEMORY);
        let mut environment = BTreeMap::new();
        for scope in [globals, properties] {
            let variables = scope["Environment"]["Variables"].as_object();
            for (name, value) in variables.into_iter().flatten() {
                environment.insert(name.clone(), self.binding(value, table, names));
            }
        }
        let events = properties["Events"].as_object();
        let events: Vec<&Value> = events.into_iter().flat_map(|events| events.values()).collect();
        Function {
            name: logical.to_ascii_lowercase(),
            timeout_seconds: self.number(logical, properties, "Timeout", default_timeout),
            memory_megabytes: self.number(logical, properties, "MemorySize", default_memory),
            environment,
            source: events
                .iter()
                .find(|event| event["Type"] == "SQS")
                .and_then(|event| self.mapping(logical, &event["Properties"], names)),
            schedule: events
                .iter()
                .find(|event| event["Type"] == "ScheduleV2")
                .and_then(|event| self.schedule(logical, &event["Properties"])),
        }
    }

    fn binding(&self, value: &Value, table: &str, names: &BTreeMap<&String, String>) -> Binding {
        if let Some(literal) = value.as_str() {
            return Binding::Literal(literal.to_owned());
        }
        let Some(name) = value["Ref"].as_str().map(str::to_owned) else { return Binding::Deployment };
        if name == table {
            Binding::Table
        } else if let Some(queue) = names.get(&name) {
            Binding::Queue(queue.clone())
        } else if self.template["Parameters"].get(&name).is_some() {
            Binding::Parameter(name)
        } else {
            Binding::Deployment
        }
    }

    fn mapping(&mut self, logical: &str, event: &Value, names: &BTreeMap<&String, String>) -> Option<Mapping> {
        let queue = self.queue_of(&event["Queue"], names);
        if queue.is_none() {
            self.fault(&format!("{logical}.Events.Queue"), "!GetAtt of a queue of this template", &event["Queue"]);
        }
        let responses = event["FunctionResponseTypes"].as_array();
        let most_at_once = event["ScalingConfig"]["MaximumConcurrency"].as_u64();
        Some(Mapping {
            queue: queue?,
            batch_size: self.number(logical, event, "BatchSize", DEFAULT_BATCH) as usize,
            reports_item_failures: responses.is_some_and(|types| types.contains(&json!("ReportBatchItemFailures"))),
            most_at_once: most_at_once.and_then(|most| usize::try_from(most).ok()),
        })
    }

    /// `rate(1 minute)`, `rate(5 minutes)`: the only expressions an engine without a calendar needs.
    fn schedule(&mut self, logical: &str, event: &Value) -> Option<Schedule> {
        let expression = &event["ScheduleExpression"];
        let rate = expression.as_str().and_then(|text| text.strip_prefix("rate(")?.strip_suffix(')'));
        let seconds = rate.and_then(|rate| rate.split_once(' ')).and_then(|(count, unit)| {
            let unit = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                _ => return None,
            };
            count.parse::<u32>().ok()?.checked_mul(unit)
        });
        if seconds.is_none() {
            self.fault(&format!("{logical}.Events.ScheduleExpression"), "rate(<n> <unit>)", expression);
        }
        let input = event["Input"].as_str().unwrap_or("{}").to_owned();
        Some(Schedule { every_seconds: seconds?, input })
    }

    fn routes(&mut self) -> Vec<Route> {
        let integrations: BTreeMap<&String, String> = self
            .of_type("AWS::ApiGatewayV2::Integration")
            .into_iter()
            .filter_map(|(logical, properties)| {
                // The function's alias: which version answers is the deployment's affair.
                let function = properties["IntegrationUri"]["Ref"].as_str()?.strip_suffix(".Alias")?;
                Some((logical, function.to_ascii_lowercase()))
            })
            .collect();
        let mut routes = Vec::new();
        for (logical, properties) in self.of_type("AWS::ApiGatewayV2::Route") {
            let target = properties["Target"]["Fn::Sub"].as_str();
            let target = target.and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'));
            let function = target.and_then(|target| integrations.get(&target.to_owned()));
            let key = properties["RouteKey"].as_str().and_then(|key| key.split_once(' '));
            match (function, key) {
                (Some(function), Some((method, path))) => {
                    routes.push(Route { method: method.to_owned(), path: path.to_owned(), function: function.clone() })
                }
                _ => self.fault(logical, "a route \"METHOD /path\" to an integration of this template", properties),
            }
        }
        routes.sort();
        routes
    }
}
