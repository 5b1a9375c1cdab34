//! The SDK's configuration: pinned, bounded, and the same for every client of a function.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::SharedHttpClient, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

/// How patient a function may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// Behind a queue. AWS advises attempts of at least a second for transactions, and a budget with one more try
    /// after five seconds: one still in progress answers for that long.
    Queue,
    /// Somebody waits for the page.
    Page,
}

/// One configuration, built once at start; clients made of it share their connections.
pub async fn sdk_config(patience: Patience) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .timeout_config(timeouts(patience))
        .retry_config(retries())
        // Bodies are small; the protection's grace of twenty seconds is longer than any time-out here.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client());
    // In a function credentials and region are in the environment. Asking the default chain there costs start-up
    // time for profiles and metadata services that do not exist. An operator's shell has no runtime API.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        loader = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
        if let Ok(region) = std::env::var("AWS_REGION") {
            loader = loader.region(Region::new(region));
        }
    }
    loader.load().await
}

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

pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(1_000))
}

/// A frozen process wakes with dead sockets: connections idle for this long are not tried again.
const IDLE: Duration = Duration::from_secs(50);

fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).pool_idle_timeout(IDLE).build_https()
}

pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(config)
}

pub fn sqs(config: &SdkConfig) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(config)
}
