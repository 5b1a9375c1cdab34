//! Log lines: flat, with the request's id, and without anybody's address.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use lambda_shell::{
    log::{Lines, NOTE},
    metrics::{Metrics, Unit},
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines(speak: impl FnOnce()) -> Vec<Value> {
    let paper = Paper::default();
    let out = paper.clone();
    let subscriber = tracing_subscriber::registry().with(Lines::new("ingest", move || out.clone()));
    tracing::subscriber::with_default(subscriber, speak);
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

#[test]
fn a_line_is_flat_and_carries_its_spans() {
    let found = lines(|| {
        let span = tracing::info_span!("Lambda runtime invoke", requestId = "r-1", xrayTraceId = "x-1");
        span.in_scope(|| tracing::info!(review_id = "RR-1", version = 3_u32, late = true, "decided\nmore"));
    });
    let mut line = found[0].clone();
    let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(timestamp.as_str().unwrap()).is_ok());
    let location = line.as_object_mut().unwrap().remove("location").unwrap();
    assert!(location.as_str().unwrap().starts_with("logs:"));
    assert_eq!(
        line,
        json!({
            "level": "INFO", "message": "decided\nmore", "service": "ingest", "function_request_id": "r-1",
            "xray_trace_id": "x-1", "review_id": "RR-1", "version": 3, "late": true
        })
    );
}

#[test]
fn what_is_noted_goes_with_every_later_line_of_its_span() {
    let found = lines(|| {
        let record = |id: &str| tracing::error_span!("record", message_id = id);
        record("m1").in_scope(|| {
            tracing::info!("before");
            tracing::info!(target: NOTE, review_id = "RR-1", "");
            tracing::info_span!("inner").in_scope(|| tracing::info!("within"));
            tracing::info!(target: NOTE, review_id = "RR-2", by = "a@example.com", "");
            tracing::error!("after");
        });
        record("m2").in_scope(|| tracing::info!("the next"));
        // Nothing to keep it with: no line, and no harm.
        tracing::info!(target: NOTE, review_id = "RR-3", "");
        tracing::info!("outside");
    });
    let told: Vec<(&str, Option<&str>)> =
        found.iter().map(|line| (line["message"].as_str().unwrap(), line["review_id"].as_str())).collect();
    assert_eq!(
        told,
        [("before", None), ("within", Some("RR-1")), ("after", Some("RR-2")), ("the next", None), ("outside", None)]
    );
    assert_eq!(found[2]["by"], "***@***");
    assert_eq!(found[2]["message_id"], "m1");
}

#[test]
fn no_address_reaches_a_line() {
    for (said, written) in [
        ("to someone@example.com now", "to ***@*** now"),
        ("<a.b+c@x.example>, d@y.example", "<***@***>, ***@***"),
        ("TOLD#rm-a@example.com / x", "***@*** / x"),
        ("a%40b.example", "***@***"),
        ("@", "***@***"),
        ("nobody here", "nobody here"),
    ] {
        let found = lines(|| tracing::error!(error = said, other = ?said, "{said}"));
        assert_eq!(found[0]["error"], written);
        assert_eq!(found[0]["message"], written);
        assert!(!found[0].to_string().contains("example.com"), "{}", found[0]);
    }
}

#[test]
fn a_metric_is_a_line_of_its_own_format() {
    let found = lines(|| Metrics::new("Bundle").put("held", Unit::Count, 1.0).emit(5));
    assert_eq!(found[0]["_aws"]["Timestamp"], 5);
    assert_eq!(found[0]["held"], 1.0);
    assert_eq!(found[0].get("level"), None);
}
