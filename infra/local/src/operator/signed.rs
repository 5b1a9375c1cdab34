//! Calls of services that the bundle has no client for, signed and sent by what the SDK's own clients are made of. One
//! request of Lambda and one of CloudWatch Logs are not worth two more SDK crates in every build.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_sqs::config::ProvideCredentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings},
    orchestrator::HttpRequest,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use lambda_shell::aws;
use serde_json::Value;

use super::lines::with_causes;

/// Beyond a function's own time-out: for the way there and back, and for a start.
const ON_THE_WAY: Duration = Duration::from_secs(10);
/// A page of a log.
const PAGE_OF_A_LOG: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(5);
/// Pages of a log that are looked through; CloudWatch answers with a page that found nothing, too.
const PAGES: usize = 20;

#[derive(Debug)]
pub struct Signed {
    sdk: SdkConfig,
    connector: Connector,
}

struct Answer {
    status: u16,
    /// What went wrong inside of a function that was called.
    function_error: Option<String>,
    body: Vec<u8>,
}

impl Signed {
    pub fn new(sdk: SdkConfig) -> Self {
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
        let connector = Connector::builder().tls_provider(aws::tls_provider());
        Self { sdk, connector: connector.connector_settings(settings).build() }
    }

    /// One invocation, and what it answers. `longest`: after so long Lambda itself ends the function.
    pub async fn invoke(&self, function: &str, alias: &str, event: &Value, longest: Duration) -> Result<Value, String> {
        let path = format!("/2015-03-31/functions/{function}/invocations?Qualifier={alias}");
        let answer = self.post("lambda", &path, &[], event.to_string(), longest + ON_THE_WAY).await?;
        let text = String::from_utf8_lossy(&answer.body);
        match (answer.status, answer.function_error) {
            (200, None) => serde_json::from_str(&text).map_err(|error| format!("{function}: its answer: {error}")),
            (200, Some(kind)) => Err(format!("{function} failed ({kind}): {text}")),
            (status, _) => Err(format!("{function}: Lambda answered {status}: {text}")),
        }
    }

    /// The newest line of a log group that names a message and says what went wrong with it.
    pub async fn failure_of(&self, group: &str, message: &str, since_millis: i64) -> Result<Option<String>, String> {
        let (mut found, mut token) = (None, Value::Null);
        for _ in 0..PAGES {
            let mut request = serde_json::json!({
                "logGroupName": group, "filterPattern": format!("\"{message}\""), "startTime": since_millis,
            });
            if token.is_string() {
                request["nextToken"] = token;
            }
            let headers =
                [("x-amz-target", "Logs_20140328.FilterLogEvents"), ("content-type", "application/x-amz-json-1.1")];
            let answer = self.post("logs", "/", &headers, request.to_string(), PAGE_OF_A_LOG).await?;
            let text = String::from_utf8_lossy(&answer.body);
            if answer.status != 200 {
                return Err(format!("{group}: CloudWatch Logs answered {}: {text}", answer.status));
            }
            let page: Value = serde_json::from_str(&text).map_err(|error| format!("{group}: its lines: {error}"))?;
            let lines = page["events"].as_array().into_iter().flatten().filter_map(|event| event["message"].as_str());
            let mut errors = lines.filter_map(|line| {
                let line: Value = serde_json::from_str(line).ok()?;
                line["error"].as_str().map(str::to_owned)
            });
            found = errors.next_back().or(found);
            token = page["nextToken"].clone();
            if !token.is_string() {
                break;
            }
        }
        Ok(found)
    }

    /// `patience`: how long the answer may take.
    async fn post(
        &self,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
        patience: Duration,
    ) -> Result<Answer, String> {
        let failed = |what: &str, error: &dyn std::fmt::Display| format!("calling {service}: {what}: {error}");
        let url = format!("{}{path}", self.endpoint(service)?);
        let provider = self.sdk.credentials_provider();
        let provider =
            provider.ok_or_else(|| format!("calling {service}: expected AWS credentials in the shell, found none"))?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials.map_err(|error| failed("credentials", &with_causes(error)))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region()?)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed("signing", &error))?;
        let signable =
            SignableRequest::new("POST", url.as_str(), headers.iter().copied(), SignableBody::Bytes(body.as_bytes()));
        let signable = signable.map_err(|error| failed("signing", &error))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| failed("signing", &error))?;
        let mut request = http::Request::post(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(SdkBody::from(body)).map_err(|error| failed(&url, &error))?;
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        let request = HttpRequest::try_from(request).map_err(|error| failed(&url, &error))?;
        let response = tokio::time::timeout(patience, self.connector.call(request)).await;
        let response =
            response.map_err(|_| failed(&url, &format!("no answer within {} seconds", patience.as_secs())))?;
        let response = response.map_err(|error| failed(&url, &with_causes(error)))?;
        let (status, function_error) =
            (response.status().as_u16(), response.headers().get("x-amz-function-error").map(str::to_owned));
        let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| failed(&url, &error))?;
        Ok(Answer { status, function_error, body: body.into_bytes().to_vec() })
    }

    fn region(&self) -> Result<&str, String> {
        self.sdk
            .region()
            .map(AsRef::as_ref)
            .ok_or_else(|| "AWS_REGION or the profile: expected an AWS region, found none".to_owned())
    }

    fn endpoint(&self, service: &str) -> Result<String, String> {
        // As the SDK's own clients do: the service's variable, then the one for all, then Amazon's.
        let name = if service == "logs" { "CLOUDWATCH_LOGS" } else { "LAMBDA" };
        let own = std::env::var(format!("AWS_ENDPOINT_URL_{name}")).ok();
        let given = own.filter(|url| !url.is_empty()).or_else(|| self.sdk.endpoint_url().map(str::to_owned));
        if let Some(url) = given {
            return Ok(url.trim_end_matches('/').to_owned());
        }
        let region = self.region()?;
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        Ok(format!("https://{service}.{region}.{suffix}"))
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};

    use super::*;

    /// Somebody listens there, and says nothing.
    #[tokio::test]
    async fn an_endpoint_that_says_nothing_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(format!("http://{}", silent.local_addr().unwrap()))
            .build();
        let patience = Duration::from_secs(1);
        let answer = Signed::new(sdk).post("logs", "/", &[], "{}".to_owned(), patience).await;
        let why = answer.err().unwrap();
        assert!(
            why.starts_with("calling logs: http://127.0.0.1:") && why.ends_with("no answer within 1 seconds"),
            "{why}"
        );
    }
}
