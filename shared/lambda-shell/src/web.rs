//! A request to a page and its answer, from and to the event of a function URL (HTTP API payload, version 2).

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A request to a page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// As it came, percent-encoding included.
    pub path: String,
    /// Without the question mark, as it came.
    pub query: String,
    /// Names in lower case. A name that came twice stands twice.
    pub headers: Vec<(String, String)>,
    /// With the transport's base64 undone.
    pub body: Vec<u8>,
    /// Where the request came from, by the platform's word.
    pub source_ip: Option<String>,
    /// The name under which the platform was called, by the platform's own word: never the sender's Host header.
    pub domain_name: Option<String>,
}

impl Request {
    /// The error is for the answer's author, not for the sender.
    ///
    /// # Errors
    ///
    /// What was expected of the event and what was found.
    pub fn from_event(event: LambdaFunctionUrlRequest) -> Result<Self, String> {
        let http = event.request_context.http;
        let path = event.raw_path.or(http.path).ok_or("rawPath: expected a path, found none")?;
        let body = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            STANDARD.decode(body).map_err(|error| format!("body: expected base64: {error}"))?
        } else {
            body.into_bytes()
        };
        let headers = event.headers.iter().map(|(name, value)| {
            // Header values are bytes; what is not UTF-8 can match nothing that is looked for.
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Self {
            method: http
                .method
                .ok_or("requestContext.http.method: expected a method, found none")?
                .to_ascii_uppercase(),
            path,
            query: event.raw_query_string.unwrap_or_default(),
            headers: headers.collect(),
            body,
            source_ip: http.source_ip,
            domain_name: event.request_context.domain_name,
        })
    }

    /// The first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Which page a form was sent from. Browsers say so by Fetch metadata, older ones by `Origin`.
    pub fn sent_from(&self) -> SentFrom {
        match (self.header("sec-fetch-site"), self.header("origin")) {
            (Some("same-origin"), _) => SentFrom::OwnPage,
            (Some(_), _) => SentFrom::Elsewhere,
            (None, Some("null")) => SentFrom::Hidden,
            (None, Some(origin)) if self.domain_name.as_ref().is_some_and(|name| is_origin_of(origin, name)) => {
                SentFrom::OwnPage
            }
            (None, Some(_)) => SentFrom::Elsewhere,
            (None, None) => SentFrom::Unsaid,
        }
    }

    /// The path's segments, still percent-encoded, without the empty ones at either end.
    pub fn segments(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }
}

/// Which page a browser says a form was sent from. Only a form of our own page is taken; the other words tell its sender
/// why theirs is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SentFrom {
    /// The page that the form belongs to.
    OwnPage,
    /// A page of another site, or no page at all.
    Elsewhere,
    /// `Origin: null`, and no Fetch metadata: the browser, or something in it, keeps the page to itself.
    Hidden,
    /// Neither header.
    Unsaid,
}

/// `https` everywhere but on loopback, where nobody has a certificate and nobody else listens in.
fn is_origin_of(origin: &str, domain_name: &str) -> bool {
    let name = domain_name.to_ascii_lowercase();
    let host = name.rsplit_once(':').map_or(name.as_str(), |(host, _)| host);
    let scheme = if matches!(host, "127.0.0.1" | "localhost" | "[::1]") { "http" } else { "https" };
    origin.eq_ignore_ascii_case(&format!("{scheme}://{name}"))
}

/// What is sent back. The same for GET and HEAD but for the body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, as bytes.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer of these parts.
    pub fn new(status: u16, headers: Vec<(String, String)>, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers, body: body.into() }
    }

    /// The answer to a HEAD that would be this answer to a GET: the same headers, `Content-Length` included, and no body
    /// (RFC 9110, 9.3.2). Whoever passes it on would otherwise measure the body that is not there.
    pub fn without_body(mut self) -> Self {
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
            self.headers.push(("content-length".to_owned(), self.body.len().to_string()));
        }
        self.body.clear();
        self
    }

    /// Text goes as text, anything else as base64. Repeated headers are joined by a comma as HTTP allows, cookies,
    /// where it does not, have their own member.
    pub fn to_event(&self) -> Value {
        let mut headers = serde_json::Map::new();
        let mut cookies = Vec::new();
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            if name == "set-cookie" {
                cookies.push(value.clone());
                continue;
            }
            match headers.get_mut(&name) {
                Some(Value::String(before)) => {
                    before.push_str(", ");
                    before.push_str(value);
                }
                _ => {
                    headers.insert(name, Value::String(value.clone()));
                }
            }
        }
        let (body, encoded) = match std::str::from_utf8(&self.body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(&self.body), true),
        };
        json!({ "statusCode": self.status, "headers": headers, "cookies": cookies, "body": body, "isBase64Encoded": encoded })
    }
}
