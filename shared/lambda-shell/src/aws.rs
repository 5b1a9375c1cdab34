//! The SDK's configuration: pinned, bounded, and the same for every client of a function.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, SharedHttpClient, SharedHttpConnector, http_client_fn},
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

use crate::settings::Settings;

/// The SDK's behaviour of this day: a newer SDK changes no default under us.
pub fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// How patient a function may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Behind a queue. AWS advises attempts of at least a second for transactions, and a budget with one more try
    /// after five seconds: one still in progress answers for that long.
    Queue,
    /// Somebody waits for the page.
    Page,
}

/// One configuration, built once at start; clients made of it share their connections. In a function credentials and
/// region are in the environment and nowhere else, so the SDK's loader is left out: its chain of profiles, containers,
/// metadata services and token exchanges is never asked, and would be a good part of the binary.
pub fn function_config(patience: Patience) -> SdkConfig {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    SdkConfig::builder()
        .behavior_version(behavior())
        .region(std::env::var("AWS_REGION").ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .use_fips(set("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(set("AWS_USE_DUALSTACK_ENDPOINT"))
        .timeout_config(timeouts(patience))
        .retry_config(retries())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client())
        .build()
}

/// The same for one service, by its name in the SDK's variables: at its own endpoint, at the one of all, or where `config`
/// leads (Amazon's, or the connector of whoever runs the function in-process).
pub fn at_its_endpoint(config: &SdkConfig, settings: &Settings, service: &str) -> SdkConfig {
    let own = settings.optional(&format!("AWS_ENDPOINT_URL_{service}"));
    match own.or_else(|| settings.optional("AWS_ENDPOINT_URL")) {
        Some(url) => config.clone().into_builder().endpoint_url(url).build(),
        None => config.clone(),
    }
}

/// The limits on connecting, on one attempt, and on an operation with its retries. They follow from who waits.
pub fn timeouts(patience: Patience) -> TimeoutConfig {
    let (attempt, operation) = match patience {
        Patience::Queue => (1_500, 8_000),
        Patience::Page => (1_000, 3_000),
    };
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1_000))
        .operation_attempt_timeout(Duration::from_millis(attempt))
        .operation_timeout(Duration::from_millis(operation))
        .build()
}

/// The SDK's retries of one operation, in the standard mode.
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(1_000))
}

/// No retry: whoever asks can do without the answer.
pub fn once() -> RetryConfig {
    RetryConfig::disabled()
}

/// A frozen process wakes with dead sockets: connections idle for this long are not tried again.
const IDLE: Duration = Duration::from_secs(50);

/// The roots that Amazon's own endpoints chain to, from the Mozilla set. Reading and parsing the machine's whole set at
/// every cold start is most of what a start costs. Names, fingerprints and ends of validity stand in the file.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The one TLS stack, of functions and operators alike.
pub const fn tls_provider() -> Provider {
    Provider::Rustls(CryptoMode::Ring)
}

/// The one HTTP client of all services: its connections are shared.
pub fn http_client() -> SharedHttpClient {
    let roots = match trust(|name| std::env::var(name).ok()) {
        Trust::AmazonAlone => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
        Trust::Machine => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(roots).build();
    let builder = Builder::new().tls_provider(tls_provider()).pool_idle_timeout(IDLE);
    let client = match tls {
        Ok(tls) => builder.tls_context(tls).build_https(),
        // A context of a trust store alone has nothing that could be refused; the default one is the machine's.
        Err(_) => builder.build_https(),
    };
    // Asked directly, it builds a connector for each client at that client's start, roots and all, and throws it away.
    http_client_fn(move |settings, components| client.http_connector(settings, components))
}

/// The way to systems that are not Amazon's, on the same TLS stack: it takes the machine's word for their identity.
pub fn connector_to_anywhere() -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::builder().tls_provider(tls_provider()).pool_idle_timeout(IDLE).build())
}

/// Whose word for a server's identity is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trust {
    AmazonAlone,
    Machine,
}

/// Amazon's roots in a function that talks to Amazon's endpoints, and nowhere else: an endpoint of one's own, a set of
/// certificates of one's own, a partition with other authorities and an operator's shell take the machine's.
fn trust(variable: impl Fn(&str) -> Option<String>) -> Trust {
    const OTHER_ENDPOINTS: [&str; 5] = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_SQS",
        "AWS_ENDPOINT_URL_SESV2",
        "SSL_CERT_FILE",
    ];
    let given = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let region = variable("AWS_REGION").unwrap_or_default();
    let elsewhere = region.starts_with("cn-") || region.contains("-iso") || region.starts_with("eusc-");
    let in_a_function = given("AWS_LAMBDA_RUNTIME_API");
    match in_a_function && !elsewhere && !OTHER_ENDPOINTS.into_iter().any(given) {
        true => Trust::AmazonAlone,
        false => Trust::Machine,
    }
}

/// The memory of the function in megabytes, as the Lambda service says; most functions of the template have 256.
pub fn megabytes(settings: &Settings) -> usize {
    const OF_THE_TEMPLATE: usize = 256;
    let said = settings.optional("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
    said.and_then(|said| said.parse().ok()).unwrap_or(OF_THE_TEMPLATE)
}

/// The client of DynamoDB, with what the settings say beside the SDK's configuration.
pub fn dynamodb(config: &SdkConfig, settings: &Settings) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&at_its_endpoint(config, settings, "DYNAMODB"))
}

/// The client of SQS, with what the settings say beside the SDK's configuration.
pub fn sqs(config: &SdkConfig, settings: &Settings) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&at_its_endpoint(config, settings, "SQS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(variables: &[(&str, &str)]) -> Trust {
        trust(|name| variables.iter().find(|(found, _)| *found == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_function_trusts_amazon_alone_and_everybody_else_the_machine() {
        let function = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"), ("AWS_REGION", "eu-central-1")];
        assert_eq!(trusted(&function), Trust::AmazonAlone);
        assert_eq!(trusted(&[]), Trust::Machine);
        for other in [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
            ("AWS_ENDPOINT_URL_SQS", "https://queue.example.com"),
            ("SSL_CERT_FILE", "/opt/roots.pem"),
        ] {
            assert_eq!(trusted(&[&function[..], &[other]].concat()), Trust::Machine, "{}", other.0);
        }
        assert_eq!(trusted(&[function[0], ("AWS_REGION", "cn-north-1")]), Trust::Machine);
        // A template cannot leave a variable out.
        assert_eq!(trusted(&[&function[..], &[("AWS_ENDPOINT_URL", "")]].concat()), Trust::AmazonAlone);
    }

    #[tokio::test]
    async fn every_root_is_read() {
        let text = std::str::from_utf8(AMAZON_ROOTS).expect("PEM is text");
        assert_eq!(text.matches("-----BEGIN CERTIFICATE-----").count(), 5);
        // They are parsed when a connection is wanted, and one that cannot be read ends the process there. Nobody
        // listens on this port, so that is as far as it comes.
        let tls =
            TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)).build();
        let builder = Builder::new().tls_provider(tls_provider());
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .endpoint_url("https://127.0.0.1:1")
            .http_client(builder.tls_context(tls.expect("a context")).build_https())
            .retry_config(RetryConfig::disabled())
            .build();
        let config = aws_sdk_sqs::config::Builder::from(&config).allow_no_auth().build();
        let refused = aws_sdk_sqs::Client::from_conf(config).list_queues().send().await.expect_err("nobody there");
        assert!(matches!(refused, aws_sdk_sqs::error::SdkError::DispatchFailure(_)), "{refused:?}");
    }
}
