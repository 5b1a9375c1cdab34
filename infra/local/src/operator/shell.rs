//! What a shell has to say before a deployment can be asked. The SDK's own clients find out call by call, and then say
//! "dispatch failure".

use aws_config::SdkConfig;
use aws_sdk_sqs::{config::ProvideCredentials, error::DisplayErrorContext};

const REGION: &str = "no AWS region: set AWS_REGION, or `region` in the profile that AWS_PROFILE names";
const CREDENTIALS: &str = "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with temporary ones \
    AWS_SESSION_TOKEN, too), or AWS_PROFILE to a profile with keys; after `aws sso login`, \
    `eval \"$(aws configure export-credentials --format env)\"` sets them";

/// Whether region and credentials are there. Whether they are right, only AWS can say.
///
/// # Errors
/// Everything that is missing, what to set, and what the SDK found instead.
pub async fn says_enough(sdk: &SdkConfig) -> Result<(), String> {
    let mut missing = Vec::new();
    if sdk.region().is_none() {
        missing.push(REGION.to_owned());
    }
    match sdk.credentials_provider() {
        None => missing.push(CREDENTIALS.to_owned()),
        Some(provider) => {
            if let Err(error) = provider.provide_credentials().await {
                missing.push(format!("{CREDENTIALS} (the SDK says: {})", DisplayErrorContext(error)));
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}
