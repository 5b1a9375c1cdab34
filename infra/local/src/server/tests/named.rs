//! What the operator is told of what is not there, and of what nobody read.

use super::*;

/// Who has the token may know which reviews there are. A link that opens nothing is the function's to answer, and counts as one.
#[tokio::test]
async fn an_unknown_review_is_no_bad_link() {
    let engine = engine().await;
    let title = async |path: &str| {
        let (parts, body) = answer(&engine, operators(by("GET", path)), String::new()).await;
        assert_eq!(parts.status, StatusCode::NOT_FOUND, "{path}");
        String::from_utf8(body).unwrap()
    };
    for path in ["/reviews/RR-9", "/reviews/a%2Fb"] {
        let said = title(path).await;
        assert!(said.contains("There is no such review") && !said.contains("This link"), "{path}: {said}");
    }
    let said = title(&format!("/reviews/{}", "A".repeat(120))).await;
    assert!(said.contains("This link does not open anything"), "{said}");
}

/// Nobody reads a body that is longer than any may be, and the operator can find out that one came.
#[tokio::test]
async fn a_body_that_is_too_long_leaves_a_receipt() {
    let engine = engine().await;
    let limits = crate::limits::Limits { request: 1_048_576, ..engine.limits() };
    engine.renew(Settings { limits, ..engine.settings().clone() }).unwrap();
    let long = || " ".repeat(1_048_577);
    let events = || post("/events").header("content-type", "application/cloudevents+json");
    for announced in [true, false] {
        let request = if announced { events().header("content-length", long().len()) } else { events() };
        assert_eq!(ask(&engine, request, long()).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    }
    let asked = crate::operator::EventsAsked::default();
    let listed = crate::operator::perform(&engine, crate::operator::Request::Events(asked)).await.unwrap();
    let found = listed["events"].as_array().unwrap();
    let reasons: Vec<String> = found.iter().map(|event| event["reasons"].to_string()).collect();
    assert!(found.iter().all(|event| event["disposition"] == "refused"), "{listed}");
    assert!(reasons.iter().any(|said| said.contains("1048577 bytes")), "{listed}");
    assert!(reasons.iter().any(|said| said.contains("a longer one")), "{listed}");
}
