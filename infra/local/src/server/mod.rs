//! Pages, mailbox and the source systems' door: on loopback, and by a proxy under a public address.

mod body;
mod connection;
mod descriptors;
mod door;
mod fence;
mod health;
mod mails;
#[cfg(test)]
mod tests;
mod workspace;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use lambda_shell::web;
use presentation::page::Page;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

pub use descriptors::Places;
pub use fence::opening;

use crate::{
    doors::{SecretReads, Way},
    engine::Engine,
    not_done::NotDone,
    operator::{self, Request},
};

#[derive(Clone)]
struct Shared {
    engine: Engine,
    /// The names under which this server may be addressed.
    hosts: Arc<[String]>,
    /// The name of the operator's cookie. Cookies of one host are sent to every port of it, so the port is in the name.
    cookie: Arc<str>,
    /// Whether the engine is being stopped.
    stopping: watch::Receiver<bool>,
    /// Whether the proxy's secret could be read last.
    secret_reads: Arc<SecretReads>,
    /// For the bodies of all requests, in KiB.
    room: Arc<Semaphore>,
    /// One request's events are judged at a time: a parsed event takes many times the room of its text.
    judging: Arc<Semaphore>,
}

/// Binds before anything else is made: the port is part of every link.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("listening on {address}: {error}; choose another --port"))
}

/// Serves until `stop` is ready, and then until what was received whole is answered.
///
/// # Errors
/// The listener has no address, or the machine allows too few open files.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let places = Places::here(engine.limits().connections)?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
    let certificates = engine.settings().certificates.clone();
    let (tell, stopping) = watch::channel(false);
    let router = router_until(engine, hosts.to_vec(), stopping.clone());
    let told = async {
        stop.await;
        tell.send_replace(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = connection::serve(listener, router, certificates, places, stopping) => {}
        () = told => {}
    }
    Ok(())
}

/// What answers requests, without a socket.
pub fn router(engine: Engine, hosts: Vec<String>) -> Router {
    router_until(engine, hosts, watch::channel(false).1)
}

fn router_until(engine: Engine, hosts: Vec<String>, stopping: watch::Receiver<bool>) -> Router {
    let port = hosts.first().and_then(|host| host.rsplit_once(':')).map_or("", |(_, port)| port);
    let shared = Shared {
        engine,
        cookie: format!("holdpoint-{port}").into(),
        hosts: hosts.into(),
        stopping,
        secret_reads: Arc::default(),
        room: Arc::new(Semaphore::new(body::ROOM)),
        judging: Arc::new(Semaphore::new(1)),
    };
    let operators = Router::new()
        .route("/", get(|| async { Redirect::to("/reviews") }))
        .route("/reviews", get(workspace::list))
        .route("/mailbox", get(mails::list))
        .route("/mailbox/{number}", get(mails::one))
        .route("/mailbox/{number}/html", get(mails::html))
        .route("/operator/{command}", post(operate))
        .route_layer(from_fn_with_state(shared.clone(), fence::operator));
    let links = Router::new()
        .route("/reviews/{review}", get(workspace::review))
        .route_layer(from_fn_with_state(shared.clone(), fence::operator_or_link));
    let sources = Router::new()
        .route("/events", post(door::events))
        .route_layer(from_fn_with_state(shared.clone(), fence::source));
    let figures = Router::new()
        .route("/metrics", get(health::metrics))
        .route_layer(from_fn_with_state(shared.clone(), fence::near_or_operator));
    Router::new()
        .merge(operators)
        .merge(links)
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .merge(figures)
        .merge(sources)
        .fallback(functions)
        .method_not_allowed_fallback(async || other_method())
        // The limits of bodies are this server's own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(shared.clone(), body::whole))
        .layer(from_fn_with_state(shared.clone(), fence::local))
        .with_state(shared)
}

/// What may be asked for here instead stands in `Allow`.
fn other_method() -> Response {
    let why = "this address does not answer that method; the header Allow names those it does";
    problem(StatusCode::METHOD_NOT_ALLOWED, why, Vec::new())
}

/// A failure of the engine's own, or a want of room: the same request may get through later.
fn try_later(why: &str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, why, Vec::new());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
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
    way: Option<Extension<Way>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let client = match way.map(|Extension(way)| way) {
        Some(Way::Public { client, .. }) => client,
        _ => Some("127.0.0.1".to_owned()),
    };
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
        source_ip: client,
        // The fence let a name of this server's pass and nothing else.
        domain_name: host,
    };
    // A decision is made at an instant, and kept in the store.
    if method == Method::POST
        && let Some(why) = shared.engine.obstacle()
    {
        shared.engine.complain(&why, "a page could not take an answer");
        return respond(presentation::page::failure::unavailable());
    }
    // A webhook becomes a message.
    let is_hook = shared.engine.route(method.as_str(), uri.path()).is_some_and(|route| route.function == "ingest");
    if is_hook && let Some(why) = shared.engine.full() {
        return try_later(&why);
    }
    match shared.engine.request(&request).await {
        Ok(Some(response)) => finish(response.status, response.headers, response.body),
        Ok(None) => match shared.engine.methods(uri.path()) {
            allowed if allowed.is_empty() || allowed.contains(&method.as_str()) => {
                respond(presentation::page::failure::not_found())
            }
            allowed => {
                let mut response = other_method();
                if let Ok(allowed) = HeaderValue::from_str(&allowed.join(",")) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
                response
            }
        },
        Err(why) => {
            shared.engine.complain(&why, "the page could not be made");
            respond(presentation::page::failure::unavailable())
        }
    }
}

/// The operator's commands, for the command line of another process on this machine.
async fn operate(
    State(shared): State<Shared>,
    Path(command): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !body.is_empty() && !media_type.starts_with("application/json") {
        let why = "header content-type: expected application/json";
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, why, Vec::new());
    }
    let argument = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
    let request = argument.map_err(|error| format!("{command}: expected JSON: {error}"));
    let request = match request.and_then(|argument| Request::from_wire(&command, argument)) {
        Ok(request) => request,
        Err(why) => return problem(StatusCode::BAD_REQUEST, &why, Vec::new()),
    };
    match operator::perform(&shared.engine, request).await {
        Ok(answer) => answered(StatusCode::OK, &answer),
        Err(NotDone::Malformed(why)) => problem(StatusCode::UNPROCESSABLE_ENTITY, &why, Vec::new()),
        Err(NotDone::Failed(why)) => problem(StatusCode::CONFLICT, &why, Vec::new()),
    }
}
