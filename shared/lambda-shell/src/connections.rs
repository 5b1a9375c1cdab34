//! Connections, opened while a function starts. There the processor is whole; a handshake in the first request gets the
//! share that the function's memory buys, and somebody waits for it.
//!
//! A knock is a `GET /` without a body, sent by a service's own client so that it goes where the first request will go
//! and its connection is the one that request finds. It is no action of any service: no role has to allow it, no answer
//! to it is wrong, and none is waited for long. The operation that is made a knock is one that functions have anyway.

use std::time::Duration;

use aws_smithy_runtime_api::{client::orchestrator::HttpRequest, http::Headers};
use aws_smithy_types::body::SdkBody;

use crate::aws;

/// A network that lets nobody through must not keep a function from starting and saying so.
const LONGEST: Duration = Duration::from_millis(1_000);

/// Opens a connection to DynamoDB.
pub async fn dynamodb(client: &aws_sdk_dynamodb::Client) {
    let once = aws_sdk_dynamodb::config::Builder::new().retry_config(aws::once());
    answered(client.get_item().table_name("none").customize().config_override(once).mutate_request(knock).send()).await;
}

/// Opens a connection to SQS.
pub async fn sqs(client: &aws_sdk_sqs::Client) {
    let once = aws_sdk_sqs::config::Builder::new().retry_config(aws::once());
    answered(client.send_message().customize().config_override(once).mutate_request(knock).send()).await;
}

/// Makes a knock of any request; for the clients that only one function has.
pub fn knock(request: &mut HttpRequest) {
    // Only a method, an authority or a path that is none could be refused.
    let _ = request.set_method("GET");
    let uri = request.uri();
    let host = uri.find("://").and_then(|scheme| uri[scheme + 3..].find('/').map(|slash| scheme + 3 + slash));
    if let Some(end) = host {
        let root = format!("{}/", &uri[..end]);
        let _ = request.set_uri(root);
    }
    *request.body_mut() = SdkBody::empty();
    let headers: &mut Headers = request.headers_mut();
    for of_the_operation in ["content-length", "content-type", "x-amz-target"] {
        headers.remove(of_the_operation);
    }
}

/// Waits for the answer, but not for long, and whatever it says: with it, the connection is open.
pub async fn answered<T, E>(knock: impl Future<Output = Result<T, E>>) {
    if tokio::time::timeout(LONGEST, knock).await.is_err() {
        tracing::warn!("no connection to a service within a second of starting");
    }
}
