//! The CloudEvents HTTP binding, mode by mode.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sources::{http, parse_batch};

fn headers(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "//people.example.com", "type": "dev.holdpoint.person.updated.v1",
        "data": {"person": "a@example.com", "revision": 1, "name": "A", "time_zone": "UTC"}
    })
}

#[test]
fn structured_batched_and_binary_say_the_same() {
    let one = event("p 1");
    let structured = parse_batch(
        &headers(&[("Content-Type", "application/cloudevents+json; charset=utf-8")]),
        one.to_string().as_bytes(),
    );
    let batch = parse_batch(
        &headers(&[("content-type", "application/cloudevents-batch+json")]),
        json!([one]).to_string().as_bytes(),
    );
    let untyped = parse_batch(&headers(&[]), one.to_string().as_bytes());
    let binary = parse_batch(
        &headers(&[
            ("CE-SpecVersion", "1.0"),
            ("ce-id", "p%201"),
            ("ce-source", "\"//people.example.com\""),
            ("ce-type", "dev.holdpoint.person.updated.v1"),
            ("ce-someextension", "Euro%20%E2%82%AC"),
            ("content-type", "application/json"),
        ]),
        one["data"].to_string().as_bytes(),
    );
    let first = |read: Result<Vec<http::Received>, _>| read.expect("a request").remove(0).event.expect("a good event");
    let expected = first(structured);
    assert_eq!(expected.identity.id.as_str(), "p 1");
    for read in [batch, untyped, binary] {
        assert_eq!(first(read), expected);
    }
}

#[test]
fn a_bad_event_among_good_ones_is_its_own_fault() {
    let mut bad = event("bad");
    bad["data"]["name"] = json!(7);
    let body = json!([event("1"), bad, "x", event("2")]).to_string();
    let read = parse_batch(&headers(&[("content-type", "application/cloudevents-batch+json")]), body.as_bytes());
    let outcomes: Vec<String> = read
        .expect("a batch")
        .into_iter()
        .map(|received| match received.event {
            Ok(event) => event.identity.id.to_string(),
            Err(refused) => refused.to_string(),
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "1",
            "$.data.name: expected text of 1 to 200 characters on one line; found 7",
            "$: expected an object; found \"x\"",
            "2"
        ]
    );
}

/// What goes on the queue is read there again, and comes to the same.
#[test]
fn the_body_for_the_queue_is_the_event() {
    let read = parse_batch(&headers(&[]), json!([event("1"), event("2")]).to_string().as_bytes()).expect("a batch");
    assert_eq!(read.len(), 2);
    for received in read {
        assert_eq!(sources::parse(&received.body), received.event);
    }
}

#[test]
fn requests_that_are_none() {
    let said = |list: &[(&str, &str)], body: &[u8]| match http::split(&headers(list), body) {
        Ok(bodies) => panic!("taken: {bodies:?}"),
        Err(refused) => refused.to_string(),
    };
    for (list, body, expected) in [
        (
            vec![("content-type", "text/html")],
            &b"{}"[..],
            "header content-type: expected application/cloudevents+json, \
            application/cloudevents-batch+json, or ce- headers with any JSON type; found \"text/html\"",
        ),
        (
            vec![("content-type", "application/cloudevents-batch+json")],
            b"{}",
            "$: expected a list of events; found an object",
        ),
        (vec![], b"", "$: expected JSON; found nothing"),
        (vec![], b"{\"a\":\xff}", "$: expected UTF-8 text; found other bytes after byte 5"),
        (
            vec![("ce-specversion", "1.0"), ("ce-id", "%zz")],
            b"{}",
            "header ce-id: expected percent-encoded UTF-8; found \"%zz\"",
        ),
        (
            vec![("ce-specversion", "1.0"), ("ce-data", "x")],
            b"{}",
            "header ce-data: expected an attribute (the data is the body); found \"x\"",
        ),
    ] {
        assert_eq!(said(&list, body), expected);
    }
}

/// Binary mode with a body that is no JSON is judged like any other event: by the contract, at its member.
#[test]
fn binary_data_that_is_no_json() {
    let list = headers(&[
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "//s"),
        ("ce-type", "dev.holdpoint.person.updated.v1"),
        ("content-type", "text/plain"),
    ]);
    let refused = parse_batch(&list, b"hello").expect("one event").remove(0).event.expect_err("no JSON");
    assert_eq!(
        refused.to_string(),
        "$.datacontenttype: expected a JSON media type like application/json; found \"text/plain\"\n\
         $.data_base64: expected Base64 of JSON; found line 1, column 1: expected value"
    );
}

const BATCH: &str = "application/cloudevents-batch+json";

/// A batch is taken apart as text. Whatever its white space, the events are those that the parser of the whole finds.
#[test]
fn a_batch_is_taken_apart_like_the_whole() {
    let lists = [
        json!([]),
        json!([1, -2.5e3, "a, ] \\\" [", null, true, [], {}, [[1, [2]], { "a": [{}] }], { "b": "}" }, "\u{e9}"]),
        json!([event("1"), event("2")]),
    ];
    for list in lists {
        let expected: Vec<String> = list.as_array().expect("a list").iter().map(Value::to_string).collect();
        let pretty = serde_json::to_string_pretty(&list).expect("text");
        for text in [list.to_string(), pretty, format!(" \r\n\t{list} \n")] {
            let found = http::split(&headers(&[("content-type", BATCH)]), text.as_bytes()).expect("a batch");
            assert_eq!(found, expected, "{text}");
            for end in 0..text.trim_end().len() {
                let cut = http::split(&headers(&[("content-type", BATCH)]), &text.as_bytes()[..end]);
                assert!(cut.is_err(), "taken: {:?}", &text[..end]);
            }
        }
    }
    for (body, fault) in [
        ("[1 2]", "line 1, column 4: expected a comma or the list's end, found '2'"),
        ("[1,]", "line 1, column 4: expected value"),
        ("[1] x", "line 1, column 5: expected nothing after the list, found 'x'"),
        ("[,1]", "line 1, column 2: expected value"),
        ("[1,\n {\"a\":}]", "line 2, column 7: expected value"),
        ("nothing", "line 1, column 2: expected ident"),
    ] {
        let refused = http::split(&headers(&[("content-type", BATCH)]), body.as_bytes()).expect_err("no list");
        assert_eq!(refused.to_string(), format!("$: expected JSON; found {fault}"), "{body}");
    }
}

/// What is too much is named as such, and the limit itself is not too much.
#[test]
fn a_request_has_its_limits() {
    let split = |kind: &str, body: &str| http::split(&headers(&[("content-type", kind)]), body.as_bytes());
    let ones = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert_eq!(split(BATCH, &ones(http::MOST_EVENTS)).map(|events| events.len()), Ok(http::MOST_EVENTS));
    // What follows the event that is one too many is not even read.
    for too_many in [ones(http::MOST_EVENTS + 1), format!("{},&", ones(http::MOST_EVENTS + 1).trim_end_matches(']'))] {
        let Err(http::Unsplit::TooLarge(fault)) = split(BATCH, &too_many) else { panic!("taken") };
        assert_eq!(fault.to_string(), "$: expected at most 1000 events in one request; found more");
    }
    let of = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - "{\"a\":\"\"}".len()));
    let (fits, too_long) = (of(http::LARGEST_EVENT), of(http::LARGEST_EVENT + 1));
    for kind in ["application/cloudevents+json", "application/json", BATCH] {
        let request = |event: &str| if kind == BATCH { format!("[1,{event}]") } else { event.to_owned() };
        assert!(split(kind, &request(&fits)).is_ok(), "{kind}");
        // White space is not the event's.
        let spaced = fits.replace(':', &format!(" :{}", "\n ".repeat(1_000)));
        assert!(split(kind, &request(&spaced)).is_ok(), "{kind}");
        let Err(http::Unsplit::TooLarge(fault)) = split(kind, &request(&too_long)) else { panic!("{kind}: taken") };
        assert_eq!(fault.found, format!("{} bytes", http::LARGEST_EVENT + 1));
        assert_eq!(fault.path, if kind == BATCH { "$[1]" } else { "$" });
    }
    // Numbers that are longer when they are written anew.
    let grown = format!("[{}]", vec!["1e15"; http::LARGEST_EVENT / 5 - 1].join(","));
    let binary = headers(&[("ce-specversion", "1.0"), ("content-type", "application/json")]);
    assert!(matches!(http::split(&binary, grown.as_bytes()), Err(http::Unsplit::TooLarge(_))));
    assert!(matches!(http::split(&binary, ones(700_000).as_bytes()), Err(http::Unsplit::TooLarge(_))));
}

/// The size of binary data is that of its tokens. Bytes that are no text count as they are.
#[test]
fn binary_data_is_as_large_as_its_tokens() {
    let headers = headers(&[
        ("ce-specversion", "1.0"),
        ("ce-id", "p1"),
        ("ce-source", "//people.example.com"),
        ("ce-type", "dev.holdpoint.person.updated.v1"),
        ("content-type", "application/json"),
    ]);
    let data = event("p1")["data"].to_string();
    let wide = format!("{}{data}", " ".repeat(2 << 20));
    let read = parse_batch(&headers, wide.as_bytes()).expect("a request").remove(0);
    assert_eq!(read.event.expect("a good event").identity.id.as_str(), "p1");
    for body in [format!("{{\"x\":\"{}\"}}", "y".repeat(2 << 20)).into_bytes(), vec![0xff; 2 << 20]] {
        let split = http::split(&headers, &body);
        assert!(matches!(split, Err(http::Unsplit::TooLarge(_))), "{:?}", body.first());
    }
}
