//! The transports' envelopes, taken off. Identity is the inner event's; the envelope's own ids never count, since a
//! republished message has new ones.

use serde_json::Value;

use crate::{
    fault::{Fault, describe},
    json,
};

/// A topic that feeds a bus that feeds a topic: deeper is a loop.
const DEEPEST: usize = 4;

/// What was inside, and what its paths start with: `$.detail` of an EventBridge envelope, `$.Message` of an SNS one
/// (whose string counts as parsed, for the path).
#[derive(Debug)]
pub struct OpenedEnvelope {
    /// What was inside.
    pub value: Value,
    /// What the paths of faults in the value start with.
    pub root: String,
}

/// Takes off every envelope that is known by its shape. What is none comes back as it is.
///
/// # Errors
///
/// An envelope that cannot be opened, or more envelopes in one another than are opened.
pub fn open(value: Value) -> Result<OpenedEnvelope, Fault> {
    let mut opened = OpenedEnvelope { value, root: "$".to_owned() };
    for _ in 0..DEEPEST {
        match kind(&opened.value) {
            MemberKind::None => return Ok(opened),
            MemberKind::Sns => opened = sns(opened)?,
            MemberKind::EventBridge => opened = event_bridge(opened),
        }
    }
    match kind(&opened.value) {
        MemberKind::None => Ok(opened),
        _ => Err(Fault::new(opened.root, format!("an event within at most {DEEPEST} envelopes"), "one more envelope")),
    }
}

enum MemberKind {
    None,
    Sns,
    EventBridge,
}

fn kind(value: &Value) -> MemberKind {
    let has = |name: &str| value.get(name).is_some();
    // A CloudEvent first: its extensions may be called anything, an envelope's member names included.
    match () {
        () if has("specversion") => MemberKind::None,
        // What AWS itself says is read with its envelope: that tells account, region and time.
        () if is_of_aws(value) => MemberKind::None,
        () if has("Type") && has("TopicArn") => MemberKind::Sns,
        () if has("detail-type") && has("detail") => MemberKind::EventBridge,
        () => MemberKind::None,
    }
}

/// Whether an event of the bus is one that AWS itself put there, and that is read here.
pub fn is_of_aws(event: &Value) -> bool {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    event.get("detail").is_some()
        && text("detail-type").is_some()
        && matches!(text("source"), Some("aws.codepipeline" | "aws.codebuild"))
}

fn event_bridge(mut outer: OpenedEnvelope) -> OpenedEnvelope {
    let value = outer.value.get_mut("detail").map(Value::take).unwrap_or_default();
    OpenedEnvelope { value, root: format!("{}.detail", outer.root) }
}

fn sns(outer: OpenedEnvelope) -> Result<OpenedEnvelope, Fault> {
    let found = |member: Option<&Value>| member.map_or_else(|| "nothing".to_owned(), describe);
    let notice = outer.value.get("Type");
    if notice.and_then(Value::as_str) != Some("Notification") {
        let expected = "\"Notification\" (a subscription is confirmed by its operator, not by an event)";
        return Err(Fault::new(format!("{}.Type", outer.root), expected, found(notice)));
    }
    let root = format!("{}.Message", outer.root);
    match outer.value.get("Message") {
        Some(Value::String(text)) => Ok(OpenedEnvelope { value: json::parse(text, &root)?, root }),
        other => Err(Fault::new(root, "a string with the event in it", found(other))),
    }
}
