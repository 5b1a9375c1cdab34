//! Who may come in, and to what.
//!
//! Loopback is no fence by itself, and under the public address only the proxy, or our own TLS, is believed. Any page in a browser on this machine can send requests here; so the host must be a
//! loopback name (no rebound DNS name gets through), and what changes something must not come from another origin. And any
//! user of this machine can connect; so what shows or does more than a mailed link needs the store's token, which the
//! owner of the store's files alone can read.

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use presentation::page::failure;
use subtle::ConstantTimeEq;

use crate::doors::{self, Public, Way};

use super::{Shared, connection::Peer, functions, problem, respond};

/// The member of the query that carries the token into the browser.
const QUERY: &str = "token";
/// Bytes of the shortest signed link; a review's name that is as long and looks like one is opened with the token.
const SHORTEST_LINK: usize = 48;

/// An address that lets a browser in: what is printed for the operator. `path` has no query.
pub fn opening(address: &str, path: &str, token: &str) -> String {
    format!("http://{address}{path}?{QUERY}={token}")
}

/// The Host header decides whom the sender thinks they speak to; Origin and Fetch metadata, who made them speak.
pub async fn local(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match way(&shared, peer, &request) {
        Ok(way) => {
            request.extensions_mut().insert(way);
            next.run(request).await
        }
        Err((status, why)) => problem(status, why, Vec::new()),
    }
}

fn way(shared: &Shared, peer: Option<Peer>, request: &Request) -> Result<Way, (StatusCode, &'static str)> {
    let headers = request.headers();
    let host = doors::host(headers);
    // Without a socket, in tests, everybody is on this machine.
    let is_near = peer.is_none_or(|peer| peer.near);
    let way = match shared.public() {
        Some(public) if public.is_host(&host) => {
            let encrypted = peer.is_some_and(|peer| peer.encrypted);
            let peer = peer.map(|peer| peer.address);
            public.way(peer, encrypted, headers, &shared.secret_reads).map_err(|why| (StatusCode::FORBIDDEN, why))?
        }
        _ if is_near && shared.hosts.contains(&host) => Way::Loopback,
        _ => {
            return Err((
                StatusCode::MISDIRECTED_REQUEST,
                "this server answers under loopback names and its public address alone; ask it by an address that it printed",
            ));
        }
    };
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(way);
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = |origin: &str| match &way {
        Way::Loopback => shared.hosts.iter().any(|host| origin == format!("http://{host}")),
        Way::Public { .. } => shared.public().is_some_and(|public| public.is_origin(origin)),
    };
    let site = text("sec-fetch-site");
    let foreign_site = site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let foreign_origin = text("origin").is_some_and(|origin| !is_own(origin));
    // A page under a strict referrer policy sends `Origin: null` with its own form, and same-origin beside it.
    let vouched = site == Some("same-origin");
    match foreign_site || (foreign_origin && !vouched) {
        true => Err((StatusCode::FORBIDDEN, "requests of other sites change nothing here")),
        false => Ok(way),
    }
}

/// Whether a request may bring events.
pub fn is_source(shared: &Shared, request: &Request) -> bool {
    let near = request.extensions().get::<Way>() == Some(&Way::Loopback);
    let known = bearer(request.headers()).is_some_and(|given| shared.is_events_token(given));
    near || known || matches!(admit(shared, request), Admission::Operator)
}

/// Events come from this machine, or with the token of the sources, or by whoever has signed in.
pub async fn source(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if is_source(&shared, &request) {
        return next.run(request).await;
    }
    let why = "this needs the sources' token: send `Authorization: Bearer` with what the file events-token in the store's folder holds";
    unauthorized(problem(StatusCode::UNAUTHORIZED, why, Vec::new()))
}

/// Whoever is on this machine, and the operator from elsewhere.
pub async fn near_or_operator(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let near = request.extensions().get::<Way>() == Some(&Way::Loopback);
    if near || matches!(admit(&shared, &request), Admission::Operator) {
        return next.run(request).await;
    }
    closed(&request)
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
            let way = parts.extensions.get().cloned().map(Extension);
            functions(State(shared), way, parts.method, parts.uri, parts.headers, axum::body::Bytes::new()).await
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
            let far = matches!(request.extensions().get::<Way>(), Some(Way::Public { .. }));
            Admission::Enters(enter(shared, request.uri(), far))
        } else {
            Admission::Nobody
        };
    }
    let signed_in = matches!(request.extensions().get::<Way>(), Some(Way::Public { user: Some(_), .. }));
    let known = bearer(headers).is_some_and(|given| shared.is_token(given)) || cookies(headers, &shared.cookie, shared);
    if signed_in || known { Admission::Operator } else { Admission::Nobody }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

impl Shared {
    fn public(&self) -> Option<&Public> {
        self.engine.settings().public.as_ref()
    }

    /// In the same time, however much of it is right.
    fn is_token(&self, given: &str) -> bool {
        is_same(&self.engine.settings().operator_token, given)
    }

    fn is_events_token(&self, given: &str) -> bool {
        is_same(&self.engine.settings().events_token, given)
    }
}

fn is_same(token: &str, given: &str) -> bool {
    !token.is_empty() && bool::from(token.as_bytes().ct_eq(given.as_bytes()))
}

fn cookies(headers: &HeaderMap, name: &str, shared: &Shared) -> bool {
    let lists = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lists.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(found, _)| *found == name).any(|(_, given)| shared.is_token(given))
}

/// The token leaves the address: neither the history nor a page that is shared keeps it.
fn enter(shared: &Shared, uri: &Uri, over_tls: bool) -> Response {
    let is_token = |pair: &&str| pair.split('=').next() == Some(QUERY);
    let rest: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(|pair| !is_token(pair)).collect();
    let query = if rest.iter().all(|pair| pair.is_empty()) { String::new() } else { format!("?{}", rest.join("&")) };
    let token = &shared.engine.settings().operator_token;
    let secure = if over_tls { "; Secure" } else { "" };
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Strict{secure}", shared.cookie);
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
    unauthorized(if request.uri().path().starts_with("/operator/") {
        let why = "this needs the store's token: send `Authorization: Bearer` with what the file operator-token in the store's folder holds";
        problem(StatusCode::UNAUTHORIZED, why, Vec::new())
    } else {
        respond(failure::closed())
    })
}

fn unauthorized(mut response: Response) -> Response {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"holdpoint\""));
    response
}

/// Whether the last segment could be a signed link: long, and base64url throughout.
pub fn is_link(uri: &Uri) -> bool {
    let segment = uri.path().rsplit('/').next().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(segment).is_ok_and(|bytes| bytes.len() >= SHORTEST_LINK)
}
