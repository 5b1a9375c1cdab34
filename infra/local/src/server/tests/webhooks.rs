//! Systems that call a hook: what they must prove, and what is kept of those that do not.

use super::*;

/// One name is in no policy, one binding has no hook.
#[tokio::test]
async fn a_webhook_is_taken_from_its_system_alone_and_told_what_became_of_it() {
    let engine = engine().await;
    let sample: Value =
        serde_json::from_str(include_str!("../../../../../events/ingest/native_github_workflow_run.json")).unwrap();
    let body = || {
        let mut body = sample["body"].clone();
        body["workflow_run"]["path"] = json!(".github/workflows/another.yml");
        body.to_string()
    };
    let ci = || post("/hooks/ci").header("x-github-event", "workflow_run");
    let signed = |request: axum::http::request::Builder| request.header("authorization", format!("Bearer {SECRET}"));
    for (request, status, says) in [
        (post("/hooks/nobody"), StatusCode::NOT_FOUND, "no binding"),
        (ci(), StatusCode::UNAUTHORIZED, "header authorization"),
        (ci().header("authorization", "Bearer another"), StatusCode::UNAUTHORIZED, "must have the same secret"),
    ] {
        let (found, problem) = ask(&engine, request, body()).await;
        assert_eq!(found, status);
        assert!(problem["title"].as_str().unwrap().contains(says), "{problem}");
        assert_eq!(waiting(&engine), 0);
    }
    let (found, problem) = ask(&engine, signed(ci()), "no JSON".to_owned()).await;
    assert_eq!((found, &problem["errors"][0]["path"]), (StatusCode::BAD_REQUEST, &json!("$")));
    let (found, _) = ask(&engine, signed(by("GET", "/hooks/ci")), String::new()).await;
    assert_eq!(found, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(waiting(&engine), 0);
    let (found, answer) = ask(&engine, signed(ci()), body()).await;
    assert_eq!((found, &answer["events"]), (StatusCode::ACCEPTED, &json!(0)), "{answer}");
    assert_eq!(answer["skipped"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(waiting(&engine), 1);
    assert!(!engine.queues().look("source-events").unwrap()[0].body.contains(SECRET));
    let kept = kept(&engine).await;
    assert!(kept.iter().all(|line| line["door"] == "hook" && !line.to_string().contains(SECRET)), "{kept:?}");
    let of = |word: &str| kept.iter().filter(|line| line["disposition"] == word).count();
    assert_eq!((of("refused"), of("unbound")), (3, 1), "no proof, another proof, no JSON; and no binding: {kept:?}");
}

/// Everything that became no event.
async fn kept(engine: &Engine) -> Vec<Value> {
    let asked = crate::operator::EventsAsked::default();
    let answer = crate::operator::perform(engine, crate::operator::Request::Events(asked)).await.unwrap();
    answer["events"].as_array().unwrap().iter().filter(|line| line["door"].is_string()).cloned().collect()
}

/// Whoever proves nothing may post without end, and what is kept of that stays small.
#[tokio::test]
async fn of_unproven_webhooks_one_receipt_an_hour_is_kept() {
    let engine = engine().await;
    for number in 0..20 {
        let unknown = post(&format!("/hooks/nobody-{number}"));
        assert_eq!(ask(&engine, unknown, format!("{number}")).await.0, StatusCode::NOT_FOUND);
        let (status, _) =
            ask(&engine, post("/hooks/ci").header("authorization", "Bearer x"), format!("{number}")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    // An hour may end in between.
    assert!((2..=4).contains(&kept(&engine).await.len()), "{:?}", kept(&engine).await);
}

#[tokio::test]
async fn a_webhook_sent_to_the_other_door_is_shown_its_own() {
    let engine = engine().await;
    let request = post("/events").header("content-type", "application/json").header("x-github-event", "workflow_run");
    let (status, problem) = ask(&engine, request, r#"{"action":"completed"}"#.to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["errors"][0]["expected"].as_str().unwrap().contains("/hooks/"), "{problem}");
    let kept = kept(&engine).await;
    assert_eq!((kept.len(), &kept[0]["door"], &kept[0]["disposition"]), (1, &json!("events"), &json!("refused")));
}
