//! The SDK's own HTTP port, answered inside this process: the request bytes, retries and error mapping of production
//! are what runs here too. One client for all three services, told apart by what they put on the wire.

mod dynamodb;
mod faults;
mod meter;
mod ses;
pub(crate) mod simulator;
mod sqs;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
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
use aws_smithy_types::{
    body::SdkBody,
    retry::{ReconnectMode, RetryConfig},
    timeout::TimeoutConfig,
};
use lambda_shell::aws::{Patience, retries, timeouts};

pub use faults::{Call, Fault, Faults, Service};
pub use meter::{Meter, Metered};
pub(crate) use sqs::{arn as sqs_arn, system_attributes as sqs_system_attributes};

use crate::{embedded::Embedded, mailbox::Mailbox, queues::Queues};

/// The three services behind the port.
#[derive(Clone)]
pub struct InProcess {
    store: Embedded,
    queues: Queues,
    mailbox: Mailbox,
    faults: Faults,
    meter: Meter,
    caller: Arc<str>,
    /// The queue that the mailer's reports come to; nobody hears of them where there is none.
    reports: Option<Arc<str>>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// An answer on the wire.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// What was asked for, of whom.
struct Asked {
    service: Service,
    operation: String,
}

impl InProcess {
    pub fn new(store: Embedded, queues: Queues, mailbox: Mailbox, faults: Faults) -> Self {
        Self { store, queues, mailbox, faults, meter: Meter::default(), caller: Arc::from(""), reports: None }
    }

    /// The same services, whose mailer reports on this queue what became of mail to its simulator.
    pub fn reporting_to(self, queue: &str) -> Self {
        Self { reports: Some(Arc::from(queue)), ..self }
    }

    /// The same services, counted by this meter while the meter is on.
    pub fn metered_by(self, meter: &Meter) -> Self {
        Self { meter: meter.clone(), ..self }
    }

    /// The same services, for one function: its name stands in every call it makes.
    pub fn called_by(&self, function: &str) -> Self {
        Self { caller: Arc::from(function), ..self.clone() }
    }

    /// An SDK configuration like production's, but for where its requests go and that no credentials are looked for.
    pub fn sdk_config(&self) -> SdkConfig {
        self.sdk_config_with(timeouts(Patience::Queue), retries())
    }

    /// With the time-outs and retries of a test.
    pub fn sdk_config_with(&self, timeouts: TimeoutConfig, retries: RetryConfig) -> SdkConfig {
        let credentials = Credentials::new("local", "local", None, None, "holdpoint");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("local"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url("http://holdpoint.invalid")
            .http_client(SharedHttpClient::new(self.clone()))
            .timeout_config(timeouts)
            // There is no connection to be closed after an error; looking for one, the SDK would report its absence as
            // an error for every call that failed.
            .retry_config(retries.with_reconnect_mode(ReconnectMode::ReuseAllConnections))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let asked = asked(&request).map_err(|what| ConnectorError::user(what.into()))?;
        let Some(body) = request.body().bytes() else {
            return Err(ConnectorError::user("expected a body in memory".into()));
        };
        let fault = self.faults.meet(&self.caller, asked.service, &asked.operation, body);
        let refused = match fault {
            Some(Fault::CrashBefore) => self.faults.die().await,
            Some(Fault::Throttled) => Some(asked.throttled()),
            Some(Fault::Conflict) => Some(asked.conflict(body)),
            _ => None,
        };
        let reply = match refused {
            Some(reply) => reply,
            None => self.serve(&asked, body).await,
        };
        match fault {
            Some(Fault::CrashAfter) => self.faults.die().await,
            Some(Fault::LostResponse) => Err(ConnectorError::io("the connection broke".into())),
            _ => reply.into_http(),
        }
    }

    async fn serve(&self, asked: &Asked, body: &[u8]) -> Reply {
        let asking = || (self.caller.clone(), asked.service, asked.operation.clone());
        self.meter.count(asking, body, async |body: &[u8]| self.serve_uncounted(asked, body).await).await
    }

    async fn serve_uncounted(&self, asked: &Asked, body: &[u8]) -> Reply {
        match asked.service {
            Service::DynamoDb => dynamodb::serve(&self.store, &asked.operation, body).await,
            Service::Sqs => sqs::serve(&self.queues, &asked.operation, body).await,
            Service::Ses => {
                ses::serve(&self.mailbox, self.reports.as_deref().map(|queue| (&self.queues, queue)), body).await
            }
        }
    }
}

fn asked(request: &HttpRequest) -> Result<Asked, String> {
    if let Some(target) = request.headers().get("x-amz-target") {
        let (service, operation) = target
            .split_once('.')
            .ok_or_else(|| format!("expected x-amz-target Service.Operation, found {target:?}"))?;
        let service = match service {
            "AmazonSQS" => Service::Sqs,
            name if name.starts_with("DynamoDB_") => Service::DynamoDb,
            other => return Err(format!("no service {other:?} in this process")),
        };
        return Ok(Asked { service, operation: operation.to_owned() });
    }
    let path = request.uri().split('?').next().unwrap_or_default();
    if request.method() == "POST" && path.ends_with("/v2/email/outbound-emails") {
        return Ok(Asked { service: Service::Ses, operation: "SendEmail".to_owned() });
    }
    Err(format!("nothing in this process answers {} {path}", request.method()))
}

impl Asked {
    fn throttled(&self) -> Reply {
        match self.service {
            Service::DynamoDb => dynamodb::error(400, "ThrottlingException", "throttled"),
            Service::Sqs => sqs::error("RequestThrottled", "throttled"),
            Service::Ses => ses::error(429, "TooManyRequestsException", "throttled"),
        }
    }

    fn conflict(&self, body: &[u8]) -> Reply {
        match self.service {
            Service::DynamoDb => dynamodb::conflict(&self.operation, body),
            Service::Sqs | Service::Ses => self.throttled(),
        }
    }
}

impl Reply {
    fn json(status: u16, body: String) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    fn into_http(self) -> Result<HttpResponse, ConnectorError> {
        let status = StatusCode::try_from(self.status).map_err(|error| ConnectorError::other(error.into(), None))?;
        let mut response = HttpResponse::new(status, SdkBody::from(self.body));
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        Ok(response)
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let services = self.clone();
        HttpConnectorFuture::new(async move { services.answer(request).await })
    }
}

impl HttpClient for InProcess {
    // Time-outs of connections have no meaning without any; those of attempts and operations are the SDK's own.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
