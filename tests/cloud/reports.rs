//! What the mailer reports of the story's mails: as SES's event publishing writes it, through the rule that is deployed.

use holdpoint_tests::{cloud::ministack::Ministack, repository};
use packet_store::Store;
use refresh_core::{
    Instant, Person, ReviewId, TraceId,
    base::fingerprint::ReviewFingerprint,
    record::{lineage::Happening, notice::NoticeKind},
};
use serde_json::{Value, json};
use sources::mail::{REVIEW_TAG, TRACE_TAG, review_tag};

use crate::{deployed::Teller, shell::Shell};

/// Required, and never answered: who answers was reached, whatever is reported of an earlier mail.
const UNREACHED: &str = "reliability-lead@example.com";

/// A mail of ours, as the lineage has it.
pub struct Posted {
    pub message_id: String,
    review: ReviewId,
    to: Person,
    kind: NoticeKind,
    at: Instant,
    trace: Option<TraceId>,
}

/// Every mail there was, oldest first.
pub async fn posted(store: &Store) -> Vec<Posted> {
    let mut all = Vec::new();
    for head in store.reviews().await.expect("the reviews").whole().expect("every review reads") {
        for entry in store.lineage(&head.review, 1).await.expect("a lineage") {
            for happening in entry.happenings {
                if let Happening::Notice { to, kind, message_id, .. } = happening {
                    let review = head.review.clone();
                    all.push(Posted { message_id, review, to, kind, at: entry.at, trace: entry.trace });
                }
            }
        }
    }
    all
}

/// The story's mails arrive, but for the last one to somebody required: that one bounces. The bus brings the bounce twice,
/// and a delivery of the same mail late; of one mail the heaviest word counts.
pub fn reports(mails: &[Posted], configuration_set: &str) -> Vec<Value> {
    let lost = mails.iter().rposition(|mail| mail.to.as_str() == UNREACHED).expect("they were mailed");
    let mut all = Vec::new();
    for (number, mail) in mails.iter().enumerate() {
        let words = if number == lost { &["bounced", "bounced", "delivered"][..] } else { &["delivered"] };
        for (time, word) in words.iter().enumerate() {
            all.push(report(mail, word, configuration_set, &format!("00000000-0000-4000-8000-{number:06}{time:06}")));
        }
    }
    all
}

/// The sample of such an event, of this mail.
fn report(mail: &Posted, word: &str, configuration_set: &str, id: &str) -> Value {
    let file = repository().join(format!("events/ingest/mail_{word}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut event: Value = serde_json::from_str(&text).expect("a sample");
    let member = ["bounce", "delivery"].into_iter().find(|member| event["detail"].get(*member).is_some());
    let (member, to) = (member.expect("what became of it"), json!([mail.to]));
    let soon = json!(mail.at.plus_seconds(1));
    let mut put = |pointer: &str, value: Value| {
        *event.pointer_mut(pointer).unwrap_or_else(|| panic!("{}: expected {pointer}", file.display())) = value;
    };
    put("/id", json!(id));
    put("/time", json!(mail.at.plus_seconds(2)));
    put("/detail/mail/timestamp", json!(mail.at));
    put("/detail/mail/messageId", json!(mail.message_id));
    put("/detail/mail/destination", to.clone());
    put("/detail/mail/commonHeaders/to", to.clone());
    put("/detail/mail/tags/ses:configuration-set", json!([configuration_set]));
    put("/detail/mail/tags/review", json!([mail.review]));
    put(&format!("/detail/mail/tags/{REVIEW_TAG}"), json!([review_tag(ReviewFingerprint::of(&mail.review))]));
    put(&format!("/detail/mail/tags/{TRACE_TAG}"), json!([mail.trace]));
    put(&format!("/detail/{member}/timestamp"), soon);
    event
}

/// Nobody was told anything else after the bounce but those who see exceptions.
pub async fn told_after(store: &Store, mails: &[Posted]) -> Vec<(String, NoticeKind)> {
    let now = posted(store).await;
    let mut new: Vec<_> = now[mails.len()..].iter().map(|mail| (mail.to.to_string(), mail.kind)).collect();
    new.sort_by(|a, b| a.0.cmp(&b.0));
    new
}

/// The configuration set that notify sends with.
pub async fn configuration_set(teller: &Teller) -> String {
    let path = "functions/holdpoint-notify/configuration?Qualifier=live";
    let read = teller.bundle.lambda("GET", path, &Value::Null).await.expect("notify's configuration");
    let set = read["Environment"]["Variables"]["CONFIGURATION_SET"].as_str();
    set.unwrap_or_else(|| panic!("expected CONFIGURATION_SET in {read}")).to_owned()
}

/// SES publishes to the bus, the deployed rule takes what is of our own mail and puts it where ingest reads. The stand-in
/// publishes nothing by itself and, like AWS, lets nobody else publish as `aws.ses`: so the rule is asked about each event,
/// and what it takes is put on its target as the bus would.
pub async fn publish(teller: &Teller, reports: &[Value], configuration_set: &str) {
    let (pattern, target) = rule(&teller.bundle.cloud, configuration_set).await;
    let queue = teller.url("SourceEventsQueue");
    let name = queue.rsplit('/').next().unwrap_or_default();
    assert!(target.ends_with(&format!(":{name}")), "the rule's target is {target}, ingest reads {name}");
    for event in reports {
        assert!(matches(&teller.bundle.cloud, &pattern, event).await, "{pattern} does not take {event}");
        teller.send(event).await;
    }
    let mut others = reports[0].clone();
    others["detail"]["mail"]["tags"]["ses:configuration-set"] = json!(["another"]);
    assert!(!matches(&teller.bundle.cloud, &pattern, &others).await, "{pattern} takes mail that is none of ours");
    // What SES publishes at all.
    let path = format!("/v2/email/configuration-sets/{configuration_set}/event-destinations");
    let request = http::Request::get(format!("{}{path}", teller.bundle.cloud.endpoint()));
    let request = teller.bundle.cloud.signed(request, "ses").body(Vec::new()).expect("a request");
    let response = teller.bundle.cloud.http().send(request).await.expect("an answer");
    let read: Value = serde_json::from_slice(response.body()).expect("JSON");
    let destination = &read["EventDestinations"][0];
    let bus = destination["EventBridgeDestination"]["EventBusArn"].as_str().unwrap_or_default();
    assert!(destination["Enabled"] == true && bus.ends_with(":event-bus/default"), "{read}");
    let mut kinds: Vec<&str> =
        destination["MatchingEventTypes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY", "REJECT"]);
}

/// The one that takes what is reported of this set's mail: its pattern and its only target.
async fn rule(cloud: &Ministack, configuration_set: &str) -> (String, String) {
    let listed = cloud.call("events", "AWSEvents.ListRules", &json!({})).await.expect("the rules");
    let rules = listed["Rules"].as_array().cloned().unwrap_or_default();
    let pattern = |rule: &Value| rule["EventPattern"].as_str().unwrap_or_default().to_owned();
    let ours: Vec<&Value> = rules.iter().filter(|rule| pattern(rule).contains(configuration_set)).collect();
    let [rule] = ours.as_slice() else { panic!("expected one rule for {configuration_set}, found {listed}") };
    assert_eq!(rule["State"], "ENABLED", "{rule}");
    let query = json!({ "Rule": rule["Name"] });
    let targets = cloud.call("events", "AWSEvents.ListTargetsByRule", &query).await.expect("its targets");
    assert_eq!(targets["Targets"].as_array().map(Vec::len), Some(1), "{targets}");
    (pattern(rule), targets["Targets"][0]["Arn"].as_str().expect("an ARN").to_owned())
}

async fn matches(cloud: &Ministack, pattern: &str, event: &Value) -> bool {
    let query = json!({ "EventPattern": pattern, "Event": event.to_string() });
    let answer = cloud.call("events", "AWSEvents.TestEventPattern", &query).await.expect("an answer");
    answer["Result"].as_bool().unwrap_or_else(|| panic!("expected a Result in {answer}"))
}

/// What an operator sees, and what others were told: the person, why, and that it is for people to see to.
pub async fn shown(teller: &Teller, mails: &[Posted], told: &[(String, NoticeKind)]) {
    let shell = Shell::of(&teller.bundle, "auditor", "MayLookPolicy").await;
    let review = mails[0].review.to_string();
    let shown = shell.ran(&["show", &review]);
    let exceptions = &shown["state"]["exceptions"];
    let reason = json!({ "rule": "bounced", "role": "site_reliability_lead", "person": UNREACHED });
    let open = exceptions.as_array().into_iter().flatten().find(|open| open["kind"] == "unreachable");
    assert_eq!(open.map(|open| &open["reasons"]), Some(&json!([reason])), "{exceptions}");
    for known in shown["deliveries"].as_array().expect("deliveries") {
        let unreached = known["person"] == UNREACHED;
        // Whose first mail tells of the bounce is reported nothing of yet.
        let before = mails.iter().any(|mail| known["person"] == json!(mail.to));
        let status = before.then_some(if unreached { "bounced" } else { "delivered" });
        assert_eq!(known["last"]["status"], json!(status), "{known}");
        assert_eq!(known["withheld"], unreached, "{known}");
    }
    // The bounce stands under the change that its mail told of.
    let lineage = shown["lineage"].as_array().expect("a lineage");
    let entry = lineage.iter().find(|entry| entry["happenings"][0]["record"] == "undeliverable");
    let lost = mails.iter().rfind(|mail| mail.to.as_str() == UNREACHED).expect("they were mailed");
    assert_eq!(entry.map(|entry| &entry["trace"]), Some(&json!(lost.trace)), "{lineage:#?}");
    assert_eq!(shown["verified"]["verified"], true);

    let sent = teller.bundle.cloud.mails().await.expect("the mails");
    for (to, _) in told {
        let mail = sent.iter().rfind(|mail| mail.to == [to.clone()]).expect("a mail");
        for words in ["A required person cannot be reached", UNREACHED, "reach them another way"] {
            assert!(mail.text.contains(words), "{to}: expected {words:?} in {}", mail.text);
        }
    }
    assert!(told.iter().all(|(to, _)| to != UNREACHED), "{told:?}");
}
