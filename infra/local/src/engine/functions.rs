//! The functions of the bundle with their environments: what the template binds, resolved for this machine.

use aws_config::SdkConfig;
use aws_lambda_events::{lambda_function_urls::LambdaFunctionUrlRequest, sqs::SqsEvent};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_shell::{
    Failure,
    batch::BatchReport,
    clock::Clock,
    deadline::Deadline,
    settings as shell,
    start::Wiring,
    web::{Request, Response},
};
use serde_json::{Map, Value, json};

use super::Settings;
use crate::{
    embedded::TABLE,
    not_done::NotDone,
    queues,
    topology::{Binding, Topology},
};

/// A function of this process may fill half of so much with what it remembers of reviews: it serves all of them, where a
/// Lambda function has many workers.
const MEGABYTES: usize = 512;

/// One field a function; each is called exactly as its `main.rs` would.
pub struct Functions {
    pub ingest: ingest::Env,
    pub refresh: refresh::Env,
    pub notify: notify::Env,
    pub adopt: adopt::Env,
    pub acknowledge: acknowledge::Env,
    pub tick: tick::Env,
    pub poll: poll::Env,
}

/// What a batch function says of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    Ingested(Vec<ingest::Taken>),
    Refreshed(refresh::Refreshed),
    Notified(notify::Notified),
}

struct Wired<'a, S> {
    topology: &'a Topology,
    settings: &'a Settings,
    sdk: S,
    clock: &'a Clock,
}

impl<S: Fn(&str) -> SdkConfig> Wired<'_, S> {
    fn function<E>(&self, name: &str, wiring: impl Wiring<E>) -> Result<E, String> {
        let mut surroundings = surroundings(self.topology, name, self.settings)?;
        let env = wiring(&mut surroundings, &(self.sdk)(name), self.clock.clone());
        env.map_err(|bad| format!("{name}: {}", bad.0.into_iter().map(where_it_stands).collect::<Vec<_>>().join("\n")))
    }
}

/// What the cloud hands a function as a variable stands in a file here, which the fault of a secret names as well.
fn where_it_stands(fault: String) -> String {
    const FILES: [(&str, &str); 2] =
        [("SOURCE_SECRETS", "source-secrets.json"), ("SOURCE_CREDENTIALS", "source-credentials.json")];
    match FILES.iter().find(|(variable, _)| fault.starts_with(variable)) {
        Some((_, file)) => format!("{fault}; they stand in {file} of the store's folder, or where the settings say"),
        None => fault,
    }
}

/// What a function is set up with in the cloud, as this machine has it: the template's variables, and the policy file.
fn surroundings(topology: &Topology, function: &str, settings: &Settings) -> Result<shell::Settings, String> {
    let wiring = topology.functions.get(function);
    let wiring = wiring.ok_or_else(|| format!("template.yaml: expected a function {function}, found none"))?;
    let value = |name: &str, binding: &Binding| match binding {
        Binding::Table => Some(TABLE.to_owned()),
        Binding::Queue(queue) => Some(queues::url(queue)),
        Binding::Literal(literal) => Some(literal.clone()),
        Binding::Parameter(parameter) => match parameter.as_str() {
            "MailFrom" => Some(settings.mail_from.clone()),
            "ReplyAddress" => Some(settings.reply_address.clone()),
            "MailDomain" => Some(settings.mail_domain.clone()),
            _ => None,
        },
        Binding::Deployment => match name {
            "ADOPT_LINK_BASE" | "ACKNOWLEDGE_LINK_BASE" => Some(settings.link_base.clone()),
            "LINK_KEYS" => Some(settings.link_keys.clone()),
            "SOURCE_SECRETS" => Some(settings.source_secrets.clone()),
            "SOURCE_CREDENTIALS" => Some(settings.source_credentials.clone()),
            _ => None,
        },
    };
    let variables = wiring.environment.iter().filter_map(|(name, binding)| Some((name.clone(), value(name, binding)?)));
    let seed = settings.seed.map(|seed| ("JITTER_SEED".to_owned(), seed.to_string()));
    let memory = ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), MEGABYTES.to_string());
    Ok(shell::Settings::of(variables.chain(seed).chain([memory])).with_file("policy.json", settings.policy.as_str()))
}

impl Functions {
    /// Each by its own `Env::of`, as its `main.rs` is. `sdk`: what the clients of the function with that name are made of.
    ///
    /// # Errors
    ///
    /// The first function that cannot be set up, with everything that is missing or wrong for it.
    pub fn new(
        topology: &Topology,
        settings: &Settings,
        sdk: impl Fn(&str) -> SdkConfig,
        clock: &Clock,
    ) -> Result<Self, String> {
        let wired = Wired { topology, settings, sdk, clock };
        let mut poll = wired.function("poll", poll::Env::of)?;
        if let Some(web) = &settings.web {
            poll.web = web.clone();
        }
        Ok(Self {
            ingest: wired.function("ingest", ingest::Env::of)?,
            refresh: wired.function("refresh", refresh::Env::of)?,
            notify: wired.function("notify", notify::Env::of)?,
            adopt: wired.function("adopt", adopt::Env::of)?,
            acknowledge: wired.function("acknowledge", acknowledge::Env::of)?,
            tick: wired.function("tick", tick::Env::of)?,
            poll,
        })
    }

    /// A queue's function, by its name.
    pub async fn batch(
        &self,
        function: &str,
        event: SqsEvent,
        deadline: Deadline,
    ) -> Result<BatchReport<Outcome>, String> {
        Ok(match function {
            "ingest" => each(ingest::handle(&self.ingest, event, deadline).await, Outcome::Ingested),
            "refresh" => each(refresh::handle(&self.refresh, event, deadline).await, Outcome::Refreshed),
            "notify" => each(notify::handle(&self.notify, event, deadline).await, Outcome::Notified),
            other => return Err(format!("{other:?} reads no queue")),
        })
    }

    /// A page's function, by its name. A HEAD answer has no body, whatever the function made; its headers are those of a
    /// GET, the length of the body included.
    pub async fn page(&self, function: &str, event: Value, deadline: Deadline) -> Result<Response, String> {
        let event: LambdaFunctionUrlRequest =
            serde_json::from_value(event).map_err(|error| format!("expected a function-URL event: {error}"))?;
        let request = Request::from_event(event)?;
        let head = request.method == "HEAD";
        let mut response = match function {
            "ingest" => ingest::post(&self.ingest, request, deadline).await,
            "adopt" => adopt::handle(&self.adopt, request, deadline).await,
            "acknowledge" => acknowledge::handle(&self.acknowledge, request, deadline).await,
            other => return Err(format!("{other:?} answers no page")),
        };
        if head {
            let has_length = response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            if !has_length {
                response.headers.push(("content-length".to_owned(), response.body.len().to_string()));
            }
            response.body.clear();
        }
        Ok(response)
    }

    /// The schedule's function that asks systems.
    pub async fn poll(&self, event: Value, deadline: Deadline) -> Result<poll::Polled, Failure> {
        poll::handle(&self.poll, event, deadline).await
    }

    /// The schedule's function that looks for what is due.
    pub async fn tick(&self, event: Value, deadline: Deadline) -> Result<tick::Ticked, Failure> {
        tick::handle(&self.tick, event, deadline).await
    }

    /// A page says itself what went wrong behind it, so the only error is an event that is no request.
    async fn opened(&self, function: &str, event: Value) -> Result<Value, NotDone> {
        let page = self.page(function, event, Deadline::far()).await;
        page.map(|response| response.to_event()).map_err(NotDone::Malformed)
    }

    /// One function, one event, like the cloud would: what it answers, as JSON.
    ///
    /// # Errors
    /// [`NotDone::Malformed`] for a function or an event of no known form; what the function failed with.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, NotDone> {
        match function {
            "ingest" if event.get("requestContext").is_some() => self.opened(function, event).await,
            "ingest" | "refresh" | "notify" => {
                let event = serde_json::from_value(event).map_err(|error| {
                    NotDone::Malformed(format!(
                        "expected an event of SQS, {{\"Records\": [{{\"messageId\": …, \"body\": …}}]}}: {error}; `holdpoint send` takes events of sources"
                    ))
                })?;
                let report = self.batch(function, event, Deadline::far()).await?;
                let response = report.response().map_err(|failure| failure.chain())?;
                serde_json::to_value(response).map_err(|error| NotDone::Failed(error.to_string()))
            }
            "adopt" | "acknowledge" => self.opened(function, event).await,
            "tick" => {
                self.tick(event, Deadline::far()).await.map(|_| Value::Null).map_err(|failure| failure.chain().into())
            }
            "poll" => {
                self.poll(event, Deadline::far()).await.map(|_| Value::Null).map_err(|failure| failure.chain().into())
            }
            other => Err(NotDone::Malformed(format!(
                "expected one of ingest, refresh, notify, adopt, acknowledge, tick, poll; found {other:?}"
            ))),
        }
    }
}

fn each<T>(report: BatchReport<T>, outcome: impl Fn(T) -> Outcome) -> BatchReport<Outcome> {
    let outcomes = report.outcomes.into_iter().map(|(id, one)| (id, one.map(&outcome))).collect();
    BatchReport { outcomes, refused: report.refused }
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
