//! The functions of the bundle with their environments: what the template binds, resolved for this machine.

use std::{collections::BTreeMap, sync::Arc};

use aws_config::SdkConfig;
use aws_lambda_events::{lambda_function_urls::LambdaFunctionUrlRequest, sqs::SqsEvent};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_shell::{
    Failure,
    batch::Report,
    clock::Clock,
    deadline::Deadline,
    queue::Queue,
    web::{Request, Response},
};
use packet_store::Store;
use presentation::link::Keys;
use refresh_core::Person;
use serde_json::{Map, Value, json};

use super::{Settings, TABLE};
use crate::{
    queues,
    topology::{Binding, Topology},
};

/// One field a function; each is called exactly as its `main.rs` would.
pub struct Functions {
    pub ingest: ingest::Env,
    pub refresh: refresh::Env,
    pub notify: notify::Env,
    pub adopt: adopt::Env,
    pub acknowledge: acknowledge::Env,
    pub tick: tick::Env,
}

/// What a batch function says of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    Ingested(Vec<ingest::Taken>),
    Refreshed(refresh::Refreshed),
    Notified(notify::Notified),
}

/// A function's environment variables as this machine has them.
struct Environment<'a> {
    function: &'a str,
    values: BTreeMap<&'a str, String>,
    /// What its clients are made of.
    sdk: SdkConfig,
}

impl<'a> Environment<'a> {
    fn of(topology: &'a Topology, function: &'a str, settings: &Settings, sdk: SdkConfig) -> Result<Self, String> {
        let wiring = topology.functions.get(function);
        let wiring = wiring.ok_or_else(|| format!("template.yaml: expected a function {function}, found none"))?;
        let value = |name: &str, binding: &Binding| match binding {
            Binding::Table => Some(TABLE.to_owned()),
            Binding::Queue(queue) => Some(queues::url(queue)),
            Binding::Literal(literal) => Some(literal.clone()),
            Binding::Parameter(parameter) => match parameter.as_str() {
                "MailFrom" => Some(settings.mail_from.clone()),
                "MailDomain" => Some(settings.mail_domain.clone()),
                _ => None,
            },
            Binding::Deployment => match name {
                "ADOPT_LINK_BASE" | "ACKNOWLEDGE_LINK_BASE" => Some(settings.link_base.clone()),
                "LINK_KEYS" => Some(settings.link_keys.clone()),
                _ => None,
            },
        };
        let values = wiring
            .environment
            .iter()
            .filter_map(|(name, binding)| Some((name.as_str(), value(name, binding)?)))
            .collect();
        Ok(Self { function, values, sdk })
    }

    fn get(&self, name: &str) -> Result<String, String> {
        let value = self.values.get(name).cloned();
        value.ok_or_else(|| format!("template.yaml: {}: expected the variable {name}, found none", self.function))
    }
}

impl Functions {
    pub(super) fn new(
        topology: &Topology,
        settings: &Settings,
        sdk: impl Fn(&str) -> SdkConfig,
        clock: &Clock,
    ) -> Result<Self, String> {
        let policy = sources::policy::read_file(&settings.policy).map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(|fault| format!("policy: {fault}")).collect();
            lines.join("\n")
        })?;
        let policy = Arc::new(policy);
        let deployment = Arc::new(policy.deployment.clone());
        let keys = Keys::parse(&settings.link_keys).map_err(|expected| format!("link keys: expected {expected}"))?;
        let environment = |function| Environment::of(topology, function, settings, sdk(function));
        let store = |of: &Environment<'_>| {
            Ok::<_, String>(Store::new(aws_sdk_dynamodb::Client::new(&of.sdk), of.get("TABLE")?))
        };
        let queue = |of: &Environment<'_>, name: &str| {
            Ok::<_, String>(Queue::new(aws_sdk_sqs::Client::new(&of.sdk), of.get(name)?))
        };

        let of = environment("ingest")?;
        let ingest = ingest::Env {
            store: store(&of)?,
            policy: policy.clone(),
            refresh: queue(&of, "REFRESH_QUEUE_URL")?,
            dead_letters: queue(&of, "SOURCE_EVENTS_DLQ_URL")?,
            clock: clock.clone(),
        };
        let of = environment("refresh")?;
        let refresh = refresh::Env {
            store: store(&of)?,
            deployment: deployment.clone(),
            notices: queue(&of, "NOTICES_QUEUE_URL")?,
            mail_domain: of.get("MAIL_DOMAIN")?,
            clock: clock.clone(),
        };
        let of = environment("notify")?;
        let postage = notify::Postage {
            keys: keys.clone(),
            adopt_link_base: of.get("ADOPT_LINK_BASE")?,
            acknowledge_link_base: of.get("ACKNOWLEDGE_LINK_BASE")?,
            from: Person::parse(&of.get("MAIL_FROM")?).map_err(|expected| format!("mail from: expected {expected}"))?,
            mail_domain: of.get("MAIL_DOMAIN")?,
            configuration_set: None,
        };
        let notify = notify::Env {
            store: store(&of)?,
            deployment: deployment.clone(),
            mailer: aws_sdk_sesv2::Client::new(&of.sdk),
            postage: Arc::new(postage),
            clock: clock.clone(),
        };
        let of = environment("adopt")?;
        let adopt = adopt::Env {
            store: store(&of)?,
            deployment: deployment.clone(),
            notices: queue(&of, "NOTICES_QUEUE_URL")?,
            keys: keys.clone(),
            clock: clock.clone(),
        };
        let of = environment("acknowledge")?;
        let acknowledge = acknowledge::Env {
            store: store(&of)?,
            deployment,
            notices: queue(&of, "NOTICES_QUEUE_URL")?,
            keys,
            clock: clock.clone(),
        };
        let of = environment("tick")?;
        let tick = tick::Env {
            store: store(&of)?,
            refresh: queue(&of, "REFRESH_QUEUE_URL")?,
            notices: queue(&of, "NOTICES_QUEUE_URL")?,
            clock: clock.clone(),
        };
        Ok(Self { ingest, refresh, notify, adopt, acknowledge, tick })
    }

    /// A queue's function, by its name.
    pub async fn batch(&self, function: &str, event: SqsEvent, deadline: Deadline) -> Result<Report<Outcome>, String> {
        Ok(match function {
            "ingest" => each(ingest::handle(&self.ingest, event, deadline).await, Outcome::Ingested),
            "refresh" => each(refresh::handle(&self.refresh, event, deadline).await, Outcome::Refreshed),
            "notify" => each(notify::handle(&self.notify, event, deadline).await, Outcome::Notified),
            other => return Err(format!("{other:?} reads no queue")),
        })
    }

    /// A page's function, by its name. A HEAD answer has no body, whatever the function made.
    pub async fn page(&self, function: &str, event: Value, deadline: Deadline) -> Result<Response, String> {
        let event: LambdaFunctionUrlRequest =
            serde_json::from_value(event).map_err(|error| format!("expected a function-URL event: {error}"))?;
        let request = Request::from_event(event)?;
        let head = request.method == "HEAD";
        let mut response = match function {
            "adopt" => adopt::handle(&self.adopt, request, deadline).await,
            "acknowledge" => acknowledge::handle(&self.acknowledge, request, deadline).await,
            other => return Err(format!("{other:?} answers no page")),
        };
        if head {
            response.body.clear();
        }
        Ok(response)
    }

    /// The schedule's function.
    pub async fn tick(&self, event: Value, deadline: Deadline) -> Result<tick::Ticked, Failure> {
        tick::handle(&self.tick, event, deadline).await
    }

    /// One function, one event, like the cloud would: what it answers, as JSON.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, String> {
        match function {
            "ingest" | "refresh" | "notify" => {
                let event = serde_json::from_value(event).map_err(|error| format!("expected an SQS event: {error}"))?;
                let report = self.batch(function, event, Deadline::far()).await?;
                let response = report.response().map_err(|failure| failure.chain())?;
                serde_json::to_value(response).map_err(|error| error.to_string())
            }
            "adopt" | "acknowledge" => Ok(self.page(function, event, Deadline::far()).await?.to_event()),
            "tick" => self.tick(event, Deadline::far()).await.map(|_| Value::Null).map_err(|failure| failure.chain()),
            other => Err(format!("expected one of ingest, refresh, notify, adopt, acknowledge, tick; found {other:?}")),
        }
    }
}

fn each<T>(report: Report<T>, outcome: impl Fn(T) -> Outcome) -> Report<Outcome> {
    let outcomes = report.outcomes.into_iter().map(|(id, one)| (id, one.map(&outcome))).collect();
    Report { outcomes, refused: report.refused }
}

/// A request as the HTTP API hands it to a function: payload version 2.
pub(super) fn url_event(request: &Request, route: &str, now_millis: i64) -> Value {
    let mut headers = Map::new();
    for (name, value) in &request.headers {
        match headers.get_mut(name) {
            Some(Value::String(before)) => {
                before.push(',');
                before.push_str(value);
            }
            _ => {
                headers.insert(name.clone(), value.clone().into());
            }
        }
    }
    json!({
        "version": "2.0",
        "routeKey": format!("{} {route}", request.method),
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": request.domain_name,
            "requestId": "local",
            "stage": "$default",
            "timeEpoch": now_millis,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip.as_deref().unwrap_or("127.0.0.1"),
                "userAgent": request.header("user-agent").unwrap_or_default(),
            },
        },
        "body": STANDARD.encode(&request.body),
        "isBase64Encoded": true,
    })
}
