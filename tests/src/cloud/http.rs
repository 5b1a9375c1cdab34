//! Plain HTTP calls, for everything that is no SDK call: a stack's own doors, and pages as a browser fetches them.

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A message with its body in memory.
type Bytes = std::collections::VecDeque<u8>;

/// Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Default for Http {
    fn default() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }
}

impl Http {
    /// Redirects are not followed: what a server answers is what the caller judges.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
        let doing = format!("{} {}", request.method(), request.uri());
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let response = self.client.request(request).await.map_err(|error| format!("{doing}: {error:?}"))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("{doing}: {error:?}"))?;
        Ok(Response::from_parts(head, body.to_bytes().to_vec()))
    }

    pub async fn get(&self, url: &str) -> Result<Response<Vec<u8>>, String> {
        let request = Request::get(url).body(Vec::new()).map_err(|error| format!("GET {url}: {error}"))?;
        self.send(request).await
    }
}

/// The body as text; what is no UTF-8 is shown as such.
pub fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}
