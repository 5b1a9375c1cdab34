//! Requests and answers of a function URL, as AWS sends and takes them.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use lambda_shell::{
    form,
    web::{Request, Response, SentFrom},
};
use serde_json::{Value, json};

fn event(method: &str, path: &str, changes: Value) -> LambdaFunctionUrlRequest {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "cookies": [],
        "headers": { "host": "abc.lambda-url.eu-west-1.on.aws", "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" },
        "requestContext": {
            "accountId": "anonymous", "apiId": "abc", "domainName": "abc.lambda-url.eu-west-1.on.aws", "domainPrefix": "abc",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "x" },
            "requestId": "r", "routeKey": "$default", "stage": "$default", "time": "x", "timeEpoch": 1_793_700_000_000_i64
        },
        "isBase64Encoded": false
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    serde_json::from_value(event).expect("a request as AWS sends it")
}

#[test]
fn a_get_with_a_query() {
    let request = Request::from_event(event("get", "/adopt/a%2Fb", json!({ "rawQueryString": "x=1&y" }))).unwrap();
    assert_eq!(request.method, "GET");
    assert_eq!(request.path, "/adopt/a%2Fb");
    assert_eq!(request.segments(), ["adopt", "a%2Fb"]);
    assert_eq!(request.query, "x=1&y");
    assert_eq!(request.header("host"), Some("abc.lambda-url.eu-west-1.on.aws"));
    assert!(request.header("content-type").is_some(), "names are in lower case");
    assert_eq!(request.source_ip.as_deref(), Some("203.0.113.7"));
    assert!(request.body.is_empty());
}

#[test]
fn a_form_is_ours_by_fetch_metadata_or_by_the_origin_that_the_platform_names() {
    let own = "https://abc.lambda-url.eu-west-1.on.aws";
    for (headers, from) in [
        (json!({ "sec-fetch-site": "same-origin" }), SentFrom::OwnPage),
        (json!({ "sec-fetch-site": "same-origin", "origin": "null" }), SentFrom::OwnPage),
        (json!({ "sec-fetch-site": "same-site", "origin": own }), SentFrom::Elsewhere),
        (json!({ "sec-fetch-site": "cross-site", "origin": own }), SentFrom::Elsewhere),
        (json!({ "sec-fetch-site": "none" }), SentFrom::Elsewhere),
        (json!({ "origin": own }), SentFrom::OwnPage),
        (json!({ "origin": own.to_uppercase() }), SentFrom::OwnPage),
        (json!({ "origin": "http://abc.lambda-url.eu-west-1.on.aws" }), SentFrom::Elsewhere),
        (json!({ "origin": "https://evil.example", "host": "evil.example" }), SentFrom::Elsewhere),
        (json!({ "origin": "null" }), SentFrom::Hidden),
        (json!({}), SentFrom::Unsaid),
    ] {
        let request = Request::from_event(event("POST", "/adopt/t", json!({ "headers": headers }))).unwrap();
        assert_eq!(request.sent_from(), from, "{headers}");
    }
    let local = |domain_name: &str| Request {
        headers: vec![("origin".into(), format!("http://{domain_name}"))],
        domain_name: Some(domain_name.into()),
        ..Request::default()
    };
    for (domain_name, from) in [
        ("127.0.0.1:8420", SentFrom::OwnPage),
        ("localhost:8420", SentFrom::OwnPage),
        // Elsewhere plain HTTP is nobody's word.
        ("pages.example.com", SentFrom::Elsewhere),
    ] {
        assert_eq!(local(domain_name).sent_from(), from, "{domain_name}");
    }
}

#[test]
fn a_posted_form_in_plain_and_in_base64() {
    let plain = event("POST", "/adopt/t", json!({ "body": "choice=adopt&note=caf%C3%A9+ok" }));
    let packed = event(
        "POST",
        "/adopt/t",
        json!({ "body": "Y2hvaWNlPWFkb3B0Jm5vdGU9Y2FmJUMzJUE5K29r", "isBase64Encoded": true }),
    );
    for request in [plain, packed].map(|event| Request::from_event(event).unwrap()) {
        let fields = form::read(&request).unwrap();
        assert_eq!(form::field(&fields, "choice"), Some("adopt"));
        assert_eq!(form::field(&fields, "note"), Some("café ok"));
        assert_eq!(form::field(&fields, "absent"), None);
    }
}

#[test]
fn what_cannot_be_read_says_what_was_expected() {
    let broken = event("POST", "/", json!({ "body": "?", "isBase64Encoded": true }));
    assert!(Request::from_event(broken).unwrap_err().starts_with("body: expected base64"));
    let post = |body: String, kind: &str| Request {
        headers: vec![("content-type".into(), kind.into())],
        body: body.into_bytes(),
        ..Request::default()
    };
    let kind = "application/x-www-form-urlencoded";
    for (request, expected) in [
        (
            post("a=1".into(), "text/plain"),
            "expected content-type application/x-www-form-urlencoded, found \"text/plain\"",
        ),
        (post("a=1&".repeat(33), kind), "expected at most 32 fields, found more"),
        (post("a".repeat(70_000), kind), "expected a form of at most 65536 bytes, found 70000"),
    ] {
        assert_eq!(form::read(&request).unwrap_err(), expected);
    }
    let twice = form::read(&post("choice=adopt&choice=decline".into(), kind)).unwrap();
    assert_eq!(form::field(&twice, "choice"), None, "a choice made twice is none");
}

#[test]
fn an_answer_to_head_has_the_headers_of_get_and_no_body() {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    let head = Response::new(410, headers, "<p>é</p>").without_body();
    let expected = [("content-type", "text/html"), ("content-length", "9")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((head.status, head.headers.as_slice()), (410, &expected[..]), "bytes, not letters");
    assert!(head.body.is_empty());
    assert_eq!(head.clone().without_body(), head, "what was measured once is not measured anew");
}

#[test]
fn an_answer_as_aws_takes_it() {
    let headers =
        [("Content-Type", "text/html"), ("Vary", "A"), ("vary", "B"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(
        Response::new(200, headers, "<p>é</p>").to_event(),
        json!({
            "statusCode": 200, "headers": { "content-type": "text/html", "vary": "A, B" }, "cookies": ["a=1", "b=2"],
            "body": "<p>é</p>", "isBase64Encoded": false
        })
    );
    let binary = Response::new(200, Vec::new(), vec![0xff, 0x00]).to_event();
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
}
