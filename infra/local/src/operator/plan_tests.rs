//! What operators do in person, on stories played to the point where it matters: planned, sent, and decided by the handlers.

use refresh_core::{
    Person, ReviewId, Source,
    facts::{operator::OperatorChoice, subject::Kind},
};
use serde_json::{Value, json};

use super::{
    Act, Planned, Request, perform,
    published::fits,
    tests::{played, stack, without_now},
};
use crate::{command::act::outcome, replay::Player};

macro_rules! story {
    ($name:literal) => {
        (
            include_str!(concat!("../../../../events/scenarios/", $name, ".jsonl")),
            include_str!(concat!("../../../../events/scenarios/", $name, ".policy.json")),
        )
    };
}

async fn until((scenario, policy): (&str, &str), time: &str) -> Player {
    let mut player = played(scenario, policy, &format!("2026-11-03T{time}")).await;
    let at = refresh_core::Instant::parse(&format!("2026-11-03T{time}:00Z")).unwrap();
    player.until(at).await.unwrap();
    player
}

fn review() -> ReviewId {
    ReviewId::parse("RR-1042").unwrap()
}

fn planned(act: Act, source: Option<&str>) -> Request {
    Request::Plan(Box::new(Planned {
        act,
        by: Person::parse("duty@example.com").unwrap(),
        reason: "No mail reaches the owner.".to_owned(),
        source: source.map(|source| Source::parse(source).unwrap()),
    }))
}

/// The same here and of a deployment, but for the id of the event.
async fn plan(player: &Player, act: Act) -> Value {
    let mut here = perform(player.time().engine(), planned(act.clone(), None)).await.unwrap();
    let event = here["event"].clone();
    let mut there = stack(player).perform(planned(act, Some("//operator.example.com"))).await.unwrap();
    here["event"]["id"].take();
    there["event"]["id"].take();
    assert_eq!(without_now(here.clone()), without_now(there));
    here["event"] = event;
    here
}

fn will(plan: &Value) -> String {
    plan["will"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned() + "\n").collect()
}

/// Sends what was planned; the answers of operators in the lineage after that.
async fn done(player: &Player, plan: &Value) -> Vec<Value> {
    let engine = player.time().engine();
    let sent = perform(engine, Request::Send(vec![plan["event"].to_string()])).await.unwrap();
    player.time().drain().await.unwrap();
    let mut sent = perform(engine, Request::Became(sent)).await.unwrap();
    sent["waited"] = true.into();
    fits("send", &sent);
    fits("act", &outcome(plan, &sent, &json!("recorded")));
    let shown = perform(engine, Request::Show(review())).await.unwrap();
    let happenings =
        shown["lineage"].as_array().unwrap().iter().flat_map(|entry| entry["happenings"].as_array().unwrap());
    happenings.filter(|one| one["as_operator"] == true).cloned().collect()
}

#[tokio::test]
async fn an_operator_decides_closes_and_resets() {
    for (choice, result) in [(OperatorChoice::Adopt, "adopted"), (OperatorChoice::DeclineStand, "declined")] {
        let player = until(story!("an_operator_decides_at_night"), "12:30").await;
        let plan = plan(&player, Act::Decide(review(), choice)).await;
        if choice == OperatorChoice::Adopt {
            insta::assert_snapshot!("plan_decide", will(&plan));
        }
        let answers = done(&player, &plan).await;
        assert_eq!((&answers[0]["result"], &answers[0]["by"]), (&json!(result), &json!("duty@example.com")));
        assert_eq!(answers[0]["note"], "No mail reaches the owner.");
        let why = perform(player.time().engine(), planned(Act::Decide(review(), choice), None)).await.unwrap_err();
        assert!(why.why().contains("expected a proposal that waits for its decision"), "{}", why.why());
    }

    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let closing = plan(&player, Act::Close(review())).await;
    insta::assert_snapshot!("plan_close", will(&closing));
    let answers = done(&player, &closing).await;
    assert_eq!((&answers[0]["action"], &answers[0]["by"]), (&json!("close"), &json!("duty@example.com")));
    assert_eq!(answers[0]["note"], "No mail reaches the owner.");
    let why = perform(player.time().engine(), planned(Act::Close(review()), None)).await.unwrap_err();
    assert!(why.why().contains("expected an open review; it is over: \"closed\""), "{}", why.why());

    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let resetting = plan(&player, Act::Reset(Kind::Evidence, "CHG0030001/integration-tests".to_owned())).await;
    insta::assert_snapshot!("plan_reset", will(&resetting));
    done(&player, &resetting).await;
    let subject = refresh_core::facts::subject::Subject::Evidence(
        refresh_core::ChangeId::parse("CHG0030001").unwrap(),
        refresh_core::Checkpoint::parse("integration-tests").unwrap(),
    );
    let fact = player.time().engine().store().fact(&subject).await.unwrap().unwrap();
    let reset = fact.order.reset.unwrap();
    assert_eq!((reset.by.as_str(), reset.reason.as_str()), ("duty@example.com", "No mail reaches the owner."));
}

#[tokio::test]
async fn an_operator_has_somebody_mailed_once_more() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    let person = |name: &str| Person::parse(&format!("{name}@example.com")).unwrap();
    let act = |name: &str| Act::Resend(review(), person(name));
    let mails = || engine.mailbox().len();
    let before = mails();
    let asking = plan(&player, act("so-a")).await;
    insta::assert_snapshot!("plan_resend", will(&asking));
    let answers = done(&player, &asking).await;
    assert_eq!((&answers[0]["action"], &answers[0]["result"]), (&json!("resend"), &json!("resent")));
    assert_eq!((&answers[0]["by"], &answers[0]["to"]), (&json!("duty@example.com"), &json!("so-a@example.com")));
    assert_eq!(mails(), before + 1, "one mail");
    // The very event, once more: whatever the queue delivers twice.
    assert_eq!(done(&player, &asking).await.len(), 1);
    assert_eq!(mails(), before + 1, "no second mail");
}

/// The plan names link and calendar entry exactly where the mail has them: before and after the decision, for everybody who
/// was told anything.
#[tokio::test]
async fn what_a_mail_once_more_brings_is_said_before() {
    let mut found = std::collections::BTreeSet::new();
    // An owner without a seat has a link to decide, and no entry.
    let (scenario, policy) = story!("an_operator_decides_at_night");
    let apart = scenario.replace("\"owner\": \"rm-a@", "\"owner\": \"own@");
    assert_ne!(apart, scenario);
    for (scenario, time) in [(scenario, "12:30"), (scenario, "12:45"), (&*apart, "12:30")] {
        let player = until((scenario, policy), time).await;
        let engine = player.time().engine();
        let people: std::collections::BTreeSet<String> =
            engine.mailbox().all().into_iter().flat_map(|mail| mail.to).collect();
        for name in people {
            let person = Person::parse(&name).unwrap();
            let plan = plan(&player, Act::Resend(review(), person)).await;
            let before = engine.mailbox().len();
            Box::pin(done(&player, &plan)).await;
            let mail = engine.mailbox().to(&name).pop().unwrap();
            assert_eq!(engine.mailbox().len(), before + 1, "{name}, {time}");
            let raw = String::from_utf8_lossy(&mail.raw).into_owned();
            let (entry, text) = (raw.contains("text/calendar"), raw.replace("=\r\n", ""));
            let link = text.contains("/adopt/") || text.contains("/acknowledge/");
            let expected = match (link, entry) {
                (true, true) => "with a link that opens and their calendar entry",
                (true, false) => "with a link that opens, and no calendar entry",
                (false, true) => "with their calendar entry, and no link",
                (false, false) => "with neither link nor calendar entry",
            };
            assert!(will(&plan).contains(expected), "{name}, {time}: {} {}", will(&plan), text);
            found.insert(expected);
        }
    }
    assert!(found.len() >= 3, "found {found:?}");
}

#[tokio::test]
async fn nobody_is_mailed_once_more_who_is_mailed_nothing() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    let act = |name: &str| Act::Resend(review(), Person::parse(&format!("{name}@example.com")).unwrap());
    for (name, expected) in [
        (
            "so-b",
            "RR-1042: nobody of the address so-b@example.com is told anything of it; the nearest: so-a@example.com",
        ),
        ("stranger", "is told anything of it"),
    ] {
        let why = perform(engine, planned(act(name), None)).await.unwrap_err();
        assert!(why.why().contains(expected), "{name}: {}", why.why());
    }
    let closing = plan(&player, Act::Close(review())).await;
    Box::pin(done(&player, &closing)).await;
    let why = perform(engine, planned(act("so-a"), None)).await.unwrap_err();
    assert!(why.why().contains("expected an open review; it is over: \"closed\""), "{}", why.why());
}

#[tokio::test]
async fn nobody_is_mailed_once_more_whom_no_mail_reaches() {
    let player = until(story!("mail_does_not_arrive"), "11:30").await;
    let bounced = Act::Resend(review(), Person::parse("bounce+so@simulator.amazonses.com").unwrap());
    let operator = Some("//operator.example.com");
    let why = stack(&player).perform(planned(bounced, operator)).await.unwrap_err();
    assert!(why.why().contains("since mail to them did not arrive (bounced)"), "{}", why.why());
}

/// Whoever closes in person needs an operator's source: a source of reviews cannot sign for a person.
#[tokio::test]
async fn who_closes_in_person_needs_the_source_of_an_operator() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let mut plan = plan(&player, Act::Close(review())).await;
    plan["event"]["source"] = json!("//review.example.com");
    assert!(done(&player, &plan).await.is_empty());
    let head = player.time().engine().store().head(&review()).await.unwrap().unwrap();
    assert!(!head.is_ended(), "closed by a source that may not");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_before_anybody_is_asked() {
    let player = until(story!("an_operator_decides_at_night"), "12:30").await;
    let engine = player.time().engine();
    let refused = async |act: Act, source: Option<&str>| {
        perform(engine, planned(act, source)).await.unwrap_err().why().to_owned()
    };
    let unknown = refused(Act::Close(ReviewId::parse("RR-1024").unwrap()), None).await;
    assert!(unknown.contains("there is no such review; the nearest: RR-1042"), "{unknown}");
    let unspoken = refused(Act::Reset(Kind::Evidence, "CHG7/tests".to_owned()), None).await;
    assert!(unspoken.contains("evidence CHG7/tests: expected a subject that somebody has spoken of"), "{unspoken}");
    let wrong = refused(Act::Reset(Kind::Evidence, "CHG7".to_owned()), None).await;
    assert!(wrong.contains("$.data.subject: expected a subject like"), "{wrong}");
    let source = refused(Act::Close(review()), Some("//elsewhere.example.com")).await;
    assert!(source.contains("registers as `operator` (//operator.example.com); found //elsewhere"), "{source}");
    let none = stack(&player).perform(planned(Act::Close(review()), None)).await.unwrap_err();
    assert!(none.why().contains("expected --source"), "{}", none.why());
}
