//! Who may come in, and to what.
//!
//! Loopback is no fence by itself. Any page in a browser on this machine can send requests here; so the host must be a
//! loopback name (no rebound DNS name gets through), and what changes something must not come from another origin. And any
//! user of this machine can connect; so what shows or does more than a mailed link needs the store's token, which the
//! owner of the store's files alone can read.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::page::failure;
use subtle::ConstantTimeEq;

use super::{Shared, functions, problem, respond};

/// The member of the query that carries the token into the browser.
const QUERY: &str = "token";
/// Bytes of the shortest signed link; a review's name that is as long and looks like one is opened with the token.
const SHORTEST_LINK: usize = 48;

/// An address that lets a browser in: what is printed for the operator. `path` has no query.
pub fn opening(address: &str, path: &str, token: &str) -> String {
    format!("http://{address}{path}?{QUERY}={token}")
}

/// The Host header decides whom the sender thinks they speak to; Origin and Fetch metadata, who made them speak.
pub async fn local(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match refusal(&shared.hosts, request.method(), request.headers()) {
        Some((status, why)) => problem(status, why, Vec::new()),
        None => next.run(request).await,
    }
}

fn refusal(hosts: &[String], method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or_default().to_ascii_lowercase();
    if !hosts.contains(&host) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "this server answers on loopback names alone; ask it by the address that it printed",
        ));
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

/// Lets the operator through, and nobody else.
pub async fn operator(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match admit(&shared, &request) {
        Admission::Operator => next.run(request).await,
        Admission::Enters(response) => response,
        Admission::Nobody => closed(&request),
    }
}

/// The same, but what may be somebody's mailed link is the function's to open, to the operator like to anybody.
pub async fn operator_or_link(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match admit(&shared, &request) {
        Admission::Operator => next.run(request).await,
        Admission::Enters(response) => response,
        Admission::Nobody if is_link(request.uri()) => {
            let (parts, _) = request.into_parts();
            functions(State(shared), parts.method, parts.uri, parts.headers, axum::body::Bytes::new()).await
        }
        Admission::Nobody => closed(&request),
    }
}

enum Admission {
    Operator,
    /// Came with the token in the address, and is sent on without.
    Enters(Response),
    Nobody,
}

fn admit(shared: &Shared, request: &Request) -> Admission {
    let headers = request.headers();
    let given = super::queried(request.uri().query(), QUERY);
    if let Some(given) = given.filter(|_| matches!(*request.method(), Method::GET | Method::HEAD)) {
        return if shared.is_token(&given) {
            Admission::Enters(enter(shared, request.uri()))
        } else {
            Admission::Nobody
        };
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if bearer.is_some_and(|given| shared.is_token(given.trim())) || cookies(headers, &shared.cookie, shared) {
        return Admission::Operator;
    }
    Admission::Nobody
}

impl Shared {
    /// In the same time, however much of it is right.
    fn is_token(&self, given: &str) -> bool {
        let token = self.engine.settings().operator_token.as_bytes();
        !token.is_empty() && bool::from(token.ct_eq(given.as_bytes()))
    }
}

fn cookies(headers: &HeaderMap, name: &str, shared: &Shared) -> bool {
    let lists = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(found, _)| *found == name).any(|(_, given)| shared.is_token(given))
}

/// The token leaves the address: neither the history nor a page that is shared keeps it.
fn enter(shared: &Shared, uri: &Uri) -> Response {
    let is_token = |pair: &&str| pair.split('=').next() == Some(QUERY);
    let rest: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|pair| !is_token(pair)).collect();
    let query = if rest.iter().all(|pair| pair.is_empty()) { String::new() } else { format!("?{}", rest.join("&")) };
    let token = &shared.engine.settings().operator_token;
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict", shared.cookie);
    let headers = [
        (header::LOCATION, format!("{}{query}", uri.path())),
        (header::SET_COOKIE, cookie),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Says the same of what is there and of what is not.
fn closed(request: &Request) -> Response {
    let mut response = if request.uri().path().starts_with("/operator/") {
        let why = "this needs the store's token: send `Authorization: Bearer` with what the file operator-token in the store's folder holds";
        problem(StatusCode::UNAUTHORIZED, why, Vec::new())
    } else {
        respond(failure::closed())
    };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"holdpoint\""));
    response
}

/// Whether the last segment could be a signed link: long, and base64url throughout.
fn is_link(uri: &Uri) -> bool {
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(segment).is_ok_and(|bytes| bytes.len() >= SHORTEST_LINK)
}
