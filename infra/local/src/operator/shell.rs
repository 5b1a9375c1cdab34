//! What a shell has to say before a deployment can be asked. The SDK's own clients find out call by call, and then say
//! "dispatch failure".

use aws_config::SdkConfig;
use aws_sdk_sqs::config::ProvideCredentials;

use super::lines::with_causes;

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
                missing.push(format!("{CREDENTIALS} (the SDK says: {})", with_causes(error)));
            }
        }
    }
    missing.extend(wrong_endpoints(&|name| std::env::var(name).ok()));
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
}

/// The variables that say where AWS is asked instead of at Amazon's own endpoints.
const ENDPOINTS: [&str; 5] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
];

/// Variables that hold no address. The SDK would print its whole request with what it found.
fn wrong_endpoints(variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let is_address = |text: &str| {
        let address = text.parse::<http::Uri>().ok();
        address.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
    };
    let given = ENDPOINTS.into_iter().filter_map(|name| Some((name, variable(name).filter(|text| !text.is_empty())?)));
    given
        .filter(|(_, text)| !is_address(text))
        .map(|(name, text)| format!("{name}: expected an http or https address; found {text:?}"))
        .collect()
}

/// Where else than at Amazon's own endpoints is asked, in brackets.
pub fn elsewhere(sdk: &SdkConfig) -> String {
    sdk.endpoint_url().map_or(String::new(), |url| format!(" (at {url})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_no_address_is_named_by_its_variable() {
        for (text, wrong) in [
            ("bogus", true),
            ("ftp://127.0.0.1", true),
            ("http://", true),
            ("", false),
            ("http://127.0.0.1:4566", false),
            ("https://sqs.example.com/", false),
        ] {
            let found = wrong_endpoints(&|name| (name == "AWS_ENDPOINT_URL_SQS").then(|| text.to_owned()));
            assert_eq!(!found.is_empty(), wrong, "{text}: {found:?}");
            assert!(found.iter().all(|why| why.starts_with("AWS_ENDPOINT_URL_SQS: ") && why.contains(text)));
        }
    }
}
