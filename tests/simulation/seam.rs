//! The SDK's HTTP port as a gate: every call of a worker waits here until the schedule says how it goes. In between it
//! can be falsified, which is how the corpus of seeded bugs gets in without a line in the product.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use holdpoint::connector::{Fault, Faults, InProcess};
use serde_json::Value;

use crate::bugs::{Bug, Memory};

/// One call of a worker, as it goes over the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// `TransactWriteItems`, `SendMessage`, `SendEmail`, ...
    pub operation: String,
    pub body: Value,
}

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target");
        let operation = target.and_then(|target| target.split_once('.')).map_or("SendEmail", |(_, name)| name);
        let body = request.body().bytes().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        Self { operation: operation.to_owned(), body }
    }

    pub fn writes(&self) -> bool {
        self.operation.starts_with("TransactWrite")
            || ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"].contains(&self.operation.as_str())
    }

    /// The items it would touch, by partition and sort key.
    pub fn keys(&self) -> Vec<(String, String)> {
        let action = |action: &Value| {
            let key = if action["Key"].is_object() { &action["Key"] } else { &action["Item"] };
            Some((key["pk"]["S"].as_str()?.to_owned(), key["sk"]["S"].as_str()?.to_owned()))
        };
        let Some(actions) = self.body["TransactItems"].as_array() else {
            return action(&self.body).into_iter().collect();
        };
        actions
            .iter()
            .filter_map(|one| ["Put", "Update", "Delete"].iter().find_map(|kind| action(&one[*kind])))
            .collect()
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Call>,
    /// How the first that waits goes on.
    go: Option<Option<Fault>>,
    /// The process ends within the call that was let through.
    dying: bool,
    /// What was really sent to a service since it was last asked for.
    sent: Vec<Call>,
    /// The bug has changed a call or an answer.
    has_falsified: bool,
}

/// One worker's gate.
#[derive(Clone)]
pub struct Seam {
    inner: InProcess,
    faults: Faults,
    state: Arc<Mutex<State>>,
    bug: Option<Bug>,
    memory: Arc<Mutex<Memory>>,
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seam")
    }
}

impl Seam {
    /// `faults` is the switchboard of `inner`.
    pub fn new(inner: InProcess, faults: Faults, bug: Option<Bug>) -> Self {
        Self { inner, faults, state: Arc::default(), bug, memory: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call that waits.
    pub fn waiting(&self) -> Option<Call> {
        let state = self.state();
        state.go.is_none().then(|| state.waiting.front().cloned()).flatten()
    }

    /// Lets the first call that waits go on.
    pub fn release(&self, fault: Option<Fault>) {
        let mut state = self.state();
        state.dying = matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter));
        state.go = Some(fault);
    }

    pub fn is_dying(&self) -> bool {
        self.state().dying
    }

    /// The process is gone, and what it waited for with it.
    pub fn clear(&self) {
        let mut state = self.state();
        (state.waiting, state.go, state.dying) = (VecDeque::new(), None, false);
    }

    pub fn has_falsified(&self) -> bool {
        self.state().has_falsified
    }

    pub fn take_sent(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().sent)
    }

    async fn pass(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let call = Call::of(&request);
        self.state().waiting.push_back(call.clone());
        let fault = poll_fn(|_| match self.state().go.take() {
            Some(fault) => Poll::Ready(fault),
            None => Poll::Pending,
        })
        .await;
        self.state().waiting.pop_front();
        let planned = Mutex::new(fault);
        self.faults.inject(move |_| planned.lock().unwrap_or_else(PoisonError::into_inner).take());
        match self.bug {
            None => self.send(call, request).await,
            Some(bug) => self.falsify(bug, call, request).await,
        }
    }

    async fn falsify(&self, bug: Bug, call: Call, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let falsified = bug.sent(&call, &mut self.memory());
        self.state().has_falsified |= falsified.answer.is_some() || falsified.requests != [call.clone()];
        let mut answer = None;
        for sent in falsified.requests {
            let mut request = request.try_clone().ok_or_else(|| ConnectorError::user("no copy of a request".into()))?;
            let service = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
            if let Some(service) = service.map(|(service, _)| service.to_owned()) {
                request.headers_mut().insert("x-amz-target", format!("{service}.{}", sent.operation));
            }
            *request.body_mut() = SdkBody::from(sent.body.to_string());
            let answered = self.send(sent, request).await?;
            let refused = !answered.status().is_success();
            answer = Some(answered);
            // Of two writes in the place of one the second follows only the first's success.
            if refused {
                break;
            }
        }
        let answer = match (falsified.answer, answer) {
            (Some(said), _) => reply(&said)?,
            (None, Some(answer)) => answer,
            (None, None) => reply(&Value::Object(serde_json::Map::new()))?,
        };
        if !answer.status().is_success() {
            return Ok(answer);
        }
        let body = answer.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        match body.and_then(|body| bug.answered(&call, &body, &mut self.memory())) {
            Some(changed) => {
                self.state().has_falsified = true;
                reply(&changed)
            }
            None => Ok(answer),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, call: Call, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        // Written down first: a process that ends within the call may have changed something too.
        self.state().sent.push(call);
        self.inner.call(request).await
    }
}

fn reply(body: &Value) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(200).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

impl HttpConnector for Seam {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let seam = self.clone();
        HttpConnectorFuture::new(async move { seam.pass(request).await })
    }
}

impl HttpClient for Seam {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl Seam {
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}
