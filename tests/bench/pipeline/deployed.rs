//! The functions as processes of their own, under a stand-in of the Lambda runtime API, on one machine's services over
//! loopback: the very programs that are deployed, each batch handed over as its mapping would.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{Response, StatusCode, request::Parts},
};
use holdpoint::{
    connector::{Faults, InProcess},
    embedded::TABLE,
    engine::{Engine, Settings, sqs_event},
    queues::{self, Outgoing},
    topology::Binding,
};
use holdpoint_tests::{
    cloud::runtime::{Process, RuntimeApi, Said},
    folder::Folder,
};
use lambda_shell::{clock::Clock, deadline::Deadline};
use refresh_core::{Instant, base::instant::DAY};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::workload::{self, Shape, Workload};

/// Ample for a program that another one watches.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at a queue.
const LOOK: Duration = Duration::from_millis(20);

fn policy_file(folder: &Folder) -> PathBuf {
    folder.path().join("policy.json")
}

/// Reviews, their facts, and the services of one machine. Ends with this value.
pub struct Deployed {
    engine: Engine,
    settings: Settings,
    /// Of these reviews alone: a function that starts must not read a file that somebody else is writing.
    policy: Folder,
    endpoint: String,
    server: JoinHandle<()>,
    pub workload: Workload,
}

impl Drop for Deployed {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The Monday after the next: a deployed function has the machine's clock, and what is said must lie ahead.
pub fn zero() -> Instant {
    let (week, first) = (7 * DAY, workload::zero());
    let weeks = Clock::system().now_millis() - first.millis();
    first.plus_millis(weeks.div_euclid(week) * week + 2 * week)
}

impl Deployed {
    /// `reviews` issued, by handlers in this process: how they came about is not measured.
    pub async fn open(shape: Shape, reviews: usize) -> Result<Self, String> {
        let settings = Settings::in_memory(Workload::policy(0));
        let policy = Folder::new("bench");
        let file = policy_file(&policy);
        std::fs::write(&file, &settings.policy).map_err(|error| format!("{}: {error}", file.display()))?;
        let engine = Engine::open(settings.clone(), Clock::system()).await?;
        let services = InProcess::new(
            engine.embedded().clone(),
            engine.queues().clone(),
            engine.mailbox().clone(),
            Faults::default(),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let server = tokio::spawn(async move {
            // It ends when its task is ended.
            let _ = axum::serve(listener, Router::new().fallback(answer).with_state(services)).await;
        });
        let endpoint = format!("http://{address}");
        let mut deployed = Self { engine, settings, policy, endpoint, server, workload: Workload::new(shape, zero()) };
        for review in 0..reviews {
            for event in deployed.workload.issue(review) {
                deployed.put(&event).await?;
            }
            deployed.settle().await?;
        }
        Ok(deployed)
    }

    fn queue(&self, function: &str) -> Result<(String, usize), String> {
        let source = self.engine.topology().functions.get(function).and_then(|function| function.source.as_ref());
        source
            .map(|source| (source.queue.clone(), source.batch_size))
            .ok_or_else(|| format!("template.yaml: {function} reads no queue"))
    }

    /// One change on the queue of the source systems.
    pub async fn put(&self, event: &Value) -> Result<(), String> {
        let message = Outgoing { body: event.to_string(), ..Outgoing::default() };
        let (queue, _) = self.queue("ingest")?;
        self.engine.queues().send(&queue, message).await.map(drop).map_err(|refusal| refusal.to_string())
    }

    /// All that is waiting, handled by handlers in this process.
    async fn settle(&self) -> Result<(), String> {
        loop {
            let mut handled = 0;
            for function in ["ingest", "refresh", "notify"] {
                let batch = self.engine.take_batch(function, Deadline::far()).await;
                let batch = batch.map_err(|refusal| refusal.to_string())?;
                handled += batch.map_or(0, |batch| batch.messages);
            }
            if handled == 0 {
                return Ok(());
            }
        }
    }

    /// A function's program, started and waiting for work. `watched_by`: the program that runs the function's, and how.
    pub async fn start(&self, function: &str, program: &Path, watched_by: &[String]) -> Result<Function, String> {
        let command = match watched_by {
            [] => Command::new(program),
            [watcher, arguments @ ..] => {
                let mut command = Command::new(watcher);
                command.args(arguments).arg(program);
                command
            }
        };
        let variables = self.variables(function, program)?;
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut api = RuntimeApi::start().await?;
        let process = api.start_command(command, function, &variables)?;
        match tokio::time::timeout(PATIENCE, api.wanted()).await {
            Ok(wanted) => wanted?,
            Err(_) => {
                process.terminate()?;
                let said = process.ended().await?.stderr;
                return Err(format!("{function} asks for no work, and says: {}", String::from_utf8_lossy(&said)));
            }
        }
        Ok(Function { name: function.to_owned(), api, process })
    }

    /// What the template binds, with this machine's values.
    fn variables(&self, function: &str, program: &Path) -> Result<Vec<(String, String)>, String> {
        let wiring = self.engine.topology().functions.get(function);
        let wiring = wiring.ok_or_else(|| format!("template.yaml: expected a function {function}"))?;
        let value = |name: &str, binding: &Binding| match binding {
            Binding::Table => Some(TABLE.to_owned()),
            Binding::Queue(queue) => Some(queues::url(queue)),
            Binding::Literal(literal) => Some(literal.clone()),
            Binding::Parameter(_) | Binding::Deployment => match name {
                "MAIL_FROM" => Some(self.settings.mail_from.clone()),
                "MAIL_DOMAIN" => Some(self.settings.mail_domain.clone()),
                "ADOPT_LINK_BASE" | "ACKNOWLEDGE_LINK_BASE" => Some(self.settings.link_base.clone()),
                "LINK_KEYS" => Some(self.settings.link_keys.clone()),
                _ => None,
            },
        };
        let bound = wiring.environment.iter();
        let mut variables: Vec<(String, String)> =
            bound.filter_map(|(name, binding)| Some((name.clone(), value(name, binding)?))).collect();
        variables.push(("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), wiring.memory_megabytes.to_string()));
        variables.push(("AWS_ENDPOINT_URL".to_owned(), self.endpoint.clone()));
        variables.push(("POLICY_FILE".to_owned(), policy_file(&self.policy).display().to_string()));
        let folder = program.parent().unwrap_or(Path::new("/")).display().to_string();
        variables.push(("LAMBDA_TASK_ROOT".to_owned(), folder));
        Ok(variables)
    }

    /// Hands over until the queues of these functions hold nothing: a message that a moment delays is waited for.
    pub async fn rest(&self, running: &[(&'static str, Function)]) -> Result<(), String> {
        let rested = async {
            loop {
                let (mut handled, mut held) = (0, 0);
                for (_, function) in running {
                    handled += self.hand_over(function).await?;
                }
                for (name, _) in running {
                    let (queue, _) = self.queue(name)?;
                    held += self.engine.queues().held(&queue).map_err(|refusal| refusal.to_string())?;
                }
                match (held, handled) {
                    (0, _) => return Ok(()),
                    (_, 0) => tokio::time::sleep(LOOK).await,
                    _ => {}
                }
            }
        };
        let rested = tokio::time::timeout(PATIENCE, rested).await;
        rested.map_err(|_| format!("the queues hold messages {} s after a change", PATIENCE.as_secs()))?
    }

    /// Hands one batch to the function; answers how many messages the batch had.
    async fn hand_over(&self, function: &Function) -> Result<usize, String> {
        let (queue, most) = self.queue(&function.name)?;
        let queues = self.engine.queues();
        let deliveries = queues.receive(&queue, most, None).await.map_err(|refusal| refusal.to_string())?;
        if deliveries.is_empty() {
            return Ok(0);
        }
        let answer = function.api.invoke(sqs_event(&queue, &deliveries), PATIENCE);
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        match answer.map_err(|_| format!("{} does not answer", function.name))?? {
            Said::Response(answer) if answer["batchItemFailures"].as_array().is_none_or(Vec::is_empty) => {}
            other => return Err(format!("{}: {other:?}", function.name)),
        }
        let receipts: Vec<_> = deliveries.iter().map(|one| one.receipt).collect();
        queues.delete_all(&queue, &receipts).await.map_err(|refusal| refusal.to_string())?;
        Ok(deliveries.len())
    }
}

/// A function's process. Ends with this value.
pub struct Function {
    name: String,
    api: RuntimeApi,
    process: Process,
}

impl Function {
    /// The processor time of all threads so far.
    pub fn cpu(&self) -> Result<Duration, String> {
        let tasks = format!("/proc/{}/task", self.process.id());
        let tasks = std::fs::read_dir(&tasks).map_err(|error| format!("{tasks}: {error}"))?;
        let nanos = tasks.flatten().filter_map(|task| {
            let said = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            said.split_whitespace().next()?.parse::<u64>().ok()
        });
        Ok(Duration::from_nanos(nanos.sum()))
    }

    /// Ends the process as Lambda does; answers what the process wrote as errors.
    pub async fn end(self) -> Result<String, String> {
        self.process.terminate()?;
        let output = self.process.ended().await?;
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

async fn answer(State(services): State<InProcess>, head: Parts, body: Bytes) -> Response<Body> {
    let request = axum::http::Request::from_parts(head, SdkBody::from(body.to_vec()));
    let answer = match HttpRequest::try_from(request) {
        Ok(request) => services.call(request).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let refused = |why: String| {
        let mut response = Response::new(Body::from(why));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    };
    match answer.and_then(|answer| answer.try_into_http1x().map_err(|error| error.to_string())) {
        Ok(answer) => answer.map(|body| Body::from(body.bytes().map(<[u8]>::to_vec).unwrap_or_default())),
        Err(why) => refused(why),
    }
}
