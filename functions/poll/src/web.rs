//! One exchange with a system, within limits: of time, and of bytes.
//!
//! The client is the SDK's own, so that there is one TLS stack; but it trusts the machine's roots, since systems are anybody's.
//! It follows no redirection by itself. The policy says which systems it asks: an operator who writes an address there has the
//! function ask it, from where the function runs.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, SharedHttpConnector},
    orchestrator::HttpRequest,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use lambda_shell::aws;
use sources::poll::{PollFailure, SystemResponse};

/// One exchange takes no longer: connecting, asking, and the whole body.
pub const LONGEST: Duration = Duration::from_secs(20);

/// The way to the systems that are asked. Clones share connections.
#[derive(Clone, Default)]
pub struct Web(Arc<OnceLock<SharedHttpConnector>>);

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Web")
    }
}

/// What is sent.
pub(crate) struct SentQuestion<'a> {
    pub url: &'a str,
    /// Name and value. A credential is among them.
    pub headers: &'a [(String, String)],
    /// What is posted; `None`: a GET.
    pub body: Option<String>,
    /// Bytes that the answer may have.
    pub room: usize,
}

impl Web {
    /// Through this connector, and no other.
    pub fn through(connector: impl HttpConnector + 'static) -> Self {
        let web = Self::default();
        web.0.get_or_init(|| SharedHttpConnector::new(connector));
        web
    }

    /// The roots are read when somebody asks: not every deployment polls.
    fn connector(&self) -> &SharedHttpConnector {
        self.0.get_or_init(aws::connector_to_anywhere)
    }

    pub(crate) async fn exchange(&self, sent: SentQuestion<'_>) -> Result<SystemResponse, PollFailure> {
        let request = request(&sent)?;
        let room = sent.room;
        let answered = async {
            let answer = self.connector().call(request).await.map_err(|error| match error.is_timeout() {
                true => PollFailure::TimedOut,
                // The error's own text may quote the address.
                false => PollFailure::Unreachable,
            })?;
            read(answer, room).await
        };
        tokio::time::timeout(LONGEST, answered).await.unwrap_or(Err(PollFailure::TimedOut))
    }
}

fn request(sent: &SentQuestion<'_>) -> Result<HttpRequest, PollFailure> {
    let method = if sent.body.is_some() { "POST" } else { "GET" };
    let mut request = http::Request::builder().method(method).uri(sent.url).header("user-agent", "holdpoint");
    for (name, value) in sent.headers {
        let mut value = http::HeaderValue::from_str(value).map_err(|_| PollFailure::NoToken)?;
        // Whatever prints a request leaves it out.
        value.set_sensitive(name == "authorization");
        request = request.header(name.as_str(), value);
    }
    if let Some(body) = &sent.body {
        request = request.header("content-length", body.len());
    }
    let body = sent.body.as_ref().map_or_else(SdkBody::empty, |body| SdkBody::from(body.as_str()));
    let request = request.body(body).map_err(|_| PollFailure::Elsewhere)?;
    request.try_into().map_err(|_| PollFailure::Elsewhere)
}

/// No more is read than there is room for, whatever length the answer claims.
async fn read(
    answer: aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    room: usize,
) -> Result<SystemResponse, PollFailure> {
    let mut response = SystemResponse { status: answer.status().as_u16(), ..SystemResponse::default() };
    for (name, value) in answer.headers() {
        let name = name.to_ascii_lowercase();
        let joined = response.headers.get(&name).map(|before: &String| format!("{before}, {value}"));
        response.headers.insert(name, joined.unwrap_or_else(|| value.to_owned()));
    }
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| PollFailure::Unreachable)?;
        if let Some(bytes) = frame.data_ref() {
            if response.body.len() + bytes.len() > room {
                return Err(PollFailure::TooLarge);
            }
            response.body.extend_from_slice(bytes);
        }
    }
    Ok(response)
}
