//! A public address with its proxy: who comes in by it, and to what.

use std::net::IpAddr;

use super::*;
use crate::{
    doors::{Proxy, Public, PublicAddress, TlsBy},
    relay::Secret,
    server::connection::Peer,
};

const NAME: &str = "holdpoint.example.com";
const PROOF: &str = "what the proxy sends";

async fn engine() -> (Engine, std::path::PathBuf) {
    let file =
        std::env::temp_dir().join(format!("holdpoint-proxy-{}-{:?}", std::process::id(), std::thread::current().id()));
    std::fs::write(&file, format!("{PROOF}\n")).unwrap();
    let proxy = Proxy {
        trusted: vec!["10.0.0.7".parse().unwrap(), "127.0.0.1".parse().unwrap()],
        secret: Secret::File(file.clone()),
        user_header: Some("x-forwarded-user".parse().unwrap()),
    };
    let public =
        Public { address: PublicAddress::parse("https://holdpoint.example.com").unwrap(), tls: TlsBy::Proxy(proxy) };
    let (operator_token, events_token) = (TOKEN.to_owned(), "the sources".to_owned());
    let settings = Settings { operator_token, events_token, public: Some(public), ..Settings::in_memory(policy()) };
    (Engine::open(settings, Clock::system()).await.unwrap(), file)
}

fn from(peer: &str, method: &str, host: &str, path: &str) -> axum::http::request::Builder {
    let peer: IpAddr = peer.parse().unwrap();
    let peer = Peer { address: peer, near: peer.is_loopback(), encrypted: false };
    Request::builder().method(method).uri(path).header("host", host).extension(peer)
}

async fn status(engine: &Engine, request: axum::http::request::Builder) -> StatusCode {
    answer(engine, request, String::new()).await.0.status
}

#[tokio::test]
async fn only_the_proxy_is_believed_under_the_public_address() {
    let (engine, file) = engine().await;
    let proof = |request: axum::http::request::Builder| request.header("x-holdpoint-proxy", PROOF);
    let health = |peer: &str, host: &str| from(peer, "GET", host, "/health");
    for (request, expected) in [
        (proof(health("10.0.0.7", NAME)), StatusCode::OK),
        (proof(health("::ffff:10.0.0.7", NAME)), StatusCode::OK),
        (proof(health("10.0.0.7", "holdpoint.example.com:443")), StatusCode::OK),
        (health("10.0.0.7", NAME), StatusCode::FORBIDDEN),
        (health("10.0.0.7", NAME).header("x-holdpoint-proxy", "a guess"), StatusCode::FORBIDDEN),
        (proof(health("10.0.0.8", NAME)), StatusCode::FORBIDDEN),
        (proof(health("10.0.0.7", "another.example.com")), StatusCode::MISDIRECTED_REQUEST),
        // A loopback name from afar is a forged one.
        (health("10.0.0.7", HOST), StatusCode::MISDIRECTED_REQUEST),
        (health("127.0.0.1", HOST), StatusCode::OK),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(status(&engine, request).await, expected, "{shown}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(status(&engine, proof(health("10.0.0.7", NAME))).await, StatusCode::FORBIDDEN, "no secret, nobody");
}

#[tokio::test]
async fn who_has_signed_in_or_has_the_token_sees_and_sends() {
    let (engine, file) = engine().await;
    let proven = |method: &str, path: &str| from("10.0.0.7", method, NAME, path).header("x-holdpoint-proxy", PROOF);
    let events = || proven("POST", "/events").header("content-type", "application/cloudevents-batch+json");
    for path in ["/reviews", "/mailbox", "/operator/reviews"] {
        let method = if path.starts_with("/operator") { "POST" } else { "GET" };
        let ask = || proven(method, path);
        assert_eq!(status(&engine, ask()).await, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(status(&engine, ask().header("x-forwarded-user", " ")).await, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(
            status(&engine, ask().header("authorization", "Bearer the sources")).await,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(status(&engine, ask().header("x-forwarded-user", "ada")).await, StatusCode::OK, "{path}");
        assert_eq!(status(&engine, ask().header("authorization", format!("Bearer {TOKEN}"))).await, StatusCode::OK);
    }
    let sent = async |request: axum::http::request::Builder| answer(&engine, request, "[]".to_owned()).await.0.status;
    assert_eq!(sent(events()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sent(events().header("authorization", "Bearer a guess")).await, StatusCode::UNAUTHORIZED);
    let known = sent(events().header("authorization", "Bearer the sources")).await;
    assert_eq!(sent(events().header("x-forwarded-user", "ada")).await, known);
    assert_ne!(known, StatusCode::UNAUTHORIZED);
    let near = from("127.0.0.1", "POST", HOST, "/events").header("content-type", "application/cloudevents-batch+json");
    assert_eq!(sent(near).await, known, "on this machine events need no token");
    // A header that only the proxy may send counts for nothing without it.
    let near = from("127.0.0.1", "GET", HOST, "/reviews").header("x-forwarded-user", "ada");
    assert_eq!(status(&engine, near).await, StatusCode::UNAUTHORIZED);
    // Another site's page in the browser of somebody who has signed in.
    let foreign = events().header("x-forwarded-user", "ada").header("origin", "https://evil.example.com");
    assert_eq!(sent(foreign).await, StatusCode::FORBIDDEN);
    let own = events().header("x-forwarded-user", "ada").header("origin", "https://holdpoint.example.com");
    assert_eq!(sent(own).await, known);
    // A signed link needs nothing, as ever; a bad one says nothing.
    assert_eq!(status(&engine, proven("GET", "/adopt/nothing")).await, StatusCode::NOT_FOUND);
    let (entered, _) = answer(&engine, proven("GET", &format!("/reviews?token={TOKEN}")), String::new()).await;
    assert!(entered.headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    std::fs::remove_file(&file).unwrap();
}

/// With TLS of its own the engine believes nobody about who they are, and nothing under the public name that came in plain.
#[tokio::test]
async fn with_tls_of_its_own_only_what_came_encrypted_is_of_the_public_address() {
    let files = crate::tls::TlsFiles { certificate: "cert.pem".into(), key: "key.pem".into() };
    let public =
        Public { address: PublicAddress::parse("https://holdpoint.example.com").unwrap(), tls: TlsBy::Engine(files) };
    let settings = Settings { operator_token: TOKEN.to_owned(), public: Some(public), ..Settings::in_memory(policy()) };
    let engine = Engine::open(settings, Clock::system()).await.unwrap();
    let by = |encrypted: bool, path: &str| {
        let peer = Peer { address: "10.0.0.9".parse().unwrap(), near: false, encrypted };
        Request::builder().uri(path).header("host", NAME).header("x-forwarded-user", "ada").extension(peer)
    };
    for (request, expected) in [
        (by(true, "/health"), StatusCode::OK),
        (by(false, "/health"), StatusCode::FORBIDDEN),
        (by(true, "/reviews"), StatusCode::UNAUTHORIZED),
        (by(true, "/reviews").header("authorization", format!("Bearer {TOKEN}")), StatusCode::OK),
        (by(false, "/reviews").header("authorization", format!("Bearer {TOKEN}")), StatusCode::FORBIDDEN),
        (by(true, "/adopt/nothing"), StatusCode::NOT_FOUND),
        // Another name of this machine's, from elsewhere.
        (from("10.0.0.9", "GET", HOST, "/health"), StatusCode::MISDIRECTED_REQUEST),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(status(&engine, request).await, expected, "{shown}");
    }
}
