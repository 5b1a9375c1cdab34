//! Pages, mailbox and the source systems' door, on loopback alone.
//!
//! Loopback is no fence by itself: any page in a browser on this machine can send requests here. So the host must be a
//! loopback name (no rebound DNS name gets through), and what changes something must not come from another origin.

mod door;
#[cfg(test)]
mod tests;
mod workspace;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use lambda_shell::web;
use presentation::page::{Page, mailbox as pages};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    engine::Engine,
    mailbox::Mail,
    operator::{self, Request},
};

/// A batch of events; one message is at most a MiB.
const LARGEST_BODY: usize = 8 * 1_048_576;

#[derive(Clone)]
struct Shared {
    engine: Engine,
    /// The names under which this server may be addressed.
    hosts: Arc<[String]>,
}

/// Binds before anything else is made: the port is part of every link.
pub async fn bind(port: u16) -> Result<TcpListener, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(address).await.map_err(|error| format!("listening on {address}: {error}; choose another --port"))
}

/// Serves until `stop` is ready.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
    let router = router(engine, hosts.to_vec());
    axum::serve(listener, router).with_graceful_shutdown(stop).await.map_err(|error| error.to_string())
}

pub fn router(engine: Engine, hosts: Vec<String>) -> Router {
    let shared = Shared { engine, hosts: hosts.into() };
    Router::new()
        .route("/", get(|| async { Redirect::to("/reviews") }))
        .route("/health", get(health))
        .route("/reviews", get(workspace::list))
        .route("/reviews/{review}", get(workspace::review))
        .route("/mailbox", get(mailbox))
        .route("/mailbox/{number}", get(mail))
        .route("/mailbox/{number}/html", get(mail_html))
        .route("/events", post(door::events))
        .route("/operator/{command}", post(operate))
        .fallback(functions)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(shared.clone(), fence))
        .with_state(shared)
}

async fn fence(State(shared): State<Shared>, request: axum::extract::Request, next: Next) -> Response {
    match refusal(&shared.hosts, request.method(), request.headers()) {
        Some((status, why)) => problem(status, why, Vec::new()),
        None => next.run(request).await,
    }
}

/// The Host header decides whom the sender thinks they speak to; Origin and Fetch metadata, who made them speak.
fn refusal(hosts: &[String], method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default().to_ascii_lowercase();
    if !hosts.contains(&host) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "this server answers on loopback names alone"));
    }
    if matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let site = text("sec-fetch-site");
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin =
        text("origin").is_some_and(|origin| !hosts.iter().any(|host| origin == format!("http://{host}")));
    // A page under a strict referrer policy sends `Origin: null` with its own form, and same-origin beside it.
    let vouched = site == Some("same-origin");
    (foreign_site || (foreign_origin && !vouched))
        .then_some((StatusCode::FORBIDDEN, "requests of other sites change nothing here"))
}

/// `application/problem+json`, RFC 9457.
fn problem(status: StatusCode, title: &str, errors: Vec<Value>) -> Response {
    let mut body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() });
    if !errors.is_empty() {
        body["errors"] = errors.into();
    }
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

fn answered(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The first value of that name in a query.
fn queried(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

async fn health(State(shared): State<Shared>) -> Response {
    let engine = &shared.engine;
    let mut queues = serde_json::Map::new();
    for name in engine.queues().names() {
        if let Ok(counts) = engine.queues().counts(&name) {
            let counts = json!({ "visible": counts.visible, "in_flight": counts.in_flight, "delayed": counts.delayed });
            queues.insert(name, counts);
        }
    }
    let mails = engine.mailbox().len();
    answered(StatusCode::OK, &json!({ "status": "ok", "now": engine.now(), "queues": queues, "mails": mails }))
}

fn respond(page: Page) -> Response {
    finish(page.status, page.headers, page.body.into_bytes())
}

fn finish(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Whatever the template routes to a function goes to that function.
async fn functions(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let request = web::Request {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
        source_ip: Some("127.0.0.1".to_owned()),
        // The fence let a loopback name of this server's pass and nothing else.
        domain_name: host,
    };
    match shared.engine.request(&request).await {
        Ok(Some(response)) => finish(response.status, response.headers, response.body),
        Ok(None) => respond(presentation::page::failure::not_found()),
        Err(why) => {
            tracing::error!(error = why, "the page could not be made");
            respond(presentation::page::failure::unavailable())
        }
    }
}

fn shown<'a>(mail: &'a Mail, id: &'a str) -> pages::Mail<'a> {
    pages::Mail { id, at: refresh_core::Instant::from_millis(mail.at), raw: &mail.raw }
}

async fn mailbox(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let chosen = queried(query.as_deref(), "to");
    let mails = match &chosen {
        Some(person) => shared.engine.mailbox().to(person),
        None => shared.engine.mailbox().all().into_iter().rev().collect(),
    };
    let ids: Vec<String> = mails.iter().map(|mail| mail.number.to_string()).collect();
    let list: Vec<pages::Mail<'_>> = mails.iter().zip(&ids).map(|(mail, id)| shown(mail, id)).collect();
    respond(pages::list(&list, chosen.as_deref()))
}

async fn mail(State(shared): State<Shared>, Path(number): Path<u64>, RawQuery(query): RawQuery) -> Response {
    let view = queried(query.as_deref(), "view").as_deref().and_then(pages::View::parse).unwrap_or_default();
    match shared.engine.mailbox().mail(number) {
        Some(mail) => respond(pages::message(&shown(&mail, &number.to_string()), view)),
        None => respond(presentation::page::failure::not_found()),
    }
}

async fn mail_html(State(shared): State<Shared>, Path(number): Path<u64>) -> Response {
    match shared.engine.mailbox().mail(number) {
        Some(mail) => respond(pages::html(&shown(&mail, &number.to_string()))),
        None => respond(presentation::page::failure::not_found()),
    }
}

/// The operator's commands, for the command line of another process on this machine.
async fn operate(State(shared): State<Shared>, Path(command): Path<String>, body: Bytes) -> Response {
    let argument = serde_json::from_slice(&body).unwrap_or_default();
    let request = match Request::from_wire(&command, argument) {
        Ok(request) => request,
        Err(why) => return problem(StatusCode::BAD_REQUEST, &why, Vec::new()),
    };
    match operator::perform(&shared.engine, request).await {
        Ok(answer) => answered(StatusCode::OK, &answer),
        Err(why) => problem(StatusCode::UNPROCESSABLE_ENTITY, &why, Vec::new()),
    }
}
